-- Policies of LTM: rules whose conditions and actions are texts of tmsh.
local references = require "sim.extensions.as3.map.references"

local M = {}

local NEGATIVE <const> = {
  ["does-not-contain"] = "contains", ["does-not-end-with"] = "ends-with",
  ["does-not-equal"] = "equals", ["does-not-start-with"] = "starts-with",
  ["does-not-match"] = "matches", ["does-not-exist"] = "exists",
}

local ANY_TLS <const> = "ssl-client-hello ssl-server-hello ssl-server-handshake request response"

-- The events of each condition; the first stands where the declaration names none, or another.
local CONDITIONS <const> = {
  ["http-status"] = "response proxy-response",
  ["http-host"] = "request proxy-connect proxy-request",
  websocket = "ws-request ws-response",
  classification = "classification-detected",
  geoip = ANY_TLS .. " client-accepted",
  ["http-set-cookie"] = "response",
  tcp = ANY_TLS .. " ws-request ws-response classification-detected client-accepted proxy-connect "
    .. "proxy-request proxy-response server-connected ssl-client-serverhello-send",
  ["http-uri"] = "request proxy-request",
  ["http-header"] = "request response",
  ["cpu-usage"] = ANY_TLS,
  ["client-ssl"] = "request response",
  ["ssl-extension"] = "ssl-client-hello ssl-server-hello",
  ["http-version"] = "request response",
  ["ssl-cert"] = "ssl-server-handshake",
}

-- The same for actions.
local EVENTS <const> = {
  ["http-header"] = "request response",
  tcl = ANY_TLS .. " proxy-request",
  log = ANY_TLS .. " ws-request ws-response classification-detected client-accepted "
    .. "ssl-client-serverhello-send server-connected proxy-request proxy-connect proxy-response",
  persist = "client-accepted proxy-request request",
  forward = "ssl-client-hello client-accepted request",
  http = "request response",
  ["http-reply"] = "request response",
  asm = "request client-accepted proxy-request",
  shutdown = "client-accepted ssl-client-hello ssl-client-serverhello-send ssl-server-hello "
    .. "ssl-server-handshake server-connected proxy-request request proxy-connect "
    .. "proxy-response response ws_request ws_response",
}

local function event_of(events, wanted)
  events = events or "request"
  for event in events:gmatch "%S+" do
    if event == wanted then return event end
  end
  return events:match "%S+"
end

-- Numbers are compared without case.
local NO_CASE <const> = {
  tcp = { address = true, port = true, mss = true, rtt = true, ["vlan-id"] = true,
    ["route-domain"] = true },
  ["http-uri"] = { port = true },
  ["http-status"] = { code = true },
  ["cpu-usage"] = { ["last-15secs"] = true, ["last-1min"] = true, ["last-5mins"] = true },
}

local function dashed(name)
  return (name:gsub("%u", function(letter) return "-" .. letter:lower() end):gsub("_", "-"))
end

local function quoted(value)
  value = tostring(value)
  if value:find " " or value:find "^tcl:" then
    return '"' .. value:gsub('"', '\\"') .. '"'
  end
  return value
end

-- The words for what is compared: "path starts-with values { /api } case-insensitive".
local function comparison(kind, selector, test, condition)
  local words = { selector }
  local operand = test.operand or (kind == "tcp" and selector == "address" and "matches"
    or "equals")
  if NEGATIVE[operand] then
    words[#words + 1] = "not"
    operand = NEGATIVE[operand]
  end
  words[#words + 1] = operand
  if test.values and #test.values > 0 then
    local values = {}
    for i, value in ipairs(test.values) do values[i] = quoted(value) end
    words[#words + 1] = ("values { %s }"):format(table.concat(values, " "))
  end
  local group = references.plain(test.datagroup)
  if group then words[#words + 1] = "datagroup " .. group end
  if not (NO_CASE[kind] and NO_CASE[kind][selector]) then
    local exact = test.caseSensitive or condition.caseSensitive
    words[#words + 1] = exact and "case-sensitive" or "case-insensitive"
  end
  if condition.name then words[#words + 1] = "name " .. quoted(condition.name) end
  if condition.index and condition.index ~= 0 then
    words[#words + 1] = ("index %d"):format(condition.index)
  end
  if condition.normalized then words[#words + 1] = "normalized" end
  return table.concat(words, " ")
end

local SELECTORS <const> = { type = true, event = true, name = true, index = true,
  normalized = true }

local function condition_text(condition, place)
  if condition.policyString then return condition.policyString end
  local kind = dashed(condition.type)
  for selector, test in pairs(condition) do
    if not SELECTORS[selector] and type(test) == "table" then
      return ("%s %s %s"):format(kind, event_of(CONDITIONS[kind], condition.event),
        comparison(kind, dashed(selector), test, condition))
    end
  end
  references.fail(place, ("condition %s is not simulated"):format(condition.type))
end

-- "path value" for each property that is there, in this order.
local function pairs_of(source, names)
  local words = {}
  for name in names:gmatch "%S+" do
    local value = references.plain(source[name])
    if value ~= nil then
      words[#words + 1] = dashed(name)
      words[#words + 1] = quoted(value)
    end
  end
  return table.concat(words, " ")
end

local function switched(action)
  return (action.enabled or action.enable) and "enable" or "disable"
end

-- enable with a policy or a profile, else disable.
local function protection(name, key)
  return function(action)
    local path = references.plain(action[key])
    return path and ("enable %s %s"):format(name, path) or "disable"
  end
end

local PERSIST <const> = {
  sourceAddress = "netmask timeout", destinationAddress = "netmask timeout",
  cookieInsert = "name expiry", cookieRewrite = "name expiry", cookiePassive = "name",
  cookieHash = "name offset length timeout", universal = "key timeout", hash = "key timeout",
  carp = "key timeout",
}

local function edit(names)
  return function(action)
    for _, verb in ipairs { "replace", "insert", "remove" } do
      local what = action[verb]
      if type(what) == "table" then return verb .. " " .. pairs_of(what, names) end
    end
    return nil
  end
end

-- Each type of action: the word of tmsh (default: the type with dashes), and what follows the
-- event.
local ACTIONS <const> = {
  waf = { "asm", protection("policy", "policy") },
  botDefense = { "bot-defense", protection("from-profile", "profile") },
  l7dos = { "l7dos", protection("from-profile", "profile") },
  drop = { "shutdown", function() return "connection" end },
  httpRedirect = { "http-reply", function(action)
    return "redirect " .. pairs_of(action, "code location")
  end },
  clientSsl = { "server-ssl", switched },
  serverSsl = { "server-ssl", switched },
  http = { "http", switched },
  httpHeader = { "http-header", edit "name value" },
  httpCookie = { "http-cookie", edit "name value" },
  httpUri = { "http-uri", edit "value path queryString" },
  forward = { "forward", function(action)
    local select = action.select or {}
    local virtual = select.service or select.virtual
    if virtual then return "select virtual " .. references.plain(virtual) end
    return "select " .. pairs_of(select, "snat pool node")
  end },
  log = { "log", function(action)
    return "write " .. pairs_of(type(action.write) == "table" and action.write or action,
      "message facility priority ipAddress port")
  end },
  tcl = { "tcl", function(action)
    return "set-variable " .. pairs_of(action.setVariable or {}, "name expression")
  end },
  persist = { "persist", function(action)
    if action.disable then return "disable" end
    for method, names in pairs(PERSIST) do
      if type(action[method]) == "table" then
        return dashed(method) .. " " .. pairs_of(action[method], names)
      end
    end
    return nil
  end },
}

local function action_text(action, place)
  if action.policyString then return action.policyString end
  local known = ACTIONS[action.type]
  local rest = known and known[2](action)
  if not rest then references.fail(place, ("action %s is not simulated"):format(action.type)) end
  return ("%s %s %s"):format(known[1], event_of(EVENTS[known[1]], action.event), rest)
end

local function texts(list, text_of, place)
  local out = {}
  for i, entry in ipairs(list or {}) do
    out[("%d"):format(i - 1)] = {
      policyString = text_of(entry, ("%s/%d"):format(place, i - 1)),
    }
  end
  return out
end

M.Endpoint_Policy = function(at, item, name)
  local path = at:path(name)
  local strategy = "/Common/" .. item.strategy
  if item.strategy == "custom" then
    strategy = references.plain(item.customStrategy)
    if type(item.customStrategy) == "string" and item.customStrategy:sub(1, 8) ~= "/Common/" then
      strategy = references.resolve(at, item.customStrategy, path .. "/customStrategy")
    end
  end
  local rules = {}
  for i, rule in ipairs(item.rules or {}) do
    local place = ("%s/rules/%d"):format(path, i - 1)
    rules[rule.name] = {
      description = rule.remark,
      ordinal = i - 1,
      conditions = texts(rule.conditions, condition_text, place .. "/conditions"),
      actions = texts(rule.actions, action_text, place .. "/actions"),
    }
  end
  local props = at:properties("ltm policy", { remark = item.remark })
  props.rules, props.strategy = rules, strategy
  at:add("ltm policy", path, props)
end

return M
