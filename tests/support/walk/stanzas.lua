-- Compares stanzas of tmsh text: whether one has all values of another. Quotes, the order of lines,
-- "/Common/" before a name, units and names of ports do not count.
local parser = require "sim.tmsh.parser"
local validate = require "sim.config.validate"

local M = {}

local function word_of(text)
  text = text:gsub("/Common/", ""):gsub("^(%d+)mb$", "%1"):gsub("^(%d+)bytes$", "%1")
  local host, divider, service = text:match "^(.+)([:.])([%a%-]+)$"
  local port <const> = service and validate.port(service)
  return port and host .. divider .. port or text
end

local block_text

-- Adds the parts of a line: "key=value", "word", "key{…}".
local function add_parts(line, inline, parts)
  local words = {}
  local function flush()
    if #words == 2 and not inline then words = { words[1] .. "=" .. words[2] } end
    table.move(words, 1, #words, #parts + 1, parts)
    words = {}
  end
  local i = 1
  while i <= #line do
    local item <const>, inner <const> = line[i], line[i + 1]
    if type(item) == "string" and type(inner) == "table" then
      flush()
      parts[#parts + 1] = word_of(item) .. block_text(inner)
      i = i + 2
    else
      if type(item) == "table" then flush() end
      table.insert(type(item) == "table" and parts or words,
        type(item) == "table" and block_text(item) or word_of(item))
      i = i + 1
    end
  end
  flush()
end

local function parts_of(block)
  local parts, kept = {}, {}
  for _, line in ipairs(block) do add_parts(line, block.inline, parts) end
  for _, part in ipairs(parts) do
    if not part:find "=none$" then kept[#kept + 1] = (part:gsub("{}$", "")) end
  end
  table.sort(kept)
  return kept
end

function block_text(block)
  return "{" .. table.concat(parts_of(block), ";") .. "}"
end

local function line_of(block, key)
  for _, line in ipairs(block) do
    if type(line[1]) == "string" and word_of(line[1]) == key then return line end
  end
end

-- What of `given` is not in `found`, a list of texts.
local function lost_of(given, found, at)
  local there, lost = {}, {}
  for _, part in ipairs(parts_of(found)) do there[part] = true end
  for _, line in ipairs(given) do
    local parts <const> = {}
    add_parts(line, given.inline, parts)
    for _, part in ipairs(parts) do
      local key <const> = type(line[1]) == "string" and word_of(line[1]) or ""
      local other <const> = type(line[2]) == "table" and line_of(found, key)
      part = part:gsub("{}$", "")
      -- an empty block is what is left out
      local empty <const> = type(line[2]) == "table" and #line[2] == 0
      if other and type(other[2]) == "table" and not there[part] then
        local inner <const> = lost_of(line[2], other[2], at .. key .. "/")
        table.move(inner, 1, #inner, #lost + 1, lost)
      elseif not there[part] and not empty and not part:find "=none$" then
        lost[#lost + 1] = at .. part
      end
    end
  end
  return lost
end

-- The properties of a stanza on one line, each on a line of its own.
local function unfolded(block)
  local first <const> = block[1]
  if not block.inline or not first or type(first[2]) ~= "string" then return block end
  local lines <const> = {}
  for i = 1, #first, 2 do lines[#lines + 1] = { first[i], first[i + 1] } end
  return lines
end

local function key_of(statement)
  return (table.concat(statement.words, " "):gsub("/Common/", ""))
end

--- The stanzas of a text by their head; of several with the same head the last counts. The second
--- result is the number of all stanzas.
function M.read(text)
  local found, partition, count = {}, nil, 0
  for _, statement in ipairs(parser.read(text)) do
    local words <const> = statement.words
    if words[1] == "cli" and words[2] == "admin-partitions" then
      partition = statement.block[1][2]
    elseif words[1] then
      local last <const> = words[#words]
      if partition and partition ~= "Common" and #words > 2 and not last:find "/" then
        words[#words] = "/" .. partition .. "/" .. last
      end
      found[key_of(statement)] = statement
      count = count + 1
    end
  end
  return found, count
end

--- The values of a stanza that another one lacks: a list of texts.
function M.lost(given, found)
  if not found then return { "the stanza" } end
  if given.raw then
    local function trimmed(text) return text:gsub("\r", ""):match "^%s*(.-)%s*$" end
    return trimmed(given.raw) == trimmed(found.raw or "") and {} or { "the script" }
  end
  local block <const> = unfolded(given.block or {})
  local lines <const> = { inline = block.inline }
  for _, line in ipairs(block) do
    -- of whom an object is, is in its full name
    if line[1] ~= "partition" then lines[#lines + 1] = line end
  end
  return lost_of(lines, found.block or {}, "")
end

return M
