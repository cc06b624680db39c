--- Knowledge about values for the console and the one-line commands: which names are secrets, which
-- properties are bookkeeping, the order of properties, and how a cell, number or statistic is
-- printed.

local core = require "f5.core"
local json = require "f5.json"
local segment = require "f5.state.segment"
local terminal = require "f5.terminal"

local Value = {}

Value.MASK = core.MASK

local SECRET <const> = { "password", "passphrase", "secret", "^token$", "authtoken", "privatekey" }
-- Bookkeeping of iControl REST that a person rarely wants to read.
local NOISE <const> = { kind = true, generation = true, selfLink = true, isSubcollection = true }
local RANK <const> = {
  name = 1, fullPath = 2, partition = 3, subPath = 4, address = 5, destination = 6, description = 7,
}

--- Whether a property of this name holds something that must not be shown.
function Value.is_secret(name)
  if type(name) ~= "string" then return false end
  local lower = name:lower()
  for _, pattern in ipairs(SECRET) do
    if lower:find(pattern) then return true end
  end
  return false
end

function Value.is_array(value)
  return type(value) == "table" and (json.is_array(value) or #value > 0)
end

function Value.is_noise(key)
  return NOISE[key] or (type(key) == "string" and key:find "Reference$" ~= nil)
end

function Value.rank(key) return RANK[key] or 99 end

-- What a table of an unknown kind, or of statistics, shows first.
local FIRST <const> = {}
for i, name in ipairs {
  "id", "type", "state", "status", "status.availabilityState", "activeMemberCnt", "memberCnt",
  "clientside.curConns", "serverside.curConns", "clientside.totConns", "serverside.totConns",
  "clientside.bitsIn", "serverside.bitsIn", "clientside.bitsOut", "serverside.bitsOut",
  "status.enabledState", "enabled", "disabled", "curSessions", "totRequests", "version",
  "defaultsFrom",
} do
  FIRST[name] = i
end

--- The same among the columns of a table; nil if nobody looks for it.
function Value.column_rank(key) return FIRST[key] end

--- Keys in the order a person expects: name and path first, then by letter.
function Value.keys(object)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    local rank_a, rank_b = Value.rank(a), Value.rank(b)
    if rank_a ~= rank_b then return rank_a < rank_b end
    if type(a) == type(b) then return a < b end
    return type(a) == "number"
  end)
  return keys
end

--- Columns a text takes on a terminal that shows one column a character.
function Value.width(text) return utf8.len(text) or #text end

--- The text, cut to `width` columns with an ellipsis.
function Value.clip(text, width)
  if Value.width(text) <= width then return text end
  if width <= 1 then return width == 1 and "…" or "" end
  return text:sub(1, (utf8.offset(text, width) or #text) - 1) .. "…"
end

--- The text in one line, without anything that a terminal would act on.
Value.printable = terminal.line

--- The same for the name of a property. Of the link of an entry it is the end.
function Value.label(key)
  local text = tostring(key)
  local last = text:match "^https://localhost/mgmt/.*/([^/]+)$"
  return terminal.line(last and segment.name(last) or text)
end

--- A number without needless digits; a float keeps its point.
function Value.number(value)
  if math.type(value) == "float" then
    if value == math.floor(value) and math.abs(value) < 1e15 then return ("%.1f"):format(value) end
    return ("%.14g"):format(value)
  end
  return tostring(value)
end

-- Units of the statistics, by the end of an entry's name.
local UNITS <const> = {
  { "bits[IO][nu]t?$", "bit" },
  { "bytes[IO][nu]t?$", "B" },
  { "[mM]emory", "B" },
  { "pkts[IO][nu]t?$", "packets" },
  { "Conns$", "connections" },
  { "%.age%u", "ms" },
}
local SCALES <const> = { { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } }

--- A statistic as "12.4 Mbit", "3 connections" or a plain number.
-- @param name string: the entry ("serverside.bitsIn")
function Value.stat(name, value)
  if type(value) ~= "number" then return Value.printable(tostring(value)) end
  for _, unit in ipairs(UNITS) do
    if name:find(unit[1]) then
      if unit[2] == "bit" or unit[2] == "B" then
        for _, scale in ipairs(SCALES) do
          if math.abs(value) >= scale[1] then
            return ("%.1f %s%s"):format(value / scale[1], scale[2], unit[2])
          end
        end
      end
      return Value.number(value) .. " " .. unit[2]
    end
  end
  return Value.number(value)
end

--- A link as the path that f5lua takes: "ltm/pool/~Common~web"; nil if it is none of a device.
function Value.path(link)
  return type(link) == "string" and link:match "^https://localhost/mgmt/tm/([^?]+)" or nil
end

local MAX_DEPTH <const> = 8 -- a table can contain itself

--- One line for any value, as in a cell of a table.
-- @param key string|nil: the property's name, to mask secrets
-- @param depth integer|nil: of the array that it is in
function Value.cell(key, value, depth)
  if value == nil then return "" end
  if Value.is_secret(key) and value ~= json.null then return Value.MASK end
  if value == json.null then return "null" end
  if type(value) == "string" then return Value.printable(value) end
  if type(value) == "number" then return Value.number(value) end
  if type(value) ~= "table" then return tostring(value) end
  if not Value.is_array(value) then
    return Value.cell(nil, value.fullPath or value.name or Value.path(value.link) or "{…}")
  end
  local parts = {}
  depth = (depth or 0) + 1
  if depth > MAX_DEPTH then return "…" end
  for i, item in ipairs(value) do parts[i] = Value.cell(nil, item, depth) end
  return table.concat(parts, ", ")
end

--- A copy in which secrets are masked.
-- @param copies table|nil: of tables that are copied already; a table can contain itself
function Value.masked(value, copies)
  if type(value) ~= "table" then return value end
  copies = copies or {}
  if copies[value] then return copies[value] end
  local out = json.is_array(value) and json.array {} or {}
  copies[value] = out
  for key, item in pairs(value) do
    if Value.is_secret(key) and type(item) == "string" then
      out[key] = Value.MASK
    else
      out[key] = Value.masked(item, copies)
    end
  end
  return out
end

local PALETTE <const> = {
  key = "36", string = "32", number = "33", null = "35", head = "1", dim = "2", bad = "31",
  good = "32",
}

--- A function (kind, text) -> text that colours, or leaves the text alone when `on` is false.
function Value.painter(on)
  return function(kind, text)
    local code = on and PALETTE[kind]
    return code and ("\27[%sm%s\27[0m"):format(code, text) or text
  end
end

return Value
