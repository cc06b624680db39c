-- Checks bodies: names of properties, types, choices, addresses, names. Refusals are those of icrd.
local json = require "f5.json"
local choices = require "sim.config.choices"
local errors = require "sim.http.errors"

local M = {}

local SYNTAX <const> = 26214401  -- icrd's number for errors of tmsh's parser

function M.refuse(message, api_error)
  error(errors.tm(400, message, api_error or SYNTAX), 0)
end

-- A refusal of mcpd: its message number is in the text, and apiError is 3.
function M.refuse_mcpd(message)
  error(errors.tm(400, message, 3), 0)
end

function M.nothing_to_do()
  error(errors.tm(400, "one or more properties must be specified", 1), 0)
end

local function text_of(value)
  if type(value) == "string" then return value end
  if type(value) == "number" or type(value) == "boolean" then return tostring(value) end
  local ok, text = pcall(json.encode, value)
  return ok and text or tostring(value)
end

function M.invalid(name, value)
  M.refuse(('invalid property value "%s":"%s"'):format(name, text_of(value)))
end

-- Returns a text, or refuses a value of another type.
function M.text(name, value)
  if type(value) ~= "string" then M.invalid(name, value) end
  return value
end

-- "load-balancing-mode" -> "loadBalancingMode": devices also accept the spelling of tmsh.
function M.camel(name)
  if not name:find "-" then return name end
  -- a digit keeps a separator: "allow-http-10" is "allowHttp_10"
  local camel = name:gsub("%-(%d)", "_%1"):gsub("%-(%w)", string.upper)
  return camel
end

local function integer(value)
  if math.type(value) == "integer" then return value end
  if math.type(value) == "float" then return math.tointeger(value) end
  if type(value) == "string" and value:find "^%-?%d+$" then
    return math.tointeger(tonumber(value))
  end
  return nil
end

-- Converters: value in the body -> value in the object; nil for a wrong value. `M.NONE` removes the
-- property.
local NONE <const> = {}
M.NONE = NONE

local convert <const> = {}

function convert.s(value, spec)
  if type(value) == "string" then
    -- an empty text is "none", which some properties show
    if value == "" and not spec.keeps_empty then value = "none" end
    if value == "none" and not spec.keeps_none then return NONE end
    return value
  end
  if type(value) == "number" then return tostring(math.tointeger(value) or value) end
  if type(value) == "boolean" then
    local words = spec.choices and not spec.choices["true"]
    return words and (value and "enabled" or "disabled") or tostring(value)
  end
  -- few recorded objects: a property that was always one word can still be a list
  if type(value) == "table" and not spec.exact then return value end
  return nil
end

function convert.i(value, spec)
  if value == "none" then return NONE end
  if not spec.exact and type(value) == "string" and not spec.range then
    return integer(value)
      or (choices.is_number_word(value) or M.port(value)) and value or nil
  end
  return integer(value)
end

function convert.n(value)
  if value == "none" then return NONE end
  if type(value) == "number" then return value end
  return type(value) == "string" and tonumber(value) or nil
end

-- A number or a word such as "indefinite".
function convert.m(value, spec)
  return integer(value) or convert.s(value, spec)
end

function convert.b(value)
  if type(value) == "boolean" then return value end
  if value == "true" or value == "yes" or value == "enabled" then return true end
  if value == "false" or value == "no" or value == "disabled" or value == "none" then
    return false
  end
  return nil
end

-- The objects in a list do not show lists that are empty.
local function without_empty_lists(list)
  local copy = {}
  for i, item in ipairs(list) do
    copy[i] = item
    for name, field in pairs(type(item) == "table" and not json.is_array(item) and item or {}) do
      if type(field) == "table" and json.is_array(field) and #field == 0 then
        if copy[i] == item then
          copy[i] = {}
          for key, one in pairs(item) do copy[i][key] = one end
        end
        copy[i][name] = nil
      end
    end
  end
  return copy
end

function convert.a(value, spec)
  if value == "none" or value == "" then return NONE end
  if type(value) == "table" then
    if #value == 0 and next(value) == nil then return spec.keeps_empty and json.array {} or NONE end
    if json.is_array(value) or #value > 0 then return json.array(without_empty_lists(value)) end
    return json.array { value }
  end
  if type(value) == "string" then return json.array { value } end
  return nil
end

-- Any value, such as a word or a list (allowService).
function convert.x(value)
  if value == "none" or value == "" then return NONE end
  return value
end

function convert.o(value)
  if value == "none" then return NONE end
  if type(value) == "table" then return value end
  return type(value) == "string" and value or nil
end

-- Texts that are kept as they are written.
local FREE_TEXT <const> =
  { description = true, value = true, data = true, send = true, recv = true }

-- "allowService" -> "allow-service", as tmsh writes it.
local function in_tmsh(name)
  return (name:gsub("%u", function(letter) return "-" .. letter:lower() end))
end

-- Refuses a word that is none of the choices.
local function refuse_choice(name, value, known)
  if known.enabled and known.disabled and type(value) == "string" then
    local list = {}
    for choice in pairs(known) do list[#list + 1] = ('"%s"'):format(choice) end
    table.sort(list)
    M.refuse(
      ('"%s" invalid value "%s", expected one of the following: %s'):format(
        in_tmsh(name), value, table.concat(list, " ")
      )
    )
  end
  M.invalid(name, value)
end

local function check_word(name, item, known)
  if known.number then
    if
      type(item) == "string" and not integer(item) and not choices.is_number_word(item)
      and not M.port(item)
    then
      M.invalid(name, item)
    end
  elseif known.choices and (type(item) ~= "string" or not known.choices[item]) then
    refuse_choice(name, item, known.choices)
  end
end

-- Refuses wrong values inside of a group, at every depth.
local function check_inside(value, inside)
  for given, item in pairs(value) do
    local name = type(given) == "string" and M.camel(given) or ""
    local known = inside[name]
    if type(item) == "table" then
      check_inside(item, known and known.inside or inside[""] or inside)
    elseif name ~= "" and known and item ~= json.null then
      check_word(name, item, known)
    end
  end
end

-- The value of a property in the object, or NONE. Raises the refusal of a wrong value.
function M.value(name, value, spec)
  if value == json.null then
    if spec.t == "b" then return true end  -- the guide sets flags with null
    return NONE
  end
  local fresh = convert[spec.t](value, spec)
  if fresh == nil then M.invalid(name, value) end
  if type(fresh) == "string" and not FREE_TEXT[name] then fresh = M.short_address(fresh) end
  if type(fresh) == "table" and spec.t == "a" then
    for i, item in ipairs(fresh) do fresh[i] = M.short_address(item) end
  end
  if type(fresh) == "table" and spec.choices and (fresh ~= NONE or spec.t == "a") then
    for _, item in ipairs(fresh) do
      if not spec.choices[item] then M.invalid(name, value) end
    end
    return fresh
  end
  if spec.inside and type(fresh) == "table" and fresh ~= NONE then
    check_inside(fresh, spec.inside)
  end
  if spec.choices and fresh ~= NONE and not spec.choices[fresh] then
    refuse_choice(name, value, spec.choices)
  end
  if spec.choices and fresh == NONE and value == "" then M.invalid(name, value) end
  local switch = spec.choices and spec.choices.enabled and spec.choices.disabled
  if switch and fresh == NONE then refuse_choice(name, value, spec.choices) end
  if
    spec.range and type(fresh) == "number" and (fresh < spec.range[1] or fresh > spec.range[2])
  then
    M.invalid(name, value)
  end
  return fresh
end

-- One text in a message of mcpd.
local MAX_TEXT <const> = 65535
-- Scripts, parts of templates and files, which mcpd keeps elsewhere.
local UNLIMITED <const> = {
  apiAnonymous = true, definition = true, implementation = true, presentation = true,
  macro = true, htmlHelp = true, content = true,
}

local function refuse_length(limit)
  M.refuse_mcpd(
    ("01020057:3: The string with more than %d characters cannot be stored in a message."):format(
      limit
    )
  )
end

--- Refuses a text, or a text in a table, that is too long for a message of mcpd.
function M.text_length(value)
  if type(value) == "string" and #value > MAX_TEXT then refuse_length(MAX_TEXT) end
  if type(value) ~= "table" then return end
  for _, item in pairs(value) do
    if type(item) == "table" or type(item) == "string" and #item > MAX_TEXT then
      M.text_length(item)
    end
  end
end

local IDENTITY <const> = {
  kind = true,
  name = true,
  partition = true,
  subPath = true,
  fullPath = true,
  generation = true,
  selfLink = true,
  isSubcollection = true,
  apiRawValues = true,
  command = true,
}
M.IDENTITY = IDENTITY

-- Converts the body of a request to properties, name -> value or NONE, and sub-collections, name ->
-- array. Read-only properties are left out without `all`, which is for seeds: they have what was
-- read from another device.
function M.body(node, body, all)
  local properties, subs = {}, {}
  local named_sub = NONE
  for reference, sub in pairs(node.subs or NONE) do
    if named_sub == NONE then named_sub = {} end
    named_sub[sub] = sub
    named_sub[M.camel(sub)] = sub
    named_sub[reference] = sub
  end
  for given, value in pairs(body) do
    local name = M.camel(tostring(given))
    if not all and not UNLIMITED[name] then M.text_length(value) end
    if named_sub[name] then
      if type(value) == "table" and value.items then value = value.items end
      if value == json.null or value == "none" or value == "" then value = {} end
      if type(value) == "string" then value = { value } end
      if type(value) ~= "table" then M.invalid(name, value) end
      -- a reference that was read and is sent back has no items and changes nothing
      if not (name:find "Reference$" and not json.is_array(value) and value.link) then
        subs[named_sub[name]] = value
      end
    elseif not IDENTITY[name] and not name:find "Reference$" then
      local spec = node.props[name]
      if not spec then
        if node.known and not node.open and not all then
          M.refuse(('"%s" unknown property'):format(name))
        end
        if not all then check_inside({ [name] = value }, node.unknown) end
        local nothing = value == json.null
          or value == "none" or type(value) == "table" and next(value) == nil
        properties[name] = nothing and not all and NONE or value
      elseif not spec.r or all then
        properties[name] = M.value(name, value, spec)
      end
    end
  end
  return properties, subs
end

-- Refuses two flags that exclude each other.
function M.exclusive(node, properties)
  for _, pair in ipairs(node.pairs or NONE) do
    if properties[pair[1]] == true and properties[pair[2]] == true then
      M.refuse(('"%s" may not be specified with "%s"'):format(pair[1], pair[2]))
    end
  end
end

-- Refuses names that mcpd does not allow.
function M.name(node, name)
  if name == "" then M.nothing_to_do() end
  if node.free_names then return end
  local bad = name:match "[%c\"'%[%]{};|\\*?<>^`$#,&()!=+]"
  if bad and not name:find("^[*]") then
    M.refuse_mcpd(
      ("01070712:3: The name (%s) contains the character '%s', which is not allowed."):format(
        name,
        bad
      )
    )
  end
end

local MAX_PATH <const> = 255

-- Refuses full paths that are too long for mcpd.
function M.length(full)
  if #full > MAX_PATH then refuse_length(MAX_PATH) end
end

local function octet(part) return #part <= 3 and tonumber(part) <= 255 end

local function ipv4(text)
  local a, b, c, d = text:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$"
  return a ~= nil and octet(a) and octet(b) and octet(c) and octet(d)
end

local function ipv6(text)
  if not text:find ":" or text:find "[^%x:%.]" or text:find ":::" then return false end
  local head, tail = text:match "^(.*:)(%d+%.%d+%.%d+%.%d+)$"
  if tail then
    if not ipv4(tail) then return false end
    text = head .. "0:0"
  elseif text:find(".", 1, true) then
    return false -- an address and a port: "2001:db8::9.80"
  end
  local _, doubles = text:gsub("::", "::")
  if doubles > 1 then return false end
  if doubles == 0 and (text:find "^:" or text:find ":$") then return false end
  local count = 0
  for part in text:gmatch "[^:]+" do
    if #part > 4 then return false end
    count = count + 1
  end
  return doubles == 1 and count <= 7 or count == 8
end

local function is_address(text, mask)
  local address, suffix = text, nil
  if mask then
    address, suffix = text:match "^([^/]+)/?(.*)$"
    address, suffix = address or text, suffix or ""
  end
  local bare, domain = address:match "^([^%%]+)%%?(%d*)$"
  if not bare or (address:find "%%" and domain == "") then return false end
  local family = ipv4(bare) and "4" or ipv6(bare) and "6" or nil
  if not family then return false end
  if suffix and suffix ~= "" then
    if domain == "" then
      local other = suffix:match "^(.*)%%%d+$"
      suffix = other or suffix
    end
    local bits = suffix:match "^%d+$" and tonumber(suffix)
    if bits then
      if bits > (family == "4" and 32 or 128) then return false end
    elseif not ipv4(suffix) and not ipv6(suffix) then
      return false
    end
  end
  return true, family
end

local last_text, last_mask, last_answer, last_family

-- Whether a text is an address: "10.0.0.1", "10.0.0.1%3", "2001:db8::1", with `mask` also
-- "10.0.0.0/24". The second result is "4" or "6".
function M.is_address(text, mask)
  if type(text) ~= "string" then return false end
  if text ~= last_text or mask ~= last_mask then -- several checks ask for the same text in a row
    last_text, last_mask = text, mask
    last_answer, last_family = is_address(text, mask)
  end
  return last_answer, last_family
end

-- The eight numbers of an IPv6 address.
local function words_of(text)
  text = text:gsub("(%d+)%.(%d+)%.(%d+)%.(%d+)$", function(a, b, c, d)
    return ("%x:%x"):format(a << 8 | b, c << 8 | d)
  end)
  local function numbers(part)
    local list = {}
    for word in part:gmatch "%x+" do list[#list + 1] = tonumber(word, 16) end
    return list
  end
  local head, tail = text:match "^(.-)::(.*)$"
  if not head then return numbers(text) end
  local list, last = numbers(head), numbers(tail)
  for _ = 1, 8 - #list - #last do list[#list + 1] = 0 end
  return table.move(last, 1, #last, #list + 1, list)
end

-- The place and the length of the longest run of zeros.
local function longest_zeros(words)
  local at, length, from = 0, 1, nil
  for i = 1, 9 do
    if words[i] == 0 then
      from = from or i
    elseif from then
      if i - from > length then at, length = from, i - from end
      from = nil
    end
  end
  return at, length
end

--- An IPv6 address in its short form, as a device shows it: "2001:db8::1". What follows the
--- address ("%2", "/64") stays. Other texts stay, too.
function M.short_address(text)
  if type(text) ~= "string" or not text:find(":", 1, true) then return text end
  local address, rest = text:match "^([%x:.]+)(.*)$"
  if not address or not ipv6(address) or not (rest == "" or rest:find "^[%%/]") then return text end
  if address:lower():find "^::ffff:%d+%." then return address:lower() .. rest end
  local words = words_of(address)
  local at, length = longest_zeros(words)
  local parts = {}
  local i = 1
  while i <= 8 do
    if i == at then
      parts[#parts + 1] = (i == 1 and ":" or "") .. (i + length > 8 and ":" or "")
      i = i + length
    else
      parts[#parts + 1] = ("%x"):format(words[i])
      i = i + 1
    end
  end
  local short = table.concat(parts, ":")
  return (at == 1 and length == 8 and "::" or short) .. rest
end

-- Names of ports, as IANA assigns them: what texts of devices have.
local SERVICES <const> = {
  ["ftp-data"] = 20, tacacs = 49, bootps = 67, bootpc = 68, finger = 79, sunrpc = 111,
  snmptrap = 162, bgp = 179, ["microsoft-ds"] = 445, isakmp = 500, syslog = 514, printer = 515,
  submission = 587, ftps = 990, telnets = 992, ["ms-sql-m"] = 1434, l2tp = 1701, pptp = 1723,
  ["radius-acct"] = 1813, nfs = 2049, ["ms-wbt-server"] = 3389, diameter = 3868,
  ["f5-iquery"] = 4353, ["commplex-main"] = 5000, sips = 5061, postgresql = 5432, amqp = 5672,
  ["sun-sr-https"] = 6443, irdmi = 8000, ["ddi-tcp-1"] = 8888, cslistener = 9000, glrpc = 9080,
  websm = 9090, apani3 = 9162, distinct = 9999, ["pago-services2"] = 30002,
  any = 0,
  ["0"] = 0,
  ftp = 21,
  ssh = 22,
  telnet = 23,
  smtp = 25,
  domain = 53,
  tftp = 69,
  http = 80,
  pop3 = 110,
  ntp = 123,
  imap = 143,
  snmp = 161,
  kerberos = 88,
  ads = 550,
  nntp = 119,
  rtsp = 554,
  imaps = 993,
  pop3s = 995,
  ldap = 389,
  https = 443,
  ["ms-sql-s"] = 1433,
  mysql = 3306,
  sip = 5060,
  ["http-alt"] = 8080,
  ["webcache"] = 8080,
  ["pcsync-https"] = 8443,
  unify = 181,
  ics = 5639,
  dnsix = 90,
  tproxy = 8081,
  radius = 1812,
  ldaps = 636,
  ["*"] = 0,
}

-- "80", 80, "http", "any" -> number, or nil.
function M.port(text)
  local number = math.tointeger(tonumber(text))
  if number then return number >= 0 and number <= 65535 and number or nil end
  return SERVICES[text]
end

-- "10.0.0.1:80", "2001:db8::1.80", "10.0.0.1%2:any" -> address, port (a number); nil if it is
-- neither.
function M.endpoint(text)
  local address, port = text:match "^([^:]+):([^:]+)$"
  if not address then address, port = text:match "^(.*:.*)%.([^.:]+)$" end
  -- all eight groups of an IPv6 address leave no doubt about a port after a colon
  if not address then address, port = text:match("^(%x+" .. (":%x+"):rep(7) .. "):([^:]+)$") end
  if not address then return nil end
  local number = M.port(port)
  if not number then return nil end
  return address, number
end

return M
