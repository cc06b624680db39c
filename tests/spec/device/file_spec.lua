-- Files on the simulated device: uploads and downloads in chunks.
local sim = require "f5.sim"
local curl = require "curl"

local MIB <const> = 1 << 20

describe("simulated device: files", function()
  local device

  before_each(function() device = sim.start {} end)
  after_each(function()
    assert.equal(0, device:problems())
    device:stop()
  end)

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
    assert.equal(400, send(uri, 0, MIB, MIB + 1, ("a"):rep(MIB + 1)).status)
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
    send("/mgmt/shared/file-transfer/uploads/a", 0, 4, 5, "hello")
    local host = device:state().disk["/var/config/rest/downloads/a"].host
    assert(io.open(host)):close()
    device:stop()
    assert.is_nil((io.open(host)))
    assert.is_nil((io.open(host:match "^(.*)/")))
    device = sim.start {}
  end)
end)
