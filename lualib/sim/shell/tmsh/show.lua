-- `tmsh show`: what the device counts, in tables of text or, with field-fmt, as tmsh text.
local list = require "sim.shell.tmsh.list"
local logs = require "sim.status.logs"
local services = require "sim.shell.tmsh.services"
local target = require "sim.shell.tmsh.target"

local M = {}

local ROOT <const> = "/mgmt/tm/"

local pages <const> = {}  -- component -> function(session, found, io)

local function rule(width) return ("-"):rep(width) end

-- "1.2K" for large numbers, as tmsh shows them.
local function short(number)
  number = tonumber(number) or 0
  if number < 1000 then return tostring(math.tointeger(number) or number) end
  for _, unit in ipairs { "K", "M", "G", "T", "P" } do
    number = number / 1000
    if number < 1000 or unit == "P" then return ("%.1f%s"):format(number, unit) end
  end
end

-- The plain values of the statistics at a path: a list of { link =, values = { name = value } }.
local function statistics(session, path)
  session.tick()
  local body = target.send(session, "GET", path).body
  local found = {}
  local function collect(entries)
    local values, has_values = {}, false
    for name, entry in pairs(entries or {}) do
      if entry.nestedStats then
        local inner = collect(entry.nestedStats.entries)
        if next(inner) then found[#found + 1] = { link = name, values = inner } end
      else
        values[name], has_values = entry.value or entry.description, true
      end
    end
    return has_values and values or {}
  end
  collect(body.entries)
  table.sort(found, function(a, b) return a.link < b.link end)
  return found
end

local function one(session, path)
  local all = statistics(session, path)
  return all[1] and all[1].values or {}
end

local function stats_of(session, path) return one(session, path .. "/stats") end

-- Lines of a label, `label_width` wide, and values, each in a column of its own.
local function table_lines(out, title, columns, rows, label_width)
  local widths = {}
  for i, column in ipairs(columns) do
    widths[i] = #column
    for _, row in ipairs(rows) do widths[i] = math.max(widths[i], #tostring(row[i + 1])) end
  end
  local function line(label, values)
    local parts = { label .. (" "):rep(label_width - #label) }
    for i, value in ipairs(values) do
      value = tostring(value)
      parts[#parts + 1] = "  " .. (" "):rep(widths[i] - #value) .. value
    end
    out(table.concat(parts) .. "\n")
  end
  line(title, columns)
  for _, row in ipairs(rows) do line("  " .. row[1], table.move(row, 2, #row, 1, {})) end
end

local function traffic_rows(stats, side, more)
  local rows = {}
  for _, field in ipairs {
    { "Bits In", "bitsIn" }, { "Bits Out", "bitsOut" }, { "Packets In", "pktsIn" },
    { "Packets Out", "pktsOut" }, { "Current Connections", "curConns" },
    { "Maximum Connections", "maxConns" }, { "Total Connections", "totConns" },
  } do
    local row = { field[1], short(stats[side .. "." .. field[2]]) }
    for i = 1, #more do row[i + 2] = more[i] == "ephemeral" and "0" or "-" end
    rows[#rows + 1] = row
  end
  return rows
end

local function heading(io, text, width)
  io.out(("\n%s\n%s\n%s\n"):format(rule(width), text, rule(width)))
end

local function without_folder(session, full)
  return (tostring(full):gsub("/[^%s]+", function(name) return target.shown(session, name) end))
end

local function member_page(session, io, pool, member)
  local stats = stats_of(session, member)
  local name = services.named(target.shown(session, session.device.store:get(member).fullPath))
  io.out(("  %s\n  | Ltm::Pool Member: %s\n  %s\n"):format(rule(68), name, rule(68)))
  local lines = {
    { "Status", nil }, { "  Availability  ", stats["status.availabilityState"] },
    { "  State         ", stats["status.enabledState"] },
    { "  Reason        ", stats["status.statusReason"] },
    { "  Monitor       ", without_folder(session, stats.monitorRule or "none") },
    { "  Monitor Status", stats.monitorStatus }, { "  Session Status", stats.sessionStatus },
    { "  Pool Name     ", target.shown(session, pool.fullPath) },
    { "  IP Address    ", stats.addr },
  }
  for _, line in ipairs(lines) do
    io.out(("  | %s%s\n"):format(line[1], line[2] and " : " .. tostring(line[2]) or ""))
  end
  io.out "  | \n"
  table_lines(
    function(text) io.out("  | " .. text) end, "Traffic", { "ServerSide", "General" },
    traffic_rows(stats, "serverside", { "general" }), 21
  )
  io.out "\n"
end

pages["ltm/pool"] = function(session, found, io)
  for _, path in ipairs(found.paths) do
    local pool = target.get(session, path)
    local stats = stats_of(session, path)
    heading(io, "Ltm::Pool: " .. target.shown(session, pool.fullPath), 70)
    io.out "Status\n"
    for _, line in ipairs {
      { "  Availability          ", stats["status.availabilityState"] },
      { "  State                 ", stats["status.enabledState"] },
      { "  Reason                ", stats["status.statusReason"] },
      { "  Monitor               ", without_folder(session, stats.monitorRule or "none") },
      { "  Minimum Active Members", stats.minActiveMembers or 0 },
      { "  Current Active Members", stats.activeMemberCnt or 0 },
      { "       Available Members", stats.availableMemberCnt or 0 },
      { "           Total Members", stats.memberCnt or 0 },
      { "          Total Requests", stats.totRequests or 0 },
      { "        Current Sessions", stats.curSessions or 0 },
    } do
      io.out(("%s : %s\n"):format(line[1], tostring(line[2])))
    end
    io.out "\n"
    table_lines(io.out, "Traffic", { "ServerSide" }, traffic_rows(stats, "serverside", {}), 21)
    io.out "\n"
    if found.flags.members or found.flags.detail then
      local members = path .. "/members"
      for _, segment in ipairs(session.device.store:segments(members)) do
        member_page(session, io, pool, members .. "/" .. segment)
      end
    end
  end
end

pages["ltm/virtual"] = function(session, found, io)
  for _, path in ipairs(found.paths) do
    local object = target.get(session, path)
    local stats = stats_of(session, path)
    heading(io, "Ltm::Virtual Server: " .. target.shown(session, object.fullPath), 66)
    io.out "Status\n"
    for _, line in ipairs {
      { "Availability     ", stats["status.availabilityState"] },
      { "State            ", stats["status.enabledState"] },
      { "Reason           ", stats["status.statusReason"] },
      { "CMP              ", stats.cmpEnabled or "enabled" },
      { "CMP Mode         ", stats.cmpEnableMode or "all-cpus" },
      { "Destination      ", target.shown(session, object.destination) },
    } do
      io.out(("  %s: %s\n"):format(line[1], tostring(line[2])))
    end
    io.out "\n"
    local rows = traffic_rows(stats, "clientside", { "ephemeral", "general" })
    rows[#rows + 1] = { "Total Requests", "-", "-", short(stats.totRequests) }
    table_lines(io.out, "Traffic", { "ClientSide", "Ephemeral", "General" }, rows, 34)
    io.out "\n"
  end
end

pages["ltm/node"] = function(session, found, io)
  for _, path in ipairs(found.paths) do
    local node = target.get(session, path)
    local stats = stats_of(session, path)
    heading(
      io, ("Ltm::Node: %s (%s)"):format(target.shown(session, node.fullPath), node.address), 66
    )
    io.out "Status\n"
    for _, line in ipairs {
      { "Availability  ", stats["status.availabilityState"] },
      { "State         ", stats["status.enabledState"] },
      { "Reason        ", stats["status.statusReason"] },
      { "Monitor       ", without_folder(session, stats.monitorRule or node.monitor or "none") },
      { "Monitor Status", stats.monitorStatus or node.state },
      { "Session Status", stats.sessionStatus or node.session },
    } do
      io.out(("  %s : %s\n"):format(line[1], tostring(line[2])))
    end
    io.out "\n"
    local rows = traffic_rows(stats, "serverside", { "general" })
    table_lines(io.out, "Traffic", { "ServerSide", "General" }, rows, 21)
    io.out "\n"
  end
end

-- -- the system --

pages["sys/version"] = function(session, _, io)
  local version = session.device.version
  io.out "\nSys::Version\nMain Package\n"
  for _, field in ipairs { "Product", "Version", "Build", "Edition", "Date" } do
    io.out(("  %-12s%s\n"):format(field, version[field:lower()]))
  end
  io.out "\n"
end

local function elapsed(seconds)
  local days = seconds // 86400
  return ("%s%02d:%02d:%02d"):format(
    days > 0 and days .. "d " or "", seconds // 3600 % 24, seconds // 60 % 60, seconds % 60
  )
end

pages["sys/failover"] = function(session, _, io)
  local device = session.device
  local booted = device.state.booted or device:now()
  local state = device.state.failover or "active"
  io.out(("Failover %s for %s\n"):format(
    state == "forced-offline" and "forced offline" or state,
    elapsed((device:now() - booted) // 1000000)
  ))
end

local function status_page(title, component, labels)
  return function(session, _, io)
    local all = statistics(session, ROOT .. component)
    local stats, details = {}, {}
    for _, entry in ipairs(all) do
      for name, value in pairs(entry.values) do
        if name == "details" then details[#details + 1] = value else
          stats[name] = stats[name] or value end
      end
    end
    io.out(("\n%s\n%s\n%s\n"):format(rule(82), title, rule(82)))
    for _, label in ipairs(labels) do
      local line = ("%-8s %s"):format(label, tostring(stats[label:lower()] or ""))
      io.out((line:gsub(" +$", "")) .. "\n")
    end
    io.out "Details\n"
    for _, detail in ipairs(details) do io.out("         " .. detail .. "\n") end
    io.out "\n"
  end
end

pages["cm/sync-status"] =
  status_page("CM::Sync Status", "cm/sync-status", { "Color", "Status", "Mode", "Summary" })
pages["cm/failover-status"] =
  status_page("CM::Failover Status", "cm/failover-status", { "Color", "Status", "Summary" })

-- Columns that are as wide as their longest text, numbers to the right.
local function columns(io, title, names, rows)
  local widths = {}
  for i, name in ipairs(names) do
    widths[i] = #name
    for _, row in ipairs(rows) do widths[i] = math.max(widths[i], #tostring(row[i])) end
  end
  local total = 2 * (#names - 1)
  for _, width in ipairs(widths) do total = total + width end
  local function line(row)
    local parts = {}
    for i, width in ipairs(widths) do
      local text = tostring(row[i])
      local gap = (" "):rep(width - #text)
      parts[i] = i == 1 and text .. gap or gap .. text
    end
    return (table.concat(parts, "  "):gsub(" +$", "")) .. "\n"
  end
  io.out(("\n%s\n%s\n"):format(rule(total), title))
  io.out(line(names))
  io.out(rule(total) .. "\n")
  for _, row in ipairs(rows) do io.out(line(row)) end
  io.out "\n"
end

pages["sys/provision"] = function(session, found, io)
  local rows = {}
  for _, path in ipairs(found.paths) do
    local name = target.get(session, path).name
    local level = session.device.state.provision[name]
    local on = level and level ~= "none"
    rows[#rows + 1] = { name, on and 1 or 0, 0, 0, 0 }
  end
  columns(
    io, "Sys::Provision",
    { "Module", "CPU (%)", "Memory (MB)", "Host-Memory (MB)", "Disk (MB)" }, rows
  )
end

pages["sys/clock"] = function(session, _, io)
  local seconds = session.device:now() // 1000000
  io.out(("\n%s\nSys::Clock\n%s\n%s\n\n"):format(
    rule(23), rule(23), os.date("!%a %b %e %H:%M:%S UTC %Y", seconds)
  ))
end

pages["sys/mcp-state"] = function(session, _, io)
  local ready = session.device.state.mcp_down and "initializing" or "running"
  io.out(("\n%s\nSys::mcpd State:\n%s\n"):format(rule(55), rule(55)))
  io.out(("Running Phase                  %s\n"):format(ready))
  io.out "Last Configuration Load Status full-config-load-succeed\n"
  io.out "End Platform ID Received       true\n\n"
end

pages["net/arp"] = function(session, found, io)
  local rows = {}
  for _, path in ipairs(found.paths) do
    local entry = target.get(session, path)
    rows[#rows + 1] = {
      target.shown(session, entry.fullPath), entry.ipAddress or "-", entry.macAddress or "-",
      "-", "-", "static",
    }
  end
  columns(
    io, "Net::Arp", { "Name", "Address", "HWaddress", "Vlan", "Expire-in-sec", "Status" }, rows
  )
end

pages["net/interface"] = function(session, found, io)
  local rows = {}
  for _, path in ipairs(found.paths) do
    local name = target.get(session, path).name
    local stats = stats_of(session, path)
    rows[#rows + 1] = {
      name, stats.status or "up", short(stats["counters.bitsIn"]), short(stats["counters.bitsOut"]),
      short(stats["counters.pktsIn"]), short(stats["counters.pktsOut"]),
      short(stats["counters.dropsAll"]), short(stats["counters.errorsAll"]),
      stats.mediaActive or "none",
    }
  end
  columns(io, "Net::Interface", {
    "Name", "Status", "Bits In", "Bits Out", "Pkts In", "Pkts Out", "Drops", "Errs", "Media",
  }, rows)
end

pages["sys/software/status"] = function(session, _, io)
  local rows = {}
  local store = session.device.store
  for _, path in ipairs(store:segments(ROOT .. "sys/software/volume")) do
    local volume = store:get(ROOT .. "sys/software/volume/" .. path)
    rows[#rows + 1] = {
      volume.name, volume.product or "none", volume.version or "none", volume.build or "none",
      volume.active and "yes" or "no", volume.status or "complete", "yes",
    }
  end
  columns(io, "Sys::Software Status", {
    "Volume", "Product", "Version", "Build", "Active", "Status", "Allowed Version",
  }, rows)
end
pages["sys/software"] = pages["sys/software/status"]

pages["sys/license"] = function(session, _, io)
  local all = statistics(session, ROOT .. "sys/license")
  local stats = {}
  for _, entry in ipairs(all) do
    for name, value in pairs(entry.values) do stats[name] = stats[name] or value end
  end
  io.out "\nSys::License\n"
  for _, line in ipairs {
    { "Licensed Version", "licensedVersion" }, { "Registration key", "registrationKey" },
    { "Licensed On", "licensedOnDate" }, { "License Start Date", "licenseStartDate" },
    { "License End Date", "licenseEndDate" }, { "Service Check Date", "serviceCheckDate" },
  } do
    if stats[line[2]] then io.out(("%-38s %s\n"):format(line[1], tostring(stats[line[2]]))) end
  end
  io.out "\n"
end

local more <const> = require "sim.shell.tmsh.show_system" {
  statistics = statistics, one = one, columns = columns, heading = heading,
  traffic = function(io, stats, side, title)
    table_lines(io.out, "Traffic", { title }, traffic_rows(stats, side, {}), 21)
    io.out "\n"
  end,
}
for component, page in pairs(more) do pages[component] = page end

-- -- field-fmt --

local function dashed(name)
  return (name:gsub("%.tmName$", ".name"):gsub("^tmName$", "name")
    :gsub("%u", function(letter) return "-" .. letter:lower() end))
end

-- What statistics there are, as tmsh text.
local function field_format(session, template, found, io)
  local places = found.paths or {}
  if not found.paths then places = { ROOT .. template } end
  local printed = false
  for _, path in ipairs(places) do
    local object = found.paths and target.get(session, path)
    local all = statistics(session, found.paths and path .. "/stats" or path)
    for _, entry in ipairs(all) do
      session.tick()
      local names = {}
      for name in pairs(entry.values) do names[#names + 1] = name end
      table.sort(names)
      local name = object and " " .. target.shown(session, object.fullPath or object.name) or ""
      io.out(("%s%s {\n"):format(template:gsub("/", " "), name))
      for _, key in ipairs(names) do
        io.out(("    %s %s\n"):format(dashed(key), tostring(entry.values[key])))
      end
      io.out "}\n"
      printed = true
    end
  end
  return printed
end

local FLAGS <const> = {
  members = true, detail = true, ["field-fmt"] = true, recursive = true, raw = true, all = true,
  ["all-properties"] = true, global = true, kil = true, meg = true, gig = true, default = true,
}

-- show sys log NAME: a file of /var/log. Returns false if the command is about something else.
local function show_log(session, tokens, io)
  local name = tokens[4] and tokens[4].word
  if (tokens[2] or {}).word ~= "sys" or (tokens[3] or {}).word ~= "log" or not name then
    return false
  end
  local path = logs.files[name]
  if not path then target.not_simulated(tokens) end
  target.permit(target.request(session, "GET", ROOT .. "sys/log"))
  local text = session.device.disk.read(path) or ""
  session.budget:spend(#text)
  io.out(("\n%s\nSys::Log\n%s\n%s"):format(rule(80), rule(80), text))
  return true
end

--- show COMPONENT [names] [members] [detail] [field-fmt] [recursive]
function M.run(session, tokens, io)
  if tokens[2] and tokens[2].word == "running-config" then
    return list.running(session, tokens, io)
  end
  if show_log(session, tokens, io) then return end
  local template, node, at = target.component(session, tokens, 2)
  local found = { names = {}, flags = {} }
  for i = at, #tokens do
    local word = tokens[i].word
    if not word then target.unexpected(tokens[i]) end
    local is_flag = FLAGS[word] and not tokens[i].quoted
    if is_flag and not (word == "all" and node.type == "collection") then
      found.flags[word] = true
    elseif node.type == "collection" then
      found.names[#found.names + 1] = word
    else
      target.unexpected(tokens[i])
    end
  end
  target.permit(target.request(session, "GET", ROOT .. template))
  if node.type == "collection" then
    found.paths = target.objects(session, template, node, found.names, found.flags.recursive)
    for _, path in ipairs(found.paths) do target.get(session, path) end
  end
  if found.flags["field-fmt"] then
    if not field_format(session, template, found, io) and #(found.paths or { 1 }) > 0 then
      target.not_simulated(tokens)
    end
    return
  end
  local page = pages[template]
  if not page then target.not_simulated(tokens) end
  page(session, found, io)
end

return M
