-- Real input: every recorded object of ASM and live update is made over HTTPS, or changed to what
-- was recorded where it is on every device, and read back with all its own properties. What only a
-- device makes is compared with what the simulated one has. The recorded bodies are no part of this
-- project; where they are not, there is nothing to do.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local recordings = require "recordings"
local sim = require "f5.sim"

local ASM <const> = "/mgmt/tm/asm/"

-- What a device works out itself, and takes from nobody. The first are never an object's own.
local NEVER <const> = { id = true, kind = true, selfLink = true, lastUpdateMicros = true }
local DERIVED <const> = {
  policystate = "createdDatetime versionDatetime versionLastChange versionDeviceName "
    .. "versionPolicyName creatorName modifierName subPath active isModified "
    .. "hasParent managedByBewaf",
  ["apply-policy-taskstate"] = "status startTime endTime executionStartTime",
  ["export-policy-taskstate"] = "status startTime endTime executionStartTime result",
  ["import-policy-taskstate"] = "status startTime",
  ["advanced-settingstate"] = "isUserDefined",
}
for kind, list in pairs(DERIVED) do
  local set <const> = {}
  for name in list:gmatch "%S+" do set[name] = true end
  DERIVED[kind] = set
end

-- Kinds that only a device makes, and what may differ from device to device. They are read and
-- compared.
local SHIPPED <const> = {
  ["attack-types"] = {}, ["policy-templates"] = {}, ["signature-systems"] = {},
  ["server-technologies"] = { description = "words of F5" },
  ["signature-sets"] = { systems = "links", signatureReferences = "links" },
}
-- Kinds of which nobody can make one and every device has other ones.
local OTHERS <const> = {
  availability = "what was last looked for",
  installations = "of the files of one release",
  ["update-files"] = "of one release",
}

local function last_of(kind) return kind:match "[^:]+$" end

-- Every object in a body, also those that were asked for with $expand: calls visit(object, the
-- object around it, its name there).
local function walk(body, visit, around, name)
  if type(body) ~= "table" then return end
  local kind <const> = body.kind
  local one <const> = type(kind) == "string"
    and kind:find "^tm:" and kind:find "state$" and not kind:find "collectionstate$"
  if one then visit(body, around, name) end
  for key, value in pairs(body) do
    walk(value, visit, one and body or around, type(key) == "string" and key or name)
  end
end

describe("Real input: every recorded object of ASM", function()
  local objects <const> = recordings.objects "^tm:asm:" or {}
  if #objects == 0 then
    pending "needs the recorded bodies"
    return
  end
  for _, object in ipairs(recordings.objects "^tm:live%-update:") do
    objects[#objects + 1] = object
  end

  local device, bip
  setup(function()
    device = sim.start { provision = { "ltm", "asm" } }
    bip = f5.connect(device:options("admin", { auth = "basic", retries = 0 }))
  end)
  teardown(function() lab.stop(bip, device) end)

  local problems, counts, file
  local function problem(...) problems[#problems + 1] = file .. ": " .. string.format(...) end
  local function call(method, path, body)
    local answer <const> = bip:request(method, path, { body = body, raw = true, quiet = true })
    return answer.status, answer.body:find "^{" and json.decode(answer.body) or {}
  end
  local function expect(status, method, path, body)
    local found <const>, answer <const> = call(method, path, body)
    if found ~= status then problem("%s %s: %d %s", method, path, found, answer.message) end
    return found == status and answer or nil
  end

  local function own(object)
    local derived <const> = DERIVED[last_of(object.kind)] or {}
    local body <const> = {}
    for name, value in pairs(object) do
      local part <const> = type(value) == "table"
        and (value.kind or value[1] and type(value[1]) == "table" and value[1].kind)
      if not NEVER[name] and not derived[name] and not name:find "Reference$" and not part then
        body[name] = value
      end
    end
    return body
  end
  local function compare(given, path, except)
    local answer <const> = expect(200, "GET", path)
    for name, value in pairs(answer and given or {}) do
      if not (except and except[name]) then
        counts.properties = counts.properties + 1
        if not recordings.same(value, answer[name]) then
          problem(
            "%s: %s is %s, not %s",
            path,
            name,
            answer[name] == nil and "nothing" or json.encode(answer[name]),
            json.encode(value)
          )
        end
      end
    end
  end
  local function path_of(answer) return answer.selfLink:match "^https://localhost([^?]*)" end

  local policies -- id in the recording -> path on this device
  -- The path of a policy that a recording refers to; one of that name is made if it was not
  -- recorded.
  local function policy_of(link, name)
    local id <const> = link:match "/policies/([^/?]+)"
    if not policies[id] then
      local answer <const> =
        expect(201, "POST", ASM .. "policies", { name = name or "of-" .. #problems .. "-" .. id })
      policies[id] = answer and path_of(answer)
    end
    return policies[id]
  end

  local make <const> = {}
  function make.policystate(object)
    local body <const> = own(object)
    for _, server in ipairs(body.virtualServers or {}) do
      expect(
        200,
        "POST",
        "/mgmt/tm/ltm/virtual",
        { name = server, destination = "192.0.2.1:80", profiles = { "http", "tcp" } }
      )
    end
    if object.parentPolicyReference then
      local parent <const> =
        expect(201, "POST", ASM .. "policies", { name = "parent", type = "parent" })
      body.parentPolicyReference = { link = parent.selfLink }
    end
    local answer <const> = expect(201, "POST", ASM .. "policies", body)
    if not answer then return end
    if object.id then policies[object.id] = path_of(answer) end
    body.parentPolicyReference = nil
    compare(body, path_of(answer))
    if object.parentPolicyReference then compare({ hasParent = true }, path_of(answer)) end
    return "made"
  end

  -- What a policy has one of.
  local function part(object, _, name)
    local path <const> = policy_of(object.selfLink) .. "/" .. name
    expect(200, "PATCH", path, own(object))
    compare(own(object), path)
    return "changed"
  end
  for _, kind in ipairs {
    "policy-antivirus", "cookie-settings", "csrf-protection", "general", "header-settings",
    "policy-builder", "signature-setting",
  } do
    make[kind .. "state"] = part
  end

  make["csrf-urlstate"] = function(object)
    local collection <const> = policy_of(object.selfLink) .. "/csrf-urls"
    for _, there in ipairs(expect(200, "GET", collection).items) do
      if there.url == object.url and there.method == object.method then
        expect(200, "PATCH", path_of(there), own(object))
        compare(own(object), path_of(there))
        return "changed"
      end
    end
    local answer <const> = expect(201, "POST", collection, own(object))
    if answer then compare(own(object), path_of(answer)) end
    return "made"
  end

  make["signature-setstate"] = function(object)
    if not object.selfLink:find "/policies/" then return "shipped" end
    -- The set of the device is known by its id; a policy has it from the beginning, or gets it.
    local policy <const> = policy_of(object.selfLink)
    local set <const> = object.signatureSetReference.link:match "/signature%-sets/([^/?]+)"
    for _, there in ipairs(expect(200, "GET", policy .. "/signature-sets").items) do
      if there.signatureSetReference.link:find(set, 1, true) then
        expect(200, "PATCH", path_of(there), own(object))
        compare(own(object), path_of(there))
        return "changed"
      end
    end
    problem("no signature set %s in the policy", set)
  end

  make["advanced-settingstate"] = function(object)
    expect(200, "PATCH", ASM .. "advanced-settings/" .. object.id, { value = object.value })
    compare(own(object), ASM .. "advanced-settings/" .. object.id)
    return "changed"
  end

  local function task(name)
    return function(object)
      local body <const> = own(object)
      local policy <const> = object.policyReference
      if policy then
        body.policyReference =
          { link = "https://localhost" .. policy_of(policy.link, policy.fullPath) }
      end
      body.policyTemplateReference = object.policyTemplateReference
      if body.filename and name == "import-policy" then
        device:control(
          "write_file",
          { path = "/var/config/rest/downloads/" .. body.filename, text = "<policy/>" }
        )
      end
      local answer <const> = expect(201, "POST", ASM .. "tasks/" .. name, body)
      if not answer then return end
      device:advance(5)
      body.policyReference, body.policyTemplateReference = nil, nil
      compare(body, path_of(answer))
      local finished <const> = expect(200, "GET", path_of(answer))
      -- The recordings hold tasks at every stage; one that took a whole policy ends well.
      if finished.status ~= "COMPLETED" and not body.filename then
        problem("%s: %s", name, json.encode(finished.result))
      end
      return "made"
    end
  end
  for _, name in ipairs { "apply-policy", "export-policy", "import-policy" } do
    make[name .. "-taskstate"] = task(name)
  end

  make["install-schedulestate"] = function(object)
    local path <const> = path_of(object)
    expect(200, "PATCH", path, own(object))
    compare(own(object), path)
    return "changed"
  end

  it("is made, changed or there, and reads back with all its own properties", function()
    local clean <const> = device:state()
    problems, counts = {}, { made = 0, changed = 0, shipped = 0, others = 0, properties = 0 }
    local unused <const> = {}
    for _, list in ipairs { SHIPPED, OTHERS } do
      for name in pairs(list) do unused[name] = true end
    end
    for _, recorded in ipairs(objects) do
      if recorded.file ~= file then
        device:restore(clean)
        file, policies = recorded.file, {}
      end
      walk(recorded.body, function(object, ...)
        local family <const> = object.kind:match "^tm:live%-update:[^:]+:([^:]+)state$"
          or object.kind:match "^tm:asm:([^:]+):[^:]+$"
        local how <const> = make[last_of(object.kind)]
        local outcome = how and how(object, ...)
        if (outcome == "shipped" or not how) and SHIPPED[family] then
          unused[family] = nil
          compare(own(object), path_of(object), SHIPPED[family])
          local status <const> = call("POST", ASM .. family, { name = object.name })
          if status == 201 and family ~= "signature-sets" then problem("%s can be made", family) end
          outcome = "shipped"
        elseif not how and OTHERS[family] then
          unused[family] = nil
          local status <const> = call("PATCH", path_of(object), { status = "x" })
          if status == 200 then problem("%s can be changed", path_of(object)) end
          outcome = "others"
        end
        if outcome then
          counts[outcome] = counts[outcome] + 1
        else
          problem("%s: neither made nor listed", object.kind)
        end
      end)
    end
    for name in pairs(unused) do problem("unneeded: %s", name) end
    assert.equal("", table.concat(problems, "\n"))
    -- Fewer of the first or more of the last would mean that something was lost.
    local summary <const> = json.encode(counts)
    for what, least in pairs { made = 14, changed = 23, shipped = 11, properties = 240 } do
      assert.is_true(counts[what] >= least, summary)
    end
    assert.is_true(counts.others <= 14, summary)
  end)
end)
