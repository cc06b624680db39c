--- Compiles entries: expressions return their values, and `local` variables at the top stay
-- for later
-- entries.

local lexer = require "build.lexer"

local Entry = {}

local CHUNK <const> = "=(console)"
local OPENERS <const> = { ["function"] = true, ["do"] = true, ["if"] = true, ["repeat"] = true }
local CLOSERS <const> = { ["end"] = true, ["until"] = true }

-- One `local` statement at token i: what to cut and to insert. Returns the next token.
local function unlocalize(tokens, i, edits)
  local cut = { from = tokens[i].from, to = tokens[i].to, text = "" }
  local following = tokens[i + 1]
  if following and following.value == "function" and following.kind == "keyword" then
    edits[#edits + 1] = cut
    return i + 1
  end
  local at, last, attributes = i + 1, nil, {}
  while tokens[at] and tokens[at].kind == "name" do
    last, at = tokens[at], at + 1
    if
      tokens[at] and tokens[at].value == "<" and tokens[at + 2] and tokens[at + 2].value == ">"
    then
      attributes[#attributes + 1] = { from = tokens[at].from, to = tokens[at + 2].to, text = "" }
      last, at = tokens[at + 2], at + 3
    end
    if not (tokens[at] and tokens[at].value == ",") then break end
    at = at + 1
  end
  if not last then return i + 1 end -- not Lua: the compiler reports the error
  edits[#edits + 1] = cut
  table.move(attributes, 1, #attributes, #edits + 1, edits)
  local valued = tokens[at] and tokens[at].value == "=" and tokens[at].kind == "symbol"
  if not valued then edits[#edits + 1] = { from = last.to + 1, to = last.to, text = " = nil" } end
  return at
end

--- Returns the text with its outermost `local` variables made global. Lines keep their numbers.
function Entry.with_globals(source)
  local read, tokens = pcall(lexer.list, source)
  if not read then return source end
  local edits, depth, i = {}, 0, 1
  while tokens[i] do
    local token = tokens[i]
    local word = token.kind == "keyword" and token.value
    if word == "local" and depth == 0 then
      i = unlocalize(tokens, i, edits)
    else
      if OPENERS[word] then depth = depth + 1 elseif CLOSERS[word] then depth = depth - 1 end
      i = i + 1
    end
  end
  table.sort(edits, function(a, b) return a.from < b.from end)
  local parts, at = {}, 1
  for _, edit in ipairs(edits) do
    parts[#parts + 1] = source:sub(at, edit.from - 1) .. edit.text
    at = edit.to + 1
  end
  parts[#parts + 1] = source:sub(at)
  return table.concat(parts)
end

-- "x = 1; x + 1": statements, and an expression after the last semicolon.
local function with_last_value(source)
  local read, tokens = pcall(lexer.list, source)
  if not read then return nil end
  local depth, split = 0, nil
  for _, token in ipairs(tokens) do
    local value = token.value
    if token.kind == "keyword" then
      if OPENERS[value] then depth = depth + 1 elseif CLOSERS[value] then depth = depth - 1 end
    elseif token.kind == "symbol" then
      if value == "{" or value == "(" then
        depth = depth + 1
      elseif value == "}" or value == ")" then
        depth = depth - 1
      end
      if value == ";" and depth == 0 then split = token.from end
    end
  end
  return split and Entry.with_globals(source:sub(1, split)) .. "return " .. source:sub(split + 1)
end

-- How many tokens of a text can begin a chunk: the compiler accepts them, or misses more behind
-- them. Each shorter beginning is one, too.
local function accepted(source)
  local read, tokens = pcall(lexer.list, source)
  if not read then return 0 end
  local low, high = 0, #tokens
  while low < high do
    local middle = (low + high + 1) // 2
    local chunk, message = load(source:sub(1, tokens[middle].to), CHUNK, "t")
    if chunk or message:find "<eof>'?$" then low = middle else high = middle - 1 end
  end
  return low
end

-- The message of the attempt that came further: `1 +* 2` fails at the `*` as an expression, and as
-- a statement at its first word.
local function message_of(source, as_expression, as_statement)
  local further <const> = accepted("return " .. source) - 1 > accepted(source)
  return ((further and as_expression or as_statement):gsub("^%(console%):", ""))
end

--- Compiles an entry.
-- @return function, "expression" or "statement"; nil, "incomplete"; or nil, "wrong", message
function Entry.compile(source, env)
  local chunk, as_expression = load("return " .. source, CHUNK, "t", env)
  if chunk then return chunk, "expression" end
  local message
  local valued = with_last_value(source)
  chunk = valued and load(valued, CHUNK, "t", env)
  if chunk then return chunk, "statement" end
  chunk, message = load(Entry.with_globals(source), CHUNK, "t", env)
  if chunk then return chunk, "statement" end
  if message:find "<eof>'?$" then return nil, "incomplete" end
  return nil, "wrong", message_of(source, as_expression, message)
end

return Entry
