-- The line that a person sees while a file is carried.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local terminal = require "terminal"

describe("A long upload", function()
  local device
  before_each(function() device = sim.start { latency_ms = 500 } end)
  after_each(function() device:stop() end)

  local CHUNK <const> = [[require("f5").connect():upload(%q) print "sent"]]

  local function environment()
    return lab.environment(device)
  end

  it("shows on a terminal how far it is, after two seconds", function()
    local directory <close> = program.directory()
    local chunk <const> = CHUNK:format(directory:file("big.bin", ("x"):rep(8 << 20)))
    local screen <close> = terminal.start(
      { "-e", chunk },
      { env = environment(), errors_too = true, columns = 100 }
    )
    local written <const> = screen.record()
    f5.sleep(1.6)
    assert.equal("", screen.screen())
    screen:expect(
      "big%.bin  %[#+%.+%]  %d%d %%  [4-7]%.0 MiB of 8%.0 MiB  %S+ MiB/s  0:0%d left",
      20
    )
    screen:expect("big%.bin  %[#+%] 100 %%  8%.0 MiB of 8%.0 MiB  %S+ MiB/s  0:00 left\nsent", 20)
    -- a MiB takes half a second or more
    local first <const> = written():match "(%d)%.0 MiB of 8%.0 MiB"
    assert.is_true(tonumber(first) <= 5, first)
  end)

  it("shows nothing where nobody looks", function()
    local directory <close> = program.directory()
    local chunk <const> = CHUNK:format(directory:file("big.bin", ("x"):rep(6 << 20)))
    assert.same(
      { status = 0, out = "sent\n", err = "" },
      program.run({ "-e", chunk }, { env = environment() })
    )
  end)
end)
