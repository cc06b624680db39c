-- Finds the handler of a path: the one with the longest registered prefix of whole segments.
local Router = {}
Router.__index = Router

local function split(path)
  local segments = {}
  for segment in path:gmatch "[^/]+" do segments[#segments + 1] = segment end
  return segments
end

function Router.new()
  return setmetatable({ root = { children = {} } }, Router)
end

-- Registers a handler for a prefix such as "/mgmt/tm/asm"; a second handler for the
-- same prefix replaces the first.
function Router:add(prefix, handler)
  local node = self.root
  for _, segment in ipairs(split(prefix)) do
    local child = node.children[segment]
    if not child then
      child = { children = {} }
      node.children[segment] = child
    end
    node = child
  end
  node.handler = handler
end

-- The handler for these segments and the number of segments of its prefix; nil if there is none.
-- With `below`, only prefixes with fewer segments than that count.
function Router:find(segments, below)
  local node = self.root
  local handler, depth = nil, 0
  for i = 1, below and math.min(#segments, below - 1) or #segments do
    node = node.children[segments[i]]
    if not node then break end
    if node.handler then handler, depth = node.handler, i end
  end
  return handler, depth
end

return Router
