-- What a tmsh command is about: the component that its words name, and names of objects.
local catalogue = require "sim.config.catalogue"
local discovery = require "sim.config.discovery"
local errors = require "sim.http.errors"
local glob = require "sim.shell.glob"
local json = require "f5.json"
local roles = require "sim.auth.roles"

local M = {}

local ROOT <const> = "/mgmt/tm/"

function M.fail(text, ...)
  error({ tmsh = text:format(...) }, 0)
end

function M.unexpected(token)
  local text = token and (token.word or token.brace) or ""
  error({ tmsh = ('Syntax Error: unexpected argument "%s"'):format(text) }, 0)
end

--- What was asked for exists on a device, but not here.
function M.not_simulated(tokens)
  local parts = {}
  for i, token in ipairs(tokens) do parts[i] = token.word or token.brace end
  local text = table.concat(parts, " ")
  if #text > 200 then text = text:sub(1, 200) .. "..." end
  M.fail("not simulated: tmsh %s", text)
end

-- Modules of tmsh that are not configuration of the store.
local OTHER_MODULES <const> = { asm = true, mgmt = true, util = true, transaction = true }

--- The component that the words from `at` on name: its template, its node and the position of the
--- next word.
function M.component(session, tokens, at)
  local template, node
  while tokens[at] and tokens[at].word do
    local word = tokens[at].word:gsub("^/", "")
    local below = template and template .. "/" .. word or word
    local found = word ~= "" and not word:find "[/*]" and catalogue.find(below)
    if not found or node and node.type == "collection" then break end
    template, node, at = below, found, at + 1
  end
  if not template or not discovery.present(session.device, template) then
    if not template and tokens[at] and OTHER_MODULES[(tokens[at].word or ""):gsub("^/", "")] then
      M.not_simulated(tokens)
    end
    M.unexpected(tokens[template and at - 1 or at])
  end
  return template, node, at
end

--- The full name of an object: names without a slash are in the folder of the session.
function M.full(session, node, name)
  -- tmsh takes a folder with a slash at its end
  if node.template == "sys/folder" then name = name:gsub("(.)/+$", "%1") end
  if node.flat and not node.full_names then return name end
  if name:sub(1, 1) == "/" then return name end
  return (session.folder == "/" and "" or session.folder) .. "/" .. name
end

function M.segment(full)
  return (full:gsub("/", "~"))
end

--- The name of an object as tmsh shows it in the folder of the session.
function M.shown(session, full)
  if type(full) ~= "string" then return tostring(full) end
  local prefix = session.folder == "/" and "/" or session.folder .. "/"
  if full:sub(1, #prefix) == prefix then return full:sub(#prefix + 1) end
  return full
end

local function is_in_folder(session, node, object, recursive)
  if node.flat or not object.partition then return true end
  local folder = object.fullPath:match "^(.*)/[^/]+$" or "/Common"
  if object.subPath or object.fullPath:find(":/", 1, true) then
    folder = "/" .. object.partition .. (object.subPath and "/" .. object.subPath or "")
  end
  if folder == session.folder then return true end
  local prefix = session.folder == "/" and "/" or session.folder .. "/"
  return recursive and folder:sub(1, #prefix) == prefix
end

--- The paths of the objects of a collection that names mean; no names: all of the folder. A name
--- without an object is an error.
function M.objects(session, template, node, names, recursive)
  local store = session.device.store
  local collection = ROOT .. template
  local paths = {}
  local function matching(pattern)
    local found = false
    for _, segment in ipairs(store:segments(collection)) do
      local path = collection .. "/" .. segment
      local object = store:get(path)
      session.tick()
      local here = pattern and pattern:sub(1, 1) == "/"
        or is_in_folder(session, node, object, recursive)
      local shown = pattern and pattern:sub(1, 1) == "/" and object.fullPath
        or M.shown(session, object.fullPath or object.name)
      if here and (not pattern or glob.matches(shown, pattern, session.tick)) then
        paths[#paths + 1] = path
        found = true
      end
    end
    return found
  end
  for _, name in ipairs(names) do
    if name == "all" then
      matching(nil)
    elseif not name:find "[*?]" or not matching(name) then
      paths[#paths + 1] = collection .. "/" .. M.segment(M.full(session, node, name))
    end
  end
  if #names == 0 then matching(nil) end
  return paths
end

-- -- requests --

local function text_of(response)
  local body = response.body
  local message = type(body) == "table" and body.message or "The command failed."
  if response.status == 501 then return "not simulated: " .. message end
  if response.status == 403 or not body.apiError or body.apiError == 3 then return message end
  local name, value = message:match '^invalid property value "([^"]+)":"(.*)"$'
  if name then
    name = name:gsub("%u", function(letter) return "-" .. letter:lower() end)
    return ('Syntax Error: "%s" invalid value "%s"'):format(name, value)
  end
  if message:find "^Syntax Error" or message:find "^%x+:%d" then return message end
  if body.apiError == 26214401 or message == "one or more properties must be specified" then
    return "Syntax Error: " .. message
  end
  return message
end

--- Raises the error of a response.
function M.check(response)
  if response.status >= 400 then M.fail("%s", text_of(response)) end
  return response
end

--- Raises the refusal of a function as an error of tmsh.
function M.refusals(run, ...)
  local results = table.pack(pcall(run, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local problem = results[2]
  if type(problem) == "table" and problem.status then M.check(problem) end
  error(problem, 0)
end

--- A request as iControl REST would take it, by the user of the session.
function M.request(session, method, path, body, query)
  local segments = {}
  for segment in path:gmatch "[^/]+" do segments[#segments + 1] = segment end
  return {
    method = method, path = path, target = path, raw_query = "", query = query or {},
    query_order = {}, segments = segments, headers = {}, user = session.actor,
    remote = "127.0.0.1", operation = session.device.state.operations,
    started = session.device:now(), json = body, body = body and json.encode(body) or "",
  }
end

--- Raises an error if the user may not send the request.
function M.permit(request)
  local refusal = request.user and roles.check(request)
  if refusal then M.check(refusal) end
end

--- Sends a request to the device itself, with the rights of the user. Returns the response.
function M.send(session, method, path, body, query)
  local request = M.request(session, method, path, body, query)
  M.permit(request)
  return M.check(session.device:dispatch(request))
end

--- The object at a path; an error if there is none.
function M.get(session, path)
  local object = session.device.store:get(path)
  if not object then M.send(session, "GET", path) end
  return object or M.check(errors.tm(404, "Object not found", 1))
end

return M
