-- A client that others wrote, on a twin: the functional suite of F5's Python SDK runs whole against
-- the twin of a simulated device. The device sees no method but GET, and the logins of the twin.
--
-- It runs with --slow only, and needs F5LUA_SDK, see tests/conformance/sdk-suite. F5LUA_SDK_FOLDERS
-- chooses folders. For each folder it prints what passed on a device, and on the twin.
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"
local sim = require "f5.sim"

local FOLDERS <const> = {
  { "net" }, { "ltm" }, { "auth" }, { "transaction" }, { "cm" }, { "shared" },
  { "gtm", { "ltm", "gtm" } }, { "security", { "ltm", "afm" } }, { "asm", { "ltm", "asm" } },
  { "sys" },
}

-- How many tests need what a twin does not simulate: the synchronisation of a device group, tasks
-- of packages, changes of ASM, a fail-over, the restart of a service. It says so in an
-- error.
local NOT_SIMULATED <const> = { cm = 3, shared = 7, asm = math.huge, sys = 4 }

-- What waits for ever: a fixture, for its own lock if an object cannot be created; and the test of
-- provisioning, which was written for Python 2, whose `hasattr` hides all errors.
local LEFT_OUT <const> = {
  sys = { "--deselect", "f5/bigip/tm/sys/test/functional/test_provision.py" },
  asm = { "--deselect", "f5/bigip/tm/asm/test/functional/test_signatures.py" },
}

local SUITE <const> = "tests/conformance/sdk-suite"
local SHOWN <const> = 10 -- names of tests
local TIMEOUT <const> = 1200 -- seconds

-- The only writes that a device sees of a twin: those of its own token.
local function is_login(call)
  if call.method == "POST" then return call.path == "/mgmt/shared/authn/login" end
  return (call.method == "PATCH" or call.method == "DELETE")
    and call.path:find "^/mgmt/shared/authz/tokens/%w+$" ~= nil
end

-- Why the suite cannot run; nil if it can.
local function missing()
  local place <const> = os.getenv "F5LUA_SDK"
  if not lab.slow then return "it takes minutes: --slow" end
  if not place then return "F5LUA_SDK is not set" end
  for _, name in ipairs { "f5-common-python", "f5-icontrol-rest-python" } do
    local path <const> = place .. "/" .. name
    if not lfs.attributes(path) then return "there is no " .. path end
  end
  local modules <const> = "import pytest, requests, mock, jinja2"
  local ran <const> = program.run({ "-c", modules }, { program = "/usr/bin/python3" })
  return ran.status ~= 0 and "the Python packages of " .. SUITE .. " are not there" or nil
end

describe("S3 F5's Python SDK on a twin", function()
  local why <const> = missing()

  -- Runs a folder. Returns the names of the tests that failed, how many passed, and the last line.
  local function run(port, folder, place)
    local words <const> = { SUITE, tostring(port), folder }
    local out <const> = LEFT_OUT[folder] or {}
    table.move(out, 1, #out, #words + 1, words)
    local ran <const> = program.run(words, {
      program = "/bin/bash", timeout = TIMEOUT,
      env = { F5LUA_SDK = os.getenv "F5LUA_SDK", HOME = place.path, TMPDIR = place.path },
    })
    assert.is_true(ran.status == 0 or ran.status == 1, folder .. ": " .. ran.out .. ran.err)
    local failed = {}
    for line in ran.out:gmatch "[^\n]+" do
      failed[#failed + 1] = line:match "^FAILED ([^%s]+)" or line:match "^ERROR ([^%s]+)"
    end
    local last <const> = ran.out:match "([^\n]+)\n*$"
    return failed, tonumber(last:match "(%d+) passed") or 0, last:gsub("=+ ?", "")
  end

  local function device_for(modules, place, name)
    local device <const> = sim.start {
      provision = modules or { "ltm" }, log = name and place.path .. "/" .. name,
    }
    device:control("keep", "before")
    return device
  end

  local function on_twin(folder, modules, place)
    local device <const> = device_for(modules, place, folder .. ".log")
    local options <const> = device:options "admin"
    local twin <close> = program.start({
      "sim", "--port", "0", "--twin", ("%s:%d"):format(options.host, options.port),
      "--user", "admin", "--ca", options.ca,
    }, { env = { F5_PASSWORD = "admin" } })
    local port <const> = twin:expect "https://127%.0%.0%.1:(%d+)"
    local failed <const>, _, last = run(port, folder, place)
    twin:kill "TERM"
    twin:wait()
    local gets = 0
    for line in place:read(folder .. ".log"):gmatch "[^\n]+" do
      local method <const>, path =
        line:match '"method":"(%u+)","uri":"http://localhost:8100([^"?]*)'
      if method == "GET" then
        gets = gets + 1
      else
        assert.is_true(is_login { method = method, path = path }, line)
      end
    end
    assert.is_true(gets > 0, folder)
    assert.same({}, device:control("changed", "before"), folder)
    lab.stop(device)
    return failed, last, gets
  end

  local function is_chosen(folder)
    local chosen <const> = os.getenv "F5LUA_SDK_FOLDERS"
    return not chosen or (" " .. chosen .. " "):find(" " .. folder .. " ", 1, true) ~= nil
  end

  for _, one in ipairs(FOLDERS) do
    local folder <const>, modules <const> = one[1], one[2]
    if is_chosen(folder) then
      it("writes nothing to the device: " .. folder, function()
        if why then return pending(why) end
        local place <close> = lab.scratch()
        local device <const> = device_for(modules)
        local plain <const>, passed, last = run(device.port, folder, place)
        lab.stop(device)
        local failed <const>, last_there, gets = on_twin(folder, modules, place)
        io.write(("%s on a device: %s\n%s on a twin:   %s; the device saw %d GETs\n"):format(
          folder, last, folder, last_there, gets))
        local known <const> = {}
        for _, test in ipairs(plain) do known[test] = true end
        local only = 0
        for _, test in ipairs(failed) do
          only = only + (known[test] and 0 or 1)
          if not known[test] and only <= SHOWN then io.write("  only on the twin: ", test, "\n") end
        end
        assert.is_true(passed > 0)
        assert.is_true(only <= (NOT_SIMULATED[folder] or 0), last_there)
      end)
    end
  end
end)
