-- Names of profiles, and profiles that a virtual server cannot have together.
local references = require "sim.config.references"
local validate = require "sim.config.validate"

local M = {}

local TRANSPORT <const> = { tcp = true, udp = true, sctp = true }
-- Kinds of which a virtual server has at most one on each side.
local SINGLE <const> = {
  tcp = true, udp = true, sctp = true, http = true, fastl4 = true, fasthttp = true,
  ["one-connect"] = true,
}

local function kind_of(store, full)
  local path = references.locate(store, { "ltm/profile/*" }, full)
  return path and path:match "/ltm/profile/([^/]+)/"
end

local function overlap(one, other)
  return one == "all" or other == "all" or one == other
end

--- Refuses the name of a new profile that one of another kind has.
function M.check_name(store, template, full)
  if not template:find "^ltm/profile/[^/]+$" then return end
  if references.locate(store, { "ltm/profile/*" }, full) then
    validate.refuse_mcpd(
      ("01070293:3: The profile name (%s) is already assigned to another profile."):format(full)
    )
  end
end

--- Refuses profiles of the virtual server at a path that exclude each other.
function M.check(store, path)
  local virtual = store:get(path)
  if not virtual then return end
  local seen, has = {}, {}
  for _, profile in ipairs(store:list(path .. "/profiles")) do
    local kind = kind_of(store, profile.fullPath)
    if kind and SINGLE[kind] then
      for _, context in ipairs(seen[kind] or {}) do
        if overlap(context, profile.context or "all") then
          validate.refuse_mcpd(
            ("01070097:3: Virtual server %s lists duplicate profiles."):format(virtual.fullPath)
          )
        end
      end
      seen[kind] = seen[kind] or {}
      table.insert(seen[kind], profile.context or "all")
    end
    if kind then has[TRANSPORT[kind] and "transport" or kind] = true end
  end
  if has.transport and (has.fastl4 or has.fasthttp) then
    validate.refuse_mcpd(
      ("01070734:3: Configuration error: Found disallowed profile on %s: Not Any Of "
        .. "(FastL4 Profile, FastHTTP Profile)"):format(virtual.fullPath)
    )
  end
end

return M
