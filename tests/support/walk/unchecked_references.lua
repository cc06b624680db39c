-- Properties whose name says that they may refer to another object, but that the simulated device
-- does not check, and why. "PROPERTY" is for all kinds, "PROPERTY KIND" for one.
local M = {}

--- The endings of names that say so.
M.ENDINGS = {}
for word in ([[
  pool pools profile profiles policy policies vlan vlans tunnel tunnels rule rules publisher cert key
  virtual virtualServer monitor addressList addressLists portList portLists routeDomain resolver
  datacenter group certificate caFile SsoConfig feedLists schedule interface interfaces device
  devices server servers node member members parent peer peers route routes zones snatpool script
  file category categories
]]):gmatch "%S+" do
  M.ENDINGS[#M.ENDINGS + 1] = word
end

local function because(reason, names)
  for name in names:gmatch "[^,%s][^,]*" do M[name:match "^%s*(.-)%s*$"] = reason end
end

because("a secret, or a text that is a key itself", [[
  accessKey, authKey, awsAccessKey, awsSecretKey, certmapKey, clientsideKey, controlKey, cookieKey,
  customerKey, customizationKey, encryptKey, groupKey, groupMemberKey, istatsKey, key, masterKey,
  presharedKey, roleKey, signKey, siteKey, userKey
]])
because("the key `f5-irule` signs F5's own scripts, and is not listed by devices", "signingKey")
because("a word, a number or a flag", [[
  aclRules, allowSelfSignedJwkCert, enforcePolicy, generatePolicy, ilxSchedule, ipTosToServer,
  linkQosToServer, microsoftNetworkServer, networkTunnel, originHostToServer, originRealmToServer,
  priorityToServer, provideClientCert, targetVirtual, l2ForwardVirtual, l2forwardVirtual,
  inheritedTrafficGroup, inheritedDevicegroup, trustGroup, peerGroup, defaultRatingGroup,
  isSecurityCategory, samlProfiles, policy security/packet-filter/default-rules,
  category ltm/policy/*/rules/*/actions, fromProfile
]])
because("an address, a host name or a text", [[
  accountingNode, backupMembers, nameServers, remoteServers, localZones, forwardZones,
  multicastInterface, multihopPeer, member, node, ipAddressList, newsgroup, rule net/packet-filter,
  rule security/bot-defense/signature, rule security/dos/bot-signature, script, validGroups,
  identityGroups, server auth/radius-server, server ltm/auth/radius-server, server ltm/monitor/smb,
  servers auth/cert-ldap, servers auth/ldap, servers auth/tacacs, servers ltm/auth/ldap,
  servers ltm/auth/tacacs, servers ltm/auth/ssl-cc-ldap, servers security/log/profile/application,
  servers sys/ntp, members apm/resource/leasepool, members apm/resource/ipv6-leasepool,
  members ltm/lsn-pool, diskMonitors, processMonitors
]])
because("a file of the file system", [[
  caFile, file, configFile, fromLocalFile, metadataFile, policyFile, sslCaCertFile sys/httpd,
  sslCertchainfile, sslCertfile, sslCertkeyfile, vaFile, publicCert
]])
because("of the device itself, never written by clients", "caCert cm/trust-domain, caKey")
because("names that F5 ships with devices and this one lacks", [[
  allowedCategories, blockedCategories, confirmCategories, blacklistCategories, defaultUrlCategory,
  category security/bot-defense/signature, category security/dos/bot-signature,
  category sys/ltcfg-class
]])
because("a sub-collection, or a list of parts of the object itself", [[
  rules, members gtm/prober-pool, policies ltm/classification/ce, profiles ltm/pool, clientPolicy
]])
because("the kind checks it itself", "interfaces net/trunk, regionMembers")
because("F5's own suite names a pool that is not there", "pool ltm/monitor/virtual-location")
because("devices show it in the statistics only", "clientsslProfile, virtual, srcVlan")
because("what it names is not known for certain", [[
  accessPolicy apm/policy/customization-group-set, interfaces net/stp,
  interfaces net/port-mirror, ipEncapProfile,
  monitor cm/traffic-group, policy ltm/policy/*/rules/*/actions, urldbFeedPolicy,
  profile ltm/policy/*/rules/*/actions, server, snatpool ltm/virtual, clientJweKey,
  policy wam/application, members wam/resource/concat-set
]])

return M
