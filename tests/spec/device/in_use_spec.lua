-- What a device answers when an object that another one uses is deleted. The words of the first
-- test were seen on devices (docs/simulator.md, "References").
local curl = require "curl"
local lab = require "lab"
local sim = require "f5.sim"

describe("A used object of a simulated device", function()
  local device
  before_each(function()
    device = sim.start { provision = { "ltm", "gtm", "afm" } }
    device:control("write_file", { path = "/shared/file", text = "text" })
  end)
  after_each(function() lab.stop(device) end)

  local function post(path, body)
    local answer <const> = curl(device, "POST", "/mgmt/tm/" .. path, body)
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end
  local function delete(path)
    return curl(device, "DELETE", "/mgmt/tm/" .. path)
  end
  -- Deletes the target, then its user, then the target again.
  local function refused(message, target, ...)
    local answer = delete(target)
    assert.same({ 400, message }, { answer.status, answer.json and answer.json.message })
    for _, user in ipairs { ... } do
      answer = delete(user)
      assert.equal(200, answer.status, answer.body)
    end
    answer = delete(target)
    assert.equal(200, answer.status, answer.body)
  end
  local VIRTUAL <const> = "ltm/virtual/~Common~v"
  local function virtual(more)
    local body <const> = { name = "v", destination = "192.0.2.1:80" }
    for key, value in pairs(more or {}) do body[key] = value end
    post("ltm/virtual", body)
  end

  it("is refused in the words of devices", function()
    post("ltm/pool", { name = "p" })
    virtual { pool = "p" }
    refused(
      "01070265:3: The Pool (/Common/p) cannot be deleted because it is in use by a Virtual Server "
        .. "(/Common/v).",
      "ltm/pool/~Common~p", VIRTUAL
    )
    post("ltm/rule", { name = "r", apiAnonymous = "when CLIENT_ACCEPTED { drop }" })
    virtual { rules = { "r" } }
    refused(
      "01070265:3: The rule (/Common/r) cannot be deleted because it is in use by a virtual server "
        .. "(/Common/v).",
      "ltm/rule/~Common~r", VIRTUAL
    )
    post("ltm/rule", { name = "r", apiAnonymous = "when CLIENT_ACCEPTED { drop }" })
    post("ltm/persistence/universal", { name = "u", rule = "/Common/r" })
    refused(
      "01070265:3: The rule (/Common/r) cannot be deleted because it is in use by a persistence "
        .. "profile (/Common/u).",
      "ltm/rule/~Common~r", "ltm/persistence/universal/~Common~u"
    )
    post("ltm/rule", { name = "lib", apiAnonymous = "proc p { } { return 1 }" })
    post("ltm/rule", { name = "r", apiAnonymous = "when CLIENT_ACCEPTED { call lib::p }" })
    refused(
      "01070265:3: The rule (/Common/lib) cannot be deleted because it is in use by a rule "
        .. "(/Common/r).",
      "ltm/rule/~Common~lib", "ltm/rule/~Common~r"
    )
    post("ltm/profile/client-ssl", { name = "c" })
    virtual { profiles = { "tcp", { name = "c", context = "clientside" } } }
    refused(
      "01070265:3: The ClientSSL Profile (/Common/c) cannot be deleted because it is in use by a "
        .. "virtual server profile (/Common/v /Common/c).",
      "ltm/profile/client-ssl/~Common~c", VIRTUAL
    )
    post("ltm/policy", { name = "l", legacy = true, strategy = "/Common/first-match" })
    virtual { policies = { "l" }, profiles = { "tcp", "http" } }
    refused(
      "01070635:3: The policy (/Common/l) is referenced by one or more virtuals.",
      "ltm/policy/~Common~l", VIRTUAL
    )
    post("net/vlan", { name = "n" })
    post("net/self", { name = "s", address = "198.51.100.1/24", vlan = "n" })
    refused(
      "01070265:3: The VLAN (/Common/n) cannot be deleted because it is in use by a self IP "
        .. "(/Common/s).",
      "net/vlan/~Common~n", "net/self/~Common~s"
    )
    post("gtm/pool/a", { name = "g" })
    post("gtm/wideip/a", { name = "w.example.net", pools = { { name = "g" } } })
    refused(
      "0107070b:7: Wideip pool (/Common/g) is referenced by one or more wideips",
      "gtm/pool/a/~Common~g", "gtm/wideip/a/~Common~w.example.net"
    )
    post("gtm/pool/a", { name = "g" })
    post("gtm/wideip/a", { name = "w.example.net", lastResortPool = "a /Common/g" })
    refused(
      "0107070b:7: Wideip pool (/Common/g) is referenced by one or more wideips",
      "gtm/pool/a/~Common~g", "gtm/wideip/a/~Common~w.example.net"
    )
    post("ltm/monitor/http", { name = "m" })
    post("ltm/pool", { name = "p", monitor = "m" })
    refused(
      "01070083:3: Monitor /Common/m is in use.", "ltm/monitor/http/~Common~m", "ltm/pool/~Common~p"
    )
    post("ltm/pool", { name = "p", members = { "192.0.2.9:80" } })
    refused(
      "01070110:3: Node address '/Common/192.0.2.9' is referenced by a member of pool '/Common/p'.",
      "ltm/node/~Common~192.0.2.9", "ltm/pool/~Common~p"
    )
    post("sys/file/ssl-cert", { name = "f.crt", sourcePath = "file:/shared/file" })
    post("ltm/profile/client-ssl", { name = "c", caFile = "/Common/f.crt" })
    refused(
      "01071349:3: File object by name (/Common/f.crt) is in use.",
      "sys/file/ssl-cert/~Common~f.crt", "ltm/profile/client-ssl/~Common~c"
    )
    virtual { internal = true }
    post("ltm/profile/request-adapt", { name = "a", internalVirtual = "/Common/v" })
    refused(
      "0107160c:3: Virtual server '/Common/v' is referenced by request-adapt profile '/Common/a'.",
      VIRTUAL, "ltm/profile/request-adapt/~Common~a"
    )
    post("ltm/rule", { name = "r", apiAnonymous = "when CLIENT_ACCEPTED { drop }" })
    post("security/firewall/policy", {
      name = "f", rules = { { name = "one", action = "accept", irule = "/Common/r" } },
    })
    refused(
      "01070830:3: The iRule (/Common/r) cannot be deleted because it is in use by a fw_rule (one) "
        .. "in Policy (/Common/f).",
      "ltm/rule/~Common~r", "security/firewall/policy/~Common~f"
    )
    virtual()
    local answer <const> = delete "ltm/virtual-address/~Common~192.0.2.1"
    assert.same(
      { 400, "01070344:3: Cannot delete referenced virtual address /Common/192.0.2.1." },
      { answer.status, answer.json.message }
    )
  end)

  it("may be a folder, which names what it holds, or a partition, which does not", function()
    post("auth/partition", { name = "P" })
    post("sys/folder", { name = "f", partition = "P" })
    local function message(path)
      local answer <const> = delete(path)
      assert.equal(400, answer.status)
      return answer.json.message
    end
    local inner <const> =
      "010713f9:3: The folder /P cannot be deleted because it contains configuration item (folder "
      .. "/P/f)"
    assert.equal(inner, message "auth/partition/P")
    assert.equal(inner, message "sys/folder/~P")
    post("ltm/pool", { name = "p", partition = "P", subPath = "f" })
    assert.equal(
      "010713f9:3: The folder /P/f cannot be deleted because it contains configuration item (Pool "
        .. "/P/f/p)",
      message "sys/folder/~P~f"
    )
    post("ltm/pool", { name = "p", partition = "P" })
    assert.equal(
      "0107082a:3: All objects must be removed from a partition (P) before the partition may be "
        .. "removed, type ID (973)",
      message "auth/partition/P"
    )
  end)

  it("may be a self IP, which floating ones and the synchronisation need", function()
    post("net/vlan", { name = "n" })
    local function address(name, text, group)
      post("net/self", { name = name, address = text, vlan = "n", trafficGroup = group })
    end
    address("own", "198.51.100.1/24")
    address("float", "198.51.100.9/24", "/Common/traffic-group-1")
    refused(
      "01070393:3: Cannot delete IP 198.51.100.1 because it would leave floating self IP "
        .. "/Common/float with no non-floating IP on this network.",
      "net/self/~Common~own", "net/self/~Common~float"
    )
    address("own", "198.51.100.1/24")
    address("other", "198.51.100.2/24")
    address("float", "198.51.100.9/24", "/Common/traffic-group-1")
    assert.equal(200, delete("net/self/~Common~own").status)
    local own <const> = "/mgmt/tm/cm/device/bigip1"
    local set <const> = curl(device, "PATCH", own, { configsyncIp = "198.51.100.2" })
    assert.equal(200, set.status, set.body)
    assert.equal(
      "01071412:3: Cannot delete IP (198.51.100.2) because it is used by the system config-sync "
        .. "setting.",
      delete("net/self/~Common~other").json.message
    )
  end)

  it("follows these words for other kinds", function()
    post("ltm/pool", { name = "p" })
    post("ltm/policy", { name = "l", legacy = true, strategy = "/Common/first-match", rules = {
      { name = "one", actions = {
        { name = "0", forward = true, select = true, pool = "/Common/p" },
      } },
    } })
    refused(
      "01070265:3: The Pool (/Common/p) cannot be deleted because it is in use by a policy action "
        .. "(/Common/l one 0).",
      "ltm/pool/~Common~p", "ltm/policy/~Common~l"
    )
    post("ltm/snatpool", { name = "s", members = { "198.51.100.7" } })
    refused(
      "01070321:3: Snat translation address /Common/198.51.100.7 is still referenced by a snat "
        .. "pool.",
      "ltm/snat-translation/~Common~198.51.100.7", "ltm/snatpool/~Common~s"
    )
    post("net/trunk", { name = "t", interfaces = { "1.1" } })
    post("net/vlan", { name = "n", interfaces = { { name = "t", tagged = true } } })
    refused(
      "01070265:3: The trunk (t) cannot be deleted because it is in use by a VLAN (/Common/n).",
      "net/trunk/t", "net/vlan/~Common~n"
    )
    post("gtm/region", { name = "inner" })
    post("gtm/region", {
      name = "outer", regionMembers = { { name = "not region /Common/inner" } },
    })
    refused(
      "01070265:3: The region (/Common/inner) cannot be deleted because it is in use by a region "
        .. "(/Common/outer).",
      "gtm/region/~Common~inner", "gtm/region/~Common~outer"
    )
    local lost <const> = curl(device, "POST", "/mgmt/tm/gtm/topology", {
      name = "ldns: region /Common/nowhere server: pool /Common/no",
    })
    assert.equal(404, lost.status, lost.body)
  end)

  -- F5's own suite deletes them, and the data center after them.
  it("goes, and the members of pools with it, if it is a server of gtm", function()
    post("gtm/datacenter", { name = "d" })
    post("gtm/server", { name = "s", datacenter = "d", ["virtual-servers"] = {
      { name = "v", destination = "192.0.2.1:80" }, { name = "w", destination = "192.0.2.2:80" },
    } })
    post("gtm/pool/a", { name = "g", members = { { name = "s:v" }, { name = "s:w" } } })
    local function members()
      local list <const> = curl(device, "GET", "/mgmt/tm/gtm/pool/a/~Common~g/members").json.items
      return list and #list or 0
    end
    assert.equal(2, members())
    for _, step in ipairs {
      { "gtm/server/~Common~s/virtual-servers/v", 1 }, { "gtm/server/~Common~s", 0 },
      { "gtm/datacenter/~Common~d", 0 },
    } do
      local answer <const> = curl(device, "DELETE", "/mgmt/tm/" .. step[1])
      assert.equal(200, answer.status, answer.body)
      assert.equal(step[2], members(), step[1])
    end
  end)
end)

-- What a device answers to a reference to nothing, and to other objects that cannot be, in words
-- that were seen on devices.
describe("An object of a simulated device that cannot be", function()
  local device
  setup(function() device = sim.start() end)
  teardown(function() lab.stop(device) end)

  local function call(method, path, body)
    return curl(device, method, "/mgmt/tm/" .. path, body)
  end
  local function refused(status, message, method, path, body)
    local answer <const> = call(method, path, body)
    assert.same({ status, message }, { answer.status, answer.json and answer.json.message })
  end
  local function post(path, body) assert.equal(200, call("POST", path, body).status) end

  it("is refused for what it refers to", function()
    post("net/vlan", { name = "v" })
    refused(
      400, "01070734:3: Configuration error: Traffic group (/Common/no) does not exist.",
      "POST", "net/self",
      { name = "s", address = "192.0.2.1/24", vlan = "v", trafficGroup = "/Common/no" }
    )
    refused(
      400, "01070277:3: The requested key (/Common/no.key) was not found.",
      "POST", "ltm/profile/client-ssl", { name = "c", cert = "no.crt", key = "no.key" }
    )
    refused(
      400, "0107134a:3: File object by name (/Common/no.crt) is missing.",
      "POST", "ltm/profile/client-ssl", { name = "c", cert = "no.crt", key = "default.key" }
    )
    refused(
      404, "01020036:3: The requested profile (/Common/no) was not found.",
      "POST", "ltm/virtual", { name = "v", destination = "192.0.2.9:80", profiles = { "no" } }
    )
    refused(
      404, "01020036:3: The requested rule (/Common/no) was not found.",
      "POST", "ltm/virtual", { name = "v", destination = "192.0.2.9:80", rules = { "no" } }
    )
  end)

  it("is called by its kind where it is not", function()
    for path, noun in pairs {
      ["ltm/rule"] = "iRule", ["ltm/policy"] = "Policy",
      ["ltm/profile/client-ssl"] = "ClientSSL Profile",
      ["ltm/profile/server-ssl"] = "ServerSSL Profile",
    } do
      refused(
        404, ("01020036:3: The requested %s (/Common/no) was not found."):format(noun),
        "GET", path .. "/~Common~no"
      )
    end
    refused(
      409,
      "01020066:3: The requested ClientSSL Profile (/Common/clientssl) already exists in partition "
        .. "Common.",
      "POST", "ltm/profile/client-ssl", { name = "clientssl" }
    )
  end)

  it("is refused for the name of a profile of another kind", function()
    refused(
      400, "01070293:3: The profile name (/Common/http) is already assigned to another profile.",
      "POST", "ltm/profile/tcp", { name = "http" }
    )
  end)

  it("is refused for being its own parent", function()
    local function itself(kind, name)
      return ('01070734:3: Configuration error: A %s may not default from itself "/Common/%s"')
        :format(kind, name)
    end
    refused(
      400, itself("monitor", "http"), "PATCH", "ltm/monitor/http/http",
      { defaultsFrom = "/Common/http" }
    )
    post("ltm/profile/http", { name = "mother" })
    post("ltm/profile/http", { name = "child", defaultsFrom = "mother" })
    post("ltm/profile/http", { name = "grandchild", defaultsFrom = "child" })
    for _, method in ipairs { "PATCH", "PUT" } do
      refused(
        400, itself("profile", "mother"), method, "ltm/profile/http/mother",
        { defaultsFrom = "grandchild" }
      )
    end
    assert.equal(
      "/Common/http", call("GET", "ltm/profile/http/mother").json.defaultsFrom
    )
  end)

  it("is refused for the network of another route of the management", function()
    post("sys/management-route", { name = "a", network = "198.51.100.0/24", gateway = "192.0.2.1" })
    refused(
      400,
      "01070734:3: Configuration error: invalid Management Route, the dest/netmask pair "
        .. "198.51.100.0/255.255.255.0 already exists for /Common/a",
      "POST", "sys/management-route",
      { name = "b", network = "198.51.100.0/24", gateway = "192.0.2.2" }
    )
    assert.equal(200, call("PATCH", "sys/management-route/a", { gateway = "192.0.2.2" }).status)
  end)

  it("keeps the self IP of mirroring", function()
    post("net/vlan", { name = "mirror" })
    post("net/self", { name = "m", address = "203.0.113.1/24", vlan = "mirror" })
    local own <const> = call("GET", "cm/device").json.items[1].fullPath:gsub("/", "~")
    assert.equal(200, call("PATCH", "cm/device/" .. own, { mirrorIp = "203.0.113.1" }).status)
    refused(
      400,
      "010713b1:3: Cannot delete IP (203.0.113.1) because it is used by the system state-mirroring "
        .. "(Primary Mirror Address) setting.",
      "DELETE", "net/self/m"
    )
    assert.equal(200, call("PATCH", "cm/device/" .. own, { mirrorIp = "any6" }).status)
    assert.equal(200, call("DELETE", "net/self/m").status)
  end)
end)
