-- The command line without any device: what is run, what it sees, how it ends.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local run = program.run

local function check(expected, words, options)
  local result = run(words, options)
  assert.same(expected, { result.status, result.out, result.err })
end

describe("chunks", function()
  it("run and share their globals", function()
    check({ 0, "3\n", "" }, { "-e", "x = 1", "-e", "y = 2", "-e", "print(x + y)" })
  end)

  it(
    "are compiled before any of them runs",
    function()
      check(
        { 1, "", "f5lua: (command line):1: unexpected symbol near <eof>\n" },
        { "-e", "print 'ran'", "-e", "x =" }
      )
    end
  )

  it("run before a file", function()
    local directory <close> = program.directory()
    local file = directory:file("p.lua", "print(x, ...)")
    check({ 0, "1\ta\tb\n", "" }, { "-e", "x = 1", file, "a", "b" })
  end)

  it("do nothing when empty", function() check({ 0, "", "" }, { "-e", "" }) end)

  it("need to be there", function()
    check(
      { 2, "", "f5lua: '-e' must be followed by a chunk of Lua\nTry 'f5lua --help'.\n" },
      { "-e" }
    )
  end)
end)

describe("a playbook", function()
  it("gets its arguments, also those that look like options", function()
    local directory <close> = program.directory()
    local file = directory:file(
      "p.lua",
      "#!/usr/bin/env f5lua\nprint(#arg, arg[0] == '" .. directory.path .. "/p.lua', ...)"
    )
    check({ 0, "3\ttrue\t-v\t--help\tx\n", "" }, { file, "-v", "--help", "x" })
    check({ 0, "3\ttrue\t-v\t--help\tx\n", "" }, { "run", file, "-v", "--help", "x" })
  end)

  it("has the words before it at negative indices of arg, as in lua", function()
    local directory <close> = program.directory()
    local file = directory:file("p.lua", "print(arg[-1], arg[-2] ~= nil, arg[-3])")
    check({ 0, "-v\ttrue\tnil\n", "" }, { "-v", file })
  end)

  it("comes from standard input", function()
    check({ 0, "1\ta\n", "" }, { "-", "a" }, { input = "print(#arg, ...)" })
    check({ 0, "1\n", "" }, {}, { input = "print(1)" })
    check({ 0, "x\n", "" }, { "run", "-", "x" }, { input = "#!/usr/bin/env f5lua\nprint(...)" })
  end)

  it("is run by its first line", function()
    local directory <close> = program.directory()
    local file = directory:file("p", "#!" .. program.path .. "\nprint('shebang', ...)")
    os.execute("chmod +x " .. file)
    local result = run({ "a b" }, { program = file })
    assert.same({ 0, "shebang\ta b\n" }, { result.status, result.out })
  end)

  it("finds its modules beside itself, from any directory", function()
    local directory <close> = program.directory()
    directory:file("helper.lua", "return { name = ... }")
    local file = directory:file("p.lua", "print(require('helper').name)")
    check({ 0, "helper\n", "" }, { file }, { directory = "/" })
    check({ 0, "helper\n", "" }, { "run", "p.lua" }, { directory = directory.path })
  end)

  it("may have modules with names of the program's own, but not f5", function()
    local directory <close> = program.directory()
    directory:file("argparse.lua", "return 'mine'")
    directory:file("f5.lua", "return 'mine'")
    local file = directory:file("p.lua", "print(require 'argparse', require 'f5' ~= 'mine')")
    check({ 0, "mine\ttrue\n", "" }, { file })
  end)

  it("uses C modules of the system's Lua and lua-cjson", function()
    if program.is_static() then pending "a static program has no dlopen" return end
    check({ 0, "directory\t[1,2]\n", "" },
      { "-e", "print(require('lfs').attributes('/', 'mode'), require('cjson').encode { 1, 2 })" })
  end)
end)

describe("exit statuses", function()
  it("1: the playbook raised an error; its own lines are shown", function()
    local directory <close> = program.directory()
    local file = directory:file(
      "p.lua",
      "local function drain(name)\n  error('cannot drain ' .. name)\nend\n\ndrain 'web'\n"
    )
    local expected = [[
f5lua: FILE:2: cannot drain web
  FILE:2: in function 'drain'
      error('cannot drain ' .. name)
  FILE:5: in main chunk
]]
    check({ 1, "", (expected:gsub("FILE", file)) }, { file })
  end)

  it("1: a syntax error says where", function()
    local directory <close> = program.directory()
    local file = directory:file("p.lua", "local f5 = require 'f5'\nlocal pool = = 1\n")
    local message = ("f5lua: %s:2: unexpected symbol near '='\n"):format(file)
    check({ 1, "", message }, { file })
    check({ 1, "", message }, { "run", file })
  end)

  it("1: error values that are no strings", function()
    check({ 1, "", "f5lua: nil\n" }, { "-e", "error()" })
    check(
      { 1, "", "f5lua: the error value is a table: no\n  (command line):1: in main chunk\n" },
      { "-e", "error { message = 'no' }" }
    )
    check(
      { 1, "", "f5lua: mine\n  (command line):1: in main chunk\n" },
      { "-e", "error(setmetatable({}, { __tostring = function() return 'mine' end }))" }
    )
    check(
      { 1, "", "f5lua: (table value)\n  (command line):1: in main chunk\n" },
      { "-e", "error(setmetatable({}, { __tostring = function() error 'bad' end }))" }
    )
  end)

  it("are told in the log, too, where it is JSON: every line of it can be parsed", function()
    local directory <close> = program.directory()
    local file = directory:file(
      "p.lua",
      "local f5 = require 'f5'\nlocal bip <close> = f5.connect {}\n"
        .. "bip.ltm.pool['/Common/nope']:load()\n"
    )
    local result = run { "run", "--sim", "-v", "--log-format", "json", file }
    local last
    for line in result.err:gmatch "[^\n]+" do
      last = json.decode(line)
    end
    assert.same(
      { 3, "failure", 3, 404, 3, "not_found", "GET" },
      {
        result.status, last.event, last.exit_status, last.status, last.apiError, last.kind,
        last.method,
      }
    )
    assert.equal("01020036:3: The requested Pool (/Common/nope) was not found.", last.message)
    assert.same({ { file = file, line = 3, name = "main chunk" } }, last.trace)
    assert.matches("^check with ref:exists", last.hint)
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d", last.time)
    last = json.decode(
      run({
        "--log-format=json",
        "-e",
        "local f5 = require 'f5' f5.spawn(error, 'alone') f5.sleep(0.01)",
      }).err
    )
    assert.same({ "failure", "alone" }, { last.event, last.message })
    last = json.decode(run({ "--log-format=json", "-e", "error('a\\nb\\xff')" }).err)
    assert.same({ "failure", 1 }, { last.event, last.exit_status })
    assert.equal("(command line):1: a\nb\\xff", last.message)
    last =
      json.decode(run({ "--log-format=json", "-e", "require('f5').fail('no pool %s', 'x')" }).err)
    assert.same({ "no pool x", 1, nil }, { last.message, last.exit_status, last.trace })
  end)

  it("2: a missing file", function()
    check(
      {
        2, "", "f5lua: cannot read '/nowhere/p.lua': there is no such file\nTry 'f5lua --help'.\n",
      },
      { "/nowhere/p.lua" }
    )
    check(
      {
        2,
        "",
        "f5lua: cannot read '/nowhere/p.lua': No such file or directory\nTry 'f5lua run --help'.\n",
      },
      { "run", "/nowhere/p.lua" }
    )
  end)

  it("2: a directory", function()
    assert.equal(2, run({ "/tmp" }).status)
    local place <close> = program.directory()
    local inventory <const> = place:file("sites.lua", "return { { host = 'd1' } }")
    for _, words in ipairs {
      { "run", "--inventory", inventory, "/tmp" },
      { "sim", "--seed", "/tmp" },
      { "inspect", "/tmp" },
      { "verify", "--key", "/tmp", inventory },
      { "build", inventory, "-o", place.path .. "/x", "--runtime", "/tmp" },
    } do
      assert.matches("^f5lua: cannot read /tmp: Is a directory\n", run(words).err)
    end
  end)

  it("2: unknown options and subcommands, with the nearest known one", function()
    check({ 2, "", "f5lua: unknown option '--wat'\nTry 'f5lua --help'.\n" }, { "--wat" })
    check(
      {
        2,
        "",
        "f5lua: there is no file and no subcommand 'rum'; did you mean 'run'?\nTry 'f5lua "
          .. "--help'.\n",
      },
      { "rum", "x.lua" }
    )
    check(
      { 2, "", "f5lua: there is no file and no subcommand 'qqqqq'\nTry 'f5lua --help'.\n" },
      { "qqqqq" }
    )
    check(
      { 2, "", "f5lua: unknown option '--foo'\nTry 'f5lua run --help'.\n" },
      { "run", "--foo", "x.lua" }
    )
    check({ 2, "", "f5lua: no playbook given\nTry 'f5lua run --help'.\n" }, { "run" })
    check(
      { 2, "", "f5lua: --log-format must be 'text' or 'json', not 'xml'\nTry 'f5lua --help'.\n" },
      { "--log-format=xml", "-e", "" }
    )
  end)

  it("are the script's own with os.exit", function()
    check({ 7, "", "" }, { "-e", "os.exit(7)" })
    check({ 0, "", "" }, { "-e", "os.exit(true)" })
    check({ 1, "", "" }, { "-e", "os.exit(false, true)" })
  end)

  it("1: output that cannot be written", function()
    local _, _, status = os.execute(program.path .. " -e 'print(1)' >/dev/full 2>/dev/null")
    assert.equal(1, status)
  end)

  it("1: standard output is closed; nothing else that is opened takes its place", function()
    local directory <close> = program.directory()
    local path = directory.path .. "/file"
    local chunk = (
      "local f = io.open([[%s]], [[w]]) print(1) io.stderr:write(2) f:write(io.read() and 4 or 3) "
        .. "f:close()"
    ):format(
      path
    )
    local _, _, status = os.execute(("%s -e '%s' <&- >&- 2>&-"):format(program.path, chunk))
    assert.same({ 1, "3" }, { status, directory:read "file" })
  end)

  it("141: nobody reads the output any more", function()
    local out = io.popen("timeout 20 bash -c '" .. program.path
      .. " -e \"while true do print(1) end\" | head -1; echo ${PIPESTATUS[0]}' 2>&1"):read "a"
    assert.equal("1\n141\n", out)
  end)
end)

describe("a subcommand's name", function()
  it("wins over a file of the same name, which ./ reaches", function()
    local directory <close> = program.directory()
    directory:file("run", "print 'the file'")
    check({ 0, "the file\n", "" }, { "./run" }, { directory = directory.path })
    assert.equal(2, run({ "run" }, { directory = directory.path }).status)
  end)
end)

describe("help and version", function()
  it("--version prints the version", function()
    local file <close> = assert(io.open "VERSION")
    check({ 0, "f5lua " .. file:read "l" .. "\n", "" }, { "--version" })
  end)

  -- The names of the files lualib/cli/GROUP/NAME.lua.
  local function subcommands()
    local names = {}
    for path in io.popen("ls lualib/cli/*/*.lua"):lines() do
      local group, name = path:match "/(%w+)/([%w_]+)%.lua$"
      if group ~= "support" then names[#names + 1] = name end
    end
    assert.is_true(#names > 10)
    return names
  end

  it("--help lists every subcommand with a summary", function()
    local result = run { "--help" }
    assert.same({ 0, "" }, { result.status, result.err })
    for _, name in ipairs(subcommands()) do
      assert.truthy(result.out:find("\n    " .. name .. " +%w"), name)
    end
  end)

  it("every subcommand explains itself", function()
    for _, name in ipairs(subcommands()) do
      local result = run { name, "--help" }
      assert.same({ 0, "" }, { result.status, result.err })
      assert.truthy(result.out:find("f5lua " .. name, 1, true))
    end
  end)
end)

describe("wrong words of a subcommand", function()
  local place
  setup(function()
    place = program.directory()
    place:file("empty", "")
  end)
  teardown(function() lab.stop(place) end)

  local function refused(message, ...)
    local result <const> = run({ ... }, {
      directory = place.path, env = {
        XDG_STATE_HOME = place.path, F5_USER = "", F5_PASSWORD = "", F5_SERVER = "127.0.0.1",
      },
    })
    assert.same({ 2, "" }, { result.status, result.out }, table.concat({ ... }, " "))
    assert.matches(message, result.err)
  end

  it("are answered with what to give", function()
    refused("PATH is missing: the resource or collection below", "list")
    refused("FILE is missing: a playbook, a directory", "lint")
    refused("A is missing: HOST%[:PORT%], profile:NAME", "diff")
    refused("B is missing: what A is compared with", "diff", "a.json")
    refused("%-o FILE is missing: the file of the plan", "plan", "x.lua")
    refused("the value is missing: %-p NAME, a device that f5lua profile", "list", "x", "-p")
    refused("the value is missing: %-%-sort COLUMN%[:desc%],…, the order", "list", "x", "--sort")
    refused("%-H is given twice; give it once", "list", "x", "-H", "a", "-H", "b")
    refused("%-%-inventory is given twice", "list", "x", "--inventory", "a", "--inventory", "b")
    refused("no name given: f5lua profile show NAME", "profile", "show")
    refused("too many words: beside options it takes HOST%[:PORT%]", "trust", "a", "b")
    refused("'%-1' stands where no number can be", "list", "x", "--top", "-1")
    refused("%-%-top must be a whole number, not '%-1'", "list", "x", "--top=-1")
    refused("always keeps a change record: leave out %-%-undoable", "apply", "--undoable", "x")
    for _, words in ipairs { { "a=1", "a=2" }, { "a=1", "a:=2" }, { "a.b=1", "a.b=1" } } do
      refused("a[.b]* is given twice; give it once", "create", "ltm/pool", "x", words[1], words[2])
    end
  end)

  it("are numbers that make sense", function()
    place:file("inv.lua", 'return { devices = { "127.0.0.1" } }')
    local verbs <const> = { { "list", "ltm/pool" }, { "upload", "empty" }, { "run", "-e", "x" } }
    for _, words in ipairs(verbs) do
      local function refused_in_fleet(message, option)
        refused(message, words[1], "--inventory", "inv.lua", option, table.unpack(words, 2))
      end
      for _, name in ipairs { "workers", "batch", "per-device" } do
        local pattern <const> = "%-%-" .. name:gsub("%-", "%%-")
        refused_in_fleet(pattern .. " must be at least 1", ("--%s=0"):format(name))
        refused_in_fleet(pattern .. " must be a whole number, not '%-3'", ("--%s=-3"):format(name))
      end
      for _, share in ipairs { "x", "-1", "101%", "10%%", "1.5" } do
        refused_in_fleet("%-%-max%-failures must be a number of dev", "--max-failures=" .. share)
      end
    end
  end)

  it("name the file that cannot be read", function()
    for _, words in ipairs {
      { "undo", "/" }, { "upload", place.path }, { "declare", "/" },
      { "list", "x", "--inventory", "/" },
      { "sim", "--seed", "/" }, { "lint", "/nowhere" }, { "upload", "nowhere" },
    } do
      refused("cannot read[^\n]*: [NI][so]", table.unpack(words))
    end
    refused("empty is not JSON", "sim", "--seed", "empty")
    refused("empty: the declaration is not JSON", "declare", "empty")
    refused("no change record yet; %-%-undoable keeps one", "undo", "last")
  end)

  it("are in the words of the shell where no playbook runs", function()
    local message <const> = "^f5lua: no user name for 127.0.0.1: give %-%-user NAME, or set F5_US"
    refused(message, "list", "ltm/pool")
    refused(message, "upload", "empty")
    refused(message, "snapshot", "127.0.0.1", "-o", "x.json")
    refused(message, "diff", "127.0.0.1", "127.0.0.2")
    refused("^f5lua: no password for 127.0.0.1: set F5_PASSWORD", "list", "ltm/pool", "-u", "me")
  end)
end)
