-- f5lua completions: what shells complete of the command line, made from the definitions that the subcommands parse it with.
local M = { summary = "write the completions for a shell: bash, zsh or fish" }

local PLACES <const> = {
  bash = "~/.local/share/bash-completion/completions/f5lua",
  zsh = "a directory of $fpath, as _f5lua",
  fish = "~/.config/fish/completions/f5lua.fish",
}

function M.setup(parser)
  parser:argument("shell", "whose completions"):choices { "bash", "zsh", "fish" }
  parser:epilog(("Where the output goes:\n  bash  %s\n  zsh   %s\n  fish  %s"):format(PLACES.bash, PLACES.zsh, PLACES.fish))
end

-- The whole command line as one parser.
local function whole()
  local main <const> = require "cli.support.main"
  local parser <const> = require "argparse"("f5lua", "automation of F5 BIG-IP devices in Lua")
  parser:argument("playbook", "a playbook"):args "?"
  parser:flag("--version", "the version")
  parser:option("-e", "run a piece of Lua"):argname "CHUNK":count "*"
  parser:flag("-v --verbose", "log each call; -vv: with its bodies"):count "0-2"
  parser:option("--log-format", "text or json"):argname "FORMAT":choices { "text", "json" }
  for _, name in ipairs(main.subcommands()) do
    local command <const> = require("cli." .. name)
    main.set_up(parser:command(name, command.summary), command)
  end
  return parser
end

function M.run(options)
  io.stdout:write(whole()["get_" .. options.shell .. "_complete"](whole()))
  return 0
end

return M
