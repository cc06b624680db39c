-- run --record: what is in the file, and what is not.
local core = require "f5.core"
local f5 = require "f5"
local har_rules = require "observed.har_rules"
local lab = require "lab"
local lfs = require "lfs"
local markdown = require "markdown"
local program = require "program"

local PLAYBOOK <const> = [[
local f5 = require "f5"
local bip <close> = f5.connect { label = "web1", retries = { count = 3, delay = 0.01 } }
local pool = bip.ltm.pool["/Common/p"]
pool:create { description = 'a "quoted" line\n' }
pool:load { select = { "name", "description" } }
bip.auth.user["joe"]:create { password = "Secr3t-of-joe", role = "guest" }
print(bip:bash "echo hello")
]]

describe("E4 run --record", function()
  local device, place
  lab.block(setup, teardown, before_each, function(given_device, given_place)
    device, place = given_device, given_place
  end)

  local function run(text, words, options)
    local file <const> = place:file("playbook.lua", text)
    local all = table.move(words or {}, 1, #(words or {}), 2, { "run" })
    all[#all + 1] = file
    options = options or {}
    options.env = lab.environment(device)
    options.directory = place.path
    return program.run(all, options)
  end

  local function entries(name)
    local har <const> = f5.json.decode(place:read(name))
    assert.same({}, har_rules.problems(har))
    return har.log.entries
  end

  local function fresh(text)
    local bip = lab.connect(device)
    bip.ltm.pool["/Common/p"]:absent()
    bip.auth.user["joe"]:absent()
    bip:close()
    device:clear_log()
    return text
  end

  it("writes each exchange that the device saw, as HAR 1.2", function()
    local done <const> = run(fresh(PLAYBOOK), { "--record", "a.har" })
    assert.equal(0, done.status, done.err)
    assert.equal("", done.err)
    local found, seen = {}, {}
    for i, entry in ipairs(entries "a.har") do
      local path <const> = entry.request.url:match "^https://127%.0%.0%.1:%d+(/[^?]*)"
      found[i] = ("%s %s %d"):format(entry.request.method, path:gsub("%*+$", "TOKEN"),
        entry.response.status)
      assert.equal("web1", entry._device)
    end
    for i, call in ipairs(device:log()) do
      seen[i] = ("%s %s %d"):format(call.method, call.path:gsub("(tokens/).*", "%1TOKEN"),
        call.status)
    end
    assert.same(seen, found)
    assert.equal(6, #found)
  end)

  it("keeps bodies, queries, lines and times", function()
    run(fresh(PLAYBOOK), { "--record", "a.har" })
    local list <const> = entries "a.har"
    local create, load <const> = list[2], list[3]
    assert.same({ name = "p", partition = "Common", description = 'a "quoted" line\n' },
      f5.json.decode(create.request.postData.text))
    assert.equal("application/json", create.request.postData.mimeType)
    assert.equal("/Common/p", f5.json.decode(create.response.content.text).fullPath)
    assert.equal("playbook.lua:4", create._line:match "[^/]*$")
    assert.matches("^web1, .*playbook.lua:4$", create.comment)
    assert.same({ name = "$select", value = "name,description" }, load.request.queryString[1])
    assert.is_true(list[1].timings.ssl > 0)
    assert.equal(-1, load.timings.ssl)
    assert.is_true(load.time > 0 and load.time < 30000)
    assert.equal("OK", load.response.statusText)
  end)

  it("has no secret in it, and only its owner can read it", function()
    run(fresh(PLAYBOOK:gsub("{ label", '{ password = "admin", label')), { "--record", "a.har" })
    local text <const> = place:read "a.har"
    assert.is_nil(text:find("Secr3t-of-joe", 1, true))
    assert.is_nil(text:find '"password%":%"[^*]')
    assert.is_nil(text:find 'password\\":\\"[^*]')
    assert.is_nil(text:find "tokens/%w")
    for _, call in ipairs(device:log()) do
      local token <const> = call.path:match "tokens/(%w+)"
      if token then assert.is_nil(text:find(token, 1, true)) end
    end
    assert.equal("rw-------", lfs.attributes(place.path .. "/a.har", "permissions"))
  end)

  it("shows each attempt, why there was another one, and failures", function()
    device:fault { match = { path = "pool" }, kind = "busy", times = 2 }
    device:fault { match = { path = "node" }, reset = true, times = 20 }
    local done <const> = run([[
      local f5 = require "f5"
      local bip <close> = f5.connect { retries = { count = 2, delay = 0.01 } }
      bip.ltm.pool:list()
      bip.ltm.node:list()
    ]], { "--record", "a.har" })
    assert.equal(3, done.status)
    local list <const> = entries "a.har"
    assert.same({ 1, "busy", "busy" }, { list[2]._attempt, list[2]._failure, list[2]._retry })
    assert.is_true(list[2]._pause > 0)
    assert.matches("attempt 2, busy, tried again after", list[3].comment)
    assert.equal(3, list[4]._attempt)
    assert.is_nil(list[4]._failure)
    local last <const> = list[#list - 1]
    assert.equal("transport", last._failure)
    assert.equal(0, last.response.status)
    assert.truthy(last.response._error)
    assert.is_nil(last._retry)
  end)

  it("has the digest of a binary file instead of its content", function()
    local binary <const> = ("\0binary\1"):rep(20000)
    place:file("up", binary)
    run([[
      local f5 = require "f5"
      local bip <close> = f5.connect {}
      bip:upload "up"
      bip:download("up", "down")
    ]], { "--record", "a.har" })
    local list <const> = entries "a.har"
    assert.equal("", list[2].request.postData.text)
    assert.equal(core.sha256(binary), list[2].request.postData._sha256)
    assert.equal(core.sha256(binary), list[3].response.content._sha256)
    assert.is_nil(list[3].response.content.text)
    assert.equal(#binary, list[3].response.content.size)
  end)

  it("is complete JSON at any time, also after kill -9", function()
    local file <const> = place:file("playbook.lua", [[
      local f5 = require "f5"
      local bip = f5.connect {}
      while true do bip.ltm.pool:list() io.write(".") io.flush() end
    ]])
    local process <close> = program.start({ "run", "--record", place.path .. "/a.har", file }, {
      env = lab.environment(device),
    })
    process:expect(("%."):rep(50))
    lab.wait("entries", function()
      return #(place:read "a.har" or "") > 20000
    end, 20)
    process:kill "KILL"
    process:wait()
    local har <const> = require("f5.har").read(place.path .. "/a.har")
    assert.is_true(#har.entries > 10)
  end)

  it("gets new entries and its end in one write", function()
    local path <const> = place:file("end.txt", "[1\n]")
    local file <const> = core.append_open(path)
    file:replace_end(2, ",2\n]")
    assert.equal("[1,2\n]", place:read "end.txt")
    file:replace_end(4, ",3\n]")
    file:close()
    assert.equal("[1,2,3\n]", place:read "end.txt")
  end)

  it("contains what happened until Ctrl-C", function()
    local file <const> = place:file("playbook.lua", [[
      local f5 = require "f5"
      local bip <close> = f5.connect {}
      bip.ltm.pool:list()
      io.write "listed" io.flush()
      f5.sleep(60)
    ]])
    local process <close> = program.start({ "run", "--record", place.path .. "/a.har", file }, {
      env = lab.environment(device),
    })
    process:expect "listed"
    process:kill "INT"
    assert.equal(130, process:wait().status)
    local list <const> = entries "a.har"
    assert.equal(3, #list)
    assert.equal("DELETE", list[3].request.method)
  end)

  it("contains what happened until os.exit", function()
    local done <const> = run([[
      local f5 = require "f5"
      local bip = f5.connect {}
      bip.ltm.pool:list()
      os.exit(7)
    ]], { "--record", "a.har" })
    assert.equal(7, done.status)
    assert.equal(2, #entries "a.har")
  end)

  it("goes on to the end of the program, in all recordings that are open then", function()
    local done <const> = run([[
      local f5 = require "f5"
      local kept = { f5.har.record "a.har", f5.har.record "b.har" }
      local bip = f5.connect {}
      bip.ltm.pool:list()
      return kept
    ]])
    assert.equal(0, done.status, done.err)
    for _, name in ipairs { "a.har", "b.har" } do
      local list <const> = entries(name)
      assert.equal(3, #list)
      assert.equal("DELETE", list[3].request.method)
    end
  end)

  it("records a run on many devices in one file", function()
    place:file("fleet.lua", ([[return { devices = {
      { name = "one", host = "127.0.0.1", port = %d }, { name = "two", host = "127.0.0.1", port = %d },
    } }]]):format(device.port, device.port))
    local done <const> = run("return #bip.ltm.pool:list()",
      { "--record", "a.har", "--inventory", "fleet.lua" })
    assert.equal(0, done.status, done.err)
    local of = {}
    for _, entry in ipairs(entries "a.har") do of[entry._device] = (of[entry._device] or 0) + 1 end
    assert.same({ one = 3, two = 3 }, of)
  end)

  it("goes on when the disk is full, says so, and fails in the end", function()
    place:file("playbook.lua", [[
      local f5 = require "f5"
      local bip <close> = f5.connect {}
      for _ = 1, 60 do bip.ltm.pool:list() end
      f5.sleep(0.6)
      print "end"
    ]])
    local done <const> = program.run({ "-c",
      ("ulimit -f 8; exec %s run --record a.har playbook.lua"):format(program.path) },
      { program = "/bin/bash", env = lab.environment(device), directory = place.path })
    assert.equal(1, done.status)
    assert.equal("end\n", done.out)
    assert.matches("^f5lua: the recording a.har ends after %d+ exchanges, and the run goes on: "
      .. "cannot write: File too large\n$", done.err)
    local har <const> = f5.json.decode(place:read "a.har")
    assert.same({}, har_rules.problems(har))
  end)

  it("replaces a recording, and no other file", function()
    local text <const> = "print 'hello'"
    assert.equal(0, run(text, { "--record", "a.har" }).status)
    assert.equal(0, run(text, { "--record", "a.har" }).status)
    place:file("notes.txt", "my notes")
    local done <const> = run(text, { "--record", "notes.txt" })
    assert.equal(2, done.status)
    assert.matches("notes.txt exists, and is no recording: it was not replaced", done.err)
    assert.equal("my notes", place:read "notes.txt")
    assert.equal("", done.out)
  end)

  it("says what is wrong before anything runs", function()
    local done = run("print 'hello'", { "--record", "nowhere/a.har" })
    assert.equal(2, done.status)
    assert.matches("cannot open 'nowhere/a.har': No such file or directory", done.err)
    assert.equal("", done.out)
    done = run("print 'hello'", { "--check", "--record", "b.har" })
    assert.equal(2, done.status)
    assert.matches("leave out one", done.err)
    done = program.run({ "run", "--record", "b.har", "missing.lua" }, { directory = place.path })
    assert.equal(2, done.status)
    assert.is_nil(place:read "b.har")
  end)
end)

describe("E4 docs/recordings.md", function()
  local device, place
  lab.block(setup, teardown, before_each, function(given_device, given_place)
    device, place = given_device, given_place
  end)

  local function shell(lines)
    local path = program.path:match "^(.*)/"
    return program.run({ "-c", ("export PATH=%s:$PATH\nset -e\n%s"):format(path, lines) }, {
      program = "/bin/bash", directory = place.path, env = lab.environment(device),
    })
  end

  it("has examples that record a change", function()
    local bip <close> = lab.connect(device)
    bip.ltm.pool["/Common/blue"]:create {}
    local commands <const> = markdown.blocks("docs/recordings.md", "sh")
    local blocks <const> = markdown.blocks("docs/recordings.md", "lua")
    place:file("change.lua", blocks[1].text:gsub("[^\n]*%.record[^\n]*\n", ""))
    local done = shell(commands[1].text)
    assert.equal(0, done.status, done.err)
    assert.equal(3, #f5.har.read(place.path .. "/change.har").entries)
    done = shell(commands[4].text)
    assert.equal(0, done.status, done.err)
    local change <const> = place:read "change.lua"
    place:file("change.lua", (change:gsub("/Common/https", "/Common/http")))
    done = shell(commands[4].text)
    assert.equal(1, done.status)
    local page <const> = markdown.blocks("docs/recordings.md", "")[1].text
    assert.equal(page:gsub("%d+%)", "N)"),
      done.err:sub(1, #page + 10):match("^f5lua: call.-, now[^\n]*\n"):gsub(
        "127%.0%.0%.1:%d+", "bigip1.example.net"):gsub("%d+%)", "N)"))
    place:file("change.lua", change)
    place:file("change_spec.lua", blocks[2].text)
    if not program.is_static() then -- busted uses C modules
      done = program.run({ "/usr/bin/busted", "change_spec.lua" }, { directory = place.path })
      assert.equal(0, done.status, done.out .. done.err)
      assert.matches("1 success", done.out)
    end
    for _, block in ipairs { 2, 3 } do
      done = shell(commands[block].text)
      assert.equal(0, done.status, done.err)
    end
    assert.equal(3, #f5.har.read(place.path .. "/list.har").entries)
    done = shell(commands[5].text)
    assert.equal(0, done.status, done.err)
    os.remove(place.path .. "/change.har")
    place:file("change.lua", blocks[1].text)
    done = shell "f5lua change.lua"
    assert.equal(0, done.status, done.err)
    assert.equal(3, #f5.har.read(place.path .. "/change.har").entries)
  end)
end)
