-- Names, paths and links: how "/Common/folder/x" becomes "~Common~folder~x" becomes a link, and
-- back.
local errors = require "sim.http.errors"

local M = {}

M.ROOT = "/mgmt/tm/"

-- The order of segments in a collection: as their full names sort, byte by byte ("~" counts as
-- "/").
function M.before(a, b)
  return (a:gsub("~", "/")) < (b:gsub("~", "/"))
end

-- The keys of `set` (segments) in that order.
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
-- The name of some objects has slashes of its own: a member "/Common/server:/Common/virtual".
function M.split(full)
  local head, tail = full, ""
  local colon = full:find(":/", 1, true)
  if colon then head, tail = full:sub(1, colon - 1), full:sub(colon) end
  local partition, rest = head:match "^/([^/]*)/(.*)$"
  if not partition then return nil, nil, full end
  local sub_path, name = rest:match "^(.*)/([^/]+)$"
  if not sub_path then return partition, nil, rest .. tail end
  return partition, sub_path, name .. tail
end

-- A name as a body or a property gives it -> full path; relative ones are below `partition`
-- ("Common").
function M.absolute(name, partition)
  if type(name) ~= "string" then require("sim.config.validate").invalid("name", name) end
  if name:sub(1, 1) == "/" then return name end
  return "/" .. (partition or "Common") .. "/" .. name
end

-- "~fw_objs", "/fw_objs", "fw_objs", "/a/b": what bodies write for a partition -> partition,
-- sub-path.
function M.partition(text)
  text = text:gsub("~", "/"):gsub("^/+", ""):gsub("/+$", "")
  local partition, rest = text:match "^([^/]+)/(.+)$"
  if partition then return partition, rest end
  return text, nil
end

local function escape(character)
  return ("%%%02X"):format(character:byte())
end

-- A segment as it stands in a link.
function M.encode(segment)
  return (segment:gsub("[^%w%-%._~:@!$&'()*+,;=]", escape))
end

-- A query value as it stands in a link.
function M.encode_value(value)
  return (value:gsub("[^%w%-%._~/:*]", escape))
end

-- The query of a request as the links of its answer carry it: as it came, `ver` last unless it was
-- given.
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
  local encoded = path:gsub("[^/]+", M.encode)
  return "https://localhost" .. encoded .. (query and query ~= "" and "?" .. query or "")
end

-- The version that the links of an answer carry; a `ver` that this device cannot speak is refused.
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
        ("The requested API version %s is not supported. The supported versions are 11.5.0 to %s."):format(
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
