-- The certificates that the user trusts, one file for each host and port:
-- $XDG_CONFIG_HOME/f5lua/trust/HOST:PORT.pem, which only its owner may read and write. f5.connect
-- reads them in C (runtime/f5/trust/trusted.c).

local core = require "f5.core"
local files = require "f5.trust.files"

local M = {}

local stored <const> = files.of("trust", "the certificate", "trusted certificates")

local function file_of(address) return address:lower() .. ".pem" end

--- The trusted certificate of a host and port.
-- @param address string: "host:port"
-- @return facts of the certificate (f5.core.certificate_facts); nil if there is none; nil and the
--   reason if it does not count
function M.get(address)
  local path <const> = stored:path(file_of(address))
  local pem, why = core.read_private(path)
  if not pem then return nil, why end
  local facts = core.certificate_facts(pem)
  if not facts then return nil, path .. " contains no certificate" end
  facts.address = address:lower()
  return facts
end

--- All trusted certificates, sorted by their addresses.
-- @return array of facts, each with `address`; of { address, reason } if one does not count
function M.list()
  local found = {}
  for _, name in ipairs(stored:list()) do
    local address = name:match "^(.+:%d+)%.pem$"
    if address then
      local facts, reason = M.get(address)
      found[#found + 1] = facts or { address = address, reason = reason or "it was removed" }
    end
  end
  return found
end

--- Trusts a certificate for a host and port; it takes the place of another one.
-- @param pem string
function M.put(address, pem) stored:put(file_of(address), pem) end

--- Trusts no certificate of the host and port any more.
-- @return whether there was one
function M.remove(address) return stored:remove(file_of(address)) end

return M
