-- What the roles of a queue may do, as statements for the owner of the database.

local postgres = require "f5.postgres"

local M = {}

-- A viewer sees neither playbooks and inventories nor what change records hold.
local VISIBLE_RUN <const> = table.concat({
  "id", "kind", "state", "playbook", "archive", "arguments", "options", "f5lua", "submitted_by",
  "submitted_from", "submitted_at", "undo_of", "retry_of", "wave", "max_failures", "failures",
  "reason", "cancelled_by", "ended_at",
}, ", ")

local ROLES <const> = {
  {
    name = "viewer", what = "sees runs, results and output",
    grants = {
      ("select (%s) on runs"):format(VISIBLE_RUN),
      "select on schema_version, waves, devices, jobs, workers, attempts, output",
    },
  },
  {
    name = "submitter", what = "submits, cancels and repeats runs: may run code on the workers, "
      .. "unless these demand a signature",
    grants = {
      "select on all tables",
      "insert on archives, runs, waves, devices, jobs, plans",
      "update (state, reason, cancelled_by, ended_at) on runs",
      "update (state, reason, ended_at) on jobs",
    },
  },
  {
    name = "worker", what = "takes jobs and stores their results; cannot submit",
    grants = {
      "select on all tables",
      "insert on workers, attempts, output, plans, change_records",
      "update (state, wave, failures, reason, ended_at) on runs",
      "update (opened_at, ended_at) on waves",
      "update on devices, workers, attempts",
      "update (state, attempt, attempts, lost_leases, lease_ends, changed, result, error, reason, "
        .. "calls, bytes, duration, started_at, ended_at) on jobs",
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
  local quoted <const> = postgres.identifier(schema)
  local plain <const> = quoted == '"' .. schema .. '"' and schema or quoted
  local lines <const> = {}
  for _, role in ipairs(ROLES) do
    local name = schema .. "_" .. role.name
    lines[#lines + 1] = ("-- %s: %s"):format(name, role.what)
    lines[#lines + 1] = MAKE_ROLE:format(name)
    lines[#lines + 1] = ("grant usage on schema %s to %s;"):format(plain, name)
    for _, grant in ipairs(role.grants) do lines[#lines + 1] = statement(grant, plain, name) end
    lines[#lines + 1] = ""
  end
  local last <const> = "-- then, for each person and each worker: grant %s_worker to NAME;"
  lines[#lines + 1] = last:format(schema)
  return table.concat(lines, "\n") .. "\n"
end

return M
