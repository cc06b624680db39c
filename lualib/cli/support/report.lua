-- The message for a playbook that failed: report(error, trace, colour, in JSON) -> text, exit
-- status. The error may be any Lua value; this module must not fail because of it.

local bundle = require "f5.bundle"
local core = require "f5.core"
local hints = require "cli.support.hints"
local json = require "f5.json"
local language = require "cli.support.hints.language"
local shown_json = require "cli.support.shown_json"
local terminal = require "f5.terminal"

local STATUS <const> = { failed = 1, usage = 2, device = 3 }

-- kind of error -> exit status
local KIND_STATUS <const> = {}
for _, kind in ipairs(core.error_kinds()) do KIND_STATUS[kind.name] = kind.exit_status end

local function text_of(value, style)
  local ok, text = pcall(tostring, value)
  return ok and terminal[style or "text"](text) or "(" .. type(value) .. " value)"
end

local function painter(colour)
  local function paint(code)
    if not colour then return function(text) return text end end
    return function(text) return "\27[" .. code .. "m" .. text .. "\27[0m" end
  end
  return { bad = paint "1;31", dim = paint "2", good = paint "36" }
end

-- Parts of names of secrets, also misspelled. Literals on a line with one of them are masked.
local SECRET_WORDS <const> =
  { "pass", "pwd", "pw", "secret", "token", "credential", "auth", "key", "community" }

local function without_secrets(line)
  line = line:gsub("(://[^/@:]*:)[^/@]*@", "%1********@") -- a proxy's user and password
  local lower = line:lower()
  for _, word in ipairs(SECRET_WORDS) do
    if lower:find(word, 1, true) then
      return (line:gsub("([\"'])(.-)%1", "%1********%1"):gsub("%[(=*)%[.-%]%1%]", "[[********]]"))
    end
  end
  return line
end

-- A line of source. There is none for standard input and -e, and none in a packed program: a file
-- with the same name may be another file.
local function source_line(frame)
  if bundle.packed() then return nil end
  local file = io.open(frame.file, "r")
  if not file then return nil end
  local number = 0
  for line in file:lines() do
    number = number + 1
    if number == frame.line then
      file:close()
      return #line < 160 and without_secrets(line:match "^%s*(.-)%s*$") or nil
    end
  end
  file:close()
end

local function add_trace(lines, trace, paint)
  for i, frame in ipairs(trace) do
    lines[#lines + 1] = ("  %s:%d: in %s"):format(
      terminal.line(frame.file),
      frame.line,
      terminal.line(frame.name)
    )
    local source = i == 1 and source_line(frame)
    if source then lines[#lines + 1] = "      " .. paint.good(terminal.line(source)) end
  end
end

-- The fields of a device error, in the order of their importance.
local FIELDS <const> = {
  { "device" },
  { "method" },
  { "path" },
  { "status" },
  { "code" },
  { "api_error", "apiError" },
  { "kind" },
  { "attempts" },
}

local function field_lines(lines, err, paint)
  for _, field in ipairs(FIELDS) do
    local value = err[field[1]]
    if value ~= nil and value ~= "" and not (field[1] == "code" and value == err.status) then
      lines[#lines + 1] = "  "
        .. paint.dim(("%-9s"):format(field[2] or field[1])) .. " " .. text_of(value, "line")
    end
  end
  local cause = err.cause
  while cause ~= nil do
    lines[#lines + 1] = "  " .. paint.dim(("%-9s"):format "cause") .. " " .. text_of(cause, "line")
    cause = type(cause) == "table" and cause.cause or nil
  end
end

local function is_made_by(err, name)
  if type(err) ~= "table" or type(rawget(err, "kind")) ~= "string" then return false end
  local metatable = getmetatable(err)
  return type(metatable) == "table" and metatable.__name == name
end

-- f5lua's own further lines begin with spaces. Others may come from outside, and look like lines of
-- f5lua: they are marked.
-- In JSON no line can be forged.
local function marked(text, in_json)
  return in_json and text or (text:gsub("\n(%S)", "\n  | %1"))
end

-- In a one-line call it is the words of the command line that are wrong; without a playbook so is
-- the address of a device.
local function is_of_command_line(err, text)
  if err.kind ~= "usage" then return false end
  return hints.are_for_one_line() or hints.is_of_command_line(text)
end

-- The message, and the exit status.
local function told(err, in_json)
  if is_made_by(err, "f5.failure") then return marked(text_of(err), in_json), STATUS.failed end
  if is_made_by(err, "f5.error") then
    local text = text_of(err.message or err, in_json and "text" or "indent")
    if is_of_command_line(err, text) then return hints.in_words_of_reader(text), STATUS.usage end
    return text, KIND_STATUS[err.kind] or STATUS.device
  end
  local text = marked(text_of(err), in_json)
  local metatable = getmetatable(err)
  if type(err) == "table" and not (type(metatable) == "table" and metatable.__tostring) then
    text = "the error value is a "
      .. type(err) .. (type(err.message) == "string" and ": " .. terminal.text(err.message) or "")
  end
  -- The place inside f5lua does not help the reader, unless it is a bug of f5lua.
  if not text:find("attempt to ", 1, true) then
    text = text:gsub("^lualib/[%w_/]+%.lua:%d+: ", "")
  end
  return text, STATUS.failed
end

-- JSON is UTF-8, but texts of scripts and devices may contain any bytes: they become \xHH.
local function in_utf8(text)
  while true do
    local _, bad = utf8.len(text)
    if not bad then return text end
    text = ("%s\\x%02x%s"):format(text:sub(1, bad - 1), text:byte(bad), text:sub(bad + 1))
  end
end

local function hint_of(err, message, of_device)
  if of_device then return hints.of(err) end
  return type(err) == "string" and language.of(message) or nil
end

-- The same as one JSON line, with the names of the other log lines.
local function as_json(err, trace, message, status)
  local line = {
    time = os.date "!%Y-%m-%dT%H:%M:%SZ", event = "failure", message = in_utf8(message),
    exit_status = status,
  }
  if is_made_by(err, "f5.error") then
    for _, field in ipairs(FIELDS) do
      local value = err[field[1]]
      if value == "" or field[1] == "code" and value == err.status then value = nil end
      line[field[2] or field[1]] = type(value) == "number" and value
        or value ~= nil and in_utf8(text_of(value)) or nil
    end
    line.outcome, line.hint = err.outcome and text_of(err.outcome) or nil, hints.of(err)
    if err.cause ~= nil then line.cause = in_utf8(text_of(err.cause)) end
  else
    line.hint = hint_of(err, message, false)
  end
  if not is_made_by(err, "f5.failure") and #trace > 0 then
    line.trace = json.array {}
    for i, frame in ipairs(trace) do
      line.trace[i] = {
        file = in_utf8(terminal.line(frame.file)),
        line = frame.line,
        name = in_utf8(terminal.line(frame.name)),
      }
    end
  end
  return shown_json(line, { sort = true, first = { "time", "event", "message" } }) .. "\n"
end

local function report(err, trace, colour, in_json)
  local paint = painter(colour)
  if type(err) == "table" and type(rawget(err, "usage")) == "string" then
    local words = marked(terminal.text(err.usage))
    return ("f5lua: %s\nTry '%s --help'.\n"):format(words, err.program or "f5lua"), STATUS.usage
  end
  local message, status = told(err, in_json)
  if in_json then return as_json(err, trace, message, status), status end
  local lines = { paint.bad "f5lua:" .. " " .. message }
  if not is_made_by(err, "f5.failure") then
    local of_device = is_made_by(err, "f5.error")
    if of_device and status == STATUS.device then field_lines(lines, err, paint) end
    add_trace(lines, trace, paint)
    local hint = hint_of(err, message, of_device)
    if hint then lines[#lines + 1] = "  " .. paint.dim "hint:" .. " " .. hint end
  end
  return table.concat(lines, "\n") .. "\n", status
end

return report
