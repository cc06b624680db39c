-- Configuration texts of real devices: how many stanzas are loaded with all their values, and
-- whether what is saved loads again. The texts are no part of this project. lab.slow: all texts.
local lab = require "lab"
local sim = require "f5.sim"
local stanzas = require "walk.stanzas"

local CONF <const> = "../shared/data/conf/"
local MODULES <const> =
  { "ltm", "gtm", "asm", "apm", "afm", "avr", "pem", "fps", "ilx", "vcmp", "dos" }
-- Of all texts; a sample may have more of what is refused.
local TARGET <const> = lab.slow and 0.995 or 0.95

local function texts(folder)
  local find <const> = "find " .. CONF .. folder .. " -type f 2>/dev/null | sort"
  local list, pipe = {}, assert(io.popen(find))
  for path in pipe:lines() do
    local file <close> = assert(io.open(path, "rb"))
    list[#list + 1] = { name = path, text = file:read "a" }
  end
  pipe:close()
  return list
end

local function started(entry)
  return sim.start { provision = MODULES, seed = { conf = { entry } } }
end

-- A stanza without values says nothing that a device could lose.
local function is_empty(statement)
  return statement.block and #statement.block == 0
end

-- Loads one text; returns the number of its stanzas, and those that were refused or lost something.
local function measure(entry, problems)
  local given <const>, count <const> = stanzas.read(entry.text)
  local device <const> = started(entry)
  local at_line <const>, all <const> = {}, stanzas.read(device:configuration { all = true })
  for _, refused in ipairs(device:refused()) do
    at_line[refused.line] = true
    problems[#problems + 1] = ("%s:%d: %s"):format(entry.name, refused.line, refused.message)
  end
  local bad = #device:refused()
  for head, statement in pairs(given) do
    local lost <const> = (at_line[statement.line] or is_empty(statement)) and {}
      or stanzas.lost(statement, all[head])
    if lost[1] then
      bad = bad + 1
      problems[#problems + 1] = ("%s:%d: %s: %s"):format(
        entry.name, statement.line, head, table.concat(lost, ", ")
      )
    end
  end
  local saved <const> = device:configuration()
  lab.stop(device)
  return count, bad, saved
end

describe("configurations of real devices", function()
  for _, folder in ipairs { "device", "extracts" } do
    local list <const> = texts(folder)
    local step <const> = lab.slow and 1 or #list // 6

    it(folder .. ": are loaded with every value, or refused by line", function()
      if #list == 0 then return pending "the texts are not there" end
      local total, bad, problems = 0, 0, {}
      for i = 1, #list, step do
        local count <const>, wrong <const>, saved <const> = measure(list[i], problems)
        total, bad, list[i].saved = total + count, bad + wrong, saved
      end
      local share <const> = (total - bad) / total
      assert.is_true(share >= TARGET, ("%s: %d of %d\n%s"):format(
        folder, total - bad, total, table.concat(problems, "\n")
      ))
    end)

    it(folder .. ": give the same after a save and another load", function()
      if #list == 0 then return pending "the texts are not there" end
      for i = 1, #list, step do
        local saved <const> = list[i].saved or select(3, measure(list[i], {}))
        local given <const> = stanzas.read(saved)
        local device <const> = started { name = "saved", text = saved }
        assert.same({}, device:refused())
        local again <const> = stanzas.read(device:configuration())
        for head, statement in pairs(given) do
          local lost <const> = is_empty(statement) and {} or stanzas.lost(statement, again[head])
          assert.same({ list[i].name, head, {} }, { list[i].name, head, lost })
        end
        lab.stop(device)
      end
    end)
  end
end)
