-- f5lua inspect: shows the parts of a program made by `f5lua build`.
local archive = require "build.archive"
local contents = require "cli.support.contents"
local json = require "f5.json"
local output = require "cli.support.output"
local program = require "build.program"
local shown_json = require "cli.support.shown_json"
local terminal = require "f5.terminal"

local M = { summary = "print what is packed in a program made by 'f5lua build'" }

function M.setup(parser)
  parser:argument("file", "the program"):argname "FILE"
  parser:flag("--json", "print JSON")
end

-- The parts of the program as UTF-8 strings: names of files may contain any bytes. Everything that
-- can be checked is computed here, not taken from the file.
local function describe(parsed, entries)
  local function words(bytes)
    return utf8.len(bytes) and bytes
      or (bytes:gsub("[\x80-\xFF]", function(c) return ("\\x%02x"):format(c:byte()) end))
  end
  local described = {
    version = words(parsed.version),
    machine = parsed.machine,
    static = parsed.static,
    code = "source",
    allow_disk = parsed.disk,
    signed = parsed.signed,
    contents = json.array {},
    archive = {
      bytes = #parsed.archive,
      offset = parsed.offset,
      crc32 = ("%08x"):format(parsed.crc),
    },
  }
  for _, entry in ipairs(entries) do
    local name = words(entry.name)
    if entry.kind == "facts" then
      described.built_by = words(entry.contents:match "%f[^\n\0]f5lua=([^\n]*)" or "?")
    else
      if entry.kind == "main" then described.entry = name end
      if entry.kind ~= "asset" and entry.contents:sub(1, 4) == "\27Lua" then
        described.code = "bytecode"
      end
      table.insert(
        described.contents,
        { kind = entry.kind, name = name, bytes = #entry.contents, sha256 = entry.sha256 }
      )
    end
  end
  return described
end

local function show(file, it)
  local rows = {
    {
      "f5lua",
      ("%s (%s, %s)"):format(
        it.version,
        it.machine,
        it.static and "static" or "needs shared libraries"
      ),
    },
    { "built by", "f5lua " .. (it.built_by or "?") },
    { "entry", it.entry or "?" },
    { "code", it.code == "bytecode" and "bytecode, stripped" or "source" },
    { "require", it.allow_disk and "archive, then disk" or "archive only" },
    { "signature", it.signed and "Ed25519 (f5lua verify --key PUB.pem checks it)" or "none" },
    {
      "archive",
      ("%d bytes at %d, CRC-32 %s"):format(it.archive.bytes, it.archive.offset, it.archive.crc32),
    },
  }
  output(terminal.line(file), "\n")
  for _, row in ipairs(rows) do
    output(("  %-10s %s\n"):format(row[1], terminal.line(row[2])))
  end
  output(("\n  %-7s %10s  %-64s  %s\n"):format("kind", "bytes", "SHA-256", "name"))
  for _, entry in ipairs(it.contents) do
    output(
      ("  %-7s %10d  %s  %s\n"):format(
        entry.kind, entry.bytes, entry.sha256, terminal.line(entry.name)
      )
    )
  end
end

function M.run(options)
  local file = options.file
  local data, message = contents(file)
  if not data then error("cannot read " .. message, 0) end
  local function refuse(...) error(file .. ": " .. string.format(...), 0) end
  local parsed, reason = program.parse(data)
  if not parsed then refuse("%s", reason) end
  if parsed.damaged then refuse("%s", parsed.damaged) end
  if not parsed.packed then
    refuse("f5lua %s itself (%s), without a packed playbook", parsed.version, parsed.machine)
  end
  local entries, damage = archive.read(parsed.archive)
  if not entries then refuse("%s", damage) end
  local described = describe(parsed, entries)
  if options.json then
    output(shown_json(described, { sort = true, indent = 2 }), "\n")
  else
    show(file, described)
  end
end

return M
