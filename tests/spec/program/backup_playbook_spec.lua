-- backup.lua against simulated devices, run as an operator runs it.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

describe("backup.lua", function()
  local device, directory
  before_each(function()
    device = sim.start {}
    directory = program.directory()
  end)
  after_each(function()
    assert.equal(0, device:problems())
    assert.is_nil(next(device:state().tokens.items))
    lab.stop(device, directory)
  end)

  local function backup(words, environment)
    local env = lab.environment(device, environment)
    return program.run(
      { "scripts/playbooks/backup.lua", "--directory", directory.path, table.unpack(words or {}) },
      { env = env }
    )
  end

  -- How the next archive goes.
  local function plan(more)
    local how = { template = "sys/ucs", seconds = 0.1 }
    for name, value in pairs(more or {}) do how[name] = value end
    device:control("plan_task", how)
  end

  local function here() return f5.files(directory.path, "*") end

  local function there()
    local found = {}
    for path in pairs(device:state().disk) do
      if path:find "^/var/local/ucs/" then found[#found + 1] = path end
    end
    return found
  end

  it("leaves a verified archive here, that only its owner may read, and none there", function()
    plan()
    local result <const> = backup()
    assert.same({ 0, "" }, { result.status, result.err })
    local file <const>, size <const>, sum <const> =
      result.out:match "^(%S+), (%d+) bytes, SHA%-256 (%x+); 1 kept, 0 removed\n$"
    assert.same({ file }, here())
    assert.matches("/127%.0%.0%.1_%d+%-%d+T%d+Z%.ucs$", file)
    local stat <close> = io.popen(("stat -c '%%a %%s' '%s'; sha256sum < '%s'"):format(file, file))
    assert.equal(("600 %s\n%s  -\n"):format(size, sum), stat:read "a")
    assert.same({}, there())
    assert.is_nil(next(device:state().tasks and device:state().tasks.items or {}))
  end)

  it("keeps the newest of this device, and everything else", function()
    local label <const> = ("127.0.0.1_%d"):format(device.port)
    for _, name in ipairs {
      label .. "-20200101T000000Z", label .. "-20200102T000000Z", label .. "-b-20200101T000000Z",
      "other", label .. "-x",
    } do
      directory:file(name .. ".ucs", "old")
    end
    plan()
    local result <const> = backup { "--keep", "2" }
    assert.matches("; 2 kept, 1 removed\n$", result.out)
    assert.is_nil(directory:read(label .. "-20200101T000000Z.ucs"))
    assert.equal("old", directory:read(label .. "-20200102T000000Z.ucs"))
    assert.equal(5, #here())
    plan()
    f5.sleep(1.1)
    assert.matches("; 3 kept, 0 removed\n$", backup({ "--keep", "0", "--leave" }).out)
    assert.equal(1, #there())
  end)

  it("removes nothing old when anything fails, and leaves nothing half", function()
    local old <const> = ("127.0.0.1_%d-20200101T000000Z.ucs"):format(device.port)
    directory:file(old, "old")
    local function fails(status, pattern)
      plan()
      local result <const> = backup { "--keep", "1" }
      assert.equal(status, result.status, result.err)
      assert.matches(pattern, result.err)
      assert.same({ directory.path .. "/" .. old }, here())
      assert.same({}, there())
      device:clear_faults()
    end
    device:fault { match = { path = "ucs%-downloads" }, status = 403, times = 1 }
    fails(3, "403")
    device:fault { match = { path = "^/mgmt/tm/util/bash" }, times = 1, status = 403 }
    fails(3, "403")
    device:fault {
      match = { path = "ucs%-downloads" }, status = 200, body = "xx",
      headers = { ["Content-Range"] = "0-1/2" }, times = 1,
    }
    fails(1, "ucs differs from the archive on the device: 2 bytes, SHA%-256 %x+ here, %x+ there\n")
    plan { outcome = "FAILED", message = "disk full" }
    local result <const> = backup { "--keep", "1" }
    assert.equal(3, result.status)
    assert.matches("disk full", result.err)
    assert.same({ directory.path .. "/" .. old }, here())
  end)

  it("finds mistakes before the device works", function()
    device:clear_log()
    for words, message in pairs {
      [{ "--directory", directory.path .. "/none" }] = (
        "cannot write to %s/none: No such file or directory"
      ):format(
        directory.path
      ),
      [{ "--passphrase-env", "NOT_THERE" }] = "NOT_THERE is not set",
    } do
      assert.same({ status = 1, out = "", err = "f5lua: " .. message .. "\n" }, backup(words))
    end
    assert.not_equal(0, backup({ "--keep", "-1" }).status)
    assert.same({}, device:log())
    assert.same({}, here())
  end)

  it("backs up the devices of an inventory, and names those that fail", function()
    local inventory <const> = directory:file(
      "sites.json",
      f5.json.encode {
        defaults = {
          username = "admin", password_env = "F5_PASSWORD", ca = device.ca, retries = 0,
        },
        devices = {
          { name = "good", host = device.host, port = device.port },
          { name = "bad", host = "127.0.0.1", port = 1 },
        },
      }
    )
    plan()
    local result <const> = backup(
      { "--devices", inventory, "--passphrase-env", "PHRASE" },
      { PHRASE = "hunter2" }
    )
    assert.equal(1, result.status)
    assert.matches("^%S+/good%-%d+T%d+Z%.ucs, %d+ bytes", result.out)
    assert.matches("bad: failed: .*\nf5lua: no new archive of 1 device\n$", result.err)
    assert.is_nil(result.err:find "hunter2")
  end)
end)
