-- The commands of tmsh that are those of iControl REST: save, load, cp, mv, install, generate, run,
-- start, stop, restart, reset-stats, publish, reboot.
local catalogue = require "sim.config.catalogue"
local commands = require "sim.commands"
local target = require "sim.shell.tmsh.target"

local M = {}

local ROOT <const> = "/mgmt/tm/"

-- The component of a command. Some (util/ping) are not in the catalogue.
local function component(session, tokens)
  local first = (tokens[2] and tokens[2].word or ""):gsub("^/", "")
  local second = tokens[3] and tokens[3].word
  if first == "util" then
    if not second then target.unexpected(tokens[2]) end
    return "util/" .. second, 4
  end
  if first == "cm" and (second == "config-sync" or second == "add-to-trust"
    or second == "remove-from-trust")
  then
    return second == "config-sync" and "cm" or "cm/" .. second, 3
  end
  if first == "sys" and second and not catalogue.find("sys/" .. second)
    and commands.find(tokens[1].word, "sys/" .. second)
  then
    return "sys/" .. second, 4
  end
  local template, _, at = target.component(session, tokens, 2)
  return template, at
end

local function rest_of(tokens, at)
  local parts = {}
  for i = at, #tokens do parts[#parts + 1] = tokens[i].word or tokens[i].brace end
  return table.concat(parts, " ")
end

-- Options without a value.
local FLAGS <const> = {
  merge = true, verify = true, ["from-terminal"] = true, ["create-volume"] = true,
  ["reboot"] = true, standby = true, online = true, offline = true, ["no-license"] = true,
  ["no-platform-check"] = true, ["no-private-key"] = true, ["platform-migrate"] = true,
  ["reset-trust"] = true, ["gtm-only"] = true, ["base"] = true, ["partitions-all"] = true,
}

-- Options of sys/config and sys/ucs, which REST takes as a list.
local function with_options(tokens, at, body)
  body.options = {}
  while tokens[at] do
    local word = tokens[at].word or target.unexpected(tokens[at])
    if word == "default" then
      body.name = "default"
    elseif FLAGS[word] then
      table.insert(body.options, { [word] = "" })
    elseif word == "partitions" then  -- { all }, or names
      repeat at = at + 1 until not tokens[at + 1] or tokens[at].brace == "}" or tokens[at].word
    else
      local value = tokens[at + 1]
      if not value or not value.word then target.unexpected(value or tokens[at]) end
      table.insert(body.options, { [word] = value.word })
      at = at + 1
    end
    at = at + 1
  end
  if #body.options == 0 then body.options = nil end
end

-- The context of an event: "context { { name pool value web } … }".
local function context(tokens, at)
  local list, item, depth = {}, nil, 0
  if not tokens[at] then return nil end
  if tokens[at].word ~= "context" then target.unexpected(tokens[at]) end
  repeat
    at = at + 1
    local token, value = tokens[at], tokens[at + 1]
    if not token then target.fail 'Syntax Error: "}" is missing' end
    if token.brace == "{" then
      depth = depth + 1
      if depth > 2 then target.unexpected(token) end
      item = depth == 2 and {} or nil
    elseif token.brace then
      depth = depth - 1
      if depth == 1 then list[#list + 1] = item end
    elseif item and (token.word == "name" or token.word == "value") and value and value.word then
      item[token.word], at = value.word, at + 1
    else
      target.unexpected(token)
    end
  until depth == 0
  if tokens[at + 1] then target.unexpected(tokens[at + 1]) end
  return list
end

local function body_of(session, tokens, template, at)
  local body = { command = tokens[1].word }
  if template:find "^util/" or template:find "^cm" then
    body.utilCmdArgs = rest_of(tokens, template == "cm" and 3 or at)
    return body
  end
  if template == "sys/failover" then
    for i = at, #tokens do
      local word = tokens[i].word
      if word == "traffic-group" or word == "device" then
        body[word] = tokens[i + 1] and tokens[i + 1].word
      elseif FLAGS[word] then
        body[word] = true
      end
    end
    return body
  end
  if template == "sys/config" then
    with_options(tokens, at, body)
    return body
  end
  if tokens[at] and tokens[at].word and not FLAGS[tokens[at].word] then
    body.name = tokens[at].word
    at = at + 1
  end
  if template == "cli/script" and body.command == "run" then
    body.utilCmdArgs = tokens[at] and rest_of(tokens, at)
    return body
  end
  if template == "sys/ucs" then
    with_options(tokens, at, body)
    return body
  end
  if template == "sys/icall/event" then
    body.context = context(tokens, at)
    return body
  end
  local node = catalogue.find(template)
  if node and node.type == "collection" and body.name and template ~= "sys/service" then
    body.name = target.full(session, node, body.name)
  end
  if (body.command == "mv" or body.command == "cp") and tokens[at] then
    local to = tokens[at].word == "to-folder"
    local word = tokens[to and at + 1 or at]
    if not word or not word.word then target.unexpected(word or tokens[at]) end
    local name = to and word.word .. "/" .. (body.name or ""):match "[^/]*$" or word.word
    body.target = target.full(session, node or {}, name)
    return body
  end
  while tokens[at] do
    local word = tokens[at].word or target.unexpected(tokens[at])
    if FLAGS[word] then
      body[word] = true
    else
      local value = tokens[at + 1]
      if not value or not value.word then target.unexpected(value or tokens[at]) end
      body[word] = value.word
      at = at + 1
    end
    at = at + 1
  end
  return body
end

local function report(session, body, template, io)
  if body.command == "save" and template == "sys/config" then
    io.out "Saving running configuration...\n"
    local file
    for _, option in ipairs(body.options or {}) do file = file or option.file end
    for _, path in ipairs(
      file and { file:sub(1, 1) == "/" and file or "/var/local/scf/" .. file } or {
        "/config/bigip.conf", "/config/bigip_base.conf", "/config/bigip_user.conf",
      }
    ) do
      io.out("  " .. path .. "\n")
    end
  elseif body.command == "load" and template == "sys/config" then
    local file
    for _, option in ipairs(body.options or {}) do file = file or option.file end
    io.out(
      file and ("Loading configuration...\n  %s\n"):format(file)
        or "Loading system configuration...\nLoading configuration...\n  /config/bigip.conf\n"
    )
  elseif template == "sys/ucs" then
    local name = body.name or ""
    if not name:find "%.ucs$" then name = name .. ".ucs" end
    if name:sub(1, 1) ~= "/" then name = "/var/local/ucs/" .. name end
    io.out(
      body.command == "save" and ("Saving active configuration...\n%s is saved.\n"):format(name)
        or ("Processing UCS file: %s\nFull UCS (%s) is installed.\n"):format(
          name, session.device.hostname
        )
    )
  end
end

-- `load sys config merge from-terminal` reads the text from standard input. Returns the place where
-- the text is for the time of the command.
local TERMINAL <const> = "/var/system/tmp/tmsh/terminal"

local function from_terminal(session, body, io)
  for i, option in ipairs(body.options or {}) do
    if option["from-terminal"] then
      session.device.disk.write(TERMINAL, io.input)
      body.options[i] = { file = TERMINAL }
      return TERMINAL
    end
  end
end

function M.run(session, tokens, io)
  local template, at = component(session, tokens)
  if not commands.find(tokens[1].word, template) then target.not_simulated(tokens) end
  local body = body_of(session, tokens, template, at)
  local terminal = from_terminal(session, body, io)
  local ok, response = pcall(target.send, session, "POST", ROOT .. template, body)
  if terminal then session.device.disk.remove(terminal) end
  if not ok then error(response, 0) end
  local result = type(response.body) == "table" and response.body.commandResult
  if type(result) == "string" then io.out(result) end
  report(session, body, template, io)
end

return M
