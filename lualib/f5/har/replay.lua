-- f5.har.replay(path): answers all calls from a recording, without a network.
--
-- The calls to each device must come in the recorded order. Calls that ran side by side when they
-- were recorded may come in any order: nobody waited for the other. The logins, and what is about
-- f5lua's own tokens, are answered whenever they come.

local clocks = require "f5.plan.clock"
local compare = require "f5.har.compare"
local core = require "f5.core"
local file = require "f5.har.file"
local json = require "f5.json"
local profiles = require "f5.trust.profiles"
local receiver = require "f5.receiver"

local M = {}

local MASK <const> = core.MASK
local LOGIN <const> = "/mgmt/shared/authn/login"
local PASSWORD <const>, TOKEN <const> = "replayed-password", "replayed-token"

local Replay = {}
Replay.__index = Replay
Replay.__name = "f5.replay"

-- -- the recording --------------------------------------------------------------------------------

-- Days from 1970-01-01.
local function days(year, month, day)
  year = month <= 2 and year - 1 or year
  local era <const> = year // 400
  local of_era <const> = year - era * 400
  local of_year <const> = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
  return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
end

-- Microseconds since 1970; nil if the text is no time of ISO 8601.
local function time_of(text)
  local pattern <const> = "^(%d%d%d%d)-(%d%d)-(%d%d)T(%d%d):(%d%d):(%d%d)(%.?%d*)(.*)$"
  local year, month, day, hour, minute, second, fraction, zone = tostring(text):match(pattern)
  if not year then return nil end
  local sign <const>, zone_hour <const>, zone_minute <const> = zone:match "^([+-])(%d%d):?(%d%d)$"
  local seconds = days(year // 1 | 0, month // 1 | 0, day // 1 | 0) * 86400 + hour * 3600
    + minute * 60 + second
  if sign then
    local offset <const> = zone_hour * 3600 + zone_minute * 60
    seconds = sign == "+" and seconds - offset or seconds + offset
  end
  return seconds * 1000000 + math.floor((tonumber("0" .. fraction) or 0) * 1000000 + 0.5)
end

local function is_internal(entry)
  if entry._internal ~= nil then return entry._internal end
  return entry.path == LOGIN and entry.request.method == "POST"
end

local function where_of(url)
  local scheme <const>, where <const> = url:match "^(https?)://([^/?#]+)"
  if where:find ":%d+$" then return where end
  return where .. (scheme == "https" and ":443" or ":80")
end

-- The devices by their addresses. A device: { label, entries in the order of the calls }.
local function devices_of(log)
  local devices, order = {}, {}
  for i, entry in ipairs(log.entries) do
    local where <const> = where_of(entry.request.url)
    local device = devices[where]
    if not device then
      device = { where = where, label = entry._device or where:gsub(":443$", ""), entries = {} }
      devices[where], order[#order + 1] = device, device
    end
    entry.path = entry.request.url:match "^https?://[^/]+([^#]*)" or "/"
    entry.order, entry.started = i, time_of(entry.startedDateTime)
    entry.length = math.type(entry.time) and math.floor(entry.time * 1000) or nil
    entry.internal = is_internal(entry)
    table.insert(device.entries, entry)
  end
  for _, device in ipairs(order) do
    table.sort(device.entries, function(a, b)
      if a.started and b.started and a.started ~= b.started then return a.started < b.started end
      return a.order < b.order
    end)
  end
  return devices, order
end

-- -- answers --------------------------------------------------------------------------------------

local function headers_of(response)
  local lines = { ("HTTP/1.1 %d %s"):format(response.status, response.statusText or "") }
  for _, header in ipairs(response.headers or {}) do
    lines[#lines + 1] = ("%s: %s"):format(tostring(header.name), tostring(header.value))
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

-- The body; or nil and why there is none.
local function body_of(content, to_file)
  local text = content.text
  local size <const> = content.size or 0
  if text == nil or text == "" then
    if size <= 0 then return "" end
    return nil, ("its body of %d bytes is not recorded"):format(size)
  end
  if content.encoding == "base64" then
    text = core.unbase64((text:gsub("%s", "")))
    if not text then return nil, "its body is no valid Base64" end
  end
  if to_file and text:find(MASK, 1, true) then
    return nil, "the file has secrets, which are masked in the recording"
  end
  return text
end

-- A login must give a token. That of the recording is masked.
local function with_token(body)
  local ok, answer = pcall(json.decode, body)
  if not ok or type(answer) ~= "table" or type(answer.token) ~= "table" then return body end
  answer.token.token = TOKEN
  return json.encode(answer)
end

local function answer_of(entry, request)
  local response <const> = entry.response
  if response.status == 0 then
    return { transport = entry._transport or "broken", sent = entry._sent or false }
  end
  local body, why = body_of(response.content or {}, request.to_file)
  if not body then return nil, why end
  if request.internal then body = with_token(body) end
  local mark <const>, now <const> = compare.marks(entry, request)
  if mark then body = body:gsub((mark:gsub("%-", "%%-")), now) end
  return { status = math.tointeger(response.status) or 0, headers = headers_of(response),
    body = body }
end

local OF_LOGIN <const> = ('{"token":{"token":"%s","timeout":1200}}'):format(TOKEN)

-- Recordings may lack what f5lua does for itself.
local function own_answer(request)
  local body <const> = request.path == LOGIN and OF_LOGIN or "{}"
  return { status = 200, headers = "HTTP/1.1 200 OK\r\n\r\n", body = body }
end

-- -- calls ----------------------------------------------------------------------------------------

local function use(device, entry)
  entry.used = true
  if not entry.internal then device.made = (device.made or 0) + 1 end
  return entry
end

local function find_internal(device, request)
  for _, entry in ipairs(device.entries) do
    if entry.internal and not entry.used and entry.request.method == request.method
      and compare.same_text(entry.path, request.path) then
      return use(device, entry)
    end
  end
  return nil
end

-- The entry of the call; or nil and the entry that was expected (nil: none is left).
local function find(device, request)
  local expected, ended
  for i = device.first or 1, #device.entries do
    local entry <const> = device.entries[i]
    if entry.used or entry.internal then goto continue end
    -- It began when an earlier one that is still missing had ended.
    if expected and (not ended or not entry.started or entry.started >= ended) then break end
    if not expected then expected, device.first = entry, i end
    if #compare.differences(entry, request) == 0 then return use(device, entry) end
    local stop <const> = entry.started and entry.length and entry.started + entry.length
    if not stop then break end
    ended = math.min(ended or stop, stop)
    ::continue::
  end
  return nil, expected
end

local function place(line) return line and line ~= "" and "  (" .. line .. ")" or "" end

-- The words about the first call that differs.
local function describe(self, device, request, expected)
  local now <const> = ("%s %s%s"):format(
    request.method, core.mask(request.path), place(request.line))
  if not expected then
    return ("the recording %s has no more calls of %s\n  now       %s"):format(
      self.path, device.label, now)
  end
  local lines = {
    ("call %d of %s differs from the recording %s"):format(
      (device.made or 0) + 1, device.label, self.path),
    ("  recorded  %s %s%s"):format(
      expected.request.method, expected.path, place(expected._line)),
    "  now       " .. now,
  }
  for _, difference in ipairs(compare.differences(expected, request)) do
    lines[#lines + 1] = "  " .. difference
  end
  return table.concat(lines, "\n")
end

function Replay:device(request)
  local device <const> = self.devices[request.where]
  if device then return device end
  if #self.order == 1 then return self.order[1] end
  for _, one in ipairs(self.order) do
    if one.label == request.device then return one end
  end
  return nil
end

local function fail(self, problem)
  self.problem = self.problem or problem
  return self.problem:gsub("\n.*", "")
end

function Replay:answer(request)
  local device <const> = self:device(request)
  if self.problem and request.internal then return own_answer(request) end
  if self.problem then return fail(self) end
  if not device then
    return fail(self, ("the recording %s has no device %s"):format(self.path, request.where))
  end
  self.clock:touch()
  if request.internal then
    local entry <const> = find_internal(device, request)
    return entry and answer_of(entry, request) or own_answer(request)
  end
  local entry <const>, expected <const> = find(device, request)
  if not entry then return fail(self, describe(self, device, request, expected)) end
  local answer <const>, why <const> = answer_of(entry, request)
  if answer then return answer end
  return fail(self, ("the recording %s cannot answer %s %s%s: %s"):format(
    self.path, request.method, entry.path, place(request.line), why))
end

-- -- the run --------------------------------------------------------------------------------------

-- Options of f5.connect that a replay needs no value for.
local NOT_NEEDED <const> = { "ca", "cert", "key", "pin", "proxy", "passphrase", "verify" }

local function host_and_port(device)
  local host <const>, port <const> = device.where:match "^(.*):(%d+)$"
  return host, tonumber(port)
end

-- A profile is not needed to find its device: the label of the device is the name of the profile.
local function use_profile(self, options)
  local name <const> = options.profile or (options.host == nil and profiles.default() or nil)
  options.profile = nil
  if not name or options.host then return end
  options.label = options.label or name
  for _, device in ipairs(self.order) do
    if device.label == name then
      options.host, options.port = host_and_port(device)
      return
    end
  end
  if #self.order ~= 1 then options.host = name end -- Replay:answer says that it is not recorded
end

local function options_of(self, given)
  local options = {}
  if type(given) == "table" then
    for name, value in pairs(given) do options[name] = value end
  elseif given ~= nil then
    options.host = given
  end
  for _, name in ipairs(NOT_NEEDED) do options[name] = nil end
  use_profile(self, options)
  if options.host == nil and not os.getenv "F5_SERVER" and self.order[1] then
    options.host, options.port = host_and_port(self.order[1])
  end
  if options.token == nil then
    options.username = options.username or os.getenv "F5_USER" or self.username or "admin"
    options.password = options.password or PASSWORD
  end
  return options
end

-- Who logged in when it was recorded.
local function username_of(order)
  for _, device in ipairs(order) do
    for _, entry in ipairs(device.entries) do
      local post <const> = entry.internal and entry.request.postData
      local ok, body = pcall(json.decode, post and post.text or "")
      if ok and type(body) == "table" and type(body.username) == "string" then
        return body.username
      end
    end
  end
  return nil
end

local function current_line()
  local _, err = pcall(core.usage_error, "")
  return type(err) == "table" and err.message:match "^(.-): ?$" or ""
end

-- The clock shows the time of the recording, and nobody waits.
local function start_clock(self)
  local clock <const> = clocks.start(function() end, current_line)
  local first
  for _, device in ipairs(self.order) do
    local started <const> = device.entries[1].started
    if started and (not first or started < first) then first = started end
  end
  local offset <const> = first and first // 1000000 - os.time() or 0
  clock.now, clock.changed = offset, offset
  local now <const> = core.now
  core.now = function() return now() + clock.now - offset end
  return clock, function() core.now = now end
end

--- Starts a replay: all devices that f5.connect is asked for are those of the recording.
-- @return replay: a <close> variable
function M.start(path)
  local log <const> = file.read(path)
  local self <const> = setmetatable({ path = path }, Replay)
  self.devices, self.order = devices_of(log)
  self.username = username_of(self.order)
  local f5 <const> = require "f5"
  local connect <const> = core.connect
  local saved <const> = {
    secret_from_command = core.secret_from_command,
    secret_from_terminal = core.secret_from_terminal,
  }
  local function replayed(given) return core.connect_given(options_of(self, given)) end
  core.connect, f5.connect = replayed, replayed
  for name in pairs(saved) do core[name] = function() return PASSWORD end end
  core.replayed_password = PASSWORD
  local restore_now
  self.clock, restore_now = start_clock(self)
  core.replay(function(request) return self:answer(request) end)
  self.stop = function()
    core.replay(nil)
    core.connect, f5.connect = connect, connect
    for name, fn in pairs(saved) do core[name] = fn end
    core.replayed_password = nil
    restore_now()
    self.clock:stop()
  end
  return self
end

--- The recorded calls that were not made, without logins: array of { device, method, path, line }.
function Replay:left()
  local list = {}
  for _, device in ipairs(self.order) do
    for _, entry in ipairs(device.entries) do
      if not entry.used and not entry.internal then
        list[#list + 1] = { device = device.label, method = entry.request.method,
          path = entry.path, line = entry._line }
      end
    end
  end
  return list
end

--- What differs from the recording: a text; nil if all recorded calls were made, and no others.
function Replay:difference()
  if self.problem then return self.problem end
  local left <const> = self:left()
  if #left == 0 then return nil end
  local first <const> = left[1]
  return ("%d recorded %s not made: %s; the first is %s %s of %s%s"):format(
    #left, #left == 1 and "call was" or "calls were", self.path, first.method, first.path,
    first.device, place(first.line))
end

--- Raises an error of kind "not_recorded" if something differs from the recording.
function Replay:check()
  local difference <const> = self:difference()
  if difference then
    error(core.error_new { kind = "not_recorded", message = difference }, 0)
  end
end

--- Ends it: f5.connect leads to devices again.
function Replay:close()
  if self.stop then self.stop() end
  self.stop = nil
end

receiver.guard(Replay, "a replay")
Replay.__close = Replay.close

return M
