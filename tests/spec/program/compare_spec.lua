-- f5lua snapshot and f5lua diff, as a user runs them: what they print, their exit statuses, and
-- what stays behind if they fail.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"
local sim = require "f5.sim"

local SEED <const> = {
  objects = {
    ["/mgmt/tm/auth/partition"] = { { name = "Shop" }, { name = "Other" } },
    ["/mgmt/tm/sys/folder"] = { { name = "deep", partition = "Shop" } },
    ["/mgmt/tm/ltm/pool"] = {
      { name = "web", members = { { name = "10.0.0.1:80" }, { name = "10.0.0.2:80" } } },
      { name = "a b", members = { { name = "10.0.0.1:81" } } },
      { name = "x%y", members = { { name = "10.0.0.1:82" } } },
      { name = "in", partition = "Shop", subPath = "deep" },
    },
  },
}

local device, directory, environment, host

local function run(words, more)
  local env = {}
  for name, value in pairs(environment) do env[name] = value end
  for name, value in pairs(more or {}) do env[name] = value end
  return program.run(words, { env = env, directory = directory.path })
end

-- Runs f5lua and returns its standard output.
local function ran(status, ...)
  local result <const> = run { ... }
  assert.equal(status, result.status, result.out .. result.err)
  return result.out, result.err
end

-- The lines below "objects" of a snapshot.
local function bodies(name) return (directory:read(name):gsub("^[^\n]*\n", "")) end

setup(function()
  device = sim.start { seed = SEED }
  environment = lab.environment(device)
  host = ("%s:%d"):format(device.host, device.port)
end)
teardown(function() device:stop() end)
before_each(function() directory = lab.scratch() end)
after_each(function()
  device:clear_faults()
  lab.stop(directory)
end)

describe("S1 f5lua snapshot", function()
  it("takes the device and paths in each form", function()
    assert.equal("a.json: 4 objects\n", ran(0, "snapshot", "ltm/pool", "-o", "a.json"))
    assert.equal("rw-------", lfs.attributes(directory.path .. "/a.json", "permissions"))
        ran(0, "snapshot", host, "/mgmt/tm/ltm/pool/", "-o", "b.json")
    assert.equal(bodies "a.json", bodies "b.json")
    ran(0, "snapshot", host, "ltm/pool/~Common~a b", "ltm/pool/~Common~x%25y", "-o", "c.json")
    local objects <const> = json.decode(directory:read "c.json").objects["/mgmt/tm/ltm/pool"]
    assert.same({ "a b", "10.0.0.1:81" }, { objects[1].name, objects[1].members[1].name })
    assert.same({ "x%y", "10.0.0.1:82" }, { objects[2].name, objects[2].members[1].name })
    ran(0, "snapshot", "ltm/pool/~Common~a b", "ltm/pool", "ltm/pool/~Common~web", "-o", "d.json")
    assert.equal(bodies "a.json", bodies "d.json")
    assert.same("c.json: 1 object\n", ran(0, "snapshot", "ltm/pool/~Common~web", "-o", "c.json"))
    directory:file("sites.lua", ([[
      return { devices = { { name = "lab", host = "%s", port = %d } } }
    ]]):format(device.host, device.port))
    ran(0, "snapshot", "lab", "ltm/pool", "--inventory", "sites.lua", "-o", "d.json")
    assert.equal(bodies "a.json", bodies "d.json")
  end)

  it("has the folders and objects of one partition", function()
    ran(0, "snapshot", "--partition", "Shop", "-o", "p.json", "ltm/pool", "sys/folder", "auth")
    local objects <const> = json.decode(directory:read "p.json").objects
    assert.equal("in", objects["/mgmt/tm/ltm/pool"][1].name)
    assert.equal(1, #objects["/mgmt/tm/ltm/pool"])
    assert.equal(2, #objects["/mgmt/tm/sys/folder"])
    assert.equal("Shop", objects["/mgmt/tm/auth/partition"][1].name)
    assert.equal(1, #objects["/mgmt/tm/auth/partition"])
  end)

  it("writes to standard output, and says the rest elsewhere", function()
    local out <const>, err <const> = ran(0, "snapshot", "ltm/pool", "-o", "-")
    assert.equal("standard output: 4 objects\n", err)
    directory:file("s.json", out)
    ran(0, "snapshot", "ltm/pool", "-o", "a.json")
    assert.equal(bodies "a.json", bodies "s.json")
    local line <const> = program.command_line(
      { "snapshot", "ltm/pool", "-o", "-" }, { env = environment }
    )
    local _, _, status = os.execute(line .. " >/dev/full 2>" .. directory.path .. "/err")
    assert.equal(3, status)
    assert.matches("No space left on device", directory:read "err")
  end)

  it("says what it could not read, with a status of its own", function()
    local out <const>, err <const> = ran(1, "snapshot", "ltm/pool", "ltm/poool", "-o", "a.json")
    assert.equal("a.json: 4 objects\n", out)
    assert.matches("^/mgmt/tm/ltm/poool: could not be read: .*did you mean 'pool'", err)
    assert.is_false(json.decode(directory:read "a.json").left_out.complete)
  end)

  it("leaves no file if it fails, and keeps the old one", function()
    directory:file("a.json", "old")
    for _, case in ipairs {
      { 3, { F5_PASSWORD = "wrong" }, "ltm/pool", "-o", "a.json" },
      { 3, { F5_SERVER = "127.0.0.1:1" }, "ltm/pool", "-o", "a.json" },
      { 2, { F5_USER = "" }, "ltm/pool", "-o", "a.json" },
      { 3, {}, "ltm/pool", "-o", "." },
      { 3, {}, "ltm/pool", "-o", "missing/a.json" },
      { 2, {}, "ltm/pool" },
      { 2, {}, "/mgmt/shared/echo", "-o", "a.json" },
      { 2, {}, "asm/policies", "-o", "a.json" },
      { 3, {}, "ltm/poool", "-o", "a.json" },
      { 3, {}, "ltm/pool/~Common~nothing", "-o", "a.json" },
      { 2, { F5_SERVER = "" }, "ltm/pool", "-o", "a.json" },
    } do
      local result <const> = run({ "snapshot", table.unpack(case, 3) }, case[2])
      assert.equal(case[1], result.status, result.err)
      assert.equal("", result.out)
      assert.equal("old", directory:read "a.json")
    end
    device:fault { reset = true, times = 100, match = { path = "ltm/pool$" } }
    ran(3, "snapshot", "ltm/node", "ltm/pool", "-o", "a.json")
    assert.equal("old", directory:read "a.json")
    assert.equal(1, #f5.files(directory.path, "*"))
  end)

  it("does not replace what is no file", function()
    assert(os.execute("mkfifo " .. directory.path .. "/pipe"))
    assert(lfs.link("pipe", directory.path .. "/link", true))
    assert(lfs.link("/proc/self/fd/1", directory.path .. "/stdout", true))
    for _, name in ipairs { "pipe", "link", "stdout" } do
      local _, err <const> = ran(3, "snapshot", "ltm/pool", "-o", name)
      assert.matches("cannot write " .. name .. ": not a regular file", err)
    end
    assert.equal("link", lfs.symlinkattributes(directory.path .. "/link", "mode"))
    assert.equal("link", lfs.symlinkattributes(directory.path .. "/stdout", "mode"))
  end)

  it("leaves nothing behind when it is interrupted or killed", function()
    device:fault { delay_ms = 30000, times = 10, match = { path = "ltm/pool$" } }
    for signal, status in pairs { INT = 130, TERM = 143, KILL = 137 } do
      device:clear_log()
      local process <close> = program.start(
        { "snapshot", "ltm/node", "ltm/pool", "-o", directory.path .. "/a.json" },
        { env = environment }
      )
      lab.arrived(device, "GET", "ltm/pool$", 1)
      process:kill(signal)
      assert.equal(status, process:wait(10).status, signal)
      assert.equal(0, #f5.files(directory.path, "*"), signal)
    end
  end)
end)

describe("S2 f5lua diff", function()
  local function changed()
    ran(0, "snapshot", "ltm/pool", "-o", "a.json")
    local text <const> = directory:read "a.json"
    directory:file("b.json", (text:gsub('"loadBalancingMode":"round%-robin"',
      '"loadBalancingMode":"ratio-member"', 1)))
  end

  it("compares files and devices, and tells the result by its status", function()
    changed()
    assert.matches("no differences; 4 objects are equal\n$", ran(0, "diff", "a.json", "./a.json"))
    local text <const> = ran(1, "diff", "a.json", "b.json")
    assert.matches("\n      loadBalancingMode: round%-robin → ratio%-member\n", text)
    assert.matches("\n1 difference: 1 changed; 3 objects are equal\n$", text)
        assert.matches("no differences", ran(0, "diff", "a.json", host))
    assert.matches("\n      loadBalancingMode: ratio%-member → round%-robin\n",
      (ran(1, "diff", "b.json", host)))
    assert.matches("no differences", ran(0, "diff", host, host, "ltm"))
    ran(0, "diff", "b.json", host, "--ignore", "loadBalancingMode")
    ran(1, "diff", "b.json", host, "--ignore", "sys/db/*")
    local report <const> = json.decode((ran(1, "diff", "a.json", "b.json", "--output", "json")))
    assert.equal("ratio-member", report.differences[1].changes[1].new)
    local page <const> = ran(1, "diff", "a.json", "b.json", "--output", "html")
    assert.matches("^<!DOCTYPE html>", page)
    assert.matches("ratio%-member", page)
  end)

  it("reads of a device only what the file has", function()
    ran(0, "snapshot", "ltm/pool", "-o", "a.json")
    device:clear_log()
    ran(0, "diff", "a.json", host)
    for _, call in ipairs(device:log()) do
      assert.is_nil(call.path:find("/tm/ltm/virtual", 1, true), call.path)
    end
    ran(0, "snapshot", "ltm/pool/~Common~a b", "-o", "o.json")
    assert.matches("no differences; 1 object is equal", ran(0, "diff", "o.json", "a.json"))
    ran(0, "snapshot", "--partition", "Shop", "ltm/pool", "-o", "shop.json")
    assert.matches("no differences; 1 object is equal",
      (ran(0, "diff", "shop.json", host)))
    assert.matches("no differences; 1 object is equal", (ran(0, "diff", "a.json", "shop.json")))
  end)

  it("takes a saved configuration for what it says", function()
    directory:file("bigip.conf", [[
auth user admin {
    encrypted-password $6$saltsalt$FVAIvh0y1dUE7C9tBXsCjJ1hWO5PVfvWQzJ5gnN/v2jBjJY1TdSbkHbAIuHFJp0E8pK7w1
    partition-access {
        all-partitions {
            role admin
        }
    }
}
ltm pool /Common/web {
    members {
        /Common/10.0.0.1:80 {
            address 10.0.0.1
        }
        /Common/10.0.0.3:http {
            address 10.0.0.3
        }
    }
}
net self /Common/nothing { }
]])
    local out <const> = ran(1, "diff", "bigip.conf", host, "ltm/pool", "net/self", "auth/user")
    assert.matches("ltm/pool\n.*  ~ /Common/web\n", out)
    assert.matches("\n      %+ members%[/Common/10%.0%.0%.2:80%]", out)
    assert.matches("\n      %- members%[/Common/10%.0%.0%.3:80%]", out)
    assert.matches("\n  %+ /Common/a b\n", out)
    assert.is_nil(out:find("f5lua-diff", 1, true), out)
    assert.matches("bigip.conf:19: could not be read: .*address", out)
  end)

  it("never takes for equal what it could not compare", function()
    ran(0, "snapshot", "--partition", "Shop", "ltm/pool", "-o", "shop.json")
    ran(0, "snapshot", "--partition", "Other", "ltm/pool", "-o", "other.json")
    local out, err = ran(3, "diff", "shop.json", "other.json")
    assert.matches("only partition Shop was read %(A%)", out)
    assert.matches("only partition Other was read %(B%)", out)
    assert.equal("f5lua: nothing could be compared\n", err)
    ran(0, "snapshot", "ltm/pool", "ltm/snat", "-o", "a.json")
    for _, case in ipairs {
      { "ltm/poool", "ltm/poool: neither A nor B has it" },
      { "ltm/pool/~Common~nothing", "~Common~nothing: neither A nor B has it" },
      { "--partition=Nowhere", "Nowhere: neither A nor B has an object of this partition" },
    } do
      out, err = ran(3, "diff", "a.json", "./a.json", case[1])
      assert.is_truthy(out:find(case[2], 1, true), out)
      assert.equal("f5lua: nothing could be compared\n", err)
    end
    ran(0, "diff", "a.json", "./a.json", "ltm/snat")
    ran(0, "diff", "a.json", "./a.json", "ltm/pool/~Common~web")
    ran(3, "diff", "a.json", host, "ltm/poool")
    ran(1, "snapshot", "ltm/pool", "ltm/poool", "-o", "a.json")
    out, err = ran(3, "diff", "a.json", host)
    assert.matches("/mgmt/tm/ltm/poool: could not be read", out)
    assert.matches("not all could be", err)
  end)

  it("fails with status 3, and is used wrongly with status 2", function()
    ran(0, "snapshot", "ltm/pool", "-o", "a.json")
    local text <const> = directory:read "a.json"
    directory:file("half.json", text:sub(1, #text // 2))
    directory:file("cut.json", (text:gsub('\n"left_out".*', "")))
    directory:file("no.json", "{")
    directory:file("plain", text)
    for _, case in ipairs {
      { 3, "missing.json", "No such file" }, { 3, "half.json", "half.json" },
      { 3, "cut.json", "cut.json" }, { 3, "no.json", "neither a snapshot nor a seed" },
      { 3, "./", "Is a directory" }, { 3, "127.0.0.1:1", "cannot connect" },
      { 2, "plain", "'plain' can be a file or a device; write ./plain or plain:443" },
    } do
      local _, err <const> = ran(case[1], "diff", "a.json", case[2])
      assert.is_truthy(err:find(case[3], 1, true), err)
    end
    ran(0, "diff", "a.json", "./plain")
    ran(2, "diff", "a.json")
    ran(2, "diff", "a.json", "a.json", "--output", "xml")
    ran(2, "diff", "a.json", "a.json", "/mgmt/shared/echo")
    local result <const> =
      run({ "diff", "a.json", host }, { F5_PASSWORD = "wrong" })
    assert.equal(3, result.status)
    assert.matches("Authentication failed", result.err)
  end)
end)
