-- The passphrase that seals secrets in plans and change records: F5LUA_PASSPHRASE, or a prompt.

local core = require "f5.core"

local M = {}

local known -- a string or a secret of this process
local asks = true

--- From now on only F5LUA_PASSPHRASE counts: nobody sits at the terminal, and nothing may wait.
function M.never_ask() asks = false end

--- Returns the passphrase, a string or a secret for core.seal; nil if there is none. It asks at
-- most once, and only if `question` is given and there is a terminal.
-- @param question string|nil: "passphrase of the plan x.json"
function M.find(question)
  if known then return known end
  local given = os.getenv "F5LUA_PASSPHRASE"
  if given and given ~= "" then
    known = given
  elseif question and asks then
    local possible, entered = pcall(core.secret_from_terminal, question .. ": ")
    if not possible and type(entered) == "table" and entered.kind == "cancelled" then
      error(entered, 0)
    end
    known = possible and entered or nil
  end
  return known
end

--- The same, but raises an error of kind "usage" if there is none.
function M.need(question)
  local found = M.find(question)
  if found then return found end
  return error(core.error_new {
    kind = "usage",
    message = question .. ": set F5LUA_PASSPHRASE; there is no terminal to ask on",
  }, 0)
end

--- Forgets the passphrase, so that the next call asks again.
function M.forget() known = nil end

return M
