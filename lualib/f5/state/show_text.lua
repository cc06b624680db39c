-- A difference as text for a terminal or a log.

local terminal = require "f5.terminal"
local values = require "f5.state.values"

local M = {}

local SIGNS <const> = { added = "+", removed = "-", changed = "~" }
local COLOURS <const> = { added = "32", removed = "31", changed = "33" }
local MANY <const> = 4 -- objects with the same changes are shown together from so many on
local WIDTH <const> = 100 -- columns of a list of names
local MAX_NOT_COMPARED <const> = 20 -- lines about what was not compared

local function painter(colour)
  return function(code, text)
    if not colour then return text end
    return "\27[" .. code .. "m" .. text .. "\27[0m"
  end
end

local function plural(count, one, many)
  return count == 1 and "1 " .. one or count .. " " .. many
end

M.plural = plural

local function put_hunks(out, change, paint, indent)
  for _, hunk in ipairs(values.hunks(change)) do
    out(indent, paint("2", ("@@ line %d @@"):format(math.max(hunk.b, 1))), "\n")
    for _, edit in ipairs(hunk) do
      local line = edit[1] .. " " .. terminal.line(edit[2])
      if edit[1] == "+" then line = paint(COLOURS.added, line) end
      if edit[1] == "-" then line = paint(COLOURS.removed, line) end
      out(indent, line, "\n")
    end
  end
end

-- Where a new element stands, if that counts.
local function place_of(change)
  if not change.after then return "" end
  return change.after == "" and "  (first)" or ("  (after %s)"):format(terminal.line(change.after))
end

local function put_change(out, change, paint, indent)
  local property = terminal.line(change.property)
  if change.what == "added" or change.what == "removed" then
    local summary = values.summary(change.what == "added" and change.new or change.old)
    out(
      indent, paint(COLOURS[change.what], SIGNS[change.what] .. " " .. property),
      summary ~= "" and "  " .. summary or "", place_of(change), "\n"
    )
  elseif values.has_lines(change) then
    out(indent, property, ":\n")
    put_hunks(out, change, paint, indent .. "  ")
  elseif change.set then
    local gone, new = values.set_difference(change.old, change.new)
    out(indent, property, ":")
    for _, item in ipairs(gone) do out(" ", paint(COLOURS.removed, "-" .. values.line(item))) end
    for _, item in ipairs(new) do out(" ", paint(COLOURS.added, "+" .. values.line(item))) end
    out "\n"
  else
    local what = change.what == "order" and " (order)" or ""
    out(
      indent, property, what, ": ", paint(COLOURS.removed, values.line(change.old)), " → ",
      paint(COLOURS.added, values.line(change.new)), "\n"
    )
  end
end

--- Prints one difference: its name, and what changed.
-- @param out function(text, …)
-- @param entry f5.state.difference
-- @param options table|nil: colour, verbs ({ added = "created", … }; default: the sign only)
function M.entry(out, entry, options)
  options = options or {}
  local paint = painter(options.colour)
  local verb = options.verbs and options.verbs[entry.what]
  local name = terminal.line(entry.name ~= "" and entry.name or entry.kind)
  out("  ", paint(COLOURS[entry.what], SIGNS[entry.what] .. " " .. name))
  if verb then out("  ", verb) end
  for _, note in ipairs(entry.notes or {}) do out("  ", paint("2", terminal.line(note))) end
  out "\n"
  for _, change in ipairs(entry.changes or {}) do put_change(out, change, paint, "      ") end
end

-- The changes of an object as a text.
local function changes_text(entry, paint)
  local parts = {}
  local function put(...)
    for i = 1, select("#", ...) do parts[#parts + 1] = (select(i, ...)) end
  end
  for _, change in ipairs(entry.changes or {}) do put_change(put, change, paint, "      ") end
  return table.concat(parts)
end

-- Finds the objects of a kind that changed in the same way: entry -> all of them, if they are many.
local function same_changes(differences, paint)
  local groups, found = {}, {}
  for _, entry in ipairs(differences) do
    if entry.what == "changed" and not entry.notes then
      local key = entry.kind .. "\0" .. changes_text(entry, paint)
      groups[key] = groups[key] or {}
      table.insert(groups[key], entry)
    end
  end
  for _, group in pairs(groups) do
    for _, entry in ipairs(#group >= MANY and group or {}) do found[entry] = group end
  end
  return found
end

-- Prints objects that changed in the same way: their names, and once what changed.
local function put_group(out, group, paint)
  out("  ", paint(COLOURS.changed, ("%s %d objects"):format(SIGNS.changed, #group)), "\n")
  local line = "   "
  for i, entry in ipairs(group) do
    local name = " " .. terminal.line(entry.name) .. (i < #group and "," or "")
    if #line + #name > WIDTH and line ~= "   " then
      out(paint(COLOURS.changed, line), "\n")
      line = "   "
    end
    line = line .. name
  end
  out(paint(COLOURS.changed, line), "\n", changes_text(group[1], paint))
end

-- The reasons why things were not compared, each with the number of things.
local function put_not_compared(out, report, paint)
  local list = report.not_compared or {}
  if #list == 0 then return end
  local groups, order = {}, {}
  for _, one in ipairs(list) do
    local where = one.property and ("%s of %s"):format(one.property, one.kind or one.path)
      or one.path or one.kind
    local side = one.side and one.side ~= "both" and (" (%s)"):format(one.side) or ""
    local text = ("%s: %s%s"):format(where, one.reason, side)
    if not groups[text] then
      groups[text] = 0
      order[#order + 1] = text
    end
    groups[text] = groups[text] + 1
  end
  out(paint("1", "not compared"), "\n")
  for i, text in ipairs(order) do
    if i > MAX_NOT_COMPARED then
      out(("  … and %d more\n"):format(#order - MAX_NOT_COMPARED))
      break
    end
    local count = groups[text]
    out("  ", terminal.line(text), count > 1 and (" (%d objects)"):format(count) or "", "\n")
  end
end

--- The last line: how many differences there are.
function M.summary(report, verbs)
  verbs = verbs or { removed = "only in A", added = "only in B", changed = "changed" }
  local counts = { removed = 0, added = 0, changed = 0 }
  for _, entry in ipairs(report.differences) do counts[entry.what] = counts[entry.what] + 1 end
  local parts = {}
  for _, what in ipairs { "removed", "added", "changed" } do
    if counts[what] > 0 then parts[#parts + 1] = ("%d %s"):format(counts[what], verbs[what]) end
  end
  local total = #report.differences
  local text = total == 0 and "no differences"
    or ("%s: %s"):format(plural(total, "difference", "differences"), table.concat(parts, ", "))
  if report.equal then text = text .. ("; %s"):format(plural(report.equal, "object", "objects")
    .. (report.equal == 1 and " is equal" or " are equal")) end
  return text
end

--- Prints a report.
-- @param report f5.state.report
-- @param out function(text, …): gets the text in pieces
-- @param options table|nil: colour (boolean), verbs, as of `entry`
function M.report(report, out, options)
  options = options or {}
  local paint = painter(options.colour)
  if report.a and report.b then
    out(paint(COLOURS.removed, "--- A: " .. terminal.line(report.a.label)), "\n")
    out(paint(COLOURS.added, "+++ B: " .. terminal.line(report.b.label)), "\n")
  end
  local kind
  local groups = same_changes(report.differences, paint)
  for _, entry in ipairs(report.differences) do
    local group = groups[entry]
    if entry.kind ~= kind then
      kind = entry.kind
      out(paint("1", terminal.line(kind)), "\n")
    end
    if not group then
      M.entry(out, entry, options)
    elseif group[1] == entry then
      put_group(out, group, paint)
    end
  end
  put_not_compared(out, report, paint)
  out(M.summary(report, options.verbs), "\n")
end

return M
