-- Answers of extensions for a server of exact bytes (wire.lua), as wire-facts have them.
local json = require "f5.json"
local wire = require "wire"

local M = {}

M.AS3 = "/mgmt/shared/appsvcs"
M.DO = "/mgmt/shared/declarative-onboarding"

M.NOT_REGISTERED = json.encode {
  code = 404,
  message = "URI path /mgmt/shared/appsvcs/info not registered.  Please verify URI is supported "
    .. "and wait for /available suffix to be responsive.",
}

--- For a rule that answers only one request.
M.ONCE = { times = 1 }

--- A rule of the server. `more`: further fields of it.
function M.rule(method, path, status, body, more)
  local one = {
    method = method, path = path,
    bytes = wire.answer(status, type(body) == "table" and json.encode(body) or body),
  }
  for key, value in pairs(more or {}) do one[key] = value end
  return one
end

--- What AS3 says about itself.
function M.info(version)
  return M.rule("GET", M.AS3 .. "/info", "200 OK", {
    version = version or "3.56.0", release = "10", schemaCurrent = "3.56.0",
    schemaMinimum = "3.0.0",
  })
end

--- The paths of the requests of a method, with their queries.
function M.sent(server, method)
  local paths = {}
  for _, line in ipairs(server:seen()) do
    local is, path = line:match "^(%S+) (%S+)"
    if is == method then paths[#paths + 1] = path end
  end
  return paths
end

return M
