-- Kinds that no recorded answer shows: new objects, settings and default objects have the
-- properties that public pages state.
local lab = require "lab"
local plain_kinds = require "walk.plain_kinds"

-- What a new object shows, and what it needs.
local MADE <const> = {
  ["gtm/link"] = {
    body = { datacenter = "/Common/walk", routerAddresses = { { name = "192.0.2.1" } } },
    duplexBilling = "enabled", linkRatio = 1, weighting = "ratio", limitMaxTotalBps = 0,
    limitMaxTotalBpsStatus = "disabled", prepaidSegment = 0,
  },
  ["gtm/listener"] = {
    body = { address = "192.0.2.53" },
    translateAddress = "disabled", translatePort = "disabled", port = 53, enabled = true,
    ipProtocol = "udp", mask = "255.255.255.255", advertise = "no", vlansDisabled = true,
    sourcePort = "preserve",
  },
  ["gtm/distributed-app"] = { dependencyLevel = "none", persistence = "disabled" },
  ["gtm/prober-pool"] = { loadBalancingMode = "global-availability", enabled = true },
  ["gtm/monitor/gtp"] = { probeAttempts = 3, probeInterval = 1, protocolVersion = 1 },
  ["gtm/monitor/ldap"] = { chaseReferrals = "yes", mandatoryAttributes = "no", interval = 30 },
  ["gtm/monitor/mysql"] = { count = "0", debug = "no", timeout = 91, probeTimeout = 5 },
  ["gtm/monitor/sip"] = { mode = "udp", compatibility = "enabled", timeout = 120 },
  ["ltm/monitor/http2"] = { adaptive = "disabled", sslProfile = "/Common/serverssl", timeout = 16 },
  ["ltm/monitor/nntp"] = { upInterval = 0, debug = "no", destination = "*:*" },
  ["ltm/monitor/rpc"] = { mode = "tcp", manualResume = "disabled", timeout = 31 },
  ["ltm/monitor/sasp"] = {
    interval = "auto", mode = "pull", protocol = "tcp", service = "3860", timeout = 100,
  },
  ["ltm/profile/analytics"] = {
    collectMethods = "enabled", collectUrl = "disabled", sessionTimeout = 300,
    capturedTrafficInternalLogging = "disabled", defaultsFrom = "/Common/analytics",
  },
  ["ltm/profile/mblb"] = { egressHigh = 50, ingressLow = 5, isolateAbort = "disabled" },
  ["ltm/profile/ntlm"] = { insertCookieName = "NTLMconnpool", keyByCookieName = "mycookie" },
  ["ltm/profile/quic"] = { bidiConcurrentStreamsPerConnection = 100, spinBit = "enabled" },
  ["ltm/profile/sctp"] = {
    rtoInitial = 3000, rtoMax = 60000, sendMaxRetries = 10, tcpShutdown = "disabled",
    receiveWindowSize = 65535, secret = "default",
  },
  ["ltm/profile/smtps"] = { activationMode = "require" },
  ["ltm/profile/statistics"] = { field1 = "none", defaultsFrom = "/Common/stats" },
  ["ltm/alg-log-profile"] = { csvFormat = "disabled" },
  ["ltm/persistence/host"] = { timeout = "180", matchAcrossPools = "disabled", mode = "host" },
  ["ltm/traffic-matching-criteria"] = {
    destinationAddressInline = "0.0.0.0", sourcePortInline = 0, routeDomain = "any",
  },
  ["ltm/message-routing/generic/transport-config"] = { ipProtocol = "tcp", sourcePort = 0 },
  ["ltm/message-routing/sip/transport-config"] = { ipProtocol = "tcp", sourcePort = 0 },
  ["auth/ldap"] = {
    bindTimeout = 30, idleTimeout = 3600, port = 389, scope = "sub", ssl = "disabled", version = 3,
  },
  ["auth/tacacs"] = {
    accounting = "send-to-first-server", authentication = "use-first-server", debug = "disabled",
    encryption = "enabled",
  },
  ["net/dns-resolver"] = { nameserverTtl = 900, routeDomain = "/Common/0" },
  ["apm/sso/kerberos"] = { ticketLifetime = 600, upnSupport = "disabled" },
  ["apm/profile/exchange"] = { activeSyncAuthType = "basic" },
  ["pem/profile/diameter-endpoint"] = { msgRetransmitDelay = 1500, msgMaxRetransmits = 2 },
  ["security/bot-defense/profile"] = {
    enforcementMode = "transparent", deviceidMode = "generate-after-access",
  },
  ["security/firewall/port-misuse-policy"] = { dropOnL7Mismatch = "no" },
  ["security/dos/dos-signature"] = {
    approvalState = "manually-approved", hardwareOffload = "enabled", thresholdMode = "manual",
    type = "persistent",
  },
  ["security/blacklist-publisher/profile"] = {
    body = { routeAdvertisementNexthop = "192.0.2.9" }, bgpFlowspecAdvertisementAction = "drop",
  },
  ["apm/aaa/saml"] = { spScheme = "https", authContextComparisonMethod = "exact" },
  ["apm/aaa/saml-idp-connector"] = { ssoBinding = "http-post", wantAuthnRequestSigned = "false" },
  ["apm/aaa/kerberos-keytab-file"] = { mode = 33188, revision = 1, updatedBy = "admin" },
  ["apm/configuration/captcha"] = { captchaDataTheme = "data-theme-light", trackByIp = "true" },
  ["apm/oauth/oauth-client-app"] = { authType = "secret", refreshTokenUsageLimit = 64 },
  ["apm/policy/agent/aaa-active-directory"] = { authMaxLogonAttempt = 3, type = "last" },
  ["apm/policy/agent/aaa-radius"] = {
    maxLogonAttempt = 3, usernameSource = "%{session.logon.last.username}",
  },
  ["apm/policy/agent/endpoint-windows-protected-workspace"] = { allowPrinterUse = "true" },
  ["apm/policy/agent/resource-assign"] = { type = "general" },
  ["apm/resource/portal-access"] = { javascriptPatching = "true", publishOnWebtop = "false" },
  ["apm/resource/remote-desktop/citrix"] = { port = "80", autoLogon = "disabled" },
  ["apm/resource/webtop"] = { minimizeToTray = "true", locationSpecific = "true" },
  ["apm/sso/saml-sp-connector"] = { signatureType = "rsa-sha1", wantAssertionSigned = "true" },
  ["pem/protocol/radius-avp"] = { dataType = "string", maxLength = 253, minLength = 1 },
  ["pem/subscriber-attribute"] = { export = "enabled", import = "enabled" },
  ["apm/policy/agent/otp-generate"] = { otpLength = 6, otpTimeout = 300 },
  ["apm/policy/agent/aaa-oauth"] = {
    grantType = "authorization-code", openidConnect = "disabled", tokenValidationMode = "external",
  },
  ["apm/oauth/jwk-config"] = { autoGenerated = "false", includeX5c = "no", keyUse = "signing" },
  ["apm/aaa/http-connector-transport"] = { maxResponseSize = 32768, timeout = 5 },
  ["apm/profile/vdi"] = { citrixStorefrontReplacement = "disabled" },
  ["apm/resource/webtop-section"] = { initialState = "expanded", sortResources = "by-priority" },
  ["ilx/plugin"] = { enabled = true },
  ["net/bwc/policy"] = { ipTos = "pass-through", linkQos = "pass-through" },
  ["ltm/rule-profiler"] = { period = 0, state = "disabled" },
  ["net/routing/bgp"] = {
    holdTime = 90, keepAlive = 30, profile = "/Common/bgp", routeDomain = "/Common/0",
    routerId = "any6",
  },
  ["apm/aaa/oauth-server"] = { tokenValidationInterval = 60 },
  ["pem/quota-mgmt/rating-group"] = {
    body = { ratingGroupId = 1 }, defaultBreachAction = "terminate", defaultThreshold = 0,
    requestOnInstall = "no",
  },
  ["security/anti-fraud/profile"] = { alertPath = "/rstats/", alertTokenHeader = "Alert-Token" },
  ["ltm/profile/traffic-acceleration"] = { tcpHandshakeTimeout = 5000, timeWaitTimeout = 2000 },
}

-- How many kinds of a module have no default, although objects can be made, and nobody knows that
-- there is none (walk/plain_kinds.lua). They may become fewer, not more.
local BARE <const> = {
  analytics = 41, ["api-protection"] = 2, apm = 42, ilx = 2, net = 3, pem = 9, security = 33,
  sys = 8, vcmp = 1, wam = 4, wom = 2,
}

-- Settings, and objects that a new device has.
local THERE <const> = {
  ["cli/preference"] = {
    displayThreshold = 100, editor = "vi", historySize = 500, statUnits = "default",
  },
  ["ltm/global-settings/general"] = {
    gratuitousArpRate = 0, l2CacheTimeout = 300, maintenanceMode = "disabled",
    shareSingleMac = "unique", snatPacketForward = "enabled",
  },
  ["ltm/default-node-monitor"] = { rule = "none" },
  ["sys/crypto/acceleration-strategy"] = { fixedRatio = 1000 },
  ["api-protection/profile/apiprotection/apiprotection"] = { dnsMode = "ipv4-only" },
  ["cli/alias/shared/traceroute6"] = { tmCommand = "run /util traceroute6" },
  ["cm/device-group/gtm"] = { type = "sync-only", autoSync = "disabled" },
  ["ltm/data-group/internal/sys_APM_MS_Office_OFBA_DG"] = { type = "string" },
  ["sys/ipfix/element/IPSecSPI:base"] = {
    dataType = "unsigned32", enterpriseId = 0, id = 295, size = 0,
  },
  ["sys/ipfix/element/partitionName:base"] = { enterpriseId = 12276, id = 2, size = 64 },
  ["apm/ephemeral-auth/ssh-security-config/~Common~ssh-security-config"] = {
    fullPath = "/Common/ssh-security-config",
  },
  ["ltm/classification/ce/ce_afm"] = { allowReclassification = "off", flowBundling = "on" },
  ["ltm/profile/classification/classification_apm_swg"] = {
    preset = "/Common/ce_apm_swg", iruleEvent = "off", appDetection = "on",
  },
  ["ltm/profile/map-t/mapt"] = { ip6Prefix = "::/48", eaBitsLength = 32, portOffset = 6 },
  ["ltm/profile/client-ssl/clientssl-quic"] = {
    defaultsFrom = "/Common/clientssl", cipherGroup = "/Common/f5-quic", ciphers = "none",
  },
  ["net/rate-shaping/drop-policy/red"] = { averagePacketSize = 1024, type = "red" },
  ["net/ipsec/traffic-selector/default-traffic-selector-interface"] = {
    ipsecPolicy = "/Common/default-ipsec-policy-interface",
  },
  ["net/tunnels/lw4o6/lw4o6"] = { psidLength = 0, allProtocolsPass = "disabled" },
  ["apm/oauth/db-instance/oauthdb"] = { name = "oauthdb" },
  ["net/port-list/_sys_self_allow_udp_defaults"] = { name = "_sys_self_allow_udp_defaults" },
  ["security/dos/bot-signature-category/Spyware"] = { type = "malicious" },
  ["sys/diags/ihealth"] = { expiration = 30 },
  ["pem/global-settings/session-mgmt-attributes"] = { clearOnNasReboot = "disabled" },
  ["security/dos/device-config/dos-device-config"] = {
    thresholdSensitivity = "medium", synCookieDsrFlowResetBy = "none",
  },
  ["pem/profile/diameter-endpoint/diameter-endpoint"] = {
    gxSessionIdPrefix = "Gx.BIG-IP.f5net.com",
  },
  ["security/datasync/local-profile/rsa"] = { bufSize = 2097152, rowsBulk = 50 },
  ["sys/file/external-monitor/arg_example"] = { systemPath = "/config/monitors/arg_example" },
  ["apm/profile/connectivity/connectivity"] = { compression = "enabled" },
  ["security/firewall/config-change-log"] = { logPublisher = "/Common/local-db-publisher" },
  ["security/firewall/rule-list/~Common~_sys_self_allow_management/rules/_sys_allow_web"] = {
    action = "accept", ipProtocol = "tcp", status = "enabled", fullPath = "_sys_allow_web",
  },
  ["security/scrubber/profile/scrubber-profile-default"] = { advertisementTtl = "300" },
  ["net/dns-resolver/f5-aws-dns"] = { cacheSize = 5767168, routeDomain = "/Common/0" },
  ["security/device-id/attribute/att07"] = { id = 7 },
  ["security/dos/network-whitelist/dos-network-whitelist"] = { name = "dos-network-whitelist" },
  ["security/ip-intelligence/policy/ip-intelligence"] = { defaultAction = "drop" },
  ["security/protocol-inspection/compliance-map/map_10426"] = { inspId = 10426, keyType = "int" },
  ["sys/diags/ihealth-request"] = { progress = 0, qkviewSize = 0 },
  ["cm/device-group/datasync-global-dg"] = { fullLoadOnSync = "true", autoSync = "disabled" },
  ["cm/device-group/dos-global-dg/devices/bigip1"] = { name = "bigip1" },
  ["ltm/rule/_sys_auth_ldap"] = {
    apiAnonymous = "nodelete nowrite\nwhen HTTP_REQUEST {\n}\nwhen AUTH_RESULT {\n}",
  },
  ["security/log/profile/Log%20all%20requests"] = { builtIn = "enabled", hidden = "false" },
  ["security/log/profile/~Common~global-network/network/global-network"] = {
    name = "global-network",
  },
  ["sys/ecm/cloud-provider/vsphere"] = { name = "vsphere" },
}

describe("Kinds without a recording", function()
  local device, bip
  setup(function()
    device, bip = lab.start {
      provision = { "ltm", "gtm", "apm", "afm", "asm", "pem", "vcmp", "ilx", "fps" },
      seed = { objects = { ["/mgmt/tm/gtm/datacenter"] = { { name = "walk" } } } },
    }
  end)
  teardown(function() lab.stop(bip, device) end)

  local function differences(found, where, wanted, shown)
    for name, value in pairs(wanted) do
      if name ~= "body" and shown[name] ~= value then
        found[#found + 1] =
          ("%s %s: %s, not %s"):format(where, name, tostring(shown[name]), tostring(value))
      end
    end
  end

  it("show the defaults of a new object", function()
    local found = {}
    for kind, wanted in pairs(MADE) do
      local body = { name = "walk-" .. kind:gsub("/", "-") }
      for name, value in pairs(wanted.body or {}) do body[name] = value end
      local made = bip:request("POST", "/mgmt/tm/" .. kind, { body = body })
      differences(found, kind, wanted, made)
      local path = made.selfLink:match "localhost(/mgmt/tm/[^?]+)"
      differences(found, path, wanted, bip:request("GET", path))
    end
    table.sort(found)
    assert.same({}, found)
  end)

  it("show settings and default objects", function()
    local found = {}
    for path, wanted in pairs(THERE) do
      local where, name = path:match "^(.*)/([^/]+)$"
      local ok, shown = pcall(bip.request, bip, "GET", "/mgmt/tm/" .. path)
      if not ok then
        shown = bip:request("GET", ("/mgmt/tm/%s/~Common~%s"):format(where, name))
      end
      differences(found, path, wanted, shown)
    end
    table.sort(found)
    assert.same({}, found)
  end)

  it("have the profiles of a transport configuration, with links", function()
    for _, protocol in ipairs { "diameter", "generic", "mqtt", "sip" } do
      local path = "/mgmt/tm/ltm/message-routing/" .. protocol .. "/transport-config"
      bip:request("POST", path, {
        body = { name = "walk-links", profiles = { "/Common/tcp", "/Common/diametersession" } },
      })
      local links = {}
      for i, item in ipairs(bip:request("GET", path .. "/~Common~walk-links/profiles").items) do
        links[i] = item.nameReference.link:match "/tm/(.*)%?"
      end
      assert.same(
        { "ltm/message-routing/diameter/profile/session/~Common~diametersession",
          "ltm/profile/tcp/~Common~tcp" },
        links
      )
    end
  end)

  it("show groups of defaults", function()
    local profile = bip:request("GET", "/mgmt/tm/security/http/profile/~Common~http_security")
    assert.equal(20, profile.httpRfc.maximumHeaders)
    assert.equal("enabled", profile.mandatoryHeaders.alarm)
    local settings = bip:request("GET",
      "/mgmt/tm/security/dos/device-config/~Common~dos-device-config").dynamicSignatures
    assert.equal("none", settings.dns.mitigation)
    assert.equal(300, settings.network.scrubberAdvertisementPeriod)
  end)

  it("show the same defaults for a rule wherever it is", function()
    bip:request("POST", "/mgmt/tm/security/firewall/rule-list", { body = { name = "walk" } })
    bip:request("POST", "/mgmt/tm/security/firewall/policy", { body = { name = "walk" } })
    for _, path in ipairs {
      "rule-list/~Common~walk/rules", "policy/~Common~walk/rules", "management-ip-rules/rules",
    } do
      local made = bip:request("POST", "/mgmt/tm/security/firewall/" .. path, {
        body = { name = "r", action = "drop", ["place-after"] = "first" },
      })
      assert.same({ "drop", "any", "no", "enabled" },
        { made.action, made.ipProtocol, made.log, made.status })
    end
  end)

  -- These were recorded with one object of an owner, whose values are no defaults.
  it("show no values of one owner", function()
    local found = {}
    for kind, wanted in pairs {
      ["gtm/wideip/aaaa"] = { name = "walk.example.com", poolLbMode = "round-robin" },
      ["gtm/pool/cname"] = { loadBalancingMode = "round-robin" },
      ["security/firewall/port-list"] = { ports = false },
      ["security/firewall/schedule"] = { dailyHourStart = "0:00", dailyHourEnd = "24:00" },
      ["apm/acl"] = { aclOrder = false, entries = false },
      ["net/trunk"] = {
        bandwidth = 0, cfgMbrCount = 0, workingMbrCount = 0, lacp = "disabled",
        linkSelectPolicy = "auto",
      },
      ["apm/resource/network-access"] = { splitTunneling = "false", supportedIpVersion = "ipv4" },
      ["gtm/pool/naptr"] = { alternateMode = "round-robin" },
      ["security/ip-intelligence/policy"] = { defaultLogBlacklistHitOnly = "no" },
      ["cli/script"] = { totalSigningStatus = "not-all-signed", verificationStatus = false },
      ["sys/application/template"] = {
        totalSigningStatus = "not-all-signed", verificationStatus = false, signingKey = false,
        requiresBigipVersionMin = false,
      },
      ["ltm/lsn-pool"] = { translationPortRange = "1025-65535" },
      ["net/routing/bgp"] = { localAs = false },
      ["vcmp/guest"] = { allowedSlots = false, assignedSlots = false },
    } do
      local made = bip:request("POST", "/mgmt/tm/" .. kind, {
        body = { name = wanted.name or "owned" },
      })
      for name, value in pairs(wanted) do
        if (made[name] or false) ~= value then
          found[#found + 1] = ("%s %s: %s"):format(kind, name, tostring(made[name]))
        end
      end
    end
    table.sort(found)
    assert.same({}, found)
    local made = bip:request("POST", "/mgmt/tm/security/firewall/schedule", {
      body = { name = "days" },
    })
    assert.equal(7, #made.daysOfWeek)
  end)

  it("are enabled or disabled, and not both", function()
    for _, path in ipairs {
      "ltm/dns/dnssec/key", "ltm/dns/dnssec/zone", "net/router-advertisement", "sys/ha-group",
    } do
      local body = { name = path:find "zone" and "walk.example.com" or "walk" }
      local made = bip:request("POST", "/mgmt/tm/" .. path, { body = body })
      assert.same({ true, false }, { made.enabled, made.disabled or false }, path)
      local changed = bip:request("PATCH", made.selfLink:match "localhost(/[^?]+)", {
        body = { disabled = true },
      })
      assert.same({ false, true }, { changed.enabled or false, changed.disabled }, path)
    end
  end)

  it("show a translation of addresses with its defaults", function()
    local made = bip:request("POST", "/mgmt/tm/security/nat/source-translation", {
      body = { name = "walk", addresses = { "192.0.2.0/24" } },
    })
    assert.same(
      { "dynamic-pat", "napt", "none", "disabled", 0, true },
      {
        made.type, made.patMode, made.inboundMode, made.hairpinMode, made.clientConnectionLimit,
        made.egressInterfacesDisabled,
      }
    )
    assert.same({ mode = "address-pooling-paired", timeout = 300 }, made.mapping)
    assert.equal(3600, made.portBlockAllocation.blockIdleTimeout)
    lab.fails("invalid", bip.request, bip, "PATCH",
      "/mgmt/tm/security/nat/source-translation/~Common~walk", { body = { patMode = "pba2" } })
  end)

  it("refuse other words where the choices are known", function()
    for path, body in pairs {
      ["apm/policy/agent/aaa-client-cert"] = { mode = "never" },
      ["apm/sso/saml"] = { idpScheme = "gopher" },
      ["security/protocol-inspection/signature"] = { risk = "some" },
      ["analytics/http/scheduled-report"] = { frequency = "every-day" },
    } do
      body.name = "walk"
      lab.fails("invalid", bip.request, bip, "POST", "/mgmt/tm/" .. path, { body = body })
      for name in pairs(body) do
        if name ~= "name" then body[name] = nil end
      end
      bip:request("POST", "/mgmt/tm/" .. path, { body = body })
    end
  end)

  it("become fewer", function()
    local catalogue = require "sim.config.catalogue"
    local plain, found, more = {}, {}, {}
    for _, kinds in pairs(plain_kinds) do
      for template in kinds:gmatch "%S+" do plain[template] = true end
    end
    for _, module in ipairs(catalogue.modules()) do
      for _, template in ipairs(catalogue.templates(module)) do
        local node = catalogue.find(template)
        local bare = node.type == "collection" or node.type == "singleton"
        for name, spec in pairs(node.props) do
          if spec.d ~= nil and name ~= "description" and name ~= "defaultsFrom" then
            bare = false
          end
        end
        if plain[template] then
          if not bare or node.no_create then more[#more + 1] = template .. " is not plain" end
          plain[template] = nil
        elseif bare and not node.no_create then
          found[module] = (found[module] or 0) + 1
        end
      end
    end
    for template in pairs(plain) do more[#more + 1] = template .. " does not exist" end
    for module, count in pairs(found) do
      local limit = BARE[module] or 0
      if count > limit then
        more[#more + 1] = ("%s: %d kinds without a default, at most %d"):format(
          module, count, limit)
      end
    end
    table.sort(more)
    assert.same({}, more)
  end)

  it("refuse to make objects where a command, or the device itself, is meant", function()
    for _, path in ipairs {
      "gtm/bigip_add", "ltm/dns/cache/records/key", "net/f5optics", "pem/sessiondb",
      "security/log/storage-field", "security/dos/network-whitelist", "sys/dynad/rpm",
      "apm/reset-log-data", "wom/verify-config", "security/http/mandatory-header",
      "security/protocol-inspection/compliance", "ltm/classification/signature-definition",
      "net/packet-tester/security",
    } do
      local err = lab.fails("invalid", bip.request, bip, "POST", "/mgmt/tm/" .. path, {
        body = { name = "walk" },
      })
      assert.match('"create" is not supported', err.message)
    end
  end)

  it("let no one delete a default object", function()
    for _, path in ipairs {
      "apm/profile/vdi/~Common~vdi", "net/tunnels/ipsec/~Common~ipsec", "ltm/classification/ce/ce",
    } do
      lab.fails("invalid", bip.request, bip, "DELETE", "/mgmt/tm/" .. path)
    end
  end)

  it("are statistics, or lists, where a device answered so", function()
    local found = {}
    for path, kind in pairs {
      ["sys/raid"] = "sys:raid:raidcollectionstats",
      ["sys/performance"] = "sys:performance:performancecollectionstats",
      ["sys/log"] = "sys:log:logcollectionstats",
      ["net/ipsec/ike-sa"] = "net:ipsec:ike-sa:ike-sastats",
      ["net/sfc/hop"] = "net:sfc:hop:hopcollectionstats",
      ["ltm/persistence/persist-records"] = "ltm:persistence:persist-records:persist-recordsstats",
      ["sys/turboflex/warning"] = "sys:turboflex:warning:warningstats",
      ["sys/turboflex/profile/all"] = "sys:turboflex:profile:all:allcollectionstats",
      ["sys/url-db/download-result"] = "sys:url-db:download-result:download-resultcollectionstate",
      ["gtm/iquery"] = "gtm:iquery:iquerycollectionstats",
      ["ltm/message-routing/sip/pmbr-stats/router"] =
        "ltm:message-routing:sip:pmbr-stats:router:routerstats",
      ["security/presentation/tmui/virtual-list"] =
        "security:presentation:tmui:virtual-list:virtual-liststats",
      ["sys/cpu"] = "sys:cpu:cpucollectionstats",
      ["ltm/profile/ramcache"] = "ltm:profile:ramcache:ramcachestats",
      ["ltm/profile/wa-cache"] = "ltm:profile:wa-cache:wa-cachestats",
      ["vcmp/global"] = "vcmp:global:globalstats",
      ["wom/remote-route"] = "wom:remote-route:remote-routestats",
    } do
      local shown = bip:request("GET", "/mgmt/tm/" .. path)
      if shown.kind ~= "tm:" .. kind then found[#found + 1] = path .. ": " .. shown.kind end
    end
    table.sort(found)
    assert.same({}, found)
    local raid = bip:request("GET", "/mgmt/tm/sys/raid").items
    assert.match("^https://localhost/mgmt/tm/sys/raid/array%?", raid[1].reference.link)
  end)
end)
