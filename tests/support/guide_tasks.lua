-- A body for each task endpoint of the guide's table; vcmp/guest, cm/add-to-trust and
-- cm/remove-from-trust are apart, because they need other devices.
local M = {}

M.bodies = {
  ["sys/config"] = { command = "save" },
  ["sys/ucs"] = { command = "save", name = "a" },
  ["sys/geoip"] = { command = "load" },
  ["sys/classification-signature"] = { command = "load" },
  ["sys/failover"] = { command = "run", standby = true },
  ["ltm/dns-express-db"] = { command = "load" },
  ["ltm/classification/urldb-feed-list"] = { command = "load", name = "x" },
  ["ltm/classification/signature-definition"] = { command = "load" },
  ["ltm/classification/update-signatures"] = { command = "load" },
  ["apm/epsec/epsec-package"] = { command = "install", name = "e.iso" },
  ["wom/verify-config"] = { command = "run" },
  ["wom/diagnose-conn"] = { command = "run" },
  ["wam/policy"] = { command = "load", name = "w" },
  ["security/firewall/fqdn-entity"] = { command = "load" },
  ["security/ip-intelligence/feed-list"] = { command = "load" },
  ["security/anti-fraud/signatures-update"] = { command = "load" },
  ["security/anti-fraud/engine-update"] = { command = "load" },
  ["pem/subscribers"] = { command = "load" },
  ["ilx/plugin"] = { command = "restart", name = "p" },
  ["cm/config-sync"] = { command = "run", utilCmdArgs = "to-group g1" },
  ["cli/script"] = { command = "run", name = "s" },
}

-- The task endpoints of the guide's table whose work the simulated device does not do: what it
-- answers to their bodies (guide_tasks.lua), instead of claiming that it is done.
local NOT_SIMULATED <const> = "The simulated device does not "

M.refusals = {
  ["apm/epsec/epsec-package"] = "The requested EPSEC package (/Common/e.iso) was not found.",
  ["ltm/classification/update-signatures"] = "The update server cannot be reached.",
  ["ltm/classification/urldb-feed-list"] =
    "The requested URL DB feed list (/Common/x) was not found.",
  ["pem/subscribers"] = NOT_SIMULATED,
  ["wam/policy"] = "The requested WAM policy (/Common/w) was not found.",
  ["wom/diagnose-conn"] = NOT_SIMULATED,
  ["wom/verify-config"] = NOT_SIMULATED,
}

return M
