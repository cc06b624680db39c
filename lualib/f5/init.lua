-- The f5 module: the C core, and parts in Lua that are loaded on first use.
local core = require "f5.core"
local json = require "f5.json"
local receiver = require "f5.receiver"

-- f5.connect knows profiles. They are read only if one is named.
local connect <const> = core.connect
function core.connect(options)
  local is_named = type(options) == "table" and options.profile ~= nil
  local has_host = type(options) == "string" or type(options) == "table" and options.host ~= nil
  if is_named or not has_host then options = require("f5.trust.profiles").resolve(options) end
  return connect(options)
end

local f5 = {
  version = core.version,
  connect = core.connect,
  certificate = core.certificate,
  spawn = core.spawn,
  all = core.all,
  sleep = core.sleep,
  json = json,
  null = json.null,
  array = json.array,
}

-- `for pool in bip.ltm.pool:list() do` calls the array.
getmetatable(json.array {}).__call = function()
  core.usage_error(
    "an array is not an iterator; use 'for i, item in ipairs(array)', or 'for item in ref:each()'"
  )
end

--- Calls fn(...) and returns true and its results, or false and the error. It does not catch a
-- cancellation.
function f5.try(fn, ...)
  if type(fn) ~= "function" then
    core.usage_error(("f5.try: expected a function, got a %s"):format(type(fn)))
  end
  local function checked(ok, ...)
    if ok then return true, ... end
    local err = ...
    if type(err) == "table" and err.kind == "cancelled" then error(err, 0) end
    return false, err
  end
  return checked(pcall(fn, ...))
end

-- Check mode (f5/plan/clock.lua) replaces core.sleep. What waits for the world outside of a
-- playbook, a terminal for example, uses this one.
core.real_sleep = core.sleep

-- Methods in Lua: the first call loads the module.
local function lazy(methods, module, name, kind)
  methods[name] = function(...)
    local method = require(module)[name]
    if kind then method = receiver.of_core(kind, name, method) end
    methods[name] = method
    return method(...)
  end
end

-- The writes are methods in C. This completes them.
for _, name in ipairs { "create", "modify", "replace" } do
  local call, write = core.reference_methods[name], nil
  core.reference_methods[name] = receiver.of_core("reference", name, function(ref, body, options)
    write = write or require("f5.change.write").write
    return write(name, call, ref, body, options)
  end)
end

lazy(core.reference_methods, "f5.stats", "stats", "reference")
lazy(core.reference_methods, "f5.ensure", "ensure", "reference")
for _, name in ipairs { "absent", "add", "remove", "set" } do
  lazy(core.reference_methods, "f5.elements", name, "reference")
end
lazy(core.reference_methods, "f5.asm", "modify_all", "reference")
lazy(core.reference_methods, "f5.asm", "delete_all", "reference")
lazy(core.session_methods, "f5.change.transaction", "transaction", "session")
lazy(core.session_methods, "f5.work.task", "task", "session")
lazy(core.session_methods, "f5.work.bash", "bash", "session")
lazy(core.session_methods, "f5.state.snapshot", "snapshot", "session")
lazy(core.session_methods, "f5.work.password", "change_password", "session")
for _, name in ipairs { "ready", "wait_ready", "failover_state" } do
  lazy(core.session_methods, "f5.work.ready", name, "session")
end
for _, name in ipairs { "upload", "download" } do
  lazy(core.session_methods, "f5.work.transfer", name, "session")
end
for _, name in ipairs { "commands", "move", "remove", "state", "validate", "commit" } do
  lazy(core.transaction_methods, "f5.change.transaction", name, "transaction")
end
lazy(core.session_methods, "f5.jobs.certificate", "install_certificate", "session")
lazy(core.session_methods, "f5.jobs.policy", "policy", "session")
lazy(core.session_methods, "f5.jobs.data_group", "data_group", "session")
for _, name in ipairs {
  "declare", "declared", "undeclare", "extensions", "install_package",
} do
  lazy(core.session_methods, "f5.declare", name, "session")
end
for _, name in ipairs { "add_to_trust", "fail_over", "sync" } do
  lazy(core.session_methods, "f5.jobs.ha", name, "session")
end
-- tx.ltm… is an error, not nil.
setmetatable(core.transaction_methods, {
  __index = function(methods, name)
    local names = {}
    for known in next, methods do names[#names + 1] = known end
    local near = core.nearest(tostring(name), names)
    core.usage_error(("a transaction has no '%s'; %s"):format(
      tostring(name),
      near and ("did you mean '%s'?"):format(near)
        or ("bind a reference to it: tx(bip.%s…):modify { … }"):format(tostring(name))
    ))
  end,
})
for _, name in ipairs { "undoable", "guard" } do
  lazy(core.session_methods, "f5.safe", name, "session")
end
lazy(core.session_methods, "f5.plan", "plan", "session")
lazy(core, "f5.safe.recorders", "record")
lazy(f5, "f5.jobs.defer", "defer")
lazy(f5, "f5.stats", "flat")
for _, name in ipairs { "table", "csv", "show" } do lazy(f5, "f5.table", name) end
lazy(f5, "f5.state.diff", "diff")
lazy(f5, "f5.safe", "changes")
lazy(f5, "f5.safe", "undo")
core.flat = f5.flat

-- f5.filter is require "f5.filter", and so on. An unknown name is an error, not nil.
return setmetatable(f5, {
  __index = function(self, name)
    local module = "f5." .. tostring(name)
    local found, part = pcall(require, module)
    if not found then
      if type(part) == "string" and part:find("module '" .. module .. "' not found", 1, true) then
        core.usage_error(("f5 has no '%s'"):format(tostring(name)))
      end
      error(part, 0)
    end
    rawset(self, name, part)
    return part
  end,
})
