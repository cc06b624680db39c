-- The examples of docs/safe-change.md about check, plan and apply print what the page shows.
local lab = require "lab"
local markdown = require "markdown"
local program = require "program"

local PAGE <const> = "docs/safe-change.md"

-- The playbook of the examples.
local PLAYBOOK <const> = [[
local f5 = require "f5"
local bip <close> = f5.connect()
bip.ltm.pool["/Common/web"]:modify { monitor = "/Common/https" }
bip.ltm.pool["/Common/new"]:create { monitor = "/Common/http" }
bip.ltm.virtual["/Common/vs_web"]:modify { pool = "/Common/new" }
]]

describe(PAGE, function()
  local device, place, bip

  before_each(function()
    device, bip = lab.start()
    place = program.directory()
    place:file("change.lua", PLAYBOOK)
    bip.ltm.pool["/Common/web"]:create { monitor = "/Common/http" }
    bip.ltm.virtual["/Common/vs_web"]:create {
      destination = "/Common/10.1.1.1:80", pool = "/Common/web",
    }
  end)
  after_each(function() lab.stop(bip, device, place) end)

  -- Lines of shell with the device in the environment.
  local function shell(lines)
    local path = program.path:match "^(.*)/"
    return program.run({ "-c", ("export PATH=%s:$PATH\nset -e\n%s"):format(path, lines) }, {
      program = "/bin/bash", directory = place.path, env = lab.environment(device),
    })
  end

  -- The block that follows the line `before`.
  local function lines_after(language, words)
    for _, block in ipairs(markdown.blocks(PAGE, language)) do
      if block.text:find(words, 1, true) then return block.text end
    end
    error("no block with " .. words)
  end

  -- What the page shows, and what was printed, without what differs between devices.
  local function plain(text)
    return (text:gsub("127%.0%.0%.1:%d+", "bigip1.example.net"):gsub("%(%d+ reads%)", "(N reads)"))
  end

  it("shows what a check prints", function()
    local done = shell(lines_after("sh", "run --check change.lua"))
    assert.equal(0, done.status, done.err)
    assert.equal(plain(lines_after("", "nothing was written")), plain(done.out))
  end)

  it("has commands that plan, show and apply", function()
    local done = shell(lines_after("sh", "f5lua plan -o change.plan"))
    assert.equal(0, done.status, done.err)
    assert.matches("<html", place:read "change.html")
    assert.equal("/Common/new", bip.ltm.virtual["/Common/vs_web"]:load().pool)
  end)

  it("shows how a drift is refused", function()
    assert.equal(0, shell("f5lua plan -o change.plan change.lua").status)
    bip.ltm.pool["/Common/web"]:modify { description = "written by somebody else" }
    local done = shell "f5lua apply change.plan 2>&1"
    assert.equal(3, done.status)
    local shown = lines_after("", "is not as the plan saw it")
    assert.equal(shown, plain(done.out):sub(1, #shown))
  end)

  it("has changes that must be confirmed", function()
    place:file("check.lua", 'require("f5").connect():close()\n')
    local lines = lines_after("sh", "f5lua apply change.plan --confirm 5m")
    local done = shell("f5lua plan -o change.plan change.lua >/dev/null\n" .. lines)
    assert.equal(0, done.status, done.err)
    local function alike(text)
      return (plain(text):gsub("%d%d%d%d%d%d%d%d%-%d%d%d%d%d%d%-%x%x%x%x", "ID")
        :gsub("%d+%-%d+%-%d+:%d+:%d+:%d+", "TIME"):gsub(":%d+ ", " "))
    end
    local shown = alike(lines_after("", "armed: bigip1.example.net"))
    assert.equal(shown, alike(done.out):sub(1, #shown))
    assert.matches("is confirmed: the device keeps it", done.out)
    place:file("change.lua", (PLAYBOOK:gsub("Common/new", "Common/newer")))
    for _, line in ipairs { 1, 2 } do
      local words = lines_after("sh", "--verify check.lua"):gsub("[^\n]*\n", function(text)
        line = line - 1
        return line == 0 and text or ""
      end)
      place:file("change.lua", (PLAYBOOK:gsub("Common/new", "Common/newer" .. #words)))
      done = shell("f5lua plan -o change.plan change.lua >/dev/null\n" .. words)
      assert.equal(0, done.status, done.err .. done.out)
      assert.matches("the verification passed", done.out)
    end
    place:file("change.lua", (PLAYBOOK:gsub("Common/new", "Common/newest")))
    local runs <const> = lines_after("sh", "f5lua run --confirm 5m change.lua")
    done = shell("f5lua confirm\n" .. runs:match "^[^\n]*\n" .. "f5lua confirm --take-back\n"
      .. runs:match "\n([^\n]*\n)")
    assert.equal(0, done.status, done.err .. done.out)
    assert.matches("armed: .*\nrun\n.*taken back.*\nthe verification passed\n", done.out)
  end)
end)
