-- The file of a snapshot: a seed of the simulated device (JSON: path -> bodies) with two parts
-- more, `snapshot` at the start and `left_out` at the end. Each object is a line of its own, so
-- that it can be written and read piece by piece, and compared with the tools of text.
--
--   {"snapshot":{"format":1,"time":"2026-11-28T09:00:00Z","device":{…},"asked":{…}},
--   "provision":["ltm"],
--   "objects":{
--   "/mgmt/tm/ltm/pool":[
--   {"name":"web","partition":"Common",…},
--   {"name":"shop","partition":"Common",…}
--   ],
--   "/mgmt/tm/sys/ntp":{…}
--   },
--   "left_out":{"complete":true,"secrets":{…},"unread":[…]}}
--
-- `left_out`: complete (false: something could not be read), secrets (path of an object -> names of
-- properties), unread (array of { path, reason }), excluded (array of { path, reason }: what is
-- never read), unsteady (paths of collections that changed while they were read), ephemeral (number
-- of objects that the device makes itself).

local clean = require "f5.state.clean"
local core = require "f5.core"
local json = require "f5.json"
local own_file = require "f5.work.own_file"
local State = require "f5.state.state"

local M = {}

M.FORMAT = 1

local HEAD <const> = '{"snapshot":'
local HEADER <const> =
  { sort = true, first = { "format", "time", "device", "asked", "program" } }
local LEFT_OUT <const> = { sort = true, first = { "complete" } }

-- -- writing --------------------------------------------------------------------------------------

local Writer = {}
Writer.__index = Writer

local function check(done, why)
  if done then return end
  error(core.error_new { kind = "transfer", message = "cannot write " .. tostring(why) }, 0)
end

--- Opens the file of a snapshot. It gets its name when it is complete; see `keep`. Only its owner
-- may read it.
-- @param path string
-- @return writer, a sink of f5.state.read and a value for a <close> variable
function M.create(path)
  local refused <const> = own_file.refusal(
    path, "snapshot", function(text) return text == HEAD end, #HEAD
  )
  check(not refused, refused)
  local file, why = core.new_file(path)
  check(file, why)
  return setmetatable({ file = file, pending = {}, first = true }, Writer)
end

--- A writer to a function: function(text, …).
function M.stream(out)
  local target = {}
  function target.write(_, text)
    out(text)
    return true
  end
  function target.keep() return true end
  function target.close() end
  return setmetatable({ file = target, pending = {}, first = true }, Writer)
end

-- Texts are collected: one write to the disk for each page.
function Writer:put(...)
  for i = 1, select("#", ...) do self.pending[#self.pending + 1] = (select(i, ...)) end
end

--- Writes to the disk what was collected.
function Writer:flush()
  if #self.pending == 0 then return end
  local text = table.concat(self.pending)
  self.pending = {}
  check(self.file:write(text))
end

function Writer:begin(header, provision)
  self:put(HEAD, json.encode(header, HEADER), ",\n")
  if provision then self:put('"provision":', json.encode(provision), ",\n") end
  self:put '"objects":{'
  self:flush()
end

local function member(self, path)
  self:put(self.first and "\n" or ",\n", json.encode(path), ":")
  self.first = false
end

function Writer:open(path)
  member(self, path)
  self:put "["
  self.empty = true
end

function Writer:add(_, text)
  self:put(self.empty and "\n" or ",\n", text)
  self.empty = false
end

function Writer:shut()
  self:put(self.empty and "]" or "\n]")
  self:flush()
end

function Writer:single(path, text)
  member(self, path)
  self:put(text)
  self:flush()
end

function Writer:finish(left_out)
  self:put('\n},\n"left_out":', json.encode(left_out, LEFT_OUT), "}\n")
  self:flush()
end

--- Gives the file its name.
function Writer:keep()
  check(self.file:keep())
end

function Writer:close() self.file:close() end
Writer.__close = Writer.close

-- -- in memory ------------------------------------------------------------------------------------

local Memory = {}
Memory.__index = Memory

--- A sink of f5.state.read that makes a state: `sink.state`.
function M.memory(label)
  return setmetatable({ state = State.new(label) }, Memory)
end

function Memory:begin(header, provision)
  self.state.header, self.state.provision = header, provision
end

function Memory:open(path) self.collection = self.state:collection(path) end

function Memory:add(key, text) self.state:add(self.collection, key, text) end

function Memory:single(path, text) self.state:add(self.state:collection(path, true), "", text) end

function Memory:finish(left_out)
  self.state.left_out = left_out
  self.state:settle()
end

function Memory.shut() end
function Memory.flush() end

-- -- reading --------------------------------------------------------------------------------------

local function refuse(path, format, ...)
  error(
    core.error_new { kind = "transfer", message = path .. ": " .. string.format(format, ...) }, 0
  )
end

-- The name in the text of a body, without decoding it where that is certain.
local function key_of(text)
  local name, rest = text:match '^{"name":"([^"\\]*)"()'
  if name then
    local partition, after = text:match('^,"partition":"([^"\\]*)"()', rest)
    local below, behind = text:match('^,"subPath":"([^"\\]*)"()', after or rest)
    if not text:find('^,"[fsp][uba][lbr][lPt]', behind or after or rest) then
      if not partition then return name end
      return ("/%s/%s%s"):format(partition, below and below ~= "" and below .. "/" or "", name)
    end
  end
  return clean.name_of(json.decode(text))
end

-- Reads the lines of a snapshot as `Writer` writes them. Returns nil if they are others.
local function read_lines(file, state)
  local collection, before
  for line in file:lines() do
    local first = line:byte()
    if collection and first == 123 then -- "{"
      local text = line:sub(-1) == "," and line:sub(1, -2) or line
      state:add(collection, key_of(text), text)
    elseif collection and (line == "]" or line == "],") then
      collection = nil
    elseif collection then
      return nil
    elseif first == 34 and line:sub(1, 2) == '"/' then
      local path, rest = line:match '^("/[^"]*"):(.*)$'
      if not path then return nil end
      path = json.decode(path)
      if rest == "[" then
        collection = state:collection(path)
      elseif rest:find "^%[%],?$" then
        state:collection(path)
      else
        state:add(state:collection(path, true), "", (rest:gsub(",$", "")))
      end
    elseif line == "}," then
      before = true -- the end of the objects
    elseif before then
      local text = line:match '^"left_out":(.*)}$'
      if not text then return nil end
      state.left_out = json.decode(text)
      return state
    else
      local text = line:match '^"provision":(.*),$'
      if text then
        state.provision = json.decode(text)
      elseif line ~= '"objects":{' then
        return nil
      end
    end
  end
  return nil
end

-- Takes the objects of a seed that was decoded as a whole.
local function take_whole(seed, path, state)
  state.header, state.left_out = seed.snapshot or {}, seed.left_out or {}
  state.provision = seed.provision
  for at, value in pairs(seed.objects or {}) do
    if type(value) ~= "table" then refuse(path, "'%s' has a value that is no object", at) end
    if json.is_array(value) then
      local collection = state:collection(at)
      for _, body in ipairs(value) do
        local key = type(body) == "table" and clean.name_of(body)
        if not key then refuse(path, "'%s' has an object without a name", at) end
        state:add(collection, key, json.encode(body, State.STYLE))
      end
    else
      state:add(state:collection(at, true), "", json.encode(value, State.STYLE))
    end
  end
  return state
end

local function check_format(path, header)
  if type(header) ~= "table" then refuse(path, "this is not a snapshot") end
  if header.format ~= M.FORMAT then
    refuse(
      path, "the snapshot has the format %s; this version of f5lua reads format %d",
      tostring(header.format), M.FORMAT
    )
  end
end

local function label_of(path, header)
  local device = type(header.device) == "table" and header.device or {}
  local parts = { path }
  if type(device.hostname) == "string" then
    local version = type(device.version) == "string" and " " .. device.version or ""
    parts[2] = (" (%s%s, %s)"):format(device.hostname, version, tostring(header.time))
  end
  return table.concat(parts)
end

local function open(path)
  core.check_path(path, "snapshot")
  local file, why = io.open(path, "rb")
  if not file then
    error(core.error_new { kind = "transfer", message = "cannot read " .. tostring(why) }, 0)
  end
  return file
end

--- Whether a file is a snapshot: a seed that says where it comes from.
function M.is_snapshot(path)
  local file <close> = open(path)
  return file:read(#HEAD) == HEAD or nil
end

--- Reads a snapshot.
-- @param path string
-- @return f5.state; raises an error of kind "transfer" if the file is not a snapshot or not whole
function M.read(path)
  local state = State.new(path)
  do
    local file <close> = open(path)
    local line, why = file:read "l"
    if why then refuse(path, "cannot be read: %s", tostring(why)) end
    local header = line and line:match '^{"snapshot":(.*),$'
    local ok, value = pcall(json.decode, header or "")
    if header and ok then
      state.header = value
      local fine, found = pcall(read_lines, file, state)
      if fine and found then
        check_format(path, value)
        state.label = label_of(path, value)
        return state:settle()
      end
    end
  end
  local file <close> = open(path)
  local text = file:read "a"
  local ok, seed = pcall(json.decode, text or "")
  if not ok then refuse(path, "this is not a snapshot: %s", tostring(seed)) end
  if type(seed) ~= "table" or type(seed.objects) ~= "table" then
    refuse(path, "this is not a snapshot: it has no 'objects'")
  end
  state = take_whole(seed, path, State.new(path))
  check_format(path, seed.snapshot)
  if type(seed.left_out) ~= "table" then
    refuse(path, "the snapshot is not whole: its end is missing")
  end
  state.label = label_of(path, state.header)
  return state:settle()
end

return M
