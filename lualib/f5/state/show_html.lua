-- A difference as one HTML page without any other file: for a change ticket or a mail. All texts
-- come from outside; control characters and changes of direction are visible, and nothing can
-- become markup.

local json = require "f5.json"
local terminal = require "f5.terminal"
local text = require "f5.state.show_text"
local values = require "f5.state.values"

local M = {}

local ENTITIES <const> = {
  ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;",
}

local function escape(line) return (terminal.line(line):gsub("[&<>\"']", ENTITIES)) end

M.escape = escape

local HEAD <const> = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>%s</title>
<style>
:root { color-scheme: light dark; --fg: #1b1f24; --bg: #ffffff; --dim: #59636e; --line: #d1d9e0;
  --add: #1a7f37; --addbg: #dafbe1; --del: #cf222e; --delbg: #ffebe9; --mod: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --fg: #e6edf3; --bg: #0d1117; --dim: #9198a1;
  --line: #3d444d; --add: #3fb950; --addbg: #12261e; --del: #f85149; --delbg: #2d1517;
  --mod: #d29922; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg);
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; border-bottom: 1px solid var(--line);
  margin-top: 2rem }
code, pre, td { font: 13px/1.45 ui-monospace, monospace }
table { border-collapse: collapse; width: 100%%; margin: .3rem 0 1rem }
td { border-top: 1px solid var(--line); padding: .2rem .5rem; vertical-align: top;
  overflow-wrap: anywhere }
td.p { width: 30%% } .dim { color: var(--dim) } pre { margin: 0; white-space: pre-wrap }
.added { color: var(--add) } .removed { color: var(--del) } .changed { color: var(--mod) }
ins { background: var(--addbg); text-decoration: none }
del { background: var(--delbg); text-decoration: none }
h3 { font: 600 14px/1.5 ui-monospace, monospace; margin: .8rem 0 .2rem; overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>%s</h1>
]]

local SIGNS <const> = { added = "+", removed = "−", changed = "~" }

local function put_hunks(out, change)
  out "<pre>"
  for _, hunk in ipairs(values.hunks(change)) do
    out(('<span class="dim">@@ line %d @@</span>\n'):format(math.max(hunk.b, 1)))
    for _, edit in ipairs(hunk) do
      local line = edit[1] .. " " .. escape(edit[2])
      if edit[1] == "+" then line = "<ins>" .. line .. "</ins>" end
      if edit[1] == "-" then line = "<del>" .. line .. "</del>" end
      out(line, "\n")
    end
  end
  out "</pre>"
end

local function put_change(out, change)
  out('<tr><td class="p">', escape(change.property), "</td>")
  if change.what == "added" or change.what == "removed" then
    local element = change.new or change.old
    local tag = change.what == "added" and "ins" or "del"
    out('<td colspan="2"><', tag, ">", SIGNS[change.what], " ", escape(values.line(element)))
    out("</", tag, "></td>")
  elseif values.has_lines(change) then
    out '<td colspan="2">'
    put_hunks(out, change)
    out "</td>"
  elseif change.set then
    local gone, new = values.set_difference(change.old, change.new)
    out '<td colspan="2">'
    for _, item in ipairs(gone) do out("<del>− ", escape(values.line(item)), "</del> ") end
    for _, item in ipairs(new) do out("<ins>+ ", escape(values.line(item)), "</ins> ") end
    out "</td>"
  else
    out("<td><del>", escape(values.line(change.old)), "</del></td>")
    out("<td><ins>", escape(values.line(change.new)), "</ins></td>")
  end
  out "</tr>\n"
end

--- Prints one difference.
-- @param out function(text, …)
-- @param entry f5.state.difference
-- @param verbs table|nil: { added = "created", … }
function M.entry(out, entry, verbs)
  local name = entry.name ~= "" and entry.name or entry.kind
  out('<h3 class="', entry.what, '">', SIGNS[entry.what], " ", escape(name))
  local verb = verbs and verbs[entry.what]
  if verb then out(' <span class="dim">', escape(verb), "</span>") end
  for _, note in ipairs(entry.notes or {}) do
    out(' <span class="dim">', escape(note), "</span>")
  end
  out "</h3>\n"
  if #(entry.changes or {}) > 0 then
    out "<table>\n"
    for _, change in ipairs(entry.changes) do put_change(out, change) end
    out "</table>\n"
  elseif entry.object then
    local ok, body = pcall(json.encode, entry.object, { sort = true, indent = 1 })
    if ok then
      out '<details><summary class="dim">properties</summary><pre>'
      for line in (body .. "\n"):gmatch "([^\n]*)\n" do out(escape(line), "\n") end
      out "</pre></details>\n"
    end
  end
end

local function put_not_compared(out, report)
  local list = report.not_compared or {}
  if #list == 0 then return end
  out "<h2>Not compared</h2>\n<table>\n"
  for _, one in ipairs(list) do
    out("<tr><td>", escape(one.path or one.kind or ""), "</td><td>", escape(one.property or ""))
    out("</td><td>", escape(one.reason), "</td><td>", escape(one.side or ""), "</td></tr>\n")
  end
  out "</table>\n"
end

--- Prints a report as a page.
-- @param report f5.state.report
-- @param out function(text, …): gets the page in pieces
-- @param options table|nil: title, verbs
function M.report(report, out, options)
  options = options or {}
  local title = escape(options.title or "Differences")
  out(HEAD:format(title, title))
  if report.a and report.b then
    out('<p><span class="removed">A: ', escape(report.a.label), "</span><br>")
    out('<span class="added">B: ', escape(report.b.label), "</span></p>\n")
  end
  out("<p>", escape(text.summary(report, options.verbs)), "</p>\n")
  local kind
  for _, entry in ipairs(report.differences) do
    if entry.kind ~= kind then
      kind = entry.kind
      out("<h2>", escape(kind), "</h2>\n")
    end
    M.entry(out, entry, options.verbs)
  end
  put_not_compared(out, report)
  out "</body>\n</html>\n"
end

return M
