-- The tables of the classes of AS3 that have effect: the same as in the simulated device.
local lfs = require "lfs"

local MAP <const> = "lualib/sim/extensions/as3/map"

-- The classes for which a file of the map has a handler, and those without an object of their own.
local function simulated()
  local classes = { Tenant = true, Application = true, Constants = true }
  for _, folder in ipairs { "", "logs/", "names/" } do
    for file in lfs.dir(MAP .. "/" .. folder) do
      local name <const> = file:match "^(.*)%.lua$"
      if name and name ~= "init" then
        local module <const> = require("sim.extensions.as3.map." .. folder:gsub("/", ".") .. name)
        for class, handler in pairs(type(module) == "table" and module or {}) do
          local is_class <const> = class:find "^%u" or class == "iRule" or class == "iFile"
          if is_class and type(handler) == "function" then classes[class] = true end
        end
      end
    end
  end
  return classes
end

local function difference(page, from, to)
  local file <close> = assert(io.open(page))
  local text <const> = file:read "a"
  local start <const> = assert(text:find(from, 1, true), from)
  local section <const> = text:sub(start, assert(text:find(to, start, true), to))
  local found, count = {}, 0
  for row in section:gmatch "\n|[^\n]+" do
    for class in row:gmatch "`([%w_]+)`" do found[class] = true end
  end
  local wrong = {}
  for class in pairs(simulated()) do
    count = count + 1
    if not found[class] and class ~= "Constants" then wrong[#wrong + 1] = "missing: " .. class end
  end
  for class in pairs(found) do
    local is_property <const> = class:find "^%l" and class ~= "iRule" and class ~= "iFile"
    if not is_property and not simulated()[class] then
      wrong[#wrong + 1] = "not simulated: " .. class
    end
  end
  table.sort(wrong)
  return wrong, count
end

describe("D1 the tables of classes that have effect", function()
  it("name each class that is simulated, and no other one", function()
    local wrong, count =
      difference("docs/declarations.md", "## On a simulated device", "Not simulated are")
    assert.same({}, wrong)
    assert.is_true(count > 80)
    wrong = difference("docs/simulator-extensions.md", "### Classes with effect", "References (")
    assert.same({}, wrong)
  end)
end)
