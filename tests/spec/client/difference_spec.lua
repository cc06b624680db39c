-- What f5.diff reports is the whole difference: applied to the first side, it gives the second.
local compare = require "f5.state.compare"
local difference = require "f5.state.difference"
local ensure = require "f5.ensure.compare"
local file = require "f5.state.file"
local json = require "f5.json"
local lab = require "lab"
local show = require "f5.state.show"

local random <const> = math.random

local function one_of(list) return list[random(#list)] end

local WORDS <const> = {
  "a", "b", "none", "", "enabled", "disabled", "80", "http", "/Common/x", "x", "10.0.0.1", "ümlaut",
  "two\nlines", "[x].y", "null", "0", "true",
}

-- Names of elements with characters that a path of properties has, too.
local NAMES <const> =
  { "r1", "r 2", "r.3", "r[4]", "r]5", "10.0.0.1:80", "10.0.0.2:443", "r%", "é" }

local function value()
  local kind <const> = random(6)
  if kind == 1 then return random(0, 3) end
  if kind == 2 then return random() < 0.5 end
  if kind == 3 then return { inner = one_of(WORDS), deeper = { number = random(0, 2) } } end
  return one_of(WORDS)
end

local function some(list, make)
  local out <const>, rest = json.array {}, { table.unpack(list) }
  for _ = 1, random(0, #rest) do
    out[#out + 1] = make(table.remove(rest, random(#rest)))
  end
  return out
end

local function element(name)
  local item <const> = { name = name, partition = one_of { "Common", nil } }
  for _ = 1, random(0, 3) do item[one_of { "ratio", "session", "priority" }] = value() end
  if random() < 0.3 then
    item.actions = some({ "0", "1", "2" }, function(n) return { name = n, forward = value() } end)
  end
  return item
end

-- kind -> properties with lists that mean something
local KINDS <const> = {
  ["ltm/pool"] = function(body) body.members = some(NAMES, element) end,
  ["security/firewall/policy"] = function(body) body.rules = some(NAMES, element) end,
  ["ltm/virtual"] = function(body)
    body.rules = some({ "/Common/a", "/Common/b", "/Common/c" }, function(name) return name end)
    body.vlans = some({ "/Common/v", "/Common/w" }, function(name) return name end)
    body[one_of { "enabled", "disabled" }] = true
    body.plain = some({ "1", "2" }, function(word) return { word = word } end)
  end,
  ["ltm/data-group/internal"] = function(body)
    body.records = some(NAMES, function(name) return { name = name, data = one_of { "", "d" } } end)
  end,
  ["net/route-domain"] = function(body)
    body.vlans = some({ "/Common/v", "/Common/w" }, function(name) return name end)
  end,
}

local function object(kind, name)
  local body <const> = { name = name, partition = "Common" }
  for _ = 1, random(0, 5) do
    body[one_of { "description", "monitor", "port", "source", "mask", "options" }] = value()
  end
  KINDS[kind](body)
  return body
end

-- bodies: kind -> name -> body
local function state_of(bodies)
  local sink <const> = file.memory("state")
  sink:begin({ format = 1, device = {}, asked = {} })
  for kind, list in pairs(bodies) do
    sink:open("/mgmt/tm/" .. kind)
    for name, body in pairs(list) do sink:add("/Common/" .. name, json.encode(body)) end
  end
  sink:finish { complete = true }
  return sink.state
end

local function random_bodies()
  local bodies <const> = {}
  for kind in pairs(KINDS) do
    bodies[kind] = {}
    for _, name in ipairs { "one", "two", "three" } do
      if random() < 0.7 then bodies[kind][name] = object(kind, name) end
    end
  end
  return bodies
end

-- -- applying a report ----------------------------------------------------------------------------

local function position(list, name)
  for i, item in ipairs(list) do
    if ensure.name(item) == name then return i end
  end
  return nil
end

local function records_of(text)
  local list <const> = json.array {}
  for line in text:gmatch "[^\n]+" do
    local name <const>, data = line:match "^(.-) := (.*)$"
    list[#list + 1] = { name = name or line, data = data }
  end
  return list
end

local function reorder(list, names)
  local at <const>, items = {}, {}
  for i, item in ipairs(list) do
    for _, name in ipairs(names) do
      if ensure.key(item) == name then
        at[#at + 1] = i
        items[name] = item
      end
    end
  end
  assert.equal(#names, #at)
  for i, name in ipairs(names) do list[at[i]] = items[name] end
end

local function apply_change(body, change)
  local node, keys = body, change.keys
  for i = 1, #keys - 1 do
    local index <const> = json.is_array(node) and position(node, keys[i])
    if node[index or keys[i]] == nil or ensure.is_nothing(node[index or keys[i]]) then
      node[keys[i]] = json.array {}
    end
    node = node[index or keys[i]]
  end
  local last <const>, new = keys[#keys], change.new
  if change.what == "removed" then
    table.remove(node, assert(position(node, last)))
  elseif change.what == "added" then
    local at = #node + 1
    if change.after == "" then
      at = 1
    elseif change.after then
      at = assert(position(node, change.after)) + 1
    end
    table.insert(node, at, new)
  elseif change.what == "order" then
    reorder(node[last], new)
  elseif last == "records" then
    node.records = records_of(new)
  elseif last == "enabled" and type(change.old) == "boolean" and #keys == 1 then
    node.enabled, node.disabled = new or nil, not new or nil
  else
    node[last] = new
  end
end

-- The order of a list is that of the elements that stay; the new ones are put between them.
local RANK <const> = { removed = 1, order = 2, added = 4 }

local function applied(bodies, report)
  for _, entry in ipairs(report.differences) do
    local list <const>, name = bodies[entry.kind], entry.name:match "[^/]+$"
    if entry.what == "added" then
      list[name] = entry.object
    elseif entry.what == "removed" then
      list[name] = nil
    else
      for rank = 1, 4 do
        for _, change in ipairs(entry.changes) do
          if (RANK[change.what] or 3) == rank then apply_change(list[name], change) end
        end
      end
    end
  end
  return bodies
end

local function counts(report)
  local out <const> = { added = 0, removed = 0, changed = 0 }
  for _, entry in ipairs(report.differences) do out[entry.what] = out[entry.what] + 1 end
  return out
end

describe("S2 a difference", function()
  it("leads from any state to any other, also read from its JSON", function()
    local seed <const> = os.time()
    math.randomseed(seed)
    local changed = 0
    for case = 1, lab.slow and 20000 or 400 do
      local a <const>, b = random_bodies(), random_bodies()
      local first <const>, second = state_of(a), state_of(b)
      local report = difference.states(first, second)
      local back <const> = counts(difference.states(second, first))
      local forth <const> = counts(report)
      changed = changed + forth.changed
      local hint <const> = ("seed %d, case %d"):format(seed, case)
      assert.same({ forth.removed, forth.added, forth.changed },
        { back.added, back.removed, back.changed }, hint)
      if case % 2 == 0 then report = json.decode(show.text(report, "json")) end
      local left <const> = difference.states(state_of(applied(a, report)), second)
      assert.equal(0, #left.differences, hint .. "\n" .. show.text(left))
      assert.equal(0, #difference.states(first, first).differences, hint)
    end
    assert.is_true(changed > 1000, tostring(changed))
  end)

  it("has each single change", function()
    local function data(word) return json.array { { name = "k", data = word }, { name = "z" } } end
    local function rules(...)
      local list <const> = json.array {}
      for i, name in ipairs { ... } do list[i] = { name = name, deep = { er = { word = "a" } } } end
      return list
    end
    local other <const> = rules("a", "b", "c")
    other[2].deep.er.word = "b"
    for _, case in ipairs {
      { "ltm/pool", "monitor", "a", "b", "monitor" },
      { "ltm/pool", "monitor", nil, "b", "monitor" },
      { "ltm/pool", "ports", 1, 2, "ports" },
      { "ltm/pool", "flag", true, false, "flag" },
      { "ltm/pool", "fqdn", { a = { b = "x" } }, { a = { b = "y" } }, "fqdn.a.b" },
      { "ltm/pool", "fqdn", { a = "x" }, { a = "x", b = "y" }, "fqdn.b" },
      { "ltm/pool", "members", rules("a", "b", "c"), other, "members[b].deep.er.word" },
      { "ltm/pool", "members", rules("a", "b"), rules("a"), "members[b]" },
      { "ltm/pool", "members", rules("a"), rules("a", "b"), "members[b]" },
      { "security/firewall/policy", "rules", rules("a", "b"), rules("b", "a"), "rules" },
      { "ltm/data-group/internal", "records", data "x", data "y", "records" },
      { "ltm/data-group/internal", "records", data "x", json.array {}, "records" },
      { "net/route-domain", "vlans", json.array { "a", "b" }, json.array { "a" }, "vlans" },
      { "net/route-domain", "vlans", json.array { "a" }, json.array { "a", "b" }, "vlans" },
      { "ltm/virtual", "rules", json.array { "a", "b" }, json.array { "b", "a" }, "rules" },
      { "ltm/virtual", "parts", json.array { { x = 1 }, { x = 2 } }, json.array { { x = 1 } },
        "parts" },
      { "ltm/rule", "apiAnonymous", "a\nb", "a\nc", "apiAnonymous" },
    } do
      local function with(new)
        local body <const> = { name = "o", partition = "Common", [case[2]] = new }
        return state_of { [case[1]] = { o = body } }
      end
      local found <const> = difference.states(with(case[3]), with(case[4])).differences
      assert.equal(1, #found, case[5])
      assert.equal(1, #found[1].changes, case[5])
      assert.equal(case[5], found[1].changes[1].property)
    end
  end)

  it("says where a new element stands if the order counts", function()
    local function rules(...)
      local list <const> = json.array {}
      for i, name in ipairs { ... } do list[i] = { name = name } end
      return { ["security/firewall/policy"] = { p = { name = "p", partition = "Common",
        rules = list } } }
    end
    local before <const>, after <const> = rules("a", "b"), rules("x", "a", "y")
    local text <const> = show.text(difference.states(state_of(before), state_of(after)))
    assert.matches("\n      %+ rules%[x%]  %(first%)\n", text)
    assert.matches("\n      %+ rules%[y%]  %(after a%)\n", text)
    assert.matches("\n      %- rules%[b%]\n", text)
  end)

  it("lists each property once that one side does not contain, changed or not", function()
    local changes <const>, hidden <const> = compare.objects("ltm/monitor/http",
      { password = "a", passphrase = "same", interval = 5 },
      { password = "b", passphrase = "same", interval = 6 },
      { left = { password = "one", passphrase = "two", secret = "three" } })
    assert.equal(1, #changes)
    assert.equal("interval", changes[1].property)
    assert.same({
      { property = "passphrase", reason = "two" }, { property = "password", reason = "one" },
      { property = "secret", reason = "three" },
    }, hidden)
  end)
end)
