-- Values of properties that are enumerations although the catalogue does not list their choices:
-- those with a default such as "enabled", and those with a name that means the same everywhere. The
-- choices are those that F5's reference of tmsh documents.
local M = {}

local function set(words)
  local found = {}
  for word in words:gmatch "[^|]+" do found[word] = true end
  return found
end

local SWITCH <const>, YES <const>, TRUE <const> =
  set "disabled|enabled", set "false|no|true|yes", set "false|no|true|yes"
local SWITCHES <const> = {
  enabled = SWITCH, disabled = SWITCH, yes = YES, no = YES, ["true"] = TRUE, ["false"] = TRUE,
}

-- Properties with more choices than such a default tells. `false`: the choices are unknown.
local MORE <const> = {
  action = false,
  bundle = false,
  console = false, -- a word, or "%NAME" of an attribute
  cookieEncryption = set "disabled|preferred|required",
  data_0rtt = false,
  ecn = false,
  enabled = false,
  encryption = false,
  icmpEcho = set "all|always|any|disabled|enabled|selective",
  ignoreUnknownUser = false,
  linkDiscovery = set "disabled|enabled|enabled-no-delete",
  mode = false,
  mptcp = set "disabled|enabled|passthrough",
  nagle = set "auto|disabled|enabled",
  persistence = false,
  phase1PerfectForwardSecrecy = false,
  routeAdvertisement = set "all|always|any|disabled|enabled|selective",
  remoteConsoleAccess = set "disabled|tmsh",
  ssl = set "disabled|enabled|start-tls",
  sslVerifyClient = false,
  state = false,
  status = false,
  value = false,
  verifiedAccept = set "disabled|enabled",
  virtualServerDiscovery = set "disabled|enabled|enabled-no-delete",
}

local CHUNKING <const> = set "preserve|rechunk|selective|sustain|unchunk"
-- "disabled" stands for no limit, where a number can be.
local COUNTS <const> = { "imit$", "imeout", "nterval$", "verride$", "[Ss]ize$", "[Rr]ate$" }

-- The names of protocols, and all numbers.
local PROTOCOLS <const> = set("ah|any|cbt|egp|encap|esp|etherip|fc|ggp|gre|hip|hopopt|icmp|icmpv6|"
  .. "idpr|idrp|igmp|igp|ip|ipcomp|ipencap|ipip|ipv4|ipv6|ipv6-frag|ipv6-icmp|ipv6-nonxt|"
  .. "ipv6-opts|ipv6-route|isis|l2tp|mobility-header|mpls-in-ip|ospf|pim|pup|rdp|rsvp|sctp|st|tcp|"
  .. "udp|udplite|vrrp|xtp")
for number = 0, 255 do PROTOCOLS[tostring(number)] = true end

local LEVELS <const> = set "alert|crit|debug|emerg|err|error|info|informational|notice|warn|warning"
local LASTHOP <const> = set "default|disabled|enabled"
local SOURCE_PORT <const> = set "change|preserve|preserve-strict"
local CONNECTION <const> = set "per-blade|per-client|per-peer|per-tmm"

-- Property -> its choices, in every kind where it is a word.
local ANYWHERE <const> = {
  addressSource = set "from-dhcp|from-user",
  arpLogLevel = LEVELS,
  authenticate = set "always|once",
  autoLasthop = LASTHOP,
  connectionMode = CONNECTION,
  defaultConnectHandling = set "allow|deny",
  deviceIdRequestBlockingMode = set "block-all|rate-limit",
  dagTunnel = set "inner|outer",
  excessClientHeaders = set "pass-through|reject",
  excessServerHeaders = set "pass-through|reject",
  forwardProxyBypassDefaultAction = set "bypass|intercept",
  ftpsMode = set "allow|disallow|require",
  fwdMode = set "l3|virtual-wire",
  geolocationRequestBlockingMode = set "block-all|rate-limit",
  httpCompressionLogLevel = LEVELS,
  httpLogLevel = LEVELS,
  ipProtocol = PROTOCOLS,
  ipDfMode = set "clear|pmtu|preserve|set",
  ipLogLevel = LEVELS,
  ipRequestBlockingMode = set "block-all|rate-limit",
  ipTtlMode = set "decrement|preserve|proxy|set",
  iruleLogLevel = LEVELS,
  lacpMode = set "active|passive",
  lacpTimeout = set "long|short",
  layer4LogLevel = LEVELS,
  linkSelectPolicy = set "auto|maximum-bandwidth",
  lldpAdmin = set "disable|rxonly|txonly|txrx",
  logLevel = LEVELS,
  masking = set "preserve|remask|selective|unmask",
  netLogLevel = LEVELS,
  osLogLevel = LEVELS,
  oversizeClientHeaders = set "pass-through|reject",
  oversizeServerHeaders = set "pass-through|reject",
  peerSelectionMode = set "ratio|sequential",
  pipeline = set "allow|pass-through|reject",
  proxyType = set "explicit|reverse|transparent",
  pvaLogLevel = LEVELS,
  requestChunking = CHUNKING,
  responseChunking = CHUNKING,
  samesiteCookieAttrValue = set "lax|none|strict",
  secureRenegotiation = set "request|require|require-strict",
  sourcePort = SOURCE_PORT,
  sslLogLevel = LEVELS,
  truncatedRedirects = set "disabled|enabled",
  unknownMethod = set "allow|pass-through|reject",
  urlRequestBlockingMode = set "block-all|rate-limit",
}

-- Words in place of numbers.
local NUMBERS <const> = set("any|auto|default|disabled|enabled|immediate|indefinite|infinite|"
  .. "max|maximum|mimic|minimum|never|none|off|pass-through|unlimited|unspecified|session")

--- Whether a text is the name or the number of a protocol.
function M.is_protocol(text) return PROTOCOLS[text] == true end

--- Whether a word can stand for a number ("indefinite").
function M.is_number_word(word) return NUMBERS[word] == true end

--- The choices of a property with this default, as a set; nil if it is no enumeration. Of a module
--- ("apm") whose properties are hardly known, all words are kept.
function M.of(module, name, default)
  if type(default) ~= "string" or module == "apm" then return nil end
  if ANYWHERE[name] and default:find "^%l[%w-]*$" then return ANYWHERE[name] end
  local more = MORE[name]
  if more ~= nil then return more or nil end
  local switch = SWITCHES[default]
  if not switch then return nil end
  for _, pattern in ipairs(COUNTS) do
    if name:find(pattern) and default:find "^..?.?abled$" then return nil end
  end
  return switch
end

--- The choices of a property inside of a group, whose default is unknown; nil if it is no
--- enumeration.
function M.anywhere(module, name)
  return module ~= "apm" and ANYWHERE[name] or nil
end

return M
