-- Whose module `require` finds, where the playbook's directory has files named like modules of
-- f5lua.
local lfs = require "lfs"
local program = require "program"

-- A directory full of traps: a module of each name that our own code requires.
local function traps()
  local directory = program.directory()
  for _, name in ipairs {
    "cli", "cli/support", "cli/run", "cli/pack", "build", "sim", "console", "f5",
  } do
    lfs.mkdir(directory.path .. "/" .. name)
  end
  for _, name in ipairs {
    "argparse",
    "cli/support/main",
    "cli/support/usage",
    "cli/support/report",
    "cli/run/run",
    "cli/pack/build",
    "build/lexer",
    "build/archive",
    "sim/device",
    "sim/boot",
    "console/read",
    "f5",
    "f5/sim",
    "f5/core",
  } do
    directory:file(
      name .. ".lua",
      ("print('the trap %s') return { trap = '%s' }"):format(name, name)
    )
  end
  return directory
end

describe("In a directory with modules named like ours", function()
  it("subcommands and reports use our own", function()
    local directory <close> = traps()
    directory:file("playbook.lua", "print 'playbook'")
    directory:file("fails.lua", "error 'on purpose'")
    for _, words in ipairs {
      { "--help" },
      { "build", "--help" },
      { "build", "playbook.lua", "-o", "made" },
      { "inspect", "made" },
      { "sim", "--help" },
      { "run", "--sim", "playbook.lua" },
      { "playbook.lua" },
    } do
      local result = program.run(words, { directory = directory.path })
      assert.equal(0, result.status, result.err)
      assert.is_nil((result.out .. result.err):find("trap", 1, true), table.concat(words, " "))
    end
    local result = program.run({ "fails.lua" }, { directory = directory.path })
    assert.same({ 1, "" }, { result.status, result.out })
    assert.truthy(result.err:find("on purpose", 1, true))
  end)

  it("a playbook gets its own, but never another f5", function()
    local directory <close> = traps()
    directory:file(
      "playbook.lua",
      'print(require "f5".version, require "argparse".trap, require "build.lexer".trap)'
    )
    local version = program.run({ "--version" }).out:match "f5lua (%S+)"
    local expected <const> = "the trap argparse\nthe trap build/lexer\n"
      .. version .. "\targparse\tbuild/lexer\n"
    for _, words in ipairs {
      { "playbook.lua" },
      { "run", "playbook.lua" },
      { "run", "--sim", "playbook.lua" },
    } do
      assert.same(
        { status = 0, out = expected, err = "" },
        program.run(words, { directory = directory.path })
      )
    end
  end)
end)
