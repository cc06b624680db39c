-- Random writes on a simulated device, for the property tests of safe change: the same seed makes
-- the same writes. It works in a spec and in a playbook of a process of its own.
--
--   local changes = random_changes.new(seed)
--   changes:prepare(bip)      -- a random state
--   changes:run(bip)          -- 1 to 30 random writes
local M = {}

local Changes = {}
Changes.__index = Changes

function Changes:number(low, high)
  self.state = (self.state * 6364136223846793005 + 1442695040888963407)
  return low + ((self.state >> 33) % (high - low + 1))
end

function Changes:pick(list) return list[self:number(1, #list)] end

function Changes:chance(percent) return self:number(1, 100) <= percent end

function M.new(seed)
  local self = setmetatable({ state = seed * 2654435761 + 12345, log = {} }, Changes)
  for _ = 1, 5 do self:number(1, 2) end
  return self
end

-- -- objects --------------------------------------------------------------------------------------

function Changes:address() return ("10.%d.0.%d"):format(self:number(1, 2), self:number(1, 6)) end

function Changes:member()
  local member = { name = ("%s:%d"):format(self:address(), self:pick { 80, 443 }) }
  if self:chance(40) then member.connectionLimit = self:number(1, 9) end
  if self:chance(30) then member.description = "m" .. self:number(1, 9) end
  if self:chance(20) then member.session = "user-disabled" end
  return member
end

function Changes:members()
  local list, seen = {}, {}
  for _ = 1, self:number(0, 4) do
    local member = self:member()
    if not seen[member.name] then list[#list + 1], seen[member.name] = member, true end
  end
  return list
end

function Changes:records()
  local list, seen = {}, {}
  for _ = 1, self:number(0, 5) do
    local name = "r" .. self:number(1, 9)
    if not seen[name] then
      list[#list + 1], seen[name] =
        { name = name, data = self:chance(50) and "d" .. self:number(1, 9) or nil }, true
    end
  end
  return list
end

local function name(self, kind) return ("/Common/%s%d"):format(kind, self:number(1, 4)) end

-- kind -> function that returns a body. Kinds of which a name says enough come from SIMPLE.
local BODIES <const> = {
  ["ltm/pool"] = function(self)
    return {
      description = self:chance(60) and "p" .. self:number(1, 99) or nil,
      loadBalancingMode = self:pick { "round-robin", "least-connections-member" },
      monitor = self:chance(40) and self:pick { "/Common/http", "/Common/tcp" } or nil,
      members = self:chance(70) and self:members() or nil,
    }
  end,
  ["ltm/node"] = function(self)
    -- other addresses than those of members: two nodes of one address can be made in one order only
    return {
      address = (self:address():gsub("^10%.%d", "10.3")),
      description = self:chance(50) and "n" or nil, ratio = self:number(1, 5),
    }
  end,
  ["ltm/virtual"] = function(self)
    return {
      destination = ("10.9.0.%d:%d"):format(self:number(1, 3), self:pick { 80, 443 }),
      ipProtocol = "tcp", description = self:chance(50) and "v" .. self:number(1, 9) or nil,
      pool = self:chance(60) and name(self, "pool") or nil,
      profiles = self:chance(50) and self:pick { { "/Common/tcp", "/Common/http" },
        { "/Common/tcp" } } or nil,
      rules = self:chance(30) and self:pick { { "/Common/rule1" }, { "/Common/rule2",
        "/Common/rule1" } } or nil,
      disabled = self:chance(20) or nil,
    }
  end,
  ["ltm/rule"] = function(self)
    return { apiAnonymous = ("when HTTP_REQUEST { log local0. \"%d\" }"):format(
      self:number(1, 99)) }
  end,
  ["ltm/data-group/internal"] = function(self)
    return { type = "string", records = self:records(), description = self:chance(30) and "d"
      or nil }
  end,
  ["ltm/monitor/http"] = function(self)
    return { interval = self:number(1, 9), timeout = 31, recv = self:chance(50) and "ok" or nil }
  end,
  ["ltm/profile/http"] = function(self)
    return { insertXforwardedFor = self:pick { "enabled", "disabled" },
      description = self:chance(40) and "h" or nil }
  end,
  ["ltm/snatpool"] = function(self)
    return { members = { "10.8.0." .. self:number(1, 9) } }
  end,
  ["ltm/policy"] = function(self)
    return {
      legacy = true, strategy = "/Common/first-match", requires = { "http" },
      controls = { "forwarding" }, description = self:chance(50) and "y" .. self:number(1, 9)
        or nil,
      rules = self:chance(70) and {
        { name = "r1", ordinal = 0, actions = { { name = "0", forward = true, reset = true } },
          conditions = { { name = "0", httpUri = true, path = true, startsWith = true,
            values = { "/" .. self:number(1, 9) } } } },
      } or nil,
    }
  end,
  ["net/vlan"] = function(self) return { tag = self:number(100, 110) } end,
  ["sys/folder"] = function() return {} end,
  ["gtm/pool/a"] = function(self)
    return { loadBalancingMode = self:pick { "round-robin", "ratio" } }
  end,
  ["security/firewall/address-list"] = function(self)
    return { addresses = { { name = self:address() } } }
  end,
}
local KINDS <const> = {}
for kind in pairs(BODIES) do KINDS[#KINDS + 1] = kind end
table.sort(KINDS)

-- Kinds of the catalogue of which a name, and what tests/support/walk knows, is enough.
local SIMPLE
local function simple_kinds()
  if SIMPLE then return SIMPLE end
  SIMPLE = {}
  local catalogue = require "sim.config.catalogue"
  local every_kind = require "walk.every_kind"
  for _, module in ipairs { "ltm", "gtm", "net" } do
    for _, template in ipairs(catalogue.templates(module)) do
      local node = catalogue.find(template)
      local usable = not template:find "%*" and every_kind.can_be_made(template, node)
        and not every_kind.has_special_names(template) and node.props.description
        and not template:find "^net/ipsec" and not template:find "^ltm/dns%-express"
      local body = usable and every_kind.body(template)
      for _, value in pairs(body or {}) do
        -- what refers to an object that the walk makes
        usable = usable and not tostring(value):find "walk"
      end
      if usable and not BODIES[template] then SIMPLE[#SIMPLE + 1] = template end
    end
  end
  table.sort(SIMPLE)
  return SIMPLE
end

local SHORT <const> = {
  ["ltm/pool"] = "pool", ["ltm/rule"] = "rule", ["ltm/virtual"] = "virtual",
}

function Changes:object(bip)
  local kind
  if self:chance(20) then
    kind = self:pick(simple_kinds())
    return bip:at(kind, ("/Common/s%d"):format(self:number(1, 2))), kind, function()
      local body = require("walk.every_kind").body(kind)
      body.description = self:chance(70) and "s" .. self:number(1, 9) or nil
      return body
    end
  end
  kind = self:chance(60) and self:pick { "ltm/pool", "ltm/virtual", "ltm/data-group/internal" }
    or self:pick(KINDS)
  local word = SHORT[kind] or kind:gsub("[^%a]", "")
  return bip:at(kind, name(self, word)), kind, function() return BODIES[kind](self) end
end

-- -- writes ---------------------------------------------------------------------------------------

local FIXED <const> = { ["ltm/node"] = "address", ["ltm/data-group/internal"] = "type",
  ["ltm/policy"] = "legacy" }

function Changes:body_of_change(kind, make)
  local body = make()
  if FIXED[kind] then body[FIXED[kind]] = nil end
  local out, keys = {}, {}
  for key in pairs(body) do keys[#keys + 1] = key end
  table.sort(keys) -- the same seed makes the same writes
  for _, key in ipairs(keys) do
    if self:chance(60) then out[key] = body[key] end
  end
  if not next(out) then out.description = "c" .. self:number(1, 99) end
  return out
end

function Changes:draft(bip)
  local policy = ("pub%d"):format(self:number(1, 2))
  local draft = bip.ltm.policy["/Common/Drafts/" .. policy]
  local rule = {
    name = "r" .. self:number(1, 2), ordinal = self:number(0, 3),
    actions = { { name = "0", forward = true, reset = true } },
  }
  if bip.ltm.policy["/Common/" .. policy]:exists() then
    bip.ltm.policy["/Common/" .. policy]:modify { createDraft = "yes" }
    draft:ensure { rules = { rule }, description = "d" .. self:number(1, 9) }
  else
    draft:create { strategy = "/Common/first-match", requires = { "http" },
      controls = { "forwarding" }, rules = { rule } }
  end
  bip.ltm.policy:run("publish", { name = "/Common/Drafts/" .. policy })
end

local SINGLETONS <const> = {
  function(bip, number) bip.sys.ntp:modify { servers = { "192.0.2." .. number(1, 9) } } end,
  function(bip, number)
    bip.sys.dns:modify { nameServers = { "192.0.2.1", "192.0.2." .. number(2, 9) } }
  end,
  function(bip, number) bip.sys.db["ui.advisory.text"]:modify { value = "t" .. number(1, 9) } end,
  function(bip, number)
    bip.sys.sshd:modify { banner = "enabled", bannerText = "b" .. number(1, 9) }
  end,
}

function Changes:singleton(bip)
  self:pick(SINGLETONS)(bip, function(...) return self:number(...) end)
end

-- One write, or the writes of one method. What the device refuses is no matter.
function Changes:write(bip, bind)
  local ref, kind, make = self:object(bip)
  ref = bind and bind(ref) or ref
  local what = self:number(1, 100)
  local done, err = pcall(function()
    if what <= 25 then
      ref:create(make())
    elseif what <= 45 then
      ref:modify(self:body_of_change(kind, make))
    elseif what <= 55 then
      ref:delete()
    elseif what <= 70 and not bind then
      ref:ensure(make())
    elseif what <= 85 and not bind then
      local pool = bip.ltm.pool[name(self, "pool")]
      local action = self:number(1, 4)
      if action == 1 then
        pool.members:add(self:member())
      elseif action == 2 then
        pool.members:remove(self:member().name)
      elseif action == 3 then
        pool.members[("/Common/%s:80"):format(self:address())]:modify {
          session = self:pick { "user-disabled", "user-enabled" }, ratio = self:number(1, 9),
        }
      else
        pool.members:set(self:members())
      end
    elseif what <= 89 and not bind then
      bip.ltm["data-group"].internal[name(self, "ltmdatagroupinternal")].records:add {
        name = "r" .. self:number(1, 9), data = "x",
      }
    elseif what <= 92 and not bind then
      self:draft(bip)
    elseif what <= 95 and not bind then
      self:singleton(bip)
    elseif what <= 97 and not bind then
      bip.ltm.pool[name(self, "pool")]:replace { description = "put" }
    else
      ref:modify(self:body_of_change(kind, make))
    end
  end)
  self.log[#self.log + 1] = ("%s %d %s"):format(tostring(ref), what, done and "ok" or tostring(err))
  if not done and type(err) ~= "table" then error(err, 0) end
  if not done and err.kind == "usage" and tostring(err):find "nothing was sent" then
    error(err, 0)
  end
end

function Changes:transaction(bip)
  pcall(function()
    bip:transaction(function(tx)
      for _ = 1, self:number(1, 5) do self:write(bip, tx) end
    end)
  end)
end

--- Puts the state of a device aside as "base", so that all cases begin alike. The simulated device
-- has a singleton in its state only after the first change.
function M.base(device, bip)
  for _, write in ipairs(SINGLETONS) do write(bip, function(low) return low end) end
  device:control("keep", "base")
end

--- Makes a random state on the device's base, and puts it aside as "before".
function M.begin(device, bip, seed)
  device:control("go_back", "base")
  M.new(seed):prepare(bip)
  device:control("keep", "before")
end

--- Makes a random state.
function Changes:prepare(bip)
  for _ = 1, 20 do self:singleton(bip) end
  for _ = 1, self:number(5, 25) do
    if self:chance(20) then
      pcall(self.draft, self, bip)
    else
      local ref, _, make = self:object(bip)
      pcall(ref.create, ref, make())
    end
  end
end

--- Makes 1 to 30 random writes.
function Changes:run(bip)
  for _ = 1, self:number(1, 30) do
    if self:chance(12) then self:transaction(bip) else self:write(bip) end
  end
end

local VOLATILE <const> = {
  generation = true, vsIndex = true, lastModified = true, lastModifiedTime = true,
  creationTime = true,
  _own = true, -- which values were given, and not taken from the parent: REST does not show that
}

local function text_of(path, object)
  if not object then return nil end
  local copy = {}
  for key, value in pairs(object) do
    local monitored = key == "state" and value ~= "user-down"
      and (path:find "/members/" or path:find "/ltm/node/")
    if not VOLATILE[key] and not monitored then copy[key] = value end
  end
  return require("f5.json").encode(copy, { sort = true })
end

--- The objects of a device as texts, by path, without what is not configuration.
function M.objects(device)
  local out = {}
  for path, object in pairs(device:state().objects.items) do out[path] = text_of(path, object) end
  return out
end

--- The objects that are not as in the state that the device keeps under a name: two tables of
-- texts, by path, as they were and as they are.
function M.changed(device, kept)
  local before, after = {}, {}
  for _, one in ipairs(device:control("changed", kept)) do
    before[one.path] = text_of(one.path, one.before)
    after[one.path] = text_of(one.path, one.after)
  end
  return before, after
end

--- What differs, as lines; "" if nothing does.
function M.difference(before, after)
  local lines = {}
  for path, text in pairs(before) do
    if after[path] ~= text then
      lines[#lines + 1] = ("%s\n  was %s\n  is  %s"):format(path, text, after[path] or "missing")
    end
  end
  for path, text in pairs(after) do
    if not before[path] then lines[#lines + 1] = ("%s\n  is  %s"):format(path, text) end
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

--- What is not as in the state that the device keeps under a name, as lines.
function M.since(device, kept) return M.difference(M.changed(device, kept)) end

return M
