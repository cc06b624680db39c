-- Global variables: names that nothing defines, and names of Lua's libraries that do not exist.
local spelling = require "lint.spelling"
local types = require "lint.types"

local M = {}

local STANDARD <const> = {}
for name in
  ([[_G _VERSION _ENV arg assert collectgarbage coroutine debug dofile error getmetatable io ipairs
  load loadfile math next os package pairs pcall print rawequal rawget rawlen rawset require select
  setmetatable string table tonumber tostring type utf8 warn xpcall]]):gmatch "[%w_]+"
do
  STANDARD[name] = true
end

-- What a run on a fleet defines.
local FLEET <const> = { bip = true, device = true, f5 = true }

-- What the runner of specs defines.
local SPEC <const> = {}
for name in
  ([[describe context insulate expose it spec test pending setup teardown lazy_setup lazy_teardown
  strict_setup strict_teardown before_each after_each finally assert spy stub mock
  match randomize file async]]):gmatch "[%w_]+"
do
  SPEC[name] = true
end

--- Whether a playbook is one that `--inventory` runs: it uses `bip`, or returns a function.
function M.is_for_fleet(main, globals)
  if globals.bip and not globals.bip.sets then return true end
  for _, statement in ipairs(main.returns) do
    local value = statement.values[1]
    if value and (value.tag == "Function" or value.var and value.var.kind == "function") then
      return true
    end
  end
  return false
end

-- Whether code can define globals that are not in the text.
local DEFINES <const> = { _G = true, _ENV = true, load = true, dofile = true, loadfile = true }

local function known_names(globals)
  local names = {}
  for name in pairs(STANDARD) do names[#names + 1] = name end
  for name, entry in pairs(globals) do
    if entry.sets then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local VERBS <const> = { called = "calls", indexed = "indexes", read = "reads" }

local function message(name, entry, near)
  if name == "f5" then return "'f5' is not defined; add: local f5 = require \"f5\"" end
  local verb = VERBS[entry.used]
  return ("%s the global variable '%s', which nothing defines%s"):format(
    verb, name, spelling.asked(near)
  )
end

--- Reports the globals of a file that nothing defines.
-- @param globals see lint.walk
-- @param options { file, others (set of globals that the playbook's modules define), open (true:
--   other code may define more) }
function M.check(main, globals, report, options)
  local is_spec = (options.file or ""):find "_spec%.lua$" ~= nil
  local is_open = options.open
  for name in pairs(globals) do is_open = is_open or DEFINES[name] end
  local for_fleet = M.is_for_fleet(main, globals)
  for name, entry in pairs(globals) do
    local known = STANDARD[name] or entry.sets or is_spec and SPEC[name]
      or FLEET[name] and for_fleet or name == "bip" or name == "device"
      or options.others and options.others[name]
    for _, read in ipairs(not known and entry.reads or {}) do
      local near, is_slip = spelling.near(name, known_names(globals))
      if not is_slip or name == "f5" then near = nil end
      local surely = not entry.tested and not is_open
      report(surely and "error" or "warning", "undefined-global", read.node,
        message(name, read, near), name == "f5" and 'local f5 = require "f5"' or near)
    end
    if entry.sets and not is_spec and not FLEET[name] and not STANDARD[name] then
      report("warning", "global-assignment", entry.sets,
        ("sets the global variable '%s'; use local"):format(name))
    end
  end
end

--- Reports a field of a library of Lua that does not exist.
-- @param changed set of libraries to which the playbook adds
function M.check_library(node, library, changed, report)
  local key = node.key.tag == "String" and node.key.value
  local known = types.library(library)
  if not key or known[key] ~= nil or changed[library] then return end
  local names = {}
  for name in pairs(known) do names[#names + 1] = name end
  table.sort(names)
  local near = spelling.near(key, names)
  report("error", "unknown-function", node.key,
    ("Lua has no '%s.%s'%s"):format(library, key, spelling.asked(near)), near)
end

return M
