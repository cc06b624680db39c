-- Prints a plan.
local host = require "f5.host"
local json = require "f5.json"
local output = require "cli.support.output"
local kind_of_path = require("f5.table.columns").kind_of_path
local terminal = require "f5.terminal"

local M = {}

local MAX_SHOWN <const> = 50 -- of what is left out

local line <const> = output.line

local function report_of(device)
  local report = { differences = {}, not_compared = {} }
  for i, entry in ipairs(device.differences) do
    local copy = {}
    for key, value in pairs(entry) do copy[key] = value end
    for _, change in ipairs(copy.changes or {}) do
      if change.old == json.null then change.old = nil end
      if change.new == json.null then change.new = nil end
    end
    report.differences[i] = copy
  end
  return report
end

M.report_of = report_of

local function described(step)
  local validation = step.validation
  local mark = validation and (validation.state:gsub("_", " ")) or ""
  if validation and validation.message then mark = mark .. ": " .. validation.message end
  return ("  %3d  %s  %s %s%s%s"):format(
    step.n, step.line, step.method, step.path, step.sealed and "  (encrypted)" or "",
    mark ~= "" and "  " .. mark or ""
  )
end

--- What a plan of `--to` leaves out: array of texts. Secrets of the same kind are one text.
function M.left_out_texts(list)
  local texts, counts = {}, {}
  for _, one in ipairs(list) do
    local secret <const> = one.path and one.reason:match "^(%S+): secret$"
    local text = secret and ("%s of %s: secret"):format(secret, kind_of_path(one.path))
      or ("%s: %s"):format(one.path or one.kind or "?", one.reason)
    if not counts[text] then texts[#texts + 1] = text end
    counts[text] = (counts[text] or 0) + 1
  end
  for i, text in ipairs(texts) do
    if counts[text] > 1 then texts[i] = ("%s (%d objects)"):format(text, counts[text]) end
  end
  return texts
end

--- Prints what a plan of `--to` leaves out.
function M.left_out(list, put)
  if #list == 0 then return end
  put(("left out (%d)"):format(#list))
  local texts <const> = M.left_out_texts(list)
  for i, text in ipairs(texts) do
    if i > MAX_SHOWN then
      put(("  … and %d more; --output json has all of them"):format(#texts - MAX_SHOWN))
      break
    end
    put("  ", terminal.line(text))
  end
end

--- Prints what a plan depends on without being compared again.
function M.unwatched(list, put)
  if #list == 0 then return end
  put "not watched: apply does not notice a change"
  for _, one in ipairs(list) do
    put("  ", terminal.line(("%s  %s: %s"):format(one.line, one.what, one.reason)))
  end
end

-- Where apply logs in, if the label does not say it.
local function address_of(device)
  if not device.host then return "" end
  local address = device.host .. (device.port and ":" .. math.tointeger(device.port) or "")
  local is_shown = device.label == device.host or device.label == address
  return is_shown and "" or " at " .. terminal.line(address)
end

local function put_device(device, colour)
  local who = device.identity
  line(("%s%s%s"):format(
    device.label, address_of(device),
    who.hostname and (" (%s, version %s%s)"):format(
      who.hostname, who.version or "unknown", who.serial and ", serial " .. who.serial or ""
    ) or ""
  ))
  require("f5.state.show").write(report_of(device), "text", output, {
    colour = colour, verbs = require("f5.plan.findings").VERBS,
  })
  line "steps"
  for _, step in ipairs(device.steps) do line(terminal.line(described(step))) end
  M.left_out(device.left_out or {}, line)
  M.unwatched(device.unwatched or {}, line)
  if #device.assumed > 0 then line "assumed" end
  for _, one in ipairs(device.assumed) do
    line("  ", terminal.line(("%s%s: %s"):format(
      one.path or "", one.property and "." .. one.property or "", one.reason or ""
    )))
  end
end

-- Where a plan comes from: a playbook with its arguments, or what the device is to be like.
local function origin(made)
  if made.to then return "plan to make it like " .. tostring(made.to) end
  local words = { made.playbook or "?" }
  for _, word in ipairs(made.arguments or {}) do words[#words + 1] = tostring(word) end
  return ("plan of %s%s"):format(
    table.concat(words, " "), made.against and " against " .. tostring(made.against) or ""
  )
end

--- Prints a plan as text.
function M.text(plan)
  local made = plan.made
  line(terminal.line(("%s, made at %s with f5lua %s"):format(
    origin(made), made.time or "?", made.f5lua or "?"
  )))
  for _, device in ipairs(plan.devices) do put_device(device, host.is_terminal(1)) end
end

--- Prints a plan as HTML: the differences of all devices, one page.
function M.html(plan)
  local all = { differences = {}, not_compared = {} }
  for _, device in ipairs(plan.devices) do
    for _, entry in ipairs(report_of(device).differences) do
      entry.notes = entry.notes or {}
      if #plan.devices > 1 then table.insert(entry.notes, 1, device.label) end
      table.insert(all.differences, entry)
    end
  end
  require("f5.state.show").write(all, "html", output, {
    title = "Plan of " .. tostring(plan.made.playbook or plan.made.to or "?"),
    verbs = require("f5.plan.findings").VERBS,
  })
end

return M
