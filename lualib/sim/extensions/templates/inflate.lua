-- Unpacks data that was packed with "deflate" (RFC 1951), as in ZIP archives.
local M = {}

local LENGTHS <const> = {
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
  163, 195, 227, 258,
}
local LENGTH_BITS <const> = {
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
}
local DISTANCES <const> = {
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
  3073, 4097, 6145, 8193, 12289, 16385, 24577,
}
local DISTANCE_BITS <const> = {
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
}
local CODE_ORDER <const> = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 }

local Reader <const> = {}
Reader.__index = Reader

local function fail() error({ inflate = true }, 0) end

function Reader:bits(count)
  while self.held < count do
    local byte = self.data:byte(self.at)
    if not byte then fail() end
    self.value = self.value | byte << self.held
    self.at, self.held = self.at + 1, self.held + 8
  end
  local result = self.value & ((1 << count) - 1)
  self.value, self.held = self.value >> count, self.held - count
  return result
end

-- The codes of symbols whose lengths are given: { [length] = { [code] = symbol } }.
local function codes_of(lengths)
  local counts, table_of, code = {}, {}, 0
  for _, length in pairs(lengths) do counts[length] = (counts[length] or 0) + 1 end
  local next_code = {}
  counts[0] = 0
  for length = 1, 15 do
    code = code + (counts[length - 1] or 0) << 1
    next_code[length], table_of[length] = code, {}
  end
  for symbol = 0, lengths.last do
    local length = lengths[symbol] or 0
    if length > 0 then
      table_of[length][next_code[length]] = symbol
      next_code[length] = next_code[length] + 1
    end
  end
  return table_of
end

function Reader:symbol(codes)
  local code = 0
  for length = 1, 15 do
    code = code << 1 | self:bits(1)
    local symbol = codes[length][code]
    if symbol then return symbol end
  end
  return fail()
end

local fixed

local function fixed_codes()
  if fixed then return fixed[1], fixed[2] end
  local lengths, distances = { last = 287 }, { last = 29 }
  for symbol = 0, 287 do
    lengths[symbol] = symbol < 144 and 8 or symbol < 256 and 9 or symbol < 280 and 7 or 8
  end
  for symbol = 0, 29 do distances[symbol] = 5 end
  fixed = { codes_of(lengths), codes_of(distances) }
  return fixed[1], fixed[2]
end

-- The codes that stand in the data.
function Reader:dynamic_codes()
  local literals, distances, count = self:bits(5) + 257, self:bits(5) + 1, self:bits(4) + 4
  local of_codes = { last = 18 }
  for i = 1, count do of_codes[CODE_ORDER[i]] = self:bits(3) end
  local codes, list = codes_of(of_codes), {}
  while #list < literals + distances do
    local symbol, times = self:symbol(codes), 1
    if symbol == 16 then
      symbol, times = list[#list] or fail(), self:bits(2) + 3
    elseif symbol == 17 then
      symbol, times = 0, self:bits(3) + 3
    elseif symbol == 18 then
      symbol, times = 0, self:bits(7) + 11
    end
    for _ = 1, times do list[#list + 1] = symbol end
  end
  local first, second = { last = literals - 1 }, { last = distances - 1 }
  for i = 0, literals - 1 do first[i] = list[i + 1] end
  for i = 0, distances - 1 do second[i] = list[literals + i + 1] end
  return codes_of(first), codes_of(second)
end

-- Copies bytes that were there before.
local function repeat_bytes(out, length, distance)
  if distance > #out then fail() end
  for _ = 1, length do out[#out + 1] = out[#out - distance + 1] end
end

function Reader:block(out, limit)
  local kind = self:bits(2)
  if kind == 0 then
    self.value, self.held = 0, 0
    local length = ("<I2"):unpack(self.data, self.at)
    for i = self.at + 4, self.at + 3 + length do
      out[#out + 1] = self.data:sub(i, i)
    end
    self.at = self.at + 4 + length
    return
  end
  if kind == 3 then fail() end
  local literals, distances
  if kind == 1 then
    literals, distances = fixed_codes()
  else
    literals, distances = self:dynamic_codes()
  end
  while true do
    local symbol = self:symbol(literals)
    if symbol == 256 then return end
    if symbol < 256 then
      out[#out + 1] = string.char(symbol)
    else
      local length = (LENGTHS[symbol - 256] or fail()) + self:bits(LENGTH_BITS[symbol - 256])
      local other = self:symbol(distances) + 1
      repeat_bytes(out, length, (DISTANCES[other] or fail()) + self:bits(DISTANCE_BITS[other]))
    end
    if #out > limit then fail() end
  end
end

--- Unpacks data; nil if it is damaged, or longer than the limit.
function M.inflate(data, limit)
  local reader = setmetatable({ data = data, at = 1, value = 0, held = 0 }, Reader)
  local out = {}
  local ok, problem = pcall(function()
    repeat
      local is_last = reader:bits(1) == 1
      reader:block(out, limit)
    until is_last
  end)
  if ok then return table.concat(out) end
  local is_damage = type(problem) == "table" and problem.inflate
    or tostring(problem):find "data string too short"
  if not is_damage then error(problem, 0) end
  return nil
end

return M
