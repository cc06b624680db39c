-- f5lua sim for any client, here curl, and f5lua run --sim for playbooks.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local function shell(line)
  local pipe = assert(io.popen(line .. " 2>&1"))
  local out = pipe:read "a"
  local _, _, status = pipe:close()
  return out, status or 0
end

describe("f5lua sim", function()
  local place

  setup(function() place = program.directory() end)
  teardown(function() getmetatable(place).__close() end)

  -- Starts it on a free port; returns the process, and a function that calls it with curl,
  -- verified.
  local function start(words)
    local ca = place.path .. "/ca.pem"
    local process =
      program.start { "sim", "--port", "0", "--ca-file", ca, table.unpack(words or {}) }
    local url = process:expect "simulated BIG%-IP at (https://[%w.:]+)"
    return process, function(arguments, path)
      return shell(("curl -s --cacert %s %s '%s%s'"):format(ca, arguments, url, path))
    end
  end

  it("answers curl, its certificate verified", function()
    local process <close>, curl = start()
    local body, status = curl("-u admin:admin", "/mgmt/tm/sys/version")
    assert.equal(0, status)
    assert.equal("tm:sys:version:versionstats", json.decode(body).kind)
    body = curl("-u operator:operator", "/mgmt/tm/sys/version")
    assert.equal(401, json.decode(body).code)
    body = curl(
      '-d \'{"username":"operator","password":"operator","loginProviderName":"tmos"}\''
        .. " -H 'Content-Type: application/json'",
      "/mgmt/shared/authn/login"
    )
    local token = json.decode(body).token.token
    body = curl("-H 'X-F5-Auth-Token: " .. token .. "'", "/mgmt/tm/ltm/node")
    assert.equal("tm:ltm:node:nodecollectionstate", json.decode(body).kind)
    process:kill "TERM"
    assert.equal(0, process:wait().status)
  end)

  it("warns if other machines can log in with passwords that everybody knows", function()
    local function errors_of(words)
      local process <close> = start(words)
      process:kill "TERM"
      return process:wait().err
    end
    assert.match("warning: other machines can log in at 0.0.0.0 with admin/admin", errors_of {
      "--bind", "0.0.0.0",
    })
    assert.equal("", errors_of { "--bind", "0.0.0.0", "--user", "admin:Zk39fk:admin" })
    assert.equal("", errors_of { "--bind", "127.0.0.1" })
  end)

  it("has external authentication providers", function()
    local path = place.path .. "/providers.json"
    local function providers(text)
      local file <close> = assert(io.open(path, "wb"))
      file:write(text)
    end
    providers '[{"name":"Radius","users":[{"name":"rita","password":"r1","role":"guest"}]}]'
    local process <close>, curl = start { "--providers", path }
    local body = curl(
      '-d \'{"username":"rita","password":"r1","loginProviderName":"Radius"}\''
        .. " -H 'Content-Type: application/json'",
      "/mgmt/shared/authn/login"
    )
    assert.equal("rita", json.decode(body).username)
    process:kill "TERM"
    assert.equal(0, process:wait().status)
    for _, text in ipairs {
      "{", "5", "[]", '[{"type":"x"}]', '[{"name":"a","users":[{"name":"x"}]}]',
    } do
      providers(text)
      local refused = program.start { "sim", "--port", "0", "--providers", path }
      assert.equal(2, refused:wait().status, text)
    end
  end)

  it("starts with a seed that an earlier one saved", function()
    local save = place.path .. "/state.json"
    local process <close>, curl = start { "--save", save }
    curl(
      "-u admin:admin -H 'Content-Type: application/json' -d '{\"name\":\"web\"}'",
      "/mgmt/tm/ltm/pool"
    )
    process:kill "INT"
    assert.equal(0, process:wait().status)
    local again <close>, curl_again = start { "--seed", save }
    assert.equal(
      "/Common/web",
      json.decode(curl_again("-u admin:admin", "/mgmt/tm/ltm/pool/~Common~web")).fullPath
    )
    again:kill "TERM"
    again:wait()
  end)

  it("overwrites no file but the one for --save", function()
    local save = place.path .. "/kept.json"
    place:file("kept.json.new", "mine")
    place:file("kept.json.new2", "mine, too")
    local process <close> = start { "--save", save }
    process:kill "TERM"
    assert.equal(0, process:wait().status)
    assert.equal("table", type(json.decode(place:read "kept.json").objects))
    assert.equal("mine", place:read "kept.json.new")
    assert.equal("mine, too", place:read "kept.json.new2")
    assert.is_nil(place:read "kept.json.new3")
  end)

  it("lets connections wait when it has no descriptors left, and says so once", function()
    local few = place:file("few", "#!/bin/sh\nulimit -n 40\nexec " .. program.path .. ' "$@"\n')
    os.execute("chmod +x " .. few)
    local process <close> = program.start({ "sim", "--port", "0" }, { program = few })
    local url = process:expect "simulated BIG%-IP at (https://[%w.:]+)"
    local open = ("exec {fd}<>/dev/tcp/127.0.0.1/%s"):format(url:match "%d+$")
    shell("bash -c 'for i in $(seq 60); do " .. open .. "; done; sleep 0.5'")
    assert.equal("401", (shell("curl -sk -o /dev/null -w '%{http_code}' " .. url .. "/mgmt/tm")))
    process:kill "TERM"
    -- the words are the C library's: "Too many open files", "No file descriptors available"
    assert.matches("^sim: cannot accept connections for now: %u[%l ]+\n$", process:wait().err)
  end)

  it("takes JSON as deep as it may be, whatever stack the system gives to threads", function()
    local little =
      place:file("little", "#!/bin/sh\nulimit -s 100\nexec " .. program.path .. ' "$@"\n')
    os.execute("chmod +x " .. little)
    local deep = ('{"a":%s1%s}'):format(("["):rep(511), ("]"):rep(511))
    place:file("deep.json", deep)
    local process <close> = program.start({ "sim", "--port", "0" }, { program = little })
    local url = process:expect "simulated BIG%-IP at (https://[%w.:]+)"
    assert.equal(
      deep,
      (
        shell(
          (
            "curl -sk -u admin:admin -H 'Content-Type: application/json' -d @%s/deep.json "
              .. "%s/mgmt/shared/echo"
          ):format(
            place.path,
            url
          )
        )
      )
    )
    process:kill "TERM"
    assert.equal(0, process:wait().status)
  end)

  it("says that it could not save, or not write its log", function()
    local process <close> = program.start { "sim", "--port", "0", "--save", "/dev/full" }
    process:expect "simulated BIG%-IP at"
    process:kill "INT"
    local result = process:wait()
    assert.same(
      { 1, "f5lua: cannot write /dev/full: No space left on device\n" },
      { result.status, result.err }
    )
    local second <close>, curl = start { "--log", "/dev/full" }
    for _ = 1, 3 do assert.equal(401, json.decode(curl("", "/mgmt/tm")).code) end
    second:kill "TERM"
    result = second:wait()
    assert.same(
      { 0, "sim: cannot write /dev/full: No space left on device\n" },
      { result.status, result.err }
    )
  end)

  it("has the users it is told", function()
    local process <close>, curl = start { "--user", "ann:secret:admin" }
    assert.equal(
      "tm:ltm:pool:poolcollectionstate",
      json.decode(curl("-u ann:secret", "/mgmt/tm/ltm/pool")).kind
    )
    assert.equal(401, json.decode(curl("-u admin:admin", "/mgmt/tm/ltm/pool")).code)
    process:kill "TERM"
    process:wait()
  end)

  it("refuses what it does not understand, with status 2", function()
    for _, words in ipairs {
      { "sim", "--port", "nope" },
      { "sim", "--port", "70000" },
      { "sim", "--wat" },
      { "sim", "--user", "x" },
      { "sim", "--user", "a:b:king" },
      { "sim", "--seed", "/nowhere.json" },
      { "sim", "--latency", "fast" },
    } do
      local result = program.run(words)
      assert.same({ 2, "" }, { result.status, result.out }, table.concat(words, " "))
      assert.matches("^f5lua: .*\nTry 'f5lua sim %-%-help'%.\n$", result.err)
    end
  end)

  it("says so when the port is taken", function()
    local process <close> = start()
    local port = process:expect ":(%d+)"
    local result = program.run { "sim", "--port", port }
    -- glibc's words, and musl's
    local words = result.err:gsub("Address already in use", "Address in use")
    assert.same(
      { 1, "f5lua: cannot listen on 127.0.0.1 port " .. port .. ": Address in use\n" },
      { result.status, words }
    )
    process:kill "TERM"
    process:wait()
  end)
end)

describe("f5lua run --sim", function()
  it("sends a playbook to a simulated device, whatever device it names", function()
    local directory <close> = program.directory()
    local file = directory:file("p.lua", [[
local f5 = require "f5"
local bip <close> = f5.connect { host = "bigip1.example.net" }
print(f5.flat(bip.sys.version:load())[1].Product, ...)
]]
    )
    local result = program.run(
      { "run", "--sim", file, "--sim" },
      { env = { F5_SERVER = "other", F5_PASSWORD = "real" } }
    )
    assert.same({ 0, "BIG-IP\t--sim\n", "" }, { result.status, result.out, result.err })
  end)

  it("provisions and seeds the device as asked", function()
    local directory <close> = program.directory()
    local seed = directory:file("seed.json", '{"objects":{}}')
    local chunk = "local f5 = require 'f5' local bip <close> = f5.connect { retries = 0 }"
      .. " local ok, err = f5.try(function() return bip.asm.policies:list() end) print(ok, "
      .. "err.kind)"
    assert.equal("false\tnot_found\n", program.run({ "run", "--sim", "-e", chunk }).out)
    assert.equal(
      "true\tnil\n",
      program.run({ "run", "--sim", "--provision", "ltm,asm", "--seed", seed, "-e", chunk }).out
    )
    local result = program.run { "run", "--sim", "--seed", "/nowhere.json", "-e", chunk }
    assert.same(
      {
        2, "f5lua: cannot read /nowhere.json: No such file or directory\nTry 'f5lua run --help'.\n",
      },
      { result.status, result.err }
    )
  end)

  it("has the modules that its seed names, unless it is told others", function()
    local directory <close> = program.directory()
    local seed = directory:file("seed.json", '{"provision":["ltm","asm"]}')
    local chunk = "local f5 = require 'f5' local bip <close> = f5.connect { retries = 0 }"
      .. " local ok, err = f5.try(function() return bip.asm.policies:list() end) print(ok, "
      .. "err.kind)"
    assert.equal("true\tnil\n", program.run({ "run", "--sim", "--seed", seed, "-e", chunk }).out)
    assert.equal(
      "false\tnot_found\n",
      program.run({ "run", "--sim", "--provision", "ltm", "--seed", seed, "-e", chunk }).out
    )
  end)

  it("says what is wrong with a seed, and nothing of its own insides", function()
    local directory <close> = program.directory()
    for text, message in pairs {
      ['{"object":{}}'] = "unknown part 'object'; valid parts: apm, asm, conf, health, "
        .. "left_out, live_update, objects, provision, snapshot, traffic, users",
      ['[1]'] = "the whole: expected an object, got an array",
      ['{"objects":[1]}'] = "objects: expected an object, got an array",
      ['{"objects":{"/mgmt/tm/ltm/poool":[]}}'] = "unknown URI '/mgmt/tm/ltm/poool'",
      ['{"objects":{"/mgmt/tm/ltm/pool":{"name":"x"}}}'] = "/mgmt/tm/ltm/pool: expected an array, "
        .. "got an object",
      ['{"objects":{"/mgmt/tm/sys/ntp":[1]}}'] = "/mgmt/tm/sys/ntp: expected an object, got an "
        .. "array",
      ['{"objects":{"/mgmt/tm/ltm/pool":[{"nam":"x"}]}}'] = "/mgmt/tm/ltm/pool: one or more "
        .. "properties must be specified",
      ['{"users":[{"name":"x"}]}'] = "users[1]: missing password",
      ['{"asm":{}, "provision":["ltm"]}'] = "asm: the module asm is not provisioned",
    } do
      local seed = directory:file("seed.json", text)
      local result = program.run { "run", "--sim", "--seed", seed, "-e", "print 'ran'" }
      assert.same(
        { 1, "", "f5lua: seed: " .. message .. "\n" },
        { result.status, result.out, result.err },
        text
      )
    end
  end)

  it("deletes the tokens of forgotten sessions before the device stops", function()
    local result = program.run { "run", "-v", "--sim", "-e", "require('f5').connect {}" }
    assert.equal(0, result.status)
    assert.matches("DELETE /mgmt/shared/authz/tokens/%S+ 200 [^\n]*\n$", result.err)
  end)

  it("logs as JSON when asked", function()
    local result =
      program.run { "run", "-v", "--log-format", "json", "--sim", "-e", "require('f5').connect {}" }
    for line in result.err:gmatch "[^\n]+" do
      assert.equal("string", type(json.decode(line).method))
    end
    local same =
      program.run { "-v", "--log-format=json", "run", "--sim", "-e", "require('f5').connect {}" }
    assert.equal(select(2, result.err:gsub("\n", "")), select(2, same.err:gsub("\n", "")))
  end)
end)

describe("the first day", function()
  local PLAYBOOK <const> = "scripts/playbooks/first-day.lua"

  it("runs against a simulated device", function()
    local result = program.run { "run", "--sim", PLAYBOOK }
    assert.same({ 0, "" }, { result.status, result.err })
    for _, expected in ipairs {
      "the token is good for 1200 s",
      "BIG%-IP\t17%.1",
      "the device saw\tGET\t/mgmt/tm/sys/version\t401",
      "/Common/Test2\t10%.10%.10%.32",
      "Test\t10%.10%.10%.31\t2 properties",
      "ver=17%.1%.0",
      "after:\tuser%-disabled",
      "not_found",
      "DELETE\t/mgmt/shared/authz/tokens\t200",
    } do
      assert.matches(expected, result.out)
    end
  end)

  it("runs against any device that the environment names", function()
    local device <close> = require("f5.sim").start {
      users = { { name = "me", password = "mine-alone", role = "manager" } },
    }
    local result = program.run(
      { PLAYBOOK },
      { env = lab.environment(device, { F5_USER = "me", F5_PASSWORD = "mine-alone" }) }
    )
    assert.same({ 0, "" }, { result.status, result.err })
    assert.equal(nil, next(device:state().tokens.items))
    assert.equal(0, device:problems())
  end)
end)
