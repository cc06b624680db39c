--- The context of the cursor in unfinished Lua: a string, a member, a method, a table.

local lexer = require "build.lexer"

local Context = {}

local OPEN <const> = { ["("] = true, ["["] = true, ["{"] = true }
local CLOSE <const> = { [")"] = true, ["]"] = true, ["}"] = true }

local function is(token, value)
  return token ~= nil and token.kind == "symbol" and token.value == value
end

-- The complete tokens, and the string or word that has begun after them.
local function scan(text)
  local tokens, position, next_token = {}, 1, lexer.tokens(text)
  local ok = pcall(function()
    for token in next_token do
      tokens[#tokens + 1] = token
      position = token.to + 1
    end
  end)
  local rest = text:sub(position)
  if not ok then
    local space, quote = rest:match "^(%s*)([\"'])"
    if not quote then return nil end
    local from = position + #space + 1
    return tokens, { string = quote, text = text:sub(from), from = from }
  end
  if rest:find "%-%-" then return nil end -- in a comment
  local last = tokens[#tokens]
  if last and last.to == #text and (last.kind == "name" or last.kind == "keyword") then
    tokens[#tokens] = nil
    return tokens, { text = last.value, from = last.from }
  end
  if last and last.to == #text and last.kind == "number" then return nil end
  return tokens, { text = "", from = #text + 1 }
end

-- The bracket that is open at the end of tokens 1..last, and how many commas are behind it.
local function enclosing(tokens, last)
  local depth, commas = 0, 0
  for i = last, 1, -1 do
    local token = tokens[i]
    if token.kind == "symbol" then
      if CLOSE[token.value] then
        depth = depth + 1
      elseif OPEN[token.value] then
        if depth == 0 then return i, commas end
        depth = depth - 1
      elseif token.value == "," and depth == 0 then
        commas = commas + 1
      end
    end
  end
end

local function open_of(tokens, close)
  local depth = 0
  for i = close, 1, -1 do
    if tokens[i].kind == "symbol" then
      if CLOSE[tokens[i].value] then depth = depth + 1 end
      if OPEN[tokens[i].value] then
        depth = depth - 1
        if depth == 0 then return i end
      end
    end
  end
end

-- `:at(…)` or `:at "…"` whose arguments end at token i: the arguments and the token before the
-- colon.
local function at_call(tokens, i)
  local arguments, open = {}
  if is(tokens[i], ")") then
    open = open_of(tokens, i)
    for j = open + 1, i - 1 do
      if tokens[j].kind == "string" then
        arguments[#arguments + 1] = tokens[j].value
      elseif not is(tokens[j], ",") then
        return nil
      end
    end
    open = open - 1
  else
    arguments[1] = tokens[i].value
    open = i - 1
  end
  if arguments[1] and tokens[open] and tokens[open].value == "at" and is(tokens[open - 1], ":") then
    return arguments, open - 2
  end
end

--- The expression that ends at token i, as { root, steps }: a global name, and steps with `index`
-- (a name) or `at` (arguments).
local function chain(tokens, i)
  local steps = {}
  while i >= 1 do
    local token = tokens[i]
    if token.kind == "name" then
      if not is(tokens[i - 1], ".") then
        return { root = token.value, steps = steps, from = i }
      end
      table.insert(steps, 1, { index = token.value })
      i = i - 2
    elseif
      is(token, "]") and tokens[i - 1] and tokens[i - 1].kind == "string" and is(tokens[i - 2], "[")
    then
      table.insert(steps, 1, { index = tokens[i - 1].value })
      i = i - 3
    elseif is(token, ")") or token.kind == "string" then
      local arguments, before = at_call(tokens, i)
      if not arguments then
        -- tx(ref) has the methods of the reference.
        local open = is(token, ")") and open_of(tokens, i)
        if not (open and open > 1 and tokens[open - 1].kind == "name") then return nil end
        local inner = chain(tokens, i - 1)
        if not inner or inner.from ~= open + 1 then return nil end
        table.move(steps, 1, #steps, #inner.steps + 1, inner.steps)
        return inner
      end
      table.insert(steps, 1, { at = arguments })
      i = before
    else
      return nil
    end
  end
end

-- The call whose arguments token `open` starts or belongs to: { method = name, on = chain } or {
-- call = chain }, and the number of the argument.
local function call_of(tokens, open)
  local number, name = 1, open - 1
  if is(tokens[open], "{") and (is(tokens[name], "(") or is(tokens[name], ",")) then
    local paren, commas = enclosing(tokens, open - 1)
    if not is(tokens[paren], "(") then return nil end
    name, number = paren - 1, commas + 1
  end
  local token = tokens[name]
  if not token or token.kind ~= "name" then return nil end
  if is(tokens[name - 1], ":") then
    return { method = token.value, on = chain(tokens, name - 2), argument = number }
  end
  local called = chain(tokens, name)
  return called and { call = called, argument = number } or nil
end

-- The table at token `open`: { call } of an argument, { key, within } of a table in a table, or
-- { element, within } of a table in a list.
local function braces(tokens, open)
  if is(tokens[open - 1], "=") and tokens[open - 2] and tokens[open - 2].kind == "name" then
    local outer = enclosing(tokens, open - 3)
    if outer and is(tokens[outer], "{") then
      return { key = tokens[open - 2].value, within = braces(tokens, outer) }
    end
    return nil
  end
  local call = call_of(tokens, open)
  if call then return { call = call } end
  local list = enclosing(tokens, open - 1)
  local around = list and is(tokens[list], "{") and braces(tokens, list)
  return around and around.key and { element = true, within = around } or nil
end

-- Names that the table already has: they are not offered again.
local function keys_given(tokens, open)
  local given, depth = {}, 0
  for i = open + 1, #tokens do
    local token = tokens[i]
    if token.kind == "symbol" and OPEN[token.value] then depth = depth + 1 end
    if token.kind == "symbol" and CLOSE[token.value] then depth = depth - 1 end
    if depth == 0 and token.kind == "name" and is(tokens[i + 1], "=") then
      given[token.value] = true
    end
  end
  return given
end

--- Returns the context at the end of the text, or nil if it is unknown.
-- @return { what, text (typed so far), from (its first byte), string (the quote, in a string) }
--   and, by `what`: "member" of (chain) · "method" of (chain) · "index" of (chain) · "argument"
--   call · "key" braces, given · "value" key, braces · "element" braces · "name"
function Context.of(text)
  local tokens, typed = scan(text)
  if not tokens then return nil end
  local last = tokens[#tokens]
  local function found(what, more)
    more.what, more.text, more.from, more.string = what, typed.text, typed.from, typed.string
    return more
  end
  if not typed.string and (is(last, ".") or is(last, ":")) then
    local of = chain(tokens, #tokens - 1)
    return of and found(is(last, ".") and "member" or "method", { of = of })
  end
  if is(last, "[") and (typed.string or typed.text == "") then
    local of = chain(tokens, #tokens - 1)
    return of and found("index", { of = of })
  end
  if is(last, "=") and tokens[#tokens - 1] and tokens[#tokens - 1].kind == "name" then
    local open = enclosing(tokens, #tokens - 2)
    local around = open and is(tokens[open], "{") and braces(tokens, open)
    if around then return found("value", { key = tokens[#tokens - 1].value, braces = around }) end
  end
  if is(last, "{") or is(last, ",") or is(last, ";") then
    local open = enclosing(tokens, #tokens)
    local around = open and is(tokens[open], "{") and braces(tokens, open)
    if around then
      if typed.string then return found("element", { braces = around }) end
      return found("key", { braces = around, given = keys_given(tokens, open) })
    end
  end
  if typed.string then
    local open, commas = #tokens + 1, 0
    if is(last, "(") or is(last, ",") then open, commas = enclosing(tokens, #tokens) end
    local call = open and call_of(tokens, open)
    if not call then return nil end
    call.argument = commas + 1
    local before = {}
    for i = open + 1, #tokens do
      if tokens[i].kind == "string" then before[#before + 1] = tokens[i].value end
    end
    return found("argument", { call = call, before = before })
  end
  return found("name", {})
end

return Context
