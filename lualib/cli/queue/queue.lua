-- f5lua queue: makes and migrates the schema of a queue.
local address_of = require("f5.queue").address
local output = require "cli.support.output"
local queue_options = require "cli.support.queue.options"

local M = { summary = "make or migrate a queue in a PostgreSQL database" }

local PROGRAM <const> = "f5lua queue"

function M.setup(parser)
  parser
    :argument("action", "init: make or migrate it; grants: print the rights of its roles")
    :choices { "init", "grants" }
  queue_options.add(parser)
  parser:epilog(
    "A password is not part of the URL: it is in ~/.pgpass, in the file that PGPASSFILE names, or\n"
      .. "in PGPASSWORD. PGHOST, service files, sslmode=verify-full and all other parameters of\n"
      .. "libpq work. See docs/queue.md."
  )
end

local function told(before, version, name)
  if before == version then
    return ("the queue in the schema %s has version %d: nothing to do"):format(name, version)
  end
  if before == 0 then
    return ("made the queue in the schema %s, version %d"):format(name, version)
  end
  return ("migrated the queue in the schema %s from version %d to version %d"):format(
    name, before, version
  )
end

local function init(options)
  local schema = require "f5.queue.migrate"
  local address, name = address_of(options)
  -- A migration may rewrite tables.
  local db <close> = require("f5.postgres").connect(address, { timeout = 3600 })
  local before = schema.migrate(db, name)
  output("-- ", told(before, schema.VERSION, name), "\n")
  return name
end

local function run(options)
  local name
  if options.action == "init" then
    name = init(options)
    output("-- The owner of the database makes the roles once, for example with psql:\n\n")
  else
    name = require("f5.queue").schema_name(options)
  end
  output(require("f5.queue.grants").text(name))
end

function M.run(options) return queue_options.guarded(PROGRAM, run, options) end

return M
