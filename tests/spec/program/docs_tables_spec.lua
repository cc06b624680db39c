-- The tables that translate from Ansible and Python: each line of f5lua in them runs in the lab.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local FOLDER <const> = "docs/cookbook/"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- The pieces of code in the last column of all tables of a page, in their order, by section:
-- { { title =, lines = { "f5lua …", "bip:…" } } }
local function translations(page)
  local sections, current = {}, nil
  for line in io.lines(FOLDER .. page) do
    local title <const> = line:match "^## (.*)"
    if title then
      current = { title = title, lines = {} }
      sections[#sections + 1] = current
    end
    local cell <const> = line:match "^| .+ | (.+) |$"
    if cell and not cell:find "^f5lua$" then
      for code in cell:gmatch "`(.-)`" do
        if not code:find "^%-%-" and code:find "[ :(]" then
          current.lines[#current.lines + 1] = code
        end
      end
    end
  end
  return sections
end

-- What the lines need: files, an inventory of one device.
local function prepare(directory, device)
  assert(os.execute(("cp scripts/playbooks/* %s/"):format(directory.path)))
  assert(os.execute(
    ("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 "
      .. "-subj /CN=www.example.net -keyout www.key -out www.crt 2>/dev/null"):format(
        directory.path)))
  for name, text in pairs {
    ["redirect.tcl"] = "when HTTP_REQUEST {\n  HTTP::redirect https://[HTTP::host]/\n}\n",
    ["password"] = "Tr0ub4dor-9",
    ["part.conf"] = "ltm pool merged {\n    monitor http\n}\n",
    ["BIGIP-17.5.0-0.0.15.iso"] = "an image",
    ["site.lua"] = 'local f5 = require "f5"\nlocal bip <close> = f5.connect()\n'
      .. 'print((bip.ltm.pool["/Common/site"]:ensure { description = tostring(arg) }))\n',
    ["fleet.lua"] = "print(#bip.ltm.pool:list())\n",
    ["notes.txt"] = "hello",
  } do
    directory:file(name, text)
  end
  lab.inventory(directory, device, { "site1", "site2" })
end

-- Runs a line of the shell, or a piece of Lua in a playbook, with the device. Its clock runs faster
-- while it works on a task.
local function run(code, directory, device)
  if not code:find "^f5lua " then
    local head = 'local f5 = require "f5" '
    if not code:find "f5.connect" then head = head .. "local bip <close> = f5.connect() " end
    directory:file("line.lua", head .. code)
    code = "f5lua line.lua -- " .. (code:find "task" and "task" or "")
  end
  local words = { "-c", ("cd %s; PATH=%s:$PATH; trap ': >.ended' EXIT; %s"):format(
    directory.path, program.path:match "^(.*)/", code) }
  local options = {
    program = "/bin/bash",
    env = lab.environment(device, { XDG_STATE_HOME = directory.path .. "/.state" }),
  }
  if not (code:find "task" or code:find "backup") then return program.run(words, options) end
  os.remove(directory.path .. "/.ended")
  local process <close> = program.start(words, options)
  local deadline = os.time() + 60
  while not directory:read ".ended" and os.time() < deadline do
    f5.sleep(0.05)
    device:advance(5)
  end
  return process:wait()
end

local MINIMUM <const> = { ["from-ansible.md"] = 40, ["from-python.md"] = 35 }

for page, minimum in pairs(MINIMUM) do
  describe(FOLDER .. page, function()
    local device <const>, directory <const> = {}, program.directory()
    setup(function()
      device.it = sim.start { seed = f5.json.decode(read "scripts/playbooks/lab.json") }
      prepare(directory, device.it)
    end)
    teardown(function() lab.stop(device.it, directory) end)

    local count = 0
    for _, section in ipairs(translations(page)) do
      count = count + #section.lines
      it("has lines that run: " .. section.title, function()
        for _, code in ipairs(section.lines) do
          local result = run(code, directory, device.it)
          assert.message(code .. "\n" .. result.out .. result.err).equal(0, result.status)
          -- ensure can run again, and then sends nothing
          if code:find "^f5lua ensure" or code:find ":ensure" then
            device.it:clear_log()
            result = run(code, directory, device.it)
            assert.message(code .. "\n" .. result.out .. result.err).equal(0, result.status)
            for _, call in ipairs(device.it:log()) do
              assert.message(code .. ": " .. call.method .. " " .. call.path).is_true(
                call.method == "GET" or call.path:find "/shared/auth[nz]/" ~= nil)
            end
          end
        end
      end)
    end

    it("has enough of them", function() assert.is_true(count >= minimum, count) end)
  end)
end
