-- Standard output that is a full disk, or that nobody reads: what is printed is there, or the exit
-- status says that it is not.
local lab = require "lab"
local program = require "program"

describe("standard output of", function()
  local device, place, env
  local nodes = {}
  for i = 1, 1200 do
    nodes[i] = { name = ("n%04d"):format(i), address = ("10.0.%d.%d"):format(i >> 8, i & 255) }
  end
  lab.block(setup, teardown, before_each, function(...)
    device, place = ...
    env = lab.environment(device)
  end, { seed = { objects = { ["/mgmt/tm/ltm/node"] = nodes } } })

  -- Runs the program in a line of bash, as COMMAND, and returns what that prints, and the program's
  -- standard error.
  local function bash(line, words)
    local script = place:file(
      "script",
      (
        line:gsub(
          "COMMAND",
          function()
            return "timeout 30 bash -c 'sleep 0.1; exec \"$@\"' - "
              .. program.command_line(words, { env = env }) .. (" 2>%s/err"):format(place.path)
          end
        )
      )
    )
    local pipe <close> = assert(io.popen("bash " .. script))
    return pipe:read "a", place:read "err"
  end

  local WAYS <const> = {
    ["a playbook"] = function() return {
      place:file("p.lua", "require('f5').connect {} print(1)"),
    } end,
    ["a playbook that buffers"] = function()
      return { place:file("p.lua", "require('f5').connect {} io.write(1)") }
    end,
    ["a playbook that ends by os.exit"] = function()
      return { place:file("p.lua", "require('f5').connect {} io.write(1) os.exit(0)") }
    end,
    list = function() return { "list", "ltm/node" } end,
    ["list as CSV"] = function()
      return { "list", "ltm/node", "--output", "csv", "--select", "name" }
    end,
    ["list as a table"] = function() return { "list", "ltm/node", "--output", "table" } end,
    get = function() return { "get", "ltm/node", "/Common/n0001" } end,
    ["get as JSON"] = function() return {
      "get", "ltm/node", "/Common/n0001", "--output", "json",
    } end,
    stats = function() return { "stats", "ltm/node", "/Common/n0001" } end,
    example = function() return { "example", "ltm/node" } end,
    call = function() return { "call", "sys/config", "save" } end,
    ["run --sim"] = function() return { "run", "--sim", place:file("p.lua", "print(1)") } end,
    ["--version"] = function() return { "--version" } end,
    ["--help"] = function() return { "--help" } end,
    completions = function() return { "completions", "bash" } end,
  }
  for way, words in pairs(WAYS) do
    it(way, function()
      local status, err = bash("COMMAND >/dev/full; echo $?", words())
      assert.equal("1\n", status)
      assert.matches("^f5lua: cannot write to standard output[^\n]*\n$", err)
      status, err = bash("COMMAND | true; echo ${PIPESTATUS[0]}", words())
      assert.same({ "141\n", "" }, { status, err })
      assert.same({}, device:state().tokens.items)
    end)
  end

  it("print tells why, also when what it could not write was long ago, and in JSON where the log "
    .. "is", function()
    for _, text in ipairs {
      "print(1)",
      "print(1) io.write 'more'",
      "print(1) f5 = require 'f5' f5.sleep(0.01) print(2) os.exit(true)",
    } do
      local file <const> = place:file("p.lua", text)
      local status, err = bash("COMMAND >/dev/full; echo $?", { file })
      assert.same(
        { "1\n", "f5lua: cannot write to standard output: No space left on device\n" },
        { status, err }
      )
      status, err = bash("COMMAND >/dev/full; echo $?", { "--log-format", "json", file })
      local told <const> = require("f5.json").decode(err)
      assert.same({
        "1\n", "failure", "cannot write to standard output: No space left on device", 1,
      },
        { status, told.event, told.message, told.exit_status })
    end
  end)

  it("print writes what Lua's own does", function()
    local result <const> = program.run {
      "-e",
      "print() print(nil, 1.0, 'a\\0b', setmetatable({}, { __tostring = function() return 'mine' "
        .. "end }))",
    }
    assert.equal("\nnil\t1.0\ta\0b\tmine\n", result.out)
    assert.matches(
      "'__tostring' must return a string",
      program.run(
        { "-e", "print(setmetatable({}, { __tostring = function() return {} end }))" }
      ).err
    )
  end)

  it("f5lua sim, which would else run at a port that nobody knows", function()
    local status, err = bash("COMMAND >/dev/full; echo $?", { "sim", "--port", "0" })
    assert.same(
      { "1\n", "f5lua: cannot write to standard output: No space left on device\n" },
      { status, err }
    )
  end)

  for _, words in ipairs {
    { "list", "ltm/node" },
    { "list", "ltm/node", "--output", "csv", "--select", "name,address" },
  } do
    it(table.concat(words, " ") .. " is there before the next page is", function()
      device:fault {
        match = { method = "GET", path = "/ltm/node", query = "skip=500" },
        delay_ms = 20000,
      }
      local process <close> = program.start(words, { env = env })
      process:expect("n0001", 10)
      os.execute "sleep 0.3"
      assert.falsy(process:output():find "n0501")
      process:kill "TERM"
      assert.equal(143, process:wait(10).status)
      assert.same({}, device:state().tokens.items)
    end)
  end

  it("list ends quietly when the reader has enough, and asks the device for no more", function()
    local out, err =
      bash("COMMAND | head -1 | cut -c1-50; echo ${PIPESTATUS[0]}", { "list", "ltm/node" })
    assert.same({ '{"kind":"tm:ltm:node:nodestate","name":"n0001","pa\n141\n', "" }, { out, err })
    assert.same({}, device:state().tokens.items)
    local pages = 0
    for _, call in ipairs(device:log()) do
      if call.path == "/mgmt/tm/ltm/node" then pages = pages + 1 end
    end
    assert.equal(1, pages)
  end)

  it("list has all pages in the end, also as CSV and with a limit", function()
    local function count(more)
      return bash("COMMAND | wc -l", table.move(more, 1, #more, 3, { "list", "ltm/node" }))
    end
    assert.equal("1200\n", count {})
    assert.equal("1201\n", count { "--output", "csv", "--select", "name" })
    assert.equal("600\n", count { "--top", "600" })
    assert.equal(
      "name\n",
      bash("COMMAND", { "list", "ltm/pool", "--output", "csv", "--select", "name" })
    )
    assert.equal("", bash("COMMAND", { "list", "ltm/pool" }))
  end)
end)
