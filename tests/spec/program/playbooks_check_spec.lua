-- Every playbook of scripts/playbooks in check mode: it shows what it would do, in seconds, and
-- the device stays as it is.
local json = require "f5.json"
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"
local sim = require "f5.sim"

local ROOT <const> = program.path:match "^(.*)/build/"
local PLAYBOOKS <const> = ROOT .. "/scripts/playbooks/"

-- Words, exit status, and what must be shown. AT: the address of the device.
local CASES <const> = {
  { "first-day.lua", status = 0, shows = { "no differences" } },
  { "inventory-report.lua", status = 0, shows = { "no differences" } },
  {
    "drain-member.lua", "/Common/blue", "10.0.0.1:80", "--timeout", "60", status = 0,
    shows = {
      "session: user%-enabled → user%-disabled", "state: user%-up → user%-down",
      "drain%-member.lua:%d+  accepted by the device",
      "assumed\n.*statistics of a changed object are simulated",
    },
  },
  {
    "blue-green.lua", "--to", "/Common/green", "/Common/vs_http", "/Common/vs_https", "--watch",
    "600", status = 0,
    shows = { "vs_http  changed.*pool: /Common/blue → /Common/green", "2 differences: 2 changed" },
  },
  {
    "rotate-certificate.lua", "/Common/www.example.net", "--cert", "www.crt", "--key", "www.key",
    status = 0,
    shows = {
      "%+ /Common/www.example.net.crt  created", "also sent\n.*%.key: an upload cannot be valid",
      "POST /mgmt/tm/sys/config", "unix%-rm",
    },
  },
  {
    "deploy-as3.lua", PLAYBOOKS .. "shop.json", "--yes", status = 0,
    shows = { "accepted by AS3's dry run, not by the device: Shop: success" },
  },
  {
    "backup.lua", "--directory", ".", status = 1,
    shows = { "not simulated\n  %S*backup.lua:%d+  POST /mgmt/tm/task/sys/ucs" },
  },
  { "upgrade-check.lua", "--save", "before.json", status = 0, shows = { "no differences" } },
  {
    "waf-policy-promote.lua", "--from", "AT", "--to", "AT", "--as", "/Common/copy", "--yes",
    "/Common/web", status = 1, shows = { "not simulated\n  %S*waf%-policy%-promote.lua:%d+" },
  },
  { "waf-suggestions.lua", "/Common/web", status = 0, shows = { "no differences" } },
  {
    "waf-suggestions.lua", "/Common/web", "--score", "90", "--accept", "--apply", "--yes",
    status = 1, shows = { "not simulated\n  %S*waf%-suggestions.lua:%d+  PATCH" },
  },
  {
    "apm-sessions.lua", "--user", "alice", "--end", "--yes", status = 1,
    shows = { "not simulated\n  %S*apm%-sessions.lua:%d+  DELETE /mgmt/tm/apm/session/3fa81c02" },
  },
}

local function seed()
  local file <close> = assert(io.open(PLAYBOOKS .. "lab.json"))
  return json.decode(file:read "a")
end

describe("run --check of", function()
  local device, place

  setup(function()
    device = sim.start {
      seed = seed(), provision = { "ltm", "asm", "apm" }, extensions = { "as3" },
    }
    place = lab.scratch()
    assert(os.execute((
      "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        .. "-subj /CN=www.example.net -keyout www.key -out www.crt 2>/dev/null"
    ):format(place.path)))
  end)
  teardown(function() lab.stop(device, place) end)

  -- Without what AS3 needs for itself, also for a dry run: its folder and its lock, which counts
  -- as a change.
  local function objects()
    local store = device:state().objects
    store.generation = nil
    for path in pairs(store.items) do
      if path:find("~Common~appsvcs", 1, true) then store.items[path] = nil end
    end
    return json.encode(store, { sort = true })
  end

  for _, case in ipairs(CASES) do
    it(table.concat(case, " "), function()
      local before <const> = objects()
      device:clear_log()
      local words = { "run", "--check", PLAYBOOKS .. case[1] }
      for i = 2, #case do
        words[#words + 1] = case[i] == "AT" and "127.0.0.1:" .. device.port or case[i]
      end
      local env = lab.environment(device)
      env.F5_SERVER_PORT = case[2] == "--from" and nil or env.F5_SERVER_PORT
      local done = program.run(words, { env = env, directory = place.path })
      assert.equal(case.status, done.status, done.err .. done.out)
      assert.matches("nothing was written", done.out)
      for _, pattern in ipairs(case.shows) do assert.matches(pattern, done.out) end
      assert.equal(before, objects())
      for _, call in ipairs(device:log()) do
        local harmless = call.method == "GET" or call.path:find "/auth[nz]/"
          or call.path == "/mgmt/shared/appsvcs/declare" -- a dry run: the objects are as before
        if not harmless then assert.matches("^/mgmt/tm/", call.path) end
        if call.method == "POST" and call.path:find "/mgmt/tm/util" then
          error("a command ran: " .. tostring(call.body))
        end
      end
    end)
  end

  it("all playbooks that there are", function()
    local checked = {}
    for _, case in ipairs(CASES) do checked[case[1]] = true end
    for name in lfs.dir(PLAYBOOKS) do
      if name:find "%.lua$" then assert.is_true(checked[name], name) end
    end
  end)
end)
