-- tmsh commands over REST: a POST of { command = "save", … } to a component.
--
-- A module of this folder lists what a command does to a component, by a pattern of the path below
-- /mgmt/tm ("sys/ucs", "^util/"):
--   M.commands = {
--     { "save", "^sys/ucs$", function(device, request, target, body) return more end },
--   }
-- The function returns properties for the response, a whole response (a table with a status), or
-- nil. It raises refusals.
local errors = require "sim.http.errors"

local M = {}

-- The commands that iControl REST knows.
local KNOWN <const> = {
  cp = true,
  generate = true,
  install = true,
  load = true,
  mv = true,
  publish = true,
  reboot = true,
  restart = true,
  ["reset-stats"] = true,
  run = true,
  save = true,
  ["send-mail"] = true,
  start = true,
  stop = true,
}

-- The modules that have commands. Where two patterns match, the later one counts.
local MODULES <const> = {
  "sim.commands.configuration",
  "sim.commands.system",
  "sim.commands.network",
  "sim.commands.utilities",
  "sim.commands.software",
  "sim.commands.crypto",
  "sim.commands.script",
  "sim.commands.modules",
}

-- command -> list of { pattern =, run = }. It is made at the first use, because the modules require
-- this one.
local definitions

local function load()
  definitions = {}
  for _, module in ipairs(MODULES) do
    for _, entry in ipairs(require(module).commands) do
      local command, pattern, run = table.unpack(entry)
      definitions[command] = definitions[command] or {}
      table.insert(definitions[command], { pattern = pattern, run = run })
    end
  end
end

function M.known(name)
  return KNOWN[name] == true
end

-- The function for a command of a component such as "sys/ucs"; nil if there is none.
function M.find(command, template)
  if not definitions then load() end
  local list = definitions[command] or {}
  for i = #list, 1, -1 do
    if template:find(list[i].pattern) then return list[i].run end
  end
  return nil
end

-- Runs the command in a body. `target` has at least `template`, such as "sys/ucs".
function M.run(device, request, target, body)
  local command, template = body.command, target.template
  local run = KNOWN[command] and M.find(command, template)
  local refusal = run and device.twin and device.twin:command(request, command, template)
  if refusal then return refusal end
  if not run and device.twin then -- the device may know more commands than f5lua
    return device.twin:not_simulated(request, ("the command %s of %s"):format(
      tostring(command), template
    ))
  end
  if not run then
    return errors.tm(
      501,
      ("The command (%s) is not supported by the component /%s."):format(
        tostring(command),
        template
      ),
      1
    )
  end
  local result = run(device, request, target, body)
  if result and result.status then return result end
  local answer = { kind = ("tm:%s:%sstate"):format(template:gsub("/", ":"), command) }
  for key, value in pairs(body) do answer[key] = value end
  for key, value in pairs(result or {}) do answer[key] = value end
  return { status = 200, body = answer }
end

-- Serves the commands of a component, also if it is not a collection of the configuration. All
-- other requests are passed on.
function M.serve(device, template)
  device:route("/mgmt/tm/" .. template, function(self, request)
    local body = request.json
    local is_here = #request.segments == request.depth
    if is_here and request.method == "POST" and type(body) == "table" and KNOWN[body.command] then
      return M.run(
        self,
        request,
        { template = template, path = "/mgmt/tm/" .. template, what = "command" },
        body
      )
    end
    return self:pass(request)
  end)
end

return M
