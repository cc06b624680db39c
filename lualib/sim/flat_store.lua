-- A store of users alone, for a device without the configuration's store.
local Store = {}
Store.__index = Store

function Store.new(device)
  device.state.objects = device.state.objects or { generation = 0, items = {} }
  return setmetatable({ state = device.state.objects }, Store)
end

function Store:get(path)
  return self.state.items[path]
end

function Store:put(path, object)
  self.state.items[path] = object
end

function Store:list(collection)
  local list <const> = {}
  for path, object in pairs(self.state.items) do
    if path:match "^(.*)/" == collection then list[#list + 1] = object end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

function Store:next_generation()
  self.state.generation = self.state.generation + 1
  return self.state.generation
end

return Store
