-- The relations of a kind: those that sim/kinds describes, and those that follow from the facts of
-- its properties. These are the references of the catalogue, its lists of names, and the properties
-- below, which mean the same in every kind that has them.
local catalogue = require "sim.config.catalogue"
local kinds = require "sim.kinds"
local names = require "sim.config.names"

local M = {}

local CERTIFICATE <const>, KEY <const> = "sys/file/ssl-cert", "sys/file/ssl-key"
local PUBLISHER <const>, POOL <const> = "sys/log-config/publisher", "ltm/pool"
local DATA_GROUPS <const> = "ltm/data-group/internal|ltm/data-group/external"
local CRL <const>, OCSP <const> = "sys/file/ssl-crl", "sys/crypto/cert-validator/ocsp"
local INTERFACES <const> = "net/vlan|net/tunnels/tunnel|net/vlan-group"
local ADDRESS_LISTS <const> =
  "net/address-list|security/firewall/address-list|security/shared-objects/address-list"
local PORT_LISTS <const> =
  "net/port-list|security/firewall/port-list|security/shared-objects/port-list"

-- The last part of a property -> the kinds of its target.
local ANYWHERE <const> = {
  aaaSamlServer = "apm/aaa/saml",
  accessProfile = "apm/profile/access",
  activeSyncSsoConfig = "apm/sso/*",
  autoDiscoverSsoConfig = "apm/sso/*",
  bwcPolicy = "net/bwc/policy",
  c3dCaCert = CERTIFICATE,
  c3dCaKey = KEY,
  c3dClientFallbackCert = CERTIFICATE,
  c3dOcsp = OCSP,
  caCertFile = CERTIFICATE,
  certificateFile = CERTIFICATE,
  certKeyFile = KEY,
  cipherGroup = "ltm/cipher/group",
  clientCertCa = CERTIFICATE,
  crlFile = CRL,
  defaultServer = "api-protection/server",
  deviceGroup = "cm/device-group",
  epsGroup = "apm/policy/customization-group",
  errormapGroup = "apm/policy/customization-group",
  customizationGroup = "apm/policy/customization-group",
  dbInstance = "apm/oauth/db-instance",
  destinationAddressList = ADDRESS_LISTS,
  destinationIpBlacklist = DATA_GROUPS,
  destinationIpWhitelist = DATA_GROUPS,
  destinationPortList = PORT_LISTS,
  dnsResolver = "net/dns-resolver",
  dropPolicy = "net/rate-shaping/drop-policy",
  entryVirtualServer = "ltm/virtual",
  externalLoggingPublisher = PUBLISHER,
  flowEvictionPolicy = "ltm/eviction-policy",
  frameworkInstallationGroup = "apm/policy/customization-group",
  fwEnforcedPolicy = "security/firewall/policy",
  fwStagedPolicy = "security/firewall/policy",
  generalUiGroup = "apm/policy/customization-group",
  globalPoliciesHighPrecedence = "pem/policy",
  globalPoliciesLowPrecedence = "pem/policy",
  hostnameBlacklist = DATA_GROUPS,
  hostnameWhitelist = DATA_GROUPS,
  httpWhitelist = ADDRESS_LISTS,
  idpCertificate = CERTIFICATE,
  idpSignkey = KEY,
  internalProxy = "sys/internal-proxy",
  internalVirtual = "ltm/virtual",
  ipIntelligencePolicy = "security/ip-intelligence/policy",
  ipsecPolicy = "net/ipsec/ipsec-policy",
  javaCrl = CRL,
  keyFile = KEY,
  keytabFileObj = "apm/aaa/kerberos-keytab-file",
  lastHopPool = POOL,
  localPublisher = PUBLISHER,
  logPublisher = PUBLISHER,
  lwtblFile = "sys/file/lwtunneltbl",
  mapProxyClass = DATA_GROUPS,
  messageLogPublisher = PUBLISHER,
  metadataCert = CERTIFICATE,
  metadataSignkey = KEY,
  natPolicy = "security/nat/policy",
  nonCaDevices = "cm/device",
  ntlmAuthName = "apm/ntlm/ntlm-auth",
  offlineAddressBookSsoConfig = "apm/sso/*",
  oauthServer = "apm/aaa/oauth-server",
  peersCertFile = CERTIFICATE,
  pemProtocolProfileRadius = "pem/protocol/profile/radius",
  perRequestPolicy = "apm/policy/access-policy",
  proberPool = "gtm/prober-pool",
  proxyCaCert = CERTIFICATE,
  proxyCaKey = KEY,
  proxyGroup = DATA_GROUPS,
  proxyServerPool = POOL,
  publisherName = PUBLISHER,
  rateClass = "net/rate-shaping/class",
  rateclass = "net/rate-shaping/class",
  readPool = POOL,
  redirectToPoolName = POOL,
  relatedRules = "ltm/rule",
  remotePublisher = PUBLISHER,
  reportLogPublisher = PUBLISHER,
  requestLogErrorPool = POOL,
  requestLogPool = POOL,
  responseLogErrorPool = POOL,
  responseLogPool = POOL,
  responsePolicyZones = "ltm/dns/zone",
  routeDomain = "net/route-domain",
  rpcOverHttpSsoConfig = "apm/sso/*",
  securityLogProfiles = "security/log/profile",
  securityNatPolicy = "security/nat/policy",
  serversslProfile = "ltm/profile/server-ssl",
  servicePolicy = "net/service-policy",
  shapingPolicy = "net/rate-shaping/shaping-policy",
  signerCert = CERTIFICATE,
  signerKey = KEY,
  smtpConfig = "sys/smtp-server",
  smtpServer = "sys/smtp-server",
  sourceAddressList = ADDRESS_LISTS,
  sourceIpBlacklist = DATA_GROUPS,
  sourceIpWhitelist = DATA_GROUPS,
  sourcePortList = PORT_LISTS,
  spCertificate = CERTIFICATE,
  splitsessionclient = "ltm/profile/splitsessionclient",
  spSignkey = KEY,
  timerPolicy = "net/timer-policy",
  trafficClasses = "ltm/traffic-class",
  trafficGroup = "cm/traffic-group",
  trafficMatchingCriteria = "ltm/traffic-matching-criteria",
  transportProfile = "ltm/profile/tcp|ltm/profile/udp",
  trafficSelector = "net/ipsec/traffic-selector",
  trustedCa = CERTIFICATE,
  trustedCaBundle = CERTIFICATE,
  trustedDomains = "apm/aaa/active-directory-trusted-domains",
  tunnelName = "net/tunnels/tunnel",
  unknownSubscriberPolicies = "pem/policy",
  vlans = INTERFACES,
  webServiceSsoConfig = "apm/sso/*",
  writePool = POOL,
}

-- Property -> kind that has it -> kinds of its target: names with different meanings. A kind that
-- begins with "^" is a pattern.
local ONLY <const> = {
  addressList = { ["security/dos/network-whitelist"] = ADDRESS_LISTS },
  auth = { ["ltm/virtual"] = "ltm/auth/profile" },
  caCert = { ["sys/crypto/cert-order-manager"] = CERTIFICATE },
  caFile = { ["ltm/profile/certificate-authority"] = CERTIFICATE },
  category = { ["ltm/classification/application"] = "ltm/classification/category" },
  allowedKeys = { ["apm/oauth/jwt-config"] = "apm/oauth/jwk-config" },
  cert = { ["^[lg]tm/monitor/"] = CERTIFICATE, ["apm/oauth/jwk-config"] = CERTIFICATE },
  certKey = { ["apm/oauth/jwk-config"] = KEY },
  certFile = { ["sys/management-ovsdb"] = CERTIFICATE },
  citrixClientBundle = {
    ["apm/profile/connectivity"] = "apm/resource/remote-desktop/citrix-client-bundle",
  },
  clientCert = { ["sys/crypto/cert-order-manager"] = CERTIFICATE },
  clientKey = { ["sys/crypto/cert-order-manager"] = KEY },
  clonePool = { ["ltm/policy/*/rules/*/actions"] = POOL },
  configuration = { ["ltm/auth/profile"] = "ltm/auth/*" },
  connectorProfile = { ["apm/policy/agent/service-connect"] = "ltm/profile/connector" },
  crl = {
    ["ltm/profile/client-ssl"] = "sys/crypto/cert-validator/crl",
    ["ltm/profile/server-ssl"] = "sys/crypto/cert-validator/crl",
  },
  jwtProviderList = { ["apm/policy/agent/aaa-oauth"] = "apm/oauth/jwt-provider-list" },
  key = { ["^[lg]tm/monitor/"] = KEY },
  defaultsFrom = { ["^."] = "." },
  dnsSecurity = { ["ltm/profile/dns"] = "security/dns/profile" },
  egressInterface = { ["net/sfc/sf"] = INTERFACES },
  egressInterfaces = {
    ["ltm/lsn-pool"] = INTERFACES, ["security/nat/source-translation"] = INTERFACES,
  },
  excludeAddressLists = { ["security/nat/source-translation"] = ADDRESS_LISTS },
  excludedVlans = { ["security/scrubber/profile"] = INTERFACES },
  fastVsName = { ["pem/profile/spm"] = "ltm/virtual" },
  feedLists = {
    ["ltm/classification/url-cat-policy"] = "ltm/classification/urldb-feed-list",
    ["security/ip-intelligence/policy"] = "security/ip-intelligence/feed-list",
  },
  gatewayFailsafeDevice = { [POOL] = "cm/device" },
  haOrder = { ["cm/traffic-group"] = "cm/device" },
  hops = { ["net/sfc/chain"] = "net/sfc/sf" },
  ifile = { ["ltm/policy/*/rules/*/actions"] = "ltm/ifile" },
  ingressInterface = { ["net/sfc/sf"] = INTERFACES },
  irule = { ["^security/firewall/"] = "ltm/rule" },
  keys = { ["ltm/dns/dnssec/zone"] = "ltm/dns/dnssec/key" },
  l2forwardVlan = { ["sys/snmp"] = INTERFACES },
  logSettings = { ["apm/profile/access"] = "apm/log-setting" },
  logProfile = {
    ["ltm/profile/dns"] = "ltm/profile/dns-logging",
    ["^ltm/profile/"] = "ltm/alg-log-profile",
  },
  macros = { ["apm/policy/access-policy"] = "." },
  ocsp = { ["ltm/profile/server-ssl"] = OCSP },
  parent = { ["net/rate-shaping/class"] = "." },
  parentProfile = { ["security/dos/dos-signature"] = "security/dos/profile" },
  peer = { ["ltm/message-routing/mqtt/route"] = "ltm/message-routing/mqtt/peer" },
  peers = { ["ltm/message-routing/generic/route"] = "ltm/message-routing/generic/peer" },
  perFlowRequestAccessPolicy = { ["ltm/virtual"] = "apm/policy/access-policy" },
  pool = {
    ["apm/aaa/ldap"] = POOL, ["^apm/resource/"] = POOL, ["gtm/listener"] = POOL,
    ["^ltm/message%-routing/.*/peer$"] = POOL,
    ["^pem/"] = POOL, ["ltm/monitor/module-score"] = POOL,
  },
  policies = { ["pem/subscriber"] = "pem/policy" },
  poolName = { ["net/sfc/sf"] = POOL, ["sys/log-config/destination/ipfix"] = POOL },
  plugin = { ["ltm/profile/ilx"] = "ilx/plugin" },
  preset = { ["ltm/profile/classification"] = "ltm/classification/ce" },
  profile = {
    ["net/routing/bgp"] = "net/routing/profile/bgp", ["net/tunnels/tunnel"] = "net/tunnels/*",
  },
  profiles = {
    ["sys/crypto/client"] = "ltm/profile/server-ssl",
    ["sys/crypto/server"] = "ltm/profile/client-ssl",
  },
  profileNames = {
    ["security/blacklist-publisher/category"] = "security/blacklist-publisher/profile",
  },
  providers = { ["apm/oauth/jwt-provider-list"] = "apm/aaa/oauth-provider" },
  publisher = {
    ["ltm/rule-profiler"] = PUBLISHER, ["pem/global-settings/subscriber-activity-log"] = PUBLISHER,
  },
  profileAccess = { ["auth/apm-auth"] = "apm/profile/access" },
  queue = { ["^net/rate%-shaping/"] = "net/rate-shaping/queue" },
  route = { ["ltm/message-routing/mqtt/profile/router"] = "ltm/message-routing/mqtt/route" },
  routes = {
    ["ltm/message-routing/diameter/profile/router"] = "ltm/message-routing/diameter/route",
    ["ltm/message-routing/generic/router"] = "ltm/message-routing/generic/route",
    ["ltm/message-routing/sip/profile/router"] = "ltm/message-routing/sip/route",
  },
  rule = {
    ["ltm/persistence/hash"] = "ltm/rule", ["ltm/persistence/universal"] = "ltm/rule",
    ["ltm/profile/pcp"] = "ltm/rule",
  },
  rules = {
    ["^ltm/message%-routing/.*/transport%-config$"] = "ltm/rule", ["^gtm/wideip/"] = "gtm/rule",
  },
  run = { ["^[lg]tm/monitor/external$"] = "sys/file/external-monitor" },
  server = { ["^apm/policy/agent/aaa%-"] = "apm/aaa/*" },
  servers = {
    ["api-protection/profile/apiprotection"] = "api-protection/server",
    ["auth/radius"] = "auth/radius-server", ["ltm/auth/radius"] = "ltm/auth/radius-server",
  },
  snatpool = {
    ["apm/policy/agent/route-domain-selection"] = "ltm/snatpool",
    ["ltm/policy/*/rules/*/actions"] = "ltm/snatpool",
  },
  sslCaCertFile = {
    ["^auth/"] = CERTIFICATE, ["ltm/auth/ldap"] = CERTIFICATE,
  },
  sslClientCert = { ["^auth/"] = CERTIFICATE, ["ltm/auth/ldap"] = CERTIFICATE },
  sslClientKey = { ["^auth/"] = KEY, ["ltm/auth/ldap"] = KEY },
  sslProfile = {
    ["^[lg]tm/monitor/"] = "ltm/profile/server-ssl",
    ["apm/aaa/http-connector-transport"] = "ltm/profile/server-ssl",
  },
  transferClients = { ["ltm/dns/zone"] = "ltm/dns/nameserver" },
  trafficPriority = { ["^net/cos/map%-"] = "net/cos/traffic-priority" },
  transportConfig = {
    ["ltm/message-routing/diameter/peer"] = "ltm/message-routing/diameter/transport-config",
    ["ltm/message-routing/generic/peer"] = "ltm/message-routing/generic/transport-config",
    ["ltm/message-routing/mqtt/peer"] = "ltm/message-routing/mqtt/transport-config",
    ["ltm/message-routing/sip/peer"] = "ltm/message-routing/sip/transport-config",
  },
  transparentNexthop = { ["ltm/virtual"] = "net/vlan|net/tunnels/tunnel" },
  tsigKey = { ["ltm/dns/nameserver"] = "ltm/dns/tsig-key" },
  virtualName = { ["net/sfc/sf"] = "ltm/virtual" },
  virtualServer = { ["^ltm/message%-routing/.*/route$"] = "ltm/virtual" },
  wideips = { ["gtm/distributed-app"] = "gtm/wideip/*" },
  whitelist = { ["security/dos/profile"] = ADDRESS_LISTS },
  vlan = {
    ["net/packet-filter"] = INTERFACES, ["net/router-advertisement"] = INTERFACES,
    ["net/routing/bfd"] = INTERFACES, ["ltm/policy/*/rules/*/actions"] = INTERFACES,
  },
}

-- Kind -> properties inside of groups, and those of kinds that keep unknown properties.
local RULES <const> = {
  ["source.addressLists"] = ADDRESS_LISTS, ["destination.addressLists"] = ADDRESS_LISTS,
  ["source.portLists"] = PORT_LISTS, ["destination.portLists"] = PORT_LISTS,
  ["source.vlans"] = INTERFACES, irule = "ltm/rule",
  schedule = "security/firewall/schedule", servicePolicy = "net/service-policy",
}
local INSIDE <const> = {
  { "^security/firewall/.*rules$", RULES },
  { "^apm/resource/network%-access$", { snatpool = "ltm/snatpool" } },
  { "^ltm/lsn%-pool$", { ["pcp.profile"] = "ltm/profile/pcp" } },
  { "^security/nat/policy/%*/rules$", {
    ["source.addressLists"] = ADDRESS_LISTS, ["destination.addressLists"] = ADDRESS_LISTS,
    ["source.portLists"] = PORT_LISTS, ["destination.portLists"] = PORT_LISTS,
    ["translation.source"] = "security/nat/source-translation",
    ["translation.destination"] = "security/nat/destination-translation",
    logProfile = "security/log/profile",
  } },
  { "^security/log/profile$", {
    ["autoDiscovery.logPublisher"] = PUBLISHER, ["classification.logPublisher"] = PUBLISHER,
    ["ipIntelligence.logPublisher"] = PUBLISHER, ["nat.logPublisher"] = PUBLISHER,
    ["packetFilter.logPublisher"] = PUBLISHER, ["portMisuse.logPublisher"] = PUBLISHER,
    ["protocolInspection.logPublisher"] = PUBLISHER,
  } },
  { "^security/log/profile/%*/", { publisher = PUBLISHER } },
  { "^pem/listener$", { virtualServers = "ltm/virtual", profileSpm = "pem/profile/spm" } },
  { "^pem/.*endpoint$", { pool = POOL, snatPool = "ltm/snatpool" } },
}

-- References whose targets devices do not list: the key "f5-irule" signs F5's own scripts.
local NEVER <const> = { signingKey = true }

-- Words that stand where a name can be.
local WORDS <const> = {}
for word in ("none all any default inherit automap auto"):gmatch "%S+" do WORDS[word] = true end

-- Objects that devices have and this one lacks. Others may refer to them.
local SHIPPED <const> = {
  ["/Common/f5-quic"] = true,
}

-- A name as it is written: quotes around it do not count ("\"/Common/log\"").
local function bare(text)
  return text:match '^"(.*)"$' or text
end

local function only_for(property, template)
  local known = ONLY[property]
  if not known then return nil end
  if known[template] then return known[template] end
  for pattern, targets in pairs(known) do
    if pattern:sub(1, 1) == "^" and template:find(pattern) then return targets end
  end
  return nil
end

-- The kinds in a text such as "net/vlan|net/tunnels/tunnel" that the catalogue knows; nil if it
-- knows none. "." is the kind itself.
local function known_targets(text, template)
  local list = {}
  for target in text:gmatch "[^|]+" do
    if target == "." then target = template end
    if target:sub(-2) == "/*" or catalogue.find(target) then list[#list + 1] = target end
  end
  return #list > 0 and list or nil
end

-- A relation that follows from a fact.
local function derived(property, text, template)
  local to = known_targets(text, template)
  if not to then return nil end
  local node = catalogue.find(to[1])
  return { property = property, to = to, derived = true, flat = node and node.flat or nil }
end

-- Types of properties that can hold names.
local NAMING <const> = { s = true, a = true, o = true, x = true, m = true }

local function derive(template, node, covered, list)
  local function add(property, text)
    if covered[property] or NEVER[property] or not text then return end
    local relation = derived(property, text, template)
    if not relation then return end
    covered[property] = true
    list[#list + 1] = relation
  end
  for reference, target in pairs(node.refs or {}) do
    local property = reference:gsub("Reference$", "")
    local spec = node.props[property]
    if spec and not spec.r and property ~= "name" then
      add(property, only_for(property, template) or target)
    end
  end
  for property, targets in pairs(node.lists or {}) do
    if targets ~= true then add(property, targets) end
  end
  for property, spec in pairs(node.props) do
    if not spec.r and not spec.choices and NAMING[spec.t] then
      add(property, only_for(property, template) or ANYWHERE[property])
      -- the facts tell some of the properties inside
      for inner, value in pairs(spec.t == "o" and type(spec.d) == "table" and spec.d or {}) do
        if type(inner) == "string" and type(value) == "string" then
          add(property .. "." .. inner, ANYWHERE[inner])
        end
      end
    end
  end
  for _, entry in ipairs(INSIDE) do
    if template:find(entry[1]) then
      for property, targets in pairs(entry[2]) do add(property, targets) end
    end
  end
end

local found <const> = {}  -- template -> its relations

-- Keys are checked before certificates.
local function before(one, other)
  local is_key, other_is = one.to[1] == KEY, other.to[1] == KEY
  if is_key ~= other_is then return is_key end
  return (one.property or "") < (other.property or "")
end

--- The relations of a kind, see sim/kinds/init.lua. Those that follow from facts also have
---   derived   = true
---   flat      = true: the targets are in no partition
function M.of(template)
  local list = found[template]
  if list then return list end
  local described = kinds.of(template).relations or {}
  list = table.move(described, 1, #described, 1, {})
  local node = catalogue.find(template)
  if node and node.type ~= "show" then
    local covered = {}
    for _, relation in ipairs(described) do covered[relation.property or ""] = true end
    derive(template, node, covered, list)
    table.sort(list, before)
  end
  for _, relation in ipairs(list) do
    relation.group, relation.inner = (relation.property or ""):match "^([^.]+)%.(.+)$"
  end
  found[template] = list
  return list
end

--- Whether a text of a derived relation names an object: it is no word such as "none".
function M.is_name(text)
  if text:sub(1, 1) == "/" then return not SHIPPED[text] and not text:find "^/Common/_sys_auth_" end
  return text ~= "" and not WORDS[text] and not text:find "[%s*]"
end

--- The full name that a text of a derived relation means.
function M.full_name(relation, text, partition)
  text = bare(text)
  if relation.flat or not M.is_name(text) then return text end
  return names.absolute(text, partition)
end

return M
