-- The formats of reports. The ending of a file's name chooses one.

local json = require "f5.json"
local terminal = require "f5.terminal"

local M = {}

-- The line that begins each CSV report.
local CSV_HEAD <const> = "device,state,changed,calls,bytes,seconds,result"

local function csv_cell(text)
  return text:find '[",\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

local writers = {}

function writers.json(report)
  return terminal.json(json.encode(report:plain(), { sort = true, indent = 2 })) .. "\n"
end

function writers.csv(report)
  local lines = { CSV_HEAD }
  for _, entry in ipairs(report.devices) do
    lines[#lines + 1] = table.concat({
      csv_cell(terminal.line(entry.name)),
      entry.state,
      entry.changed and "yes" or "no",
      entry.calls,
      entry.bytes,
      ("%.3f"):format(entry.duration),
      csv_cell(report.outcome(entry)),
    }, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

function writers.html(report) return require("f5.reports.page").of(report) end
function writers.xml(report) return require "f5.reports.junit"(report) end

--- Returns the function(report) -> text for the name of a file; nil and a message if there is none.
function M.writer(path)
  local found = writers[path:match "%.(%l+)$" or ""]
  if found then return found end
  return nil, ("the name of a report must end with .html, .xml, .json or .csv, not '%s'"):format(
    path
  )
end

--- Watches the run if its report needs that: only a page shows single calls.
-- @param path string|nil: the name of the file
-- @return a watch for a <close> variable; nil: none is needed
function M.watch(path)
  return path and path:find "%.html$" and require("f5.reports.watch").start() or nil
end

--- Whether a text is a report of f5lua, or empty. A new report may replace it.
function M.is_report(text)
  if text == "" or text:sub(1, #CSV_HEAD) == CSV_HEAD then return true end
  if require("f5.reports.page").is_page(text) then return true end
  if text:find '^<%?xml [^\n]*\n<testsuites name="f5lua" ' then return true end
  local ok, value = pcall(json.decode, text)
  return ok and type(value) == "table" and type(value.counts) == "table"
    and type(value.devices) == "table"
end

return M
