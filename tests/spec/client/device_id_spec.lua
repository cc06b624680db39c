-- What a device gives as the id of something becomes part of a path, and a path that leads
-- elsewhere would reach another object. So would the names "." and "..".
local f5 = require "f5"
local json = require "f5.json"
local wire = require "wire"

local BAD <const> = {
  '"../../../shared/x"', '".."', '"."', '""', '"a/b"', '"/Common/x"', "1.5", "null", "{}", "true",
  '"a\\u0000b"', '"' .. ("x"):rep(300) .. '"',
}

local server, bip

setup(function() server = wire.start() end)
teardown(function() getmetatable(server).__close() end)
before_each(function() bip = f5.connect(server:options()) end)
after_each(function() bip:close() end)

local function answer(text) return wire.answer("200 OK", text) end

describe("an invalid id", function()
  it("starts no task, and is not blamed on the script", function()
    for _, family in ipairs {
      { path = "sys/config", at = "/mgmt/tm/task/sys/config", id = "_taskId" },
      { path = "shared/sys/backup", at = "/mgmt/tm/shared/sys/backup", id = "id", begins = true },
      {
        path = "asm/tasks/apply-policy", at = "/mgmt/tm/asm/tasks/apply-policy", id = "id",
        begins = true,
      },
    } do
      for _, bad in ipairs(BAD) do
        server:rules { { path = family.at, bytes = answer(('{"%s":%s}'):format(family.id, bad)) } }
        local ok, err = pcall(bip.task, bip, family.path, { command = "save" })
        assert.same({ false, "protocol" }, { ok, err.kind }, bad .. tostring(err))
        assert.equal(family.begins and "unknown" or nil, err.outcome)
        assert.matches("the " .. family.id .. " in the answer is not an id", err.message)
        for _, request in ipairs(server:seen()) do
          assert.equal(family.at, request:match "^%u+ ([^?]*)", bad)
        end
      end
      server:rules { { path = family.at, bytes = answer "{}" } }
      local ok, err = pcall(bip.task, bip, family.path, { command = "save" })
      assert.same({ false, "protocol" }, { ok, err.kind })
      assert.matches("the answer has no " .. family.id, err.message)
    end
  end)

  it("may be an integer that is written as a float", function()
    local at = "/mgmt/tm/task/sys/config"
    server:rules {
      { method = "POST", path = at, bytes = answer '{"_taskId":1.676895504e+15}' },
      { method = "PUT", path = at .. "/1676895504000000", bytes = answer '{"code":202}' },
    }
    local task = bip:task("sys/config", { command = "save" })
    assert.equal("task " .. at .. "/1676895504000000", tostring(task))
    assert.equal("integer", math.type(task.id))
  end)

  it("reaches nothing of ASM", function()
    local asm = f5.asm(bip)
    for _, bad in ipairs(BAD) do
      server:rules {
        { method = "POST", path = "/mgmt/tm/asm/tasks", bytes = answer(('{"id":%s}'):format(bad)) },
        {
          path = "/mgmt/tm/asm/policies",
          bytes = answer(('{"items":[{"id":%s,"name":"web"}]}'):format(bad)),
        },
      }
      local value = json.decode(bad)
      for _, fn in ipairs {
        function() return asm:task("export-policy", {}) end,
        function() return asm:policy "web" end,
        type(value) == "string"
            and function() return asm.live:install("x", { id = value }) end
          or nil,
      } do
        local ok, err = pcall(fn)
        assert.same({ false, "protocol" }, { ok, err.kind }, bad .. tostring(err))
      end
      assert.equal(2, #server:seen())
    end
  end)

  it("removes no command of a transaction", function()
    local tx_path = "/mgmt/tm/transaction"
    for _, bad in ipairs(BAD) do
      server:rules {
        { method = "POST", path = tx_path, bytes = answer '{"transId":17,"state":"STARTED"}' },
        { method = "PATCH", path = "/mgmt/tm/ltm", bytes = answer '{"commandId":2' },
        {
          method = "GET", path = tx_path .. "/17/commands",
          bytes = answer(('{"items":[{"commandId":%s}]}'):format(bad)),
        },
        { method = "DELETE", path = tx_path, bytes = answer "" },
      }
      local tx = bip:begin()
      pcall(function() tx(bip.ltm.pool["/Common/web"]):modify { description = "d" } end)
      local ok, err = pcall(tx.commit, tx)
      assert.same({ false, "protocol" }, { ok, err.kind }, bad .. tostring(err))
      local seen = server:seen()
      assert.equal("DELETE " .. tx_path .. "/17", seen[#seen])
      assert.equal(4, #seen, table.concat(seen, "\n"))
    end
  end)
end)

describe("a path", function()
  it("has no segments that lead up", function()
    for _, fn in ipairs {
      function() return bip.ltm.pool[".."] end,
      function() return bip.ltm["."] end,
      function() return bip[".."] end,
      function() return bip.ltm["../../shared"] end,
      function() return bip:at("ltm/../sys") end,
      function() return bip:at("ltm", "..", "sys") end,
      function() return bip.ltm:at("pool/..") end,
      function() return bip:at("/mgmt/tm/../shared/x") end,
      function() return bip:at("/mgmt/tm/%2E%2e/shared/x") end,
      function() return bip:at("/mgmt/tm/.%2e?x=1") end,
      function() return bip:at("https://localhost/mgmt/./tm") end,
      function() return bip:at("https://localhost/mgmt/tm/..") end,
      function() return bip:request("GET", "../shared/x") end,
      function() return bip:request("GET", "/mgmt/tm/../shared/x") end,
    } do
      local ok, err = pcall(fn)
      assert.same({ false, "usage" }, { ok, err.kind }, tostring(err))
      assert.matches("would lead to another path", err.message)
    end
  end)

  it("may have dots in its names", function()
    local pool = "/mgmt/tm/ltm/pool/"
    assert.equal(pool .. "~Common~..~x", tostring(bip.ltm.pool["/Common/../x"]))
    assert.equal(pool .. "...", tostring(bip.ltm.pool["..."]))
    assert.equal(pool .. "a..b/.c", tostring(bip:at("ltm/pool/a..b", ".c")))
    assert.equal(pool .. "..%3Fx", tostring(bip.ltm.pool["..?x"]))
    assert.equal("/mgmt/tm/x?a=/../b", tostring(bip:at "/mgmt/tm/x?a=/../b"))
    assert.equal("/mgmt/tm/.%2Fx", tostring(bip:at "/mgmt/tm/.%2Fx"))
  end)

  it("of the next page does not lead up", function()
    local link = '"https://localhost/mgmt/tm/ltm/pool/../node"'
    local body = '{"items":[{"name":"a"}],"nextLink":' .. link .. "}"
    server:rules { { path = "/mgmt/tm/ltm/pool", bytes = answer(body) } }
    local ok, err = pcall(function() return bip.ltm.pool:list() end)
    assert.same({ false, "protocol" }, { ok, err.kind })
    assert.equal(1, #server:seen())
  end)
end)
