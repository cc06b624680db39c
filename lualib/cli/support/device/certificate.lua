-- A device's certificate, as `f5lua trust` gets and shows it.
local core = require "f5.core"
local profiles = require "f5.trust.profiles"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = {}

--- "host:port" of HOST[:PORT], F5_SERVER and F5_SERVER_PORT, in lower case.
function M.address(host, program)
  local profile <const> = profiles.of_word(host)
  if profile then
    local known <const> = profiles.get(profile)
    return (core.device_address { host = known.host, port = known.port }):lower()
  end
  if not host and (os.getenv "F5_SERVER" or "") == "" then
    usage("no device given; name one, or set F5_SERVER", program)
  end
  return (core.device_address { host = host }):lower()
end

--- Connects to the device and returns the facts of its certificate; `problem` is why the CAs of the
--- system refuse it. Sends nothing.
function M.fetch(options, program)
  local address = M.address(options.host, program)
  local given = { host = address, verify = true, timeout = options.timeout }
  if options.timeout then given.connect_timeout = options.timeout end
  local facts = core.peer_certificate(given)
    or error(core.error_new {
      kind = "tls", message = "the certificate of " .. address .. " cannot be read",
    }, 0)
  facts.address = address
  return facts
end

local function date(seconds) return os.date("!%Y-%m-%d %H:%M:%S UTC", seconds) end

-- What is wrong with the dates, or nil.
local function of_dates(facts)
  local now = os.time()
  if facts.ends < now then return "it has expired" end
  if facts.starts > now then return "it is not valid yet" end
  return nil
end

--- The facts as JSON has them.
function M.record(facts)
  return {
    address = facts.address, subject = facts.subject, issuer = facts.issuer,
    names = require("f5.json").array(facts.names), starts = date(facts.starts),
    ends = date(facts.ends), expired = facts.ends < os.time(), fingerprint = facts.fingerprint,
    pin = facts.pin, problem = facts.problem,
  }
end

--- One line of a list: address, subject, ends, fingerprint, problem.
function M.row(facts)
  if facts.reason then
    return { address = facts.address, problem = "cannot be used: " .. facts.reason }
  end
  return {
    address = facts.address, subject = facts.subject, fingerprint = facts.fingerprint,
    ends = os.date("!%Y-%m-%d", facts.ends) .. (facts.ends < os.time() and " (expired)" or ""),
  }
end

-- What is known of the certificate: trusted already, changed, signed by a CA.
local function verdict(found, before, unusable)
  if before and before.fingerprint == found.fingerprint then
    return ("It is trusted for %s."):format(found.address)
  end
  if before then
    return (
      "WARNING: THE CERTIFICATE HAS CHANGED. Trusted for %s is another one:\n"
      .. "  fingerprint  SHA-256 %s\n  valid        until %s\n"
      .. "Was it renewed? If nobody did that, somebody may pose as the device."
    ):format(found.address, before.fingerprint, date(before.ends))
  end
  local words = {}
  if unusable then
    words[1] = ("The certificate stored before cannot be used: %s."):format(unusable)
  end
  if found.problem then
    words[#words + 1] = ("No CA of this system vouches for it: %s."):format(
      (found.problem:gsub("^SSL[^:]*: ", "")))
    words[#words + 1] = "Compare the fingerprint with that on the device:"
    words[#words + 1] =
      "  openssl x509 -noout -fingerprint -sha256 -in /config/httpd/conf/ssl.crt/server.crt"
  else
    words[#words + 1] = "A CA of this system has signed it: "
      .. "f5lua accepts it, and a renewed one, without this."
  end
  return table.concat(words, "\n")
end

--- The text that a person compares before trusting it.
-- @param before facts|nil: of the certificate that is trusted now
-- @param unusable string|nil: why the stored one does not count
function M.text(found, before, unusable)
  local lines = {}
  local function put(name, value)
    lines[#lines + 1] = ("  %-12s %s"):format(name, terminal.line(value))
  end
  lines[1] = ("Certificate of %s:"):format(found.address)
  put("subject", found.subject)
  put("issuer", found.issuer == found.subject and "itself (self-signed)" or found.issuer)
  if #found.names > 0 then put("names", table.concat(found.names, ", ")) end
  local wrong = of_dates(found)
  put(
    "valid",
    ("%s to %s%s"):format(
      date(found.starts), date(found.ends), wrong and " (" .. wrong .. ")" or ""
    )
  )
  put("fingerprint", "SHA-256 " .. found.fingerprint)
  put("pin", found.pin)
  for line in verdict(found, before, unusable):gmatch "[^\n]+" do
    lines[#lines + 1] = terminal.line(line)
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
