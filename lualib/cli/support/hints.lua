-- Hints for errors of a device. They depend on the reader: the author of a playbook changes code,
-- the user of a one-line call changes that line.

local terminal = require "f5.terminal"

local M = {}

-- The reader: "playbook" (its author), "console" (a user with an open session), "shell" (the user
-- of a one-line call).
local reader = "playbook"

local PLAYBOOK <const> = {
  not_found = "check with ref:exists() first, or catch it: "
    .. "local ok, err = f5.try(function() … end)",
  conflict = "it exists already; change it with ref:modify{…}, or use ref:ensure{…}",
  auth = "check F5_USER and F5_PASSWORD, or username and password in f5.connect",
  busy = "increase `retries` of f5.connect, or try again later",
  timeout = "increase `timeout` of f5.connect, or run long work as a task",
}

local ONE_LINE <const> = {
  conflict = "it exists already; change it with f5lua modify",
  auth = "check the user (--user or F5_USER) and the password (F5_PASSWORD)",
  busy = "try again later",
  timeout = "--timeout SECONDS waits longer; a device stops calls after about a minute: "
    .. "run long work as a task, see docs/operating.md",
}

-- Hints for a device that starts, before and after the login. Calls are retried for a few seconds
-- only, and a restart takes longer: a number of `retries` would be a guess.
local WAIT <const> = {
  playbook = "bip:wait_ready() waits until the device is up; "
    .. "call it before this line, and after each restart",
  console = "bip:wait_ready() waits until the device is up",
  shell = "try again later; docs/shell.md has a command that waits",
}
local WAIT_TO_LOG_IN <const> = {
  playbook = "f5.connect { wait = 300 } retries the login for 300 seconds",
  console = ".connect again later, or use f5.connect { wait = 300 }, which retries for 300 seconds",
  shell = WAIT.shell,
}

local TOKENS <const> = "a token ends by itself after 20 minutes, unless its lifetime was extended; "
  .. "an administrator can delete stale ones now: f5lua tokens clear --basic, and those of another "
  .. "user with --of USER"

-- A certificate that no CA of the system has signed. %s: the device.
local UNTRUSTED <const> = {
  playbook = "'f5lua trust %s' shows the certificate and stores it as trusted; or give the CA to "
    .. 'f5.connect: `ca = "FILE.pem"`; `verify = false`, or F5_VALIDATE_CERTS=no, turns the check '
    .. "off",
  console = "'f5lua trust %s' shows the certificate and stores it as trusted; or name the CA: "
    .. ".connect HOST --ca FILE.pem; --no-verify, or F5_VALIDATE_CERTS=no, turns the check off",
  shell = "'f5lua trust %s' shows the certificate and stores it as trusted; or name the CA with "
    .. "--ca FILE.pem; --no-verify, or F5_VALIDATE_CERTS=no, turns the check off",
}
local CHANGED <const> = "somebody may pose as the device: send no password. Was its certificate "
  .. "renewed? 'f5lua trust %s' shows the new one and asks"

local one_line, is_command = false, false

--- From now on hints are for users of one-line calls.
function M.for_one_line()
  reader, one_line = "shell", true
end

--- Whether hints are for users of one-line calls.
function M.are_for_one_line() return one_line end

--- Whether no playbook runs.
function M.are_for_command() return one_line or is_command end

--- From now on hints are for users of a subcommand that runs no playbook.
function M.for_command() reader, is_command = "shell", true end

-- Mistakes about a device that are those of the command line where no playbook runs.
local OF_DEVICE <const> = {
  "^invalid host '", "^invalid port '", "^there is no profile '", "^the profile '",
  "^'.-' cannot be the name of a profile", "^the device is given twice", "^no user name for ",
  "^no password for ", "^no password: ",
}

--- Whether an error about a device is a mistake of the command line.
function M.is_of_command_line(text)
  if not M.are_for_command() then return false end
  for _, pattern in ipairs(OF_DEVICE) do
    if text:find(pattern) then return true end
  end
  return false
end

local IN_SHELL <const> = {
  { 'give username = "…" to f5.connect, or set', "give --user NAME, or set" },
  { 'give password = "…" to f5.connect, or set', "set" },
}

--- The message in the words of the reader: what a playbook gives to f5.connect is an option of the
--- command line.
function M.in_words_of_reader(text)
  if not M.are_for_command() then return text end
  for _, pair in ipairs(IN_SHELL) do
    local from, to = text:find(pair[1], 1, true)
    if from then text = text:sub(1, from - 1) .. pair[2] .. text:sub(to + 1) end
  end
  return text
end

--- From now on hints are for users of the console.
function M.for_console() reader = "console" end

-- The collection in which a one-line call about a sub-collection misses the owner.
local owners

--- From now on a missing object is one of this collection, not of the one in the path of the call.
function M.miss_in(path) owners = path:gsub("^/mgmt/tm/", "") end

-- "/mgmt/tm/ltm/pool/~Common~nope" and "…/~Common~nope/members" -> "ltm/pool"
local function collection_of(path)
  if owners then return owners end
  local above, last = path:match "^/mgmt/tm/([^?]+)/([^/?]+)"
  local owner = above and last:sub(1, 1) ~= "~" and above:match "^(.+)/~[^/]+$"
  return owner or above
end

-- The command that lists the objects.
local function list_command(path)
  local collection = type(path) == "string" and collection_of(path)
  return collection
    and collection:find "^[%w/~._-]+$"
    and ("f5lua list %s --select fullPath lists the objects"):format(collection)
end

-- Whether the device's REST framework does not know the path (yet). A path that does not exist is
-- "not_found", and its message names a similar path.
local function is_unknown_path(err)
  return err.status == 404 and tostring(err.message):find("not registered", 1, true) ~= nil
end

local function is_login(err) return tostring(err.path):find "^/mgmt/shared/authn/" ~= nil end

-- The hint for a device that is not up.
local function of_start(err)
  local proxy = tostring(err.message):match "^cannot connect to the proxy %(from ([%w_ ]+)%)"
  if proxy then
    return proxy:find "^the option" and "check the option proxy of f5.connect"
      or ("check the variable %s; for hosts without a proxy, add them to no_proxy"):format(proxy)
  end
  local wait = (is_login(err) and WAIT_TO_LOG_IN or WAIT)[reader]
  if err.kind == "not_ready" and is_unknown_path(err) and not is_login(err) then
    return "check the spelling of the path, and whether its module is provisioned; "
      .. "otherwise the device is starting: " .. wait
  end
  if err.kind == "not_ready" or err.status == 502 or err.status == 504 then
    return "the device or one of its services is starting or down: " .. wait
  end
  if
    err.status == nil and tostring(err.message):find "^cannot connect"
    and not tostring(err.message):find "proxy"
  then
    return "check the address and the port; otherwise the device may be starting: " .. wait
  end
  return nil
end

-- "/mgmt/tm/ltm/pool/~Common~a%20b" -> "/mgmt/tm/ltm/pool//Common/a b"
local function names_in(path)
  local text = path:gsub("~", "/")
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- Whether the device misses an object that the body names, such as the monitor of a pool.
local function misses_another(err)
  local named = tostring(err.message):match "^[%x:]* *The requested [^(]*%((.+)%) was not found"
  local last = named and named:match "[^/]+$"
  -- "10.0.0.1 80" is the member 10.0.0.1:80, "2001:db8::1 80" is 2001:db8::1.80
  local function spaced(text) return (text:gsub("[:.]", " ")) end
  return last ~= nil and not spaced(names_in(tostring(err.path))):find(spaced(last), 1, true)
end

-- Whether the missing object is that of the path. A POST misses an object that its body names.
-- Files are not objects.
local function is_of_path(err)
  return err.method ~= "POST" and not misses_another(err)
    and not tostring(err.path):find "%-transfer/" and not tostring(err.path):find "/cm/autodeploy/"
end

--- Returns the hint for an error, or nil.
-- @param err table: an f5.error
function M.of(err)
  if err.kind == "forbidden" then return "the role of this user does not allow this" end
  if err.kind == "tls" then
    local words = tostring(err.message)
    if words:find "wrong version number" then
      return "the server on this port does not use TLS; "
        .. "the HTTPS port of a device is usually 443 or 8443"
    end
    if
      words:find "alert [%w ]*certificate" or words:find "alert unknown ca"
      or words:find "alert handshake failure"
    then
      return "the device requires a client certificate of a CA that it trusts: "
        .. "give `cert` and `key` to f5.connect"
    end
    local address = words:match "connection to (%S+)" or "HOST"
    address = terminal.line((address:gsub(":443$", "")))
    if words:find("certificate has changed", 1, true) then return CHANGED:format(address) end
    -- "public key does not match", "error setting certificate file" …: another certificate does not
    -- help.
    local is_untrusted = words:find "certificate problem" or words:find "SSL: .*subject name"
    if not is_untrusted then return nil end
    return UNTRUSTED[reader]:format(address)
  end
  if tostring(err.message):find("maximum active login tokens", 1, true) then return TOKENS end
  if err.kind == "auth" and err.status ~= 401 then return nil end
  local is_own = (err.kind == "conflict" or err.kind == "not_found") and not err.status
  if is_own then return nil end -- not the device's words
  if err.kind == "not_ready" or err.kind == "transport" then return of_start(err) end
  if tostring(err.message):find "^not ready after .* answers 404$" then
    return "check the spelling of the path, and whether its extension is installed; "
      .. "wait_ready { timeout = SECONDS } waits longer"
  elseif tostring(err.message):find "^not ready after " then
    return "wait_ready { timeout = SECONDS } waits longer"
  end
  if err.kind == "not_found" and (is_unknown_path(err) or not is_of_path(err)) then return nil end
  if reader ~= "shell" then return PLAYBOOK[err.kind] end
  if err.kind == "not_found" then return list_command(err.path) end
  return ONE_LINE[err.kind]
end

return M
