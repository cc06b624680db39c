-- The logs of the simulated device below /var/log.
local curl = require "curl"
local lab = require "lab"

describe("simulated device: logs", function()
  local device, bip
  before_each(function() device, bip = lab.start { provision = { "ltm" } } end)
  after_each(function() lab.stop(bip, device) end)

  it("have each call, refusal and change", function()
    lab.fails("not_found", bip.ltm.pool.x.load, bip.ltm.pool.x)
    bip.ltm.pool:create { name = "web", description = "secret text" }
    bip.ltm.pool.web:delete()
    local calls <const> = bip:bash "cat /var/log/restjavad-audit.0.log"
    assert.match('%[I%]%[%d+%]%[%d%d %u%l%l %d+ %d%d:%d%d:%d%d UTC%]%[ForwarderPassThroughWorker%] '
      .. '%[run%] {"user":"local/admin","method":"GET",'
      .. '"uri":"http://localhost:8100/mgmt/tm/ltm/pool/x","status":404,'
      .. '"from":"127.0.0.1"}\n', calls)
    assert.match('"method":"DELETE","uri":"http://localhost:8100/mgmt/tm/ltm/pool/web"', calls)
    -- nothing twice
    assert.equal("1\n",
      bip:bash "grep -c 'mgmt/tm/ltm/pool/x\"' /var/log/restjavad-audit.0.log")
    local text <const> = "01020036:3: The requested Pool %(/Common/x%) was not found%.\n"
    assert.match("^%[WARNING%].*%[8100/mgmt/tm/ltm/pool/x ForwarderPassThroughWorker%] "
      .. "Status code:404 Message:" .. text, bip:bash "cat /var/log/restjavad.0.log")
    assert.match("^%u%l%l +%d+ %d%d:%d%d:%d%d bigip1 err mcpd%[5555%]: " .. text .. "$",
      bip:bash "cat /var/log/ltm")
    local changes <const> = bip:bash "grep ltm /var/log/audit"
    assert.match("user=admin folder=/Common module=%(tmos%)# status=%[Command OK%] "
      .. "cmd_data=create ltm pool web\n.*cmd_data=delete ltm pool web\n$", changes)
    assert.not_match("secret", changes)
  end)

  it("can be copied and downloaded", function()
    lab.fails("not_found", bip.ltm.pool.x.load, bip.ltm.pool.x)
    bip:bash "cp /var/log/ltm /var/config/rest/downloads/ltm; logger -p local0.err -t me hello"
    local answer <const> = curl {
      device, "GET", "/mgmt/shared/file-transfer/uploads/ltm", options = "-u admin:admin",
    }
    assert.match("The requested Pool %(/Common/x%) was not found%.\n$", answer.body)
    assert.match(" err me: hello\n$", bip:bash "tail -n 1 /var/log/ltm")
    assert.equal("audit\nicrd\nltm\nmaillog\nrestjavad-audit.0.log\nrestjavad.0.log\nuser.log\n",
      bip:bash "ls /var/log")
  end)

  it("name interfaces with a status", function()
    local function last() return bip:bash "tail -n 1 /var/log/icrd" end
    bip:request("GET", "/mgmt/tm/ltm/profile/ocsp-stapling-params")
    assert.match("notice icrd_child%[%d+%]: %d+,%d+, iControl REST Child Daemon,WARNING,"
      .. "%[api%-status%-warning%]: ltm/profile/ocsp%-stapling%-params: deprecated\n$", last())
    bip:request("GET", "/mgmt/tm/ltm/profile/fastl4/fastL4")
    assert.match("%]: ltm/profile/fastl4: no status; properties: deprecated: "
      .. "ltm/profile/fastl4/hardware%-syn%-cookie, ltm/profile/fastl4/software%-syn%-cookie\n$",
      last())
    bip:request("PATCH", "/mgmt/shared/settings/api-status/log/resource", {
      body = { deprecatedApiAllowed = "false" },
    })
    bip:request("GET", "/mgmt/tm/ltm/profile/ocsp-stapling-params")
    assert.match("fastl4", last())
    bip:request("PATCH", "/mgmt/shared/settings/api-status/availability", {
      body = { deprecatedApiAllowed = "false" },
    })
    lab.fails("not_found", bip.request, bip, "GET", "/mgmt/tm/ltm/profile/ocsp-stapling-params")
    assert.match("8100/mgmt/shared/resolver/groups ForwarderPassThroughWorker%] "
      .. "%[api%-status%-warning%] The deprecate API "
      .. "/mgmt/tm/ltm/profile/ocsp%-stapling%-params/ is not available as per",
      bip:bash "grep api-status /var/log/restjavad.0.log")
  end)

  it("keep their newest lines", function()
    for i = 1, 600 do  -- more than wait in memory
      pcall(bip.ltm.pool["x" .. i].delete, bip.ltm.pool["x" .. i])
    end
    assert.equal("600\n", bip:bash "grep -c 'Pool (/Common/x' /var/log/ltm")
  end)
end)
