-- The kind "undo": takes back what the change records of another run say about a device.

local calls = require "f5.queue.calls"
local core = require "f5.core"
local files = require "f5.safe.files"
local json = require "f5.json"
local merged = require "f5.queue.merged"
local safe = require "f5.safe"
local words = require "f5.safe.words"

local M = {}

function M.open(content)
  if math.type(content.undo_of) ~= "integer" then
    core.usage_error "its manifest does not say which run it takes back"
  end
  return { undone = content.undo_of }
end

local function digest_of(rows)
  local lines = {}
  for i, row in ipairs(rows) do lines[i] = row.line .. "\n" end
  return core.sha256(table.concat(lines))
end

-- The record that was there when the undo was submitted.
local function record_of(job, run, device)
  local rows = job:ask(function(db) return calls.records(db, run.undone, device.undo.position) end)
  local name <const> = ("the change record of %s in run %d"):format(device.name, run.undone)
  if #rows == 0 then core.usage_error(name .. " is not there any more") end
  if digest_of(rows) ~= device.undo.sha256 then
    core.usage_error(name .. " has changed since the undo was submitted")
  end
  return files.parse(merged.text(rows), name)
end

local function texts(list, text_of)
  local out = json.array {}
  for i, one in ipairs(list) do out[i] = text_of(one) end
  return out
end

-- What a playbook wrote to devices to which it connected by itself.
local function elsewhere(contents, number)
  local names, seen = json.array {}, {}
  for _, step in ipairs(contents.steps) do
    local name <const> = contents.devices[step.device].name
    if step.device ~= number and step.state ~= "failed" and not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  return names
end

local function counted(n, check, is_complete)
  if n == 0 then return is_complete and "everything was as before" or "not as before" end
  return ("%s %d change%s"):format(
    check and "would take back" or "took back", n, n == 1 and "" or "s"
  )
end

local function shown(result, others, check, saved)
  local is_complete <const> = result.complete and #others == 0
  return {
    text = counted(#result.done, check, is_complete),
    complete = is_complete, done = texts(result.done, words.operation),
    left = texts(result.left, words.left), not_reversible = texts(result.lost, words.lost),
    other_devices = #others > 0 and others or nil, saved = saved,
  }
end

local function incomplete(report)
  local others <const> = report.other_devices or {}
  local first <const> = report.left[1] or report.not_reversible[1]
    or "the playbook also wrote to " .. table.concat(others, ", ")
  local count <const> = #report.left + #report.not_reversible + math.min(#others, 1)
  return ("not everything is as before: %s%s"):format(first,
    count > 1 and (" (and %d more)"):format(count - 1) or "")
end

function M.work(job, run, device, bip)
  local contents <const> = record_of(job, run, device)
  local number <const> = safe.find_device(contents, bip)
  if not number then
    core.usage_error(("%s is not the device of the change record: %s"):format(
      bip:label(), contents.devices[1].name))
  end
  local others <const> = elsewhere(contents, number)
  local check <const> = run.options.check or nil
  local result <const> = safe.take_back(bip, contents, number, {
    check = check, force = run.options.force, recorded = true,
  })
  local save <const> = run.options.save and not check and #result.done > 0
  if save then bip.sys.config:run "save" end
  local report <const> = shown(result, others, check, save or nil)
  if report.complete or check then return { result = report } end
  return { result = report, problem = result.failure or incomplete(report) }
end

return M
