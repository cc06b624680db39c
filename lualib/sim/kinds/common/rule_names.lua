-- What iRules name: pools, virtual servers, data groups, VLANs, other rules … They cannot be
-- deleted while a rule names them. That they exist is checked when a virtual server uses the rule,
-- not before.
local irule = require "sim.kinds.common.irule"
local names = require "sim.config.names"
local references = require "sim.config.references"
local validate = require "sim.config.validate"

local M = {}

local ROOT <const> = "/mgmt/tm/"

-- What a name in a rule can mean: in the rule's own folder, in its partition, or in Common.
local function candidates(object, naming)
  if naming.name:find "^/" then return { naming.name } end
  return {
    names.full(object.partition, object.subPath, naming.name),
    names.full(object.partition, nil, naming.name), "/Common/" .. naming.name,
  }
end

-- The full name of an object that a rule names: the first candidate that exists, else the first.
local function full_name(store, object, naming)
  local list = candidates(object, naming)
  for _, full in ipairs(#list > 1 and list or {}) do
    if references.locate(store, naming.kinds, full) then return full end
  end
  return list[1]
end

-- A relation for the commands of a rule that name objects of some kinds.
local function relation(kinds)
  return {
    to = kinds, later = true,
    names = function(object, store)
      local list = {}
      for _, naming in ipairs(irule.names(object.apiAnonymous or "")) do
        if naming.kinds[1] == kinds[1] then
          if store:is_unsure() then -- a twin that may not ask now notes all that can be meant
            for _, full in ipairs(candidates(object, naming)) do list[#list + 1] = full end
          else
            list[#list + 1] = full_name(store, object, naming)
          end
        end
      end
      return list
    end,
  }
end

--- The relations of iRules.
M.RELATIONS = {}
for i, kinds in ipairs(irule.KINDS) do M.RELATIONS[i] = relation(kinds) end

--- Refuses a rule that names what does not exist, for each rule of a list of full names.
function M.check(store, rules)
  for _, rule in ipairs(rules) do
    local path = ROOT .. "ltm/rule/" .. names.segment(rule)
    local object = store:get(path)
    for _, naming in ipairs(object and irule.names(object.apiAnonymous or "") or {}) do
      if not references.locate(store, naming.kinds, full_name(store, object, naming)) then
        validate.refuse_mcpd(
          ("01070151:3: Rule [%s] error: Unable to find "):format(object.fullPath)
            .. ("%s (%s) referenced at line %d: [%s]"):format(
              naming.word, naming.name, naming.line, naming.text
            )
        )
      end
    end
    -- what it names may be newer than the rule
    if object then store:refer(path, object) end
  end
end

return M
