-- Options for the contents of a simulated device.
local json = require "f5.json"
local contents = require "cli.support.contents"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = {}

-- The value in a JSON file.
function M.read(path, program)
  local text, reason = contents(path)
  if not text then usage("cannot read " .. reason, program) end
  local ok, value = pcall(json.decode, text)
  if not ok then usage(("%s is not JSON: %s"):format(path, value), program) end
  return value
end

-- Whether a file is a saved configuration of a device rather than JSON.
local function is_configuration(path, text)
  return (path:find "%.conf$" or path:find "%.scf$" or text:find "^#TMSH%-VERSION") ~= nil
end

--- The seed in one or more files: a seed or a state in JSON, and saved configurations of a device
--- (bigip.conf, bigip_base.conf, an SCF). nil without files.
function M.read_all(paths, program)
  local found, conf = nil, {}
  for _, path in ipairs(paths) do
    local text, reason = contents(path)
    if not text then usage("cannot read " .. reason, program) end
    if is_configuration(path, text) then
      conf[#conf + 1] = { name = path, text = text }
    elseif found then
      usage(("%s: only one seed in JSON can be given"):format(path), program)
    else
      found = M.read(path, program)
    end
  end
  if #conf == 0 then return found end
  if type(found) == "table" and found.clock then
    usage("a saved state and a saved configuration cannot be combined", program)
  end
  found = found or {}
  if type(found) == "table" then found.conf = conf end
  return found
end

--- Prints what a device refused of saved configurations.
function M.report_refused(device)
  local refused <const> = device:refused()
  for i, problem in ipairs(refused) do
    if i > 20 then
      terminal.err(("  … and %d more\n"):format(#refused - 20))
      break
    end
    terminal.err(
      ("%s:%d: not loaded: %s\n"):format(
        terminal.line(problem.file), problem.line, terminal.line(problem.message)
      )
    )
  end
end

--- Prints what a device keeps of a snapshot without simulating it, or did not load.
function M.report_remarks(device)
  local remarks <const> = device:remarks()
  for i, text in ipairs(remarks) do
    if i > 20 then
      terminal.err(("  … and %d more\n"):format(#remarks - 20))
      break
    end
    terminal.err("seed: ", terminal.line(text), "\n")
  end
end

--- The modules of --provision: "ltm,asm" -> { "ltm", "asm" }; nil without the option.
function M.modules(options, program)
  if not options.provision then return nil end
  local words = {}
  for word in options.provision:gmatch "[^,%s]+" do words[#words + 1] = word end
  local wrong = require "f5.sim.modules"(words)
  if wrong then usage("--provision: " .. wrong, program) end
  return words
end

--- The extensions of --extensions: "as3=3.50.2,as3" -> a list of words; nil without the option.
function M.extensions(options, program)
  if not options.extensions then return nil end
  local words = {}
  for word in options.extensions:gmatch "[^,%s]+" do words[#words + 1] = word end
  local ok, problem = pcall(require "f5.sim.extensions", words)
  if not ok then usage("--extensions: " .. tostring(problem), program) end
  return words
end

return M
