-- f5lua plan, show, apply: what was shown is what is sent, or nothing is.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local HEAD <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'
local SECRET <const> = "Sekret-9x17"

describe("S5 a plan", function()
  local device, place, bip

  before_each(function()
    device, bip = lab.start()
    place = program.directory()
    bip.ltm.pool["/Common/old"]:create { description = "was" }
  end)
  after_each(function() lab.stop(bip, device, place) end)

  local function run(words, more, input)
    local env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" })
    for name, value in pairs(more or {}) do env[name] = value end
    return program.run(words, { env = env, input = input, directory = place.path })
  end

  local function plan(text, more, words)
    place:file("playbook.lua", HEAD .. text)
    local line = { "plan", "-o", "change.plan" }
    table.move(words or {}, 1, #(words or {}), #line + 1, line)
    line[#line + 1] = "playbook.lua"
    return run(line, more)
  end

  local function apply(words, more)
    return run({ "apply", "change.plan", table.unpack(words or {}) }, more)
  end

  local function objects() return json.encode(device:state().objects, { sort = true }) end

  local function writes()
    local list = {}
    for _, call in ipairs(device:log()) do
      if call.method ~= "GET" and call.path:find "^/mgmt/tm/[^t]" then
        list[#list + 1] = call.method .. " " .. call.path
      end
    end
    device:clear_log()
    return list
  end

  it("is made without a write, and applied exactly", function()
    local before = objects()
    local made = plan [[
bip.ltm.pool["/Common/new"]:create { monitor = "/Common/http" }
bip.ltm.pool["/Common/new"].members:add "10.0.0.1:80"
bip.ltm.pool["/Common/old"]:modify { description = "is" }
print "playbook"
]]
    assert.equal(0, made.status, made.err)
    assert.matches("plan with 3 steps: change.plan\n$", made.out)
    assert.equal(before, objects())
    device:clear_log()
    local done = apply()
    assert.equal(0, done.status, done.err)
    assert.matches("3 steps sent", done.out)
    assert.is_nil(done.out:find "playbook\n")
    assert.same({
      "POST /mgmt/tm/ltm/pool", "POST /mgmt/tm/ltm/pool/~Common~new/members",
      "PATCH /mgmt/tm/ltm/pool/~Common~old",
    }, writes())
    assert.equal("is", bip.ltm.pool["/Common/old"]:load().description)
    assert.equal(1, #bip.ltm.pool["/Common/new"].members:list())
    local again = apply()
    assert.equal(3, again.status)
    assert.matches("the device has changed since the plan was made", again.err)
    assert.matches("/mgmt/tm/ltm/pool/~Common~new: did not exist, and exists now", again.out)
    assert.same({}, writes())
  end)

  it("is one transaction where that is possible", function()
    local made = plan [[
bip.ltm.pool["/Common/a"]:create {}
bip.ltm.pool["/Common/b"]:create {}
]]
    assert.equal(0, made.status, made.err)
    device:fault {
      match = { method = "PATCH", path = "/mgmt/tm/transaction" }, status = 400,
      body = { code = 400, message = "transaction failed:01070000:3: no" },
    }
    local done = apply()
    assert.equal(3, done.status)
    assert.matches("0 of 2 steps were sent and carried out", done.out)
    assert.is_false(bip.ltm.pool["/Common/a"]:exists())
    local second = apply()
    assert.equal(0, second.status, second.err)
    assert.is_true(bip.ltm.pool["/Common/a"]:exists())
  end)

  it("is refused when an object has changed, with both values", function()
    local made = plan 'bip.ltm.pool["/Common/old"]:modify { description = "is" }\n'
    assert.equal(0, made.status, made.err)
    bip.ltm.pool["/Common/old"]:modify { description = "somebody else's" }
    device:clear_log()
    local done = apply()
    assert.equal(3, done.status)
    assert.matches("description: was → somebody else's", done.out)
    assert.matches("nothing was sent", done.err)
    assert.same({}, writes())
  end)

  it("is refused when what the playbook read has changed", function()
    local made = plan [[
local count = #bip.ltm.virtual:list()
local node = bip.ltm.pool["/Common/old"]:load()
bip.ltm.pool["/Common/new"]:create { description = node.description .. count }
]]
    assert.equal(0, made.status, made.err)
    bip.ltm.pool["/Common/old"]:modify { description = "other" }
    local done = apply()
    assert.equal(3, done.status)
    assert.matches("the playbook read this, and the answer is another one now", done.out)
    assert.is_false(bip.ltm.pool["/Common/new"]:exists())
  end)

  it("is refused when it was changed, cut or signed by nobody", function()
    assert.equal(0, plan('bip.ltm.pool["/Common/a"]:create {}\n').status)
    local text = place:read "change.plan"
    place:file("change.plan", (text:gsub("/Common/a", "/Common/z")))
    local done = apply()
    assert.equal(3, done.status)
    assert.matches("was changed after it was made", done.err)
    for _, length in ipairs { 0, 1, #text // 2, #text - 3 } do
      place:file("change.plan", text:sub(1, length))
      assert.matches("is no plan", apply().err)
    end
    place:file("change.plan", "{}")
    assert.matches("is no plan", apply().err)
    place:file("change.plan", '{"plan":99}')
    assert.matches("format 99", apply().err)
    os.remove(place.path .. "/change.plan")
    local missing = apply()
    assert.matches("cannot read change.plan", missing.err)
  end)

  it("can be signed", function()
    os.execute(("cd %s && openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null && "
      .. "openssl pkey -in key.pem -pubout -out pub.pem && "
      .. "openssl genpkey -algorithm ed25519 -out other.pem 2>/dev/null && "
      .. "openssl pkey -in other.pem -pubout -out otherpub.pem"):format(place.path))
    assert.equal(0, plan('bip.ltm.pool["/Common/a"]:create {}\n').status)
    assert.matches("is not signed", apply({ "--key", "pub.pem" }).err)
    local made = plan('bip.ltm.pool["/Common/a"]:create {}\n', nil, { "--sign", "key.pem" })
    assert.equal(0, made.status, made.err)
    assert.matches("is not signed with this key", apply({ "--key", "otherpub.pem" }).err)
    local done = apply { "--key", "pub.pem" }
    assert.equal(0, done.status, done.err)
  end)

  it("holds secrets only encrypted", function()
    local text <const> = 'bip.auth.user.bob:create { password = "' .. SECRET .. '", '
      .. '["partition-access"] = { { name = "all-partitions", role = "admin" } } }\n'
    local without = plan(text)
    assert.equal(1, without.status)
    assert.matches("F5LUA_PASSPHRASE", without.err)
    assert.is_nil((without.out .. without.err):find(SECRET, 1, true))
    local made = plan(text, { F5LUA_PASSPHRASE = "open" })
    assert.equal(0, made.status, made.err)
    local shown = run { "show", "change.plan" }
    for _, output in ipairs { made.out, made.err, shown.out, place:read "change.plan" } do
      assert.is_nil(output:find(SECRET, 1, true))
    end
    assert.matches("encrypted", shown.out)
    local wrong = apply({}, { F5LUA_PASSPHRASE = "closed" })
    assert.is_true(wrong.status ~= 0)
    assert.is_false(bip.auth.user.bob:exists())
    local done = apply({}, { F5LUA_PASSPHRASE = "open" })
    assert.equal(0, done.status, done.err)
    local options = device:options "admin"
    options.username, options.password = "bob", SECRET
    local bob <close> = f5.connect(options)
    assert.is_truthy(bob)
  end)

  it("brings files along", function()
    local key <const> = place:file("data.txt", "first\nsecond\n")
    local made = plan(('bip:upload(%q)\n'):format(key)
      .. 'bip.sys.file["data-group"]["/Common/dg"]:create {\n'
      .. '  ["source-path"] = "file:/var/config/rest/downloads/data.txt", type = "string",\n}\n')
    assert.equal(0, made.status, made.err)
    os.remove(key)
    local done = apply { "--yes" }
    assert.equal(0, done.status, done.err)
    assert.is_true(bip.sys.file["data-group"]["/Common/dg"]:exists())
  end)

  it("says which steps cannot be taken back, and asks", function()
    local made = plan 'bip.ltm.pool["/Common/a"]:create {}\nbip.sys.config:run "save"\n'
    assert.equal(0, made.status, made.err)
    local done = apply()
    assert.equal(2, done.status)
    assert.matches("these steps cannot be taken back:\n  playbook.lua:4", done.out)
    assert.is_false(bip.ltm.pool["/Common/a"]:exists())
    assert.equal(0, apply({ "--yes" }).status)
  end)

  it("is for one device only", function()
    local made = plan 'bip.ltm.pool["/Common/a"]:create {}\n'
    assert.equal(0, made.status, made.err)
    local other <close> = require("f5.sim").start { hostname = "other.example.net" }
    local env = lab.environment(other)
    local done = program.run(
      { "apply", place.path .. "/change.plan", "--host", env.F5_SERVER .. "" },
      { env = { F5_USER = "admin", F5_PASSWORD = "admin", F5_VALIDATE_CERTS = "no",
        F5_SERVER_PORT = env.F5_SERVER_PORT } }
    )
    assert.equal(3, done.status)
    assert.matches("is not the device of the plan", done.err)
    assert.matches("host name is other.example.net instead of", done.err)
    assert.equal(0, other:problems())
  end)

  it("is none of a playbook with a step that nothing simulates", function()
    local done = plan 'bip:bash "reboot"\n'
    assert.is_true(done.status ~= 0)
    assert.matches("not simulated", done.err)
    assert.is_nil(place:read "change.plan")
  end)

  it("tells when the device made something else of it", function()
    local cases <const> =
      { description = "not as planned", minActiveMembers = "the device chose" }
    for given, what in pairs(cases) do
      local name <const> = "/Common/" .. given
      local path <const> = "ltm/pool/~Common~" .. given
      local made = plan(('bip.ltm.pool[%q]:create { description = "wanted" }\n'):format(name))
      assert.equal(0, made.status, made.err)
      local body = {
        kind = "tm:ltm:pool:poolstate", name = given, partition = "Common", fullPath = name,
        description = "wanted", minActiveMembers = 0,
      }
      body[given] = given == "description" and "other" or 3
      -- The first answers are for the search for drift and for the change record.
      device:fault { match = { method = "GET", path = path }, after = 2, status = 200, body = body }
      local done = apply { "--save" }
      assert.equal(given == "description" and 1 or 0, done.status, done.err)
      assert.matches(given .. ": %S+ → " .. tostring(body[given]), done.out)
      assert.matches(what, done.out)
      assert.matches("the configuration is saved", done.out)
      device:clear_faults()
    end
  end)

  it("is printed as text, JSON and HTML", function()
    assert.equal(0, plan('bip.ltm.pool["/Common/old"]:modify { description = "<b>" }\n').status)
    local text = run { "show", "change.plan" }
    assert.matches("plan of playbook.lua", text.out)
    assert.matches("description: was → <b>", text.out)
    assert.matches("1  playbook.lua:3  PATCH /mgmt/tm/ltm/pool/~Common~old  accepted", text.out)
    local data = json.decode(run({ "show", "--output", "json", "change.plan" }).out)
    assert.equal("PATCH", data.devices[1].steps[1].method)
    local page = run({ "show", "--output", "html", "change.plan" }).out
    assert.matches("^<!DOCTYPE html>", page)
    assert.is_nil(page:find("<b>", 1, true))
  end)
end)
