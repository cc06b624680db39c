-- Writes the bodies that the bench server serves: lua5.4 make_data.lua FOLDER [OBJECTS]
-- One virtual server as a device describes it is about 1.4 KB; a collection of 10,000 is 13.8 MB, compact as on the wire.
local folder, objects = arg[1], tonumber(arg[2] or 10000)

local function virtual(i)
  local name = ("vs_%05d_site%02d"):format(i, i % 40)
  local self = "https://localhost/mgmt/tm/ltm/virtual/~Common~" .. name
  local parts = {
    '{"kind":"tm:ltm:virtual:virtualstate","name":"%s","partition":"Common","fullPath":"/Common/%s","generation":%d,',
    '"selfLink":"%s?ver=17.1.0","addressStatus":"yes","autoLasthop":"default","cmpEnabled":"yes","connectionLimit":0,',
    '"creationTime":"2024-05-%02dT%02d:%02d:11Z","destination":"/Common/10.%d.%d.%d:443","enabled":true,',
    '"evictionProtected":"disabled","gtmScore":0,"ipProtocol":"tcp","lastModifiedTime":"2024-06-%02dT10:%02d:45Z",',
    '"mask":"255.255.255.255","mirror":"disabled","mobileAppTunnel":"disabled","nat64":"disabled",',
    '"pool":"/Common/pool_%05d","poolReference":{"link":"https://localhost/mgmt/tm/ltm/pool/~Common~pool_%05d?ver=17.1.0"},',
    '"rateLimit":"disabled","rateLimitDstMask":0,"rateLimitMode":"object","rateLimitSrcMask":0,"serversslUseSni":"disabled",',
    '"serviceDownImmediateAction":"none","source":"0.0.0.0/0","sourceAddressTranslation":{"type":"automap"},',
    '"sourcePort":"preserve","synCookieStatus":"not-activated","translateAddress":"enabled","translatePort":"enabled",',
    '"vlansDisabled":true,"vsIndex":%d,"rules":["/Common/redirect_%d"],',
    '"rulesReference":[{"link":"https://localhost/mgmt/tm/ltm/rule/~Common~redirect_%d?ver=17.1.0"}],',
    '"policiesReference":{"link":"%s/policies?ver=17.1.0","isSubcollection":true},',
    '"profilesReference":{"link":"%s/profiles?ver=17.1.0","isSubcollection":true}}',
  }
  return table.concat(parts):format(name, name, i % 700 + 1, self, i % 28 + 1, i % 24, i % 60, i // 65536, i // 256 % 256,
    i % 256, i % 28 + 1, i % 60, i % 3000, i % 3000, i, i % 50, i % 50, self, self)
end

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local function collection(from, to, total, more)
  local items = {}
  for i = from, to do items[#items + 1] = virtual(i) end
  return ('{"kind":"tm:ltm:virtual:virtualcollectionstate","selfLink":"https://localhost/mgmt/tm/ltm/virtual?ver=17.1.0",%s"items":[%s]}')
    :format(more and more(total) or "", table.concat(items, ","))
end

write("object.json", virtual(4711))
write("collection.json", collection(1, objects))
