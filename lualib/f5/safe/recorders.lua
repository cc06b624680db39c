-- Several recorders of one session: a change record of the whole run, a guard inside of it, a check
-- around both. The C part knows one; this one passes the writes on to all.

local core = require "f5.core"

local M = {}

-- session -> list. It is kept by f5.core: the methods of sessions stay when a program loads the Lua
-- modules again, and must not get two lists for one session.
local of = core.recorders or setmetatable({}, { __mode = "k" })
core.recorders = of

local function remove_all(session)
  of[session] = nil
  pcall(core.set_recorder, session, nil) -- the session may be closed
end

-- A recorder refuses the write: those that have let it pass learn that it is not sent.
local function withdraw(list, last, write)
  for i = last - 1, 1, -1 do
    if list[i].withdrawn then list[i].withdrawn(write) end
  end
end

local function install(session)
  local list = {}
  of[session] = list
  core.set_recorder(session, {
    before = function(write)
      for i = 1, #list do
        local one = list[i]
        if one then
          local _ <close> = setmetatable({}, { __close = function(_, err)
            if err ~= nil then withdraw(list, i, write) end
          end })
          one.before(write)
        end
      end
    end,
    after = function(write)
      for i = #list, 1, -1 do list[i].after(write) end
    end,
    refused = function(read)
      for i = 1, #list do
        local one = list[i]
        if one and one.refused then one.refused(read) end
      end
    end,
  })
  return list
end

--- core.record(session, recorder): adds a recorder { before = function(write), after =
-- function(write) } to a session. The one that was added last sees a write last, and its outcome
-- first. It may also have `refused`, a function(read) for reads that are not implemented, and
-- `withdrawn`, a function(write): it has let the write pass, but another recorder refused it. nil
-- instead of a recorder: removes all.
-- @return function that removes it
function M.record(session, recorder)
  if recorder == nil then return remove_all(session) end
  local list = of[session] or install(session)
  list[#list + 1] = recorder
  return function()
    for i, one in ipairs(list) do
      if one == recorder then
        table.remove(list, i)
        break
      end
    end
    if #list == 0 and of[session] == list then remove_all(session) end
  end
end

--- Whether the session is that of a twin: a check looks at what it writes, and nothing of it
-- reaches a device.
function M.is_simulated(session)
  for _, one in ipairs(of[session] or {}) do
    if one.simulated then return true end
  end
  return false
end

return M
