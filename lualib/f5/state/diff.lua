-- f5.diff(a, b, options): what differs between two devices, snapshots or files.

local core = require "f5.core"
local difference = require "f5.state.difference"
local receiver = require "f5.receiver"
local show = require "f5.state.show"
local snapshot = require "f5.state.snapshot"
local source = require "f5.state.source"

local M = {}

local OPTIONS <const> =
  { paths = true, partition = "string", ignore = true, progress = "function" }

local Report = { __name = "f5.diff.report" }
Report.__index = Report

--- The report as one text.
-- @param format "text"|"json"|"html"|nil: "text"
function Report:text(format)
  if format ~= nil and format ~= "text" and format ~= "json" and format ~= "html" then
    core.usage_error(
      2, ("text: expected \"text\", \"json\" or \"html\", got '%s'"):format(tostring(format))
    )
  end
  return show.text(self, format)
end

receiver.guard(Report, "a report of f5.diff")

Report.__tostring = function(self) return (show.text(self):gsub("\n$", "")) end

local function list_of(name, value)
  if type(value) == "string" then return { value } end
  if type(value) ~= "table" then
    core.usage_error(
      4, ("f5.diff: '%s' must be a text or an array of texts, not a %s"):format(name, type(value))
    )
  end
  return value
end

local function check(options)
  if options ~= nil and type(options) ~= "table" then
    core.usage_error(3, ("f5.diff: expected a table of options, got a %s"):format(type(options)))
  end
  local out = {}
  for key, value in pairs(options or {}) do
    local want = OPTIONS[key]
    if not want then core.usage_error(3, ("f5.diff: unknown option '%s'"):format(tostring(key))) end
    if want == true then
      out[key] = list_of(key, value)
    elseif type(value) ~= want then
      core.usage_error(3, ("f5.diff: '%s' must be a %s, not a %s"):format(key, want, type(value)))
    else
      out[key] = value
    end
  end
  if out.paths then out.paths = snapshot.paths(out.paths) end
  if out.paths and #out.paths == 0 then out.paths = nil end
  return out
end

-- Which kinds count: only those that a text speaks of.
local function narrow(options, a, b)
  if not a.kinds and not b.kinds then return end
  function options.has_kind(kind)
    return (not a.kinds or a.kinds[kind] or false) and (not b.kinds or b.kinds[kind] or false)
      or a.kinds ~= nil and b.kinds ~= nil and (a.kinds[kind] or b.kinds[kind] or false)
  end
  function options.builtin(path, key)
    local place = path .. "\0" .. key
    return a.builtin and a.builtin[place] or b.builtin and b.builtin[place] or false
  end
end

local function is_session(given) return getmetatable(given) == "session" end

-- What to read of a device: what the options say, or what the other side has.
local function wanted_of(options, other)
  local asked = other and type(other.header.asked) == "table" and other.header.asked or {}
  local paths = options.paths
  if not paths and type(asked.paths) == "table" and #asked.paths > 0 then
    paths = snapshot.paths(asked.paths)
  end
  local partition = options.partition
    or type(asked.partition) == "string" and asked.partition or nil
  return { paths = paths, partition = partition, progress = options.progress }
end

--- Compares two states: see lualib/meta/f5/state.lua.
-- @param a f5.state, session, or the path of a file
-- @param b the same
-- @param options table|nil: paths, partition, ignore, progress
function M.diff(a, b, options)
  options = check(options)
  local first = not is_session(a) and source.state(a) or nil
  local second = not is_session(b) and source.state(b) or nil
  first, second = core.all(
    function() return first or source.state(a, wanted_of(options, second)) end,
    function() return second or source.state(b, wanted_of(options, first)) end
  )
  narrow(options, first, second)
  return setmetatable(difference.states(first, second, options), Report)
end

return M
