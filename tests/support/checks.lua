-- Finds tests that cannot fail: those that check nothing, and assertions that no test reaches (in a
-- loop over nothing, say). output.lua makes both a failure.
local luassert = require "luassert"

local M = {}

--- Off where only a part of the tests of a file runs.
M.whole_files = true

local count = 0
local reached = {} -- file -> line -> true

--- Something was checked.
function M.ran() count = count + 1 end

--- How much was checked since the last call.
function M.take()
  local before <const> = count
  count = 0
  return before
end

local function note()
  M.ran()
  local caller <const> = debug.getinfo(3, "Sl")
  local lines <const> = reached[caller.source] or {}
  reached[caller.source] = lines
  lines[caller.currentline] = true
end

--- From now on each use of luassert's `assert` is noted. `assert(x)` is one as well.
function M.watch()
  local meta <const> = getmetatable(luassert)
  local index <const>, call <const> = meta.__index, meta.__call
  function meta.__index(self, key)
    note()
    return index(self, key)
  end
  function meta.__call(self, ...)
    note()
    return call(self, ...)
  end
end

--- The lines of a spec with an `assert` that was not reached.
function M.missed(path)
  local found, lexer <const> = pcall(require, "build.lexer") -- is not in a stock lua5.4
  if not found then return {} end
  local file <close> = assert(io.open(path))
  local lines <const>, missed <const> = reached["@" .. path] or {}, {}
  for token in lexer.tokens(file:read "a") do
    if token.kind == "name" and token.value == "assert" and not lines[token.line] then
      missed[#missed + 1] = token.line
    end
  end
  return missed
end

return M
