-- install of certificates and keys from a file on the device, the usual way to bring one there.
--
--   POST sys/crypto/cert { command = "install", name = "/Common/a.crt", "from-local-file" = PATH }
local errors = require "sim.http.errors"
local names = require "sim.config.names"

local M = {}

local ROOT <const> = "/mgmt/tm/"

local function refuse(message)
  error(errors.tm(400, message, 1), 0)
end

-- The property of a body in either spelling.
local function given(body, dashes, camel)
  local value = body[dashes]
  if value == nil then value = body[camel] end
  return value
end

local function install(kind)
  return function(device, request, _, body)
    local path = given(body, "from-local-file", "fromLocalFile")
    if type(body.name) ~= "string" or body.name == "" then
      refuse "one or more properties must be specified"
    end
    if type(path) ~= "string" or path == "" then
      if given(body, "from-url", "fromUrl") ~= nil or given(body, "from-editor", "fromEditor") then
        error(
          errors.tm(501, "The simulated device installs files with from-local-file only.", 1), 0
        )
      end
      refuse "one or more properties must be specified"
    end
    if not device.disk.find(path) then
      error(
        errors.tm(
          400, ("01070712:3: Failed: file (%s) could not be opened: No such file"):format(path), 3
        ),
        0
      )
    end
    local collection = ROOT .. "sys/file/ssl-" .. kind
    local full = names.absolute(body.name)
    local place = collection .. "/" .. names.segment(full)
    local ctx = { user = request.user, now = device:now(), device = device }
    local content = { sourcePath = "file:" .. path, passphrase = body.passphrase }
    if device.store:get(place) then
      device.store:modify(place, content, ctx)
    else
      content.name = full
      device.store:create(collection, content, ctx)
    end
  end
end

M.commands = {
  { "install", "^sys/crypto/cert$", install "cert" },
  { "install", "^sys/crypto/key$", install "key" },
}

return M
