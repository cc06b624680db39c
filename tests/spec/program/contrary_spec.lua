-- f5lua sim --contrary: a device that behaves otherwise than clients hope. f5lua works with it, or
-- says what went otherwise.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local HEAD <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'

local SEED <const> = { objects = {
  ["/mgmt/tm/ltm/pool"] = {
    { name = "old", description = "was", monitor = "/Common/http", members = {
      { name = "10.0.0.1:80" }, { name = "10.0.0.2:80" }, { name = "10.0.0.3:80" },
    } },
    { name = "second" }, { name = "third" }, { name = "fourth" },
  },
  ["/mgmt/tm/ltm/virtual"] = {
    { name = "vs", destination = "192.0.2.10:80", pool = "/Common/old", vlans = {
      "/Common/http-tunnel", "/Common/socks-tunnel" }, vlansEnabled = true },
  },
  ["/mgmt/tm/sys/ntp"] = { servers = { "192.0.2.1", "192.0.2.2" } },
} }

local CHANGE <const> = HEAD .. [[
bip.ltm.pool["/Common/new"]:create {
  monitor = "/Common/http", members = { { name = "10.0.0.9:80" } },
}
bip.ltm.virtual["/Common/vs"]:modify { pool = "/Common/new" }
bip.sys.ntp:modify { servers = { "192.0.2.3" } }
]]

-- All ways, as a device lists them in its documentation.
local WAYS <const> = {}
do
  local page = assert(io.open("docs/simulator.md")):read "a"
  for name in page:match("\n## Contrary devices\n(.-)\n## "):gmatch "\n| `([%l_]+)` |" do
    WAYS[#WAYS + 1] = name
  end
end

describe("a contrary device", function()
  local device, bip, place

  local function start(ways)
    device, bip = lab.start({ contrary = ways, seed = SEED }, { retries = lab.RETRIES })
    place = program.directory()
  end

  after_each(function() lab.stop(bip, device, place) end)

  local function run(words, more)
    local env = lab.environment(device, { XDG_STATE_HOME = place.path })
    return program.run(words, { env = env, directory = place.path, input = more })
  end

  local function get(path) return bip:request("GET", "/mgmt/tm/" .. path) end

  local function names(path)
    local list = {}
    for i, item in ipairs(get(path).items) do list[i] = item.name end
    return table.concat(list, " ")
  end

  local function plan()
    place:file("change.lua", CHANGE)
    return run { "plan", "-o", "change.plan", "change.lua" }
  end

  local function is_changed()
    return bip.ltm.virtual["/Common/vs"]:load().pool == "/Common/new"
      and bip.ltm.pool["/Common/new"]:exists()
      and #bip.ltm.pool["/Common/new"].members:list() == 1
      and bip.sys.ntp:load().servers[1] == "192.0.2.3"
  end

  local function is_as_before()
    local servers = bip.sys.ntp:load().servers
    return bip.ltm.virtual["/Common/vs"]:load().pool == "/Common/old"
      and not bip.ltm.pool["/Common/new"]:exists() and #servers == 2
      and servers[1] == "192.0.2.1"
  end

  describe("behaves as it is told", function()
    it("shows lists in another order, and properties and blanks of its own", function()
      start "order,unknown,blank,generation"
      local orders, generations = {}, {}
      for _ = 1, 8 do
        orders[names "ltm/pool"] = true
        generations[get("ltm/pool/~Common~old").generation] = true
      end
      assert.is_truthy(next(orders, next(orders)))
      assert.is_truthy(next(generations, next(generations)))
      assert.equal("/Common/http ", get("ltm/pool/~Common~old").monitor)
      assert.equal("nobody knows", get("ltm/pool/~Common~old").contraryNote)
    end)

    it("has other defaults, side effects and refusals", function()
      start "defaults,side,refusals"
      bip.ltm.pool["/Common/a"]:create { members = { { name = "10.0.0.7:80" } } }
      assert.equal(30, get("ltm/pool/~Common~a").slowRampTime)
      assert.equal("made by the device", get("ltm/node/~Common~10.0.0.7").description)
      assert.equal("made_by_the_device", names "ltm/data-group/internal":match "made_by_the_device")
      local err <const> = lab.fails("invalid", bip.ltm.pool["/Common/a"].modify,
        bip.ltm.pool["/Common/a"], { description = ("x"):rep(21) })
      assert.matches("more than 20 characters", err.message)
      assert.equal(10, get("ltm/pool/~Common~old").slowRampTime)
    end)

    it("changes while somebody looks", function()
      start "comings,drift"
      local seen = {}
      for _ = 1, 4 do seen[names("ltm/pool"):find "contrary_guest" ~= nil] = true end
      assert.same({ [true] = true, [false] = true }, seen)
      local descriptions = {}
      for _ = 1, 4 do descriptions[get("ltm/pool/~Common~old").description] = true end
      assert.is_truthy(next(descriptions, next(descriptions)))
    end)

    it("is busy, and ends connections", function()
      start "busy,close"
      local before <const> = device:connections()
      for _ = 1, 20 do assert.equal("old", get("ltm/pool/~Common~old").name) end
      assert.is_true(device:connections() - before >= 20)
      local busy = 0
      for _, call in ipairs(device:log()) do busy = busy + (call.status == 503 and 1 or 0) end
      assert.is_true(busy >= 2)
    end)

    it("chooses ways by a number, the same each time", function()
      start "12"
      local ways <const> = json.encode(device:control "contrary")
      local other <close> = require("f5.sim").start { contrary = "12" }
      assert.equal(ways, json.encode(other:control "contrary"))
      assert.not_equal("[]", ways)
      local wrong <const> = run { "sim", "--port", "0", "--contrary", "order,nonsense" }
      assert.equal(2, wrong.status)
      assert.matches("%-%-contrary: unknown way 'nonsense'", wrong.err)
    end)
  end)

  describe("is no obstacle:", function()
    it("each way is documented", function()
      start(table.concat(WAYS, ","))
      assert.same(WAYS, device:control "contrary")
    end)

    -- What apply must say where something goes otherwise.
    local SAID <const> = { defaults = "slowRampTime: 10 → 30", side = "made by the device" }

    local TOGETHER <const> = {
      "order,unknown,blank,generation", "defaults,side", "refusals,busy,close", "comings", "drift",
      "validated_gone", "validated_done", "validated_blind", "validated_refused",
    }
    local LONG <const> = table.move(WAYS, 1, #WAYS, #TOGETHER + 1, { table.unpack(TOGETHER) })
    for seed = 1, 40 do LONG[#LONG + 1] = tostring(seed) end

    for _, ways in ipairs(lab.slow and LONG or TOGETHER) do
      it("plan, apply, undo with " .. ways, function()
        start(ways)
        local has = {}
        for _, way in ipairs(device:control "contrary") do has[way] = true end
        local made <const> = plan()
        assert.equal(0, made.status, made.err .. made.out)
        local done <const> = run { "apply", "change.plan" }
        local refused <const> = done.status == 3 and has.drift
          and done.err:find("nothing was sent", 1, true) ~= nil
        assert.is_true(refused or done.status == 0, done.err .. done.out)
        assert.is_true(not refused or is_as_before())
        if refused then return end
        for way, words in pairs(SAID) do
          -- somebody else may have changed what the device has made
          if has[way] and not (way == "side" and has.drift) then assert.matches(words, done.out) end
        end
        assert.is_true(is_changed(), done.out)
        local undone <const> = run { "undo", "last" }
        assert.is_true(undone.status == 0 or undone.status == 1, undone.err .. undone.out)
        assert.is_true(is_as_before(), undone.out)
      end)
    end

    it("what somebody else changes is noticed", function()
      start "drift"
      place:file("change.lua", HEAD
        .. 'bip.ltm.pool["/Common/old"]:modify { monitor = "/Common/tcp" }\n')
      assert.equal(0, run({ "plan", "-o", "change.plan", "change.lua" }).status)
      for _ = 1, 3 do get "ltm/pool/~Common~old" end
      local done <const> = run { "apply", "change.plan" }
      assert.equal(3, done.status, done.out)
      assert.matches("description: .- → by somebody", done.out)
      assert.matches("nothing was sent", done.err)
      assert.equal("/Common/http", get("ltm/pool/~Common~old").monitor)
    end)

    it("a refusal that only the device knows is found by its validation", function()
      start "refusals"
      place:file("change.lua", HEAD .. 'bip.ltm.pool["/Common/old"]:modify '
        .. '{ description = "a description that is too long" }\n')
      local made <const> = run { "run", "--check", "change.lua" }
      assert.matches("rejected: 01020057:3: .-more than 20 characters", made.out .. made.err)
      assert.equal("was", bip.ltm.pool["/Common/old"]:load().description)
    end)

    it("ensure changes nothing twice", function()
      start "order,unknown,blank,generation,busy,close"
      place:file("ensure.lua", HEAD .. [[
local r = bip.ltm.pool["/Common/old"]:ensure { monitor = "/Common/http",
  members = { "10.0.0.3:80", "10.0.0.1:80", "10.0.0.2:80" } }
print(r)
bip.ltm.virtual["/Common/vs"]:ensure { vlans = { "/Common/socks-tunnel", "/Common/http-tunnel" } }
print(bip:usage().writes)
]])
      local done <const> = run { "ensure.lua" }
      assert.equal(0, done.status, done.err)
      assert.matches("0\n$", done.out)
    end)

    it("a snapshot equals the device", function()
      start "order,unknown,blank,generation,busy,close"
      local where <const> = ("%s:%d"):format(device.host, device.port)
      local taken <const> = run { "snapshot", where, "ltm", "-o", "a.json" }
      assert.equal(0, taken.status, taken.err .. taken.out)
      local compared <const> = run { "diff", "a.json", where, "ltm" }
      assert.equal(0, compared.status, compared.err .. compared.out)
    end)

    for _, ways in ipairs {
      "icall_late,tmsh_lists", "icall_missed", "icall_alone,order,unknown,blank,side,defaults",
    } do
      it("a change that nobody confirms goes back with " .. ways, function()
        start(ways)
        assert.equal(0, plan().status)
        local done <const> = run { "apply", "change.plan", "--confirm", "1m" }
        assert.equal(0, done.status, done.err .. done.out)
        assert.is_true(is_changed())
        device:advance(55)
        assert.is_true(is_changed())
        if ways == "icall_missed" then
          device:reboot { seconds = 30 }
          device:advance(32)
        else
          device:advance(60)
        end
        assert.is_true(is_as_before(), lab.shell(function() return bip end) "cat /var/log/ltm")
      end)
    end
  end)
end)
