-- What is packed of a playbook: `f5lua build` makes a program of it, `f5lua submit` an archive.
local bundle = require "f5.bundle"
local credentials = require "build.credentials"
local host = require "f5.host"
local lint = require "cli.support.lint.before"
local resolver = require "build.resolver"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = {}

--- Adds the option --include.
function M.add_include(parser)
  parser
    :option(
      "--include",
      "also pack these files, for f5.asset and (.lua files) for require; *, ?, [] and ** as in a "
        .. "shell; relative to the playbook, otherwise to this directory; may be repeated"
    )
    :argname "GLOB"
    :count "*"
end

local function report(program, ...) terminal.err(program, ": ", string.format(...), "\n") end

-- Stops if the playbook or a module has mistakes that show before a run.
local function check(entries, options)
  local texts = {}
  for _, entry in ipairs(entries) do
    if entry.kind ~= "asset" then
      texts[#texts + 1] = { file = entry.path, text = entry.contents }
    end
  end
  lint.program(texts, { no_lint = options.no_lint, warnings = true, open = options.allow_disk })
end

--- The entries of an archive (see build.archive) with the playbook, its modules and files.
-- @param options table: playbook, include, allow_disk, no_lint
-- @param program string: for messages
function M.find(options, program)
  local playbook = options.playbook
  if bundle.file_type(playbook) ~= "file" then
    local _, reason = bundle.file_type(playbook)
    usage(
      ("cannot read '%s': %s"):format(
        playbook,
        type(reason) == "string" and reason:match ": (.*)$" or "not a file"
      ),
      program
    )
  end
  local entries, warnings, errors =
    resolver.resolve(playbook, { include = options.include, allow_disk = options.allow_disk })
  for _, warning in ipairs(warnings) do report(program, "warning: %s", warning) end
  if errors[1] then error(table.concat(errors, "\n"), 0) end
  check(entries, options)
  return entries
end

--- Stops if a file looks like one with credentials. A literal password in the playbook itself is
-- only a warning: it may be that of a simulated device.
-- @param readers string: who can read what is packed
function M.refuse_credentials(entries, force, readers, program)
  local refused = {}
  for _, entry in ipairs(entries) do
    local reason = credentials(entry.path, entry.contents)
    if reason and (force or entry.kind == "main") then
      report(
        program,
        "warning: '%s' seems to contain credentials: %s; %s can read it",
        entry.path,
        reason,
        readers
      )
    elseif reason and not refused[entry.path] then
      refused[entry.path] = true
      refused[#refused + 1] = ("'%s' seems to contain credentials: %s"):format(
        entry.path,
        reason
      )
    end
  end
  if refused[1] then
    refused[#refused + 1] = readers .. " can read it; use password_env, "
      .. "password_command or a file that is read at run time, or give --force"
    error(table.concat(refused, "\n"), 0)
  end
end

--- Adds the entry that says what the others are.
function M.add_facts(entries, code)
  entries[#entries + 1] = {
    kind = "facts",
    name = "",
    contents = ("code=%s\nentry=%s\nf5lua=%s\n"):format(code, entries[1].name, host.version),
  }
end

return M
