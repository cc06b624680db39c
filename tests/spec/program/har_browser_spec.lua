-- Other programs read the recordings of f5lua: a validator with the schema of HAR 1.2, and the
-- network panel of a real Chromium.
local browser = require "observed.browser"
local f5 = require "f5"
local lab = require "lab"
local program = require "program"

local PLAYBOOK <const> = [[
local f5 = require "f5"
local bip <close> = f5.connect { label = "web1", retries = { count = 3, delay = 0.01 } }
local pool = bip.ltm.pool["/Common/p"]
pool:create { description = 'a "quoted" line\n und ähnliches' }
pool:load { select = { "name", "description" } }
bip:upload "up"
bip:download("up", "down")
bip.ltm.rule:list()
pcall(function() bip.ltm.node:list() end)
pcall(function() bip.ltm.virtual["/Common/none"]:load() end)
]]

describe("E4 a recording", function()
  local device, place
  lab.block(setup, teardown, before_each, function(given_device, given_place)
    device, place = given_device, given_place
  end)

  local function looked_at_by_others()
    device:fault { match = { path = "ltm/rule" }, kind = "busy", times = 2 }
    device:fault { match = { path = "ltm/node" }, reset = true, times = 20 }
    place:file("up", ("\0binary\1"):rep(20000))
    local done <const> = program.run({ "run", "--record", "a.har", place:file("p.lua", PLAYBOOK) },
      { env = lab.environment(device), directory = place.path })
    device:clear_faults()
    assert.equal(0, done.status, done.err)
    local seen <const> = browser.run("har.mjs", place.path .. "/a.har")
    assert.same({}, seen.schema)
    if seen.missing ~= f5.null then
      return pending("this Chromium has other developer tools: " .. seen.missing)
    end
    assert.same({}, seen.problems)
    local entries <const> = f5.json.decode(place:read "a.har").log.entries
    assert.equal(#entries, #seen.rows)
    local shown = {}
    for i, row in ipairs(seen.rows) do
      shown[i] = table.concat({ row[1], row[2], row[3] }, " ")
    end
    assert.equal("login 200 fetch", shown[1])
    assert.equal("pool 200 fetch", shown[2])
    assert.equal("~Common~p?$select=name,description 200 fetch", shown[3])
    local text <const> = table.concat(shown, "\n")
    assert.matches("rule%S* 503 fetch\nrule%S* 503 fetch\nrule%S* 200 fetch\n", text)
    assert.matches("~Common~none 404 fetch", text)
    assert.matches("node%S* Finished fetch", text) -- it shows no failures of other programs
  end

  it("is valid, and the developer tools of Chromium show its calls",
    browser.test(function(why) return pending(why) end, looked_at_by_others))
end)
