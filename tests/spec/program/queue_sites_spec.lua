-- Two sites, each a network of its own: the devices of a site are reached only there, and both
-- reach the database. Then one loses its way to it.
local core = require "f5.core"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local queue = require "postgres.queue"
local server_of = require "postgres.server"

-- Two networks of Linux, and the links between them and the database. Other specs may run at the
-- same time, so each has a number.
local function site(letter, net, port, number)
  return {
    net = ("f5lua-%s%d"):format(letter, number), link = ("f5lua-l%s%d"):format(letter, number),
    db = ("10.%d.%d.1"):format(net, number), own = ("10.%d.%d.2"):format(net, number), port = port,
  }
end

local SITES <const> = {}

local function run(format, ...)
  return os.execute((format:format(...)) .. " >/dev/null 2>&1")
end

local function remove()
  for _, one in pairs(SITES) do
    run("ip link delete %s", one.link)
    run("ip netns delete %s", one.net)
  end
end

local function connect(one)
  return run("ip link add %s type veth peer name uplink netns %s", one.link, one.net)
    and run("ip address add %s/30 dev %s", one.db, one.link)
    and run("ip link set %s up", one.link)
    and run("ip -n %s address add %s/30 dev uplink", one.net, one.own)
    and run("ip -n %s link set uplink up", one.net)
    and run("ip -n %s link set lo up", one.net)
end

-- Makes the networks. A number whose first network exists belongs to somebody else.
local function make()
  for _ = 1, 20 do
    local number <const> = math.random(1, 254)
    local a <const> = site("a", 201, 8443, number)
    if run("ip netns add %s", a.net) then
      SITES.a, SITES.b = a, site("b", 202, 9443, number)
      local done = connect(a) and run("ip netns add %s", SITES.b.net) and connect(SITES.b)
      if not done then remove() end
      return done
    end
  end
  return false
end

local missing = server_of.missing
if not missing and not make() then missing = "network namespaces cannot be made here" end

local it = missing and function(name) pending(name .. ": " .. missing) end or it

local DEVICES <const> = 4 -- of each site

-- Many writes: each says when it was.
local MANY <const> = [[
  for n = 1, 40 do
    bip.ltm.pool["/Common/p" .. n]:ensure {}
    f5.sleep(0.1)
  end
  return os.getenv "WORKER"
]]

describe("Q2 workers of two sites", function()
  local server, q, place
  local sims = {}

  -- A program in the network of a site.
  local function inside(one)
    local wrapper <const> = "in-" .. one.net
    if not place.known[wrapper] then
      place:file(wrapper, ('#!/bin/sh\nexec ip netns exec %s %s "$@"\n'):format(one.net,
        program.path))
      os.execute("chmod +x " .. place.path .. "/" .. wrapper)
      place.known[wrapper] = true
    end
    return place.path .. "/" .. wrapper
  end

  local function start_devices(name)
    local one <const> = SITES[name]
    sims[name] = program.start({
      "sim", "--fleet", tostring(DEVICES), "--port", tostring(one.port), "--ca-file",
      place.path .. "/" .. name .. ".pem", "--log", place.path .. "/" .. name .. ".log",
    }, { program = inside(one) })
    sims[name]:expect "simulated BIG%-IPs"
  end

  setup(function()
    if missing then return end
    place = lab.scratch()
    place.known = {}
    server = server_of.start {
      listen = SITES.a.db .. "," .. SITES.b.db, hba = "host all all 10.0.0.0/8 trust\n",
    }
    for name in pairs(SITES) do start_devices(name) end
  end)
  teardown(function()
    if missing then return end
    for _, sim in pairs(sims) do
      sim:kill "TERM"
      sim:wait()
    end
    server:stop()
    remove()
  end)
  before_each(function() if not missing then q = queue.new(server) end end)
  after_each(function() if q then q:close() end end)

  local function devices(name, count)
    local list = {}
    for n = 1, count or DEVICES do
      list[n] = {
        name = ("%s%d"):format(name, n), host = "127.0.0." .. n, port = SITES[name].port,
        ca = place.path .. "/" .. name .. ".pem", username = "admin",
        password_env = "DEVICE_PASSWORD", timeout = 1, tags = { name },
      }
    end
    return list
  end

  local function worker(name, ...)
    local one <const> = SITES[name]
    local address <const> = ("host=%s port=%d user=admin dbname=%s"):format(one.db, server.port,
      q.address:match "dbname='([^']*)'")
    return program.start({
      "worker", "--queue", address, "--tags", name, "--lease", "10", ...,
    }, {
      program = inside(one), env = { DEVICE_PASSWORD = "admin", WORKER = name },
    })
  end

  -- The writes in the log of a site: { { at, line }, … }.
  local function writes(name)
    local list = {}
    for line in io.lines(place.path .. "/" .. name .. ".log") do
      if line:find " POST /mgmt/tm/ltm/pool" or line:find '"POST".*/mgmt/tm/ltm/pool' then
        list[#list + 1] = line
      end
    end
    return list
  end

  it("carry out the jobs of their own site only", function()
    local list = devices "a"
    table.move(devices "b", 1, DEVICES, DEVICES + 1, list)
    local run_id = q:submit("return { os.getenv 'WORKER', #bip.ltm.pool:list() }", list)
    local a <close> = worker("a", "--once")
    assert.equal(0, a:wait(60).status)
    -- Those of b wait: nobody has tried them.
    assert.same({ done = DEVICES, waiting = DEVICES }, q:states(run_id))
    assert.equal(DEVICES, q.db:row("select count(*) as n from attempts where run = $1", run_id).n)
    local b <close> = worker("b", "--once")
    assert.equal(0, b:wait(60).status)
    assert.same({ done = 2 * DEVICES }, q:states(run_id))
    for _, row in ipairs(q.db:query("select device, result from jobs where run = $1", run_id)) do
      assert.equal(row.device:sub(1, 1), json.decode(row.result)[1])
    end
  end)

  it("that lose their way to the database write no more, and go on later", function()
    local run_id = q:submit(MANY, devices("b", 2))
    local b <close> = worker "b"
    lab.wait("writes", function() return #writes "b" >= 6 end)
    assert(run("ip link set %s down", SITES.b.link))
    core.real_sleep(1.5) -- what was under way comes to its end
    local seen <const> = #writes "b"
    core.real_sleep(12) -- longer than the lease
    assert.equal(seen, #writes "b", "a write without the database")
    assert(run("ip link set %s up", SITES.b.link))
    local ended <const> = q:ended(run_id, 90)
    assert.equal("done", ended.state)
    assert.is_true(#writes "b" > seen)
    assert.same({ done = 2 }, q:states(run_id))
    local _, err = b:output()
    assert.matches("abandoned: its lease could not be renewed in time", err)
    assert.equal(2, q.db:row([[select count(*) as n from attempts
      where run = $1 and outcome = 'lease lost']], run_id).n)
  end)
end)
