-- What to do about an error of a device, in the words of where it shows: a playbook's author
-- changes code, who typed one line changes that line.

local M = {}

-- Who reads: "playbook" (its author), "console" (who talks to a session that is there), "shell"
-- (who typed one line of it).
local reader = "playbook"

local PLAYBOOK <const> = {
  not_found = "ask first with ref:exists(), or catch it: local ok, err = f5.try(function() … end)",
  conflict = "it exists already: ref:exists() tells, ref:modify{…} changes it",
  auth = "check F5_USER and F5_PASSWORD, or the username and password given to f5.connect",
  tls = 'give the device\'s certificate as `ca = "FILE.pem"` to f5.connect; `verify = false` gives up protection',
  busy = "raise `retries` of f5.connect, or try again later",
  timeout = "raise `timeout` of f5.connect, or run long work as a task",
}

local ONE_LINE <const> = {
  conflict = "it exists already: f5lua modify changes it",
  auth = "check the user (--user, else F5_USER) and the password (F5_PASSWORD)",
  tls = "give the device's certificate, or that of its CA, with --ca FILE.pem; --no-verify gives up protection",
  busy = "try again later",
  timeout = "--timeout SECONDS waits longer; a device cuts calls after about a minute: long work wants a task, see docs/operating.md",
}

-- What to do while a device starts, and when it was not even there to log in to. Calls are tried
-- again for a few seconds alone, and a restart takes longer: more `retries` would be guessing.
local WAIT <const> = {
  playbook = "bip:wait_ready() waits until it is up; call it before what failed, and after all that restarts the device",
  console = "bip:wait_ready() waits until it is up",
  shell = "try again later; docs/shell.md has a line that waits",
}
local WAIT_TO_LOG_IN <const> = {
  playbook = "f5.connect { wait = 300 } tries for so many seconds until it lets us in",
  console = ".connect again later, or f5.connect { wait = 300 }, which tries for so many seconds",
  shell = WAIT.shell,
}

--- From now on hints are for who typed one line of shell.
function M.for_one_line() reader = "shell" end

--- From now on hints are for who types at the console's prompt.
function M.for_console() reader = "console" end

-- "/mgmt/tm/ltm/pool/~Common~nope" -> the line of shell that shows what is there instead
local function show_what_is_there(path)
  local collection = type(path) == "string" and path:match "^/mgmt/tm/([%w/~._-]+)/[^/]+$"
  return collection and ("f5lua list %s --select fullPath shows what is there"):format(collection)
    or nil
end

-- An address that the device's REST framework does not know (yet). A path that does not exist is
-- "not_found", and its message says what is near.
local function is_unknown_path(err)
  return err.status == 404 and tostring(err.message):find("not registered", 1, true) ~= nil
end

local function is_login(err) return tostring(err.path):find "^/mgmt/shared/authn/" ~= nil end

-- For a device that is not up: the words for what goes before, what it may be and what to do.
local function of_start(err)
  local wait = (is_login(err) and WAIT_TO_LOG_IN or WAIT)[reader]
  if err.kind == "not_ready" and is_unknown_path(err) and not is_login(err) then
    return "is the path spelled as the device spells it, and its module provisioned? If so the device is starting: "
      .. wait
  end
  if err.kind == "not_ready" or err.status == 502 or err.status == 504 then
    return "the device is starting, or part of it is down: " .. wait
  end
  if
    err.status == nil and tostring(err.message):find "^cannot connect"
    and not tostring(err.message):find "proxy"
  then
    return "is that its address and port? If so the device may be starting: " .. wait
  end
  return nil
end

-- Whether what is not there is the object of the path: what a POST does not find is something that
-- its body names, and files are no objects.
local function is_of_path(err)
  return err.method ~= "POST"
    and not tostring(err.path):find "%-transfer/" and not tostring(err.path):find "/cm/autodeploy/"
end

--- @param err table: an f5.error
--- @return string|nil
function M.of(err)
  if err.kind == "forbidden" then return "the user is known, but its role does not allow this" end
  if err.kind == "tls" then
    local words = tostring(err.message)
    if words:find "wrong version number" then
      return "what listens on this port does not speak TLS: is it that of the device's HTTPS, 443 or often 8443?"
    end
    if
      words:find "alert [%w ]*certificate" or words:find "alert unknown ca"
      or words:find "alert handshake failure"
    then
      return "the device wants a client certificate of a CA that it trusts: `cert` and `key` of f5.connect"
    end
    -- "public key does not match", "error setting certificate file" …: another certificate is not
    -- what helps
    if not words:find "certificate problem" then return nil end
  end
  if err.kind == "auth" and err.status ~= 401 then return nil end
  if err.kind == "not_ready" or err.kind == "transport" then return of_start(err) end
  if err.kind == "not_found" and (is_unknown_path(err) or not is_of_path(err)) then return nil end
  if reader ~= "shell" then return PLAYBOOK[err.kind] end
  if err.kind == "not_found" then return show_what_is_there(err.path) end
  return ONE_LINE[err.kind]
end

return M
