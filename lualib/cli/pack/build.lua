-- f5lua build: makes one program of a playbook, its modules and files, and the runtime.
local archive = require "build.archive"
local bundle = require "f5.bundle"
local contents = require "cli.support.contents"
local host = require "f5.host"
local lint = require "cli.support.lint.before"
local packing = require "cli.support.packing.entries"
local program = require "build.program"
local resolver = require "build.resolver"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"
local write = require "cli.support.output"

local M = { summary = "make a program from a playbook" }

local PROGRAM <const> = "f5lua build"

function M.setup(parser)
  parser:argument("playbook", "the playbook"):argname "PLAYBOOK.lua"
  parser
    :option("-o --output", "the program to write (default: name of the playbook without .lua)")
    :argname "FILE"
  packing.add_include(parser)
  parser:flag("--allow-disk", "let require find modules on the disk, too")
  parser:flag("--strip", "pack bytecode instead of source")
  parser
    :option(
      "--runtime",
      "the f5lua to pack: for another machine, or an older program"
    )
    :argname "FILE"
  parser:option("--sign", "sign with this private key (Ed25519, PEM)"):argname "KEY.pem"
  parser:flag("--force", "pack files that look like credentials, too")
  lint.add_option(parser, "do not look for mistakes first, see f5lua lint")
  parser:flag("--list", "print what would be packed, write nothing")
  parser:flag("--dry-run", "do everything but write the program")
  parser:epilog "All arguments of the program belong to the playbook. See docs/packaging.md."
end

local function report(...) terminal.err("f5lua build: ", string.format(...), "\n") end

local function read(path)
  local data, reason = contents(path)
  return data or error("cannot read " .. reason, 0)
end

-- The portable runtime if it is installed, otherwise this program.
local function default_runtime()
  local own = bundle.real_path "/proc/self/exe"
  if not own then
    error("cannot find this program's own file; name a runtime with --runtime", 0)
  end
  local portable = own:gsub("/bin/[^/]*$", "") .. "/lib/f5lua/f5lua-portable"
  if bundle.file_type(portable) == "file" then
    local parsed = program.parse(read(portable))
    if parsed and parsed.version == host.version then return portable end
    report("warning: %s is not version %s and is not used", portable, host.version)
  end
  return own
end

local function load_runtime(path)
  local parsed, reason = program.parse(read(path))
  if not parsed then error(("'%s' is %s"):format(path, reason), 0) end
  if not parsed.runtime then
    error(("'%s' cannot be a runtime: %s"):format(path, parsed.damaged), 0)
  end
  if parsed.version ~= host.version then
    report(
      "warning: the runtime is f5lua %s, but this is f5lua %s; their built-in modules may differ",
      parsed.version,
      host.version
    )
  end
  return parsed
end

local function strip(entries)
  for _, entry in ipairs(entries) do
    local chunk = (entry.kind ~= "asset" or entry.name:find "%.lua$")
      and resolver.compile(entry.contents, entry.name)
    if chunk then entry.contents = string.dump(chunk, true) end
  end
  report(
    "warning: --strip packs bytecode: errors have no line numbers, it runs only with "
      .. "Lua 5.4 of this kind, and it does not protect secrets"
  )
end

local function size_of(bytes)
  if bytes < 10000 then return bytes .. " bytes" end
  return bytes < 1000000 and ("%.0f kB"):format(bytes / 1e3) or ("%.1f MB"):format(bytes / 1e6)
end

local function output_of(options)
  local output = options.output
  if not output then
    local base = options.playbook:match "[^/]*$"
    output = base:match "^(.+)%.lua$" or usage("name the file to write with -o FILE", "f5lua build")
  end
  local kind = bundle.file_type(output)
  if kind == "directory" then
    usage(("'%s' is a directory; name the file to write with -o"):format(output), "f5lua build")
  end
  if kind == "other" then usage(("'%s' is not a regular file"):format(output), "f5lua build") end
  return kind and bundle.real_path(output) or output, output
end

-- The program must not replace one of its sources.
local function protect_sources(entries, output)
  for _, entry in ipairs(entries) do
    if bundle.real_path(entry.path) == output then
      usage(
        ("'%s' is packed into the program; write the program to another file"):format(entry.path),
        "f5lua build"
      )
    end
  end
end

function M.run(options)
  local entries = packing.find(options, PROGRAM)
  if options.list then
    for _, entry in ipairs(entries) do
      write(
        ("%-7s %9d  %-24s %s\n"):format(
          entry.kind, #entry.contents, terminal.line(entry.name), terminal.line(entry.path)
        )
      )
    end
    return
  end
  local output, shown = output_of(options)
  protect_sources(entries, output)
  packing.refuse_credentials(entries, options.force, "everybody who has the program", PROGRAM)
  if options.strip then strip(entries) end
  packing.add_facts(entries, options.strip and "bytecode" or "source")

  local runtime = load_runtime(options.runtime or default_runtime())
  local sign
  if options.sign then
    sign = function(bytes)
      -- C code reads the key: a Lua string would stay in memory
      local signature, reason = bundle.sign(options.sign, bytes)
      return signature or error(reason, 0)
    end
  end
  local bytes =
    program.assemble(runtime, archive.write(entries), { disk = options.allow_disk, sign = sign })
  if not options.dry_run then
    local done, reason = bundle.replace(output, true, bytes)
    if not done then error("cannot write " .. reason, 0) end
  end
  local count = { module = 0, asset = 0 }
  for _, entry in ipairs(entries) do
    count[entry.kind] = (count[entry.kind] or 0) + 1
  end
  write(
    ("%s: %s%s, %d module%s, %d file%s, f5lua %s for %s%s\n"):format(
      terminal.line(shown),
      options.dry_run and "would be " or "",
      size_of(#bytes),
      count.module,
      count.module == 1 and "" or "s",
      count.asset,
      count.asset == 1 and "" or "s",
      runtime.version,
      runtime.machine,
      runtime.static and ", needs no libraries" or ", needs this system's libraries"
    )
  )
end

return M
