-- Writes of which nobody knows whether the device carried them out: f5lua was killed, or the
-- connection was lost. What the device has now tells it.

local clean = require "f5.state.clean"
local compare = require "f5.state.compare"
local inverse = require "f5.safe.inverse"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local net_module = require "f5.safe.net"
local target = require "f5.safe.target"
local tree = require "f5.safe.tree"

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

-- Whether an object is as it was before a step.
local function is_as_before(bip, step)
  local whole = step.what == "delete" or step.method == "PUT"
  local raw = tree.read(bip, step.object, whole)
  if not raw or step.before == json.null then return not raw and step.before == json.null end
  local kind = kinds.of_body(raw) or step.kind or ""
  local shape = whole and clean.object or tree.properties
  return #compare.objects(kind, (shape(kind, step.before)), (shape(kind, raw))) == 0
end

-- Whether the object with this key is as it was before a step with an unknown outcome, which may be
-- a commit.
local function is_untouched(bip, steps, open, key)
  for _, step in ipairs(steps) do
    local about = step == open or open.commits and step.transaction
      and tostring(step.transaction) == tostring(open.commits)
    if about and step.device == open.device and step.object and step.before
      and target.key(step.object) == key
    then
      return is_as_before(bip, step) -- the first one
    end
  end
  return false
end

-- The objects that could not be taken back if these were the steps: their keys, and how many. What
-- the steps without `open` are not about any more counts too, unless it is as before that.
local function unexplained(bip, net, before, steps, open)
  local _, left = inverse.of(bip, net, {})
  local keys, count = {}, 0
  local function add(key)
    if not keys[key] then keys[key], count = true, count + 1 end
  end
  for _, one in ipairs(left) do
    if not one.unset then add(target.key(one.path)) end
  end
  for key in pairs(before or {}) do
    local known = net.by_key[key] or net:in_a_list(key)
    if not known and not is_untouched(bip, steps, open, key) then add(key) end
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
    local keys_then, count_then =
      unexplained(bip, net_module.of({ steps = tried }, number), keys, steps, steps[i])
    if count_then < count then steps, keys, count = tried, keys_then, count_then end
  end
  return net_module.of({ steps = steps }, number) -- a look at the device has changed the others
end

return M
