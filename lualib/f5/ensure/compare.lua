-- Compares wanted values with those of a device. Devices return their own form of a value: names
-- with their partition, numbers as text, ports for services, defaults for missing values, and no
-- property for an empty value.

local addresses = require "f5.ensure.addresses"
local json = require "f5.json"

local M = {}

local null <const> = json.null

-- Texts without a known form: they are compared letter by letter.
local FREE_TEXT <const> = {
  description = true, comment = true, data = true, send = true, recv = true, recvDisable = true,
  apiAnonymous = true, caption = true, location = true, contact = true, text = true, value = true,
}

-- Lists of texts without a meaningful order. All other lists keep their order: rules, servers.
local SETS <const> = {
  members = true, vlans = true, interfaces = true, allowService = true, allow = true,
  allowedAddresses = true, tmOptions = true, options = true, addresses = true, devices = true,
  ports = true,
}
M.SETS = SETS

-- Properties that the device sets itself.
local IDENTITY <const> = {
  kind = true, selfLink = true, generation = true, fullPath = true, isSubcollection = true,
  apiRawValues = true,
}
M.IDENTITY = IDENTITY

-- Properties that name an object in a list.
local NAMING <const> = { name = true, partition = true, subPath = true }
M.NAMING = NAMING

--- Whether a value means "nothing".
function M.is_nothing(value)
  return value == nil
    or value == null or value == "" or value == "none" or type(value) == "table" and not next(value)
end

--- Whether a table is a list that is not empty.
function M.is_list(value)
  return type(value) == "table" and (json.is_array(value) or rawlen(value) > 0)
end

--- "load-balancing-mode" -> "loadBalancingMode": a device accepts tmsh's spelling, too.
function M.camel(key)
  return type(key) == "string" and key:find "%-" and key:gsub("%-(%w)", string.upper) or key
end

--- Returns the value of a property of an object. The device prefixes reserved names with "tm".
function M.value_of(object, key)
  key = M.camel(key)
  local value = object[key]
  if value == nil and type(key) == "string" then
    value = object["tm" .. key:gsub("^%l", string.upper)]
  end
  return value
end

-- "^%s*(.-)%s*$" would take long with many blanks.
local function trim(text) return text:match "^%s*(.*%S)" or "" end

-- "{ a b }" -> { "a", "b" }
local function braces(text)
  local inner = type(text) == "string" and text:match "^%s*{(.*)}%s*$"
  if not inner then return nil end
  local list = {}
  for word in inner:gmatch "%S+" do list[#list + 1] = word end
  return list
end

M.braces = braces

-- Whether two names are those of one object. One of them may lack its partition.
local function same_name(a, b, partition)
  if a == b then return true end
  if a:sub(1, 1) == "/" then a, b = b, a end
  if a:find "^/" or a == "" then return false end
  return b == "/Common/" .. a or partition ~= nil and b == "/" .. partition .. "/" .. a
end

local function same_endpoint(a, b, partition)
  local folder_a, a_form = addresses.endpoint(a)
  local folder_b, b_form = addresses.endpoint(b)
  if not a_form or a_form ~= b_form then return false end
  if not folder_a then folder_a, folder_b = folder_b, folder_a end
  return folder_a == folder_b
    or not folder_b and (folder_a == "/Common" or folder_a == "/" .. tostring(partition))
end

-- "/Common/2001:db8::1" -> "/Common", "2001:db8:0:0:0:0:0:1"; an address without a folder: nil, and
-- the address
local function located(text)
  local folder, name = text:match "^(/.*)/([^/]+)$"
  local whole = addresses.address(text)
  if whole or not folder then return nil, whole end
  return folder, addresses.address(name)
end

local function same_address(a, b, partition)
  local folder_a, address_a = located(a)
  local folder_b, address_b = located(b)
  if not address_a or address_a ~= address_b then return false end
  if folder_a and folder_b then return folder_a == folder_b end
  local folder = folder_a or folder_b
  return not folder or folder == "/Common" or folder == "/" .. tostring(partition)
end

-- "/Common/http and tcp", "min 1 of { a b }": the words before the names, and the names.
local function monitors(rule)
  local minimum, inner = rule:match "^%s*min%s+(%d+)%s+of%s*{?(.-)}?%s*$"
  local names = {}
  for word in (inner or rule):gmatch "%S+" do
    if inner or word ~= "and" then names[#names + 1] = word end
  end
  return minimum or "all", names
end

local function same_names(a, b, partition)
  local found = 0
  for _, name in ipairs(a) do
    for _, other in ipairs(b) do
      if same_name(name, other, partition) then
        found = found + 1
        break
      end
    end
  end
  return found == #a and #a == #b
end

local function same_monitor(a, b, partition)
  local how_a, names_a = monitors(a)
  local how_b, names_b = monitors(b)
  return how_a == how_b and same_names(names_a, names_b, partition)
end

local PROTOCOLS <const> = { ["1"] = "icmp", ["6"] = "tcp", ["17"] = "udp", ["132"] = "sctp" }

local function same_text(a, b, key, partition)
  if a == b then return true end
  if FREE_TEXT[key] then return trim(a) == trim(b) end
  a, b = trim(a), trim(b)
  if a == b or same_name(a, b, partition) or same_endpoint(a, b, partition) then return true end
  if key == "monitor" then return same_monitor(a, b, partition) end
  if key == "ipProtocol" then return (PROTOCOLS[a] or a) == (PROTOCOLS[b] or b) end
  if type(key) == "string" and key:find "[pP]ort$" then
    local port = addresses.port(a)
    return port ~= nil and port == addresses.port(b)
  end
  if key == "allowService" then
    local protocol_a, service_a = a:match "^(.-):(.*)$"
    local protocol_b, service_b = b:match "^(.-):(.*)$"
    local port = protocol_a ~= nil and protocol_a == protocol_b and addresses.port(service_a)
    return port and port == addresses.port(service_b) or false
  end
  return same_address(a, b, partition)
end

local YES <const> = { enabled = true, yes = true, ["true"] = true }
local NO <const> = { disabled = true, no = true, ["false"] = true }

-- A flag that is set has the value null; otherwise it is missing.
local function truth(value)
  if type(value) == "boolean" then return value end
  if value == null then return true end
  if M.is_nothing(value) then return false end
  if YES[value] then return true end
  if NO[value] then return false end
  return nil
end

local function text_of(value)
  if math.type(value) == "float" and math.tointeger(value) then value = math.tointeger(value) end
  return tostring(value)
end

-- The items of a list that are not literally in another list.
local function beyond(list, other)
  local known, out = {}, {}
  for _, item in ipairs(other) do known[item] = true end
  for _, item in ipairs(list) do
    if not known[item] then out[#out + 1] = item end
  end
  return out
end

-- Whether each item of one list is in the other.
local function same_set(wanted, is, key, partition)
  wanted, is = beyond(wanted, is), beyond(is, wanted)
  local function covers(a, b)
    for _, item in ipairs(a) do
      local found = false
      for _, other in ipairs(b) do
        found = found or M.same(item, other, key, partition) or M.same(other, item, key, partition)
      end
      if not found then return false end
    end
    return true
  end
  return covers(wanted, is) and covers(is, wanted)
end

local function same_list(wanted, is, key, partition)
  if SETS[key] and type(wanted[1]) ~= "table" and type(is[1]) ~= "table" then
    return same_set(wanted, is, key, partition)
  end
  if #wanted ~= #is then return false end
  for i, item in ipairs(wanted) do
    if not M.same(item, is[i], key, partition) then return false end
  end
  return true
end

-- Members and nodes are set to "user-…"; they return the result of monitoring.
local OPERATION <const> = {
  session = { ["user-enabled"] = true, ["monitor-enabled"] = true, off = "user-disabled" },
  state = {
    ["user-up"] = true, up = true, down = true, checking = true, unchecked = true,
    unavailable = true, ["fqdn-up"] = true, ["fqdn-down"] = true, ["fqdn-checking"] = true,
    ["fqdn-unchecked"] = true, ["fqdn-up-no-addr"] = true, off = "user-down",
  },
}

-- The word that sets what a member or a node was read with.
local function as_set(key, value)
  local words = OPERATION[key]
  if not words or not words[value] or value == "off" or value:find "^user%-" then return value end
  return key == "session" and "user-enabled" or "user-up"
end

--- Returns what to send for a value that was read from a member or a node.
function M.for_write(key, value)
  value = as_set(key, value)
  if M.is_list(value) or type(value) ~= "table" or next(value) then return value end
  return json.array {} -- {} of Lua, which would be sent as an object
end

--- Returns a body to create an object with: session and state as they are set, not as they are
--- read. Lists of members have them, too.
function M.for_create(body)
  if type(body) ~= "table" then return body end
  local out = {}
  for key, value in next, body do
    if M.is_list(value) and type(value[1]) == "table" then
      local list = json.array {}
      for i, item in ipairs(value) do list[i] = M.for_create(item) end
      value = list
    end
    out[key] = as_set(key, value)
  end
  return out
end

-- Whether the device's value can be the result of `user-enabled` or `user-up`.
local function same_operation(wanted, is, words)
  if wanted == words.off or is == words.off then return wanted == is end
  return words[wanted] and words[is]
end

local function same_record(wanted, is, partition)
  for key, value in pairs(wanted) do
    local ignored = IDENTITY[key] or type(key) == "string" and key:find "Reference$"
    if not ignored and not M.same(value, M.value_of(is, key), M.camel(key), partition) then
      return false
    end
  end
  return true
end

--- Whether a device has a value.
-- @param key string|nil: name of the property
-- @param partition string|nil: partition of the object
function M.same(wanted, is, key, partition)
  if wanted == is then return true end
  if M.is_nothing(wanted) and M.is_nothing(is) then return true end
  local words = OPERATION[key]
  if words and type(is) == "string" then
    local known = same_operation(type(wanted) == "string" and trim(wanted) or wanted, is, words)
    if known ~= nil then return known end
  end
  if type(wanted) == "boolean" or type(is) == "boolean" or wanted == null or is == null then
    local a, b = truth(wanted), truth(is)
    return a ~= nil and a == b
  end
  local listed = braces(is)
  if listed and type(wanted) == "table" then return same_set(wanted, listed, key, partition) end
  if listed and braces(wanted) then return same_set(braces(wanted), listed, key, partition) end
  if M.is_list(is) then
    if type(wanted) == "table" then return same_list(wanted, is, key, partition) end
    return #is == 1 and M.same(wanted, is[1], key, partition)
  end
  if type(is) == "table" then
    if type(wanted) == "table" then return same_record(wanted, is, partition) end
    return type(is.tmName) == "string" and same_text(text_of(wanted), is.tmName, key, partition)
  end
  if type(wanted) == "table" then
    return #wanted == 1 and next(wanted, 1) == nil and M.same(wanted[1], is, key, partition)
  end
  if is == nil then return false end
  if math.type(is) == "integer" and type(wanted) == "string" and wanted:find "^%s*0%d+%s*$" then
    return math.tointeger(tonumber(wanted)) == is
  end
  return same_text(text_of(wanted), text_of(is), key, partition)
end

--- Whether an item of a list has all wanted values, apart from its name.
function M.same_item(wanted, is, partition)
  for key, value in pairs(wanted) do
    local ignored = NAMING[key] or IDENTITY[key] or tostring(key):find "Reference$"
    if not ignored and not M.same(value, M.value_of(is, key), M.camel(key), partition) then
      return false
    end
  end
  return true
end

-- -- named objects in lists -----------------------------------------------------------------------

local function full_name(item)
  local name = item.fullPath or item.name
  if type(name) ~= "string" then return nil end
  if name:sub(1, 1) == "/" or not item.partition then return name end
  local below = item.subPath and item.subPath ~= "" and item.subPath .. "/" or ""
  return "/" .. item.partition:gsub("^[/~]+", "") .. "/" .. below .. name
end

-- An address in canonical form; of a single host without the length of its prefix, which a data
-- group adds.
local function host_or_network(name)
  local form = addresses.address(name)
  return form and form:gsub(form:find ":" and "/128$" or "/32$", "")
end

-- Ports and addresses in canonical form.
local function canonical(name)
  local folder, form = addresses.endpoint(name)
  if not form then return name:find "^%x*[.:]" and host_or_network(name) or name end
  return folder and folder .. "/" .. form or form
end

--- Returns an item of a wanted list as a table with a name; nil if it has none.
function M.as_item(value)
  if type(value) == "string" or math.type(value) == "integer" then
    return { name = tostring(value) }
  end
  if type(value) ~= "table" then return nil end
  if math.type(value.name) == "integer" then
    local named = {}
    for key, item in next, value do named[key] = item end
    named.name = tostring(value.name)
    return named
  end
  return full_name(value) and value or nil
end

--- Adds an item of a wanted list to an index, in which find() finds its other spellings.
function M.note(index, item, partition)
  local name = full_name(item)
  if item.port and not addresses.endpoint(name) then
    name = name .. (name:find ":" and "." or ":") .. tostring(item.port)
  end
  index[canonical(name)] = item
  if name:sub(1, 1) ~= "/" then
    index[canonical("/" .. (partition or "Common") .. "/" .. name)] = item
  end
end

--- Returns the full name of an object; nil if it has none.
function M.name(object) return type(object) == "table" and full_name(object) or nil end

--- Returns the name of an object as the index of a list has it; nil if it has none.
function M.key(object)
  local name = type(object) == "table" and full_name(object)
  return name and canonical(name) or nil
end

--- Returns the objects of a list by name; nil if the list contains anything else.
function M.index(list)
  local index = {}
  for _, object in ipairs(list) do
    local name = M.key(object)
    if not name then return nil end
    index[name] = object
  end
  return index
end

-- Adds the names in an index that a name may stand for, the likeliest first.
local function add_names(names, name, partition)
  if name:sub(1, 1) == "/" then
    names[#names + 1] = canonical(name)
    local short = name:match "^/Common/([^/]+)$"
    if short then names[#names + 1] = canonical(short) end
    return
  end
  if partition then names[#names + 1] = canonical("/" .. partition .. "/" .. name) end
  names[#names + 1] = canonical("/Common/" .. name)
  names[#names + 1] = canonical(name)
end

--- Returns the names in an index that an item may stand for. A name without a partition can be in
-- that of the owner or in Common. The port of a member can be a property.
function M.names(item, partition)
  local name, names = full_name(item), {}
  add_names(names, name, partition)
  if item.port then
    add_names(names, name .. (name:find ":" and "." or ":") .. tostring(item.port), partition)
  end
  return names
end

--- Returns the object of an index for an item of a wanted list.
function M.find(index, item, partition)
  for _, name in ipairs(M.names(item, partition)) do
    if index[name] then return index[name] end
  end
  return nil
end

--- Returns an item to send: the wanted values over those of the device, so that nothing is reset.
function M.merged(item, object)
  local out = {}
  for key, value in pairs(object) do
    if not IDENTITY[key] and not key:find "Reference$" then
      out[key] = as_set(key, value)
    end
  end
  for key, value in pairs(item) do
    key = M.camel(key)
    local reserved = "tm" .. key:gsub("^%l", string.upper)
    if not NAMING[key] and not IDENTITY[key] and not key:find "Reference$" then
      local at = out[key] == nil and out[reserved] ~= nil and reserved or key
      out[at] = as_set(key, value)
    end
  end
  return out
end

return M
