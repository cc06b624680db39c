-- f5lua lint: what it finds, and what it must not find.
local json = require "f5.json"
local lab = require "lab"
local lint = require "lint"
local markdown = require "markdown"
local program = require "program"

local PAGE <const> = "docs/lint.md"

-- The problems of a text as "LINE severity code suggestion".
local function found(text, options)
  local lines = {}
  for i, problem in ipairs(lint.check(text, options or { file = "p.lua" })) do
    lines[i] = ("%d %s %s%s"):format(
      problem.line, problem.severity, problem.code,
      problem.suggestion and " " .. problem.suggestion or ""
    )
  end
  return lines
end

local HEAD <const> = 'local f5 = require "f5" local bip <close> = f5.connect {} '

-- One line of a playbook with a session.
local function problem(line)
  local lines = found(HEAD .. line)
  assert(#lines <= 1, line .. ": " .. table.concat(lines, "; "))
  return lines[1] and lines[1]:gsub("^1 ", "") or "nothing"
end

-- line -> what is wrong
local WRONG <const> = {
  -- globals
  ["prnt 'x'"] = "error undefined-global print",
  ["nothing.at.all()"] = "error undefined-global",
  ["if verbose then print 'x' end"] = "warning undefined-global",
  ["counter = 1"] = "warning global-assignment",
  ["print(string.fromat('x'))"] = "error unknown-function format",
  ["print(table.lenght)"] = "error unknown-function",
  -- functions, methods, options
  ["f5.conect {}"] = "error unknown-function connect",
  ["bip:transacton(print)"] = "error unknown-method transaction",
  ["bip.ltm.pool:lst()"] = "error unknown-method list",
  ["bip.ltm.pool.list()"] = "error colon :list",
  ["bip.close()"] = "error colon :close",
  ["f5:connect {}"] = "error colon .connect",
  ["bip.ltm.pool {}"] = "error not-a-function",
  ["bip.ltm.pool:list { selct = 'name' }"] = "error unknown-option select",
  ["bip.ltm.pool:list { ['selct'] = 'name' }"] = "error unknown-option select",
  ["f5.connect { retries = { cuont = 1 } }"] = "error unknown-option count",
  ["f5.connect { auth = 'tokn' }"] = "error option-value token",
  ["f5.connect { port = '443' }"] = "error option-value",
  ["bip:upload('x', { to = 'imges' })"] = "error option-value images",
  ["f5.each({}, { worker = 3 }, print)"] = "error unknown-option workers",
  ["f5.asm(bip):polcy 'x'"] = "error unknown-method policy",
  ["bip:task('sys/ucs', {}):wait { tiemout = 3 }"] = "error unknown-option timeout",
  ["bip:upload()"] = "error missing-argument",
  ["bip.ltm.pool.web:modify()"] = "error missing-argument",
  ["f5.each({})"] = "error missing-argument",
  ["bip.ltm.pool:list 'name'"] = "error argument-type",
  ["bip:bash {}"] = "error argument-type",
  ["f5.try(f5.connect, {}) local e = {} if e.kind == 'notfound' then return end"] =
    "warning error-kind not_found",
  -- paths
  ["bip.ltm.poool:list()"] = "error unknown-path pool",
  ["bip.lmt.pool:list()"] = "error unknown-path ltm",
  ["bip.ltm.wholly_unknown:list()"] = "warning unknown-path",
  ["bip.ltm['data-grup'].internal:list()"] = "error unknown-path data-group",
  ["bip:at('ltm/vitual', '/Common/x'):load()"] = "error unknown-path virtual",
  ["bip:at '/mgmt/tm/ltm/vitual'"] = "error unknown-path virtual",
  ["bip.ltm:at('poool'):list()"] = "error unknown-path pool",
  ["bip.ltm.pool['/Common/web'].membrs:list()"] = "error unknown-path members",
  ["bip.ltm.pool.web.membrs:list()"] = "error unknown-path members",
  ["local p = bip.ltm.pool p = p.web.membrs"] = "nothing", -- assigned twice
  ["bip:request('GET', 'ltm/poool')"] = "error unknown-path pool",
  ["bip.sys.ntp.serverz:set {}"] = "error unknown-path servers",
  ["bip.ltm.profile['client-sl']:list()"] = "error unknown-path client-ssl",
  -- properties
  ["bip.ltm.pool.web:modify { monitr = 'x' }"] = "error unknown-property monitor",
  ["bip.ltm.pool:create { nam = 'x' }"] = "error unknown-property name",
  ["bip.ltm.pool.web:ensure { ['load-balancing-mod'] = 'x' }"] =
    "error unknown-property loadBalancingMode",
  ["bip.ltm.pool.web:ensure { load_balancing_mode = 'x' }"] =
    "error unknown-property loadBalancingMode",
  ["bip.ltm.pool.web:replace { wholly_unknown = 'x' }"] = "warning unknown-property",
  ["bip.ltm.pool.web:modify { loadBalancingMode = 'round-robn' }"] =
    "error property-value round-robin",
  ["bip.ltm.pool.web:create { members = { { name = 'a:80', adress = 'x' } } }"] =
    "error unknown-property address",
  ["bip.sys.ntp:modify { timezon = 'UTC' }"] = "error unknown-property timezone",
  -- values
  ["bip.ltm.pool.web:load():modify {}"] = "error not-a-reference",
  ["local p = bip.ltm.pool.web:load() p:delete()"] = "error not-a-reference",
  ["for p in bip.ltm.pool:each() do p:delete() end"] = "error not-a-reference",
  ["for _, p in ipairs(bip.ltm.pool:list()) do p:modify {} end"] = "error not-a-reference",
  ["if bip.ltm.virtual.web.description == 'x' then return end"] = "error reference-compared",
  ["if 80 < bip.ltm.pool.web.minActiveMembers then return end"] = "error reference-compared",
  -- loops
  ["for pool in bip.ltm.pool:list() do print(pool) end"] = "error not-an-iterator",
  ["for _, pool in bip.ltm.pool:list { top = 1 } do print(pool) end"] = "error not-an-iterator",
  ["local all = bip.ltm.pool:list() for one in all do print(one) end"] = "error not-an-iterator",
  ["for pool in bip.ltm.pool do print(pool) end"] = "error not-an-iterator",
  ["for name in { 'a', 'b' } do print(name) end"] = "error not-an-iterator",
  ["for i = 1, 2 do for i = 1, 3 do print(i) end end"] = "warning shadowed-variable",
  -- locals
  ["local name = 'web'"] = "warning unused-local",
  ["local name <const> = 'web'"] = "warning unused-local",
  ["local a, b = 1, 2"] = "warning unused-local",
  ["local name name = 'web'"] = "warning unused-local",
  ["local function name() end"] = "warning unused-local",
  ["print(function() local name = 1 end)"] = "warning unused-local",
  ["if not bip.ltm.pool.web then return end"] = "error reference-condition",
  ["bip:transaction(function(tx) tx.ltm.pool.web:delete() end)"] = "error transaction-path",
  ["bip:transaction(function(tx) tx(bip.ltm.poool.web):delete() end)"] = "error unknown-path pool",
  ["bip:transaction(function() bip.ltm.pool.web:delete() end)"] = "warning outside-transaction",
}

-- What must not be reported.
local RIGHT <const> = {
  "bip.close(bip)", "pcall(bip.close, bip)", "bip.ltm.pool.load(bip.ltm.pool)",
  "local method = 'load' bip.ltm.pool[method](bip.ltm.pool)",
  "bip.ltm.pool['/Common/poool']:load()", "bip.ltm.pool.poool:load()",
  "bip:at('ltm/pool', '/Common/x', 'members', '/Common/10.0.0.1:80'):load()",
  "bip:at '/mgmt/shared/echo'", "bip:at(bip.ltm.pool.web:load().selfLink)",
  "bip.asm.policies:list()", "bip.util.bash:run('run', {})", "bip.ltm.pool.web:stats()",
  "bip.ltm.pool.web:modify { ['load-balancing-mode'] = 'round-robin' }",
  "bip.ltm.pool:create { name = 'x', partition = 'Common', members = { '10.0.0.1:80' } }",
  "bip.ltm.virtual.web:modify { pool = f5.null, rules = {}, profiles = { { name = 'tcp' } } }",
  "bip.ltm.virtual.web.rules:remove '/Common/x'",
  "bip:transaction({ timeout = 3 }, function(tx) tx(bip.ltm.pool.web):modify {} end)",
  "bip:transaction(function(tx) print(tx:id(), bip.ltm.pool.web:load().monitor) end)",
  "bip:transaction(function(tx) print(tx) end, { keep_alive = 3 })", "f5.each({}, print)",
  "bip:upload(...)", "bip:upload(table.unpack {})", "f5.sleep '1'", "f5.array {}",
  "local e = {} if e.kind == 'not_found' or e.kind == 'tm:ltm:pool:poolstate' then return end",
  "local kind = 'http' bip.ltm.monitor[kind]['/Common/x']:load()",
  "f5.extra = 1 print(f5.json.null, f5.version)", "string.trim = print string.trim 'x'",
  "local t = { f5 = 1 } function t:go() return self.f5 end t:go()",
  "goto done do local x <const> = 0x1p4 // 3 | ~1 print(x) end ::done::",
  "local function again(n) return n and again(n) end print(again(1))",
  "print(#arg, ..., _VERSION, utf8.char(1), ('x'):rep(3), [[a]], 1e3)",
  "print(bip.ltm.poool) -- lint: ignore",
  "local p = bip.ltm.pool.web:load() p.state = 1 bip.ltm.pool.web:modify(p)",
  "for _, pool in ipairs(bip.ltm.pool:list()) do print(pool.name) end",
  "for pool in bip.ltm.pool:each {} do print(pool.name) end", "for x in ... do print(x) end",
  "for i = 1, 3 do print(i) end for i = 1, 3 do print(i) end",
  "for _ = 1, 2 do for _ = 1, 2 do print(1) end end",
  "local ok, err = pcall(print) print(err)", "local _, b = pcall(print) b = 1", "local _x = 1",
  "local held <close> = setmetatable({}, {})", "local t = {} t.x = 1", "local t = {} t[1] = 2",
  "local M = {} function M.go() end", "local f f = function() return f end print(f)",
  "local n = 0 print(function() n = n + 1 end)", "local t = 1 return function() return t end",
  "local p = bip.ltm.pool.web p = p:load() print(p.monitor == 'x')",
}

describe("E3 lint", function()
  for line, expected in pairs(WRONG) do
    it("says " .. expected .. ": " .. line, function()
      assert.equal(expected, problem(line))
    end)
  end

  for _, line in ipairs(RIGHT) do
    it("says nothing about " .. line, function() assert.equal("nothing", problem(line)) end)
  end

  it("finds nothing in the playbooks that come with f5lua", function()
    local result = program.run { "lint", "--strict", "scripts/playbooks" }
    assert.same({ status = 0, out = "", err = "" }, result)
  end)

  local pages <const> = { "README.md" }
  for _, name in ipairs(require("f5").files("docs", "**/*.md")) do pages[#pages + 1] = name end
  for _, page in ipairs(pages) do
    it("finds no error in the examples of " .. page, function()
      local errors = {}
      for _, block in ipairs(page ~= PAGE and markdown.blocks(page, "lua") or {}) do
        local open <const> = { file = page, open = true }
        for _, one in ipairs(lint.check(block.text, open)) do
          if one.severity == "error" and one.code ~= "syntax" then
            errors[#errors + 1] = ("line %d: %s"):format(block.line + one.line - 1, one.message)
          end
        end
      end
      assert.same({}, errors)
    end)
  end

  it("knows what a run on a fleet defines", function()
    assert.same({}, found 'print(bip.ltm.pool["/Common/web"]:load().monitor, f5.version)')
    assert.same({}, found "bip:bash(device.name .. f5.version)")
    assert.same({}, found "return function(bip) f5.sleep(1) bip.ltm.pool:list() end")
    assert.same({ "1 error undefined-global local f5 = require \"f5\"" }, found "f5.sleep(1)")
    assert.same({ "1 error unknown-path pool" }, found "bip.ltm.poool:list()")
  end)

  it("does not claim what it does not know", function()
    local function message(line) return lint.check(HEAD .. line, { file = "p.lua" })[1].message end
    assert.equal("f5lua knows no 'wholly_unknown' below ltm",
      message "bip.ltm.wholly_unknown:list()")
    assert.equal("of ltm/pool f5lua knows no property 'wholly_unknown'",
      message "bip.ltm.pool.x:modify { wholly_unknown = 1 }")
    assert.equal("ltm/pool: of 'loadBalancingMode' f5lua knows no value 'something'",
      message "bip.ltm.pool.x:modify { loadBalancingMode = 'something' }")
  end)

  it("warns where only the name of a parameter tells what it is", function()
    assert.same({ "1 warning unknown-path pool" },
      found "local function go(bip) bip.ltm.poool:list() end print(go)")
    assert.same({ "1 error unknown-path pool" },
      found(HEAD .. "local function go(b) b.ltm.poool:list() end go(bip)"))
    assert.same({ "1 error unknown-path pool" }, found(
      'local f5 = require "f5" local function open() return f5.connect {} end '
        .. "open().ltm.poool:list()"))
  end)

  it("says where the compiler stops", function()
    local one = lint.check("local x = 1\nprint(x))\n", { file = "p.lua" })[1]
    assert.same({ 2, 9, "error", "syntax" }, { one.line, one.column, one.severity, one.code })
    assert.matches("near '%)'", one.message)
    assert.same({ "1 error syntax" }, found "if x then")
    assert.same({ "1 error syntax" }, found(string.dump(function() end)))
  end)

  it("takes a first line with #!, a byte-order mark, and other ends of lines", function()
    assert.same({}, found "#!/usr/bin/env f5lua\nprint 'x'")
    assert.same({ "2 error undefined-global print" }, found "\xEF\xBB\xBF#!/x\r\nprnt 'x'\r\n")
    assert.same({}, found "")
  end)

  it("only warns of a global variable that is tested", function()
    local one <const> = "1 warning undefined-global"
    assert.same({ one, one }, found "if love then love.go() end")
  end)

  it("reads texts that are nested deeply", function()
    assert.same({}, found("local x = 1" .. (" + 1"):rep(20000) .. " print(x)"))
    assert.same({ "1 warning too-deep" }, found("local x = ('')" .. (":a{}"):rep(10001)))
    assert.same({}, found(("do "):rep(150) .. ("end "):rep(150)))
  end)

  it("ignores a comment, but not the same words in a string", function()
    assert.same({ "1 error undefined-global print" }, found "prnt '-- lint: ignore'")
    assert.same({}, found "prnt 'x' -- lint: ignore: old name")
  end)

  describe("as a program", function()
    local place
    setup(function() place = program.directory() end)
    teardown(function() lab.stop(place) end)

    local function run(words, input)
      return program.run(words, { directory = place.path, input = input })
    end

    it("exits with 0, 1 or 2", function()
      place:file("good.lua", "print 'x'\n")
      place:file("bad.lua", "prnt 'x'\n")
      place:file("warn.lua", "x = 1\n")
      assert.same({ status = 0, out = "", err = "" }, run { "lint", "good.lua" })
      assert.equal(1, run({ "lint", "good.lua", "bad.lua" }).status)
      assert.equal(0, run({ "lint", "warn.lua" }).status)
      assert.equal(1, run({ "lint", "--strict", "warn.lua" }).status)
      local missing <const> = run { "lint", "nope.lua" }
      assert.equal(2, missing.status)
      assert.matches("nope.lua: No such file", missing.err)
      assert.equal(2, run({ "lint" }).status)
    end)

    it("reads directories and standard input", function()
      os.execute(("mkdir -p %s/tree/deep && mkdir -p %s/empty"):format(place.path, place.path))
      place:file("tree/a.lua", "prnt 'x'\n")
      place:file("tree/deep/b.lua", "prnt 'x'\n")
      place:file("tree/c.txt", "prnt 'x'\n")
      local _, count = run({ "lint", "tree" }).out:gsub("%[undefined%-global%]", "")
      assert.equal(2, count)
      assert.matches("^tree/deep/b.lua:1:1: error: ", run({ "lint", "tree/deep" }).out)
      assert.matches("^stdin:1:1: error: ", run({ "lint", "-" }, "prnt 'x'").out)
      assert.equal(0, run({ "lint", "empty" }).status)
    end)

    it("follows the modules of a playbook", function()
      place:file("main.lua", 'require "helpers"\nhelp()\n')
      place:file("helpers.lua", "function help() end\n")
      assert.same({ status = 0, out = "", err = "" }, run { "lint", "main.lua" })
      place:file("other.lua", 'require "not.here"\nhelp()\n')
      local out <const> = run({ "lint", "other.lua" }).out
      assert.matches(": warning: calls the global variable 'help'", out)
    end)

    it("prints JSON for editors", function()
      place:file("short.lua", "prnt 'x'\n")
      local one <const> = json.decode(run({ "lint", "--output", "json", "short.lua" }).out)[1]
      assert.same({ "short.lua", 1, 1, 1, 4, "error", "undefined-global", "print" }, {
        one.file, one.line, one.column, one.end_line, one.end_column, one.severity, one.code,
        one.suggestion,
      })
      assert.equal("[]\n", run({ "lint", "--output", "json", "good.lua" }).out)
    end)

    it("shows control characters as text", function()
      place:file("evil.lua", "print(string['\\27[31m'])\n")
      local out <const> = run({ "lint", "evil.lua" }).out
      assert.falsy(out:find("\27", 1, true))
    end)
  end)

  describe("before other work", function()
    local place
    before_each(function()
      place = program.directory()
      place:file("bad.lua", "return function(bip) bip.ltm.poool:list() end\n")
      place:file("module.lua", "prnt 'x'\n")
      place:file("with.lua", 'require "module"\nreturn function(bip) bip:close() end\n')
      place:file("warn.lua", 'counter = 1\nprint "ran"\n')
      -- nothing listens on port 1
      place:file("lab.json", '[{ "name": "a", "host": "127.0.0.1", "port": 1, "username": "u", '
        .. '"password": "p", "retries": 0 }]')
    end)
    after_each(function() lab.stop(place) end)

    local function run(words) return program.run(words, { directory = place.path }) end

    it("stops a run on an inventory", function()
      for file, message in pairs {
        ["with.lua"] = "^module.lua:1:1: error: calls the global variable 'prnt'",
        ["global.lua"] = "^global.lua:1:9: error: ltm has no 'poool'",
      } do
        place:file("global.lua", "bip.ltm.poool:list()\n")
        local stopped <const> = run { "run", "--inventory", "lab.json", file }
        assert.matches(message, stopped.err)
        assert.matches("1 error; nothing was done %(%-%-no%-lint skips this check%)", stopped.err)
        assert.same({ 1, "" }, { stopped.status, stopped.out })
        local runs <const> = run { "run", "--inventory", "lab.json", "--no-lint", file }
        assert.falsy(runs.err:find("nothing was done", 1, true))
      end
    end)

    it("stops a build", function()
      local stopped <const> = run { "build", "with.lua", "-o", "program" }
      assert.equal(1, stopped.status)
      assert.matches("module.lua:1:1: error: ", stopped.err)
      assert.falsy(place:read "program")
      assert.equal(0, run({ "build", "with.lua", "-o", "program", "--no-lint" }).status)
      assert.truthy(place:read "program")
    end)

    it("lets warnings pass", function()
      local built <const> = run { "build", "warn.lua", "-o", "program" }
      assert.equal(0, built.status)
      assert.matches("warn.lua:1:1: warning: sets the global variable 'counter'", built.err)
    end)

    it("is shown by --check, which goes on", function()
      local checked <const> = run { "run", "--check", "warn.lua" }
      assert.matches("warn.lua:1:1: warning: sets the global variable 'counter'", checked.err)
      assert.matches("ran", checked.out)
      assert.falsy(run({ "run", "--check", "--no-lint", "warn.lua" }).err:find "warning")
      assert.equal(2, run({ "run", "--no-lint", "warn.lua" }).status)
    end)
  end)

  it("is as its page says", function()
    local place <close> = program.directory()
    place:file("web.lua", markdown.blocks(PAGE, "lua")[1].text)
    place:file("short.lua", "prnt 'x'\n")
    for _, block in ipairs(markdown.blocks(PAGE, "console")) do
      local command <const>, expected <const> = block.text:match "^%$ f5lua ([^\n]*)\n(.*)$"
      local words <const> = {}
      for word in command:gmatch "%S+" do words[#words + 1] = word end
      local result <const> = program.run(words, { directory = place.path })
      assert.equal(expected, result.out .. result.err)
    end
  end)
end)
