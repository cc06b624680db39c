-- What a device reports about its hardware: processors, memory, disks, addresses.
local names = require "sim.config.names"
local response = require "sim.kinds.common.response"

local ROOT <const>, line <const> = response.ROOT, response.line
local number <const>, text <const>, nest <const> = response.number, response.text, response.nest
local GIB <const> = 1024 * 1024 * 1024

local function processor(id)
  local values = {
    cpuId = id, idle = 404881 + id * 2179, iowait = 619, irq = 0, niced = 830, softirq = 767,
    stolen = 0, system = 23423, user = 47470,
  }
  for _, span in ipairs { "fiveMinAvg", "fiveSecAvg", "oneMinAvg" } do
    for name, share in pairs {
      Idle = 90, Iowait = 0, Irq = 0, Niced = 0, Softirq = 0, Stolen = 0, System = 4, User = 6,
    } do
      values[span .. name] = share
    end
  end
  values.fiveSecAvgRatio = 10
  local entries = {}
  for name, value in pairs(values) do entries[name] = number(value) end
  return entries
end

local function processors(base)
  local entries = {}
  for id = 0, 1 do entries[("%s/%d"):format(base, id)] = nest(processor(id)) end
  return { [base] = nest(entries) }
end

local function cpu(_, _, version)
  local base = ROOT .. "sys/cpu/0"
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

local function cpu_0()
  return processors(ROOT .. "sys/cpu/0/cpuInfo"), "tm:sys:cpu:cpustats"
end

local function host_info()
  local values = processors(ROOT .. "sys/hostInfo/0/cpuInfo")
  for name, value in pairs {
    activeCpuCount = 2, cpuCount = 2, memoryTotal = 4 * GIB, memoryUsed = 2 * GIB,
  } do
    values[name] = number(value)
  end
  values.hostId = text "0"
  return { [ROOT .. "sys/host-info/0"] = nest(values) }
end

local function memory()
  local values = {
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
  local entries = { hostId = text "0" }
  for name, value in pairs(values) do entries[name] = number(value) end
  local base = ROOT .. "sys/memory/memory-host"
  return { [base] = nest { [base .. "/0"] = nest(entries) } }
end

local function hardware(device)
  local base = ROOT .. "sys/hardware/"
  local function part(name, key, values)
    local entries = {}
    for field, value in pairs(values) do entries[field] = text(value) end
    return base .. name, nest { [base .. name .. "/" .. key] = nest(entries) }
  end
  local entries = {}
  local platform, one = part(
    "platform",
    "0",
    {
      baseMac = "00:94:a1:00:00:40", biosRev = "6.00", marketingName = device.version.platform_name,
      pvaVersion = "0",
    }
  )
  local system, two = part(
    "system-info",
    "0",
    {
      bigipChassisSerialNum = "00000000-0000-0000-000000000000",
      hostBoardPartRevNum = " ", hostBoardSerialNum = " ", platform = device.version.platform,
      switchBoardPartRevNum = " ", switchBoardSerialNum = " ",
    }
  )
  local version, three = part(
    "hardware-version",
    "cpus",
    { tmName = "cpus", model = "Intel(R) Xeon(R) CPU", type = "base-board" }
  )
  entries[platform], entries[system], entries[version] = one, two, three
  return entries
end

local function mac_addresses(device)
  local entries = {}
  for _, interface in ipairs(device.store:list "/mgmt/tm/net/interface") do
    entries[ROOT .. "sys/mac-address/" .. interface.macAddress] =
      nest { macAddress = text(interface.macAddress), objectId = text(interface.name) }
  end
  return entries
end

local function ip_addresses(device)
  local entries = {}
  for _, component in ipairs {
    { "net/self", "net self", "address" },
    { "ltm/node", "ltm node", "address" },
    { "ltm/virtual-address", "ltm virtual-address", "address" },
  } do
    for _, object in ipairs(device.store:list("/mgmt/tm/" .. component[1])) do
      local address = tostring(object[component[3]]):gsub("/.*", "")
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

local function tmm_info()
  local entries = {}
  for id = 0, 1 do
    local values = {
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

local function disk_directories()
  return nil,
    "tm:sys:disk:directory:directorycollectionstats",
    {
      apiRawValues = {
        apiAnonymous = "\nDirectory Name                  Current Size    New Size        \n"
          .. "--------------                  ------------    --------        \n"
          .. "/config                         2273280         -               \n"
          .. "/shared                         15728640        -               \n"
          .. "/var                            3145728         -               \n"
          .. "/var/log                        3072000         -               \n"
          .. "/appdata                        26128384        -               \n\n",
      },
    }
end

return {
  ["sys/cpu"] = { stats = { body = cpu } },
  ["sys/cpu/0"] = {
    facts = { type = "show", hidden = true },
    stats = { body = cpu_0 },
  },
  ["sys/host-info"] = { stats = { body = host_info } },
  ["sys/memory"] = { stats = { body = memory } },
  ["sys/hardware"] = { stats = { body = hardware } },
  ["sys/mac-address"] = { stats = { body = mac_addresses } },
  ["sys/ip-address"] = { stats = { body = ip_addresses } },
  ["sys/tmm-info"] = { stats = { body = tmm_info } },
  ["sys/disk/directory"] = {
    facts = { type = "show" },
    stats = { body = disk_directories },
  },
  ["sys/disk/logical-disk"] = {
    facts = { flat = true, no_create = true, no_delete = true },
    factory = {
      objects = {
        {
          name = "HD1", mode = "mixed", size = 83968, vgFree = 30000, vgInUse = 53968,
          vgReserved = 30,
        },
      },
    },
  },
}
