-- Safe change with names that need escapes, with secrets in unusual places, and what its messages
-- claim.
local json = require "f5.json"
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"

local HEAD <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'
local SECRET <const> = "Sekret-9x17"
local PHRASE <const> = { F5LUA_PASSPHRASE = "pass" }

describe("S5 S6 safe change", function()
  local device, place, bip

  before_each(function()
    device, bip = lab.start()
    place = program.directory()
  end)
  after_each(function() lab.stop(bip, device, place) end)

  local function run(words, more)
    local env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" })
    for name, value in pairs(more or {}) do env[name] = value end
    return program.run(words, { env = env, directory = place.path })
  end

  local function ok(status, words, more)
    local ran <const> = run(words, more)
    assert.equal(status, ran.status, ran.out .. ran.err)
    return ran.out, ran.err
  end

  local function playbook(text) return place:file("playbook.lua", HEAD .. text) end

  local function plan(text, more, ...)
    playbook(text)
    return ok(0, { "plan", "-o", "change.plan", "playbook.lua", ... }, more)
  end

  -- Every file of the directory that contains a text.
  local function files_with(text, directory, found)
    found = found or {}
    for name in lfs.dir(directory or place.path) do
      local path = (directory or place.path) .. "/" .. name
      if lfs.attributes(path, "mode") == "directory" then
        if not name:find "^%.+$" then files_with(text, path, found) end
      elseif name ~= "playbook.lua" then
        local file <close> = assert(io.open(path, "rb"))
        if file:read("a"):find(text, 1, true) then found[#found + 1] = name end
      end
    end
    return found
  end

  it("applies a plan for names that need escapes", function()
    local names = { "p%41", "10.0.0.1%10", "a b", "a:b" }
    for _, name in ipairs(names) do bip.ltm.pool["/Common/" .. name]:create {} end
    plan([[
for name in bip.ltm.pool:each() do name = name.fullPath
  bip.ltm.pool[name]:modify { description = "is" }
end
bip.ltm.node:create { name = "10.0.0.1%0", address = "10.0.0.1" }
]])
    local out = ok(0, { "apply", "change.plan" })
    assert.matches(#names + 1 .. " steps sent", out)
    for _, name in ipairs(names) do
      assert.equal("is", bip.ltm.pool["/Common/" .. name]:load().description)
    end
    assert.matches("everything is as before", (ok(0, { "undo", "last" })))
  end)

  it("finds drift of an object whose name needs escapes", function()
    bip.ltm.pool["/Common/p%41"]:create {}
    plan 'bip.ltm.pool["/Common/p%41"]:modify { description = "is" }'
    bip.ltm.pool["/Common/p%41"]:modify { description = "somebody else" }
    local ran = run { "apply", "change.plan" }
    assert.equal(3, ran.status)
    assert.matches("description: %(none%) → somebody else", ran.out)
  end)

  it("says that a value of a new object is not as planned, also without a partition", function()
    plan 'bip.ltm.pool:create { name = "new", description = "is" }'
    device:fault {
      match = { method = "GET", path = "ltm/pool/~Common~new$" }, after = 2, status = 200,
      body = { kind = "tm:ltm:pool:poolstate", name = "new", partition = "Common",
        fullPath = "/Common/new", description = "other" },
    }
    local ran = run { "apply", "change.plan" }
    assert.equal(1, ran.status, ran.out .. ran.err)
    assert.matches("not as planned", ran.out)
  end)

  it("encrypts the secrets that stand inside of texts", function()
    plan(([[
bip.ltm.monitor.http:create { name = "m", defaultsFrom = "/Common/http", username = "u",
  password = "%s", send = "GET / HTTP/1.0\r\nAuthorization: Basic %s\r\n\r\n" }
bip.ltm.monitor.http:create { name = "n", defaultsFrom = "/Common/http",
  send = "GET / HTTP/1.0\r\nAuthorization: Basic %s\r\n\r\n" }
]]):format(SECRET, SECRET, SECRET), PHRASE)
    for _, format in ipairs { "text", "json", "html" } do
      place:file("shown." .. format, (ok(0, { "show", "change.plan", "--output", format })))
    end
    ok(0, { "apply", "change.plan" }, PHRASE)
    assert.is_truthy(bip.ltm.monitor.http.n:load().send:find(SECRET, 1, true))
    assert.same({}, files_with(SECRET))
  end)

  it("masks the arguments that are secrets", function()
    local text = [[
bip.auth.user:create { name = "bob", password = arg[1],
  partitionAccess = { { name = "all-partitions", role = "guest" } } }
]]
    plan(text, PHRASE, SECRET, "--password", SECRET, "token=" .. SECRET, "web1")
    assert.matches("playbook.lua %*+ %-%-password %*+ token=%*+ web1",
      (ok(0, { "show", "change.plan" })))
    ok(0, { "run", "--undoable", "playbook.lua", SECRET, "web1" }, PHRASE)
    assert.matches("playbook.lua %*+ web1", (ok(0, { "changes", "show", "last" })))
    assert.same({}, files_with(SECRET))
    local address <const> = "https://bob:an-other-word@proxy.example.net/"
    plan('bip.ltm.pool["/Common/q"]:create {}\n', PHRASE, "--proxy", address)
    assert.matches("playbook.lua %-%-proxy https://bob:%*+@proxy.example.net/",
      (ok(0, { "show", "change.plan" })))
    assert.same({}, files_with "an-other-word")
  end)

  it("encrypts an upload that may hold keys", function()
    place:file("keys.tar.gz", "\x1F\x8B" .. SECRET)
    plan('bip:upload("keys.tar.gz")', PHRASE)
    assert.matches("encrypted", (ok(0, { "show", "change.plan" })))
    assert.same({ "keys.tar.gz" }, files_with(SECRET))
  end)

  it("takes back an object with a secret that was made in a transaction", function()
    local before = json.encode(bip.ltm.monitor.http:list(), { sort = true })
    plan(([[
for _, name in ipairs { "m", "n" } do
  bip.ltm.monitor.http:create { name = name, defaultsFrom = "/Common/http", password = "%s" }
end
]]):format(SECRET), PHRASE)
    ok(0, { "apply", "change.plan" }, PHRASE)
    assert.matches("everything is as before", (ok(0, { "undo", "last" }, PHRASE)))
    assert.equal(before, json.encode(bip.ltm.monitor.http:list(), { sort = true }))
  end)

  it("does not claim that all is as before if something cannot be taken back", function()
    playbook 'bip.sys.config:run "save"\nbip.ltm.pool:create { name = "new" }'
    local _, err = ok(0, { "run", "--undoable", "playbook.lua" })
    assert.matches("takes what it can back\n$", err)
    local found = json.decode((ok(1, { "undo", "last", "--check", "--output", "json" })))
    assert.is_false(found.devices[1].complete)
    local out = ok(1, { "undo", "last" })
    assert.matches("everything that can be taken back is as before", out)
    playbook 'bip.sys.config:run "save"'
    ok(0, { "run", "--undoable", "playbook.lua" })
    out = ok(1, { "undo", "last", "--check" })
    assert.matches("there is nothing else to take back", out)
    assert.is_nil(out:find "as before")
  end)

  it("brings back what a transaction of unknown outcome should have made again", function()
    bip.ltm.pool["/Common/gone"]:create { description = "was" }
    bip.ltm.pool["/Common/old"]:create {}
    local before = device:state().objects.items["/mgmt/tm/ltm/pool/~Common~gone"]
    plan [[
bip.ltm.pool["/Common/gone"]:delete()
bip.ltm.pool["/Common/gone"]:create { description = "again" }
bip.ltm.pool["/Common/old"]:modify { description = "is" }
]]
    device:fault { match = { method = "PATCH", path = "/transaction/" }, reset = true }
    local ran = run { "apply", "change.plan" }
    assert.equal(3, ran.status, ran.out)
    assert.matches("1 of 3 steps were sent", ran.out)
    assert.matches("the transaction has changed nothing", ran.err)
    assert.is_false(bip.ltm.pool["/Common/gone"]:exists())
    ok(0, { "undo", "last" })
    assert.equal(before.description, bip.ltm.pool["/Common/gone"]:load().description)
  end)

  it("keeps no record of what could not be recorded, and finds the one before", function()
    playbook 'bip.ltm.pool:create { name = "new" }'
    ok(0, { "run", "--undoable", "playbook.lua" })
    local id = (ok(0, { "changes" })):match "(%d+%-%d+%-%d+)"
    place:file("playbook.lua", HEAD .. [[
for i = 1, 2 do print(pcall(function() bip.ltm.pool:create { name = "x" .. i } end)) end
]])
    local env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" })
    local ran = program.run({ "-c", (
      "(trap '' XFSZ; ulimit -f 0; exec %s run --undoable playbook.lua 2>&1) | cat"
    ):format(program.path) }, { program = "/bin/bash", env = env, directory = place.path })
    assert.equal(2, select(2, ran.out:gsub("the write was not sent", "")), ran.out .. ran.err)
    assert.equal("", ran.err)
    assert.is_false(bip.ltm.pool["/Common/x1"]:exists())
    place:file("state/f5lua/changes/99990101-000000-01", "")
    place:file("state/f5lua/changes/99990101-000000-00", "x\n")
    local out, err = ok(0, { "changes" })
    assert.equal(1, select(2, out:gsub("\n%d+%-%d+%-%d+", "")))
    assert.matches("99990101%-000000%-00 is not a change record\n$", err)
    os.remove(place.path .. "/state/f5lua/changes/99990101-000000-00")
    assert.matches(id:gsub("%-", "%%-"), (ok(0, { "changes", "show", "last" })))
    ok(0, { "undo", "last" })
    assert.is_false(bip.ltm.pool["/Common/new"]:exists())
  end)

  it("looks at the file, the key and the partition before it reads a device", function()
    playbook 'error "it ran"'
    for _, words in ipairs {
      { "-o", "missing/change.plan" }, { "-o", "." }, { "-o", "x", "--sign", "none.pem" },
      { "-o", "x", "--sign", "playbook.lua" },
    } do
      words[#words + 1] = "playbook.lua"
      local ran = run { "plan", table.unpack(words) }
      assert.is_true(ran.status ~= 0)
      assert.is_nil(ran.err:find "it ran", ran.err)
    end
    local _, err = ok(3, { "snapshot", "-o", "none.json", "--partition", "Nope" })
    assert.matches("the device has no partition 'Nope'", err)
    assert.same({}, files_with "snapshot")
    bip.auth.partition:create { name = "Empty" }
    ok(0, { "snapshot", "-o", "empty.json", "--partition", "Empty", "ltm/pool" })
    _, err = ok(3, { "plan", "-o", "x", "--to", "empty.json", "--partition", "Nope" })
    assert.matches("nothing could be compared", err)
  end)

  it("gives hints for the command line", function()
    local _, err = ok(3, { "confirm" })
    assert.is_nil(err:find("hint", 1, true))
    for _, words in ipairs { { "confirm" }, { "snapshot", "-o", "x.json" } } do
      _, err = ok(3, words, { F5_PASSWORD = "wrong" })
      assert.matches("hint: check the user %(%-%-user or F5_USER%)", err)
    end
    _, err = ok(1, { "apply", "." })
    assert.matches("cannot read %.: Is a directory", err)
    _, err = ok(2, { "run", "--check", "--against", "none.json", playbook "" })
    assert.matches("Try 'f5lua run %-%-help'", err)
  end)

  it("checks what a user does who may not begin transactions", function()
    bip.auth.partition:create { name = "Shop" }
    bip.auth.user:create { name = "shop", password = "shopPass1!x",
      partitionAccess = { { name = "Shop", role = "manager" } } }
    local user = { F5_USER = "shop", F5_PASSWORD = "shopPass1!x" }
    playbook 'bip.ltm.pool["/Shop/new"]:create {}'
    local out = ok(0, { "run", "--check", "playbook.lua" }, user)
    assert.matches("/Shop/new  created  %S+  not validated: the device did not begin a transaction",
      out)
    playbook 'bip.ltm.pool["/Common/new"]:create {}'
    local _, err = ok(3, { "run", "--undoable", "playbook.lua" }, user)
    assert.is_nil(err:find "takes it back") -- it was refused
    assert.matches("^change record %S+, %S+: playbook.lua\n", (ok(0, { "undo", "last" }, user)))
  end)

  it("counts only the writes that a device may have carried out", function()
    bip.ltm.pool:create { name = "a" }
    playbook [[
pcall(function() bip:transaction(function(tx)
  tx(bip.ltm.pool["/Common/a"]):modify { description = "is" }
  tx(bip.ltm.pool["/Common/a"]):modify { monitor = "/Common/nope" }
end) end)
if arg[1] then bip.ltm.pool["/Common/a"]:modify { description = "is" } end
]]
    local _, err = ok(0, { "run", "--undoable", "playbook.lua" })
    assert.equal("", err)
    _, err = ok(0, { "run", "--undoable", "playbook.lua", "x" })
    assert.matches("^f5lua: 1 write in the change record", err)
  end)

  it("refuses plans of another shape", function()
    plan 'bip.ltm.pool:create { name = "new" }'
    local core = require "f5.core"
    for _, name in ipairs { "identity", "steps", "objects", "reads", "assumed", "differences" } do
      for _, value in ipairs { 5, { 5 } } do
        local whole = json.decode(place:read "change.plan")
        whole.digest, whole.devices[1][name] = nil, value
        if name == "identity" and type(value) == "table" then whole.made = nil end
        whole.digest = core.sha256(json.encode(whole, { sort = true }))
        place:file("other.plan", json.encode(whole))
        for _, verb in ipairs { "show", "apply" } do
          local _, err = ok(1, { verb, "other.plan" })
          assert.matches("is not a complete plan", err, 1, true)
        end
      end
    end
  end)

  it("says it if the program of twins is another one", function()
    playbook "require('f5.twin').start { devices = {}, program = arg[1] }"
    for _, name in ipairs { "/bin/true", "/bin/echo" } do
      local _, err = ok(1, { "playbook.lua", name })
      assert.matches("the twin ended before it was ready %(" .. name .. " sim %-%-twin%)", err)
    end
    playbook 'print(pcall(f5.undo, "last", { session = io.stdout }))'
    assert.matches("f5.undo: give the session", (ok(0, { "playbook.lua" })))
  end)

  it("completes an undo that did not come to its end with the same command", function()
    playbook [[
for i = 1, 3 do bip.ltm.pool:create { name = "new" .. i } end
bip.sys.folder:create { name = "/Common/folder", fullPath = "/Common/folder" }
]]
    ok(0, { "run", "--undoable", "playbook.lua" })
    device:fault { match = { method = "DELETE", path = "sys/folder" }, status = 500, body = {},
      times = 99 }
    ok(1, { "undo", "last" })
    assert.is_false(bip.ltm.pool["/Common/new1"]:exists())
    assert.matches("failed +%d+ ", (ok(0, { "changes" })))
    device:clear_faults()
    local out = ok(0, { "undo", "last" })
    assert.matches("%- sys/folder /Common/folder  delete", out)
    assert.is_false(bip.ltm.pool["/Common/new1"]:exists())
    ok(0, { "undo", "last" }) -- of a whole undo: redo
    assert.is_true(bip.sys.folder["/Common/folder"]:exists())
  end)

  it("does not count what a transaction that was not committed queued", function()
    bip.ltm.pool:create { name = "a" }
    playbook [[
local tx = bip:begin()
tx(bip.ltm.pool["/Common/a"]):modify { description = "is" }
error "stop"
]]
    local _, err = ok(1, { "run", "--undoable", "playbook.lua" })
    assert.is_nil(err:find "in the change record")
  end)
end)
