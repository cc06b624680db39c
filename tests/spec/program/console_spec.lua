-- The console in a terminal: what a person types, and what the screen shows.
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local terminal = require "terminal"

local PROMPT <const> = "bigip1 %(active%)>"

-- A console on a simulated device; the prompt is there.
local function console(options)
  local screen = terminal.start({ "console", "--sim" }, options)
  screen:expect(PROMPT)
  return screen
end

describe("the console", function()
  it("shows the device in its prompt, prints values, keeps results and locals", function()
    local screen <close> = console()
    screen:enter("1 + 1", "\n2\n")
    screen:enter("_ * 21", "\n42\n")
    screen:enter("_ + _1", "\n44\n")
    screen:enter "local x <const>, y = 'kept'"
    screen:enter("x, y", '\n"kept"\nnil\n')
    screen:enter(
      "bip.ltm.pool:create{ name = 'web' }; bip.ltm.pool['/Common/web']:load().name",
      '\n"web"\n'
    )
    screen:enter("bip.ltm.pool['/Common/nope']:load()", "error: .*/Common/nope.*status +404")
    screen:key "C-d"
    assert.equal(0, screen:status())
    assert.equal("", screen:errors())
  end)

  it("understands what people type before they have read anything", function()
    local screen <close> = console { columns = 70, rows = 40 }
    screen:enter "?"
    screen:expect(
      "%.help %[WORD or EXPRESSION%] +this list, or help about something:%s+%.help list,"
    )
    screen:enter("bip.sys.ntp ?", "/mgmt/tm/sys/ntp.*servers")
    screen:enter("help f5.sleep", "f5%.sleep%(seconds%)")
    screen:enter "exit = 'mine'"
    screen:enter("exit", '\n"mine"\n')
    screen:enter("x = { [[is it?", "…>")
    screen:key "C-c"
    screen:enter "quit"
    assert.equal(0, screen:status())
  end)

  it("leaves the terminal to the shell while it is suspended", function()
    local screen <close> = console()
    local sent = screen.record()
    screen:type "1 + "
    -- which the kernel makes nothing of here: there is no shell that would wake the program again
    screen:key "C-z"
    for _ = 1, 100 do
      if sent():find "\27%[%?2004l.*\27%[%?2004h" then break end
      os.execute "sleep 0.05"
    end
    -- pastes come without marks, and then with marks again
    assert.matches("\27%[%?2004l.*\27%[%?2004h", sent())
    screen:enter("41", "\n42\n")
  end)

  it("asks for the password of another user than F5_PASSWORD is about", function()
    local device <close> = sim.start()
    local screen <close> = terminal.start({ "console", device.host .. ":" .. device.port }, {
      env = { F5_USER = "admin", F5_PASSWORD = "admin", SSL_CERT_FILE = device.ca } })
    screen:expect(PROMPT)
    screen:enter(".connect 127.0.0.1:" .. device.port .. " operator")
    screen:expect "Password for operator on 127%.0%.0%.1:%d+: *$"
    screen:enter("operator", "bip is 127")
    screen:enter("bip.ltm.pool:create{ name = 'x' }", "operator.*status +403")
    screen:enter(".connect 127.0.0.1:" .. device.port .. " operator")
    screen:expect "Password for operator on 127%.0%.0%.1:%d+: *$"
    screen:enter("", "error: nothing was entered")
    for _, call in ipairs(device:log()) do assert.not_equal(401, call.status) end
    screen:enter "exit"
    assert.equal(0, screen:status())
  end)

  it("goes on when an entry is not finished, and gives it up on Ctrl-C", function()
    local screen <close> = console()
    screen:enter("for i = 1, 2 do", "…>")
    screen:enter("print('line ' .. i) end", "\nline 1\nline 2\n")
    screen:enter("print({", "…>$")
    screen:key "C-c"
    screen:enter("print('free')", "\nfree\n")
  end)

  it("completes paths, names, methods, options, properties and their values", function()
    local screen <close> = console { columns = 200 }
    screen:enter("bip.ltm.pool:create{ name = 'website' }.name", '\n"website"\n')
    screen:type "bip.ltm.po"
    screen:key "Tab"
    screen:expect "policy +policy%-strategy +pool"
    screen:type 'ol["/Common/w'
    screen:key "Tab"
    screen:expect 'bip%.ltm%.pool%["/Common/website"%]'
    screen:type ":lo"
    screen:key "Tab"
    screen:expect '%]:load'
    screen:type "{ sel"
    screen:key "Tab"
    screen:expect "load{ select ="
    screen:type '{"minA'
    screen:key "Tab"
    screen:expect '"minActiveMembers"'
    screen:type "} }.minActiveMembers"
    screen:key "Enter"
    screen:expect "\n0\n"
    screen:type 'bip.ltm.pool["/Common/website"]:modify{ loadB'
    screen:key "Tab"
    screen:expect "loadBalancingMode ="
    screen:type '"least-s'
    screen:key "Tab"
    screen:expect '"least%-sessions"'
    screen:type ", moni"
    screen:key "Tab"
    screen:expect "monitor ="
    screen:type '"/Common/gateway'
    screen:key "Tab"
    screen:expect '"/Common/gateway_icmp"'
    screen:type "}.monitor"
    screen:key "Enter"
    screen:expect '\n"/Common/gateway_icmp"\n'
    screen:type ".he"
    screen:key "Tab"
    screen:expect "%.help"
    screen:key "C-c"
    screen:type 'bip.ltm.pool["web'
    screen:key "Tab"
    screen:expect '> bip%.ltm%.pool%["/Common/website"%]$'
  end)

  it("takes pasted tabs as they are, and pasted lines as one entry", function()
    local screen <close> = console()
    screen:paste("if true then\n\tprint('pasted\tand' .. ' run')\nend\n", true)
    screen:expect "end$"
    screen:key "Enter"
    screen:expect "\npasted +and run\n"
    screen:paste("x = {\tbip.ltm.po\t, 2 }\n#x\n", false)
    screen:expect "\n2\n"
    assert.is_nil(screen.screen():find "policy")
  end)

  it("cancels what runs on Ctrl-C, and nothing else", function()
    local screen <close> = console()
    screen:enter(
      "ticks = 0; f5.spawn(function() while true do f5.sleep(0.05) ticks = ticks + 1 end end) "
        .. "print()"
    )
    screen:enter("print('sleeps'); f5.sleep(100)", "\nsleeps")
    screen:key "C-c"
    screen:expect "cancelled"
    screen:enter("print('computes'); while true do end", "\ncomputes")
    screen:key "C-c"
    screen:expect "cancelled.*cancelled"
    screen:enter(
      "before = ticks; f5.sleep(0.5); print(ticks > before and 'still ticking')",
      "\nstill ticking\n"
    )
    screen:enter("bip.sys.version:load().kind", "tm:sys:version")
    screen:key "C-d"
    assert.equal(0, screen:status())
  end)

  it("lets background fibers print without tearing the line", function()
    local screen <close> = console()
    screen:enter(
      "f5.spawn(function() f5.sleep(1) print('from behind') io.write('no end') end) print()"
    )
    screen:type "print('half a li"
    screen:expect "\nfrom behind\nno end\n"
    screen:expect(PROMPT .. " print%('half a li$")
    screen:type "ne')"
    screen:key "Enter"
    screen:expect "\nhalf a line\n"
  end)

  it("keeps the line through a resize, with characters of every width", function()
    local screen <close> = console { columns = 80 }
    screen:type("print('größe 大小 " .. ("x"):rep(30) .. "')")
    screen:expect "xxx'%)$"
    screen:resize(50, 20)
    os.execute "sleep 0.3"
    screen:key("C-a", "C-k")
    screen:expect(PROMPT .. "$")
    screen:key "C-y"
    screen:key "Enter"
    screen:expect "\ngröße 大小 xxx"
  end)

  it("remembers entries for the next time, but no secrets", function()
    local home <close> = program.directory()
    local env = { HOME = home.path, XDG_STATE_HOME = home.path .. "/state" }
    do
      local screen <close> = console { env = env }
      screen:enter "for i = 1, 1 do"
      screen:enter("print('whole') end", "\nwhole\n")
      screen:enter(" print('spaced')", "\nspaced\n")
      screen:enter "options = { password = 'hunter2secret' }"
      screen:enter("'last'", '\n"last"\n')
      screen:key "C-d"
      assert.equal(0, screen:status())
    end
    local kept = home:read "state/f5lua/history"
    assert.equal("for i = 1, 1 do\\nprint('whole') end\n'last'\n", kept)
    local pipe <close> = io.popen("stat -c %a " .. home.path .. "/state/f5lua/history")
    assert.equal("600", pipe:read "l")
    local screen <close> = console { env = env }
    screen:key("Up", "Up")
    screen:expect "for i = 1, 1 do\nprint%('whole'%) end$"
    screen:key "Enter"
    screen:expect "\nwhole\n"
  end)

  it("deletes its tokens on Ctrl-D, .quit, SIGTERM and when the terminal goes", function()
    local device <close> = sim.start()
    local env = lab.environment(device)
    local function signal(name)
      return function(s) os.execute(("pkill -%s -P %d"):format(name, s:process())) end
    end
    for _, leave in ipairs {
      signal "TERM",
      signal "HUP",
      function(s) s:key "C-d" end,
      function(s) s:enter ".quit" end,
    } do
      local screen <close> = terminal.start({ "console" }, { env = env })
      screen:expect(PROMPT)
      assert.is_truthy(next(device:state().tokens.items))
      leave(screen)
      screen:status()
      assert.is_nil(next(device:state().tokens.items))
    end
  end)

  it("writes nothing while .check is on, and shows what would be", function()
    local screen <close> = console()
    screen:enter(".check", "check mode is off")
    screen:enter(".check on", "nothing is written from here on")
    screen:expect "check>"
    screen:enter("bip.ltm.pool['/Common/a']:create {}.name", '\n"a"\n')
    screen:enter("bip.ltm.pool['/Common/a']:exists()", "\ntrue\n")
    screen:enter(".check", "%+ /Common/a +created +%S+ +accepted by the device.*1 difference")
    screen:enter(".check maybe", "error: it is .check %[on|off%]")
    screen:enter(".check off", "1 difference.*what you type is written")
    screen:enter("bip.ltm.pool['/Common/a']:exists()", "\nfalse\n")
    screen:enter(".check on", "nothing is written[^\n]*\n[^\n]*check>%s*$")
    screen:key "C-d"
    assert.equal(0, screen:status())
    assert.equal("", screen:errors())
  end)

  it("takes back with .undo what was typed since .undo on", function()
    local screen <close> = console()
    screen:enter(".undo", "%.undo on begins to keep one")
    screen:enter(".undo off", "no change record is kept")
    screen:enter(".undo on", "can be taken back from here on: .undo")
    screen:enter(".undo on", "kept already")
    screen:enter(".undo", "nothing was written")
    screen:enter("bip.ltm.pool['/Common/undo']:create {}.name", '\n"undo"\n')
    screen:enter(".undo", "delete ltm/pool /Common/undo\n.*change record %d+%-%d+%-%d+")
    screen:enter("bip.ltm.pool['/Common/undo']:exists()", "\nfalse\n")
    screen:enter("bip.sys.config:run 'save'", "command +save")
    screen:enter(".undo", "cannot be taken back: POST sys/config")
    screen:enter(".undo maybe", "error: it is .undo %[on|off%]")
    screen:enter("bip.ltm.pool['/Common/undo']:create {}.name", '\n"undo"\n')
    screen:enter(".undo off", "the change record is [%d-]+: f5lua undo")
    screen:enter(".check on", "nothing is written from here on")
    screen:enter(".undo on", "in check mode nothing is written")
  end)

  it("saves the entries that succeeded as a playbook, and loads files", function()
    local screen <close> = console()
    screen:enter "local web = bip.ltm.pool['/Common/web']"
    screen:enter("web:create{ minActiveMembers = 2 }.name", '\n"web"\n')
    screen:enter("web:load().nothing.there", "error: ")
    screen:enter("1 + web:load().minActiveMembers", "\n3\n")
    screen:enter(".save " .. screen.home .. "/saved.lua")
    screen:expect "3 entries in"
    local lfs <const> = require "lfs"
    assert.equal("rw-------", lfs.attributes(screen.home .. "/saved.lua", "permissions"))
    screen:enter(".save " .. screen.home .. "/saved.lua") -- its own file, again
    screen:expect "3 entries in"
    screen.directory:file("mine.lua", "kept")
    screen:enter(".save " .. screen.home .. "/mine.lua")
    screen:expect "error: .*mine.lua: File exists"
    assert.equal("kept", screen.directory:read "mine.lua")
    screen:enter(".load " .. screen.home .. "/other.lua")
    screen:expect "error: .*other.lua"
    screen.directory:file("other.lua", "loaded = 'from a file'")
    screen:enter(".load " .. screen.home .. "/other.lua")
    screen:enter("loaded", '\n"from a file"\n')
    screen:key "C-d"
    screen:status()
    local device <close> = sim.start()
    local env = lab.environment(device)
    local ran = program.run({ screen.home .. "/saved.lua" }, { env = env })
    assert.same({ 0, "web\n3\n", "" }, { ran.status, ran.out, ran.err })
  end)

  it("shows calls, times and JSON when asked, and helps", function()
    local screen <close> = console { columns = 120, rows = 60 }
    screen:enter ".log on"
    screen:enter ".time on"
    screen:enter("bip.ltm.node:list()", "%d+ ms, 1 call\n")
    assert.matches("GET /mgmt/tm/ltm/node 200", screen.errors())
    screen:enter ".log off"
    screen:enter ".time off"
    screen:enter "{ a = { 1, f5.null }, password = 'x' }"
    screen:enter(".json _", '"password": "%*%*%*%*%*%*%*%*"')
    assert.is_nil(screen.screen():find("password +x"))
    screen:enter(
      ".help list",
      "reference:list%(options%?%).*select string.*Raises: call errors; \"usage\""
    )
    screen:enter(".help f5.error", "kind f5%.error%.kind.*not_ready  The device")
    screen:enter(".help bip.ltm.pool", "/mgmt/tm/ltm/pool  collection.*minActiveMembers")
    screen:enter(".help nat", "%.help bip%.ltm%.nat")
    screen:enter(".nonsense", "unknown command %.nonsense")
    screen:enter(".help", "%.connect HOST")
  end)

  it(
    "connects to more devices, asking for what is missing; Ctrl-C gives up the question",
    function()
      local device <close> = sim.start { hostname = "other.example.net" }
      local screen <close> = console { env = { SSL_CERT_FILE = device.ca }, columns = 120 }
      screen:enter "require 'f5.core'.preset(nil)"
      screen:enter((".connect %s:%d admin"):format(device.host, device.port))
      screen:expect "Password for admin on [%d.]+:$"
      screen:key "C-c"
      screen:expect "cancelled\n.*active%)>$"
      screen:enter((".connect %s:%d admin"):format(device.host, device.port))
      screen:expect "cancelled\n.*Password for admin on [%d.]+:$"
      screen:enter("wrong", "kind +auth")
      screen:enter((".connect %s:%d admin"):format(device.host, device.port))
      screen:expect "kind +auth.*Password for admin on [%d.]+:$"
      screen:enter("admin", "other %(active%)>$")
      assert.is_nil(screen.screen():find("wrong", 1, true))
      screen:enter(".devices", "1 +bigip1 .*\n +2 +%* +other")
      screen:enter(".devices 1", "bigip1 %(active%)>$")
    end
  )

  it("never waits for a slow device while one types", function()
    local screen <close> = console()
    screen:enter(
      "require 'f5.sim'.running:fault { match = { path = '/mgmt/tm/ltm/.*' }, delay_ms = 60000, "
        .. "times = 1000 }; 1"
    )
    screen:expect "\n1\n"
    screen:type "bip.ltm.virtual['"
    screen:key "Tab"
    screen:type "typed on']:create{ dest"
    screen:expect "typed on'%]:create{ dest$"
    screen:key "Tab" -- what the device does not say in time comes from the catalogue
    screen:expect("{ destination =$", 5)
  end)

  it("asks which device when it was told none", function()
    local device <close> = sim.start()
    local screen <close> = terminal.start({}, { env = { SSL_CERT_FILE = device.ca } })
    screen:expect "Device .*: ?$"
    screen:enter(("%s:%d"):format(device.host, device.port))
    screen:expect "User name for [%d.]+: ?$"
    screen:enter("admin", "Password for admin on [%d.]+: ?$")
    screen:enter "admin"
    screen:expect(PROMPT)
    screen:enter("bip.sys.version:load().kind", "tm:sys:version")
  end)

  it("has colours, unless NO_COLOR is set, and long output goes through $PAGER", function()
    do
      local screen <close> = console { env = { PAGER = "cat > $HOME/paged" } }
      screen:enter("'green'", '\n"green"\n')
      assert.matches("\27%[32m\"green\"", screen.painted())
      screen:enter "bip.ltm.profile.http:example()"
      screen:expect(PROMPT .. " bip.*" .. PROMPT .. "$")
      assert.matches("propertyDescriptions", screen.directory:read "paged")
    end
    local plain <close> = console { env = { NO_COLOR = "1" } }
    plain:enter("'green'", '\n"green"\n')
    assert.is_nil(plain.painted():find "\27")
  end)

  it("stays when its session is closed", function()
    local device = sim.start()
    local env = lab.environment(device)
    local screen <close> = terminal.start({ "console" }, { env = env, columns = 120 })
    screen:expect(PROMPT)
    screen:enter("bip:close(); 'closed'", '\n"closed"\n')
    screen:enter("bip.ltm.pool:list()", "the session with .* is closed")
    screen:type "bip.ltm.pool['"
    screen:key("Tab", "C-c")
    screen:enter(".devices", "number")
    screen:enter("'alive'", '\n"alive"\n')
    screen:key "C-d"
    assert.equal(0, screen:status())
    device:stop()
  end)

  it("is a plain reader without a terminal", function()
    local ran = program.run(
      { "console", "--sim" },
      { input = "1 + 1\nfor i = 1, 2 do\nprint(i)\nend\nbip.ltm.pool:list()\nx.y\n'after'\n" }
    )
    assert.equal(1, ran.status)
    assert.matches(
      "^2\n1\n2\n%(nothing%)\nerror: .-attempt to index a nil value %(global 'x'%).-\n\"after\"\n$",
      ran.out
    )
    assert.equal(0, program.run({ "console", "--sim" }, { input = "print 'fine'" }).status)
    local compared = program.run(
      { "console", "--sim" }, { input = "bip.sys.ntp.timezone == 'UTC'\nbip.sys.ntp.timezone" }
    )
    assert.matches("^false\nhint: this compares a path, not the value on the device; read the "
      .. "object first: local object = reference:load%(%)\n/mgmt/tm/sys/ntp/timezone", compared.out)
    local nobody = program.run(
      { "console", "127.0.0.1:1" },
      { input = "1", env = { F5_USER = "admin", F5_PASSWORD = "x" } }
    )
    assert.equal(3, nobody.status)
    assert.matches(
      "^error: .*kind +transport.*hint: .*otherwise the device may be starting: .connect again "
        .. "later, or use f5.connect { wait",
      nobody.out
    )
    local unknown = program.run({ "console", "--sim" }, { input = "bip.ltm.poool:list()" })
    assert.matches(
      "not registered: /tm/ltm/poool %(/mgmt/tm/ltm has no 'poool'; did you mean 'pool'%?%)",
      unknown.out
    )
    assert.equal("1\n", program.run({}, { input = "print(1)" }).out)
  end)

  it("prints texts and nested entries as people read them, and knows lines of the shell", function()
    local result <const> = program.run({ "console", "--sim" }, { input = table.concat({
      'bip:bash "echo one; echo two"', "bip.sys.version:load()", '"plain"', "list ltm/pool",
      "f5lua get ltm/pool", "nothing here", "bip.ltm.pool:lst()", "exit()", "print 'never'",
    }, "\n") .. "\n" })
    assert.matches("^one\ntwo\n0\nBuild +%S+\nDate +", result.out)
    assert.is_nil(result.out:find("nestedStats", 1, true))
    assert.matches('\n"plain"\n', result.out)
    assert.matches("hint: 'f5lua list' is a command of the shell; here it is Lua", result.out)
    assert.matches("hint: 'f5lua get' is a command of the shell", result.out)
    assert.is_nil(result.out:find("'f5lua nothing'", 1, true))
    assert.matches("a reference has no method 'lst'; did you mean 'list'?", result.out, 1, true)
    assert.is_nil(result.out:find("never", 1, true))
  end)
end)
