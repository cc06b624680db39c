-- bip:snapshot: what is in a snapshot, what is not, and what a device can do against it.
local every_kind = require "walk.every_kind"
local f5 = require "f5"
local file = require "f5.state.file"
local json = require "f5.json"
local lab = require "lab"
local lfs = require "lfs"
local sim = require "f5.sim"

local CONF <const> = "../shared/data/conf/device"

local SEED <const> = {
  provision = { "ltm" },
  objects = {
    ["/mgmt/tm/auth/partition"] = { { name = "Shop" } },
    ["/mgmt/tm/ltm/pool"] = {
      {
        name = "web", monitor = "/Common/http",
        members = { { name = "10.0.0.1:80" }, { name = "10.0.0.2:80" } },
      },
      { name = "shop", partition = "Shop" },
    },
    ["/mgmt/tm/ltm/monitor/http"] = {
      {
        name = "secret", password = "pl4nted-Secret", username = "u",
        send = "GET /\\r\\nAuthorization: Basic cGw0bnRlZA==\\r\\n\\r\\n",
      },
    },
    ["/mgmt/tm/sys/snmp"] = { trapCommunity = "pl4nted-Community" },
    ["/mgmt/tm/ltm/policy"] = {
      {
        name = "p", legacy = true, strategy = "/Common/first-match",
        rules = {
          {
            name = "r", ordinal = 1,
            actions = { { name = "0", forward = true, select = true, pool = "/Common/web" } },
            conditions = { { name = "0", httpUri = true, path = true, values = { "/x" } } },
          },
        },
      },
    },
  },
}

-- The objects of a state as "path name".
local function names(state, path)
  local list = {}
  for _, key in ipairs((state.by_path[path] or { keys = {} }).keys) do list[#list + 1] = key end
  return table.concat(list, " ")
end

local function body(state, path, key)
  return (state:body(assert(state.by_path[path], path), key or ""))
end

describe("S1 a snapshot", function()
  local device, bip, directory
  before_each(function()
    device, bip = lab.start({ seed = SEED }, { retries = lab.RETRIES })
    directory = lab.scratch()
  end)
  after_each(function() lab.stop(bip, device, directory) end)

  it("has the configuration, with sub-collections inside of their objects", function()
    local state = bip:snapshot()
    local pool = body(state, "/mgmt/tm/ltm/pool", "/Common/web")
    assert.equal("/Common/http", pool.monitor)
    assert.equal("10.0.0.1:80", pool.members[1].name)
    assert.same({ "user-up", "user-enabled" }, { pool.members[1].state, pool.members[1].session })
    for _, name in ipairs { "kind", "selfLink", "generation", "membersReference", "fullPath" } do
      assert.is_nil(pool[name], name)
    end
    local policy = body(state, "/mgmt/tm/ltm/policy", "/Common/p")
    assert.equal("/Common/web", policy.rules[1].actions[1].pool)
    assert.equal("/x", policy.rules[1].conditions[1].values[1])
    assert.is_nil(body(state, "/mgmt/tm/ltm/policy", "/Common/p").lastModified)
    assert.is_table(body(state, "/mgmt/tm/sys/ntp"))
    assert.is_nil(state.by_path["/mgmt/tm/sys/clock"], "statistics")
    assert.is_true(state.left_out.complete)
    assert.equal("17.1.3", state.header.device.version)
  end)

  it("only reads, and leaves AS3 alone", function()
    device:clear_log()
    bip:snapshot()
    for _, call in ipairs(device:log()) do
      assert.equal("GET", call.method, call.path)
      assert.is_nil(call.path:find("appsvcs", 1, true))
    end
  end)

  it("never has secrets, and says where they were", function()
    bip.auth.user:create {
      name = "ops", password = "pl4nted-User", ["partition-access"] = {
        { name = "all-partitions", role = "guest" },
      },
    }
    local path = directory.path .. "/s.json"
    local written = bip:snapshot { file = path }
    local text = directory:read "s.json"
    assert.is_nil(text:find("pl4nted", 1, true))
    assert.is_nil(text:find("cGw0bnRlZA", 1, true))
    assert.is_nil(text:find("$M$", 1, true))
    assert.is_nil(text:find("$6$", 1, true))
    local secrets = written.left_out.secrets
    assert.same({ "password", "send" }, secrets["/mgmt/tm/ltm/monitor/http/~Common~secret"])
    assert.same({ "encryptedPassword" }, secrets["/mgmt/tm/auth/user/ops"])
    local community = "communities[/Common/comm-public].communityName"
    assert.same({ community, "trapCommunity" }, secrets["/mgmt/tm/sys/snmp"])
    assert.same("rw-------", lfs.attributes(path, "permissions"))
  end)

  it("is the same file for an unchanged device, also with small pages", function()
    bip:snapshot { file = directory.path .. "/a" }
    bip:snapshot { file = directory.path .. "/b", page = 3, parallel = 1 }
    local function rest(name) return directory:read(name):gsub("^[^\n]*\n", "") end
    assert.equal(rest "a", rest "b")
    assert.equal(0, #f5.diff(directory.path .. "/a", bip).differences)
  end)

  it("can be of some paths, of one object, and of a partition", function()
    local state = bip:snapshot { paths = { "ltm/pool", "/mgmt/tm/sys/ntp" } }
    assert.equal(2, #state.collections)
    assert.equal("/Common/web /Shop/shop", names(state, "/mgmt/tm/ltm/pool"))
    state = bip:snapshot { paths = "ltm/pool/~Common~web" }
    assert.equal("/Common/web", names(state, "/mgmt/tm/ltm/pool"))
    state = bip:snapshot { partition = "Shop" }
    assert.equal("/Shop/shop", names(state, "/mgmt/tm/ltm/pool"))
    assert.equal("Shop", names(state, "/mgmt/tm/auth/partition"))
    assert.equal("", names(state, "/mgmt/tm/ltm/profile/tcp"))
    assert.is_nil(state.by_path["/mgmt/tm/sys/ntp"])
    lab.fails("usage", bip.snapshot, bip, { paths = "/mgmt/shared/echo" })
    lab.fails("usage", bip.snapshot, bip, { path = "ltm" })
    lab.fails("usage", bip.snapshot, bip, { page = 0 })
  end)

  it("keeps names with special characters apart", function()
    local records = { "a b", "100%", "x*y", "with/slash", "~tilde" }
    local list = {}
    for i, name in ipairs(records) do list[i] = { name = name, data = tostring(i) } end
    bip.ltm["data-group"].internal:create { name = "special", type = "string", records = list }
    bip.net["route-domain"]:create { name = "7", id = 7 }
    bip.ltm.node:create { name = "n1", address = "10.9.0.1%7" }
    bip.ltm["virtual-address"]:create { name = "10.9.0.9%7", address = "10.9.0.9%7" }
    local path = directory.path .. "/s.json"
    bip:snapshot { file = path, paths = "ltm" }
    local state = file.read(path)
    local group = body(state, "/mgmt/tm/ltm/data-group/internal", "/Common/special")
    assert.equal(#records, #group.records)
    assert.equal("10.9.0.1%7", body(state, "/mgmt/tm/ltm/node", "/Common/n1").address)
    assert.is_table(body(state, "/mgmt/tm/ltm/virtual-address", "/Common/10.9.0.9%7"))
    assert.equal(
      "/mgmt/tm/ltm/virtual-address/~Common~10.9.0.9%257",
      state.path_of(state.by_path["/mgmt/tm/ltm/virtual-address"], "/Common/10.9.0.9%7")
    )
  end)
end)

describe("S1 a snapshot of a device that", function()
  local device, bip
  before_each(function()
    local objects = {}
    for i = 1, 40 do
      objects[i] = { name = ("p%02d"):format(i), members = { { name = "10.0.0.1:" .. i } } }
    end
    device, bip = lab.start(
      { seed = { objects = { ["/mgmt/tm/ltm/pool"] = objects } } }, { retries = lab.RETRIES }
    )
  end)
  after_each(function()
    device:clear_faults()
    lab.stop(bip, device)
  end)

  local ONLY <const> = { paths = "ltm/pool" }

  local function check_pools(state)
    assert.equal(40, #state.by_path["/mgmt/tm/ltm/pool"].keys)
    for i = 1, 40 do
      local pool = body(state, "/mgmt/tm/ltm/pool", ("/Common/p%02d"):format(i))
      assert.equal("10.0.0.1:" .. i, pool.members[1].name)
    end
  end

  it("needs too long for a page is asked for smaller ones", function()
    for _, top in ipairs { 16, 8, 4 } do
      device:fault {
        kind = "timeout_exception", times = 1,
        match = { path = "ltm/pool$", query = "%$top=" .. top .. "%f[^%d]" },
      }
    end
    local state = bip:snapshot { paths = "ltm/pool", page = 16 }
    check_pools(state)
    assert.is_true(state.left_out.complete)
  end)

  it("never answers with sub-collections is asked for each", function()
    device:fault {
      kind = "timeout_exception", times = 1000,
      match = { path = "ltm/pool$", query = "expandSubcollections=true" },
    }
    check_pools(bip:snapshot(ONLY))
  end)

  it("leaves sub-collections out of its answers is found out", function()
    local items = json.array {}
    for i = 1, 40 do
      local link = ("https://localhost/mgmt/tm/ltm/pool/~Common~p%02d"):format(i)
      items[i] = {
        kind = "tm:ltm:pool:poolstate", name = ("p%02d"):format(i), partition = "Common",
        fullPath = ("/Common/p%02d"):format(i), selfLink = link,
        membersReference = { link = link .. "/members", isSubcollection = true },
      }
    end
    device:fault {
      status = 200, match = { path = "ltm/pool$" }, times = 2,
      body = { kind = "tm:ltm:pool:poolcollectionstate", items = items },
    }
    local state = bip:snapshot { paths = "ltm/pool", page = 20, parallel = 1 }
    check_pools(state)
    assert.is_true(state.left_out.complete)
  end)

  it("shows no sub-collections of later objects only is not passed off as complete", function()
    local items = json.array {}
    for i = 1, 40 do
      local link = ("https://localhost/mgmt/tm/ltm/pool/~Common~%s%02d"):format(
        i < 25 and "none" or "p", i
      )
      items[i] = {
        kind = "tm:ltm:pool:poolstate", name = link:match "~([^~]+)$", partition = "Common",
        selfLink = link, membersReference = { link = link .. "/members", isSubcollection = true },
      }
    end
    device:fault {
      status = 200, match = { path = "ltm/pool$" }, times = 2,
      body = { kind = "tm:ltm:pool:poolcollectionstate", items = items },
    }
    device:fault {
      status = 200, match = { path = "/~Common~none%d+/members$" }, times = 40,
      body = { kind = "tm:ltm:pool:members:memberscollectionstate" },
    }
    local state = bip:snapshot { paths = "ltm/pool", page = 20, parallel = 1 }
    -- the 25th is looked at again, and has members: some before it may have been missed
    assert.is_false(state.left_out.complete)
    assert.equal("/mgmt/tm/ltm/pool/members", state.left_out.unread[1].path)
    assert.equal(
      "10.0.0.1:40", body(state, "/mgmt/tm/ltm/pool", "/Common/p40").members[1].name
    )
  end)

  it("refuses one collection is reported, and the rest is there", function()
    device:fault {
      status = 403, times = 100, match = { path = "ltm/pool$" },
      body = { code = 403, message = "01070822:3: Access Denied" },
    }
    local state = bip:snapshot { paths = { "ltm/pool", "ltm/node" } }
    assert.is_false(state.left_out.complete)
    assert.equal("/mgmt/tm/ltm/pool", state.left_out.unread[1].path)
    assert.matches("Access Denied", state.left_out.unread[1].reason)
    assert.equal(1, #state.by_path["/mgmt/tm/ltm/node"].keys)
    assert.is_nil(state.by_path["/mgmt/tm/ltm/pool"])
  end)

  it("lists a path that it does not have is asked for the others", function()
    device:fault {
      status = 404, times = 1000, match = { path = "ltm/snat$" },
      body = { code = 404, message = "Public URI path not registered: /tm/ltm/snat" },
    }
    local state = bip:snapshot { paths = { "ltm/snat", "ltm/pool" } }
    check_pools(state)
    assert.equal("/mgmt/tm/ltm/snat", state.left_out.unread[1].path)
    assert.is_false(state.left_out.complete)
    device:fault {
      status = 404, times = 1000, match = { path = "^/mgmt/tm/" },
      body = { code = 404, message = "Public URI path not registered: /tm/x" },
    }
    local err <const> = lab.failure(bip.snapshot, bip, { paths = { "ltm/pool" } })
    assert.is_true(err.kind == "not_ready" or err.kind == "not_found", err.kind)
  end)

  it("fails in the middle makes no snapshot", function()
    local directory <close> = lab.scratch()
    local path = directory.path .. "/s.json"
    device:fault { reset = true, times = 100, match = { path = "ltm/pool$" } }
    lab.fails("transport", bip.snapshot, bip, { file = path, paths = { "ltm/node", "ltm/pool" } })
    for name in lfs.dir(directory.path) do assert.matches("^%.", name) end
    device:clear_faults()
    device:fault { kind = "token_expired", times = 1, match = { path = "ltm/pool$" } }
    check_pools(bip:snapshot(ONLY)) -- one token less is no failure
    device:fault { kind = "mcpd_lost", times = 2, match = { path = "ltm/pool$" } }
    check_pools(bip:snapshot(ONLY))
  end)

  it("is dead is given up after a few timeouts", function()
    device:fault { kind = "timeout_exception", times = 1000, match = { path = "^/mgmt/tm/ltm" } }
    lab.fails("timeout", bip.snapshot, bip, {
      paths = { "ltm/pool", "ltm/node", "ltm/rule", "ltm/virtual", "ltm/snat" },
    })
    assert.is_true(#device:log() < 30, tostring(#device:log()))
  end)

  it("changes meanwhile is read until nothing is missing", function()
    local deleted
    local state = bip:snapshot {
      paths = "ltm/pool", page = 10, parallel = 1,
      progress = function(count)
        if count == 10 and not deleted then
          deleted = true -- all others move forward by one
          bip.ltm.pool["/Common/p01"]:delete()
        end
      end,
    }
    assert.is_true(deleted)
    assert.equal("/mgmt/tm/ltm/pool", state.left_out.unsteady[1])
    check_pools(state) -- p01 was there when it was read
  end)

  it("deletes an object before its elements are read is no fault", function()
    device:fault {
      kind = "timeout_exception", times = 1000,
      match = { path = "ltm/pool$", query = "expandSubcollections=true" },
    }
    local missing <const> = { code = 404, message = "The requested Pool was not found." }
    device:fault {
      status = 404, times = 1000, body = missing, match = { path = "/~Common~p05/members$" },
    }
    local state = bip:snapshot(ONLY)
    assert.is_false(state.left_out.complete, "the pool is there")
    assert.equal("/mgmt/tm/ltm/pool/~Common~p05", state.left_out.unread[1].path)
    device:fault { status = 404, times = 1000, body = missing, match = { path = "/~Common~p05$" } }
    state = bip:snapshot(ONLY)
    assert.is_true(state.left_out.complete)
    assert.same({ "/mgmt/tm/ltm/pool" }, { table.unpack(state.left_out.unsteady) })
    assert.equal(39, #state.by_path["/mgmt/tm/ltm/pool"].keys)
  end)

  it("lies about its links is not followed in circles", function()
    local function link(path) return { reference = { link = "https://localhost" .. path } } end
    device:fault {
      status = 200, match = { path = "^/mgmt/tm/ltm$" }, times = 10,
      body = {
        kind = "tm:ltm:ltmcollectionstate",
        items = {
          link "/mgmt/tm/ltm", link "/mgmt/tm/ltm/pool?ver=17.1.3", link "/mgmt/tm/ltm/pool",
          link "/mgmt/tm/ltm/../../shared/echo", link "/mgmt/shared/echo", link "/mgmt/tm/sys/ntp",
          { reference = { link = 7 } }, { reference = "x" },
        },
      },
    }
    device:clear_log()
    local state = bip:snapshot { paths = "ltm" }
    assert.equal(40, #state.by_path["/mgmt/tm/ltm/pool"].keys)
    assert.equal(1, #state.collections)
    assert.equal(6, #state.left_out.unread)
    for _, call in ipairs(device:log()) do
      assert.is_nil(call.path:find("echo", 1, true))
    end
  end)

  it("answers nonsense is reported", function()
    for i, answer in ipairs {
      { items = "x" }, { items = { a = 1 } }, { items = { 1, 2 }, totalItems = 2 },
      { kind = "x", items = { { noName = true } }, totalItems = 1 },
    } do
      device:fault { status = 200, times = 3, match = { path = "ltm/rule$" }, body = answer }
      local state = bip:snapshot { paths = "ltm/rule" }
      assert.is_false(state.left_out.complete, "answer " .. i)
      device:clear_faults()
    end
    device:fault { kind = "html_page", times = 20, match = { path = "ltm/rule$" } }
    assert.is_false(bip:snapshot({ paths = "ltm/rule" }).left_out.complete)
  end)
end)

describe("S1 a snapshot as a seed", function()
  -- The differences between a device and the device that is made from its snapshot.
  local function round_trip(options)
    local directory <close> = lab.scratch()
    local first, second = directory.path .. "/1.json", directory.path .. "/2.json"
    local written
    do
      local device <close> = sim.start(options)
      local bip <close> = lab.connect(device)
      written = bip:snapshot { file = first }
      assert.is_true(written.complete)
      assert.equal(0, device:problems())
    end
    local device <close> = sim.start { seed = json.decode(directory:read "1.json") }
    local bip <close> = lab.connect(device)
    bip:snapshot { file = second }
    local report = f5.diff(first, second)
    assert.equal("", #report.differences > 0 and tostring(report) or "")
    assert.is_true(report.equal >= written.objects)
    assert.equal(0, device:problems())
  end

  it("makes the same device, with an object of every kind", function()
    local directory <close> = lab.scratch()
    do
      local device, bip = every_kind.start()
      local made = 0
      every_kind.walk(function(template, node, path)
        if not every_kind.can_be_made(template, node) then return nil end
        local properties = every_kind.body(template)
        properties.name = every_kind.name(template)
        local answer = bip:request("POST", path, { body = properties, raw = true, quiet = true })
        local object = answer.status == 200 and json.decode(answer.body)
        if not object then return nil end
        made = made + 1
        local name = object.fullPath or object.name or object.id
        return path .. "/" .. name:gsub("/", "~"):gsub("%%", "%%25")
      end)
      assert.is_true(made > 500, tostring(made))
      local written = bip:snapshot { file = directory.path .. "/1.json" }
      assert.is_true(written.complete, json.encode(written.left_out.unread))
      assert.is_true(written.objects > made)
      lab.stop(bip, device)
    end
    local device <close> = sim.start { seed = json.decode(directory:read "1.json") }
    local bip <close> = lab.connect(device)
    local report = f5.diff(directory.path .. "/1.json", bip)
    assert.equal("", #report.differences > 0 and tostring(report) or "")
    assert.equal("", table.concat(device:remarks(), "\n"))
    assert.equal(0, device:problems())
  end)

  it("keeps what the simulator does not know, and says so", function()
    local seed = {
      snapshot = { format = 1, device = { hostname = "other.example.net" }, asked = {} },
      left_out = { complete = true },
      objects = {
        ["/mgmt/tm/ltm/future-thing"] = {
          { name = "x", partition = "Common", mode = "new", parts = { { name = "a" } } },
        },
        ["/mgmt/tm/novel/settings"] = { level = 4 },
        ["/mgmt/tm/ltm/pool"] = { { name = "web", partition = "Common", novelty = "kept" } },
        ["/mgmt/tm/net/route-domain"] = {
          { name = "0", partition = "Common", id = 0, vlans = { "/Common/nowhere" } },
        },
        ["/mgmt/tm/services"] = json.array {},
      },
    }
    local device <close> = sim.start { seed = seed }
    local bip <close> = lab.connect(device)
    assert.equal("new", bip:at("ltm/future-thing", "/Common/x"):load().mode)
    assert.equal("other.example.net", bip.sys["global-settings"]:load().hostname)
    local remarks = table.concat(device:remarks(), "\n")
    assert.matches("ltm/future%-thing: this kind is not simulated", remarks)
    assert.matches("novel/settings: this kind is not simulated", remarks)
    local state = bip:snapshot()
    assert.equal(4, body(state, "/mgmt/tm/novel/settings").level)
    assert.equal("a", body(state, "/mgmt/tm/ltm/future-thing", "/Common/x").parts[1].name)
    assert.equal("kept", body(state, "/mgmt/tm/ltm/pool", "/Common/web").novelty)
    local saved <close> = sim.start { seed = device:state() }
    local again <close> = lab.connect(saved)
    assert.equal("new", again:at("ltm/future-thing", "/Common/x"):load().mode)
  end)

  it("adds no defaults, and lets its users in", function()
    local device <close> = sim.start {
      seed = {
        snapshot = { format = 1, device = {}, asked = {} },
        left_out = { complete = true },
        objects = {
          ["/mgmt/tm/auth/user"] = { { name = "admin", description = "of another version" } },
          ["/mgmt/tm/ltm/profile/http"] = {
            { name = "old", partition = "Common", enforcement = { maxHeaderCount = 32 } },
          },
          ["/mgmt/tm/ltm/profile/client-ssl"] = {
            {
              name = "old", partition = "Common",
              certKeyChain = { { name = "default", cert = "/Common/default.crt" } },
            },
          },
        },
      },
    }
    local bip <close> = lab.connect(device)
    local state = bip:snapshot { paths = { "ltm/profile/http", "ltm/profile/client-ssl" } }
    assert.same(
      { name = "old", partition = "Common", enforcement = { maxHeaderCount = 32 } },
      body(state, "/mgmt/tm/ltm/profile/http", "/Common/old")
    )
    assert.same(
      { name = "default", cert = "/Common/default.crt" },
      body(state, "/mgmt/tm/ltm/profile/client-ssl", "/Common/old").certKeyChain[1]
    )
  end)

  it("keeps the folder of a log destination", function()
    local device <close> = sim.start()
    local bip <close> = lab.connect(device)
    bip.auth.partition:create { name = "T" }
    bip.sys.folder:create { name = "A", partition = "T" }
    bip.sys["log-config"].destination["local-syslog"]:create { name = "/T/A/d" }
    bip.sys["log-config"].publisher:create {
      name = "/T/A/p", destinations = { { name = "d", partition = "T", subPath = "A" } },
    }
    assert.equal("A", bip.sys["log-config"].publisher["/T/A/p"]:load().destinations[1].subPath)
  end)

  local folders <const> = {
    { "dev-a/bigip_base.conf", "dev-a/bigip.conf" }, { "dev-d/saved.scf" }, { "dev-c/bigip.conf" },
    { "dev-h/bigip_base.conf", "dev-h/bigip.conf" },
    { "dev-j/bigip_base.conf", "dev-j/bigip.conf" },
  }
  for i, files in ipairs(folders) do
    it("holds the saved configuration " .. files[#files], function()
      local conf = {}
      for j, name in ipairs(files) do
        local opened = io.open(CONF .. "/" .. name, "rb")
        if not opened then return pending "the texts are not on this machine" end
        if i > 2 and not lab.slow then return pending "only with --slow" end
        conf[j] = { name = name, text = opened:read "a" }
        opened:close()
      end
      round_trip { seed = { conf = conf }, provision = { "ltm", "gtm", "asm", "apm", "afm" } }
    end)
  end

  for _, folder in ipairs { "extracts/as3", "extracts/misc", "syntax/derived", "syntax/planner" } do
    it("holds all configuration texts of " .. folder .. " at once", function()
      local path <const> = CONF:gsub("[^/]*$", folder)
      if not lfs.attributes(path) then return pending "the texts are not on this machine" end
      if not lab.slow then return pending "only with --slow" end
      local files <const>, conf = f5.files(path, "*.conf"), {}
      for i, name in ipairs(files) do
        local opened <close> = assert(io.open(name, "rb"))
        conf[i] = { name = name, text = opened:read "a" }
      end
      local modules <const> = { "ltm", "gtm", "asm", "apm", "afm", "pem" }
      round_trip { seed = { conf = conf }, provision = modules }
    end)
  end
end)
