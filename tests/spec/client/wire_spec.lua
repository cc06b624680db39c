-- Answers that are lost, cut or none at all. What a call returns is what the device said; a success
-- that did not happen is the one thing that must never come of it.
local f5 = require "f5"
local lab = require "lab"
local wire = require "wire"

local POOL <const> = "/mgmt/tm/ltm/pool/~Common~web"
local POOLS <const> = "/mgmt/tm/ltm/pool"
local OBJECT <const> = '{"kind":"tm:ltm:pool:poolstate","name":"web","description":"d"}'
local LIST <const> = '{"kind":"tm:ltm:pool:poolcollectionstate","items":[{"name":"web"}]}'
local MISSING <const> = '{"code":404,"message":"01020036:3: was not found.","apiError":3}'
local CHUNK <const> = '{"remainingByteCount":0,"totalByteCount":5}'
local TX <const> = "/mgmt/tm/transaction"
local NO_CONTENT <const> = "HTTP/1.1 204 No Content\r\n\r\n"

local function transaction(state) return ('{"transId":17,"state":"%s"}'):format(state) end

local server, place, bip
local started <const> = wire.for_file(setup, teardown)
setup(function() server, place = started() end)

local function pools() return bip.ltm.pool end
local function pool() return bip.ltm.pool["/Common/web"] end
local function old() return place.path .. "/old" end

-- What each operation asks, what its whole answer is, and what it is to return then. `before` are
-- the answers to what it asks first, `after` to what it asks then.
local OPERATIONS <const> = {
  {
    name = "load", method = "GET", path = POOL, body = OBJECT,
    call = function() return pool():load().description end, right = "d",
  },
  {
    name = "list", method = "GET", path = POOLS, body = LIST,
    call = function() return #pools():list() end, right = 1,
  },
  {
    name = "each", method = "GET", path = POOLS, body = LIST,
    call = function()
      local count = 0
      for _ in pools():each() do count = count + 1 end
      return count
    end,
    right = 1,
  },
  {
    name = "exists of an object", method = "GET", path = POOL, body = OBJECT,
    call = function() return pool():exists() end, right = true,
  },
  {
    name = "exists of no object", method = "GET", path = POOL, status = "404 Not Found",
    body = MISSING, call = function() return pool():exists() end, right = false,
  },
  {
    name = "create", write = true, method = "POST", path = POOLS, body = OBJECT,
    call = function() return pools():create({ name = "web" }).name end, right = "web",
  },
  {
    name = "create by full name", write = true, method = "POST", path = POOLS,
    status = "201 Created", body = OBJECT,
    call = function() return pool():create().name end, right = "web",
  },
  {
    name = "modify", write = true, method = "PATCH", path = POOL, body = OBJECT,
    call = function() return pool():modify({ description = "d" }).description end, right = "d",
  },
  {
    name = "replace", write = true, method = "PUT", path = POOL, body = OBJECT,
    call = function() return pool():replace({ description = "d" }).description end, right = "d",
  },
  {
    name = "delete", write = true, method = "DELETE", path = POOL, body = "", empty = true,
    call = function() return pool():delete() end, right = nil,
  },
  {
    name = "run", write = true, method = "POST", path = "/mgmt/tm/sys/config",
    body = '{"command":"save"}', right = "save",
    call = function() return bip.sys.config:run("save").command end,
  },
  {
    name = "bash", write = true, method = "POST", path = "/mgmt/tm/util/bash",
    body = '{"command":"run"}', call = function() return bip:bash "true" end, never = true,
  },
  {
    name = "ensure, which looks", method = "GET", path = POOL, body = OBJECT,
    call = function() return (pool():ensure { description = "d" }) end, right = "unchanged",
  },
  {
    name = "ensure, which creates", write = true, method = "POST", path = POOLS, body = OBJECT,
    before = { { method = "GET", path = POOL, bytes = wire.answer("404 Not Found", MISSING) } },
    call = function() return (pool():ensure { description = "d" }) end, right = "created",
  },
  {
    name = "ensure, which modifies", write = true, method = "PATCH", path = POOL, body = OBJECT,
    before = {
      { method = "GET", path = POOL, bytes = wire.answer("200 OK", '{"description":"e"}') },
    },
    call = function() return (pool():ensure { description = "d" }) end, right = "changed",
  },
  {
    name = "upload", write = true, method = "POST", path = "/mgmt/shared/file-transfer/uploads/up",
    body = CHUNK, call = function() return bip:upload(place.path .. "/up").size end, right = 5,
  },
  {
    name = "download", method = "GET", path = "/mgmt/shared/file-transfer/downloads/up",
    body = "hello", headers = "Content-Range: 0-4/5\r\n", file = true, right = 5,
    call = function() return bip:download("up", old()).size end,
  },
  {
    name = "stats", method = "GET", path = POOL .. "/stats",
    body = '{"kind":"x","entries":{"a":{"value":7}}}',
    call = function() return pool():stats().a end, right = 7,
  },
  {
    name = "example", method = "GET", path = POOLS .. "/example",
    body = '{"items":[{"name":"x"}]}', right = "x",
    call = function()
      local answer <const> = pools():example()
      return (answer.items and answer.items[1] or answer).name
    end,
  },
  {
    name = "absent, which looks", method = "GET", path = POOL, status = "404 Not Found",
    body = MISSING, call = function() return pool():absent() end, right = "unchanged",
  },
  {
    name = "absent, which deletes", write = true, method = "DELETE", path = POOL, body = "",
    empty = true,
    before = { { method = "GET", path = POOL, bytes = wire.answer("200 OK", OBJECT) } },
    call = function() return pool():absent() end, right = "deleted",
  },
  {
    name = "add of an element", write = true, method = "PATCH", path = POOL,
    body = '{"name":"web","rules":["/Common/a","/Common/b"]}',
    before = {
      {
        method = "GET", path = POOL,
        bytes = wire.answer("200 OK", '{"name":"web","rules":["/Common/a"]}'),
      },
    },
    call = function() return pool().rules:add "/Common/b" end, right = "changed",
  },
  {
    name = "set of a list", write = true, method = "PATCH", path = POOL,
    body = '{"name":"web","rules":["/Common/b"]}',
    before = {
      {
        method = "GET", path = POOL,
        bytes = wire.answer("200 OK", '{"name":"web","rules":["/Common/a"]}'),
      },
    },
    call = function() return pool().rules:set { "/Common/b" } end, right = "changed",
  },
  {
    name = "request", method = "GET", path = POOL, body = OBJECT,
    call = function() return bip:request("GET", POOL).description end, right = "d",
  },
  {
    name = "task, which starts", write = true, method = "POST",
    path = "/mgmt/tm/asm/tasks/apply-policy", body = '{"id":"abc","status":"NEW"}',
    call = function() return bip:task("asm/tasks/apply-policy", {}).id end, right = "abc",
  },
  {
    name = "task, which is waited for", method = "GET",
    path = "/mgmt/tm/asm/tasks/apply-policy/abc",
    body = '{"id":"abc","status":"COMPLETED","result":{"a":1}}',
    call = function()
      local task <const> = bip:task { path = "asm/tasks/apply-policy", id = "abc" }
      return task:wait({ timeout = 0.005, interval = 0.001, keep = true }).a
    end,
    right = 1, outcome = "unknown", -- the work goes on
  },
  {
    name = "connect", method = "POST", path = "/mgmt/shared/authn/login",
    body = '{"token":{"token":"ABCDEFGHIJKLMNOPQRSTUVWXYZ","timeout":1200}}',
    after = {
      { method = "DELETE", path = "/mgmt/shared/authz/tokens", bytes = wire.answer "200 OK" },
    },
    call = function()
      local options <const> = server:options { username = "admin", password = "secret" }
      options.token = nil
      local session <close> = f5.connect(options)
      return session:expires_in() > 0
    end,
    right = true,
  },
  {
    name = "failover_state", method = "GET", path = "/mgmt/tm/shared/bigip-failover-state",
    body = '{"failoverState":"active"}',
    call = function() return bip:failover_state() end, right = "active",
  },
  {
    name = "begin", method = "POST", path = TX, body = transaction "STARTED",
    after = { { method = "DELETE", path = TX .. "/17", bytes = wire.answer "200 OK" } },
    call = function()
      local tx <close> = bip:begin()
      return tx:id()
    end,
    right = 17,
  },
}

local function rules_for(operation, fields)
  local list = {}
  for _, rule in ipairs(operation.before or {}) do list[#list + 1] = rule end
  local rule = { method = operation.method, path = operation.path }
  for name, value in pairs(fields) do rule[name] = value end
  list[#list + 1] = rule
  for _, other in ipairs(operation.after or {}) do list[#list + 1] = other end
  server:rules(list)
end

-- The error of a call that failed as it must: an object, and not a mistake of ours.
local function check_error(operation, err, where)
  assert.equal("table", type(err), where .. ": " .. tostring(err))
  assert.is_nil(tostring(err.message):find("lualib", 1, true), where .. ": " .. tostring(err))
  assert.not_equal("usage", err.kind, where .. ": " .. tostring(err))
  local outcome <const> = operation.write and "unknown" or operation.outcome
  assert.equal(outcome, err.outcome, where .. ": " .. tostring(err))
end

local function try(operation, where)
  if operation.file then place:file("old", "kept") end
  local ok, result = pcall(operation.call)
  if ok then
    assert.is_nil(operation.never, where)
    assert.equal(operation.right, result, where)
  else
    check_error(operation, result, where)
  end
  if operation.file then assert.equal(ok and "hello" or "kept", place:read "old", where) end
  return ok
end

describe("an answer that is cut at any byte", function()
  before_each(function() bip = f5.connect(server:options()) end)
  after_each(function() bip:close() end)

  for _, operation in ipairs(OPERATIONS) do
    for _, frame in ipairs { "length", "chunks", "close" } do
      it(("is no success of %s (%s)"):format(operation.name, frame), function()
        local bytes = wire.answer(
          operation.status or "200 OK", operation.body, frame, operation.headers
        )
        local head = select(2, bytes:find "\r\n\r\n")
        for cut = frame == "length" and 0 or head - 1, #bytes do -- the header once
          rules_for(operation, { bytes = bytes, cut = cut, reset = cut % 2 == 1 })
          local ok = try(operation, ("cut after %d of %d bytes"):format(cut, #bytes))
          if cut < head then assert.is_false(ok, "cut inside of the header, after " .. cut) end
        end
        rules_for(operation, { bytes = bytes, cut = #bytes })
        assert.equal(not operation.never, try(operation, "whole"))
      end)
    end
  end
end)

-- The first and last bytes, the powers of two, the sizes of buffers, and some at random.
local function offsets(size, count)
  local chosen, seed <const> = {}, os.time()
  math.randomseed(seed)
  for at = 0, 20 do chosen[at], chosen[size - 1 - at] = true, true end
  for power = 5, 20 do
    for near = -1, 1 do chosen[(1 << power) + near] = true end
  end
  for _ = 1, count do chosen[math.random(0, size - 1)] = true end
  local list = {}
  for at in pairs(chosen) do
    if at < size then list[#list + 1] = at end
  end
  table.sort(list)
  return list, seed
end

describe("a long answer that is cut", function()
  it("is no success", function()
    bip = f5.connect(server:options())
    local items <const> = {}
    for i = 1, 1500 do
      items[i] = ('{"name":"p%04d","description":"%s"}'):format(i, ("x"):rep(40))
    end
    local body <const> = '{"kind":"tm:ltm:pool:poolcollectionstate","items":['
      .. table.concat(items, ",") .. "]}"
    for _, frame in ipairs { "length", "chunks", "close" } do
      local bytes <const> = wire.answer("200 OK", body, frame)
      local list <const>, seed <const> = offsets(#bytes, lab.slow and 2000 or 70)
      for _, cut in ipairs(list) do
        server:rules { { path = POOLS, bytes = bytes, cut = cut, reset = cut % 2 == 1 } }
        local ok, result = pcall(function() return pools():list() end)
        local where <const> = ("%s, cut after %d of %d bytes, seed %d"):format(
          frame, cut, #bytes, seed
        )
        if ok then
          assert.equal(1500, #result, where) -- only line ends behind the JSON were missing
        else
          assert.equal("table", type(result), where)
          assert.is_nil(result.outcome, where)
        end
      end
    end
    bip:close()
  end)
end)

describe("an answer with another content type", function()
  it("is what its body says", function()
    bip = f5.connect(server:options())
    for _, kind in ipairs { "text/html", "text/plain; charset=latin-1", "image/png", "" } do
      local header <const> = ("Content-Type: %s\r\n"):format(kind)
      for _, operation in ipairs(OPERATIONS) do
        if not operation.headers then
          rules_for(operation, {
            bytes = wire.answer(operation.status or "200 OK", operation.body, "length", header),
          })
          assert.equal(not operation.never, try(operation, operation.name .. " " .. kind))
        end
      end
    end
    bip:close()
  end)
end)

describe("an invalid answer", function()
  before_each(function() bip = f5.connect(server:options()) end)
  after_each(function() bip:close() end)

  local NONE <const> = {
    ["without a body"] = "",
    ["of white space"] = " \r\n",
    ["that is a page"] = "<html><body>Please log in</body></html>",
    ["that is a word"] = "null",
    ["that is half of the JSON"] = '{"name":"web","items":[{"name":"a"}',
    ["that is one and a half"] = '{"name":"web"} {"name":"x"}}',
  }
  for _, operation in ipairs(OPERATIONS) do
    for what, body in pairs(NONE) do
      local good = operation.empty and body:match "^%s*$" or operation.status
      if not good then
        it(("(%s) is no success of %s"):format(what, operation.name), function()
          for _, frame in ipairs { "length", "chunks", "close" } do
            rules_for(operation, { bytes = wire.answer("200 OK", body, frame), cut = 9999 })
            assert.is_false(try(operation, frame), frame)
          end
        end)
      end
    end
  end

  it("does not let an object exist", function()
    for what, body in pairs(NONE) do
      server:rules { { path = POOL, bytes = wire.answer("200 OK", body) } }
      local ok, err = pcall(function() return pool():exists() end)
      assert.is_false(ok, what)
      assert.equal("protocol", err.kind, what)
    end
  end)

  it("is asked for again when nothing is changed by it", function()
    local again <close> = f5.connect(server:options { retries = { count = 2, delay = 0.01 } })
    for what, body in pairs(NONE) do
      server:rules {
        { path = POOL, bytes = wire.answer("200 OK", body), times = 2 },
        { path = POOL, bytes = wire.answer("200 OK", OBJECT) },
      }
      assert.equal("d", again.ltm.pool["/Common/web"]:load().description, what)
      assert.equal(3, #server:seen())
    end
    server:rules { { path = POOL, bytes = wire.answer("200 OK", "") } }
    local ok, err = pcall(function() again.ltm.pool["/Common/web"]:modify { description = "d" } end)
    assert.same({ false, "protocol", "unknown" }, { ok, err.kind, err.outcome })
    assert.equal(
      "the answer is empty; outcome unknown: the device may have carried it out",
      err.message
    )
    assert.same({ "PATCH " .. POOL }, server:seen())
  end)

  it("may be empty where the device says so, or F5's guide", function()
    server:rules {
      { method = "DELETE", path = POOL, bytes = wire.answer("200 OK", "") },
      { method = "PATCH", path = POOL, bytes = NO_CONTENT },
      { method = "PATCH", path = "/mgmt/tm/auth/user/admin", bytes = wire.answer("200 OK", "") },
      { method = "GET", path = "/mgmt/shared/appsvcs/declare", bytes = NO_CONTENT },
      { method = "GET", path = POOL, bytes = NO_CONTENT },
      { method = "OPTIONS", path = POOL, bytes = wire.answer("200 OK", "") },
    }
    assert.is_nil(pool():delete())
    assert.is_nil(pool():modify { description = "d" })
    assert.is_nil(bip:at("auth/user/admin"):modify { password = "x" })
    local declared = bip:at "/mgmt/shared/appsvcs/declare"
    assert.is_nil(declared:load())
    assert.is_false(declared:exists())
    assert.is_nil(bip:request("OPTIONS", POOL))
    local ok, err = pcall(function() return pool():load() end)
    assert.same({ false, "protocol" }, { ok, err.kind })
    ok, err = pcall(function() return declared:ensure { x = 1 } end)
    assert.same({ false, "protocol" }, { ok, err.kind })
    assert.equal(200, bip:request("DELETE", POOL, { raw = true }).status)
  end)

  it("is about the object of a short name, and no list", function()
    local short <const> = POOLS .. "/web"
    local other <const> = '{"kind":"tm:ltm:pool:poolstate","name":"blue"}'
    local ref <const> = pools().web
    for _, body in ipairs { "[]", '[{"name":"web"}]', "{}", other } do
      local bytes <const> = wire.answer("200 OK", body)
      for what, act in pairs {
        load = function() return ref:load() end,
        modify = function() return ref:modify { description = "d" } end,
        replace = function() return ref:replace { description = "d" } end,
        ensure = function() return ref:ensure { description = "d" } end,
        create = function() return pools():create { name = "web" } end,
        stats = function() return ref:stats() end,
        absent = body:find "^%[" and function() return ref:absent() end or nil,
        run = body:find "^%[" and function() return ref:run "run" end or nil,
      } do
        server:rules { { path = POOLS, bytes = bytes } }
        local ok, err = pcall(act)
        assert.same({ false, "protocol" }, { ok, err.kind }, what .. " " .. body)
      end
    end
    local answers <const> = {
      { short .. "/stats", '{"kind":"tm:ltm:pool:poolstats"}' }, { short, OBJECT },
      { POOLS, LIST }, { "/mgmt/tm/sys/ntp", '{"kind":"tm:sys:ntp:ntpstate"}' },
    }
    for i, answer in ipairs(answers) do
      answers[i] = { path = answer[1], bytes = wire.answer("200 OK", answer[2]) }
    end
    server:rules(answers)
    assert.equal("d", ref:load().description)
    assert.equal(1, #pools():load().items)
    assert.equal("tm:sys:ntp:ntpstate", bip.sys.ntp:load().kind)
    assert.same({}, ref:stats())
  end)

  it("is no collection without items and kind", function()
    server:rules { { path = POOLS, bytes = wire.answer("200 OK", '{"kind":"x"}'), times = 1 },
      { path = POOLS, bytes = wire.answer("200 OK", "{}") } }
    assert.same({}, pools():list())
    local ok, err = pcall(function() return pools():list() end)
    assert.same({ false, "protocol" }, { ok, err.kind })
  end)

  it("is no collection if its items are no list of objects", function()
    for _, items in ipairs {
      '{"a":1}', '[1,"x",null,[],{"name":5}]', '["x"]', "[{},null]", "[[],true]",
    } do
      server:rules {
        { path = POOLS, bytes = wire.answer("200 OK", '{"kind":"x","items":' .. items .. "}") },
      }
      for _, act in ipairs {
        function() return pools():list() end,
        function() for _ in pools():each() do end end,
      } do
        local ok, err = pcall(act)
        assert.same({ false, "protocol" }, { ok, err.kind }, items)
      end
    end
  end)

  it("that is an error is none, whatever its status says", function()
    local body <const> = '{"code":404,"message":"not found","errorStack":[],"apiError":3}'
    for _, operation in ipairs(OPERATIONS) do
      if not operation.status then
        rules_for(operation, { bytes = wire.answer("200 OK", body) })
        assert.is_false(try(operation, operation.name), operation.name)
      end
    end
  end)

  it("that is about another object is no success", function()
    local operations <const> = {
      load = { "GET", POOL, function() return pool():load() end },
      exists = { "GET", POOL, function() return pool():exists() end },
      modify = { "PATCH", POOL, function() return pool():modify { description = "d" } end },
      replace = { "PUT", POOL, function() return pool():replace { description = "d" } end },
      create = { "POST", POOLS, function() return pool():create {} end },
      ["create by name"] = { "POST", POOLS, function() return pools():create { name = "web" } end },
    }
    for name, operation in pairs(operations) do
      local method <const>, path <const>, act <const> = table.unpack(operation)
      for _, body in ipairs {
        "{}", '{"kind":"tm:ltm:pool:poolstate","name":"other","fullPath":"/Common/other"}',
      } do
        server:rules { { method = method, path = path, bytes = wire.answer("200 OK", body) } }
        local ok, err = pcall(act)
        assert.same({ false, "protocol" }, { ok, err.kind }, name .. ": " .. body)
        assert.equal(method ~= "GET" and "unknown" or nil, err.outcome, name)
        assert.matches(
          body == "{}" and "the answer is an empty object, not '.*web'"
            or "the answer is about 'other', not '.*web'",
          err.message
        )
      end
    end
  end)

  it("may name the object in the device's own form", function()
    local members <const> = bip.ltm.pool["/Common/web"].members
    for asked, named in pairs {
      ["/Common/10.0.0.1:http"] = "10.0.0.1:80", ["/Common/10.0.0.1%0:80"] = "10.0.0.1:80",
      ["/Common/2001:db8:0::1.80"] = "2001:db8::1.80", ["/Common/WEB"] = "web",
      ["/Common/folder/web"] = "web", ["/Common/key"] = "key.key",
    } do
      server:rules {
        {
          path = tostring(members[asked]),
          bytes = wire.answer("200 OK", ('{"name":"%s"}'):format(named)),
        },
      }
      assert.equal(named, members[asked]:load().name)
    end
    local member <const> = members["/Common/10.0.0.1:80"]
    server:rules {
      { path = tostring(member), bytes = wire.answer("200 OK", '{"name":"10.0.0.2:80"}') },
      { path = POOL, bytes = wire.answer("200 OK", "{}") },
    }
    local ok, err = pcall(function() member:load() end)
    assert.same({ false, "protocol" }, { ok, err.kind })
    assert.same({}, pool():load { select = "description" })
  end)

  it("with two lengths that differ has none", function()
    for lengths, ok in pairs {
      ["Content-Length: 16\r\nContent-Length: 2\r\n"] = false,
      ["Content-Length: 2\r\ncontent-length: 16\r\n"] = false,
      ["Content-Length: 16\r\nContent-Length: 16\r\n"] = true,
    } do
      local bytes <const> = "HTTP/1.1 200 OK\r\nConnection: close\r\n" .. lengths
        .. '\r\n{"name" : "web"}'
      server:rules { { path = POOL, bytes = bytes } }
      local done, err = pcall(function() return pool():modify { description = "d" } end)
      assert.equal(ok, done, lengths)
      if not ok then
        assert.matches("two lines Content%-Length that differ", err.message)
        assert.equal("unknown", err.outcome)
      end
    end
  end)

  it("with escape sequences shows them, and keeps them in the fields of the error", function()
    local words <const> = "bad\\u001b]0;title\\u0007 \\u202eevil"
    server:rules {
      { path = POOL, bytes = wire.answer("400 Bad Request", '{"message":"' .. words .. '"}') },
    }
    local _, err = pcall(function() pool():load() end)
    assert.equal("bad\27]0;title\7 \u{202e}evil", err.message)
    local shown <const> = tostring(err)
    assert.is_nil(shown:find "[\27\7]")
    assert.matches("bad\\x1b%]0;title\\x07 \\u{202e}evil", shown)
  end)

  it("is only the beginning when it is a 100", function()
    for _, bytes in ipairs {
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Le",
    } do
      server:rules { { path = POOL, bytes = bytes, cut = #bytes } }
      local ok, err = pcall(function() pool():modify { description = "d" } end)
      assert.same({ false, "unknown" }, { ok, err.outcome }, tostring(err))
    end
  end)
end)
