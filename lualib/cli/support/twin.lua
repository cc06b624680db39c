-- `f5lua sim --twin`: reads from the real devices what their twins want to know, and answers them.
--
-- The simulated devices run in a thread of their own and put their questions into a queue
-- (runtime/sim/source.h). Each question is a GET, made by a fiber here with a session that can do
-- nothing else (option read_only).
local core = require "f5.core"
local f5 = require "f5"
local json = require "f5.json"
local lines = require "f5.work.lines"
local numbers = require "cli.support.number"
local output = require "cli.support.output"
local profiles = require "f5.trust.profiles"
local usage = require "cli.support.usage"

local M = {}

local PROGRAM <const> = "f5lua sim"
-- A device that is busy is asked again so many times, with these pauses in seconds.
local AGAIN <const>, PAUSE <const> = 3, 0.5
local MAX_LINE <const> = 16 << 20

function M.add_options(parser)
  parser
    :option(
      "--twin",
      "be a twin of a real device: what it has is read from there, changes stay here; -: read one "
        .. "line of JSON with devices and credentials from standard input, and end when it ends"
    )
    :argname("HOST[:PORT]")
    :args "?"
  parser
    :option("-p --profile", "with --twin: a device that f5lua profile has stored")
    :argname "NAME"
  parser:option("--provider", "with --twin: the login provider of the user"):argname "NAME"
  parser:option("--ca", "with --twin: certificates that may sign the device's, PEM"):argname "FILE"
  parser:flag("--no-verify", "with --twin: do not verify the device's certificate")
  parser
    :option("--timeout", "with --twin: seconds for one call to the device")
    :argname "SECONDS"
    :convert(numbers.any("--timeout", "seconds"))
end

--- Refuses options that do not work together.
function M.check(options)
  if type(options.twin) == "table" then options.twin = options.twin[1] or "" end
  if not options.twin then
    for _, name in ipairs { "provider", "ca", "timeout", "no_verify", "profile" } do
      if options[name] then
        usage(("--%s needs --twin"):format((name:gsub("_", "-"))), PROGRAM)
      end
    end
    return
  end
  for _, name in ipairs { "fleet", "provision", "management", "providers", "contrary" } do
    if options[name] then usage(("--twin does not work with --%s"):format(name), PROGRAM) end
  end
  if #options.user > 1 or options.user[1] and options.user[1]:find(":", 1, true) then
    usage(
      "--twin: --user is the name of the user on the real device; the twin has the same", PROGRAM
    )
  end
end

local function line_reader()
  return lines.reader(function()
    usage("--twin -: the line on standard input is too long", PROGRAM)
  end, MAX_LINE)
end

-- { devices = { options of f5.connect, … } } from standard input.
local function read_devices(next_line)
  local line = next_line()
  if not line then usage("--twin -: expected one line of JSON on standard input", PROGRAM) end
  local ok, value = pcall(json.decode, line)
  local devices = ok and type(value) == "table" and value.devices
  if type(devices) ~= "table" then
    usage('--twin -: expected { "devices": [ { "host": … } ] } on standard input', PROGRAM)
  end
  for i, one in ipairs(devices) do
    if type(one) ~= "table" or type(one.host) ~= "string" then
      usage(("--twin -: device %d has no host"):format(i), PROGRAM)
    end
  end
  return devices
end

local Real <const> = {}
Real.__index = Real

-- How to reach the device of --twin HOST, --twin profile:NAME or --twin -p NAME.
local function device_of(options)
  local profile <const> = profiles.of_word(options.twin) or options.profile
  local given = {
    host = not profiles.of_word(options.twin) and options.twin ~= "" and options.twin or nil,
    profile = profile, username = options.user[1], provider = options.provider, ca = options.ca,
    timeout = options.timeout, read_only = true,
  }
  if options.no_verify then given.verify = false end
  given = profiles.resolve(given)
  if not given.host and (os.getenv "F5_SERVER" or "") == "" then
    usage("--twin: no device given; name one, or use -p PROFILE", PROGRAM)
  end
  return given
end

-- The options of f5.connect. The twin has the same user, so the password is needed here.
local function given_options(options)
  local given <const> = device_of(options)
  given.host = given.host or os.getenv "F5_SERVER"
  given.username = given.username or os.getenv "F5_USER"
  if type(given.password) == "userdata" then given.password = core.secret_text(given.password) end
  given.password = given.password or os.getenv "F5_PASSWORD"
  if not given.username then
    usage("--twin: no user; give --user NAME, or set F5_USER", PROGRAM)
  end
  if not given.password or given.password == "" then
    given.password = core.secret_text(core.secret_from_terminal(
      ("Password for %s on %s: "):format(given.username, given.host)
    ) or "")
  end
  return given
end

local function random_password()
  local file <close> = assert(io.open("/dev/urandom", "rb"))
  return (file:read(24):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function label_of(one)
  return one.port and one.port ~= 443 and ("%s:%d"):format(one.host, one.port) or one.host
end

-- Notes the device whose options are given. The twin has its user, with the password of the device
-- and, if somebody else started the twin, with one of its own.
local function add(self, one)
  local n = #self.devices + 1
  one.read_only = true
  local name = type(one.username) == "string" and one.username or "admin"
  local own = self.next_line and random_password() or nil
  local twin = { name = label_of(one), address = "-", logins = {} }
  if own then
    twin.address = ("127.%d.%d.%d"):format(n >> 16, n >> 8 & 255, n & 255)
    twin.logins[1] = { name = name, password = own }
  end
  if type(one.password) == "string" then
    table.insert(twin.logins, { name = name, password = one.password })
  end
  self.devices[n] = one
  self.users[n] = { host = twin.address, username = name, password = own }
  return twin
end

--- What the simulator must know, and how to read from the devices. Logs in to a single device, so
--- that a mistake shows at once.
function M.prepare(options)
  local self = setmetatable({ devices = {}, sessions = {}, failed = {}, users = {} }, Real)
  if options.twin ~= "-" then
    require("cli.support.hints").for_command()
    local given = given_options(options)
    self.sessions[1] = f5.connect(given)
    self.twin = add(self, {
      host = self.sessions[1]:label(), username = given.username, password = given.password,
    })
    return self
  end
  self.next_line = line_reader()
  self.twins = json.array {}
  for i, one in ipairs(read_devices(self.next_line)) do self.twins[i] = add(self, one) end
  self.fleet = #self.twins
  return self
end

-- A session that cannot be opened is tried again, but not for each of the questions that wait.
local TRY_AGAIN <const> = 1

-- The session with a device. Several fibers may want the first one at once.
local function session_of(self, n)
  while self.sessions[n] == "connecting" do core.sleep(0.005) end
  local known, failed = self.sessions[n], self.failed[n]
  if known then return known end
  if failed and core.now() - failed.at < TRY_AGAIN then error(failed.problem, 0) end
  self.sessions[n] = "connecting"
  local ok, session = pcall(f5.connect, self.devices[n])
  self.sessions[n] = ok and session or nil
  self.failed[n] = not ok and { at = core.now(), problem = session } or nil
  if not ok then error(session, 0) end
  return session
end

local function number_of(address)
  if address == "-" then return 1 end
  local b, c, d = address:match "^127%.(%d+)%.(%d+)%.(%d+)$"
  return tonumber(b) << 16 | tonumber(c) << 8 | tonumber(d)
end

-- Tells the twin that the device has not answered in time, see sim/twin/wants.lua.
local TIMED_OUT <const> = 408
local RAW <const> = { raw = "body" }
local BUSY <const> = { [429] = true, [502] = true, [503] = true, [504] = true }

-- range: "FIRST-LAST/TOTAL" of a file, which devices take and give in the header Content-Range; "-"
-- for all other paths. The range of the answer is the first line of the body then.
local function get(self, n, range, path)
  local options = RAW
  if range ~= "-" then options = { raw = true, headers = { ["Content-Range"] = range } } end
  for again = 0, AGAIN do
    local answer = session_of(self, n):request("GET", path, options)
    if not BUSY[answer.status] or again == AGAIN then
      local first = range ~= "-" and (answer.headers["content-range"] or "") .. "\n" or ""
      return answer.status, first .. answer.body
    end
    core.sleep(PAUSE * 2 ^ again)
  end
end

-- Answers one question: "ADDRESS RANGE PATH?QUERY".
local function find(self, server, number, text)
  local address, range, path = text:match "^(%S+) (%S+) (.*)$"
  local ok, status, body = pcall(get, self, number_of(address), range, path)
  if ok then
    server:answer(number, status, body)
  else
    local problem = type(status) == "table" and status or {}
    server:answer(
      number, problem.kind == "timeout" and TIMED_OUT or 0, problem.message or tostring(status)
    )
  end
end

local function answer_questions(self, server)
  local fd = server:source_fd()
  while true do
    core.readable(fd)
    for number, text in server.wanted, server do
      core.spawn(find, self, server, number, text)
    end
  end
end

local function say(value)
  output(json.encode(value), "\n")
  output.flush()
end

-- Adds the device that a line of standard input describes. Returns what the parent is told.
local function add_line(self, device, line)
  local ok, one = pcall(json.decode, line)
  if not ok or type(one) ~= "table" or type(one.host) ~= "string" then
    return { problem = 'expected { "host": … } with options of f5.connect' }
  end
  local twin = add(self, one)
  device:control("add_twin", twin)
  return self.users[#self.users]
end

--- Serves until a signal comes, or until the parent ends.
function Real:serve(device, options)
  if self.next_line then
    say { port = device.port, ca = device.ca, devices = json.array(self.users) }
    local _ <close> = core.spawn(answer_questions, self, device.server)
    for line in self.next_line do say(add_line(self, device, line)) end
    return 0 -- the parent has ended
  end
  output(("twin of %s at %s, CA certificate in %s\n"):format(
    self.twin.name, device.url, options.ca_file or device.ca
  ))
  output.flush()
  answer_questions(self, device.server)
  return 0
end

return M
