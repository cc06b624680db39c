-- Programs about the device: hostname, uname, ps, uptime, bigstart, reboot, tmsh.
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
  if arguments[1] == "status" then
    io.out((arguments[2] or "mcpd") .. "         run (pid 5555) 1 start\n")
  elseif arguments[1] == "restart" then
    daemons.service(shell.device, arguments[2] or "all", "restart")
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
