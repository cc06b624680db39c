-- Every block of Lua in the pages for users compiles, and runs against a simulated device where the
-- page is meant to be tried.
local f5 = require "f5"
local lfs = require "lfs"
local markdown = require "markdown"
local program = require "program"
local sim = require "f5.sim"

-- The lab that the pages recommend.
local LAB <const> = "scripts/playbooks/lab.json"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- Sets up what a piece of a playbook has around it, on the same line, so that messages have the
-- page's lines.
local function whole(text)
  local head = {}
  if not text:find 'f5 = require "f5"' then head[#head + 1] = 'local f5 = require "f5"' end
  if not text:find "bip <close> = f5.connect" and text:find "bip[.:]" then
    head[#head + 1] = "local bip <close> = f5.connect {}"
  end
  return table.concat(head, " ") .. " " .. text:gsub("^#![^\n]*", "")
end

-- A certificate with its key, as the examples have them.
local function make_pair(directory)
  assert(os.execute((
    "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 "
    .. "-subj /CN=www.example.net -keyout privkey.pem -out fullchain.pem 2>log"
  ):format(directory.path)), directory:read "log")
end

local function is_spec(text) return text:find("\ndescribe(", 1, true) end

for _, page in ipairs {
  "README.md", "docs/guide.md", "docs/fleets.md", "docs/embedding.md", "docs/simulator.md",
  "docs/transactions.md", "docs/operating.md", "docs/packaging.md", "docs/simulator-asm.md",
  "docs/simulator-twin.md", "docs/console.md", "CONTRIBUTING.md",
} do
  describe(page, function()
    for _, block in ipairs(markdown.blocks(page, "lua")) do
      it("has Lua in line " .. block.line, function()
        assert(load(whole(block.text), ("=%s:%d"):format(page, block.line)))
      end)
    end
  end)
end

for _, page in ipairs { "README.md", "docs/guide.md", "docs/transactions.md", "docs/console.md" } do
  describe(page, function()
    for _, block in ipairs(markdown.blocks(page, "lua")) do
      it(
        (is_spec(block.text) and "has a spec that passes" or "has an example that runs")
          .. " in line " .. block.line,
        function()
          local directory <close> = program.directory()
          directory:file("lab.json", read(LAB))
          directory:file(
            "sites.lua",
            'return { devices = { "bigip1.example.net", "bigip2.example.net" } }'
          )
          for _, other in ipairs(markdown.blocks(page, "lua")) do
            local name <const> = other.text:match "^%-%- (%S+%.lua)\n"
            if name then directory:file(name, other.text) end
          end
          if block.text:find("privkey.pem", 1, true) then make_pair(directory) end
          local words = {
            "run",
            "--sim",
            "--seed",
            "lab.json",
            directory:file("block.lua", whole(block.text)),
          }
          if is_spec(block.text) then
            if program.is_static() then
              pending "busted uses C modules, and a static program has no dlopen"
              return
            end
            words = { "/usr/bin/busted", "drain_spec.lua" }
          end
          local result <const> = program.run(words, { directory = directory.path })
          assert.equal(0, result.status, result.out .. result.err)
        end
      )
    end
  end)
end

describe("docs/guide.md", function()
  it("prints what its comments say", function()
    local directory <close> = program.directory()
    directory:file("lab.json", read(LAB))
    local outputs <const> = {
      ["print%(%(blue:ensure"] = "^changed\nunchanged\n$",
      ["local echo = "] = "^/mgmt/tm/ltm/pool/~Common~blue/members/~Common~10.0.0.1:80\n$",
      ["fail%(\"there is no pool"] = "^/Common/10.0.0.1:80\t%a+\n/Common/10.0.0.2:80\t%a+\n$",
    }
    for _, block in ipairs(markdown.blocks("docs/guide.md", "lua")) do
      for mark, expected in pairs(outputs) do
        if block.text:find(mark) then
          outputs[mark] = nil
          local words = {
            "run", "--sim", "--seed=" .. directory.path .. "/lab.json",
            directory:file("block.lua", whole(block.text)),
          }
          assert.matches(expected, program.run(words).out)
          break
        end
      end
    end
    assert.is_nil(next(outputs))
  end)
end)

describe("docs/operating.md", function()
  it("has examples that run one after the other", function()
    local directory <close> = program.directory()
    directory:file("BIGIP-17.5.0.iso", ("x"):rep(1000))
    local texts = {}
    for i, block in ipairs(markdown.blocks("docs/operating.md", "lua")) do texts[i] = block.text end
    local result <const> = program.run(
      { "run", "--sim", directory:file("all.lua", whole(table.concat(texts))) },
      { directory = directory.path }
    )
    assert.equal(0, result.status, result.err)
    assert.matches("^%d+\t%x+\n$", result.out)
    assert.is_true(#directory:read "nightly.ucs" > 0)
  end)
end)

describe("docs/fleets.md", function()
  local blocks <const> = markdown.blocks("docs/fleets.md", "lua")

  it("has playbooks that run on a fleet", function()
    local fleet <close> = sim.start { fleet = 2 }
    local directory <close> = program.directory()
    local inventory <const> = directory:file(
      "sites.lua",
      ([[return {
        defaults = { port = %d, ca = %q, username = "admin", password = "admin" },
        devices = {
          { host = "127.0.0.1", vars = { ntp = "10.0.0.1" } },
          { host = "127.0.0.2", vars = { ntp = "10.0.0.2" } },
        },
      }]]):format(fleet.port, fleet.ca)
    )
    for i = 1, 2 do
      local playbook <const> = directory:file("playbook.lua", blocks[i].text)
      local result <const> = program.run { "run", "--inventory", inventory, playbook }
      assert.equal(0, result.status, result.out .. result.err)
      assert.matches("2 devices: 2 done", result.out)
    end
    local bip <close> = f5.connect(fleet:member(2):options "admin")
    assert.same({ "10.0.0.2" }, bip.sys.ntp:load().servers)
  end)

  it("has an inventory that can be read", function()
    local directory <close> = program.directory()
    local inventory <const> = f5.inventory(directory:file("sites.lua", blocks[3].text))
    local device <const> = inventory:limit("group:eu").devices[1]
    assert.same(
      { "fra-a", 8443, "10.0.0.1", 4 },
      { device.name, device.connect.port, device.vars.ntp, device.vars.rack }
    )
  end)
end)

for _, page in ipairs { "docs/simulator.md", "docs/simulator-asm.md" } do
  describe(page, function()
    it("has an example that runs", function()
      local directory <close> = program.directory()
      local text <const> = markdown.blocks(page, "lua")[1].text
      local head <const> = 'local f5 = require "f5" local sim = require "f5.sim" local device '
        .. "<close> = "
      local playbook <const> = directory:file(
        "block.lua",
        text:find "^sim%.start" and head .. text or whole(text)
      )
      local result <const> = program.run { playbook }
      assert.equal(0, result.status, result.out .. result.err)
    end)
  end)
end

describe("docs/simulator-twin.md", function()
  it("has an example that runs", function()
    local device <close> = require("f5.sim").start()
    local directory <close> = program.directory()
    local text <const> = markdown.blocks("docs/simulator-twin.md", "lua")[1].text
    local playbook <const> = directory:file(
      "block.lua",
      whole((text:gsub('"bigip1.example.net"', function()
        return ('"127.0.0.1", port = %d, ca = %q'):format(device.port, device.ca)
      end)))
    )
    local result <const> = program.run { playbook }
    assert.same(
      { 0, "create\t/mgmt/tm/ltm/pool/~Common~only-in-the-twin\n", "" },
      { result.status, result.out, result.err }
    )
  end)
end)

describe("CONTRIBUTING.md", function()
  it("has a subcommand that runs", function()
    local block <const> = markdown.blocks("CONTRIBUTING.md", "lua")[1]
    local directory <close> = program.directory()
    directory:file("edition.lua", block.text)
    local playbook <const> = directory:file(
      "main.lua",
      [[
        local command = dofile(arg[1])
        local parser = require "argparse"("f5lua edition", command.summary)
        command.setup(parser)
        print(command.run(parser:parse { "-H", "bigip1" }))
      ]]
    )
    local result <const> =
      program.run { "run", "--sim", playbook, directory.path .. "/edition.lua" }
    assert.same({ 0, "" }, { result.status, result.err })
    assert.matches("^%d+%.%d+%.%d+\n\n$", result.out)
  end)

  it("has a kind of the simulated device that no file describes yet", function()
    local block <const> = markdown.blocks("CONTRIBUTING.md", "lua")[3]
    local directory <close> = program.directory()
    directory:file("kind.lua", block.text)
    local playbook <const> = directory:file(
      "main.lua",
      [[
        local example, index = dofile(arg[1]), require "sim.kinds.index"
        local template = next(example)
        local module = template:match "^[^/]+"
        table.insert(index[module], "example")
        package.loaded.example = example
        local kind = require("sim.kinds").of(template)
        local ok, why = pcall(kind.checks.prepare, nil, { useIpv4 = "no", useIpv6 = "no" })
        print(template, ok, why.body.message, kind.stats.values(nil, nil, { msgCacheSize = 7 }).cacheBytes)
        kind.checks.prepare(nil, { useIpv4 = "yes", useIpv6 = "no" })
        print(require("sim.config.catalogue").find(template).type)
      ]]
    )
    local result <const> = program.run { playbook, directory.path .. "/kind.lua" }
    assert.same({ 0, "" }, { result.status, result.err })
    assert.equal(
      "ltm/dns/cache/validating-resolver\tfalse\t"
        .. 'invalid property value "useIpv6":"no"\t7\ncollection\n',
      result.out
    )
  end)
end)

-- The anchor that Git hosts make of a heading.
local function anchor(heading)
  return (heading:gsub("`", ""):lower():gsub("[^%w _\128-\255-]", ""):gsub(" ", "-"))
end

local function anchors(text)
  local found = {}
  for heading in ("\n" .. text):gmatch "\n#+ ([^\n]+)" do found[anchor(heading)] = true end
  return found
end

describe("the pages", function()
  local pages = { "README.md", "CONTRIBUTING.md", "CHANGELOG.md" }
  for _, folder in ipairs { "docs/", "docs/cookbook/" } do
    for name in lfs.dir(folder) do
      if name:find "%.md$" then pages[#pages + 1] = folder .. name end
    end
  end

  it("link to files and sections that exist", function()
    local broken = {}
    for _, page in ipairs(pages) do
      local text <const> = read(page)
      for target in text:gsub("```.-```", ""):gmatch "%]%(([^)%s]+)%)" do
        local path <const>, section <const> = target:match "^([^#]*)#?(.*)$"
        local folder <const> = page:match "^(.*/)" or ""
        local file <const> = path == "" and page or folder .. path
        if not target:find "^https?:" then
          local exists = lfs.attributes(file, "mode")
          if not exists or section ~= "" and not anchors(read(file))[section] then
            broken[#broken + 1] = page .. ": " .. target
          end
        end
      end
    end
    assert.same({}, broken)
  end)
end)

describe("the pages for people who change f5lua", function()
  local function files()
    local pipe <close> = assert(io.popen "find cmake lualib runtime scripts tests -type f")
    local list = {}
    for path in pipe:lines() do list[#list + 1] = "/" .. path end
    assert(list[1])
    return list
  end

  -- Names in examples, and files that the reader is told to write.
  local EXAMPLES <const> = {
    ["drain.lua"] = true, ["lualib/sim/kinds/ltm/dns_cache.lua"] = true,
  }

  for _, page in ipairs { "docs/architecture.md", "CONTRIBUTING.md" } do
    it("name files that exist: " .. page, function()
      local list <const>, missing, count = files(), {}, 0
      for name in read(page):gmatch "[%w_./-]+%.%w+" do
        local is_one = (name:find "%.[ch]$" or name:find "%.lua$") and not name:find "%u%u"
        if is_one and not EXAMPLES[name] then
          count = count + 1
          local found = false
          for _, path in ipairs(list) do found = found or path:sub(-#name - 1) == "/" .. name end
          if not found then missing[#missing + 1] = name end
        end
      end
      assert.same({}, missing)
      assert.is_true(count > 5)
    end)
  end

  it("name every folder of modules, and none that is gone", function()
    local named, prefix = {}, nil
    for line in io.lines "docs/architecture.md" do
      local first <const> = line:match "^| (.-) |"
      local base <const> = first and first:match "^folder of `(.-)`$"
      if base or first == "folder" then
        prefix = base and base .. "/" or ""
      elseif not line:find "^|" then
        prefix = nil
      elseif first and prefix then
        for name in first:gmatch "`(.-)`" do named[prefix .. name] = true end
      end
    end
    local is_there, missing = {}, {}
    for _, path in ipairs(files()) do
      local folder <const> = path:match "^/(.*)/[^/]+%.c$" or path:match "^/(lualib/.*)/[^/]+%.lua$"
      if folder and folder:find "^runtime/" or folder and folder:find "^lualib/" then
        -- a row is about the folders below, too, but lualib/f5 and lualib/sim have rows for each
        local at = folder
        while at:find "/" do
          is_there[at], at = true, at:match "^(.*)/"
        end
        local row <const> = folder:match "^lualib/sim/[^/]+" or folder:match "^lualib/f5/[^/]+"
          or folder:match "^lualib/cli/[^/]+" or folder:match "^lualib/[^/]+"
          or folder:match "^runtime/f5/[^/]+" or folder
        if not named[row] then missing[row] = true end
      end
    end
    missing["runtime/f5"] = nil -- only module.c
    assert.same({}, missing)
    for name in pairs(named) do assert(is_there[name], name) end
  end)
end)
