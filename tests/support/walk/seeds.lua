-- Properties that hold for many random cases.
--
--   seeds.each(200, 5000, function(seed) … end)
--
-- F5LUA_SEEDS=3076 or F5LUA_SEEDS=100-200 runs these cases only. All cases run; the failed ones are
-- reported together at the end.
local lab = require "lab"
local assert = require "luassert"

local M = {}

local SHOWN <const> = 5 -- failures that are shown whole

-- The first and the last seed.
local function range(usual, slow)
  local given <const> = os.getenv "F5LUA_SEEDS"
  if not given then return 1, lab.slow and slow or usual end
  local first <const>, last = given:match "^(%d+)%-?(%d*)$"
  assert.truthy(first, "F5LUA_SEEDS: expected SEED or FIRST-LAST, got " .. given)
  return tonumber(first), tonumber(last) or tonumber(first)
end

local function text_of(err)
  return tostring(type(err) == "table" and err.message or err):sub(1, 3000)
end

--- Calls run(seed) for the seeds 1 to `usual`, with --slow to `slow`. Fails if one of them raised
-- an error.
-- @return integer: how many ran
function M.each(usual, slow, run)
  local first <const>, last <const> = range(usual, slow)
  local failed, texts = {}, {}
  for seed = first, last do
    local ok, err = pcall(run, seed)
    if not ok then
      failed[#failed + 1] = tostring(seed)
      if #failed <= SHOWN then texts[#texts + 1] = ("seed %d: %s"):format(seed, text_of(err)) end
    end
  end
  assert.equal("", table.concat(failed, " "), table.concat(texts, "\n"))
  return last - first + 1
end

--- Whether only some seeds run: then counts over all cases mean nothing.
function M.are_given() return os.getenv "F5LUA_SEEDS" ~= nil end

return M
