-- Whatever a device, an inventory or a file says: a terminal, a log and a report get no control
-- character of it, no change of the direction of text, and no line of its own.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

-- An escape sequence, C1 controls, bidirectional controls, a forged line.
local BAD <const> = "x\27[8m\27[2J\u{9b}31m\u{202e}\u{2066}\127\rfoo\nf5lua: forged\u{2028}y"

local DIRECTION <const> = {
  "\u{61c}", "\u{200e}", "\u{200f}", "\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}", "\u{2028}",
}

describe("text from outside", function()
  local device, place
  lab.block(setup, teardown, before_each, function(...) device, place = ... end, {
    seed = { objects = { ["/mgmt/tm/ltm/pool"] = { { name = "web" } } } },
  })

  -- Expects that the bytes of an output do nothing but paint, and end or replace lines.
  local function check(text, what)
    -- f5lua's own colours stay; this one hides text
    assert.is_nil(text:find("\27[8m", 1, true), what .. ": a colour from outside")
    local rest = text:gsub("\27%[[%d;]*m", ""):gsub("\r\27%[K", ""):gsub("\27%[K", "")
    rest = rest:gsub("\r+\n", "\n"):gsub("\r", "")
    local at <const> = rest:find "[\0-\8\11-\31\127]" or rest:find "\xC2[\x80-\x9F]"
    assert.is_nil(at, ("%s: a control character in %q"):format(what, rest))
    for _, mark in ipairs(DIRECTION) do
      assert.is_nil(rest:find(mark, 1, true), ("%s: direction: %q"):format(what, rest))
    end
    for line in rest:gmatch "[^\n]+" do
      assert.falsy(line:find "^f5lua: forged", ("%s: a forged line: %q"):format(what, rest))
    end
    assert.is_true(#rest > 0, what .. ": there is no output")
  end

  local function environment()
    return lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" })
  end

  -- Runs the program without a terminal, and on one; checks both outputs.
  local function run(words, what)
    local is_csv <const> = words[#words] == "csv"
    local plain <const> = program.run(words, { env = environment() })
    local line <const> = program.command_line(words, { env = environment() })
    local shown <const> =
      program.run({ "-qec", line, "/dev/null" }, { program = "/usr/bin/script" })
    -- where no terminal is, a line break in a quoted cell of CSV is a line break (RFC 4180)
    local out <const> = is_csv and plain.out:gsub('"[^"]*"', function(cell)
      return (cell:gsub("\n", "\\n"))
    end)
    check((out or plain.out) .. plain.err, what)
    check(shown.out, what .. " on a terminal")
    return plain, shown.out
  end

  -- Answers all reads below ltm with this body.
  local function answer(body, status)
    device:fault {
      match = { path = "/mgmt/tm/ltm" }, times = 1000, status = status or 200, body = body,
    }
  end

  local OBJECT <const> = {
    kind = "tm:ltm:pool:poolstate", name = BAD, fullPath = BAD, [BAD] = BAD, description = BAD,
    list = { BAD, { name = BAD } }, nested = { [BAD] = BAD },
  }

  for _, format in ipairs { "table", "json", "jsonl", "csv", "lua" } do
    it("is shown as " .. format, function()
      answer(OBJECT)
      local got <const> = run({ "get", "ltm/pool", "/Common/web", "--output", format }, "get")
      if format:find "^json" then -- nothing is lost: a program reads the same text
        assert.equal(BAD, json.decode(got.out).description)
      end
      run({ "example", "ltm/pool", "--output", format }, "example")
      device:clear_faults()
      answer { kind = "tm:ltm:pool:poolcollectionstate", items = { OBJECT, OBJECT } }
      run({ "list", "ltm/pool", "--output", format }, "list")
      run({ "list", "ltm/pool", "--select", "name," .. BAD, "--output", format }, "columns")
      device:clear_faults()
      answer {
        kind = "tm:ltm:pool:poolstats",
        entries = {
          ["https://localhost/mgmt/tm/ltm/pool/" .. BAD .. "/stats"] = {
            nestedStats = { entries = { [BAD] = { description = BAD } } },
          },
        },
      }
      run({ "stats", "ltm/pool", "--output", format }, "stats")
    end)
  end

  it("is shown in errors, in plain words and as JSON", function()
    answer({ code = 400, message = BAD, errorStack = { BAD }, [BAD] = BAD, errors = { BAD } }, 400)
    local plain <const> = run({ "get", "ltm/pool", "/Common/web" }, "an error")
    assert.equal(3, plain.status)
    assert.matches("\n  | f5lua: forged", plain.err) -- a line of it is marked as such
    run({ "get", "ltm/pool", BAD }, "a name")
    run({ "get", "ltm/" .. BAD }, "a path")
    run({ BAD }, "a file that does not exist")
    run({ "get", "--" .. BAD }, "an option")
    local file <const> = place:file("p.lua", ("error(%q)"):format(BAD))
    run({ file }, "an error of a playbook")
    local logged <const> = run({ "run", "--log-format", "json", file }, "an error as JSON")
    for line in logged.err:gmatch "[^\n]+" do json.decode(line) end
  end)

  it("is shown in the log", function()
    answer(OBJECT)
    for _, words in ipairs { { "-v" }, { "-vv" }, { "-vv", "--log-format", "json" } } do
      local all <const> = { table.unpack(words) }
      all[#all + 1] = place:file(
        "log.lua",
        ([[
local bip <close> = require "f5".connect { label = %q }
pcall(bip.request, bip, "GET", "/mgmt/tm/ltm/pool/x")
pcall(bip.request, bip, "POST", "/mgmt/tm/ltm/pool", { body = { name = %q } })
]]):format(BAD, BAD)
      )
      run(all, table.concat(words, " "))
    end
  end)

  it("is shown in the lines, the table and the reports of a fleet", function()
    answer({ code = 400, message = BAD }, 400)
    local inventory <const> = place:file(
      "sites.json",
      json.encode {
        devices = {
          {
            name = BAD, host = device.host, port = device.port, ca = device.ca,
            username = "admin", password_env = "F5_PASSWORD",
          },
          {
            name = "second", host = device.host, port = device.port, ca = device.ca,
            username = "admin", password_env = "F5_PASSWORD",
          },
        },
      }
    )
    local failing <const> = place:file("fail.lua", "return function(bip) bip.ltm.pool:list() end")
    local good <const> = place:file(
      "good.lua", ("return function() require 'f5'.sleep(0.2) return %q end"):format(BAD)
    )
    for _, playbook in ipairs { failing, good } do
      for _, name in ipairs { "r.json", "r.csv" } do
        local report <const> = place.path .. "/" .. name
        os.remove(report)
        run(
          { "run", "--inventory", inventory, "--report", report, playbook }, "a fleet with " .. name
        )
        check(place:read(name), name)
      end
      os.remove(place.path .. "/r.json")
    end
  end)

  it("is shown by the console", function()
    answer(OBJECT)
    local line <const> = program.command_line({ "console" }, { env = environment() })
    local shown <const> = program.run(
      {
        "-c",
        ("printf 'bip.ltm.pool.web:load()\\nbip.ltm.pool[\"a\"]\\n' | %s"):format(line),
      },
      { program = "/bin/sh" }
    )
    check(shown.out .. shown.err, "the console")
    assert.matches("description", shown.out)
  end)
end)
