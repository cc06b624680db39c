-- What submits a run: f5lua submit, f5lua undo of a run.
local budget_of = require "f5.fleet.budget"
local bundle = require "f5.bundle"
local following = require "cli.support.queue.following"
local manifest = require "f5.queue.manifest"
local output = require "cli.support.output"
local shape = require "f5.queue.shape"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = {}

-- Of a run: an integer of the database.
local MOST_DEVICES <const> = (1 << 31) - 1

function M.add_wait(parser) parser:flag("--wait", "follow the run until it ends") end

function M.add_sign(parser)
  parser
    :option("--sign", "sign the run with this private key (Ed25519, PEM)")
    :argname "KEY.pem"
end

--- The number of an option. Less than `least` is wrong usage.
function M.at_least(options, name, least, program)
  local value = options[name]
  if value and value < least then
    usage(("--%s must be at least %d"):format(name:gsub("_", "-"), least), program)
  end
  return value
end

--- The number of --per-device.
function M.per_device(options, program)
  local value <const> = M.at_least(options, "per_device", 1, program)
  if value and value > shape.MOST_PARALLEL then
    usage(("--per-device must be at most %d"):format(shape.MOST_PARALLEL), program)
  end
  return value
end

--- Refuses options that make no sense for a run of a queue.
-- @param names array of strings
function M.refuse(options, names, program)
  for _, name in ipairs(names) do
    if options[name] then
      usage(("--%s is not for runs of a queue"):format((name:gsub("_", "-"))), program)
    end
  end
end

--- Adds canary, batch and max_failures to what a manifest is made of.
-- @param count integer: devices
function M.add_waves(given, options, count, program)
  local most = budget_of(options.max_failures, count)
  if not most then
    usage(
      ("--max-failures must be a number of devices or a share such as 10%%, not '%s'"):format(
        options.max_failures
      ), program
    )
  end
  if most ~= math.huge and most > MOST_DEVICES then
    usage(("--max-failures must be at most %d, not %s"):format(MOST_DEVICES, options.max_failures),
      program)
  end
  given.canary = M.at_least(options, "canary", 0, program)
  given.batch = M.at_least(options, "batch", 1, program)
  given.max_failures = most ~= math.huge and most or nil
end

--- The signature of a manifest's text; nil without a key.
-- @param key string|nil: path of a private key
function M.sign(key, text)
  if not key then return nil end
  -- C code reads the key: a Lua string would stay in memory
  local signature, reason = bundle.sign(key, manifest.signed_text(text))
  return signature or error(reason, 0)
end

local function conclude(state, watch)
  output(("run %d: %s%s: %s\n"):format(
    state.id, state.state, state.reason and " (" .. terminal.line(state.reason) .. ")" or "",
    watch.line(state)
  ))
end

--- Follows a run until it ends. Returns its state.
-- @param quiet boolean|nil: prints no last line
function M.wait(program, address, schema, id, quiet)
  local ok, state = pcall(following.follow, program, address, schema, id)
  if not ok and type(state) == "table" and state.kind == "cancelled" then
    terminal.err(program, ": run ", tostring(id), " goes on\n")
  end
  if not ok then error(state, 0) end
  if not quiet then conclude(state, require "f5.queue.watch") end
  return state
end

--- Prints the number of a run that is stored. If that fails, standard error has it.
function M.print_number(program, id)
  if output.try(("%d\n"):format(id)) then return end
  terminal.err(program, (": run %d is stored, but standard output cannot be written\n"):format(id))
  output.flush()
end

--- Stores a run, prints its number and returns it.
-- @param run table: of f5.queue.submit
-- @param quiet boolean|nil: does not print it
function M.store(program, address, schema, run, quiet)
  local db <close> = require("f5.queue").open(address, schema)
  local id <const> = require("f5.queue.submit").store(db, run)
  if not quiet then M.print_number(program, id) end
  following.tell_missing(program, db, id)
  return id
end

return M
