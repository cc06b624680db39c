-- Makes the pictures of the pages from real runs in a real terminal: picture.lua DIRECTORY [NAME…]
-- console.svg: a session. check.svg, drift.svg and undo.svg: what docs/safe-change.md describes.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = ("%s/?.lua;%s/../support/?.lua;"):format(here, here) .. package.path
local drawing = require "drawing"
local f5 = require "f5"
local program = require "program"
local sim = require "f5.sim"
local terminal = require "terminal"

local COLUMNS <const>, WIDE <const>, ROWS <const> = 96, 110, 33

-- What is there before the picture begins.
local PREPARE <const> = {
  'for i, name in ipairs { "web", "shop", "mail", "intranet" } do bip.ltm.pool:create { name = '
    .. 'name, monitor = "/Common/http",'
    .. ' members = { "10.0." .. i .. ".1:80", "10.0." .. i .. ".2:80" } } end',
  'for _, name in ipairs { "vs_web", "vs_shop" } do bip.ltm.virtual:create { name = name, '
    .. 'destination = "192.0.2." .. #name .. ":443",'
    .. ' pool = name:gsub("vs_", "/Common/"), ipProtocol = "tcp" } end',
}

local function console()
  local screen <close> = terminal.start({ "console", "--sim" }, { columns = COLUMNS, rows = ROWS })
  local prompt <const> = "bigip1 %(active%)>"
  screen:expect(prompt .. "$")
  for _, entry in ipairs(PREPARE) do
    screen:enter(entry)
    os.execute "sleep 0.6"
  end
  os.execute "sleep 6" -- the monitors look for the first time
  screen:key "C-l"
  os.execute "sleep 0.3"
  screen:enter "bip.ltm.pool:list()"
  screen:expect "4 items"
  screen:type "local web = bip.ltm.pool['/Common/w"
  screen:key "Tab"
  screen:expect "web'%]"
  screen:key "Enter"
  screen:type "web:modify { loadBalancingMode = 'least-"
  screen:key "Tab"
  screen:expect "least%-sessions"
  screen:type "sess"
  screen:key "Tab"
  screen:enter " }.loadBalancingMode"
  screen:expect '\n"least%-sessions"'
  screen:enter "for member in web.members:each() do"
  screen:enter "print(member.fullPath, member.session) end"
  screen:expect "10.0.1.2:80"
  screen:enter "web:stats()['serverside.curConns']"
  screen:expect "\n0\n"
  screen:enter "bip.ltm.pool['/Common/nope']:load()"
  screen:expect "hint"
  screen:type "bip.ltm.virtual['/Common/vs_"
  screen:key "Tab"
  screen:expect "vs_shop[^\n]*\n[^\n]*vs_"
  os.execute "sleep 0.5"
  return screen.painted()
end

-- -- safe change ----------------------------------------------------------------------------------

local PLAYBOOK <const> = [[
local f5 = require "f5"
local bip <close> = f5.connect()
bip.ltm.pool["/Common/new"]:create { monitor = "/Common/http" }
bip.ltm.pool["/Common/web"]:modify { monitor = "/Common/https" }
bip.ltm.virtual["/Common/vs_web"]:modify { pool = "/Common/new" }
bip.ltm.pool["/Common/old"]:delete()
]]

-- Runs lines of shell in a terminal, each behind its prompt. `prepare` runs before, unseen.
local function shell(lines, prepare)
  local device <close> = sim.start {}
  local options <const> = device:options "admin"
  do
    local bip <close> = f5.connect(options)
    bip.ltm.pool["/Common/web"]:create { monitor = "/Common/http" }
    bip.ltm.pool["/Common/old"]:create {}
    bip.ltm.virtual["/Common/vs_web"]:create {
      destination = "/Common/192.0.2.10:80", pool = "/Common/web",
    }
  end
  local place <close> = program.directory()
  place:file("change.lua", PLAYBOOK)
  local text = { "cd " .. place.path, "f5lua() { " .. program.path .. ' "$@"; }' }
  for _, line in ipairs(prepare or {}) do text[#text + 1] = line .. " >/dev/null 2>&1" end
  text[#text + 1] = "clear"
  for _, line in ipairs(lines) do
    text[#text + 1] = ("printf '\\033[1m$ %%s\\033[0m\\n' '%s'"):format(line)
    text[#text + 1] = line
  end
  local screen <close> = terminal.start({ "-c", table.concat(text, "\n") }, {
    program = "/bin/sh", columns = WIDE, rows = ROWS, errors_too = true,
    env = {
      F5_SERVER = options.host, F5_SERVER_PORT = options.port, F5_USER = "admin",
      F5_PASSWORD = "admin", SSL_CERT_FILE = options.ca,
    },
  })
  screen.status()
  local painted <const> = screen.painted():gsub("127%.0%.0%.1:%d+", "bigip1.example.net")
  return painted
end

-- name -> what the terminal shows, and the same in words
local PICTURES <const> = {
  console = { console, "The console: completion, tables and errors" },
  check = {
    function() return shell { "f5lua run --check change.lua" } end,
    "A check: what a playbook would create, change and delete, accepted by the device",
  },
  drift = {
    function()
      return shell({
        "f5lua plan -o change.plan change.lua | tail -1",
        "f5lua modify ltm/pool /Common/web description=theirs >/dev/null  # somebody else",
        "f5lua apply change.plan",
      })
    end,
    "A plan is refused, because somebody else has changed a pool since",
  },
  undo = {
    function()
      return shell({
        "f5lua apply change.plan", "f5lua changes", "f5lua undo last",
      }, { "f5lua plan -o change.plan change.lua" })
    end,
    "A plan is applied, and an undo takes its changes back",
  },
}

local wanted = table.move(arg, 2, #arg, 1, {})
if #wanted == 0 then wanted = { "console", "check", "drift", "undo" } end
for _, name in ipairs(wanted) do
  local picture <const> = assert(PICTURES[name], "there is no picture " .. name)
  local file <close> = assert(io.open(("%s/%s.svg"):format(arg[1], name), "w"))
  file:write(drawing.draw(picture[1](), name == "console" and COLUMNS or WIDE, picture[2]))
end
