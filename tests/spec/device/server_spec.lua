-- The server under the simulated device, through curl: what HTTP says and what a broken device
-- does.
local sim = require "f5.sim"
local curl = require "curl"

describe("simulated device: server", function()
  local device

  before_each(function() device = sim.start {} end)
  after_each(function() device:stop() end)

  it("has a certificate that its CA file vouches for", function()
    assert.equal(404, curl(device, "GET", "/nothing").status)
    assert.equal(404, curl { device, "GET", "/nothing", host = "localhost" }.status)
    local other <close> = sim.start {}
    local refused = curl { device, "GET", "/nothing", ca = other.ca }
    assert.equal(0, refused.status)
    assert.equal(60, refused.exit)
  end)

  it("removes its CA file when it stops", function()
    local path = device.ca
    assert(io.open(path)):close()
    device:stop()
    device:stop()
    assert.is_nil((io.open(path)))
  end)

  it("keeps a connection for many calls", function()
    local paths = {}
    for i = 1, 50 do paths[i] = "/n" .. i end
    curl { device, "GET", paths }
    assert.equal(1, device:connections())
    assert.equal(50, #device:log())
  end)

  it("answers every method, and refuses TLS below 1.2", function()
    for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" } do
      assert.equal(404, curl(device, method, "/nothing").status, method)
    end
    local head = curl { device, "HEAD", "/nothing" }
    assert.equal(404, head.status)
    assert.is_true(tonumber(head.headers["content-length"]) > 0)
    assert.equal(501, curl(device, "FROB", "/nothing").status)
    assert.equal(35, curl { device, "GET", "/nothing", options = "--tls-max 1.1" }.exit)
  end)

  it("refuses what the web server in front of a device refuses, with its page", function()
    local function answer(path, options)
      local given = curl { device, "GET", path, options = options }
      return given.status, given.body:match "<title>(.-)</title>"
    end
    local longest <const> = "/mgmt/tm/ltm/pool?x="
      .. ("x"):rep(8190 - #"GET /mgmt/tm/ltm/pool?x= HTTP/1.1")
    assert.equal(200, (answer(longest, "-u admin:admin")))
    assert.same({ 414, "414 Request-URI Too Long" }, { answer(longest .. "x", "-u admin:admin") })
    assert.same(
      { 400, "400 Bad Request" },
      { answer("/mgmt/tm/ltm/pool", "-H 'X-Long: " .. ("x"):rep(8190) .. "'") }
    )
    assert.same({ 400, "400 Bad Request" }, { answer("/mgmt/tm/ltm/pool/%zz", "-u admin:admin") })
    assert.equal(404, (answer("/mgmt/tm/ltm/pool/%25zz", "-u admin:admin")))
  end)

  it(
    "refuses what could be taken for more or fewer requests than it is, and ends the connection",
    function()
      local LOGIN <const> = "Authorization: Basic YWRtaW46YWRtaW4=\r\n"
      local NEXT <const> = "GET /mgmt/tm/ltm/node HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        .. LOGIN .. "\r\n"
      -- The statuses of all answers to what is sent in one piece.
      local function statuses(head, body)
        local path = os.tmpname()
        local file <close> = assert(io.open(path, "wb"))
        file:write(head:gsub("\n", "\r\n"), LOGIN, "\r\n", body or "", NEXT)
        file:close()
        local pipe = assert(
          io.popen(
            ("openssl s_client -quiet -verify_quiet -connect %s:%d < %s 2>/dev/null"):format(
              device.host,
              device.port,
              path
            )
          )
        )
        local list = {}
        for status in pipe:read("a"):gmatch "HTTP/1%.%d (%d+)" do
          list[#list + 1] = status
        end
        pipe:close()
        os.remove(path)
        return table.concat(list, " ")
      end
      local POOL <const> = "POST /mgmt/tm/ltm/pool HTTP/1.1\nContent-Type: application/json\n"
      assert.equal("200 200", statuses "GET /mgmt/tm/ltm/pool HTTP/1.1\nHost: a\n")
      assert.equal("400", statuses "GET /mgmt/tm/ltm/pool HTTP/1.1\n")
      assert.equal("400", statuses "GET /mgmt/tm/ltm/pool HTTP/1.1\nHost: a\nHost: b\n")
      assert.equal("200", statuses "GET /mgmt/tm/ltm/pool HTTP/1.0\n") -- as old clients do
      assert.equal("200 200", statuses(POOL .. "Host: a\nContent-Length: 14\n", '{ "name":"a" }'))
      assert.equal(
        "400",
        statuses(POOL .. "Host: a\nContent-Length: 14\nContent-Length: 140\n", '{ "name":"b" }')
      )
      assert.equal(
        "400",
        statuses(
          POOL .. "Host: a\nContent-Length: 14\nTransfer-Encoding: chunked\n",
          'e\r\n{ "name":"b" }\r\n0\r\n\r\n'
        )
      )
      assert.equal(
        "400",
        statuses(
          POOL .. "Host: a\nTransfer-Encoding: chunked\nTransfer-Encoding: x\n",
          'e\r\n{ "name":"b" }\r\n0\r\n\r\n'
        )
      )
      assert.equal(
        "200 200",
        statuses(
          POOL .. "Host: a\nTransfer-Encoding: chunked\n",
          'e\r\n{ "name":"c" }\r\n0\r\n\r\n'
        )
      )
      assert.equal(404, curl(device, "GET", "/mgmt/tm/ltm/pool/b").status)
      assert.equal(200, curl(device, "GET", "/mgmt/tm/ltm/pool/c").status)
    end
  )

  it("delays, resets, cuts and falsifies answers as planted", function()
    device:fault { delay_ms = 300, times = 1 }
    local before = os.time()
    local started = curl { device, "GET", "/a" }
    assert.is_true(started.seconds >= 0.3)
    assert.is_true(os.time() - before < 10)
    device:fault { reset = true }
    local reset = curl { device, "GET", "/a" }
    assert.equal(0, reset.status)
    assert.is_true(reset.exit == 52 or reset.exit == 56 or reset.exit == 35, reset.exit)
    device:fault { truncate = 10 }
    local cut = curl { device, "GET", "/a" }
    assert.equal(18, cut.exit)
    assert.equal(10, #cut.body)
    device:fault { status = 200, body = "hello", headers = { ["Content-Type"] = "text/plain" } }
    local changed = curl { device, "GET", "/a" }
    assert.equal("hello", changed.body)
    assert.equal("text/plain", changed.headers["content-type"])
    assert.equal(404, curl(device, "GET", "/a").status)
  end)

  it("plants faults for some calls only", function()
    device:fault { match = { method = "POST", path = "^/b" }, kind = "busy", after = 1, times = 2 }
    assert.equal(404, curl(device, "GET", "/b").status)
    assert.equal(404, curl(device, "POST", "/b").status)
    assert.equal(404, curl(device, "POST", "/c").status)
    assert.equal(503, curl(device, "POST", "/b").status)
    assert.equal(32964609, curl(device, "POST", "/b").json.apiError)
    assert.equal(404, curl(device, "POST", "/b").status)
    for words, fault in pairs {
      ["unknown kind of fault 'nonsense'"] = { kind = "nonsense" },
      ["unknown field of a fault: 'delay'"] = { delay = 1 },
      ["unknown field of 'match' of a fault: 'url'"] = { match = { url = "^/b" } },
    } do
      local ok, message = pcall(device.fault, device, fault)
      assert.is_false(ok)
      assert.matches(words, tostring(message), 1, true)
    end
  end)

  it("is away while it reboots, and comes back in steps on its own clock", function()
    assert.equal(404, curl(device, "GET", "/a").status)
    device:reboot { seconds = 60 }
    assert.equal(7, curl { device, "GET", "/a" }.exit)
    device:advance(31)
    local page = curl(device, "GET", "/a")
    assert.equal(503, page.status)
    assert.matches("Configuration Utility restarting...", page.body, 1, true)
    device:advance(16)
    assert.matches(
      "Public URI path not registered: /tm/ltm", curl(device, "GET", "/mgmt/tm/ltm").json.message,
      1, true
    )
  end)

  it("lives beside others", function()
    local other <close> = sim.start { hostname = "bigip2.example.net" }
    assert.not_equal(device.port, other.port)
    device:advance(3600)
    assert.is_true(device:now() - other:now() > 3500 * 1000000)
    assert.equal(404, curl(other, "GET", "/x").status)
    assert.equal(0, #device:log())
  end)

  it("says why it cannot start", function()
    local ok, message = pcall(sim.start, { port = device.port })
    assert.is_false(ok)
    assert.matches("cannot listen on 127.0.0.1 port " .. device.port, message, 1, true)
    ok, message = pcall(sim.start, { cert = "/nonexistent.pem" })
    assert.is_false(ok)
    assert.matches("cannot use certificate /nonexistent.pem", message, 1, true)
    ok, message = pcall(sim.start, { colour = "red" })
    assert.is_false(ok)
    assert.matches("unknown option 'colour'", message, 1, true)
  end)
end)
