-- f5lua verify: checks the signature of a program.
local archive = require "build.archive"
local bundle = require "f5.bundle"
local contents = require "cli.support.contents"
local output = require "cli.support.output"
local program = require "build.program"
local terminal = require "f5.terminal"

local M = { summary = "check the signature of a program made by 'f5lua build --sign'" }

function M.setup(parser)
  parser:argument("file", "the program"):argname "FILE"
  parser:option("--key", "the public key (Ed25519, PEM)"):argname "PUB.pem":count "1"
end

local function read(path)
  local data, reason = contents(path)
  return data or error("cannot read " .. reason, 0)
end

function M.run(options)
  local file = options.file
  local function refuse(reason) error(("%s: %s"):format(file, reason), 0) end
  local key = read(options.key)
  local parsed, reason = program.parse(read(file))
  if not parsed then refuse(reason) end
  if parsed.damaged then refuse(parsed.damaged) end
  if not parsed.packed then refuse "f5lua itself, without a packed playbook" end
  if not parsed.signed then refuse "not signed" end
  local holds, message = bundle.verify(key, parsed.signed_bytes, parsed.signature)
  if holds == nil then error(("%s: %s"):format(options.key, message), 0) end
  if not holds then refuse "not signed with this key, or changed since" end
  local entries, damage = archive.read(parsed.archive)
  if not entries then refuse(damage) end
  output(terminal.line(file), ": signed with this key\n")
end

return M
