-- Programs made by f5lua build, from outside: what they do, and what they refuse to become.
local built_programs = require "built_programs"
local lfs = require "lfs"
local program = require "program"

local build <const> = built_programs.build
local must_build <const> = built_programs.must_build
local run <const> = built_programs.run
local read <const> = built_programs.read
local damaged <const> = built_programs.damaged
local built <const> = built_programs.built

describe("A program made by f5lua build", function()
  it("runs its playbook, with its modules, and all arguments are the playbook's", function()
    local directory <close>, deploy = built {
      ["main.lua"] = '#!/usr/bin/env f5lua\nlocal u = require "lib.util"\nprint(u.greet(...), '
        .. '#arg, arg[0])\n'
        .. "os.exit(tonumber(arg[1]) or 0)",
      ["lib/util.lua"] = 'return { greet = function(...) return table.concat({ ... }, " ") end }',
    }
    os.execute(("rm -r %s/lib"):format(directory.path))
    directory:file("main.lua", "\n" .. ("-- a newer one, not the one that was packed\n"):rep(9))
    for _, words in ipairs {
      { "--version" },
      { "--help" },
      { "-e", "print(666)" },
      { "run", "x.lua" },
      { "-", "-v", "--", "" },
      { "build", "a" },
      {},
    } do
      local result = run(deploy, words)
      assert.same(
        {
          status = 0,
          out = ("%s\t%d\t%s\n"):format(table.concat(words, " "), #words, deploy),
          err = "",
        },
        result
      )
    end
    assert.equal(7, run(deploy, { "7" }).status)
  end)

  it("ends and reports as f5lua does, with the playbook's own lines", function()
    local directory <close>, deploy = built { ["main.lua"] = 'local m = require "mod"\nm()\n',
      ["mod.lua"] = 'return function()\n  error "boom"\nend' }
    local result = run(deploy)
    assert.equal(1, result.status)
    assert.equal(
      "f5lua: mod.lua:2: boom\n  mod.lua:2: in upvalue 'm'\n  main.lua:2: in main chunk\n",
      (result.err:gsub("in %a+ 'm'", "in upvalue 'm'"))
    )
    assert(directory)
  end)

  it("requires nothing from disk, unless it was allowed to", function()
    local files <const> = {
      ["main.lua"] = 'local ok, other = pcall(require, "late" .. "r") print(ok, ok and other or '
        .. '"")',
    }
    local directory <close>, deploy = built(files)
    directory:file("later.lua", 'return "from disk"')
    local result = run(
      deploy,
      {},
      { directory = directory.path, env = { LUA_PATH = directory.path .. "/?.lua" } }
    )
    assert.equal("false", result.out:match "^%a+")
    must_build { directory.path .. "/main.lua", "-o", deploy, "--allow-disk" }
    assert.equal("true\tfrom disk\n", run(deploy, {}, { directory = directory.path }).out)
  end)

  it("looks into the archive before the disk", function()
    local directory <close>, deploy = built(
      { ["main.lua"] = 'print((require "m"))', ["m.lua"] = 'return "packed"' },
      { "--allow-disk" }
    )
    directory:file("m.lua", 'return "disk"')
    assert.equal("packed\n", run(deploy, {}, { directory = directory.path }).out)
  end)

  it("has its files with it", function()
    local text <const> =
      'local f5 = require "f5" io.write(f5.asset "data/a.bin", "|", tostring(select(2, '
        .. 'pcall(f5.asset, "data/b"))))'
    local directory <close>, deploy = built(
      { ["main.lua"] = text, ["data/a.bin"] = "\0\1\n\xff" },
      { "--include", "data/*" }
    )
    local before = program.run { directory.path .. "/main.lua" }
    os.execute(("rm -r %s/data"):format(directory.path))
    local after = run(deploy, {}, { directory = "/" })
    assert.equal("\0\1\n\xff|", after.out:sub(1, 5))
    assert.truthy(
      after.out:find(
        "f5.asset 'data/b': there is no such file in this program; f5lua build --include adds it",
        1,
        true
      )
    )
    assert.equal("\0\1\n\xff|", before.out:sub(1, 5))
  end)

  it("is the same bytes each time, wherever it is built", function()
    local files <const> = {
      ["main.lua"] = 'require "a" require "b"', ["a.lua"] = "", ["b.lua"] = 'require "a"',
      ["data/x"] = "1", ["data/y"] = "2",
    }
    local one <close>, first = built(files, { "--include", "data" })
    local two <close>, second = built(files, { "--include", "data/y", "--include", "data/x" })
    assert.is_true(one.path ~= two.path and read(first) == read(second))
  end)

  it("can be the runtime of the next one", function()
    local directory <close>, deploy = built { ["main.lua"] = "print(1)" }
    local original = read(deploy)
    local second = directory.path .. "/second"
    must_build { directory.path .. "/main.lua", "-o", second, "--runtime", deploy }
    assert.is_true(read(second) == original)
    directory:file("other.lua", "print(2)")
    must_build { directory.path .. "/other.lua", "-o", second, "--runtime", second }
    assert.equal("2\n", run(second).out)
  end)

  it("can be replaced while it runs", function()
    local directory <close> = built {
      ["main.lua"] = 'print "started" io.stdout:flush() print(io.read() and "old one, done")',
    }
    os.execute("mkfifo " .. directory.path .. "/fifo")
    local shell = (
      "cd %s && { ./deploy < fifo > out & } && exec 3> fifo && while ! grep -q started out; do "
        .. "sleep 0.01; done && "
      .. "echo 'print \"new\"' > main.lua && %s build main.lua -o deploy && ./deploy && echo go "
      .. ">&3 && wait && cat out"
    ):format(directory.path, program.path)
    local result = run("/bin/sh", { "-c", shell })
    assert.equal(0, result.status, result.err)
    assert.truthy(result.out:find "\nnew\nstarted\nold one, done\n$")
  end)

  it("leaves the old one, and nothing else, where the new one cannot be written whole", function()
    local directory <close>, deploy = built { ["main.lua"] = 'print "old"' }
    directory:file("main.lua", 'print "new"')
    -- A limit on the size of files stands for the full disk; the write fails half-way in the same
    -- manner.
    local result = run(
      "/bin/sh",
      {
        "-c",
        ("trap '' XFSZ; ulimit -f 200; exec %s build %s/main.lua -o %s"):format(
          program.path,
          directory.path,
          deploy
        ),
      }
    )
    assert.equal(1, result.status)
    assert.equal(("f5lua: cannot write %s: File too large\n"):format(deploy), result.err)
    assert.equal("old\n", run(deploy).out)
    local names = {}
    for name in lfs.dir(directory.path) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ ".", "..", "deploy", "main.lua" }, names)
  end)

  it("leaves the old one on a disk that is really full", function()
    if not os.execute "unshare -m true 2>/dev/null" then pending "needs to be root" return end
    local directory <close> = program.directory()
    directory:file("main.lua", 'print "new"')
    local result = run(
      "/usr/bin/unshare",
      {
        "-m",
        "/bin/sh",
        "-c",
        (
          "mkdir %s/small && mount -t tmpfs -o size=64k none %s/small "
          .. "&& cd %s/small && echo old > deploy && ! %s build ../main.lua -o deploy && cat "
          .. "deploy && ls -A"
        ):format(directory.path, directory.path, directory.path, program.path),
      }
    )
    assert.same(
      {
        status = 0,
        out = "old\ndeploy\n",
        err = "f5lua: cannot write deploy: No space left on device\n",
      },
      {
        status = result.status,
        out = result.out,
        err = (result.err:gsub("write .*/small/", "write ")),
      }
    )
  end)
end)

describe("A program that is not whole", function()
  it("says what is wrong, exits 70 and never runs what its arguments say", function()
    local directory <close>, deploy = built { ["main.lua"] = "print(1)" }
    local bytes = read(deploy)
    local offset =
      tonumber(program.run({ "inspect", "--json", deploy }).out:match '"offset": (%d+)')
    local cases <const> = {
      { "the program's archive is missing: it was stripped or cut off", bytes:sub(1, offset) },
      { "the program's archive is truncated", bytes:sub(1, offset + 1) },
      { "the program's archive is truncated", bytes:sub(1, -2) },
      { "the program's archive is damaged", bytes:sub(1, offset) .. "X" .. bytes:sub(offset + 2) },
      { "the program's archive is damaged", bytes:sub(1, -2) .. "X" },
    }
    for _, case in ipairs(cases) do
      local path = damaged(directory, case[2])
      for _, words in ipairs {
        {},
        { "-e", "print(666)" },
        { "--version" },
        { directory.path .. "/main.lua" },
      } do
        local result = run(path, words)
        assert.same(
          { 70, "", "damaged: " .. case[1] },
          { result.status, result.out, result.err:match "^[^\n]*" }
        )
      end
      assert.equal(1, program.run({ "inspect", path }).status)
    end
  end)

  it("and one that its user may not read is told from it", function()
    local directory <close>, deploy = built { ["main.lua"] = "print(1)" }
    assert(os.execute(("chmod a+rx %s && chmod 0111 %s"):format(directory.path, deploy)))
    -- root may read everything
    local line <const> = (
      "if [ $(id -u) = 0 ]; then exec setpriv --reuid 65534 --clear-groups %s; else exec %s; fi"
    ):format(
      deploy,
      deploy
    )
    local result <const> = run("/bin/sh", { "-c", line })
    assert.same({ 70, "" }, { result.status, result.out })
    assert.matches(
      "^[%w._-]+: the program cannot read its own file: Permission denied\n"
        .. "A user needs permission to read the program .* chmod a%+rx FILE\n$",
      result.err
    )
  end)

  it("notices any changed byte of the archive", function()
    local directory <close>, deploy = built(
      { ["main.lua"] = "print(1)", ["m.lua"] = "return 1" },
      { "--include", "m.lua" }
    )
    local bytes = read(deploy)
    local offset =
      tonumber(program.run({ "inspect", "--json", deploy }).out:match '"offset": (%d+)')
    for at = offset + 1, #bytes, 7 do
      local changed = string.char(bytes:byte(at) ~ 0x55)
      assert.equal(
        70,
        run(damaged(directory, bytes:sub(1, at - 1) .. changed .. bytes:sub(at + 1))).status
      )
    end
  end)

  it("notices that strip took the archive", function()
    if not os.execute "command -v strip >/dev/null" then pending "needs strip" return end
    local directory <close>, deploy = built { ["main.lua"] = "print(1)" }
    os.execute(("strip %s"):format(deploy))
    local result = run(deploy, { "-e", "print(666)" })
    assert.same({ 70, "" }, { result.status, result.out })
    assert.truthy(result.err:find("archive", 1, true))
    assert(directory)
  end)

  it("notices a damaged fuse", function()
    local directory <close>, deploy = built { ["main.lua"] = "print(1)" }
    local bytes = read(deploy)
    local fuse = bytes:find("\xF5lua fuse", 1, true)
    for field = 16, 55 do
      local at = fuse + field
      local changed = string.char(bytes:byte(at) ~ 0xff)
      local result = run(
        damaged(directory, bytes:sub(1, at - 1) .. changed .. bytes:sub(at + 1)),
        { "-e", "print(6)" }
      )
      assert.same({ 70, "" }, { result.status, result.out })
    end
  end)
end)

describe("f5lua build", function()
  it("says what it made", function()
    local directory <close>, _, result = built(
      { ["main.lua"] = 'require "m"', ["m.lua"] = "", ["x.txt"] = "" },
      { "--include", "x.txt" }
    )
    assert.truthy(
      result.out:find(
        "^.*/deploy: [%d.]+ [kM]B, 1 module, 1 file, f5lua %d+%.%d+%.%d+%S* for %S+, needs .*\n$"
      )
    )
    assert.equal("", result.err)
    assert(directory)
  end)

  it("names the program after the playbook", function()
    local directory <close> = program.directory()
    directory:file("nightly.lua", "print(1)")
    must_build({ "nightly.lua" }, { directory = directory.path })
    assert.equal("1\n", run(directory.path .. "/nightly").out)
  end)

  it("--list and --dry-run write nothing", function()
    local directory <close> = program.directory()
    directory:file("main.lua", 'require "m"')
    directory:file("m.lua", "return 1")
    local list = must_build({ "main.lua", "--list" }, { directory = directory.path })
    assert.truthy(
      list.out:find "main +11 +main.lua +main.lua\n" and list.out:find "module +8 +m +%./m.lua\n"
    )
    local dry = must_build({ "main.lua", "--dry-run" }, { directory = directory.path })
    assert.truthy(dry.out:find "^main: would be ")
    assert.is_nil(directory:read "main")
  end)

  it("refuses files that look like credentials, without --force", function()
    local directory <close> = program.directory()
    directory:file("main.lua", 'require "sites"')
    directory:file("sites.lua", 'return {\n  devices = { { host = "a", password = "hunter2" } } }')
    directory:file("key.pem", "-----BEGIN PRIVATE KEY-----\n")
    local words <const> = { "main.lua", "--include", "key.pem" }
    local result = build(words, { directory = directory.path })
    assert.equal(1, result.status)
    assert.truthy(
      result.err:find(
        "'./sites.lua' seems to contain credentials: line 2 gives 'password' a value\n",
        1,
        true
      )
    )
    assert.truthy(
      result.err:find(
        "'key.pem' seems to contain credentials: it contains a private key\n",
        1,
        true
      )
    )
    assert.is_nil(result.err:find("hunter2", 1, true))
    assert.is_nil(directory:read "main")
    words[#words + 1] = "--force"
    result = must_build(words, { directory = directory.path })
    assert.truthy(result.err:find("warning: 'key.pem' seems to contain credentials", 1, true))
  end)

  it("--strip packs bytecode, with a warning, and what is made still runs", function()
    local directory <close>, deploy, result = built({
      ["main.lua"] = '#!/usr/bin/env f5lua\nlocal hidden_from_all = require "m" '
        .. 'print(hidden_from_all)',
      ["m.lua"] = "return 41 + 1" }, { "--strip" })
    assert.truthy(result.err:find "warning: %-%-strip packs bytecode")
    assert.equal("42\n", run(deploy).out)
    assert.is_nil(read(deploy):find("hidden_from_all", 1, true))
    assert.truthy(program.run({ "inspect", deploy }).out:find "code +bytecode")
    assert(directory)
  end)

  it("is clear about what it cannot do", function()
    local directory <close> = program.directory()
    directory:file("main.lua", "print(1)")
    directory:file("bad.lua", "print(")
    directory:file("needs.lua", 'require "nope"')
    directory:file("plain", "print(1)")
    lfs.mkdir(directory.path .. "/folder")
    local cases <const> = {
      { { "none.lua" }, 2, "cannot read 'none.lua': No such file or directory" },
      { { "folder" }, 2, "cannot read 'folder': not a file" },
      { { "plain" }, 2, "name the file to write with -o FILE" },
      {
        { "plain", "-o", "plain" },
        2,
        "'plain' is packed into the program; write the program to another file",
      },
      {
        { "main.lua", "-o", "folder" },
        2,
        "'folder' is a directory; name the file to write with -o",
      },
      { { "main.lua", "-o", "/dev/null" }, 2, "'/dev/null' is not a regular file" },
      { { "main.lua", "-o", "nowhere/x" }, 1, "cannot write nowhere/x: No such file or directory" },
      { { "main.lua", "--runtime", "plain" }, 1, "'plain' is not a program" },
      { { "main.lua", "--runtime", "/bin/sh" }, 1, "'/bin/sh' is not an f5lua program" },
      {
        { "main.lua", "--include", "*.csv" },
        1,
        "--include *.csv: no file matches, here or relative to the playbook",
      },
      { { "main.lua", "--sign", "plain" }, 1, "plain: not an Ed25519 private key in PEM" },
      {
        { "main.lua", "--sign", "none.pem" },
        1,
        "cannot read none.pem: No such file or directory",
      },
      { { "main.lua", "--sign", "folder" }, 1, "cannot read folder: Is a directory" },
      { { "bad.lua" }, 1, "bad.lua:1: unexpected symbol near <eof>" },
      {
        { "needs.lua" },
        1,
        "needs.lua:1: module 'nope' not found:\n\tno file './nope.lua'\n\tno file "
          .. "'./nope/init.lua'",
      },
    }
    for _, case in ipairs(cases) do
      local result = build(case[1], { directory = directory.path })
      assert.equal(case[2], result.status, result.err)
      assert.equal("f5lua: " .. case[3], result.err:sub(1, 7 + #case[3]))
      assert.equal("", result.out)
    end
    assert.equal("print(1)", directory:read "plain")
  end)
end)
