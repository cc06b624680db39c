-- The part of tmsh that scripts call from bash: show sys version, list and show of components, save
-- sys config, other commands.
local commands = require "sim.commands"

local M = {}

local function format_value(value, indent)
  if type(value) ~= "table" then
    local text = tostring(value)
    return text:find "%s" and '"' .. text .. '"' or text
  end
  local lines = { "{" }
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do
    local shown = type(key) == "number" and format_value(value[key], indent .. "    ")
      or ("%s %s"):format(
        key:gsub("%u", function(letter) return "-" .. letter:lower() end),
        format_value(value[key], indent .. "    ")
      )
    lines[#lines + 1] = indent .. "    " .. shown
  end
  lines[#lines + 1] = indent .. "}"
  return table.concat(lines, "\n")
end

local IDENTITY <const> =
  { name = true, partition = true, subPath = true, fullPath = true, generation = true }

local function print_object(module, object, io)
  local properties = {}
  for key, value in pairs(object) do
    if not IDENTITY[key] and key:sub(1, 1) ~= "_" then properties[key] = value end
  end
  local name = object.fullPath or ""
  name = name:gsub("^/Common/", "")
  io.out(("%s %s %s\n"):format(module:gsub("/", " "), name, format_value(properties, "")))
end

local function list(device, words, io)
  local path = "/mgmt/tm"
  for i, word in ipairs(words) do
    local full = word:sub(1, 1) == "/" and word or "/Common/" .. word
    local object = device.store:get(path .. "/" .. full:gsub("/", "~"))
      or device.store:get(path .. "/" .. word)
    if object and i == #words then
      print_object(table.concat(words, "/", 1, i - 1), object, io)
      return 0
    end
    path = path .. "/" .. word
  end
  local objects = device.store:list(path)
  local module = table.concat(words, "/")
  for _, object in ipairs(objects) do print_object(module, object, io) end
  if #objects > 0 or device.router:find { "mgmt", "tm", words[1] } then return 0 end
  return 1
end

local function show_version(device, io)
  local version = device.version
  io.out "\nSys::Version\nMain Package\n"
  for _, field in ipairs { "Product", "Version", "Build", "Edition", "Date" } do
    io.out(("  %-12s%s\n"):format(field, version[field:lower()]))
  end
  io.out "\n"
end

-- save sys config, load sys ucs NAME, run cm config-sync …
local function command(device, words, io, actor)
  local body = { command = words[1], name = words[4] }
  if words[1] == "run" and #words > 3 then body.utilCmdArgs = table.concat(words, " ", 4) end
  local template = table.concat(words, "/", 2, math.min(3, #words))
  local run = commands.known(words[1]) and commands.find(words[1], template)
  if not run then return nil end
  local ok, response = pcall(
    run,
    device,
    { user = actor, headers = {}, segments = {} },
    { template = template, path = "/mgmt/tm/" .. template },
    body
  )
  local refused = not ok and response
    or response and response.status and response.status >= 400 and response
  if refused then
    io.err(
      (type(refused) == "table" and refused.body and refused.body.message or tostring(refused))
        .. "\n"
    )
    return 1
  end
  if words[1] == "save" and template == "sys/config" then
    io.out "Saving running configuration...\n  /config/bigip.conf\n"
  end
  return 0
end

-- actor: the user who sent the script, see sim/auth/rights.lua.
-- `tmsh run util bash -c SCRIPT`, also with "/util": the arguments of bash; nil if it is none.
local function bash_arguments(arguments)
  local at = arguments[1] == "-q" and 2 or 1
  local called = (arguments[at + 1] or ""):gsub("^/", "")
  if arguments[at] ~= "run" or called ~= "util" then return nil end
  if arguments[at + 2] ~= "bash" then return nil end
  return table.move(arguments, at + 3, #arguments, 1, {})
end
M.bash_arguments = bash_arguments

function M.run(device, arguments, io, actor)
  local words = {}
  for _, argument in ipairs(arguments) do
    if argument ~= "-q" and argument ~= "-c" then
      for word in argument:gmatch "[^%s;]+" do words[#words + 1] = word end
    end
  end
  if words[1] == "show" and words[2] == "sys" and words[3] == "version" then
    show_version(device, io)
    return 0
  end
  if words[1] == "list" or words[1] == "show" then
    local status = list(device, table.move(words, 2, #words, 1, {}), io)
    if status == 0 then return 0 end
  else
    local status = words[2] and command(device, words, io, actor)
    if status then return status end
  end
  io.err(('Syntax Error: unexpected argument "%s"\n'):format(words[2] or words[1] or ""))
  return 1
end

return M
