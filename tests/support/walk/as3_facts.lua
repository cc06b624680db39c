-- What AS3 makes of declarations (../shared/data/as3-mapping-facts.json), compared with the objects
-- of a device. The facts have the spelling of tmsh. They are no part of this repository.
local curl = require "curl"
local json = require "f5.json"
local sim = require "f5.sim"

local M = {}

local FILE <const> = "../shared/data/as3-mapping-facts.json"

-- Objects that the declarations take for granted.
local EXISTING <const> = {
  { "net/route-domain", { name = "1", id = 1 } }, { "net/route-domain", { name = "2", id = 2 } },
  { "net/route-domain", { name = "3", id = 3 } },
  { "net/route-domain", { name = "2222", id = 2222 } },
  { "net/route-domain", { name = "routeDomainAlpha", id = 4 } },
  { "net/route-domain", { name = "100", id = 100 } },
  { "net/vlan", { name = "external" } }, { "net/vlan", { name = "internal" } },
  { "net/vlan", { name = "internal-sales" } }, { "net/vlan", { name = "internal-marketing" } },
  { "ltm/node", { name = "n1", address = "192.0.2.200" } }, { "ltm/pool", { name = "pool" } },
  { "ltm/pool", { name = "sni1" } }, { "ltm/pool", { name = "sni2" } },
  { "ltm/snatpool", { name = "sp", members = { "/Common/192.0.2.201" } } },
  { "ltm/profile/client-ssl", { name = "clientssl1" } },
  { "ltm/profile/client-ssl", { name = "clientssl2" } },
  { "ltm/profile/server-ssl", { name = "serverssl1" } },
  { "ltm/profile/server-ssl", { name = "serverssl2" } },
  { "ltm/profile/http2", { name = "http2egress" } },
  { "ltm/profile/http2", { name = "http2ingress" } }, { "ltm/profile/ftp", { name = "testFTP" } },
  { "ltm/profile/ilx", { name = "iRulesProfile" } },
  { "apm/profile/access", { name = "accessProfile" } },
  { "apm/profile/ping-access", { name = "pingProfileAccess" } },
  { "apm/profile/connectivity", { name = "connectivityProfile" } },
  { "api-protection/profile/apiprotection", { name = "apiProtectionProfile" } },
  { "net/dns-resolver", { name = "10.1.1.10" } }, { "net/dns-resolver", { name = "tempTest" } },
  { "net/dns-resolver", { name = "f5-azure-dns" } },
  { "ltm/profile/sip", { name = "testSIP" } },
  { "ltm/data-group/internal", { name = "hostnames", type = "string" } },
  { "net/route-domain", { name = "myRouteDomain", id = 5 } },
  { "sys/file/data-group", {
    name = "dataGroupFileName", type = "string", sourcePath = "file:/etc/hosts",
  } },
  { "ltm/data-group/internal", { name = "testInternalDG", type = "string" } },
  { "ltm/data-group/external", {
    name = "testExternalDG", externalFileName = "/Common/dataGroupFileName",
  } },
  { "asm/policies", { name = "linux-high", partition = "Common" } },
}

-- Objects that one declaration takes for granted, and that others would use, too.
local OWN <const> = {
  ["service-address-bigip"] = { { "ltm/virtual-address", {
    name = "192.0.2.1", address = "192.0.2.1", autoDelete = "false",
  } } },
}

--- Whether a declaration takes an object for granted that others would use.
function M.needs(name) return OWN[name] ~= nil end

--- Makes the objects that a declaration takes for granted. Returns a function that removes them.
function M.prepare(device, name)
  local own = OWN[name] or {}
  for _, object in ipairs(own) do
    curl { device, "POST", "/mgmt/tm/" .. object[1], body = object[2] }
  end
  return function()
    for i = #own, 1, -1 do
      curl { device, "DELETE", ("/mgmt/tm/%s/~Common~%s"):format(own[i][1], own[i][2].name) }
    end
  end
end

--- A device with the objects that the declarations take for granted.
function M.device()
  local device = sim.start { extensions = { "as3" }, provision = {
    "asm", "afm", "gtm", "apm", "avr", "cgnat", "pem",
  } }
  for _, object in ipairs(EXISTING) do
    local answer = curl { device, "POST", "/mgmt/tm/" .. object[1], body = object[2] }
    if answer.status > 201 then
      device:stop()
      error(object[1] .. " " .. answer.body)
    end
  end
  return device
end

--- The facts, or nil and the reason.
function M.read()
  local file <close> = io.open(FILE)
  if not file then return nil, "there is no " .. FILE end
  return json.decode(file:read "a")
end

local function camel(name)
  if name == "options" then return "tmOptions" end
  return (name:gsub("%-(%d)", "_%1"):gsub("%-(%a)", string.upper))
end

local function is_nothing(value)
  return value == nil or value == "" or value == "none" or value == json.null
    or type(value) == "table" and next(value) == nil
end

-- Words of tmsh that REST writes otherwise.
local SAME <const> = {
  ["4294967295"] = "indefinite", ["18446744073709551615"] = "indefinite",
  ["true"] = "yes", ["false"] = "no",
}

local function same_word(want, got)
  if is_nothing(want) and is_nothing(got) then return true end
  if want == "<secret>" then return got ~= nil end
  want = tostring(want):gsub("\\([$;%[%]{}])", "%1")
  want, got = want:gsub(":any$", ":0"), tostring(got):gsub("^::$", "0:0:0:0:0:0:0:0")
  if want == got or SAME[want] == got or SAME[got] == want then return true end
  -- a line of a script; quotes of tmsh
  return want:gsub("%s+$", "") == got:gsub("%s+$", "")
end

-- The facts have the names only of groups whose lists are all empty.
local EMPTY <const> = { ["address-lists"] = true }

local same

-- The items of a list of REST by their names.
local function by_name(list)
  local found = {}
  for key, item in pairs(list) do
    if type(item) == "table" then
      found[item.fullPath or item.name or key] = item
      if item.partition then
        local sub = item.subPath and item.subPath .. "/" or ""
        found[("/%s/%s%s"):format(item.partition, sub, item.name)] = item
      end
      found[item.name or key] = item
    else
      found[type(key) == "string" and key or item] = item
    end
  end
  return found
end

-- A pool member: `session` and `state` show what monitors say, too.
local function same_member(want, got)
  for key, value in pairs(want) do
    local item = got[camel(key)]
    if key == "session" then
      if (value == "user-disabled") ~= (item == "user-disabled") then return false end
    elseif key == "state" then
      if (value == "user-down") ~= (item == "user-down") then return false end
    elseif not (key == "monitor" and value == "default" and item == nil)
      and not same(value, item) then
      return false
    end
  end
  return true
end

-- The words of a condition or an action: all of them must be flags or values of the object.
local function same_policy(text, got)
  local values = {}
  for _, value in pairs(got) do
    for _, item in ipairs(type(value) == "table" and value or { value }) do
      values[tostring(item)] = true
    end
  end
  for word in text:gsub("[{}]", " "):gmatch "%S+" do
    local name = camel(word)
    if name == "name" then name = "tmName" end
    if got[name] == nil and not values[word] and word ~= "values" and word ~= "index" then
      return false
    end
  end
  return true
end

local function same_table(want, got)
  if want.policyString then return same_policy(want.policyString, got) end
  if want["dynamic-ratio"] then return same_member(want, got) end
  local named = by_name(got)
  if EMPTY[want[1]] then
    for _, name in ipairs(want) do
      if not is_nothing(got[camel(name)]) then return false end
    end
    return true
  end
  if #want > 0 then
    local joined = table.concat(want, " ")
    for name in (joined:find '"' and joined:gsub('" "', "\0"):gsub('"', "")
      or table.concat(want, "\0")):gmatch "%Z+" do
      if named[name] == nil then return false end
    end
    return true
  end
  for key, value in pairs(want) do
    local item = named[key]
    if item == nil then item = got[camel(key)] end
    if item == nil and type(value) == "table" and got[camel(key) .. "Reference"] then
      item = got[camel(key) .. "Reference"].items
    end
    if key == "default" and item == nil then item = got.tmDefault end
    if key == "enabled" and value == false and got.disabled then item = false end
    if not same(value, item) then return false end
  end
  return true
end

same = function(want, got)
  if type(want) == "table" and type(got) == "table" then return same_table(want, got) end
  if type(want) == "table" then
    if is_nothing(want) then return is_nothing(got) or got == true end
    -- "{ one two }", and the quotes of lists
    return type(got) == "string" and table.concat(want, " ") == got:gsub("[{}]", "")
      :gsub("^%s+", ""):gsub("%s+$", "")
  end
  if type(got) == "table" then return is_nothing(want) and is_nothing(got) end
  return same_word(want, got)
end

-- What the facts leave out of a value, or write in another way.
local function adapted(name, want, object)
  if want == "<secret>" then return nil end
  if type(want) == "string" and want:find "…" then return nil end
  if name == "upload" or name == "fetched-from" or name == "data-group-name" then return nil end
  if name == "monitor" and type(want) == "table" then want = table.concat(want, " and ") end
  if name == "monitor" and want == "default" then want = object.monitor and "default" end
  if name == "metadata" and type(want) == "table" and want.references then return nil end
  if name == "minimumMonitors" then return nil end
  if name == "enabled" and want == false then return "disabled", true, object.disabled end
  if name == "traffic-group" and want == "default" then
    return "inheritedTrafficGroup", "true", object.inheritedTrafficGroup
  end
  local got = object[camel(name)]
  local sub = object[camel(name) .. "Reference"]
  if type(sub) == "table" and sub.items and type(want) == "table" then got = sub.items end
  return name, want, got
end

--- Compares the properties of one object. Returns how many are listed, how many are equal, and
--- the texts of the differences.
function M.compare(facts, object)
  local listed, equal, differences = 0, 0, {}
  for name, want in pairs(facts) do
    if name ~= "kind" then
      local what, wanted, got = adapted(name, want, object)
      if what then
        listed = listed + 1
        if same(wanted, got) then
          equal = equal + 1
        else
          differences[#differences + 1] = ("%s: %s, not %s"):format(
            what, type(got) == "table" and json.encode(got) or tostring(got),
            type(wanted) == "table" and json.encode(wanted) or tostring(wanted)
          )
        end
      end
    end
  end
  return listed, equal, differences
end

--- The URI of an object of the facts.
function M.uri(kind, path)
  if kind == "auth partition" then return "/mgmt/tm/auth/partition/" .. path:sub(2) end
  -- in the facts, the name of a wide IP ends with its type
  if kind:find "^gtm wideip " then path = path:match "^(%S+)" end
  return ("/mgmt/tm/%s/%s?expandSubcollections=true"):format(
    kind:gsub(" ", "/"), (path:gsub("/", "~"):gsub("%%", "%%25"):gsub(" ", "%%20"))
  )
end

return M
