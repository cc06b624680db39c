-- Queues commands in a transaction: the steps of a plan, to validate them or to carry them out, and
-- the commands of a transaction that failed, to find the one to blame.

local core = require "f5.core"

local M = {}

local COORDINATION <const> = "X-F5-REST-Coordination-Id" -- header: the transaction of a command
local SLACK <const> = 30 -- seconds for the answer, beside those of the execution

---@class f5.change.command
---@field method string
---@field path string
---@field body string? JSON text
---@field where string the playbook's line

--- Queues commands, and notes them, so that an error of the commit names the one to blame.
-- @param session f5.session of the transaction
-- @param tx f5.transaction
-- @param commands f5.change.command[]
-- @param changes boolean whether they are to be carried out; false: they are only validated
-- @param count integer|nil: how many of them; default: all
-- @return nothing; if the device does not even queue one: its position, and the error
function M.commands(session, tx, commands, changes, count)
  local header = { [COORDINATION] = tostring(tx:id()) }
  local records = core.transaction_parts.parts(tx).records
  for i = 1, count or #commands do
    local command = commands[i]
    local ok, err = pcall(session.request, session, command.method, command.path, {
      body = command.body ~= "" and command.body or nil, headers = header,
      changes = not changes and false or nil,
    })
    if not ok and type(err) == "table" and err.kind == "cancelled" then error(err, 0) end
    if not ok then return i, err end
    records[#records + 1] = {
      method = command.method, path = command.path, body = command.body or "",
      where = command.where, id = i,
    }
  end
end

--- Asks the device whether it would accept what is queued. Nothing changes.
-- @return true; or false and the error
function M.validate(session, tx)
  local parts = core.transaction_parts.parts(tx)
  return pcall(session.request, session, "PATCH", "/mgmt/tm/transaction/" .. tx:id(), {
    body = { state = "VALIDATING", validateOnly = true }, changes = false,
    timeout = parts.execution_timeout + SLACK,
  })
end

return M
