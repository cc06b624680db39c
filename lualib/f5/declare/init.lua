-- bip:declare, bip:declared, bip:undeclare, bip:extensions, bip:install_package: declarations of
-- AS3, DO, TS and FAST.

local as3 = require "f5.declare.as3"
local core = require "f5.core"
local extensions = require "f5.declare.extensions"
local kinds = require "f5.declare.kinds"

local M = {}

local function check(what, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then
    core.usage_error(("%s: expected a table of options, got a %s"):format(what, type(options)))
  end
  for key, value in next, options do
    local want = known[key]
    if not want then
      core.usage_error(("%s: unknown option '%s'"):format(what, tostring(key)))
    end
    if type(value) ~= want then
      core.usage_error(("%s: '%s' must be a %s, not a %s"):format(what, key, want, type(value)))
    end
    if want == "number" and (value ~= value or value < 0) then
      core.usage_error(("%s: '%s' must be a number of seconds, not %s"):format(what, key, value))
    end
  end
  return options
end

local SHOWS <const> = { base = true, full = true, expanded = true }

local function check_show(what, show)
  if show == nil or SHOWS[show] then return end
  core.usage_error(("%s: 'show' must be base, full or expanded, not '%s'"):format(what, show))
end

local function check_tenant(what, name)
  if type(name) ~= "string" or name == "" or name:find "[/%c,?#]" then
    core.usage_error(("%s: a tenant is the name of one, not %s"):format(
      what, type(name) == "string" and ("%q"):format(name) or "a " .. type(name)))
  end
end

local DECLARE <const> = {
  dry_run = "boolean", timeout = "number", progress = "function", show = "string",
  tenant = "string",
}

--- session:declare(declaration[, options]): sends a declaration, waits until it is carried out, and
--- returns one result for each tenant.
-- @param declaration table|string: of AS3, DO, TS or FAST; JSON text is sent as it is
-- @param options table|nil: dry_run, timeout (seconds, 1800), progress (function(state, seconds)),
--   show (AS3), tenant (AS3: only this one; with applications: their tenant)
-- @return array of results; tostring prints them
function M.declare(bip, declaration, options)
  options = check("declare", options, DECLARE)
  check_show("declare", options.show)
  if options.tenant then check_tenant("declare", options.tenant) end
  local body, text = kinds.read(declaration)
  local name, form = kinds.of(body)
  if name ~= "as3" then
    for _, option in ipairs { "show", "tenant" } do
      if options[option] then
        core.usage_error(("declare: only AS3 has the option '%s'"):format(option))
      end
    end
  end
  if name == "do" then return require("f5.declare.onboarding").declare(bip, body, options) end
  local others <const> = require "f5.declare.others"
  if name == "ts" then return others.telemetry(bip, body, text, options) end
  if name == "fast" then return others.application(bip, body, text, options) end
  return as3.run(bip, as3.request(body, text, form, options), options)
end

--- session:declared{ tenant =, show =, extension = }: what was declared; nil: nothing.
function M.declared(bip, options)
  if type(options) == "string" then options = { tenant = options } end
  options = check("declared", options, {
    tenant = "string", show = "string", extension = "string",
  })
  check_show("declared", options.show)
  if options.tenant then check_tenant("declared", options.tenant) end
  local name <const> = options.extension or "as3"
  if name == "as3" then return as3.declared(bip, options.tenant, options.show) end
  if name == "do" then return require("f5.declare.onboarding").declared(bip) end
  if name == "ts" then return require("f5.declare.others").telemetry_declared(bip) end
  return core.usage_error(("declared: 'extension' must be as3, do or ts, not '%s'"):format(name))
end

--- session:undeclare(tenant, …[, options]): removes tenants of AS3 with all that is in them.
-- @param options table|nil: timeout, progress
-- @return array of results
function M.undeclare(bip, ...)
  local words = table.pack(...)
  local options
  if words.n > 0 and type(words[words.n]) == "table" then
    options, words.n = words[words.n], words.n - 1
  end
  options = check("undeclare", options, { timeout = "number", progress = "function" })
  if words.n == 0 then
    core.usage_error "undeclare: name the tenants; without a name AS3 would remove all of them"
  end
  local tenants = {}
  for i = 1, words.n do
    check_tenant("undeclare", words[i])
    tenants[i] = words[i]
  end
  return as3.undeclare(bip, tenants, options)
end

--- session:extensions(): the extensions that are installed.
-- @return array of { name, label, version, release, path, ready }
function M.extensions(bip) return extensions.extensions(bip) end

--- session:install_package(file[, options]): installs the RPM of an extension, and waits until it
--- answers.
-- @param options table|nil: timeout (seconds), progress
function M.install_package(bip, file, options)
  core.check_path(file, "install_package")
  options = check("install_package", options, { timeout = "number", progress = "function" })
  return extensions.install_package(bip, file, options)
end

return M
