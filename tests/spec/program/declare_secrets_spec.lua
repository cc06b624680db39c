-- Secrets in declarations: a word in each place where a declaration can hold a secret. It is in
-- nothing that the program prints or writes.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local WORD <const> = "CANARY"
local KEY <const> = "-----BEGIN PRIVATE KEY-----\n" .. WORD .. "KEY\n-----END PRIVATE KEY-----\n"

local device, place, bip

before_each(function()
  device, bip = lab.start { extensions = { "as3" } }
  place = lab.scratch()
  lab.inventory(place, device, { "one" })
end)
after_each(function() lab.stop(bip, device, place) end)

local function base64(text)
  return (bip:bash(("printf %%s '%s' | base64 -w0"):format(text)):gsub("%s+$", ""))
end

-- A declaration with secrets; `mark` makes them others.
local function adc(mark, more)
  local word <const> = WORD .. mark
  local app = {
    class = "Application",
    mon = {
      class = "Monitor", monitorType = "http", username = "u",
      passphrase = {
        ciphertext = base64(word .. "cipher"), protected = "eyJhbGciOiJkaXIiLCJlbmMiOiJub25lIn0",
      },
      send = "GET /?password=" .. word .. "a HTTP/1.1\r\nAuthorization: Basic " .. word
        .. "b\r\n\r\n",
    },
    rule = {
      class = "iRule",
      iRule = 'when HTTP_REQUEST { set password "' .. word .. 'c" ; HTTP::header insert '
        .. 'Authorization "Bearer ' .. word .. 'd" }',
    },
    coded = {
      class = "iRule",
      iRule = { base64 = base64('when HTTP_REQUEST { set password "' .. word .. 'e" }') },
    },
    p = {
      class = "Pool", monitors = { { use = "mon" } },
      members = { { servicePort = 80, serverAddresses = { "192.0.2.1" } } },
    },
  }
  for name, value in pairs(more or {}) do app[name] = value end
  return {
    class = "ADC", schemaVersion = "3.50.0", id = "ours", Blue = { class = "Tenant", A = app },
  }
end

local function write(name, body) place:file(name, json.encode(body, { sort = true })) end

local function run(words, env)
  local more = { XDG_STATE_HOME = place.path .. "/state", F5LUA_PASSPHRASE = "sealing" }
  for name, value in pairs(env or {}) do more[name] = value end
  return program.run(words, {
    directory = place.path, timeout = 60, env = lab.environment(device, more),
  })
end

-- Runs the program, and looks at what it prints and at the files that it writes.
local function keeps(status, words, files, env)
  local result <const> = run(words, env)
  local what <const> = table.concat(words, " ")
  assert.equal(status, result.status, what .. ": " .. result.err)
  local texts = { out = result.out, err = result.err }
  for _, file in ipairs(files or {}) do
    texts[file] = assert(place:read(file), file)
    assert.is_true(#texts[file] > 0, file)
  end
  for name, text in pairs(texts) do
    for _, form in ipairs { WORD, base64(WORD .. "1cipher"), base64(WORD .. "2cipher") } do
      local at <const> = text:find(form, 1, true)
      assert.is_nil(at, ("%s, %s: %s"):format(what, name, at and text:sub(at - 80, at + 40)))
    end
  end
  return result.out .. result.err
end

describe("D1 secrets of a declaration", function()
  it("are in no output of one that is applied, changed or taken back", function()
    write("app.json", adc(1))
    write("other.json", adc(2))
    for _, format in ipairs { "json", "yaml", "csv", "text" } do
      keeps(0, { "declare", "app.json", "--dry-run", "-o", format, "-vv" })
    end
    keeps(0, { "declare", "app.json", "--undoable", "-vv", "--record", "a.har" }, { "a.har" })
    assert.equal(WORD .. "1cipher", (bip:bash("echo "
      .. bip:declared().Blue.A.mon.passphrase.ciphertext .. " | base64 -d"):gsub("%s+$", "")))
    keeps(0, { "declare", "--show", "-vv" })
    keeps(0, { "declare", "--show", "-o", "yaml" })
    for _, format in ipairs { "json", "yaml", "csv", "text" } do
      local out <const> = keeps(0, { "declare", "other.json", "--dry-run", "-o", format, "-vv" })
      assert.matches("password", out) -- the difference is named
    end
    keeps(0, { "declare", "other.json", "--check" })
    keeps(0, { "declare", "other.json", "--inventory", "sites.lua", "-vv", "--report", "r.html",
      "--journal", "j", "--record", "b.har" }, { "r.html", "j", "b.har" })
    keeps(0, { "changes" })
    keeps(0, { "undo", "last", "--force", "-vv" })
  end)

  it("are in no output of one that is refused", function()
    local faulty <const> = {
      adc(1, { q = { class = "Monitor", monitorType = "http", passphrase = WORD .. "x" } }),
      adc(1, { q = {
        class = "iRule", iRule = { url = "https://u:" .. WORD .. "x@192.0.2.200/" },
      } }),
      adc(1, { q = { class = "Certificate", certificate = "x", privateKey = KEY .. WORD } }),
      adc(1, { q = {
        class = "Service_HTTP", virtualAddresses = { "192.0.2.9" }, adminPassword = WORD .. "x",
      } }),
      adc(1, { q = {
        class = "Certificate", certificate = "x", privateKey = { base64 = base64(WORD) },
        passphrase = { ciphertext = WORD, password = WORD },
      } }),
    }
    for i, body in ipairs(faulty) do
      local name <const> = "bad" .. i .. ".json"
      write(name, body)
      local result <const> = run { "declare", name }
      assert.is_true(result.status == 3 or result.status == 0, result.err)
      keeps(result.status, { "declare", name, "-vv", "-o", "yaml", "--record", "bad.har" },
        { "bad.har" })
      keeps(result.status == 0 and 0 or 1,
        { "declare", name, "--inventory", "sites.lua", "--report", "bad.html" }, { "bad.html" })
    end
  end)

  it("are sealed in a plan, and arrive when it is applied", function()
    write("app.json", adc(1))
    place:file("play.lua", 'local f5 = require "f5"\nlocal bip <close> = f5.connect()\n'
      .. 'bip:declare(f5.asset "app.json")\n')
    local refused <const> = run({ "plan", "-o", "p.plan", "play.lua" }, { F5LUA_PASSPHRASE = "" })
    assert.not_equal(0, refused.status)
    assert.matches("a plan holds only encrypted", refused.err)
    keeps(0, { "plan", "-o", "p.plan", "play.lua" })
    local plan <const> = place:read "p.plan"
    assert.is_nil(plan:find(base64(WORD .. "1cipher"), 1, true))
    keeps(0, { "apply", "p.plan", "-vv" })
    assert.equal(base64(WORD .. "1cipher"), bip:declared().Blue.A.mon.passphrase.ciphertext)
  end)
end)
