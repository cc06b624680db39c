-- f5lua inspect: what a program made by `f5lua build` is made of.
local archive = require "build.archive"
local json = require "f5.json"
local program = require "build.program"

local M = { summary = "show what is packed in a program made by 'f5lua build'" }

function M.setup(parser)
  parser:argument("file", "the program"):argname "FILE"
  parser:flag("--json", "the same as JSON")
end

-- The lines of key=value that build left.
local function read_facts(entries)
  local facts = {}
  for _, entry in ipairs(entries) do
    if entry.kind == "facts" then
      for key, value in entry.contents:gmatch "([^\n=]+)=([^\n]*)" do facts[key] = value end
    end
  end
  return facts
end

local function show(file, parsed, entries)
  local facts = read_facts(entries)
  local rows <const> = {
    { "f5lua", ("%s (%s, %s)"):format(parsed.version, parsed.machine, parsed.static and "static" or "needs shared libraries") },
    { "built by", "f5lua " .. (facts.f5lua or "?") },
    { "entry", facts.entry or "?" },
    { "code", facts.code == "bytecode" and "bytecode, stripped" or "source" },
    { "require", parsed.disk and "archive, then disk" or "archive only" },
    { "signature", parsed.signed and "Ed25519 (f5lua verify --key PUB.pem checks it)" or "none" },
    { "archive", ("%d bytes at %d, CRC-32 %08x"):format(#parsed.archive, parsed.offset, parsed.crc) },
  }
  print(file)
  for _, row in ipairs(rows) do print(("  %-10s %s"):format(row[1], row[2])) end
  print(("\n  %-7s %10s  %-64s  %s"):format("kind", "bytes", "SHA-256", "name"))
  for _, entry in ipairs(entries) do
    if entry.kind ~= "facts" then print(("  %-7s %10d  %s  %s"):format(entry.kind, #entry.contents, entry.sha256, entry.name)) end
  end
end

local function show_json(parsed, entries)
  local facts = read_facts(entries)
  local contents = json.array {}
  for _, entry in ipairs(entries) do
    if entry.kind ~= "facts" then
      contents[#contents + 1] = { kind = entry.kind, name = entry.name, bytes = #entry.contents, sha256 = entry.sha256 }
    end
  end
  print(json.encode({
    version = parsed.version, machine = parsed.machine, static = parsed.static, built_by = facts.f5lua, entry = facts.entry,
    code = facts.code, allow_disk = parsed.disk, signed = parsed.signed, contents = contents,
    archive = { bytes = #parsed.archive, offset = parsed.offset, crc32 = ("%08x"):format(parsed.crc) },
  }, { sort = true, indent = 2 }))
end

function M.run(options)
  local file <const> = options.file
  local handle, message = io.open(file, "rb")
  if not handle then error("cannot read " .. message, 0) end
  local data = handle:read "a"
  handle:close()
  if not data then error(("cannot read %s"):format(file), 0) end
  local function refuse(...) error(file .. ": " .. string.format(...), 0) end
  local parsed, reason = program.parse(data)
  if not parsed then refuse("%s", reason) end
  if parsed.damaged then refuse("%s", parsed.damaged) end
  if not parsed.packed then refuse("f5lua %s itself (%s), with nothing packed in it", parsed.version, parsed.machine) end
  local entries, damage = archive.read(parsed.archive)
  if not entries then refuse("%s", damage) end
  if options.json then show_json(parsed, entries) else show(file, parsed, entries) end
end

return M
