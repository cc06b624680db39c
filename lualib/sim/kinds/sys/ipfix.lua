-- Elements of IPFIX: those of IANA's registry and F5's own.
local function elements()
  local list = {}
  for _, group in ipairs(require "sim.catalogue.tables.elements") do
    for name, id in group.names:gmatch "([%w_]+)=(%d+)" do
      list[#list + 1] = {
        name = name .. ":base", id = math.tointeger(id), dataType = group.dataType,
        enterpriseId = group.enterpriseId, size = group.size,
      }
    end
  end
  return list
end

return {
  ["sys/ipfix/element"] = {
    facts = { props = { size = { d = 0 } } },
    factory = { objects = elements },
  },
  -- The catalogue lacks that these are in partitions.
  ["sys/ipfix/destination"] = { facts = { flat = false } },
  ["sys/ipfix/irules"] = { facts = { flat = false, no_create = true, hidden = true } },
}
