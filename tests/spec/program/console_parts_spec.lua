-- The console's parts that need no terminal: what completes where, and how an entry becomes Lua.
local complete = require "console.complete"
local entry = require "console.entry"
local f5 = require "f5"
local history = require "console.history"
local sim = require "f5.sim"
local Device = require "console.device"

describe("completion in the console", function()
  local simulated, device, env

  setup(function()
    simulated = sim.start()
    device = Device.connect(simulated:options "admin")
    device.session.ltm.pool:create { name = "web", members = { "10.0.0.1:80" } }
    env = setmetatable(
      {
        f5 = f5, bip = device.session, web = device.session.ltm.pool["/Common/web"],
        t = { x = 1, ["b c"] = 2 },
      },
      { __index = _G }
    )
  end)
  teardown(function()
    device.session:close()
    simulated:stop()
  end)

  -- All candidates, once nothing is on its way any more, as they would be put in.
  local function candidates(text)
    local found
    for _ = 1, 100 do
      found = complete(text, { env = env, devices = { device } }, function() end)
      if not found.pending then break end
      f5.sleep(0.02)
    end
    local texts = {}
    for i, item in ipairs(found.items) do
      texts[i] = item.instead or item.text .. (item.close or "")
    end
    return texts
  end

  it("offers no tokens, whose names are secrets", function()
    for _, text in ipairs {
      'bip:at("/mgmt/shared/authz/tokens")["',
      'bip:at("/mgmt/shared/authz/tokens", "',
    } do
      assert.same({}, candidates(text))
    end
  end)

  local function first(text) return candidates(text)[1] end

  local function has(text, wanted)
    for _, candidate in ipairs(candidates(text)) do
      if candidate == wanted then return true end
    end
    return false
  end

  it("knows paths, also those with hyphens", function()
    assert.same({ "ltm" }, candidates "bip.lt")
    assert.same({ "policy", '["policy-strategy"]', "pool" }, candidates "bip.ltm.po")
    assert.same({ '["data-group"]' }, candidates "bip.ltm.data-gr")
    assert.same({ 'data-group"]' }, candidates 'bip.ltm["data-g')
    assert.same({ "members" }, candidates 'bip.ltm.pool["/Common/web"].mem')
    assert.same({ "pool" }, candidates "x = { bip.ltm.poo")
    assert.same({ "pool" }, candidates ".help bip.ltm.poo")
    assert.same({ "ltm/data-group" }, candidates 'bip:at("ltm/data')
    assert.same({}, candidates "bip.gtm.po") -- not provisioned
  end)

  it("knows the names of objects", function()
    assert.same({ '/Common/web"]' }, candidates 'bip.ltm.pool["/Common/w')
    assert.same({ "/Common/10.0.0.1:80']" }, candidates "web.members['/Common/1")
    assert.same({ '/Common/web"' }, candidates 'bip.ltm.virtual:create{ pool = "/Common/w')
    assert.is_true(has('bip.ltm.pool:create{ monitor = "', '/Common/gateway_icmp"'))
    assert.same({ '/Common/web"' }, candidates 'bip:at("ltm/pool", "/Co')
  end)

  it("knows names without their partition, and an index without a quote", function()
    assert.same({ '/Common/web"]' }, candidates 'bip.ltm.pool["we')
    assert.same({ "/Common/10.0.0.1:80']" }, candidates "web.members['10.")
    assert.same({ '/Common/web"' }, candidates 'bip.ltm.virtual:create{ pool = "we')
    assert.same({ '/Common/web"' }, candidates 'bip:at("ltm/pool", "we')
    assert.same({}, candidates 'bip.ltm.pool["ommon')
    assert.same({ '"/Common/web"]', '"example"]', '"stats"]' }, candidates "bip.ltm.pool[")
    assert.same({ '"b c"]', '"x"]' }, candidates "t[")
  end)

  it("knows the properties of elements", function()
    for _, text in ipairs {
      "web:create{ members = { { ad", "web:modify{ members = { { name = 'a' }, { ad",
      "bip.ltm.pool:create{ name = 'new', members = { { ad",
      "bip.ltm.pool['/Common/new']:ensure { description = 'x', members = { { ad",
    } do
      assert.same({ "address = " }, candidates(text), text)
    end
    assert.is_true(has("web:modify{ members = { { ", "name = "))
    assert.same({}, candidates "web:modify{ nothing = { { ad")
  end)

  it("offers methods of ASM only there", function()
    assert.is_false(has("bip.ltm.pool:", "modify_all"))
    assert.is_true(has("bip.ltm.pool:", "modify"))
    assert.is_true(has("bip.asm.policies:", "modify_all"))
  end)

  it("knows methods, options, properties and values", function()
    assert.is_true(has("web:", "modify"))
    assert.same({ "transaction" }, candidates "bip:tran")
    assert.same({ "select = " }, candidates "bip.ltm.pool:list{ sel")
    assert.same({ "select = " }, candidates "web:modify({}, { sel")
    assert.is_true(has('bip.ltm.pool:list{ select = { "name", "', 'monitor"'))
    assert.same({ "loadBalancingMode = " }, candidates "web:modify{ monitor = 'x', load")
    assert.same({}, candidates "web:modify{ loadBalancingMode = 'x', loadB")
    assert.same({ 'least-sessions"' }, candidates 'web:modify{ loadBalancingMode = "least-s')
    assert.equal('"dynamic-ratio-member"', first "web:modify{ loadBalancingMode = ")
    assert.same({ 'token"', 'basic"' }, candidates 'f5.connect { auth = "')
    assert.same({ "count = ", "delay = ", "budget = " }, candidates "f5.connect { retries = { ")
    assert.same({ "loadBalancingMode = " }, candidates "tx(web):modify{ loadB")
  end)

  it("knows Lua's names and the console's commands, and keeps still where nothing fits", function()
    assert.same({ "format" }, candidates "string.form")
    assert.same({ "function" }, candidates "local x = funct")
    assert.same({ ".connect" }, candidates ".con")
    assert.same({ "on", "off", "bodies" }, candidates ".log ")
    for _, text in ipairs {
      "", "-- bip.", 'x = "bip.', "nothing.at.", "1.", "x = 'a\\", "[[ bip.",
    } do
      assert.same({}, candidates(text))
    end
  end)
end)

describe("an entry of the console", function()
  it("makes its outermost locals global, line by line", function()
    for source, expected in pairs {
      ["local x = 1"] = " x = 1",
      ["local a, b"] = " a, b = nil",
      ["local x <const>, y <close> = 1, z"] = " x , y  = 1, z",
      ["local function f() local y = 1 end"] = " function f() local y = 1 end",
      ["do local x = 1 end local y = 2"] = "do local x = 1 end  y = 2",
      ["for i = 1, 2 do local x = i end\nlocal s = 'local t'"] = "for i = 1, 2 do local x = i end\n"
        .. " s = 'local t'",
      ["repeat local x = f() until x; local z = 1"] = "repeat local x = f() until x;  z = 1",
      ["if a then local b end local c = function() local d end"] = "if a then local b end  c = "
        .. "function() local d end",
      ["x = 'unfinished"] = "x = 'unfinished",
    } do
      assert.equal(expected, entry.with_globals(source))
    end
  end)

  it("is an expression, a statement, unfinished or wrong", function()
    local env = {}
    local function kind(source) return select(2, entry.compile(source, env)) end
    assert.equal("expression", kind "1 + 1")
    assert.equal("expression", kind "f(1), 2")
    assert.equal("statement", kind "x = 1")
    for _, source in ipairs {
      "for i = 1, 2 do", "x = {", "f(", "x = [[", "function f()", "local x =", "if a then b()",
    } do
      assert.equal("incomplete", kind(source), source)
    end
    local _, how, message = entry.compile("x ==== 1", env)
    assert.equal("wrong", how)
    assert.matches("^1: unexpected symbol near '=='", message)
    assert.same({ 3 }, { entry.compile("x = 1; y = 2; x + y", env)() })
  end)

  it("fails where the attempt stops that came further", function()
    for text, near in pairs {
      ["1 +* 2"] = "%*", ["x = = 3"] = "=", ["if x then y z end"] = "z", [") )"] = "%)",
      ["f(1, , 2)"] = ",", ["local 1"] = "1", ["return return"] = "return",
    } do
      local _, kind, message = entry.compile(text, _G)
      assert.equal("wrong", kind, text)
      assert.matches("near ['\"]?" .. near, message)
    end
  end)

  it("is kept in the history unless it holds a secret or begins with a space", function()
    assert.is_true(history.is_kept "bip.ltm.pool:list()")
    assert.is_true(history.is_kept "bip.auth.user['x']:load().name")
    for _, source in ipairs {
      " x = 1",
      "",
      "\t",
      "f5.connect { password = 'x' }",
      'body = { ["password"] = "x" }',
      "token = 'x'",
      "o.passphrase = 1",
      "o['secret']='x'",
    } do
      assert.is_false(history.is_kept(source), source)
    end
  end)
end)

describe("a value in the console", function()
  it("can contain itself, or be an inventory", function()
    local show = require "f5.table.show"
    local list, object = {}, {}
    list[1], object.a = list, object
    assert.equal("…", show.value(list))
    assert.matches("^a\n", show.value(object))
    assert.matches("…$", show.value { { name = "x", items = list } }:match "[^\n]*…")
    assert.equal(1, #show.masked(list))
    assert.equal("table", type(show.masked(object).a.a))
    local inventory <const> =
      require("f5.inventory").from_table { devices = { { host = "d", vars = { n = 4 } } } }
    assert.matches("name +d", show.value(inventory.devices[1]))
    assert.equal("n  4", show.value(inventory.devices[1].vars))
    assert.equal(4, show.masked(inventory.devices[1]).vars.n)
  end)
end)
