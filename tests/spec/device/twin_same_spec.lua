-- The same writes on a device, and on the twin of another device that is like it: both give the
-- same answers and lead to the same configuration. The twin has read nothing before. With --slow,
-- all kinds and many more random writes.
local catalogue = require "sim.config.catalogue"
local every_kind = require "walk.every_kind"
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local random = require "walk.random_changes"
local seeds = require "walk.seeds"
local relations = require "sim.config.relations"
local sim = require "f5.sim"
local twinned = require "devices.twinned"
local twins_of = require "f5.twin"

local UPLOADED <const> = "file:/var/config/rest/downloads/walk"

-- What differs between two devices that do the same.
local VOLATILE <const> = {
  generation = true, selfLink = true, restOperationId = true, vsIndex = true, creationTime = true,
  createTime = true, lastModified = true, lastModifiedTime = true, lastUpdateTime = true,
}

local function is_random(text) return text:find "^%$6%$" or text:find "^%$M%$" end

local function clean(value)
  if type(value) ~= "table" then
    return type(value) == "string" and is_random(value) and "(encrypted)" or value
  end
  local copy = json.is_array(value) and json.array {} or {}
  for key, item in pairs(value) do
    if not VOLATILE[key] then copy[key] = clean(item) end
  end
  return copy
end

-- Status and body of an answer as text.
local function call(bip, method, path, body)
  local answer = bip:request(method, path, { body = body, raw = true, quiet = true })
  local ok, value = pcall(json.decode, answer.body)
  value = ok and clean(value) or answer.body
  return answer.status .. " " .. json.encode(value, { sort = true }), answer.status, value
end

-- Basic authentication: so many logins as there are twins would be too many.
local function basic(options)
  options.auth, options.retries = "basic", 0
  return options
end

describe("S3 the kinds of the catalogue on a twin", function()
  local device, direct, second, other, twins, twin
  setup(function()
    device, direct = every_kind.start()
    second, other = every_kind.start()
    for _, one in ipairs { device, second } do
      one:control("write_file", { path = "/var/config/rest/downloads/walk", text = "walk" })
    end
    twins = twins_of.start {
      devices = { basic(second:options "admin") }, program = program.path,
    }
    twin = f5.connect(basic(twins:options(1)))
  end)
  teardown(function()
    twin:close()
    twins:stop()
    lab.stop(direct, device)
    lab.stop(other, second)
  end)

  local problems
  -- Sends the same to the device and to the twin.
  local function both(method, path, body)
    local expected <const>, status <const> = call(direct, method, path, body)
    local got <const> = call(twin, method, path, body)
    if expected ~= got then
      problems[#problems + 1] = ("%s %s %s\n  device %s\n  twin   %s"):format(
        method, path, body and json.encode(body) or "", expected:sub(1, 300), got:sub(1, 300)
      )
    end
    return status
  end

  -- Names are unique among kinds that one property can name.
  local function name_of(template)
    local is_shared <const> = template:find "^[^/]+/profile/[^/*]+$"
      or template:find "^[^/]+/monitor/[^/*]+$" or template:find "^[^/]+/persistence/[^/*]+$"
      or template:find "^ltm/message%-routing/.*/profile/[^/]+$"
      or template == "ltm/message-routing/generic/protocol"
      or template:find "^sys/log%-config/destination/"
    return is_shared and "walk_" .. template:gsub("%W", "_") or every_kind.name(template)
  end

  -- An object of each kind on both devices: { template =, node =, collection =, path =, body = }.
  local function plant()
    local made <const> = {}
    every_kind.walk(function(template, node, path)
      if not every_kind.can_be_made(template, node) then return nil end
      local body <const> = every_kind.body(template)
      body.name = name_of(template)
      if body.sourcePath then body.sourcePath = UPLOADED end
      local _, status <const>, answer <const> = call(direct, "POST", path, body)
      call(other, "POST", path, body)
      if status ~= 200 then return nil end
      local full <const> = (answer.fullPath or answer.name or answer.id):gsub("%%", "%%25")
      local own <const> = path .. "/" .. full:gsub("/", "~")
      made[#made + 1] = {
        template = template, node = node, collection = path, path = own, body = body,
      }
      return own
    end)
    return made
  end

  -- Modifies each reference of an object: to something that exists, and to something that does not.
  local function refer(one)
    for _, relation in ipairs(relations.of(one.template)) do
      local property <const> = relation.property
      if property and not property:find("%.") and not relation.names then
        local target = relation.to[1]
        if target:sub(-2) == "/*" then
          target = target:sub(1, -3) .. "/" .. catalogue.children(target:sub(1, -3))[1]
        end
        local node <const>, spec <const> = catalogue.find(target), one.node.props[property]
        for _, ending in ipairs { "", "_missing" } do
          local folder <const> = node and node.flat and "" or "/Common/"
          local full <const> = folder .. name_of(target) .. ending
          both("PATCH", one.path, { [property] = spec and spec.t == "a" and { full } or full })
        end
      end
    end
  end

  local function try(one)
    local other_body <const> = {}
    for key, value in pairs(one.body) do other_body[key] = value end
    both("PATCH", one.path, { description = "walked" })
    refer(one)
    both("GET", one.path)
    both("PUT", one.path, one.body)
    both("POST", one.collection, one.body)
    other_body.name = one.body.name:gsub("walk", "work")
    both("POST", one.collection, other_body)
    local status <const> = both("DELETE", one.path)
    both("GET", one.collection)
    return status == 200
  end

  it("are made, changed, referred to and deleted as on the device", function()
    problems = {}
    local file <const> = os.tmpname()
    local out <const> = assert(io.open(file, "w"))
    out:write "walk"
    out:close()
    twin:upload(file, { name = "walk" })
    os.remove(file)
    local made <const>, gone <const>, tried = plant(), {}, 0
    local step <const> = lab.slow and 1 or 6
    for i, one in ipairs(made) do
      local is_gone = false
      for _, path in ipairs(gone) do
        is_gone = is_gone or one.path:sub(1, #path + 1) == path .. "/"
      end
      -- the twin passes URL filters on, and does not simulate their changes
      if i % step == 0 and not is_gone and one.template ~= "apm/url-filter" then
        if try(one) then gone[#gone + 1] = one.path end
        tried = tried + 1
      end
    end
    assert.equal("", table.concat(problems, "\n"))
    assert.truthy(tried >= 750 // step, tried)
    assert.equal(0, device:problems())
  end)
end)

describe("S3 random writes on a twin", function()
  local device, direct, second, other, twins
  setup(function()
    local options <const> = { provision = { "ltm", "gtm", "afm" } }
    device, second = sim.start(options), sim.start(options)
    direct = f5.connect(basic(device:options "admin"))
    other = f5.connect(basic(second:options "admin"))
    twins = twins_of.start { devices = {}, program = program.path }
  end)
  teardown(function()
    twins:stop()
    lab.stop(direct, device)
    lab.stop(other, second)
  end)

  local function plain(line)
    return (line:gsub("127%.[%d.]+:%d+", "DEVICE"):gsub("/transaction/%d+", "/transaction/N"))
  end

  local function log_of(changes)
    local list <const> = {}
    for i, line in ipairs(changes.log) do list[i] = plain(line) end
    return table.concat(list, "\n")
  end

  -- What a case does differently on both, as a list of lines.
  local function differences(seed)
    local found <const> = {}
    random.begin(device, direct, seed)
    random.begin(second, other, seed)
    local n <const> = twins:add(basic(second:options "admin"))
    local twin <const> = f5.connect(basic(twins:options(n)))
    local on_device <const>, on_twin <const> = random.new(seed + 1), random.new(seed + 1)
    on_device:run(direct)
    on_twin:run(twin)
    if log_of(on_device) ~= log_of(on_twin) then
      found[#found + 1] = log_of(on_device) .. "\n-- twin --\n" .. log_of(on_twin)
    end
    local changed <const>, before <const>, after <const> = {}, random.changed(device, "before")
    local report <const> = twins:report(n)
    for _, change in ipairs(report.changes) do
      local path <const> = change.path
      changed[path] = true
      local expected <const> = call(direct, "GET", (path:gsub("%%", "%%25")))
      local got <const> = call(twin, "GET", (path:gsub("%%", "%%25")))
      if expected ~= got then
        found[#found + 1] = ("%s\n  device %s\n  twin   %s"):format(path, expected, got)
      end
      -- equal texts: only what monitoring finds has changed
      if not before[path] and not after[path] then
        found[#found + 1] = path .. ": only in the twin"
      end
    end
    for _, objects in ipairs { before, after } do
      for path in pairs(objects) do
        if before[path] ~= after[path] and not changed[path] then
          changed[path] = true
          found[#found + 1] = path .. ": only on the device"
        end
      end
    end
    if #report.assumed > 0 then found[#found + 1] = json.encode(report.assumed) end
    found[#found + 1] = random.since(second, "before")
    twin:close()
    return table.concat(found, "\n"), #on_device.log
  end

  it("answer and change the same as on the device, and the report says so", function()
    random.base(device, direct)
    random.base(second, other)
    local writes = 0
    local cases <const> = seeds.each(40, 2000, function(seed)
      local text <const>, count <const> = differences(seed)
      assert.equal("", text)
      writes = writes + count
    end)
    assert.truthy(writes >= cases, writes)
  end)
end)

describe("S3 users with fewer rights on a twin", function()
  local PASSWORD <const> = "Sekret-1x2!"
  local BLUE <const>, OTHER <const> = "ltm/pool/~Common~blue", "ltm/pool/~tenant~other"
  local MEMBER <const> = BLUE .. "/members/~Common~n1:80"
  local REQUESTS <const> = {
    { "GET", "ltm/pool" }, { "GET", OTHER }, { "GET", BLUE }, { "GET", "auth/user" },
    { "GET", "auth/partition" }, { "GET", "sys/provision" }, { "GET", "ltm/pool/~tenant~nope" },
    { "POST", "ltm/pool", {
      name = "mine", partition = "tenant", monitor = "/Common/http",
      members = { { name = "10.3.3.3:80", partition = "tenant" } },
    } },
    { "POST", "ltm/pool", { name = "common" } }, { "PATCH", OTHER, { description = "x" } },
    { "PATCH", BLUE, { description = "x" } }, { "PATCH", MEMBER, { session = "user-disabled" } },
    { "POST", "ltm/virtual", {
      name = "v", partition = "tenant", destination = "10.7.7.7:80", pool = "/Common/blue",
      ipProtocol = "tcp", profiles = { "/Common/tcp" },
    } },
    { "DELETE", "ltm/pool/~tenant~mine" }, { "DELETE", "ltm/node/~Common~n1" },
    { "PATCH", "sys/ntp", { timezone = "UTC" } }, { "GET", "ltm/virtual" },
    { "POST", "ltm/rule", { name = "r", partition = "tenant", apiAnonymous = "" } },
    { "POST", "auth/user", { name = "eve", password = PASSWORD } },
  }

  local function start(name, partition, role)
    local device <const> = sim.start { seed = twinned.SEED }
    local admin <close> = f5.connect(device:options "admin")
    admin.auth.user:create {
      name = name, password = PASSWORD, partitionAccess = { { name = partition, role = role } },
    }
    return device, {
      host = device.host, port = device.port, ca = device.ca, username = name, password = PASSWORD,
    }
  end

  for _, user in ipairs {
    { "mgr", "tenant", "manager" }, { "op", "tenant", "operator" },
    { "gst", "all-partitions", "guest" },
  } do
    it(("are answered as on the device: a %s of %s"):format(user[3], user[2]), function()
      local device <close>, options = start(table.unpack(user))
      local second <close>, others = start(table.unpack(user))
      local direct <close> = f5.connect(options)
      local twins <close> = twins_of.start { devices = { others }, program = program.path }
      local twin <close> = f5.connect(twins:options(1))
      for _, request in ipairs(REQUESTS) do
        local method <const>, path <const> = request[1], "/mgmt/tm/" .. request[2]
        local expected = call(direct, method, path, request[3])
        assert.equal(expected, (call(twin, method, path, request[3])), method .. " " .. path)
      end
      assert.equal(0, device:problems() + second:problems())
    end)
  end
end)
