-- Undo where it cannot do all: a full disk, and secrets that had no value.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local random = require "walk.random_changes"

local HEAD <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'
local SECRET <const> = "Sekret-9x17"

local device, bip, place, env

local function run(words, more)
  local environment = {}
  for name, value in pairs(env) do environment[name] = value end
  for name, value in pairs(more or {}) do environment[name] = value end
  return program.run(words, { env = environment, timeout = 30 })
end

local function ok(status, ...)
  local ran <const> = run(...)
  assert.equal(status, ran.status, ran.out .. ran.err)
  return ran.out, ran.err
end

local function playbook(text) return place:file("p.lua", HEAD .. text) end

local function start()
  device, bip = lab.start()
  place = lab.scratch()
  env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" })
end

describe("S6 undo on a full disk", function()
  local before

  before_each(function()
    start()
    bip.ltm.pool["/Common/web"]:create { description = "old" }
    before = random.objects(device)
    ok(0, { "run", "--undoable", playbook [[
for i = 1, 4 do bip.auth.partition["/T" .. i]:create {} end
bip.ltm.pool["/Common/web"]:modify { description = "new" }
bip.ltm.pool["/Common/one"]:create { description = ("x"):rep(300) }
]] })
  end)
  after_each(function() lab.stop(bip, device, place) end)

  local function same() assert.equal("", random.difference(before, random.objects(device))) end

  -- Where a file may have so many KiB and no more, which is as full as a test can make a disk.
  local function on_full_disk(kib, words)
    return program.run({ "-c", ("(ulimit -f %d; exec %s %s) | cat; exit ${PIPESTATUS[0]}"):format(
      kib, program.path, words) }, { program = "/bin/bash", env = env })
  end

  local function last() return json.decode(ok(0, { "changes", "--output", "json" })) end

  for kib = 0, 3 do
    it(("says what it did, and completes it later: %d KiB"):format(kib), function()
      local id <const> = last()[1].id
      local done <const> = on_full_disk(kib, "undo last 2>&1")
      assert.equal(1, done.status, done.out .. done.err)
      assert.matches("cannot write: File too large; the write was not sent\n", done.out)
      assert.matches(": not as before: %d+ more objects?, which w%l+ not tried after this error\n",
        done.out)
      local told = done.out:match ": stopped, because this undo cannot be recorded: ([^;\n]*);"
      assert.is_string(told, done.out)
      assert.matches("; make room, then 'f5lua undo " .. id:gsub("%-", "%%-")
        .. "' does the rest\n", done.out)
      -- what it says is so: 6 operations were needed
      local count <const> = tonumber(told:match "^(%d+) operations? w%l+ done$")
        or told == "nothing was taken back" and 0
      local left <const> = json.decode(ok(0, { "undo", id, "--check", "--output", "json" }))
      assert.equal(6, count + #left.devices[1].operations, done.out)
      ok(0, { "undo", "last" })
      same()
      ok(0, { "undo", id, "--check", "--exit-code" })
    end)
  end

  it("lists all in JSON", function()
    local done <const> = on_full_disk(1, "undo last --output json")
    assert.equal(1, done.status, done.err)
    local one <const> = json.decode(done.out).devices[1]
    assert.is_false(one.complete)
    assert.equal(6, #one.left + #one.operations)
  end)
end)

describe("S6 undo of a secret that had no value", function()
  local before, monitor

  before_each(function()
    start()
    monitor = bip.ltm.monitor.http["/Common/m"]
    monitor:create {}
    bip.ltm.profile["client-ssl"]["/Common/c"]:create {}
    before = random.objects(device)
  end)
  after_each(function() lab.stop(bip, device, place) end)

  local PATH <const> = "ltm/monitor/http/~Common~m"
  local CHANGE <const> = ('bip.ltm.monitor.http["/Common/m"]:modify { username = "u", '
    .. "password = %q }\n"):format(SECRET)

  local function record()
    return place:read("state/f5lua/changes/"
      .. json.decode(ok(0, { "changes", "--output", "json" }))[1].id)
  end

  it("takes it away again", function()
    local _, err = ok(0, { "run", "--undoable", playbook(CHANGE) })
    assert.matches("f5lua: may not be undone: PATCH ltm/monitor/http /Common/m %(%S+: the device "
      .. "shows no value of password: whether there was one is not known\n", err)
    assert.matches("'f5lua undo %S+' takes it back\n", err)
    assert.is_nil(record():find(SECRET, 1, true))
    assert.matches("password: %*+ → none", ok(0, { "undo", "last", "--check" }))
    assert.is_string(monitor:load().password)
    local out <const> = ok(0, { "undo", "last" })
    assert.matches("everything is as before", out)
    assert.is_nil(monitor:load().password)
    assert.equal("", random.difference(before, random.objects(device)))
  end)

  it("takes it away again after a transaction, also with a passphrase, and twice", function()
    local text <const> = "bip:transaction(function(t) t(bip.ltm.monitor.http['/Common/m']):modify "
      .. ("{ password = %q } end)\n"):format(SECRET)
    for _, phrase in ipairs { "", "open sesame" } do
      local more <const> = { F5LUA_PASSPHRASE = phrase ~= "" and phrase or nil }
      for _ = 1, 2 do
        ok(0, { "run", "--undoable", playbook(text) }, more)
        assert.is_string(monitor:load().password)
        ok(0, { "undo", "last" }, more)
        assert.is_nil(monitor:load().password)
      end
    end
  end)

  it("takes it away again if the device shows `none`", function()
    local profile <const> = bip.ltm.profile["client-ssl"]["/Common/c"]
    profile:modify { passphrase = "none" }
    local was <const> = profile:load().passphrase
    local _, err = ok(0, { "run", "--undoable", playbook(
      ('bip.ltm.profile["client-ssl"]["/Common/c"]:modify { passphrase = %q }\n'):format(SECRET)) })
    assert.is_nil(was and err:find "may not be undone")
    ok(0, { "undo", "last" })
    assert.equal(was, profile:load().passphrase)
  end)

  it("does not claim it if the device shows none at all", function()
    local shown <const> = bip:request("GET", "/mgmt/tm/" .. PATH)
    device:fault {
      match = { method = "PATCH", path = PATH }, act = true, status = 200, body = shown, times = 9,
    }
    local _, err = ok(0, { "run", "--undoable", playbook(
      ('bip.ltm.monitor.http["/Common/m"]:modify { password = %q }\n'):format(SECRET)) })
    assert.matches("may not be undone", err)
    assert.matches("takes what it can back", err)
    device:fault { match = { method = "GET", path = PATH }, status = 200, body = shown, times = 99 }
    local out <const> = ok(1, { "undo", "last" })
    assert.matches("left alone: ltm/monitor/http /Common/m %(%S+: the device shows no value of "
      .. "password: whether there was one is not known", out)
    assert.is_nil(out:find ": everything is as before")
  end)

  it("says it if the device does not take it away", function()
    ok(0, { "run", "--undoable", playbook(CHANGE) })
    device:fault { match = { method = "PATCH", path = PATH }, kind = "validation", times = 9 }
    local out <const> = ok(1, { "undo", "last" })
    assert.matches("not as before: .* cannot change back ltm/monitor/http /Common/m %(password, "
      .. "username%)", out)
    device:clear_faults()
    ok(0, { "undo", "last" })
    assert.is_nil(monitor:load().password)
  end)
end)
