-- Converts names, segments of paths and links: "/Common/folder/x", "~Common~folder~x", a link.
local errors = require "sim.http.errors"
local texts = require "sim.text"

local M = {}

M.ROOT = "/mgmt/tm/"

-- Whether a segment is before another in a collection. They are sorted by full name, byte by byte.
function M.before(a, b)
  if not a:find("~", 1, true) and not b:find("~", 1, true) then return a < b end
  return (a:gsub("~", "/")) < (b:gsub("~", "/"))
end

-- The segments in a set, in this order.
function M.sort(set)
  local order = {}
  for segment in pairs(set) do order[#order + 1] = (segment:gsub("~", "/")) end
  table.sort(order)
  for i = 1, #order do order[i] = (order[i]:gsub("/", "~")) end
  return order
end

-- "/Common/web" -> "~Common~web"
function M.segment(full)
  return (full:gsub("/", "~"))
end

-- The full path of a name in a partition and a sub-path.
function M.full(partition, sub_path, name)
  if sub_path and sub_path ~= "" then return ("/%s/%s/%s"):format(partition, sub_path, name) end
  return ("/%s/%s"):format(partition, name)
end

-- "/Common/a/b/web" -> "Common", "a/b", "web"; sub-path nil if there is none.
-- Some names have slashes of their own, such as a member "/Common/server:/Common/virtual".
function M.split(full)
  local head, tail = full, ""
  local colon = full:find(":/", 1, true)
  if colon then head, tail = full:sub(1, colon - 1), full:sub(colon) end
  local partition, rest = head:match "^/([^/]*)/(.*)$"
  if not partition then return nil, nil, full end
  local sub_path, name = M.below(rest)
  if not sub_path then return partition, nil, rest .. tail end
  return partition, sub_path, name .. tail
end

local NETWORK <const> = "%d+%.%d+%.%d+%.%d+%%?%d*/%d+$"

-- "a/b/web" -> "a/b", "web"; nil if there is no sub-path. The slash of a network, such as
-- "10.0.0.0/8", belongs to the name.
function M.below(rest)
  if rest:find("^" .. NETWORK) then return nil, rest end
  local sub_path, name = rest:match("^(.*)/(" .. NETWORK:sub(1, -2) .. ")$")
  if sub_path then return sub_path, name end
  return rest:match "^(.*)/([^/]+)$"
end

-- The full path of a name in a body or a property. Names without a partition are in `partition`
-- (default: "Common").
function M.absolute(name, partition)
  if type(name) ~= "string" then require("sim.config.validate").invalid("name", name) end
  if name:sub(1, 1) == "/" then return name end
  return "/" .. (partition or "Common") .. "/" .. name
end

-- The partition and sub-path of a `partition` in a body: "~fw_objs", "/fw_objs", "fw_objs", "/a/b".
function M.partition(text)
  text = texts.without_slashes((text:gsub("~", "/"):gsub("^/+", "")))
  local partition, rest = text:match "^([^/]+)/(.+)$"
  if partition then return partition, rest end
  return text, nil
end

local function escape(character)
  return ("%%%02X"):format(character:byte())
end

-- Encodes a segment for a link.
function M.encode(segment)
  return (segment:gsub("[^%w%-%._~:@!$&'()*+,;=]", escape))
end

-- Encodes a path, segment by segment.
function M.encoded(path)
  -- anchored: the set is read once, not at each character
  if path:find "^[%w%-%._~:@!$&'()*+,;=/]*$" then return path end
  return (path:gsub("[^/]+", M.encode))
end

-- Encodes a value in the query of a link.
function M.encode_value(value)
  return (value:gsub("[^%w%-%._~/:*]", escape))
end

-- The query for the links of a response: that of the request, with `ver` added at the end if the
-- request has none.
function M.query(request, version, change)
  local parts = {}
  local has_version = false
  for _, name in ipairs(request.query_order or {}) do
    local value = request.query[name]
    if change and change[name] ~= nil then value = change[name] end
    if value then parts[#parts + 1] = name .. "=" .. M.encode_value(tostring(value)) end
    if name == "ver" then has_version = true end
  end
  for _, name in ipairs(change and change.order or {}) do
    if request.query[name] == nil and change[name] then
      parts[#parts + 1] = name .. "=" .. M.encode_value(tostring(change[name]))
    end
  end
  if not has_version then parts[#parts + 1] = "ver=" .. version end
  return table.concat(parts, "&")
end

-- "/mgmt/tm/ltm/pool/~Common~a b" -> "https://localhost/mgmt/tm/ltm/pool/~Common~a%20b"
function M.link(path, query)
  return "https://localhost" .. M.encoded(path) .. (query and query ~= "" and "?" .. query or "")
end

-- The version for the links of a response. Refuses a `ver` that the device does not support.
local function numbers(version)
  local list = {}
  for number in version:gmatch "%d+" do list[#list + 1] = tonumber(number) end
  return list
end

local function older(a, b)
  for i = 1, math.max(#a, #b) do
    local x, y = a[i] or 0, b[i] or 0
    if x ~= y then return x < y end
  end
  return false
end

function M.version(device, request)
  local wanted = request.query and request.query.ver
  local own = device.version.version
  if not wanted then return own end
  local fine = wanted:find "^%d+%.%d+[%.%d]*$" and not wanted:find "%.%."
  if not fine or older(numbers(wanted), { 11, 5, 0 }) or older(numbers(own), numbers(wanted)) then
    error(
      errors.tm(
        400,
        (
          "The requested API version %s is not supported. The supported versions are 11.5.0 to %s."
        ):format(
          wanted,
          own
        )
      ),
      0
    )
  end
  return wanted
end

return M
