-- What HAR 1.2 asks of a file (http://www.softwareishard.com/blog/har-12-spec/): a list of what is
-- wrong with it.

local M = {}

-- name -> type; "?" behind it: it may be missing.
local LOG <const> = { version = "string", creator = "table", entries = "table", pages = "table?" }
local ENTRY <const> = {
  startedDateTime = "string", time = "number", request = "table", response = "table",
  cache = "table", timings = "table", comment = "string?", serverIPAddress = "string?",
}
local REQUEST <const> = {
  method = "string", url = "string", httpVersion = "string", cookies = "table", headers = "table",
  queryString = "table", postData = "table?", headersSize = "number", bodySize = "number",
}
local RESPONSE <const> = {
  status = "number", statusText = "string", httpVersion = "string", cookies = "table",
  headers = "table", content = "table", redirectURL = "string", headersSize = "number",
  bodySize = "number",
}
local CONTENT <const> = {
  size = "number", mimeType = "string", text = "string?", encoding = "string?",
  comment = "string?",
}
local POST_DATA <const> = { mimeType = "string", text = "string", comment = "string?" }
local PAIR <const> = { name = "string", value = "string" }
local TIMINGS <const> = {
  blocked = "number?", dns = "number?", connect = "number?", send = "number", wait = "number",
  receive = "number", ssl = "number?",
}

local function check(problems, where, value, rules)
  for name, rule in pairs(rules) do
    local want <const>, optional <const> = rule:match "%a+", rule:sub(-1) == "?"
    if not (value[name] == nil and optional) and type(value[name]) ~= want then
      problems[#problems + 1] = ("%s.%s: a %s"):format(where, name, type(value[name]))
    end
  end
  for name in pairs(value) do -- names that begin with _ are anybody's own
    if not rules[name] and name:sub(1, 1) ~= "_" then
      problems[#problems + 1] = ("%s.%s: unknown"):format(where, name)
    end
  end
end

local function check_pairs(problems, where, list)
  for i, pair in ipairs(list) do check(problems, where .. "[" .. i .. "]", pair, PAIR) end
end

local function check_times(problems, where, entry)
  local times <const>, sum = entry.timings, 0
  for name, time in pairs(times) do
    if name ~= "ssl" and time ~= -1 then sum = sum + time end
    local may_be_absent <const> = name ~= "send" and name ~= "wait" and name ~= "receive"
    if time < 0 and not (time == -1 and may_be_absent) then
      problems[#problems + 1] = where .. ".timings." .. name .. " is negative"
    end
  end
  if math.abs(sum - entry.time) > 0.01 then
    problems[#problems + 1] = ("%s.time: %g instead of %g"):format(where, entry.time, sum)
  end
  if times.ssl and times.ssl > times.connect then
    problems[#problems + 1] = where .. ".timings: connect does not contain ssl"
  end
  if not entry.startedDateTime:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d+Z$" then
    problems[#problems + 1] = where .. ".startedDateTime: " .. entry.startedDateTime
  end
end

--- Returns the list of problems of a decoded file.
function M.problems(har)
  local problems = {}
  check(problems, "log", har.log, LOG)
  check(problems, "log.creator", har.log.creator, { name = "string", version = "string" })
  if har.log.version ~= "1.2" then problems[1] = "version" end
  for i, entry in ipairs(har.log.entries) do
    local where <const> = "entry " .. i
    check(problems, where, entry, ENTRY)
    check(problems, where .. ".request", entry.request, REQUEST)
    check(problems, where .. ".response", entry.response, RESPONSE)
    check(problems, where .. ".content", entry.response.content, CONTENT)
    check(problems, where .. ".timings", entry.timings, TIMINGS)
    if entry.request.postData then
      check(problems, where .. ".postData", entry.request.postData, POST_DATA)
    end
    for _, side in ipairs { "request", "response" } do
      check_pairs(problems, where .. "." .. side .. ".headers", entry[side].headers)
    end
    check_pairs(problems, where .. ".queryString", entry.request.queryString)
    check_times(problems, where, entry)
  end
  return problems
end

return M
