-- What the roles of a queue may do, as statements for the owner of the database.

local postgres = require "f5.postgres"

local M = {}

-- A viewer sees neither playbooks and inventories nor what change records hold.
local VISIBLE_RUN <const> = table.concat({
  "id", "kind", "playbook", "archive", "arguments", "options", "undo_of", "retry_of", "grace",
  "allowed", "canaries", "f5lua", "submitted_at", "submitted_by", "submitted_from", "state",
  "reason", "jobs", "waves", "wave", "left_in_wave", "failures", "aside", "cancelled_by",
  "started_at", "ended_at",
}, ", ")

-- All that changes the queue is a function, which keeps its rules.
local ROLES <const> = {
  {
    name = "viewer", what = "sees runs, results and output",
    grants = {
      ("select (%s) on runs"):format(VISIBLE_RUN),
      "select on schema_version, lots, devices, jobs, workers, attempts, output",
    },
  },
  {
    name = "submitter", what = "submits, cancels and repeats runs: may run code on the workers, "
      .. "unless these demand a signature",
    grants = { "select on all tables" },
    functions = { "submit", "cancel", "retry" },
  },
  {
    name = "worker", what = "takes jobs and stores their results; cannot submit",
    grants = { "select on all tables" },
    functions = {
      "this_server", "hello", "bye", "take", "renew", "finish", "hand_back", "reap", "holds", "say",
      "add_records", "save_plan", "note_attempt",
    },
  },
}

-- Roles belong to the whole server: another queue may have made them.
local MAKE_ROLE <const> = "do $$ begin create role %s nologin; "
  .. "exception when duplicate_object then null; end $$;"

-- "select on all tables" -> "grant select on all tables in schema s to r"
local function statement(grant, schema, role)
  local what, on <const> = grant:match "^(.*) on (.*)$"
  local tables = on == "all tables" and "all tables in schema " .. schema
    or on:gsub("[%w_]+", function(name) return schema .. "." .. name end)
  return ("grant %s on %s to %s;"):format(what, tables, role)
end

--- The statements that make the roles and give them their rights.
function M.text(schema)
  local quoted <const> = postgres.identifier(schema) -- a name may be a word of SQL
  local lines <const> = {}
  for _, role in ipairs(ROLES) do
    local name = schema .. "_" .. role.name
    lines[#lines + 1] = ("-- %s: %s"):format(name, role.what)
    lines[#lines + 1] = MAKE_ROLE:format(name)
    lines[#lines + 1] = ("grant usage on schema %s to %s;"):format(quoted, name)
    for _, grant in ipairs(role.grants) do lines[#lines + 1] = statement(grant, quoted, name) end
    if role.functions then
      local names = {}
      for i, one in ipairs(role.functions) do names[i] = quoted .. "." .. one end
      lines[#lines + 1] =
        ("grant execute on function %s to %s;"):format(table.concat(names, ", "), name)
    end
    lines[#lines + 1] = ""
  end
  local last <const> = "-- then, for each person and each worker: grant %s_worker to NAME;"
  lines[#lines + 1] = last:format(schema)
  return table.concat(lines, "\n") .. "\n"
end

return M
