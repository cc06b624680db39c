-- Senseless requests, seeds, states and scripts (tests/support/fuzz.lua): the simulated device
-- makes no mistake of its own, and none takes it long. scripts/test --slow runs many more of them.
local Fuzz = require "fuzz"
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local sim = require "f5.sim"

local MAX_SECONDS <const> = 1
local ROUNDS <const> = lab.slow and 40 or 1
local MODULES <const> = { "ltm", "asm", "gtm", "apm", "afm", "pem", "avr" }

-- A device with a few objects, and a session with it.
local function start()
  local device <const> = sim.start {
    provision = MODULES,
    seed = {
      objects = {
        ["/mgmt/tm/ltm/pool"] = {
          { name = "a", members = { { name = "192.0.2.1:80" } } },
        },
        ["/mgmt/tm/ltm/virtual"] = {
          { name = "vs", destination = "192.0.2.9:80", pool = "/Common/a" },
        },
        ["/mgmt/tm/ltm/data-group/internal"] = { { name = "dg", type = "string" } },
      },
      asm = { policies = { { name = "web" } } },
      traffic = { { path = "/mgmt/tm/ltm/virtual/~Common~vs", rate = { connections = 5 } } },
    },
  }
  local options = device:options "admin"
  options.auth, options.retries = "basic", 0
  return device, f5.connect(options)
end

-- Stops both when the block ends.
local function stopping(device, bip)
  return setmetatable({}, {
    __close = function()
      bip:close()
      device:stop()
    end,
  })
end

describe("simulated device: senseless input of all kinds", function()
  -- Calls `run()`, which must neither fail inside nor take long.
  local function watched(device, label, run)
    local before = os.clock()
    local ok, answer = f5.try(run)
    local seconds = os.clock() - before
    local status = ok and 200 or answer
    if type(status) == "table" then status = answer.status or answer.kind end
    if status == 500 or device:problems() > 0 or seconds >= MAX_SECONDS then
      error(("%s: status %s, %.2f s"):format(label(), status, seconds), 0)
    end
    return status
  end

  local function new_transaction(bip)
    return tostring(bip:request("POST", "/mgmt/tm/transaction", { body = {} }).transId)
  end

  it("requests", function()
    for round = 1, ROUNDS do
      local fuzz <const> = Fuzz.new(round)
      local device <const>, bip <const> = start()
      local _ <close> = stopping(device, bip)
      fuzz.policy = bip.asm.policies:list()[1].id
      local statuses = {}
      for n = 1, 1000 do
        if n % 50 == 1 then fuzz.transaction = new_transaction(bip) end
        local request = fuzz:request()
        local status = watched(device, function()
          return ("round %d, request %d: %s %s %s"):format(
            round, n, request.method, request.path, json.encode(request.options)
          )
        end, function() return bip:request(request.method, request.path, request.options) end)
        statuses[status] = (statuses[status] or 0) + 1
      end
      assert.is_true(statuses[200] > 100)
      assert.is_true(statuses[400] > 50)
    end
  end)

  it("scripts", function()
    for round = 1, ROUNDS do
      local fuzz <const> = Fuzz.new(1000 + round)
      local device <const>, bip <const> = start()
      local _ <close> = stopping(device, bip)
      for n = 1, 300 do
        local script = fuzz:script()
        local arguments = fuzz:chance(3) and script
          or "-c \"" .. script:gsub('[$`"\\]', "\\%0") .. "\""
        watched(device, function()
          return ("round %d, script %d: %s"):format(round, n, json.encode(script))
        end, function()
          return bip:request("POST", "/mgmt/tm/util/bash", {
            body = { command = "run", utilCmdArgs = arguments },
          })
        end)
      end
      assert.equal(0, device:problems())
    end
  end)

  -- What a seed or a state may do: start a device that works, or be refused with a reason.
  local function starts(label, seed, more)
    local ok, device = pcall(sim.start, { provision = MODULES, seed = seed })
    if not ok then
      local text = tostring(device):gsub("^[%w/]*f5/sim%.lua:%d+: ", "")
      local is_mistake = text:find "attempt to" or text:find "bad argument"
        or text:find "%.lua:%d+:" or text:find "stack overflow"
      if is_mistake then error(label() .. ": " .. text, 0) end
      return false
    end
    local options = device:options "admin"
    options.auth, options.retries = "basic", 0
    local bip <const> = f5.connect(options)
    local paths <const> = {
      "/mgmt/tm/ltm/pool", "/mgmt/tm/ltm/pool/stats", "/mgmt/tm/ltm/virtual/stats",
      "/mgmt/tm/ltm/pool/~Common~a?expandSubcollections=true", "/mgmt/tm/transaction",
      "/mgmt/tm/sys/traffic", "/mgmt/tm/auth/user", "/mgmt/tm/asm/policies", "/mgmt/tm/sys/folder",
      "/mgmt/tm/task/sys/ucs", "/mgmt/shared/authz/tokens", "/mgmt/tm/sys/ready",
      "/mgmt/tm/apm/session", "/mgmt/tm/cm/sync-status", "/mgmt/tm/sys/ucs",
      "/mgmt/shared/iapp/package-management-tasks", "/mgmt/tm/sys/software/volume",
    }
    for _, path in ipairs(more or {}) do paths[#paths + 1] = path end
    for _, path in ipairs(paths) do
      watched(device, function() return label() .. ", then " .. path end, function()
        return bip:request("GET", path)
      end)
    end
    bip:close()
    device:stop()
    return true
  end

  it("seeds", function()
    local started, refused = 0, 0
    for round = 1, ROUNDS do
      local fuzz <const> = Fuzz.new(2000 + round)
      for n = 1, 25 do
        local seed = fuzz:a_seed()
        local ok = starts(function()
          return ("round %d, seed %d: %s"):format(round, n, json.encode(seed))
        end, seed)
        if ok then started = started + 1 else refused = refused + 1 end
      end
    end
    assert.is_true(started > 0 and refused > 0, ("%d, %d"):format(started, refused))
  end)

  it("states", function()
    local saved
    do
      local device <const>, bip <const> = start()
      local _ <close> = stopping(device, bip)
      bip:request("POST", "/mgmt/tm/transaction", { body = {} })
      bip:request("POST", "/mgmt/tm/task/sys/ucs", { body = { command = "save", name = "x" } })
      bip:request("POST", "/mgmt/tm/sys/ucs", { body = { command = "save", name = "y" } })
      saved = json.encode(device:state())
    end
    local started = 0
    for round = 1, ROUNDS do
      local fuzz <const> = Fuzz.new(3000 + round)
      for n = 1, 25 do
        local state = json.decode(saved)
        for _ = 1, fuzz:random(3) do fuzz:mutate(state) end
        if starts(function() return ("round %d, state %d"):format(round, n) end, state) then
          started = started + 1
        end
      end
    end
    assert.is_true(started > 0)
  end)

  it("policies", function()
    for round = 1, ROUNDS do
      local fuzz <const> = Fuzz.new(7000 + round)
      local device <const>, bip <const> = start()
      local _ <close> = stopping(device, bip)
      local id <const> = bip.asm.policies:list()[1].id
      local own <const> = { link = "https://localhost/mgmt/tm/asm/policies/" .. id }
      local function run(name, body)
        local path <const> = "/mgmt/tm/asm/tasks/" .. name
        local made <const> = bip:request("POST", path, { body = body })
        device:advance(10)
        return bip:request("GET", path .. "/" .. made.id)
      end
      local texts <const> = {}
      for _, format in ipairs { "json", "xml" } do
        texts[format] = run("export-policy", {
          format = format, minimal = format == "json", inline = true, policyReference = own,
        }).result.file
      end
      local completed = 0
      for n = 1, 20 do
        local format <const> = fuzz:any { "json", "json", "xml" }
        local text <const> = fuzz:document(texts[format], format)
        watched(device, function()
          return ("round %d, policy %d: %s"):format(round, n, text)
        end, function()
          local body <const> = fuzz:chance(2) and { policyReference = own } or { name = "n" .. n }
          body.file = text
          local status <const> = run("import-policy", body).status
          if status == "COMPLETED" then completed = completed + 1 end
          for _, part in ipairs { "urls", "parameters", "general", "data-guard", "signatures" } do
            bip:request("GET", ("/mgmt/tm/asm/policies/%s/%s"):format(id, part))
          end
          return status
        end)
      end
      assert.is_true(completed > 0 and completed < 20, completed)
    end
  end)

  it("objects of states and archives", function()
    local saved
    do
      local device <const>, bip <const> = start()
      local _ <close> = stopping(device, bip)
      saved = json.encode(device:state())
    end
    local started = 0
    for round = 1, ROUNDS do
      local fuzz <const> = Fuzz.new(4000 + round)
      for n = 1, 25 do
        local state = json.decode(saved)
        local path = fuzz:mutate_object(state)
        local function label() return ("round %d, object %d: %s"):format(round, n, path) end
        if starts(label, state, { path, path .. "?expandSubcollections=true" }) then
          started = started + 1
        end
      end
    end
    assert.is_true(started > 0)
    -- an archive that somebody wrote
    local device <const>, bip <const> = start()
    local _ <close> = stopping(device, bip)
    for _, objects in ipairs {
      { ["/mgmt/tm/ltm/pool/~Common~x"] = { name = 5, fullPath = "/Common/x" } },
      { ["/mgmt/tm/ltm/virtual/~Common~x"] = { name = "x", fullPath = "/Common/x", rules = 5 } },
      { ["/mgmt/tm/ltm/pool"] = {} }, { ["/etc/passwd"] = { name = "x", fullPath = "/x" } },
      { ["/mgmt/tm/auth/user/x"] = { fullPath = "x" } }, { ["/mgmt/tm/ltm/pool/~Common~x"] = 5 },
    } do
      local text = json.encode { format = "f5lua-sim-ucs", version = "17.1.3", objects = objects }
      bip:request("POST", "/mgmt/shared/file-transfer/ucs-uploads/forged.ucs", {
        body = text,
        headers = {
          ["Content-Range"] = ("0-%d/%d"):format(#text - 1, #text),
          ["Content-Type"] = "application/octet-stream",
        },
      })
      local ok, err = f5.try(bip.request, bip, "POST", "/mgmt/tm/sys/ucs", {
        body = { command = "load", name = "forged.ucs" },
      })
      assert.is_false(ok)
      assert.equal(400, err.status)
      assert.match("is not valid", err.message)
    end
    assert.equal("/Common/a", bip.ltm.pool["/Common/a"]:load().fullPath)
    assert.equal(0, device:problems())
  end)
end)
