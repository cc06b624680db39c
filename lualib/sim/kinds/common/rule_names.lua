-- What iRules name: pools, virtual servers, data groups, VLANs, other rules … They cannot be
-- deleted while a rule names them. That they exist is checked when a virtual server uses the rule,
-- not before.
local irule = require "sim.kinds.common.irule"
local names = require "sim.config.names"
local references = require "sim.config.references"
local validate = require "sim.config.validate"

local M = {}

local ROOT <const> = "/mgmt/tm/"

-- The full name of an object that a rule names: in the rule's own folder, in its partition, or in
-- Common. The first of them that exists, else the first.
local function full_name(store, object, naming)
  if naming.name:find "^/" then return naming.name end
  local own = names.full(object.partition, object.subPath, naming.name)
  for _, full in ipairs {
    own, names.full(object.partition, nil, naming.name), "/Common/" .. naming.name,
  } do
    if references.locate(store, naming.kinds, full) then return full end
  end
  return own
end

-- A relation for the commands of a rule that name objects of some kinds.
local function relation(kinds)
  return {
    to = kinds, later = true,
    names = function(object, store)
      local list = {}
      for _, naming in ipairs(irule.names(object.apiAnonymous or "")) do
        if naming.kinds[1] == kinds[1] then list[#list + 1] = full_name(store, object, naming) end
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
