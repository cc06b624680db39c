-- What the specs of transactions share.
local assert = require "luassert"
local json = require "f5.json"
local lab = require "lab"

local M = {}

--- How many transactions the device waits for.
function M.pending(device)
  local count = 0
  for _, transaction in pairs(device:state().transactions.items) do
    if transaction.state == "STARTED" or transaction.state == "VALIDATING" then
      count = count + 1
    end
  end
  return count
end

--- Everything that a configuration is, as text. Logs are not: they grow with each request.
function M.snapshot(device)
  local state <const> = device:state()
  local disk <const> = {}
  for path, file in pairs(state.disk) do
    if not path:find "^/var/log/" then disk[path] = file end
  end
  return json.encode(
    { state.objects, state.accounts, state.provision, disk },
    { sort = true }
  )
end

--- Ends a session and its device, on which no token and no transaction is left.
function M.stop(bip, device)
  bip:close()
  for _, token in pairs(device:state().tokens.items) do
    assert.is_true(token.expirationMicros < device:now())
  end
  assert.equal(0, M.pending(device))
  lab.stop(device)
end

return M
