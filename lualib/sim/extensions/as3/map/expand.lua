-- Backquotes in texts: AS3 replaces them by names and values of the declaration.
local M = {}

local function fail(path, format, ...)
  error({ path = path, message = format:format(...) }, 0)
end

-- What one letter between backquotes stands for.
local LETTERS <const> = {
  T = function(at) return at.tenant end,
  A = function(at) return at.app end,
  Y = function(at) return at.tenants[at.tenant][at.app].template or "" end,
  M = function(_, path) return path:match "[^/]+$" end,
  N = function(_, path) return path end,
  O = function(_, path) return path:match "^/[^/]+/[^/]+/([^/]+)" end,
  P = function(_, path) return path:match "^/[^/]+/[^/]+" end,
  Q = function(_, path) return path:match "^/[^/]+/[^/]+/[^/]+" end,
}

-- Pointers: "*" gives the path, "=" the value.
local function pointed(at, sign, pointer, path)
  local references = require "sim.extensions.as3.map.references"
  local absolute, target = references.resolve(at, pointer, path)
  if sign == "*" then return absolute end
  if type(target) == "table" then target = references.text(at, target, path) end
  if type(target) == "table" then
    fail(path, "the value of %s is not simulated in a text", pointer)
  end
  return tostring(target)
end

--- The text with all backquotes replaced. `path` is the place of the text.
function M.expand(at, text, path)
  if not text:find("`", 1, true) then return text end
  local out, i = {}, 1
  while true do
    local from = text:find("`", i, true)
    if not from then break end
    out[#out + 1] = text:sub(i, from - 1)
    local sign = text:sub(from + 1, from + 1)
    local to = text:find("`", from + 2, true)
    if sign == "`" then
      out[#out + 1] = "`"
      i = from + 2
    elseif sign == "~" and to == from + 2 then
      return table.concat(out) .. text:sub(to + 1)
    elseif LETTERS[sign] and to == from + 2 then
      out[#out + 1] = LETTERS[sign](at, path)
      i = to + 1
    elseif (sign == "*" or sign == "=") and to then
      out[#out + 1] = pointed(at, sign, text:sub(from + 2, to - 1), path)
      i = to + 1
    else
      fail(path, "the backquote at %d is not simulated", from - 1)
    end
  end
  return table.concat(out) .. text:sub(i)
end

return M
