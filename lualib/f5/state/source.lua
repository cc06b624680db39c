-- Where a state comes from: a session, a snapshot, or a text that only a device understands (a
-- seed, a saved configuration). For such a text a simulated device is started, in its own thread
-- and Lua state, and its snapshot is taken over HTTPS as that of any device.

local core = require "f5.core"
local file = require "f5.state.file"
local json = require "f5.json"
local sim = require "f5.sim"
local snapshot = require "f5.state.snapshot"
local State = require "f5.state.state"

local M = {}

-- All modules, so that all kinds in a text can be seen.
local MODULES <const> = {
  "ltm", "gtm", "asm", "apm", "afm", "avr", "pem", "am", "fps", "ilx", "vcmp", "swg", "urldb",
  "cgnat", "dos",
}

local function refuse(path, format, ...)
  error(
    core.error_new { kind = "transfer", message = path .. ": " .. string.format(format, ...) }, 0
  )
end

local function contents(path)
  core.check_path(path, "snapshot")
  local opened, why = io.open(path, "rb")
  if not opened then
    error(core.error_new { kind = "transfer", message = "cannot read " .. tostring(why) }, 0)
  end
  local text, problem = opened:read "a"
  opened:close()
  if not text then refuse(path, "cannot be read: %s", tostring(problem)) end
  return text
end

-- A user beside those of the text, which may have a password for admin.
local USER <const> = "f5lua-diff"

local function new_password()
  local source <close> = assert(io.open("/dev/urandom", "rb"))
  return (source:read(16):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function snapshot_of(seed, path)
  local users = table.move(sim.default_users, 1, #sim.default_users, 1, {})
  users[#users + 1] = { name = USER, password = new_password(), role = "admin" }
  local ok, device = pcall(sim.start, { provision = MODULES, seed = seed, users = users })
  if not ok then
    refuse(path, "%s", (tostring(device):gsub("^lualib/[%w_/]+%.lua:%d+: ", "")))
  end
  local _stop <close> = device
  local bip <close> = core.connect(device:options(USER))
  return bip:snapshot(), seed and device:refused() or nil
end

local builtin -- the state of a simulated device without any seed

-- The kinds whose objects the text has or changes, and the objects that it does not mention.
local function compare_with_builtin(state)
  local kinds, same = {}, {}
  for _, collection in ipairs(state.collections) do
    local before = builtin.by_path[collection.path]
    for _, key in ipairs(collection.keys) do
      if before and before.texts[key] == collection.texts[key] then
        same[collection.path .. "\0" .. key] = true
      else
        kinds[collection.kind] = true
      end
    end
  end
  return kinds, same
end

local function from_text(path, seed)
  builtin = builtin or snapshot_of(nil, path)
  local state, refused = snapshot_of(seed, path)
  state.label = path
  state.kinds, state.builtin = compare_with_builtin(state)
  state.left_out.unread = state.left_out.unread or json.array {}
  for _, problem in ipairs(refused or {}) do
    table.insert(state.left_out.unread, {
      path = ("%s:%d"):format(problem.file, problem.line), reason = problem.message,
    })
  end
  return state
end

--- Reads the state in a file.
-- @param path string: a snapshot, a seed, a saved state of the simulated device (JSON), or a saved
--   configuration (bigip.conf, SCF)
-- @return f5.state; with `kinds` (set) and `builtin` (set) if the file says something about some
--   kinds only
function M.file(path)
  if file.is_snapshot(path) then return file.read(path) end
  local text = contents(path)
  if path:find "%.conf$" or path:find "%.scf$" or text:find "^#TMSH%-VERSION" then
    return from_text(path, { conf = { { name = path, text = text } } })
  end
  local ok, seed = pcall(json.decode, text)
  if not ok then refuse(path, "this is neither a snapshot nor a seed: %s", tostring(seed)) end
  if type(seed) == "table" and seed.snapshot then return file.read(path) end
  return from_text(path, seed)
end

--- Returns the state of anything that can be compared.
-- @param given f5.state, session, or the path of a file
-- @param options table: for a session: those of session:snapshot
function M.state(given, options)
  if getmetatable(given) == State then return given end
  if type(given) == "userdata" and getmetatable(given) == "session" then
    local wanted = { may_lack = true }
    for name, value in pairs(options) do wanted[name] = value end
    return snapshot.state(given, wanted)
  end
  if type(given) == "string" then return M.file(given) end
  return core.usage_error(
    3, ("f5.diff: expected a session, a snapshot or a file, got a %s"):format(type(given))
  )
end

return M
