-- A PostgreSQL server of the specs' own: a directory, a Unix socket and a TCP port with TLS. It
-- runs as an unprivileged user.
--
--   local server
--   setup(function() server = postgres.start() end)
--   teardown(function() server:stop() end)
--   server:address()                       -- over the Unix socket, without a password
--   server:address { host = "127.0.0.1" }  -- over TCP, as the user `secret` with a password
--   server.password
--
-- postgres.missing says why there is none: then the specs are pending. A watchman stops a server
-- whose specs have died.
local lfs = require "lfs"

local M = {}

local function quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

local function output_of(command)
  local pipe <close> = assert(io.popen(command .. " 2>/dev/null"))
  return (pipe:read "a":gsub("%s+$", ""))
end

local bin <const> = output_of "ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1"
local is_root <const> = output_of "id -u" == "0"
local user <const> = output_of "id -u postgres" ~= "" and "postgres" or "nobody"

if bin == "" then
  M.missing = "PostgreSQL is not installed (scripts/setup --tests)"
elseif is_root and output_of "command -v setpriv" == "" then
  M.missing = "setpriv is missing: PostgreSQL does not run as root"
end

-- A command as the user that runs the server.
local function as_user(command)
  if not is_root then return command end
  return ("setpriv --reuid=%s --regid=$(id -g %s) --clear-groups env HOME=/nonexistent %s"):format(
    user, user, command
  )
end

local Server <const> = {}
Server.__index = Server

local new

function Server:run(command, quiet)
  local line <const> = ("%s >>%s/commands.log 2>&1"):format(command, quote(self.path))
  local done <const> = os.execute(line)
  if not done and not quiet then
    error(("%s\n%s"):format(command, output_of("tail -20 " .. quote(self.path) .. "/*log")), 2)
  end
  return done
end

function Server:write(name, text)
  local file <close> = assert(io.open(self.path .. "/" .. name, "w"))
  file:write(text)
end

-- Starts the server; a port that somebody else has is replaced.
function Server:up()
  for _ = 1, 20 do
    local command <const> = as_user(
      ("%s/pg_ctl -D %s/data -w -t 60 -s -o '-p %d' -l %s/server.log start"):format(
        bin, self.path, self.port, self.path
      )
    )
    if self:run(command .. " </dev/null", true) then return self end
    assert(not self.fixed, "the server does not start again")
    self.port = math.random(20000, 30000)
  end
  error(output_of("cat " .. self.path .. "/server.log"), 0)
end

--- Stops it, "fast" or "immediate" (as if it had been killed); up() starts it again.
function Server:down(mode)
  self.fixed = true
  self:run(
    as_user(("%s/pg_ctl -D %s/data -w -s -m %s stop"):format(bin, self.path, mode or "fast"))
  )
end

--- Kills all its processes at once, as a machine that loses its power.
function Server:kill()
  self.fixed = true
  local pid <const> = output_of(("head -1 %s/data/postmaster.pid"):format(quote(self.path)))
  self:run(("{ kill -KILL %s $(pgrep -P %s); while kill -0 %s; do sleep 0.02; done; rm -f %s; }")
    :format(pid, pid, pid, quote(self.path .. "/data/postmaster.pid")), true)
end

--- Stops the server and deletes everything.
function Server:stop()
  self:run(as_user(("%s/pg_ctl -D %s/data -w -s -m immediate stop"):format(bin, self.path)), true)
  os.execute("rm -rf " .. quote(self.path))
end
Server.__close = Server.stop

--- The address of the server. Without options: the superuser `admin`, over the Unix socket, no
-- password. `host`, `user`, `dbname` and other parameters of libpq replace what is there.
function Server:address(options)
  local parts <const> = { host = self.path, port = self.port, user = "admin", dbname = "postgres" }
  for name, value in pairs(options or {}) do parts[name] = value end
  local words <const> = {}
  for name, value in pairs(parts) do words[#words + 1] = ("%s='%s'"):format(name, value) end
  table.sort(words)
  return table.concat(words, " ")
end

-- The guard sees that the specs have ended, however they did.
function Server:guard()
  local me <const> = lfs.symlinkattributes("/proc/self", "target")
  local stop <const> = as_user(
    ("%s/pg_ctl -D %s/data -w -s -m immediate stop"):format(bin, self.path)
  )
  os.execute(
    ("setsid sh -c %s >/dev/null 2>&1 </dev/null &"):format(
      quote(
        ("while kill -0 %s && [ -d %s/data ]; do sleep 0.5; done; [ ! -d %s/data ] || "
        .. "{ %s; rm -rf %s; }"):format(me, self.path, self.path, stop, self.path)
      )
    )
  )
end

local HBA <const> = [[
local all all trust
local replication all trust
hostssl all secret 127.0.0.1/32 scram-sha-256
hostnossl all open 127.0.0.1/32 trust
]]

local SETTINGS <const> = [[
listen_addresses = '%s'
unix_socket_directories = '%s'
unix_socket_permissions = 0777
fsync = %s
ssl = on
ssl_cert_file = '%s/server.pem'
ssl_key_file = '%s/server.key'
log_line_prefix = '%%m %%p '
max_connections = 60
shared_buffers = 32MB
]]

local function certificates(self)
  local path <const> = quote(self.path)
  self:run(
    ("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
    .. "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout server.key "
    .. "-out server.pem"):format(path)
  )
  self:run(("chmod 600 %s/server.key"):format(path))
end

-- A directory, a port and a certificate.
function new()
  local path <const> = os.tmpname()
  os.remove(path)
  assert(lfs.mkdir(path))
  local self <const> = setmetatable({
    path = path, port = math.random(20000, 30000), password = "the password of secret",
  }, Server)
  certificates(self)
  if is_root then self:run(("chown -R %s %s"):format(user, quote(path))) end
  os.execute("chmod 755 " .. quote(path))
  return self
end

--- Starts a server.
-- @param options table|nil: listen (addresses, besides 127.0.0.1), hba (more lines of pg_hba.conf),
--   durable (commits wait for the disk)
function M.start(options)
  options = options or {}
  local self <const> = new()
  local path <const> = self.path
  self:run(
    as_user(
      ("%s/initdb -D %s/data -U admin -A trust -E UTF8 --locale=C --no-sync"):format(bin, path)
    )
  )
  local addresses <const> = "127.0.0.1" .. (options.listen and "," .. options.listen or "")
  self:write(
    "data/postgresql.auto.conf",
    SETTINGS:format(addresses, path, options.durable and "on" or "off", path, path)
  )
  self:write("data/pg_hba.conf", HBA .. (options.hba or ""))
  self:guard()
  self:up()
  self:sql("create role secret login password '" .. self.password .. "'; create role open login")
  return self
end

--- Starts a second server, which repeats all that this one does, until it is promoted.
function Server:standby()
  local other <const> = new()
  other:run(as_user(
    ("%s/pg_basebackup -h %s -p %d -U admin -D %s/data -c fast -R --no-sync"):format(bin, self.path,
      self.port, other.path)
  ))
  -- What -R has written comes after these settings.
  local settings <const> = other.path .. "/data/postgresql.auto.conf"
  local file <close> = assert(io.open(settings, "a"))
  file:write(("\nunix_socket_directories = '%s'\n"):format(other.path))
  file:close()
  other:guard()
  return other:up()
end

--- What was a standby accepts writes from now on.
function Server:promote()
  self:run(as_user(("%s/pg_ctl -D %s/data -w -s promote"):format(bin, self.path)))
end

--- Carries out statements with psql, as the superuser; returns what it prints, unaligned.
function Server:sql(statements, address)
  local file <const> = os.tmpname()
  local handle <const> = assert(io.open(file, "w"))
  handle:write(statements)
  handle:close()
  local command <const> = ("psql -X -q -At -v ON_ERROR_STOP=1 %s -f %s"):format(
    quote(address or self:address()), file
  )
  local pipe <const> = assert(io.popen(command .. " 2>&1"))
  local out <const> = pipe:read "a"
  local done <const> = pipe:close()
  os.remove(file)
  if not done then error(out, 2) end
  return (out:gsub("\n$", ""))
end

--- A name, for tests that need a database of their own.
function Server:database(name)
  self:sql("create database " .. name)
  return self:address { dbname = name }
end

return M
