-- A disk on which nothing more fits: the message says which file, and nothing that is half written
-- stays.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local device, directory, environment

-- Runs f5lua, its two outputs in one, where a file may have so many KiB and no more, which is as
-- full as a test can make a disk.
local function run(kib, words)
  local quoted = {}
  for i, word in ipairs(words) do
    quoted[i] = "'" .. word .. "'"
  end
  local line = (
    "(ulimit -f %d; exec %s %s) 2>&1 | cat; exit ${PIPESTATUS[0]}"
  ):format(
    kib,
    program.path,
    table.concat(quoted, " ")
  )
  return program.run(
    { "-c", line },
    { program = "/bin/bash", env = environment, directory = directory.path }
  )
end

describe("a full disk", function()
  before_each(function()
    device = sim.start()
    directory = program.directory()
    directory:file(
      "sites.lua",
      ("return { devices = { { name = 'd1', host = '127.0.0.1', port = %d } } }"):format(
        device.port
      )
    )
    directory:file("one.lua", "return bip.sys.version:load().kind")
    environment = lab.environment(device)
  end)
  after_each(function() lab.stop(directory, device) end)

  it("keeps no part of a download, and names the file", function()
    device:control(
      "write_file",
      { path = "/var/config/rest/downloads/big", text = ("x"):rep(300000) }
    )
    local result = run(
      16,
      {
        "-e",
        "local f5 = require [[f5]] local bip <close> = f5.connect {} bip:download([[big]], "
          .. "[[copy]])",
      }
    )
    assert.equal(3, result.status)
    assert.matches("^f5lua: copy: cannot write the file: File too large\n", result.out)
    assert.equal(0, #f5.files(directory.path, "copy*"))
  end)

  it("names the report that cannot be written", function()
    local result = run(0, { "run", "--inventory", "sites.lua", "--report", "r.csv", "one.lua" })
    assert.equal(1, result.status)
    assert.matches("f5lua: cannot write the report: r.csv: File too large\n$", result.out)
  end)

  it("keeps the old snapshot and the old plan, and names them", function()
    directory:file("p.lua", [[local bip <close> = require("f5").connect {}
      for i = 1, 20 do bip.ltm.pool["/Common/p" .. i]:create { description = ("x"):rep(200) } end]])
    local commands <const> = {
      ["s.json"] = { "snapshot", "-o", "s.json", "ltm/profile" },
      ["c.plan"] = { "plan", "-o", "c.plan", "p.lua" },
    }
    for name, words in pairs(commands) do
      assert.equal(0, run(100000, words).status)
      local before <const> = directory:read(name)
      local result <const> = run(2, words)
      assert.equal(3, result.status)
      assert.matches("cannot write " .. name .. ": File too large", result.out)
      assert.equal(before, directory:read(name))
      assert.equal(1, #f5.files(directory.path, name .. "*"))
    end
  end)

  it("names the recording that cannot be begun, and keeps no part of it", function()
    local result = run(0, { "run", "--record", "run.har", "-e", "require('f5').connect()" })
    assert.equal(2, result.status)
    assert.matches("^f5lua: run.har: cannot write: File too large\n", result.out)
    assert.equal(0, #f5.files(directory.path, "run.har*"))
    assert.equal(0, #device:log())
  end)

  it("names the journal that cannot be begun, before it touches a device", function()
    local result =
      run(0, { "run", "--inventory", "sites.lua", "--journal", "run.journal", "one.lua" })
    assert.equal(1, result.status)
    assert.equal(
      "f5lua: the journal run.journal: cannot write: File too large\n",
      result.out
    )
    assert.equal("", directory:read "run.journal")
    assert.equal(0, #device:log())
  end)

  it("names the journal that cannot be written, and ends the run", function()
    directory:file("long.lua", "return bip.sys.version:load().kind:rep(100)")
    local result =
      run(1, { "run", "--inventory", "sites.lua", "--journal", "run.journal", "long.lua" })
    assert.equal(1, result.status)
    local words = "the journal run.journal: cannot write: File too large"
    assert.matches("stopped: " .. words .. "%)\nf5lua: " .. words .. "\n", result.out)
    assert.matches('^{"journal":"f5lua",[^\n]*\n$', directory:read "run.journal")
  end)
end)
