-- Commands of tmsh in the shell of the simulated device.
local lab = require "lab"

describe("simulated device: tmsh", function()
  local device, bip
  before_each(function() device, bip = lab.start { provision = { "ltm" } } end)
  after_each(function() lab.stop(bip, device) end)

  local bash <const>, prints <const> = lab.shell(function() return bip end)

  -- The command fails with this message.
  local function fails(message, command)
    prints(message .. "\n1\n", "tmsh " .. command .. "; echo $?")
  end

  it("creates, lists, changes and deletes the objects of REST", function()
    prints("0\n", "tmsh create ltm pool web monitor http description \"my pool\" members add { "
      .. "10.0.0.1:80 { ratio 2 } 10.0.0.2:443 }; echo $?")
    local pool <const> = bip.ltm.pool["/Common/web"]
    assert.equal("my pool", pool:load().description)
    assert.equal("/Common/http", pool:load().monitor)
    assert.equal(2, pool.members["10.0.0.1:80"]:load().ratio)
    prints([[
ltm pool web {
    description "my pool"
    members {
        10.0.0.1:http {
            address 10.0.0.1
            ratio 2
            session monitor-enabled
            state checking
        }
        10.0.0.2:https {
            address 10.0.0.2
            session monitor-enabled
            state checking
        }
    }
    monitor http
}
]], "tmsh list ltm pool web")
    bash("tmsh modify ltm pool web members modify { 10.0.0.1:80 { session user-disabled } } "
      .. "members delete { 10.0.0.2:443 } members add { 10.0.0.3:80 } description none")
    assert.is_nil(pool:load().description)
    assert.equal("user-disabled", pool.members["10.0.0.1:80"]:load().session)
    assert.is_false(pool.members["10.0.0.2:443"]:exists())
    prints("ltm pool web {\n    description none\n    monitor http\n}\n",
      "tmsh list ltm pool web monitor description")
    prints("0\n", "tmsh modify ltm pool web members none monitor none; tmsh delete ltm pool web; "
      .. "echo $?")
    assert.is_false(pool:exists())
    assert.is_nil(bash "tmsh list ltm pool")
  end)

  it("creates virtual servers, rules, data groups and settings", function()
    bash("tmsh create ltm pool web; tmsh create ltm rule r '{\nwhen HTTP_REQUEST {\n  pool web\n}"
      .. "\n}'")
    assert.equal("when HTTP_REQUEST {\n  pool web\n}", bip.ltm.rule.r:load().apiAnonymous)
    prints([[
ltm virtual vs {
    destination 10.1.1.1:https
    ip-protocol tcp
    mask 255.255.255.255
    pool web
    profiles {
        clientssl {
            context clientside
        }
        http { }
        tcp { }
    }
    rules {
        /Common/r
    }
    source 0.0.0.0/0
    source-address-translation {
        type automap
    }
    translate-address enabled
    translate-port enabled
    vs-index 1
}
]], "tmsh create ltm virtual vs { destination 10.1.1.1:443 pool web ip-protocol tcp "
      .. "profiles add { tcp http clientssl { context clientside } } rules { r } "
      .. "source-address-translation { type automap } }; tmsh list ltm virtual | "
      .. "grep -v 'time [0-9]' | sed 's/^        r$/        \\/Common\\/r/'")
    for _, name in ipairs { "creation%-time", "last%-modified%-time" } do
      local line <const> = "\n    " .. name .. " %d+%-%d+%-%d+:%d+:%d+:%d+\n"
      assert.matches(line, bash "tmsh list ltm virtual")
    end
    bash "tmsh modify ltm virtual vs disabled"
    assert.is_true(bip.ltm.virtual.vs:load().disabled)
    bash("tmsh create ltm data-group internal dg type string records add { a { data 1 } }; "
      .. "tmsh modify ltm data-group internal dg records add { b { data \"x y\" } }")
    prints("ltm data-group internal dg { "
      .. "records { a { data 1 } b { data \"x y\" } } type string }\n",
      "tmsh list ltm data-group internal dg one-line")
    bash "tmsh modify sys ntp servers add { 192.0.2.1 192.0.2.2 } timezone UTC"
    assert.same({ "192.0.2.1", "192.0.2.2" }, bip.sys.ntp:load().servers)
    prints("sys ntp {\n    servers none\n}\n",
      "tmsh modify sys ntp servers none; tmsh list sys ntp servers")
    prints("auth password-policy { }\n", "tmsh list auth password-policy")
    prints("ltm snatpool s { members { 10.1.10.103 10.1.10.104 } }\n",
      "tmsh create ltm snatpool s { members add { 10.1.10.103} members add { 10.1.10.104} }; "
        .. "tmsh list ltm snatpool s one-line")
    bash "tmsh modify sys db ui.advisory.enabled value true"
    assert.equal("true", bip.sys.db["ui.advisory.enabled"]:load().value)
  end)

  it("refuses with the texts of the device, and a status", function()
    fails("01020036:3: The requested Pool (/Common/x) was not found.", "list ltm pool x")
    fails("01020036:3: The requested Pool (/Common/x) was not found.", "delete ltm pool x")
    fails("01020036:3: The requested Pool (/Common/x) was not found.",
      "modify ltm pool x description y")
    fails("01020036:3: The requested monitor (/Common/x) was not found.",
      "create ltm pool p monitor x")
    bash "tmsh create ltm pool web"
    fails("01020066:3: The requested Pool (/Common/web) already exists in partition Common.",
      "create ltm pool web")
    fails('Syntax Error: unexpected argument "bogus"', "create ltm pool p bogus x")
    fails('Syntax Error: unexpected argument "poool"', "list ltm poool")
    fails('Syntax Error: unexpected argument "fly"', "fly")
    fails('Syntax Error: "load-balancing-mode" invalid value "bogus"',
      "create ltm pool p load-balancing-mode bogus")
    fails('Syntax Error: "}" is missing', "create ltm pool p members add { 10.0.0.1:80")
    fails("not simulated: tmsh show sys connection", "show sys connection")
    fails("not simulated: tmsh edit ltm pool web", "edit ltm pool web")
    fails("not simulated: tmsh show ltm profile tcp tcp", "show ltm profile tcp tcp")
    assert.is_false(bip.ltm.pool.p:exists())
  end)

  it("knows folders, patterns, several commands and transactions", function()
    bash("tmsh create auth partition P; tmsh -c \"cd /P; create ltm pool inner\"; "
      .. "tmsh create ltm pool web1; tmsh create ltm pool web2; tmsh create ltm pool other")
    assert.is_true(bip.ltm.pool["/P/inner"]:exists())
    prints("ltm pool web1 { }\nltm pool web2 { }\n", "tmsh list ltm pool web*")
    prints("Common/other\nCommon/web1\nCommon/web2\nP/inner\n",
      "tmsh -c 'cd /; list ltm pool recursive one-line' | awk '{ print $3 }'")
    prints("ltm pool inner { partition P }\n", "tmsh -q -c 'cd /P; list ltm pool one-line'")
    fails("01020036:3: The requested folder (/nope) was not found.", "-c 'cd /nope'")
    prints("01020066:3: The requested Pool (/Common/t) already exists in partition Common.\n1\n",
      "tmsh -q <<E\ncreate cli transaction\ncreate ltm pool t\ncreate ltm pool t\n"
        .. "submit cli transaction\nE\necho $?")
    assert.is_false(bip.ltm.pool.t:exists())
    bash "tmsh -q <<E\ncreate cli transaction\ncreate ltm pool t\nsubmit cli transaction\nE\n"
    assert.is_true(bip.ltm.pool.t:exists())
    bash "for i in 1 2 3; do tmsh create ltm node n$i address 10.9.9.$i; done"
    assert.equal("10.9.9.3", bip.ltm.node.n3:load().address)
    prints("ltm node n3 {\n    address 10.9.9.3\n}\n", "tmsh list ltm node n3")
    bash "tmsh delete ltm pool all"
    assert.is_true(bip.ltm.pool["/P/inner"]:exists())
    assert.is_false(bip.ltm.pool.web1:exists())
  end)

  it("shows what the device counts", function()
    bash("tmsh create ltm pool web members add { 10.0.0.1:80 }; tmsh create ltm virtual vs "
      .. "destination 10.1.1.1:80 pool web")
    device:plant { traffic = { {
      path = "/mgmt/tm/ltm/pool/~Common~web/members/~Common~10.0.0.1:80", connections = 7,
    } } }
    local pool <const> = bash "tmsh show ltm pool web members"
    assert.match("\nLtm::Pool: web\n", pool)
    assert.match("\n  Availability           : unknown\n", pool)
    assert.match("\n           Total Members : 1\n", pool)
    assert.match("\nTraffic                ServerSide\n", pool)
    assert.match("\n  Current Connections           7\n", pool)
    assert.match("\n  | Ltm::Pool Member: 10.0.0.1:http\n", pool)
    assert.match("\n  Destination      : 10.1.1.1:80\n", bash "tmsh show ltm virtual vs")
    assert.match("\nLtm::Node: 10.0.0.1 %(10.0.0.1%)\n", bash "tmsh show ltm node")
    assert.match("\nltm pool web {\n    active%-member%-cnt 0\n",
      "\n" .. bash "tmsh show ltm pool web field-fmt")
    prints("Z100\n", "tmsh show sys hardware | awk '/^  Type  *Z/ { print $2 }'")
    prints("active\n",
      "tmsh show cm traffic-group traffic-group-1 | awk '$1 ~ /^traffic/ { print $3 }'")
    assert.match("^mcpd +run %(pid %d+%) %d+ hours, 1 start\n$", bash "tmsh show sys service mcpd")
    assert.match("^Failover active for 1d %d%d:%d%d:%d%d\n$", bash "tmsh show sys failover")
    prints("Failover standby\n", "tmsh run sys failover standby; tmsh show sys failover | "
      .. "cut -d' ' -f1,2")
    assert.match("CM::Sync Status\n%-+\nColor    green\nStatus   Standalone\n",
      bash "tmsh show cm sync-status")
    assert.match("\nltm           1            0 ", bash "tmsh show sys provision")
    prints("17.1.3\n", "tmsh show sys version | awk '/^  Version/ { print $2 }'")
    for _, component in ipairs {
      "cm failover-status", "sys clock", "sys license", "sys software status", "net interface",
      "net arp", "sys mcp-state", "sys cpu", "sys memory", "sys hardware", "sys service",
      "cm traffic-group", "ltm virtual-address",
    } do
      prints("0\n", "tmsh show " .. component .. " > /tmp/o; echo $?; [ -s /tmp/o ] || echo empty")
    end
  end)

  it("saves, copies and moves, and logs what it did", function()
    prints("Saving running configuration...\n  /config/bigip.conf\n  /config/bigip_base.conf\n"
      .. "  /config/bigip_user.conf\n", "tmsh save sys config")
    prints("Saving active configuration...\n/var/local/ucs/x.ucs is saved.\nx.ucs\n",
      "tmsh save sys ucs x; ls /var/local/ucs")
    bash("tmsh create ltm pool web; tmsh mv ltm pool web moved; tmsh cp ltm pool moved copied")
    assert.is_true(bip.ltm.pool.copied:exists())
    assert.is_false(bip.ltm.pool.web:exists())
    bash("tmsh create auth user joe password Secret-9 "
      .. "partition-access add { all-partitions { role guest } }")
    assert.match("\nSys::Log\n.*cmd_data=create ltm pool web\n", bash "tmsh show sys log audit")
    local log <const> = bash "cat /var/log/audit"
    assert.match("user=admin folder=/Common module=%(tmos%)# status=%[Command OK%] "
      .. "cmd_data=create ltm pool web\n", log)
    assert.match("cmd_data=create auth user joe password %*%*%*%* ", log)
    assert.not_match("Secret", log)
  end)

  it("warns of interfaces that are deprecated", function()
    assert.match("^%[api%-status%-warning%] ltm/profile/ocsp%-stapling%-params is deprecated\n",
      bash "tmsh list ltm profile ocsp-stapling-params")
    assert.match("warning tmsh%[%d+%]: 01420013:4: %[api%-status%-warning%] "
      .. "ltm/profile/ocsp%-stapling%-params is deprecated\n", bash "cat /var/log/ltm")
    prints("true\n", "tmsh list mgmt shared settings api-status availability | "
      .. "awk '/deprecated/ { print $2 }'")
    local property <const> = "[api-status-warning] ltm/profile/fastl4, properties : "
      .. "deprecated : software-syn-cookie\n"
    prints(property .. "0\n",
      "tmsh create ltm profile fastl4 f software-syn-cookie enabled; echo $?")
    assert.match("^" .. property:gsub("%p", "%%%0"),
      bash "tmsh list ltm profile fastl4 f software-syn-cookie")
    bash("tmsh modify mgmt shared settings api-status availability "
      .. "'{ deprecatedApiAllowed value false }'")
    prints(
      property:sub(1, -2)
        .. ". This command is not available or has properties which are not available.\n1\n",
      "tmsh create ltm profile fastl4 g software-syn-cookie enabled; echo $?"
    )
    assert.is_false(bip.ltm.profile.fastl4.g:exists())
    assert.equal("false",
      bip:request("GET", "/mgmt/shared/settings/api-status/availability").deprecatedApiAllowed)
  end)

  it("loads texts of a configuration, and takes the commands that other tools send", function()
    prints("0\nltm pool a { monitor http }\n",
      "cat > /var/tmp/a.conf <<E\nltm pool /Common/a {\n    monitor /Common/http\n}\nE\n"
        .. "tmsh load sys config merge file /var/tmp/a.conf > /dev/null; echo $?; "
        .. "tmsh list ltm pool a one-line")
    prints("0\nltm pool b { }\n", "tmsh load sys config merge from-terminal >/dev/null <<E\n"
      .. "ltm pool /Common/b { }\nE\necho $?; tmsh list ltm pool b")
    prints("1\n", "tmsh load sys config merge file /var/tmp/none > /dev/null 2>&1; echo $?")
    assert.match("ltm pool /Common/a {", bash "tmsh save sys config; cat /config/bigip.conf")
    -- the form of Ansible's modules
    local answer <const> = bip:request("POST", "/mgmt/tm/util/bash", {
      body = {
        command = "run", utilCmdArgs = '-c "tmsh -c \\"cd /Common; list ltm pool b one-line\\""',
      },
    })
    assert.equal("ltm pool b { }\n", answer.commandResult)
  end)

  it("never fails by itself", function()
    for _, component in ipairs {
      "ltm pool", "ltm virtual", "ltm policy", "sys ntp", "auth user", "util bash", "sys", "",
    } do
      local lines <const> = {}
      for _, verb in ipairs {
        "create", "modify", "delete", "list", "show", "save", "cp", "mv", "install", "generate",
        "publish", "reset-stats", "submit", "cd", "edit", "fly",
      } do
        for _, rest in ipairs {
          "", "x", "x { }", "{ }", "x { a { b { c } } }", "x members add { { } }", "all", "*",
          "x members modify { all { session user-disabled } }", "x description",
          "x one-line all-properties", "x field-fmt", "x monitor min 1 of { a }", "x monitor min",
          "x { members delete { zzz } }", "x %s%d", "x to-folder", "x none none none", "members",
        } do
          lines[#lines + 1] = ("tmsh %s %s %s"):format(verb, component, rest)
        end
      end
      assert.equal("done\n",
        bash("(\n" .. table.concat(lines, "\n") .. "\n) > /dev/null 2>&1; echo done"))
    end
  end)
end)
