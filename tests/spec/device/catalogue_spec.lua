-- Every kind of the catalogue: listed, read, made with its defaults, changed, replaced and deleted,
-- where a real device allows it.
local catalogue = require "sim.config.catalogue"
local every_kind = require "walk.every_kind"
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"

describe("The catalogue of a simulated device", function()
  local device, bip
  setup(function()
    device, bip = every_kind.start()
  end)
  teardown(function() lab.stop(bip, device) end)

  local problems
  local function call(method, path, body)
    local answer <const> = bip:request(method, path, { body = body, raw = true, quiet = true })
    return answer.status, answer.body:find "^{" and json.decode(answer.body) or {}
  end
  local function expect(status, method, path, body)
    local found <const>, answer <const> = call(method, path, body)
    if found ~= status then
      problems[#problems + 1] = ("%s %s: %d %s"):format(method, path, found, answer.message)
    end
    return found == status and answer or nil
  end
  local function check(holds, text, ...)
    if not holds then problems[#problems + 1] = text:format(...) end
  end

  -- A property whose change is easily seen, and another value for it.
  local function changeable(node, object)
    local list <const> = {}
    for name in pairs(node.props) do list[#list + 1] = name end
    table.sort(list)
    for _, name in ipairs(list) do
      local spec <const> = node.props[name]
      if name == "description" and spec.t == "s" and not spec.r then return name, "walked" end
    end
    for _, name in ipairs(list) do
      local spec <const> = node.props[name]
      if spec.c and spec.t == "s" and not spec.r and spec.d then
        for choice in spec.c:gmatch "[^|]+" do
          if choice ~= object[name] and choice ~= "none" then return name, choice end
        end
      end
    end
    if not node.known then return "description", "walked" end
    return nil
  end

  -- Modifies and replaces what is at a path. `body` is what it was made with.
  local function change(node, template, path, object, body)
    local name <const>, value <const> = changeable(node, object)
    if not name then return 0 end
    local modified <const> = expect(200, "PATCH", path, { [name] = value })
    check(
      modified and modified[name] == value, "%s: %s is %s after its change to %s", path, name,
      modified and modified[name], value
    )
    local read <const> = expect(200, "GET", path)
    for property, was in pairs(object) do
      if
        type(was) ~= "table" and property ~= name and property ~= "generation"
        and property ~= "selfLink" and not property:find "^last" and property ~= "updatedBy"
        and property ~= "revision"
      then
        check(
          read and read[property] == was, "%s: %s was %s and is %s after a change of %s", path,
          property, was, read and read[property], name
        )
      end
    end
    if catalogue.find(template).type == "collection" then
      local whole <const> = {}
      local settable = false
      for property, was in pairs(object) do
        if
          property ~= "selfLink" and property ~= "generation" and not property:find "Reference$"
        then
          whole[property] = was
        end
        settable = settable or node.props[property] and not node.props[property].r
      end
      for property, was in pairs(body) do whole[property] = was end
      whole.session, whole.state = nil, nil -- of nodes and members: what monitoring found
      if not settable then whole.description, whole.appService = nil, "none" end
      local replaced <const> = expect(200, "PUT", path, whole)
      check(
        replaced and replaced[name] ~= value, "%s: %s is still %s after a PUT", path, name, value
      )
    end
    return 1
  end

  it("can be read, made, changed, replaced and deleted, kind by kind", function()
    problems = {}
    local counts <const> = { read = 0, made = 0, changed = 0, deleted = 0 }
    local undo <const> = {}
    every_kind.walk(function(template, node, path)
      local listed <const> = expect(200, "GET", path)
      counts.read = counts.read + 1
      if node.type == "singleton" and listed then
        counts.changed = counts.changed + change(node, template, path, listed, {})
      end
      if not every_kind.can_be_made(template, node) then return nil end
      local body <const> = every_kind.body(template)
      body.name = every_kind.name(template)
      local object <const> = expect(200, "POST", path, body)
      if not object then return nil end
      counts.made = counts.made + 1
      local own <const> = path
        .. "/"
        .. (object.fullPath or object.name or object.id):gsub("/", "~"):gsub("%%", "%%25")
      undo[#undo + 1] = own
      for name, spec in pairs(node.props) do
        if
          template ~= "sys/crypto/key" and type(spec.d) ~= "table" and spec.d ~= nil
          and spec.d ~= false and spec.d ~= "none" and spec.d ~= ""
        then
          check(object[name] ~= nil, "%s: a new one has no %s", path, name)
        end
      end
      local read <const> = expect(200, "GET", own)
      if read then counts.changed = counts.changed + change(node, template, own, read, body) end
      expect(409, "POST", path, body)
      return own
    end, function(template) check(false, "%s: nothing to look below", template) end)
    for i = #undo, 1, -1 do
      local answer <const> = expect(200, "DELETE", undo[i])
      if answer then
        counts.deleted = counts.deleted + 1
        expect(404, "GET", undo[i])
      end
    end
    assert.equal("", table.concat(problems, "\n"))
    -- The walk went everywhere: fewer would mean that the catalogue lost some.
    assert.truthy(
      counts.read >= 1300
        and counts.made >= 809 and counts.changed >= 900 and counts.deleted == counts.made,
      ("%d read, %d made, %d changed, %d deleted"):format(
        counts.read, counts.made, counts.changed, counts.deleted
      )
    )
  end)
end)

describe("What a simulated device makes of objects by itself", function()
  local device, bip
  before_each(function()
    device, bip = lab.start { provision = { "ltm", "gtm", "afm", "cgnat" } }
  end)
  after_each(function() lab.stop(bip, device) end)

  local function refused(run, message)
    local ok <const>, err <const> = f5.try(run)
    assert.falsy(ok)
    assert.same({ 400, message }, { err.status, err.message })
  end

  it("listeners have profiles", function()
    local listener <const> = bip.gtm.listener:create { name = "l", address = "192.0.2.1" }
    local names <const> = {}
    for _, profile in ipairs(bip:at(listener.selfLink).profiles:list()) do
      names[#names + 1] = profile.fullPath
    end
    assert.same({ "/Common/dns", "/Common/udp_gtm_dns" }, names)
  end)

  it("parts of a log profile have filters, NAT log profiles actions", function()
    local profile <const> = bip.security.log.profile["/Common/p"]
    profile:create {}
    local network <const> = profile.network:create { name = "p" }
    assert.equal("disabled", network.filter.logIpErrors)
    assert.equal("disabled", profile["protocol-sip"]:create({ name = "p" }).filter.logSipDrop)
    local log <const> = bip.ltm["lsn-log-profile"]:create { name = "l" }
    assert.same(
      { "disabled", "enabled" },
      { log.startInboundSession.action, log.endInboundSession.action }
    )
  end)

  it("feeds and publishers of addresses are complete", function()
    local feeds <const> = bip.security["ip-intelligence"]["feed-list"]
    refused(
      function()
        feeds:create { name = "f", feeds = { { name = "one", poll = { url = "http://x/" } } } }
      end,
      '"default-blacklist-category" must be specified'
    )
    refused(
      function() feeds:create { name = "f", feeds = { { name = "one" } } } end,
      '"url" must be specified'
    )
    local made <const> = feeds:create {
      name = "f",
      feeds = {
        {
          name = "one",
          poll = { url = "http://x/" },
          ["default-blacklist-category"] = "/Common/spam_sources",
        },
      },
    }
    assert.same(
      {
        name = "one",
        poll = { url = "http://x/", interval = "default" },
        defaultBlacklistCategory = "/Common/spam_sources",
        defaultListType = "blacklist",
      },
      made.feeds[1]
    )
    local publisher <const> = bip.security["blacklist-publisher"]
    refused(
      function() publisher.profile:create { name = "p" } end,
      '"route-advertisement-nexthop" must be specified'
    )
    refused(
      function() publisher.category:create { name = "c" } end,
      "01020036:3: The requested blacklist category (/Common/c) was not found."
    )
    publisher.category:create { name = "proxy" }
  end)

  it("publishers of logs are those that were recorded", function()
    local publisher <const> = bip.sys["log-config"].publisher
    assert.is_nil(publisher["/Common/default-mgmt-acl-log-publisher"]:load().destinations)
    assert.equal(2, #publisher["/Common/sys-db-access-publisher"]:load().destinations)
  end)

  it("daemons say whether they start with the device", function()
    assert.same({ Boot = "on", Default = "yes" }, bip.sys.service.tmm:load().apiRawValues)
    assert.same({ Boot = "off", Default = "no" }, bip.sys.service["asm.finish"]:load().apiRawValues)
  end)

  it("users and traps of SNMP have short and full names", function()
    bip.sys.snmp.users:create { name = "u", username = "u" }
    assert.equal("u", bip.sys.snmp.users["/Common/u"]:load().username)
    assert.equal("u", bip.sys.snmp.users.u:load().username)
  end)

  it("without tmm the device is offline", function()
    local function state() return bip.cm.device:list()[1].failoverState end
    bip.sys.service:run("restart", { name = "tmm" })
    assert.equal("offline", state())
    device:advance(11)
    assert.equal("active", state())
    bip.sys.service:run("stop", { name = "tmm" })
    device:advance(60)
    assert.equal("offline", state())
    bip.sys.service:run("start", { name = "tmm" })
    assert.equal("active", state())
  end)

  it("a default that does not name an object stays as it is", function()
    assert.equal("all", bip.auth["remote-user"]:modify({ description = "x" }).defaultPartition)
  end)

  it("what is said to be none or nowhere is", function()
    assert.equal(
      "none",
      bip.net.tunnels.vxlan:create({ name = "v", floodingType = "none" }).floodingType
    )
    assert.equal(
      "0.0.0.0:0",
      bip.ltm.virtual:create({ name = "v", internal = true, destination = "0.0.0.0:0" }).destination
    )
  end)

  it("servers of DNS have monitors to choose from", function()
    bip.gtm.datacenter["/Common/d"]:create {}
    local server <const> =
      bip.gtm.server:create { name = "s", datacenter = "/Common/d", monitor = "bigip" }
    assert.equal("/Common/bigip", server.monitor)
    assert.equal("/Common/http", bip.gtm.monitor.http["/Common/http_head_f5"]:load().defaultsFrom)
    assert.equal(120, bip.gtm.monitor.http:create({ name = "h" }).timeout)
  end)

  it("software and disks of guests are not made by a request", function()
    for _, kind in ipairs {
      "volume", "image", "hotfix", "block-device-image", "block-device-hotfix", "signature",
    } do
      refused(
        function() bip.sys.software[kind]:create { name = "x" } end,
        ('"create" is not supported for sys software %s.'):format(kind)
      )
    end
  end)

  it("TLS options are one text, however they are given", function()
    local profile <const> =
      bip.ltm.profile["client-ssl"]:create { name = "p", tmOptions = { "no-tlsv1", "no-tlsv1.1" } }
    assert.equal("{ no-tlsv1 no-tlsv1.1 }", profile.tmOptions)
    assert.equal(
      "{ no-ssl }",
      bip.ltm.profile["client-ssl"]["/Common/p"]:modify({ tmOptions = "no-ssl" }).tmOptions
    )
    assert.equal(
      "{ no-ssl no-dtls }",
      bip.ltm.profile["client-ssl"]["/Common/p"]:modify(
        { tmOptions = "{ no-ssl no-dtls }" }
      ).tmOptions
    )
    assert.equal(
      "none",
      bip.ltm.profile["client-ssl"]["/Common/p"]:modify({ tmOptions = {} }).tmOptions
    )
    assert.equal(
      "{ no-ssl }",
      bip.ltm.profile["server-ssl"]["/Common/cloud-service-default-ssl"]:load().tmOptions
    )
  end)

  it("profiles of HTTP say everything about their parts, those of proxies what differs", function()
    local profile <const> =
      bip.ltm.profile.http:create { name = "p", enforcement = { maxHeaderCount = 10 } }
    assert.same(
      { 10, 32768, "none" },
      {
        profile.enforcement.maxHeaderCount,
        profile.enforcement.maxHeaderSize,
        profile.explicitProxy.dnsResolver,
      }
    )
    local explicit <const> = bip.ltm.profile.http["/Common/http-explicit"]:load()
    assert.same(
      { "explicit", "none", "/Common/http-tunnel", "deny" },
      {
        explicit.proxyType, explicit.defaultsFrom, explicit.explicitProxy.tunnelName,
        explicit.explicitProxy.defaultConnectHandling,
      }
    )
    assert.equal(
      "/Common/http",
      bip.ltm.profile.http:create(
        { name = "q", explicitProxy = { dnsResolver = "none" } }
      ).defaultsFrom
    )
  end)

  it("database variables that want an address take one", function()
    local variable <const> = bip.sys.db["statemirror.ipaddr"]
    assert.equal("192.0.2.7", variable:modify({ value = "192.0.2.7" }).value)
    assert.equal("::", variable:modify({ value = "::" }).value)
    refused(
      function() variable:modify { value = "nowhere" } end,
      "01070911:3: The requested value (nowhere) for the DB variable (statemirror.ipaddr) is not "
        .. "in the range (IP address)."
    )
  end)

  it("files are as the device sees them, whatever a body says", function()
    device:control("write_file", { path = "/shared/key", text = "text" })
    local key <const> = bip.sys.file["ssl-key"]:create {
      name = "k.key", sourcePath = "file:/shared/key", checksum = "x", revision = 7, size = 1,
      passphrase = "$M$aa$bbbb",
    }
    assert.same({ 1, 4, "$M$aa$bbbb" }, { key.revision, key.size, key.passphrase })
    assert.not_equal("x", key.checksum)
    assert.matches(
      "^%$M%$",
      bip.sys.file["ssl-key"]:create({
        name = "l.key",
        sourcePath = "file:/shared/key",
        passphrase = "word",
      }).passphrase
    )
  end)

  it("the default monitor of nodes counts from when it is set", function()
    bip.ltm.node:create { name = "n", address = "192.0.2.1" }
    assert.equal("unchecked", bip.ltm.node["/Common/n"]:load().state)
    bip.ltm["default-node-monitor"]:modify { rule = "/Common/icmp" }
    device:advance(6)
    assert.equal("up", bip.ltm.node["/Common/n"]:load().state)
    bip.ltm["default-node-monitor"]:modify { rule = "none" }
    assert.equal("unchecked", bip.ltm.node["/Common/n"]:load().state)
  end)
end)
