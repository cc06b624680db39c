-- Kinds whose new objects show nothing but what they were given: names, texts, lists and references
-- that are "none" until somebody sets them. How that is known:
local M = {}

-- Devices answered with such objects.
M.recorded = [[
auth/remote-role cli/alias/shared cm/device-group/*/devices gtm/region gtm/rule
ltm/data-group/internal ltm/html-rule/comment-raise-event ltm/html-rule/comment-remove
ltm/html-rule/tag-remove ltm/html-rule/tag-remove-attribute ltm/ifile
ltm/message-routing/diameter/transport-config/*/profiles
ltm/message-routing/generic/transport-config/*/profiles
ltm/message-routing/mqtt/transport-config/*/profiles
ltm/message-routing/sip/transport-config/*/profiles ltm/profile/web-security ltm/rule ltm/snatpool
ltm/virtual/*/policies net/arp net/fdb/tunnel/*/records net/service-policy net/timer-policy
net/tunnels/etherip security/firewall/address-list security/firewall/management-ip-rules
security/firewall/policy security/firewall/port-list security/firewall/rule-list
security/ssh/profile/*/auth-info sys/autoscale-group sys/crypto/cert/*/cert-validators
sys/crypto/fips/external-hsm sys/dns sys/file/ssl-cert/*/cert-validators
sys/file/ssl-key/*/cert-order-manager sys/log-config/destination/alertd
sys/log-config/destination/local-database sys/log-config/publisher sys/management-ip
]]

-- Configurations of devices list all their properties, or F5's base configuration has none of them.
M.configured = [[
apm/client-packaging apm/ephemeral-auth/ssh-security-config apm/policy/agent/aaa-localdb
apm/policy/agent/api-authentication apm/policy/agent/ending-allow apm/policy/agent/ending-deny
apm/policy/agent/ending-reject apm/policy/agent/http-connector apm/policy/agent/l7-protocol-lookup
apm/policy/agent/request-classification apm/policy/agent/service-connect
apm/policy/agent/session-check apm/policy/agent/ssl-check apm/policy/customization-group-set
apm/policy/customization-source apm/profile/eca apm/profile/oauthplugin apm/profile/remote-desktop
apm/report/default-report apm/resource/remote-desktop/citrix-client-bundle apm/resource/sandbox
ltm/auth/ssl-ocsp ltm/profile/dns-acceleration ltm/profile/httprouter ltm/profile/netflow
net/tunnels/tcp-forward pem/irule pem/listener pem/reporting/format-script
pem/service-chain-endpoint security/bot-defense/asm-profile security/device-id/attribute
security/dos/ipv6-ext-hdr security/protocol-inspection/compliance-map
security/protocol-inspection/compliance-objects sys/dynad/key sys/ecm/cloud-provider
wom/profile/passthru-woc-plugin
]]

-- F5's reference of tmsh, and the modules of others that follow it, know no default.
M.documented = [[
api-protection/response api-protection/server apm/aaa/active-directory-trusted-domains
apm/aaa/f5-service-connector apm/epsec/epsec-package apm/log-setting apm/ntlm/machine-account
apm/ntlm/ntlm-auth apm/oauth/oauth-claim apm/oauth/oauth-scope apm/policy/agent/aaa-crldp
apm/policy/agent/acct-tacacsplus apm/policy/agent/api-server-selection
apm/policy/agent/decision-box apm/policy/agent/dynamic-acl
apm/policy/agent/endpoint-windows-group-policy apm/policy/agent/endpoint-windows-info-os
apm/policy/agent/http-header-modify apm/policy/agent/ip-geolocation-lookup
apm/policy/agent/ip-reputation-lookup apm/policy/agent/irule-event apm/policy/agent/logging
apm/policy/agent/message-box apm/policy/agent/response-selection apm/policy/agent/url-filter-lookup
apm/policy/customization-languages apm/saml/attribute-consuming-service
apm/saml/auth-context-class-list apm/sso/form-basedv2 apm/swg-scheme apm/url-filter auth/apm-auth
cli/alias/private gtm/global-settings/metrics-exclusions ltm/classification/url-cat-policy
ltm/html-rule/tag-append-html ltm/html-rule/tag-prepend-html ltm/html-rule/tag-raise-event
ltm/message-routing/mqtt/peer ltm/message-routing/mqtt/route net/address-list
net/bwc/priority-group net/cos/map-8021p net/fdb/vlan/*/records net/ndp net/packet-filter-trusted
net/port-list net/port-mirror net/routing/debug net/sfc/chain net/tunnels/endpoint
pem/global-settings/subscriber-activity-log pem/protocol/profile/gx
security/blacklist-publisher/category security/bot-defense/micro-service
security/cloud-services/connector security/datasync/update-file security/device/device-context
security/dos/ip-uncommon-protolist security/firewall/global-rules security/firewall/user-domain
security/firewall/user-list security/ip-intelligence/feed-list
security/ip-intelligence/global-policy security/packet-filter/default-rules
security/packet-filter/policy security/protocol-inspection/common-config
security/shared-objects/address-list security/shared-objects/port-list security/zone
sys/appiq/config sys/application/custom-stat sys/crypto/fips/by-handle sys/icall/script
sys/log-config/destination/arcsight sys/log-config/destination/splunk sys/management-dhcp
sys/management-proxy-config vcmp/traffic-profile wam/resource/domain-list
]]

return M
