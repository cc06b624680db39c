-- Segments of paths: "~Common~a%20b" is the name "/Common/a b".

local M = {}

--- A text with its escapes (%20) replaced.
function M.decoded(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- The name that a segment stands for.
function M.name(segment) return (M.decoded(segment):gsub("~", "/")) end

--- A segment with each character escaped that a path cannot have.
function M.encoded(segment)
  return (segment:gsub("[^%w%-%._~:@!$&'()*+,;=]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end

--- The segment of a name.
function M.of(name) return M.encoded((name:gsub("/", "~"))) end

return M
