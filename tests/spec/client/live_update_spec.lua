-- Live update over HTTPS: availability, installations, update files.
local f5 = require "f5"
local lab = require "lab"

local failure <const> = lab.failure

local TYPES <const> = {
  "asm-attack-signatures",
  "behavioral-waf",
  "bot-signatures",
  "browser-challenges",
  "credential-stuffing",
  "server-technologies",
  "threat-campaigns",
}
local BOT <const> = "bot-signatures"

describe("G32 live update", function()
  local device, bip, live
  before_each(function()
    device, bip = lab.start {
      provision = { "asm" },
      seed = {
        live_update = {
          [BOT] = {
            { createDateTime = "2026-01-05T10:00:00Z" },
            { createDateTime = "2026-01-06T10:00:00Z", broken = true },
          },
        },
      },
    }
    live = f5.asm(bip).live
  end)
  after_each(function() lab.stop(bip, device) end)

  it("knows every component of the table", function()
    for _, type in ipairs(TYPES) do
      local availability <const> = live:check(type)
      assert.equal(("tm:live-update:%s:availabilitystate"):format(type), availability.kind)
      assert.equal(type == BOT and "update-available" or "no-update-available", availability.status)
      assert.equal(
        "never",
        type == "threat-campaigns" and "never"
          or bip:at("live-update", type, "install-schedule"):load().frequency
      )
      for _, installation in ipairs(live:installations(type)) do
        assert.matches(
          "/update%-files/" .. ("%x"):rep(32) .. "$",
          installation.updateFileReference.link
        )
      end
    end
    assert.equal(0, #live:installations "threat-campaigns")
    assert.equal("install-complete", live:installations("asm-attack-signatures")[1].status)
    assert.matches(
      "^ASM%-AttackSignatures_%d+_%d+%.im$",
      live:files("asm-attack-signatures")[1].filename
    )
  end)

  it("retrieves a new file, installs it, and says when that is done", function()
    assert.equal(1, #live:files(BOT))
    live:check(BOT)
    local files <const> = live:files(BOT)
    assert.equal(2, #files)
    assert.equal("BotSignatures_20260105_100000.im", files[2].filename)
    assert.is_false(files[2].isGenesis)
    local new <const> = live:installations(BOT)[2]
    assert.equal("new", new.status)
    assert.is_nil(new.loadDateTime)
    local states = {}
    local done <const> = live:install(BOT, new):wait {
      interval = 0.02,
      progress = function(state) states[state] = true end,
    }
    assert.is_true(states.installing)
    assert.equal("install-complete", done.status)
    assert.is_truthy(done.loadDateTime)
    assert.equal(
      "no-update-available",
      (function()
        live:check(BOT)
        return live:check(BOT)
      end)().status
    )
  end)

  it("keeps a file ready with stage", function()
    live:check(BOT)
    local new <const> = live:installations(BOT)[2]
    assert.equal("staged", live:stage(BOT, new.id):wait().status)
    assert.equal("install-complete", live:install(BOT, new):wait({ interval = 0.05 }).status)
    assert.equal(
      "invalid",
      failure(
        function()
          bip:at("live-update", BOT, "installations", new.id):modify { status = "later" }
        end
      ).kind
    )
  end)

  it("says when an installation failed", function()
    live:check(BOT)
    live:check(BOT)
    local broken <const> = live:installations(BOT)[3]
    local err <const> = failure(function() live:install(BOT, broken):wait { interval = 0.05 } end)
    assert.equal("task", err.kind)
    assert.equal("error", live:installations(BOT)[3].status)
    live:delete(BOT, live:files(BOT)[3])
    assert.equal(2, #live:installations(BOT))
  end)

  it("deletes files that are not installed, and no others", function()
    live:check(BOT)
    local files <const> = live:files(BOT)
    assert.matches("install%-complete", failure(function() live:delete(BOT, files[1]) end).message)
    live:delete(BOT, files[2])
    assert.equal(1, #live:files(BOT))
    assert.equal(1, #live:installations(BOT))
    assert.equal("not_found", failure(function() live:delete(BOT, files[2]) end).kind)
  end)

  it("has a schedule that can be changed", function()
    local schedule <const> = bip:at("live-update", BOT, "install-schedule")
    schedule:modify { frequency = "daily", applyOnSundays = true, nothing = 1, startTime = 5 }
    local after <const> = schedule:load()
    assert.equal("daily", after.frequency)
    assert.is_true(after.applyOnSundays)
    assert.equal("00:00", after.startTime)
    assert.is_nil(after.nothing)
  end)
end)
