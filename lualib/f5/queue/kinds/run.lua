-- The kind "run": the playbook of the archive, on one device.

local core = require "f5.core"
local pairing = require "f5.fleet.pair"
local playbook = require "f5.queue.playbook"

local M = {}

--- Unpacks the playbook: field `playbook`.
function M.open(content, row)
  if core.sha256(row.contents) ~= content.archive then
    core.usage_error "its playbook is not the one of its manifest"
  end
  return { playbook = playbook.new(row.contents, content.arguments) }
end

function M.work(job, run, device, bip)
  job.assets = run.playbook.assets
  local function work() return run.playbook:run(bip, device) end
  if run.options.on == "active" then return pairing.on_active(bip, device, work, true) end
  return { result = work() }
end

return M
