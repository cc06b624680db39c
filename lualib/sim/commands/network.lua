-- Commands that reach other hosts: ping and mail. A simulated device has no network. The hosts that
-- its configuration names answer a ping; all others do not. Mail waits in the queue, as on a device
-- that cannot reach its mail server.
local json = require "f5.json"
local errors = require "sim.http.errors"
local logs = require "sim.status.logs"
local names = require "sim.config.names"
local texts = require "sim.text"
local validate = require "sim.config.validate"

local M = {}

local ROOT <const> = "/mgmt/tm/"
local SERVERS <const> = ROOT .. "sys/smtp-server"
local MAX_PINGS <const> = 1000

local function refuse(message) error(errors.tm(400, message, 1), 0) end

-- -- ping --

-- "10.0.0.1%2/24" -> "10.0.0.1"
local function bare(text) return type(text) == "string" and text:match "^[^%%/]+" or nil end

-- Collections whose objects have addresses of the device or of hosts around it, and the property.
local ADDRESSES <const> = {
  { "net/self", "address" }, { "net/route", "gw" }, { "cm/device", "managementIp" },
  { "cm/device", "configsyncIp" },
}

-- Whether a node answers: what monitors found counts.
local function node_answers(device, host)
  for _, segment in ipairs(device.store:segments(ROOT .. "ltm/node")) do
    local path = ROOT .. "ltm/node/" .. segment
    local node = device.store:get(path)
    local fqdn = type(node.fqdn) == "table" and node.fqdn.tmName
    local is_meant = bare(node.address) == host or fqdn == host
    if is_meant and device.state.monitoring.found[path] ~= "down" then return true end
  end
  return false
end

-- Whether a virtual address answers.
local function virtual_answers(device, host)
  for _, object in ipairs(device.store:list(ROOT .. "ltm/virtual-address")) do
    local answers = object.icmpEcho ~= "disabled" and object.enabled ~= "no"
    if bare(object.address) == host and answers then return true end
  end
  return false
end

local function is_own(device, host)
  return host == "localhost" or host == "::1" or host:find "^127%." ~= nil
    or host == device.hostname or host == device.hostname:match "^[^.]+"
    or host == bare(device.address)
end

local function answers(device, host)
  if is_own(device, host) then return true end
  for _, place in ipairs(ADDRESSES) do
    for _, object in ipairs(device.store:list(ROOT .. place[1])) do
      if bare(object[place[2]]) == host then return true end
    end
  end
  for _, peer in ipairs(device.store:list(ROOT .. "cm/device")) do
    if peer.hostname == host then return true end
  end
  return node_answers(device, host) or virtual_answers(device, host)
end

local function ping(device, _, _, body)
  local words = tostring(body.utilCmdArgs or "")
  local host = (" " .. texts.trim(words)):match "^.*%s(%S+)$" or "127.0.0.1"
  local reached = answers(device, validate.short_address(host))
  if not reached and not validate.is_address(host) then
    return { commandResult = ("ping: unknown host %s\n"):format(host) }
  end
  local count = math.tointeger(tonumber(words:match "%-c%s*(%d+)")) or 1
  if count < 1 or count > MAX_PINGS then
    return { commandResult = "ping: bad number of packets to transmit.\n" }
  end
  local lines = { ("PING %s (%s) 56(84) bytes of data."):format(host, host) }
  for i = 1, reached and count or 0 do
    lines[#lines + 1] =
      ("64 bytes from %s: icmp_seq=%d ttl=64 time=0.%03d ms"):format(host, i, 40 + i % 60)
  end
  lines[#lines + 1] = ("\n--- %s ping statistics ---"):format(host)
  lines[#lines + 1] =
    ("%d packets transmitted, %d received, %d%% packet loss, time %dms\n"):format(
      count, reached and count or 0, reached and 0 or 100, (count - 1) * 1000
    )
  return { commandResult = table.concat(lines, "\n") }
end

-- -- mail --

-- The mail server of a command: the one that it names, or the only one that there is.
local function server_of(device, body)
  local name = body["smtp-config-override"] or body.smtpConfigOverride
  if type(name) == "string" and name ~= "" then
    local full = names.absolute(name)
    local server = device.store:get(SERVERS .. "/" .. names.segment(full))
    if server then return server end
    error(
      errors.tm(
        404, ("01020036:3: The requested SMTP configuration (%s) was not found."):format(full), 3
      ),
      0
    )
  end
  local servers = device.store:list(SERVERS)
  if #servers ~= 1 then
    refuse(
      #servers == 0 and "There is no SMTP configuration (sys smtp-server): no mail was sent."
        or "There are several SMTP configurations: smtp-config-override must name one of them."
    )
  end
  return servers[1]
end

local function send_mail(device, _, _, body)
  local recipients = body["email-addresses"] or body.emailAddresses or body.recipients
  if type(recipients) == "string" and recipients ~= "" then recipients = { recipients } end
  if type(recipients) ~= "table" or recipients == json.null or #recipients == 0 then
    refuse "one or more properties must be specified"
  end
  local server = server_of(device, body)
  local host = tostring(server.smtpServerHostName or "localhost")
  for _, recipient in ipairs(recipients) do
    logs.write(device, "mail", "info", "postfix/smtp[6120]", (
      "to=<%s>, relay=none, status=deferred (connect to %s:%d: Network is unreachable)"
    ):format(tostring(recipient):sub(1, 200), host:sub(1, 200), server.smtpServerPort or 25))
  end
end

M.commands = {
  { "run", "^util/ping6?$", ping },
  { "send-mail", "^analytics/", send_mail },
}

return M
