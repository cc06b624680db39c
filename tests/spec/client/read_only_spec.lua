-- Sessions that can only read.
local lab = require "lab"
local sim = require "f5.sim"

describe("f5.connect: read_only", function()
  local device

  before_each(function() device = sim.start() end)
  after_each(function() lab.stop(device) end)

  it("sends nothing but GET, the login, and what concerns its own token", function()
    local bip <close> = lab.connect(device, { read_only = true, token_lifetime = 1300 })
    assert.equal(0, #bip.ltm.pool:list())
    local before = #device:log()
    for _, attempt in ipairs {
      function() bip.ltm.pool:create { name = "p" } end,
      function() bip.ltm.pool.p:modify { description = "x" } end,
      function() bip.ltm.pool.p:delete() end,
      function() bip.ltm.pool.p:ensure {} end,
      function() bip:transaction(function(tx) tx(bip.ltm.pool):create { name = "p" } end) end,
      function() bip:begin() end,
      function() bip:bash "true" end,
      function() bip:request("HEAD", "/mgmt/tm/ltm/pool", { raw = true }) end,
      function() bip:request("POST", "/mgmt/tm/ltm/pool", { body = {}, raw = true }) end,
      function() bip:task("sys/config", { command = "save" }) end,
    } do
      local err = lab.fails("usage", attempt)
      assert.matches(
        "the session is read%-only %(option read_only%): %u+ /mgmt/.* was not sent", err.message
      )
    end
    for _, call in ipairs(device:log()) do
      if call.number > before + 1000 then assert.equal("GET", call.method) end
    end
    assert.equal(0, bip:usage().writes)
    bip:close()
    local methods = {}
    for _, call in ipairs(device:log()) do
      if call.method ~= "GET" then
        methods[#methods + 1] = call.method .. " " .. call.path:match "^/mgmt/shared/[%l/]*"
      end
    end
    assert.same({
      "POST /mgmt/shared/authn/login", "PATCH /mgmt/shared/authz/tokens/",
      "DELETE /mgmt/shared/authz/tokens/",
    }, methods)
    assert.same({}, device:state().tokens.items)
  end)
end)
