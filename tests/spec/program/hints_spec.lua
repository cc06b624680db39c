-- Hints for mistakes that are usual at first, in playbooks and on the command line.
local lab = require "lab"
local program = require "program"

describe("hints", function()
  local device, place
  setup(function()
    device = require("f5.sim").start {}
    place = program.directory()
  end)
  teardown(function() lab.stop(device, place) end)

  -- Runs a playbook on the simulated device.
  local function run(text, words)
    place:file("p.lua", text)
    local all <const> = { "p.lua" }
    table.move(words or {}, 1, #(words or {}), 1, all)
    if words then all[#all + 1] = "p.lua" end
    return program.run(all, { directory = place.path, env = lab.environment(device) })
  end

  local function hint(text)
    local result <const> = run(text)
    assert.equal(1, result.status)
    return result.err:match "\n  hint: ([^\n]*)" or "none"
  end

  local HEAD <const> = 'local f5 = require "f5" local bip <close> = f5.connect {} '

  for text, expected in pairs {
    ["print(f5.version)"] = 'add: local f5 = require "f5"',
    ["f5.connect {}"] = 'add: local f5 = require "f5"',
    ["bip.ltm.pool:list()"] = "only `f5lua run %-%-inventory` and the console set bip",
    [HEAD .. "local n = bip.sys.ntp:load() n:modify {}"] =
      'call the method on the reference: bip.ltm.pool%["/Common/web"%]:modify%(…%)',
    [HEAD .. "for p in bip.sys:each() do p:delete() end"] = "call the method on the reference",
    [HEAD .. "print(bip.sys.ntp.timezone .. 'x')"] = "read it first: reference:load%(%).timezone",
    [HEAD .. "print(bip.sys.ntp.timezone + 1)"] = "read it first: reference:load%(%).timezone",
    [HEAD .. "print(bip.sys.ntp.timezone < 1)"] = "read it first: reference:load%(%).NAME",
    ["print(nothing.here)"] = "^none$",
    ["error 'x'"] = "^none$",
  } do
    it("say what to write instead of " .. text, function() assert.matches(expected, hint(text)) end)
  end

  it("are in the JSON log, too", function()
    local result <const> = run("print(f5.version)", { "--log-format", "json" })
    assert.matches([["hint":"add: local f5 = require \"f5\""]], result.err)
  end)

  it("say that a transaction has no paths", function()
    local result =
      run(HEAD .. "bip:transaction(function(tx) tx.ltm.pool.web:delete() end)")
    assert.matches("a transaction has no 'ltm'; bind a reference to it: tx%(bip.ltm…%)", result.err)
    result = run(HEAD .. "bip:transaction(function(tx) tx:comit() end)")
    assert.matches("a transaction has no 'comit'; did you mean 'commit'%?", result.err)
  end)

  it("warn of a transaction whose writes are not in it", function()
    local function of(body)
      return run(HEAD .. "bip:transaction(function(tx) " .. body .. " end)")
    end
    local result <const> = of "bip.ltm.pool:create { name = 'direct' }"
    assert.equal(0, result.status)
    assert.matches("warning: .* has no commands, but the session made a write", result.err)
    assert.equal("", of("tx(bip.ltm.pool.direct):modify { description = 'x' }").err)
    assert.equal("", of("print(bip.ltm.pool.direct:load().name)").err)
    assert.equal("", of("").err)
    assert.equal("", of("tx(bip.ltm.pool.direct):delete() bip.sys.ntp:modify { servers = {} }").err)
  end)

  it("know `help` and `version`", function()
    assert.equal(program.run({ "--help" }).out, program.run({ "help" }).out)
    assert.equal(program.run({ "--version" }).out, program.run({ "version" }).out)
    assert.equal(program.run({ "list", "--help" }).out, program.run({ "help", "list" }).out)
    local wrong <const> = program.run { "help", "lst" }
    assert.equal(2, wrong.status)
    assert.matches("did you mean 'list'%?", wrong.err)
    place:file("version", "print 'mine'")
    assert.equal("mine\n", program.run({ "version" }, { directory = place.path }).out)
  end)

  it("say where the options of a subcommand belong", function()
    local wrong <const> = program.run { "-H", "127.0.0.1", "list", "ltm/pool" }
    assert.equal(2, wrong.status)
    assert.matches("unknown option '%-H'; .* come after its name: f5lua list %-H …", wrong.err)
    local unknown <const> = program.run { "-x", "y" }
    assert.equal("f5lua: unknown option '-x'\nTry 'f5lua --help'.\n", unknown.err)
  end)

  it("know what needs `run`, and leave the options of subcommands to these", function()
    place:file("p.lua", 'print(require("f5").connect())')
    local function f5lua(words)
      return program.run(words, { directory = place.path, env = lab.environment(device) })
    end
    for _, words in ipairs {
      { "--sim", "p.lua" }, { "--check", "p.lua" }, { "--undoable", "p.lua" },
      { "-v", "--sim", "-e", 'print(require("f5").connect())' },
    } do
      local result <const> = f5lua(words)
      assert.equal(0, result.status, result.err)
      assert.matches("^session with 127.0.0.1:%d+\n", result.out)
    end
    local missing <const> = f5lua { "-p", "nope", "p.lua" }
    assert.equal(2, missing.status)
    assert.matches("there is no profile 'nope'", missing.err)
    assert.matches(
      "unknown option '%-p'; .* f5lua list %-p …", f5lua({ "-p", "x", "list", "ltm/pool" }).err
    )
    assert.matches("unknown option '%-%-simm'", f5lua({ "--simm", "p.lua" }).err)
  end)

  it("name the list of what is missing, not that of what has it", function()
    local function hint_of(words)
      local result <const> = program.run(words, { env = lab.environment(device) })
      assert.equal(3, result.status)
      return result.err:match "hint: ([^\n]*)" or "none"
    end
    assert.equal(0, program.run({ "create", "ltm/pool", "name=a b" }, {
      env = lab.environment(device),
    }).status)
    assert.equal("none", hint_of { "modify", "ltm/pool", "a b", "monitor=/Common/nope" })
    local of_pool <const> = "^f5lua list ltm/pool %-%-select fullPath lists the objects$"
    assert.matches(of_pool, hint_of { "modify", "ltm/pool", "nope", "monitor=/Common/http" })
    assert.matches(of_pool, hint_of { "get", "ltm/pool", "/Common/x y" })
    assert.matches(
      "^f5lua list ltm/pool .*lists", hint_of { "get", "ltm/pool", "nope", "members" }
    )
  end)

  it("refuse modules that no device has", function()
    for _, words in ipairs {
      { "run", "--sim", "--provision", "ltmm", "p.lua" }, { "sim", "--provision", "ltmm" },
      { "console", "--sim", "--provision", "ltm,ltmm" },
    } do
      place:file("p.lua", "print 'ran'")
      local wrong <const> = program.run(words, { directory = place.path })
      assert.equal(2, wrong.status)
      assert.matches("%-%-provision: there is no module 'ltmm' %(did you mean 'ltm'%?%)", wrong.err)
    end
    local ok, message = pcall(require("f5.sim").start, { provision = { "foo" } })
    assert.falsy(ok)
    assert.matches("sim.start: there is no module 'foo'; modules are afm,", message)
  end)

  it("exit with 2 for a port that does not exist", function()
    for _, words in ipairs {
      { "list", "ltm/pool", "-H", "127.0.0.1:99999" }, { "console", "127.0.0.1:99999" },
      { "sim", "--port", "99999" }, { "trust", "127.0.0.1:99999" },
    } do
      local wrong <const> = program.run(words, { env = { F5_USER = "u", F5_PASSWORD = "p" } })
      assert.equal(2, wrong.status, table.concat(words, " "))
      assert.matches("port", wrong.err .. wrong.out)
    end
  end)

  it("know a packed program", function()
    local made <const> = place.path .. "/made"
    assert.equal(0, program.run({ "build", place:file("p.lua", ""), "-o", made }).status)
    for _, words in ipairs { { "run", "--sim", made }, { made } } do
      local wrong <const> = program.run(words)
      assert.equal(1, wrong.status)
      assert.matches("hint: this is a program, not a playbook", wrong.err)
    end
  end)

  it("are not needed where no directory for temporary files exists", function()
    place:file("p.lua", HEAD .. "print(#bip.ltm.pool:list())")
    local env <const> = { TMPDIR = "/nonexistent" }
    local options <const> = { directory = place.path, env = env, input = "#bip.ltm.pool:list()" }
    assert.same({ status = 0, out = "0\n", err = "" },
      program.run({ "run", "--sim", "p.lua" }, options))
    assert.same({ status = 0, out = "0\n", err = "" }, program.run({ "console", "--sim" }, options))
  end)
end)
