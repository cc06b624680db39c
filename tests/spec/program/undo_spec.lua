-- Change records, `f5lua changes` and `f5lua undo`, through the program.
local json = require "f5.json"
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"
local random = require "walk.random_changes"

local device, bip, place, env

local function run(words, more)
  local environment = {}
  for name, value in pairs(env) do environment[name] = value end
  for name, value in pairs(more or {}) do environment[name] = value or nil end
  return program.run(words, { env = environment, timeout = 30 })
end

-- Runs it, and expects an exit status. Returns standard output.
local function ok(status, ...)
  local ran <const> = run(...)
  assert.equal(status, ran.status, ran.out .. ran.err)
  return ran.out, ran.err
end

local function records()
  local list = {}
  for name in lfs.dir(place.path .. "/state/f5lua/changes") do
    if name:sub(1, 1) ~= "." then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

local function text_of(id) return place:read("state/f5lua/changes/" .. id) end

local function same(before)
  assert.equal("", random.difference(before, random.objects(device)))
end

local CHANGES <const> = [[
local bip <close> = require "f5".connect {}
bip.ltm.pool["/Common/web"]:modify { description = "changed", members = { "10.0.0.9:80" } }
bip.ltm.pool["/Common/new"]:create { members = { "10.0.0.3:80" } }
bip.ltm.virtual["/Common/vs"]:delete()
bip:transaction(function(tx)
  tx(bip.ltm.pool["/Common/new"]):modify { description = "in a transaction" }
  tx(bip.ltm.node["/Common/n1"]):create { address = "10.0.0.77" }
end)
bip.ltm.pool["/Common/web"].members:add "10.0.0.10:80"
if arg[1] then error(arg[1]) end
]]

describe("S6 a change record", function()
  before_each(function()
    device, bip = lab.start()
    place = lab.scratch()
    env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" })
    place:file("changes.lua", CHANGES)
    bip.ltm.pool["/Common/web"]:create {
      description = "old", members = { { name = "10.0.0.1:80", connectionLimit = 5 } },
    }
    bip.ltm.virtual["/Common/vs"]:create { destination = "10.9.0.1:80", pool = "web" }
  end)
  after_each(function() lab.stop(bip, device, place) end)

  it("S6 of a run takes back what it did, and so does that of the undo", function()
    local before <const> = random.objects(device)
    local out, err = ok(0, { "run", "--undoable", place.path .. "/changes.lua" })
    local after <const> = random.objects(device)
    local id <const> = records()[1]
    assert.equal("", out)
    assert.equal(("f5lua: 6 writes in the change record %s; 'f5lua undo %s' takes them back\n")
      :format(id, id), err)
    out = ok(0, { "undo", id, "--check" })
    assert.matches("+ ltm/virtual /Common/vs  would be created again  traffic-affecting\n", out, 1,
      true)
    assert.equal("", random.difference(after, random.objects(device)))
    assert.equal(1, #records())
    out = ok(0, { "undo", id })
    assert.matches("everything is as before", out)
    same(before)
    local redo <const> = records()[2]
    assert.matches("change record of this undo: " .. redo:gsub("%-", "%%-"), out)
    ok(0, { "undo", redo })
    same(after)
    out = ok(0, { "undo", redo })
    assert.matches("everything is as before", out)
  end)

  it("can be read by its owner only", function()
    ok(1, { "run", "--undoable", place.path .. "/changes.lua", "boom" })
    local directory <const> = place.path .. "/state/f5lua/changes"
    assert.equal("rwx------", lfs.attributes(directory, "permissions"))
    assert.equal("rw-------", lfs.attributes(directory .. "/" .. records()[1], "permissions"))
  end)

  it("is listed and shown, as text and as JSON", function()
    assert.equal("there are no change records\n", ok(0, { "changes" }))
    ok(1, { "run", "--undoable", place.path .. "/changes.lua", "boom" })
    local id <const> = records()[1]
    local out = ok(0, { "changes" })
    assert.matches("\n" .. id:gsub("%-", "%%-") .. "  failed +6  127.0.0.1:%d+  /", out)
    local list <const> = json.decode(ok(0, { "changes", "--output", "json" }))
    assert.same({ id, "failed", 6, { "boom" } },
      { list[1].id, list[1].state, list[1].writes, list[1].arguments })
    out = ok(0, { "changes", "show", "last" })
    for _, line in ipairs {
      "playbook " .. place.path .. "/changes.lua boom\n",
      "  ~ ltm/pool /Common/web  changed  ",
      "description: old → changed\n",
      "  + ltm/pool /Common/new  created  ",
      "  - ltm/virtual /Common/vs  deleted  ",
    } do
      assert.is_truthy(out:find(line, 1, true), line .. " in\n" .. out)
    end
    local shown <const> = json.decode(ok(0, { "changes", "show", id, "--output", "json" }))
    assert.equal("old", shown.steps[1].before.description)
    assert.equal("done", shown.steps[1].state)
    assert.matches("changes.lua:2$", shown.steps[1].line)
    assert.matches("there is no change record 'nope'", select(2, ok(2, { "undo", "nope" })))
    ok(2, { "changes", "forget", id })
    ok(2, { "changes", "delete" })
    ok(2, { "changes", "delete", id, "nope" })
    assert.same({ id }, records())
    ok(0, { "changes", "delete", id })
    assert.same({}, records())
  end)

  it("is kept by subcommands and chunks that are asked to", function()
    local before <const> = random.objects(device)
    ok(0, { "modify", "--undoable", "ltm/pool", "/Common/web", "description=shell" })
    local set <const> = { F5LUA_UNDOABLE = "1" }
    local chunk <const> = "local bip <close> = require 'f5'.connect {} "
      .. "bip.ltm.pool['/Common/%s']:create {}"
    ok(0, { "-e", chunk:format "a" }, set)
    ok(0, { "run", "-e", chunk:format "b" }, set)
    ok(0, { "delete", "ltm/virtual", "/Common/vs" }, set)
    ok(0, { "absent", "ltm/pool", "/Common/a" }, set)
    ok(0, { "-e", chunk:format "c" })
    ok(0, { "-e", chunk:format "d" }, { F5LUA_UNDOABLE = "0" })
    assert.equal(5, #records())
    bip.ltm.pool["/Common/c"]:delete()
    bip.ltm.pool["/Common/d"]:delete()
    for i = 5, 1, -1 do ok(0, { "undo", records()[i] }) end
    same(before)
  end)

  it("of apply takes the plan back", function()
    local before <const> = random.objects(device)
    local file <const> = place.path .. "/change.plan"
    ok(0, { "plan", "-o", file, place.path .. "/changes.lua" })
    assert.is_nil(lfs.attributes(place.path .. "/state"))
    ok(0, { "apply", file })
    assert.is_true(bip.ltm.node["/Common/n1"]:exists())
    local list <const> = json.decode(ok(0, { "changes", "--output", "json" }))
    assert.same({ "apply", "done", 6 }, { list[1].what, list[1].state, list[1].writes })
    ok(0, { "undo", list[1].id })
    same(before)
  end)

  it("is not kept by a check", function()
    local chunk <const> = "local bip <close> = require 'f5'.connect {} "
      .. "bip:undoable(function() bip.ltm.pool['/Common/a']:create {} end) "
      .. "pcall(bip.guard, bip, function() bip.ltm.pool['/Common/b']:create {} error 'x' end) "
      .. "assert(bip.ltm.pool['/Common/a']:exists() and not bip.ltm.pool['/Common/b']:exists())"
    place:file("check.lua", chunk)
    local out = ok(0, { "run", "--check", place.path .. "/check.lua" })
    assert.matches("/Common/a  created", out)
    assert.is_nil(out:find("/Common/b", 1, true))
    assert.is_nil(lfs.attributes(place.path .. "/state"))
    ok(2, { "run", "--check", "--undoable", place.path .. "/check.lua" })
  end)

  it("says before the write what cannot be taken back", function()
    local _, err = ok(0, { "call", "--undoable", "sys/config", "save" })
    assert.matches("^f5lua: cannot be undone: POST sys/config: what is saved or loaded stays so\n",
      err)
    local out = ok(1, { "undo", "last" })
    assert.matches("cannot be taken back: POST sys/config", out)
  end)

  it("leaves alone what somebody else has changed, unless it is forced", function()
    ok(0, { "run", "--undoable", place.path .. "/changes.lua" })
    bip.ltm.pool["/Common/new"]:modify { description = "mine" }
    local out = ok(1, { "undo", "last" })
    assert.matches("left alone: ltm/pool /Common/new (", out, 1, true)
    assert.matches("somebody else has changed it since: changed description", out, 1, true)
    assert.equal("mine", bip.ltm.pool["/Common/new"]:load().description)
    assert.equal("old", bip.ltm.pool["/Common/web"]:load().description)
    ok(0, { "undo", records()[1], "--force" })
    assert.is_false(bip.ltm.pool["/Common/new"]:exists())
  end)

  it("names what somebody else has changed in an element, in a fixed order", function()
    local values = { "connectionLimit", "dynamicRatio", "priorityGroup", "rateLimit", "ratio" }
    local function element(number)
      local one = { name = "10.0.0.1:80", description = number }
      for _, name in ipairs(values) do one[name] = tonumber(number) end
      one.rateLimit = number
      return json.encode(one)
    end
    local path = place:file("element.lua", ([[
      local bip <close> = require "f5".connect {}
      local one = require("f5.json").decode('%s')
      bip.ltm.pool["/Common/web"]:modify { members = { one } }
    ]]):format(element "11"))
    ok(0, { "run", "--undoable", path })
    local member <const> = bip.ltm.pool["/Common/web"].members["/Common/10.0.0.1:80"]
    local other <const> = json.decode(element "12")
    other.name = nil
    member:modify(other)
    local out = ok(1, { "undo", "last" })
    assert.matches(
      "somebody else has changed it since: connectionLimit, description, dynamicRatio, "
        .. "priorityGroup, rateLimit, ratio\n", out, 1, true
    )
    assert.not_matches("→", out)
    assert.equal("12", member:load().description)
    assert.matches(
      "change back\n *connectionLimit: 12 → 5\n *description: 12 → none\n"
        .. " *dynamicRatio: 12 → 1\n",
      (ok(0, { "undo", records()[1], "--force" }))
    )
    local now <const> = member:load()
    assert.same({ 5, nil, 1 }, { now.connectionLimit, now.description, now.ratio })
  end)

  it("is kept in the home directory if nothing else is said", function()
    env.XDG_STATE_HOME, env.HOME = "", place.path .. "/home"
    ok(0, { "run", "--undoable", place.path .. "/changes.lua" })
    local listed <const> = ok(0, { "changes" })
    assert.matches("%d%d%d%d%d%d%d%d%-%d%d%d%d%d%d%-01", listed)
    assert.is_not_nil(lfs.attributes(place.path .. "/home/.local/state/f5lua/changes"))
    env.HOME = ""
    assert.matches("neither XDG_STATE_HOME nor HOME is set",
      select(2, ok(1, { "run", "--undoable", place.path .. "/changes.lua" })))
  end)

  it("is not written to a full disk, and nothing is sent then", function()
    device:clear_log()
    local line <const> = ("(ulimit -f 0; exec %s run --undoable %s) 2>&1 | cat"):format(
      program.path, place.path .. "/changes.lua")
    local ran <const> = program.run({ "-c", line }, { program = "/bin/bash", env = env })
    assert.matches("cannot write: File too large; the write was not sent", ran.out)
    assert.same({ "POST /mgmt/shared/authn/login", "DELETE /mgmt/shared/authz/tokens/" },
      (function()
        local writes <const> = lab.writes(device)
        for i, one in ipairs(writes) do writes[i] = one:gsub("(tokens/).*", "%1") end
        return writes
      end)())
  end)

  describe("with secrets", function()
    local before
    local CHUNK <const> = [[
      local bip <close> = require "f5".connect {}
      bip.ltm.monitor.http["/Common/m"]:modify { password = "NewSecret1", description = "new" }
      bip.auth.user.bob:modify { password = "NewSecret1", description = "new" }
      bip.auth.user.eve:delete()
      bip.sys.snmp.communities["/Common/c"]:modify { communityName = "NewSecret1" }
    ]]

    before_each(function()
      local access <const> = { { name = "all-partitions", role = "guest" } }
      bip.ltm.monitor.http["/Common/m"]:create { username = "u", password = "OldSecret1" }
      bip.auth.user.bob:create { password = "OldSecret1", partitionAccess = access }
      bip.auth.user.eve:create { password = "OldSecret1", partitionAccess = access }
      bip.sys.snmp.communities["/Common/c"]:create { communityName = "OldSecret1" }
      before = random.objects(device)
    end)

    local function is_clean(text)
      for _, word in ipairs { "Secret1", "$M$", "$6$", "sealed:" } do
        assert.is_nil(text:find(word, 1, true), word .. " in\n" .. text)
      end
    end

    it("does not need those that a write leaves as they are", function()
      local _, err = ok(0, { "modify", "--undoable", "auth/user", "bob", "description=new" })
      assert.matches("^f5lua: 1 write in the change record", err)
      is_clean(text_of(records()[1]))
      ok(0, { "undo", "last" })
      same(before)
    end)

    it("leaves them out without a passphrase, and says so", function()
      local _, err = ok(0, { "-e", CHUNK }, { F5LUA_UNDOABLE = "1" })
      assert.matches("cannot be undone: PATCH auth/user/bob %([^\n]*secrets are left out", err)
      is_clean(err)
      local id <const> = records()[1]
      is_clean(text_of(id))
      is_clean(ok(0, { "changes", "show", id, "--output", "json" }))
      local out <const> = ok(1, { "undo", id })
      assert.matches("auth/user/eve  create again  without its secrets", out)
      is_clean(out)
      assert.equal("bob", bip.auth.user.bob:load().description)
    end)

    it("seals them with a passphrase, and restores them", function()
      local phrase <const> = { F5LUA_UNDOABLE = "1", F5LUA_PASSPHRASE = "open sesame" }
      local _, err = ok(0, { "-e", CHUNK }, phrase)
      is_clean(err)
      local id <const> = records()[1]
      assert.is_truthy(text_of(id):find("f5lua-sealed:", 1, true))
      is_clean((text_of(id):gsub("f5lua%-sealed:", "")))
      local wrong = select(2, ok(2, { "undo", id }, { F5LUA_PASSPHRASE = "wrong" }))
      assert.matches("the passphrase is wrong", wrong)
      wrong = select(2, ok(2, { "undo", id }))
      assert.matches("set F5LUA_PASSPHRASE", wrong)
      is_clean(ok(0, { "changes", "show", id, "--output", "json" }))
      is_clean(ok(0, { "changes", "show", id }))
      is_clean(ok(0, { "undo", id, "--check" }, phrase))
      is_clean(ok(0, { "undo", id, "--check", "--output", "json" }, phrase))
      local out <const> = ok(0, { "undo", id }, phrase)
      assert.matches("password: %*+ → %*+", out)
      assert.matches("communityName: %*+ → %*+", out)
      is_clean(out)
      same(before)
    end)
  end)

  it("S6 of a refused run is not taken back, and no older one instead", function()
    place:file("good.lua", 'bip = require "f5".connect {}\nbip.ltm.pool.web:modify '
      .. '{ description = "new" } bip:close()')
    place:file("refused.lua", 'bip = require "f5".connect {}\nbip.ltm.pool.web:modify '
      .. '{ monitor = "/Common/nope" }')
    ok(0, { "run", "--undoable", place.path .. "/good.lua" })
    ok(3, { "run", "--undoable", place.path .. "/refused.lua" })
    local good <const>, refused <const> = table.unpack(records())
    device:clear_log()
    local out <const> = ok(0, { "undo", "last" })
    assert.matches("refused.lua\nnothing to take back: the run wrote nothing\n", out, 1, true)
    assert.matches("change record " .. refused, out, 1, true)
    assert.matches(("good.lua\n'f5lua undo %s' takes it back\n"):format(good), out, 1, true)
    assert.same({}, device:log())
    assert.equal("new", bip.ltm.pool.web:load().description)
    local as_json <const> = json.decode(ok(0, { "undo", "last", "--output", "json" }))
    assert.same({ refused, {} }, { as_json.undo_of, as_json.devices })
    ok(0, { "undo", good })
    assert.equal("old", bip.ltm.pool.web:load().description)
  end)

  it("S6 of a subcommand keeps the names of its options", function()
    ok(0, { "upload", place.path .. "/changes.lua", "downloads/x.lua", "--undoable" })
    place:file("pair.sh", "openssl req -x509 -newkey rsa:2048 -nodes -days 3 -subj /CN=x "
      .. "-keyout x.key -out x.crt 2>/dev/null")
    assert(os.execute(("cd '%s' && sh pair.sh"):format(place.path)))
    ok(0, {
      "certificates", "install", "--name", "x", "--cert", place.path .. "/x.crt", "--key",
      place.path .. "/x.key", "--undoable",
    })
    local list <const> = json.decode(ok(0, { "changes", "--output", "json" }))
    assert.same({
      "install", "--name", "x", "--cert", place.path .. "/x.crt", "--key", place.path .. "/x.key",
      "--undoable",
    }, list[#list].arguments)
    assert.matches(" certificates install --name x ", ok(0, { "changes" }), 1, true)
  end)
end)
