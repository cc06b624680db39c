-- Pages without end, files that are longer than allowed or not complete, and long requests, from a
-- server that answers with exact bytes.
local f5 = require "f5"
local wire = require "wire"

local POOL <const> = "/mgmt/tm/ltm/pool/~Common~web"
local POOLS <const> = "/mgmt/tm/ltm/pool"
local OBJECT <const> = '{"kind":"tm:ltm:pool:poolstate","name":"web","description":"d"}'

local server, place, bip
local started <const> = wire.for_file(setup, teardown)
setup(function() server, place = started() end)

local function pools() return bip.ltm.pool end
local function pool() return bip.ltm.pool["/Common/web"] end
local function old() return place.path .. "/old" end

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

  it("that never end are an error, and do not fill the memory", function()
    local body <const> = '{"kind":"x","items":[{"name":"000000000"}],"nextLink":'
      .. '"https://localhost' .. POOLS .. '?page=000000000"}'
    server:rules { { path = POOLS, counted = true, bytes = wire.answer("200 OK", body) } }
    local small <close> = f5.connect(server:options { body_limit = 20000 })
    local ok, err = pcall(function() return small.ltm.pool:list() end)
    assert.same({ false, "protocol" }, { ok, err.kind }, tostring(err))
    assert.matches("pages together exceed the option body_limit", err.message)
  end)

  it("that are not wanted any more are not looked at", function()
    server:rules { page("a", link "a") }
    assert.equal(1, #pools():list { top = 1 })
  end)
end)

describe("an upload", function()
  it("is not complete before the device says so", function()
    local session <close> = f5.connect(server:options())
    for _, body in ipairs {
      "{}", '{"totalByteCount":5}', '{"remainingByteCount":"x"}', '{"remainingByteCount":null}',
      '{"remainingByteCount":1.5}', '{"remainingByteCount":-1}',
    } do
      server:rules { { path = "/mgmt/shared/file-transfer", bytes = wire.answer("200 OK", body) } }
      local ok, err = pcall(session.upload, session, place.path .. "/up")
      assert.same({ false, "protocol", "unknown" }, { ok, err.kind, err.outcome }, body)
      assert.matches("does not report how many bytes are missing", err.message)
    end
  end)
end)

describe("an upload of which the device has another size", function()
  it("is no success", function()
    local session <close> = f5.connect(server:options())
    for total, missing in pairs { ["3"] = 0, ["6"] = 0, ["-5"] = 0 } do
      local body <const> = ('{"remainingByteCount":%d,"totalByteCount":%s}'):format(missing, total)
      server:rules { { path = "/mgmt/shared/file-transfer", bytes = wire.answer("200 OK", body) } }
      local ok, err = pcall(session.upload, session, place.path .. "/up")
      assert.same({ false, "transfer" }, { ok, err.kind }, body)
      assert.matches("the device has a file of " .. total:gsub("-", "%%-") .. " bytes, not 5",
        err.message)
    end
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
