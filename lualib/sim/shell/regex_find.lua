-- Finds where a regular expression matches, and its groups: for sed, awk and grep -o.
--
-- All states are followed at the same time, each with the places of its groups, so no expression
-- takes longer than its length times that of the line.
local M = {}

-- Adds a state and those it leads to without a character. saves: list of positions by group.
local function add(run, list, seen, at, saves, position)
  local todo = { { at, saves } }
  while #todo > 0 do
    local entry = table.remove(todo)
    local index, own = entry[1], entry[2]
    if not seen[index] then
      seen[index] = true
      local state = run.states[index]
      if state.either then
        for i = #state.either, 1, -1 do todo[#todo + 1] = { state.either[i], own } end
      elseif state.save then
        local fresh = table.move(own, 1, run.slots, 1, {})
        fresh[state.save] = position
        todo[#todo + 1] = { state.next, fresh }
      elseif state.anchor then
        local fits = state.anchor == "^" and position == 1
          or state.anchor == "$" and position == #run.line + 1
        if fits then todo[#todo + 1] = { state.next, own } end
      else
        list[#list + 1] = { index, own }
      end
    end
  end
end

-- The longest match that begins at `first`: its end and its saves.
local function match_at(run, start, first)
  local list, seen = {}, {}
  local blank = {}
  for i = 1, run.slots do blank[i] = false end
  add(run, list, seen, start, blank, first)
  local stop, saves
  local at = first
  while #list > 0 do
    local byte = run.line:byte(at)
    local following, known = {}, {}
    for _, entry in ipairs(list) do
      local state = run.states[entry[1]]
      if state.match then
        if not stop or at - 1 > stop then stop, saves = at - 1, entry[2] end
      elseif byte and state.set[byte] then
        add(run, following, known, state.next, entry[2], at + 1)
      end
    end
    run.tick()
    list, at = following, at + 1
  end
  return stop, saves
end

--- find(line, from) of an expression: the first and last position of the leftmost longest match
--- from `from` on, and a list of its groups ("" for a group without a part); nil without a match.
--- tick(): called for each character, may raise an error.
function M.finder(states, start, groups, tick)
  return function(line, from)
    local run = { states = states, line = line, slots = 2 * groups, tick = tick }
    for first = from, #line + 1 do
      local stop, saves = match_at(run, start, first)
      if stop then
        local found = {}
        for i = 1, groups do
          local a, b = saves[2 * i - 1], saves[2 * i]
          found[i] = a and b and line:sub(a, b - 1) or ""
        end
        return first, stop, found
      end
    end
    return nil
  end
end

return M
