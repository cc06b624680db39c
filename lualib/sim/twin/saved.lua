-- `save sys config` and `load sys config` of a twin. What a twin knows is only a part of the
-- configuration, so it saves its own changes, and a load takes back those that came later.
--
-- state.twin.saved[file] = { [path] = true }: what had changed when it was saved; the objects are
-- in state.saved[file].
local M = {}

local methods = {}
M.methods = methods

--- What `save sys config` writes: the objects that changed here.
function methods:changed_objects(file)
  local state, copy, paths = self:state(), {}, {}
  for _, path in ipairs(state.order) do
    paths[path] = true
    copy[path] = self.device.store.items[path]
  end
  state.saved = state.saved or {}
  state.saved[file] = paths
  return copy
end

--- Takes back what changed since a file was saved. Without a saved file: all changes, and the
--- report says what that assumes. is_meant(path): whether the user may change this object.
function methods:load_saved(file, objects, is_meant)
  local state, store = self:state(), self.device.store
  local saved = state.saved and state.saved[file]
  if not saved then
    self:assume(
      "/mgmt/tm/sys/config", nil, "what the device has saved is taken for what it runs with"
    )
  end
  for _, path in ipairs(table.move(state.order, 1, #state.order, 1, {})) do
    local wanted = state.before[path] or nil
    if saved and saved[path] then wanted = objects[path] end
    if is_meant(path) and store.items[path] ~= wanted then store:put(path, wanted) end
  end
end

return M
