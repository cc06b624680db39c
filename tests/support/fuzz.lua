-- Makes senseless requests, seeds, states and scripts for the simulated device. The same number
-- gives the same ones, so that a failure comes again.
local catalogue = require "sim.config.catalogue"
local json = require "f5.json"

local Fuzz = {}
Fuzz.__index = Fuzz

local METHODS <const> = { "GET", "GET", "GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE" }
local NAMES <const> = {
  "a", "~Common~a", "~Common~http", "~Common~tcp", "~Common~clientssl", "~", "~~", "~Common",
  "~Common~", "~Common~a~b", "..", "%2e%2e", "%00", "%0A", "%FF", "%C3%A9", "1", "0", "-1",
  "~Common~192.0.2.1:80", "~Common~192.0.2.1", "192.0.2.1%251:80", "fd00::1.80", "*", "%20",
  "admin",
  "Common", "true", "null", "stats", "example", "members", "%24select", "a%2Fb", "x&y", "a;b", "'",
  "%22", "[", "{", "~Common~vs", "~Common~dg", "7a0b1c2d3e4f5a6b7c8d9e", "root", "~Common~Drafts~p",
}
-- Paths outside of the configuration.
local OTHERS <const> = {
  "/mgmt", "/mgmt/tm", "/mgmt/shared", "/mgmt/cm", "/", "", "/mgmt/tm/transaction",
  "/mgmt/tm/transaction/1", "/mgmt/tm/transaction/1/commands", "/mgmt/tm/transaction/1/commands/1",
  "/mgmt/tm/task/sys/ucs", "/mgmt/tm/task/sys/ucs/1", "/mgmt/tm/task/sys/ucs/1/result",
  "/mgmt/tm/task/util/bash", "/mgmt/tm/task/ltm/virtual", "/mgmt/tm/util/bash",
  "/mgmt/tm/util/ping", "/mgmt/tm/util/unix-ls", "/mgmt/tm/util/unix-mv", "/mgmt/tm/util/unix-rm",
  "/mgmt/tm/util/qkview", "/mgmt/tm/util/dig", "/mgmt/tm/sys/config", "/mgmt/tm/sys/ucs",
  "/mgmt/tm/sys/software/image", "/mgmt/tm/sys/software/volume", "/mgmt/tm/sys/crypto/cert",
  "/mgmt/tm/sys/crypto/key", "/mgmt/tm/sys/failover", "/mgmt/tm/sys/service", "/mgmt/tm/cm",
  "/mgmt/tm/shared/sys/backup", "/mgmt/tm/shared/licensing/registration",
  "/mgmt/cm/autodeploy/qkview", "/mgmt/cm/autodeploy/software-image-uploads/x.iso",
  "/mgmt/cm/autodeploy/software-image-downloads/x.iso", "/mgmt/shared/authn/login",
  "/mgmt/shared/authn/root", "/mgmt/shared/authn/exchange", "/mgmt/shared/authz/tokens",
  "/mgmt/shared/authz/tokens/ABC", "/mgmt/shared/authz/users", "/mgmt/shared/authz/users/operator",
  "/mgmt/shared/authz/roles", "/mgmt/shared/echo", "/mgmt/shared/echo-query",
  "/mgmt/shared/file-transfer/uploads/x", "/mgmt/shared/file-transfer/downloads/x",
  "/mgmt/shared/file-transfer/ucs-uploads/x.ucs", "/mgmt/shared/file-transfer/ucs-downloads/x.ucs",
  "/mgmt/shared/iapp/package-management-tasks", "/mgmt/shared/iapp/blocks",
  "/mgmt/shared/identified-devices/config/device-info", "/mgmt/shared/settings/api-status/log",
  "/mgmt/shared/settings/api-status/availability", "/mgmt/shared/diagnostics",
  "/mgmt/shared/device-certificate", "/mgmt/shared/save-config", "/mgmt/shared/nothing",
  "/mgmt/tm/asm", "/mgmt/tm/asm/policies", "/mgmt/tm/asm/policies/ID",
  "/mgmt/tm/asm/policies/ID/urls", "/mgmt/tm/asm/policies/ID/parameters",
  "/mgmt/tm/asm/policies/ID/signatures", "/mgmt/tm/asm/policies/ID/blocking-settings",
  "/mgmt/tm/asm/policies/ID/general", "/mgmt/tm/asm/policies/ID/filetypes",
  "/mgmt/tm/asm/policies/ID/cookies", "/mgmt/tm/asm/policies/ID/login-pages",
  "/mgmt/tm/asm/policies/ID/suggestions", "/mgmt/tm/asm/policies/ID/data-guard",
  "/mgmt/tm/asm/policies/ID/whitelist-ips", "/mgmt/tm/asm/signatures",
  "/mgmt/tm/asm/signature-sets", "/mgmt/tm/asm/policy-templates", "/mgmt/tm/asm/events/requests",
  "/mgmt/tm/asm/tasks/apply-policy", "/mgmt/tm/asm/tasks/import-policy",
  "/mgmt/tm/asm/tasks/export-policy", "/mgmt/tm/asm/tasks/check-signatures",
  "/mgmt/tm/asm/tasks/import-vulnerabilities", "/mgmt/tm/asm/tasks/policy-diff",
  "/mgmt/tm/asm/tasks/export-data-protection", "/mgmt/tm/asm/file-transfer/uploads/x.xml",
  "/mgmt/tm/asm/file-transfer/downloads/x.xml", "/mgmt/tm/live-update",
  "/mgmt/tm/live-update/asm-attack-signatures",
  "/mgmt/tm/live-update/asm-attack-signatures/installations",
  "/mgmt/tm/live-update/asm-attack-signatures/update-files", "/mgmt/tm/apm/session",
  "/mgmt/tm/apm/oauth/token-details", "/mgmt/tm/apm/url-filter", "/mgmt/tm/analytics",
  "/mgmt/tm/analytics/report", "/mgmt/tm/access", "/mgmt/tm/adc", "/mgmt/tm/file", "/mgmt/tm/cloud",
}
local TEXTS <const> = {
  "", "a", "/Common/a", "a b", "none", "all", "default", "true", "enabled", "disabled", "0", "-1",
  "1e400", "99999999999999999999", "192.0.2.1", "192.0.2.1:80", "192.0.2.1%1:80", "192.0.2.0/24",
  "fd00::1", "fd00::1.80", "::", "any", "*:*", "/", "//", "~", "%", "%s%n", "\0", "\n", "\t{", "é",
  "../../../etc/passwd", "file:///etc/passwd", "file:/etc/passwd", "/etc/passwd",
  "/var/config/rest/downloads/x", "http://192.0.2.1/", "https://localhost/mgmt/tm/ltm/pool",
  "https://localhost/mgmt/tm/asm/policies?$filter=name eq a", "min 1 of { /Common/http }",
  "/Common/http and /Common/tcp", "and", "min", "-c 'ls'", "-c \"echo $(ls)\"", "-c", "save",
  "load",
  "run", "cp", "mv", "install", "publish", "VALIDATING", "STARTED", "admin", "all-partitions",
  "{ a }", "{", "}", "[", "\"", "'", "\\", "$M$ab$cd", "when HTTP_REQUEST { pool a }", "2024-01-01",
  "2024-01-01T00:00:00Z", "(", ")", "(((", "a eq 1", "partition eq Common",
}
local FILTERS <const> = {
  "name", "partition", "id", "enabled", "type", "a/b", "link", "1", "-1", "1.5", "1e9", "'a'", "''",
  "null", "true", "datetime'2024'", "/Common/a", "Common", "'it''s'", "'",
}
local OPERATORS <const> = {
  "eq", "ne", "gt", "lt", "ge", "le", "and", "or", "not", "add", "mod", "xx", "(", ")", ",",
  "contains", "startswith", "substringof", "endswith", "tolower", "length", "indexof",
}

function Fuzz.new(seed)
  return setmetatable({ seed = seed * 2654435761 + 12345, templates = {} }, Fuzz)
end

-- A number from 1 to n.
function Fuzz:random(n)
  self.seed = self.seed * 6364136223846793005 + 1442695040888963407
  return (self.seed >> 33) % n + 1
end

function Fuzz:any(list)
  return list[self:random(#list)]
end

function Fuzz:chance(n)
  return self:random(n) == 1
end

-- All templates of the catalogue.
local function templates_of()
  local list = {}
  for _, module in ipairs(catalogue.modules()) do
    for _, template in ipairs(catalogue.templates(module)) do list[#list + 1] = template end
  end
  return list
end

local all_templates

function Fuzz:template()
  all_templates = all_templates or templates_of()
  return self:any(all_templates)
end

-- A value for JSON. Deep ones are rare.
function Fuzz:value(depth)
  local dice <const> = self:random(14)
  if dice == 1 then return json.null end
  if dice == 2 then
    return self:any {
      0, -1, 1, 1 << 62, math.mininteger, math.maxinteger, 1.5, -0.0, 1e300, -1e300, 4294967296,
      65536,
    }
  end
  if dice == 3 then return self:chance(2) end
  if dice <= 5 and depth < 5 then
    local list <const> = json.array {}
    for i = 1, self:random(4) - 1 do list[i] = self:value(depth + 1) end
    return list
  end
  if dice <= 7 and depth < 5 then return self:object(nil, depth + 1) end
  if dice == 8 then return ("x"):rep(self:random(2000)) end
  if dice == 9 then return { link = "https://localhost" .. self:path() } end
  return self:any(TEXTS)
end

-- A body with properties of the kind, and with others.
function Fuzz:object(node, depth)
  local object = {}
  local known = {}
  for name in pairs(node and node.props or {}) do known[#known + 1] = name end
  for reference, sub in pairs(node and node.subs or {}) do
    known[#known + 1], known[#known + 2] = sub, reference
  end
  table.sort(known)
  for _ = 1, self:random(5) do
    local key = #known > 0 and not self:chance(4) and self:any(known) or self:any {
      "name", "command", "utilCmdArgs", "state", "partition", "members", "target", "options",
      "_taskState", "timeout", "token", "user", "username", "password", "loginReference", "action",
      "loginProviderName", "operation", "packageFilePath", "file", "filename", "address", "pool",
      "destination", "subPath", "volume", "partitionAccess", "partition-access", "role", "monitor",
      "fullPath", "rules", "profiles", "asyncExecution", "session", "kind", "selfLink",
      "generation",
      "defaultsFrom", "apiRawValues", "metadata", "policyReference", "link", "items", "id", "\0",
      "",
      "entries", "commands", "from-local-file", "sourcePath", "content", "templateReference",
      "oldPassword", "newPassword", "_own", "_factory", "__index", "format", "minimal",
    }
    object[key] = self:value(depth or 0)
  end
  if self:chance(2) then object.name = self:any(TEXTS) end
  return object
end

function Fuzz:path()
  local path
  if self:chance(3) then
    path = self:any(OTHERS):gsub("ID", self.policy or "ID")
    if self.transaction then
      path = path:gsub("transaction/1", "transaction/" .. self.transaction)
    end
    if self:chance(3) then path = path .. "/" .. self:any(NAMES) end
  else
    path = "/mgmt/tm/" .. self:template():gsub("%*", function() return self:any(NAMES) end)
    self.last = path
    if self:chance(2) then path = path .. "/" .. self:any(NAMES) end
  end
  if self:chance(8) then
    path = path .. self:any { "/stats", "/example", "/", "//", "/available" }
  end
  return path
end

local function encode(text)
  return (text:gsub("[^%w%-._~/$'(),:*{}]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

function Fuzz:filter()
  local words = {}
  for n = 1, self:random(8) do
    words[n] = self:chance(2) and self:any(FILTERS) or self:any(OPERATORS)
  end
  return table.concat(words, self:chance(6) and "" or " ")
end

-- "records add { k { data v } }" and the like.
function Fuzz:options()
  local words = {
    self:any {
      "records", "rules", "members", "profiles", "vlans", "servers", "communities", "addresses",
      "partition-access", "certKeyChain", "cert-key-chain", "entries", "name", "",
    },
    self:any { "add", "delete", "modify", "replace-all-with", "none", "ad" },
  }
  for n = 3, self:random(14) + 2 do
    words[n] = self:any {
      "{", "{", "}", "}", "a", "all", "\"x y\"", "\"", "10.0.0.1:80", "data", "add", "/Common/a",
    }
  end
  return table.concat(words, " ")
end

function Fuzz:query()
  if self:chance(2) then return "" end
  local parts = {}
  for n = 1, self:random(3) do
    parts[n] = self:any {
      "$select=name", "$select=" .. self:any(NAMES), "$top=" .. self:any { "2", "0", "-1", "x",
      "1e9" },
      "$skip=" .. self:any { "1", "9223372036854775807", "-1", "x", "1.5" },
      "$filter=" .. encode(self:filter()), "$filter=" .. encode(self:filter()),
      "$orderby=" .. encode(self:filter()), "$expand=" .. self:any(NAMES),
      "options=" .. encode(self:options()), "options=" .. encode(self:any(TEXTS)),
      "ver=" .. self:any { "11.0.0", "17.1.0", "x", "99", "1.2.3.4.5", "-1" },
      "expandSubcollections=" .. self:any { "true", "false", "x" }, "a=b", "=", "&&", "%FF=%zz",
      "$stats=true", "reset-stats", "$inlinecount=allpages", "asyncExecution=true",
    }
  end
  return "?" .. table.concat(parts, "&")
end

-- A body as a text that is no good JSON, or none at all.
function Fuzz:raw()
  local depth = self:random(3) == 1 and 3000 or 5
  return self:any {
    "", "{", "[]", "[1]", "null", "true", "5", "\"x\"", "{\"a\":}", "{\"a\":1,\"a\":2}", "{'a':1}",
    "{\"name\":\"a\"}}", "\xff\xfe", "{\"name\":\"\xff\"}", "{\"name\":\"\\ud800\"}",
    "{\"name\":\"\\u0000\"}", "{\"name\":1e999}", "{\"name\":-}",
    "{\"name\":99999999999999999999999}",
    ("["):rep(depth) .. ("]"):rep(depth), ("{\"a\":"):rep(depth) .. "1" .. ("}"):rep(depth),
    "<xml/>", "a=b&c=d", "{\"name\":\"" .. ("é"):rep(300) .. "\"}",
  }
end

function Fuzz:headers()
  local headers = {}
  if self.transaction and self:chance(8) then
    headers["X-F5-REST-Coordination-Id"] = self.transaction
  end
  if self:chance(2) then return next(headers) and headers or nil end
  for _ = 1, self:random(2) do
    local name = self:any {
      "Content-Type", "Content-Range", "X-F5-REST-Coordination-Id", "Accept", "Origin", "Referer",
      "X-F5-Auth-Token", "X-F5-New-Authtok-Reqd", "Content-Encoding", "Range",
      "X-HTTP-Method-Override",
      "Expires", "Cookie", "User-Agent", "X-Forwarded-For", "If-None-Match",
    }
    headers[name] = self:any {
      "application/json", "application/octet-stream", "text/plain", "application/json; charset=x",
      "1",
      "0-0/1", "0-9/10", "5-1/9", "0-9223372036854775806/9223372036854775807", "-1-0/0", "x",
      "a-b/c",
      "99999999999999999999", "*/*", "https://example.net", "bytes=0-", ("y"):rep(500), "null",
      "gzip",
    }
  end
  return headers
end

--- A request: { method =, path =, options = { body =, headers = } }.
function Fuzz:request()
  local method, path = self:any(METHODS), self:path()
  local options = { headers = self:headers() }
  if method ~= "GET" and not (method == "DELETE" and self:chance(2)) then
    local template = self.last and self.last:match "^/mgmt/tm/(.*)$"
    local node = template and catalogue.find((template:gsub("/~[^/]*", "/*")))
    if self:chance(6) then
      options.body = self:raw()
      options.headers = options.headers or {}
      options.headers["Content-Type"] = options.headers["Content-Type"] or "application/json"
    else
      options.body = self:object(node)
    end
  end
  return { method = method, path = path .. self:query(), options = options }
end

--- A script for the simulated shell.
function Fuzz:script()
  local words = {}
  for n = 1, self:random(12) do
    words[n] = self:any {
      "echo", "cat", "grep", "head", "tail", "ls", "rm", "mv", "cp", "printf", "tmsh", "list",
      "show",
      "create", "modify", "delete", "ltm", "pool", "virtual", "sys", "/Common/a", "a", "-n", "-c",
      "-E",
      "-", "--", "1", "99999999999", "|", "||", "&&", ";", ">", ">>", "<", "2>&1", "&", "(", ")",
      "{",
      "}", "$(", "`", "$a", "${a}", "${a:-b}", "$((1+1))", "$((", "'", "\"", "\\", "if", "then",
      "else",
      "fi", "for", "in", "do", "done", "while", "true", "false", "!", "[", "]", "*", "?", "~",
      "/etc/passwd",
      "/var/log/ltm", "../../..", "a=b", "<<EOF", "EOF", "\n", "date", "+%s", "stat", "base64",
      "-d", "wc",
      "sha256sum", "test", "-f", "sleep", "exit", "eval", "export", "bigstart", "restart", "mcpd",
      "é",
      "\0", "%s", "%999999999d", "{ a }", "awk", "sed", "s/a/b/", "xargs", "find", "/", "read", "x",
    }
  end
  return table.concat(words, self:chance(5) and "" or " ")
end

--- Changes a value somewhere in a table, in place: a copy of a saved state or a seed.
function Fuzz:mutate(value)
  local at = value
  for _ = 1, self:random(6) do
    local keys = {}
    for key in pairs(at) do keys[#keys + 1] = key end
    if #keys == 0 then break end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    local key = self:any(keys)
    if type(at[key]) ~= "table" or self:chance(4) then
      at[key] = not self:chance(5) and self:value(3) or nil
      return value
    end
    at = at[key]
  end
  if json.is_array(at) then
    at[#at + 1] = self:value(3)
  else
    at[self:any { "a", "/mgmt/tm/ltm/pool", "name", "x" }] = self:value(3)
  end
  return value
end

--- Changes a property of an object of a saved state; returns the path of the object.
function Fuzz:mutate_object(state)
  local paths = {}
  for path in pairs(state.objects.items) do
    if self:chance(3) or not path:find "/sys/db/" then paths[#paths + 1] = path end
  end
  table.sort(paths)
  local path = self:any(paths)
  local object, names = state.objects.items[path], {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names)
  object[self:any(names)] = not self:chance(6) and self:value(3) or nil
  return path
end

--- A changed copy of an exported policy. `format`: "json" or "xml".
function Fuzz:document(text, format)
  if format == "json" then
    local document = json.decode(text)
    for _ = 1, self:random(4) do self:mutate(document.policy or document) end
    return json.encode(document)
  end
  for _ = 1, self:random(4) do
    local at = self:random(#text)
    local insert = self:any {
      "", "<a>", "</a>", "&", "&#x0;", "<![CDATA[", "\"", "<!--", "x", "<policy>", "<?xml",
    }
    text = text:sub(1, at) .. insert .. text:sub(at + (self:chance(2) and self:random(30) or 1))
  end
  return text
end

-- An object with some of these fields, of which most have fitting values.
function Fuzz:fields(names)
  local object = {}
  for name, fitting in pairs(names) do
    if not self:chance(3) then
      object[name] = not self:chance(4) and self:any(fitting) or self:value(2)
    end
  end
  return object
end

local POOL <const> = "/mgmt/tm/ltm/pool/~Common~http"

-- A part of a seed with nearly fitting values.
function Fuzz:part(name)
  if name == "provision" then return json.array { self:any { "ltm", "asm", "x" },
    self:value(1) } end
  if name == "health" then return { [self:any(TEXTS)] = self:any { "up", "down", "x" } } end
  if name == "users" then
    return json.array { self:fields {
      name = { "admin", "u" }, password = { "admin", "p" },
      role = { "admin", "guest", "x" }, partitionAccess = { "x" },
    } }
  end
  if name == "traffic" then
    return json.array { self:fields {
      path = { POOL, "/mgmt/tm/net/vlan/x", "/mgmt/tm/ltm/profile/http/~Common~http" },
      connections = { 5, -1 }, health = { "up" }, counters = { { totRequests = 5 } },
      rate = { { connections = 5 }, { x = 1 } },
    } }
  end
  if name == "apm" then
    return {
      sessions = json.array { self:fields { id = { "a" }, user = { "u" },
        client = { "10.0.0.1" } } },
      tokens = json.array { self:fields { id = { "a" }, client = { "c" }, app = { "x" },
        user = { "u" } } },
    }
  end
  if name == "live_update" then
    return { [self:any { "asm-attack-signatures", "bot-signatures", "x" }] = json.array {
      self:fields { createDateTime = { "2024-01-01T00:00:00Z" }, filename = { "a.im" } },
    } }
  end
  return {
    policies = json.array { self:fields {
      name = { "p", "q" }, fullPath = { "/Common/p" }, partition = { "Common" }, active = { true },
      urls = { json.array { { name = "/a", protocol = "http" } } },
        enforcementMode = { "blocking" },
      suggestions = { json.array { { x = 1 } } }, vulnerabilities = { json.array { { x = 1 } } },
      parameters = { json.array { { name = "a" } } }, signatures = { json.array {} },
      general = { { trustXff = true } }, templateReference = { { link = "x" } },
    } },
    requests = json.array { self:fields { uri = { "/x" }, method = { "GET" }, x = { 1 } } },
    subscriptions = json.array { { name = self:any { "x", "asm" } } },
  }
end

--- A seed.
function Fuzz:a_seed()
  local seed = { objects = {} }
  for _ = 1, self:random(2) do
    local template = self:template()
    local node = catalogue.find(template)
    local path = "/mgmt/tm/" .. template:gsub("%*", "~Common~a")
    local body = self:chance(2) and self:object(node) or { description = self:any(TEXTS) }
    if node.type == "collection" then body.name = body.name or "walk" end
    seed.objects[path] = node.type == "collection" and not self:chance(5) and json.array { body }
      or body
  end
  if self:chance(3) then
    seed[self:any { "users", "health", "traffic", "provision", "asm", "apm", "live_update", "x" }] =
      self:value(0)
  end
  if self:chance(3) then
    local part = self:any { "users", "traffic", "health", "asm", "apm", "live_update", "provision" }
    seed[part] = self:part(part)
  end
  return seed
end

return Fuzz
