-- Commands of modules: publish a security policy, install an EPSEC package, start a plugin, load
-- feed lists, signatures and data bases.
--
-- A command says that it is done only if the simulated device has done it. Where a device reads
-- again what it has, nothing changes. What a device would fetch from the Internet fails. What is
-- not simulated is a 501.
local errors = require "sim.http.errors"
local lazy = require "sim.lazy"
local document = lazy "sim.asm.policy.document"
local names = require "sim.config.names"
local policies = lazy "sim.asm.policy"
local tree = lazy "sim.asm.tree"

local M = {}

local function not_found(word, name)
  local text = "01020036:3: The requested %s (%s) was not found."
  error(errors.tm(404, text:format(word, name), 3), 0)
end

-- The object that a body names.
local function named(device, target, body, word)
  if type(body.name) ~= "string" or body.name == "" then
    error(errors.tm(400, "one or more properties must be specified", 1), 0)
  end
  local full = names.absolute(body.name)
  local object = device.store:get(target.path .. "/" .. names.segment(full))
  if not object then not_found(word, full) end
  return object, full
end

-- A device reads its own data again: nothing changes.
local function read_again() end

local function not_simulated(what)
  return function()
    return errors.tm(501, ("The simulated device does not %s."):format(what), 1)
  end
end

-- Lists that a device fetches from a URL. The simulated device reaches none.
local function load_feeds(word)
  return function(device, _, target, body)
    local list = device.store:list(target.path)
    if body.name ~= nil then list = { (named(device, target, body, word)) } end
    if not list[1] then return end
    local text = "01070734:3: Configuration error: The %s (%s) cannot be downloaded."
    error(errors.tm(400, text:format(word, list[1].fullPath), 3), 0)
  end
end

local function no_server()
  error(
    errors.tm(400, "01070734:3: Configuration error: The update server cannot be reached.", 3), 0
  )
end

-- A plugin runs from its creation on, so these commands show nothing.
local function plugin(device, _, target, body)
  named(device, target, body, "plugin")
end

-- A security policy of ASM: what was changed is enforced from now on.
local function publish_policy(device, request, _, body)
  if type(body.name) ~= "string" or body.name == "" then
    error(errors.tm(400, "one or more properties must be specified", 1), 0)
  end
  local full = names.absolute(body.name)
  for _, policy in ipairs(tree.top(device):child("policies"):items()) do
    if policy.record.data.fullPath == full then
      return policies.apply(policy, request.user, document.export(policy))
    end
  end
  not_found("security policy", full)
end

-- A command for an object that must exist, but whose work is not simulated.
local function not_simulated_for(word, what)
  local refuse = not_simulated(what)
  return function(device, _, target, body)
    named(device, target, body, word)
    return refuse()
  end
end

M.commands = {
  { "load", "^sys/geoip$", read_again },
  { "load", "^sys/classification%-signature$", read_again },
  { "load", "^ltm/dns%-express%-db$", read_again },
  { "load", "^ltm/classification/signatures$", read_again },
  { "load", "^ltm/classification/signature%-definition$", read_again },
  { "load", "^ltm/classification/update%-signatures$", no_server },
  { "load", "^ltm/classification/urldb%-feed%-list$", load_feeds "URL DB feed list" },
  { "load", "^security/firewall/fqdn%-entity$", read_again },
  { "load", "^security/ip%-intelligence/feed%-list$", load_feeds "feed list" },
  { "load", "^security/anti%-fraud/", read_again },
  {
    "install", "^apm/epsec/epsec%-package$",
    not_simulated_for("EPSEC package", "install EPSEC packages"),
  },
  { "start", "^ilx/plugin$", plugin },
  { "stop", "^ilx/plugin$", plugin },
  { "restart", "^ilx/plugin$", plugin },
  { "publish", "^asm/policy$", publish_policy },
  { "load", "^wam/policy$", not_simulated_for("WAM policy", "load policies of WAM") },
  { "save", "^wam/policy$", not_simulated_for("WAM policy", "save policies of WAM") },
  { "publish", "^wam/policy$", not_simulated_for("WAM policy", "publish policies of WAM") },
  { "load", "^pem/subscribers$", not_simulated "load subscribers" },
  { "save", "^pem/subscribers$", not_simulated "save subscribers" },
  { "run", "^wom/verify%-config$", not_simulated "verify the configuration of WOM" },
  { "run", "^wom/diagnose%-conn$", not_simulated "diagnose connections of WOM" },
}

return M
