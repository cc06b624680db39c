-- The pages of docs/cookbook are stories: their commands run one after the other, as a reader
-- types them, on the lab that they recommend, and print what the pages show.
local f5 = require "f5"
local lfs = require "lfs"
local markdown = require "markdown"
local program = require "program"
local sim = require "f5.sim"

local FOLDER <const> = "docs/cookbook/"
local LAB <const> = "scripts/playbooks/lab.json"
local BIN <const> = program.path:match "^(.*)/"

-- What is compared before and after a page.
local PATHS <const> = { "ltm", "auth", "sys/file", "net/self", "cm" }

-- What is true after a page. `restored`: what was changed has been taken back, so the configuration
-- is as before it. `hurry`: how many times as fast the clock of the device runs.
local PAGES <const> = {
  ["as3.md"] = {},
  ["backup.md"] = { restored = true, hurry = 100 },
  ["blue-green.md"] = { restored = true },
  ["certificates.md"] = { restored = true },
  ["drain.md"] = { restored = true },
  ["ha-pair.md"] = {},
  ["mass-change.md"] = {},
  ["mistake.md"] = { restored = true },
  ["upgrade.md"] = { hurry = 30 },
  ["users.md"] = { restored = true },
  ["waf.md"] = {},
}

-- Pages that are run elsewhere: where.
local OTHERS <const> = {
  ["README.md"] = "the last test of this file",
  ["from-ansible.md"] = "docs_tables_spec",
  ["from-python.md"] = "docs_tables_spec",
}

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- The commands of a page in their order, each with its lines and the output that the page shows.
local function commands(page)
  local found = {}
  for _, block in ipairs(markdown.blocks(page, "console")) do
    local current
    for line in block.text:gmatch "([^\n]*)\n" do
      local command <const> = line:match "^%$ (.*)$"
      local more <const> = line:match "^> (.*)$"
      if command then
        current = { command = command, output = "", line = block.line }
        found[#found + 1] = current
      elseif more and current.output == "" then
        current.command = current.command .. "\n" .. more
      else
        assert(current, page .. ": the block in line " .. block.line .. " begins without a command")
        current.output = current.output .. line .. "\n"
      end
    end
  end
  return found
end

-- What differs from run to run.
local function plain(text)
  return (
    text
      :gsub("%d%d%d%d%d%d%d%d%-%d%d%d%d%d%d%-%x+", "ID")
      :gsub("%d%d%d%d%-%d%d%-%d%d[T:][%d:.]+Z?", "TIME")
      :gsub("%d%d%d%d%-%d%d%-%d%d", "DATE")
      :gsub("127%.0%.0%.1_%d+", "127.0.0.1_PORT")
      :gsub("%d%d%d%d%d%d%d%dT%d%d%d%d%d%dZ", "TIME")
      :gsub(("%x"):rep(64), "SHA256")
      :gsub("%d+ bytes", "N bytes")
      :gsub("%d+%.?%d* k?B", "N B")
      :gsub("   +", "  ") -- ports make columns wider
      :gsub("%d+ objects", "N objects")
      :gsub("%d+ reads", "N reads")
      :gsub("%d+ connections? left, %d+ s", "N connections left, N s")
  )
end

-- "…" stands for anything.
local function as_pattern(text)
  return "^" .. plain(text):gsub("%p", "%%%0"):gsub("…", ".-") .. "$"
end

-- Devices that a page starts itself: lines such as `f5lua sim --fleet 30 --port 8444 &`. They get a
-- free port; `ports` has the one of the page for it.
local function start_devices(list, directory, ports)
  local running = setmetatable({}, {
    __close = function(devices)
      for _, one in ipairs(devices) do getmetatable(one).__close(one) end
    end,
  })
  for _, one in ipairs(list) do
    local words <const> = one.command:match "^f5lua sim (.*) &$"
    if words then
      local shown <const> = words:match "%-%-port (%d+)" or "8443"
      local line <const> = ("cd %s && exec %s sim --port 0 %s"):format(
        directory.path, program.path, (words:gsub("%-%-port %d+", ""))
      )
      local process = program.start({ "-c", line }, { program = "/bin/sh" })
      running[#running + 1] = process
      ports[shown] = process:expect "https://127%.0%.0%.%d+:(%d+)"
      one.started = process
    end
  end
  return running
end

-- Runs the commands in one shell, and returns what each of them printed. `tick` is called ten times
-- a second meanwhile.
local function run(list, directory, environment, ports, tick)
  local script = {
    "exec 2>&1",
    ("export PATH=%s:$PATH"):format(BIN),
  }
  for i, one in ipairs(list) do
    local command = one.started and "true"
      or one.command:gsub("(127%.0%.0%.%d+:)(%d+)", function(host, port)
        return host .. (ports[port] or port)
      end)
    script[#script + 1] = command
    script[#script + 1] = ("status=$?; printf '\\001%d %%s\\002' $status; (exit $status)"):format(i)
  end
  local environment_of = { HOME = directory.path, XDG_STATE_HOME = directory.path .. "/.state" }
  for name, value in pairs(environment) do environment_of[name] = value end
  table.insert(script, 1, ("cd %s; trap ': >%s/.ended' EXIT"):format(
    directory.path, directory.path))
  local shell <close> = program.start({ "-c", table.concat(script, "\n") }, {
    program = "/bin/bash", env = environment_of,
  })
  local deadline = os.time() + 100
  while tick and not directory:read ".ended" and os.time() < deadline do
    f5.sleep(0.1)
    tick()
  end
  local result <const> = shell:wait(100)
  local printed = {}
  for text, number, status in result.out:gmatch "([^\1]*)\1(%d+) (%d+)\2" do
    for shown, real in pairs(ports) do text = text:gsub(":" .. real .. "%f[%D]", ":" .. shown) end
    printed[tonumber(number)] = { text = text, status = tonumber(status) }
  end
  return printed, result.out .. result.err
end

local function compare(page, list, printed, all)
  for i, one in ipairs(list) do
    local done = printed[i]
    assert(done, ("%s: %s was not reached:\n%s"):format(page, one.command, all))
    if one.started then
      local out, err = one.started:output()
      done.text = (out .. err):gsub("(127%.0%.0%.%d+:)%d+", "%1" .. (
        one.command:match "%-%-port (%d+)" or "8443"))
    end
    local where <const> = ("%s, block in line %d: %s"):format(page, one.line, one.command)
    assert.message(where).matches(as_pattern(one.output), plain(done.text))
    -- A command that fails on purpose is followed by one that shows its status.
    local next_one <const> = list[i + 1]
    if not (next_one and next_one.command == "echo $?") then
      assert.message(where .. "\n" .. done.text).equal(0, done.status)
    end
  end
end

-- Writes the playbooks of a page, each with its name in the first line.
local function write_playbooks(page, directory)
  local text <const> = read(page)
  for _, block in ipairs(markdown.blocks(page, "lua")) do
    local name <const> = block.text:match "^%-%- (%S+%.lua)\n"
    assert(name, page .. ": the playbook in line " .. block.line .. " has no name")
    local _, uses = text:gsub(name:gsub("%p", "%%%0"), "")
    assert.message(page .. ": " .. name .. " is not run").is_true(uses > 1)
    directory:file(name, block.text)
  end
end

local function story(page, facts)
  local directory <close> = program.directory()
  assert(os.execute(("cp scripts/playbooks/* %s/"):format(directory.path)))
  write_playbooks(page, directory)
  local device <close> = sim.start { seed = f5.json.decode(read(LAB)) }
  local bip <close> = f5.connect(device:options "admin")
  local before <const> = facts.restored and bip:snapshot { paths = PATHS }
  local ports <const> = { ["8443"] = tostring(device.port) }
  local list <const> = commands(page)
  assert.is_true(#list > 0)
  local _running <close> = start_devices(list, directory, ports)
  local printed, all = run(list, directory, {
    F5_SERVER = "127.0.0.1:" .. device.port,
    F5_USER = "admin",
    F5_PASSWORD = "admin",
    SSL_CERT_FILE = device.ca,
  }, ports, facts.hurry and function() device:advance(facts.hurry / 10) end)
  compare(page, list, printed, all)
  if before then
    local report <const> = f5.diff(before, bip, { paths = PATHS })
    assert.message(tostring(report)).equal(0, #report.differences)
  end
  if facts.check then facts.check(bip, directory) end
end

describe("E7 the cookbook", function()
  it("has only pages that are run", function()
    for name in lfs.dir "docs/cookbook" do
      if name:find "%.md$" then assert.message(name).truthy(PAGES[name] or OTHERS[name]) end
    end
  end)

  it("shows nothing but playbooks and what a shell prints", function()
    for name in pairs(PAGES) do
      local is_open = false
      for language in ("\n" .. read(FOLDER .. name)):gmatch "\n```(%a*)" do
        if not is_open then
          assert.message(name).truthy(language == "lua" or language == "console")
        end
        is_open = not is_open
      end
    end
  end)

  for name, facts in pairs(PAGES) do
    it("prints what the page shows: " .. name, function() story(FOLDER .. name, facts) end)
  end

  it("begins with a lab that works", function()
    local directory <close> = program.directory()
    assert(os.execute(("cp scripts/playbooks/* %s/"):format(directory.path)))
    local page <const> = FOLDER .. "README.md"
    local list <const>, ports <const> = commands(page), {}
    assert.equal("cd scripts/playbooks", table.remove(list, 1).command)
    local _running <close> = start_devices(list, directory, ports)
    local printed, all = run(list, directory, {}, ports)
    compare(page, list, printed, all)
  end)
end)
