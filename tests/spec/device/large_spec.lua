-- Large requests. One thread serves all clients, so the work for an object must not grow with the
-- number of objects, and nobody may see half of a write.
local f5 = require "f5"
local sim = require "f5.sim"

local FEW <const>, TIMES <const> = 100, 8
-- What grows with the square of the objects takes 64 times as long. Processor time is compared, and
-- the best of several tries for the few objects, so a busy machine does not count.
local MAX_GROWTH <const> = 28
local TRIES <const> = 3
-- So little time is not compared: there is always some work beside the objects.
local NOISE <const> = 0.03
local ROOT <const> = "/mgmt/tm/"

local function address(i) return ("10.%d.%d.%d"):format(i // 65536, i // 256 % 256, i % 256) end

local function members(count, first)
  local list <const> = {}
  for i = 1, count do list[i] = { name = address((first or 0) + i) .. ":80" } end
  return list
end

local function records(count)
  local list <const> = {}
  for i = 1, count do list[i] = { name = address(count - i), data = "x" } end
  return list
end

-- A configuration text with so many pools, each with a virtual server.
local function scf(count)
  local parts <const> = { "#TMSH-VERSION: 17.1.3\n" }
  for i = 1, count do
    parts[#parts + 1] = ([[
ltm pool /Common/p%d {
    members {
        /Common/%s:80 {
            address %s
        }
    }
    monitor /Common/http
}
ltm virtual /Common/v%d {
    destination /Common/192.0.2.1:%d
    ip-protocol tcp
    pool /Common/p%d
    profiles {
        /Common/tcp { }
    }
}
]]):format(i, address(i), address(i), i, i + 1000, i)
  end
  return table.concat(parts)
end

describe("simulated device: large requests", function()
  local device, bip

  local function start()
    device = sim.start {}
    local options <const> = device:options "admin"
    options.auth = "basic"
    bip = f5.connect(options)
  end

  local function stop()
    bip:close()
    device:stop()
  end

  before_each(start)
  after_each(stop)

  local function send(method, path, body)
    return bip:request(method, ROOT .. path, body and { body = body } or {})
  end

  local function bash(command)
    local answer <const> = send("POST", "util/bash", {
      command = "run", utilCmdArgs = "-c '" .. command .. "'",
    })
    return answer.commandResult
  end

  local function make_pool(count)
    send("POST", "ltm/pool", { name = "big", members = members(count) })
  end

  local function load_text(count)
    local name <const> = os.tmpname()
    local file <close> = assert(io.open(name, "w"))
    assert(file:write(scf(count)))
    file:flush()
    bip:upload(name, { name = "big.scf" })
    os.remove(name)
    send("POST", "sys/config", {
      command = "load",
      options = { { merge = true }, { file = "/var/config/rest/downloads/big.scf" } },
    })
  end

  -- The processor time of `run(count)`, on a new device where `prepare(count)` was called before.
  local function seconds(count, prepare, run)
    stop()
    start()
    prepare(count)
    collectgarbage()
    local before <const> = os.clock()
    run(count)
    return os.clock() - before
  end

  local function grows_slowly(label, prepare, run)
    local least = math.huge
    for _ = 1, TRIES do least = math.min(least, seconds(FEW, prepare, run)) end
    local limit <const> = math.max(least, NOISE / TIMES) * MAX_GROWTH
    local most = seconds(FEW * TIMES, prepare, run)
    for _ = 2, TRIES do
      if most > limit then most = math.min(most, seconds(FEW * TIMES, prepare, run)) end
    end
    assert.is_true(most <= limit, ("%s: %.3f s for %d objects, %.3f s for %d times as many"):format(
      label, least, FEW, most, TIMES
    ))
  end

  local function nothing() end

  it("make, replace and remove members in time that grows with their number", function()
    grows_slowly("create", nothing, make_pool)
    grows_slowly("replace", make_pool, function(count)
      send("PATCH", "ltm/pool/big", { members = members(count, 7) })
      assert.equal(count, #send("GET", "ltm/pool/big/members?$select=name").items)
    end)
    grows_slowly("delete", make_pool, function()
      send("DELETE", "ltm/pool/big")
      send("DELETE", "ltm/node?options=10.*")
    end)
    assert.is_nil(send("GET", "ltm/node").items[1])
  end)

  it("sort the records of a data group once", function()
    grows_slowly("records", nothing, function(count)
      send("POST", "ltm/data-group/internal", {
        name = "d", type = "ip", records = records(5 * count),
      })
    end)
    local kept <const> = send("GET", "ltm/data-group/internal/d").records
    assert.equal(5 * FEW * TIMES, #kept)
    local function number_of(record)
      local a, b, c <const> = record.name:match "^10%.(%d+)%.(%d+)%.(%d+)/32$"
      return tonumber(a) << 16 | tonumber(b) << 8 | tonumber(c)
    end
    for i, record in ipairs(kept) do assert.equal(i - 1, number_of(record)) end
  end)

  it("load and save configurations in time that grows with their objects", function()
    grows_slowly("load a text", nothing, load_text)
    grows_slowly("save a text", load_text, function()
      send("POST", "sys/config", { command = "save", options = { { file = "all" } } })
    end)
    grows_slowly("save and load an archive", load_text, function(count)
      send("POST", "sys/ucs", { command = "save", name = "a.ucs" })
      send("PATCH", "ltm/pool/p1", { description = "changed" })
      send("POST", "sys/ucs", { command = "load", name = "a.ucs" })
      assert.is_nil(send("GET", "ltm/pool/p1").description)
      assert.equal(count, #send("GET", "ltm/virtual?$select=name").items)
    end)
    grows_slowly("delete all", load_text, function()
      bash "tmsh delete ltm virtual all"
      assert.is_nil(send("GET", "ltm/virtual").items[1])
    end)
  end)

  it("list whole collections in time that grows with their objects", function()
    for _, path in ipairs {
      "ltm/virtual?expandSubcollections=true", "ltm/pool/stats",
      "ltm/node?$filter=partition eq Common",
    } do
      grows_slowly(path, load_text, function() send("GET", (path:gsub(" ", "%%20"))) end)
    end
    grows_slowly("tmsh list", load_text, function(count)
      local text <const> = bash "tmsh list ltm pool one-line"
      assert.equal(count, select(2, text:gsub("\n", "")))
    end)
  end)

  it("show nobody half of a write", function()
    local count <const> = FEW * TIMES
    local other <const> = f5.connect(device:options "admin")
    other.sys.ntp:load()
    local done = false
    local writer <const> = f5.spawn(function()
      make_pool(count)
      done = true
    end)
    local seen <const> = {}
    while not done do
      local found <const> = other:request("GET", ROOT .. "ltm/node?$select=name").items
      seen[#found] = true
      f5.sleep(0.001)
    end
    writer:join()
    seen[0], seen[count] = nil, nil
    assert.same({}, seen)
    other:close()
  end)
end)
