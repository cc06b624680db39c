-- Declarations of AS3 in change records: what was declared before, tenant by tenant, is declared
-- again. Tenants that did not exist are removed.

local calls = require "f5.declare.calls"
local core = require "f5.core"
local extensions = require "f5.declare.extensions"
local json = require "f5.json"
local kinds = require "f5.declare.kinds"

local M = {}

local PATH <const> = "/mgmt/shared/appsvcs/declare"
local KIND <const> = "shared/appsvcs/declare"

--- Whether a write is a declaration of AS3.
function M.is_one(path, method)
  return method ~= "GET" and path:find("^" .. PATH:gsub("%p", "%%%0") .. "%f[/\0]") ~= nil
end

local function is_cancelled(err) return type(err) == "table" and err.kind == "cancelled" end

-- What is declared now: a table, {} for nothing; nil and the reason: it cannot be read.
local function stored(bip)
  local ok, found = pcall(bip.request, bip, "GET", PATH)
  if ok then return type(found) == "table" and found ~= json.null and found or {} end
  if is_cancelled(found) then error(found, 0) end
  if type(found) == "table" and found.kind == "not_found" then return {} end
  return nil, "what is declared cannot be read: " .. tostring(
    type(found) == "table" and found.message or found)
end

local function names_in(path)
  local word = path:match("^" .. PATH:gsub("%p", "%%%0") .. "/([^/]+)")
  if not word then return nil end
  local names = {}
  for name in word:gmatch "[^,]+" do
    name = name:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    names[#names + 1] = name
  end
  return names
end

local function add_all(names, more)
  local seen = {}
  for _, name in ipairs(names) do seen[name] = true end
  for _, name in ipairs(more) do
    if not seen[name] then names[#names + 1], seen[name] = name, true end
  end
  return names
end

local function of_patch(body)
  local names = {}
  for _, one in ipairs(body) do
    local name = type(one) == "table" and type(one.path) == "string" and one.path:match "^/([^/]+)"
    if name then add_all(names, { name }) end
  end
  return names
end

local function replaces_all(body)
  local adc = body.class == "AS3" and body.declaration or body
  if type(adc) == "table" and adc.updateMode == "complete" then return true end
  return body.action ~= nil and body.action ~= "deploy"
end

-- The tenants that a write may change.
local function tenants_of(path, method, body, declared)
  local named <const> = names_in(path)
  if named and (method == "DELETE" or path:find "/applications") then return named end
  body = type(body) == "table" and body or {}
  if method == "PATCH" then return of_patch(body) end
  local names = kinds.tenants(body)
  if method ~= "DELETE" and not replaces_all(body) then return names end
  return add_all(names, kinds.tenants(declared))
end

--- Completes what a declaration is about: what was declared before.
function M.capture(bip, about, write, body)
  about.kind = KIND
  if type(body) == "table" and (body.targetHost or body.action == "retrieve") then
    about.what, about.reason = "command", "the declaration is for another device, or only reads"
    return
  end
  local declared, why = stored(bip)
  if not declared then
    about.what, about.reason = "command", why
    return
  end
  local before = { tenants = {}, missing = json.array {}, schemaVersion = declared.schemaVersion }
  for _, name in ipairs(tenants_of(write.path:match "^[^?]*", write.method, body, declared)) do
    if type(declared[name]) == "table" then
      before.tenants[name] = declared[name]
    else
      before.missing[#before.missing + 1] = name
    end
  end
  about.before = before
end

-- -- taking back ----------------------------------------------------------------------------------

--- Keeps what a step of a record says about the tenants.
function M.net(net, step, before)
  if step.left_out then return end
  net.declared = net.declared or { tenants = {}, order = {} }
  local all <const> = net.declared
  local body = type(step.body) == "table" and step.body or {}
  local adc = body.class == "AS3" and type(body.declaration) == "table" and body.declaration or body
  local plain <const> = step.method == "POST" and not step.path:find "/applications"
    and rawlen(body) == 0
  local function add(name, value)
    local known = all.tenants[name]
    if not known then
      known = { before = value, ours = {} }
      all.tenants[name] = known
      all.order[#all.order + 1] = name
    end
    if step.method == "DELETE" and not step.path:find "/applications" then
      known.ours[#known.ours + 1] = false
    elseif plain and type(adc[name]) == "table" then
      known.ours[#known.ours + 1] = adc[name]
    else
      known.any = true -- AS3 decides what a patch makes
    end
  end
  for name, value in pairs(before.tenants or {}) do add(name, value) end
  for _, name in ipairs(before.missing or {}) do add(name, false) end
  table.sort(all.order)
  all.schema = all.schema or before.schemaVersion
  all.position, all.line = step.step, step.line
end

-- Whether two values are the same, apart from secrets: AS3 stores them encrypted.
local function same(a, b, key)
  if type(key) == "string" and core.is_secret_name(key) then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for name, value in next, a do
    if not same(value, b[name], name) then return false end
  end
  for name in next, b do
    if a[name] == nil and not core.is_secret_name(tostring(name)) then return false end
  end
  return true
end

local function is_empty(tenant)
  if not tenant then return true end
  for name, value in next, tenant do
    if type(value) == "table" and name ~= "controls" then return false end
  end
  return true
end

-- Whether the tenant is as the run left it, or as it was.
local function is_ours(known, now)
  if known.any then return true end
  for _, ours in ipairs(known.ours) do
    if ours and now and same(ours, now) or is_empty(ours) and is_empty(now) then return true end
  end
  return false
end

--- Adds what takes the declarations back.
-- @param self f5.safe.inverse: with bip, force, gone, add, leave
function M.inverse(self, net)
  local all <const> = net.declared
  if not all then return end
  local function leave(reason) self:leave({ path = PATH, kind = KIND, line = all.line }, reason) end
  if extensions.is_at_work(calls.new(self.bip, kinds.find "as3", { timeout = 0 })) then
    return leave(
      "AS3 still works on a declaration: what it changes is not known; undo again when it has ended"
    )
  end
  local now, why = stored(self.bip)
  if not now then return leave(why) end
  local body, removed, count = {
    class = "ADC", schemaVersion = all.schema or now.schemaVersion or "3.0.0", id = now.id,
    updateMode = "selective",
  }, {}, 0
  for _, name in ipairs(all.order) do
    local known <const> = all.tenants[name]
    local is <const> = type(now[name]) == "table" and now[name] or false
    local done = known.before and is and same(known.before, is)
      or is_empty(known.before) and is_empty(is)
    if done then goto next end
    if not self.force and not is_ours(known, is) then
      leave(("somebody else has changed the tenant %s since"):format(name))
    elseif known.before then
      body[name], count = known.before, count + 1
    else
      removed[#removed + 1], count = name, count + 1
    end
    ::next::
  end
  if count == 0 or self.gone[PATH] then return end
  local names = table.move(removed, 1, #removed, 1, {})
  for name, value in next, body do
    if type(value) == "table" then names[#names + 1] = name end
  end
  table.sort(names)
  self:add {
    op = "declare", path = PATH, kind = KIND, body = body, removed = removed, apart = true,
    gone = self.gone, -- AS3 may store it in another form: it is declared once
    position = all.position, line = all.line, traffic = true,
    note = (#names == 1 and "tenant " or "tenants ") .. table.concat(names, ", "),
  }
end

--- Carries out an operation.
function M.run(bip, op)
  for name, value in next, op.body do
    if type(value) == "table" and name ~= "controls" then
      bip:declare(op.body)
      break
    end
  end
  if #op.removed > 0 then bip:undeclare(table.unpack(op.removed)) end
  op.gone[PATH] = true

end

return M
