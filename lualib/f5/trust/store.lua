-- The certificates that the user trusts, one file for each host and port:
-- $XDG_CONFIG_HOME/f5lua/trust/HOST:PORT.pem, which only its owner may read and write. f5.connect
-- reads them in C (runtime/f5/trust/trusted.c).

local core = require "f5.core"

local M = {}

local function fail(format, ...)
  error(core.error_new { kind = "usage", message = format:format(...) }, 0)
end

--- The directory of the certificates. Raises if there is no home directory.
function M.directory()
  local config = core.config_directory()
    or fail "there is no place for trusted certificates: neither XDG_CONFIG_HOME nor HOME is set"
  return config .. "/trust"
end

local function path_of(address) return ("%s/%s.pem"):format(M.directory(), address:lower()) end

--- The trusted certificate of a host and port.
-- @param address string: "host:port"
-- @return facts of the certificate (f5.core.certificate_facts); nil if there is none; nil and the
--   reason if it does not count
function M.get(address)
  local pem, why = core.read_private(path_of(address))
  if not pem then return nil, why end
  local facts = core.certificate_facts(pem)
  if not facts then return nil, path_of(address) .. " contains no certificate" end
  facts.address = address:lower()
  return facts
end

--- All trusted certificates, sorted by their addresses.
-- @return array of facts, each with `address`; of { address, reason } if one does not count
function M.list()
  local names, why = core.list_directory(M.directory())
  if not names then fail("cannot read the trusted certificates: %s", why) end
  local found = {}
  for _, name in ipairs(names) do
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
function M.put(address, pem)
  local directory <const> = M.directory()
  local made, why = core.make_directory(directory)
  if made then made, why = core.check_private(directory) end
  if made then made, why = core.write_file(path_of(address), pem) end
  if not made then fail("cannot store the certificate: %s", why) end
end

--- Trusts no certificate of the host and port any more.
-- @return whether there was one
function M.remove(address)
  local path <const> = path_of(address)
  local removed, why, code = os.remove(path)
  local ENOENT <const> = 2
  if not removed and code ~= ENOENT then fail("cannot remove the certificate: %s", why) end
  core.sync_directory(M.directory())
  return removed ~= nil
end

return M
