-- Addresses in route domains: comparisons, connected networks, and the domain that "%N" names.
local validate = require "sim.config.validate"

local M = {}

local ROOT <const> = "/mgmt/tm/"

local function bytes_of_v4(text)
  return (text:gsub("(%d+)%.?", function(part) return string.char(tonumber(part)) end))
end

-- The 4 or 16 bytes of a valid address.
local function bytes_of(text)
  if not text:find ":" then return bytes_of_v4(text) end
  text = text:gsub(
    "[%d]+%.[%d.]+$",
    function(last) return ("%x:%x"):format(string.unpack(">I2I2", bytes_of_v4(last))) end
  )
  local function words(part)
    local list = {}
    for word in part:gmatch "%x+" do list[#list + 1] = string.pack(">I2", tonumber(word, 16)) end
    return table.concat(list)
  end
  local head, tail = text:match "^(.-)::(.*)$"
  if not head then return words(text) end
  local from, to = words(head), words(tail)
  return from .. ("\0"):rep(16 - #from - #to) .. to
end

-- An address with all but the first `bits` set to zero.
local function masked(bytes, bits)
  return (bytes:gsub("()(.)", function(place, byte)
    local left = math.max(0, math.min(8, bits - 8 * (place - 1)))
    return string.char(byte:byte() & (0xff00 >> left) & 0xff)
  end))
end

-- The number of bits of "24" or "255.255.255.0"; "" stands for all.
local function bits_of(text, bytes)
  if text == "" then return 8 * #bytes end
  if tonumber(text) then return tonumber(text) end
  local count = 0
  for byte in bytes_of(text):gmatch "." do
    local value = byte:byte()
    while value ~= 0 do
      count = count + (value & 1)
      value = value >> 1
    end
  end
  return count
end

-- "10.0.0.1%2/24", "10.0.0.1/24%2", "default%2", "::/0" in a partition -> { domain, bytes, bits };
-- nil if it is not an address.
local function parse(store, text, partition)
  local domain = text:match "%%(%d+)"
  local bare = text:gsub("%%%d+", "")
  if bare == "default" then bare = "0.0.0.0/0" elseif bare == "default-inet6" then bare = "::/0" end
  if not validate.is_address(bare, true) then return nil end
  local address, suffix = bare:match "^([^/]+)/?(.*)$"
  local bytes = bytes_of(address)
  local home = store:get(ROOT .. "auth/partition/" .. tostring(partition or "Common"))
  return {
    domain = tonumber(domain) or home and home.defaultRouteDomain or 0,
    bytes = bytes,
    bits = bits_of(suffix, bytes),
  }
end

-- Whether two texts, each in its partition, are the same address; with `network`, the same network.
local function same(store, one, other, network)
  local a, b =
    parse(store, one.text, one.partition), parse(store, other.text, other.partition)
  if not a or not b or a.domain ~= b.domain then return false end
  if not network then return a.bytes == b.bytes end
  return a.bits == b.bits and masked(a.bytes, a.bits) == masked(b.bytes, b.bits)
end

--- Whether the `address` of two objects, with their masks, is in the same network.
function M.share_network(store, a, b)
  return same(
    store, { text = a.address, partition = a.partition },
    { text = b.address, partition = b.partition }, true
  )
end

--- Another object of a collection with the same address in its `property` (with `network`: the same
--- network) and in the same route domain; nil if there is none. `object` is at `path`.
function M.other(store, collection, path, object, property, network)
  if type(object[property]) ~= "string" then return nil end
  local own = { text = object[property], partition = object.partition }
  for _, segment in ipairs(store:segments(collection)) do
    local place = collection .. "/" .. segment
    local candidate = store:get(place)
    if
      place ~= path and type(candidate[property]) == "string"
      and same(store, own, { text = candidate[property], partition = candidate.partition }, network)
    then
      return candidate
    end
  end
  return nil
end

-- fe80::/10: the interface of the route reaches it.
local function is_link_local(bytes)
  return #bytes == 16 and masked(bytes, 10) == "\xfe\x80" .. ("\0"):rep(14)
end

--- Whether a text is such an address, with or without a route domain.
function M.is_link_local(text)
  return type(text) == "string" and text:lower():find "^fe[89ab]%x:" ~= nil
end

--- Whether an address of a partition is in a network that a self IP connects the device to.
function M.is_connected(store, text, partition)
  local gateway = parse(store, text, partition)
  if not gateway or is_link_local(gateway.bytes) then return true end
  for _, self_ip in ipairs(store:list(ROOT .. "net/self")) do
    local network = parse(store, self_ip.address, self_ip.partition)
    if network and network.domain == gateway.domain and #network.bytes == #gateway.bytes
      and masked(network.bytes, network.bits) == masked(gateway.bytes, network.bits) then
      return true
    end
  end
  return false
end

--- An address as a device keeps it: in its short form, with the default route domain of the
--- partition if that is not 0 ("10.0.0.1%137").
function M.in_domain(store, text, partition, ctx)
  if not validate.is_address(text) then return text end
  text = validate.short_address(text)
  local home = store:get(ROOT .. "auth/partition/" .. tostring(partition or "Common"))
  local domain = home and home.defaultRouteDomain or 0
  if domain == 0 or ctx.seed or text:find("%", 1, true) then return text end
  return text .. "%" .. domain
end

--- Refuses a text ("10.0.0.1%7", "/Common/10.0.0.1%7:80") whose route domain does not exist.
function M.check_domain(store, text, ctx)
  local id = not ctx.seed
    and not ctx.factory and type(text) == "string" and text:match "%%(%d+)"
  if not id then return end
  for _, domain in ipairs(store:list(ROOT .. "net/route-domain")) do
    if domain.id == tonumber(id) then return end
  end
  validate.refuse_mcpd(
    ("01070973:3: The specified route domain (%s) does not exist for address (%s)."):format(
      id,
      text:match "[^/]*%%%d+[^:]*" or text
    )
  )
end

--- Sets the traffic group of an object. "default" stands for the one of its folder.
function M.choose_traffic_group(store, object, properties)
  local wanted = properties.trafficGroup
  if not wanted then return end
  if wanted ~= "default" then
    object.inheritedTrafficGroup = properties.inheritedTrafficGroup or "false"
    return
  end
  local above = object.fullPath:match "^(.*)/[^/]+$"
  local folder = store:get(ROOT .. "sys/folder/" .. above:gsub("/", "~"))
  object.trafficGroup = folder and folder.trafficGroup or "/Common/traffic-group-1"
  object.inheritedTrafficGroup = "true"
end

--- Refuses a virtual address that exists already.
function M.refuse_taken(address)
  validate.refuse_mcpd(
    ("0107176c:3: Invalid Virtual Address, the IP address %s already exists."):format(address)
  )
end

return M
