--- `.check on`: what is typed is tried with a twin of the device, and nothing is written.

local Device = require "console.device"
local shown = require "cli.support.change.check"

local M = {}

-- Prints what the entries would do to the device.
local function report(console)
  local check = console.check.run
  check:collect()
  console.output:text((shown.text(check, console.output.colour):gsub("\n$", "")))
end

function M.on(console)
  if console.check then return console.output:note "check mode is on already" end
  local real = console.device
  if not real then
    return console.output:problem "error: there is no device; .connect HOST logs in to one"
  end
  local check = require("f5.plan.check").start {}
  local ok, twin = pcall(check.twin_session, check, real.session)
  if not ok then
    check:finish()
    error(twin, 0)
  end
  console.check = { run = check, real = real }
  console:use(Device.of(twin, real.options, " check"))
  console.output:note(
    "nothing is written from here on; .check shows what would be, .check off ends it"
  )
end

--- Ends check mode without a word: the console ends.
function M.drop(console)
  local of = console.check
  if not of then return end
  console.check = nil
  of.run:finish()
  of.run:close()
  console:use(of.real)
end

function M.off(console)
  if not console.check then return console.output:note "check mode is off already" end
  local ok, err = pcall(report, console)
  M.drop(console)
  if not ok then error(err, 0) end
  console.output:note("bip is " .. console.device.name .. " again: what you type is written")
end

function M.show(console)
  if not console.check then
    return console.output:note "check mode is off; .check on turns it on"
  end
  report(console)
end

return M
