-- What a device shows of itself: version, clock, processors, memory, licence, hardware, traffic,
-- and the like.
local clock = require "sim.clock"
local names = require "sim.config.names"

local M = {}

local ROOT <const> = "https://localhost/mgmt/tm/"

local function text(value) return { description = tostring(value) } end
local function number(value) return { value = value } end

local function nest(entries) return { nestedStats = { entries = entries } } end

-- One line: <path>/0 with the values (numbers under `value`, texts under `description`).
local function line(template, values, index)
  local entries <const> = {}
  for name, value in pairs(values) do
    entries[name] = math.type(value) and number(value)
      or type(value) == "table" and value or text(value)
  end
  return { [ROOT .. template .. "/" .. (index or "0")] = nest(entries) }
end

local function processor(id)
  local values <const> = {
    cpuId = id, idle = 404881 + id * 2179, iowait = 619, irq = 0, niced = 830, softirq = 767,
    stolen = 0, system = 23423, user = 47470,
  }
  for _, span in ipairs { "fiveMinAvg", "fiveSecAvg", "oneMinAvg" } do
    values[span .. "Idle"], values[span .. "Iowait"], values[span .. "Irq"], values[span .. "Niced"] =
      90, 0, 0, 0
    values[span .. "Softirq"], values[span .. "Stolen"], values[span .. "System"], values[span .. "User"] =
      0, 0, 4, 6
  end
  values.fiveSecAvgRatio = 10
  local entries <const> = {}
  for name, value in pairs(values) do entries[name] = number(value) end
  return entries
end

local function processors(base)
  local entries <const> = {}
  for id = 0, 1 do entries[("%s/%d"):format(base, id)] = nest(processor(id)) end
  return { [base] = nest(entries) }
end

local GIB <const> = 1024 * 1024 * 1024

local function performance(template, rows)
  local entries <const> = {}
  for name, row in pairs(rows) do
    local values <const> = {}
    for field, value in pairs(row) do values[field] = text(value) end
    entries[ROOT .. template .. "/" .. names.encode(name)] = nest(values)
  end
  return entries
end

local SINCE <const> = "Max(since 2026_01_01T00:00:00Z)"

-- One row: the name of the group is a key, and its value the name of the row.
local function row(group, name, value)
  return {
    [group] = name, Average = tostring(value), Current = tostring(value), [SINCE] = tostring(value),
  }
end

local builders <const> = {}

builders["sys/version"] = function(device)
  local version <const> = device.version
  return line("sys/version", {
    Build = version.build,
    Date = version.date,
    Edition = version.edition,
    Product = version.product,
    Title = version.title,
    Version = version.version,
  })
end

builders["sys/clock"] = function(device)
  return line("sys/clock", { fullDate = clock.utc(device:now()) })
end

builders["cli/version"] = function(device)
  local own <const> = device.version.version
  return line(
    "cli/version",
    {
      active = own,
      latest = own,
      supported = "{ 11.5.0 11.6.0 12.0.0 12.1.0 13.0.0 13.1.0 14.0.0 14.1.0 15.0.0 15.1.0 16.0.0 16.1.0 17.0.0 17.1.0 "
        .. own .. " }",
    }
  )
end

builders["sys/console"] = function() return line("sys/console", { baudRate = 9600 }) end

builders["sys/cpu"] = function(_, _, version)
  local base <const> = ROOT .. "sys/cpu/0"
  return {
    [base] = {
      nestedStats = {
        kind = "tm:sys:cpu:cpustats",
        selfLink = base .. "?ver=" .. version,
        entries = processors(base .. "/cpuInfo"),
      },
    },
  },
    "tm:sys:cpu:cpucollectionstats"
end
builders["sys/cpu/0"] = function()
  return processors(ROOT .. "sys/cpu/0/cpuInfo"), "tm:sys:cpu:cpustats"
end

builders["sys/host-info"] = function()
  local values <const> = processors(ROOT .. "sys/hostInfo/0/cpuInfo")
  for name, value in pairs {
    activeCpuCount = 2, cpuCount = 2, memoryTotal = 4 * GIB, memoryUsed = 2 * GIB,
  } do
    values[name] = number(value)
  end
  values.hostId = text "0"
  return { [ROOT .. "sys/host-info/0"] = nest(values) }
end

builders["sys/memory"] = function()
  local values <const> = {
    memoryTotal = 4 * GIB,
    memoryUsed = 2 * GIB,
    memoryFree = 2 * GIB,
    otherMemoryTotal = 2 * GIB,
    otherMemoryUsed = GIB,
    otherMemoryFree = GIB,
    swapTotal = GIB,
    swapUsed = 0,
    swapFree = GIB,
    tmmMemoryTotal = 2 * GIB,
    tmmMemoryUsed = GIB // 4,
    tmmMemoryFree = 2 * GIB - GIB // 4,
  }
  local entries <const> = { hostId = text "0" }
  for name, value in pairs(values) do entries[name] = number(value) end
  local base <const> = ROOT .. "sys/memory/memory-host"
  return { [base] = nest { [base .. "/0"] = nest(entries) } }
end

builders["sys/license"] = function(device)
  local base <const> = ROOT .. "sys/license/0/active-modules"
  local entries <const> = line("sys/license", {
    licensedOnDate = "2026/01/01",
    licensedVersion = device.version.version,
    platformId = device.version.platform,
    registrationKey = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEEEE",
    serviceCheckDate = "2026/01/01",
  })
  entries[ROOT .. "sys/license/0"].nestedStats.entries[base] = nest {
    [base .. "/%22BIG-IP,%20VE,%20LAB%22"] = nest {
      featureModules = text '{ "ASM, VE" "SSL, VE" "DNS VE Lab" "APM, Lab, VE" "AFM, VE" "Routing Bundle, VE" }',
      key = text "AAAAAAA-AAAAAAA",
    },
  }
  return entries
end

builders["sys/hardware"] = function(device)
  local base <const> = ROOT .. "sys/hardware/"
  local function part(name, key, values)
    local entries <const> = {}
    for field, value in pairs(values) do entries[field] = text(value) end
    return base .. name, nest { [base .. name .. "/" .. key] = nest(entries) }
  end
  local entries <const> = {}
  local platform <const>, one <const> = part(
    "platform",
    "0",
    {
      baseMac = "00:94:a1:00:00:40", biosRev = "6.00", marketingName = device.version.platform_name,
      pvaVersion = "0",
    }
  )
  local system <const>, two <const> = part(
    "system-info",
    "0",
    {
      bigipChassisSerialNum = "00000000-0000-0000-000000000000",
      hostBoardPartRevNum = " ", hostBoardSerialNum = " ", platform = device.version.platform,
      switchBoardPartRevNum = " ", switchBoardSerialNum = " ",
    }
  )
  local version <const>, three <const> = part(
    "hardware-version",
    "cpus",
    { tmName = "cpus", model = "Intel(R) Xeon(R) CPU", type = "base-board" }
  )
  entries[platform], entries[system], entries[version] = one, two, three
  return entries
end

builders["sys/mac-address"] = function(device)
  local entries <const> = {}
  for _, interface in ipairs(device.store:list "/mgmt/tm/net/interface") do
    entries[ROOT .. "sys/mac-address/" .. interface.macAddress] =
      nest { macAddress = text(interface.macAddress), objectId = text(interface.name) }
  end
  return entries
end

builders["sys/ip-address"] = function(device)
  local entries <const> = {}
  for _, component in ipairs {
    { "net/self", "net self", "address" },
    { "ltm/node", "ltm node", "address" },
    { "ltm/virtual-address", "ltm virtual-address", "address" },
  } do
    for _, object in ipairs(device.store:list("/mgmt/tm/" .. component[1])) do
      local address <const> = tostring(object[component[3]]):gsub("/.*", "")
      entries[ROOT .. "sys/ip-address/" .. names.encode(address)] = nest {
        component = text(component[2]),
        entry = text(address),
        ipAddress = text(address),
        objectId = text(object.fullPath),
      }
    end
  end
  return entries
end

builders["sys/tmm-info"] = function()
  local entries <const> = {}
  for id = 0, 1 do
    local values <const> = {
      cpu = id, fiveMinAvgUsageRatio = 1, fiveSecAvgUsageRatio = 1, oneMinAvgUsageRatio = 1,
      memoryTotal = id == 0 and 2 * GIB or 0, memoryUsed = id == 0 and GIB // 4 or 0, npus = 1,
      tmid = id, tmmId = "0." .. id, tmmPid = 9762,
    }
    for name, value in pairs(line("sys/tmm-info", values, "0." .. id)) do
      entries[name] = value
    end
  end
  return entries
end

builders["auth/login-failures"] = function(device, _, version)
  local entries <const> = {}
  for _, user in ipairs(device.store:list "/mgmt/tm/auth/user") do
    local link <const> = ROOT .. "auth/login-failures/" .. user.name
    entries[link] = {
      nestedStats = {
        kind = "tm:auth:login-failures:login-failuresstats",
        selfLink = link .. "?ver=" .. version,
        entries = {
          failTime = text "None", lockedOut = text "no", loginAttempts = number(0), tty = text " ",
          username = text(user.name),
        },
      },
    }
  end
  return entries, "tm:auth:login-failures:login-failurescollectionstats"
end

-- Group and value of each row.
local PERFORMANCE <const> = {
  system = {
    ["Utilization"] = { "System CPU Usage", 10 }, ["TMM Memory Used"] = { "Memory Used", 12 },
    ["Other Memory Used"] = { "Memory Used", 50 }, ["Swap Used"] = { "Memory Used", 0 },
  },
  throughput = {
    Service = { "Throughput(bits)", 0 }, In = { "Throughput(packets)", 0 },
    Out = { "Throughput(packets)", 0 }, ["SSL TPS"] = { "SSL Transactions", 0 },
  },
  connections = {
    Connections = { "Active Connections", 0 },
    ["Client Connections"] = { "Total New Connections", 0 },
    ["Server Connections"] = { "Total New Connections", 0 },
    ["HTTP Requests"] = { "HTTP Requests", 0 },
  },
  ramcache = {
    ["Hit Rate"] = { "RAM Cache Utilization", 0 },
    ["Byte Rate"] = { "RAM Cache Utilization", 0 },
    ["Eviction Rate"] = { "RAM Cache Utilization", 0 },
  },
}
for part, rows in pairs(PERFORMANCE) do
  builders["sys/performance/" .. part] = function()
    local shown <const> = {}
    for name, what in pairs(rows) do shown[name] = row(what[1], name, what[2]) end
    return performance("sys/performance/" .. part, shown)
  end
end
builders["sys/performance/all-stats"] = function(device, target, version)
  local entries <const> = {}
  for _, part in ipairs { "connections", "throughput", "system", "ramcache" } do
    for name, value in pairs(builders["sys/performance/" .. part](device, target, version)) do
      entries[(name:gsub("performance/" .. part, "performance/all-stats"))] = value
    end
  end
  return entries
end

builders["sys/failover"] = function(device)
  local state <const> = device.state.failover or "active"
  return nil,
    nil,
    {
      apiRawValues = {
        apiAnonymous = ("Failover %s for 1d 00:00:00\n"):format((state:gsub("%-", "_"))),
      },
    }
end

builders["sys/disk/directory"] = function()
  return nil,
    "tm:sys:disk:directory:directorycollectionstats",
    {
      apiRawValues = {
        apiAnonymous = "\nDirectory Name                  Current Size    New Size        \n"
          .. "--------------                  ------------    --------        \n/config                         2273280         -               \n"
          .. "/shared                         15728640        -               \n/var                            3145728         -               \n"
          .. "/var/log                        3072000         -               \n/appdata                        26128384        -               \n\n",
      },
    }
end

-- entries of statistics whose names the facts have: all counters at zero.
local function from_facts(target)
  for kind, fact in pairs(require "sim.catalogue.stats") do
    if
      fact.path == target.template
      and (kind == target.node.kind .. "stats" or kind == target.node.kind .. "collectionstats")
    then
      local entries <const> = {}
      for _, entry in ipairs(fact.entries) do
        entries[entry[1]] = entry[2] == "v" and number(0) or text "none"
      end
      return { [ROOT .. target.template .. "/0"] = nest(entries) }
    end
  end
  return nil
end

-- The body of a GET, without kind and selfLink where they are the usual ones; nil if there is
-- nothing to show.
function M.body(device, target, version)
  local build <const> = builders[target.template]
  if not build then
    local entries <const> = from_facts(target)
    return entries and { entries = entries } or nil
  end
  local entries <const>, kind <const>, body = build(device, target, version)
  body = body or {}
  body.kind = kind
  body.entries = entries and next(entries) and entries or nil
  return body
end

return M
