-- create, modify and delete of tmsh.
local body_reader = require "sim.shell.tmsh.body"
local json = require "f5.json"
local list_options = require "sim.config.list_options"
local security = require "sim.shell.tmsh.security"
local status = require "sim.shell.tmsh.status"
local target = require "sim.shell.tmsh.target"
local uri = require "sim.config.uri"

local M = {}

local ROOT <const> = "/mgmt/tm/"

local function context_of(session)
  return { user = session.actor, now = session.device:now(), device = session.device }
end

-- The names in the tokens from `at` on: one, or several in braces. Returns the next position, too.
local function names_at(tokens, at)
  local token = tokens[at]
  if token and token.brace == "{" then
    local names = {}
    at = at + 1
    while tokens[at] and tokens[at].word do
      names[#names + 1] = tokens[at].word
      at = at + 1
    end
    return names, at + 1
  end
  if not token then return {}, at end
  return { token.word }, at + 1
end

-- The text of an iRule or a script: all between the braces after its name, as it was written.
local function verbatim(session, tokens, at)
  local first, last = tokens[at], tokens[#tokens]
  if not first or first.brace ~= "{" or last.brace ~= "}" then return nil end
  return session.text:sub(first.last + 1, last.first - 1):gsub("^\n", "")
end

local function has_text(node, template)
  return node.props.apiAnonymous or template:find "/rule$"
end

function M.create(session, tokens, io)
  local template, node, at = target.component(session, tokens, 2)
  if node.type ~= "collection" then target.unexpected(tokens[at]) end
  local token = tokens[at]
  if not token or not token.word then target.unexpected(token) end
  if template == security.TEMPLATE then return security.create(session, tokens, at, node) end
  local path = ROOT .. template .. "/" .. target.segment(target.full(session, node, token.word))
  if session.stateless and session.device.store:get(path) then
    if not tokens[at + 1] then return end
    return M.modify(session, tokens, io)
  end
  local text = has_text(node, template) and verbatim(session, tokens, at + 1)
  local body
  if text then
    body = { apiAnonymous = text }
  else
    body = body_reader.read(tokens, at + 1, template, node, false, session)
  end
  status.check(session, template, body, io)
  body.name = target.full(session, node, token.word)
  target.send(session, "POST", ROOT .. template, body)
end

-- Changes one object: elements of lists first, then the other properties.
local function modify_one(session, path, body, changes)
  if #changes == 0 then return target.send(session, "PATCH", path, body) end
  target.permit(target.request(session, "PATCH", path, body))
  local store = session.device.store
  local place = uri.parse(path)
  target.refusals(store.atomically, store, function()
    for i, change in ipairs(changes) do
      local rest = i == #changes and body or {}
      local before = store:get(path)
      if not before and place.what == "resource" then store:modify(place, rest, {}) end
      list_options.apply(store, change, place, rest, context_of(session))
    end
  end)
end

-- The properties that a command changes, as a set.
local function named(body, changes)
  local names = {}
  for name in pairs(body) do names[name] = true end
  for _, one in ipairs(changes) do names[one.property] = true end
  return names
end

function M.modify(session, tokens, io)
  local template, node, at = target.component(session, tokens, 2)
  if node.type == "singleton" then
    local body, changes = body_reader.read(tokens, at, template, node, true, session)
    status.check(session, template, named(body, changes), io)
    return modify_one(session, ROOT .. template, body, changes)
  end
  if node.type ~= "collection" then target.unexpected(tokens[at]) end
  local names, after = names_at(tokens, at)
  if #names == 0 then target.unexpected(tokens[at]) end
  local text = has_text(node, template) and verbatim(session, tokens, after)
  local body, changes = { apiAnonymous = text }, {}
  if not text then
    body, changes = body_reader.read(tokens, after, template, node, true, session)
  end
  status.check(session, template, named(body, changes), io)
  local store = session.device.store
  store:atomically(function()
    for _, path in ipairs(target.objects(session, template, node, names, false)) do
      session.tick()
      modify_one(session, path, body, changes)
    end
  end)
end

function M.delete(session, tokens)
  local template, node, at = target.component(session, tokens, 2)
  if node.type ~= "collection" or not tokens[at] then target.unexpected(tokens[at]) end
  local names, recursive = {}, false
  for i = at, #tokens do
    if tokens[i].word == "recursive" then
      recursive = true
    elseif tokens[i].word then
      names[#names + 1] = tokens[i].word
    end
  end
  if template == security.TEMPLATE then return security.delete(session, names, node) end
  local store = session.device.store
  store:atomically(function()
    for _, path in ipairs(target.objects(session, template, node, names, recursive)) do
      session.tick()
      local object = store:get(path)
      -- "all" leaves out what no device deletes
      local is_left = names[1] == "all" and object and object._factory
        or session.stateless and not object
      if not is_left then
        target.send(session, "DELETE", path)
      end
    end
  end)
end

-- -- mgmt shared settings api-status --

local STATUS_PAGES <const> = {
  availability = "availability", ["log resource"] = "log/resource",
  ["log resource-property"] = "log/resource-property",
}
local STATUS_BASE <const> = "/mgmt/shared/settings/api-status/"

-- The page that "mgmt shared settings api-status log resource" names, and the next position.
local function status_page(tokens)
  local words = {}
  for i, token in ipairs(tokens) do words[i] = token.word or token.brace end
  if table.concat(words, " ", 2, math.min(#words, 5)) ~= "mgmt shared settings api-status" then
    return nil
  end
  local one, two = words[6] or "", (words[6] or "") .. " " .. (words[7] or "")
  if STATUS_PAGES[one] then return STATUS_PAGES[one], one, 7 end
  if STATUS_PAGES[two] then return STATUS_PAGES[two], two, 8 end
  target.unexpected(tokens[6])
end

--- Changes of the life cycle of the API; false if the command is about something else.
function M.modify_status(session, tokens)
  local page, _, at = status_page(tokens)
  if not page then return false end
  local body = {}
  while tokens[at] do
    local token = tokens[at]
    if token.word then
      local skip = tokens[at + 1] and tokens[at + 1].word == "value" and 2 or 1
      local value = tokens[at + skip]
      body[token.word] = value and value.word or json.null
      at = at + skip
    end
    at = at + 1
  end
  target.send(session, "PATCH", STATUS_BASE .. page, body)
  return true
end

function M.list_status(session, tokens, io)
  local page, words = status_page(tokens)
  if not page then return false end
  local body = target.send(session, "GET", STATUS_BASE .. page).body
  io.out(("mgmt shared settings api-status %s {\n"):format(words))
  for _, name in ipairs { "deprecatedApiAllowed", "testOnlyApiAllowed", "earlyAccessApiAllowed" } do
    io.out(("    %s %s\n"):format(name, tostring(body[name])))
  end
  io.out "}\n"
  return true
end

return M
