-- Files to and from a device, from a playbook's side.
local f5 = require "f5"
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"

local fails <const> = lab.fails

local MIB <const> = 1 << 20
local UPLOADS <const> = "/mgmt/shared/file%-transfer/uploads/"
local EMPTY <const> = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

local device, bip

local function names_in(directory)
  local names = {}
  for name in lfs.dir(directory) do
    if name ~= "." and name ~= ".." then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- Bytes that repeat nowhere on a chunk's border.
local function bytes(count)
  local parts, length = {}, 0
  for i = 1, math.huge do
    parts[i] = ("%d\0\255"):format(i)
    length = length + #parts[i]
    if length >= count then return table.concat(parts):sub(1, count) end
  end
end

local function sha256(path)
  local pipe <close> = assert(io.popen("sha256sum " .. path))
  return pipe:read "a":match "^%x+"
end

describe("G45 a file", function()
  before_each(function()
    device, bip = lab.start { provision = { "ltm", "asm" } }
  end)
  after_each(function() lab.stop(bip, device) end)

  for _, size in ipairs { 0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 17 } do
    it(("of %d bytes goes up and comes down"):format(size), function()
      local directory <close> = program.directory()
      local text <const> = bytes(size)
      local from <const> = directory:file("a", text)
      device:clear_log()
      local up <const> = bip:upload(from, { name = "b c%.bin", sha256 = true })
      assert.same(
        {
          name = "b c%.bin", size = size, sha256 = sha256(from),
          path = "/var/config/rest/downloads/b c%.bin",
        },
        up
      )
      assert.equal(math.max(1, (size + MIB - 1) // MIB), #device:log())
      local to <const> = directory.path .. "/z"
      local down <const> = bip:download("b c%.bin", to, { sha256 = up.sha256:upper() })
      assert.same({ file = to, size = size, sha256 = up.sha256 }, down)
      assert.is_true(directory:read "z" == text)
      assert.same({ "a", "z" }, names_in(directory.path))
      assert.equal("rw-------", lfs.attributes(to, "permissions"))
      if size == 0 then assert.equal(EMPTY, up.sha256) end
    end)
  end

  it("goes to each of the four targets", function()
    local directory <close> = program.directory()
    local file <const> = directory:file("a.bin", bytes(1000))
    for _, target in ipairs { "downloads", "ucs", "images", "asm" } do
      bip:upload(file, { to = target })
      bip:download("a.bin", directory.path .. "/" .. target, { from = target })
      assert.is_true(directory:read(target) == bytes(1000))
    end
  end)

  it("tells how far it is", function()
    local directory <close> = program.directory()
    local seen = {}
    local function progress(done, size, seconds)
      seen[#seen + 1] = { done, size, math.type(seconds) }
      f5.sleep(0) -- may wait
    end
    bip:upload(directory:file("a", bytes(2 * MIB + 1)), { progress = progress })
    assert.same(
      {
        { MIB, 2 * MIB + 1, "float" },
        { 2 * MIB, 2 * MIB + 1, "float" },
        { 2 * MIB + 1, 2 * MIB + 1, "float" },
      },
      seen
    )
    seen = {}
    bip:download("a", directory.path .. "/b", { progress = progress })
    assert.same({ MIB, 2 * MIB + 1, "float" }, seen[1])
    assert.equal(3, #seen)
    local transfer <const> = require "f5.work.transfer"
    assert.equal(
      "a  [###############...............]  50 %  1.0 MiB of 2.0 MiB  512.0 KiB/s  0:02 left",
      transfer.bar("a", MIB, 2 * MIB, 2)
    )
    assert.equal("a  512 B  256 B/s", transfer.bar("a", 512, nil, 2))
    assert.equal("a  1048576.0 TiB  1024.0 TiB/s", transfer.bar("a", 1 << 60, nil, 1024))
    assert.equal(
      "a  [..............................]   0 %  0 B of 1 B  0 B/s  0:00 left",
      transfer.bar("a", 0, 1, 0)
    )
    assert.equal(
      "a  [##############################] 100 %  0 B of 0 B  0 B/s  0:00 left",
      transfer.bar("a", 0, 0, 2)
    )
  end)

  it("survives chunks that are cut, refused for a moment, or sent twice", function()
    local directory <close> = program.directory()
    local text <const> = bytes(4 * MIB)
    local file <const> = directory:file("a", text)
    bip:close()
    local options <const> = device:options "admin"
    options.retries = { delay = 0.01 }
    bip = f5.connect(options)
    device:fault {
      match = { method = "POST", path = UPLOADS }, after = 1, times = 1, kind = "bad_gateway",
    }
    device:fault {
      match = { method = "POST", path = UPLOADS }, after = 1, times = 1, reset = true, act = true,
    }
    device:fault {
      match = { method = "POST", path = UPLOADS }, after = 1, times = 1, kind = "restarting",
    }
    bip:upload(file)
    device:fault {
      match = { method = "GET", path = "/downloads/" }, after = 1, times = 1, truncate = 1000,
    }
    device:fault {
      match = { method = "GET", path = "/downloads/" }, after = 1, times = 1, kind = "bad_gateway",
    }
    bip:download("a", directory.path .. "/b")
    assert.is_true(directory:read "b" == text)
  end)

  it("goes on where the device says", function()
    local directory <close> = program.directory()
    local text <const> = bytes(3 * MIB)
    local file <const> = directory:file("a", text)
    local chunks = 0
    local up <const> = bip:upload(file, { sha256 = true, progress = function()
      chunks = chunks + 1
      if chunks ~= 2 then return end
      local state = device:state() -- the device loses the first chunk
      state.uploads["/var/config/rest/downloads/a"].chunks["0"] = nil
      device:restore(state)
    end })
    assert.equal(sha256(file), up.sha256)
    assert.is_true(chunks > 3)
    bip:download("a", directory.path .. "/b")
    assert.is_true(directory:read "b" == text)
  end)

  it(
    "is sent as a whole where an earlier upload was cut off, and takes nothing of that one",
    function()
      local directory <close> = program.directory()
      local old <const>, new <const> = directory:file("old", ("o"):rep(4 * MIB)), bytes(4 * MIB)
      for _, given in ipairs { 1, 2, 3 } do
        local chunks = 0
        fails("cut", bip.upload, bip, old, {
          name = "a",
          progress = function()
            chunks = chunks + 1
            if chunks == given then
              error(setmetatable({ kind = "cut" }, { __tostring = function() return "cut" end }))
            end
          end,
        })
        assert.equal(given, chunks)
        local file <const> = directory:file("new", new)
        assert.equal(sha256(file), bip:upload(file, { name = "a", sha256 = true }).sha256)
        bip:download("a", directory.path .. "/back")
        assert.is_true(directory:read "back" == new)
      end
      -- the device has the end of the old file, and takes the upload for complete before all of the
      -- new one is there
      local state = device:state()
      state.uploads["/var/config/rest/downloads/a"] = {
        total = 4 * MIB,
        chunks = { ["0"] = MIB, [tostring(2 * MIB)] = MIB, [tostring(3 * MIB)] = MIB },
      }
      device:restore(state)
      device:control(
        "write_file",
        { path = "/var/config/rest/downloads/tmp/a", text = ("o"):rep(4 * MIB) }
      )
      bip:upload(directory.path .. "/new", { name = "a" })
      bip:download("a", directory.path .. "/back")
      assert.is_true(directory:read "back" == new)
    end
  )

  it("that does not arrive whole is not there", function()
    local directory <close> = program.directory()
    local old <const> = directory:file("old", "old")
    assert.matches(
      "No such file",
      fails("transfer", bip.upload, bip, directory.path .. "/nope").message
    )
    assert.matches(
      "it is a directory",
      fails("transfer", bip.upload, bip, directory.path, { name = "a" }).message
    )
    assert.matches(
      "No such file",
      fails("transfer", bip.download, bip, "a", directory.path .. "/no/such/file").message
    )
    assert.matches(
      "Is a directory",
      fails("transfer", bip.download, bip, "a", directory.path).message
    )
    fails("not_found", bip.download, bip, "nope", old)
    bip:upload(directory:file("big", bytes(2 * MIB)), { name = "big" })
    local ok, err =
      pcall(bip.download, bip, "big", old, { progress = function() error("stop", 0) end })
    assert.same({ false, "stop" }, { ok, err })
    assert.equal("old", directory:read "old")
    assert.same({ "big", "old" }, names_in(directory.path))
    assert.matches(
      "it changed during the download",
      fails("transfer", bip.download, bip, "big", old, { size = 2 * MIB - 1 }).message
    )
    assert.matches(
      "became shorter",
      fails(
        "transfer",
        bip.upload,
        bip,
        directory.path .. "/big",
        { progress = function() directory:file("big", "x") end }
      ).message
    )
    assert.equal("old", directory:read "old")
  end)

  it("without a size is refused before anything is sent", function()
    local directory <close> = program.directory()
    device:clear_log()
    assert(os.execute(("mkfifo %s/pipe"):format(directory.path)))
    for _, file in ipairs { "/proc/self/status", "/dev/null", directory.path .. "/pipe" } do
      assert.equal(
        file .. " has no size, which an upload must send first: copy its content to a file",
        fails("transfer", bip.upload, bip, file, { name = "a" }).message
      )
    end
    assert.same({}, device:log())
    local playbook = directory:file("up.lua", [[
      local bip <close> = require("f5").connect {}
      print(bip:upload("/dev/stdin", { name = "in" }).size)
    ]]
    )
    local env = lab.environment(device)
    -- its standard input is a file there
    assert.equal("5\n", program.run({ playbook }, { env = env, input = "hello" }).out)
    local line = ("echo hello | %s 2>&1"):format(program.command_line({ playbook }, { env = env }))
    local pipe <close> = assert(io.popen(line))
    assert.matches(
      "^f5lua: /dev/stdin has no size, which an upload must send first",
      pipe:read "a"
    )
  end)

  it("that changes while it is sent is an error", function()
    local directory <close> = program.directory()
    local changes = {
      grows = { "ab", "changed during the transfer: the copy differs from the file$" },
      ["is written again"] = {
        "r+b",
        "changed during the transfer: the copy differs from the file$",
      },
      shrinks = { "wb", "became shorter during the upload$" },
    }
    for how, change in pairs(changes) do
      local path = directory:file("file", bytes(2 * MIB))
      assert(os.execute(("touch -d '1 minute ago' %s"):format(path)))
      local err = fails("transfer", bip.upload, bip, path, { progress = function(done)
        if done > MIB then return end
        local file <close> = assert(io.open(path, change[1]))
        file:write "x"
      end })
      assert.matches(change[2], err.message, nil, nil, how)
    end
  end)

  it("needs its size if the device does not report it", function()
    local directory <close> = program.directory()
    bip:upload(directory:file("a", "hello"))
    device:fault {
      match = { method = "GET", path = "/downloads/a" },
      times = 1,
      status = 400,
      body = { code = 400, message = "bad range" },
    }
    assert.matches(
      "give it as size = BYTES",
      fails("transfer", bip.download, bip, "a", directory.path .. "/b").message
    )
    assert.equal(5, bip:download("a", directory.path .. "/b", { size = 5 }).size)
    assert.equal("hello", directory:read "b")
  end)

  it("comes down also from a device that sends all of it at once, if its size is known", function()
    local directory <close> = program.directory()
    local text <const>, file <const> = bytes(3 * MIB + 17), directory:file("down", "old")
    local body <const> = text:gsub("[\128-\255]", "~")
    local function answer(what)
      device:fault {
        match = { method = "GET", path = "file%-transfer/downloads/big" }, body = what,
      }
    end
    answer(body)
    local got = bip:download("big", file, { sha256 = true, size = #text })
    assert.equal(#text, got.size)
    assert.equal(sha256(file), got.sha256)
    for _, what in ipairs { body, body:sub(1, MIB), body:sub(1, -2), "", "<html>sorry</html>" } do
      for _, size in ipairs { false, #text } do
        if size and #what == size then goto next end
        answer(what)
        local err <const> =
          fails("transfer", bip.download, bip, "big", file, { size = size or nil })
        assert.matches("no Content%-Range%): the download was discarded$", err.message)
        ::next::
      end
    end
    assert.is_true(directory:read "down" == body)
    assert.same({ "down" }, names_in(directory.path))
  end)

  it("is not truncated by an invalid range of the device", function()
    local directory <close> = program.directory()
    local text <const> = bytes(2 * MIB)
    local file <const>, sent <const> = directory:file("old", "old"), directory:file("new", text)
    bip:upload(sent, { name = "new" })
    local function answer(range)
      device:clear_faults()
      device:fault {
        match = { method = "GET", path = "/downloads/new" },
        times = 2,
        headers = { ["Content-Range"] = range },
      }
    end
    for _, range in ipairs {
      "bytes 0-1048575/*", "0-1048575/-5", "0-99/-5", "0-1048575", "0-/2097152",
      "-1-1048575/2097152", "0-1048575/2097152 x", " 0 - 1048575 / 2097152", "x", "*/2097152",
      "0-1048575/99999999999999999999",
    } do
      answer(range)
      local err <const> = fails("transfer", bip.download, bip, "new", file)
      assert.truthy(err.message:find("(Content-Range '", 1, true), err.message)
    end
    for _, range in ipairs { "0-1048575/1048576", "0-1048574/2097152", "1-1048575/2097152" } do
      answer(range) -- these can be read, and are wrong: a chunk does not fit
      fails("transfer", bip.download, bip, "new", file, { size = 2 * MIB })
    end
    assert.equal("old", directory:read "old")
    answer "bytes 0-1048575/*"
    fails("transfer", bip.download, bip, "new", file)
    device:clear_faults()
    device:fault {
      match = { method = "GET", path = "/downloads/new" },
      headers = { ["Content-Range"] = "bytes 0-1048575/*" },
    }
    assert.equal(2 * MIB, bip:download("new", file, { size = 2 * MIB }).size)
    assert.is_true(directory:read "old" == text)
    assert.same({ "new", "old" }, names_in(directory.path))
  end)

  it("is compared with the SHA-256 it should have", function()
    local directory <close> = program.directory()
    local file <const>, other <const> =
      directory:file("a", bytes(MIB + 1)), directory:file("b", "old")
    local sum <const>, wrong <const> = sha256(file), ("0"):rep(64)
    assert.is_nil(bip:upload(file).sha256)
    assert.is_nil(bip:download("a", other).sha256)
    assert.equal(sum, bip:upload(file, { sha256 = sum }).sha256)
    directory:file("b", "old")
    assert.equal(
      ("the SHA-256 of %s is %s, not %s: the download was discarded"):format(other, sum, wrong),
      fails("transfer", bip.download, bip, "a", other, { sha256 = wrong }).message
    )
    assert.equal("old", directory:read "b")
    assert.same({ "a", "b" }, names_in(directory.path))
    assert.matches(
      "the device has the wrong file now$",
      fails("transfer", bip.upload, bip, file, { sha256 = wrong }).message
    )
    assert.matches(
      "'sha256' must be true or 64 hexadecimal digits, not \"abc\"",
      fails("usage", bip.upload, bip, file, { sha256 = "abc" }).message
    )
    assert.matches(
      "'sha256' must be of type string, not boolean",
      fails("usage", bip.upload, bip, file, { sha256 = false }).message
    )
  end)

  it("is named without mistakes", function()
    assert.matches(
      "one of asm, downloads, images, ucs, not 'nowhere'",
      fails("usage", bip.upload, bip, "x", { to = "nowhere" }).message
    )
    assert.matches(
      "unknown option 'target'",
      fails("usage", bip.upload, bip, "x", { target = "ucs" }).message
    )
    for _, name in ipairs { "", ".", "..", "../x", "a/b", "a\nb", "a\0b" } do
      assert.matches(
        "without slashes, not \"", fails("usage", bip.download, bip, name, "x").message
      )
      assert.matches(
        "without slashes, not \"",
        fails("usage", bip.upload, bip, "x", { name = name }).message
      )
    end
    for _, act in ipairs {
      function() return (bip:upload("x", { to = "nowhere" })) end,
      function() return (bip:upload("x", { target = "ucs" })) end,
      function() return (bip:upload("x", 3)) end,
      function() return (bip:upload("x", { name = "a/b" })) end,
      function() return (bip:download("a/b", "x")) end,
      function() return (bip:download("x", "x", { size = "3" })) end,
      function() return (bip:download("x", "x", { sha256 = "3" })) end,
    } do
      assert.matches("^%S*transfer_spec%.lua:%d+: ", fails("usage", act).message)
    end
    assert.matches("not a number", fails("usage", bip.download, bip, 3, "x").message)
    assert.matches("expected the path of a file", fails("usage", bip.upload, bip, 3).message)
  end)

  it("is carried by one fiber at a time", function()
    local core <const> = require "f5.core"
    local directory <close> = program.directory()
    assert(bip:upload(directory:file("a", "words"), { name = "a" }))
    device:fault { match = { path = "/downloads/a" }, delay_ms = 300 }
    local moved <close> = core.transfer.download(
      bip, "/mgmt/shared/file-transfer/downloads/a", directory.path .. "/b", false, 5
    )
    device:clear_log()
    local one <close> = f5.spawn(core.transfer.step, moved)
    lab.arrived(device, "GET", "/downloads/a")
    local function refused(fn)
      local ok, err = pcall(fn, moved)
      assert.is_false(ok)
      assert.matches("the transfer is in use by another fiber", err)
    end
    refused(core.transfer.step)
    refused(core.transfer.finish)
    assert.same({ 5, 5, true }, { one:join() })
    assert.equal(5, (core.transfer.finish(moved)))
  end)

  it("can be closed while another fiber carries it", function()
    local core <const> = require "f5.core"
    local directory <close> = program.directory()
    local file <const> = directory:file("a", bytes(MIB))
    for _, what in ipairs { "upload", "download" } do
      device:fault { match = { path = "/file%-transfer/" }, times = 1, delay_ms = 1000 }
      local moved = core.transfer[what](
        bip,
        "/mgmt/shared/file-transfer/" .. what .. "s/b",
        what == "upload" and file or file .. "2"
      )
      device:clear_log()
      local one = f5.spawn(core.transfer.step, moved)
      lab.arrived(device, what == "upload" and "POST" or "GET", "/file%-transfer/")
      debug.getmetatable(moved).__close(moved)
      local err <const> = fails("transfer", one.join, one)
      assert.matches("^the transfer was closed", err.message)
      -- the part of an upload was sent
      assert.equal(what == "upload" and "unknown" or nil, err.outcome)
      assert.matches("the transfer has ended", select(2, pcall(core.transfer.step, moved)))
    end
    assert.same({ "a" }, names_in(directory.path))
  end)

  it("does not grow the memory of either side", function()
    local directory <close> = program.directory()
    local size <const> = lab.slow and 1 << 30 or 1 << 26
    local file <const> = directory.path .. "/big"
    assert(os.execute(("truncate -s %d %s"):format(size, file)))
    local function memory(name)
      for line in io.lines "/proc/self/status" do
        local kilobytes = line:match("^" .. name .. ":%s*(%d+)")
        if kilobytes then return tonumber(kilobytes) * 1024 end
      end
    end
    local function resident() return memory "VmHWM" end
    bip:upload(directory:file("warm", bytes(2 * MIB)))
    local before <const> = resident()
    local up <const> = bip:upload(file, { sha256 = true })
    local down <const> = bip:download("big", directory.path .. "/back", { sha256 = true })
    assert.same({ size, up.sha256 }, { down.size, down.sha256 })
    -- A sanitizer (its shadow is terabytes of addresses) keeps what was freed.
    local limit <const> = memory "VmSize" > 1 << 40 and 512 * MIB or 24 * MIB
    assert.is_true(
      resident() - before < limit,
      ("%d MiB more"):format((resident() - before) // MIB)
    )
  end)

  it("is not taken for complete before its last part", function()
    local directory <close> = program.directory()
    local transfer <const> = require("f5.core").transfer
    local file <const> = directory:file("parts", bytes(MIB + 1))
    local path <const> = "/mgmt/shared/file-transfer/uploads/parts"
    local up <close> = transfer.upload(bip, path, file, true)
    for _ = 0, 1 do
      local err <const> = lab.failure(transfer.finish, up)
      assert.matches("the transfer of .*parts is not complete", err.message)
      local _, _, finished = transfer.step(up)
      if finished then break end
    end
    while not select(3, transfer.step(up)) do end
    device:clear_log()
    assert.is_true(select(3, transfer.step(up))) -- nothing is left to send
    assert.equal(0, #device:log())
    local size <const>, sum <const> = transfer.finish(up)
    assert.same({ MIB + 1, sha256(file) }, { size, sum })

    local copy <const> = directory.path .. "/copy"
    local down <close> = transfer.download(bip,
      "/mgmt/shared/file-transfer/downloads/parts", copy, true)
    transfer.step(down)
    assert.matches("is not complete", lab.failure(transfer.finish, down).message)
    assert.is_nil(lfs.attributes(copy))
  end)
end)
