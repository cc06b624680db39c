-- Programs about the device: hostname, uname, ps, uptime, bigstart, reboot, tmsh.
local arithmetic = require "sim.shell.arithmetic"
local commands = require "sim.commands"
local common = require "sim.shell.programs.common"
local daemons = require "sim.status.daemons"
local logs = require "sim.status.logs"
local restart = require "sim.http.restart"

local programs <const> = {}

function programs.whoami(_, _, io) io.out "root\n" end
function programs.id(_, _, io) io.out "uid=0(root) gid=0(root) groups=0(root)\n" end
function programs.hostname(shell, _, io) io.out(shell.device.hostname .. "\n") end

function programs.uname(shell, arguments, io)
  local flags = common.split(arguments)
  if flags.a then
    io.out(
      ("Linux %s 3.10.0-862.14.4.el7.ve.x86_64 #1 SMP x86_64 x86_64 x86_64 GNU/Linux\n"):format(
        shell.device.hostname
      )
    )
  elseif flags.n then
    io.out(shell.device.hostname .. "\n")
  elseif flags.r then
    io.out "3.10.0-862.14.4.el7.ve.x86_64\n"
  elseif flags.m then
    io.out "x86_64\n"
  else
    io.out "Linux\n"
  end
end

function programs.ps(_, _, io)
  io.out "USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n"
  for i, name in ipairs {
    "/sbin/init", "/usr/bin/mcpd -f", "/usr/bin/tmm.0", "/usr/sbin/httpd", "java -Drestjavad",
    "icrd_child",
  } do
    io.out(
      ("root  %8d  0.1  0.5  90000 20000 ?        Ss   00:00   0:01 %s\n"):format(i * 1111, name)
    )
  end
end

function programs.df(_, _, io)
  io.out "Filesystem                    1K-blocks    Used Available Use% Mounted on\n"
  for _, place in ipairs {
    { "root", "/" }, { "config", "/config" }, { "usr", "/usr" }, { "var", "/var" },
    { "shared", "/shared" },
  } do
    io.out(
      ("/dev/mapper/vg--db--vda-%-6s %8d %7d %9d %3d%% %s\n"):format(
        place[1], 4194304, 1048576, 3145728, 25, place[2]
      )
    )
  end
end

function programs.last(shell, _, io)
  io.out(
    "reboot   system boot  3.10.0-862.14.4. "
      .. os.date("!%a %b %e %H:%M", shell.device.state.booted // 1000000) .. "\n"
  )
end

function programs.uptime(shell, _, io)
  local minutes = (shell.device:now() - shell.device.state.booted) // 60000000
  io.out((" up %d min,  0 users,  load average: 0.05, 0.03, 0.01\n"):format(minutes))
end

function programs.sleep() return 0 end
programs.sync, programs.stty, programs.clear = programs.sleep, programs.sleep, programs.sleep

function programs.env(shell, _, io)
  local names = {}
  for name in pairs(shell.variables) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do io.out(("%s=%s\n"):format(name, shell.variables[name])) end
end

-- Writes a line to /var/log/ltm or another log: -p local0.notice -t TAG TEXT
function programs.logger(shell, arguments)
  local options, words = common.options(arguments, "pt")
  local facility, level = tostring(options.p or "user.notice"):match "^([^.]*)%.?(.*)$"
  logs.write(
    shell.device, facility == "local0" and "ltm" or "user", level ~= "" and level or "notice",
    type(options.t) == "string" and options.t or "root", table.concat(words, " ")
  )
end

function programs.bigstart(shell, arguments, io)
  local action = arguments[1]
  if action == "status" then
    for i = 2, math.max(#arguments, 2) do
      local name = arguments[i] or "mcpd"
      local down = shell.device.state.services[name] == "down"
      io.out(("%-12s %s\n"):format(name, down and "down" or "run (pid 5555) 1 start"))
    end
  elseif action == "restart" or action == "start" or action == "stop" then
    if action ~= "restart" and not arguments[2] then
      io.err(("bigstart: not simulated: %s of all services\n"):format(action))
      return 1
    end
    for i = 2, math.max(#arguments, 2) do
      daemons.service(shell.device, arguments[i] or "all", action)
    end
  else
    io.err "usage: bigstart status|start|stop|restart [service ...]\n"
    return 1
  end
end

-- Utilities of REST that are programs, too.
for _, name in ipairs { "ping", "ping6", "dig", "qkview" } do
  programs[name] = function(shell, arguments, io)
    local run = commands.find("run", "util/" .. name)
    local result = run(shell.device, {}, {}, { utilCmdArgs = table.concat(arguments, " ") })
    io.out(result and result.commandResult or "")
  end
end

function programs.expr(shell, arguments, io)
  local ok, value =
    pcall(arithmetic.evaluate, table.concat(arguments, " "):gsub("\\", ""), shell)
  if not ok then
    if type(value) ~= "table" or not value.syntax then error(value, 0) end
    io.err("expr: syntax error\n")
    return 2
  end
  io.out(value .. "\n")
  return value == 0 and 1 or 0
end

function programs.bc(shell, _, io)
  local status = 0
  for line in io.input:gmatch "[^\n]+" do
    local ok, value = pcall(arithmetic.evaluate, line, shell)
    if not ok and (type(value) ~= "table" or not value.syntax) then error(value, 0) end
    if ok then io.out(value .. "\n") else io.err "(standard_in) 1: syntax error\n" end
    status = ok and status or 1
  end
  return status
end

-- The shell of the routing daemons: imish -r ROUTE_DOMAIN …
function programs.imish(shell, arguments, io)
  local id = "0"
  for i, word in ipairs(arguments) do
    if word == "-r" then id = arguments[i + 1] or "" end
  end
  for _, domain in ipairs(shell.device.store:list "/mgmt/tm/net/route-domain") do
    local protocols = domain.routingProtocol
    if tostring(domain.id) == id and type(protocols) == "table" and #protocols > 0 then
      io.err "imish: not simulated\n"
      return 127
    end
  end
  io.err "Dynamic routing is not enabled\n"
  return 1
end

-- What is on every device, but does nothing here.
local NOT_SIMULATED <const> = [[arp crontab cpcfg curl diff dmesg dos2unix f5mku f5optics free guishell
  halt ifconfig ip iptables jq kill killall lsof lvs mail mcpq mysql netstat ng_export ng_import ng_profile ntpq nslookup openssl
  patch perl pgrep pkill python python2 python3 restcurl rpm rsync scp service sftp snmpwalk ss ssh
  strace switchboot systemctl tcpdump tmctl top traceroute tree unzip vi vgs vim wget zip]]

for name in NOT_SIMULATED:gmatch "%S+" do
  programs[name] = function(_, _, io)
    io.err(("%s: not simulated\n"):format(name))
    return 127
  end
end

function programs.tmsh(shell, arguments, io)
  return require("sim.shell.tmsh").run(shell, arguments, io)
end

function programs.reboot(shell)
  restart.reboot(shell.device)
end

function programs.timeout(shell, arguments, io)
  local _, words = common.options({ arguments[1] }, "ks")
  local rest = table.move(arguments, #words > 0 and 2 or 3, #arguments, 1, {})
  return #rest > 0 and shell:call(rest, io.shell_io) or 125
end
programs.nohup = function(shell, words, io)
  return #words > 0 and shell:call(words, io.shell_io) or 125
end
programs.exec, programs.nice, programs.sudo = programs.nohup, programs.nohup, programs.nohup

return programs
