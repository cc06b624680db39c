-- What makes f5lua refuse a plan: a change of what the playbook has read, and of what the checks of
-- its writes have looked at. All other changes of other people do not matter.
local lab = require "lab"
local program = require "program"

local HEAD <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'

describe("S5 drift of a plan", function()
  local device, place, bip

  before_each(function()
    device, bip = lab.start()
    place = program.directory()
    bip.auth.partition.Shop:create {}
    bip.ltm.pool["/Common/old"]:create {
      description = "was", members = { { name = "10.0.0.1:80" } },
    }
    bip.ltm.monitor.http["/Common/m"]:create {}
    bip.ltm.pool["/Shop/shop"]:create {}
  end)
  after_each(function() lab.stop(bip, device, place) end)

  local function run(words)
    return program.run(words, {
      env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" }),
      directory = place.path,
    })
  end

  local function plan(text)
    place:file("playbook.lua", HEAD .. text)
    local made = run { "plan", "-o", "change.plan", "playbook.lua" }
    assert.equal(0, made.status, made.err .. made.out)
    return made
  end

  -- What others do on the device.
  local OTHERS <const> = {
    node = function() bip.ltm.node["/Common/foreign"]:create { address = "10.7.7.7" } end,
    ["node with the same address"] = function()
      bip.ltm.node["/Common/foreign"]:create { address = "10.0.0.9" }
    end,
    ["node in another partition"] = function()
      bip.ltm.node["/Shop/foreign"]:create { address = "10.7.7.8" }
    end,
    monitor = function() bip.ltm.monitor.http["/Common/foreign"]:create {} end,
    profile = function() bip.ltm.profile.http["/Common/foreign"]:create {} end,
    pool = function() bip.ltm.pool["/Common/foreign"]:create {} end,
    ["pool of the shop"] = function() bip.ltm.pool["/Shop/foreign"]:create {} end,
    ["description of the pool"] = function()
      bip.ltm.pool["/Common/old"]:modify { description = "foreign" }
    end,
    ["member of the pool"] = function()
      bip.ltm.pool["/Common/old"].members["10.0.0.1:81"]:create {}
    end,
    ["virtual server"] = function()
      bip.ltm.virtual["/Common/foreign"]:create { destination = "10.8.0.1:80" }
    end,
    ["virtual server with the same destination"] = function()
      bip.ltm.virtual["/Common/foreign"]:create { destination = "10.9.0.1:80" }
    end,
    ["virtual server with the pool"] = function()
      bip.ltm.virtual["/Common/foreign"]:create {
        destination = "10.8.0.1:80", pool = "/Common/old",
      }
    end,
    ["iRule with the pool"] = function()
      bip.ltm.rule["/Common/foreign"]:create {
        apiAnonymous = "when CLIENT_ACCEPTED { pool old }",
      }
    end,
    ["iRule"] = function()
      bip.ltm.rule["/Common/foreign"]:create {
        apiAnonymous = "when CLIENT_ACCEPTED { pool shop_old }",
      }
    end,
    ["end of the pool"] = function() bip.ltm.pool["/Common/old"]:delete() end,
    ["value of the monitor"] = function()
      bip.ltm.monitor.http["/Common/m"]:modify { interval = 7 }
    end,
    ["end of the monitor"] = function() bip.ltm.monitor.http["/Common/m"]:delete() end,
    user = function()
      bip.auth.user.foreign:create {
        password = "Zq7-vL2m-Xw",
        ["partition-access"] = { { name = "all-partitions", role = "guest" } },
      }
    end,
    provision = function() bip.sys.provision.gtm:modify { level = "nominal" } end,
  }

  local NEW_POOL <const> = [[
bip.ltm.pool["/Common/new"]:create { monitor = "/Common/m", members = { { name = "10.0.0.9:80" } } }
]]
  local VIRTUAL <const> = [[
bip.ltm.virtual["/Common/v"]:create {
  destination = "10.9.0.1:80", pool = "/Common/old", profiles = { "/Common/tcp", "/Common/http" },
}
]]
  local CASES <const> = {
    {
      "a new pool", NEW_POOL,
      applies = { "node", "node in another partition", "monitor", "profile", "pool", "user",
        "virtual server", "description of the pool", "provision" },
      refused = { "node with the same address", "end of the monitor" },
    },
    {
      "a new virtual server", VIRTUAL,
      applies = { "node", "monitor", "profile", "pool", "virtual server", "member of the pool",
        "description of the pool" },
      refused = { "virtual server with the same destination", "end of the pool" },
    },
    {
      "a deletion", 'bip.ltm.pool["/Common/old"]:delete()\n',
      applies = { "node", "monitor", "pool", "virtual server", "iRule" },
      refused = { "virtual server with the pool", "iRule with the pool", "member of the pool",
        "description of the pool" },
    },
    {
      "an object that was read",
      [[
local pool = bip.ltm.pool["/Common/old"]:load()
bip.ltm.pool["/Common/new"]:create { description = pool.description }
]],
      applies = { "node", "pool", "member of the pool", "virtual server with the pool" },
      refused = { "description of the pool" },
    },
    {
      "an object that was asked for",
      [[
if bip.ltm.pool["/Common/old"]:exists() then
  bip.ltm.pool["/Common/new"]:create {}
end
]],
      applies = { "description of the pool", "pool" },
      refused = { "end of the pool" },
    },
    {
      "a list",
      'bip.ltm.pool["/Common/new"]:create { description = "one of " .. #bip.ltm.pool:list() }\n',
      applies = { "node", "virtual server", "member of the pool" },
      refused = { "pool", "description of the pool", "pool of the shop" },
    },
    {
      "a list of names",
      [[
local count = #bip.ltm.pool:list { select = "name" }
bip.ltm.pool["/Common/new"]:create { description = "one of " .. count }
]],
      applies = { "node", "description of the pool" },
      refused = { "pool", "pool of the shop" },
    },
    {
      "a list of one partition",
      [[
local count = #bip.ltm.pool:list { filter = "partition eq Shop" }
bip.ltm.pool["/Common/new"]:create { description = "one of " .. count }
]],
      applies = { "pool", "description of the pool", "node in another partition" },
      refused = { "pool of the shop" },
    },
    {
      "a list with what is inside",
      [[
local count = 0
for _, pool in ipairs(bip.ltm.pool:list { expand = true }) do
  count = count + #(pool.membersReference.items or {})
end
bip.ltm.pool["/Common/new"]:create { description = "with " .. count }
]],
      applies = { "node", "virtual server" },
      refused = { "member of the pool", "pool" },
    },
    {
      "a parent",
      'bip.ltm.monitor.http["/Common/child"]:create { defaultsFrom = "/Common/m" }\n',
      applies = { "node", "monitor" },
      refused = { "value of the monitor", "end of the monitor" },
    },
  }

  for _, case in ipairs(CASES) do
    it(case[1], function()
      plan(case[2])
      local before <const> = device:state()
      for _, name in ipairs(case.refused) do
        device:restore(before)
        OTHERS[name]()
        local done <const> = run { "apply", "change.plan" }
        local said <const> = ("%s\n%s%s"):format(name, done.out, done.err)
        assert.equal(3, done.status, said)
        assert.is_truthy(done.err:find("nothing was sent", 1, true), said)
      end
      device:restore(before)
      for _, name in ipairs(case.applies) do OTHERS[name]() end
      local done <const> = run { "apply", "change.plan" }
      assert.equal(0, done.status, done.out .. done.err)
    end)
  end

  local DOWNLOAD <const> = [[
local ok = pcall(bip.download, bip, "list.txt", "list.txt")
local text = ok and io.open("list.txt"):read "a" or "nothing"
bip.ltm.pool["/Common/new"]:create { description = text }
]]

  local function put_file(bytes)
    place:file("given.txt", bytes)
    bip:upload(place.path .. "/given.txt", { name = "list.txt" })
  end

  it("a file that was downloaded", function()
    put_file "one"
    plan(DOWNLOAD)
    put_file "two"
    local done = run { "apply", "change.plan" }
    assert.equal(3, done.status, done.out)
    assert.matches("playbook.lua:3 downloads this file, and it is another one now", done.out)
    put_file "one"
    done = run { "apply", "change.plan" }
    assert.equal(0, done.status, done.out .. done.err)
    assert.equal("one", bip.ltm.pool["/Common/new"]:load().description)
  end)

  it("a file that did not exist", function()
    plan(DOWNLOAD)
    put_file "one"
    assert.equal(3, run({ "apply", "change.plan" }).status)
  end)

  it("says what is not watched", function()
    put_file(("x"):rep(65 << 20))
    local made <const> = plan(
      'bip:download("list.txt", "list.txt")\nbip:bash("uptime", { changes = false })\n'
        .. 'bip.ltm.pool["/Common/new"]:create {}\n'
    )
    for _, text in ipairs { made.out, run({ "show", "change.plan" }).out } do
      assert.matches(
        "not watched: .-\n  playbook.lua:3  GET [^\n]*/list.txt: a file of 65 MiB is not "
          .. "read again\n  playbook.lua:4  uptime: a command is not run again", text
      )
    end
  end)
end)
