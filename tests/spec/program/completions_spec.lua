-- Completions for shells: made from the definitions of the subcommands, and understood by the
-- shells.
local program = require "program"
local terminal = require "terminal"

local function shell(directory, name, script)
  directory:file("script", script)
  local pipe <close> = io.popen(("cd %s && %s ./script 2>&1"):format(directory.path, name))
  return (pipe:read "a")
end

local function written(directory, name)
  local ran = program.run { "completions", name }
  assert.same({ 0, "" }, { ran.status, ran.err })
  directory:file("completions", ran.out)
end

describe("completions", function()
  it("complete subcommands, options and their values in bash", function()
    local directory <close> = program.directory()
    written(directory, "bash")
    local function complete(...)
      local words = { ... }
      for i, word in ipairs(words) do words[i] = ("'%s'"):format(word) end
      return shell(directory, "bash", ([[
        . ./completions
        COMP_WORDS=(%s) COMP_CWORD=%d
        _f5lua
        printf '%%s\n' "${COMPREPLY[@]}"]]):format(table.concat(words, " "), #words - 1))
    end
    assert.equal("list\n", complete("f5lua", "lis"))
    assert.equal("--select\n", complete("f5lua", "list", "ltm/pool", "--sel"))
    assert.equal("json\njsonl\n", complete("f5lua", "list", "--output", "js"))
    assert.matches("%-%-no%-verify", complete("f5lua", "console", "--"))
  end)

  it("are taken by zsh and fish", function()
    local directory <close> = program.directory()
    for _, name in ipairs { "zsh", "fish" } do
      written(directory, name)
      assert.equal("", shell(directory, name .. " -n", directory:read "completions"))
    end
    assert.matches("%-%-sim", directory:read "completions")
  end)

  it("complete subcommands, playbooks and options at zsh's prompt", function()
    local directory <close> = program.directory()
    written(directory, "zsh")
    directory:file("_f5lua", directory:read "completions")
    directory:file("my-playbook.lua", "")
    local screen <close> = terminal.start(
      { "-f" },
      { program = "/usr/bin/zsh", columns = 100, errors_too = true }
    )
    screen:enter(
      (
        "PS1='ready> '; cd %s; fpath=(%s $fpath); autoload -U compinit; compinit -u -D; clear"
      ):format(
        directory.path,
        directory.path
      )
    )
    screen:expect "^ready>$"
    screen:type "f5lua modi"
    screen:key "Tab"
    screen:expect "f5lua modify"
    screen:key "C-u"
    screen:type "f5lua my-p"
    screen:key "Tab"
    screen:expect "f5lua my%-playbook%.lua"
    screen:key "C-u"
    screen:type "f5lua run --inv"
    screen:key "Tab"
    screen:expect "%-%-inventory"
  end)

  it("refuse a shell that nobody knows", function()
    local ran = program.run { "completions", "tcsh" }
    assert.equal(2, ran.status)
    assert.matches("must be one of 'bash', 'zsh', 'fish'", ran.err)
  end)
end)
