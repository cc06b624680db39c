-- Programs made by f5lua build, from outside: what they do, and what they refuse to become.
local lfs = require "lfs"
local program = require "program"

local function build(words, options)
  local all = { "build" }
  for _, word in ipairs(words) do all[#all + 1] = word end
  return program.run(all, options)
end

local function must_build(...)
  local result = build(...)
  assert(result.status == 0, result.err)
  return result
end

local function run(path, words, options)
  options = options or {}
  options.program = path
  return program.run(words or {}, options)
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- A copy of a program with other bytes.
local function damaged(directory, bytes)
  local path = directory:file("damaged", bytes)
  os.execute("chmod 755 " .. path)
  return path
end

-- A directory with these files, and `deploy` built of main.lua.
local function built(files, words)
  local directory = program.directory()
  for name, text in pairs(files) do
    if name:find "/" then lfs.mkdir(directory.path .. "/" .. name:match "^[^/]*") end
    directory:file(name, text)
  end
  local all = { directory.path .. "/main.lua", "-o", directory.path .. "/deploy" }
  for _, word in ipairs(words or {}) do all[#all + 1] = word end
  local result = build(all)
  if result.status ~= 0 then
    getmetatable(directory).__close()
    error(result.err)
  end
  return directory, directory.path .. "/deploy", result
end

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

describe("f5lua inspect", function()
  it("shows version, entry, contents and checksums", function()
    local directory <close>, deploy = built(
      { ["main.lua"] = 'require "m"', ["m.lua"] = "", ["x.txt"] = "abc" },
      { "--include", "x.txt" }
    )
    local out = program.run({ "inspect", deploy }).out
    local version = program.run({ "--version" }).out:match "f5lua (%S+)"
    assert.truthy(out:find("built by   f5lua " .. version .. "\n", 1, true))
    assert.truthy(
      out:find "entry +main.lua\n"
        and out:find "require +archive only\n" and out:find "signature +none\n"
    )
    assert.truthy(
      out:find(
        "asset            3  ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  "
          .. "x.txt\n",
        1,
        true
      )
    )
    assert.truthy(out:find "module +0  e3b0c442%x+  m\n")
    local sum = io.popen("sha256sum < " .. directory.path .. "/main.lua"):read "a":match "%x+"
    assert.truthy(out:find(sum .. "  main.lua\n", 1, true))
  end)

  -- f5lua's own writer and packer, around what `f5lua build` would not make.
  local function made(directory, entries)
    local path <const> = directory.path .. "/made"
    directory:file("make.lua", ([[
      local program = require "build.program"
      local file <close> = assert(io.open(arg[1], "rb"))
      local out <close> = assert(io.open(arg[2], "wb"))
      out:write(program.assemble(program.parse(file:read "a"), require("build.archive").write(%s), {}))
    ]]):format(entries))
    assert(program.run({ directory.path .. "/make.lua", program.path, path }).status == 0)
    os.execute("chmod 755 " .. path)
    return path
  end

  it("shows a hostile program's names, and does not send them to the terminal", function()
    local directory <close> = program.directory()
    local path <const> = made(
      directory,
      [[{ { kind = "facts", name = "", contents = "f5lua=\27[2J\n" },
      { kind = "main", name = "m\nain.lua", contents = "print(1)" }, { kind = "asset", name = "\255\194\155é", contents = "" } }]]
    )
    local shown <const> = program.run({ "inspect", path }).out
    assert.truthy(shown:find("built by   f5lua \\x1b[2J\n", 1, true), shown)
    assert.truthy(shown:find("entry      m\\x0aain.lua\n", 1, true), shown)
    assert.is_nil(shown:find "[\0-\9\11-\31\127]")
    local json <const> = program.run { "inspect", "--json", path }
    assert.same({ 0, "" }, { json.status, json.err })
    assert.truthy(json.out:find([["name": "\\xff\\xc2\\x9b\\xc3\\xa9"]], 1, true), json.out)
  end)

  it("and the program itself refuse what could be read in two ways", function()
    local directory <close> = program.directory()
    local path <const> = made(
      directory,
      [[{ { kind = "main", name = "a.lua", contents = "print(1)" },
      { kind = "main", name = "b.lua", contents = "print(2)" } }]]
    )
    assert.same(
      {
        status = 1,
        out = "",
        err = ("f5lua: %s: the archive is damaged: its entries are not in order\n"):format(path),
      },
      program.run { "inspect", path }
    )
    local result <const> = run(path)
    assert.same(
      { 70, "", "made: the program's archive is damaged" },
      { result.status, result.out, result.err:match "^[^\n]*" }
    )
  end)

  it("tells what is no such program", function()
    local directory <close> = program.directory()
    local plain = directory:file("plain", "x")
    local result = program.run { "inspect", program.path }
    assert.equal(1, result.status)
    assert.truthy(result.err:find "itself %(.*%), without a packed playbook")
    assert.equal(
      ("f5lua: %s: not a program\n"):format(plain),
      program.run({ "inspect", plain }).err
    )
    assert.equal(
      "f5lua: /bin/sh: not an f5lua program\n",
      program.run({ "inspect", "/bin/sh" }).err
    )
  end)
end)

describe("A signed program", function()
  local function keys(directory, name)
    local private, public =
      directory.path .. "/" .. name .. ".pem", directory.path .. "/" .. name .. ".pub"
    assert(os.execute("openssl genpkey -algorithm ed25519 -out " .. private))
    assert(os.execute("openssl pkey -pubout -in " .. private .. " -out " .. public))
    return private, public
  end

  it("is verified with its key, and with no other", function()
    local directory <close> = program.directory()
    local key, public = keys(directory, "ours")
    local _, other = keys(directory, "theirs")
    local playbook = directory:file("main.lua", "print(1)")
    local deploy = directory.path .. "/deploy"
    must_build { playbook, "-o", deploy, "--sign", key }
    assert.equal("1\n", run(deploy).out)
    assert.same(
      { status = 0, out = deploy .. ": signed with this key\n", err = "" },
      program.run { "verify", "--key", public, deploy }
    )
    local function refused(file, with)
      local result = program.run { "verify", "--key", with or public, file }
      assert.same({ 1, "" }, { result.status, result.out })
      return (result.err:gsub("^f5lua: [^:]*: ", ""))
    end
    assert.equal("not signed with this key, or changed since\n", refused(deploy, other))
    local bytes = read(deploy)
    -- A byte of the runtime, which no checksum of the archive sees.
    assert.equal(
      "not signed with this key, or changed since\n",
      refused(damaged(directory, bytes:sub(1, 99) .. "?" .. bytes:sub(101)))
    )
    assert.equal("its signature is truncated\n", refused(damaged(directory, bytes:sub(1, -2))))
    assert.equal("it has 1 bytes after its end\n", refused(damaged(directory, bytes .. "x")))
    assert.equal(
      "not an Ed25519 public key in PEM (create one with openssl pkey -pubout)\n",
      refused(deploy, key)
    )
    must_build { playbook, "-o", deploy }
    assert.equal("not signed\n", refused(deploy))
    assert.equal("f5lua itself, without a packed playbook\n", refused(program.path))
  end)

  it("is signed with a key that is in no string of Lua's", function()
    local directory <close> = program.directory()
    local key, public = keys(directory, "ours")
    local playbook <const> = directory:file("main.lua", "print(1)")
    -- Building in this very process, whose reading of files is watched.
    local watch <const> = directory:file("watch.lua", ([[
      local open, opened = io.open, {}
      io.open = function(path, ...) opened[#opened + 1] = path return open(path, ...) end
      require("cli.pack.build").run { playbook = %q, output = %q, sign = %q, include = {} }
      for _, path in ipairs(opened) do print("opened", path) end
    ]]):format(playbook, directory.path .. "/deploy", key))
    local result <const> = run(program.path, { watch })
    assert.equal(0, result.status, result.err)
    assert.truthy(result.out:find("opened\t" .. playbook, 1, true), result.out)
    assert.is_nil(result.out:find(key, 1, true))
    assert.equal(0, program.run({ "verify", "--key", public, directory.path .. "/deploy" }).status)
  end)

  it("is the same bytes each time", function()
    local directory <close> = program.directory()
    local key = keys(directory, "ours")
    local playbook = directory:file("main.lua", "print(1)")
    for _, name in ipairs { "one", "two" } do
      must_build { playbook, "-o", directory.path .. "/" .. name, "--sign", key }
    end
    assert.is_true(directory:read "one" == directory:read "two")
  end)

  it("is the only thing that a runtime with a pinned key runs", function()
    local beside = lfs.symlinkattributes("/proc/self/exe", "target"):match "^(.*)/" .. "/tests/"
    local runtime <const>, key <const> = beside .. "f5lua_pinned", beside .. "pinned.pem"
    if not lfs.attributes(runtime) then pending "the tests' runtime is not built" return end
    local directory <close> = program.directory()
    local playbook = directory:file("main.lua", "print('ran')")
    local deploy = directory.path .. "/deploy"
    local refusal <const> =
      "f5lua: this runtime runs only programs that are signed with the key it trusts\n"
    for _, words in ipairs {
      { playbook },
      { "run", playbook },
      { "-e", "print(1)" },
      { "-" },
      {},
      { "-v", playbook },
      { "--", playbook },
    } do
      assert.same(
        { status = 70, out = "", err = refusal },
        run(runtime, words, { input = "print(2)" })
      )
    end
    assert.equal(0, run(runtime, { "--version" }).status)
    assert.equal(0, run(runtime, { "--help" }).status)

    -- The pinned runtime can make programs too; which runtime does not matter, the key does.
    assert.equal(0, run(runtime, { "build", playbook, "-o", deploy, "--sign", key }).status)
    assert.equal("ran\n", run(deploy).out)
    local bytes = read(deploy)
    must_build { playbook, "-o", deploy, "--sign", key, "--runtime", runtime }
    assert.is_true(read(deploy) == bytes)

    local function refused(path)
      local result = run(path, { "-e", "print(1)" })
      assert.same({ 70, "" }, { result.status, result.out })
      return result.err:match "^[^\n]*: ([^\n]*)"
    end
    must_build { playbook, "-o", deploy, "--runtime", runtime }
    assert.equal(
      "the program is not signed, and this runtime runs only signed programs",
      refused(deploy)
    )
    local other = keys(directory, "other")
    must_build { playbook, "-o", deploy, "--runtime", runtime, "--sign", other }
    local foreign <const> =
      "the program is not signed with the key that this runtime trusts, or the file was changed"
    assert.equal(foreign, refused(deploy))
    -- A byte of the signature, and one of what is signed but neither code nor archive.
    assert.equal(
      foreign,
      refused(damaged(directory, bytes:sub(1, -2) .. string.char(bytes:byte(-1) ~ 1)))
    )
    assert.equal(foreign, refused(damaged(directory, bytes:sub(1, 9) .. "?" .. bytes:sub(11))))
  end)
end)
