-- Values that a device refuses or writes in another way: enumerations, numbers, addresses,
-- profiles.
local f5 = require "f5"
local lab = require "lab"

describe("A simulated device", function()
  local device, bip
  setup(function() device, bip = lab.start { provision = { "ltm", "asm" } } end)
  teardown(function() lab.stop(bip, device) end)

  local function message_of(run)
    local ok <const>, err <const> = f5.try(run)
    return ok and "accepted" or err.message
  end
  local function refuses(message, kind, body)
    body.name = body.name or "refused"
    assert.equal(message, message_of(function() bip:at("/mgmt/tm/" .. kind):create(body) end))
  end

  it("refuses words that are no choice of a property, at every depth", function()
    local virtual <const> = "192.0.2.1:80"
    refuses('invalid property value "ipProtocol":"bogus"', "ltm/virtual",
      { destination = virtual, ipProtocol = "bogus" })
    refuses('invalid property value "source":"bogus"', "ltm/virtual",
      { destination = virtual, source = "bogus" })
    refuses('invalid property value "responseChunking":"bogus"', "ltm/profile/http",
      { responseChunking = "bogus" })
    refuses('invalid property value "idleTimeout":"abc"', "ltm/profile/tcp",
      { idleTimeout = "abc" })
    refuses('invalid property value "oversizeClientHeaders":"bogus"', "ltm/profile/http",
      { enforcement = { oversizeClientHeaders = "bogus" } })
    refuses('invalid property value "maxHeaderCount":"abc"', "ltm/profile/http",
      { enforcement = { maxHeaderCount = "abc" } })
    refuses(
      '"share-pools" invalid value "maybe", expected one of the following: '
        .. '"disabled" "enabled"',
      "ltm/profile/one-connect",
      { sharePools = "maybe" }
    )
  end)

  it("refuses words in groups of groups, in lists and in unknown groups", function()
    bip:at("security/dos/profile"):create { name = "d" }
    local path <const> = "security/dos/profile/d/application"
    local function refused(property, body)
      refuses(('invalid property value "%s":"dance"'):format(property), path, body)
    end
    refused("mode", { tpsBased = { mode = "dance" } })
    refused("mode", { botDefense = { mode = "dance" } })
    refused("mitigationMode", { stressBased = { behavioral = { mitigationMode = "dance" } } })
    refused("deviceIdRequestBlockingMode", { deviceIdRequestBlockingMode = "dance" })
    refused("deviceIdRequestBlockingMode", {
      unknown = { list = { { deviceIdRequestBlockingMode = "dance" } } },
    })
    bip:at(path):create {
      name = "a",
      stressBased = { mode = "blocking", behavioral = { mitigationMode = "standard" } },
    }
  end)

  it("shows the type that an external data group has from its file", function()
    device:control("write_file", { path = "/shared/dg", text = "a := b,\n" })
    bip.sys.file["data-group"]:create {
      name = "f", type = "string", separator = ":=", sourcePath = "file:/shared/dg",
    }
    local group <const> =
      bip.ltm["data-group"].external:create { name = "e", externalFileName = "f" }
    assert.same({ "string", "/Common/f" }, { group.type, group.externalFileName })
  end)

  it("refuses words inside of ASM entities", function()
    bip.asm.policies:create { name = "p" }
    local policy <const> = bip.asm.policies:list()[1]
    local urls <const> = bip:at(policy.selfLink).urls
    local login <const> = bip:at(policy.selfLink)["login-pages"]:create {
      urlReference = { link = urls:create({ name = "/login" }).selfLink },
      accessValidation = { responseContains = "ok" },
    }
    assert.same({ -- the flags of the encoding are there
      responseContains = "ok", parameterContainsBase64Encoded = false,
      responseContainsBase64Encoded = false, responseOmitsBase64Encoded = false,
    }, login.accessValidation)
    for property, cors in pairs {
      enforcementMode = { enforcementMode = "maybe" },
      originProtocol = {
        enforcementMode = "enforce",
        crossDomainAllowedOrigin = { { originName = "x", originProtocol = "ftp" } },
      },
    } do
      local message <const> = message_of(function()
        urls:create { name = "/u", html5CrossOriginRequestsEnforcement = cors }
      end)
      assert.truthy(message:find("for '" .. property .. "'. Valid values are:", 1, true), message)
    end
  end)

  it("takes words in place of numbers", function()
    local made <const> = bip.ltm.profile.tcp:create { name = "t", idleTimeout = "indefinite" }
    assert.equal("indefinite", made.idleTimeout)
  end)

  it("shows IPv6 addresses in their short form", function()
    for long, short in pairs {
      ["2001:0db8:0000:0000:0000:0000:0000:0001"] = "2001:db8::1",
      ["2001:DB8:0:1:0:0:0:1"] = "2001:db8:0:1::1",
      ["0:0:0:0:0:0:0:1"] = "::1",
      ["2001:db8:0:0:1:0:0:0"] = "2001:db8:0:0:1::",
      ["2001:db8:1:2:3:4:5:6"] = "2001:db8:1:2:3:4:5:6",
    } do
      assert.equal(short, bip.ltm.node:create { name = "n", address = long }.address)
      bip.ltm.node["/Common/n"]:delete()
    end
    local long <const> = "2001:0db8:0:0:0:0:0:0009"
    bip.ltm.pool:create { name = "p", members = { { name = long .. ".80" } } }
    assert.equal("2001:db8::9.80", bip.ltm.pool["/Common/p"].members:list()[1].name)
    local virtual <const> = bip.ltm.virtual:create { name = "v6", destination = long .. ".80" }
    assert.equal("/Common/2001:db8::9.80", virtual.destination)
    local group <const> = bip.ltm["data-group"].internal:create {
      name = "g", type = "ip", records = { { name = long } },
    }
    assert.equal("2001:db8::9/128", group.records[1].name)
    bip.net.vlan:create { name = "v" }
    local own <const> =
      bip.net.self:create { name = "s", address = "2001:0db8:0::2/64", vlan = "v" }
    assert.equal("2001:db8::2/64", own.address)
  end)

  it("adds the default route domain of a partition to addresses of nodes and members", function()
    bip.net["route-domain"]:create { name = "137", id = 137 }
    bip.auth.partition:create { name = "P", defaultRouteDomain = 137 }
    local node <const> = bip.ltm.node:create { name = "n", partition = "P", address = "192.0.2.7" }
    assert.equal("192.0.2.7%137", node.address)
    bip.ltm.pool:create { name = "p", partition = "P", members = { { name = "192.0.2.8:80" } } }
    assert.equal("192.0.2.8%137", bip.ltm.pool["/P/p"].members:list()[1].address)
  end)

  it("refuses services and addresses of self IPs", function()
    bip.net.vlan:create { name = "s" }
    for service, accepted in pairs {
      ["none"] = false, ["tcp:99999"] = false, ["foo:80"] = false, ["tcp:443"] = true,
      ["udp:domain"] = true, default = true, ["ospf:0"] = true,
    } do
      local message <const> = message_of(function()
        bip.net.self:create {
          name = "a", address = "198.51.100.1/24", vlan = "s", allowService = { service },
        }
        bip.net.self["/Common/a"]:delete()
      end)
      assert.equal(
        accepted and "accepted"
          or ('"allow-service" invalid entry "%s", format must be protocol:port'):format(service),
        message
      )
    end
    refuses('"300.1.1.1/24" invalid address', "net/self",
      { address = "300.1.1.1/24", vlan = "/Common/s" })
  end)

  it("refuses profiles that exclude each other", function()
    refuses(
      "01070734:3: Configuration error: Found disallowed profile on /Common/refused: Not Any Of "
        .. "(FastL4 Profile, FastHTTP Profile)",
      "ltm/virtual", { destination = "192.0.2.2:80", profiles = { "tcp", "fasthttp" } }
    )
    refuses(
      "01070097:3: Virtual server /Common/refused lists duplicate profiles.",
      "ltm/virtual", { destination = "192.0.2.2:80", profiles = { "tcp", "f5-tcp-lan" } }
    )
    bip.ltm.virtual:create {
      name = "sides", destination = "192.0.2.3:80",
      profiles = {
        { name = "f5-tcp-lan", context = "serverside" },
        { name = "f5-tcp-wan", context = "clientside" },
      },
    }
    refuses(
      "One of the following features must be licensed/provisioned for the URI "
        .. "ltm/virtual/fw-enforced-policy : afm",
      "ltm/virtual", { destination = "192.0.2.2:80", fwEnforcedPolicy = "/Common/f" }
    )
    refuses(
      "01b4002a:3: Client SSL profile (/Common/refused):cert-key-chain and profile "
        .. "cert/key/chain/passphrase options cannot be specified together.",
      "ltm/profile/client-ssl", {
        cert = "/Common/f5-irule.crt", key = "/Common/default.key",
        certKeyChain = {
          { name = "c", cert = "/Common/default.crt", key = "/Common/default.key" },
        },
      }
    )
  end)

  it("refuses an encrypted key without its passphrase", function()
    device:control("write_file", {
      path = "/shared/locked.key",
      text = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    })
    bip.sys.file["ssl-key"]:create { name = "locked.key", sourcePath = "file:/shared/locked.key" }
    for _, phrase in ipairs { false, "wrong" } do
      refuses(
        "01070313:3: Error reading key PEM file /Common/locked.key for profile /Common/refused: "
          .. "error:0906A068:PEM routines:PEM_do_header:bad password read",
        "ltm/profile/client-ssl",
        {
          cert = "/Common/default.crt", key = "/Common/locked.key", passphrase = phrase or nil,
        }
      )
    end
  end)

  it("makes a key without an extension with it, and answers that it is not there", function()
    assert.equal(
      "01020036:3: The requested key (/Common/bare) was not found.",
      message_of(function() bip.sys.crypto.key:create { name = "bare" } end)
    )
    assert.truthy(bip.sys.crypto.key["/Common/bare.key"]:exists())
    assert.falsy(bip.sys.crypto.key["/Common/bare"]:exists())
  end)

  it("calls data groups and address lists by mcpd's words", function()
    bip.ltm["data-group"].internal:create { name = "dup", type = "string" }
    assert.equal(
      "01020066:3: The requested value list (/Common/dup) already exists in partition Common.",
      message_of(function()
        bip.ltm["data-group"].internal:create { name = "dup", type = "string" }
      end)
    )
  end)

  it("refuses monitors without a parent, and accepts the monitor none", function()
    refuses("01070043:3: Monitor /Common/refused parent not found.", "ltm/monitor/http",
      { defaultsFrom = "/Common/nosuch" })
    refuses(
      '"compatibility" invalid value "none", expected one of the following: "disabled" "enabled"',
      "ltm/monitor/https", { compatibility = "none" }
    )
    local node <const> = bip.ltm.node["/Common/m"]
    node:create { address = "192.0.2.99", monitor = "/Common/icmp" }
    assert.equal("unchecked", node:modify({ monitor = "/Common/none" }).state)
  end)

  it("tells the port behind an IPv6 address from the address", function()
    for given, shown in pairs {
      ["2001:DB8:1::9.80"] = "2001:db8:1::9.80", ["2001:db8:1::19.80"] = "2001:db8:1::19.80",
      ["2001:db8:1:0::b.443"] = "2001:db8:1::b.443",
    } do
      local virtual <const> = bip.ltm.virtual["/Common/port-of-v6"]
      virtual:create { destination = "/Common/" .. given }
      assert.equal("/Common/" .. shown, virtual:load().destination)
      virtual:delete()
    end
  end)
end)
