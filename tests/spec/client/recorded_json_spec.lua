-- Every body that real devices answered goes through the codec and comes out equal, here and in an
-- independent decoder. The bodies lie beside the project and not in it; without them there is
-- nothing to check.
local json = require "f5.json"

local folder <const> = "../shared/data/recorded"

local function lines_of(command)
  local pipe = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local names = lines_of("ls " .. folder .. " 2>/dev/null | grep '\\.json$'")

-- One text for one value: its types, the order of its arrays, and nothing of how it was written.
local function canonical(value, out)
  local kind = math.type(value) or type(value)
  if kind == "integer" then
    out[#out + 1] = ("i%d;"):format(value)
  elseif kind == "float" then
    out[#out + 1] = ("f%.17g;"):format(value)
  elseif kind == "string" then
    out[#out + 1] = ("s%d:%s"):format(#value, value)
  elseif kind == "boolean" then
    out[#out + 1] = value and "t" or "f"
  elseif value == json.null then
    out[#out + 1] = "n"
  elseif json.is_array(value) then
    out[#out + 1] = "["
    for i = 1, #value do canonical(value[i], out) end
    out[#out + 1] = "]"
  else
    local keys = {}
    for key in pairs(value) do keys[#keys + 1] = key end
    table.sort(keys)
    out[#out + 1] = "{"
    for _, key in ipairs(keys) do
      canonical(key, out)
      canonical(value[key], out)
    end
    out[#out + 1] = "}"
  end
  return out
end

local function canonical_text(value) return table.concat(canonical(value, {})) end

local python <const> = [[
import json, sys
def write(value, out):
    if value is None: out.append(b"n")
    elif value is True: out.append(b"t")
    elif value is False: out.append(b"f")
    elif isinstance(value, int) and -2**63 <= value < 2**63: out.append(b"i%d;" % value)
    elif isinstance(value, (int, float)): out.append(b"f%.17g;" % float(value))
    elif isinstance(value, str):
        text = value.encode()
        out.append(b"s%d:%s" % (len(text), text))
    elif isinstance(value, list):
        out.append(b"[")
        for element in value: write(element, out)
        out.append(b"]")
    else:
        out.append(b"{")
        for key in sorted(value, key=str.encode):
            write(key, out)
            write(value[key], out)
        out.append(b"}")
for name in sys.argv[2:]:
    out = []
    write(json.load(open(sys.argv[1] + "/" + name, encoding="utf-8-sig")), out)
    text = b"".join(out)
    sys.stdout.buffer.write(b"%s\n%d\n%s\n" % (name.encode(), len(text), text))
]]

describe("recorded bodies", function()
  if #names == 0 then
    pending "are not here (../shared/data/recorded)"
    return
  end

  it("come out of the codec equal", function()
    assert.is_true(#names > 1000)
    for _, name in ipairs(names) do
      local text = read(folder .. "/" .. name)
      local value = json.decode(text)
      local expected = canonical_text(value)
      for _, style in ipairs { {}, { sort = true, first = { "kind", "name" } }, { indent = 2 } } do
        assert(canonical_text(json.decode(json.encode(value, style))) == expected, name)
      end
    end
  end)

  it("mean the same to an independent decoder", function()
    if #lines_of "command -v python3" == 0 then return pending "python3 is not installed" end
    local script = os.tmpname()
    local file = assert(io.open(script, "wb"))
    file:write(python)
    file:close()
    local compared = 0
    for from = 1, #names, 400 do -- as many names as a command line holds
      local quoted = {}
      for i = from, math.min(from + 399, #names) do
        quoted[#quoted + 1] = "'" .. names[i] .. "'"
      end
      local pipe =
        assert(io.popen(("python3 %s %s %s"):format(script, folder, table.concat(quoted, " "))))
      for name in pipe:lines() do
        local length = tonumber(pipe:read "l")
        local theirs = pipe:read(length)
        pipe:read "l"
        assert(canonical_text(json.decode(read(folder .. "/" .. name))) == theirs, name)
        compared = compared + 1
      end
      assert.is_true(pipe:close())
    end
    os.remove(script)
    assert.are.equal(#names, compared)
  end)

  it("keep what other decoders lose: integers, empty arrays", function()
    local integers, arrays = 0, 0
    for _, name in ipairs(names) do
      local text = read(folder .. "/" .. name)
      local function count(value)
        if math.type(value) == "integer" then integers = integers + 1 end
        if type(value) ~= "table" then return end
        if json.is_array(value) and #value == 0 then arrays = arrays + 1 end
        for _, element in pairs(value) do count(element) end
      end
      count(json.decode(text))
    end
    assert.is_true(integers > 1000)
    assert.is_true(arrays > 0)
  end)
end)
