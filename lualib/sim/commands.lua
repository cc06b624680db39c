-- tmsh commands that come as a POST with `command`: what they do to the store, and what they answer.
--
-- Features add their own with M.register(template pattern, command, run(device, request, target, body) -> response).
local errors = require "sim.errors"
local names = require "sim.names"

local M = {}

local KNOWN <const> = {
  cp = true, create = false, generate = true, install = true, load = true, modify = false, mv = true, publish = true, reboot = true,
  ["reset-stats"] = true, restart = true, run = true, save = true, ["send-mail"] = true, start = true, stop = true,
  ["check-cert"] = true, ["add-to-trust"] = true, ["remove-from-trust"] = true, ["sync-from"] = true,
}

local registered <const> = {}

function M.known(command)
  return KNOWN[command] == true
end

function M.register(pattern, command, run)
  table.insert(registered, 1, { pattern = pattern, command = command, run = run })
end

-- The answer to a command is its own body with a kind.
function M.answer(device, request, target, body, more)
  local shown <const> = {}
  for name, value in pairs(body) do shown[name] = value end
  shown.kind = target.node.kind:gsub(":[^:]+$", "") .. ":" .. body.command .. "state"
  for name, value in pairs(more or {}) do shown[name] = value end
  shown.selfLink = names.link(target.shown, names.query(request, names.version(device, request)))
  return { status = 200, body = shown }
end

function M.run(device, request, target, body)
  for _, entry in ipairs(registered) do
    if target.template:find(entry.pattern) and (entry.command == "*" or entry.command == body.command) then
      return entry.run(device, request, target, body)
    end
  end
  if not KNOWN[body.command] then
    error(errors.tm(400, ('"%s" is not a command of %s.'):format(body.command, target.template:gsub("/", " ")), 26214401), 0)
  end
  return M.answer(device, request, target, body)
end

return M
