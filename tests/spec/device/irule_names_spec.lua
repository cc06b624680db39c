-- What iRules name: pools, SNAT pools, virtual servers and data groups. A device looks for them
-- when a virtual server uses the rule, and keeps them while a rule names them.
local f5 = require "f5"
local lab = require "lab"

describe("An iRule of a simulated device", function()
  local device, bip
  setup(function() device, bip = lab.start() end)
  teardown(function() lab.stop(bip, device) end)

  local function message_of(text)
    bip.ltm.rule:create { name = "r", apiAnonymous = text }
    local ok <const>, err = f5.try(function()
      bip.ltm.virtual:create {
        name = "v", destination = "192.0.2.1:80", profiles = { "tcp", "http" }, rules = { "r" },
      }
    end)
    if ok then bip.ltm.virtual["/Common/v"]:delete() end
    bip.ltm.rule["/Common/r"]:delete()
    return ok and "used" or err.message
  end
  local function expected(what, name, line, text)
    return "01070151:3: Rule [/Common/r] error: Unable to find "
      .. ("%s (%s) referenced at line %d: [%s]"):format(what, name, line, text)
  end

  it("names what exists, or cannot be used", function()
    for text, message in pairs {
      ["when CLIENT_ACCEPTED {\n  pool nosuch\n}"] = expected("pool", "nosuch", 2, "pool nosuch"),
      ["when CLIENT_ACCEPTED { if { 1 } { pool \"nosuch\" } }"] =
        expected("pool", "nosuch", 1, 'pool "nosuch"'),
      ["when CLIENT_ACCEPTED {\n\n  pool /Common/no member 10.0.0.1 80\n}"] =
        expected("pool", "/Common/no", 3, "pool /Common/no member 10.0.0.1 80"),
      ["when HTTP_REQUEST {\n if { [class match -- [HTTP::uri] starts_with dg] } { drop }\n}"] =
        expected("value_list", "dg", 2, "class match -- [HTTP::uri] starts_with dg"),
      ["when CLIENT_ACCEPTED { snatpool sp }"] = expected("snat_pool", "sp", 1, "snatpool sp"),
      ["when CLIENT_ACCEPTED { LB::reselect pool no }"] =
        expected("pool", "no", 1, "LB::reselect pool no"),
      ["when CLIENT_ACCEPTED { if { [active_members -list no] > 0 } { drop } }"] =
        expected("pool", "no", 1, "active_members -list no"),
      ["when CLIENT_ACCEPTED { clone pool no member 10.0.0.1 80 }"] =
        expected("pool", "no", 1, "clone pool no member 10.0.0.1 80"),
      ["when CLIENT_ACCEPTED { set h [HSL::open -proto UDP -pool no] }"] =
        expected("pool", "no", 1, "HSL::open -proto UDP -pool no"),
      ["when CLIENT_ACCEPTED { HSL::open -publisher /Common/no }"] =
        expected("log_publisher", "/Common/no", 1, "HSL::open -publisher /Common/no"),
      ["when CLIENT_ACCEPTED { nexthop no }"] = expected("vlan", "no", 1, "nexthop no"),
      ["when CLIENT_ACCEPTED { rateclass no }"] = expected("rate_class", "no", 1, "rateclass no"),
      ["when HTTP_REQUEST { HTTP::respond 200 content [ifile get no] }"] =
        expected("ifile", "no", 1, "ifile get no"),
      ["when CLIENT_ACCEPTED { call no::proc 1 }"] = expected("rule", "no", 1, "call no::proc 1"),
      ["when CLIENT_ACCEPTED { SSL::profile no }"] =
        expected("profile", "no", 1, "SSL::profile no"),
      ["when CLIENT_ACCEPTED { matchclass [IP::client_addr] equals no }"] =
        expected("value_list", "no", 1, "matchclass [IP::client_addr] equals no"),
      ["when CLIENT_ACCEPTED { class size no }"] = expected("value_list", "no", 1, "class size no"),
      ["when CLIENT_ACCEPTED { nexthop 10.0.0.1 }"] = "used",
      ["proc p { } {}\nwhen CLIENT_ACCEPTED { call p 1 }"] = "used",
      ["when CLIENT_ACCEPTED { call $rule 1 }"] = "used",
      ["when CLIENT_ACCEPTED { virtual vs }"] = expected("virtual_server", "vs", 1, "virtual vs"),
      -- these name nothing
      ["when CLIENT_ACCEPTED { pool $name }"] = "used",
      ["when CLIENT_ACCEPTED { pool [lindex $pools 0] }"] = "used",
      ["when CLIENT_ACCEPTED {\n  # pool nosuch\n  log local0. \"pool nosuch\"\n}"] = "used",
      ["when CLIENT_ACCEPTED { set pool nosuch }"] = "used",
      ["when CLIENT_ACCEPTED { log local0. [virtual name] }"] = "used",
      ["when CLIENT_ACCEPTED { switch $a { pool { drop } } }"] = "used",
      ["when CLIENT_ACCEPTED { class match $a equals $class }"] = "used",
    } do
      assert.equal(message, message_of(text))
    end
  end)

  it("that is used cannot be changed to one that names nothing", function()
    local rule <const> = bip.ltm.rule["/Common/r"]
    rule:create { apiAnonymous = "when CLIENT_ACCEPTED { drop }" }
    bip.ltm.virtual:create { name = "v", destination = "192.0.2.1:80", rules = { "r" } }
    local ok <const>, err <const> = f5.try(function()
      rule:modify { apiAnonymous = "when CLIENT_ACCEPTED { pool p }" }
    end)
    assert.falsy(ok)
    assert.equal(expected("pool", "p", 1, "pool p"), err.message)
    bip.ltm.virtual["/Common/v"]:delete()
    rule:delete()
  end)

  it("keeps what it names", function()
    bip.ltm.pool:create { name = "kept" }
    bip.ltm["data-group"].internal:create { name = "kept", type = "string" }
    bip.ltm.rule:create {
      name = "r",
      apiAnonymous = "when HTTP_REQUEST {\n"
        .. "  if { [class match [HTTP::uri] equals kept] } { pool kept }\n}",
    }
    local groups <const> = bip.ltm["data-group"].internal
    for _, target in ipairs { bip.ltm.pool["/Common/kept"], groups["/Common/kept"] } do
      local ok <const>, err <const> = f5.try(function() target:delete() end)
      assert.falsy(ok)
      assert.truthy(err.message:find("in use by a rule (/Common/r).", 1, true), err.message)
    end
    bip.ltm.rule["/Common/r"]:delete()
    bip.ltm.pool["/Common/kept"]:delete()
    groups["/Common/kept"]:delete()
  end)

  it("may name what is in its own partition, in Common, or anywhere by its full name", function()
    bip.auth.partition:create { name = "P" }
    bip.ltm.pool:create { name = "own", partition = "P" }
    bip.ltm.pool:create { name = "common" }
    local text <const> = "when CLIENT_ACCEPTED { pool own; pool common }"
    bip.ltm.rule:create { name = "r", partition = "P", apiAnonymous = text }
    bip.ltm.rule["/P/r"]:delete()
    assert.equal("used", message_of "when CLIENT_ACCEPTED { pool /P/own }")
  end)
end)

describe("What is the default of others on a simulated device", function()
  local device, bip
  setup(function() device, bip = lab.start() end)
  teardown(function() lab.stop(bip, device) end)

  local function refused(message, run)
    local ok <const>, err <const> = f5.try(run)
    assert.falsy(ok)
    assert.equal(message, err.message)
  end

  it("a route domain of a partition stays", function()
    bip.net["route-domain"]:create { name = "9", id = 9 }
    bip.auth.partition:create { name = "P", defaultRouteDomain = 9 }
    refused(
      "0107097c:3: The specified route domain (9) is the default route domain for one or more "
        .. "partitions (P) and cannot be deleted.",
      function() bip.net["route-domain"]["/Common/9"]:delete() end
    )
    bip.auth.partition.P:delete()
    bip.net["route-domain"]["/Common/9"]:delete()
  end)

  it("a SNAT needs its pool", function()
    refused(
      "01071811:3: Virtual Server /Common/v references non-existent snatpool <no name>.",
      function()
        bip.ltm.virtual:create {
          name = "v", destination = "192.0.2.1:80", sourceAddressTranslation = { type = "snat" },
        }
      end
    )
  end)

  it("a VLAN that is deleted leaves its route domain", function()
    bip.net.vlan:create { name = "v" }
    bip.net["route-domain"]["/Common/0"]:modify { vlans = { "/Common/http-tunnel", "v" } }
    bip.net.vlan["/Common/v"]:delete()
    assert.same({ "/Common/http-tunnel" }, bip.net["route-domain"]["/Common/0"]:load().vlans)
  end)
end)
