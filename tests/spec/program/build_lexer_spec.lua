local lexer = require "build.lexer"

local function values(text, kind)
  local found = {}
  for token in lexer.tokens(text) do
    if not kind or token.kind == kind then found[#found + 1] = token.value end
  end
  return found
end

local function problem(text)
  local ok, err = pcall(lexer.list, text)
  assert.is_false(ok)
  return err.line .. ": " .. err.message
end

describe("The lexer of f5lua build", function()
  it("tells names, keywords, strings, numbers and symbols apart", function()
    local kinds = {}
    for token in lexer.tokens "local x <const> = 0x1p-4 // y.z ~= 'a' .. [[b]] and ...;" do
      kinds[#kinds + 1] = token.kind .. ":" .. token.value
    end
    assert.same(
      {
        "keyword:local", "name:x", "symbol:<", "name:const", "symbol:>", "symbol:=",
        "number:0x1p-4", "symbol://", "name:y", "symbol:.", "name:z", "symbol:~=", "string:a",
        "symbol:..", "string:b", "keyword:and", "symbol:...", "symbol:;",
      },
      kinds
    )
  end)

  it("decodes every escape of a string", function()
    assert.same({ "a\n\t\\\"'\65\x42\u{20AC}\u{7FFFFFFF}\0z" },
      values [==["a\n\t\\\"\'\65\x42\u{20AC}\u{7FFFFFFF}\0\z
      z"]==])
    assert.same({ "one\ntwo" }, values "'one\\\r\ntwo'")
  end)

  it("takes long strings as they are, without their first line end", function()
    assert.same({ "a]]b\n]=]c" }, values "[==[\r\na]]b\r\n]=]c]==]")
  end)

  it(
    "skips comments, long comments, a first line with # and a byte order mark",
    function()
      assert.same(
        { "x" },
        values(
          "\xEF\xBB\xBF#!/usr/bin/env f5lua\n-- require 'a'\n--[[ require 'b'\n]] x --[==[ ]] ]==] "
            .. "--"
        )
      )
    end
  )

  it("counts lines as Lua does", function()
    local lines = {}
    for token in lexer.tokens "a\nb\r\nc\n\rd\re\n\n--[[\n\n]]f [[\n]] g '\\\n' h '\\z\n\n' i" do
      if token.kind == "name" then lines[#lines + 1] = token.value .. token.line end
    end
    assert.same({ "a1", "b2", "c3", "d4", "e5", "f9", "g10", "h11", "i13" }, lines)
  end)

  it("refuses what is no Lua, with the line", function()
    assert.equal("2: unfinished string", problem "x =\n'abc\n'")
    assert.equal("1: unfinished long comment", problem "--[[ x")
    assert.equal("1: unfinished long string", problem "[=[ x ]]")
    assert.equal("1: malformed number near '3x'", problem "x = 3x")
    assert.equal("1: invalid escape sequence '\\q'", problem "'\\q'")
    assert.equal("1: decimal escape too large", problem "'\\256'")
    assert.equal("1: hexadecimal digit expected", problem "'\\xg0'")
    assert.equal("1: unexpected symbol near '$'", problem "$")
  end)

  it("reads every Lua text at hand exactly as Lua's own compiler does", function()
    local files =
      io.popen "find lualib scripts tests /usr/share/lua/5.4 -name '*.lua' 2>/dev/null | sort"
    local count = 0
    for path in files:lines() do
      local file <close> = assert(io.open(path, "rb"))
      local text = file:read "a":gsub("^#[^\n]*", "")
      local whole = load(text, "=x")
      if whole then
        -- Put together again from its tokens, with everything on its line, it must compile to the
        -- same code.
        local parts, line = {}, 1
        for token in lexer.tokens(text) do
          while line < token.line do
            parts[#parts + 1], line = "\n", line + 1
          end
          parts[#parts + 1] = token.kind == "string"
              and "'" .. token.value:gsub(
                "[%c\\'\x80-\xff]",
                function(c) return ("\\%03d"):format(c:byte()) end
              ) .. "'"
            or token.value
          parts[#parts + 1] = " "
        end
        local again, message = load(table.concat(parts), "=x")
        assert(again, message)
        assert.is_true(string.dump(whole, true) == string.dump(again, true), path)
        count = count + 1
      end
    end
    files:close()
    assert.is_true(count > 20)
  end)
end)
