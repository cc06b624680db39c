-- The OData of ASM: $filter, $orderby, $select, $expand, $top, $skip and aggregates over plain
-- tables.
--
-- A filter is parsed to a tree once and compiled to a Lua predicate. Two rules are special to ASM:
--  * A path through an array means "any element". Conditions on the same array that are joined by
--    `and` must hold for the same element (signatureOverrides/id eq 'X' and
--    signatureOverrides/enabled eq false).
--  * `or` joins conditions on one property only.
-- Errors are raised as tables { odata = "message" }; the caller makes the response.

local M = {}

local ORDER <const> = { lt = true, le = true, gt = true, ge = true }
local COMPARE <const> = { eq = true, ne = true, lt = true, le = true, gt = true, ge = true }
local FUNCTIONS <const> =
  { contains = true, startswith = true, endswith = true, substringof = true }
local MAX_DEPTH <const> = 100  -- of parentheses and `not`
local AGGREGATES <const> = { sum = "sum", avg = "avg", average = "avg", max = "max", min = "min" }

local function fail(format, ...)
  error({ odata = string.format(format, ...) }, 0)
end
M.fail = fail

-- -- tokens --

local function tokenize(text)
  local tokens, at = {}, 1
  while true do
    at = text:find("%S", at)
    if not at then break end
    local char = text:sub(at, at)
    if char == "'" then
      local parts, from = {}, at + 1
      while true do
        local quote = text:find("'", from, true)
        if not quote then fail("unterminated string at character %d of the filter", at) end
        parts[#parts + 1] = text:sub(from, quote - 1)
        from = quote + 1
        if text:sub(from, from) ~= "'" then break end
        parts[#parts + 1], from = "'", from + 1
      end
      tokens[#tokens + 1] = { type = "string", value = table.concat(parts), at = at }
      at = from
    elseif char == "(" or char == ")" or char == "," then
      tokens[#tokens + 1] = { type = char, value = char, at = at }
      at = at + 1
    else
      local word = text:match("^[^%s(),']+", at)
      tokens[#tokens + 1] = { type = "word", value = word, lower = word:lower(), at = at }
      at = at + #word
    end
  end
  tokens[#tokens + 1] = { type = "end", value = "end of the filter", at = #text + 1 }
  return tokens
end

-- -- paths and literals --

local function split_path(word)
  local path = {}
  for part in word:gmatch("[^/]+") do path[#path + 1] = part end
  if #path == 0 then fail("'%s' is not the name of a property", word) end
  return path
end
M.split_path = split_path

-- An unquoted word on the value side: a literal of OData, or the text itself (`name eq my-VS`).
local function literal(token)
  if token.type == "string" then return token.value, "string" end
  if token.lower == "true" then return true, "boolean" end
  if token.lower == "false" then return false, "boolean" end
  if token.lower == "null" then return nil, "null" end
  if token.value:find("^[+-]?%d+%.?%d*[eE]?[+-]?%d*$") and tonumber(token.value) then
    return tonumber(token.value), "number"
  end
  return token.value, "string"
end

local function is_path(token)
  return token.type == "word" and token.value:find("^[%a_][%w_%-/.]*$") ~= nil
end

-- -- parser: or < and < not < comparison --

local Parser = {}
Parser.__index = Parser

function Parser:peek() return self.tokens[self.at] end

function Parser:next()
  local token = self.tokens[self.at]
  self.at = self.at + 1
  return token
end

function Parser:expect(type)
  local token = self:next()
  if token.type ~= type then
    fail("expected '%s' at character %d of the filter, not '%s'", type, token.at, token.value)
  end
  return token
end

function Parser:keyword(word)
  local token = self:peek()
  if token.type == "word" and token.lower == word then
    self.at = self.at + 1
    return true
  end
  return false
end

function Parser:chain(word, parse_part)
  local first = parse_part(self)
  if not self:keyword(word) then return first end
  local node = { op = word, first }
  repeat node[#node + 1] = parse_part(self) until not self:keyword(word)
  return node
end

function Parser:expression() return self:chain("or", self.conjunction) end
function Parser:conjunction() return self:chain("and", self.negation) end

function Parser:negation()
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then fail("the filter is nested too deeply") end
  local node = self:keyword("not") and { op = "not", self:negation() } or self:primary()
  self.depth = self.depth - 1
  return node
end

function Parser:call(name)
  self:expect("(")
  local one = self:next()
  self:expect(",")
  local two = self:next()
  self:expect(")")
  -- OData 3 has substringof('part', property), OData 4 contains(property, 'part')
  local property, part = one, two
  if name == "substringof" then
    property, part = two, one
  end
  if not is_path(property) then
    fail("'%s' in %s() is not the name of a property", property.value, name)
  end
  if part.type ~= "string" and part.type ~= "word" then fail("%s() needs a text", name) end
  local node =
    { op = name, path = split_path(property.value), value = tostring(part.value), kind = "string" }
  -- `contains(a, 'b') eq true` is an older form
  local op = self:peek()
  if op.type == "word" and (op.lower == "eq" or op.lower == "ne") then
    self.at = self.at + 1
    local value = literal(self:next())
    if type(value) ~= "boolean" then fail("%s() can be compared with true or false only", name) end
    if value ~= (op.lower == "eq") then return { op = "not", node } end
  end
  return node
end

function Parser:primary()
  local token = self:next()
  if token.type == "(" then
    local node = self:expression()
    self:expect(")")
    return node
  end
  if token.type == "word" and self:peek().type == "(" then
    if not FUNCTIONS[token.lower] then fail("the function '%s' is not supported", token.value) end
    return self:call(token.lower)
  end
  if token.type ~= "word" and token.type ~= "string" then
    fail("unexpected '%s' at character %d of the filter", token.value, token.at)
  end
  local op = self:next()
  if op.type ~= "word" or not COMPARE[op.lower] then
    fail("expected an operator at character %d of the filter, not '%s'", op.at, op.value)
  end
  local right = self:next()
  if right.type ~= "word" and right.type ~= "string" then
    fail("expected a value at character %d of the filter, not '%s'", right.at, right.value)
  end
  if not is_path(token) then fail("'%s' is not the name of a property", token.value) end
  local value, kind = literal(right)
  if kind == "null" and ORDER[op.lower] then fail("null has no order") end
  return { op = op.lower, path = split_path(token.value), value = value, kind = kind }
end

-- -- what a filter names --

local function each_leaf(node, visit)
  if node.path then return visit(node) end
  for _, part in ipairs(node) do each_leaf(part, visit) end
end

--- The properties in a filter, as a set of paths ("name", "signatureOverrides/id").
function M.properties(node)
  local set = {}
  each_leaf(node, function(leaf) set[table.concat(leaf.path, "/")] = leaf.path end)
  return set
end

local function check_or(node)
  if node.op == "or" then
    local names = {}
    for path in pairs(M.properties(node)) do names[#names + 1] = path end
    if #names > 1 then
      table.sort(names)
      fail("'or' joins conditions on one property only, not on %s", table.concat(names, ", "))
    end
  end
  if not node.path then
    for _, part in ipairs(node) do check_or(part) end
  end
end

--- Parses a filter to a tree. options.any_or: `or` may join conditions on several properties.
function M.parse_filter(text, options)
  local parser = setmetatable({ tokens = tokenize(text), at = 1, depth = 0 }, Parser)
  if parser:peek().type == "end" then fail("the filter is empty") end
  local node = parser:expression()
  local rest = parser:peek()
  if rest.type ~= "end" then
    fail("unexpected '%s' at character %d of the filter", rest.value, rest.at)
  end
  if not (options and options.any_or) then check_or(node) end
  return node
end

-- -- evaluation --

local function is_null(value) return value == nil or type(value) == "userdata" end

-- The metatable of JSON arrays tells an empty one from an empty object.
local function is_list(value)
  return type(value) == "table" and (value[1] ~= nil or getmetatable(value) ~= nil)
end

-- Converts a literal to the type of the property; nil if that is impossible.
local function coerce(value, kind, like)
  local wanted = type(like)
  if wanted == kind then return value end
  if wanted == "string" then return tostring(value) end
  if wanted == "number" and kind == "string" then return tonumber(value) end
  if wanted == "boolean" and kind == "string" then
    local lower = value:lower()
    if lower == "true" then return true elseif lower == "false" then return false end
  end
  return nil
end

local TEST = {
  contains = function(have, part) return have:find(part, 1, true) ~= nil end,
  startswith = function(have, part) return have:sub(1, #part) == part end,
  endswith = function(have, part) return part == "" or have:sub(-#part) == part end,
  lt = function(have, want) return have < want end,
  le = function(have, want) return have <= want end,
  gt = function(have, want) return have > want end,
  ge = function(have, want) return have >= want end,
}
TEST.substringof = TEST.contains

local function test(leaf, have)
  if leaf.op == "eq" or leaf.op == "ne" then
    local equal
    if leaf.kind == "null" or is_null(have) then
      equal = leaf.kind == "null" and is_null(have)
    else
      equal = have == coerce(leaf.value, leaf.kind, have)
    end
    return equal == (leaf.op == "eq")
  end
  if is_null(have) or type(have) == "table" or type(have) == "boolean" then return false end
  if FUNCTIONS[leaf.op] then return TEST[leaf.op](tostring(have), leaf.value) end
  local want = coerce(leaf.value, leaf.kind, have)
  return want ~= nil and TEST[leaf.op](have, want)
end

-- Whether any value at the end of the path passes the test. `at`: the part of the path to go on
-- with.
local function any(leaf, value, at)
  if is_list(value) then
    for _, element in ipairs(value) do
      if any(leaf, element, at) then return true end
    end
    return false
  end
  if at > #leaf.path then return test(leaf, value) end
  if type(value) ~= "table" then return any(leaf, nil, #leaf.path + 1) end
  return any(leaf, value[leaf.path[at]], at + 1)
end

-- The first name of all paths below a node, if it is the same. A `not` has none: it is about all
-- elements of an array.
local function root_of(node)
  if node.path then return node.path[1] end
  if node.op == "not" then return nil end
  local root = root_of(node[1])
  for index = 2, #node do
    if root_of(node[index]) ~= root then return nil end
  end
  return root
end

local evaluate

-- Tests the parts of an `and` that go through the same array together, element by element.
local function evaluate_and(node, object, at)
  local groups, done = {}, {}
  for index, part in ipairs(node) do
    local root = at == 1 and root_of(part)
    if root and is_list(object[root]) then
      groups[root] = groups[root] or {}
      table.insert(groups[root], part)
      done[index] = true
    end
  end
  for index, part in ipairs(node) do
    if not done[index] and not evaluate(part, object, at) then return false end
  end
  for root, parts in pairs(groups) do
    local found = false
    for _, element in ipairs(object[root]) do
      local all = true
      for _, part in ipairs(parts) do
        if not evaluate(part, element, 2) then all = false break end
      end
      if all then found = true break end
    end
    if not found then return false end
  end
  return true
end

evaluate = function(node, object, at)
  if node.op == "and" then return evaluate_and(node, object, at) end
  if node.op == "or" then
    for _, part in ipairs(node) do
      if evaluate(part, object, at) then return true end
    end
    return false
  end
  if node.op == "not" then return not evaluate(node[1], object, at) end
  return any(node, object, at)
end

--- The predicate of a tree, a function of objects.
function M.predicate(node)
  return function(object) return evaluate(node, object, 1) end
end

-- -- $orderby --

function M.parse_orderby(text)
  local keys = {}
  for item in (text .. ","):gmatch("([^,]*),") do
    local name, direction = item:match("^%s*(%S+)%s*(%S*)%s*$")
    if
      not name or not (direction == "" or direction:lower() == "asc" or direction:lower() == "desc")
    then
      fail("cannot order by '%s'", item)
    end
    keys[#keys + 1] = { path = split_path(name), descending = direction:lower() == "desc" }
  end
  return keys
end

local function value_at(object, path)
  local value = object
  for _, name in ipairs(path) do
    if type(value) ~= "table" then return nil end
    value = value[name]
  end
  return value
end
M.value_at = value_at

local RANK <const> = { ["nil"] = 0, userdata = 0, boolean = 1, number = 2, string = 3, table = 4 }

-- Compares two values: null first, then by type in a fixed order, so that the order is total.
local function compare(a, b)
  local rank_a, rank_b = RANK[type(a)], RANK[type(b)]
  if rank_a ~= rank_b then return rank_a < rank_b and -1 or 1 end
  if rank_a == 0 or rank_a == 4 or a == b then return 0 end
  if rank_a == 1 then return a and 1 or -1 end
  return a < b and -1 or 1
end

--- A list sorted by keys. Equal elements keep their order.
function M.order(list, keys)
  local entries = {}
  for index, object in ipairs(list) do
    local values = {}
    for position, key in ipairs(keys) do values[position] = value_at(object, key.path) end
    entries[index] = { object = object, index = index, values = values }
  end
  table.sort(entries, function(a, b)
    for position, key in ipairs(keys) do
      local order = compare(a.values[position], b.values[position])
      if order ~= 0 then return (order < 0) ~= key.descending end
    end
    return a.index < b.index
  end)
  local ordered = {}
  for index, entry in ipairs(entries) do ordered[index] = entry.object end
  return ordered
end

-- -- $select, $expand and aggregates --

local function names(text)
  local list = {}
  for item in text:gmatch("[^,]+") do
    local name = item:match("^%s*(.-)%s*$")
    if name ~= "" then list[#list + 1] = name end
  end
  return list
end

--- The names of $expand.
M.parse_expand = names

--- $select: a list of paths, and a list of aggregates ("SUM(score)") if it has some.
function M.parse_select(text)
  local paths, aggregates = {}, {}
  for _, name in ipairs(names(text)) do
    local fn, property = name:match("^(%a+)%s*%(%s*([^()%s]+)%s*%)$")
    if fn then
      if not AGGREGATES[fn:lower()] then fail("the function '%s' is not supported", fn) end
      aggregates[#aggregates + 1] =
        { fn = AGGREGATES[fn:lower()], path = split_path(property), as = name }
    else
      paths[#paths + 1] = split_path(name)
    end
  end
  if #aggregates > 0 and #paths > 0 then
    fail("aggregates and properties cannot be selected together")
  end
  return paths, aggregates
end

--- $apply=aggregate(score with sum as total,score with max as best)
function M.parse_apply(text)
  local inner = text:match("^%s*aggregate%s*(%b())%s*$")
  if not inner then fail("'%s' is not supported in $apply", text) end
  local aggregates = {}
  for _, item in ipairs(names(inner:sub(2, -2))) do
    local property, fn, as =
      item:match("^(%S+)%s+with%s+(%a+)%s+as%s+([%w_]+)$")
    if not property or not AGGREGATES[fn:lower()] then fail("cannot aggregate '%s'", item) end
    aggregates[#aggregates + 1] =
      { fn = AGGREGATES[fn:lower()], path = split_path(property), as = as }
  end
  if #aggregates == 0 then fail("nothing to aggregate") end
  return aggregates
end

local FOLD <const> = {
  sum = function(a, b) return a + b end,
  avg = function(a, b) return a + b end,
  max = function(a, b) return b > a and b or a end,
  min = function(a, b) return b < a and b or a end,
}

--- The values of aggregates. Objects without the property do not count. An aggregate of no objects
--- is left out.
function M.aggregate(list, aggregates)
  local result = {}
  for _, item in ipairs(aggregates) do
    local total, count = nil, 0
    for _, object in ipairs(list) do
      local value = value_at(object, item.path)
      if type(value) == "number" then
        total = total == nil and value or FOLD[item.fn](total, value)
        count = count + 1
      elseif type(value) == "string" and (item.fn == "max" or item.fn == "min") then
        if total ~= nil and type(total) ~= "string" then
          fail("'%s' mixes texts and numbers", item.as)
        end
        total = total == nil and value or FOLD[item.fn](total, value)
      elseif not is_null(value) then
        fail("'%s' is not a number in every item", table.concat(item.path, "/"))
      end
    end
    if total ~= nil and item.fn == "avg" then total = total / count end
    result[item.as] = total
  end
  return result
end

--- A copy of the object with the selected paths, and the names in `always`.
function M.project(object, paths, always)
  local result = {}
  for _, name in ipairs(always or {}) do result[name] = object[name] end
  for _, path in ipairs(paths) do
    local from, to = object, result
    for position, name in ipairs(path) do
      local value = from[name]
      if value == nil then break end
      -- a path through an array selects the whole array
      if position == #path or type(value) ~= "table" or is_list(value) then
        to[name] = value
        break
      end
      if to[name] == nil then to[name] = {} end
      from, to = value, to[name]
    end
  end
  return result
end

local MOST <const> = 1 << 53  -- no list is longer

--- $top and $skip as integers.
function M.parse_count(text, name)
  local value = math.tointeger(tonumber(text))
  if not value or value < 0 then
    fail("%s must be a whole number that is not negative, not '%s'", name, text)
  end
  return math.min(value, MOST)
end

return M
