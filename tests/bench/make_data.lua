-- Writes the bodies that the bench servers send: lua5.4 make_data.lua FOLDER [OBJECTS]
--   object.json       one virtual server as a device describes it, 1.5 KB
--   collection.json   OBJECTS of them without their rarest properties: 10,000 are 13.8 MB,
--                     compact as on the wire
--   page.json         the items of a page of 500
--   seed.json         a simulated device with 10,000 objects, for snapshots
local folder, objects = arg[1], tonumber(arg[2] or 10000)

local function virtual(i, rare)
  local name = ("vs_%05d_site%02d"):format(i, i % 40)
  local self = "https://localhost/mgmt/tm/ltm/virtual/~Common~" .. name
  local parts = {
    '{"kind":"tm:ltm:virtual:virtualstate","name":"%s","partition":"Common","fullPath":"/Common/'
      .. '%s","generation":%d,',
    '"selfLink":"%s?ver=17.1.0","addressStatus":"yes","autoLasthop":"default","cmpEnabled":"yes",'
      .. '"connectionLimit":0,',
    '"creationTime":"2024-05-%02dT%02d:%02d:11Z","destination":"/Common/10.%d.%d.%d:443",'
      .. '"enabled":true,',
    '"evictionProtected":"disabled","gtmScore":0,"ipProtocol":"tcp",'
      .. '"lastModifiedTime":"2024-06-%02dT10:%02d:45Z",',
    '"mask":"255.255.255.255","mirror":"disabled","mobileAppTunnel":"disabled","nat64":"disabled",',
    '"pool":"/Common/pool_%05d","poolReference":{"link":"https://localhost/mgmt/tm/ltm/pool/'
      .. '~Common~pool_%05d?ver=17.1.0"},',
    rare
        and '"serversslUseSni":"disabled","serviceDownImmediateAction":"none",'
          .. '"synCookieStatus":"not-activated",'
      or "",
    '"rateLimit":"disabled","rateLimitDstMask":0,"rateLimitMode":"object","rateLimitSrcMask":0,',
    '"source":"0.0.0.0/0","sourceAddressTranslation":{"type":"automap"},',
    '"sourcePort":"preserve","translateAddress":"enabled","translatePort":"enabled",',
    '"vlansDisabled":true,"vsIndex":%d,"rules":["/Common/redirect_%d"],',
    '"rulesReference":[{"link":"https://localhost/mgmt/tm/ltm/rule/~Common~redirect_%d?ver='
      .. '17.1.0"}],',
    '"policiesReference":{"link":"%s/policies?ver=17.1.0","isSubcollection":true},',
    '"profilesReference":{"link":"%s/profiles?ver=17.1.0","isSubcollection":true}}',
  }
  return table.concat(parts):format(
    name, name, i % 700 + 1, self, i % 28 + 1, i % 24, i % 60, i // 65536, i // 256 % 256, i % 256,
    i % 28 + 1, i % 60, i % 3000, i % 3000, i, i % 50, i % 50, self, self
  )
end

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local function items(count)
  local list = {}
  for i = 1, count do list[i] = virtual(i) end
  return table.concat(list, ",")
end

write("object.json", virtual(4711, true))
write("page.json", items(500))
write(
  "collection.json",
  '{"kind":"tm:ltm:virtual:virtualcollectionstate","selfLink":"https://localhost/mgmt/tm/ltm/'
    .. 'virtual?ver=17.1.0",'
    .. '"items":[' .. items(objects) .. "]}"
)

local pools, virtuals = {}, {}
for i = 1, 3200 do
  local node = ("10.1.%d.%d"):format(i % 4, i // 4 % 250 + 1)
  pools[i] = (
    '{"name":"pool_%d","monitor":"/Common/http","members":[{"name":"%s:80"},{"name":"%s:443"}]}'
  ):format(i, node, node)
end
for i = 1, 1500 do
  virtuals[i] = (
    '{"name":"vs_%d","destination":"10.2.%d.%d:80","pool":"/Common/pool_%d",'
      .. '"profiles":["/Common/tcp","/Common/http"]}'
  ):format(i, i // 250, i % 250 + 1, i)
end
write("seed.json", ('{"objects":{"/mgmt/tm/ltm/pool":[%s],"/mgmt/tm/ltm/virtual":[%s]}}'):format(
  table.concat(pools, ","), table.concat(virtuals, ",")
))
