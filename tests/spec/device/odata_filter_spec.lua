-- OData filters: examples of the guide, and random filters compared with a plain Lua predicate.

local odata = require "sim.asm.odata"

local function matches(text, object, options)
  return odata.predicate(odata.parse_filter(text, options))(object)
end

local function message_of(text, options)
  local ok, err = pcall(odata.parse_filter, text, options)
  assert.is_false(ok)
  return err.odata
end

describe("G28 OData filter", function()
  it("compares", function()
    assert.is_true(matches("name eq my-VS", { name = "my-VS" }))
    assert.is_true(matches("name eq 'my VS'", { name = "my VS" }))
    assert.is_true(matches("name ne 'a'", {}))
    assert.is_true(matches("score gt 50", { score = 51 }))
    assert.is_false(matches("score gt 50", { score = 50 }))
    assert.is_true(matches("score ge 50 and score le 50.0", { score = 50 }))
    assert.is_true(matches("enabled EQ TRUE", { enabled = true }))
    assert.is_false(matches("enabled eq true", { enabled = false }))
    assert.is_true(matches("enabled eq false", { enabled = false }))
    assert.is_true(matches("description eq null", {}))
  end)

  it("keeps quotes inside a text", function()
    assert.is_true(matches("name eq 'log''in'", { name = "log'in" }))
    assert.is_true(matches("contains(name,'''')", { name = "log'in" }))
    assert.is_true(matches("name eq ''", { name = "" }))
  end)

  it("takes a number in the type of the property", function()
    assert.is_true(matches("expiry eq 600", { expiry = "600" }))
    assert.is_true(matches("expiry eq '600'", { expiry = 600 }))
    assert.is_false(matches("expiry gt 'x'", { expiry = 600 }))
  end)

  it("knows the four functions", function()
    local object <const> = { name = "/login.php" }
    assert.is_true(matches("contains(name, 'gin')", object))
    assert.is_true(matches("startswith(name,'/log')", object))
    assert.is_true(matches("endswith(name,'.php')", object))
    assert.is_true(matches("substringof('login', name)", object))
    assert.is_true(matches("substringof('x', name) eq false", object))
    assert.is_false(matches("not contains(name,'gin')", object))
    assert.is_false(matches("contains(name,'.x')", { name = "axx" }))
  end)

  it("groups", function()
    local object <const> = { type = "explicit", staging = true, name = "a" }
    assert.is_true(matches("(name eq a or name eq b) and staging eq true", object))
    assert.is_false(matches("not (name eq a or name eq b) and staging eq true", object))
    assert.is_true(matches("(((name eq 'a')))", object))
  end)

  it("joins with 'or' conditions on one property only", function()
    assert.matches("one property only, not on name, type", message_of("name eq a or type eq b"))
    assert.matches("one property only", message_of("staging eq true and (name eq a or type eq b)"))
    assert.is_true(matches("name eq a or type eq b", { type = "b" }, { any_or = true }))
  end)

  it("looks into objects and into any element of an array", function()
    local object <const> = {
      filter = { accuracyValue = "high" },
      signatureOverrides = { { id = "X", isAllowed = false }, { id = "Y", isAllowed = true } },
      tags = { "a", "b" },
    }
    assert.is_true(matches("filter/accuracyValue eq high", object))
    assert.is_true(matches("signatureOverrides/id eq 'Y'", object))
    assert.is_true(matches("tags eq b", object))
    assert.is_false(matches("tags eq c", object))
    -- Each holds for some element, but not both for the same.
    assert.is_false(
      matches("signatureOverrides/id eq 'X' AND signatureOverrides/isAllowed eq TRUE", object)
    )
    assert.is_true(
      matches("signatureOverrides/id eq 'Y' AND signatureOverrides/isAllowed eq TRUE", object)
    )
  end)

  it("refuses what it cannot read", function()
    assert.matches("empty", message_of(" "))
    assert.matches("unterminated", message_of("name eq 'x"))
    assert.matches("expected an operator", message_of("name"))
    assert.matches("expected a value", message_of("name eq"))
    assert.matches("expected an operator", message_of("name like x"))
    assert.matches("expected '%)'", message_of("(name eq a"))
    assert.matches("unexpected '%)'", message_of("name eq a)"))
    assert.matches("'round' is not supported", message_of("round(score) eq 1"))
    assert.matches("not the name of a property", message_of("'a' eq name"))
    assert.matches("null has no order", message_of("name gt null"))
  end)
end)

describe("G28 OData order, selection and aggregates", function()
  local list <const> = {
    { name = "b", score = 2, x = { y = 1 } },
    { name = "a", score = 3 },
    { name = "c", score = 2 },
    { name = "d" },
  }
  local function joined(objects)
    local text = ""
    for _, object in ipairs(objects) do text = text .. object.name end
    return text
  end

  it("orders by several keys and is stable", function()
    assert.equal("abcd", joined(odata.order(list, odata.parse_orderby("name"))))
    assert.equal("dcba", joined(odata.order(list, odata.parse_orderby("name desc"))))
    assert.equal("abcd", joined(odata.order(list, odata.parse_orderby("score DESC, name asc"))))
    assert.equal("dbca", joined(odata.order(list, odata.parse_orderby("score"))))
    assert.has_error(function() odata.parse_orderby("name up") end)
  end)

  it("selects", function()
    local paths <const> = odata.parse_select("name, x/y")
    assert.same({ name = "b", x = { y = 1 } }, odata.project(list[1], paths))
    assert.same({ name = "a", score = 3 }, odata.project(list[2], paths, { "score" }))
    assert.same({ on = false }, odata.project({ on = false }, odata.parse_select("on,off")))
  end)

  it("aggregates", function()
    local _, select <const> = odata.parse_select("SUM(score),avg(score)")
    assert.same({ ["SUM(score)"] = 7, ["avg(score)"] = 7 / 3 }, odata.aggregate(list, select))
    local apply <const> = odata.parse_apply(
      "aggregate(score with max as best, score with min as least, name with max as last)"
    )
    assert.same({ best = 3, least = 2, last = "d" }, odata.aggregate(list, apply))
    assert.has_error(
      function() odata.aggregate(list, odata.parse_apply("aggregate(name with sum as s)")) end
    )
    assert.has_error(function() odata.parse_select("SUM(score),name") end)
  end)
end)

-- Random filters. A filter is made together with a Lua function that means the same and shares no
-- code with sim.odata.

local NAMES <const> =
  { "", "a", "login", "log'in", "''", "x y", "/a/b.php", "(", "and", "50", "true", "ä" }

local function pick(list) return list[math.random(#list)] end
local function quoted(text) return "'" .. text:gsub("'", "''") .. "'" end

local PROPERTIES <const> = {
  { "name", "text" },
  { "kind", "text" },
  { "score", "number" },
  { "hits", "number" },
  { "staging", "flag" },
  { "on", "flag" },
  { "general/mode", "text" },
  { "general/limit", "number" },
}
local OVERRIDES <const> =
  { { "overrides/id", "text" }, { "overrides/enabled", "flag" }, { "overrides/level", "number" } }

local function random_value(type)
  if type == "text" then return pick(NAMES) end
  if type == "flag" then return math.random() < 0.5 end
  return math.random() < 0.3 and math.random(-20, 20) / 4 or math.random(-5, 5)
end

local function maybe(type) if math.random() < 0.85 then return random_value(type) end end

local function random_object()
  local object = {
    overrides = setmetatable({}, {}),
    general = { mode = maybe("text"), limit = maybe("number") },
  }
  for i = 1, 6 do
    object[PROPERTIES[i][1]] = maybe(PROPERTIES[i][2])
  end
  for i = 1, math.random(0, 3) do
    object.overrides[i] = { id = maybe("text"), enabled = maybe("flag"), level = maybe("number") }
  end
  return object
end

local function getter(path)
  local first <const>, second <const> = path:match("^(%w+)/?(%w*)$")
  if second == "" then return function(object) return object[first] end end
  return function(object) return object[first][second] end
end

local TEXT_TEST <const> = {
  contains = function(have, part)
    for at = 1, #have - #part + 1 do
      if have:sub(at, at + #part - 1) == part then return true end
    end
    return false
  end,
  startswith = function(have, part) return #have >= #part and have:sub(1, #part) == part end,
  endswith = function(have, part) return #have >= #part and have:sub(#have - #part + 1) == part end,
}

-- One condition on a property; get reads it from whatever the path starts at.
local function random_leaf(property, get)
  local path <const>, type <const> = property[1], property[2]
  local roll <const> = math.random()
  if roll < 0.08 then
    if math.random() < 0.5 then
      return path .. " eq null", function(object) return get(object) == nil end
    end
    return path .. " ne null", function(object) return get(object) ~= nil end
  end
  local value <const> = random_value(type)
  if type == "text" and roll < 0.5 then
    local name <const> = pick { "contains", "startswith", "endswith", "substringof" }
    local text <const> = name == "substringof"
        and ("substringof(%s, %s)"):format(quoted(value), path)
      or ("%s(%s,%s)"):format(name, path, quoted(value))
    local holds <const> = TEXT_TEST[name] or TEXT_TEST.contains
    return text, function(object) return get(object) ~= nil and holds(get(object), value) end
  end
  local shown <const> = type == "text" and quoted(value) or tostring(value)
  local op <const> = type == "flag" and pick { "eq", "ne" }
    or pick { "eq", "ne", "lt", "le", "gt", "ge", "EQ", "GT" }
  return path .. " " .. op .. " " .. shown,
    function(object)
      local have <const> = get(object)
      local lower <const> = op:lower()
      if lower == "eq" then return have == value end
      if lower == "ne" then return have ~= value end
      if have == nil then return false end
      if lower == "lt" then
        return have < value
      elseif lower == "le" then
        return have <= value
      end
      if lower == "gt" then return have > value end
      return have >= value
    end
end

local function random_filter(depth)
  local roll <const> = math.random()
  if depth == 0 or roll < 0.3 then
    local property <const> = pick(PROPERTIES)
    return random_leaf(property, getter(property[1]))
  elseif roll < 0.45 then
    local text <const>, holds <const> = random_filter(depth - 1)
    return "not (" .. text .. ")", function(object) return not holds(object) end
  elseif roll < 0.6 then                                  -- `or` on one property
    local property <const> = pick(PROPERTIES)
    local texts, tests = {}, {}
    for i = 1, math.random(2, 4) do texts[i], tests[i] = random_leaf(
      property, getter(property[1])
    ) end
    return "(" .. table.concat(texts, pick { " or ", " OR " }) .. ")", function(object)
      for _, holds in ipairs(tests) do if holds(object) then return true end end
      return false
    end
  -- conditions on the same element of an array
  elseif roll < 0.75 then
    local texts, tests = {}, {}
    for i = 1, math.random(1, 3) do
      local property <const> = pick(OVERRIDES)
      local name <const> = property[1]:match("/(%w+)$")
      texts[i], tests[i] = random_leaf(property, function(element) return element[name] end)
    end
    return "(" .. table.concat(texts, " and ") .. ")", function(object)
      for _, element in ipairs(object.overrides) do
        local all = true
        for _, holds in ipairs(tests) do all = all and holds(element) end
        if all then return true end
      end
      return false
    end
  end
  local texts, tests, array = {}, {}, false
  for i = 1, math.random(2, 3) do
    repeat
      texts[i], tests[i] = random_filter(depth - 1)
      -- Two groups on the same array in one `and` would be one group: that is another meaning.
      local through <const> = texts[i]:find("overrides/", 1, true) ~= nil
    until not (through and array)
    array = array or texts[i]:find("overrides/", 1, true) ~= nil
  end
  return "(" .. table.concat(texts, pick { " and ", " AND ", "  and " }) .. ")", function(object)
    for _, holds in ipairs(tests) do if not holds(object) then return false end end
    return true
  end
end

local function shown(value)
  if type(value) ~= "table" then return ("%q"):format(value) end
  local parts = {}
  for name, member in pairs(value) do parts[#parts + 1] = name .. "=" .. shown(member) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

describe("G28 random filters", function()
  it("mean what the same conditions mean in Lua", function()
    local seed <const> = tonumber(os.getenv("F5LUA_SEED") or "") or os.time()
    print(("odata: seed %d (F5LUA_SEED=%d repeats the run)"):format(seed, seed))
    math.randomseed(seed)
    local objects, hits = {}, 0
    for i = 1, 40 do objects[i] = random_object() end
    for round = 1, 10000 do
      if round % 250 == 0 then objects[math.random(#objects)] = random_object() end
      local text <const>, holds <const> = random_filter(3)
      local ok, tree = pcall(odata.parse_filter, text)
      if not ok then error(("seed %d: %s\n%s"):format(seed, text, tostring(tree.odata or tree))) end
      local matching <const> = odata.predicate(tree)
      for _, object in ipairs(objects) do
        local want <const> = holds(object)
        if want then hits = hits + 1 end
        if matching(object) ~= want then
          error(
            ("seed %d: %s should be %s for %s"):format(seed, text, tostring(want), shown(object))
          )
        end
      end
    end
    -- A generator whose filters nearly always (or never) hold would test nothing.
    assert.is_true(hits > 40000 and hits < 360000, tostring(hits))
  end)
end)
