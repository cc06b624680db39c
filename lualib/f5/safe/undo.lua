-- Takes back what a change record says: looks at the device, does what is missing, and looks again,
-- until nothing is left or nothing more works.

local inverse = require "f5.safe.inverse"
local secrets = require "f5.safe.secrets"
local target = require "f5.safe.target"
local unknown = require "f5.safe.unknown"
local words = require "f5.safe.words"

local M = {}

local MAX_PASSES <const> = 12
local MAX_COMMANDS <const> = 200 -- in one transaction

-- Kinds that do not fit into a transaction.
local APART <const> = {
  "^ltm/policy", "^auth/partition", "^sys/folder", "^net/route%-domain", "^sys/file/", "^cm/",
  "^sys/provision", "^auth/user", "^sys/application", "^gtm/", "^net/vlan", "^net/tunnels",
  "^net/route",
}

local function fits(op)
  if op.apart or op.late or op.op == "policy" then return false end
  for _, pattern in ipairs(APART) do
    if op.kind:find(pattern) then return false end
  end
  return true
end

local function send(bip, op, bind)
  local ref = bip:at(op.path)
  if op.op == "delete" then
    (bind and bind(ref) or ref):delete()
  elseif op.op == "modify" then
    (bind and bind(ref) or ref):modify(op.body)
  elseif op.op == "policy" then
    require("f5.safe.policy").run(bip, op)
  elseif op.op == "declare" then
    require("f5.safe.declaration").run(bip, op)
  else
    local collection = bip:at((target.split(op.path)));
    (bind and bind(collection) or collection):create(op.body)
  end
end

local function is_cancelled(err) return type(err) == "table" and err.kind == "cancelled" end

-- All in one transaction. Returns whether it was carried out.
local function together(bip, ops)
  local ok, err = pcall(function()
    bip:transaction({ timeout = 60 }, function(tx)
      for _, op in ipairs(ops) do send(bip, op, tx) end
    end)
  end)
  if is_cancelled(err) then error(err, 0) end
  return ok, err
end

-- A failure that has nothing to do with the one operation.
local function is_general(err)
  if type(err) ~= "table" then return true end
  return not err.status or err.status == 401 or err.status == 503
end

-- The change record of the undo itself cannot be written: it sends nothing more.
local function is_unrecorded(err) return type(err) == "table" and err.unrecorded == true end

local function after(ops, i) return table.move(ops, i + 1, #ops, 1, {}) end

-- Does the operations one by one. Returns how many worked, the failures, and those that were not
-- tried after a general failure.
local function one_by_one(bip, ops, done)
  local worked, failures = 0, {}
  for i, op in ipairs(ops) do
    local ok, err = pcall(send, bip, op)
    if ok or op.op == "delete" and type(err) == "table" and err.kind == "not_found" then
      worked = worked + 1
      done[#done + 1] = op
    elseif is_cancelled(err) then
      error(err, 0)
    elseif not op.late then
      failures[#failures + 1] = { op = op, error = err }
      if is_general(err) and not (type(err) == "table" and err.outcome == "unknown") then
        return worked, failures, after(ops, i)
      end
    end
  end
  return worked, failures, {}
end

-- Those that belong into the next transaction, and those that fit into none. What the transaction
-- has no room for waits for the next pass.
local function first_group(ops)
  local group, rest, paths = {}, {}, {}
  for _, op in ipairs(ops) do
    local alone = not fits(op) or paths[op.path]
    if not alone and #group < MAX_COMMANDS then
      group[#group + 1], paths[op.path] = op, true
    elseif alone then
      rest[#rest + 1] = op
    end
  end
  return group, rest
end

---@class f5.safe.result
---@field done f5.safe.op[] what was done, or with check = true what would be done
---@field left table[] what was left alone or did not work: { path, kind, line, reason }
---@field lost table[] what cannot be taken back: { step, reason }
---@field complete boolean whether everything is as before: nothing is left, nothing lost
---@field unrecorded? boolean it stopped because its own change record cannot be written
---@field failure any why the first operation failed; nil: none failed

local function result(done, left, lost)
  return { done = done, left = left, lost = lost, complete = #left == 0 and #lost == 0 }
end

--- Takes back the part of a record that is about one device.
-- @param contents f5.safe.contents
-- @param number integer: the device's number in the record
-- @param options table: check, force, begin (function(ops, left, lost): called once, before the
--   first write)
-- @return f5.safe.result
function M.device(bip, contents, number, options)
  local opened = {}
  for i, step in ipairs(contents.steps) do
    opened[i] = step.device == number and secrets.open(step, "passphrase of the change record")
      or step
  end
  local net, lost = unknown.net(bip, opened, number)
  local gone, done, failures, left, untried = {}, {}, {}, nil, {}
  local whole, first = true, true
  for _ = 1, MAX_PASSES do
    local ops
    ops, left = inverse.of(bip, net, { force = options.force, gone = gone })
    if options.begin and first then options.begin(ops, left, lost) end
    first = false
    if #ops == 0 then
      failures, untried = {}, {}
      break
    end
    if options.check then return result(ops, left, lost) end
    local progress = false
    local group, rest = first_group(ops)
    if whole and #group > 1 then
      local ok, err = together(bip, group)
      if ok then
        table.move(group, 1, #group, #done + 1, done)
        progress = true
      elseif is_unrecorded(err) then
        failures, untried = { { op = ops[1], error = err } }, after(ops, 1)
        break
      else
        rest = ops
      end
    else
      rest = ops
    end
    whole = progress
    local before = #rest
    if before > 0 then
      local worked
      worked, failures, untried = one_by_one(bip, rest, done)
      local late = true
      for _, op in ipairs(rest) do late = late and op.late end
      progress = progress or worked > 0 and not (late and worked == 0)
    end
    if not progress then break end
  end
  for _, failure in ipairs(failures or {}) do
    left[#left + 1] = {
      path = failure.op.path, kind = failure.op.kind, line = failure.op.line,
      reason = ("cannot %s: %s"):format(words.operation(failure.op), tostring(failure.error)),
    }
  end
  for _, op in ipairs(untried) do
    if not op.late then
      left[#left + 1] = {
        path = op.path, kind = op.kind, line = op.line, untried = true,
        reason = ("%s: not tried after this error"):format(words.operation(op)),
      }
    end
  end
  local out = result(done, left, lost)
  out.failure = failures and failures[1] and failures[1].error
  out.unrecorded = is_unrecorded(out.failure) or nil
  return out
end

return M
