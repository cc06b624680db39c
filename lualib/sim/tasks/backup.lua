-- The work of tm/shared/sys/backup: writes an UCS archive, loads it, or removes it.
local errors = require "sim.http.errors"
local texts = require "sim.text"

local M = {}

-- The nine actions: what is done, and with which options of `save` and `load`.
local ACTIONS <const> = {
  BACKUP = { command = "save" },
  BACKUP_WITH_ENCRYPTION = { command = "save", encrypted = true },
  BACKUP_WITH_NO_PRIVATE_KEYS = { command = "save", option = "no-private-key" },
  BACKUP_WITH_NO_PRIVATE_KEYS_WITH_ENCRYPTION = {
    command = "save", option = "no-private-key", encrypted = true,
  },
  RESTORE = { command = "load" },
  RESTORE_WITH_ENCRYPTION = { command = "load", encrypted = true },
  RESTORE_WITH_NO_LICENSE = { command = "load", option = "no-license" },
  RESTORE_WITH_NO_LICENSE_WITH_ENCRYPTION = {
    command = "load", option = "no-license", encrypted = true,
  },
  CLEANUP = {},
}

-- item -> its passphrase. It is neither answered nor saved.
local phrases <const> = setmetatable({}, { __mode = "k" })

local function names()
  local list = {}
  for name in pairs(ACTIONS) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, ", ")
end

--- The item of a POST.
function M.prepare(_, request, body)
  local action = ACTIONS[body.action]
  local reason
  if not action then
    reason = ("action must be one of %s"):format(names())
  elseif type(body.file) ~= "string" or body.file == "" then
    reason = "file must be the name of an archive"
  elseif action.encrypted and (type(body.passphrase) ~= "string" or body.passphrase == "") then
    reason = ("%s needs a passphrase"):format(body.action)
  end
  if reason then error(errors.rest(request, 400, reason), 0) end
  local item = { action = body.action, file = body.file }
  phrases[item] = action.encrypted and body.passphrase or nil
  return item
end

local function dispatch(device, method, path, body)
  local segments = {}
  for segment in path:gmatch "[^/]+" do segments[#segments + 1] = segment end
  return device:dispatch {
    method = method, target = path, path = path, segments = segments, query = {}, query_order = {},
    raw_query = "", headers = {}, body = "", json = body,
    user = { name = "admin", access = { ["all-partitions"] = "admin" } }, remote = "127.0.0.1",
    operation = device.state.operations,
  }
end

--- Does it. Returns whether it worked, and the reason otherwise.
function M.run(device, item)
  local action = ACTIONS[item.action]
  local response
  if action.command then
    local options = {}
    if action.option then options[#options + 1] = { [action.option] = "" } end
    if action.encrypted then options[#options + 1] = { passphrase = phrases[item] } end
    response = dispatch(device, "POST", "/mgmt/tm/sys/ucs", {
      command = action.command, name = item.file, options = options,
    })
  else
    local name = texts.after_slash(item.file)
    if not name:find "%.ucs$" then name = name .. ".ucs" end
    response = dispatch(device, "DELETE", "/mgmt/tm/sys/ucs/" .. name)
  end
  phrases[item] = nil
  local message = type(response.body) == "table" and response.body.message
  return response.status < 300, message or "UCS archive could not be written"
end

return M
