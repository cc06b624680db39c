-- References between objects, of all kinds of the catalogue, both ways: an object cannot be made
-- with a target that does not exist, a target cannot be deleted while it is used, and can be after
-- its user is gone.
local catalogue = require "sim.config.catalogue"
local every_kind = require "walk.every_kind"
local json = require "f5.json"
local lab = require "lab"
local relations = require "sim.config.relations"
local unchecked = require "walk.unchecked_references"

-- What a target of a kind needs beside its name.
local TARGETS <const> = {
  ["ltm/virtual"] = { destination = "192.0.2.77:80" },
  ["gtm/server"] = { datacenter = "/Common/walk" },
  ["ltm/pool"] = {},
}
-- What goes with a reference, so that a device looks at it.
local WITH <const> = {
  ["ltm/virtual sourceAddressTranslation.pool"] = function(body)
    body.sourceAddressTranslation.type = "snat"
  end,
  ["ltm/lsn-pool logProfile"] = function(body)
    body.logPublisher = "/Common/local-db-publisher"
  end,
  ["ltm/profile/client-ssl cert"] = function(body) body.key = "/Common/default.key" end,
  ["ltm/profile/client-ssl key"] = function(body) body.cert = "/Common/default.crt" end,
  ["ltm/profile/server-ssl cert"] = function(body) body.key = "/Common/default.key" end,
  ["ltm/profile/server-ssl key"] = function(body) body.cert = "/Common/default.crt" end,
  ["ltm/virtual persist"] = function(body) body.profiles = { "/Common/tcp", "/Common/http" } end,
  ["net/route pool"] = function(body) body.blackhole = nil end,
  ["net/route tmInterface"] = function(body) body.blackhole = nil end,
}
-- How a reference is written where it is no plain name.
local WRITTEN <const> = {
  certKeyChain = function(name, relation)
    local entry <const> =
      { name = "c", cert = "/Common/default.crt", key = "/Common/default.key" }
    entry[relation.fields[1]] = name
    return { entry }
  end,
}
-- The names of objects of a kind that take more than a word.
local NAMES <const> = {
  ["ltm/pool/*/members"] = "192.0.2.30:80", ["security/blacklist-publisher/category"] = "proxy",
}
for _, kind in ipairs { "a", "aaaa", "cname", "mx", "naptr", "srv" } do
  NAMES["gtm/wideip/" .. kind] = "user.example.net"
end
-- References that this walk does not try, and why.
local OTHERWISE <const> = {
  ["ltm/persistence/persist-records defaultsFrom"] = "records come from connections",
}

describe("A reference between objects of a simulated device", function()
  local device, bip
  setup(function() device, bip = every_kind.start() end)
  teardown(function() lab.stop(bip, device) end)

  local problems
  local function call(method, path, body)
    local answer <const> = bip:request(method, path, { body = body, raw = true, quiet = true })
    return answer.status, answer.body:find "^{" and json.decode(answer.body) or {}
  end
  local function problem(...) problems[#problems + 1] = string.format(...) end
  local function path_of(collection, name) return collection .. "/" .. name:gsub("/", "~") end

  local function set(body, property, value)
    local group <const>, inner <const> = property:match "^([^.]+)%.(.+)$"
    if not group then body[property] = value else body[group] = { [inner] = value } end
  end

  local function body_with(template, node, relation, value)
    local body <const> = every_kind.body(template)
    for key, needed in pairs(TARGETS[template] or {}) do body[key] = needed end
    body.name = NAMES[template] or "user"
    local spec <const> = node.props[relation.property]
    local is_list <const> = spec and spec.t == "a"
    local written <const> = WRITTEN[relation.property]
    set(
      body,
      relation.property,
      written and written(value, relation) or is_list and { value } or value
    )
    local with <const> = WITH[template .. " " .. relation.property]
    if with then with(body) end
    return body
  end

  local serial = 0
  -- Makes an object that a relation can name; answers its full name and its path.
  local function make_target(relation)
    local template = relation.to[1]
    if template:sub(-2) == "/*" then
      template = template:sub(1, -3) .. "/" .. catalogue.children(template:sub(1, -3))[1]
    end
    local node <const> = catalogue.find(template)
    if node.type ~= "collection" or node.no_create or template:find "%*" then return nil end
    serial = serial + 1
    local body <const> = every_kind.body(template)
    for key, needed in pairs(TARGETS[template] or {}) do body[key] = needed end
    body.name = "target" .. serial .. (template:find "^gtm/wideip/" and ".example.net" or "")
    local status <const>, answer <const> = call("POST", "/mgmt/tm/" .. template, body)
    if status ~= 200 then
      return nil, ("POST %s: %d %s"):format(template, status, answer.message)
    end
    local full <const> = answer.fullPath or answer.name
    return full, path_of("/mgmt/tm/" .. template, full)
  end

  local function try(template, node, path, relation)
    local where <const> = template .. " " .. relation.property
    local status, answer
    for _, missing in ipairs { "missing", not relation.flat and "/Common/missing" or nil } do
      status, answer = call("POST", path, body_with(template, node, relation, missing))
      local message <const> = answer.message or ""
      if
        status == 200
        or not (message:find("missing", 1, true) or message:find "parent not found")
      then
        problem("%s: with a missing target %s: %d %s", where, missing, status, message)
      end
      if status == 200 then call("DELETE", path_of(path, answer.fullPath or answer.name)) end
    end
    local full <const>, target <const> = make_target(relation)
    if not full then return problem("%s: no target: %s", where, tostring(target)) end
    status, answer = call("POST", path, body_with(template, node, relation, full))
    if status ~= 200 then
      problem("%s: not made with a target: %d %s", where, status, answer.message)
      return
    end
    local user <const> = path_of(path, answer.fullPath or answer.name)
    status = call("DELETE", target)
    if relation.free then
      if status ~= 200 then problem("%s: the target stays: %d", where, status) end
      call("DELETE", user)
      return
    end
    if status ~= 400 then problem("%s: a used target is deleted: %d", where, status) end
    status, answer = call("DELETE", user)
    if status ~= 200 then problem("%s: DELETE: %d %s", where, status, answer.message) end
    status, answer = call("DELETE", target)
    if status ~= 200 then
      problem("%s: the target stays: %d %s", where, status, answer.message)
    end
  end

  it("is checked when it is written, and guards its target", function()
    problems = {}
    local tried = 0
    every_kind.walk(function(template, node, path)
      if not every_kind.can_be_made(template, node) then return nil end
      for _, relation in ipairs(relations.of(template)) do
        local known <const> = relation.property and not relation.names
        if known and not OTHERWISE[template .. " " .. relation.property] then
          try(template, node, path, relation)
          tried = tried + 1
        end
      end
      local body <const> = every_kind.body(template)
      body.name = every_kind.name(template)
      local status <const>, answer <const> = call("POST", path, body)
      if status ~= 200 then
        problem("POST %s: %d %s", path, status, answer.message)
        return nil
      end
      return path_of(path, (answer.fullPath or answer.name or answer.id):gsub("%%", "%%25"))
    end)
    assert.equal("", table.concat(problems, "\n"))
    assert.truthy(tried >= 400, tried)
  end)

  -- Whether the last words of a name are those of a kind of object: "clonePool", "pool".
  local function speaks_of_another(name)
    for _, ending in ipairs(unchecked.ENDINGS) do
      local capital <const> = ending:sub(1, 1):upper() .. ending:sub(2)
      if name == ending or name:sub(-#ending) == capital then return true end
    end
    return false
  end

  it("is checked wherever the name of a property speaks of one, or there is a reason", function()
    local missing <const> = {}
    local function look(template, node)
      local checked <const> = {}
      for _, relation in ipairs(relations.of(template)) do
        checked[(relation.property or ""):match "^[^.]*"] = true
      end
      for name, spec in pairs(node.props) do
        local can_name <const> = not spec.r and not spec.choices and ("saxom"):find(spec.t, 1, true)
        if can_name and not checked[name] and speaks_of_another(name) then
          local reason <const> = unchecked[name .. " " .. template] or unchecked[name]
          if not reason then missing[#missing + 1] = template .. " " .. name end
        end
      end
    end
    for _, module in ipairs(catalogue.modules()) do
      for _, template in ipairs(catalogue.templates(module)) do
        local node <const> = catalogue.find(template)
        if node.type == "collection" or node.type == "singleton" then look(template, node) end
      end
    end
    table.sort(missing)
    assert.equal("", table.concat(missing, "\n"))
  end)
end)
