-- How tmsh text and iControl REST spell the same thing, and what a text may not do.
local lab = require "lab"
local sim = require "f5.sim"
local stanzas = require "walk.stanzas"

local TEXT <const> = [[
ltm profile tcp /Common/a_child {
    defaults-from /Common/z_parent
}
ltm profile tcp /Common/z_parent {
    defaults-from /Common/tcp
    fin-wait-2-timeout 77
    idle-timeout 55
}
ltm profile http-compression /Common/c {
    allow-http-10 enabled
    defaults-from /Common/httpcompression
    gzip-memory-level 16k
}
ltm profile http /Common/h {
    defaults-from /Common/http
    enforcement {
        known-methods {
            GET HEAD POST
        }
        max-header-count 5
    }
}
ltm profile client-ssl /Common/s {
    defaults-from /Common/clientssl
    options { no-ssl no-tlsv1 }
}
ltm monitor wmi /Common/w {
    command "GetCPUInfo, GetOSInfo"
    defaults-from /Common/wmi
}
ltm monitor http /Common/n {
    defaults-from /Common/http
    send none
}
gtm region /Common/r {
    region-members {
        not country DE { }
        state "US/New Hampshire" { }
        subnet 10.0.0.0/8 { }
    }
}
gtm topology ldns: region /Common/r server: not continent EU {
    order 1
}
gtm wideip a /Common/x.example.net {
    last-resort-pool a /Common/p
}
ltm virtual /Common/v {
    creation-time 2020-09-17:08:50:22
    destination /Common/192.0.2.1:80
    ip-protocol tcp
}
security firewall management-ip-rules {
    rules {
        first {
            action accept
        }
    }
}
pem reporting format-script /Common/f {
    definition {
set x { "y }"
    }
}
sys db ui.advisory.text {
    value "CP="{}""
}
sys db dosl7.p3p_header { default-value "none" value "a"b" }
ltm rule /Common/empty { }
ltm rule /Common/owned {
    app-service /Common/a.app/a
when HTTP_REQUEST { pool x }
}
apm report default-report {
    report-name sessionReports/sessionSummary
    user /Common/admin
}
ltm node /Common/2001:0db8:0::9 {
    address 2001:db8::9
}
ltm pool /Common/six {
    members {
        /Common/2001:0db8:0::9.80 {
            address 2001:db8::9
        }
    }
}
ltm virtual /Common/all {
    destination /Common/0.0.0.0%2:0
    mask any
    source 0.0.0.0%2/0
}
ltm virtual-address /Common/0.0.0.0%2 {
    address any%2
    arp disabled
    mask any
}
net route-domain /Common/2 {
    id 2
}
sys syslog {
    remote-servers {
        one {
            host 192.0.2.7
            remote-port printer
        }
    }
}
sys application template /Common/t {
    actions {
        definition {
            implementation {
set page {
  # not a comment {
  }
}
            }
        }
    }
}
]]

local device, bip

local function start(text)
  device = sim.start {
    provision = { "ltm", "gtm", "afm", "pem", "apm" },
    seed = { conf = { { name = "x.conf", text = text } } },
  }
  bip = lab.connect(device)
end

describe("tmsh text and REST", function()
  before_each(function() start(TEXT) end)
  after_each(function() lab.stop(bip, device) end)

  it("name the same properties", function()
    assert.same({}, device:refused())
    local profile <const> = bip.ltm.profile
    local child <const> = profile.tcp.a_child:load()
    -- the parent stands behind its child, as in files that are sorted by name
    assert.same({ 77, 55 }, { child.finWait_2Timeout, child.idleTimeout })
    local compression <const> = profile["http-compression"].c:load()
    assert.equal("enabled", compression.allowHttp_10)
    assert.equal(16384, compression.gzipMemoryLevel)
    local enforcement <const> = profile.http.h:load().enforcement
    assert.same({ "GET", "HEAD", "POST" }, enforcement.knownMethods)
    assert.equal(5, enforcement.maxHeaderCount)
    assert.equal("{ no-ssl no-tlsv1 }", profile["client-ssl"].s:load().tmOptions)
    assert.equal("GetCPUInfo, GetOSInfo", bip.ltm.monitor.wmi.w:load().tmCommand)
    assert.equal("none", bip.ltm.monitor.http.n:load().send)
    local members <const> = bip.gtm.region.r:load().regionMembers
    assert.equal("not country DE", members[1].name)
    assert.equal("a /Common/p", bip.gtm.wideip.a["x.example.net"]:load().lastResortPool)
    assert.equal("2020-09-17T08:50:22Z", bip.ltm.virtual.v:load().creationTime)
  end)

  it("give the same device after a save and a load", function()
    local all <const> = device:configuration { all = true }
    for _, words in ipairs {
      "fin-wait-2-timeout 77", "allow-http-10 enabled", "gzip-memory-level 16k",
      "options { no-ssl no-tlsv1 }", 'command "GetCPUInfo, GetOSInfo"', "not country DE { }",
      "gtm topology ldns: region /Common/r server: not continent EU {",
      "last-resort-pool a /Common/p", "creation-time 2020-09-17:08:50:22", "vs-index",
      'value "CP="{}""', 'value "a"b"', "ltm rule /Common/empty { }", 'set x { "y }"',
      "/Common/owned {\n    app-service /Common/a.app/a\nwhen HTTP_REQUEST { pool x }\n}",
      "/Common/2001:0db8:0::9.80 {\n            address 2001:db8::9", "address any%2\n",
      "remote-port 515",
      "apm report default-report {\n    report-name sessionReports/sessionSummary\n    user",
      "  # not a comment {\n  }\n}\n",
    } do
      assert.is_truthy(all:find(words, 1, true), words .. "\n" .. all)
    end
    local saved <const> = device:configuration()
    assert.is_truthy(saved:find("    send none\n", 1, true))
    local not_saved <const> =
      { "vs-index", "ip-protocol any", "inherited-traffic-group false\n    mask" }
    for _, words in ipairs(not_saved) do
      assert.is_nil(saved:find(words, 1, true), words)
    end
    lab.stop(bip, device)
    start(saved)
    assert.same({}, device:refused())
    assert.equal(saved, device:configuration())
  end)
end)

describe("tmsh list", function()
  before_each(function() start(TEXT) end)
  after_each(function() lab.stop(bip, device) end)

  it("prints what a saved file says", function()
    local text = ""
    for _, module in ipairs { "ltm", "gtm", "pem" } do
      local command <const> = { utilCmdArgs = "-c 'tmsh list " .. module .. "'" }
      text = text .. bip.util.bash:run("run", command).commandResult .. "\n"
    end
    local listed <const>, compared = stanzas.read(text), 0
    for head, statement in pairs((stanzas.read(device:configuration()))) do
      if head:find "^ltm" or head:find "^gtm" or head:find "^pem" then
        compared = compared + 1
        assert.same({ head }, { head, table.unpack(stanzas.lost(statement, listed[head])) })
      end
    end
    assert.is_true(compared > 12)
  end)
end)

describe("a configuration text", function()
  after_each(function() lab.stop(bip, device) end)

  it("cannot have a misspelt property where all are known", function()
    start "ltm pool /Common/p {\n    members none\n    minactive-members 2\n}\n"
    local refused <const> = device:refused()
    assert.equal('Syntax Error: "minactive-members" unknown property', refused[1].message)
    assert.is_false(bip.ltm.pool.p:exists())
  end)

  it("may end anywhere", function()
    for length = 1, #TEXT, 97 do
      start(TEXT:sub(1, length))
      lab.stop(bip, device)
    end
    start "ltm pool a { }\nltm pool \\"
    assert.is_true(bip.ltm.pool.a:exists())
  end)

  it("refuses by line what cannot be part of it", function()
    local text <const> = "ltm pool a {\n  description \"M\xFCnchen\" }\nltm pool b\0 { }\n"
      .. "{ x }\ncreate\n"
      .. "sys tmm-info { npus 2 }\ndelete ltm pool d\nmodify ltm pool e { }\nltm pool \f c { }\n"
    start(text .. ("x"):rep(5000) .. " { }\n")
    local said <const> = {}
    for i, problem in ipairs(device:refused()) do
      said[i] = ("%d %s"):format(problem.line, problem.message)
      assert.is_true(#problem.message < 300)
    end
    for i, words in ipairs {
      "^2 .*byte 0xfc is not UTF%-8", "^3 .*NUL", '^4 .*"{" of nothing', '^5 .*"create" of nothing',
      '^6 .*"sys tmm%-info" cannot be configured', "^7 .*pool d%) was not found",
      "^8 .*pool e%) was not found", '^10 .*xxx%.%.%." unknown component',
    } do
      assert.matches(words, said[i])
    end
    assert.is_true(bip.ltm.pool.c:exists())
    for text_of, expected in pairs {
      ["#\rltm pool a { }"] = "1 .*end with CR", ["\xEF\xBB\xBFltm pool a { }"] = "^nothing$",
    } do
      lab.stop(bip, device)
      start(text_of)
      local first <const> = device:refused()[1]
      assert.matches(expected, first and first.line .. " " .. first.message or "nothing")
    end
  end)

  it("deletes what it says", function()
    start "ltm pool a { }\nltm pool b { }\ndelete ltm pool a\n"
    assert.same({}, device:refused())
    assert.same({ false, true }, { bip.ltm.pool.a:exists(), bip.ltm.pool.b:exists() })
  end)

  it("of one long line takes no long time", function()
    local before <const> = os.time()
    start("ltm pool a { " .. ("# "):rep(200000) .. "}\nsys db b { " .. ('k "v" '):rep(50000) .. "}")
    assert.is_true(os.time() - before < 20)
    assert.is_true(#device:refused() > 0)
  end)
end)
