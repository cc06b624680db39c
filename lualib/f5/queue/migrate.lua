-- The schema of a queue: makes it, migrates it, and refuses one that this program does not know.

local core = require "f5.core"
local postgres = require "f5.postgres"

local M = {}

-- Each version brings the one before it to the next.
local VERSIONS <const> = { "f5.queue.versions.v1" }

--- The version that this program works with.
M.VERSION = #VERSIONS

M.DEFAULT_NAME = "f5lua"

-- The oldest server: 12.
local OLDEST_SERVER <const> = 120000

local function fail(format, ...)
  error(core.error_new { kind = "database", message = format:format(...) }, 0)
end

-- A name of PostgreSQL has 63 bytes at most, and the longest name of a role ends with "_submitter".
local LONGEST_NAME <const> = 53

-- What the functions of everybody, or of the server, are in.
local TAKEN <const> = { public = true, information_schema = true }

--- Raises if the name cannot be that of a schema. It is the channel of notifications, too.
function M.check_name(name)
  if TAKEN[name] then
    core.usage_error(("a queue needs a schema of its own, not '%s'"):format(name))
  end
  if name:find "^[a-z_][a-z0-9_]*$" and #name <= LONGEST_NAME and not name:find "^pg_" then
    return
  end
  core.usage_error(
    ("invalid name of a schema '%s': expected small letters, digits and '_', at most %d"):format(
      name, LONGEST_NAME
    )
  )
end

-- Nobody's functions but the server's are called until the search path is the queue's: in older
-- databases everybody may create some in the schema public.
local function check_server(db)
  db:query "select pg_catalog.set_config('search_path', 'pg_catalog', false)"
  local version = db:version()
  if version >= OLDEST_SERVER then
    local encoding = db:row "select current_setting('server_encoding') as name".name
    if encoding == "UTF8" then return end
    fail("the database has the encoding %s; a queue needs UTF8: createdb -E UTF8 -T template0 NAME",
      encoding)
  end
  fail("the database is PostgreSQL %s; a queue needs version %d or later",
    version < 100000 and ("%d.%d"):format(version // 10000, version // 100 % 100)
    or version // 10000, OLDEST_SERVER // 10000)
end

-- What the statement about a schema failed for, in words of the queue.
local function explained(err, name, db)
  if err.kind ~= "database" then return err end
  local why
  if err.sqlstate == "42501" then
    local who = db:is_open() and db:row "select current_user as name".name or "?"
    why = ("the role %s may not use the queue in the schema %s: %s; 'f5lua queue grants' prints "
      .. "what the owner must grant"):format(who, name, err.message)
  elseif err.sqlstate == "25006" then
    why = ("the database is read-only, such as a standby: %s; name the primary, or all hosts and "
      .. "target_session_attrs=read-write"):format(err.message)
  end
  if not why then return err end
  return core.error_new { kind = "database", message = why, sqlstate = err.sqlstate }
end

local function guarded(name, db, fn)
  local ok, result = pcall(fn)
  if ok then return result end
  if type(result) == "table" then result = explained(result, name, db) end
  error(result, 0)
end

-- The version of the schema; 0: there is none. nil: the schema exists and is something else.
local function version_of(db, name)
  local found = db:row([[
    select exists (select from pg_namespace where nspname = $1) as schema,
      exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = 'schema_version') as versions,
      exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1) as filled]], name)
  if not found.versions then return not found.filled and 0 or nil end
  return db:row(
    ("select max(version) as n from %s.schema_version"):format(postgres.identifier(name))
  ).n or 0
end

-- The functions of the queue have the rights of its owner: what others put beside them would, too.
local function check_private(db, name)
  local open = db:row([[
    select exists (select from pg_namespace n, aclexplode(n.nspacl) a
      where n.nspname = $1 and a.grantee = 0 and a.privilege_type = 'CREATE') as yes]], name).yes
  if not open then return end
  fail("everybody may create objects in the schema %s: revoke create on schema %s from public, or "
    .. "choose another one with --schema", name, name)
end

local function refuse_foreign(name)
  fail("the schema %s holds something else than a queue; choose another one with --schema", name)
end

local function refuse_newer(name, version)
  fail(
    "the queue in the schema %s has version %d, and this f5lua %s knows versions up to %d; "
    .. "use a newer f5lua", name, version, core.version, M.VERSION
  )
end

--- Creates or migrates the schema, in one transaction. Returns the version before (0: there was
-- none).
function M.migrate(db, name)
  check_server(db)
  return guarded(name, db, function()
    return db:transaction(function(tx)
      -- Two that migrate at the same time: the second one waits, and finds the work done.
      tx:query("select pg_advisory_xact_lock(hashtextextended('f5lua queue ' || $1, 0))", name)
      local before = version_of(tx, name) or refuse_foreign(name)
      if before > M.VERSION then refuse_newer(name, before) end
      check_private(tx, name)
      if before == M.VERSION then return before end
      local schema <const> = postgres.identifier(name)
      if before == 0 then
        tx:script("create schema if not exists " .. schema)
      end
      -- Functions keep this path: nothing of a caller's comes before the queue's own.
      tx:script(("set local search_path to %s, pg_catalog, pg_temp"):format(schema))
      if before == 0 then
        tx:script [[create table schema_version (version integer primary key,
          f5lua text not null, applied_at timestamptz not null default now())]]
      end
      for version = before + 1, M.VERSION do
        tx:script(require(VERSIONS[version]))
        tx:query("insert into schema_version (version, f5lua) values ($1, $2)", version,
          core.version)
      end
      return before
    end)
  end)
end

--- Makes sure that the schema is one that this program works with, and makes it the search path.
function M.use(db, name)
  check_server(db)
  guarded(name, db, function()
    local version = version_of(db, name) or refuse_foreign(name)
    if version > M.VERSION then refuse_newer(name, version) end
    if version == 0 then
      fail("there is no queue in the schema %s of this database; 'f5lua queue init' makes one",
        name)
    end
    if version < M.VERSION then
      fail(
        "the queue in the schema %s has version %d, and this f5lua %s needs version %d; "
        .. "'f5lua queue init' migrates it", name, version, core.version, M.VERSION
      )
    end
    db:query("select set_config('search_path', $1, false)", postgres.identifier(name))
  end)
end

return M
