-- Journals of fleet runs: which run a journal belongs to, and which files are journals.
local f5 = require "f5"
local journals = require "f5.fleet.journal"
local json = require "f5.json"
local lfs = require "lfs"
local program = require "program"
local sim = require "f5.sim"

local directory, path

local function device(name, extra)
  local out = { host = "192.0.2." .. name:match "%d+", name = name }
  for key, value in pairs(extra or {}) do out[key] = value end
  return out
end

local function inventory(devices, source)
  return f5.inventory.from_table({ devices = devices, groups = { eu = {} } }, source or "sites.lua")
end

local SITES <const> = inventory { device "d1", device "d2", device "d3" }

local function run(changes)
  local given = { "ntp.lua", "return 1", { "a", "b" } }
  for index, value in pairs(changes or {}) do given[index] = value end
  return journals.run(table.unpack(given))
end

local function open(identity, sites, force)
  local journal <close> = journals.open(path, identity or run(), sites or SITES, force)
  return journal.finished
end

local function record(...)
  local journal <close> = journals.open(path, run(), SITES)
  for _, entry in ipairs { ... } do journal:record(entry) end
end

local function done(name) return { name = name, state = "done", changed = true, duration = 1 } end

local function refused(pattern, ...)
  local before = directory:read "run.journal"
  local ok, err = f5.try(open, ...)
  assert.same({ false, "usage" }, { ok, type(err) == "table" and err.kind or err })
  assert.matches(pattern, err.message)
  assert.equal(before, directory:read "run.journal")
end

describe("A journal", function()
  before_each(function()
    directory = program.directory()
    path = directory.path .. "/run.journal"
  end)
  after_each(function() getmetatable(directory).__close() end)

  it("says which run it is, and remembers what is done", function()
    record(done "d1", { name = "d2", state = "skipped", changed = false, duration = 1 })
    local lines = {}
    for line in directory:read("run.journal"):gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.equal(3, #lines)
    local head = json.decode(lines[1])
    assert.same(
      { "f5lua", "ntp.lua", { "a", "b" }, "sites.lua", 64 },
      { head.journal, head.playbook, head.arguments, head.inventory, #head.sha256 }
    )
    assert.equal(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      run({ [2] = "abc" }).sha256
    )
    local finished = open()
    assert.equal("192.0.2.1:443", finished.d1.address)
    assert.is_nil(finished.d2) -- a standby unit may be the active one today
    assert.equal("rw-------", lfs.attributes(path, "permissions"))
  end)

  it("takes the last line of a device", function()
    local function skipped(name) return { name = name, state = "skipped" } end
    record(skipped "d1", done "d1", done "d2", skipped "d2")
    local finished = open()
    assert.truthy(finished.d1)
    assert.is_nil(finished.d2)
  end)

  it("is refused with the reason when it is that of another run", function()
    record(done "d1", done "d2")
    refused(
      "run.journal is the journal of another run: its playbook is ntp.lua, this one is dns.lua; "
        .. "nothing was done",
      run { "x/dns.lua" }
    )
    refused("the playbook ntp.lua has changed", run { [2] = "return 2" })
    refused("its arguments are 'a' 'b', now they are 'a'; ", run { [3] = { "a" } })
    refused("its arguments are 'a' 'b', now they are none; ", run { [3] = {} })
    local devices = { device "d1", device "d2", device "d3" }
    refused("its inventory is sites.lua, this one is lab.lua", nil, inventory(devices, "lab.lua"))
    refused("its device d2 is not in the inventory", nil, inventory { device "d1" })
    refused(
      "its device d2 was at 192.0.2.2:443, now it is at 192.0.2.2:8443",
      nil,
      inventory { device "d1", device("d2", { port = 8443 }) }
    )
    for _, extra in ipairs { { vars = { ntp = "x" } }, { groups = { "eu" } } } do
      refused(
        "the inventory has changed for d2 %(vars, groups%)",
        nil,
        inventory { device "d1", device("d2", extra) }
      )
    end
  end)

  it("is that of the same run elsewhere, on more devices, with another password", function()
    record(done "d1")
    local sites = inventory(
      { device("d1", { password = "x" }), device "d4" },
      "/elsewhere/sites.lua"
    )
    assert.truthy(open(run { "/elsewhere/ntp.lua" }, sites).d1)
    assert.is_nil(directory:read("run.journal"):find "password")
  end)

  it("is taken by force, and then belongs to the new run", function()
    record(done "d1")
    local other = run { "dns.lua" }
    refused("another run", other)
    assert.truthy(open(other, nil, true).d1)
    assert.truthy(open(other).d1)
    refused("its playbook is dns.lua", run())
  end)

  it("does not say of which run it is when it is of an older version", function()
    directory:file("run.journal", '{"device":"d1","state":"done","changed":true}\n')
    refused "it does not name its run"
    assert.truthy(open(nil, nil, true).d1)
    assert.truthy(open().d1)
  end)

  it("loses the line that a crash cut off, at every byte of it, and nothing else", function()
    record(done "d1", done "d2")
    local text = directory:read "run.journal"
    local first, second = text:match "^(.-\n.-\n)(.*)$"
    for length = 0, #second - 1 do
      directory:file("run.journal", first .. second:sub(1, length))
      local finished = open()
      assert.truthy(finished.d1)
      assert.is_nil(finished.d2)
      assert.equal(first, directory:read "run.journal")
    end
    local head = first:match "^.-\n"
    for length = #'{"journal":"f5lua",', #head - 1 do
      directory:file("run.journal", head:sub(1, length))
      assert.same({}, open())
      local written = directory:read "run.journal"
      assert.equal((head:gsub('"at":".-"', "")), (written:gsub('"at":".-"', "")))
    end
  end)

  it("is no other file, which stays as it is", function()
    local line = '{"device":"d1","state":"done"}\n'
    for _, text in ipairs {
      "note", "a note\n", "return { devices = { 'd1' } }", "return {}\n-- d1", "d1\nd2", "{", "{}",
      '{"devices":[{"host":"d1"}]}', '{"devices":[]}\n', '{"device":"d1"', '{"device":"d1"}',
      '{"device":"d1"}\n', '{"device":"d1","state":"failed"}\n', '{"device":"d1","state":1}\n',
      '{"device":7,"state":"done"}\n', "\n", "\n" .. line, line .. "note", line .. "{}", "[]\n",
      line .. line:sub(1, -2) .. "\nx", '{"journal":"f5', '{"journal":"my diary",', "\0\1\2",
    } do
      directory:file("run.journal", text)
      refused("run.journal:%d: this is not a line of a journal; the file was not changed")
      refused("not a line of a journal", nil, nil, true)
    end
    for name, message in pairs {
      [directory.path] = "cannot open '.*': Is a directory",
      ["/dev/null"] = "cannot use '/dev/null': not a regular file",
    } do
      path = name
      local ok, err = pcall(open)
      assert.is_false(ok)
      assert.matches(message, tostring(err))
    end
  end)
end)

describe("f5.each with a journal", function()
  it("knows its function by its file and place, and the state of each device", function()
    local simulated <close> = sim.start()
    local scratch <close> = program.directory()
    local file = scratch.path .. "/run.journal"
    local one = simulated:options "admin"
    one.name = "d1"
    local visits = 0
    local function first() visits = visits + 1 end
    local function second() visits = visits + 10 end
    f5.each({ one }, { journal = file }, first)
    f5.each({ one }, { journal = file }, first)
    assert.equal(1, visits)
    local ok, err = f5.try(f5.each, { one }, { journal = file }, second)
    assert.same({ false, "usage" }, { ok, err.kind })
    assert.matches("the playbook journal_spec.lua has changed", err.message)
    local report = f5.each({ one }, { journal = file, force = true }, second)
    assert.equal("earlier", report.devices[1].state)
    assert.equal(1, visits)
    ok, err = f5.try(f5.each, { one }, { journal = file, run = {} }, second)
    assert.same({ false, "usage" }, { ok, err.kind })
  end)
end)
