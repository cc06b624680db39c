-- Answers that are lost, cut or none at all. What a call returns is what the device said; a success
-- that did not happen is the one thing that must never come of it.
local f5 = require "f5"
local program = require "program"
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

setup(function()
  server = wire.start()
  place = program.directory()
  place:file("up", "hello")
end)
teardown(function()
  getmetatable(server).__close()
  getmetatable(place).__close()
end)

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
  assert.equal(operation.write and "unknown" or nil, err.outcome, where .. ": " .. tostring(err))
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

  it("is no collection without items and kind", function()
    server:rules { { path = POOLS, bytes = wire.answer("200 OK", '{"kind":"x"}'), times = 1 },
      { path = POOLS, bytes = wire.answer("200 OK", "{}") } }
    assert.same({}, pools():list())
    local ok, err = pcall(function() return pools():list() end)
    assert.same({ false, "protocol" }, { ok, err.kind })
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

describe("pages", function()
  before_each(function() bip = f5.connect(server:options()) end)
  after_each(function() bip:close() end)

  local function page(name, next_link)
    return {
      path = POOLS .. (name == "a" and "" or "?page=" .. name),
      bytes = wire.answer(
        "200 OK",
        ('{"kind":"x","items":[{"name":"%s"}],"nextLink":%s}'):format(name, next_link)
      ),
    }
  end
  local function link(name) return ('"https://localhost%s?page=%s"'):format(POOLS, name) end

  local function check(words, ...)
    local list = { ... }
    for _, way in ipairs {
      function() return pools():list() end,
      function() for _ in pools():each() do end end,
    } do
      server:rules(list)
      local ok, err = pcall(way)
      assert.same({ false, "protocol" }, { ok, err.kind }, words)
      assert.truthy(err.message:find(words, 1, true), err.message)
      assert.is_true(#server:seen() <= 4)
    end
  end

  it("in a circle are an error, however long it is", function()
    local read = "points to an earlier page"
    local first = page("a", link "b")
    check(read, page("b", link "c"), page("c", link "b"), first)
    check(read, page("b", link "c"), page("c", link "d"), page("d", link "b"), first)
    check("points to the same page", page("b", link "b"), first)
  end)

  it("that lead backwards are an error", function()
    local function skip(count)
      return ('"https://localhost%s?$skip=%d&$top=1"'):format(POOLS, count)
    end
    local function at(count, next_link)
      local rule = page("a", next_link)
      rule.path = ("%s?$skip=%d&"):format(POOLS, count)
      return rule
    end
    check("points backwards", at(2, skip(1)), page("a", skip(2)))
    check("points backwards", page("a", skip(0)))
    check("points to an earlier page", at(1, link "b"), page("b", skip(1)), page("a", skip(1)))
    server:rules { at(2, "null"), at(1, skip(2)), page("a", skip(1)) }
    assert.equal(3, #pools():list())
  end)

  it("that lead nowhere are an error, and not the end", function()
    check("invalid nextLink '", page("a", '"/tmui/login.jsp"'))
    check("invalid nextLink '", page("a", '""'))
    check("expected a string, got a number", page("a", "7"))
    check("expected a string, got a table", page("a", "{}"))
  end)

  it("that are not wanted any more are not looked at", function()
    server:rules { page("a", link "a") }
    assert.equal(1, #pools():list { top = 1 })
  end)
end)

describe("a download", function()
  local MIB <const> = 1 << 20
  local PATH <const> = "/mgmt/shared/file-transfer/downloads/up"

  it("takes no more than body_limit, and no more than there is of the file", function()
    local small <close> = f5.connect(server:options { body_limit = 2 * MIB })
    local function check(headers, options)
      for _, frame in ipairs { "length", "chunks", "close" } do
        local bytes = wire.answer("200 OK", ("x"):rep(8 * MIB), frame, headers)
        server:rules { { path = PATH, cut = #bytes, bytes = bytes } }
        place:file("old", "kept")
        local before = small:usage().bytes_received
        local ok, err = pcall(small.download, small, "up", old(), options)
        assert.same({ false, "protocol" }, { ok, err.kind }, tostring(err))
        assert.matches("larger than the limit of 2097152 bytes", err.message)
        assert.is_true(small:usage().bytes_received - before <= 2 * MIB + 100000)
        assert.equal("kept", place:read "old")
      end
    end
    check "Content-Range: 0-8388607/8388608\r\n"
    check("", { size = 2 * MIB })
    check("Content-Range: 0-2097151/2097152\r\n", { size = 2 * MIB })
  end)

  it("has chunks of a MiB also below a smaller body_limit", function()
    local small <close> = f5.connect(server:options { body_limit = 1000 })
    local range = "Content-Range: 0-4999/5000\r\n"
    server:rules {
      { path = PATH, bytes = wire.answer("200 OK", ("x"):rep(5000), "length", range) },
    }
    assert.equal(5000, small:download("up", old()).size)
  end)
end)

describe("a long request", function()
  before_each(function()
    bip = f5.connect(server:options { timeout = 20 })
    server:rules { { path = "/mgmt", bytes = wire.answer("200 OK", OBJECT) } }
  end)
  after_each(function() bip:close() end)

  local METHODS <const> = { "GET", "DELETE", "OPTIONS", "PATCH", "POST" }

  it("arrives, with a body and without", function()
    for _, size in ipairs { 16000, 33000, 66000, 300000, 990000 } do
      for _, method in ipairs(METHODS) do
        local body = (method == "PATCH" or method == "POST") and { a = 1 } or nil
        local path = POOL .. ("x"):rep(size)
        assert.equal("d", bip:request(method, path, { body = body }).description, method .. size)
      end
    end
    assert.equal("GET " .. POOL .. ("x"):rep(16000), server:seen()[1])
    local headers = { ["X-Long"] = ("x"):rep(100000) }
    assert.equal("d", bip:request("GET", POOL, { headers = headers }).description)
  end)

  it("is not sent if nobody could take it", function()
    for _, method in ipairs(METHODS) do
      local ok, err = pcall(bip.request, bip, method, POOL .. ("x"):rep(1000000))
      assert.same({ false, "transport" }, { ok, err.kind, err.outcome }, method)
      assert.matches("path and headers have 1000%d+ bytes, and 1000000 are allowed", err.message)
    end
    assert.same({}, server:seen())
  end)

  it("is not made of an invalid token", function()
    local options = server:options { username = "admin", password = "secret" }
    options.token = nil
    for _, token in ipairs { ("T"):rep(4097), "..", ".", "", "a b", "a\\nb" } do
      local login = ('{"token":{"token":"%s"}}'):format(token)
      server:rules { { path = "/mgmt/shared/authn/login", bytes = wire.answer("200 OK", login) } }
      local ok, err = pcall(f5.connect, options)
      assert.same({ false, "protocol" }, { ok, err.kind }, token:sub(1, 9))
      assert.equal(1, #server:seen())
    end
    local ok, err = pcall(f5.connect, server:options { token = ("T"):rep(4097) })
    assert.same({ false, "usage" }, { ok, err.kind })
  end)
end)

describe("after a request was sent, a failure", function()
  before_each(function() bip = f5.connect(server:options()) end)
  after_each(function() bip:close() end)

  local function fails(rule, kind)
    local before = bip:usage().writes
    rule.path = "/mgmt/tm"
    server:rules { rule }
    local ok, err = pcall(function() return pool():load() end)
    assert.same({ false, kind }, { ok, err.kind, err.outcome }, tostring(err))
    assert.equal(before, bip:usage().writes)
    ok, err = pcall(function() return pool():modify { description = "d" } end)
    assert.same({ false, kind, "unknown" }, { ok, err.kind, err.outcome }, tostring(err))
    assert.equal(before + 1, bip:usage().writes)
    assert.not_matches("cannot send the request", err.message)
    return err
  end

  it("because of a line of the header is one of the answer", function()
    local line = "X-Long: " .. ("x"):rep(120 * 1024) .. "\r\n"
    local err = fails({ bytes = wire.answer("200 OK", OBJECT, "length", line) }, "protocol")
    assert.matches("^cannot read the answer of %S+ %(its header is too long", err.message)
  end)

  it("because of all of the header, too", function()
    local lines = ("X-Line: " .. ("x"):rep(1000) .. "\r\n"):rep(400)
    local err = fails({ bytes = wire.answer("200 OK", OBJECT, "length", lines) }, "protocol")
    assert.matches("^cannot read the answer of %S+ %(its header is too long", err.message)
  end)

  it("of TLS has an unknown outcome", function()
    local half = 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"na'
    fails({ bytes = half, garble = true }, "transport")
    fails({ bytes = "", garble = true }, "transport")
  end)
end)
