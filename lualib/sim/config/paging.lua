-- $top and $skip: the part of a list that a response has, and the nine properties that describe it.
local errors = require "sim.http.errors"
local names = require "sim.config.names"

local M = {}

-- No list is longer. Sums of larger numbers would not fit into one.
local MOST <const> = 1 << 53

local function number(request, name)
  local text = request.query[name]
  if not text then return nil end
  local value = text:find "^%d+$" and math.tointeger(tonumber(text)) or nil
  if not value or (name == "$top" and value == 0) then
    error(errors.tm(400, ("Invalid value for the query parameter %s: %s"):format(name, text), 1), 0)
  end
  return math.min(value, MOST)
end

-- The part of a list of `total` items for a request: first and last (from 1; last < first if it is
-- empty), and a function that adds the paging properties to the body. The function is nil without
-- paging.
function M.page(request, total, version, path)
  local top, skip = number(request, "$top"), number(request, "$skip")
  if not top and not skip then
    if request.query["$inlinecount"] == "allpages" then
      return 1, total, function(body) body.totalItems = total end
    end
    return 1, total, nil
  end
  local from = skip or 0
  local size = top or math.max(total - from, 0)
  local first, last = math.min(from, total) + 1, math.min(from + size, total)
  return first,
    last,
    function(body)
      local count = math.max(last - first + 1, 0)
      body.currentItemCount = count
      body.itemsPerPage = size
      body.pageIndex = size > 0 and from // size + 1 or 1
      body.startIndex = from + 1
      body.totalItems = total
      body.totalPages = size > 0 and (total + size - 1) // size or 1
      if last < total then
        local query =
          names.query(request, version, { ["$skip"] = from + size, order = { "$skip" } })
        body.nextLink = names.link(path, query)
      end
      if from > 0 then
        local before = math.max(from - size, 0)
        local query = names.query(
          request,
          version,
          { ["$skip"] = before > 0 and before or false, order = { "$skip" } }
        )
        body.previousLink = names.link(path, query)
      end
    end
end

return M
