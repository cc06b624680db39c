-- What is known about kinds of objects beyond the generated catalogue, or against it.
--
-- nodes: template -> change; patterns: Lua pattern of templates -> change for all that match (`only`: of that type).
-- A change may set: type, kind, noun, known, open (unknown properties are kept), flat, free_names, subs, refs, props (a property
-- set to false goes away), and
--   mandatory = { … }     properties that a POST must have
--   create_only = { … }   properties that cannot be changed later
--   no_create, no_delete  what a real device does not let anybody do
--   parent = "name"       where defaultsFrom points when nothing is said
--   given_name            the answer to a POST has a link to the name that it gave, without a partition
--   pairs = { {a, b} }    flags that exclude each other
local profiles <const> = require "sim.profiles"
local property <const> = require "sim.property"
local security <const> = require "sim.security"

local s <const>, i <const>, flag <const> = property.text, property.number, property.flag
local READ_ONLY <const> = { r = true }
local COUNT <const> = { range = { 0, 4294967295 } } -- what mcpd keeps in 32 bits without a sign

local ENABLED_DISABLED <const> = { { "enabled", "disabled" } }

local nodes <const> = {
  -- apm
  ["apm/aaa/ldap"] = {
    noun = "AAA LDAP server",
    props = {
      address = s(), adminDn = s(), adminEncryptedPassword = s(), baseDn = s(), description = s(), groupCacheTtl = i(30),
      isLdaps = s("false", { c = "false|true" }), locationSpecific = s("true"), port = s("389"), serversslProfile = s("none"),
      timeout = i(15), usePool = s("enabled", { c = "disabled|enabled" }), pool = s(),
    },
  },
  ["apm/url-filter"] = {
    noun = "URL filter",
    props = { allowedCategories = { t = "a" }, blockedCategories = { t = "a" }, confirmCategories = { t = "a" }, description = s() },
  },

  -- auth
  ["auth/partition"] = { exact = true,
    noun = "partition", flat = true, known = true,
    props = { defaultRouteDomain = i(0), description = { t = "s", d = false } },
  },
  ["auth/user"] = { exact = true,
    noun = "user", flat = true, known = true,
    props = {
      description = { d = false }, encryptedPassword = { t = "s", d = false }, partitionAccess = { t = "a", d = false },
      password = s(), shell = s("none", { keeps_none = true, c = "bash|none|tmsh" }), role = s(), sessionLimit = s(),
      promptForPassword = s(), expirationStatus = { t = "s", r = true },
    },
  },
  ["auth/password-policy"] = {
    known = true,
    props = {
      description = s(), expirationWarning = i(7), maxDuration = i(99999), maxLoginFailures = i(0), lockoutDuration = i(0),
      minDuration = i(0), minimumLength = i(6), passwordMemory = i(0), policyEnforcement = s("disabled", { c = "disabled|enabled" }),
      requiredLowercase = i(0), requiredNumeric = i(0), requiredSpecial = i(0), requiredUppercase = i(0),
    },
  },
  ["auth/password"] = { type = "show" },
  ["auth/remote-user"] = {
    known = true,
    props = {
      defaultPartition = s("all"), defaultRole = s("no-access"), description = s(), remoteConsoleAccess = s("disabled"),
    },
  },
  ["auth/source"] = { props = { fallback = s("false"), type = s("local") } },
  ["auth/ldap"] = { noun = "LDAP configuration" },
  ["auth/remote-role"] = {
    type = "singleton", subs = { roleInfoReference = "role-info" }, props = { description = s() },
  },
  ["auth/remote-role/*/role-info"] = { type = "collection" },
  ["auth/remote-role/role-info"] = {
    type = "collection", flat = true, noun = "remote role",
    props = { attribute = s(), console = s("disabled"), deny = s("disabled"), lineOrder = i(), role = s("no-access"), userPartition = s("Common") },
  },

  -- cli
  ["cli/admin-partitions"] = { type = "singleton", props = { updatePartition = s("Common"), queryPartitions = { t = "a" } } },
  ["cli/global-settings"] = { open = true, props = { audit = s("disabled"), idleTimeout = s("disabled"), scf = s(), service = s("name") } },
  ["cli/preference"] = { open = true },
  ["cli/history"] = { type = "show" },
  ["cli/transaction"] = { type = "show" },
  ["cli/alias/private"] = { type = "collection", flat = true },
  ["cli/script"] = { noun = "CLI script" },

  -- cm
  ["cm/device"] = { noun = "device", open = true, props = { configsyncIp = s("none") } },
  ["cm/device-group"] = {
    noun = "device group", known = true,
    props = {
      type = s("sync-only", { c = "sync-failover|sync-only" }), autoSync = s("disabled", { c = "disabled|enabled" }),
      fullLoadOnSync = s("false", { c = "false|true" }), networkFailover = s("disabled", { c = "disabled|enabled" }),
      asmSync = s("disabled"), incrementalConfigSyncSizeMax = i(1024), saveOnAutoSync = s("false"), hidden = s("false"),
      description = s(),
    },
    subs = { devicesReference = "devices" },
  },
  ["cm/device-group/*/devices"] = { noun = "device", props = { setSyncLeader = flag() } },
  ["cm/traffic-group"] = {
    noun = "traffic group",
    props = {
      autoFailbackEnabled = s("false"), autoFailbackTime = i(60), failoverMethod = s("ha-order"), haLoadFactor = i(1),
      isFloating = s("true"), mac = s("none", { keeps_none = true }), unitId = { t = "i", r = true }, description = s(),
    },
  },
  ["cm/trust-domain"] = {
    type = "collection", noun = "trust domain", no_delete = true, no_create = true,
    props = {
      caCert = s(), caCertBundle = s(), caDevices = { t = "a" }, caKey = s(), guid = s(), status = s(), trustGroup = s(),
      nonCaDevices = { t = "a" },
    },
  },
  ["cm/cert"] = { noun = "certificate" },
  ["cm/key"] = { noun = "key" },
  ["cm/config-sync"] = { type = "show" },
  ["cm/add-to-trust"] = { type = "show" },
  ["cm/remove-from-trust"] = { type = "show" },
  ["cm/sniff-updates"] = { type = "show" },
  ["cm/watch-devicegroup-device"] = { type = "show" },
  ["cm/watch-sys-device"] = { type = "show" },
  ["cm/watch-trafficgroup-device"] = { type = "show" },

  -- ltm
  ["ltm/pool"] = { exact = true, known = true,
    noun = "Pool",
    props = {
      serviceDownAction = s("none", { keeps_none = true, c = "drop|none|reselect|reset" }),
      ["ignorePersi$stedWeight"] = false, ignorePersistedWeight = s("disabled", { c = "disabled|enabled" }),
      metadata = { t = "a" }, gatewayFailsafeDevice = s(), profiles = { t = "a" },
      minActiveMembers = COUNT, slowRampTime = COUNT, reselectTries = COUNT, queueDepthLimit = COUNT, queueTimeLimit = COUNT,
    },
  },
  ["ltm/pool/*/members"] = { exact = true, known = true,
    noun = "Pool Member", create_only = { "address" },
    props = {
      state = s("unchecked"), session = s("user-enabled"), ephemeral = s("false", { r = true }), description = s(), monitor = s("default"),
      fqdn = { t = "o", d = { autopopulate = "disabled" } }, metadata = { t = "a" }, appService = s(), profiles = { t = "a" },
      port = s(), ratio = { t = "i", d = 1, range = { 1, 65535 } }, rateLimit = { t = "s", d = "disabled" },
      connectionLimit = COUNT, dynamicRatio = COUNT, priorityGroup = COUNT, sessionStatus = false,
    },
    refs = { nameReference = false },
  },
  ["ltm/node"] = { exact = true, known = true,
    noun = "Node", mandatory = {}, create_only = { "address" },
    props = {
      address = { t = "s" }, description = { d = false }, commonNode = { t = "b" }, domain = s(), key = s(),
      fqdn = { t = "o", d = { addressFamily = "ipv4", autopopulate = "disabled", downInterval = 5, interval = "3600" } },
      monitor = { t = "s", d = "default" }, session = s("user-enabled"), state = s("unchecked"), ephemeral = s("false", { r = true }),
      metadata = { t = "a" }, ratio = { t = "i", d = 1, range = { 1, 65535 } }, connectionLimit = COUNT, dynamicRatio = COUNT,
    },
  },
  ["ltm/virtual"] = { exact = true, known = true,
    noun = "Virtual Server", kept = { "destination" },
    pairs = {
      { "enabled", "disabled" }, { "vlansDisabled", "vlansEnabled" },
    },
    props = {
      enabled = flag(true), vlansDisabled = flag(true), disabled = flag(), vlansEnabled = flag(),
      mirror = s("disabled", { c = "disabled|enabled" }), creationTime = { t = "s", r = true }, lastModifiedTime = { t = "s", r = true },
      vsIndex = { t = "i", r = true }, evictionProtected = s("disabled", { c = "disabled|enabled" }), clonePools = { t = "a" },
      auth = { t = "a" }, httpMrfRoutingEnabled = flag(), serversslUseSni = s("disabled", { c = "disabled|enabled" }),
      sourceAddressTranslation = { t = "o", d = { type = "none" } }, ipProtocol = s("any"), source = { t = "s", d = "0.0.0.0/0" },
      mask = { d = "255.255.255.255" }, synCookieStatus = { r = true }, relatedRules = { t = "a" }, securityLogProfiles = { t = "a" },
      trafficClasses = { t = "a" }, persist = { t = "a" }, rules = { t = "a" }, vlans = { t = "a" }, metadata = { t = "a" },
      trafficMatchingCriteria = s(), perFlowRequestAccessPolicy = s(), bwcPolicy = s(), lastHopPool = s(), destination = { t = "s", d = "0.0.0.0:0" },
      transparentNexthop = s(), l2ForwardVirtual = s(), securityNatPolicy = { t = "o" }, addressRef = false, tmTelemetry = s(),
      internal = flag(), ipForward = flag(), l2Forward = flag(), reject = flag(), stateless = flag(), dhcpRelay = flag(),
      dnsExpressEnabled = false, connectionLimit = COUNT,
    },
    refs = {
      fallbackPersistenceReference = "ltm/persistence", lastHopPoolReference = "ltm/pool", rulesReference = "ltm/rule",
      vlansReference = "net/vlan",
    },
  },
  ["ltm/virtual/*/profiles"] = { noun = "profile", props = { context = s("all", { c = "all|clientside|serverside" }) } },
  ["ltm/virtual/*/policies"] = { noun = "policy" },
  ["ltm/virtual-address"] = { exact = true, known = true,
    noun = "Virtual Address", mandatory = {},
    props = {
      address = { t = "s" }, icmpEcho = { c = false }, spanning = s("disabled"), enabled = s("yes", { c = "no|yes" }),
      inheritedTrafficGroup = s("false"), trafficGroup = s("/Common/traffic-group-1"), serverScope = s("any"),
      arp = s("enabled", { c = "disabled|enabled" }), mask = s("255.255.255.255"), metadata = { t = "a" },
      routeAdvertisement = s("disabled"), unit = { t = "i", d = 1, r = true }, description = s(), autoDelete = s("true"),
    },
    refs = { trafficGroupReference = "cm/traffic-group" },
  },
  ["ltm/rule"] = { noun = "rule", props = { apiAnonymous = s(), ignoreVerification = s(), verificationStatus = s(nil, { r = true }) } },
  ["ltm/policy"] = {
    noun = "policy", known = true,
    props = {
      status = s(), legacy = flag(), publish = s(), createDraft = s(), publishCopy = s(), publishedCopy = s(), strategy = s("/Common/first-match"), controls = { t = "a" }, requires = { t = "a" },
      lastModified = s(nil, { r = true }), description = s(), metadata = { t = "a" }, references = { t = "o" },
    },
    refs = { strategyReference = "ltm/policy-strategy" },
    subs = { rulesReference = "rules" },
  },
  ["ltm/policy/*/rules"] = {
    noun = "policy rule", flat = true, free_names = true, props = { ordinal = i(0), description = s() },
  },
  ["ltm/policy/*/rules/*/actions"] = { noun = "policy action", flat = true, open = true },
  ["ltm/policy/*/rules/*/conditions"] = { noun = "policy condition", flat = true, open = true },
  ["ltm/policy-strategy"] = {
    noun = "policy strategy", props = { description = s() }, subs = { operandsReference = "operands" },
  },
  ["ltm/policy-strategy/*/operands"] = { type = "collection", flat = true, open = true },
  ["ltm/data-group/internal"] = { exact = true,
    noun = "Data Group", known = true, mandatory = { "type" }, create_only = { "type" },
    props = { records = { t = "a" }, type = s(nil, { c = "integer|ip|string" }), description = s() },
  },
  ["ltm/data-group/external"] = { noun = "Data Group", props = { externalFileName = s(), type = s(), description = s() } },
  ["ltm/snatpool"] = { noun = "SNAT pool", mandatory = { "members" }, props = { members = { t = "a" }, description = s() } },
  ["ltm/snat-translation"] = {
    noun = "SNAT translation address",
    props = {
      address = s(), arp = s("enabled"), connectionLimit = i(0), enabled = flag(true), disabled = flag(),
      inheritedTrafficGroup = s("true"), ipIdleTimeout = s("indefinite"), tcpIdleTimeout = s("indefinite"), udpIdleTimeout = s("indefinite"),
      trafficGroup = s("/Common/traffic-group-1"), unit = { t = "i", d = 1, r = true }, description = s(),
    },
    pairs = ENABLED_DISABLED, refs = { trafficGroupReference = "cm/traffic-group" },
  },
  ["ltm/snat"] = {
    noun = "SNAT",
    props = {
      automap = flag(), autoLasthop = s("default"), mirror = s("disabled"), origins = { t = "a" }, snatpool = s(),
      sourcePort = s("preserve"), translation = s(), vlans = { t = "a" }, vlansDisabled = flag(true), vlansEnabled = flag(),
      description = s(), metadata = { t = "a" },
    },
    pairs = { { "vlansDisabled", "vlansEnabled" } },
  },
  ["ltm/nat"] = {
    noun = "NAT",
    props = {
      arp = s("enabled"), autoLasthop = s("default"), enabled = flag(true), disabled = flag(), inheritedTrafficGroup = s("true"),
      originatingAddress = s(), translationAddress = s(), trafficGroup = s("/Common/traffic-group-1"), unit = { t = "i", r = true },
      vlansDisabled = flag(true), vlansEnabled = flag(), vlans = { t = "a" },
    },
    pairs = { { "enabled", "disabled" }, { "vlansDisabled", "vlansEnabled" } },
    refs = { trafficGroupReference = "cm/traffic-group" },
  },
  ["ltm/ifile"] = { noun = "iFile", props = { fileName = s() }, refs = { fileNameReference = "sys/file/ifile" } },
  ["ltm/default-node-monitor"] = { props = { rule = s() } },
  ["ltm/dns/nameserver"] = { flat = false }, ["ltm/dns/tsig-key"] = { flat = false },
  ["ltm/dns/dnssec/key"] = { flat = false }, ["ltm/dns/dnssec/zone"] = { flat = false },
  ["ltm/traffic-class"] = { noun = "traffic class" },
  ["ltm/lsn-pool"] = {
    noun = "LSN Pool", refs = { logProfileReference = "ltm/lsn-log-profile", logPublisherReference = "sys/log-config/publisher" },
    props = { mode = s("napt", { c = "deterministic|napt|pba" }), logProfile = s(), logPublisher = s() },
  },
  ["ltm/lsn-log-profile"] = { props = {
    startInboundSession = { t = "o", d = { action = "disabled" } }, endInboundSession = { t = "o", d = { action = "enabled" } },
  } },
  ["ltm/persistence/msrdp"] = { props = { timeout = s("300") } },
  ["ltm/classification/signature-update-schedule"] = { open = true },
  ["ltm/traffic-matching-criteria"] = { props = { command = false } },
  ["ltm/html-rule"] = { type = "organizing" },
  ["ltm/message-routing"] = { type = "organizing" },
  ["ltm/persistence"] = { type = "organizing" },
  ["ltm/persistence/universal/*"] = { type = "collection" },
  ["ltm/clientssl"] = { type = "organizing" },
  ["ltm/clientssl-proxy"] = { type = "organizing" },

  -- net
  ["net/vlan"] = { exact = true, known = true,
    noun = "VLAN",
    props = {
      tag = i(), ifIndex = { t = "i", r = true }, dagTunnel = s("outer"), fwdMode = s("l3"), hardwareSyncookie = s("disabled"),
      synFloodRateLimit = i(1000), syncacheThreshold = i(6000), description = { d = false }, customerTag = s("none", { keeps_none = true }),
      dagAdjustment = s("none", { keeps_none = true }), mtu = { t = "i", d = 1500, range = { 576, 65535 } },
    },
  },
  ["net/vlan/*/interfaces"] = {
    noun = "interface", flat = true, free_names = true, pairs = { { "tagged", "untagged" } },
    props = { tagged = flag(), untagged = flag(), tagMode = s("none", { keeps_none = true }) },
  },
  ["net/self"] = { exact = true, known = true,
    noun = "Self IP", mandatory = { "address", "vlan" }, create_only = { "address" },
    props = {
      address = s(), vlan = s(), allowService = { t = "x" }, description = s(), fwEnforcedPolicy = s(), fwStagedPolicy = s(),
      servicePolicy = s(), inheritedTrafficGroup = s("false", { c = "false|true" }), trafficGroup = { d = "/Common/traffic-group-local-only" },
    },
  },
  ["net/route"] = { exact = true, known = true,
    noun = "route", props = {
      network = s(), gw = s(), pool = s(), tmInterface = s(), blackhole = flag(), mtu = i(0), description = s(),
    },
  },
  ["net/route-domain"] = { exact = true,
    noun = "route domain", known = true,
    props = {
      id = { t = "i", range = { 0, 65534 } }, strict = s("enabled"), throughputCapacity = s("infinite"), vlans = { t = "a" },
      connectionLimit = i(0), routingProtocol = { t = "a" }, parent = s(), description = s(), bwcPolicy = s(), flowEvictionPolicy = s(),
      fwEnforcedPolicy = s(), fwStagedPolicy = s(), ipIntelligencePolicy = s(), securityNatPolicy = s(), servicePolicy = s(),
    },
  },
  ["net/interface"] = { noun = "interface", flat = true, no_create = true, no_delete = true, pairs = ENABLED_DISABLED,
    props = { disabled = flag(), mediaActive = { t = "s", r = true }, mediaMax = { r = true }, ifIndex = { r = true }, macAddress = { t = "s", r = true } } },
  ["net/trunk"] = { noun = "trunk", flat = true, props = { media = s("none") } },
  ["net/stp-globals"] = { open = true },
  ["net/self-allow"] = { props = { defaults = { t = "a" } } },
  ["net/tunnels/vxlan"] = { props = { floodingType = { keeps_none = true } } },
  ["net/arp"] = { noun = "ARP entry" },
  ["net/fdb/tunnel"] = { type = "collection", no_create = true, no_delete = true },
  ["net/fdb/vlan"] = { type = "collection", no_create = true, no_delete = true, subs = { recordsReference = "records" } },
  ["net/fdb/vlan/*/records"] = { type = "collection", flat = true, free_names = true, noun = "FDB record" },
  ["net/fdb/tunnel/*/records"] = { type = "collection", flat = true, free_names = true, noun = "FDB record" },
  ["net/tunnels/tunnel"] = {
    noun = "Tunnel", props = { idleTimeout = i(300), profile = s(), localAddress = s("any6"), remoteAddress = s("any6"), key = i(0), mode = s("bidirectional"), ifIndex = { t = "i", r = true } },
  },
  ["net/cmetrics"] = { type = "show" }, ["net/ipsec-stat"] = { type = "show" }, ["net/rst-cause"] = { type = "show" },
  ["net/bwc-policy"] = { type = "show" }, ["net/bwc-probe"] = { type = "show" }, ["net/interface-ddm"] = { type = "show" },
  ["net/cos/global-settings"] = { pairs = { { "featureDisabled", "featureEnabled" } } },

  -- sys
  ["sys/url-db/url-category"] = {
    noun = "URL category",
    props = {
      catId = i(), catNumber = i(), displayName = s(), f5Id = i(), parentCatNumber = i(), isCustom = s("true"), urls = { t = "a" },
    },
  },
  ["sys/folder"] = { exact = true,
    type = "collection", noun = "folder", known = true,
    props = {
      deviceGroup = s("none", { keeps_none = true }), hidden = s("false"), inheritedDevicegroup = s("true", { c = "false|true" }),
      inheritedTrafficGroup = s("true", { c = "false|true" }), noRefCheck = s("false"), trafficGroup = s("/Common/traffic-group-1"),
      description = s(),
    },
    refs = { trafficGroupReference = "cm/traffic-group" },
  },
  ["sys/provision"] = { exact = true,
    noun = "provision", flat = true, no_create = true, no_delete = true, known = true,
    props = { level = { t = "s", d = "none", c = "custom|dedicated|minimum|nominal|none", keeps_none = true } },
  },
  ["sys/db"] = { exact = true,
    noun = "DB variable", flat = true, no_create = true, no_delete = true, known = true,
    props = { value = s(nil, { keeps_none = true }), defaultValue = { t = "s", r = true }, scfConfig = { t = "s", r = true }, valueRange = { t = "s", r = true } },
  },
  ["sys/dns"] = {
    known = true, props = { nameServers = { t = "a" }, search = { t = "a" }, numberOfDots = i(), description = s(), include = s() },
  },
  ["sys/ntp"] = {
    known = true, props = {
      servers = { t = "a" }, timezone = s("America/Los_Angeles"), restrict = { t = "a" }, include = s(), description = s(),
    },
    subs = { restrictReference = "restrict" },
  },
  ["sys/ntp/restrict"] = {
    type = "collection", flat = true, props = {
      address = s(), defaultEntry = s("disabled"), description = s(), ignore = s("disabled"), kod = s("disabled"), limited = s("disabled"),
      lowPriorityTrap = s("disabled"), mask = s(), noModify = s("disabled"), noPeer = s("disabled"), noQuery = s("disabled"),
      noServePackets = s("disabled"), noTrap = s("disabled"), noTrust = s("disabled"), nonNtpPort = s("disabled"), ntpPort = s("disabled"),
      version = s("disabled"),
    },
  },
  ["sys/snmp"] = {
    open = true, subs = { communitiesReference = "communities", trapsReference = "traps", usersReference = "users" },
    props = { sysContact = s("Customer Name <admin@customer.com>"), sysLocation = s("Network Closet 1") },
  },
  ["sys/snmp/communities"] = {
    type = "collection", flat = true, full_names = true, noun = "SNMP community", free_names = true,
    props = { communityName = s(), access = s("ro"), ipv6 = s("disabled"), oidSubset = s(), source = s(), description = s() },
  },
  ["sys/snmp/users"] = {
    type = "collection", flat = true, full_names = true, given_name = true, noun = "SNMP user", free_names = true,
    props = {
      access = s("ro"), authPassword = s(), authProtocol = s("sha"), oidSubset = s(".1"), privacyPassword = s(), privacyProtocol = s("aes"),
      securityLevel = s("auth-no-privacy"), username = s(), description = s(),
    },
  },
  ["sys/snmp/traps"] = {
    type = "collection", flat = true, full_names = true, given_name = true, noun = "SNMP trap", free_names = true,
    props = {
      authPassword = s(), authProtocol = s("none", { keeps_none = true }), community = s(), engineId = s(), host = s(), port = { t = "x", d = 162 }, network = s("other"),
      privacyPassword = s(), privacyProtocol = s("none", { keeps_none = true }), securityLevel = s("no-auth-no-privacy"), securityName = s(),
      version = s("2c"), description = s(),
    },
  },
  ["sys/management-ip"] = { noun = "management IP", flat = true, free_names = true },
  ["sys/management-route"] = { noun = "management route" },
  ["sys/file/ssl-cert"] = { noun = "Certificate File" },
  ["sys/file/ssl-key"] = { noun = "Certificate Key File" },
  ["sys/file/ifile"] = { noun = "iFile file object" },
  ["sys/file/data-group"] = { noun = "Data Group File" },
  ["sys/file/external-monitor"] = { noun = "External Monitor File" },
  ["sys/crypto/cert"] = { noun = "certificate", flat = true, full_names = true, open = true },
  ["sys/crypto/key"] = {
    type = "collection", noun = "key", flat = true, full_names = true, open = true,
    props = { keySize = s(), keyType = s(), securityType = s("normal") },
  },
  ["sys/crypto/csr"] = { flat = true, full_names = true, open = true },
  -- An installation makes volumes; images and hotfixes appear when their files do.
  ["sys/software/volume"] = { noun = "software volume", flat = true, free_names = true, no_create = true },
  ["sys/software/image"] = { noun = "software image", flat = true, free_names = true, open = true, no_create = true },
  ["sys/software/hotfix"] = { noun = "software hotfix", flat = true, free_names = true, open = true, no_create = true },
  ["sys/software/signature"] = { no_create = true },
  ["sys/software/block-device-image"] = { no_create = true }, ["sys/software/block-device-hotfix"] = { no_create = true },
  ["sys/application/service"] = { noun = "Application Service", props = { deviceGroup = s("none") } },
  ["sys/application/template"] = { noun = "Application Template" },
  ["sys/application/template/*/actions"] = { type = "collection", flat = true, open = true },
  ["sys/icall/event"] = { type = "show" },
  ["sys/connection"] = { type = "show" }, ["sys/icmp-stat"] = { type = "show" }, ["sys/ip-stat"] = { type = "show" },
  ["sys/config"] = { type = "show" }, ["sys/failover"] = { type = "show" }, ["sys/geoip"] = { type = "show" },
  ["sys/license"] = { type = "show" }, ["sys/pptp-call-info"] = { type = "show" }, ["sys/pva-traffic"] = { type = "show" },
  ["sys/tmm-traffic"] = { type = "show" }, ["sys/traffic"] = { type = "show" }, ["sys/fix-connection"] = { type = "show" },
  ["sys/classification-signature"] = { type = "show" }, ["sys/core"] = { type = "show" }, ["sys/availability"] = { type = "show" },
  ["sys/ha-mirror"] = { type = "show" }, ["sys/iprep"] = { type = "show" }, ["sys/sync-sys-files"] = { type = "show" },
  ["sys/clock"] = { type = "show" }, ["sys/console"] = { type = "show" }, ["sys/cpu/0"] = { type = "show", hidden = true },
  ["sys/icall/publisher/failover"] = { type = "show", hidden = true }, ["net/interface-cos/mgmt"] = { type = "show", hidden = true },
  ["sys/crypto/master-key"] = { type = "show" }, ["sys/crypto/check-cert"] = { type = "show" }, ["sys/restricted-module"] = { type = "show" },
  ["sys/integrity/status-check"] = { type = "show" }, ["sys/ucs"] = { type = "collection", flat = true, open = true, free_names = true },
  ["sys/daemon-ha"] = { type = "collection", flat = true, no_create = true, no_delete = true },
  ["sys/feature-module"] = { type = "collection", flat = true, no_create = true, no_delete = true, pairs = ENABLED_DISABLED,
    props = { enabled = flag(true), disabled = flag() } },
  ["sys/service"] = { type = "collection", flat = true, no_create = true, no_delete = true, noun = "service" },
  ["sys/disk/directory"] = { type = "show" }, ["sys/cluster"] = { type = "collection", flat = true, no_create = true, no_delete = true },
  ["sys/raid"] = { type = "organizing" }, ["sys/raid/array"] = { type = "show" }, ["sys/raid/bay"] = { type = "show" },
  ["sys/disk/logical-disk"] = { flat = true, no_create = true, no_delete = true },
  ["sys/autoscale-group"] = { open = true },
  ["sys/global-settings"] = {
    open = true, props = {
      hostname = s("bigip1.example.net"), guiSetup = s("disabled"), usernamePrompt = s("Username"), passwordPrompt = s("Password"),
      description = s(), guiSecurityBannerText = s(),
    },
  },
  ["sys/httpd"] = { open = true }, ["sys/sshd"] = { open = true, props = { inactivityTimeout = i(0), allow = { t = "a" } } },
  ["sys/syslog"] = { open = true }, ["sys/state-mirroring"] = { open = true },
  ["sys/daemon-log-settings/clusterd"] = { props = { logLevel = s("notice") } },
  ["sys/daemon-log-settings/csyncd"] = { props = { logLevel = s("notice") } },
  ["sys/daemon-log-settings/lind"] = { props = { logLevel = s("notice") } },
  ["sys/daemon-log-settings/icrd"] = { props = { audit = s("modifications"), logLevel = s("notice") } },
  ["sys/daemon-log-settings/icr-eventd"] = { type = "singleton", props = { logLevel = s("notice") } },
  ["sys/daemon-log-settings/mcpd"] = { props = { audit = s("enabled"), logLevel = s("notice") } },
  ["sys/log"] = { type = "organizing" }, ["sys/performance/all-stats"] = { type = "show" },
  ["sys/sflow/global-settings/interface"] = { type = "singleton", props = { pollInterval = i(10) } },
  ["sys/smtp-server"] = {
    pairs = { { "authenticationDisabled", "authenticationEnabled" } }, open = true,
    props = { authenticationDisabled = flag(true), authenticationEnabled = flag(), smtpServerPort = i(25) },
  },

  -- gtm
  ["gtm/pool"] = { type = "organizing" }, ["gtm/wideip"] = { type = "organizing" }, ["gtm/monitor"] = { type = "organizing" },
  ["gtm/datacenter"] = {
    noun = "Data Center", pairs = ENABLED_DISABLED,
    props = { enabled = flag(true), disabled = flag(), contact = s(), location = s(), proberPool = s(), metadata = { t = "a" }, description = s(),
      proberFallback = s("any-available"), proberPreference = s("inside-datacenter") },
  },
  ["gtm/server"] = {
    noun = "Server", pairs = ENABLED_DISABLED, mandatory = { "datacenter" },
    subs = { virtualServersReference = "virtual-servers", devicesReference = "devices" }, open = true,
    props = { enabled = flag(true), disabled = flag(), addresses = { t = "a" }, datacenter = s(), product = s("bigip"), description = s() },
  },
  ["gtm/server/*/virtual-servers"] = {
    type = "collection", flat = true, free_names = true, noun = "virtual server", pairs = ENABLED_DISABLED, open = true,
    props = { enabled = flag(true), disabled = flag(), destination = s() },
  },
  ["gtm/server/*/devices"] = { type = "collection", flat = true, free_names = true, noun = "device", open = true, props = { configsyncIp = s("none") } },
  ["gtm/prober-pool"] = { type = "collection", pairs = ENABLED_DISABLED, props = { enabled = flag(true), disabled = flag() },
    subs = { membersReference = "members" }, open = true },
  ["gtm/prober-pool/*/members"] = { type = "collection", open = true, pairs = ENABLED_DISABLED },
  ["gtm/region"] = { open = true }, ["gtm/rule"] = { noun = "rule", open = true },
  ["gtm/topology"] = { flat = true, free_names = true, open = true },
  ["gtm/global-settings/metrics-exclusions"] = { type = "singleton" },
  ["gtm/listener"] = { type = "collection", open = true, subs = { profilesReference = "profiles" } },
  ["gtm/listener/*/profiles"] = { type = "collection", open = true },

  ["pem/forwarding-endpoint"] = { type = "collection", open = true }, ["pem/policy"] = { type = "collection", open = true },
  ["vcmp/virtual-disk"] = { type = "collection", flat = true, free_names = true, no_create = true },  -- comes with a guest
}

for _, kind in ipairs { "a", "aaaa", "cname", "mx", "naptr", "srv" } do
  nodes["gtm/pool/" .. kind] = {
    noun = "Pool", pairs = ENABLED_DISABLED, open = true, subs = { membersReference = "members" },
    props = { enabled = flag(true), disabled = flag() },
  }
  nodes["gtm/pool/" .. kind .. "/*/members"] = {
    type = "collection", noun = "Pool Member", pairs = ENABLED_DISABLED, open = true, free_names = true,
    flat = kind ~= "a" and kind ~= "aaaa", kind = ("tm:gtm:pool:%s:members:members"):format(kind), props = { enabled = flag(true), disabled = flag(), memberOrder = i(), ratio = i(1) },
  }
  nodes["gtm/wideip/" .. kind] = {
    noun = "Wide IP", pairs = ENABLED_DISABLED, open = true, free_names = true,
    props = { enabled = flag(true), disabled = flag(), lastResortPool = s("", { keeps_empty = true }) },
  }
end

-- The old public description leaves out that these are in partitions.
for _, template in ipairs {
  "sys/icall/handler/periodic", "sys/icall/handler/perpetual", "sys/icall/handler/triggered", "sys/icall/istats-trigger", "sys/icall/script",
  "sys/ipfix/destination", "sys/ipfix/irules", "sys/log-config/destination/arcsight", "sys/log-config/destination/ipfix",
  "sys/log-config/destination/management-port", "sys/log-config/destination/remote-high-speed-log", "sys/log-config/destination/remote-syslog",
  "sys/log-config/destination/splunk", "sys/log-config/filter", "net/cos/map-dscp", "net/cos/traffic-priority", "net/ipsec/manual-security-association",
  "net/rate-shaping/color-policer", "net/rate-shaping/drop-policy", "net/rate-shaping/queue", "net/rate-shaping/shaping-policy", "net/port-mirror",
  "sys/ha-group", "net/packet-filter",
} do
  nodes[template] = nodes[template] or {}
  nodes[template].flat = template == "sys/ha-group" or template == "net/port-mirror" or template == "net/packet-filter"
end

-- What a device says of itself; the guide's own example of a read-only property is its timeZone.
for _, name in ipairs { "timeZone", "version", "build", "edition", "platformId", "product", "selfDevice", "managementIp", "failoverState",
  "chassisId", "chassisType", "baseMac", "marketingName", "activeModules", "optionalModules" } do
  nodes["cm/device"].props[name] = READ_ONLY
end

-- What a device works out from a file itself.
local file <const> = { only = "collection", props = {} }
for _, name in ipairs { "checksum", "createTime", "createdBy", "lastUpdateTime", "mode", "revision", "size", "updatedBy", "certificateKeyCurveName",
  "certificateKeySize", "email", "expirationDate", "expirationString", "fingerprint", "isBundle", "issuer", "keySize", "keyType", "serialNumber",
  "subject", "subjectAlternativeName", "version" } do
  file.props[name] = READ_ONLY
end

for _, more in ipairs { profiles.nodes, security.nodes } do
  for template, node in pairs(more) do nodes[template] = node end
end
for _, module in ipairs { "ltm", "gtm" } do
  nodes[module .. "/monitor/none"] = { type = "collection", no_create = true, no_delete = true }
end
for _, template in ipairs {
  "security/firewall/uuid-default-autogenerate", "sys/crypto/allow-key-export", "sys/crypto/fips/external-hsm", "sys/fpga/firmware-config",
} do
  nodes[template] = { type = "singleton", open = true }
end
nodes["ltm/global-settings/rule"] = { type = "singleton", open = true }

local monitor <const> = {
  only = "collection", noun = "monitor",
  props = {
    defaultsFrom = s(), description = s(), username = s(), password = s(), send = { t = "s" },
  },
}
local profile <const> = { only = "collection", flat = false, props = { defaultsFrom = s(), description = s("none") } }
local persistence <const> = { only = "collection", noun = "Persistence Profile", props = { defaultsFrom = s() } }

return {
  nodes = nodes,
  patterns = {
    ["^%w+/monitor/[^/*]+$"] = monitor,
    ["^ltm/profile/[^/*]+$"] = profile,
    ["^sys/file/[^/*]+$"] = file, ["^cm/cert$"] = file, ["^cm/key$"] = file,
    ["^ltm/persistence/[^/*]+$"] = persistence,
  },
}
