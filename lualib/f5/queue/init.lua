-- Runs on PostgreSQL: opening a queue.
--
--   local db <close> = queue.open("postgresql://db/runs")

local core = require "f5.core"
local postgres = require "f5.postgres"
local schema = require "f5.queue.migrate"

local M = {}

--- The name of the schema: what is given, or F5LUA_QUEUE_SCHEMA.
function M.schema_name(given)
  local name = given.schema or os.getenv "F5LUA_QUEUE_SCHEMA" or schema.DEFAULT_NAME
  schema.check_name(name)
  return name
end

--- The address of the database and the name of the schema: what is given, or F5LUA_QUEUE and
-- F5LUA_QUEUE_SCHEMA. An empty address is one, too: then libpq's variables say where it is.
function M.address(given)
  local address = given.queue or os.getenv "F5LUA_QUEUE"
  if not address then
    core.usage_error "name the database with --queue URL, or in F5LUA_QUEUE"
  end
  return address, M.schema_name(given)
end

--- A connection to a queue, which must be of this version. `options`: as of f5.postgres.
function M.open(address, name, options)
  local db = postgres.connect(address, options)
  local ok, err = pcall(schema.use, db, name or schema.DEFAULT_NAME)
  if ok then return db end
  db:close()
  error(err, 0)
end

return M
