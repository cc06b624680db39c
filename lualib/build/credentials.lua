-- Whether a file seems to contain a secret: returns the reason, or nil. Everybody who has a program
-- can read what is packed in it. This finds secrets that people pack by mistake, not secrets that
-- they hide.
local json = require "f5.json"
local lexer = require "build.lexer"

local NAMES <const> = {
  "^id_rsa$",
  "^id_dsa$",
  "^id_ecdsa$",
  "^id_ed25519$",
  "^[._]netrc$",
  "^%.pgpass$",
  "^%.htpasswd$",
  "^%.env$",
  "^%.env%.",
  "^%.npmrc$",
  "^%.git%-credentials$",
  "^credentials$",
  "^credentials%.",
  "^secrets?%.",
  "^passwords?%.",
  "%.p12$",
  "%.pfx$",
  "%.jks$",
  "%.keystore$",
  "%.kdbx?$",
  "%.ppk$",
}

local function is_secret_name(name)
  name = name:lower():gsub("%-", "_")
  return name == "token"
    or name == "secret" or name:find "passw[o]?r?d$" or name:find "passphrase$"
    or name:find "_secret$" or name:find "_token$" or name:find "api_?key$"
    or name:find "private_key$"
end

-- A string that is assigned to a name of a secret: `password = "x"`, `["password"] = "x"`. A call
-- or a variable is not a secret.
local function in_lua(text)
  local ok, tokens = pcall(lexer.list, text)
  if not ok then return nil end
  for i, token in ipairs(tokens) do
    local equals, value = i + 1, i + 2
    if token.kind == "string" and tokens[i + 1] and tokens[i + 1].value == "]" then
      equals, value = i + 2, i + 3
    end
    if
      (token.kind == "name" or equals == i + 2) and is_secret_name(token.value) and tokens[value]
      and tokens[equals].kind == "symbol" and tokens[equals].value == "="
      and tokens[value].kind == "string" and tokens[value].value ~= ""
    then
      return ("line %d gives '%s' a value"):format(token.line, token.value)
    end
  end
end

local function in_value(value)
  if type(value) ~= "table" then return nil end
  for key, inner in pairs(value) do
    if
      type(key) == "string" and is_secret_name(key) and type(inner) == "string" and inner ~= ""
    then
      return ("it gives '%s' a value"):format(key)
    end
    local reason = in_value(inner)
    if reason then return reason end
  end
end

local function in_text(text)
  local number = 0
  for line in text:gmatch "[^\n]*" do
    number = number + 1
    local name, value = line:match "^%s*[\"']?([%w_%-]+)[\"']?%s*[:=]%s*[\"']?([^%s\"',#]+)"
    if name and is_secret_name(name) and value then
      return ("line %d gives '%s' a value"):format(number, name)
    end
  end
end

return function(name, contents)
  local base = name:match "[^/]*$"
  for _, pattern in ipairs(NAMES) do
    if base:lower():find(pattern) then return "its name is that of a file with credentials" end
  end
  if contents:find "%-%-%-%-%-BEGIN [%u ]*PRIVATE KEY%-%-%-%-%-" then
    return "it contains a private key"
  end
  if
    contents:find("%f[%w]AKIA" .. ("[%u%d]"):rep(16) .. "%f[%W]")
  then
    return "it contains an access key of a cloud"
  end
  if contents:find("\0", 1, true) then return nil end
  if base:find "%.lua$" then return in_lua(contents) end
  if base:find "%.json$" then
    local ok, value = pcall(json.decode, contents)
    return ok and in_value(value) or nil
  end
  return in_text(contents)
end
