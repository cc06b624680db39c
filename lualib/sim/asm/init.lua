-- Application Security Manager: everything below /mgmt/tm/asm, while ASM is provisioned.
--
-- Its state is device.state.asm: the tree of entities (sim/asm/tree.lua), and counters. A seed adds
-- policies:
--   asm = {
--     policies = {
--       { name = "web", urls = { { name = "/login" } }, suggestions = { { score = 80, … } } },
--     },
--     requests = { … }, subscriptions = { … },
--   }
local json = require "f5.json"
local lazy = require "sim.lazy"
local tables = require "sim.tables"
local cluster = require "sim.cluster.asm"
local content = lazy "sim.asm.content"
local document = lazy "sim.asm.policy.document"
local entity = require "sim.asm.entity"
local policies = lazy "sim.asm.policy"
local rest = lazy "sim.asm.rest"
local suggestions = lazy "sim.asm.suggestions"
local tasks = lazy "sim.asm.tasks"
local tree = lazy "sim.asm.tree"

local M = {}

-- Adds the contents of a new device at the first use: ASM can be provisioned at any time.
local function fill(device)
  local asm = device.state.asm
  if asm.filled or not device:is_provisioned("asm") then return end
  asm.filled = true
  content.plant(device)
end

-- Adds a policy of a seed. It is a document (see policy/document.lua) with what comes from traffic
-- on a real device: suggestions and vulnerabilities.
local function plant_policy(device, seed)
  local source = tables.copy(seed)
  local learned, found, active =
    source.suggestions, source.vulnerabilities, source.active
  source.suggestions, source.vulnerabilities, source.active = nil, nil, nil
  local policy = document.import(
    device,
    source,
    { name = source.name, fullPath = source.fullPath, partition = source.partition }
  )
  suggestions.plant(policy, learned or {})
  local vulnerabilities = policy:child("vulnerabilities")
  for index, one in ipairs(found or {}) do
    local object = tables.copy(vulnerabilities.spec.defaults)
    object.vulnerabilityId = tostring(index)
    for name, value in pairs(one) do object[name] = value end
    vulnerabilities:insert(object)
  end
  if active then policies.apply(policy, nil, document.export(policy)) end
end

local function plant(device, seed)
  local asm = seed.asm
  if not asm then return end
  if not device:is_provisioned("asm") then
    error("seed: asm: the module asm is not provisioned", 0)
  end
  fill(device)
  for index, one in ipairs(asm.policies or {}) do
    local ok, refused = pcall(plant_policy, device, one)
    if not ok then
      local text = type(refused) == "table" and refused.refused or refused
      error(("seed: asm: policies[%d]: %s"):format(index, tostring(text)), 0)
    end
  end
  local requests = tree.top(device):child("events"):child("requests")
  for index, one in ipairs(asm.requests or {}) do
    local object = tables.copy(requests.spec.defaults)
    object.supportId = ("%019d"):format(index)
    for name, value in pairs(one) do object[name] = value end
    requests:insert(object)
  end
  if asm.subscriptions then device.state.asm.subscriptions = json.array(asm.subscriptions) end
end

function M.install(device)
  if not device.state.asm then
    device.state.asm = {
      tree = { data = {}, children = {} }, cookie_seed = entity.hash(device.hostname .. " cookies"),
      subscriptions = json.array {},
    }
  end
  device:on("asm-task-starts", function(self, data) tasks.start(self, data) end)
  device:on("asm-task-ends", function(self, data)
    tasks.finish(self, data)
    cluster.note(self)
  end)
  device:route("/mgmt/tm/asm", function(self, request)
    fill(self)
    local answer = rest.handle(self, request)
    if request.method ~= "GET" and answer.status < 300 then cluster.note(self) end
    return answer
  end)
  device:on_plant(plant)
end

return M
