-- Undo of objects that refer to each other, or have more inside them.
local f5 = require "f5"
local lab = require "lab"
local random = require "walk.random_changes"

local device, bip

-- name -> { what is there, what is written }
local CASES <const> = {
  ["a VLAN of a route domain"] = { function()
    bip.net.vlan["/Common/v1"]:create { tag = 100 }
    bip.net["route-domain"]["/Common/rd1"]:create { id = 1, vlans = { "/Common/v1" } }
  end, function()
    bip.net["route-domain"]["/Common/rd1"]:modify { vlans = f5.array {} }
    bip.net.vlan["/Common/v1"]:delete()
  end },
  ["a self IP, its VLAN and a route"] = { function()
    bip.net.vlan["/Common/v2"]:create { tag = 101 }
    bip.net.self["/Common/s"]:create {
      address = "10.50.0.1/24", vlan = "/Common/v2", allowService = "default",
    }
    bip.net.route["/Common/r"]:create { network = "10.60.0.0/16", gw = "10.50.0.254" }
  end, function()
    bip.net.route["/Common/r"]:delete()
    bip.net.self["/Common/s"]:delete()
    bip.net.vlan["/Common/v2"]:delete()
  end },
  ["a self IP with another address"] = { function()
    bip.net.vlan["/Common/v3"]:create { tag = 102 }
    bip.net.self["/Common/t"]:create { address = "10.51.0.1/24", vlan = "/Common/v3" }
  end, function()
    bip.net.self["/Common/t"]:delete()
    bip.net.self["/Common/t"]:create { address = "10.51.0.2/24", vlan = "/Common/v3" }
  end },
  ["a partition and a folder with what is in them"] = { function()
    bip.auth.partition.shop:create { description = "x" }
    bip.ltm.pool["/shop/p"]:create { members = { "10.0.0.1:80" } }
    bip.sys.folder["/Common/app"]:create {}
    bip.ltm.pool["/Common/app/p"]:create {}
  end, function()
    bip.ltm.pool["/shop/p"]:delete()
    bip.ltm.node["/shop/10.0.0.1"]:delete()
    bip.auth.partition.shop:delete()
    bip.ltm.pool["/Common/app/p"]:delete()
    bip.sys.folder["/Common/app"]:delete()
  end },
  ["a virtual server and its profile"] = { function()
    bip.ltm.profile["client-ssl"]["/Common/c"]:create { ciphers = "DEFAULT:!RC4" }
    bip.ltm.virtual["/Common/v"]:create {
      destination = "10.9.0.5:443", ipProtocol = "tcp",
      profiles = { "/Common/tcp", { name = "/Common/c", context = "clientside" }, "/Common/http" },
      persist = { { name = "cookie", default = "yes" } },
    }
  end, function()
    bip.ltm.virtual["/Common/v"]:modify {
      persist = "none", profiles = { "/Common/tcp" },
      sourceAddressTranslation = { type = "automap" },
    }
    bip.ltm.virtual["/Common/v"]:delete()
    bip.ltm.profile["client-ssl"]["/Common/c"]:delete()
  end },
  ["rules of a firewall, in their order"] = { function()
    bip.security.firewall.policy["/Common/fp"]:create { rules = {
      { name = "a", action = "accept", ipProtocol = "tcp", ["place-after"] = "last" },
      { name = "b", action = "drop", ["place-after"] = "last" },
    } }
  end, function()
    bip.security.firewall.policy["/Common/fp"].rules.b:modify { action = "reject" }
    bip.security.firewall.policy["/Common/fp"]:delete()
  end },
  ["a wide IP, down to its data center"] = { function()
    bip.gtm.datacenter["/Common/dc"]:create {}
    bip.gtm.server["/Common/srv"]:create {
      datacenter = "/Common/dc", product = "generic-host",
      devices = { { name = "d", addresses = { { name = "10.1.1.1" } } } },
      virtualServers = { { name = "vs1", destination = "10.1.1.1:80" } },
    }
    bip.gtm.pool.a["/Common/gp"]:create { members = { { name = "/Common/srv:vs1" } } }
    bip.gtm.wideip.a["/Common/w.example.com"]:create {
      pools = { { name = "gp", partition = "Common" } },
    }
  end, function()
    bip.gtm.wideip.a["/Common/w.example.com"]:delete()
    bip.gtm.pool.a["/Common/gp"]:delete()
    bip.gtm.server["/Common/srv"]:delete()
    bip.gtm.datacenter["/Common/dc"]:delete()
  end },
  ["objects under short names"] = { function() end, function()
    bip.ltm.pool:create { name = "short", members = { { name = "10.7.0.1:80" } } }
    bip.ltm.pool.short:modify { description = "x" }
    bip.ltm.pool.short.members:add "10.7.0.2:80"
  end },
  ["the state of a node"] = { function()
    bip.ltm.node["/Common/nn"]:create { address = "10.77.0.1" }
  end, function()
    bip.ltm.node["/Common/nn"]:modify {
      monitor = "/Common/icmp", session = "user-disabled", state = "user-down",
    }
  end },
}

describe("S6 undo", function()
  setup(function() device, bip = lab.start { provision = { "ltm", "gtm", "afm" } } end)
  teardown(function() lab.stop(bip, device) end)

  for name, case in pairs(CASES) do
    it("restores " .. name, function()
      case[1]()
      local before <const> = random.objects(device)
      local err <const> = lab.failure(bip.guard, bip, function()
        case[2]()
        assert.is_true(random.difference(before, random.objects(device)) ~= "")
        bip.ltm.pool["/Common/nope"]:load()
      end)
      assert.equal("/mgmt/tm/ltm/pool/~Common~nope", err.path, tostring(err))
      assert.is_true(err.reverted)
      assert.equal("", random.difference(before, random.objects(device)))
    end)
  end
end)
