--- The schema of a queue: which statements make it, and who may do what.
--
-- A migration is a list of texts with SQL. Migration N makes version N of version N - 1. A
-- migration that was released does not change any more; what is new is a migration of its own.

local Schema = {}

Schema.NAME = "f5lua"

Schema.MIGRATIONS = {
  function()
    return {
      (require "f5.queue.schema.tables"),
      (require "f5.queue.schema.work"),
      (require "f5.queue.schema.runs"),
    }
  end,
}

Schema.VERSION = #Schema.MIGRATIONS

-- Functions and tables of each role. Viewers see neither archives nor change records, which hold
-- the configuration of devices.
local VIEWED <const> = "meta, runs, lots, jobs, attempts, output, workers, devices"
local ROLES <const> = {
  { name = "viewer", tables = VIEWED, functions = {} },
  {
    name = "submitter", tables = VIEWED .. ", archives, records, plans",
    functions = { "submit", "cancel" },
  },
  {
    name = "worker", tables = VIEWED .. ", archives, records, plans",
    functions = {
      "hello", "bye", "take", "renew", "finish", "hand_back", "reap", "holds", "say", "add_record",
      "save_plan", "note_attempt",
    },
  },
}

-- Every function has the rights of the schema's owner and finds nothing of the caller's. It goes by
-- the indexes, whatever the statistics of a young table say: the first jobs count, not all.
local OWNER <const> = "SECURITY DEFINER SET search_path = f5lua, pg_catalog, pg_temp"
  .. " SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off"
  .. " SET enable_bitmapscan = off"

--- The SQL that makes the newest version of a version, as one text.
-- @param from integer: the version that is there; 0: none
-- @return string
function Schema.migration(from)
  local parts = { ("SET LOCAL search_path = %s, pg_catalog, pg_temp;"):format(Schema.NAME) }
  for version = from + 1, Schema.VERSION do
    for _, text in ipairs(Schema.MIGRATIONS[version]()) do
      parts[#parts + 1] = (text:gsub("@owner", OWNER))
    end
  end
  -- What is new belongs to nobody else.
  parts[#parts + 1] =
    ("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %s FROM PUBLIC;"):format(Schema.NAME)
  return table.concat(parts, "\n")
end

--- Statements that give a role the rights of submitters, workers or viewers.
-- @param what string: "submitter", "worker" or "viewer"
-- @param role string: its name, already quoted as SQL wants it
-- @return array of strings
function Schema.grants(what, role)
  for _, one in ipairs(ROLES) do
    if one.name == what then
      local lines = {
        ("GRANT USAGE ON SCHEMA %s TO %s;"):format(Schema.NAME, role),
        ("GRANT SELECT ON %s TO %s;"):format(
          (one.tables:gsub("%w+", Schema.NAME .. ".%0")), role
        ),
      }
      local functions = {}
      for i, name in ipairs(one.functions) do functions[i] = Schema.NAME .. "." .. name end
      if functions[1] then
        lines[#lines + 1] =
          ("GRANT EXECUTE ON FUNCTION %s TO %s;"):format(table.concat(functions, ", "), role)
      end
      return lines
    end
  end
  error("no such kind of role: " .. tostring(what), 2)
end

return Schema
