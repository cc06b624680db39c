-- Real input: every recorded object whose kind is in the catalogue is made on the simulated device
-- over HTTPS, as a client would, and read back with all its own properties. What is on every device
-- is changed to what was recorded instead. The recorded bodies are no part of this project; where
-- they are not, there is nothing to do.
local catalogue = require "sim.config.catalogue"
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local recordings = require "recordings"
local sim = require "f5.sim"
local spellings = require "walk.spellings"
local uri = require "sim.config.uri"

local PROVISION <const> = {
  "ltm", "gtm", "asm", "apm", "afm", "avr", "pem", "am", "ilx", "swg", "vcmp",
  "cgnat", "fps", "lc", "sslo", "urldb",
}

-- Kinds of which nobody can make an object, and why. The device must say so for every recorded one
-- that it does not have.
local NOT_MADE <const> = {
  ["net/interface"] = "hardware",
  ["sys/software/block-device-hotfix"] = "files of the host",
  ["sys/software/block-device-image"] = "files of the host",
  ["sys/software/hotfix"] = "appears when its file is uploaded; the recorded name is not that of a "
    .. "file",
  ["vcmp/virtual-disk"] = "comes with a guest",
}

-- Single recorded objects that do not go as they are: path -> why, and what is different then.
local EXCEPTIONS <const> = {
  ["/mgmt/tm/net/vlan/~Common~internal/interfaces/1.0"] = {
    "this device has no such interface",
    "01070256:3: Requested VLAN member (1.0)",
  },
  ["/mgmt/tm/sys/application/service/test_service"] = {
    "its folder is that of another service, its template and its device group are in no folder",
    'deviceGroup is "/Common/test_dev_group"',
    'subPath is "test_service.app"',
    'template is "/Common/test_template"',
  },
}

-- Recordings that do not say where their object was: file -> its path; false if it is none.
local PLACES <const> = {
  ["ltm-virtual-virtualstate--f5-common-python.json"] = false, -- nothing but a kind
  ["ltm-virtual-virtualstate--f5-common-python-2.json"] = false, -- nothing but a kind
  ["security-log-profile-application-applicationstate--common-test-appsec-log-profile.json"] =
    "/mgmt/tm/security/log/profile/~Common~test_appsec_log_profile/application/"
      .. "~Common~test_appsec_log_profile",
}

-- What a device works out itself, and takes from nobody: template -> properties. A function says
-- for which values.
local function unless_asked(value) return not tostring(value):find "^user%-" end
local function unfinished(status) return status ~= "complete" end
-- as before the first setup; nobody can set such a name
local function without_domain(name) return not name:find "%." end
local FILE <const> = "checksum createTime createdBy lastUpdateTime mode revision size updatedBy "
local CERTIFICATE <const> = FILE
  .. "certificateKeySize expirationDate expirationString isBundle issuer keyType serialNumber "
  .. "subject version "
local DERIVED <const> = {
  ["cm/cert"] = CERTIFICATE,
  ["cm/device"] = "activeModules baseMac build chassisId chassisType edition failoverState "
    .. "managementIp marketingName optionalModules platformId product "
    .. "selfDevice timeZone version",
  ["cm/key"] = FILE .. "keySize keyType",
  ["cm/traffic-group"] = "unitId",
  ["ltm/node"] = { ephemeral = true, state = unless_asked },
  ["ltm/policy"] = "lastModified status",
  ["ltm/pool/*/members"] = { ephemeral = true, state = unless_asked, session = unless_asked },
  ["ltm/snat-translation"] = "unit",
  ["ltm/virtual"] = "creationTime lastModifiedTime synCookieStatus vsIndex",
  ["ltm/virtual-address"] = "unit",
  ["net/interface"] = "ifIndex macAddress mediaActive mediaMax",
  ["net/tunnels/tunnel"] = "ifIndex",
  ["net/vlan"] = "ifIndex",
  ["sys/db"] = "defaultValue scfConfig valueRange",
  ["sys/file/data-group"] = FILE,
  ["sys/file/external-monitor"] = FILE,
  ["sys/file/ssl-cert"] = CERTIFICATE .. "certificateKeyCurveName fingerprint",
  ["sys/file/ssl-key"] = FILE .. "keySize keyType",
  ["sys/global-settings"] = { hostname = without_domain },
  ["sys/software/image"] = "buildDate checksum fileSize lastModified",
  -- the disk; whether it was booted; a moment
  ["sys/software/volume"] = { active = true, media = true, status = unfinished },
}
for template, list in pairs(DERIVED) do
  if type(list) == "string" then
    DERIVED[template] = {}
    for name in list:gmatch "%S+" do DERIVED[template][name] = true end
  end
end

-- What kinds need beside a name to be made because something else refers to them. `N` is a number
-- that is new each time; a function makes the value from the object's id.
local MINIMAL <const> = {
  ["gtm/server"] = { datacenter = "/Common/made-for-a-server" },
  ["gtm/server/*/virtual-servers"] = { destination = "192.0.2.N:80" },
  ["ltm/node"] = { address = "192.0.2.N" },
  ["ltm/virtual"] = { destination = "192.0.2.N:80" },
  ["net/self"] = {
    vlan = "/Common/made-for-a-self-ip",
    address = function(id) return id:match "[^~]+$" .. "/24" end,
  },
}

-- What objects refer to without a link: their own name, a member's parts, a list of names in words,
-- or what a kind of file needs. Each answers paths that must be there.
local function path(template, full) return "/mgmt/tm/" .. template .. "/" .. full:gsub("/", "~") end
local function named(template, property)
  return function(body)
    local name <const> = property and body[property] or body.fullPath or body.name
    if type(name) ~= "string" then return {} end
    return {
      path(
        template,
        name:find "^/" and name or ("/%s/%s"):format(body.partition or "Common", name)
      ),
    }
  end
end
local function server_of_member(_, id)
  local server <const>, virtual <const> = id:match "^(.-):(.+)$"
  return { "/mgmt/tm/gtm/datacenter/~Common~made-for-a-server", "/mgmt/tm/gtm/server/" .. server,
    "/mgmt/tm/gtm/server/" .. server .. "/virtual-servers/" .. virtual }
end
local function monitors(body, _, exists)
  local list <const> = {}
  for name in (body.monitor or ""):gmatch "/[^%s{}]+" do
    if not exists("ltm/monitor", name) then list[#list + 1] = path("ltm/monitor/http", name) end
  end
  return list
end
local function pools(body)
  local list <const> = {}
  for _, pool in ipairs(body.pools or {}) do
    list[#list + 1] = path("gtm/pool/a", ("/%s/%s"):format(pool.partition, pool.name))
  end
  return list
end
local function domain_of_address(body)
  local id <const> = (body.address or body.name):match "%%(%d+)"
  local list <const> = { path("net/vlan", body.vlan or "/Common/made-for-a-self-ip") }
  if id then list[2] = path("net/route-domain", "/Common/" .. id) end
  return list
end
-- The self IP by which a gateway is reached.
local function network_of_gateway(body)
  local network <const> = type(body.gw) == "string" and body.gw:match "^(.*%.)%d+$"
  return network and { path("net/self", "/Common/" .. network .. "233") } or {}
end
local REFERS <const> = {
  ["net/route"] = network_of_gateway,
  ["net/self"] = domain_of_address,
  ["gtm/wideip/a"] = pools,
  ["gtm/pool/a/*/members"] = server_of_member,
  ["gtm/server"] = function(body)
    return { path("gtm/datacenter", body.datacenter or "/Common/made-for-a-server") }
  end,
  ["ltm/pool"] = monitors,
  ["ltm/virtual/*/policies"] = named "ltm/policy",
  ["net/fdb/vlan"] = named "net/vlan", -- whose table it is
  ["sys/application/service"] = function(body)
    local list <const> = named("sys/application/template", "template")(body)
    local group <const> = body.deviceGroup
    if group and group ~= "none" then
      list[#list + 1] = path("cm/device-group", "/Common/" .. group)
    end
    return list
  end,
}

-- Kinds that are made in another way than by a POST: what is sent instead, as method, path, body,
-- header, for a recorded object.
local IMAGES <const> = "/mgmt/cm/autodeploy/software-image-uploads/"
local function upload(name)
  return "POST",
    IMAGES .. name,
    "image",
    { ["Content-Range"] = "0-4/5", ["Content-Type"] = "application/octet-stream" }
end
local OTHER_WAY <const> = {
  ["sys/software/image"] = { function(object) return upload(object.name) end },
  ["sys/software/volume"] = {
    function(object) return upload(("BIGIP-%s-%s.iso"):format(object.version, object.build)) end,
    function(object)
      local image <const> = ("BIGIP-%s-%s.iso"):format(object.version, object.build)
      return "POST",
        "/mgmt/tm/sys/software/image",
        {
          command = "install", name = image, volume = object.name,
          options = { { ["create-volume"] = true } },
        }
    end,
    wait = 70,
  },
}

-- What a client says and the recording does not hold: the file that a file object is made from; the
-- profiles of a virtual server whose sub-collections were not asked for, where its persistence or
-- its rules speak of HTTP.
-- A policy that was published, or made before there were drafts, can only be made as a legacy one.
local UNSAID <const> = {
  ["ltm/policy"] = function(body)
    if not tostring(body.subPath or body.name):find "Drafts" then body.legacy = true end
    body.status = nil
  end,
  ["sys/file/ssl-cert"] = function(body)
    body.sourcePath = body.sourcePath or "file:/shared/recorded"
  end,
  ["sys/file/data-group"] = function(body)
    body.sourcePath = body.sourcePath or "file:/shared/recorded"
  end,
  ["ltm/virtual"] = function(body, object)
    local parts <const> = object.profilesReference
    if (body.persist or body.rules) and not (parts and parts.items) then
      body.profiles = { "/Common/tcp", "/Common/http" }
    end
  end,
}

-- Before 14.0 a device put a space after its monitors, and TLS options were a list.
local function as_now(name, value)
  if name == "monitor" and type(value) == "string" then return (value:gsub("%s+$", "")) end
  if name == "tmOptions" and type(value) == "table" then
    return "{ " .. table.concat(value, " ") .. " }"
  end
  return value
end

-- Not own properties: the identity in links, and what is the device's alone.
local NOT_OWN <const> = {
  kind = true,
  selfLink = true,
  generation = true,
  fullPath = true,
  isSubcollection = true,
  apiRawValues = true,
  _meta_data = true,
}
local IDENTITY <const> = { name = true, partition = true, subPath = true }

-- A value without the links inside of it.
local function plain(value)
  if type(value) ~= "table" then return value end
  local copy <const> = {}
  for key, item in pairs(value) do
    if type(key) ~= "string" or not key:find "Reference$" then copy[key] = plain(item) end
  end
  return setmetatable(copy, getmetatable(value))
end

-- The same properties as a person may write them: names without Common, numbers as texts.
local FREE_TEXT <const> = { description = true, apiAnonymous = true, value = true, data = true }
local function in_other_words(value, name)
  if math.type(value) == "integer" then return tostring(value) end
  if type(value) == "string" and not FREE_TEXT[name] then
    return (value:gsub("^/Common/([^/]+)$", "%1"))
  end
  if type(value) ~= "table" then return value end
  local copy <const> = {}
  for key, item in pairs(value) do copy[key] = in_other_words(item, name or key) end
  return setmetatable(copy, getmetatable(value))
end

-- Whether the device works a value out itself.
local function is_derived(template, name, value)
  local how <const> = DERIVED[template] and DERIVED[template][name]
  return how == true or how and how(value) or false
end

-- The properties of a recorded object that are its own, as a client would send them. `left_out` is
-- told what is not.
local function own(object, target, left_out)
  local body <const> = {}
  for name, value in pairs(object) do
    if not NOT_OWN[name] and not name:find "Reference$" then
      if is_derived(target.template, name, value) then
        if left_out then left_out(target.template .. " " .. name) end
      else
        body[name] = plain(value)
      end
    end
  end
  return body
end

-- The paths that links inside of an object name, but not those of its own sub-collections.
local function links(value, found)
  for key, item in pairs(value) do
    if type(item) == "table" and not item.isSubcollection then
      links(item, found)
    elseif key == "link" then
      found[#found + 1] = recordings.path_of_link(item)
    end
  end
  return found
end

local function text(value)
  return value == nil and "nothing" or json.encode(value)
end

describe("Real input: every recorded object", function()
  local recorded = recordings.objects()
  if not recorded then
    pending "needs the recorded bodies"
    return
  end

  local kinds <const> = {} -- of single objects
  for _, module in ipairs(catalogue.modules()) do
    for _, template in ipairs(catalogue.templates(module)) do
      local node <const> = catalogue.find(template)
      if node.type == "collection" or node.type == "singleton" then
        kinds[node.kind .. "state"] = true
      end
    end
  end
  local objects <const> = {}
  for _, object in ipairs(recorded) do
    if kinds[object.kind] then objects[#objects + 1] = object end
  end

  local device, bip
  setup(function()
    device = sim.start { provision = PROVISION }
    bip = f5.connect(device:options("admin", { auth = "basic", retries = 0 }))
  end)
  teardown(function() lab.stop(bip, device) end)

  local function call(method, where, body, headers)
    local escaped <const> = where:gsub("[%% ]", { ["%"] = "%25", [" "] = "%20" })
    local answer <const> =
      bip:request(method, escaped, { body = body, headers = headers, raw = true, quiet = true })
    return answer.status, answer.body:find "^{" and json.decode(answer.body) or {}
  end
  local function is_there(where) return (call("GET", where)) == 200 end

  -- Whether one of the kinds below a template has an object of this full name.
  local function exists(template, full)
    for _, kind in ipairs(catalogue.children(template)) do
      if is_there(path(template .. "/" .. kind, full)) then return true end
    end
    return false
  end

  -- By path, for what others refer to.
  local by_path <const> = {}
  for _, object in ipairs(objects) do
    if object.path then
      by_path[object.path] = by_path[object.path] or {}
      table.insert(by_path[object.path], object)
    end
  end

  local made -- the paths of what was made for one object, in order
  local number = 0
  local make_missing

  local function post(collection, body)
    local status <const>, answer <const> = call("POST", collection, body)
    if status == 200 then made[#made + 1] = recordings.path_of_link(answer.selfLink) end
    return status, answer
  end

  -- Makes what is at a path, if it is not there: as it was recorded (best in the same recording),
  -- else with the least it needs.
  local function make(where, file, depth)
    local target <const> = uri.parse(where)
    if not target or target.what ~= "resource" or depth > 8 or is_there(where) then return end
    local choice
    for _, object in ipairs(by_path[where] or {}) do
      if not choice or object.file == file then choice = object end
    end
    if choice then
      make_missing(target, choice.body, file, depth + 1)
      local body <const> = own(choice.body, target)
      if UNSAID[target.template] then UNSAID[target.template](body, choice.body) end
      if post(target.collection, body) == 200 then return end
    end
    number = number + 1
    local body <const> = { name = target.id:gsub("~", "/") }
    for name, value in pairs(MINIMAL[target.template] or {}) do
      body[name] = type(value) == "function" and value(target.id)
        or value:gsub("N", number % 250 + 1)
    end
    make_missing(target, body, file, depth + 1)
    if UNSAID[target.template] then UNSAID[target.template](body, body) end
    post(target.collection, body)
  end

  -- The partition and the folders of an object, the object that owns it, and those it refers to.
  function make_missing(target, body, file, depth)
    local folder <const> = target.id and target.id:match "^(~.*)~[^~]*$"
    if folder and not target.id:find ":~" and not target.node.flat then
      local at = ""
      for part in folder:gmatch "[^~]+" do
        at = at .. "/" .. part
        if not is_there(path("sys/folder", at)) then
          if at == "/" .. part then
            post("/mgmt/tm/auth/partition", { name = part })
          else
            post("/mgmt/tm/sys/folder", { name = at })
          end
        end
      end
    end
    if target.parent then make(target.parent, file, depth) end
    for _, where in ipairs(links(body, {})) do
      if where ~= target.path then make(where, file, depth) end
    end
    for _, where in ipairs(recordings.referred(target.template, body)) do
      if where ~= target.path then make(where, file, depth) end
    end
    local refers <const> = REFERS[target.template]
    for _, where in ipairs(refers and refers(body, target.id, exists) or {}) do
      make(where, file, depth)
    end
  end

  it("is made and reads back with all its own properties", function()
    local clean <const> = device:state()
    local counts <const> = {
      made = 0, changed = 0, read = 0, not_made = 0, excepted = 0, properties = 0,
      prerequisites = 0, ensured = 0,
    }
    local unused <const>, problems <const> = {}, {}
    for _, exceptions in ipairs { NOT_MADE, OTHER_WAY, EXCEPTIONS, PLACES } do
      for key in pairs(exceptions) do unused[key] = true end
    end
    for template, properties in pairs(DERIVED) do
      for name in pairs(properties) do unused[template .. " " .. name] = true end
    end
    local function use(key) unused[key] = nil end
    local function count(what)
      counts[what] = counts[what] + 1
    end
    local troubles, object_path -- of the object at hand
    local function trouble(...) troubles[#troubles + 1] = string.format(...) end
    -- ensure sends nothing for what is there, in the words of the recording, in other words and in
    -- the device's.
    local function ensure(given, where)
      if EXCEPTIONS[object_path] then return end
      local ref <const> = bip:at((where:gsub("[%% ]", { ["%"] = "%25", [" "] = "%20" })))
      local words <const> = { given, in_other_words(given), ref:load { expand = true } }
      for _, spelling in ipairs(lab.slow and spellings.list or {}) do
        words[#words + 1] = spellings.spell(spelling, uri.parse(where).node, words[3])
      end
      for _, wanted in ipairs(words) do
        count "ensured"
        device:clear_log()
        local ok <const>, what = pcall(ref.ensure, ref, wanted)
        if not ok then return trouble("ensure: %s", tostring(what)) end
        for _, seen in ipairs(device:log()) do
          if seen.method ~= "GET" then trouble("ensure sends %s %s", seen.method, seen.path) end
        end
        if what ~= "unchanged" then trouble("ensure: %s: %s", what, text(wanted)) end
      end
    end

    local function compare(given, where)
      local status <const>, answer <const> = call("GET", where)
      if status ~= 200 then return trouble("GET: %d %s", status, answer.message) end
      for name, value in pairs(given) do
        count "properties"
        if not recordings.same(as_now(name, value), answer[name]) then
          trouble("%s is %s, not %s", name, text(answer[name]), text(value))
        end
      end
      ensure(given, where)
    end

    -- The object is on every device: it is changed to what was recorded.
    local function change(object, body)
      local properties <const> = {}
      for name, value in pairs(body) do
        if not IDENTITY[name] then properties[name] = value end
      end
      for _, name in ipairs(uri.parse(object.path).node.create_only or {}) do
        properties[name] = nil
      end
      if next(properties) then
        local status <const>, answer <const> = call("PATCH", object.path, properties)
        if status ~= 200 then trouble("PATCH: %d %s", status, answer.message) end
      end
      compare(body, object.path)
      return next(properties) and "changed" or "read"
    end

    -- Makes the object, or tries to; answers what it came to.
    local function try(object, target)
      local body <const> = own(object.body, target, use)
      make_missing(target, object.body, object.file, 1)
      counts.prerequisites = counts.prerequisites + #made
      -- on every device, or it came with what was made for it
      if is_there(object.path) then return change(object, body) end
      if NOT_MADE[target.template] then
        use(target.template)
        local status <const>, answer <const> = call("POST", target.collection, body)
        if status ~= 400 or not answer.message:find "is not supported" then
          trouble("can be made: %d", status)
        end
        return "not_made"
      end
      local way <const> = OTHER_WAY[target.template]
      if way then
        use(target.template)
        local refused <const>, refusal <const> = call("POST", target.collection, body)
        if refused ~= 400 or not refusal.message:find "is not supported" then
          trouble("can be made: %d", refused)
        end
        for _, step in ipairs(way) do
          local method <const>, where <const>, content <const>, headers <const> = step(object.body)
          local status <const>, answer <const> = call(method, where, content, headers)
          if status ~= 200 then trouble("%s %s: %d %s", method, where, status, answer.message) end
        end
        device:advance(way.wait or 1)
        compare(body, object.path)
        return "made"
      end
      local sent <const> = own(object.body, target)
      if UNSAID[target.template] then UNSAID[target.template](sent, object.body) end
      local status <const>, answer <const> = post(target.collection, sent)
      if status == 200 then
        compare(body, made[#made])
      else
        trouble("POST: %d %s", status, answer.message)
      end
      return "made"
    end

    -- Whether the troubles with an object are just those that are known.
    local function is_exception(object)
      local exception <const> = EXCEPTIONS[object.path]
      if not exception or #troubles == 0 then return false end
      for _, said in ipairs(troubles) do
        local known = false
        for i = 2, #exception do known = known or said:find(exception[i], 1, true) ~= nil end
        if not known then return false end
      end
      use(object.path)
      return true
    end

    local file
    for _, object in ipairs(objects) do
      if object.file ~= file then
        device:restore(clean) -- every recording comes from a device of its own
        device:control("write_file", { path = "/shared/recorded", text = "recorded" })
        file = object.file
      end
      made, troubles = {}, {}
      object_path = object.path
      if not object.path then
        use(file)
        object.path = PLACES[file]
        if object.path == nil then trouble "has no place" end
      end
      local target <const> = object.path and uri.parse(object.path)
      if target and target.what ~= "organizing" then
        local outcome <const> = try(object, target)
        count(is_exception(object) and "excepted" or outcome)
        if is_exception(object) then troubles = {} end
        -- What was made goes again, so that the next object of the recording can be made in turn.
        for i = #made, 1, -1 do
          local status <const>, answer <const> = call("DELETE", made[i])
          -- An object of every device was changed, and now uses what was made for it.
          local used <const> = object.body.fullPath
            and ("(%s)."):format(object.body.fullPath)
          if status == 400 and used and answer.message:find(used, 1, true) then
            device:restore(clean)
            file = nil
            break
          elseif status ~= 200 and status ~= 404 then
            trouble("DELETE %s: %d %s", made[i], status, answer.message)
          end
        end
      end
      for _, said in ipairs(troubles) do
        problems[#problems + 1] = ("%s %s: %s"):format(file, object.path or object.kind, said)
      end
    end
    for key in pairs(unused) do problems[#problems + 1] = "unneeded: " .. key end
    table.sort(problems)
    assert.equal("", table.concat(problems, "\n"))
    -- Fewer of the first or more of the last would mean that something was lost.
    local summary <const> = json.encode(counts)
    for what, least in pairs {
      made = 268, changed = 1671, read = 243, properties = 16416, ensured = 6500,
    } do
      assert.is_true(counts[what] >= least, summary)
    end
    for what, most in pairs { not_made = 8, excepted = 5 } do
      assert.is_true(counts[what] <= most, summary)
    end
  end)
end)
