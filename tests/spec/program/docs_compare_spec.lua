-- The examples of docs/safe-change.md about snapshots and differences: the commands run, and what
-- they print is what the page shows.
local lab = require "lab"
local markdown = require "markdown"
local program = require "program"

local PAGE <const> = "docs/safe-change.md"

local device, bip, place

local function block(language, words)
  for _, one in ipairs(markdown.blocks(PAGE, language)) do
    if one.text:find(words, 1, true) then return one.text end
  end
  error("no block with " .. words)
end

-- Runs a line of the page, with both devices of the page in the place of `device`.
local function shell(line)
  local host <const> = ("%s:%d"):format(device.host, device.port)
  return program.run(
    { "-c", ("export PATH=%s:$PATH\n%s"):format(
      program.path:match "^(.*)/", (line:gsub("bigip[12]%.example%.net", host))
    ) },
    { program = "/bin/bash", directory = place.path, env = lab.environment(device) }
  )
end

-- A report without what differs from run to run.
local function plain(text)
  return (text:gsub("%d+%-%d+%-%d+T[%d:]+Z", "TIME"):gsub("%d+ objects? %l+ equal", "N are equal"))
end

local function rule(target)
  return ('when HTTP_REQUEST {\n  HTTP::redirect "%s"\n}\n'):format(target)
end

describe(PAGE .. " about snapshots and differences", function()
  before_each(function()
    device, bip = lab.start()
    place = program.directory()
    bip.auth.partition:create { name = "Shop" }
    bip.ltm.pool["/Common/old"]:create {}
    bip.ltm.pool["/Common/web"]:create {
      monitor = "/Common/http", members = { { name = "10.0.0.1:80" } },
    }
    bip.ltm.rule["/Common/redirect"]:create { apiAnonymous = rule "/a" }
  end)
  after_each(function() lab.stop(bip, device, place) end)

  it("has commands that run", function()
    local count = 0
    for line in block("sh", "f5lua snapshot bigip1"):gmatch "[^\n]+" do
      local done <const> = shell(line)
      assert.equal(0, done.status, line .. done.err)
      count = count + 1
    end
    place:file("after.json", place:read "before.json")
    assert(os.execute("mkdir " .. place.path .. "/backup"))
    place:file("backup/bigip.conf", "ltm pool /Common/old { }\nltm pool /Common/web { }\n")
    local status <const> = { 0, 0, 1, 0 }
    for line in block("sh", "f5lua diff before.json"):gmatch "[^\n]+" do
      local done <const> = shell(line)
      assert.equal(table.remove(status, 1), done.status, line .. done.out .. done.err)
      count = count + 1
    end
    assert.equal(7, count)
    assert.matches("</html>", place:read "change.html")
  end)

  it("shows what a difference looks like", function()
    local take <const> = "f5lua snapshot bigip1.example.net ltm/pool ltm/rule -o "
    assert.equal(0, shell(take .. "before.json").status)
    bip.ltm.pool["/Common/old"]:delete()
    bip.ltm.pool["/Common/web"]:modify { monitor = "/Common/https" }
    bip.ltm.pool["/Common/web"].members["/Common/10.0.0.1:80"]:modify { session = "user-disabled" }
    bip.ltm.pool["/Common/web"].members:create { name = "10.0.0.3:80" }
    bip.ltm.rule["/Common/redirect"]:modify { apiAnonymous = rule "/b" }
    assert.equal(0, shell(take .. "after.json").status)
    local done <const> = shell "f5lua diff before.json after.json"
    assert.equal(plain(block("", "--- A: before.json")), plain(done.out))
    assert.equal(1, done.status)
  end)

  it("has Lua that runs", function()
    bip.ltm.pool["/Common/blue"]:create {}
    place:file("compare.lua", 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'
      .. block("lua", "bip:snapshot {") .. 'assert(page:find "</html>")\n')
    local done <const> = shell "f5lua compare.lua"
    assert.equal(0, done.status, done.err)
    assert.matches("^changed\tltm/pool\t/Common/blue\ndescription\tnil\tchanged\n", done.out)
  end)
end)
