-- The playbooks of ASM and APM against simulated devices, run as an operator runs them.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local URL <const> = "tm:asm:policies:urls:urlstate"

local function run(device, words, input)
  words[1] = "scripts/playbooks/" .. words[1]
  return program.run(words, {
    input = input,
    env = lab.environment(device),
  })
end

-- Verified by the one certificate file of both devices.
local function bundle(directory, ...)
  local parts = {}
  for index, device in ipairs { ... } do
    local file <close> = assert(io.open(device.ca, "rb"))
    parts[index] = file:read "a"
  end
  return directory:file("ca.pem", table.concat(parts))
end

describe("waf-policy-promote.lua", function()
  local staging, prod
  before_each(function()
    staging = sim.start {
      provision = { "asm" },
      hostname = "lab.example.net",
      seed = {
        asm = {
          policies = {
            {
              name = "web",
              description = "new",
              urls = { { name = "/login" }, { name = "/both", isAllowed = false } },
            },
          },
        },
      },
    }
    prod = sim.start {
      provision = { "asm" },
      hostname = "prod.example.net",
      seed = {
        asm = { policies = { { name = "web", urls = { { name = "/old" }, { name = "/both" } } } } },
      },
    }
  end)
  after_each(function() lab.stop(staging, prod) end)

  local function promote(words, input)
    local directory <close> = program.directory()
    table.insert(words, 1, "scripts/playbooks/waf-policy-promote.lua")
    table.insert(words, 2, "--from")
    table.insert(words, 3, staging.host .. ":" .. staging.port)
    return program.run(words, {
      input = input,
      env = {
        F5_USER = "admin",
        F5_PASSWORD = "admin",
        SSL_CERT_FILE = bundle(directory, staging, prod),
      },
    })
  end

  local function at_prod(fn)
    local bip <close> = f5.connect(prod:options "admin")
    return fn(f5.asm(bip))
  end

  local function urls()
    return at_prod(
      function(asm) return #asm:policy("web").urls:list { filter = { name = "/login" } } end
    )
  end

  it("explains itself", function()
    local result <const> = program.run { "scripts/playbooks/waf-policy-promote.lua", "--help" }
    assert.equal(0, result.status)
    assert.matches("Usage: waf%-policy%-promote%.lua", result.out)
  end)

  it("shows the differences first, and changes nothing in a dry run or without a yes", function()
    local there <const> = prod.host .. ":" .. prod.port
    for words, input in pairs {
      [{ "--dry-run", "--to", there, "web" }] = "",
      [{ "--to", there, "web" }] = "no\n",
    } do
      local result <const> = promote(words, input)
      assert.equal("", result.err)
      assert.equal(0, result.status)
      assert.matches("\n    %- url /old\n", result.out)
      assert.matches("\n    %+ url /login\n", result.out)
      assert.matches("\n    ~ url /both\n        isAllowed: true %-> false\n", result.out)
      assert.matches(
        '\n    ~ policy web\n        description: "Fundamental Policy" %-> "new"\n',
        result.out
      )
    end
    assert.equal(0, urls())
    assert.equal(1, at_prod(function(asm) return #asm.policies:list() end))
  end)

  it("imports and applies, after which there are no differences left", function()
    local there <const> = prod.host .. ":" .. prod.port
    local result = promote { "--yes", "--to", there, "/Common/web" }
    assert.equal("", result.err)
    assert.matches("imported and applied", result.out)
    assert.equal(1, urls())
    assert.is_true(at_prod(function(asm) return asm:policy("web"):load().active end))
    result = promote { "--yes", "--to", there, "/Common/web" }
    assert.matches("has the policy already", result.out)
    result = promote { "--yes", "--to", there, "--as", "/Common/copy", "--no-apply", "web" }
    assert.matches("the policy is new there", result.out)
    assert.is_false(at_prod(function(asm) return asm:policy("copy"):load().active end))
    assert.equal(2, at_prod(function(asm) return #asm.policies:list() end))
  end)

  it("goes on after a device that fails, and says so at the end", function()
    local result <const> =
      promote { "--yes", "--to", "127.0.0.1:1", "--to", prod.host .. ":" .. prod.port, "web" }
    assert.not_equal(0, result.status)
    assert.matches("127%.0%.0%.1:1:\n    FAILED", result.out)
    assert.matches("imported and applied", result.out)
    assert.matches("1 of 2 devices failed", result.err)
  end)
end)

describe("waf-suggestions.lua", function()
  local device
  before_each(function()
    device = sim.start {
      provision = { "asm" },
      seed = {
        asm = {
          policies = {
            {
              name = "web",
              suggestions = {
                {
                  score = 95,
                  entityKind = URL,
                  entityName = "/new",
                  action = "add-or-update",
                  entity = { name = "/new" },
                  entityChanges = { description = "learned" },
                },
                {
                  score = 20,
                  entityKind = URL,
                  entityName = "/weak",
                  action = "add-or-update",
                  entity = { name = "/weak" },
                },
              },
            },
          },
        },
      },
    }
  end)
  after_each(function() device:stop() end)

  it("lists the strongest first", function()
    local result <const> = run(device, { "waf-suggestions.lua", "web" })
    assert.equal("", result.err)
    assert.matches(
      "^ 95%.0  add%-or%-update url        /new  description=learned\n 20%.0 .-/weak.-\n2 "
        .. "suggestions\n$",
      result.out
    )
    assert.matches(
      "^0 suggestions",
      run(device, { "waf-suggestions.lua", "web", "--kind", "parameter" }).out
    )
    assert.equal(0, run(device, { "waf-suggestions.lua", "--help" }).status)
  end)

  it("accepts those above a score, and applies the policy", function()
    assert.matches(
      "nothing changed",
      run(device, { "waf-suggestions.lua", "web", "--accept", "--score", "90" }, "n\n").out
    )
    local result <const> = run(
      device,
      {
        "waf-suggestions.lua",
        "web",
        "--accept",
        "--score",
        "90",
        "--comment",
        "reviewed",
        "--apply",
        "--yes",
      }
    )
    assert.equal("", result.err)
    assert.matches("1 suggestion\n1 accepted\nthe policy is applied\n$", result.out)
    local bip <close> = f5.connect(device:options "admin")
    local policy <const> = f5.asm(bip):policy "web"
    assert.equal("learned", policy.urls:list({ filter = { name = "/new" } })[1].description)
    assert.equal(0, #policy.urls:list { filter = { name = "/weak" } })
    assert.equal("reviewed", policy.suggestions:list({ filter = { status = "accept" } })[1].comment)
    assert.is_false(policy:load().isModified)
  end)
end)

describe("apm-sessions.lua", function()
  local device
  before_each(
    function()
      device = sim.start {
        provision = { "apm" },
        seed = {
          apm = {
            sessions = {
              { id = "aaaa0001", user = "alice", client = "10.0.0.1" },
              { id = "bbbb0002", user = "bob", client = "10.0.0.2" },
            },
          },
        },
      }
    end
  )
  after_each(function() device:stop() end)

  it("lists sessions and ends a user's", function()
    assert.equal(0, run(device, { "apm-sessions.lua", "--help" }).status)
    assert.matches(
      "^aaaa0001  alice                10%.0%.0%.1\nbbbb0002 .-\n2 sessions\n$",
      run(device, { "apm-sessions.lua" }).out
    )
    assert.matches(
      "\n1 session\n",
      run(device, { "apm-sessions.lua", "--client", "10.0.0.2" }).out:gsub("^", "\n")
    )
    assert.matches(
      "nothing changed",
      run(device, { "apm-sessions.lua", "--user", "alice", "--end" }, "\n").out
    )
    local result <const> = run(device, { "apm-sessions.lua", "--user", "alice", "--end", "--yes" })
    assert.equal("", result.err)
    assert.matches("1 ended\n$", result.out)
    assert.matches("1 session\n$", run(device, { "apm-sessions.lua" }).out)
    assert.not_equal(0, run(device, { "apm-sessions.lua", "--end" }).status)
  end)
end)
