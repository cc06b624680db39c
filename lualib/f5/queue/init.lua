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

-- A pooler may give each transaction another connection of its own: then the search path and LISTEN
-- are lost. With such a pooler a second connection gets the one that is idle now.
local function check_pooler(db, address)
  local process <const> = "select pg_catalog.pg_backend_pid() as pid"
  local mine <const> = db:row(process).pid
  if mine == db:pid() then return end
  local other <close> = postgres.connect(address)
  if other:row(process).pid ~= mine then return end
  error(core.error_new {
    kind = "database",
    message = "the database is behind a pooler that shares its connections between transactions: "
      .. "a queue needs pool_mode = session, or the address of the server itself",
  }, 0)
end

--- A connection to a queue, which must be of this version. `options`: as of f5.postgres.
function M.open(address, name, options)
  local db = postgres.connect(address, options)
  local ok, err = pcall(function()
    check_pooler(db, address)
    schema.use(db, name or schema.DEFAULT_NAME)
  end)
  if ok then return db end
  db:close()
  error(err, 0)
end

return M
