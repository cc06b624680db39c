-- Tasks of ASM over HTTPS: signatures, schemas, vulnerabilities, data protection, certificates.
local f5 = require "f5"
local lab = require "lab"

local failure <const> = lab.failure

local QUICK <const> = { interval = 0.05, timeout = 10 }

local device, bip, asm

local function start(seed)
  device, bip = lab.start { provision = { "asm" }, seed = seed }
  asm = f5.asm(bip)
end

local function stop() lab.stop(bip, device) end

describe("G33 ASM signatures", function()
  before_each(function() start() end)
  after_each(stop)

  local function attack_type(name)
    return { link = bip:at("asm/attack-types"):list({ filter = { name = name } })[1].selfLink }
  end

  it("of the user are made, changed and deleted; those of the system are not", function()
    local signatures <const> = bip.asm.signatures
    local made <const> = signatures:create {
      name = "mine",
      rule = 'content:"ABC"; depth:10;',
      attackTypeReference = attack_type "Path Traversal",
    }
    assert.is_true(made.isUserDefined)
    assert.is_true(made.signatureId > 300000000)
    assert.equal(2, asm:follow(made):modify({ signatureType = "response" }).revision)
    assert.matches(
      "rule is not valid",
      failure(
        function()
          signatures:create {
            name = "bad",
            rule = "nothing",
            attackTypeReference = attack_type "Path Traversal",
          }
        end
      ).message
    )
    local system <const> = signatures:list({ filter = { isUserDefined = false }, top = 1 })[1]
    assert.equal("invalid", failure(function() asm:follow(system):modify { risk = "low" } end).kind)
    assert.equal("invalid", failure(function() asm:follow(system):delete() end).kind)
    asm:follow(made):delete()
    assert.equal(0, #signatures:list { filter = { isUserDefined = true } })
  end)

  it("are exported and imported", function()
    bip.asm.signatures:create {
      name = "mine & <yours>",
      rule = 'content:"a\\"b"; nocase;',
      attackTypeReference = attack_type "SQL-Injection",
      risk = "high",
      systems = {
        {
          systemReference = {
            link = bip
              :at("asm/signature-systems")
              :list({ filter = { name = "MySQL" } })[1].selfLink,
          },
        },
      },
    }
    local result <const> = asm:export_signatures("sigs.xml"):wait(QUICK)
    assert.equal("sigs.xml", result.filename)
    local text <const> =
      bip:request("GET", "/mgmt/tm/asm/file-transfer/downloads/sigs.xml", { raw = true }).body
    assert.equal(result.fileSize, #text)
    bip.asm.signatures:list({ filter = { isUserDefined = true } })
    asm:follow(bip.asm.signatures:list({ filter = { isUserDefined = true } })[1]):delete()
    local status <const> = asm
      :update_signatures({ filename = "sigs.xml", user_defined = true })
      :wait(QUICK).signatureStatusReference
    local body <const> = asm:follow(status):load()
    assert.equal(1, body.sigsAdded)
    assert.is_true(body.isUserDefined)
    local again <const> = bip.asm.signatures:list({ filter = { isUserDefined = true } })[1]
    assert.equal("mine & <yours>", again.name)
    assert.equal('content:"a\\"b"; nocase;', again.rule)
    assert.equal("high", again.risk)
    assert.equal(1, #again.systems)
    -- The same file again is an update.
    local second <const> = asm
      :follow(
        asm
          :update_signatures({ file = text, user_defined = true })
          :wait(QUICK).signatureStatusReference
      )
      :load()
    assert.equal(0, second.sigsAdded)
    assert.equal(1, second.sigsUpdated)
    assert.matches("^PD94", asm:export_signatures("x.xml", { inline = true }):wait(QUICK).file)
  end)

  it("of the system are updated with an empty body, which leaves a status", function()
    stop()
    start { live_update = { ["asm-attack-signatures"] = {
      { createDateTime = "2026-01-05T10:00:00Z" },
    } } }
    local offered <const> = asm:check_signatures():wait(QUICK)
    assert.is_true(offered.isUpdateAvailable)
    assert.equal("2026-01-05T10:00:00Z", offered.latestVersionDatetime)
    local before <const> = #bip:at("asm/signature-statuses"):list()
    local result <const> = asm:update_signatures():wait(QUICK)
    local status <const> = asm:follow(result.signatureStatusReference):load()
    assert.is_false(status.isUserDefined)
    assert.matches("2026-01-05", status.readme, 1, true)
    assert.equal(before + 1, #bip:at("asm/signature-statuses"):list())
    assert.equal(2, #bip:at("live-update/asm-attack-signatures/update-files"):list())
    assert.is_false(asm:check_signatures():wait(QUICK).isUpdateAvailable)
  end)

  it("of the system are neither checked nor updated without an update server", function()
    local before <const> = #bip:at("asm/signature-statuses"):list()
    for _, start_task in ipairs { asm.update_signatures, asm.check_signatures } do
      local err <const> = failure(function() start_task(asm):wait(QUICK) end)
      assert.equal("task", err.kind)
      assert.matches("cannot be reached", err.message, 1, true)
    end
    assert.equal(before, #bip:at("asm/signature-statuses"):list())
  end)

  it("have statuses, systems and sets; a set collects what its filter lets through", function()
    local status <const> = bip:at("asm/signature-statuses"):list()[1]
    assert.equal(#bip.asm.signatures:list(), status.sigsTotal)
    assert.equal(40, #bip:at("asm/signature-systems"):list())
    local sets <const> = bip:at("asm/signature-sets")
    local set <const> =
      sets:create { name = "only high", filter = { accuracyFilter = "eq", accuracyValue = "high" } }
    assert.equal(
      #bip.asm.signatures:list { filter = { accuracy = "high" } },
      #set.signatureReferences
    )
    assert.equal("invalid", failure(function() sets:create { name = "only high" } end).kind)
    local policy <const> = asm:policy(asm.policies:create { name = "web" })
    local before <const> = #policy.signatures:list()
    local assigned <const> =
      policy["signature-sets"]:create { signatureSetReference = { link = set.selfLink } }
    assert.is_true(#policy.signatures:list() > before)
    assert.matches("uses it", failure(function() asm:follow(set):delete() end).message)
    asm:follow(assigned):delete()
    assert.equal(before, #policy.signatures:list())
    asm:follow(set):delete()
  end)

  it("have settings of their update under both names", function()
    bip:at("asm/signatures-update"):modify { updateMode = "scheduled", updateInterval = "daily" }
    assert.equal("daily", bip:at("asm/signature-update"):load().updateInterval)
  end)
end)

describe("G34 ASM schema files", function()
  before_each(function() start() end)
  after_each(stop)

  it("are put into a policy and linked to a profile", function()
    local policy <const> = asm:policy(asm.policies:create { name = "web" })
    local file <const> =
      asm:upload_schema("web", "softwareupdate.wsdl", "<validation></validation>")
    assert.equal("softwareupdate.wsdl", file.fileName)
    assert.is_false(file.isReferenced)
    assert.equal("<validation></validation>", file.contents)
    asm:upload_schema("web", "linked.xsd", "<schema/>", { profile = "Default" })
    local linked <const> =
      policy["xml-validation-files"]:list({ filter = { fileName = "linked.xsd" } })[1]
    assert.is_true(linked.isReferenced)
    local profile <const> = policy["xml-profiles"]:list({ filter = { name = "Default" } })[1]
    assert.equal(
      linked.id,
      profile.validationFiles[1].xmlValidationFileReference.link:match("/([%w_-]+)%?ver")
    )
    assert.matches("is referenced", failure(function() asm:follow(linked):delete() end).message)
    asm:follow(profile):modify { validationFiles = f5.array {} }
    asm:follow(linked):delete()
    assert.equal(1, #policy["xml-validation-files"]:list())
  end)

  it("must be XML", function()
    asm.policies:create { name = "web" }
    assert.matches(
      "is not closed",
      failure(function() asm:upload_schema("web", "bad.xsd", "<schema>") end).message
    )
  end)
end)

local REPORT <const> = [==[<?xml version="1.0"?>
<!DOCTYPE scan SYSTEM "x.dtd">
<scan><!-- two hosts -->
  <vulnerability><title>SQL Injection</title><severity>high</severity><url>http://shop.example.com/item?id=1</url><parameter>id</parameter></vulnerability>
  <vulnerability><title><![CDATA[Reflected XSS]]></title><url>http://shop.example.com/search</url><parameter>q</parameter></vulnerability>
  <vulnerability><title>Weak cipher</title><url>https://www.example.com/</url></vulnerability>
</scan>]==]

describe("G35 ASM vulnerabilities", function()
  local policy
  before_each(function()
    start {
      asm = {
        policies = {
          { name = "web", ["vulnerability-assessment"] = { scannerType = "generic" } },
          { name = "none" },
        },
        subscriptions = {
          {
            subscriptionId = "4132",
            productId = "F5 Trial Scan",
            url = "http://crackme.example.com/register/",
            scans = {
              {
                scanId = "3883",
                status = "Complete",
                completeDateTime = "2013-04-09T08:55:50Z",
                _found = {
                  {
                    url = "/a", domainName = "crackme.example.com", parameter = "p",
                    vulnerabilityName = "XSS", attackType = "Cross Site Scripting (XSS)",
                    severity = "high",
                  },
                },
              },
            },
          },
        },
      },
    }
    policy = asm:policy "web"
  end)
  after_each(stop)

  local function found(filter)
    return policy.vulnerabilities:list { filter = filter, orderby = "vulnerabilityName" }
  end

  it("are imported from a report: for all domains, for some, or only counted", function()
    local counted <const> =
      asm:import_vulnerabilities("web", { file = REPORT, count_only = true }):wait(QUICK)
    assert.same(
      {
        { domainName = "shop.example.com", vulnerabilityCount = "2" },
        { domainName = "www.example.com", vulnerabilityCount = "1" },
      },
      counted.vulnerableHosts
    )
    assert.equal(0, #found())
    asm
      :import_vulnerabilities("web", { file = REPORT, domains = { "shop.example.com" } })
      :wait(QUICK)
    local list = found()
    assert.equal(2, #list)
    assert.equal("SQL-Injection", list[2].attackType)
    assert.equal("/item", list[2].url)
    assert.equal("id", list[2].parameter)
    asm:import_vulnerabilities("web", { file = REPORT, all_domains = true }):wait(QUICK)
    list = found()
    assert.equal(3, #list)
    assert.equal(2, list[2].occurrences)
  end)

  it("need a scanner and a report that can be read", function()
    local function message(name, options)
      return failure(function() asm:import_vulnerabilities(name, options):wait(QUICK) end).message
    end
    assert.matches(
      "No vulnerability scanner",
      message("none", { file = REPORT, all_domains = true })
    )
    assert.matches("not valid XML", message("web", { file = "<x", all_domains = true }))
    assert.matches("Required Fields", message("web", { all_domains = true }))
  end)

  it("are resolved: the policy changes, in staging or at once", function()
    asm:import_vulnerabilities("web", { file = REPORT, all_domains = true }):wait(QUICK)
    local list <const> = found()
    local preview <const> = asm
      :resolve_vulnerabilities({ list[1], list[2] }, { preview = true })
      :wait(QUICK)
    assert.matches(
      "will be assigned to the security policy: Cross Site Scripting Signatures, SQL Injection "
        .. "Signatures",
      preview.message
    )
    assert.equal(1, #policy["signature-sets"]:list())
    assert.equal("not-mitigated", found()[2].mitigationStatus)

    asm:resolve_vulnerabilities({ list[2] }):wait(QUICK)
    assert.equal("mitigated", found()[2].mitigationStatus)
    assert.equal(
      1,
      #policy["signature-sets"]:list {
        filter = { ["signatureSetReference/name"] = "SQL Injection Signatures" },
      }
    )
    assert.is_false(
      policy.signatures:list({
        filter = { ["signatureReference/name"] = { startswith = "SQL-INJ" } },
      })[1].performStaging
    )
    assert.is_false(policy.parameters:list({ filter = { name = "id" } })[1].performStaging)

    asm:resolve_vulnerabilities({ list[1] }, { stage = true }):wait(QUICK)
    assert.equal("mitigated-in-staging", found()[1].mitigationStatus)
    assert.is_true(policy.parameters:list({ filter = { name = "q" } })[1].performStaging)
    local other <const> = asm:resolve_vulnerabilities({ list[3] }):wait(QUICK)
    assert.matches("does not automatically mitigate", other.message)
    assert.equal("usage", failure(function() asm:resolve_vulnerabilities {} end).kind)
  end)

  it("come from scans of a subscription, which are started and ended", function()
    assert.matches(
      "Cenzic Hailstorm only",
      failure(function() asm:vulnerability_subscriptions("web"):wait(QUICK) end).message
    )
    policy["vulnerability-assessment"]:modify { scannerType = "cenzic-hailstorm" }
    local subscriptions <const> = asm:vulnerability_subscriptions("web"):wait(QUICK).subscriptions
    assert.equal("4132", subscriptions[1].subscriptionId)
    assert.equal("3883", subscriptions[1].scans[1].scanId)
    assert.is_nil(subscriptions[1].scans[1]._found)
    asm
      :import_vulnerabilities("web", { subscription = "4132", scan = "3883", all_domains = true })
      :wait(QUICK)
    assert.equal(1, #found())
    assert.equal(4920, asm:initiate_assessment("web", "4132"):wait(QUICK).scanId)
    asm:terminate_assessment("web"):wait(QUICK)
    assert.equal(
      "Terminated",
      asm:vulnerability_subscriptions("web"):wait(QUICK).subscriptions[1].scans[2].status
    )
    assert.matches(
      "No vulnerability assessment is running",
      failure(function() asm:terminate_assessment("web"):wait(QUICK) end).message
    )
    assert.matches(
      "'1' was not found",
      failure(function() asm:initiate_assessment("web", "1"):wait(QUICK) end).message
    )
  end)
end)

describe("G36 ASM data protection and certificates", function()
  before_each(function() start() end)
  after_each(stop)

  it("exports keys that another device takes", function()
    local keys <const> = asm:export_data_protection():wait(QUICK).file
    assert.equal(
      "example-export-keys",
      asm:export_data_protection("example-export-keys"):wait(QUICK).filename
    )
    local other <const>, there <const> = lab.start {
      provision = { "asm" },
      hostname = "bigip2.example.net",
    }
    local second <const> = f5.asm(there)
    local own <const> = second:export_data_protection():wait(QUICK).file
    local task <const> = second:import_data_protection { file = keys }
    assert.equal(2880, task.body.graceAcceptingIntervalInMinutes)
    assert.equal(30, task.body.graceSigningIntervalInMinutes)
    local result <const> = task:wait(QUICK)
    local settings <const> = second:follow(result.DataProtectionReference):load()
    local after <const> = second:export_data_protection():wait(QUICK).file
    local err <const> = failure(
      function() second:import_data_protection({ file = "bm90aGluZw==" }):wait(QUICK) end
    )
    lab.stop(there, other)
    assert.is_true(settings.isShared)
    assert.is_true(settings.acceptingUntilDatetime > settings.signingFromDatetime)
    assert.not_equal(own, keys)
    assert.equal(keys, after)
    assert.matches("holds no data protection keys", err.message)
  end)

  it("imports certificates, and untrusted ones only when told to", function()
    local file <const> = assert(io.open(device.ca, "rb"))
    local pem <const> = file:read("a")
    file:close()
    local err <const> = failure(
      function() asm:import_certificate("c1", { file = pem }):wait(QUICK) end
    )
    assert.matches("'c1' is not trusted", err.message)
    local link <const> = asm
      :import_certificate("c1", { file = pem, allow_untrusted = true, type = "server" })
      :wait(QUICK).certificateReference
    local body <const> = asm:follow(link):load()
    assert.equal("server", body.certificateType)
    assert.is_false(body.isTrusted)
    assert.is_false(body.isExpired)
    assert.matches("^20%d%d%-%d%d%-%d%dT", body.expirationDatetime)
    assert.matches(
      "no certificate in PEM",
      failure(function() asm:import_certificate("c2", { file = "x" }):wait(QUICK) end).message
    )
    assert.matches(
      "already exists",
      failure(
        function()
          asm:import_certificate("c1", { file = pem, allow_untrusted = true }):wait(QUICK)
        end
      ).message
    )
    device:advance(40 * 365 * 86400)
    local later <const> = f5.connect(device:options "admin")
    local expired <const> = failure(
      function() f5.asm(later):import_certificate("c3", { file = pem }):wait(QUICK) end
    )
    later:close()
    assert.matches("'c3' is expired", expired.message)
  end)
end)
