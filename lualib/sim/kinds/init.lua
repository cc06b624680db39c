-- What is special about a kind of object: a table of functions for a template, all optional.
--
--   read(store, target, body, ctx, old)      the body before anything else sees it; answers a body
--   identify(node, body, target, store)      name, partition, subPath and fullPath of a new object
--   prepare(store, object, properties, old, ctx, target)   may still change the object or raise; `old` is nil for a new one
--   before(store, path, object, ctx, target) what must be made before the object itself
--   made, changed(…, object, old, …), removing, removed    around a change that happens
--   kept(fresh, old)                         what a PUT leaves alone
--   show(store, path, object, shown, context)  the object as it is answered
--   label(target, full)                      the object in messages
--   own_folder                               it brings its own folder
local M = {}

local NOTHING <const> = {}
local FILES <const> = {
  "sim.kinds.pools",
  "sim.kinds.virtuals",
  "sim.kinds.traffic",
  "sim.kinds.network",
  "sim.kinds.tenants",
  "sim.kinds.system",
  "sim.kinds.security",
  "sim.kinds.names",
}

local exact, patterns

local function load()
  exact, patterns = {}, {}
  for _, file in ipairs(FILES) do
    for template, kind in pairs(require(file)) do
      if template:sub(1, 1) == "^" then
        patterns[#patterns + 1] = { template, kind }
      else
        exact[template] = kind
      end
    end
  end
  table.sort(patterns, function(a, b) return a[1] < b[1] end)
end

function M.of(template)
  if not exact then load() end
  local kind = exact[template]
  if kind then return kind end
  kind = NOTHING
  for _, entry in ipairs(patterns) do
    if template:find(entry[1]) then
      kind = entry[2]
      break
    end
  end
  exact[template] = kind
  return kind
end

return M
