-- Performance statistics: constant numbers.
local names = require "sim.config.names"
local response = require "sim.kinds.common.response"

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

local function rows_of(part)
  local list = {}
  for name, what in pairs(PERFORMANCE[part]) do list[name] = row(what[1], name, what[2]) end
  return performance("sys/performance/" .. part, list)
end

local function all_stats()
  local entries = {}
  for part in pairs(PERFORMANCE) do
    for name, value in pairs(rows_of(part)) do
      entries[(name:gsub("performance/" .. part, "performance/all-stats"))] = value
    end
  end
  return entries
end

local kinds <const> = {
  ["sys/performance/all-stats"] = {
    facts = { type = "show" },
    stats = { body = all_stats },
  },
}
for part in pairs(PERFORMANCE) do
  kinds["sys/performance/" .. part] = { stats = { body = function() return rows_of(part) end } }
end

return kinds
