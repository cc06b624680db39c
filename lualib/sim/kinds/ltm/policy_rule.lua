-- Rules of traffic policies, their conditions and actions.
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, i <const> = property.text, property.number
local RULES <const> = "^(/mgmt/tm/ltm/policy/([^/]+))/rules"

local function set(...)
  local found = {}
  for _, words in ipairs { ... } do
    for word in words:gmatch "%S+" do found[word] = true end
  end
  return found
end

-- Flags of a condition that say what is compared.
local OPERANDS <const> = set(
  "clientSsl cpuUsage geoip httpBasicAuth httpCookie httpHeader httpHost httpMethod",
  "httpReferer httpSetCookie httpStatus httpUri httpUserAgent httpVersion sslCert sslExtension tcp",
  "websocketDirection"
)
-- Flags of an action that say what it acts on, and those that say what it does.
local TARGETS <const> = set(
  "asm avr botDefense cache classify compress decompress defer forward http httpBasicAuth",
  "httpConnect httpCookie httpHeader httpHost httpReferer httpReply httpSetCookie httpUri l7dos",
  "log ltmPolicy pem persist pin requestAdapt responseAdapt serverSsl shutdown tcl tcpNagle wam"
)
local VERBS <const> =
  set "select insert remove replace redirect reset enable disable write setVariable"
-- Flags of newer versions than the one that the catalogue comes from.
local NEWER <const> = {
  actions = set(
    "botDefense clientAccepted classificationDetected connection httpConnect proxyConnect",
    "proxyRequest",
    "proxyResponse serverConnected shutdown sslClientServerhelloSend wsRequest wsResponse"
  ),
  conditions = set(
    "alpn clientAccepted classificationDetected exists npn proxyConnect proxyRequest",
    "proxyResponse serverConnected sslClientServerhelloSend websocketDirection wsRequest",
    "wsResponse"
  ),
}

local function flags(words, more)
  local props = more or {}
  for word in pairs(words) do props[word] = { t = "b" } end
  return props
end

-- The published policy at the head of a path, or nil. Rules of a policy that is planted, or copied
-- as a whole, are not checked.
local function policy_of(store, path)
  local found = path:match(RULES)
  return found and store:get(found)
end

local function refuse_published(store, path, ctx)
  local policy = not (ctx.seed or ctx.factory) and policy_of(store, path)
  if not policy or policy.status ~= "published" then return end
  local folder = policy.subPath and policy.subPath .. "/Drafts" or "Drafts"
  validate.refuse_mcpd(
    ("01071abb:3: Cannot create/modify published policy '%s' directly, try specifying a draft "
      .. "folder like '%s'."):format(
      policy.fullPath,
      names.full(policy.partition, folder, policy.name)
    )
  )
end

local function rule_name(path)
  local segment = path:match "/rules/([^/]+)" or ""
  return (segment:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function refuse_part(store, path, number, what)
  local policy = policy_of(store, path)
  validate.refuse_mcpd(
    ("%s:3: Policy '%s', rule '%s'; %s."):format(
      number,
      policy and policy.fullPath or "",
      rule_name(path),
      what
    )
  )
end

local function names_of(object, known)
  local found = {}
  for name in pairs(known) do
    if object[name] == true then found[#found + 1] = name end
  end
  table.sort(found)
  return found
end

local function refuse_two(found)
  if #found > 1 then
    validate.refuse(('"%s" may not be specified with "%s"'):format(found[1], found[2]))
  end
end

-- The rules of a policy in their order.
local function in_order(store, collection)
  local rules = {}
  for _, segment in ipairs(store:segments(collection)) do
    local path = collection .. "/" .. segment
    rules[#rules + 1] = { path = path, object = store:get(path) }
  end
  table.sort(rules, function(a, b)
    if a.object.ordinal ~= b.object.ordinal then
      return (a.object.ordinal or 0) < (b.object.ordinal or 0)
    end
    return a.path < b.path
  end)
  return rules
end

-- Moves a rule before or after another one; "first" and "last" are the ends. All rules are numbered
-- anew.
local function place(store, collection, object, where, other)
  local own = collection .. "/" .. names.segment(object.fullPath)
  local rules, at = {}, nil
  for _, rule in ipairs(in_order(store, collection)) do
    if rule.path ~= own then rules[#rules + 1] = rule end
  end
  for position, rule in ipairs(rules) do
    if rule.object.name == other then at = where == "before" and position or position + 1 end
  end
  if not at and (other == "first" or other == "last") then
    at = other == "first" and 1 or #rules + 1
  end
  if not at then
    validate.refuse_mcpd(
      ("01020036:3: The requested policy rule (%s) was not found."):format(tostring(other))
    )
  end
  table.insert(rules, at, { object = object })
  for position, rule in ipairs(rules) do
    if rule.object == object then
      object.ordinal = position - 1
    elseif rule.object.ordinal ~= position - 1 then
      local moved = {}
      for key, value in pairs(rule.object) do moved[key] = value end
      moved.ordinal = position - 1
      store:put(rule.path, moved)
    end
  end
end

local function collection_of(target)
  return target.path:match "^(.*/rules)/[^/]+$" or target.path
end

local rule <const> = {
  prepare = function(store, object, properties, _, ctx, target)
    refuse_published(store, target.path, ctx)
    for where, name in pairs { before = "placeBefore", after = "placeAfter" } do
      local other = properties[name]
      object[name] = nil
      if type(other) == "string" then
        place(store, collection_of(target), object, where, other)
      end
    end
  end,
  removing = function(store, path, _, ctx) refuse_published(store, path, ctx) end,
}

local action <const> = {
  prepare = function(store, object, _, _, ctx, target)
    refuse_published(store, target.path, ctx)
    if ctx.seed or ctx.factory then return end
    local found <const> = names_of(object, TARGETS)
    if #found == 0 then refuse_part(store, target.path, "0107186c", "missing or invalid target") end
    refuse_two(found)
    refuse_two(names_of(object, VERBS))
  end,
  removing = function(store, path, _, ctx) refuse_published(store, path, ctx) end,
}

local condition <const> = {
  prepare = function(store, object, _, _, ctx, target)
    refuse_published(store, target.path, ctx)
    if ctx.seed or ctx.factory then return end
    local found <const> = names_of(object, OPERANDS)
    local unnamed = (object.httpCookie or object.httpHeader or object.httpSetCookie)
      and not object.tmName
    if #found == 0 or unnamed then
      refuse_part(store, target.path, "01071706", "missing operand")
    end
    refuse_two(found)
  end,
  removing = function(store, path, _, ctx) refuse_published(store, path, ctx) end,
}

return {
  ["ltm/policy/*/rules"] = {
    facts = {
      noun = "policy rule",
      flat = true,
      free_names = true,
      props = { ordinal = i(0), description = s(), placeBefore = s(), placeAfter = s() },
    },
    checks = rule,
  },
  ["ltm/policy/*/rules/*/actions"] = {
    facts = { noun = "policy action", flat = true, known = true, props = flags(NEWER.actions) },
    relations = {
      { property = "pool", to = { "ltm/pool" } },
      { property = "virtual", to = { "ltm/virtual" } },
    },
    checks = action,
  },
  ["ltm/policy/*/rules/*/conditions"] = {
    facts = {
      noun = "policy condition", flat = true, known = true,
      props = flags(NEWER.conditions, { datagroup = s() }),
    },
    relations = {
      { property = "datagroup", to = { "ltm/data-group/internal", "ltm/data-group/external" } },
    },
    checks = condition,
  },
}
