-- Hints for errors of Lua itself whose cause is usual in playbooks.
local core = require "f5.core"

local M = {}

local READ_FIRST <const> =
  "a reference is a path, not the value on the device; read it first: reference:load().%s"

local GLOBALS <const> = {
  f5 = 'add: local f5 = require "f5"',
  bip = 'add: local bip <close> = f5.connect { host = "HOST" }; '
    .. "only `f5lua run --inventory` and the console set bip",
  device = "only `f5lua run --inventory` sets device",
}

local function of_method(name)
  return core.reference_methods[name]
    and ("what load, create and others return is a table; call the method on the reference: "
      .. 'bip.ltm.pool["/Common/web"]:%s(…)'):format(name) or nil
end

--- Returns the hint for the message of an error of Lua, or nil.
function M.of(message)
  local global = message:match "attempt to %a+ a nil value %(global '([%a_][%w_]*)'%)$"
  if global then return GLOBALS[global] end
  local method = message:match "attempt to call a nil value %(method '([%a_][%w_]*)'%)$"
  if method then return of_method(method) end
  if message:find "attempt to compare .*f5%.reference" then return READ_FIRST:format "NAME" end
  local field = message:match "a f5%.reference value %(field '([%a_][%w_]*)'%)$"
  if field then return READ_FIRST:format(field) end
  if message:find ":1: unexpected symbol near '<\\127>'$" then
    return "this is a program, not a playbook: start it by its name. It cannot run on a simulated "
      .. "device that f5lua starts; `f5lua inspect` shows what is in it"
  end
end

return M
