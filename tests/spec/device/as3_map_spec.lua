-- What the simulated AS3 makes of declarations, compared with what AS3 makes of them. Examples of
-- AS3 are read from a git directory of F5Networks/f5-appsvcs-extension: F5LUA_AS3=DIRECTORY.
-- lab.slow: all probes, and the examples. F5LUA_AS3_DIFFERENCES=FILE writes what differs.
local as3_facts = require "walk.as3_facts"
local as3_state = require "walk.as3_state"
local curl = require "curl"
local json = require "f5.json"
local lab = require "lab"

local DECLARE <const> = "/mgmt/shared/appsvcs/declare"
local SHOWN <const> = os.getenv "F5LUA_AS3_DIFFERENCES"

describe("D1 what AS3 makes of declarations", function()
  local device

  setup(function() device = as3_facts.device() end)
  teardown(function() lab.stop(device) end)

  local function declare(body, query)
    return curl { device, "POST", DECLARE .. (query or ""), body = body }
  end

  -- The reason of an answer.
  local function reason(answer)
    local body = answer.json or {}
    if body.errors then return table.concat(body.errors, "; ") end
    local found = {}
    for _, result in ipairs(body.results or {}) do
      if result.code ~= 200 then
        found[#found + 1] = tostring(result.response or result.message)
      end
    end
    return #found > 0 and table.concat(found, "; ") or answer.body
  end

  local function compare(name, result, sum)
    local whole = true
    for _, tenant in pairs(result.tenants) do
      for path, facts in pairs(tenant.objects or {}) do
        sum.objects = sum.objects + 1
        local answer = curl { device, "GET", as3_facts.uri(facts.kind, path) }
        if answer.status ~= 200 then
          whole = false
          if SHOWN then sum.shown[#sum.shown + 1] = name .. ": no " .. facts.kind .. " " .. path end
        else
          sum.found = sum.found + 1
          local listed, equal, differences = as3_facts.compare(facts, answer.json)
          sum.listed, sum.equal = sum.listed + listed, sum.equal + equal
          for _, difference in ipairs(differences) do
            if SHOWN then
              sum.shown[#sum.shown + 1] = ("%s: %s %s"):format(name, facts.kind, difference)
            end
          end
        end
      end
    end
    return whole
  end

  -- Compares the lines of AS3's script for each tenant; Common counts by its first pass.
  local function count_lines(answer, result, sum)
    local seen = {}
    for _, one in ipairs(answer.json.results) do
      local facts = result.tenants[one.tenant]
      if facts and facts.lineCount and not seen[one.tenant] then
        seen[one.tenant], sum.counts = true, sum.counts + 1
        if facts.lineCount == one.lineCount then sum.counted = sum.counted + 1 end
      end
    end
  end

  -- Sends a declaration twice, compares the objects, and removes everything.
  local function try(name, declaration, result, sum, query)
    local remove = as3_facts.prepare(device, name)
    local before = as3_state.read(device)
    local answer = declare(declaration, query)
    if answer.status ~= 200 then
      sum.refused[#sum.refused + 1] = name .. ": " .. reason(answer)
      curl { device, "DELETE", DECLARE }
      remove()
      return
    end
    count_lines(answer, result, sum)
    local whole = compare(name, result, sum)
    for _, again in ipairs(declare(declaration, query).json.results) do
      if again.message ~= "no change" then
        sum.traces[#sum.traces + 1] = ("%s: the second time: %s"):format(name, json.encode(again))
      end
    end
    local removed = curl { device, "DELETE", DECLARE }
    if removed.status ~= 200 then
      sum.traces[#sum.traces + 1] = ("%s: not removed: %s"):format(name, removed.body)
    end
    local traces = as3_state.differences(before, as3_state.read(device))
    remove()
    if traces[1] then sum.traces[#sum.traces + 1] = name .. ": " .. table.concat(traces, "; ") end
    if whole then sum.whole = sum.whole + 1 end
  end

  local function new_sum()
    return {
      whole = 0, objects = 0, found = 0, listed = 0, equal = 0, refused = {}, shown = {},
      traces = {}, counts = 0, counted = 0,
    }
  end

  local function check(sum, what, least)
    local figures = ("AS3: %d %s have full effect, %d are refused; %d of %d objects; %d of %d "
      .. "properties"):format(sum.whole, what, #sum.refused, sum.found, sum.objects, sum.equal,
      sum.listed)
    print(figures)
    if SHOWN then
      local file <close> = assert(io.open(SHOWN .. "." .. what, "w"))
      table.sort(sum.shown)
      file:write(figures, "\n", table.concat(sum.refused, "\n"), "\n",
        table.concat(sum.shown, "\n"), "\n", table.concat(sum.traces, "\n"), "\n")
    end
    assert.equal("", table.concat(sum.traces, "\n"))
    assert.is_true(sum.whole >= least, figures)
    assert.is_true(sum.counted >= 0.98 * sum.counts,
      ("%d of %d tenants have the lines of AS3"):format(sum.counted, sum.counts))
    assert.equal(sum.objects, sum.found, figures)
    assert.is_true(sum.equal >= 0.98 * sum.listed, figures)
  end

  -- An example is a declaration, a request with one, several of them, or applications of one
  -- tenant. Of several with one result, the last one is meant.
  local function try_example(name, example, result, sum)
    if #example > 0 then
      for i, one in ipairs(example) do
        local own = result[i] or i == #example and result or {}
        try_example(("%s[%d]"):format(name, i), one, own, sum)
      end
      return
    end
    if not result.tenants then return end
    local inner = example.class == "AS3" and example.declaration or example
    if inner.controls then inner.controls.dryRun = nil end
    local query
    if inner.class == "ADC" then
      inner.id = inner.id or "x"
    else
      query = "/PerAppTenant/applications"
    end
    try(name, inner, result, sum, query)
  end

  it("makes the objects of the probes", function()
    local facts, missing = as3_facts.read()
    if not facts then return pending(missing) end
    local sum = new_sum()
    local names = {}
    for name in pairs(facts.probes) do names[#names + 1] = name end
    table.sort(names)
    for i, name in ipairs(names) do
      local probe = facts.probes[name]
      if lab.slow or i % 5 == 1 then try(name, probe.declaration, probe.result, sum) end
    end
    check(sum, "probes", lab.slow and 70 or 16)
  end)

  it("makes the objects of the examples, and refuses classes by name", function()
    local facts, missing = as3_facts.read()
    local folder = os.getenv "F5LUA_AS3"
    if not lab.slow then return pending "only with --slow" end
    if not facts or not folder then return pending(missing or "F5LUA_AS3 is not set") end
    local sum = new_sum()
    for name, result in pairs(facts.examples) do
      local git <close> = assert(io.popen(("git --git-dir=%s show HEAD:%s"):format(folder, name)))
      try_example(name, json.decode(git:read "a"), result, sum)
    end
    check(sum, "examples", 150)
  end)

  it("refuses a class without effect by its name, and makes nothing", function()
    local answer = declare {
      class = "ADC", schemaVersion = "3.50.0", id = "x",
      T = { class = "Tenant", A = { class = "Application",
        d = { class = "DOS_Profile" },
        p = { class = "Pool" },
      } },
    }
    assert.equal(422, answer.status)
    assert.equal("/T/A/d: class DOS_Profile is not simulated", answer.json.errors[1])
    assert.equal(404, curl({ device, "GET", "/mgmt/tm/auth/partition/T" }).status)
  end)

  it("deploys a changed certificate, though its name stays", function()
    local function with(text)
      return declare {
        class = "ADC", schemaVersion = "3.50.0", id = "x",
        T = { class = "Tenant", A = { class = "Application",
          c = { class = "Certificate", certificate = text },
        } },
      }.json.results[1].message
    end
    assert.equal("success", with "one")
    assert.equal("no change", with "one")
    assert.equal("success", with "two")
    assert.equal("no change", with "two")
    local made = curl { device, "GET", "/mgmt/tm/sys/file/ssl-cert/~T~A~c.crt" }
    assert.truthy(made.json.checksum:find("SHA1:3:", 1, true))
    curl { device, "DELETE", DECLARE }
  end)
end)
