-- f5lua completions: makes shell completions from the parsers of the subcommands.
local output = require "cli.support.output"

local M = { summary = "print the completions for a shell: bash, zsh or fish" }

local PLACES <const> = {
  bash = "~/.local/share/bash-completion/completions/f5lua",
  zsh = "a directory of $fpath, as _f5lua",
  fish = "~/.config/fish/completions/f5lua.fish",
}

function M.setup(parser)
  parser:argument("shell", "whose completions"):choices { "bash", "zsh", "fish" }
  parser:epilog(
    ("Where the output goes:\n  bash  %s\n  zsh   %s\n  fish  %s"):format(
      PLACES.bash,
      PLACES.zsh,
      PLACES.fish
    )
  )
end

-- The whole command line as one parser. For zsh the playbook is left out: argparse would accept it
-- in place of the subcommand.
local function whole(shell)
  local main = require "cli.support.main"
  local parser = require "argparse"("f5lua", "automation of F5 BIG-IP devices in Lua")
  if shell ~= "zsh" then parser:argument("playbook", "a playbook"):args "?" end
  parser:flag("--version", "print the version")
  parser:option("-e", "run a piece of Lua"):argname "CHUNK":count "*"
  parser:flag("-v --verbose", "log each call; -vv: with its bodies"):count "0-2"
  parser:option("--log-format", "text or json"):argname "FORMAT":choices { "text", "json" }
  for _, name in ipairs(main.subcommands()) do
    local command = main.load(name)
    main.set_up(parser:command(name, command.summary), command)
  end
  return parser
end

-- The first word is a subcommand or a playbook.
local ZSH_FIRST <const> = [[
_f5lua_first() {
  _alternative "commands:command:_f5lua_cmds" "files:playbook:_files"
}

]]

local function fit_zsh(text)
  local changed, count = text:gsub('": :_f5lua_cmds"', '": :_f5lua_first"')
  assert(count == 1, "argparse writes its completions in another way")
  return (changed:gsub("\n_f5lua%s*$", function(call) return "\n" .. ZSH_FIRST .. call:sub(2) end))
end

-- After -p come the names of profiles.
local NAMES <const> = "f5lua profile list --output names 2>/dev/null"

local fit <const> = {}

function fit.bash(text)
  local changed, count = text:gsub(
    '(%-p|%-%-profile%)%s*COMPREPLY=%(%$%(compgen )%-f',
    function(before) return before .. '-W "$(' .. NAMES .. ')"' end
  )
  assert(count > 0, "argparse writes its completions in another way")
  return changed
end

function fit.fish(text)
  local changed, count = text:gsub("( %-s p %-l profile) %-r", "%1 -xa '(" .. NAMES .. ")'")
  assert(count > 0, "argparse writes its completions in another way")
  return changed
end

local ZSH_PROFILES <const> = [[
_f5lua_profiles() {
  compadd -- $(%s)
}

]]

function fit.zsh(text)
  local changed, count = text:gsub("({%-p,%-%-profile}[^\n]*: ):_files", "%1:_f5lua_profiles")
  assert(count > 0, "argparse writes its completions in another way")
  return (fit_zsh(changed):gsub("\n_f5lua_first%(%)", function(call)
    return "\n" .. ZSH_PROFILES:format(NAMES) .. call:sub(2)
  end))
end

function M.run(options)
  local parser = whole(options.shell)
  local text = parser["get_" .. options.shell .. "_complete"](parser)
  output(fit[options.shell](text))
  return 0
end

return M
