-- The JSON codec: what texts become, what is refused, and what is written.
local codec = require "json_codec"
local json = require "f5.json"

local here <const> = codec.here
local message_of <const> = codec.message_of
local same <const> = codec.same
local sorted <const> = codec.sorted

describe("json reads", function()
  it("integers as integers and everything else as floats", function()
    local kinds = {
      ["1"] = "integer",
      ["-0"] = "integer",
      ["9223372036854775807"] = "integer",
      ["-9223372036854775808"] = "integer",
      ["1.0"] = "float",
      ["1e0"] = "float",
      ["9223372036854775808"] = "float",
      ["-9223372036854775809"] = "float",
      ["-0.0"] = "float",
    }
    for text, kind in pairs(kinds) do
      assert.are.equal(kind, math.type(json.decode(text)), text)
    end
    assert.are.equal(math.maxinteger, json.decode "9223372036854775807")
    assert.are.equal(math.mininteger, json.decode "-9223372036854775808")
    assert.are.equal(-math.huge, 1 / json.decode "-0.0")
  end)

  it("floats as tonumber does", function()
    local texts = {
      "0.1",
      "1e23",
      "9007199254740993.5",
      "2.2250738585072012e-308",
      "4.35",
      "5e-325",
      "3e-324",
      "123456789.123456789e-5",
      "1e-22",
      "123456789012345e22",
      "0.1e23",
      "1.00000000000000011102230246251565404236316680908203125",
      "1.00000000000000011102230246251565404236316680908203124",
    }
    for _, text in ipairs(texts) do
      assert.are.equal(tonumber(text), json.decode(text), text)
    end
  end)

  it("null as a value that is equal to cjson's and named null", function()
    assert.are.equal(json.null, json.decode "null")
    assert.are.equal("userdata", type(json.null))
    assert.are.equal("null", tostring(json.null))
    local found, cjson = pcall(require, "cjson")
    if found then assert.are.equal(cjson.null, json.null) end
  end)

  it("arrays and objects apart, also empty ones", function()
    local decoded = json.decode '{"a":[],"o":{},"l":[{},[]]}'
    assert.is_true(json.is_array(decoded.a))
    assert.is_false(json.is_array(decoded.o))
    assert.is_true(json.is_array(decoded.l))
    assert.is_false(json.is_array(decoded.l[1]))
    assert.is_true(json.is_array(decoded.l[2]))
    assert.are.equal('{"a":[],"l":[{},[]],"o":{}}', sorted(decoded))
  end)

  it("containers of every size around its internal batches", function()
    for _, size in ipairs {
      0, 1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257, 1000, 20000,
    } do
      local elements, fields = {}, {}
      for i = 1, size do
        elements[i] = tostring(i)
        fields[i] = ('"k%d":%d'):format(i, i)
      end
      local array = json.decode("[" .. table.concat(elements, ",") .. "]")
      assert.are.equal(size, #array)
      assert.is_true(json.is_array(array))
      for i = 1, size do assert(array[i] == i) end
      local object, count = json.decode("{" .. table.concat(fields, ",") .. "}"), 0
      for key, number in pairs(object) do
        assert(key == "k" .. number)
        count = count + 1
      end
      assert.are.equal(size, count)
    end
  end)

  it("the last of duplicate names, also far apart", function()
    for _, between in ipairs { 0, 1, 62, 63, 64, 65, 200 } do
      local fields = { '"same":1' }
      for i = 1, between do fields[#fields + 1] = ('"k%d":0'):format(i) end
      fields[#fields + 1] = '"same":2'
      assert.are.equal(2, json.decode("{" .. table.concat(fields, ",") .. "}").same)
    end
  end)

  it("512 levels and not one more", function()
    local function nested(levels, open, close) return open:rep(levels) .. close:rep(levels) end
    assert.are.equal(nested(512, "[", "]"), json.encode(json.decode(nested(512, "[", "]"))))
    assert.are.equal(
      "invalid JSON: " .. here(513, "nested too deeply"),
      message_of(json.decode, nested(513, "[", "]"))
    )
    assert.are.equal(
      "invalid JSON: " .. here(513, "nested too deeply"),
      message_of(json.decode, ("["):rep(100000))
    )
    assert.are.equal(
      "invalid JSON: " .. here(2561, "nested too deeply"),
      message_of(json.decode, ('{"a":'):rep(100000))
    )
    assert.are.equal(
      511,
      select(
        2,
        json.encode(json.decode(('{"a":'):rep(511) .. "{}" .. ("}"):rep(511))):gsub('"a"', "")
      )
    )
  end)

  it("no beginning of a text as a whole text", function()
    local text = '{"a":[1,-2.5,"x\\n\\u00e9\\ud83d\\ude00é😀"],"b":{"c":null,"d":true,"e":false}}'
    assert(json.decode(text))
    for length = 0, #text - 1 do
      assert.is_false(pcall(json.decode, text:sub(1, length)), text:sub(1, length))
    end
  end)

  it("no byte between tokens but space, tab, newline and carriage return", function()
    for byte = 0, 255 do
      local char = string.char(byte)
      assert.are.equal(
        (" \t\n\r"):find(char, 1, true) ~= nil,
        (pcall(json.decode, "[true" .. char .. ",2]")),
        ("byte 0x%02x"):format(byte)
      )
    end
  end)

  it("no control character and no lone byte above 0x7f in strings, wherever it stands", function()
    for _, before in ipairs { 0, 1, 7, 8, 14, 15, 16, 17, 31, 32, 33 } do
      for byte = 0, 255 do
        local good = byte >= 0x20 and byte < 0x80 and byte ~= 0x22 and byte ~= 0x5c
        local text = '["' .. ("x"):rep(before) .. string.char(byte) .. ("y"):rep(20) .. '"]'
        assert(pcall(json.decode, text) == good, text)
      end
    end
  end)

  it("no escape but the nine of the standard", function()
    for byte = 0, 255 do
      local char = string.char(byte)
      local good = ('"\\/bfnrt'):find(char, 1, true) ~= nil
      assert(pcall(json.decode, '"\\' .. char .. '"') == good, ("byte 0x%02x"):format(byte))
    end
  end)

  it("every character of Unicode, plain and escaped", function()
    local function escaped(c)
      if c < 0x10000 then return ("\\u%04x"):format(c) end
      return ("\\u%04X\\u%04X"):format(
        0xd800 + ((c - 0x10000) >> 10),
        0xdc00 + ((c - 0x10000) & 0x3ff)
      )
    end
    for plane = 0, 0x10ffff, 0x1000 do
      local plain, escapes = {}, {}
      for c = plane, plane + 0xfff do
        if c >= 0x20 and (c < 0xd800 or c > 0xdfff) and c ~= 0x22 and c ~= 0x5c then
          plain[#plain + 1] = utf8.char(c)
          escapes[#escapes + 1] = escaped(c)
        end
      end
      local all = table.concat(plain)
      assert(json.decode('"' .. all .. '"') == all)
      assert(json.decode('"' .. table.concat(escapes) .. '"') == all)
      assert(json.encode(all) == '"' .. all .. '"')
    end
  end)

  it("inside a coroutine and with the collector at work", function()
    local text = '{"a":[' .. ('{"name":"x\\ny","list":[1,2,3]},'):rep(300) .. "0]}"
    local decoded = coroutine.wrap(function() return json.decode(text) end)()
    assert.are.equal(301, #decoded.a)
    collectgarbage "stop"
    json.decode(text .. (" "):rep(100000))
    assert.is_false(collectgarbage "isrunning")
    collectgarbage "restart"
    json.decode(text .. (" "):rep(100000))
    assert.is_true(collectgarbage "isrunning")
    pcall(json.decode, text .. (" "):rep(100000) .. "x")
    assert.is_true(collectgarbage "isrunning")
  end)

  it("names correctly when a finalizer decodes, too", function()
    local finalized, wrong = 0, 0
    -- An error in a finalizer would be a warning only.
    local function litter()
      setmetatable({}, { __gc = function()
        finalized = finalized + 1
        local text <const> = ('{"f%d":{"name":1}}'):format(finalized)
        local ok <const>, value <const> = pcall(json.decode, text)
        if not ok or value["f" .. finalized].name ~= 1 then wrong = wrong + 1 end
      end })
    end
    collectgarbage("setpause", 100)
    for round = 1, 300 do
      for _ = 1, 5 do litter() end
      local fields = {}
      for i = 1, 50 do fields[i] = ('"n%d_%d":"%d"'):format(round, i, i) end
      local decoded = json.decode("{" .. table.concat(fields, ",") .. "}")
      for i = 1, 50 do
        if decoded[("n%d_%d"):format(round, i)] ~= tostring(i) then wrong = wrong + 1 end
      end
    end
    collectgarbage("setpause", 200)
    collectgarbage()
    assert.is_true(finalized > 0)
    assert.equal(0, wrong)
  end)

  it("only strings", function()
    assert.matches("string expected, got table", message_of(json.decode, {}))
    assert.matches("string expected, got no value", message_of(json.decode))
  end)
end)

describe("json writes", function()
  local array, null = json.array, json.null

  it("plain values", function()
    assert.are.equal("null", json.encode(null))
    assert.are.equal("true", json.encode(true))
    assert.are.equal("false", json.encode(false))
    assert.are.equal('"x"', json.encode "x")
    assert.are.equal("-9223372036854775808", json.encode(math.mininteger))
    assert.are.equal("9223372036854775807", json.encode(math.maxinteger))
    assert.are.equal("1716551470123456", json.encode(1716551470123456))
    assert.are.equal('"10.0.0.1:443"', json.encode("10.0.0.1:" .. json.decode "443"))
  end)

  it("floats that stay floats and read back the same", function()
    local cases = {
      { 1.0, "1.0" }, { -0.0, "-0.0" }, { 0.1, "0.1" }, { 1e15, "1e+15" },
      { 2.0 ^ 53, "9007199254740992.0" }, { 1 / 3, "0.3333333333333333" }, { -2.5, "-2.5" },
    }
    for _, case in ipairs(cases) do
      assert.are.equal(case[2], json.encode(case[1]))
    end
  end)

  it("control characters escaped, and nothing that need not be", function()
    local shorts = {
      ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"',
      ["\\"] = "\\\\",
    }
    for byte = 0, 127 do
      local char = string.char(byte)
      local short = shorts[char]
      local expected = short or byte < 0x20 and ("\\u%04x"):format(byte) or char
      assert.are.equal('"' .. expected .. '"', json.encode(char))
    end
    assert.are.equal('"a/b é 😀"', json.encode "a/b é 😀")
  end)

  it("sequences as arrays, and empty tables as objects unless they are marked", function()
    assert.are.equal("[1,2,3]", json.encode { 1, 2, 3 })
    assert.are.equal("[[1],[2]]", json.encode { { 1 }, { 2 } })
    assert.are.equal("{}", json.encode {})
    assert.are.equal("[]", json.encode(array()))
    assert.are.equal("[]", json.encode(array {}))
    assert.are.equal('{"members":[]}', json.encode { members = array {} })
    assert.are.equal("[1,null,3]", json.encode { 1, null, 3 })
    local reversed = {}
    for i = 100, 1, -1 do reversed[i] = i end
    assert.are.equal(100, #json.decode(json.encode(reversed)))
    local grown = json.decode "[]"
    grown[1] = "x"
    assert.are.equal('["x"]', json.encode(grown))
    local emptied = json.decode "[1]"
    emptied[1] = nil
    assert.are.equal("[]", json.encode(emptied))
  end)

  it("sorted names, with some of them first", function()
    local value_ = {
      zeta = 1, alpha = { y = 1, kind = 2, x = 3 }, name = 3, kind = 4, ["10"] = 5, ["9"] = 6,
      ["é"] = 7, alph = 8,
    }
    value_[""] = 9
    assert.are.equal(
      '{"":9,"10":5,"9":6,"alph":8,"alpha":{"kind":2,"x":3,"y":1},"kind":4,"name":3,"zeta":1,'
        .. '"é":7}',
      sorted(value_)
    )
    assert.are.equal(
      '{"name":3,"kind":4,"":9,"10":5,"9":6,"alph":8,"alpha":{"kind":2,"x":3,"y":1},"zeta":1,'
        .. '"é":7}',
      json.encode(value_, { sort = true, first = { "absent", "name", "kind" } })
    )
    local many = {}
    for i = 1, 1000 do many[("k%04d"):format(i)] = { b = i, a = { d = i, c = i } } end
    local parts = {}
    for i = 1, 1000 do parts[i] = ('"k%04d":{"a":{"c":%d,"d":%d},"b":%d}'):format(i, i, i, i) end
    assert.are.equal("{" .. table.concat(parts, ",") .. "}", sorted(many))
  end)

  it("indented as a person would", function()
    local value_ = { a = {}, b = array {}, c = { 1, { d = "x" } }, e = null }
    assert.are.equal([[
{
  "a": {},
  "b": [],
  "c": [
    1,
    {
      "d": "x"
    }
  ],
  "e": null
}]], json.encode(value_, { sort = true, indent = 2 }))
    assert.are.equal("{}", json.encode({}, { indent = 4 }))
    assert.are.equal("[\n    1\n]", json.encode({ 1 }, { indent = 4 }))
    assert.are.equal("1", json.encode(1, { indent = 4 }))
    assert.is_true(
      same(json.decode(sorted(value_)), json.decode(json.encode(value_, { indent = 3 })))
    )
  end)

  it("errors with the way to the value", function()
    local cycle = { list = { {} } }
    cycle.list[1].back = cycle
    local deep = {}
    for _ = 1, 600 do
      deep = { deep }
    end
    local function write(value_)
      return (message_of(json.encode, value_):gsub("^cannot encode ", ""))
    end
    assert.are.equal("a function", write(print))
    assert.are.equal("nil", write(nil))
    assert.are.equal("a userdata", write(io.stdout))
    assert.are.equal("a thread at t", write { t = coroutine.create(print) })
    assert.are.equal(
      "a function at members[2].port",
      write { members = { { port = 1 }, { port = print } } }
    )
    assert.are.equal("nan (JSON has no such number) at rate", write { rate = 0 / 0 })
    assert.are.equal(
      "infinity (JSON has no such number) at rates[3]",
      write { rates = { 1, 2, math.huge } }
    )
    assert.are.equal("infinity (JSON has no such number)", write(-math.huge))
    assert.are.equal(
      "a string that is not UTF-8 (byte 0xff at position 3) at description",
      write { description = "ab\xff" }
    )
    assert.are.equal("a string that is not UTF-8 (byte 0xed at position 1)", write "\xed\xa0\x80")
    assert.are.equal(
      'a name that is not UTF-8 (byte 0xe9 at position 1) at x["\\xe9tat"]',
      write { x = { ["\xe9tat"] = 1 } }
    )
    assert.are.equal(
      'a function at ["a b"]["é"]["\\x0a"].ok[1]',
      write { ["a b"] = { ["é"] = { ["\n"] = { ok = { print } } } } }
    )
    assert.are.equal("a table that contains itself at list[1].back", write(cycle))
    assert.matches("^tables nested more than 512 levels deep at %[1%]%[1%].*%.%.%.$", write(deep))
    assert.are.equal(
      "an array with holes (2 elements, the last at [4]) at x",
      write { x = { [1] = 1, [4] = 4 } }
    )
    assert.are.equal("an array with holes (1 elements, the last at [2])", write(array { [2] = 1 }))
    assert.are.equal("an array that also has the key 'n'", write { 1, 2, n = 2 })
    assert.are.equal("an array that also has the key 'n'", write(array { n = 2 }))
    assert.are.equal("a table with the key 0 (number)", write { [0] = 1 })
    assert.are.equal("a table with the key 1.5 (number)", write { [1.5] = 1 })
    assert.are.equal(
      "a table with names that also has the key true (boolean)",
      write { [true] = 1 }
    )
  end)

  it("the same table twice when it does not contain itself", function()
    local shared = { 1 }
    assert.are.equal("[[1],[1]]", json.encode { shared, shared })
  end)

  it("nothing with unknown options", function()
    assert.matches(
      "unknown option 'pretty' %(sort, first, indent%)",
      message_of(json.encode, {}, { pretty = true })
    )
    assert.matches("indent must be from 0 to 16", message_of(json.encode, {}, { indent = -1 }))
    assert.matches("first must be a list of names", message_of(json.encode, {}, { first = "kind" }))
    assert.matches("first must be a list of names", message_of(json.encode, {}, { first = { 1 } }))
  end)

  it("array marks a table, in place, and keeps other metatables out", function()
    local plain = {}
    assert.are.equal(plain, array(plain))
    assert.is_true(json.is_array(plain))
    assert.is_false(json.is_array {})
    assert.is_false(json.is_array "x")
    assert.matches("another metatable", message_of(array, setmetatable({}, {})))
    assert.are.equal(plain, array(plain))
  end)
end)

describe("json round trip", function()
  -- F5LUA_SEED repeats a failing run.
  local seed = math.tointeger(os.getenv "F5LUA_SEED") or os.time()
  local state = seed
  local function random(n) -- 1..n; own generator, so that the seed says everything
    state = (state * 6364136223846793005 + 1442695040888963407)
    return (state >> 33) % n + 1
  end

  local alphabet = {
    "a", "B", "7", " ", '"', "\\", "/", "\n", "\0", "\31", "\127", "é", "€", "😀", "\u{10ffff}",
    "xxxxxxxxxxxxxxx",
  }
  local function text()
    local parts = {}
    for i = 1, random(12) - 1 do parts[i] = alphabet[random(#alphabet)] end
    return table.concat(parts)
  end
  local function number()
    local kind = random(5)
    if kind == 1 then return random(2000) - 1000 end
    if kind == 2 then return state ~ (state << 7) end -- any integer
    if kind == 3 then return (random(2000) - 1000) / 8 end
    if kind == 4 then return (random(2000001) - 1000001) * 10.0 ^ (random(600) - 300) end
    local any = string.unpack("d", string.pack("j", state * 2862933555777941757)) -- any float
    return (any ~= any or any == math.huge or any == -math.huge) and 0.5 or any
  end
  local function any(depth)
    local kind = random(depth > 5 and 5 or 8)
    if kind == 1 then return json.null end
    if kind == 2 then return random(2) == 1 end
    if kind == 3 then return number() end
    if kind <= 5 then return text() end
    local made = {}
    if kind == 6 then
      for i = 1, random(6) - 1 do made[i] = any(depth + 1) end
      return json.array(made)
    end
    for _ = 1, random(8) - 1 do made[text()] = any(depth + 1) end
    return made
  end

  it("keeps 5,000 random values whatever the style", function()
    local styles =
      { {}, { sort = true }, { indent = 2 }, { sort = true, indent = 1, first = { "a", "" } } }
    for round = 1, 5000 do
      local before = any(0)
      local written = json.encode(before, styles[round % #styles + 1])
      local after = json.decode(written)
      assert(same(before, after), ("seed %d, round %d: %s"):format(seed, round, written))
      assert(
        sorted(after) == sorted(before),
        ("seed %d, round %d: %s"):format(seed, round, written)
      )
    end
  end)

  it("reads what another encoder writes, and is read by it", function()
    local found, other = pcall(require, "dkjson")
    if not found then return pending "dkjson is not installed" end
    for round = 1, 500 do
      local before = { value = any(0) }
      local theirs = other.encode((other.decode(json.encode(before), 1, other.null)))
      local function blur(value_) -- that encoder shortens floats and forgets what is an array
        if type(value_) == "number" then -- to 14 digits first, as it does: a half may round twice
          return ("%.10g"):format(tonumber(("%.14g"):format(value_)))
        end
        if type(value_) ~= "table" then return value_ end
        local copy = {}
        for key, element in pairs(value_) do copy[key] = blur(element) end
        return copy
      end
      assert.are.same(
        blur(before),
        blur(json.decode(theirs)),
        ("seed %d, round %d"):format(seed, round)
      )
    end
  end)
end)
