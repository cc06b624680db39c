-- Signed programs: which ones a runtime with a pinned key runs.
local built_programs = require "built_programs"
local lfs = require "lfs"
local program = require "program"

local run <const> = built_programs.run
local read <const> = built_programs.read
local damaged <const> = built_programs.damaged
local must_build <const> = built_programs.must_build

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

  -- The runtime of the tests with a pinned key, and that key.
  local beside <const> =
    lfs.symlinkattributes("/proc/self/exe", "target"):match "^(.*)/" .. "/tests/"
  local runtime <const>, key <const> = beside .. "f5lua_pinned", beside .. "pinned.pem"

  it("with bytes after its signature is run by no runtime with a pinned key", function()
    if not lfs.attributes(runtime) then pending "the tests' runtime is not built" return end
    local directory <close> = program.directory()
    local deploy = directory.path .. "/deploy"
    local playbook = directory:file("main.lua", "print('ran')")
    must_build { playbook, "-o", deploy, "--sign", key, "--runtime", runtime }
    assert.same({ 0, "ran\n" }, { run(deploy).status, run(deploy).out })
    local result = run(damaged(directory, read(deploy) .. "x"))
    assert.same({ 70, "" }, { result.status, result.out })
    assert.matches("the program has bytes after its signature\n", result.err) -- as `verify` says
  end)

  it("is the only thing that a runtime with a pinned key runs", function()
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
