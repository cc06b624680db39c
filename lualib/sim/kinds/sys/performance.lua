-- Performance statistics, and the traffic of the whole device. What passes through comes from
-- sim/status/traffic.lua; the other numbers are constant.
local names = require "sim.config.names"
local response = require "sim.kinds.common.response"
local traffic = require "sim.status.traffic"

local ROOT <const> = response.ROOT
local text <const>, nest <const> = response.text, response.nest

local function performance(template, rows)
  local entries = {}
  for name, row in pairs(rows) do
    local values = {}
    for field, value in pairs(row) do values[field] = text(value) end
    entries[ROOT .. template .. "/" .. names.encode(name)] = nest(values)
  end
  return entries
end

local SINCE <const> = "Max(since 2026_01_01T00:00:00Z)"

-- One row. The name of the group is a key; its value is the name of the row.
local function row(group, name, value)
  return {
    [group] = name, Average = tostring(value), Current = tostring(value), [SINCE] = tostring(value),
  }
end

-- Group and value of each row. A function gets { connections = now open, rates =, front = }.
local PERFORMANCE <const> = {
  system = {
    ["Utilization"] = { "System CPU Usage", 10 }, ["TMM Memory Used"] = { "Memory Used", 12 },
    ["Other Memory Used"] = { "Memory Used", 50 }, ["Swap Used"] = { "Memory Used", 0 },
  },
  throughput = {
    Service = {
      "Throughput(bits)", function(now) return now.front.bitsIn + now.front.bitsOut end,
    },
    In = { "Throughput(packets)", function(now) return now.front.pktsIn end },
    Out = { "Throughput(packets)", function(now) return now.front.pktsOut end },
    ["SSL TPS"] = { "SSL Transactions", 0 },
  },
  connections = {
    Connections = { "Active Connections", function(now) return now.connections end },
    ["Client Connections"] = {
      "Total New Connections", function(now) return now.front.connections end,
    },
    ["Server Connections"] = {
      "Total New Connections", function(now) return now.rates.connections end,
    },
    ["HTTP Requests"] = { "HTTP Requests", function(now) return now.rates.requests end },
  },
  ramcache = {
    ["Hit Rate"] = { "RAM Cache Utilization", 0 },
    ["Byte Rate"] = { "RAM Cache Utilization", 0 },
    ["Eviction Rate"] = { "RAM Cache Utilization", 0 },
  },
}

-- The rows that only `options=detail` shows, as recorded for two groups.
local DETAIL <const> = {
  throughput = {
    ["Client Bits In"] = { "TMM ClientSide Throughput", function(now) return now.front.bitsIn end },
    ["Client Bits Out"] = {
      "TMM ClientSide Throughput", function(now) return now.front.bitsOut end,
    },
    ["Client In"] = { "TMM ClientSide Throughput", function(now) return now.front.pktsIn end },
    ["Client Out"] = { "TMM ClientSide Throughput", function(now) return now.front.pktsOut end },
    Compression = { "HTTP Compression Rate", 0 },
    ["Management Bits In"] = { "Management Interface", 0 },
    ["Management Bits Out"] = { "Management Interface", 0 },
    ["Server Bits In"] = { "TMM ServerSide Throughput", 0 },
    ["Server Bits Out"] = { "TMM ServerSide Throughput", 0 },
    ["Server In"] = { "TMM ServerSide Throughput", 0 },
    ["Server Out"] = { "TMM ServerSide Throughput", 0 },
  },
  connections = {
    ["Blade 1"] = { "Active Connections per Blade", function(now) return now.connections end },
    Client = { "Active Connections", function(now) return now.connections end },
    ["Client Accepts"] = {
      "New TCP Accepts/Connects", function(now) return now.front.connections end,
    },
    ["Client Connects"] = { "New Connections", function(now) return now.front.connections end },
    ["PVA Client"] = { "New PVA Connections", 0 },
    ["PVA Server"] = { "New PVA Connections", 0 },
    Server = { "Active Connections", 0 },
    ["Server Connects"] = { "New TCP Accepts/Connects", 0 },
    ["SSL Client"] = { "New ClientSSL Profile Connections", 0 },
    ["SSL Server"] = { "New ClientSSL Profile Connections", 0 },
  },
}

local function traffic_now(device)
  local now = { connections = traffic.of_device(device) }
  now.rates, now.front = traffic.rates(device)
  return now
end

local function rows_of(part, now, options)
  local list = {}
  for _, rows in ipairs { PERFORMANCE[part], options == "detail" and DETAIL[part] or nil } do
    for name, what in pairs(rows) do
      local value = what[2]
      if type(value) == "function" then value = value(now) end
      list[name] = row(what[1], name, value)
    end
  end
  return performance("sys/performance/" .. part, list)
end

local function all_stats(device)
  local now, entries = traffic_now(device), {}
  for part in pairs(PERFORMANCE) do
    for name, value in pairs(rows_of(part, now)) do
      entries[(name:gsub("performance/" .. part, "performance/all-stats"))] = value
    end
  end
  return entries
end

-- Averages of sys/traffic, with their time in seconds.
local AVERAGES <const> = { fiveSecAvg = 5, oneMinAvg = 60, fiveMinAvg = 300 }
local SIDES <const> = { clientside = "lientSideTraffic", serverside = "erverSideTraffic" }

-- The counters of the device by the names of sys/traffic and sys/tmm-traffic.
local function totals(store)
  local device = store.device
  local values = {}
  for name, value in pairs(traffic.totals(device)) do
    local side, rest = name:match "^(%l+side)%.(.*)$"
    if side then values[("%s%s.%s"):format(side:sub(1, 1), SIDES[side], rest)] = value end
    if name == "totRequests" then values.httpRequests = value end
  end
  local current, front = traffic.of_device(device)
  values["serverSideTraffic.curConns"], values["clientSideTraffic.curConns"] = current, front
  local all, through, since = traffic.rates(device)
  local passed = (device:now() - since) / 1000000
  for name, seconds in pairs(AVERAGES) do
    local share = math.min(1, passed / seconds)
    for side, rates in pairs { C = through, S = all } do
      for what, rate in pairs(rates) do
        local field = what == "connections" and "totConns" or what
        local whole = ("%s%s%s.%s"):format(
          name, side, side == "C" and SIDES.clientside or SIDES.serverside, field
        )
        values[whole] = math.floor(rate * share)
      end
    end
  end
  return values
end

-- The one TMM carries all of it.
local function of_tmm(store)
  local values = totals(store)
  values.tmmId = "0.0"
  return values
end

local kinds <const> = {
  ["sys/performance/all-stats"] = {
    facts = { type = "show" },
    stats = { body = all_stats },
  },
  ["sys/traffic"] = { facts = { type = "show" }, stats = { values = totals } },
  ["sys/tmm-traffic"] = { facts = { type = "show" }, stats = { values = of_tmm } },
}
for part in pairs(PERFORMANCE) do
  kinds["sys/performance/" .. part] = {
    stats = {
      body = function(device, _, _, options) return rows_of(part, traffic_now(device), options) end,
    },
  }
end

return kinds
