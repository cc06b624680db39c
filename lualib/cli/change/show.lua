-- f5lua show: prints a plan.
local contents = require "cli.support.contents"
local json = require "f5.json"
local output = require "cli.support.output"
local show = require "cli.support.change.plan"
local terminal = require "f5.terminal"

local M = { summary = "print a plan" }

function M.setup(parser)
  parser:argument("file", "the plan"):argname "FILE"
  parser:option("--output", "text (default), json or html")
    :argname "FORMAT"
    :choices { "text", "json", "html" }
  parser:option("--key", "refuse a plan that is not signed with this key (Ed25519, PEM)")
    :argname "PUB.pem"
end

function M.run(options)
  local key
  if options.key then
    local reason
    key, reason = contents(options.key)
    if not key then error("cannot read " .. reason, 0) end
  end
  local plan = require("f5.plan.file").read(options.file, key)
  if options.output == "json" then
    output(terminal.json(json.encode(plan, { sort = true, indent = 2 })), "\n")
  elseif options.output == "html" then
    show.html(plan)
  else
    show.text(plan)
  end
end

return M
