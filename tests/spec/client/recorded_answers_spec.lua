-- What real devices answered, seen through a session: errors get the right kind, collections can be
-- iterated, statistics read flat. The bodies lie beside the project and not in it; without them
-- there is nothing to check.
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

local folder <const> = "../shared/data/recorded"

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

local function names_like(pattern)
  local names = {}
  local pipe = assert(io.popen("ls " .. folder .. " 2>/dev/null"))
  for name in pipe:lines() do
    if name:find(pattern) then names[#names + 1] = name end
  end
  pipe:close()
  return names
end

-- By the first words of the file's name.
local KINDS <const> = {
  { "^error%-400", "invalid" },
  { "^error%-401", "auth" },
  { "^error%-404%-%-public%-uri", "not_ready" },
  { "^error%-404%-%-uri%-path", "not_ready" },
  { "^error%-404%-%-%.json", "not_ready" },
  { "^error%-404", "not_found" },
  { "^error%-409", "conflict" },
  { "^error%-500", "protocol" },
}

describe("recorded bodies", function()
  local device, bip

  setup(function()
    if #names_like "%.json$" == 0 then return end
    device = sim.start {}
    local options = device:options "admin"
    options.retries = 0
    bip = f5.connect(options)
  end)
  teardown(function()
    if not device then return end
    lab.stop(bip, device)
  end)

  it("of errors get the right kind", function()
    local names = names_like "^error%-"
    if #names == 0 then return pending "no recorded bodies here" end
    for _, name in ipairs(names) do
      local text = read(folder .. "/" .. name)
      local body, kind = f5.json.decode(text), nil
      for _, rule in ipairs(KINDS) do
        if not kind and name:find(rule[1]) then kind = rule[2] end
      end
      device:fault { match = { path = "pool" }, status = body.code, body = text, times = 1 }
      -- a login's refusal is the session's own business; here it is any call's
      if body.code == 401 then
        device:fault { match = { path = "pool" }, status = body.code, body = text, times = 1 }
      end
      local ok, err = pcall(function() bip.ltm.pool:list() end)
      assert.is_false(ok, name)
      assert.equal(kind, err.kind, name)
      assert.equal(body.code, err.status, name)
      assert.equal(body.apiError, err.api_error, name)
      if body.message ~= "" then assert.equal(body.message, err.message, name) end
      device:clear_faults()
    end
  end)

  it("of collections can be iterated", function()
    local names = names_like "collectionstate"
    if #names == 0 then return pending "no recorded bodies here" end
    local objects = 0
    for _, name in ipairs(names) do
      local text = read(folder .. "/" .. name)
      local body = f5.json.decode(text)
      local items = body.items or {}
      device:fault { match = { path = "pool" }, status = 200, body = text, times = 2 }
      local top = #items > 0 and #items or nil -- the next page was not recorded
      if body.fullPath then -- one has a collection's kind and is an object
        local ok, err = pcall(function() return bip.ltm.pool:list() end)
        assert.is_false(ok, name)
        assert.matches("not a collection", err.message)
      else
        local list = bip.ltm.pool:list { top = top }
        assert.same(items, list, name)
        assert.is_true(f5.json.is_array(list), name)
        local i = 0
        for object in bip.ltm.pool:each { top = top } do
          i = i + 1
          assert.same(items[i], object, name)
        end
        assert.equal(#items, i, name)
        objects = objects + i
      end
      device:clear_faults()
    end
    assert.is_true(objects > 100)
  end)

  it("of statistics are read as plain values", function()
    local names = names_like "stats"
    if #names == 0 then return pending "no recorded bodies here" end
    local values = 0
    for _, name in ipairs(names) do
      local body = f5.json.decode(read(folder .. "/" .. name))
      if type(body.entries) == "table" then
        for _, entry in ipairs(f5.flat(body)) do
          for key, value in pairs(entry) do
            assert.is_string(key)
            if not key:find "^https?://" then
              assert.not_equal("table", type(value), name .. " " .. key)
            end
            values = values + 1
          end
        end
      end
    end
    assert.is_true(values > 1000)
  end)
end)

describe("f5.flat", function()
  it("keeps the device's order, which is that of the names with their numbers", function()
    local body = { entries = {} }
    for i = 0, 12 do
      body.entries["https://localhost/mgmt/tm/sys/version/" .. i] =
        { nestedStats = { entries = { n = { value = i } } } }
    end
    for i, entry in ipairs(f5.flat(body)) do assert.equal(i - 1, entry.n) end
  end)

  it("reads old answers, inner tables and values that are links", function()
    assert.same(
      { { a = 1, b = "x" } },
      f5.flat { entries = { a = { value = 1 }, b = { description = "x" } } }
    )
    assert.same(
      { { ["https://localhost/x"] = { a = false } } },
      f5.flat {
        entries = {
          ["https://localhost/o"] = {
            nestedStats = {
              entries = {
                ["https://localhost/x"] = {
                  nestedStats = { entries = {
                    a = { value = false },
                  } },
                },
              },
            },
          },
        },
      }
    )
    assert.same({}, f5.flat {})
    assert.has_error(function() f5.flat "x" end)
  end)
end)
