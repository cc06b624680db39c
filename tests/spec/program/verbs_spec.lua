-- Verbs of the shell: files and commands, on one device and on an inventory.
local f5 = require "f5"
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"

local device, place

-- Runs it in the directory of the test.
local function f5lua(words, more)
  local env = lab.environment(device)
  for name, value in pairs(more and more.env or {}) do env[name] = value end
  return program.run(words, {
    env = env, directory = place.path, input = more and more.input,
  })
end

local function ok(words, more)
  local result = f5lua(words, more)
  assert.equal(0, result.status, result.err .. result.out)
  return result.out, result.err
end

local function wrong(status, message, words, more)
  local result = f5lua(words, more)
  assert.equal(status, result.status, result.err .. result.out)
  assert.matches(message, result.err)
  return result
end

-- A file of the device, or nil.
local function on_device(path)
  local found, text = pcall(device.control, device, "read_file", path)
  return found and text or nil
end

local function count_calls(pattern)
  local count = 0
  for _, call in ipairs(device:log()) do
    if call.path:find(pattern) then count = count + 1 end
  end
  return count
end

local BYTES <const> = ("\0\255\r\n*%"):rep(250000) -- 1.5 MB: two chunks

local function block()
  lab.block(setup, teardown, before_each, function(...)
    device, place = ...
    lab.inventory(place, device, { "a", "b", "../c d" })
    place:file("big.bin", BYTES)
  end)
end

describe("E2 upload and download", function()
  block()

  it("carry a file to where it is asked for, and back", function()
    local out <const> = ok { "upload", "big.bin" }
    assert.same(
      { file = "big.bin", target = "/var/config/rest/downloads/big.bin", size = #BYTES },
      (function()
        local row = f5.json.decode(out)
        row.sha256 = nil
        return row
      end)()
    )
    for target, path in pairs {
      ["x %.iso"] = "/var/config/rest/downloads/x %.iso",
      ["ucs/"] = "/var/local/ucs/big.bin",
      ["images/b.iso"] = "/shared/images/b.iso",
      ["/var/local/ucs/c.ucs"] = "/var/local/ucs/c.ucs",
    } do
      assert.equal(
        ("uploaded big.bin (1.4 MiB) to %s\n"):format(path),
        ok { "upload", "big.bin", target, "-o", "text" }
      )
      assert.equal(
        ("downloaded %s (1.4 MiB) to copy\n"):format(path),
        ok { "download", path, "copy", "--force", "-o", "text" }
      )
      assert.is_true(place:read "copy" == BYTES)
    end
  end)

  it("read standard input and write standard output", function()
    ok({ "upload", "-", "in.bin" }, { input = BYTES })
    local out, err <const> = ok { "download", "in.bin", "-" }
    assert.is_true(out == BYTES)
    assert.equal("", err)
    wrong(2, "standard input needs a name on the device", { "upload", "-", "ucs/" })
    local full = program.run({ "-c", ("%s download in.bin - >/dev/full"):format(program.path) }, {
      program = "/bin/bash", env = lab.environment(device),
    })
    assert.equal(1, full.status)
    assert.matches("cannot write to standard output: No space left", full.err)
    -- a pipe
    local piped = program.run({ "-c", ("%s upload <(echo hi) hi.txt"):format(program.path) }, {
      program = "/bin/bash", env = lab.environment(device),
    })
    assert.equal(0, piped.status, piped.err)
    assert.equal("hi\n", on_device "/var/config/rest/downloads/hi.txt")
  end)

  it("replace no local file without --force, and ask no device before that", function()
    place:file("kept", "mine")
    device:clear_log()
    wrong(2, "kept exists; %-%-force replaces it", { "download", "big.bin", "kept" })
    assert.equal(0, #device:log())
    assert.equal("mine", place:read "kept")
    ok { "upload", "big.bin" }
    ok { "download", "big.bin", "kept", "--force" }
    assert.is_true(place:read "kept" == BYTES)
  end)

  it("put the file into a directory, under its name", function()
    lfs.mkdir(place.path .. "/into")
    ok { "upload", "big.bin", "n.bin" }
    ok { "download", "n.bin", "into" }
    assert.is_true(place:read "into/n.bin" == BYTES)
    wrong(2, "into/n.bin exists", { "download", "n.bin", "into/" })
  end)

  it("compare the digest", function()
    local digest <const> = f5.json.decode(ok { "upload", "big.bin" }).sha256
    ok { "download", "big.bin", "right", "--sha256", digest:upper() }
    wrong(3, "the download was discarded", {
      "download", "big.bin", "bad", "--sha256", ("0"):rep(64),
    })
    assert.is_nil(place:read "bad")
    wrong(3, "the device has the wrong file now", {
      "upload", "big.bin", "--sha256", ("0"):rep(64),
    })
    wrong(2, "%-%-sha256 must be 64 hexadecimal digits", { "upload", "big.bin", "--sha256", "1" })
  end)

  it("name what is wrong", function()
    wrong(2, "cannot read nope: No such file", { "upload", "nope" })
    wrong(2, "cannot read .*: Is a directory", { "upload", "." , "x" })
    wrong(2, "unknown place 'tmp'; it is one of asm, downloads, images, ucs",
      { "upload", "big.bin", "tmp/x" })
    wrong(2, "the device transfers files only to /var/config", { "upload", "big.bin", "/etc/x" })
    wrong(2, "expected NAME or PLACE/NAME", { "upload", "big.bin", "ucs/a/b" })
    wrong(2, "ucs/ names no file", { "download", "ucs/" })
    wrong(2, "must be a name without slashes", { "download", "a\nb" })
    wrong(3, "No such file or directory", { "download", "nope", "new" })
    assert.is_nil(place:read "new")
    wrong(2, "cannot write no/such/x: No such file", { "download", "big.bin", "no/such/x" })
    wrong(3, "cannot connect", { "upload", "big.bin" }, { env = { F5_SERVER_PORT = "1" } })
    wrong(2, "no device given", { "upload", "big.bin" }, { env = { F5_SERVER = "" } })
  end)

  it("leave nothing of a download that is interrupted", function()
    ok { "upload", "big.bin" }
    device:fault { match = { path = "/mgmt/shared/file%-transfer/downloads/big.bin" },
      delay_ms = 60000 }
    local process <close> = program.start(
      { "download", "big.bin", place.path .. "/cut" }, { env = lab.environment(device) }
    )
    lab.arrived(device, "GET", "/mgmt/shared/file%-transfer/downloads/big.bin")
    process:kill "INT"
    assert.equal(130, process:wait().status)
    for name in lfs.dir(place.path) do assert.is_nil(name:find "cut") end
  end)

  it("write nothing with --check", function()
    device:clear_log()
    local out <const> = ok { "upload", "big.bin", "checked", "--check" }
    assert.matches("nothing was written", out)
    assert.matches("POST /mgmt/shared/file%-transfer/uploads/checked", out)
    assert.equal(0, count_calls "file%-transfer")
  end)
end)

describe("E2 upload and download over an inventory", function()
  block()

  it("print a line for each device, and keep the files apart", function()
    local out, err = ok {
      "upload", "big.bin", "ucs/f.ucs", "--inventory", "sites.lua", "-o", "text", "--workers", "1",
    }
    local line <const> = "%s: uploaded big.bin (1.4 MiB) to /var/local/ucs/f.ucs\n"
    assert.equal(line:format "a" .. line:format "b" .. line:format "../c d", out)
    assert.matches("^3 devices: 3 done %(3 changed%)", err)
    out = ok { "download", "ucs/f.ucs", "got", "--inventory", "sites.lua", "-o", "csv" }
    assert.matches("^device,remote,file,size,sha256\n", out)
    for _, name in ipairs { "a", "b", "%2E.%2Fc d" } do
      assert.is_true(place:read("got/" .. name .. "/f.ucs") == BYTES, name)
    end
    -- again: they exist
    local result = f5lua {
      "download", "ucs/f.ucs", "got", "--inventory", "sites.lua", "--limit", "a,b",
    }
    assert.equal(1, result.status)
    assert.matches("a: failed: got/a/f.ucs exists; %-%-force replaces it", result.err)
    assert.matches("2 devices: 0 done, 2 failed", result.err)
    ok { "download", "ucs/f.ucs", "got", "--inventory", "sites.lua", "--limit", "a", "--force" }
  end)

  it("start with canaries, and write a report", function()
    device:fault { match = { path = "/mgmt/shared/file%-transfer/uploads/x" }, status = 500,
      times = 1000 }
    local result = f5lua {
      "upload", "big.bin", "x", "--inventory", "sites.lua", "--canary", "1", "--report", "r.json",
    }
    assert.equal(1, result.status)
    local counts <const> = f5.json.decode(place:read "r.json").counts
    assert.same({ 1, 2 }, { counts.failed, counts.unreached })
    assert.matches("stopped: a canary failed", result.err)
  end)

  it("do only the rest with the same journal", function()
    local words <const> = {
      "upload", "big.bin", "j", "--inventory", "sites.lua", "--journal", "journal",
    }
    ok(words)
    device:clear_log()
    local _, err = ok(words)
    assert.matches("3 done by an earlier run", err)
    assert.equal(0, count_calls "file%-transfer")
    words[3] = "other"
    wrong(2, "journal is the journal of another run", words)
  end)

  it("refuse what makes no sense", function()
    local inventory <const> = "--inventory=sites.lua"
    wrong(2, "%-%-host or %-%-inventory, not both", {
      "upload", "big.bin", inventory, "-H", "x",
    })
    wrong(2, "%-%-limit needs %-%-inventory", { "upload", "big.bin", "--limit", "a" })
    wrong(2, "%-%-report needs %-%-inventory", { "upload", "big.bin", "--report", "r.xml" })
    wrong(2, "FILE is a directory, not %-", { "download", "x", "-", inventory })
    wrong(2, "but big.bin is a file", { "download", "x", "big.bin", inventory })
    wrong(2, "cannot read the inventory", { "upload", "big.bin", "--inventory", "none.lua" })
    wrong(2, "nobody", { "upload", "big.bin", inventory, "--limit", "nobody" })
  end)
end)

describe("E2 bash", function()
  block()

  it("prints what the command prints, and ends with its status", function()
    local result = f5lua { "bash", "echo out; echo err >&2; exit 7" }
    assert.same({ 7, "out\nerr\n", "" }, { result.status, result.out, result.err })
    assert.equal("a b\n", ok { "bash", "echo", "a", "  b" })
    assert.equal("a  b 'c' $HOME\n", ok { "bash", "--", "echo", "a  b", "'c'", "$HOME" })
    assert.equal("3\n", ok({ "bash", "-" }, { input = "a=1\necho $((a + 2))\n" }))
    assert.same(
      { output = "x\n", status = 0 },
      f5.json.decode(ok { "bash", "-o", "jsonl", "echo x" })
    )
  end)

  it("takes no option of its own for a word of the command", function()
    device:clear_log()
    wrong(2, "options come before COMMAND; to give %-%-check to the command, write %-%-", {
      "bash", "touch", "/tmp/x", "--check",
    })
    assert.equal(0, #device:log())
    assert.equal("--check\n", ok { "bash", "--", "echo", "--check" })
    wrong(2, "no command given", { "bash" })
    wrong(2, "not UTF%-8", { "bash", "echo \xff" })
  end)

  it("runs on an inventory, with the same text only once if asked for", function()
    local words <const> = { "bash", "--inventory", "sites.lua", "--limit", "a,b", "echo 1; echo 2" }
    local out = ok(words)
    assert.matches("a: 1\na: 2\n", out)
    assert.matches("b: 1\nb: 2\n", out)
    table.insert(words, 2, "--grouped")
    assert.equal("2 devices: a, b\n1\n2\n", ok(words))
    table.insert(words, 2, "--output=json")
    wrong(2, "%-%-grouped needs %-%-output text", words)
    table.remove(words, 2)
    words[#words] = "exit 3"
    local result = f5lua(words)
    assert.equal(1, result.status)
    assert.matches("a: failed %(changed%): the command ended with status 3", result.err)
    -- a command that only reads is no change
    table.insert(words, 2, "--read-only")
    words[#words] = "echo x"
    local _, err = ok(words)
    assert.matches("2 done, in", err)
  end)

  it("names the first devices of a large group, in the order of their numbers", function()
    local names = {}
    for i = 25, 1, -1 do names[#names + 1] = "lb" .. i end
    lab.inventory(place, device, names)
    local words <const> = { "bash", "--inventory", "sites.lua", "--grouped", "echo x" }
    local first = {}
    for i = 1, 20 do first[i] = "lb" .. i end
    assert.equal(
      "25 devices: " .. table.concat(first, ", ") .. " … and 5 more\nx\n", ok(words)
    )
    lab.inventory(place, device, { "a", "b", "../c d" })
  end)

  it("prints what there is after Ctrl-C", function()
    device:fault { match = { path = "/mgmt/tm/util/bash" }, after = 2, delay_ms = 60000 }
    local process <close> = program.start({
      "bash", "--inventory", place.path .. "/sites.lua", "--workers", "1", "-o", "csv", "echo x",
    }, { env = lab.environment(device) })
    lab.arrived(device, "POST", "/mgmt/tm/util/bash", 3)
    process:kill "INT"
    local result <const> = process:wait()
    assert.equal(130, result.status)
    assert.matches("^device,status,output\na,0,[^b]*b,0,", result.out)
    assert.matches("2 done.*stopped: interrupted", result.err)
  end)

  it("does not garble a terminal with many devices", function()
    local screen <close> = require("terminal").start({
      "bash", "--inventory", place.path .. "/sites.lua", "--limit", "a,b", "echo x",
    }, { env = lab.environment(device), errors_too = true, columns = 100 })
    screen:expect("[ab]: x\n[ab]: x\n2 devices: 2 done %(2 changed%)", 20)
    assert.equal(0, screen.status())
  end)

  it("is not carried out with --check", function()
    device:control("write_file", { path = "/var/tmp/there", text = "x" })
    wrong(1, "^f5lua: not simulated: a command can .* say so with %-%-read%-only\n$", {
      "bash", "--check", "rm /var/tmp/there",
    })
    assert.equal("x", on_device "/var/tmp/there")
    wrong(1, "^f5lua: not simulated: tasks of sys/ucs\n$", {
      "task", "--check", "sys/ucs", "command=save", "name=x",
    })
    wrong(1, "p.lua:1: not simulated: .* { changes = false } %(%-%-keep%-going goes on", {
      "run", "--check", place:file("p.lua", "require('f5').connect():bash 'ls'"),
    })
  end)
end)

describe("E2 -e over an inventory", function()
  block()

  it("runs on each device, whatever comes first", function()
    for _, words in ipairs {
      { "--inventory", "sites.lua", "-e", "print(device.vars.n)" },
      { "-e", "print(device.vars.n)", "--inventory=sites.lua" },
      { "run", "--inventory", "sites.lua", "-e", "print(device.vars.n)" },
    } do
      table.insert(words, "--limit")
      table.insert(words, "a,b")
      local out <const> = ok(words)
      assert.matches("a: 1\n", out)
      assert.matches("b: 2\n", out)
      assert.matches("2 devices: 2 done", out)
    end
  end)

  it("shares globals between pieces and the file, and reports the result", function()
    place:file("last.lua", "return x + device.vars.n")
    ok {
      "--inventory", "sites.lua", "-e", "x = 40", "-e", "x = x + #bip.ltm.pool:list()",
      "--report", "e.json", "last.lua",
    }
    local results = {}
    for i, entry in ipairs(f5.json.decode(place:read "e.json").devices) do
      results[i] = entry.result
    end
    assert.same({ 41, 42, 43 }, results)
    wrong(1, "command line", { "--inventory", "sites.lua", "-e", "1 +* 2" })
    wrong(2, "unknown option '%-%-wat'", { "--inventory", "sites.lua", "--wat", "-e", "x = 1" })
    wrong(2, "no playbook given", { "--inventory", "sites.lua" })
  end)
end)
