-- The playbook of a command line: chunks of -e, a file, standard input.
local defer = require "f5.jobs.defer"
local host = require "f5.host"
local usage = require "cli.support.usage"

local M = {}

local function refuse(message, is_usage, program)
  if is_usage then usage(message, program) end
  error(message, 0)
end

--- Compiles everything before anything runs, and makes `arg` of the words behind the file.
-- @return array of functions, array of the arguments
function M.load(options, program)
  local chunks = {}
  for _, text in ipairs(options.e or {}) do
    local chunk, message = load(text, "=(command line)")
    chunks[#chunks + 1] = chunk or refuse(message, false, program)
  end
  local words = options.rest
  local file = table.remove(words, 1)
  if file then
    local chunk, message, unreadable = host.load(file ~= "-" and file or nil)
    chunks[#chunks + 1] = chunk or refuse(message, unreadable, program)
    host.set_script(file, words)
  elseif not chunks[1] then
    usage("no playbook given", program)
  end
  return chunks, words
end

--- One function that runs them all.
function M.function_of(chunks, words)
  return function()
    defer.call(function()
      for i = 1, #chunks - 1 do chunks[i]() end
      chunks[#chunks](table.unpack(words))
    end)
  end
end

return M
