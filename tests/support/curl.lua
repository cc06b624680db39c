-- HTTP by the curl program, for specs that must not depend on the client under test.
--
--   curl(device, "POST", "/mgmt/tm/ltm/pool", { name = "a" })    as admin, basic authentication
--   curl { device, "GET", "/x", token=, user="name:password", anonymous=true, headers={…},
--     body=…, options="…", host=, ca= }
-- -> { status, headers (lower-case names), body, json, exit (curl's), seconds }; a list of paths
-- goes over one connection.
local json = require "f5.json"

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function write_temporary(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

local function read_and_remove(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  os.remove(path)
  return text
end

local function curl(request, method, path, body)
  if method then request = { request, method, path, body = body } end
  local device, verb, paths = table.unpack(request, 1, 3)
  if type(paths) ~= "table" then paths = { paths } end
  local head_file, body_file, text_file = os.tmpname(), os.tmpname(), nil
  local words = {
    "curl -sS --path-as-is --globoff",
    "--cacert",
    quote(request.ca or device.ca), "-D", head_file, "-w '%{time_total}'",
    verb == "HEAD" and "-I" or "-X " .. verb, request.options or "",
  }
  local function add(...)
    for _, word in ipairs { ... } do
      words[#words + 1] = word
    end
  end
  if request.token then
    add("-H", quote("X-F5-Auth-Token: " .. request.token))
  elseif request.user then
    add("-u", quote(request.user))
  elseif not request.anonymous then
    add("-u admin:admin")
  end
  for name, value in pairs(request.headers or {}) do add("-H", quote(name .. ": " .. value)) end
  if request.body ~= nil then
    local text = request.body
    if type(text) == "table" then
      text = json.encode(text)
      add("-H 'Content-Type: application/json'")
    end
    text_file = write_temporary(text)
    add("--data-binary", "@" .. text_file)
  end
  local base = "https://" .. (request.host or device.host) .. ":" .. device.port
  for _, one in ipairs(paths) do add("-o", body_file, quote(base .. one)) end
  local pipe = assert(io.popen(table.concat(words, " ") .. " 2>/dev/null"))
  local seconds = tonumber(pipe:read "a")
  local _, _, exit = pipe:close()
  if text_file then os.remove(text_file) end
  local head, text = read_and_remove(head_file), read_and_remove(body_file)
  local status, headers = 0, {}
  for line in head:gmatch "[^\r\n]+" do
    local code = line:match "^HTTP/%S+ (%d+)"
    if code then
      status, headers = tonumber(code), { status_line = line }
    else
      local name, value = line:match "^([^:]+):%s*(.*)$"
      if name then headers[name:lower()] = value end
    end
  end
  local ok, value = pcall(json.decode, text)
  return {
    status = status, headers = headers, body = text, json = ok and value or nil, exit = exit,
    seconds = seconds,
  }
end

return curl
