-- Scripts and handlers of iCall.
local kinds <const> = {
  ["sys/icall/event"] = { facts = { type = "show" } },
  ["sys/icall/publisher/failover"] = { facts = { type = "show", hidden = true } },
}

-- The catalogue lacks that these are in partitions.
for _, name in ipairs { "istats-trigger", "script" } do
  kinds["sys/icall/" .. name] = { facts = { flat = false } }
end
for _, name in ipairs { "periodic", "perpetual", "triggered" } do
  kinds["sys/icall/handler/" .. name] = {
    facts = { flat = false },
    relations = { { property = "script", to = { "sys/icall/script" } } },
  }
end

return kinds
