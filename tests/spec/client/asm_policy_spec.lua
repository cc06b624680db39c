-- ASM policies over HTTPS: export, import, apply, restore, compare, merge.
local f5 = require "f5"
local lab = require "lab"

local failure <const> = lab.failure

local QUICK <const> = { interval = 0.05, timeout = 10 }

-- All of a policy that is configuration, as the device shows it; names, links to itself and times
-- do not count.
local IGNORED <const> = {
  id = true, lastUpdateMicros = true, selfLink = true, name = true, fullPath = true,
  createdDatetime = true, versionDatetime = true, versionLastChange = true,
  versionPolicyName = true, isModified = true, active = true, creatorName = true,
  modifierName = true,
}
local NOT_CONFIGURATION <const> =
  { "audit-logs", "history-revisions", "suggestions", "vulnerabilities", "sections" }

local function plain(value, id)
  if type(value) ~= "table" then
    return type(value) == "string" and value:gsub("^https://[^/]+", ""):gsub(id, "ID", 1) or value
  end
  local copy <const> = {}
  for name, member in pairs(value) do
    if
      type(name) ~= "string" or not IGNORED[name]
      or (name == "name" and value.selfLink and not value.fullPath)
    then
      copy[name] = plain(member, id)
    end
  end
  return copy
end

local function contents(asm, policy)
  local body <const> = asm:policy(policy):load()
  local id <const> = body.id:gsub("%-", "%%-")
  local skip <const> = {}
  for _, name in ipairs(NOT_CONFIGURATION) do skip[name] = true end
  local whole <const> = { own = plain(body, id) }
  for name, value in pairs(body) do
    local part <const> = name:find("Reference$")
      and value.link and value.link:match("/policies/[^/]+/([%w-]+)")
    if part and not skip[part] then
      if value.isSubCollection and part ~= "blocking-settings" then
        local list <const> = asm:follow(value):list()
        table.sort(list, function(a, b) return a.id < b.id end)
        whole[part] = plain(list, id)
      elseif part == "blocking-settings" then
        for _, inner in ipairs {
          "violations", "evasions", "http-protocols", "web-services-securities",
        } do
          local list <const> = asm:follow(value):at(inner):list()
          table.sort(list, function(a, b) return a.id < b.id end)
          whole[inner] = plain(list, id)
        end
      else
        whole[part] = plain(asm:follow(value):load(), id)
      end
    end
  end
  return whole
end

-- A policy that differs from its template everywhere it can hurt.
local function make(asm, name, template)
  local policy <const> = asm:policy(
    asm.policies:create {
      name = name,
      templateReference = template and { link = asm:template(template).selfLink },
    }
  )
  policy:modify { description = "<b> & \"quotes\" 'and' ünïcode\n  two lines\t \1 control " }
  local url <const> = policy.urls:create {
    name = "/login.php",
    methodsOverrideOnUrlCheck = true,
    methodOverrides = { { method = "PUT", allowed = false } },
  }
  asm:follow(url).parameters:create { name = "user name", minimumLength = 3 }
  policy.urls:create { name = "/empty", urlContentProfiles = f5.array {} }
  policy["login-pages"]:create {
    urlReference = { link = url.selfLink },
    authenticationType = "ajax-or-json-request",
    accessValidation = { responseContains = "]]> ok" },
  }
  policy["brute-force-attack-preventions"]:create {
    urlReference = { link = url.selfLink },
    preventionDuration = "120",
  }
  policy.urls:delete_all { filter = { type = "wildcard", protocol = "https" } }
  policy.general:modify { allowedResponseCodes = { 400, 503 } }
  policy["web-scraping"]:modify { sessionTransactionsAnomaly = { preventionDuration = 2400 } }
  policy["character-sets"]:modify_all {
    filter = { characterSetType = "url" },
    set = { characterSet = { { metachar = "0x1", isAllowed = true } } },
  }
  policy["blocking-settings"].violations:modify_all {
    filter = { name = "VIOL_URL" },
    set = { alarm = true, block = true },
  }
  local set =
    asm.session:at("asm/signature-sets"):list({ filter = { name = "SQL Injection Signatures" } })[1]
  policy["signature-sets"]:create { signatureSetReference = { link = set.selfLink } }
  policy.signatures:modify_all {
    filter = { ["signatureReference/name"] = { startswith = "SQL-INJ" } },
    set = { performStaging = false },
  }
  policy["data-guard"]:modify { enabled = true, maskData = false }
  policy["csrf-protection"]:modify { enabled = true, expirationTimeInSeconds = "600" }
  return policy
end

describe("G30 ASM policy", function()
  local device, bip, asm
  before_each(function()
    device, bip = lab.start { provision = { "asm" } }
    asm = f5.asm(bip)
  end)
  after_each(function() lab.stop(bip, device) end)

  it("goes out as XML and comes back without loss, on another device too", function()
    make(asm, "web")
    local before <const> = contents(asm, "web")
    local text <const> = asm:export_policy("web"):wait(QUICK).file
    assert.matches('^<%?xml version="1.0" encoding="utf%-8"%?>\n<policy bigip_version="17', text)
    asm:import_policy({ file = text, name = "copy" }):wait(QUICK)
    assert.same(before, contents(asm, "copy"))
    local second <const>, there <const> = lab.start {
      provision = { "asm" },
      hostname = "bigip2.example.net",
    }
    f5.asm(there):import_policy({ file = text, full_path = "/Common/web" }):wait(QUICK)
    local after <const> = contents(f5.asm(there), "web")
    lab.stop(there, second)
    before.own.versionDeviceName, after.own.versionDeviceName = nil, nil
    assert.same(before, after)
  end)

  it("goes out as JSON, minimal, as Base64 and through files on the device, and comes back the "
    .. "same", function()
    make(asm, "web", "Rapid Deployment Policy")
    local before <const> = contents(asm, "web")
    local whole <const> = asm:export_policy("web"):wait(QUICK)
    local json <const> = asm:export_policy("web", { format = "json" }):wait(QUICK).file
    assert.equal("web", f5.json.decode(json).policy.name)
    local minimal <const> = asm:export_policy("web", { minimal = true }):wait(QUICK)
    assert.is_true(
      minimal.fileSize < whole.fileSize / 4, minimal.fileSize .. " of " .. whole.fileSize
    )
    local base64 <const> = asm:export_policy("web", { base64 = true }):wait(QUICK).file
    assert.matches("^PD94bWwg[%w+/]+=?=?$", base64)
    assert.equal((whole.fileSize + 2) // 3 * 4, #base64)
    local file <const> = asm:export_policy("web", { filename = "web.xml" }):wait(QUICK)
    assert.equal("web.xml", file.filename)
    assert.equal(whole.fileSize, file.fileSize)
    for name, options in pairs {
      j = { file = json },
      m = { file = minimal.file },
      b = { file = base64, base64 = true },
      f = { filename = "web.xml" },
    } do
      options.name = "copy_" .. name
      local result <const> = asm:import_policy(options):wait(QUICK)
      assert.equal("/Common/copy_" .. name, result.policyReference.fullPath)
      assert.same(before, contents(asm, options.name), name)
    end
  end)

  it("is imported from an uploaded file, and an exported file is downloaded in chunks", function()
    make(asm, "web")
    local text <const> = asm:export_policy("web"):wait(QUICK).file
    local half <const> = #text // 2
    for _, range in ipairs { { 0, half - 1 }, { half, #text - 1 } } do
      local answer <const> = bip:request("POST", "/mgmt/tm/asm/file-transfer/uploads/mine.xml", {
        body = text:sub(range[1] + 1, range[2] + 1),
        headers = {
          ["Content-Type"] = "application/octet-stream",
          ["Content-Range"] = ("%d-%d/%d"):format(range[1], range[2], #text),
        },
      })
      assert.equal(#text - range[2] - 1, answer.remainingByteCount)
    end
    asm:import_policy({ filename = "mine.xml", name = "uploaded" }):wait(QUICK)
    assert.same(contents(asm, "web"), contents(asm, "uploaded"))
    asm:export_policy("uploaded", { filename = "out.xml" }):wait(QUICK)
    local raw <const> =
      bip:request("GET", "/mgmt/tm/asm/file-transfer/downloads/out.xml", { raw = true })
    assert.matches("<policy ", raw.body)
    assert.equal(("0-%d/%d"):format(#raw.body - 1, #raw.body), raw.headers["content-range"])
  end)

  it("replaces a policy by its link, and keeps its id", function()
    local id <const> = make(asm, "web"):load().id
    local text <const> = asm:export_policy("web"):wait(QUICK).file
    asm:policy("web").urls:delete_all { all = true }
    asm:import_policy({ file = text, policy = "web" }):wait(QUICK)
    assert.equal(id, asm:policy("web"):load().id)
    assert.equal(3, #asm:policy("web").urls:list())
    assert.equal(1, #asm.policies:list())
  end)

  it("takes a document written by hand, and adds it to the template", function()
    asm
      :import_policy({
        file = f5.json.encode {
          policy = {
            name = "hand",
            fullPath = "/Common/hand",
            enforcementMode = "transparent",
            template = { name = "POLICY_TEMPLATE_RAPID_DEPLOYMENT" },
            filetypes = {
              { name = "php", allowed = true, type = "explicit" },
              { name = "*", allowed = false },
            },
            ["server-technologies"] = { { serverTechnologyName = "AngularJS" } },
            ["signature-sets"] = {
              {
                name = "JavaScript Signatures (High/Medium Accuracy)",
                alarm = true,
                block = false,
                learn = true,
              },
            },
            general = { trustXff = true },
            ["policy-builder"] = { learningMode = "manual" },
          },
        },
      })
      :wait(QUICK)
    local policy <const> = asm:policy "/Common/hand"
    assert.equal("transparent", policy:load().enforcementMode)
    assert.is_true(policy.general:load().trustXff)
    assert.equal(7, policy.general:load().enforcementReadinessPeriod)
    assert.is_false(policy.filetypes:list({ filter = { name = "*" } })[1].allowed)
    assert.is_true(policy.filetypes:list({ filter = { name = "php" } })[1].performStaging)
    assert.equal(2, #policy["signature-sets"]:list())
  end)

  it("goes through the states of a task, which is deleted at the end", function()
    asm.policies:create { name = "web" }
    local task <const> = asm:export_policy("web")
    assert.equal("NEW", task.body.status)
    assert.matches("^tm:asm:tasks:export%-policy:export%-policy%-taskstate$", task.body.kind)
    local states = {}
    local result <const> =
      task:wait { interval = 0.01, progress = function(state) states[state] = true end }
    assert.is_true(states.STARTED and states.COMPLETED)
    assert.is_truthy(result.file)
    assert.equal(0, #bip:at("asm/tasks/export-policy"):list())
    local kept <const> = asm:export_policy("web")
    kept:wait { interval = 0.05, keep = true }
    assert.equal(1, #bip:at("asm/tasks/export-policy"):list())
    local body <const> = bip:at("asm/tasks/export-policy"):list()[1]
    assert.is_true(
      body.startTime <= body.executionStartTime and body.executionStartTime <= body.endTime
    )
  end)

  it("fails with the reason the device gives", function()
    asm.policies:create { name = "web" }
    local function message(options)
      return failure(function() asm:import_policy(options):wait(QUICK) end)
    end
    assert.equal("task", message({ file = "<policy", name = "x" }).kind)
    assert.matches("not valid XML", message({ file = "<policy", name = "x" }).message)
    assert.matches("not valid JSON", message({ file = "{", name = "x" }).message)
    assert.matches(
      "%[fatal%] The security policy file does not conform to the schema and cannot be imported%.",
      message({ file = "<other/>", name = "x" }).message
    )
    assert.matches("not Base64", message({ file = "<policy/>", base64 = true, name = "x" }).message)
    assert.matches(
      "'gone.xml' was not found",
      message({ filename = "gone.xml", name = "x" }).message
    )
    assert.equal("invalid", failure(function() asm:import_policy { name = "x" } end).kind)
    assert.equal(1, #asm.policies:list())
  end)

  it("gets another name if its own is taken", function()
    asm.policies:create { name = "web" }
    for n = 1, 2 do
      local result = asm:import_policy({ template = "Fundamental", name = "web" }):wait(QUICK)
      assert.equal("/Common/web_" .. n, result.policyReference.fullPath)
    end
  end)

  it("is made of a template, and tells its attributes without an import", function()
    asm:import_policy({ template = "Rapid Deployment Policy", name = "rapid" }):wait(QUICK)
    assert.equal("transparent", asm:policy("rapid"):load().enforcementMode)
    local text <const> = asm:export_policy("rapid"):wait(QUICK).file
    local result <const> = asm:import_policy({ file = text, attributes_only = true }):wait(QUICK)
    assert.equal("/Common/rapid", result.policyAttributes.fullPath)
    assert.equal(1, #asm.policies:list())
  end)

  it("is applied, and every application is a revision that can be restored", function()
    local policy <const> = make(asm, "web")
    assert.is_true(policy:load().isModified)
    asm:apply_policy("web"):wait(QUICK)
    assert.is_false(policy:load().isModified)
    assert.is_true(policy:load().active)
    local before <const> = contents(asm, "web")
    policy.urls:delete_all { all = true }
    policy.general:modify { trustXff = true }
    assert.is_true(policy:load().isModified)
    asm:apply_policy("web"):wait(QUICK)
    local revisions <const> = policy["history-revisions"]:list()
    assert.equal(2, #revisions)
    -- Without a target a new policy is made, with one it is overwritten.
    local made <const> = asm:restore_revision(revisions[1]):wait(QUICK)
    assert.is_truthy(made.policyReference.fullPath ~= "/Common/web")
    assert.same(before, contents(asm, made.policyReference.fullPath))
    asm:restore_revision(revisions[1], { policy = "web" }):wait(QUICK)
    assert.same(before, contents(asm, "web"))
    assert.equal(2, #asm.policies:list())
  end)
end)

describe("G31 ASM policies", function()
  local device, bip, asm, first, second
  before_each(function()
    device, bip = lab.start { provision = { "asm" } }
    asm = f5.asm(bip)
    first = asm:policy(asm.policies:create { name = "first" })
    second = asm:policy(asm.policies:create { name = "second" })
  end)
  after_each(function() lab.stop(bip, device) end)

  local function differences()
    local result <const> = asm:diff_policies("first", "second"):wait(QUICK)
    local list <const> = asm:follow(result.differenceReference):list { orderby = "entityName" }
    assert.equal(result.differenceCount, #list)
    return list, result
  end

  it("that are the same have no differences", function()
    assert.equal(0, #differences())
  end)

  it("are compared entity by entity and property by property", function()
    first.urls:create { name = "/only-first" }
    second.urls:create { name = "/only-second" }
    first.urls:create { name = "/both", description = "a" }
    second.urls:create { name = "/both", description = "b", isAllowed = false }
    second.general:modify { trustXff = true }
    second:modify { enforcementMode = "transparent" }
    local list <const> = differences()
    local by_name = {}
    for _, one in ipairs(list) do by_name[one.entityName] = one end
    assert.equal(5, #list)
    assert.equal("only-in-first", by_name["/only-first"].diffType)
    assert.equal("only-in-second", by_name["/only-second"].diffType)
    assert.equal("tm:asm:policies:urls:urlstate", by_name["/both"].entityKind)
    assert.same({
      { field = "description", firstValue = "a", secondValue = "b" },
      { field = "isAllowed", firstValue = true, secondValue = false },
    }, by_name["/both"].details)
    assert.same(
      { { field = "trustXff", firstValue = false, secondValue = true } },
      by_name.general.details
    )
    assert.same(
      { { field = "enforcementMode", firstValue = "blocking", secondValue = "transparent" } },
      by_name.first.details
    )
    assert.equal("/both", asm:follow(by_name["/both"].firstEntityReference):load().name)
  end)

  it("are merged: what is missing, what differs, and only what is asked for", function()
    first.urls:create { name = "/only-first" }
    second.urls:create { name = "/only-second" }
    second.filetypes:create { name = "php" }
    first.urls:create { name = "/both", description = "a" }
    second.urls:create { name = "/both", description = "b" }
    second.general:modify { trustXff = true }
    local _, result <const> = differences()
    local merged = asm
      :merge_policies(result, { add_to_first = true, filter = { entityType = "url" } })
      :wait(QUICK)
    assert.equal(1, merged.mergedCount)
    assert.equal(1, #first.urls:list { filter = { name = "/only-second" } })
    assert.equal(0, #second.urls:list { filter = { name = "/only-first" } })
    assert.equal(0, #first.filetypes:list { filter = { name = "php" } })
    merged = asm
      :merge_policies(
        result,
        { add_to_first = true, add_to_second = true, common = "accept-from-second" }
      )
      :wait(QUICK)
    assert.equal(4, merged.mergedCount)
    assert.equal("b", first.urls:list({ filter = { name = "/both" } })[1].description)
    assert.is_true(first.general:load().trustXff)
    assert.equal(0, #differences())
    assert.same(contents(asm, "first"), contents(asm, "second"))
  end)

  it("are on virtual servers, each on one policy's", function()
    for i, name in ipairs { "v1", "v2" } do
      bip.ltm.virtual:create {
        name = name,
        destination = "192.0.2." .. i .. ":80",
        profiles = { "http" },
      }
    end
    first:modify { virtualServers = { "/Common/v1", "/Common/v2" } }
    assert.same({ "/Common/v1", "/Common/v2" }, first:load().virtualServers)
    local third <const> =
      asm:policy(asm.policies:create { name = "third", virtualServers = { "/Common/v2" } })
    assert.same({ "/Common/v2" }, third:load().virtualServers)
    assert.same({ "/Common/v1" }, first:load().virtualServers)
    bip.ltm.virtual["/Common/v1"]:delete()
    assert.same({}, first:load().virtualServers)
    local err <const> = failure(function() first:modify { virtualServers = { "/Common/v1" } } end)
    assert.equal(400, err.status)
    assert.matches("/Common/v1", err.message)
  end)

  it("merge nothing by default", function()
    first.urls:create { name = "/only-first" }
    local _, result <const> = differences()
    assert.equal(0, asm:merge_policies(result):wait(QUICK).mergedCount)
    assert.equal(1, #differences())
  end)

  it("cannot be compared when they differ in case sensitivity, language or protocol", function()
    asm.policies:create { name = "insensitive", caseInsensitive = true }
    local err <const> = failure(
      function() asm:diff_policies("first", "insensitive"):wait(QUICK) end
    )
    assert.equal("task", err.kind)
    assert.matches("differ in case sensitivity", err.message)
  end)
end)
