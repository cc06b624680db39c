-- f5lua inspect and f5lua verify: what they say about programs made by f5lua build.
local built_programs = require "built_programs"
local program = require "program"

local run <const> = built_programs.run
local built <const> = built_programs.built

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
    assert.truthy(shown:find("entry      m\\nain.lua\n", 1, true), shown)
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
