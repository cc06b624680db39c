-- Configuration texts of a device (bigip.conf, single configuration files): what is read, refused,
-- printed and read again. The texts of real devices are no part of this project.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local CONF <const> = "../shared/data/conf"

local TEXT <const> = [[
#TMSH-VERSION: 16.1.0

ltm pool /Common/web {
    # a comment, with a { brace
    members {
        /Common/10.0.0.1:80 {
            address 10.0.0.1
            description "one \"quoted\" { word"
            session user-disabled
        }
        /Common/10.0.0.2:http {
            address 10.0.0.2
        }
    }
    monitor min 1 of { /Common/http /Common/tcp }
}
ltm virtual /Common/vs {
    destination /Common/192.0.2.10:443
    ip-protocol tcp
    mask 255.255.255.255
    persist {
        /Common/cookie {
            default yes
        }
    }
    pool /Common/web
    profiles {
        /Common/http { }
        /Common/tcp {
            context all
        }
    }
    rules {
        /Common/r
    }
    source 0.0.0.0/0
    source-address-translation {
        type automap
    }
    translate-port disabled
    vlans-enabled
}
ltm rule /Common/r {
when HTTP_REQUEST {
    # a brace in a comment: }
    if { [HTTP::uri] starts_with "/a" } { pool web }
}
}
ltm monitor http /Common/m {
    defaults-from /Common/http
    destination *:*
    interval 7
    recv what\?
    send "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
}
ltm data-group internal /Common/dg {
    records {
        "key with blank" {
            data "{ x }"
        }
        plain { }
    }
    type string
}
ltm policy /Common/p {
    requires { http }
    rules {
        r1 {
            actions {
                0 {
                    forward
                    select
                    pool /Common/web
                }
            }
            conditions {
                0 {
                    http-uri
                    path
                    starts-with
                    values { /a /b }
                }
            }
            ordinal 1
        }
    }
    status published
    strategy /Common/first-match
}
cli admin-partitions {
    update-partition T
}
auth partition T { }
ltm node n1 {
    address 192.0.2.77
}
sys ntp {
    servers { 192.0.2.1 192.0.2.2 }
    timezone Europe/Berlin
}
]]

local device, bip

local function stop() lab.stop(bip, device) end

local function upload(text, name)
  local place <close> = program.directory()
  bip:upload(place:file(name or "x.conf", text))
  return "/var/config/rest/downloads/" .. (name or "x.conf")
end

local function load(file, more)
  local options <const> = { { file = file } }
  for _, option in ipairs(more or {}) do options[#options + 1] = option end
  return bip.sys.config:run("load", { options = options })
end

describe("a saved configuration as a seed", function()
  before_each(function()
    device = sim.start { seed = { conf = { { name = "bigip.conf", text = TEXT } } } }
    bip = lab.connect(device)
  end)
  after_each(stop)

  it("is the state of the device", function()
    assert.same({}, device:refused())
    local pool <const> = bip.ltm.pool["/Common/web"]:load { expand = true }
    assert.equal("min 1 of { /Common/http /Common/tcp }", pool.monitor)
    local members <const> = pool.membersReference.items
    assert.same({ "10.0.0.1:80", "10.0.0.2:80" }, { members[1].name, members[2].name })
    assert.equal('one "quoted" { word', members[1].description)
    assert.equal("user-disabled", members[1].session)
    local virtual <const> = bip.ltm.virtual["/Common/vs"]:load { expand = true }
    assert.equal("/Common/192.0.2.10:443", virtual.destination)
    assert.same({ "/Common/r" }, virtual.rules)
    assert.equal("automap", virtual.sourceAddressTranslation.type)
    assert.equal("disabled", virtual.translatePort)
    assert.is_true(virtual.vlansEnabled)
    assert.equal("cookie", virtual.persist[1].name)
    assert.equal("yes", virtual.persist[1].tmDefault)
    assert.equal(2, #virtual.profilesReference.items)
    local rule <const> = bip.ltm.rule["/Common/r"]:load().apiAnonymous
    assert.matches('^when HTTP_REQUEST {\n.*a comment: }\n.*pool web }\n}$', rule)
    local monitor <const> = bip.ltm.monitor.http["/Common/m"]:load()
    assert.same(
      { 7, "what?", "GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" },
      { monitor.interval, monitor.recv, monitor.send }
    )
    local records <const> = bip.ltm["data-group"].internal["/Common/dg"]:load().records
    assert.same({ "key with blank", "plain" }, { records[1].name, records[2].name })
    assert.equal("{ x }", records[1].data)
    local policy <const> = bip.ltm.policy["/Common/p"]
    assert.equal("published", policy:load().status)
    local condition <const> = policy.rules.r1.conditions["0"]:load()
    assert.is_true(condition.httpUri and condition.path and condition.startsWith)
    assert.same({ "/a", "/b" }, condition.values)
    assert.equal("/T/n1", bip.ltm.node["/T/n1"]:load().fullPath)
    assert.same({ "192.0.2.1", "192.0.2.2" }, bip.sys.ntp:load().servers)
  end)

  it("has the objects of new devices that it names", function()
    local text <const> = "ltm tacdb licenseddb licensed-tacdb {\n    partition none\n}\n"
    local other <close> = sim.start { seed = { conf = { { name = "c", text = text } } } }
    assert.matches("\nltm tacdb licenseddb /Common/licensed%-tacdb { }\n", other:configuration())
  end)

  it("keeps what was set, also to the value of the parent, as files of devices do", function()
    local text <const> = [[
ltm monitor http /Common/m {
    adaptive disabled
    defaults-from /Common/http
    destination *:*
    interval 5
    recv none
    send "GET /\\r\\n"
}
ltm virtual /Common/v {
    address-status no
    destination /Common/192.0.2.9:80
    mask 255.255.255.255
}
sys dns {
    name-servers { 192.0.2.1 192.0.2.2 }
}
]]
    local other <close> = sim.start { seed = { conf = { { name = "c", text = text } } } }
    local saved <const> = other:configuration()
    for _, stanza in ipairs {
      "ltm monitor http /Common/m {\n    adaptive disabled\n    defaults-from /Common/http\n"
        .. "    destination *:*\n    interval 5\n",
      "ltm virtual /Common/v {\n    address-status no\n",
      "    name-servers { 192.0.2.1 192.0.2.2 }\n",
    } do
      assert.truthy(saved:find(stanza, 1, true), saved)
    end
  end)

  it("is printed so that it can be read again", function()
    bip.sys.config:run("save", { options = { { file = "all" } } })
    local place <close> = program.directory()
    local text <const> = bip:bash "cat /var/local/scf/all.scf"
    assert.matches("\nltm pool /Common/web {\n    members {\n        /Common/10%.0%.0%.1:80 {",
      text)
    local other <const> = sim.start { seed = { conf = { { name = "all.scf", text = text } } } }
    assert.same({}, other:refused())
    local session <close> = lab.connect(other)
    for _, path in ipairs {
      "ltm/pool/~Common~web", "ltm/virtual/~Common~vs", "ltm/rule/~Common~r",
      "ltm/monitor/http/~Common~m", "ltm/data-group/internal/~Common~dg", "ltm/policy/~Common~p",
      "ltm/policy/~Common~p/rules/r1/conditions/0", "ltm/node/~T~n1", "sys/ntp",
    } do
      local function read(of)
        local object <const> = of:at(path):load { expand = true }
        local function strip(value)
          if type(value) ~= "table" then return value end
          local copy <const> = {}
          for key, item in pairs(value) do
            if key ~= "generation" and key ~= "vsIndex" and not tostring(key):find "Time$"
              and key ~= "lastModified" then
              copy[key] = strip(item)
            end
          end
          return copy
        end
        return strip(object)
      end
      assert.same(read(bip), read(session), path)
    end
    other:stop()
    assert.is_string(place.path)
  end)
end)

describe("sys config load", function()
  before_each(function() device, bip = lab.start {} end)
  after_each(stop)

  it("merges a file that was uploaded", function()
    bip.ltm.node:create { name = "kept", address = "192.0.2.99" }
    load(upload(TEXT), { { merge = true } })
    assert.equal("web", bip.ltm.pool["/Common/web"]:load().name)
    assert.is_true(bip.ltm.node["/Common/kept"]:exists())
  end)

  it("replaces the configuration without merge", function()
    bip.ltm.node:create { name = "gone", address = "192.0.2.99" }
    load(upload(TEXT))
    assert.is_true(bip.ltm.pool["/Common/web"]:exists())
    assert.is_false(bip.ltm.node["/Common/gone"]:exists())
  end)

  it("changes nothing with verify", function()
    load(upload(TEXT), { { merge = true }, { verify = true } })
    assert.is_false(bip.ltm.pool["/Common/web"]:exists())
  end)

  it("refuses a text with a mistake as a whole, and names the line", function()
    for text, words in pairs {
      ["ltm pool /Common/a { }\nltm poool /Common/b { }\n"] =
        ':2%) "ltm poool /Common/b" unknown component',
      ["ltm pool /Common/a {\n    monitor /Common/http\n"] = ":1%) unbalanced braces",
      ["ltm pool /Common/a { }\nltm pool /Common/b {\n description \"x\n}\n"] =
        ":3%) unbalanced quotes",
      ["ltm pool /Common/a { }\nltm pool /Common/b {\n    min-active-members many\n}\n"] =
        ":2%) invalid property value",
      ["ltm pool /Common/a { }\nltm virtual v { destination 192.0.2.1:80 pool /Common/no }"] =
        ":2%) 01020036:3: The requested Pool %(/Common/no%) was not found",
      [("ltm pool /Common/a { x "):rep(1) .. ("{ "):rep(100) .. ("} "):rep(101)] =
        ":1%) too many nested blocks",
      ["\xEF\xBB\xBFltm pool /Common/a { }\n"] = ":1%) the text starts with a byte order mark",
    } do
      local file <const> = upload(text)
      local err <const> = lab.fails("invalid", load, file, { { merge = true } })
      assert.matches("^Syntax Error:%(/var/config/rest/downloads/x.conf at line", err.message)
      assert.matches(words:gsub("^:", "line: "), err.message)
      assert.is_false(bip.ltm.pool["/Common/a"]:exists())
    end
    lab.fails("invalid", load, "/var/tmp/none.conf", { { merge = true } })
    lab.fails("invalid", function()
      bip.sys.config:run("load", { options = { { merge = true } } })
    end)
  end)

  it("gives no rights to users who may not give them", function()
    local file <const> =
      upload "auth user eve {\n partition-access { all-partitions { role admin } }\n}\n"
    local options <const> = device:options "admin"
    bip.auth.user:create {
      name = "rae", password = "Rae-12345", partitionAccess = {
        { name = "all-partitions", role = "resource-admin" },
      },
    }
    options.username, options.password = "rae", "Rae-12345"
    local rae <close> = f5.connect(options)
    lab.failure(
      rae.sys.config.run, rae.sys.config, "load",
      { options = { { file = file }, { merge = true } } }
    )
    assert.is_false(bip.auth.user.eve:exists())
  end)
end)

describe("f5lua sim --seed", function()
  it("takes saved configurations, and says what it did not load", function()
    local place <close> = program.directory()
    local base <const> = place:file("bigip_base.conf", "net vlan /Common/v {\n    tag 7\n}\n")
    local conf <const> = place:file("bigip.conf", TEXT .. "ltm nothing x { }\n")
    local playbook <const> = place:file(
      "p.lua",
      'local bip <close> = require "f5".connect()\n'
        .. 'print(bip.net.vlan["/Common/v"]:load().tag, #bip.ltm.pool:list())'
    )
    local result <const> =
      program.run { "run", "--sim", "--seed", base, "--seed", conf, playbook }
    assert.same({ 0, "7\t1\n" }, { result.status, result.out })
    assert.matches('bigip.conf:%d+: not loaded: Syntax Error: "ltm nothing x" unknown component\n$',
      result.err)
    local seed <const> = place:file("seed.json", json.encode { objects = {} })
    local twice <const> = program.run { "run", "--sim", "--seed", seed, "--seed", seed, playbook }
    assert.equal(2, twice.status)
    assert.matches("only one seed in JSON", twice.err)
  end)
end)

describe("configuration texts of real devices", function()
  local function texts()
    local pipe <close> = io.popen(
      ("find %s/device %s/extracts -type f 2>/dev/null | sort"):format(CONF, CONF)
    )
    local list <const> = {}
    for path in pipe:lines() do
      local file <close> = assert(io.open(path, "rb"))
      list[#list + 1] = { name = path, text = file:read "a" }
    end
    return list
  end

  it("load, each statement or with a reason", function()
    local list <const> = texts()
    if #list == 0 then return pending "the texts are not there" end
    local statements, refused, crashed = 0, 0, {}
    for i, entry in ipairs(list) do
      if not lab.slow and i % 8 ~= 1 then goto next end
      local ok, started = pcall(sim.start, { seed = { conf = { entry } } })
      if not ok then
        crashed[#crashed + 1] = entry.name .. ": " .. tostring(started)
      else
        refused = refused + #started:refused()
        statements = statements + select(2, entry.text:gsub("\n%l[^\n]*{", ""))
        lab.stop(started)
      end
      ::next::
    end
    assert.same({}, crashed)
    -- ASM's predefined policies, half of what is refused, are in one file
    local most <const> = lab.slow and 0.05 or 0.08
    assert.is_true(refused / statements < most, ("%d of %d refused"):format(refused, statements))
  end)
end)
