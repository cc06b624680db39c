-- The words of a tmsh command line: quotes, braces, several commands in one text.
--
-- A token is { word =, quoted = } or { brace = "{" or "}" }; `first` and `last` are its place in
-- the text.
local M = {}

M.MAX_TOKENS = 200000

local ESCAPED <const> = "[\"\\?{}';#%s]"

local function fail(text)
  error({ tmsh = text }, 0)
end

-- The text in double quotes that begins at `at`, and the position after it.
local function quoted(text, at)
  local parts = {}
  while true do
    local plain, stop = text:match('^([^"\\]*)()', at)
    parts[#parts + 1] = plain
    local char = text:sub(stop, stop)
    if char == "" then fail "Syntax Error: unbalanced quotes" end
    if char == '"' then return table.concat(parts), stop + 1 end
    local escaped = text:sub(stop + 1, stop + 1)
    parts[#parts + 1] = escaped:find '["\\?]' and escaped or "\\" .. escaped
    at = stop + 2
  end
end

local function bare(text, at)
  local parts = {}
  while true do
    local plain, stop = text:match("^([^%s{};\"\\]*)()", at)
    parts[#parts + 1] = plain
    if text:sub(stop, stop) ~= "\\" then return table.concat(parts), stop end
    local escaped = text:sub(stop + 1, stop + 1)
    parts[#parts + 1] = escaped:find(ESCAPED) and escaped or "\\" .. escaped
    at = math.min(stop + 2, #text + 1)
  end
end

--- The commands of a text, each a list of tokens. They are divided by ";" and ends of lines outside
--- of braces.
function M.commands(text)
  local commands, tokens, depth, at, count = {}, {}, 0, 1, 0
  local function finish()
    if #tokens > 0 then commands[#commands + 1] = tokens end
    tokens = {}
  end
  while true do
    at = text:match("^[ \t\r]*()", at)
    local char = text:sub(at, at)
    local first = at
    if char == "" then break end
    count = count + 1
    if count > M.MAX_TOKENS then fail "Syntax Error: the command is too long" end
    if char == "\n" or char == ";" then
      if depth == 0 then finish() end
      at = at + 1
    elseif char == "#" and #tokens == 0 then
      at = text:find("\n", at, true) or #text + 1
    elseif char == "{" or char == "}" then
      depth = depth + (char == "{" and 1 or -1)
      if depth < 0 then fail 'Syntax Error: unexpected argument "}"' end
      at = at + 1
      tokens[#tokens + 1] = { brace = char, first = first, last = first }
    else
      local word, is_quoted
      if char == '"' then
        word, at = quoted(text, at + 1)
        is_quoted = true
      elseif char == "'" and text:find("'", at + 1, true) then
        local stop = text:find("'", at + 1, true)
        word, at, is_quoted = text:sub(at + 1, stop - 1), stop + 1, true
      else
        word, at = bare(text, at)
        if at == first then at = at + 1 end
      end
      tokens[#tokens + 1] = { word = word, quoted = is_quoted, first = first, last = at - 1 }
    end
  end
  if depth > 0 then fail 'Syntax Error: "}" is missing' end
  finish()
  return commands
end

--- The text of arguments that a shell has read. An argument with blanks is one word, unless it has
--- braces or is the only one.
function M.join(arguments)
  if #arguments == 1 then return arguments[1] end
  local parts = {}
  for i, argument in ipairs(arguments) do
    if argument == "" or argument:find "[%s;]" and not argument:find "[{}]" then
      parts[i] = '"' .. argument:gsub('[\\"]', "\\%0") .. '"'
    else
      parts[i] = argument
    end
  end
  return table.concat(parts, " ")
end

return M
