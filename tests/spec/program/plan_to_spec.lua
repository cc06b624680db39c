-- f5lua plan --to: a device becomes like a snapshot or another device, in an order that works.
-- plan and check --against: a file stands for the device.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local function pool(name, ...)
  local members = json.array {}
  for i, address in ipairs { ... } do
    members[i] = { name = address .. ":80", address = address }
  end
  return { name = name, monitor = "/Common/http", members = members }
end

-- What one device has, and another is to have.
local WANTED <const> = {
  objects = {
    ["/mgmt/tm/auth/partition"] = { { name = "Shop" } },
    ["/mgmt/tm/sys/folder"] = { { name = "/Shop/inner" } },
    ["/mgmt/tm/ltm/monitor/http"] = {
      { name = "check", partition = "Shop", defaultsFrom = "/Common/http", send = "GET /up\\r\\n" },
    },
    ["/mgmt/tm/ltm/node"] = { { name = "n1", address = "10.0.0.9", description = "a % and * /" } },
    ["/mgmt/tm/ltm/pool"] = {
      pool("web", "10.0.0.1", "10.0.0.2"),
      { name = "api", partition = "Shop", subPath = "inner", monitor = "/Shop/check" },
      { name = "with space", partition = "Shop" },
    },
    ["/mgmt/tm/ltm/rule"] = {
      { name = "redirect", apiAnonymous = "when HTTP_REQUEST { pool /Common/web }" },
    },
    ["/mgmt/tm/ltm/data-group/internal"] = {
      { name = "hosts", type = "string", records = { { name = "a", data = "1" } } },
    },
    ["/mgmt/tm/ltm/policy"] = {
      {
        name = "split", strategy = "/Common/first-match", requires = { "http" },
        controls = { "forwarding" }, status = "published",
        rules = { {
          name = "r", ordinal = 0,
          conditions = { {
            name = "0", httpUri = true, path = true, startsWith = true, values = { "/a" },
          } },
          actions = { { name = "0", forward = true, select = true, pool = "/Common/web" } },
        } },
      },
    },
    ["/mgmt/tm/ltm/virtual"] = {
      {
        name = "vs", destination = "/Common/10.1.1.1:80", ipProtocol = "tcp", pool = "/Common/web",
        profiles = { { name = "/Common/tcp" }, { name = "/Common/http" } },
        policies = { { name = "/Common/split" } }, rules = { "/Common/redirect" },
      },
    },
  },
}

-- What is there instead, and is in use.
local EXISTING <const> = {
  objects = {
    ["/mgmt/tm/ltm/pool"] = { pool("web", "10.0.0.1", "10.0.0.7"), pool("used", "10.0.0.3") },
    ["/mgmt/tm/ltm/virtual"] = {
      {
        name = "old", destination = "/Common/10.1.1.1:80", ipProtocol = "tcp",
        pool = "/Common/used",
      },
    },
    ["/mgmt/tm/ltm/node"] = { { name = "n1", address = "10.0.0.9", description = "other" } },
  },
}

describe("plan --to", function()
  local one, other, place, env

  before_each(function()
    one, other = sim.start { seed = EXISTING }, sim.start { seed = WANTED }
    place = program.directory()
    env = lab.environment(one)
    env.SSL_CERT_FILE = place.path .. "/ca.pem"
    local certificates = {}
    for i, device in ipairs { one, other } do
      certificates[i] = assert(io.open(device:options("admin").ca)):read "a"
    end
    place:file("ca.pem", table.concat(certificates))
  end)
  after_each(function() lab.stop(one, other, place) end)

  local function at(device) return "127.0.0.1:" .. device.port end
  local function run(...) return program.run({ ... }, { env = env, directory = place.path }) end

  it("makes a device like another, and then they are equal", function()
    assert.equal(1, run("diff", at(one), at(other)).status)
    local planned = run("plan", "-o", "to.plan", "--to", at(other), "--host", at(one))
    assert.equal(0, planned.status, planned.err .. planned.out)
    assert.not_matches("cannot be", planned.out)
    assert.not_matches("stays different", planned.out)
    -- secrets of the same kind are one line
    assert.matches("\n  encryptedPassword of auth/user: secret %(%d objects%)\n", planned.out)
    assert.is_nil(planned.out:find("auth/user/admin", 1, true))
    assert.matches("\n  encryptedPassword of auth/user: secret %(%d objects%)\n",
      run("show", "to.plan").out)
    local done = run("apply", "to.plan")
    assert.equal(0, done.status, done.err .. done.out)
    local compared = run("diff", at(one), at(other))
    assert.equal(0, compared.status, compared.out)
    local again = run("plan", "-o", "again.plan", "--to", at(other), "--host", at(one))
    assert.matches("no differences", again.out)
    assert.matches("plan with 0 steps", again.out)
  end)

  it("takes a snapshot, and only the paths that were asked for", function()
    assert.equal(0, run("snapshot", at(other), "-o", "lab.json").status)
    local planned =
      run("plan", "-o", "to.plan", "--to", "./lab.json", "--host", at(one), "ltm/node")
    assert.equal(0, planned.status, planned.err)
    assert.matches("plan with 2 steps: to.plan", planned.out)
    assert.matches("ltm/node/~Common~10.0.0.7: cannot be deleted: .*referenced", planned.out)
    assert.matches("description: other → a %% and %* /", run("show", "to.plan").out)
    assert.equal(0, run("apply", "to.plan").status)
    local bip <close> = f5.connect(one:options "admin")
    assert.equal("a % and * /", bip.ltm.node["/Common/n1"]:load().description)
    assert.is_true(bip.ltm.pool["/Common/used"]:exists())
  end)

  it("lists what it leaves out, with the reason", function()
    local bip <close> = f5.connect(other:options "admin")
    bip.net.vlan["/Common/inside"]:create { tag = 100 }
    bip.auth.user.carol:create { password = "secret-1!", description = "c" }
    local planned = run("plan", "-o", "to.plan", "--to", at(other), "--host", at(one))
    assert.matches("net/vlan/~Common~inside: belongs to each device of a pair", planned.out)
    assert.matches("auth/user/carol: .*secret", planned.out)
    assert.matches("net/vlan/~Common~inside: belongs", run("show", "to.plan").out)
    assert.not_matches("secret%-1", place:read "to.plan")
  end)

  it("refuses what makes no sense", function()
    for _, case in ipairs {
      { { "--to", at(other), "--sim" }, "without %-%-sim" },
      { { "--to", at(other), "-e", "x()" }, "no playbook" },
      { { "--to", at(other), "ltm/no-such-kind" }, "no 'no%-such%-kind'" },
      { { "--to", "./missing.json" }, "missing%.json" },
      { { "--partition", "Shop", "p.lua" }, "with %-%-to only" },
      { { "--no-verify", "p.lua" }, "with %-%-to only" },
    } do
      local done = run("plan", "-o", "to.plan", table.unpack(case[1]))
      assert.is_true(done.status ~= 0, table.concat(case[1], " "))
      assert.matches(case[2], done.err)
    end
    local file <const> = io.open(place.path .. "/to.plan")
    assert.is_nil(file)
  end)

  describe("--against", function()
    local TEXT <const> = [[
local bip <close> = require "f5".connect { host = "bigip1.example.net" }
bip.ltm.pool["/Common/used"]:modify { description = "is" }
bip.ltm.pool["/Common/new"]:create {}
]]

    before_each(function() place:file("playbook.lua", TEXT) end)

    it("checks a playbook without a device", function()
      assert.equal(0, run("snapshot", at(one), "-o", "lab.json").status)
      one:clear_log()
      local done = run("run", "--check", "--against", "./lab.json", "playbook.lua")
      assert.equal(0, done.status, done.err)
      assert.matches("~ /Common/used  changed  playbook.lua:2  not validated: there is no device",
        done.out)
      assert.matches("%+ /Common/new  created  playbook.lua:3", done.out)
      assert.same({}, one:log())
    end)

    it("plans for the device that the file came from", function()
      assert.equal(0, run("snapshot", at(one), "-o", "lab.json").status)
      local planned = run("plan", "-o", "to.plan", "--against", "./lab.json", "playbook.lua")
      assert.equal(0, planned.status, planned.err)
      local plan <const> = json.decode(place:read "to.plan")
      local bip <close> = f5.connect(one:options "admin")
      assert.equal(bip.cm.device:list()[1].hostname, plan.devices[1].identity.hostname)
      env.F5_SERVER = nil
      local without = run("apply", "to.plan")
      assert.equal(2, without.status)
      assert.matches("give %-%-host", without.err)
      assert.equal(0, run("apply", "to.plan", "--host", at(one)).status)
      assert.is_true(bip.ltm.pool["/Common/new"]:exists())
    end)

    it("takes a saved configuration, and refuses a file that is none", function()
      place:file("bigip.conf", "ltm pool /Common/used {\n    monitor /Common/http\n}\n")
      local done = run("run", "--check", "--against", "./bigip.conf", "playbook.lua")
      assert.equal(0, done.status, done.err)
      assert.matches("description: %(none%) → is", done.out)
      place:file("broken.json", "{")
      local broken = run("run", "--check", "--against", "./broken.json", "playbook.lua")
      assert.equal(2, broken.status)
      assert.matches("broken%.json", broken.err)
      assert.equal(2, run("run", "--against", "./bigip.conf", "playbook.lua").status)
    end)
  end)
end)
