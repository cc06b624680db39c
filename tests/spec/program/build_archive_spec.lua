local archive = require "build.archive"
local program = require "build.program"
local bundle = require "f5.bundle"

local function entries()
  return {
    { kind = "asset", name = "b.txt", contents = "two\0lines\n" },
    { kind = "module", name = "lib.util", contents = "return 1" },
    { kind = "main", name = "deploy.lua", contents = "print(1)" },
    { kind = "facts", name = "", contents = "f5lua=0.2.0\n" },
    { kind = "asset", name = "a.txt", contents = "" },
  }
end

describe("The archive of a packed program", function()
  it("comes back as it went in, sorted by kind and name", function()
    local read = assert(archive.read(archive.write(entries())))
    local names = {}
    for i, entry in ipairs(read) do
      names[i] = entry.kind .. " " .. entry.name .. " " .. #entry.contents
    end
    assert.same(
      { "facts  12", "main deploy.lua 8", "module lib.util 8", "asset a.txt 0", "asset b.txt 10" },
      names
    )
    assert.equal("two\0lines\n", read[5].contents)
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", read[4].sha256)
  end)

  it("is the same bytes in whatever order the entries came", function()
    local backwards = {}
    for _, entry in ipairs(entries()) do table.insert(backwards, 1, entry) end
    assert.is_true(archive.write(entries()) == archive.write(backwards))
  end)

  it("keeps the same contents once", function()
    local text = ("x"):rep(10000)
    local bytes = archive.write {
      { kind = "module", name = "m", contents = text },
      { kind = "asset", name = "m.lua", contents = text },
    }
    assert.is_true(#bytes < 10500)
    assert.equal(text, archive.read(bytes)[2].contents)
  end)

  it("refuses every truncation", function()
    local bytes = archive.write(entries())
    for length = 0, #bytes - 1 do
      local read, reason = archive.read(bytes:sub(1, length))
      assert(read == nil and reason:find "^the archive", length)
    end
  end)

  it("notices a changed byte of contents", function()
    local bytes = archive.write(entries())
    local at = assert(bytes:find("two\0", 1, true))
    local _, reason = archive.read(bytes:sub(1, at - 1) .. "T" .. bytes:sub(at + 1))
    assert.equal("the archive is damaged: the checksum of asset 'b.txt' is wrong", reason)
  end)

  -- An archive of entries as they are given, whatever `write` would say to them.
  local function unordered(...)
    local list <const> = { ... }
    local index, names, contents = {}, "", ""
    local names_at = 32 + 64 * #list
    local names_length = 0
    for _, entry in ipairs(list) do names_length = names_length + #entry[2] end
    for i, entry in ipairs(list) do
      index[i] = ("<I4I4I8I8I8c32"):pack(
        entry[1], #entry[2], #names, names_at + names_length + #contents, #entry[3],
        bundle.sha256(entry[3])
      )
      names, contents = names .. entry[2], contents .. entry[3]
    end
    return ("<c8I4I4I8I8"):pack("F5LUAPAK", 1, #list, names_at, names_length)
      .. table.concat(index) .. names .. contents
  end

  it("has one entry of a name, in order, and one playbook", function()
    assert.equal(
      3,
      #assert(archive.read(unordered({ 0, "", "" }, { 1, "a", "print(1)" }, { 2, "b", "" })))
    )
    for what, bytes in pairs {
      ["the names"] = unordered({ 2, "b", "" }, { 2, "a", "" }),
      ["the kinds"] = unordered({ 2, "b", "" }, { 1, "a", "" }),
      ["twice the same name"] = unordered({ 2, "a", "return 1" }, { 2, "a", "return 2" }),
      ["two playbooks"] = unordered({ 1, "a", "print(1)" }, { 1, "b", "print(2)" }),
      ["an unknown kind"] = unordered({ 4, "a", "" }),
      ["a name with a NUL"] = unordered { 3, "a\0b", "" },
    } do
      local read, reason = archive.read(bytes)
      assert.same(
        { what, nil, "the archive is damaged: its entries are not in order" },
        { what, read, reason }
      )
    end
  end)

  it("lies within its bytes, also where numbers are too large for that", function()
    local bytes <const> = unordered { 3, "name", "contents" }
    local function with(at, number)
      return bytes:sub(1, at) .. ("<i8"):pack(number) .. bytes:sub(at + 9)
    end
    for _, at in ipairs { 16, 24, 32 + 8, 32 + 16, 32 + 24 } do
      for _, number in ipairs { -1, -8, math.mininteger, math.maxinteger, #bytes, 1 << 32 } do
        assert.same({ at, nil, "the archive is truncated" }, { at, archive.read(with(at, number)) })
      end
    end
  end)

  it("survives any damage: an answer, never an error", function()
    local seed = os.time()
    math.randomseed(seed)
    local bytes = archive.write(entries())
    for _ = 1, 2000 do
      local at = math.random(#bytes)
      local damaged = bytes:sub(1, at - 1) .. string.char(math.random(0, 255)) .. bytes:sub(at + 1)
      local ok, message = pcall(archive.read, damaged)
      assert(ok, ("seed %d: %s"):format(seed, message))
    end
  end)
end)

describe("A program file", function()
  -- Enough of an ELF file to be one: 64 bit, little-endian, x86-64, no program headers.
  local function runtime()
    local header = "\x7fELF\2\1\1"
      .. ("\0"):rep(9)
      .. ("<I2I2I4I8I8I8I4I2I2I2I2I2I2"):pack(3, 62, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0)
    return header
      .. ("r"):rep(100) .. bundle.magic .. ("\0"):rep(40) .. "9.8.7" .. ("\0"):rep(19)
      .. ("t"):rep(50)
  end

  it("is a runtime, an archive and a fuse that says where it is", function()
    local parsed = assert(program.parse(runtime()))
    assert.same(
      { "9.8.7", "x86-64", true, nil },
      { parsed.version, parsed.machine, parsed.static, parsed.packed }
    )
    local contents = archive.write(entries())
    local packed = program.assemble(parsed, contents, {})
    assert.equal(#runtime() + #contents, #packed)
    local again = assert(program.parse(packed))
    assert.is_true(again.packed)
    assert.is_nil(again.damaged)
    assert.is_true(again.archive == contents and again.runtime == runtime())
    assert.is_true(program.assemble(again, contents, {}) == packed)
  end)

  it("says what is wrong with it", function()
    local packed = program.assemble(program.parse(runtime()), archive.write(entries()), {})
    local size = #runtime()
    assert.equal(
      "its archive is missing: it was stripped or cut off",
      program.parse(packed:sub(1, size)).damaged
    )
    assert.equal("its archive is truncated", program.parse(packed:sub(1, -2)).damaged)
    assert.equal("its archive is damaged", program.parse(packed:sub(1, -2) .. "?").damaged)
    assert.equal("it has 3 bytes after its end", program.parse(packed .. "abc").damaged)
    local function reason(bytes) return select(2, program.parse(bytes)) end
    assert.equal("not a program", reason "#!/bin/sh\n")
    assert.equal(
      "not an f5lua program",
      reason(runtime():gsub(bundle.magic, "another program.", 1))
    )
    local fuse = packed:find(bundle.magic, 1, true)
    for _, length in ipairs {
      -1, -64, math.mininteger, math.maxinteger, math.maxinteger - size - 63,
    } do
      local changed = packed:sub(fuse, fuse + 39) .. ("<i8I4"):pack(length, 0)
      changed = changed .. ("<I4"):pack(bundle.crc32(changed))
      assert.equal(
        "a damaged f5lua program",
        reason(packed:sub(1, fuse - 1) .. changed .. packed:sub(fuse + 56))
      )
    end
    assert.equal(
      "a damaged f5lua program",
      reason(packed:sub(1, fuse + 25) .. "?" .. packed:sub(fuse + 27))
    )
  end)
end)
