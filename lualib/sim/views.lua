-- Views of a store: what it shows to a request that goes on later, while others change it.
--
-- A view is the tables of the store at a time. A store whose view is held by somebody copies its
-- tables before its next change, so a view never changes; objects and entries of collections are
-- shared. `owner` tells which entries belong to the store alone; its `holders` are those who hold
-- the view.
local M = {}

local FIELDS <const> =
  { "state", "items", "collections", "refers", "referrers", "shared_referrers", "owner", "log" }

local function shallow(source)
  local copy = {}
  for key, value in pairs(source) do copy[key] = value end
  return copy
end

function M.new_owner() return { holders = 0 } end

--- What the store shows now.
function M.take(store)
  local view = {}
  for _, name in ipairs(FIELDS) do view[name] = store[name] end
  return view
end

--- Lets the store show a view.
function M.show(store, view)
  for _, name in ipairs(FIELDS) do store[name] = view[name] end
  store.device.state.objects = view.state
end

--- Lets the store go on with tables of its own.
function M.leave(store)
  local before = store.referrers
  store.state = shallow(store.state)
  store.items, store.collections = shallow(store.items), shallow(store.collections)
  store.refers, store.referrers = shallow(store.refers), shallow(before)
  store.shared_referrers = before
  store.state.items = store.items
  store.owner = M.new_owner()
  store.device.state.objects = store.state
end

--- The view before the changes in the undo log; `undo(path, object)` puts an object back, without
--- telling the watchers. The store itself stays as it is.
function M.before(store, undo)
  local now = M.take(store)
  M.leave(store)
  store.log = nil
  for i = #now.log, 1, -1 do undo(store, now.log[i][1], now.log[i][2] or nil) end
  store.state.generation = now.log.marks[1].generation
  local before = M.take(store)
  now.owner, now.shared_referrers = M.new_owner(), before.referrers
  M.show(store, now)
  return before
end

return M
