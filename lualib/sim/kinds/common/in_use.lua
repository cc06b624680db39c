-- How a device refuses to delete an object that another one uses, and to refer to one that does not
-- exist. The words were seen in public reports (docs/simulator.md says which); those of other kinds
-- follow them.
local catalogue = require "sim.config.catalogue"

local M = {}

-- The word for an object of this template in messages: that of its kind, else of its collection.
function M.noun(template)
  local node = catalogue.find(template)
  if node and node.noun then return node.noun end
  local above = template:match "^(.*)/[^/]+$"
  while above do
    local group = catalogue.find(above)
    if group and group.type == "organizing" and group.noun then return group.noun end
    above = above:match "^(.*)/[^/]+$"
  end
  return (template:match "[^/*]+$" or template):gsub("%-", " ")
end

-- Kind of the target -> its name in these messages, where it is another than elsewhere.
local TARGETS <const> = {
  ["ltm/profile/client-ssl"] = "ClientSSL Profile",
  ["ltm/profile/server-ssl"] = "ServerSSL Profile",
  ["ltm/profile/fastl4"] = "FastL4 Profile", ["ltm/profile/fasthttp"] = "FastHTTP Profile",
  ["ltm/profile/http"] = "HTTP Profile", ["ltm/profile/tcp"] = "TCP Profile",
  ["ltm/profile/udp"] = "UDP Profile",
  ["ltm/rule"] = "rule", ["ltm/policy"] = "policy",
}

-- Kind of the target -> what a message about a reference to it calls it, where that is another word
-- than in messages about the object itself.
local REFERRED <const> = { ["ltm/rule"] = "rule", ["ltm/policy"] = "policy" }

-- What a missing target is answered, where it is not "not found".
local MISSING <const> = {
  ["cm/traffic-group"] = "01070734:3: Configuration error: Traffic group (%s) does not exist.",
}
local MISSING_FILE <const> = "0107134a:3: File object by name (%s) is missing."
local MISSING_KEY <const> = "01070277:3: The requested key (%s) was not found."

--- The word for the target of a relation ("ltm/profile/*") in messages.
function M.referred(to)
  local template = to:gsub("/%*$", "")
  return REFERRED[template] or M.noun(template)
end

--- The refusal of an object of this template whose target does not exist; nil if it is the usual
--- one, "The requested … was not found."
function M.missing(template, relation, full)
  local to = relation.to[1]
  local text = MISSING[to]
  if not text and to:find "^sys/file/" then
    text = template == "ltm/profile/client-ssl" and to == "sys/file/ssl-key" and MISSING_KEY
      or MISSING_FILE
  end
  return text and text:format(full)
end

-- What a user with a key of several parts is called. All parts are named: "(VIRTUAL PROFILE)".
local COMPOUND <const> = {
  ["ltm/virtual/*/profiles"] = "virtual server profile",
  ["ltm/policy/*/rules/*/actions"] = "policy action",
  ["gtm/pool/a/*/members"] = "pool member", ["gtm/pool/aaaa/*/members"] = "pool member",
}

-- "Virtual Server" -> "virtual server", "Self IP" -> "self IP"
local function in_lower_case(noun)
  return (noun:gsub("%f[%w]%u%f[%l]", string.lower))
end

local function name_of(object) return object.fullPath or object.name end

-- The name of an object of a sub-collection, with those of all its owners.
local function full_key(store, path)
  local parts = {}
  while path do
    local object = store:get(path)
    if not object then break end
    table.insert(parts, 1, name_of(object))
    path = path:match "^(.*)/[^/]+/[^/]+$"
  end
  return table.concat(parts, " ")
end

--- The message of a refusal.
-- @param template of the object, and that of the user, at user_path
function M.message(store, template, object, user_template, user_path)
  local word = COMPOUND[user_template]
  local name
  if word then
    name = full_key(store, user_path)
  else
    -- an object of a sub-collection is named by its owner
    local owner_path = user_template:find "/%*/" and user_path:match "^(.*)/[^/]+/[^/]+$"
      or user_path
    local owner = store:get(owner_path)
    name = owner and name_of(owner) or user_path
    user_template = user_template:gsub("/%*/[^*]*$", "")
    word = user_template:find "^ltm/profile/" and "profile" or M.referred(user_template)
    word = template == "ltm/pool" and word or in_lower_case(word)
  end
  return ("01070265:3: The %s (%s) cannot be deleted because it is in use by a %s (%s)."):format(
    TARGETS[template] or M.noun(template), name_of(object), word, name
  )
end

return M
