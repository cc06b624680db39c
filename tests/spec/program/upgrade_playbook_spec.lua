-- upgrade-check.lua against simulated devices, run as an operator runs it.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local MEMBER <const> = "/mgmt/tm/ltm/pool/~Common~web/members/~Common~10.0.0.1:80"

describe("upgrade-check.lua", function()
  local device
  before_each(
    function()
      device = sim.start {
        seed = {
          objects = {
            ["/mgmt/tm/ltm/pool"] = {
              {
                name = "web",
                monitor = "/Common/http",
                members = { { name = "10.0.0.1:80", address = "10.0.0.1" } },
              },
            },
            ["/mgmt/tm/ltm/virtual"] = {
              {
                name = "vs", destination = "/Common/203.0.113.10:80", ipProtocol = "tcp",
                pool = "/Common/web",
              },
            },
          },
          traffic = { { path = MEMBER, health = "up" } },
        },
      }
    end
  )
  after_each(function()
    assert.equal(0, device:problems())
    assert.is_nil(next(device:state().tokens.items))
    device:stop()
  end)

  local function check(words)
    return program.run(
      { "scripts/playbooks/upgrade-check.lua", table.unpack(words or {}) },
      { env = lab.environment(device, { TZ = "Asia/Tokyo" }) }
    )
  end

  local function with_device(fn)
    local bip <close> = f5.connect(device:options "admin")
    return fn(bip)
  end

  -- The line of a check: its word, and the rest.
  local function line(result, what)
    local word, text = ("\n" .. result.out):match("\n(%u+) +" .. what .. " +([^\n]*)")
    return word, text
  end

  it("finds a fresh device fit, but for an archive", function()
    device:clear_log()
    local result = check()
    assert.same({ 0, "" }, { result.status, result.err })
    for _, what in ipairs {
      "ready", "version", "failover", "sync", "license", "volumes", "disk", "certificates",
    } do
      assert.equal("OK", (line(result, what)), what)
    end
    assert.same({ "WARN", "there is no UCS archive" }, { line(result, "archive") })
    assert.matches("\n0 failed, 1 warning\n$", result.out)
    for _, call in ipairs(device:log()) do
      assert.truthy(call.method == "GET" or call.path:find "/auth[nz]/", call.path)
    end
    result = check { "--strict" }
    assert.same(
      { 1, "f5lua: the device is not ready for an upgrade\n" },
      { result.status, result.err }
    )
  end)

  it("knows how old an archive is, wherever one is", function()
    with_device(function(bip) bip.sys.ucs:run("save", { name = "before" }) end)
    assert.same({ "OK", "before.ucs, 0.0 days old" }, { line(check(), "archive") })
  end)

  it("fails for what stands in the way", function()
    local cases <const> = {
      { { "--image", "17.5.0" }, "image", "no image of version 17.5.0" },
      {
        { "--license-check-date", "2026-02-01" },
        "license",
        "the service check date is 2026%-01%-01, the new version needs 2026%-02%-01",
      },
      { { "--free-gb", "100" }, "disk", "HD1: 29 GB free" },
    }
    for _, case in ipairs(cases) do
      local result <const> = check(case[1])
      assert.equal(1, result.status)
      local word <const>, text <const> = line(result, case[2])
      assert.equal("FAIL", word)
      assert.matches(case[3], text)
      assert.matches("\n1 failed, ", result.out)
    end
    assert.equal("OK", (line(check { "--license-check-date", "2026-01-01" }, "license")))
    local word <const>, text <const> = line(check { "--certificate-days", "99999" }, "certificates")
    assert.equal("WARN", word)
    assert.matches("/Common/default.crt expires in %d+ days", text)
  end)

  it("finds an image that was uploaded", function()
    local directory <close> = program.directory()
    local file <const> = directory:file("BIGIP-17.5.0-0.0.15.iso", "image")
    with_device(function(bip) bip:upload(file, { to = "images" }) end)
    assert.same(
      { "OK", "BIGIP-17.5.0-0.0.15.iso" },
      { line(check { "--image", "17.5.0" }, "image") }
    )
  end)

  it("compares with what was before", function()
    local directory <close> = program.directory()
    local file <const> = directory.path .. "/before.json"
    assert.equal(0, check({ "--save", file }).status)
    local result = check { "--compare", file }
    assert.equal(0, result.status)
    assert.same({ "OK", "1 as before" }, { line(result, "virtuals") })

    device:plant { traffic = { { path = MEMBER, health = "down" } } }
    with_device(function(bip)
      bip.ltm.virtual["/Common/vs"]:delete()
      bip.ltm.pool:create { name = "new" }
    end)
    result = check { "--compare", file }
    assert.equal(1, result.status)
    assert.same(
      { "FAIL", "/Common/vs: was available enabled, is missing" },
      { line(result, "virtuals") }
    )
    assert.matches(
      "FAIL  pools          /Common/web: was available, 1 of 1 members active, is offline, 0 of 1 "
        .. "members active\n",
      result.out,
      1,
      true
    )
    assert.matches(
      "WARN  pools          /Common/new is new: unknown, 0 of 0 members active\n",
      result.out,
      1,
      true
    )
  end)

  it(
    "goes on after a check that cannot be made, and ends when the device is not reached",
    function()
      device:fault { match = { path = "^/mgmt/tm/sys/license" }, status = 403, times = 9 }
      local result = check()
      assert.equal(1, result.status)
      local word <const>, text <const> = line(result, "license")
      assert.equal("FAIL", word)
      assert.matches("^cannot be checked: .*403", text)
      assert.equal("OK", (line(result, "disk")))
      device:clear_faults()
      device:fault { match = { path = "^/mgmt/tm/cm/sync" }, reset = true, times = 99 }
      result = check()
      assert.equal(3, result.status)
      assert.matches("kind +transport", result.err)
    end
  )

  it("waits for a device that reboots", function()
    device:reboot { seconds = 4 }
    local result = check()
    assert.not_equal(0, result.status)
    result = check { "--wait", "60" }
    assert.equal(0, result.status, result.out .. result.err)
    assert.equal("OK", (line(result, "ready")))
    device:reboot { seconds = 600 }
    result = check { "--wait", "2" }
    assert.equal(3, result.status, result.out .. result.err)
    device:advance(600)
  end)

  it("refuses files that it has not written, before it talks to the device", function()
    local directory <close> = program.directory()
    device:clear_log()
    local other <const> = directory:file("other.json", "[1]")
    for file, message in pairs {
      [other] = other .. " was not written by --save",
      [other .. "x"] = ("cannot read %sx: No such file or directory"):format(other),
    } do
      assert.same(
        { status = 1, out = "", err = "f5lua: " .. message .. "\n" },
        check { "--compare", file }
      )
    end
    assert.same({}, device:log())
    local result <const> = check { "--save", directory.path .. "/none/x" }
    assert.equal(1, result.status)
    assert.matches("FAIL  state          cannot write ", result.out)
  end)
end)
