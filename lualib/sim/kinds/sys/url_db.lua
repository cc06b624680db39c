-- Categories of URLs.
local property = require "sim.kinds.common.property"

local s <const>, i <const> = property.text, property.number

-- name, number, number in the database, description
local categories <const> = {}
for n, entry in ipairs {
  { "Uncategorized", 25573, 153, "Sites not categorized in the Master Database." },
  { "Business_and_Economy", 2, 2, "Sites of companies and about the economy." },
  { "Entertainment", 12, 12, "Sites with information about entertainment." },
  { "Gambling", 13, 13, "Sites where bets are taken." },
  { "Social_Web_-_Facebook", 1600, 1600, "A social network." },
} do
  categories[n] = {
    name = entry[1],
    catId = entry[2],
    catNumber = entry[3],
    description = entry[4],
    displayName = entry[1]:gsub("_", " "),
    isCustom = "false",
    defaultAction = (n == 1 or entry[1] == "Gambling") and "block" or "allow",
    f5Id = n == 1 and 16449 or nil,
    parentCatNumber = n == 1 and 146 or nil,
  }
end

return {
  ["sys/url-db/url-category"] = {
    facts = {
      noun = "URL category",
      props = {
        catId = i(),
        catNumber = i(),
        displayName = s(),
        f5Id = i(),
        parentCatNumber = i(),
        isCustom = s("true"),
        urls = { t = "a" },
      },
    },
    factory = { protected = true, objects = categories },
  },
  ["sys/url-db/download-result"] = { facts = { listed = true } },
  ["sys/url-db/download-schedule"] = {
    factory = { protected = true, objects = { { name = "urldb", status = "true" } } },
  },
}
