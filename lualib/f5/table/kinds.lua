-- The columns of a table if nobody selects any: what people look for in each kind of objects.
--
-- A kind is the path of its collection without names: "ltm/pool/members". Every table begins with
-- the name. `columns` are the next ones, in this order; `wide` follows with -o wide. Names of
-- columns are properties, parts of them ("fqdn.tmName"), or what f5lua works out (f5/table/
-- computed.lua). A line for "ltm/monitor/*" is for all kinds below ltm/monitor that have none.

local function kind(columns, wide) return { columns = columns, wide = wide or "" } end

local GTM_POOL <const> = kind("loadBalancingMode state ttl description", "monitor fallbackMode")
local MEMBER_OF_GTM <const> = kind "state memberOrder ratio"

return {
  ["ltm/pool"] = kind(
    "monitor members state loadBalancingMode description",
    "minActiveMembers slowRampTime serviceDownAction"
  ),
  ["ltm/pool/members"] = kind(
    "address state session ratio priorityGroup description",
    "monitor connectionLimit dynamicRatio fqdn.tmName"
  ),
  ["ltm/virtual"] = kind(
    "destination pool state ipProtocol description",
    "source mask sourceAddressTranslation.type rules persist vlans"
  ),
  ["ltm/virtual-address"] = kind(
    "address enabled arp icmpEcho trafficGroup", "mask routeAdvertisement autoDelete serverScope"
  ),
  ["ltm/node"] = kind(
    "address state session monitor description", "ratio connectionLimit dynamicRatio fqdn.tmName"
  ),
  ["ltm/rule"] = kind("events lines", ""),
  ["ltm/policy"] = kind("status strategy requires controls description", "lastModified"),
  ["ltm/policy/rules"] = kind("ordinal description"),
  ["ltm/data-group/internal"] = kind("type size description"),
  ["ltm/data-group/external"] = kind("type externalFileName description"),
  ["ltm/snat"] = kind("translation snatpool origins vlansEnabled description", "mirror sourcePort"),
  ["ltm/snatpool"] = kind("members description"),
  ["ltm/snat-translation"] = kind("address enabled arp trafficGroup", "connectionLimit"),
  ["ltm/nat"] = kind("originatingAddress translationAddress enabled arp trafficGroup"),
  ["ltm/monitor/*"] = kind(
    "defaultsFrom interval timeout destination send recv description", "manualResume timeUntilUp"
  ),
  ["ltm/profile/client-ssl"] = kind(
    "defaultsFrom cert key chain sniDefault description", "ciphers cipherGroup serverName"
  ),
  ["ltm/profile/server-ssl"] = kind(
    "defaultsFrom cert key serverName peerCertMode description", "ciphers cipherGroup caFile"
  ),
  ["ltm/profile/*"] = kind "defaultsFrom description",
  ["ltm/persistence/*"] = kind("defaultsFrom timeout mirror description", "matchAcrossServices"),
  ["net/vlan"] = kind("tag mtu failsafe description", "autoLasthop cmpHash sourceChecking"),
  ["net/vlan/interfaces"] = kind "tagged tagMode",
  ["net/self"] = kind("address vlan trafficGroup allowService description", "floating"),
  ["net/route"] = kind("network gw pool tmInterface blackhole description", "mtu"),
  ["net/route-domain"] = kind("id parent strict vlans description", "routingProtocol"),
  ["net/interface"] = kind(
    "state mediaActive mtu macAddress", "flowControl lldpAdmin stp"
  ),
  ["net/trunk"] = kind("interfaces lacp workingMbrCount media macAddress description", "lacpMode"),
  ["net/tunnels/tunnel"] = kind("profile localAddress remoteAddress key description", "mtu"),
  ["net/arp"] = kind "ipAddress macAddress description",
  ["auth/user"] = kind "roles shell description",
  ["auth/partition"] = kind "defaultRouteDomain description",
  ["sys/file/ssl-cert"] = kind(
    "subjectName expires days issuer",
    "subjectAlternativeName keyType certificateKeySize serialNumber fingerprint"
  ),
  ["sys/file/ssl-key"] = kind("keyType keySize securityType lastUpdateTime", "createdBy"),
  ["sys/crypto/cert"] = kind("commonName expires days organization", "country fingerprint"),
  ["sys/crypto/key"] = kind "keyType keySize securityType",
  ["sys/software/volume"] = kind("version build product active status", "basebuild"),
  ["sys/software/image"] = kind("version build product fileSize verified", "buildDate checksum"),
  ["sys/software/hotfix"] = kind("version build product verified", "checksum"),
  ["sys/provision"] = kind("level", "cpuRatio diskRatio memoryRatio"),
  ["sys/db"] = kind("value defaultValue", "valueRange scfConfig"),
  ["sys/folder"] = kind("deviceGroup trafficGroup description", "noRefCheck hidden"),
  ["sys/management-route"] = kind "network gateway description",
  ["sys/application/service"] = kind("template strictUpdates deviceGroup", "trafficGroup"),
  ["cm/device"] = kind(
    "failoverState managementIp version hostname", "build platformId configsyncIp"
  ),
  ["cm/device-group"] = kind(
    "type autoSync networkFailover fullLoadOnSync description", "asmSync saveOnAutoSync"
  ),
  ["cm/traffic-group"] = kind("isFloating mac haLoadFactor description", "autoFailbackEnabled"),
  ["gtm/datacenter"] = kind "state location contact description",
  ["gtm/server"] = kind("datacenter product state virtualServerDiscovery description", "monitor"),
  ["gtm/server/virtual-servers"] = kind("destination state", "monitor"),
  ["gtm/wideip/*"] = kind("pools poolLbMode state", "persistence aliases"),
  ["gtm/pool/*"] = GTM_POOL,
  ["gtm/pool/a/members"] = MEMBER_OF_GTM,
  ["gtm/pool/aaaa/members"] = MEMBER_OF_GTM,
  ["asm/policies"] = kind(
    "enforcementMode active type virtualServers", "versionDatetime creatorName description"
  ),
}
