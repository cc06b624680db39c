-- Pages of `tmsh show` about hardware, load, services and traffic groups.
--
-- pages(tools) -> { [component] = function(session, found, io) }; tools: functions of
-- sim/shell/tmsh/show.lua.
local target = require "sim.shell.tmsh.target"

local pages <const> = {}

-- "System Memory Information": three numbers of each line. Only the present ones are known.
local function usage(io, title, heading, width, rows, session)
  local since = os.date("!%D %T", (session.device.state.booted or 0) // 1000000)
  local line = ("-"):rep(width + 46)
  local label = "%-" .. width .. "s"
  io.out(("\n%s\n%s\n"):format(title, line))
  io.out((label .. "Current  Average  Max(since %s)\n%s\n"):format(heading, since, line))
  for _, row in ipairs(rows) do
    io.out((label .. "%7d  %7d  %28d\n"):format(row[1], row[2], row[2], row[2]))
  end
end

local function percent(used, total) return total > 0 and used * 100 // total or 0 end

pages["sys/memory"] = function(tools)
  return function(session, _, io)
    local memory = tools.one(session, "/mgmt/tm/sys/memory")
    usage(io, "Sys::System Memory Information", "Memory Used(%)", 19, {
      { "TMM Memory Used", percent(memory.tmmMemoryUsed, memory.tmmMemoryTotal) },
      { "Other Memory Used", percent(memory.otherMemoryUsed, memory.otherMemoryTotal) },
      { "Swap Used", percent(memory.swapUsed, memory.swapTotal) },
    }, session)
    local line = ("-"):rep(24)
    io.out(("\n%s\nSys::Host Memory (bytes)\n%s\n"):format(line, line))
    for _, row in ipairs {
      { "TMM Memory Total", "tmmMemoryTotal" }, { "TMM Memory Used", "tmmMemoryUsed" },
      { "Other Memory Total", "otherMemoryTotal" }, { "Other Memory Used", "otherMemoryUsed" },
      { "Total Swap", "swapTotal" }, { "Used Swap", "swapUsed" },
    } do
      io.out(("%-20s %12d\n"):format(row[1], memory[row[2]]))
    end
    io.out "\n"
  end
end

pages["sys/cpu"] = function(tools)
  return function(session, _, io)
    local sum, count = 0, 0
    for _, entry in ipairs(tools.statistics(session, "/mgmt/tm/sys/cpu")) do
      if entry.values.fiveSecAvgRatio then
        sum, count = sum + entry.values.fiveSecAvgRatio, count + 1
      end
    end
    usage(io, "Sys::System CPU Information", "System CPU Usage(%)", 21, {
      { "Utilization", count > 0 and sum // count or 0 },
    }, session)
    io.out "\n"
  end
end

local HARDWARE <const> = {
  { "Hardware Version Information", "hardware%-version", {
    { "Name", "tmName" }, { "Type", "type" }, { "Model", "model" },
  }, 12 },
  { "Platform", "platform", {
    { "Name", "marketingName" }, { "BIOS Revision", "biosRev" }, { "Base MAC", "baseMac" },
  }, 15 },
  { "System Information", "system%-info", {
    { "Type", "platform" }, { "Chassis Serial", "bigipChassisSerialNum" },
    { "Switchboard Serial", "switchBoardSerialNum" },
    { "Switchboard Part Revision", "switchBoardPartRevNum" },
    { "Host Board Serial", "hostBoardSerialNum" },
    { "Host Board Part Revision", "hostBoardPartRevNum" },
  }, 27 },
}

pages["sys/hardware"] = function(tools)
  return function(session, _, io)
    local all = tools.statistics(session, "/mgmt/tm/sys/hardware")
    io.out "\nSys::Hardware\n"
    for _, part in ipairs(HARDWARE) do
      for _, entry in ipairs(all) do
        if entry.link:find("/sys/hardware/" .. part[2] .. "/") then
          io.out(part[1] .. "\n")
          for _, field in ipairs(part[3]) do
            local text = ("  %-" .. part[4] .. "s%s"):format(field[1], entry.values[field[2]] or "")
            io.out((text:gsub("%s+$", "")) .. "\n")
          end
          io.out "\n"
        end
      end
    end
  end
end

pages["sys/service"] = function()
  return function(session, found, io)
    local device = session.device
    local hours = (device:now() - (device.state.booted or 0)) // 3600000000
    for i, path in ipairs(found.paths) do
      local service = target.get(session, path)
      local raw = service.apiRawValues or {}
      local state = device.state.services[service.name] or raw.Boot == "on" and "run" or "down"
      io.out(("%-12s %s\n"):format(
        service.name,
        state == "run" and ("run (pid %d) %d hours, 1 start"):format(5000 + i, hours)
          or device.state.services[service.name] and "down" or "down, Not provisioned"
      ))
    end
  end
end

pages["cm/traffic-group"] = function(tools)
  return function(session, found, io)
    local rows = {}
    for _, path in ipairs(found.paths) do
      for _, entry in ipairs(tools.statistics(session, path .. "/stats")) do
        local values = entry.values
        rows[#rows + 1] = {
          target.shown(session, values.trafficGroup), target.shown(session, values.deviceName),
          values.failoverState, values.nextActive, values.previousActive, values.activeReason,
        }
      end
    end
    tools.columns(io, "CM::Traffic-Group", {
      "Name", "Device", "Status", "Next Active", "Previous Active", "Active Reason",
    }, rows)
  end
end

pages["ltm/virtual-address"] = function(tools)
  return function(session, found, io)
    for _, path in ipairs(found.paths) do
      local object = target.get(session, path)
      local stats = tools.one(session, path .. "/stats")
      tools.heading(
        io, "Ltm::Virtual Address: " .. target.shown(session, object.fullPath), 66
      )
      io.out "Status\n"
      for _, line in ipairs {
        { "Availability", "status.availabilityState" }, { "State       ", "status.enabledState" },
        { "Reason      ", "status.statusReason" },
      } do
        io.out(("  %s : %s\n"):format(line[1], tostring(stats[line[2]])))
      end
      io.out "\n"
      tools.traffic(io, stats, "clientside", "ClientSide")
    end
  end
end

return function(tools)
  local made = {}
  for component, make in pairs(pages) do made[component] = make(tools) end
  return made
end
