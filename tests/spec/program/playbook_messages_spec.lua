-- What a playbook says to the person who runs it: f5.fail, f5.live, f5.files.
local program = require "program"

local function run(text, options)
  local directory <close> = program.directory()
  local file <const> = directory:file("book.lua", 'local f5 = require "f5"\n' .. text)
  return program.run({ file }, options)
end

describe("f5.fail", function()
  it(
    "ends the playbook with status 1 and its message alone, after the <close> variables",
    function()
      assert.same(
        { status = 1, out = "closed\n", err = "f5lua: 3 of 7 are left\n" },
        run [[
      local x <close> = setmetatable({}, { __close = function() print "closed" end })
      f5.fail("%d of %d are left", 3, 7)]])
    assert.equal("f5lua: 100%\n", run('f5.fail "100%"').err)
  end)

  it("is an error that can be caught and told apart", function()
    local result <const> = run [[
      print(f5.try(f5.fail, "no"))
      print(select(2, f5.try(f5.fail, "no")).kind, select(2, pcall(f5.fail, {})))]]
    assert.equal("", result.err)
    assert.matches(
      "^false\tno\nfailed\t.*book.lua:%d+: f5.fail: expected a message, got a table\n$",
      result.out
    )
  end)
end)

describe("f5.live", function()
  local SCRIPT <const> = [[
    do
      local line <close> = f5.live()
      line "3 left" line "3 left" line "2 left\nfake"
    end
    io.stderr:write "next\n"
    print(pcall(f5.live(), 7))]]

  it("writes a line for each text that differs, when there is no terminal", function()
    local result <const> = run(SCRIPT)
    assert.equal("3 left\n2 left\nfake\nnext\n", result.err)
    assert.matches("^false\t.*f5.live: expected a string, got a number\n$", result.out)
    assert.same({ status = 0, out = "", err = "" }, run 'f5.live { quiet = true } "3 left"')
  end)

  it("writes one in the place of the other on a terminal, and none that wraps", function()
    local directory <close> = program.directory()
    local file <const> = directory:file(
      "book.lua",
      'local f5 = require "f5"\n' .. SCRIPT:gsub("print.*", "f5.live()(('ä'):rep(99))")
    )
    local result <const> = program.run({ "-qec", program.path .. " " .. file, "/dev/null" }, {
      program = "/usr/bin/script",
      env = { TERM = "xterm", COLUMNS = 20 },
    })
    assert.equal(
      "\r3 left\27[K\r2 left fake\27[K\nnext\n\r" .. ("ä"):rep(19) .. "\27[K",
      (result.out:gsub("\r\n", "\n"))
    )
  end)
end)

describe("f5.files", function()
  it("names the files that are like a pattern, sorted", function()
    local directory <close> = program.directory()
    for _, name in ipairs { "b.ucs", "a.ucs", "c.txt", ".hidden.ucs" } do
      directory:file(name, "")
    end
    local result <const> = program.run({
      "-e",
      [[
      local f5 = require "f5"
      print(table.concat(f5.files("]]
        .. directory.path .. [[", "*.ucs"), " "), #f5.files("/nowhere", "*"))
      print(pcall(f5.files, "."))]],
    })
    assert.equal("", result.err)
    assert.matches(
      "^"
        .. directory.path:gsub("%p", "%%%0") .. "/a.ucs " .. directory.path:gsub("%p", "%%%0")
        .. "/b.ucs\t0\nfalse\t.*expected a directory",
      result.out
    )
  end)
end)

describe("bip:guard and bip:undoable", function()
  for _, name in ipairs { "guard", "undoable" } do
    it("show the line that failed: bip:" .. name, function()
      local directory <close> = program.directory()
      local file <const> = directory:file("book.lua", ([[
local bip <close> = require "f5".connect()
bip:%s(function()
  bip.ltm.pool["/Common/p"]:create {}
  error "no more"
end)]]):format(name))
      local result <const> = program.run({ "run", "--sim", file }, {
        env = { XDG_STATE_HOME = directory.path },
      })
      assert.equal(1, result.status)
      assert.matches("book%.lua:4: no more\n.*book%.lua:4: in .*book%.lua:2: in main chunk",
        result.err)
    end)
  end
end)
