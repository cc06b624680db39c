-- Kinds of sys of which little is known beyond the catalogue.
local property = require "sim.kinds.common.property"

local s <const>, i <const>, flag <const> = property.text, property.number, property.flag

-- What a cloud offers.
local INSTANCES <const> = {
  "t2.micro", "t2.small", "t2.medium", "m3.medium", "m3.large", "m3.xlarge", "m3.2xlarge",
  "c3.large", "c3.xlarge", "c3.2xlarge", "c3.4xlarge", "c3.8xlarge", "r3.large", "r3.xlarge",
  "r3.2xlarge", "r3.4xlarge", "r3.8xlarge",
}
local REGIONS <const> = {
  "us-east-1", "us-west-1", "us-west-2", "sa-east-1", "eu-west-1", "eu-central-1",
  "ap-southeast-2", "ap-southeast-1", "ap-northeast-1",
}

local kinds <const> = {
  ["sys/connection"] = { facts = { type = "show" } },
  ["sys/icmp-stat"] = { facts = { type = "show" } },
  ["sys/ip-stat"] = { facts = { type = "show" } },
  ["sys/config"] = { facts = { type = "show", listed = true } },
  ["sys/geoip"] = { facts = { type = "show" } },
  ["sys/pptp-call-info"] = { facts = { type = "show" } },
  ["sys/pva-traffic"] = { facts = { type = "show" } },
  ["sys/fix-connection"] = { facts = { type = "show" } },
  ["sys/classification-signature"] = { facts = { type = "show" } },
  ["sys/core"] = { facts = { type = "show", listed = true } },
  ["sys/availability"] = { facts = { type = "show" } },
  ["sys/ha-mirror"] = { facts = { type = "show" } },
  ["sys/iprep"] = { facts = { type = "show" } },
  ["sys/sync-sys-files"] = { facts = { type = "show" } },
  ["sys/restricted-module"] = { facts = { type = "show" } },
  ["sys/integrity/status-check"] = { facts = { type = "show" } },
  ["sys/ucs"] = {
    facts = { type = "collection", flat = true, open = true, free_names = true, no_create = true },
  },
  ["sys/cluster"] = {
    facts = { type = "collection", flat = true, no_create = true, no_delete = true },
  },
  ["sys/raid"] = { facts = { type = "organizing" } },
  ["sys/raid/array"] = { facts = { type = "show" } },
  ["sys/raid/bay"] = { facts = { type = "show" } },
  ["sys/autoscale-group"] = { facts = { open = true } },
  ["sys/httpd"] = {
    facts = {
      open = true,
      props = {
        sslCiphersuite = s(
          "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA:"
            .. "ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:"
            .. "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
            .. "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA256:"
            .. "ECDHE-ECDSA-AES256-SHA384:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:"
            .. "AES256-SHA:AES128-SHA256:AES256-SHA256"
        ),
      },
    },
  },
  ["sys/dynad/settings"] = { facts = { props = { developmentMode = s "false" } } },
  ["sys/sshd"] = {
    facts = {
      open = true, props = { inactivityTimeout = i(0), allow = { t = "a", d = { "ALL" } } },
    },
  },
  ["sys/state-mirroring"] = { facts = { open = true, props = { state = s "enabled" } } },
  ["sys/sflow/global-settings/interface"] = {
    facts = { type = "singleton", props = { pollInterval = i(10) } },
  },
  ["sys/smtp-server"] = {
    facts = {
      pairs = { { "authenticationDisabled", "authenticationEnabled" } },
      open = true,
      props = {
        authenticationDisabled = flag(true),
        encryptedConnection = { keeps_none = true },
        authenticationEnabled = flag(),
        smtpServerPort = i(25),
      },
    },
  },
  ["sys/compatibility-level"] = { facts = { type = "singleton", open = true } },
  ["sys/diags/ihealth"] = { facts = { type = "singleton", open = true } },
  ["sys/diags/ihealth-request"] = { facts = { type = "singleton", open = true } },
  ["sys/ecm/cloud-provider"] = {
    factory = {
      protected = true,
      objects = {
        {
          name = "aws-ec2",
          propertyTemplate = {
            { name = "account" },
            { name = "availability-zone", validValues = { "a", "b", "c", "d" } },
            { name = "instance-type", validValues = INSTANCES },
            { name = "region", validValues = REGIONS },
          },
        },
        { name = "dnet" },
        {
          name = "vsphere",
          propertyTemplate = {
            { name = "cloud-host-ip" }, { name = "dhcp-network-name" }, { name = "end-point-url" },
            { name = "node-name" },
          },
        },
      },
    },
  },
  ["sys/dynad/key"] = { facts = { type = "singleton", open = true } },
  ["sys/turboflex/profile-config"] = { facts = { type = "singleton", open = true } },
  ["sys/fpga/firmware-config"] = { facts = { type = "singleton", open = true } },
  ["sys/icontrol-soap"] = { facts = { api_status = "DEPRECATED" } },
  ["sys/ha-group"] = {
    facts = {
      flat = true, pairs = { { "enabled", "disabled" } },
      props = { disabled = flag(), enabled = flag(true) },
    },
  },
}

-- Commands, and what a device knows itself: nothing is made there.
for _, name in ipairs {
  "air-filter-reset", "alert/lcd", "crypto/cert-validation-response/ocsp", "crypto/nethsm-test",
  "diags/ihealth-result", "dynad/rpm", "ecm/register", "pfman/consumer", "pfman/device",
} do
  kinds["sys/" .. name] = { facts = { no_create = true } }
end

-- A device answers these, but does not list them.
for _, name in ipairs {
  "air-filter-reset", "alert", "appiq", "compatibility-level", "crypto/pkcs12", "ltcfg-class",
  "ltcfg-instance",
} do
  local kind = kinds["sys/" .. name] or { facts = {} }
  kind.facts.hidden = true
  kinds["sys/" .. name] = kind
end

return kinds
