-- The file of a plan: JSON with a digest over all of it, and a signature if it was asked for.
--
--   { "plan": 1, "made": { time, playbook, arguments, f5lua }, "devices": [ DEVICE ],
--     "digest": "…", "signature": "…" }
--
-- DEVICE: label, host, port, identity (hostname, version, serial), steps, objects (path -> what it
-- was and will be), reads (array, see reads.lua), assumed,
-- unwatched (array of { line, what, reason }), differences (array, to show them).
-- A step has n, line, class, method, path, body (a JSON text), transaction, validation, uncertain.
-- A body with a secret stands only in `sealed`, encrypted with the passphrase.

local core = require "f5.core"
local json = require "f5.json"
local own_file = require "f5.work.own_file"
local passphrase = require "f5.safe.passphrase"
local secrets = require "f5.safe.secrets"
local State = require "f5.state.state"
local steps = require "f5.plan.steps"
local read_whole = require "f5.whole"

local M = {}

M.FORMAT = 1

local STYLE <const> = {
  sort = true, indent = 1,
  first = { "plan", "made", "label", "host", "identity", "n", "line", "class", "method", "path" },
}
local CANONICAL <const> = { sort = true }

local function fail(kind, message) error(core.error_new { kind = kind, message = message }, 0) end

-- -- secrets --------------------------------------------------------------------------------------

-- How files begin that may hold keys: PKCS #12, JKS, and archives (a UCS archive is one).
local MAY_HOLD_KEYS <const> = {
  "^\x30", "^\xFE\xED\xFE\xED", "^\x1F\x8B", "^PK\x03\x04", "^BZh", "^\xFD7zXZ",
}

local function looks_secret(bytes)
  if bytes:find("PRIVATE KEY", 1, true) or bytes:find("ENCRYPTED", 1, true) then return true end
  for _, pattern in ipairs(MAY_HOLD_KEYS) do
    if bytes:find(pattern) then return true end
  end
  return bytes:sub(258, 262) == "ustar" -- tar
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function from_hex(text)
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- Moves a secret body to `sealed`.
local function protect(step)
  local secret, shown
  if step.class == "upload" then
    secret = looks_secret(step.body)
    if not secret then
      if not utf8.len(step.body) then step.body, step.encoding = hex(step.body), "hex" end
      return
    end
  else
    local ok, body = pcall(json.decode, step.body or "")
    if not ok or type(body) ~= "table" then return end
    local hidden = secrets.hidden(State.kind_of((step.path:gsub("%?.*", ""))), body)
    secret = hidden ~= body
    shown = secret and json.encode(hidden, CANONICAL)
  end
  if not secret then return end
  step.sealed = core.seal(
    passphrase.need(("%s sends a secret, which a plan holds only encrypted"):format(step.line)),
    step.body
  )
  step.body = shown
end

--- The body of a step, decrypted if need be.
function M.body_of(step)
  if step.sealed then
    local body, why = core.unseal(passphrase.need "the plan holds encrypted values", step.sealed)
    return body or fail("usage", "cannot decrypt a step of the plan: " .. tostring(why))
  end
  if step.encoding == "hex" then return from_hex(step.body) end
  return step.body
end

-- The secrets that the steps send.
local function sent_secrets(plan)
  local out = {}
  for _, device in ipairs(plan.devices) do
    for _, step in ipairs(device.steps) do
      local body = step.class ~= "upload" and steps.body_of(step)
      if body then secrets.collect(State.kind_of((step.path:gsub("%?.*", ""))), body, out) end
    end
  end
  return out
end

-- -- writing and reading --------------------------------------------------------------------------

local function canonical(plan)
  local copy = {}
  for key, value in pairs(plan) do
    if key ~= "digest" and key ~= "signature" then copy[key] = value end
  end
  return json.encode(copy, CANONICAL)
end

--- Raises if no plan could be written to a file, or signed: to know it before the device is read.
function M.check(path, key)
  local why <const> = own_file.refusal(path, "plan", function(text)
    return text:find '^{\n*%s*"plan"' ~= nil
  end, #"{\n \"plan\"")
  if why then fail("transfer", "cannot write " .. why) end
  if not key then return end
  local signature, problem = require("f5.bundle").sign(key, "")
  if not signature then fail("usage", problem) end
end

--- The text of a plan, with its digest.
-- @param plan table: without digest
-- @param key string|nil: file of an Ed25519 key that signs it
function M.text(plan, key)
  plan.made.arguments = secrets.arguments(plan.made.arguments, sent_secrets(plan))
  for _, device in ipairs(plan.devices) do
    for _, step in ipairs(device.steps) do protect(step) end
  end
  local text = canonical(plan)
  plan.digest = core.sha256(text)
  if key then
    local signature, why = require("f5.bundle").sign(key, text)
    if not signature then fail("usage", why) end
    plan.signature = hex(signature)
  end
  return json.encode(plan, STYLE) .. "\n"
end

--- The text of the part of a plan that is about one device. It is a plan by itself, not signed.
-- @param plan table: as M.parse returned it
-- @param device table: one of its devices
function M.part(plan, device)
  local part = {
    plan = plan.plan, made = plan.made, devices = json.array { device },
  }
  part.digest = core.sha256(canonical(part))
  return json.encode(part, STYLE) .. "\n"
end

--- Writes a plan.
-- @param path string
-- @param plan, key: as of M.text
function M.write(path, plan, key)
  local done, why = core.write_file(path, M.text(plan, key))
  if not done then fail("transfer", "cannot write " .. tostring(why)) end
end

-- Whether all entries of a table are tables with these texts.
local function all_have(list, ...)
  if type(list) ~= "table" then return false end
  for _, entry in pairs(list) do
    if type(entry) ~= "table" then return false end
    for _, name in ipairs { ... } do
      if type(entry[name]) ~= "string" then return false end
    end
  end
  return true
end

local function is_device(device)
  return type(device) == "table" and type(device.label) == "string"
    and type(device.identity) == "table" and all_have(device.objects, "kind")
    and all_have(device.steps, "line", "class", "method", "path")
    and all_have(device.reads, "digest") and all_have(device.assumed)
    and all_have(device.differences, "what", "kind", "name")
end

local function check_shape(path, plan)
  if type(plan) ~= "table" or math.type(plan.plan) ~= "integer" then
    fail("usage", ("%s is no plan: make one with f5lua plan -o FILE playbook.lua"):format(path))
  end
  if plan.plan ~= M.FORMAT then
    fail("usage", ("%s has the format %d of plans, and this f5lua knows the format %d"):format(
      path, plan.plan, M.FORMAT
    ))
  end
  local whole = type(plan.devices) == "table" and type(plan.digest) == "string"
    and type(plan.made) == "table"
  for _, device in ipairs(whole and plan.devices or {}) do whole = whole and is_device(device) end
  if not whole then fail("usage", path .. " is not a complete plan: parts of it are missing") end
end

--- Reads the text of a plan and checks that nobody changed it.
-- @param path string: what it is called in messages
-- @param key string|nil: text of the public key that must have signed it
-- @return table
function M.parse(text, path, key)
  local ok, plan = pcall(json.decode, text)
  if not ok then fail("usage", ("%s is no plan: %s"):format(path, plan)) end
  check_shape(path, plan)
  local signed = canonical(plan)
  if core.sha256(signed) ~= plan.digest then
    fail("conflict", path .. " was changed after it was made: make the plan again")
  end
  if key then
    if not plan.signature then fail("conflict", path .. " is not signed") end
    local holds, message = require("f5.bundle").verify(key, signed, from_hex(plan.signature))
    if message then fail("usage", message) end
    if not holds then fail("conflict", path .. " is not signed with this key") end
  end
  return plan
end

--- Reads the file of a plan.
-- @param key string|nil: as of M.parse
function M.read(path, key)
  local file, why = io.open(path, "rb")
  if not file then fail("usage", "cannot read " .. why) end
  local text
  text, why = read_whole(file)
  file:close()
  if not text then fail("usage", ("cannot read %s: %s"):format(path, why)) end
  return M.parse(text, path, key)
end

return M
