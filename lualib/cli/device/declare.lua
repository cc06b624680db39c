-- f5lua declare: sends declarations of AS3, DO, TS and FAST, and removes tenants.
local contents = require "cli.support.contents"
local core = require "f5.core"
local f5 = require "f5"
local frame = require "cli.support.verbs.frame"
local host = require "f5.host"
local json = require "f5.json"
local kinds = require "f5.declare.kinds"
local number = require "cli.support.number"
local results = require "f5.declare.results"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = { summary = "send declarations of AS3, DO, TS and FAST", logs = true }

local PROGRAM <const> = "f5lua declare"

function M.setup(parser)
  parser:usage(
    "Usage: f5lua declare FILE… [--dry-run] [--tenant NAME] [--timeout SECONDS] [OPTION…]\n"
      .. "       f5lua declare --remove TENANT… [OPTION…]\n"
      .. "       f5lua declare --show [TENANT] [OPTION…]"
  )
  parser:argument("files", "declarations in JSON; - is standard input"):args("*"):argname "FILE"
  parser:flag("--dry-run", "AS3 and DO say what they would do; the device itself is not asked")
    :target "dry_run"
  parser:option("--tenant", "AS3: only this tenant; or that of a declaration of applications")
    :argname "NAME"
  parser
    :option("--remove", "AS3: remove this tenant with all that is in it; may be repeated")
    :argname("TENANT")
    :count("*")
  parser:option("--show", "AS3: print what is declared, secrets masked"):argname("TENANT"):args "?"
  parser
    :option("--timeout", "seconds for each declaration (default 1800); it continues after that")
    :argname("SECONDS")
    :target("patience")
    :convert(number.any("--timeout", "seconds"))
  frame.add_options(parser, { writes = true, text = true, no_timeout = true })
  parser:epilog(
    "The class of a declaration says which extension it is for. f5lua sends it, waits while the\n"
      .. "extension starts or is busy, and prints one line for each tenant.\n"
      .. "--check sends AS3's dry run: that is accepted by AS3, and not yet by the device.\n"
      .. "Exit status: 3 if a tenant failed; the other tenants are named, too."
  )
end

-- -- what is declared -----------------------------------------------------------------------------

local function read(file, options)
  if file == "-" and host.is_terminal(0) then
    usage("standard input is a terminal: give a file, or < FILE", PROGRAM)
  end
  local text, why = contents(file == "-" and "standard input" or file, file == "-" and io.stdin)
  if not text then usage("cannot read " .. why, PROGRAM) end
  local ok, body = pcall(kinds.read, text)
  local fits, problem, form = ok, body, nil
  if ok then fits, problem, form = pcall(kinds.of, body) end
  if not fits then
    local message = type(problem) == "table" and (rawget(problem, "usage") or problem.message)
      or problem
    local hint = not ok and file:find "%.ya?ml$" and "; f5lua reads declarations in JSON" or ""
    usage(("%s: %s%s"):format(file, tostring(message):gsub("^declare: ", ""), hint), PROGRAM)
  end
  if form == "applications" and not options.tenant then
    usage(file .. ": these are applications and no tenant: name it with --tenant NAME", PROGRAM)
  end
  local count <const> = #kinds.tenants(body)
  local about = count > 0 and frame.count(count, "tenant") or nil
  if options.tenant then about = "tenant " .. options.tenant end
  return { text = text, what = about and ("%s (%s)"):format(file, about) or file }
end

local FIRST_LINE <const>, NEXT_LINE <const> = 2, 30 -- seconds

-- A line about the state: one that changes on a terminal; in a log a line now and then.
local function progress(options, what)
  local line <const> = f5.live { quiet = true }
  if options.inventory then return line end
  local said, next_line = nil, FIRST_LINE
  return line, function(state, seconds)
    local text <const> = ("%s: %s, %d s"):format(what, state, seconds // 1)
    if line.terminal then return line(text) end
    if seconds < FIRST_LINE or state == said and seconds < next_line then return end
    said, next_line = state, seconds + NEXT_LINE
    frame.note(terminal.line(text))
  end
end

local function rows_of(found, file)
  local rows = {}
  for i, one in ipairs(results.masked(found) or {}) do
    rows[i] = {
      file = file, tenant = one.tenant, code = one.code, message = one.message,
      response = one.response, errors = one.errors, warnings = one.warnings, changes = one.changes,
      ok = one.ok,
      dry_run = one.dry_run, changed = one.changed, seconds = one.run_time,
    }
  end
  return rows
end

local FOR_PEOPLE <const> = { text = true, table = true, wide = true }

-- What is printed if a file failed: the results of its tenants for programs. People read them in
-- the error, of which a line about one of many devices shows only the beginning.
local function failed(options, rows, at, err)
  local format <const> = options.output or host.is_terminal(1) and "text" or "jsonl"
  local found <const> = type(err) == "table" and err.results
  if found and (options.inventory or not FOR_PEOPLE[format]) then
    table.move(rows_of(found, options.files[at]), 1, #found, #rows + 1, rows)
  end
  local left <const> = table.concat(options.files, ", ", at + 1)
  if at > 1 or left ~= "" then
    frame.note(("%s failed%s"):format(options.files[at],
      left ~= "" and "; not sent: " .. left or ""))
  end
  return rows, nil, err
end

local function declare(options, texts)
  return function(bip)
    local rows = {}
    for i, file in ipairs(options.files) do
      local line <close>, tell = progress(options, texts[i].what)
      local ok, found = pcall(bip.declare, bip, texts[i].text, {
        dry_run = options.dry_run or nil, tenant = options.tenant, timeout = options.patience,
        progress = tell,
      })
      line:close()
      if not ok then return failed(options, rows, i, found) end
      table.move(rows_of(found, file), 1, #found, #rows + 1, rows)
    end
    return rows
  end
end

local function remove(options)
  return function(bip)
    local names = table.move(options.remove, 1, #options.remove, 1, {})
    local line <close>, tell = progress(options, "remove " .. table.concat(names, ", "))
    names[#names + 1] = { timeout = options.patience, progress = tell }
    local found = bip:undeclare(table.unpack(names))
    line:close()
    return rows_of(found)
  end
end

local function show(options)
  return function(bip)
    local found <const> = bip:declared { tenant = options.show[1] }
    if not found then
      frame.note "nothing is declared"
      return {}
    end
    return { { declaration = json.decode(core.mask(json.encode(found))) } }
  end
end

-- -- what is printed ------------------------------------------------------------------------------

local function text(row)
  if row.declaration then
    return json.encode(row.declaration, { indent = 2, sort = true }) .. "\n"
  end
  local lines = { results.line(row) }
  if row.dry_run then lines[1] = lines[1] .. " (dry run: the device was not asked)" end
  for _, change in ipairs(results.changes(row)) do lines[#lines + 1] = "  " .. change end
  return table.concat(lines, "\n") .. "\n"
end

local function summary(rows)
  local changed = 0
  for _, row in ipairs(rows) do changed = changed + (row.changed and 1 or 0) end
  return ("%s, %d changed"):format(frame.count(#rows, "result"), changed)
end

local function check_words(options)
  local ways = (#options.files > 0 and 1 or 0) + (#options.remove > 0 and 1 or 0)
    + (options.show and 1 or 0)
  if ways == 0 then usage("no declaration given: FILE, or - for standard input", PROGRAM) end
  if ways > 1 then usage("give one of FILE, --remove and --show", PROGRAM) end
  if #options.files == 0 then
    for _, name in ipairs { "dry_run", "tenant" } do
      if options[name] then usage(("--%s needs a FILE"):format((name:gsub("_", "-"))), PROGRAM) end
    end
  end
  if options.show then
    for _, name in ipairs { "undoable", "check", "journal", "patience" } do
      if options[name] then
        usage(("--show has no --%s"):format(name == "patience" and "timeout" or name), PROGRAM)
      end
    end
  end
end

function M.run(options)
  check_words(options)
  local texts, sums = {}, {}
  for i, file in ipairs(options.files) do
    texts[i] = read(file, options)
    sums[i] = core.sha256(texts[i].text)
  end
  local work = options.show and show(options)
    or #options.remove > 0 and remove(options) or declare(options, texts)
  return frame.run(options, {
    program = PROGRAM,
    writes = not options.show,
    style = {
      text = text, columns = options.show and { "declaration" }
        or { "file", "tenant", "code", "message", "changed", "seconds" },
      empty = "nothing is declared", always_text = options.show ~= nil,
    },
    identity = { table.concat(options.files, "\n"), table.concat(options.remove, "\n"),
      table.concat(sums, "\n") },
    work = work,
    result = summary,
  })
end

return M
