-- Asks a device whether it would accept the steps of a check. They are queued in a transaction,
-- which is validated and then deleted, so nothing changes. Each step gets a mark:
--
--   { state = "accepted" }                     the device validated it
--   { state = "rejected", message = "…" }      the device refuses it, with these words
--   { state = "not_validated", message = "…" } nobody knows; the message says why

local blame = require "f5.change.transaction_blame"
local queue = require "f5.change.queue"
local segment = require "f5.state.segment"
local steps = require "f5.plan.steps"

local M = {}

local MAX_ROUNDS <const> = 20 -- refused steps that are taken out one after the other

-- Kinds that do not fit a transaction: pattern of the path, methods (nil: all), why.
local OUTSIDE <const> = {
  { "^sys/folder", nil, "folders are not part of a transaction" },
  { "^auth/partition", nil, "partitions are not part of a transaction" },
  { "^ltm/policy", "DELETE", "the deletion of a policy is not part of a transaction" },
  { "^apm/policy", nil, "access policies are not part of a transaction" },
  { "^pem/listener", "DELETE", "listeners are deleted outside of transactions" },
  { "^sys/file/", nil, "its file is uploaded only when the plan is applied" },
  { "^sys/license", nil, "licences are not part of a transaction" },
  { "^sys/software", nil, "software is not part of a transaction" },
  { "^sys/provision", nil, "provisioning is not part of a transaction" },
}

local WHY <const> = {
  upload = "an upload cannot be validated", task = "a task cannot be validated",
  asm = "ASM does not support transactions", declaration = "a declaration is not a transaction",
  command = "a command cannot be validated", other = "only /mgmt/tm has transactions",
}

--- Why a step cannot be part of a transaction; nil if it can.
function M.outside(step)
  local class = steps.class_of(step.path)
  if class ~= "rest" then return WHY[class] end
  if steps.is_command(step) then return "a command cannot be validated" end
  local below = step.path:match "^/mgmt/tm/([^?]*)"
  for _, rule in ipairs(OUTSIDE) do
    if below:find(rule[1]) and (not rule[2] or rule[2] == step.method) then return rule[3] end
  end
  return nil
end

-- Names that steps outside of the transaction make: others may need them.
local function names_of(step)
  local names = {}
  for last in steps.target_of(step):gmatch "~[^/]*" do names[#names + 1] = segment.name(last) end
  local body = steps.body_of(step)
  if body and step.path:find "/sys/folder%f[?\0]" or step.path:find "/auth/partition%f[?\0]" then
    -- everything inside of it begins with its name
    local name = tostring(body and body.name or ""):gsub("^/+", "")
    local above = body and type(body.subPath) == "string" and body.subPath:gsub("^/+", "") or ""
    names[#names + 1] = (above ~= "" and "/" .. above or "") .. "/" .. name
  elseif body and type(body.name) == "string" then
    names[#names + 1] = body.name:sub(1, 1) == "/" and body.name
      or ("/%s/%s"):format(body.partition or "Common", body.name)
  end
  return names
end

local function found_in(text, names)
  for _, name in ipairs(names) do
    local from = text:find(name, 1, true)
    if from and not text:sub(from + #name, from + #name):find "[%w_.-]" then return name end
  end
  return nil
end

local function mentions(step, names)
  return found_in((steps.target_of(step):gsub("~", "/")) .. " " .. (step.body or ""), names)
end

local function mark(step, state, message)
  step.validation = { state = state, message = message }
end

-- Splits the steps into those that can be asked and those that cannot.
local function choose(list)
  local asked, outside, touched = {}, {}, {}
  for _, step in ipairs(list) do
    local target = steps.target_of(step)
    local why = M.outside(step)
    local before = touched[target]
    if not why and (step.method == "DELETE" and before == "POST"
      or step.method == "POST" and before == "DELETE") then
      why = "one transaction cannot delete and create one object"
    end
    if not why then
      for _, one in ipairs(outside) do
        local name = mentions(step, one.names)
        if name then
          why = ("it needs %s of %s, which is not part of the transaction"):format(
            name, one.step.line
          )
          break
        end
      end
    end
    touched[target] = step.method
    if why then
      if not step.dry_run then mark(step, "not_validated", why) end
      outside[#outside + 1] = { step = step, names = names_of(step) }
    else
      asked[#asked + 1] = step
    end
  end
  return asked, outside
end

-- The device knows nothing of earlier steps that are not part of the transaction. It may refuse a
-- step because of what they change: then its message names it. Returns why that says nothing.
local function unseen(step, message, outside)
  for _, one in ipairs(outside) do
    local name = one.step.n < step.n and found_in(message, one.names)
    if name then
      return ("the device has not seen what %s does to %s: %s"):format(one.step.line, name, message)
    end
  end
  return nil
end

-- What an error object says, in one line.
local function words(err) return type(err) == "table" and err.message or tostring(err) end

local function cancelled(err) return type(err) == "table" and err.kind == "cancelled" end

-- Validates the steps once. Returns nothing if the device accepts them; else the step to blame
-- (nil: unknown), and the error.
local function ask(session, list)
  local began, tx = pcall(session.begin, session, { keep_alive = false })
  if not began then
    if cancelled(tx) or type(tx) ~= "table" then error(tx, 0) end
    return nil, nil, "the device did not begin a transaction: " .. words(tx)
  end
  local _ <close> = tx
  local parts = require("f5.core").transaction_parts.parts(tx)
  if not parts.validates then return nil, nil, "the device does not know validateOnly" end
  local commands = {}
  for i, one in ipairs(list) do
    commands[i] = { method = one.method, path = one.path, body = one.body, where = one.line }
  end
  local refused, problem = queue.commands(session, tx, commands, false)
  if refused then return list[refused], problem end
  local ok, err = queue.validate(session, tx)
  if ok then return nil end
  if cancelled(err) then error(err, 0) end
  if type(err) ~= "table" or err.kind ~= "transaction" then
    return nil, nil, "the device did not answer the validation: " .. words(err)
  end
  parts.session = session
  local place = blame.find(parts, err)
  return place and list[place], err
end

--- Validates the steps of one device. Each step that was carried out by the twin gets the field
-- `validation`.
-- @param session f5.session with the device; nil: offline
-- @param list f5.plan.step[]
function M.run(session, list)
  local wanted = {}
  for _, step in ipairs(list) do
    local class = steps.class_of(step.path)
    if step.ok and not step.harmless and class ~= "transaction" then wanted[#wanted + 1] = step end
  end
  if not session then
    for _, step in ipairs(wanted) do mark(step, "not_validated", "there is no device to ask") end
    return
  end
  local asked, outside = choose(wanted)
  for _ = 1, MAX_ROUNDS do
    if #asked == 0 then return end
    local step, err, why = ask(session, asked)
    if not step and not err and not why then
      for _, one in ipairs(asked) do mark(one, "accepted") end
      return
    end
    if not step then
      why = why or ("the device refuses these steps together: %s"):format(words(err))
      for _, one in ipairs(asked) do
        mark(one, err and "rejected" or "not_validated", why)
      end
      return
    end
    local message = words(err):gsub("^transaction failed:%s*", "")
    local unknown = unseen(step, message, outside)
    mark(step, unknown and "not_validated" or "rejected", unknown or message)
    local rest, names = {}, names_of(step)
    for _, one in ipairs(asked) do
      if one ~= step then
        if mentions(one, names) and one.n > step.n then
          mark(one, "not_validated", ("it needs what %s makes, which is %s"):format(
            step.line, unknown and "not validated" or "rejected"))
        else
          rest[#rest + 1] = one
        end
      end
    end
    asked = rest
  end
  for _, one in ipairs(asked) do
    mark(one, "not_validated", ("more than %d steps are rejected"):format(MAX_ROUNDS))
  end
end

return M
