#!/usr/bin/env f5lua
-- Reports the virtual servers of one or many devices, their pools, members and state, as a table,
-- CSV or JSON.
--
--   f5lua inventory-report.lua             the device that the environment names
--   f5lua inventory-report.lua --problems  only what is disabled, down or without members
--   f5lua inventory-report.lua --devices sites.lua --format csv --output report.csv
--
-- The device and the user come from the environment (F5_SERVER, F5_USER, F5_PASSWORD); the playbook
-- asks for what is missing. It only reads: four calls for each device, more if there are more than
-- 500 objects of a kind.

local argparse = require "argparse"
local f5 = require "f5"

local parser =
  argparse("inventory-report.lua", "Report virtual servers, pools, members and their state.")
parser
  :option("-f --format", "format of the report")
  :choices({ "table", "csv", "json" })
  :default "table"
parser
  :option("-o --output", "write the report to FILE; replace FILE only if all went well")
  :argname "FILE"
parser:option("-p --partition", "only virtual servers and pools of this partition"):argname "NAME"
parser
  :option("-d --devices", "run on the devices of this inventory; see docs/fleets.md")
  :argname "FILE"
parser:option("-l --limit", "only these devices of the inventory"):argname "PATTERN"
parser:flag("--problems", "only rows that are disabled, down or without members")
parser:epilog(
  "Exit status: 0 done, 1 a device of the inventory failed (the others are reported), 3 the only "
    .. "device failed."
)
local args = parser:parse()
if args.limit and not args.devices then parser:error "--limit needs --devices" end

local COLUMNS <const> = {
  "device", "virtual", "destination", "status", "pool", "member", "address", "state", "connections",
}

-- One word for what a node's or member's `session` and `state` say together.
local function state_of(member)
  if member.state == "user-down" then return "forced offline" end
  if member.session == "user-disabled" then return "disabled" end
  return (member.state:gsub("^fqdn%-", ""))
end

local function is_fine(row)
  return row.member ~= nil and row.status ~= "disabled" and row.status ~= "offline"
    and (row.state == "up" or row.state == "unchecked" or row.state == "checking")
end

-- Statistics by the full name of their object; of a pool's member by pool and member.
local function by_name(list)
  local found = {}
  for _, values in ipairs(list) do
    if values.tmName then
      found[values.tmName] = values
    elseif values.poolName then
      local separator = values.nodeName:find ":" and "." or ":"
      found[values.poolName .. " " .. values.nodeName .. separator .. values.port] = values
    end
  end
  return found
end

local function here(object) return not args.partition or object.partition == args.partition end

-- The rows of one device: one for each member of each virtual server's pool, then the pools that no
-- virtual server names.
local function rows_of(bip)
  local rows = f5.array {}
  local pools, used, ordered = {}, {}, bip.ltm.pool:list { expand = true }
  for _, pool in ipairs(ordered) do pools[pool.fullPath] = pool end
  local virtual_stats = by_name(bip.ltm.virtual:stats())
  -- of all pools and all their members in one answer
  local pool_stats = by_name(bip.ltm.pool.members:stats())

  local function add(row)
    row.device = bip:label()
    if not args.problems or not is_fine(row) then rows[#rows + 1] = row end
  end

  local function add_members(pool, common)
    local members = pool and pool.membersReference.items or {}
    for _, member in ipairs(members) do
      local values = pool_stats[pool.fullPath .. " " .. member.fullPath] or {}
      local row = {
        member = member.name,
        address = member.address,
        state = state_of(member),
        connections = values["serverside.curConns"],
      }
      for name, value in pairs(common) do row[name] = value end
      add(row)
    end
    if #members == 0 then add(common) end
  end

  for _, virtual in
    ipairs(
      bip.ltm.virtual:list {
        select = { "name", "fullPath", "partition", "destination", "pool", "disabled" },
      }
    )
  do
    if virtual.pool then used[virtual.pool] = true end
    local values = virtual_stats[virtual.fullPath] or {}
    if here(virtual) then
      add_members(pools[virtual.pool], {
        virtual = virtual.fullPath,
        destination = virtual.destination:match "[^/]+$",
        pool = virtual.pool,
        status = virtual.disabled and "disabled" or values["status.availabilityState"],
      })
    end
  end
  for _, pool in ipairs(ordered) do
    if here(pool) and not used[pool.fullPath] then
      add_members(
        pool,
        {
          pool = pool.fullPath,
          status = (pool_stats[pool.fullPath] or {})["status.availabilityState"],
        }
      )
    end
  end
  return rows
end

local function as_table(rows)
  local widths, lines = {}, {}
  local function line(texts)
    local cells = {}
    for i in ipairs(COLUMNS) do cells[i] = texts[i] .. (" "):rep(widths[i] - #texts[i]) end
    lines[#lines + 1] = table.concat(cells, "  "):gsub("%s+$", "")
  end
  local heads, all = {}, {}
  for i, column in ipairs(COLUMNS) do heads[i], widths[i] = column:upper(), #column end
  for r, row in ipairs(rows) do
    all[r] = {}
    for i, column in ipairs(COLUMNS) do
      all[r][i] = tostring(row[column] or "-")
      widths[i] = math.max(widths[i], #all[r][i])
    end
  end
  line(heads)
  for _, texts in ipairs(all) do line(texts) end
  return table.concat(lines, "\n") .. ("\n%d row%s\n"):format(#rows, #rows == 1 and "" or "s")
end

local function as_csv(rows)
  local lines = { table.concat(COLUMNS, ",") }
  for _, row in ipairs(rows) do
    local cells = {}
    for i, column in ipairs(COLUMNS) do
      local text = tostring(row[column] or "")
      cells[i] = text:find '[",\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text
    end
    lines[#lines + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

local function as_json(rows)
  return f5.json.encode(rows, { sort = true, first = COLUMNS, indent = 2 }) .. "\n"
end

-- Beside its place first: who reads the file never sees half of it.
local function write(text)
  if not args.output then return io.write(text) end
  local temporary = args.output .. ".part"
  local file, message = io.open(temporary, "wb")
  local ok = file
  if file then
    ok, message = file:write(text)
    if ok then ok, message = file:close() end
  end
  if ok then ok, message = os.rename(temporary, args.output) end
  if ok then return end
  os.remove(temporary)
  f5.fail("cannot write %s", message)
end

local rows, failed = f5.array {}, 0
if args.devices then
  local report = f5.each(f5.inventory(args.devices):limit(args.limit), {}, rows_of)
  for _, device in ipairs(report.devices) do
    if device.state ~= "done" then
      failed = failed + 1
      io.stderr:write(
        ("%s: %s: %s\n"):format(device.name, device.state, tostring(device.error or report.stopped))
      )
    end
    for _, row in ipairs(device.result or {}) do
      row.device = device.name
      rows[#rows + 1] = row
    end
  end
else
  local bip <close> = f5.connect {}
  rows = rows_of(bip)
end

local FORMATS <const> = { table = as_table, csv = as_csv, json = as_json }
write(FORMATS[args.format](rows))
if failed > 0 then f5.fail("%d device%s failed", failed, failed == 1 and "" or "s") end
