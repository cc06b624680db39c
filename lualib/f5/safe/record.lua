-- A change record: before each write, the object as it was and the request; afterwards the outcome.
-- It is a file (f5.safe.files), or only in memory for a guard. One record may be about several
-- sessions, and several fibers may write at the same time.
--
--   local record = Record.new { playbook = "x.lua", arguments = { "web1" } }
--   record:attach(bip)
--   …
--   record:finish("done")

local compare = require "f5.ensure.compare"
local core = require "f5.core"
local files = require "f5.safe.files"
local json = require "f5.json"
local just_read = require "f5.safe.just_read"
local kinds = require "f5.state.kinds"
local recorders = require "f5.safe.recorders"
local secrets = require "f5.safe.secrets"
local target = require "f5.safe.target"
local terminal = require "f5.terminal"
local tree = require "f5.safe.tree"
local words = require "f5.safe.words"

local null <const> = json.null

---@class f5.safe.step
---@field step integer number in the record
---@field device integer number of the device in the record
---@field method string
---@field path string
---@field body? table
---@field line? string the playbook's line
---@field what string see f5.safe.about
---@field object? string path of the object
---@field before? table the object as it was, with everything inside it; null: it did not exist
---@field side? table<string, any> path -> how an object was that the device changes by itself
---@field transaction? string id of the transaction in which it is queued
---@field unset? string[] secrets that it sets, and of which the device showed no value before
---@field shown? string[] those of them that the device shows since: they had no value
---@field reason? string why it cannot be taken back, or not completely
---@field state? "done"|"failed"|"unknown" nil: nobody knows
---@field unsent? boolean of "failed": it was not even sent, because the run was interrupted
---@field answer? table the object as the device answered it

local Record = {}
Record.__index = Record

local function now() return os.date "!%Y-%m-%dT%H:%M:%SZ" end

--- Makes a record. The file is made before the first write.
-- @param options table: memory (true: no file), playbook, arguments, what ("run", "apply", "undo",
--   …), undo_of (id), announce (function(text, is_certain): gets what cannot be taken back), create
--   (function that makes what takes the place of a file: id, append, close, remove)
function Record.new(options)
  just_read.begin()
  return setmetatable({
    options = options, memory = options.memory or false, devices = {}, steps = {},
    uploads = {}, announced = {}, count = 0, writes = 0, failed = 0, queued = {}, committed = {},
    removers = setmetatable({}, { __mode = "k" }), -- session -> function
  }, Record)
end

local QUESTION <const> = "passphrase for the secrets of the change record (none: leave them out)"

-- -- lines ----------------------------------------------------------------------------------------

-- Makes the file with its first line.
function Record:begin()
  local file = (self.options.create or files.create)()
  local ok, why = pcall(file.append, file, {
    record = "f5lua", format = files.FORMAT, id = file.id, time = now(),
    f5lua = core.version, user = os.getenv "USER" or os.getenv "LOGNAME",
    what = self.options.what or "run", playbook = self.options.playbook,
    arguments = secrets.arguments(self.options.arguments, self.sent),
    undo_of = self.options.undo_of,
    sealed = require("f5.safe.passphrase").find() ~= nil,
  }, false)
  if ok then return file end
  file:remove()
  return error(why, 0)
end

function Record:write(line, durable)
  if self.memory then return end
  if self.broken then error(self.broken, 0) end
  if not self.file then
    self.file = self:begin()
    self.id, self.path = self.file.id, self.file.path
    if self.options.on_begin then self.options.on_begin(self) end
  end
  self.file:append(line, durable)
end

-- Who a device is: what cm/device says of itself. What cannot be read is left out.
local function identity(bip)
  local ok, list = pcall(function()
    return bip.cm.device:list {
      select = { "name", "hostname", "chassisId", "version", "selfDevice" },
    }
  end)
  if not ok then
    if type(list) == "table" and list.status then return {} end
    error(list, 0)
  end
  for _, one in ipairs(list) do
    if one.selfDevice == "true" or one.selfDevice == true or #list == 1 then
      return { serial = one.chassisId, hostname = one.hostname, version = one.version }
    end
  end
  return {}
end
Record.identity = identity

-- The error of a write that is not sent, because the record cannot be written.
local function unrecorded(why)
  if type(why) ~= "table" or why.kind == "cancelled" then return why end
  return core.error_new {
    kind = why.kind, message = why.message .. "; the write was not sent", unrecorded = true,
  }
end

-- The number of a session's device in the record.
-- @param about f5.safe.about: of the write that is going to be recorded
function Record:device_of(bip, about)
  local known = self.devices[bip]
  while known == "pending" do -- another fiber asks the device
    core.real_sleep(0.005)
    known = self.devices[bip]
  end
  if known then return known end
  self.devices[bip] = "pending"
  local ok, who = pcall(identity, bip)
  if not ok then
    self.devices[bip] = nil
    error(who, 0)
  end
  self.device_count = (self.device_count or 0) + 1
  local number = self.device_count
  who.device, who.name, who.address, who.user =
    number, bip:label(), core.address(bip), bip:username()
  if not self.file and type(about.body) == "table" then
    self.sent = {} -- the first line has the arguments
    secrets.collect(about.kind or about.path and target.kind_of_path(about.path) or "", about.body,
      self.sent)
  end
  local written, why = pcall(self.write, self, who, false)
  self.devices[bip] = written and number or nil
  if not written then error(unrecorded(why), 0) end
  return number
end

-- -- before a write -------------------------------------------------------------------------------

local function decoded(text)
  if type(text) ~= "string" then return nil end
  local ok, value = pcall(json.decode, text)
  return ok and value or nil
end

-- Whether a write is about what is inside an object too, so that it must be read as well.
local function needs_inside(about, method, body, raw)
  if about.what ~= "change" or method == "PUT" then return true end
  for key in next, type(body) == "table" and body or {} do
    local reference = type(key) == "string" and raw and raw[key .. "Reference"]
    if type(reference) == "table" and reference.isSubcollection then return true end
    if type(key) == "string" and key:find "Reference$" then return true end
  end
  return false
end

-- The object at a path; false: it does not exist; nil and the reason: it cannot be read.
local function read(bip, path, inside)
  local ok, raw = pcall(tree.read, bip, path, inside)
  if ok then return raw or false end
  local refused = type(raw) == "table" and raw.kind ~= "cancelled" and raw.status
    and (raw.status == 400 or raw.status == 403 or raw.status == 405 or raw.status == 501)
  if refused then return nil, "the object cannot be read: " .. tostring(raw.message) end
  return error(raw, 0)
end

local function capture(bip, about, write, body)
  local raw = just_read.take(bip, about.path)
  if raw and not needs_inside(about, write.method, body, raw) then return raw end
  if raw == false and about.what == "create" then return false end
  local inside = about.what == "delete" or write.method == "PUT" or about.what == "publish"
  local why
  raw, why = read(bip, about.path, inside)
  if raw and not inside and about.what == "change" and needs_inside(about, write.method, body, raw)
  then
    raw, why = read(bip, about.path, true)
  end
  return raw, why
end

-- What of a write cannot be taken back although the object is known; nil: everything can.
local function limits(about, body, before)
  local kind = before and kinds.of_body(before) or target.kind_of_path(about.path)
  body = type(body) == "table" and body or {}
  if kind:find "^sys/file/" and about.what ~= "create" then
    if about.what == "delete" or body.sourcePath ~= nil or body.content ~= nil then
      return "the content of the file cannot be read, so it cannot be restored"
    end
  end
  return nil
end

-- Secrets that a change sets, and of which the device showed no value before: they had none, or the
-- device shows none. Which of both is seen when they have one. Returns them, and those that
-- certainly had none.
local function unset_secrets(about, body, before)
  if about.what ~= "change" or not before or type(body) ~= "table" then return nil end
  local kind = kinds.of_body(before) or target.kind_of_path(about.path)
  local names, known = json.array {}, json.array {}
  for key, value in next, body do
    local name = compare.camel(key)
    if type(name) == "string" and kinds.is_secret(kind, name, value, before)
      and compare.is_nothing(before[name])
      and not (kind == "auth/user" and before.encryptedPassword)
    then
      names[#names + 1] = name
      if before[name] ~= nil then known[#known + 1] = name end
    end
  end
  table.sort(names)
  return #names > 0 and names or nil, #known > 0 and known or nil
end

local MAX_ANNOUNCED <const> = 5 -- of each reason

function Record:announce(step)
  local doubtful = step.unset and #step.unset > #(step.shown or {})
  local reason = step.reason or doubtful and words.unset(step.unset)
  if not reason then return end
  if step.reason then self.limited = true else self.doubtful = (self.doubtful or 0) + 1 end
  if self.options.quiet then return end
  local times = (self.announced[reason] or 0) + 1
  self.announced[reason] = times
  if times > MAX_ANNOUNCED then return end
  local text = words.lost { step = step, reason = reason }
  if self.options.announce then return self.options.announce(text, step.reason ~= nil) end
  terminal.err(step.reason and "f5lua: cannot be undone: " or "f5lua: may not be undone: ",
    terminal.line(text), times == MAX_ANNOUNCED and " (and so on)" or "", "\n")
end

-- The secrets without a value that the device shows now that they have one: undo takes them away.
function Record:note_shown(step, answer)
  if not step.unset or #step.unset == #(step.shown or {}) then return end
  local shown, known = json.array {}, {}
  for _, name in ipairs(step.shown or {}) do known[name] = true end
  for _, name in ipairs(step.unset) do
    if answer[name] ~= nil or known[name] then shown[#shown + 1] = name end
  end
  if #shown == #step.unset and not step.reason then self.doubtful = self.doubtful - 1 end
  step.shown = #shown > 0 and shown or nil
end

--- Whether undo can take back less than all of it.
function Record:is_limited() return self.limited or (self.doubtful or 0) > 0 end

-- The secrets of an object that a write may change. A change does not touch the others, so it is no
-- loss that the record lacks them.
local function touched(step, left)
  if not left or step.method ~= "PATCH" then return left end
  local names, out = {}, json.array {}
  for key in next, step.body or {} do names[compare.camel(key)] = true end
  names.encryptedPassword = names.encryptedPassword or names.password
  for _, place in ipairs(left) do
    if names[(place:match "^[^.%[]+":gsub("Reference$", ""))] then out[#out + 1] = place end
  end
  return #out > 0 and out or nil
end

-- What goes to the file: no secret stands there in clear.
local function protected(step)
  local out = {}
  for key, value in pairs(step) do out[key] = value end
  local kind = step.kind or ""
  local left
  if out.before and out.before ~= null then
    out.before, left = secrets.protect(kind, out.before, QUESTION)
    if step.what ~= "declare" then left = touched(step, left) end
    if left then
      out.left_out = left
      step.reason = step.reason
        or (("secrets are left out of the record (%s); set F5LUA_PASSPHRASE to keep them sealed")
          :format(table.concat(left, ", ")))
      out.reason = step.reason
    end
  end
  if out.body then out.body = secrets.protect(kind, out.body, QUESTION) end
  return out
end

-- Reads what the write is about. The result is shared by all recorders of the session.
local function about_write(bip, write)
  local known = write.about
  if known then return known end
  local body = decoded(write.body)
  local about = target.of(bip, write, body)
  if about.what == "create" or about.what == "change" or about.what == "delete" then
    local raw, why = capture(bip, about, write, body)
    if raw and not tree.is_object(raw) then
      raw, why = nil, "it is about a whole collection"
    end
    if raw then
      about.path = target.full_path(bip, about.path, raw)
      about.kind = kinds.of_body(raw)
    end
    about.before, about.reason = raw, about.reason or why
      or limits(about, body, raw or nil)
    about.unset, about.shown = unset_secrets(about, body, raw or nil)
    about.side = {}
    for _, path in ipairs(target.side_effects(bip, about, body, raw or nil)) do
      about.side[path] = read(bip, path, false) or null
    end
  elseif about.what == "publish" then
    require("f5.safe.policy").capture(bip, about, read)
  elseif about.what == "declare" then
    require("f5.safe.declaration").capture(bip, about, write, body)
  end
  about.body = body
  write.about = about
  return about
end

function Record:before(bip, write)
  local about = about_write(bip, write)
  if about.what == "skip" or about.what == "forget" then return end
  if about.what == "command" and write.path:find "/file%-transfer/" then
    if self.uploads[write.path] then return end -- the next part of it
    self.uploads[write.path] = true
  end
  local device = self:device_of(bip, about)
  self.count = self.count + 1
  local before = about.before
  if before == false then before = null end
  local step = {
    step = self.count, device = device, time = now(), method = write.method, path = write.path,
    body = type(about.body) == "table" and about.body or nil,
    line = write.where and write.where:gsub(": $", "") or nil,
    transaction = write.transaction, what = about.what, commits = about.what == "commit"
      and about.id or nil,
    object = about.path, kind = about.kind or about.path
      and target.kind_of_path(about.what == "create" and write.path or about.path),
    before = before, side = about.side and next(about.side) and about.side or nil,
    reason = about.reason, draft = about.draft, unset = about.unset,
    shown = about.shown,
  }
  if not write.where or write.where == "" then step.line = nil end
  local shown = self.memory and step or protected(step)
  self:announce(step)
  local written, why = pcall(self.write, self, shown, true)
  if not written then
    self:not_sent(step)
    error(unrecorded(why), 0)
  end
  write[self] = step
  if self.memory then self.steps[#self.steps + 1] = step end
  if step.commits then self.committed[tostring(step.commits)] = true end
  if not step.commits then self.writes = self.writes + 1 end
  if step.transaction then
    self.queued[step.transaction] = self.queued[step.transaction] or {}
    table.insert(self.queued[step.transaction], step)
  end
end

-- What the file may have of a step that is not sent.
function Record:not_sent(step)
  step.state, step.unsent = "failed", true
  pcall(self.write, self, { outcome = step.step, state = "failed", unsent = true }, false)
end

-- Another recorder refuses the write.
function Record:withdrawn(write)
  local step = write[self]
  if not step then return end
  write[self] = nil
  self.failed = self.failed + 1
  self:not_sent(step)
end

-- -- after a write --------------------------------------------------------------------------------

-- What is answered with the object.
local OBJECTS <const> = { create = true, change = true }

local function state_of(write)
  if write.ok then return "done" end
  return write.outcome == "unknown" and "unknown" or "failed"
end

function Record:after(write)
  local about, step = write.about, write[self]
  if about and about.what == "forget" and write.ok then
    return self:forget(about)
  end
  if not step then return end
  local answer = decoded(write.answer)
  step.state, step.message, step.unsent = state_of(write), write.message, write.unsent or nil
  local line = {
    outcome = step.step, state = step.state, status = write.status ~= 0 and write.status or nil,
    message = write.message, unsent = step.unsent,
  }
  if step.transaction then
    line.command = type(answer) == "table" and answer.commandId or nil
    step.command = line.command
  elseif step.state == "done" and type(answer) == "table" and OBJECTS[step.what] then
    step.answer = answer
    self:note_shown(step, answer)
    line.shown = step.shown
    line.answer = self.memory and answer
      or secrets.protect(kinds.of_body(answer) or step.kind or "", answer) -- it may not ask here
  end
  if step.commits and step.state == "done" and type(answer) == "table"
    and answer.state ~= "COMPLETED"
  then
    -- it goes on in the background
    step.state = answer.state == "FAILED" and "failed" or "unknown"
    line.state = step.state
  end
  if step.state == "failed" then
    -- a commit that failed carried out none of its commands
    self.failed = self.failed + (step.commits and self:count_queued(step.commits) or 1)
  end
  local ok, why = pcall(self.write, self, line, false)
  if not ok then
    self.broken = why
    terminal.err("f5lua: the outcome of a write cannot be recorded: ",
      terminal.line(tostring(why)), "\n")
  end
end

--- How many writes were carried out, or may have been: not what was refused, not what was queued
--- in a transaction without a commit.
function Record:carried_out()
  local count = self.writes - self.failed
  for id in pairs(self.queued) do
    if not self.committed[id] then count = count - self:count_queued(id) end
  end
  return count
end

-- How many commands a transaction has that were queued.
function Record:count_queued(id)
  local count = 0
  for _, step in ipairs(self.queued[tostring(id)] or {}) do
    if step.state ~= "failed" then count = count + 1 end
  end
  return count
end

-- A command was removed from a transaction before its commit.
function Record:forget(about)
  for _, step in ipairs(self.queued[tostring(about.transaction)] or {}) do
    if tostring(step.command) == tostring(about.id) then
      step.state = "failed"
      self.failed = self.failed + 1
      pcall(self.write, self, { outcome = step.step, state = "failed", message = "removed" }, false)
    end
  end
end

-- -- sessions -------------------------------------------------------------------------------------

--- Records the writes of a session from now on.
-- @return function that ends it
function Record:attach(bip)
  local weak = setmetatable({ bip = bip }, { __mode = "v" })
  local remove = recorders.record(bip, {
    before = function(write) self:before(weak.bip, write) end,
    after = function(write) self:after(write) end,
    withdrawn = function(write) self:withdrawn(write) end,
  })
  self.removers[bip] = remove
  return remove
end

--- Ends the record.
-- @param state "done"|"failed"|"interrupted"|"ended"
function Record:finish(state, message)
  for _, remove in pairs(self.removers) do remove() end
  self.removers = {}
  if not self.file or self.finished then return end
  self.finished = true
  pcall(self.write, self, { ["end"] = state, time = now(), message = message }, true)
  self.file:close()
end

--- The contents, as f5.safe.files.read returns those of a file.
function Record:contents()
  if not self.memory then return files.read(self.path) end
  local devices = {}
  for bip, number in pairs(self.devices) do
    devices[number] = { device = number, name = bip:label(), address = core.address(bip) }
  end
  return { head = { what = "guard" }, devices = devices, steps = self.steps }
end

return Record
