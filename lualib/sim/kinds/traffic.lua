-- What traffic meets on its way: iRules, policies, data groups, address translation.
local addresses = require "sim.kinds.common.addresses"
local certificates = require "sim.files.certificates"
local clock = require "sim.clock"
local json = require "f5.json"
local compatible = require "sim.kinds.common.compatible"
local irule = require "sim.kinds.common.irule"
local names = require "sim.config.names"
local validate = require "sim.config.validate"

local ROOT <const> = "/mgmt/tm/"

local rule <const> = {
  prepare = function(_, object, properties)
    local text <const> = object.apiAnonymous
    if properties.apiAnonymous and text then
      validate.text("apiAnonymous", text)
      local mistake <const> = irule.mistake(text)
      if mistake then
        validate.refuse_mcpd(
          ("01070151:3: Rule [%s] error: %s:%s"):format(object.fullPath, object.fullPath, mistake)
        )
      end
      -- As on a device, the text is kept without the line feeds around it.
      object.apiAnonymous = text:gsub("^%s+", ""):gsub("%s+$", "")
    end
  end,
  changed = function(store, path, object, old, ctx)
    if object.apiAnonymous == old.apiAnonymous then return end
    for _, user in ipairs(store:users(path)) do
      if user:find "^/mgmt/tm/ltm/virtual/[^/]+$" then compatible.check(store, user, ctx) end
    end
  end,
}

-- `check` is no property: it becomes the first line of the text.
local gtm_rule <const> = {
  read = function(_, _, body)
    if body.check == nil then return body end
    if body.check ~= "syntax" then validate.invalid("check", body.check) end
    local fresh <const> = {}
    for name, value in pairs(body) do fresh[name] = value end
    fresh.check = nil
    if fresh.apiAnonymous ~= nil then
      fresh.apiAnonymous = "check syntax\n" .. validate.text("apiAnonymous", fresh.apiAnonymous)
    end
    return fresh
  end,
}

-- By what records are sorted: addresses and numbers by their value; texts stay as they come.
local ORDER <const> = {
  ip = function(name)
    return (name:gsub("%d+", function(digits) return ("%010d"):format(tonumber(digits)) end))
  end,
  integer = tonumber,
}

local data_group <const> = {
  prepare = function(_, object, properties)
    if object.records and properties.records then
      local seen <const>, list <const> = {}, {}
      for _, record in ipairs(object.records) do
        local entry <const> = type(record) == "table" and record or { name = record }
        local name <const> = tostring(entry.name or "")
        if name == "" then validate.nothing_to_do() end
        if object.type == "ip" and not validate.is_address((name:gsub("%%%d+", "")), true) then
          validate.invalid("name", name)
        end
        if object.type == "integer" and not name:find "^%-?%d+$" then
          validate.invalid("name", name)
        end
        local shown = name
        if object.type == "ip" and not name:find "/" then
          shown = name .. (name:find ":" and "/128" or "/32")
        end
        if not seen[shown] then
          list[#list + 1] =
            { name = shown, data = entry.data ~= nil and tostring(entry.data) or "" }
        end
        seen[shown] = true
      end
      local key <const> = ORDER[object.type]
      if key then table.sort(list, function(a, b) return key(a.name) < key(b.name) end) end
      object.records = #list > 0 and json.array(list) or nil
    end
  end,
}

-- Policies are published or drafts; a new one below /Common/Drafts is a draft.
local policy <const> = {
  prepare = function(_, object, properties, old, ctx)
    if not old then
      object.status = object.subPath and object.subPath:find "Drafts$" and "draft"
        or ((object.legacy or properties.status == "legacy") and "legacy" or "published")
    elseif properties.createDraft and properties.createDraft ~= validate.NONE then
      ctx.draft_of = old
    end
    object.legacy, object.createDraft = nil, nil
    object.lastModified = clock.utc(ctx.now or 0)
    if object.strategy then object.strategy = names.absolute(object.strategy) end
  end,
  changed = function(store, path, object, _, ctx)
    if not ctx.draft_of then return end
    -- A draft is a copy below Drafts, rules and all.
    ctx.draft_of = nil
    local draft <const> = {}
    for key, value in pairs(object) do draft[key] = value end
    draft.subPath = object.subPath and object.subPath .. "/Drafts" or "Drafts"
    draft.fullPath = names.full(object.partition, draft.subPath, object.name)
    draft.status, draft.generation = "draft", store:next_generation()
    store:copy_tree( path, ROOT .. "ltm/policy/" .. names.segment(draft.fullPath), draft)
  end,
}

local snatpool <const> = {
  prepare = function(_, object, properties)
    if properties.members and object.members then
      local list <const> = {}
      for i, item in ipairs(object.members) do
        local name <const> = type(item) == "table" and item.name or item
        list[i] = names.absolute(tostring(name), object.partition)
      end
      object.members = json.array(list)
    end
  end,
  before = function(store, _, object, ctx)
    for _, full in ipairs(object.members or {}) do
      if not store:get(ROOT .. "ltm/snat-translation/" .. names.segment(full)) then
        local partition <const>, sub_path <const>, name <const> = names.split(full)
        if not validate.is_address(name) then validate.invalid("members", full) end
        store:create(
          ROOT .. "ltm/snat-translation",
          { name = name, partition = partition, subPath = sub_path, address = name },
          ctx
        )
      end
    end
  end,
}
local snatpool_prepare <const> = snatpool.prepare
snatpool.prepare = function(store, object, properties, old, ctx)
  snatpool_prepare(store, object, properties)
  if old then snatpool.before(store, nil, object, ctx) end
end

local snat_translation <const> = {
  prepare = function(store, object, properties, old, ctx)
    if not old then
      object.address = object.address or object.name
      if not validate.is_address(object.address) then
        validate.invalid("address", object.address)
      end
      addresses.check_domain(store, object.address, ctx)
    end
    if properties.trafficGroup then
      object.inheritedTrafficGroup = properties.inheritedTrafficGroup or "false"
    end
  end,
}

-- Origins are networks: "1.1.1.1" is "1.1.1.1/32".
local snat <const> = {
  prepare = function(store, object, properties, _, ctx)
    if properties.origins and object.origins then
      local list <const> = {}
      for i, item in ipairs(object.origins) do
        local name = tostring(type(item) == "table" and item.name or item)
        if not validate.is_address(name, true) then validate.invalid("origins", name) end
        addresses.check_domain(store, name, ctx)
        if not name:find "/" then name = name .. (name:find ":" and "/128" or "/32") end
        list[i] = { name = name }
      end
      table.sort(list, function(a, b) return a.name < b.name end)
      object.origins = json.array(list)
    end
    if properties.translation and object.translation then
      object.translation = names.absolute(object.translation, object.partition)
    end
  end,
}

local nat <const> = {
  prepare = function(store, object, properties, old, ctx)
    for _, name in ipairs { "originatingAddress", "translationAddress" } do
      if not old and not object[name] then
        validate.refuse(('"%s" must be specified'):format(name))
      end
      if properties[name] and not validate.is_address(object[name]) then
        validate.invalid(name, object[name])
      end
      if properties[name] then addresses.check_domain(store, object[name], ctx) end
    end
    object.unit = object.unit or 1
    if properties.trafficGroup then
      object.inheritedTrafficGroup = properties.inheritedTrafficGroup or "false"
    end
  end,
}

-- A listener answers DNS: without profiles of its own it has these.
local listener <const> = {
  made = function(store, path, object, ctx)
    if ctx.seed or store:count(path .. "/profiles") > 0 then return end
    local inner <const> = setmetatable({ partition = object.partition }, { __index = ctx })
    for _, name in ipairs { "/Common/dns", "/Common/udp_gtm_dns" } do
      store:create(path .. "/profiles", { name = name }, inner)
    end
  end,
}

local lsn_pool <const> = {
  prepare = function(_, object)
    if object.logProfile and not object.logPublisher then
      validate.refuse_mcpd(
        ("01071a8a:3: Configuration of LSN Pool (%s) is incomplete, you cannot use a log profile without a log publisher."):format(
          object.fullPath
        )
      )
    end
  end,
}

-- TLS options are one text in braces, however they were given.
local function settle_options(object, given)
  local words <const> = {}
  for _, text in ipairs(type(given) == "table" and given or { tostring(object.tmOptions) }) do
    for word in tostring(text):gmatch "[^%s{}]+" do words[#words + 1] = word end
  end
  object.tmOptions = (#words == 0 or words[1] == "none") and "none"
    or "{ " .. table.concat(words, " ") .. " }"
end

local tls <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    if target.node.name == "client-ssl" then
      certificates.settle_client(store, object, properties, old)
    end
    if ctx.seed or ctx.factory then return end
    if properties.tmOptions ~= nil then settle_options(object, properties.tmOptions) end
    if properties.cert or properties.key or properties.certKeyChain then
      certificates.check_profile(store, target.node.name, object)
    end
  end,
  show = function(_, _, object, shown, context)
    certificates.show_chain(object, shown, context.version)
  end,
}

return {
  ["ltm/profile/client-ssl"] = tls,
  ["ltm/profile/server-ssl"] = tls,
  ["ltm/snat"] = snat,
  ["ltm/nat"] = nat,
  ["ltm/lsn-pool"] = lsn_pool,
  ["gtm/listener"] = listener,
  ["ltm/rule"] = rule,
  ["gtm/rule"] = gtm_rule,
  ["ltm/data-group/internal"] = data_group,
  ["ltm/policy"] = policy,
  ["ltm/snatpool"] = snatpool,
  ["ltm/snat-translation"] = snat_translation,
}
