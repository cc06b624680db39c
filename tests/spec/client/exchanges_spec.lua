-- Observers of exchanges: recordings and reports are made of what core.exchanges_take returns.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

describe("observers of exchanges", function()
  local device, observer, place
  before_each(function()
    device, place = sim.start(), program.directory()
    observer = core.exchanges_start { bodies = true }
  end)
  after_each(function()
    core.exchanges_stop(observer)
    lab.stop(device, place)
  end)

  local function names(list)
    local lines = {}
    for i, one in ipairs(list) do
      lines[i] = ("%s %s %d"):format(one.method, (one.path:gsub("[%?].*", "")), one.status)
    end
    return lines
  end

  it("get each exchange in order, from the login to the end of the token", function()
    local bip = lab.connect(device, { label = "web1" })
    local line <const> = debug.getinfo(1, "l").currentline + 1
    bip.ltm.pool["/Common/p"]:create { description = "hello" }
    bip:close()
    local list <const> = core.exchanges_take(observer)
    assert.same({
      "POST /mgmt/shared/authn/login 200", "POST /mgmt/tm/ltm/pool 200",
      "DELETE /mgmt/shared/authz/tokens/******** 200",
    }, names(list))
    assert.is_true(list[1].internal)
    assert.is_true(list[3].internal)
    local create <const> = list[2]
    assert.is_false(create.internal)
    assert.equal("web1", create.device)
    assert.equal(1, create.attempt)
    assert.equal("exchanges_spec.lua:" .. line, create.line:match "[^/]*$")
    assert.is_nil(create.failure)
    assert.is_nil(create.retry)
    assert.same({ description = "hello", name = "p", partition = "Common" },
      f5.json.decode(create.request.body))
    assert.equal(#create.request.body, create.request.size)
    assert.truthy(create.response.body:find('"fullPath":"/Common/p"', 1, true))
    assert.truthy(create.response.headers:find "^HTTP/1.1 200")
    assert.is_true(math.abs(create.started / 1000000 - os.time()) < 60)
    assert.is_true(create.duration > 0 and create.duration < 10000000)
    assert.is_true(create.wait + create.receive <= create.duration)
    assert.is_true(list[1].connect > 0 and list[1].ssl > 0)
    assert.same({}, core.exchanges_take(observer))
  end)

  it("get no secret", function()
    local bip = lab.connect(device)
    bip.auth.user["joe"]:create { password = "Secr3t-of-joe", role = "guest" }
    bip:bash "echo --password Hidden1"
    bip:close()
    local text <const> = f5.json.encode(core.exchanges_take(observer))
    assert.truthy(text:find "X%-F5%-Auth%-Token: %*%*%*%*")
    assert.truthy(text:find '%\\"password%\\":%\\"%*%*%*%*')
    for _, secret in ipairs { "Secr3t-of-joe", "Hidden1" } do
      assert.is_nil(text:find(secret, 1, true), secret)
    end
    assert.is_nil(text:find 'tokens/%w')
    assert.is_nil(text:find 'Token: %w')
    assert.is_nil(text:find '%\\"token%\\":%\\"%w')
  end)

  it("get no secret that is forgotten before they take it", function()
    local bip <close> = lab.connect(device)
    local forget
    do
      local secret = core.secret_from_command "echo Kn0wn-here-only"
      forget = function()
        secret = tostring(secret)
        collectgarbage()
        collectgarbage()
      end
    end
    core.exchanges_take(observer)
    assert.equal("********", core.mask "Kn0wn-here-only")
    -- The loop has not waited since then, so it is not masked yet.
    local body <const> = { note = "x Kn0wn-here-only y" }
    bip:request("POST", "/mgmt/shared/echo", { body = body })
    forget()
    assert.equal("Kn0wn-here-only", core.mask "Kn0wn-here-only")
    local one <const> = core.exchanges_take(observer)[1]
    assert.truthy(one.request.body:find("x ******** y", 1, true))
    assert.truthy(one.response.body:find("x ******** y", 1, true))
  end)

  it("get no secret of many large answers at the same time", function()
    local bip <close> = lab.connect(device, { parallel = 16 })
    core.exchanges_take(observer)
    local page <const> = f5.json.encode { text = ("word "):rep(180000), password = "Secr3t-here" }
    device:fault { match = { path = "pool" }, status = 200, body = page, times = 16 }
    local calls = {}
    for i = 1, 16 do calls[i] = function() bip.ltm.pool["/Common/p"]:load() end end
    f5.all(calls)
    local list <const> = core.exchanges_take(observer)
    assert.equal(16, #list)
    for _, one in ipairs(list) do
      assert.equal(#page, one.response.size)
      assert.equal((page:gsub("Secr3t%-here", "********")), one.response.body)
    end
  end)

  it("get each attempt, why there is another one, and the pause", function()
    local bip <close> = lab.connect(device, { retries = { count = 3, delay = 0.02 } })
    core.exchanges_take(observer)
    device:fault { match = { path = "pool" }, kind = "busy", times = 2 }
    bip.ltm.pool:list()
    local list <const> = core.exchanges_take(observer)
    assert.equal(3, #list)
    for i = 1, 2 do
      assert.equal(i, list[i].attempt)
      assert.equal("busy", list[i].failure)
      assert.equal("busy", list[i].retry)
      assert.is_true(list[i].pause >= 10000 and list[i].pause <= 10000000)
      assert.truthy(list[i].message)
    end
    assert.equal(3, list[3].attempt)
    assert.is_nil(list[3].failure)
    assert.is_nil(list[3].retry)
  end)

  it("see that a rejected token leads to a login and another attempt", function()
    local bip <close> = lab.connect(device)
    core.exchanges_take(observer)
    device:fault { match = { path = "pool" }, status = 401, body = { code = 401, message = "no" } }
    bip.ltm.pool:list()
    local list <const> = core.exchanges_take(observer)
    assert.equal("auth", list[1].retry)
    assert.equal(0, list[1].pause)
    assert.equal(2, list[#list].attempt)
  end)

  it("get the failure of a call that has no answer", function()
    local bip <close> = lab.connect(device, { retries = 0 })
    core.exchanges_take(observer)
    device:fault { match = { path = "pool" }, reset = true, times = 5 }
    lab.fails("transport", function() bip.ltm.pool:list() end)
    local list <const> = core.exchanges_take(observer)
    assert.equal(1, #list)
    assert.equal("transport", list[1].failure)
    assert.equal(0, list[1].status)
  end)

  it("see a path that does not exist, and how that was found out", function()
    local bip <close> = lab.connect(device)
    core.exchanges_take(observer)
    lab.fails("not_found", function() bip.ltm.pol:list() end)
    local list <const> = core.exchanges_take(observer)
    assert.same({ "GET /mgmt/tm/ltm 200", "GET /mgmt/tm/ltm/pol 404" }, names(list))
  end)

  it("see a call that is cancelled", function()
    local bip <close> = lab.connect(device)
    core.exchanges_take(observer)
    device:fault { match = { path = "pool" }, delay_ms = 5000 }
    local fiber = f5.spawn(function() bip.ltm.pool:list() end)
    f5.sleep(0.2)
    fiber:cancel()
    pcall(fiber.join, fiber)
    local list <const> = core.exchanges_take(observer)
    assert.equal(1, #list)
    assert.equal("cancelled", list[1].failure)
    assert.is_true(list[1].duration >= 100000)
  end)

  it("get the digest of files instead of their content", function()
    local bip <close> = lab.connect(device)
    local binary <const> = ("\0\1\2binary"):rep(40000)
    core.exchanges_take(observer)
    bip:upload(place:file("up", binary))
    bip:download("up", place.path .. "/down")
    local up, down = table.unpack(core.exchanges_take(observer))
    assert.is_nil(up.request.body)
    assert.equal(#binary, up.request.size)
    assert.equal(core.sha256(binary), up.request.digest)
    assert.is_nil(down.response.body)
    assert.equal(#binary, down.response.size)
    assert.equal(core.sha256(binary), down.response.digest)
  end)

  it("keep small files of text", function()
    local bip <close> = lab.connect(device)
    bip:upload(place:file("up", "one line\npassword Hidden3\n  secret 'Hidden 4'\n"))
    core.exchanges_take(observer)
    bip:download("up", place.path .. "/down")
    assert.equal("one line\npassword ********\n  secret '********'\n",
      core.exchanges_take(observer)[1].response.body)
  end)

  it("do not take from each other", function()
    local other <const> = core.exchanges_start {}
    local bip <close> = lab.connect(device)
    assert.equal(1, #core.exchanges_take(observer))
    bip.ltm.pool:list()
    local list <const> = core.exchanges_take(other)
    assert.equal(2, #list)
    assert.is_nil(list[2].request)
    assert.equal(1, #core.exchanges_take(observer))
    core.exchanges_stop(other)
    core.exchanges_stop(other)
    bip.ltm.pool:list()
    assert.equal(1, #core.exchanges_take(observer))
    assert.same({}, core.exchanges_take(other))
  end)

  it("see how long calls wait in the queue of the session", function()
    local bip <close> = lab.connect(device, { parallel = 1 })
    core.exchanges_take(observer)
    device:fault { match = { path = "pool" }, delay_ms = 200, times = 2 }
    local function list() bip.ltm.pool:list() end
    f5.all { list, list }
    local calls <const> = core.exchanges_take(observer)
    assert.is_true(calls[1].queued < 100000)
    assert.is_true(calls[2].queued > 150000)
    assert.is_true(calls[2].duration < 400000)
  end)
end)
