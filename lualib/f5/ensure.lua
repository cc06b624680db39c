-- ref:ensure{…}: the object exists and has these properties. "unchanged": nothing was sent.

local bodies = require "f5.change.body"
local compare = require "f5.ensure.compare"
local core = require "f5.core"
local json = require "f5.json"
local just_read = require "f5.safe.just_read"
local plan = require "f5.ensure.plan"
local spelling = require "f5.ensure.spelling"

local M = {}

--- Brings the object to the wanted state.
-- @return "created", "changed" or "unchanged"; then the object, in a transaction what was queued
function M.ensure(ref, properties, ...)
  if type(properties) ~= "table" or select("#", ...) > 0 then
    core.usage_error("ensure: expected one table of properties")
  end
  local _ <close> = just_read.scope
  -- A table that contains itself cannot be compared, either.
  local fine, why = pcall(json.encode, properties)
  if not fine then
    if type(why) ~= "string" then error(why, 0) end
    core.usage_error(why)
  end
  -- What was read elsewhere keeps its session and state: they say what is wanted.
  if bodies.kind_of(properties) then
    properties = bodies.writable(properties, { operation = true })
  end
  local object
  local found, err = pcall(function() object = ref:load() end)
  if not found then
    if type(err) ~= "table" or err.kind ~= "not_found" then error(err, 0) end
    local other = spelling.find(ref)
    if not other then
      just_read.note(ref, nil)
      return "created", ref:create(compare.for_create(properties))
    end
    ref, object = other, other:load()
  end
  just_read.note(ref, object)
  if object == nil then -- 204
    error(core.error_new {
      kind = "protocol", method = "GET", path = tostring(ref),
      message = "the answer of the device is empty: there is no object to compare with",
    }, 0)
  end
  if type(object.kind) == "string" and object.kind:lower():find "collectionstate$" then
    core.usage_error(
      (
        "ensure works on one object, but %s is a collection: "
        .. 'collection["%sNAME"]:ensure { … }'
      ):format(tostring(ref), core.has_partitions(tostring(ref)) and "/Common/" or "")
    )
  end
  local steps = {}
  plan.object(steps, ref, object, properties)
  if #steps == 0 then return "unchanged", object end
  local answers, own = plan.run(steps, ref)
  if core.transaction_parts.is_bound(ref) then
    return "changed", #answers == 1 and answers[1] or answers
  end
  return "changed", #steps == 1 and own or ref:load()
end

return M
