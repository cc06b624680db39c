-- What a virtual server's rules and persistence want of its profiles.
local names = require "sim.config.names"
local references = require "sim.config.references"
local validate = require "sim.config.validate"

local M = {}

local ROOT <const> = "/mgmt/tm/"

local function has_http(store, virtual_path)
  for _, profile in ipairs(store:list(virtual_path .. "/profiles")) do
    if
      references.locate(store, { "=ltm/profile/http", "=ltm/profile/fasthttp" }, profile.fullPath)
    then
      return true
    end
  end
  return false
end

-- The first event of an iRule that only HTTP brings.
local function http_event(rule)
  local text <const> = ("\n" .. (rule.apiAnonymous or "")):gsub("\n%s*#[^\n]*", "\n")
  return text:match "%f[%w]when%s+(HTTP_[%u_]+)"
end

local function check_now(store, virtual_path)
  local virtual <const> = store:get(virtual_path)
  if not virtual or has_http(store, virtual_path) then return end
  for _, name in ipairs(virtual.rules or {}) do
    local rule <const> = store:get(ROOT .. "ltm/rule/" .. names.segment(name))
    local event <const> = rule and http_event(rule)
    if event then
      validate.refuse_mcpd(
        ("01071912:3: %s event in rule (%s) requires an associated HTTP or FASTHTTP profile on the virtual-server (%s)."):format(
          event,
          name,
          virtual.fullPath
        )
      )
    end
  end
  for _, item in ipairs(virtual.persist or {}) do
    if
      references.locate(
        store,
        { "=ltm/persistence/cookie" },
        names.full(item.partition or "Common", item.subPath, item.name)
      )
    then
      validate.refuse_mcpd "01070309:3: Cookie persistence requires an HTTP or FastHTTP profile to be associated with the virtual server."
    end
  end
end

--- Checked at once, or in a transaction when all of its commands have run; a seed is taken as it is.
function M.check(store, virtual_path, ctx)
  if ctx.seed or ctx.factory then return end
  local later <const> = store.device.checks
  if not later then return check_now(store, virtual_path) end
  table.insert(later, function() check_now(store, virtual_path) end)
end

return M
