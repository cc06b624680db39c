-- A path that does not exist is reported at once. A path whose service is starting is retried.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

local device, bip

local function load(path) return f5.try(function() return bip:at(path):load() end) end

local function calls()
  local list = {}
  for i, call in ipairs(device:log()) do list[i] = call.method .. " " .. call.path end
  device:clear_log()
  return list
end

describe("A path that does not exist", function()
  before_each(function()
    device, bip = lab.start()
    bip.ltm.pool["/Common/web"]:create { members = { "10.0.0.1:80" } }
    device:clear_log()
  end)
  after_each(function() lab.stop(bip, device) end)

  it("is reported, also by a device that is busy now and then", function()
    for nth = 0, 4 do
      device:fault { match = { method = "GET" }, after = nth, times = 2, kind = "busy" }
      local value <const>, err = load "gtm/monitor/http"
      assert.is_false(value)
      assert.equal("not_found", err.kind, tostring(err))
      device:clear_faults()
    end
  end)

  it("is reported at once, with a suggestion", function()
    for path, words in pairs {
      ["ltm/poool"] = "(/mgmt/tm/ltm has no 'poool'; did you mean 'pool'?)",
      ["ltm/virtuals"] = "(/mgmt/tm/ltm has no 'virtuals'; did you mean 'virtual'?)",
      ["ltm/poool/~Common~web"] = "(/mgmt/tm/ltm has no 'poool'; did you mean 'pool'?)",
      ["ltm/pool/~Common~web/member"] = "(/mgmt/tm/ltm/pool/~Common~web has no 'member'; "
        .. "did you mean 'members'?)",
      ["ltm/node/~Common~10.0.0.1/foo"] = "(/mgmt/tm/ltm/node/~Common~10.0.0.1 has no 'foo')",
      ["ltm/node/10.0.0.1/foo/bar"] = "(/mgmt/tm/ltm/node/10.0.0.1 has no 'foo')",
      ["auth/user/admin/rolez"] = "(/mgmt/tm/auth/user/admin has no 'rolez')",
      ["sys/dns/foo"] = "(/mgmt/tm/sys/dns has no 'foo')",
      ["auth/userr/bob"] = "(/mgmt/tm/auth has no 'userr'; did you mean 'user'?)",
      ["ltmm/pool"] = "(/mgmt/tm has no 'ltmm'; did you mean 'ltm'?)",
      ["ltm/qwertyuiop"] = "(/mgmt/tm/ltm has no 'qwertyuiop')",
      ["asm/policies"] = "(/mgmt/tm has no 'asm': is the module provisioned?)",
      ["gtm/wideip/a/~Common~www.example.com"] =
        "(/mgmt/tm has no 'gtm': is the module provisioned?)",
    } do
      local began = core.now()
      local ok, err = load(path)
      assert.same(
        { false, "not_found", 404, 1 },
        { ok, err.kind, err.status, err.attempts },
        path .. ": " .. tostring(err)
      )
      assert.equal("Public URI path not registered: /tm/" .. path .. " " .. words, err.message)
      assert.is_true(core.now() - began < 5)
      assert.is_true(#calls() <= 5)
      assert.is_false(bip:at(path):exists())
      calls()
    end
  end)

  it("is asked for at its parent once", function()
    load "ltm/poool"
    assert.same({ "GET /mgmt/tm/ltm/poool", "GET /mgmt/tm/ltm" }, calls())
    -- the objects of a collection are too many to list
    load "ltm/poool/~Common~web"
    assert.same({ "GET /mgmt/tm/ltm/poool/~Common~web", "GET /mgmt/tm/ltm" }, calls())
  end)

  it("below an object that does not exist is missing with it", function()
    local ok, err = load "ltm/pool/~Common~nope/member"
    assert.same(
      { false, "not_found", "01020036:3: The requested Pool (/Common/nope) was not found." },
      { ok, err.kind, err.message }
    )
  end)

  it("is refused for writes, too, which are counted as none", function()
    local before = bip:usage().writes
    for _, act in ipairs {
      function() bip.ltm.poool:create { name = "x" } end,
      function() bip.ltm.poool["/Common/x"]:modify { description = "x" } end,
      function() bip.ltm.poool["/Common/x"]:ensure { description = "x" } end,
      function() bip.ltm.poool["/Common/x"]:delete() end,
      function() bip.ltm.poool:list() end,
      function() bip.ltm.poool:stats() end,
      function() for _ in bip.ltm.poool:each() do error "none" end end,
    } do
      local ok, err = f5.try(act)
      assert.same({ false, "not_found" }, { ok, err.kind })
      assert.matches("did you mean 'pool'%?", err.message)
    end
    assert.equal(before, bip:usage().writes)
  end)
end)

describe("A path that is not there yet", function()
  before_each(function()
    device = sim.start {}
    bip = f5.connect(device:options("admin", { retries = { count = 4, delay = 0.02 } }))
    bip.ltm.pool["/Common/web"]:create {}
    device:clear_log()
  end)
  after_each(function() lab.stop(bip, device) end)

  it("is waited for when its parent lists it", function()
    device:fault { match = { path = "/ltm/pool" }, kind = "not_public", times = 2 }
    assert.equal("web", bip.ltm.pool["/Common/web"]:load().name)
    assert.same({
      "GET /mgmt/tm/ltm/pool/~Common~web", "GET /mgmt/tm/ltm",
      "GET /mgmt/tm/ltm/pool/~Common~web", "GET /mgmt/tm/ltm/pool/~Common~web",
    }, calls())
    device:fault { match = { path = "/ltm/pool" }, kind = "not_registered", times = 99 }
    local ok, err = f5.try(function() return bip.ltm.pool["/Common/web"]:exists() end)
    assert.same({ false, "not_ready", 5 }, { ok, err.kind, err.attempts })
  end)

  it("is waited for while nothing below /mgmt/tm answers", function()
    for _, kind in ipairs { "not_public", "worker_down" } do
      device:fault { match = { path = "/mgmt/tm" }, kind = "not_public", times = 1 }
      device:fault { match = { path = "^/mgmt/tm" }, kind = kind, times = 3 }
      assert.is_true(bip.ltm.pool["/Common/web"]:exists())
      device:clear_faults()
    end
  end)

  it("is waited for when the look at it fails in another way", function()
    for _, answer in ipairs {
      { status = 500, body = "broken" }, { status = 403, body = { code = 403, message = "no" } },
      { status = 200, body = { kind = "tm:ltm:ltmcollectionstate" } },
      { status = 200, body = "<html>" },
    } do
      device:fault { match = { path = "/ltm/pool" }, kind = "not_public", times = 1 }
      device:fault {
        match = { path = "/mgmt/tm/ltm$" }, status = answer.status, body = answer.body, times = 1,
      }
      assert.is_true(bip.ltm.pool["/Common/web"]:exists())
      device:clear_faults()
    end
  end)

  it("leaves nothing behind when its fiber or session ends", function()
    device:fault { match = { path = "/ltm/pool" }, kind = "not_public", times = 99 }
    device:fault { match = { path = "/mgmt/tm/ltm$" }, delay_ms = 2000, times = 99 }
    device:clear_log()
    local fiber = f5.spawn(function() bip.ltm.pool:list() end)
    lab.arrived(device, "GET", "/mgmt/tm/ltm$")
    fiber:cancel()
    local ok, err = pcall(fiber.join, fiber)
    assert.same({ false, "cancelled" }, { ok, err.kind })
    device:clear_log()
    fiber = f5.spawn(function() bip.ltm.pool:list() end)
    lab.arrived(device, "GET", "/mgmt/tm/ltm$")
    bip:close()
    ok, err = pcall(fiber.join, fiber)
    assert.is_false(ok)
    assert.is_true(err.kind == "cancelled" or err.kind == "not_ready")
  end)
end)

describe("A method that does not exist", function()
  it("is reported with the one that is probably meant", function()
    device, bip = lab.start()
    local _ <close> = setmetatable({}, { __close = function() lab.stop(bip, device) end })
    for words, call in pairs {
      ["a reference has no method 'creat'; did you mean 'create'? Its path is /mgmt/tm/ltm/pool/"] =
        function() bip.ltm.pool:creat {} end,
      ["a session has no method 'transacton'; did you mean 'transaction'?"] =
        function() bip:transacton(print) end,
      ["a reference has no method 'zzzzzz'; its path is"] = function() bip.ltm.pool:zzzzzz() end,
    } do
      assert.matches(words, lab.fails("usage", call).message, 1, true)
    end
  end)
end)
