-- PostgreSQL, for the queue. Statements do not block: other fibers go on meanwhile.
--
--   local db <close> = postgres.connect("postgresql:///runs", { timeout = 30 })
--   for _, row in ipairs(db:query("select id, name from runs where state = $1", "open")) do … end
--   db:transaction(function(tx) tx:query("delete from runs where id = $1", id) end)
--   db:listen "runs"
--   local news = db:wait(60)    -- { channel =, payload =, pid = }, or nil
--
-- Rows are tables by the names of the columns. Integers, numbers and booleans are those of Lua,
-- NULL is nil, bytea a string, everything else the text of the server; times are ISO, in UTC. A
-- parameter of bytea is { bytes = "…" }.
--
-- Errors have the kind "database". `sqlstate`, `detail`, `hint`, `constraint`: of the server.
-- `lost`: there is no connection any more; `sent`: then the statement may have been carried out.

local core = require "f5.core"
local pq = require "f5.postgres.core"

local M = {}

-- How much longer than the server we wait for the end of a statement, in seconds. After that the
-- server is dead.
local GRACE <const> = 10

local function raise(problem)
  local fields = { kind = "database" }
  for name, value in pairs(problem) do fields[name] = value end
  fields.message = tostring(problem.message)
  if problem.sent and problem.lost then
    fields.message = fields.message .. "; it is not known whether the statement was carried out"
  end
  if problem.detail then fields.message = fields.message .. " (" .. problem.detail .. ")" end
  error(core.error_new(fields), 0)
end

local function checked(rows, problem)
  if not rows then raise(problem) end
  return rows
end

-- What both a connection and a transaction can do.
local function add_statements(class)
  --- Carries out one statement, with parameters $1, $2 …
  function class:query(statement, ...)
    self:check()
    return checked(self.connection:query(self.hold, statement, ...))
  end

  --- Carries out several statements without parameters: all of them, or none.
  function class:script(statements)
    self:check()
    return checked(self.connection:script(self.hold, statements))
  end

  --- The first row, or nil.
  function class:row(statement, ...) return self:query(statement, ...)[1] end
end

local Transaction <const> = {}
Transaction.__index = Transaction
Transaction.__name = "f5.postgres.transaction"
add_statements(Transaction)

function Transaction:check()
  if self.ended then core.usage_error "the transaction has ended" end
end

-- Rolls back what has not been committed, and lets the other fibers go on. If the fiber was
-- cancelled while a statement is under way, a rollback would have to wait for it: the connection is
-- given up.
function Transaction:__close()
  if not self.ended and self.connection:is_open() and not self.hold:busy() then
    self.connection:query(self.hold, "rollback") -- if this fails, the connection is lost
  end
  self.ended = true
  self.hold:release()
end

local Connection <const> = {}
Connection.__index = Connection
Connection.__name = "f5.postgres.connection"
add_statements(Connection)

-- A statement outside of the transaction, in the fiber that runs it, would wait for its own end.
function Connection:check()
  if self.owner == coroutine.running() then
    core.usage_error "inside of a transaction, call the methods of the transaction"
  end
end

--- Calls fn(tx) in a transaction and commits; an error of it rolls back. Statements of other fibers
-- wait meanwhile. Returns what fn returns. Errors with the sqlstate 40001 or 40P01 are worth
-- another attempt.
function Connection:transaction(fn)
  self:check()
  local tx <close> = setmetatable({
    connection = self.connection, hold = checked(self.connection:hold()),
  }, Transaction)
  local owner <close> = setmetatable({}, { __close = function() self.owner = nil end })
  owner.self, self.owner = self, coroutine.running()
  tx:query "begin"
  local results = table.pack(fn(tx))
  tx:query "commit"
  tx.ended = true
  return table.unpack(results, 1, results.n)
end

--- From now on wait() returns what is notified on this channel.
function Connection:listen(channel)
  self:query("listen " .. M.identifier(channel))
end

--- The next notification: { channel =, payload =, pid = }; nil if none comes in time.
function Connection:wait(seconds)
  local news, problem = self.connection:wait(seconds)
  if problem then raise(problem) end
  return news
end

--- Whether the connection has not been closed or lost. An idle connection does not notice its loss.
function Connection:is_open() return self.connection:is_open() end

--- The version of the server, such as 150003.
function Connection:version() return self.connection:version() end

--- The process of the server that serves this connection.
function Connection:pid() return self.connection:pid() end

--- Which server of the address this is, counted from 0; a name counts for each of its addresses.
function Connection:place() return self.connection:place() end

--- What the server has said besides, since the last call.
function Connection:notices() return self.connection:notices() end

--- Ends the connection; what is under way fails.
function Connection:close() self.connection:close() end

Connection.__close = Connection.close

-- Classes of errors that go away without a change to the statement: it stood in the way of another
-- one, no room or no place for a connection, the server stops or starts, its disk fails.
local TRANSIENT <const> = { ["40"] = true, ["53"] = true, ["57"] = true, ["58"] = true }
-- A lock that somebody else has (lock_timeout); no writes, as after a failover.
local LOCKED <const> = "55P03"
M.READ_ONLY = "25006"

--- Whether the same may be tried again later: the connection was lost, or the server cannot now.
function M.is_transient(err)
  if type(err) ~= "table" or err.kind ~= "database" then return false end
  local state <const> = err.sqlstate or ""
  return err.lost or state == LOCKED or state == M.READ_ONLY or TRANSIENT[state:sub(1, 2)] or false
end

--- A name as a part of a statement.
function M.identifier(name)
  if type(name) ~= "string" or name == "" or name:find "%z" then
    core.usage_error(("invalid name of the database: %s"):format(tostring(name)))
  end
  return '"' .. name:gsub('"', '""') .. '"'
end

--- A list of strings as a parameter of the type text[].
function M.array(list)
  local parts = {}
  for i, text in ipairs(list) do parts[i] = '"' .. text:gsub('[\\"]', "\\%0") .. '"' end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- A server that has lost its client must not keep locks: a transaction that does nothing ends, too.
-- The rules of the queue lock rows and then look at them as they are.
local SETTINGS <const> = [[
  select pg_catalog.set_config('statement_timeout', $1, false),
    pg_catalog.set_config('default_transaction_isolation', 'read committed', false),
    pg_catalog.set_config('idle_in_transaction_session_timeout', $1, false),
    pg_catalog.set_config('TimeZone', 'UTC', false),
    pg_catalog.set_config('DateStyle', 'ISO', false),
    pg_catalog.set_config('bytea_output', 'hex', false)]]

--- Opens a connection. `address`: a URL, or a list such as "host=db dbname=runs"; what is missing
-- comes from PGHOST and the other variables of libpq, ~/.pgpass and the service file. A password in
-- it is refused. `options.timeout`: how long a statement may take, in seconds; default 30.
-- `options.after`: not the servers up to this place of the address.
function M.connect(address, options)
  local timeout = options and options.timeout or 30
  local first = options and options.after and options.after + 1 or 0
  local connection, problem = pq.connect(address, timeout + GRACE, first)
  if not connection and problem.refused then core.usage_error(problem.message) end
  if not connection then raise(problem) end
  local self = setmetatable({ connection = connection }, Connection)
  self:query(SETTINGS, math.ceil(timeout * 1000))
  if self:version() >= 140000 then -- else, and on some systems, a statement ends by its timeout
    connection:query(nil, "set client_connection_check_interval = 1000")
  end
  return self
end

return M
