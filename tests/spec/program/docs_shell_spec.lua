-- The lines of shell in the pages for users do what they say, and the seeds there are seeds.
local f5 = require "f5"
local markdown = require "markdown"
local program = require "program"
local sim = require "f5.sim"

local ROOT <const> = program.path:match "^(.*)/build/"

local function pool(name, ...)
  local members = {}
  for i, address in ipairs { ... } do
    members[i] = { name = address .. ":80", address = address }
  end
  return { name = name, monitor = "/Common/http", members = members }
end

-- What the examples take for granted.
local SEED <const> = {
  objects = {
    ["/mgmt/tm/ltm/pool"] = { pool("web", "10.0.0.1"), pool "old-1", pool "old-2" },
    ["/mgmt/tm/ltm/node"] = { { name = "n1", address = "10.0.0.9" } },
    ["/mgmt/tm/ltm/virtual"] = {
      { name = "vs_web", destination = "/Common/203.0.113.10:80", ipProtocol = "tcp" },
    },
  },
}

-- Runs lines of shell with f5lua in the PATH and a device in the environment.
local function shell(lines, device, directory)
  local options = device:options "admin"
  local words <const> = (
    "export PATH=%s:$PATH F5_SERVER=%s:%d F5_USER=admin F5_PASSWORD=admin SSL_CERT_FILE=%s\nset "
      .. "-e\n%s"
  ):format(
    program.path:match "^(.*)/", options.host, options.port, options.ca, lines)
  return program.run({ "-c", words }, { program = "/bin/bash", directory = directory.path })
end

local function each_line(page, language)
  local found = {}
  for _, block in ipairs(markdown.blocks(page, language)) do
    for line in block.text:gmatch "[^\n]+" do
      if line:find "f5lua" and not line:find "…" then found[#found + 1] = line end
    end
  end
  return found
end

describe("docs/shell.md", function()
  -- What each line leaves, and whether "web" may be there before it.
  local after <const> = {
    ["list ltm/pool"] = { out = '"name":"web","monitor":"/Common/http"' },
    ["get ltm/pool"] = { out = '"fullPath":"/Common/web"' },
    ["create ltm/pool"] = { fresh = true, out = '"name":"web"' },
    ["modify ltm/node"] = { out = '"session":"user%-disabled"' },
    ["replace ltm/pool"] = { out = '"description":"new"' },
    ["delete ltm/pool"] = { out = "^$" },
    ["delete /mgmt/shared/authz/tokens"] = { out = "^$" }, -- of none that there is
    ["list ltm/pool /Common/web"] = { out = '"fullPath":"/Common/10.0.0.1:80"' },
    ["modify ltm/pool"] = { out = '"session":"user%-disabled"' },
    ["create ltm/node"] = { out = '"name":"n2"' },
    ["stats ltm/pool"] = { out = '"serverside.curConns":0' },
    ["example ltm/pool"] = { out = "loadBalancingMode" },
    ["ensure ltm/pool"] = { out = '^{"name":"/Common/web",.*"result":"unchanged"}' },
    ["absent ltm/pool"] = { out = '^{"name":"/Common/old",.*"result":"unchanged"}' },
    ["call sys/config"] = { out = "save" },
    ["-e 'local"] = { out = '"fullPath":"/Common/old%-1"', restarts = true },
    ["list ltm/pool --sort members:desc,name -o table"] = {
      out = "^name +monitor +members .*\nweb +http +%d/1 .*\nold%-1 +http +0/0 .*\nold%-2 +http ",
    },
    ["list ltm/node --where 'address:find \"^10%.0%.\" and ratio == 1' --sort address"] = {
      out = '"address":"10.0.0.1",.*\n.*"address":"10.0.0.9",',
    },
    ["list sys/file/ssl-cert --where 'days < 3650' --sort days --select name,expires"] = {
      out = '"name":"default.crt","expires":"%d%d%d%d%-%d%d%-%d%d"}\n',
    },
    ["stats ltm/pool --where 'serverside.curConns == 0' --select name"] = {
      out = '^{"name":"/Common/old%-1"}\n{"name":"/Common/old%-2"}\n{"name":"/Common/web"}\n$',
    },
    ["list ltm/virtual"] = {
      out = "^$",
      file = "name,destination\nvs_web,/Common/203.0.113.10:80\n",
    },
  }
  for _, line in ipairs(each_line("docs/shell.md", "sh")) do
    it("has a line that works: " .. line, function()
      local device <close> = sim.start { seed = SEED }
      local directory <close> = program.directory()
      directory:file("pool.json", '{"description":"new"}')
      local expected = after[line:match "^f5lua (.*)$"]
        or after[line:match "^f5lua (%S+ %S+ /%S+)"]
        or after[line:match "^f5lua (%S+ %S+)"]
      assert(expected, "add what this line prints to the table `after` of this spec: " .. line)
      expected.seen = true
      local bip <close> = f5.connect(device:options "admin")
      if expected.restarts then device:restart { seconds = 5 } end
      if expected.fresh then bip.ltm.pool["/Common/web"]:delete() end
      local result = shell(line, device, directory)
      assert.equal(0, result.status, result.err)
      assert.matches(expected.out, result.out)
      if expected.file then assert.equal(expected.file, directory:read "virtuals.csv") end
      if line:find "delete ltm" then assert.equal(1, #bip.ltm.pool:list()) end
    end)
  end

  it("has a first block that works in the lab, line by line", function()
    local device <close> = sim.start {
      seed = f5.json.decode(assert(io.open(ROOT .. "/scripts/playbooks/lab.json")):read "a"),
    }
    local directory <close> = program.directory()
    directory:file("pool.json", '{"description": "new"}')
    local block <const> = markdown.blocks("docs/shell.md", "sh")[1].text
    local result <const> = shell(block, device, directory)
    assert.equal(0, result.status, result.err)
    assert.matches('"name":"blue".*"description":"new".*"command":"save"}\n$', result.out)
  end)

  it("shows all of them", function()
    for words, expected in pairs(after) do assert.is_true(expected.seen, words) end
  end)
end)

describe("docs/guide.md", function()
  it("begins with a line that works", function()
    local device <close> = sim.start {}
    local directory <close> = program.directory()
    local hello
    for _, block in ipairs(markdown.blocks("docs/guide.md", "lua")) do
      if not hello and block.text:find "^#!" then hello = block.text end
    end
    directory:file("hello.lua", hello)
    local line = each_line("docs/guide.md", "sh")[1]
    assert.matches("hello.lua", line)
    local result = shell(line:gsub("scripts/", ROOT .. "/scripts/"), device, directory)
    assert.same(
      { 0, "/Common/blue\t/Common/http\n/Common/green\t/Common/http\n", "" },
      { result.status, result.out, result.err }
    )
  end)
end)

describe("docs/console.md", function()
  it("has a line that works", function()
    local device <close> = sim.start { seed = SEED }
    local directory <close> = program.directory()
    local line = each_line("docs/console.md", "sh")[1]
    local result =
      shell(line:gsub("bigip1.example.net", "127.0.0.1:" .. device.port), device, directory)
    assert.equal(0, result.status, result.err)
    assert.matches("old%-1.*old%-2.*web", result.out)
  end)
end)

describe("docs/simulator.md", function()
  it("has seeds that a device takes", function()
    local seeds = markdown.blocks("docs/simulator.md", "json")
    local device <close> = sim.start { seed = f5.json.decode(seeds[1].text) }
    for i = 2, #seeds do device:plant(f5.json.decode(seeds[i].text)) end
    local options = device:options "admin"
    options.username, options.password = "maker", "maker"
    local bip <close> = f5.connect(options)
    assert.equal("down", bip.ltm.pool["/Common/web"].members["/Common/192.0.2.1:80"]:load().state)
    assert.equal(
      120,
      bip.ltm.pool["/Common/web"].members["/Common/192.0.2.2:80"]:stats()["serverside.curConns"]
    )
  end)
end)
