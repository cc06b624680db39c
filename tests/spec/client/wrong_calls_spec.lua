-- Every public function and method with wrong arguments, closed sessions, foreign values, and
-- metamethods that raise or wait: it returns, or raises an error object. None is left out, because
-- the annotations name them, and annotations_spec compares these with the live module.
local lfs = require "lfs"
local program = require "program"

local function run(...)
  local place <close> = program.directory()
  local file <const> = lfs.currentdir() .. "/tests/fuzz/wrong_calls.lua"
  return program.run({ file, ... }, { directory = place.path, timeout = 300 })
end

describe("every public function", function()
  for what, word in pairs { ["with wrong values"] = "values", ["in a finalizer"] = "finalizers" } do
    it(what .. " returns or raises an error object", function()
      local result <const> = run(word)
      assert.equal(0, result.status, result.err:sub(-3000))
      assert.not_matches("[Ss]anitizer", result.err)
      local calls <const>, functions <const> =
        result.out:match "^(%d+) calls of (%d+) functions\n$"
      assert.truthy(calls, result.out)
      assert.is_true(tonumber(functions) > 150, result.out)
      assert.is_true(tonumber(calls) >= 2 * tonumber(functions), result.out)
    end)
  end
end)
