-- Values of a declaration that stand for others: pointers ("use"), texts in Base64 or behind a
-- URL, secrets.
local expand = require "sim.extensions.as3.map.expand"

local M = {}

local DIGITS <const> = {}
do
  local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  for i = 1, #digits do DIGITS[digits:byte(i)] = i - 1 end
  DIGITS[("-"):byte()], DIGITS[("_"):byte()] = 62, 63
end

--- The text that Base64 stands for. Characters that are no digits are left out.
function M.decode(text)
  local out, bits, count = {}, 0, 0
  for i = 1, #text do
    local digit = DIGITS[text:byte(i)]
    if digit then
      bits, count = (bits << 6 | digit) & 0xFFFFFF, count + 6
      if count >= 8 then
        count = count - 8
        out[#out + 1] = string.char(bits >> count & 0xFF)
      end
    end
  end
  return table.concat(out)
end

--- Raises a mistake of the declaration.
function M.fail(path, message)
  error({ path = path, message = message }, 0)
end

--- The absolute path of a pointer that stands at `path` in application `at`.
function M.resolve(at, pointer, path)
  local parts = {}
  for part in pointer:gmatch "[^/]+" do parts[#parts + 1] = part end
  if pointer:sub(1, 1) ~= "/" then
    table.move(parts, 1, #parts, 3)
    parts[1], parts[2] = at.tenant, at.app
  end
  if parts[1] == "@" then parts[1] = at.tenant end
  if parts[2] == "@" then parts[2] = at.app end
  local target = at.tenants
  for _, part in ipairs(parts) do
    target = type(target) == "table" and target[part]
    if target == nil or target == false then
      M.fail(path, "contains path to non-existent object " .. part)
    end
  end
  return "/" .. table.concat(parts, "/"), target
end

--- The item that a path of this declaration names, or nil.
function M.item(at, path)
  local target = at.tenants
  for part in path:gmatch "[^/]+" do
    target = type(target) == "table" and target[part] or nil
  end
  return target
end

--- A copy of a value in which every { use = … } is an absolute path.
function M.absolute(at, value, path)
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, inner in pairs(value) do
    local place = path .. "/" .. (math.type(key) and ("%d"):format(key - 1) or key)
    if key == "use" and type(inner) == "string" then
      copy[key] = M.resolve(at, inner, path)
    else
      copy[key] = M.absolute(at, inner, place)
    end
  end
  return copy
end

-- Properties whose texts are pointers.
local POINTERS <const> = {
  Service = { "pool", "iRules", "policyEndpoint" },
  Monitor = { "clientCertificate" },
  GSLB_Domain = { "iRules" },
  Rewrite_Profile = { "certificate" },
}

--- Makes the pointers absolute that are written as a text. Those that say `bigip` are no texts.
function M.texts(at, item, path)
  local names = POINTERS[item.class] or item.class:find "^Service_" and POINTERS.Service or {}
  for _, name in ipairs(names) do
    local value, place = item[name], path .. "/" .. name
    if type(value) == "string" and value ~= "" then
      item[name] = M.resolve(at, value, place)
    elseif type(value) == "table" then
      for i, entry in ipairs(value) do
        if type(entry) == "string" then
          value[i] = M.resolve(at, entry, ("%s/%d"):format(place, i - 1))
        end
      end
    end
  end
  return item
end

--- The text of a value: a text, { base64 = … }, { url = … } or { text = … }.
function M.text(at, value, path)
  if type(value) == "string" then return expand.expand(at, value, path) end
  if type(value) ~= "table" then return value end
  if value.base64 then return M.decode(value.base64) end
  if value.text then return expand.expand(at, value.text, path) end
  local url = value.url
  if type(url) == "table" then url = url.url end
  if type(url) == "string" then
    local text = at.context.fetch and at.context.fetch(url)
    if text then return text end
    M.fail(path, ("unable to retrieve %s: the simulated device reads no URLs"):format(url))
  end
  return value
end

--- The text of an iRule, without what a device leaves out.
function M.script(at, item, name)
  local path = at:path(name) .. "/iRule"
  local text = M.text(at, item.iRule, path)
  if type(text) ~= "string" then M.fail(path, "this form of an iRule is not simulated") end
  return (text:gsub("^%s+", ""):gsub("%s+$", ""):gsub("\r\n", "\n"):gsub("[ \t]+\n", "\n")
    :gsub("\\\n[ \t]+", ""))
end

--- The path in a text, { bigip = … } or { use = … }.
function M.plain(value)
  return type(value) == "table" and (value.bigip or value.use) or value
end

--- The text of a secret { ciphertext = …, protected = … }, or nil.
function M.secret(value)
  if type(value) ~= "table" then return nil end
  if type(value.ciphertext) ~= "string" then
    error({ message = "a secret without ciphertext is not simulated" }, 0)
  end
  return M.decode(value.ciphertext)
end

return M
