-- Passwords and tokens never leave: logs, errors, dumps and core files of the whole program are
-- searched for them.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local PASSWORD <const> = 'p4ss"w\\örd/%&'
local JSON_PASSWORD <const> = 'p4ss\\"w\\\\örd/%&'

local device

local function start()
  device = sim.start {
    users = {
      { name = "keeper", password = PASSWORD, role = "admin" },
      { name = "admin", password = "admin", role = "admin" },
    },
  }
end

local function stop() lab.stop(device) end

local function base64(text)
  local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  local bits = text:gsub(".", function(c)
    local out = {}
    for i = 7, 0, -1 do out[#out + 1] = c:byte() >> i & 1 end
    return table.concat(out)
  end)
  local coded = bits:gsub("%d%d?%d?%d?%d?%d?", function(six)
    local index = tonumber(six .. ("0"):rep(6 - #six), 2)
    return alphabet:sub(index + 1, index + 1)
  end)
  return coded .. ("="):rep((3 - #text % 3) % 3)
end

-- Every token that was ever given out.
local function tokens()
  local list = {}
  for name in pairs(device:state().tokens.items) do list[#list + 1] = name end
  for _, call in ipairs(device:log()) do
    local name = call.path:match "^/mgmt/shared/authz/tokens/(.+)$"
    if name then list[#list + 1] = name end
  end
  return list
end

local function assert_clean(text, what)
  local secrets = tokens()
  assert.is_true(#secrets > 0, "no token was seen")
  for _, secret in ipairs {
    PASSWORD, JSON_PASSWORD, base64("keeper:" .. PASSWORD), "p4ss", table.unpack(secrets),
  } do
    local at = text:find(secret, 1, true)
    assert.is_nil(
      at,
      ("%s holds a secret: …%s…"):format(what, at and text:sub(math.max(1, at - 60), at + 60))
    )
  end
end

local PLAYBOOK <const> = [[
local f5 = require "f5"
local host, port, ca = ...
local options = { host = host, port = tonumber(port), ca = ca, username = "keeper", retries = 0 }
do
  local bip <close> = f5.connect(options)
  bip.auth.user:create { name = "someone", password = os.getenv "F5_PASSWORD", partitionAccess = { { name = "all-partitions", role = "guest" } } }
  bip.auth.user.someone:modify { password = os.getenv "F5_PASSWORD" }
  bip:at("/mgmt/shared/authz/tokens"):list()
  print(bip, f5.json.encode(bip:usage()))
  print(pcall(function() bip.ltm.pool[os.getenv "F5_PASSWORD"]:load() end))
end
options.auth = "basic"
do
  local bip <close> = f5.connect(options)
  bip.sys.version:load()
end
options.auth = nil
options.username = "nobody"
print(pcall(f5.connect, options))
options.username = "keeper"
options.proxy = 17
print(pcall(f5.connect, options))
options.proxy = nil
local bip = f5.connect(options)
error(bip)
]]

describe("secrets", function()
  before_each(start)
  after_each(stop)

  for _, flags in ipairs { { "-v" }, { "-vv" }, { "-vv", "--log-format", "json" } } do
    it("are in nothing that is printed with " .. table.concat(flags, " "), function()
      local directory <close> = program.directory()
      local words = { table.unpack(flags) }
      words[#words + 1] = directory:file("playbook.lua", PLAYBOOK)
      for _, word in ipairs { device.host, tostring(device.port), device.ca } do
        words[#words + 1] = word
      end
      local result = program.run(words, { env = { F5_PASSWORD = PASSWORD } })
      assert.equal(1, result.status, result.err)
      assert.matches("/mgmt/shared/authn/login", result.err)
      assert.matches("401", result.out .. result.err)
      if #flags > 1 or flags[1] == "-vv" then assert.matches("%*%*%*%*%*%*%*%*", result.err) end
      assert_clean(result.out .. result.err, "the output")
    end)
  end

  it("in command lines and declarations are in no log and no message", function()
    local directory <close> = program.directory()
    local playbook <const> = directory:file(
      "playbook.lua",
      [[
local bip <close> = require "f5".connect()
local line = "curl -u root:Hunter-curl -H 'X-Api-Key: Hunter-header'; "
  .. "curl -sku root:Hunter-among x; curl -skuroot:Hunter-joined x; SECRET_KEY=Hunter-variable y; "
  .. "htpasswd -bc file user Hunter-htpasswd; "
  .. "tmsh modify auth user x password Hunter-tmsh; false"
print(pcall(bip.bash, bip, line))
print(bip:request("POST", "/mgmt/shared/echo", { raw = true, body = {
  communityName = "Hunter-community", apiKey = "Hunter-key",
  passphrase = { ciphertext = "Hunter-ciphertext" }, other = "$M$ab$Hunter-master",
  uri = "https://u:Hunter-uri@h/", passwords = { "Hunter-first", "Hunter-second" },
  private_key = "Hunter-private", masterKey = "Hunter-mainkey", password = 74747474,
  passwordMinLength = 75757575,
} }).status)
error(select(2, pcall(bip.bash, bip, "echo 'secret Hunter-output' >&2; exit 1")))
]]
    )
    local result <const> = program.run(
      { "-vv", playbook }, { env = lab.environment(device, { F5_PASSWORD = "admin" }) }
    )
    local shown = {}
    for secret in (result.out .. result.err):gmatch "Hunter%-%a*" do shown[secret] = true end
    assert.same({}, shown)
    assert.not_matches("74747474", result.out .. result.err)
    assert.matches("75757575", result.err)
    assert.matches("tmsh modify auth user x password %*%*%*%*", result.out)
    assert.matches("utilCmdArgs", result.err)
    assert.matches("communityName", result.err)
  end)

  it("are in no error, nor what it causes", function()
    local options = device:options "keeper"
    options.password = PASSWORD
    local bip <close> = f5.connect(options)
    device:fault {
      match = { path = "pool" },
      status = 400,
      times = 1,
      body = {
        code = 400,
        message = "refused: " .. PASSWORD,
        errorStack = f5.array { "at " .. PASSWORD },
        originalRequestBody = '{"password":"' .. PASSWORD .. '"}',
      },
    }
    local ok, err = pcall(
      function()
        bip.ltm.pool["/Common/x"]:modify({ password = PASSWORD }, { query = { q = PASSWORD } })
      end
    )
    assert.is_false(ok)
    assert_clean(tostring(err) .. f5.json.encode(err), "the error")
    assert.equal("refused: ********", err.message)
    assert.same({ "at ********" }, err.error_stack)
    device:fault { match = { path = "pool" }, times = 9, body = "no json but " .. PASSWORD }
    ok, err = pcall(function() bip.ltm.pool["/Common/x"]:load() end)
    assert.is_false(ok)
    assert_clean(tostring(err) .. f5.json.encode(err), "the error")
    device:clear_faults()
  end)

  it("of equal name and password do not black out the name", function()
    local directory <close> = program.directory()
    local file = directory:file("p.lua", [[
      local f5 = require "f5"
      local host, port, ca = ...
      local bip <close> = f5.connect { host = host, port = tonumber(port), ca = ca, username = "admin", password = "admin" }
      bip.auth.user.admin:load()
    ]])
    local result = program.run { "-vv", file, device.host, tostring(device.port), device.ca }
    assert.equal(0, result.status, result.err)
    assert.matches("/mgmt/tm/auth/user/admin", result.err)
    assert.matches('"password":"%*%*%*%*%*%*%*%*"', result.err)
  end)

  it("come from a command without showing", function()
    local secret = core.secret_from_command "printf 'line one\\nline two\\n'"
    assert.equal("********", tostring(secret))
    assert.has_error(function() core.secret_from_command "exit 3" end)
    local ok, err = pcall(core.secret_from_command, "true")
    assert.is_false(ok)
    assert.matches("printed nothing", tostring(err))
    local bip <close> = f5.connect {
      host = device.host,
      port = device.port,
      ca = device.ca,
      username = "admin",
      password = core.secret_from_command "echo admin",
    }
    assert.is_table(bip.sys.version:load())
  end)

  it("are in no core file, because there is none", function()
    local directory <close> = program.directory()
    local file = directory:file("p.lua", [[
      local f5 = require "f5"
      local host, port, ca = ...
      local bip = f5.connect { host = host, port = tonumber(port), ca = ca, username = "keeper" }
      for line in io.lines "/proc/self/limits" do
        if line:find "core file" then print((line:gsub("%s+", " "))) end
      end
      io.stdout:flush()
      local pid = io.open("/proc/self/stat"):read "n"
      os.execute(("kill -SEGV %d; sleep 1; kill -SEGV %d"):format(pid, pid))
    ]])
    local result = program.run({ file, device.host, tostring(device.port), device.ca },
      { env = { F5_PASSWORD = PASSWORD }, directory = directory.path })
    assert.matches("Max core file size 0 0 bytes", result.out)
    assert.not_equal(0, result.status)
    for _, pattern in ipairs { "/core", "/core.*" } do
      local listing = io.popen("ls " .. directory.path .. pattern .. " 2>/dev/null")
      assert.equal("", listing:read "a")
      listing:close()
    end
    assert_clean(result.out .. result.err, "the output")
  end)
end)
