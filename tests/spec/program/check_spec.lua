-- f5lua run --check: an unmodified playbook shows what it would do, and writes nothing.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local HEAD <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'

describe("S4 run --check", function()
  local device, place, bip

  before_each(function()
    device, bip = lab.start()
    place = program.directory()
    bip.ltm.pool["/Common/old"]:create { description = "was" }
    device:clear_log()
  end)
  after_each(function() lab.stop(bip, device, place) end)

  local function check(text, words, more)
    local line = { "run", "--check" }
    table.move(words or {}, 1, #(words or {}), #line + 1, line)
    line[#line + 1] = place:file("playbook.lua", HEAD .. text)
    return program.run(line, { env = lab.environment(device, more) })
  end

  -- All objects of the device, byte for byte.
  local function objects() return json.encode(device:state().objects, { sort = true }) end

  it("shows what is created, changed and deleted, with the line, and writes nothing", function()
    local before = objects()
    local done = check [[
bip.ltm.pool["/Common/new"]:create { monitor = "/Common/http" }
bip.ltm.pool["/Common/old"]:modify { description = "is" }
bip.sys.ntp:modify { timezone = "Europe/Berlin" }
print(bip.ltm.pool["/Common/new"]:load().monitor, bip.ltm.pool["/Common/old"]:load().description)
]]
    assert.equal(0, done.status, done.err)
    assert.matches("^/Common/http\tis\n", done.out)
    assert.matches("nothing was written", done.out)
    assert.matches("%+ /Common/new  created  %S*playbook.lua:3  accepted by the device", done.out)
    assert.matches("~ /Common/old  changed  %S*playbook.lua:4  accepted by the device\n"
      .. "%s+description: was → is\n", done.out)
    assert.matches("timezone: %S+ → Europe/Berlin", done.out)
    assert.equal(before, objects())
    assert.is_false(bip.ltm.pool["/Common/new"]:exists())
    assert.equal("was", bip.ltm.pool["/Common/old"]:load().description)
  end)

  it("names each line of a transaction, and shows a deletion", function()
    local done = check [[
bip:transaction(function(tx)
  tx(bip.ltm.pool["/Common/a"]):create {}
  tx(bip.ltm.pool["/Common/old"]):delete()
end)
]]
    assert.equal(0, done.status, done.err)
    assert.matches("%+ /Common/a  created  %S*playbook.lua:4", done.out)
    assert.matches("%- /Common/old  deleted  %S*playbook.lua:5", done.out)
    assert.is_true(bip.ltm.pool["/Common/old"]:exists())
  end)

  it("says nothing to do as the exit status", function()
    local same = check('bip.ltm.pool["/Common/old"]:ensure { description = "was" }',
      { "--exit-code" })
    assert.same({ 0, "" }, { same.status, same.err })
    assert.matches("no differences", same.out)
    local other = check('bip.ltm.pool["/Common/old"]:ensure { description = "is" }',
      { "--exit-code" })
    assert.equal(4, other.status, other.err)
  end)

  it("stops at a command that nothing simulates, with its line", function()
    local before = objects()
    local done = check 'bip.ltm.pool["/Common/a"]:create {}\nbip:bash "reboot"\nprint "after"\n'
    assert.equal(1, done.status)
    assert.matches("playbook.lua:4: not simulated", done.err)
    assert.is_nil(done.out:find "after")
    assert.matches("%+ /Common/a", done.out)
    assert.equal(before, objects())
  end)

  it("goes on with --keep-going and marks what follows", function()
    local before = objects()
    local done = check('bip:bash "reboot"\nbip.ltm.pool["/Common/a"]:create {}\n',
      { "--keep-going" })
    assert.equal(1, done.status)
    assert.matches(
      "/Common/a  created  %S*playbook.lua:4  accepted by the device  uncertain", done.out
    )
    assert.matches("not simulated\n  %S*playbook.lua:3", done.out)
    assert.equal(before, objects())
  end)

  -- What a twin leaves to the device. None of it may go by without a line.
  local GAPS <const> = {
    'bip:request("DELETE", "/mgmt/tm/apm/session/abc")',
    'bip:request("DELETE", "/mgmt/tm/apm/access-info/abc")',
    'bip:task("sys/ucs", { command = "save", name = "x" })',
    'bip.sys.ucs:run("save", { name = "x" })',
    'bip:request("POST", "/mgmt/tm/asm/policies", { body = { name = "x" } })',
    'bip:request("POST", "/mgmt/tm/live-update/x", { body = {} })',
    'bip:request("POST", "/mgmt/tm/sys/license", { body = { command = "install" } })',
    'bip:request("POST", "/mgmt/tm/sys/software/image", { body = { command = "install" } })',
    'bip:request("POST", "/mgmt/tm/task/util/bash", { body = { command = "run" } })',
    'bip:request("POST", "/mgmt/tm/cm", { body = { command = "run" } })',
    'bip:request("POST", "/mgmt/tm/sys", { body = { command = "restart" } })',
    'bip:request("POST", "/mgmt/tm/sys/crypto/check-cert", { body = { command = "run" } })',
    'bip:request("DELETE", "/mgmt/tm/sys/connection")',
    'bip:request("PATCH", "/mgmt/tm/shared/x", { body = { a = 1 } })',
    'bip:request("PUT", "/mgmt/shared/whatever", { body = { a = 1 } })',
    'bip:request("POST", "/mgmt/cm/device/tasks/x", { body = { a = 1 } })',
    'bip:request("POST", "/mgmt/shared/appsvcs/declare", { body = { class = "AS3" } })',
    'bip:request("GET", "/mgmt/shared/appsvcs/declare")',
    'bip:transaction(function(tx) tx(bip.sys.ucs):run("save", { name = "x" }) end)',
    'bip:bash("reboot")',
  }

  it("names each step that is not simulated with its line, also if the playbook goes on", function()
    local lines, expected = {}, {}
    for i, step in ipairs(GAPS) do
      lines[i] = ("pcall(function() %s end)"):format(step)
      expected[i] = "playbook.lua:" .. i + 2
    end
    local done = check(table.concat(lines, "\n") .. "\n", { "--keep-going" })
    local found = {}
    for line in (done.out:match "\nnot simulated\n(.*)$"):gmatch "(playbook.lua:%d+)  " do
      found[#found + 1] = line
    end
    assert.same(expected, found)
  end)

  it("runs a command that changes nothing on the device", function()
    local done = check 'print((bip:bash("echo here", { changes = false })))\n'
    assert.equal(0, done.status, done.err)
    assert.matches("^here", done.out)
    assert.matches("ran on the device\n  %S*playbook.lua:3  echo here", done.out)
  end)

  it("shows a refusal of the device, and the playbook's own failure", function()
    local done = check 'bip.ltm.pool["/Common/a"]:create {}\nbip.ltm.pool["/Common/no"]:delete()\n'
    assert.equal(3, done.status)
    assert.matches("was not found", done.err)
    assert.matches("%+ /Common/a  created", done.out)
    local handled = check 'pcall(function() bip.ltm.pool["/Common/no"]:delete() end)\n'
    assert.equal(0, handled.status, handled.err)
    assert.matches("refused\n  %S*playbook.lua:3", handled.out)
  end)

  it("waits in the time of the check", function()
    local began = os.time()
    local done = check [[
local before, clock = os.time(), os.clock()
f5.all(function() f5.sleep(600) end, function() for _ = 1, 4 do f5.sleep(200) end end)
print(os.time() - before, math.floor(os.clock() - clock + 0.5))
]]
    assert.equal(0, done.status, done.err)
    assert.matches("^80%d\t80%d\n", done.out)
    assert.is_true(os.time() - began < 30)
  end)

  it("stops waiting for what cannot happen", function()
    local done = check 'while true do f5.sleep(60) end\n'
    assert.equal(3, done.status)
    assert.matches("playbook.lua:3 waits, and nothing has changed for an hour", done.err)
  end)

  it("asks the device to validate, and names the step that it refuses", function()
    local before = objects()
    -- The device has a rule of its own that the twin does not know.
    device:fault {
      match = { method = "PATCH", path = "transaction" }, times = 20, status = 400,
      body = {
        code = 400, apiError = 3,
        message = "transaction failed:01071234:3: /Common/bad is not welcome here",
      },
    }
    local done = check [[
bip.ltm.pool["/Common/good"]:create {}
bip.ltm.pool["/Common/bad"]:create {}
]]
    assert.equal(1, done.status, done.err)
    assert.matches(
      "/Common/bad  created  %S*playbook.lua:4  rejected: .-is not welcome here", done.out
    )
    assert.equal(before, objects())
  end)

  it("can leave the validation out", function()
    local done = check('bip.ltm.pool["/Common/a"]:create {}\n', { "--no-validate" })
    assert.equal(0, done.status, done.err)
    assert.is_nil(done.out:find "accepted")
    for _, call in ipairs(device:log()) do assert.is_nil(call.path:find "transaction") end
  end)

  it("prints JSON", function()
    local done = check('bip.ltm.pool["/Common/a"]:create {}\n', { "--output", "json" })
    assert.equal(0, done.status, done.err)
    local found = json.decode(done.out)
    local one = found.devices[1]
    assert.same({ "added", "/Common/a", "ltm/pool" }, {
      one.differences[1].what, one.differences[1].name, one.differences[1].kind,
    })
    assert.equal("accepted", one.steps[1].validation.state)
  end)

  it("is asked for by the environment, also of a packed program", function()
    local built_programs = require "built_programs"
    local text <const> = HEAD .. 'bip.ltm.pool["/Common/a"]:create {}\nassert(#arg == 1)\n'
    local file = place:file("packed.lua", text)
    local packed <const> = place.path .. "/packed"
    built_programs.must_build { "-o", packed, file }
    local env = lab.environment(device, { F5LUA_CHECK = "1" })
    for _, line in ipairs { { file, "--check" }, { "run", file, "x" } } do
      local done = program.run(line, { env = env })
      assert.equal(0, done.status, done.err)
      assert.matches("%+ /Common/a  created", done.out)
    end
    local done = built_programs.run(packed, { "--version" }, { env = env })
    assert.equal(0, done.status, done.err)
    assert.matches("%+ /Common/a  created", done.out)
    assert.equal("", done.err)
    assert.is_false(bip.ltm.pool["/Common/a"]:exists())

    env.F5LUA_CHECK, env.F5LUA_PLAN = nil, place.path .. "/a.plan"
    done = built_programs.run(packed, { "word" }, { env = env })
    assert.equal(0, done.status, done.err)
    assert.is_false(bip.ltm.pool["/Common/a"]:exists())
    assert.equal(0, program.run({ "apply", env.F5LUA_PLAN }, { env = env }).status)
    assert.is_true(bip.ltm.pool["/Common/a"]:exists())
  end)

  it("shows what a playbook would do that ends with os.exit, and has its status", function()
    for code, status in pairs { ["0"] = 0, ["true"] = 0, [""] = 0, ["5"] = 5, ["false"] = 1 } do
      local done <const> = program.run({ "run", "--check", place:file("exit.lua", HEAD
        .. 'bip.ltm.pool["/Common/a"]:create {}\nos.exit(' .. code .. ")\n") },
        { env = lab.environment(device) })
      assert.equal(status, done.status, done.err)
      assert.matches("%+ /Common/a  created", done.out)
    end
  end)

  it("shows what a subcommand would do", function()
    local env = lab.environment(device)
    for _, case in ipairs {
      { { "create", "ltm/pool", "/Common/a", "--check" }, "%+ /Common/a  created" },
      { { "modify", "ltm/pool", "/Common/old", "description=is", "--check" }, "was → is" },
      { { "delete", "ltm/pool", "/Common/o*", "--check" }, "%- /Common/old  deleted" },
      { { "ensure", "ltm/pool", "/Common/old", "description=was", "--check" }, "no differences" },
      { { "absent", "ltm/pool", "/Common/old", "--check" }, "%- /Common/old  deleted" },
    } do
      local done = program.run(case[1], { env = env })
      assert.equal(0, done.status, done.err)
      assert.matches(case[2], done.out)
    end
    assert.equal("was", bip.ltm.pool["/Common/old"]:load().description)
  end)

  it("has one process for all devices, also if they connect at the same time", function()
    local checks = require "f5.plan.check"
    local other <close> = require("f5.sim").start {}
    local started = 0
    local result <close> = checks.run(function()
      local f5 = require "f5"
      local function connect(one)
        return function() f5.connect(one:options "admin"):close() end
      end
      f5.all(connect(device), connect(other))
    end, {
      twin = {
        start = function(options)
          started = started + 1
          options.program = program.path
          return require("f5.twin").start(options)
        end,
      },
    })
    assert(result.ok, result.error)
    assert.same({ 1, 2 }, { started, #result.devices })
  end)

  it("is refused where it means nothing", function()
    for _, words in ipairs { { "--exit-code" }, { "--keep-going" }, { "--no-validate" } } do
      local done = program.run({ "run", words[1], "-e", "print(1)" }, {})
      assert.equal(2, done.status)
      assert.matches(words[1]:gsub("%-", "%%-") .. " needs %-%-check", done.err)
    end
  end)

  it("says that a password is wrong before anything runs", function()
    local done = check('print "ran"\n', {}, { F5_PASSWORD = "wrong" })
    assert.equal(3, done.status)
    assert.matches("Authentication failed", done.err)
    assert.is_nil(done.out:find "ran")
  end)
end)
