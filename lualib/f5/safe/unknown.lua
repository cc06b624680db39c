-- Writes of which nobody knows whether the device carried them out: f5lua was killed, or the
-- connection was lost. What the device has now tells it.

local inverse = require "f5.safe.inverse"
local net_module = require "f5.safe.net"
local target = require "f5.safe.target"

local M = {}

-- The steps with an unknown outcome. That of a queued step is the outcome of its transaction.
local function open_steps(steps, number)
  local list = {}
  for i, step in ipairs(steps) do
    local open = step.state ~= "done" and step.state ~= "failed" and not step.transaction
    if open and step.device == number then list[#list + 1] = i end
  end
  return list
end

-- The objects that could not be taken back if these were the steps: their keys, and how many. An
-- object that the steps are not about any more counts too: they do not explain how it is.
local function unexplained(bip, net, before)
  local _, left = inverse.of(bip, net, {})
  local keys, count = {}, 0
  local function add(key)
    if not keys[key] then keys[key], count = true, count + 1 end
  end
  for _, one in ipairs(left) do add(target.key(one.path)) end
  for key in pairs(before or {}) do
    if not net.by_key[key] and not net:in_a_list(key) then add(key) end
  end
  return keys, count
end

--- What the steps of a record changed on a device. If the device is not as it would be after all
-- writes with an unknown outcome, those are left out that it has not carried out.
-- @param steps f5.safe.step[]
-- @param number integer: the device's number in the record
-- @return f5.safe.net, lost: as those of f5.safe.net.of
function M.net(bip, steps, number)
  local net, lost = net_module.of({ steps = steps }, number)
  local open = open_steps(steps, number)
  if #open == 0 then return net, lost end
  local keys, count = unexplained(bip, net)
  for n = #open, 1, -1 do
    if count == 0 then break end
    local i = open[n]
    local tried = table.move(steps, 1, #steps, 1, {})
    tried[i] = setmetatable({ state = "failed" }, { __index = steps[i] })
    local keys_then, count_then = unexplained(bip, net_module.of({ steps = tried }, number), keys)
    if count_then < count then steps, keys, count = tried, keys_then, count_then end
  end
  return net_module.of({ steps = steps }, number) -- a look at the device has changed the others
end

return M
