-- Secrets in what a change record keeps: they are sealed with the passphrase, or left out.

local core = require "f5.core"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local passphrase = require "f5.safe.passphrase"

local M = {}

local SEALED <const> = "^f5lua%-sealed:"
local MAX_DEPTH <const> = 60
local MASK <const> = core.MASK

-- Whether a text is a secret, or holds one.
local function is_secret(kind, key, value, body)
  if value:find(SEALED) or kinds.is_secret(kind, key, value, body) then return true end
  if kind:find "^shared/" and value ~= "" and core.is_secret_name(tostring(key)) then
    return true
  end
  if value:find("$M$", 1, true) or value:find("PRIVATE KEY-----", 1, true) then return true end
  return kind:find "^[lg]tm/monitor/" and value:lower():find("authorization:", 1, true) ~= nil
end

local function walk(kind, value, key, body, place, change, depth)
  if type(value) == "string" then
    if not is_secret(kind, key, value, body) then return value end
    return change(value, place)
  end
  if type(value) ~= "table" or value == json.null or depth > MAX_DEPTH then return value end
  local copy
  for name, item in next, value do
    local at = type(name) == "number" and ("%s[%d]"):format(place, name)
      or (place == "" and "" or place .. ".") .. tostring(name)
    local new = walk(kind, item, type(name) == "string" and name or key, value, at, change,
      depth + 1)
    if new ~= item then
      if not copy then
        copy = setmetatable({}, getmetatable(value))
        for k, v in next, value do copy[k] = v end
      end
      copy[name] = new
    end
  end
  return copy or value
end

--- Returns a copy of a body that may be written to a file, and the places of the secrets that were
-- left out; the same body if it has no secrets.
-- @param kind string: "ltm/monitor/http"
-- @param question string|nil: what the passphrase is for, if it must be asked for; nil: do not ask
function M.protect(kind, body, question)
  local left_out
  local phrase, asked
  local out = walk(kind, body, "", {}, "", function(value, place)
    if value:find(SEALED) then return value end
    if not asked then phrase, asked = passphrase.find(question), true end
    if phrase then return core.seal(phrase, value) end
    left_out = left_out or json.array {}
    left_out[#left_out + 1] = place
    return nil
  end, 0)
  if left_out then table.sort(left_out) end
  return out, left_out
end

--- Returns a copy of a body in which each secret, also a sealed one, is "********".
function M.hidden(kind, body)
  return walk(kind, body, "", {}, "", function() return MASK end, 0)
end

--- Adds each secret text of a body to a list.
function M.collect(kind, body, out)
  walk(kind, body, "", {}, "", function(value)
    out[#out + 1] = value
    return value
  end, 0)
end

local SHORT <const> = 4 -- bytes: a shorter text is found everywhere

--- Returns the arguments of a playbook as they may be written to a file: what is masked elsewhere,
--- what follows a name such as `--password` or `token=`, and what is sent as a secret, is masked.
-- @param list array|nil
-- @param sent array|nil: secrets that the playbook sends
function M.arguments(list, sent)
  local out, hide = json.array {}, false
  for i, word in ipairs(list or {}) do
    word = core.mask(tostring(word))
    local name, rest = word:match "^%-*([%w_.-]+)([=:]*)"
    local is_name = name and core.is_secret_name(name:match "[^.]*$")
    if hide then
      word = MASK
    elseif is_name and rest ~= "" then
      word = word:match "^%-*[%w_.-]+[=:]+" .. MASK
    end
    hide = is_name and rest == "" and word:sub(1, 1) == "-" or false
    for _, secret in ipairs(sent or {}) do
      local from, to = word:find(secret, 1, true)
      if #secret >= SHORT and from then word = word:sub(1, from - 1) .. MASK .. word:sub(to + 1) end
    end
    out[i] = word
  end
  return out
end

--- Hides the secrets in what differs between two bodies.
-- @param changes array of changes, as of f5.state.compare
-- @return the same array
function M.hide_changes(kind, changes)
  for _, change in ipairs(changes) do
    local name = change.keys and change.keys[1] or change.property
    for _, side in ipairs { "old", "new" } do
      change[side] = M.hidden(kind, { [name] = change[side] })[name]
    end
  end
  return changes
end

--- Returns a copy with the sealed texts opened. Raises if the passphrase is wrong or missing.
function M.open(body, question)
  local function open(value)
    if type(value) == "string" and value:find(SEALED) then
      local text, why = core.unseal(passphrase.need(question), value)
      if text then return text end
      error(core.error_new {
        kind = "usage", message = ("%s: %s"):format(question, why),
      }, 0)
    end
    if type(value) ~= "table" or value == json.null then return value end
    local copy = setmetatable({}, getmetatable(value))
    for key, item in next, value do copy[key] = open(item) end
    return copy
  end
  return open(body)
end

return M
