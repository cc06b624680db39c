-- Files on the simulated device: uploads and downloads in chunks.
local curl = require "curl"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local function shell(line)
  local pipe <const> = assert(io.popen(line))
  local text <const> = pipe:read "a"
  pipe:close()
  return text
end

local MIB <const> = 1 << 20

describe("simulated device: files", function()
  local device

  before_each(function() device = sim.start {} end)
  after_each(function() lab.stop(device) end)

  local function send(uri, first, last, total, bytes)
    return curl {
      device,
      "POST",
      uri,
      body = bytes,
      headers = {
        ["Content-Type"] = "application/octet-stream",
        ["Content-Range"] = ("%d-%d/%d"):format(first, last, total),
      },
    }
  end

  local function receive(uri, range)
    return curl { device, "GET", uri, headers = { ["Content-Range"] = range } }
  end

  local TARGETS <const> = {
    {
      "/mgmt/shared/file-transfer/uploads/",
      "/mgmt/shared/file-transfer/uploads/",
      "/var/config/rest/downloads/",
    },
    {
      "/mgmt/shared/file-transfer/ucs-uploads/",
      "/mgmt/shared/file-transfer/ucs-downloads/",
      "/var/local/ucs/",
    },
    {
      "/mgmt/cm/autodeploy/software-image-uploads/",
      "/mgmt/cm/autodeploy/software-image-downloads/",
      "/shared/images/",
    },
  }

  it("G45 takes and gives files at every target", function()
    for _, target in ipairs(TARGETS) do
      local answer = send(target[1] .. "a%20b.bin", 0, 4, 5, "hello")
      assert.equal(200, answer.status)
      local body = answer.json
      assert.same(
        { 0, 5, target[3] .. "a b.bin", target[3] .. "tmp/a b.bin", 0 },
        {
          body.remainingByteCount, body.totalByteCount, body.localFilePath, body.temporaryFilePath,
          body.generation,
        }
      )
      assert.same({ ["0"] = 5 }, body.usedChunks)
      local back = receive(target[2] .. "a%20b.bin", "0-4/5")
      assert.same(
        { 200, "hello", "0-4/5" },
        { back.status, back.body, back.headers["content-range"] }
      )
      assert.equal("application/octet-stream", back.headers["content-type"])
      assert.equal(404, receive(target[2] .. "nope", "0-4/5").status)
    end
  end)

  it("G45 puts chunks together, also out of order and twice", function()
    local uri = "/mgmt/shared/file-transfer/uploads/big.bin"
    local one, two, three = ("a"):rep(MIB), ("b"):rep(MIB), ("c"):rep(17)
    local total = 2 * MIB + 17
    assert.equal(total - MIB, send(uri, 0, MIB - 1, total, one).json.remainingByteCount)
    assert.equal(404, receive(uri, "0-0/1").status)
    assert.equal(MIB, send(uri, 2 * MIB, total - 1, total, three).json.remainingByteCount)
    assert.equal(MIB, send(uri, 2 * MIB, total - 1, total, three).json.remainingByteCount)
    assert.equal(0, send(uri, MIB, 2 * MIB - 1, total, two).json.remainingByteCount)
    local first = receive(uri, ("0-%d/0"):format(MIB - 1))
    assert.equal(200, first.status)
    assert.equal(("0-%d/%d"):format(MIB - 1, total), first.headers["content-range"])
    assert.is_true(first.body == one)
    assert.is_true(receive(uri, ("%d-%d/%d"):format(MIB, 2 * MIB - 1, total)).body == two)
    assert.equal(three, receive(uri, ("%d-%d/%d"):format(2 * MIB, total - 1, total)).body)
    local past = receive(uri, ("%d-%d/%d"):format(2 * MIB, total, total))
    assert.equal(400, past.status)
  end)

  it("G45 takes empty files and one byte", function()
    assert.equal(
      0,
      send("/mgmt/shared/file-transfer/uploads/empty", 0, 0, 0, "").json.remainingByteCount
    )
    assert.equal("", receive("/mgmt/shared/file-transfer/uploads/empty", "0-0/0").body)
    assert.equal(
      0,
      send("/mgmt/shared/file-transfer/uploads/one", 0, 0, 1, "x").json.remainingByteCount
    )
    assert.equal("x", receive("/mgmt/shared/file-transfer/uploads/one", "0-0/1").body)
  end)

  it("G45 refuses wrong chunks", function()
    local uri = "/mgmt/shared/file-transfer/uploads/a"
    local wrong = send(uri, 0, 9, 10, "hello")
    assert.equal(400, wrong.status)
    assert.equal("Chunk byte count 10 different from received buffer length 5", wrong.json.message)
    -- F5's own clients send chunks of 1,048,577 and of 7,340,032 bytes
    assert.equal(200, send(uri, 0, MIB, MIB + 1, ("a"):rep(MIB + 1)).status)
    assert.equal(400, send(uri, 0, 32 * MIB, 32 * MIB + 1, ("a"):rep(32 * MIB + 1)).status)
    assert.equal(400, send(uri, 8, 12, 10, "hello").status)
    assert.equal(
      400,
      curl {
        device,
        "POST",
        uri,
        body = "hello",
        headers = { ["Content-Type"] = "application/octet-stream" },
      }.status
    )
    assert.equal(404, send("/mgmt/shared/file-transfer/uploads/..%2Fa", 0, 4, 5, "hello").status)
  end)

  it("G45 leaves nothing of its files behind", function()
    local place <close> = program.directory()
    local function made() return shell("find " .. place.path .. " -path '*/f5lua-sim-*/*'") end
    local process <close> = program.start(
      { "sim", "--port", "0", "--ca-file", place.path .. "/ca.pem" },
      { env = { TMPDIR = place.path } }
    )
    local url <const> = process:expect "simulated BIG%-IP at (https://[%w.:]+)"
    local here <const> = {
      host = "127.0.0.1", port = url:match "%d+$", ca = place.path .. "/ca.pem",
    }
    curl {
      here, "POST", "/mgmt/shared/file-transfer/uploads/a", body = "hello",
      headers = {
        ["Content-Type"] = "application/octet-stream",
        ["Content-Range"] = "0-4/5",
      },
    }
    local file <const> = made():match "%S+"
    assert.equal("hello", shell("cat " .. file))
    process:kill "TERM"
    assert.equal(0, process:wait().status)
    assert.is_nil(made():match "%S+")
    assert.is_nil((io.open(file:match "^(.*)/")))
  end)

  -- What a state file must not do to the machine that reads it.
  describe("in a state that comes from outside", function()
    local function secret(place) return place:file("secret", "the host's own") end

    -- All the ways in which an entry could name a file of the host.
    local function entry(path)
      return {
        host = path, content = path, path = path, file = path, size = 14, modified = 1,
      }
    end

    local function state_with(path)
      local state <const> = device:state()
      for _, name in ipairs { "/var/config/rest/downloads/a", "/var/tmp/b", "/root/c" } do
        state.disk[name] = entry(path)
      end
      return state
    end

    -- Reads, overwrites and removes, by every interface that reaches the disk.
    local function try_everything(other)
      local uri <const> = "/mgmt/shared/file-transfer/uploads/a"
      assert.equal(404, curl(other, "GET", uri).status)
      assert.not_matches("host's own", curl(other, "GET", uri).body)
      assert.same({}, curl(other, "GET", "/mgmt/shared/file-transfer/uploads").json.items)
      local function bash(script)
        local answer = curl(
          other, "POST", "/mgmt/tm/util/bash",
          { command = "run", utilCmdArgs = ("-c '%s'"):format(script) }
        )
        assert.equal(200, answer.status)
        return answer.json.commandResult or ""
      end
      for _, script in ipairs {
        "cat /var/tmp/b", "cp /var/tmp/b /root/d; cat /root/d", "mv /root/c /root/e; cat /root/e",
        "cat < /root/c", "echo x >> /root/c", "echo x > /var/tmp/b", "rm -f /root/c",
      } do
        assert.not_matches("host's own", bash(script), script)
      end
      assert.equal("x\n", bash "cat /var/tmp/b")
      curl { other, "DELETE", uri }
      curl {
        other, "POST", uri, body = "hello",
        headers = {
          ["Content-Type"] = "application/octet-stream",
          ["Content-Range"] = "0-4/5",
        },
      }
      assert.equal("hello", curl(other, "GET", uri).body)
    end

    it("no entry of a seed names a file of the host", function()
      local place <close> = program.directory()
      local path <const> = secret(place)
      local other <const> = sim.start { seed = state_with(path) }
      try_everything(other)
      lab.stop(other)
      assert.equal("the host's own", place:read "secret")
    end)

    it("no entry of a state that is restored names one", function()
      local place <close> = program.directory()
      local path <const> = secret(place)
      local other <const> = sim.start {}
      other:restore(state_with(path))
      try_everything(other)
      lab.stop(other)
      assert.equal("the host's own", place:read "secret")
    end)

    it("the program leaves alone what a file for --seed names", function()
      local place <close> = program.directory()
      local path <const> = secret(place)
      local seed <const> = place:file("state.json", json.encode(state_with(path)))
      local process <close> = program.start { "sim", "--port", "0", "--seed", seed }
      process:expect "simulated BIG%-IP at (https://[%w.:]+)"
      process:kill "TERM"
      assert.equal(0, process:wait().status)
      assert.equal("the host's own", place:read "secret")
    end)

    it("a state does not say where files of the host are, and forgets their contents", function()
      send("/mgmt/shared/file-transfer/uploads/a", 0, 4, 5, "hello")
      local state <const> = device:state()
      assert.is_nil(json.encode(state):find("f5lua-sim", 1, true))
      local other <close> = sim.start { seed = state }
      assert.equal(404, curl(other, "GET", "/mgmt/shared/file-transfer/uploads/a").status)
    end)
  end)

  it("a transaction that fails gives back a file that it overwrote", function()
    send("/mgmt/shared/file-transfer/uploads/a", 0, 4, 5, "hello")
    local id <const> = curl(device, "POST", "/mgmt/tm/transaction", {}).json.transId
    local function queue(path, body)
      return curl {
        device, "POST", path, body = body,
        headers = { ["X-F5-REST-Coordination-Id"] = tostring(id) },
      }
    end
    queue(
      "/mgmt/tm/util/bash",
      { command = "run", utilCmdArgs = "-c 'echo other > /var/config/rest/downloads/a'" }
    )
    queue("/mgmt/tm/ltm/pool", { name = "p", monitor = "nosuch" })
    local answer <const> =
      curl(device, "PATCH", "/mgmt/tm/transaction/" .. id, { state = "VALIDATING" })
    assert.matches("^transaction failed:", answer.json.message)
    assert.equal("hello", curl(device, "GET", "/mgmt/shared/file-transfer/uploads/a").body)
  end)
end)
