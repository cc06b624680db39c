-- `tmsh list`: prints objects as tmsh text.
local catalogue = require "sim.config.catalogue"
local discovery = require "sim.config.discovery"
local json = require "f5.json"
local printing = require "sim.tmsh.printer"
local services = require "sim.shell.tmsh.services"
local status = require "sim.shell.tmsh.status"
local spelling = require "sim.tmsh.spelling"
local tables = require "sim.tables"
local target = require "sim.shell.tmsh.target"

local M = {}

local ROOT <const> = "/mgmt/tm/"

-- Properties that tmsh prints although they have their default.
local ALWAYS <const> = {
  ["ltm/virtual"] = {
    "destination", "ipProtocol", "mask", "source", "translateAddress", "translatePort", "vsIndex",
    "creationTime", "lastModifiedTime",
  },
  ["ltm/pool/*/members"] = { "address" },
  ["ltm/node"] = { "address" },
  ["ltm/virtual-address"] = { "address", "mask", "trafficGroup", "arp" },
  ["net/self"] = { "address", "trafficGroup", "vlan", "allowService" },
  ["net/vlan"] = { "tag" },
  ["sys/db"] = { "value" },
  ["auth/user"] = { "encryptedPassword", "shell", "partitionAccess" },
  ["sys/provision"] = {},
}
-- Properties that only REST has.
local HIDDEN <const> = {
  kind = true, name = true, partition = true, subPath = true, fullPath = true, generation = true,
  selfLink = true, ephemeral = true, addressStatus = true,
}
local dashed <const> = printing.dashed

-- Lists with a line for each element; others stand on one line, unless they hold full names.
local BY_LINE <const> = {
  allowService = true, vlans = true, rules = true, members = true, aliases = true,
  logSettings = true, securityLogProfiles = true,
}

local Printer <const> = {}
Printer.__index = Printer

function Printer:line(depth, text)
  self.budget:spend(#text)
  if self.one_line then
    self.parts[#self.parts + 1] = (text:gsub("\n", "\\n"))
  else
    self.parts[#self.parts + 1] = ("    "):rep(depth) .. text
  end
end

-- A text: names in the folder of the session without it, ports by their names.
function Printer:text(name, value)
  if type(value) == "number" then
    local whole = math.tointeger(value)
    return tostring(whole or value)
  end
  local text = tostring(value)
  if printing.ROWS[name] then
    text = text:gsub("/[^%s{}]+", function(full) return target.shown(self.session, full) end)
    return (text:gsub("%s+$", ""))
  end
  if name == "apiAnonymous" or name == "value" then return printing.word(text) end
  if name == "destination" or name == "address" then
    return services.named(target.shown(self.session, text))
  end
  if text:find "^/[^/%s]+/[^%s]" and not text:find "^/Common/%S+%s" then
    text = target.shown(self.session, text)
  end
  return printing.word(text)
end

-- A name: of several words, such as "not country DE", each is as it is written.
function Printer:row(kind, full)
  if not printing.ROWS[kind] then return printing.word(target.shown(self.session, full)) end
  return (full:gsub("/[^%s\"]+/[^%s\"]+", function(one) return target.shown(self.session, one) end))
end

function Printer:record(depth, name, fields)
  if type(fields) == "table" and next(fields) then
    self:line(depth, name and name .. " {" or "{")
    self:group(depth + 1, fields)
    self:line(depth, "}")
  else
    self:line(depth, (name and name .. " " or "") .. "{ }")
  end
end

function Printer:list(depth, name, property, list)
  local first = list[1]
  if type(first) == "table" then
    self:line(depth, name .. " {")
    for _, item in ipairs(list) do
      local fields = {}
      for key, value in pairs(item) do
        if not HIDDEN[key] and not key:find "Reference$" and value ~= "" then
          fields[key] = value
        end
      end
      local full = item.name
      if full and item.partition and full:sub(1, 1) ~= "/" then
        full = ("/%s/%s%s"):format(item.partition, item.subPath and item.subPath .. "/" or "", full)
      end
      self:record(depth + 1, full and self:row(property, full), fields)
    end
    self:line(depth, "}")
    return
  end
  local texts, long = {}, BY_LINE[property]
  for i, item in ipairs(list) do
    texts[i] = self:text(property, item)
    long = long or tostring(item):sub(1, 1) == "/"
  end
  if long and not self.one_line then
    self:line(depth, name .. " {")
    for _, text in ipairs(texts) do self:line(depth + 1, text) end
    self:line(depth, "}")
  else
    self:line(depth, ("%s { %s }"):format(name, table.concat(texts, " ")))
  end
end

function Printer:value(depth, property, value)
  local name = dashed(property)
  if value == true then
    self:line(depth, name)
  elseif value == nil or value == json.null then
    self:line(depth, name .. " none")
  elseif value == false then
    return
  elseif type(value) ~= "table" then
    self:line(depth, name .. " " .. self:text(property, value))
  elseif json.is_array(value) or #value > 0 then
    if #value == 0 then self:line(depth, name .. " none") else
      self:list(depth, name, property, value) end
  else
    self:record(depth, name, value)
  end
end

local function sorted(fields)
  local names = {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names, function(a, b) return dashed(a) < dashed(b) end)
  return names
end

function Printer:group(depth, fields)
  for _, name in ipairs(sorted(fields)) do self:value(depth, name, fields[name]) end
end

-- The properties of an object to print: those without their default, or all.
function Printer:chosen(template, node, object)
  local wanted = self.wanted
  local fields = {}
  local always = {}
  for _, name in ipairs(ALWAYS[template] or {}) do always[name] = true end
  local own = node.props.defaultsFrom and object._own
  for name, value in pairs(object) do
    local spec = node.props[name]
    local is_default = spec and tables.same(value, spec.d)
    if own and not object._factory then is_default = not own[name] end
    if spec and spec.r and not always[name] and not self.all then is_default = true end
    if
      not HIDDEN[name] and name:sub(1, 1) ~= "_" and not name:find "Reference$"
      and (self.all or always[name] or name == "defaultsFrom"
        or name == "inheritedTrafficGroup" or not is_default
        or wanted and wanted[name])
    then
      fields[name] = spelling.tmsh_time(name, spelling.with_unit(template, name, value))
    end
  end
  if self.all or wanted then
    for name, spec in pairs(node.props) do
      if fields[name] == nil and not HIDDEN[name] and spec.t ~= "b" and (not spec.r) then
        fields[name] = spec.d == nil and json.null or spec.d
      end
    end
  end
  if wanted then
    for name in pairs(fields) do
      if not wanted[name] then fields[name] = nil end
    end
  end
  if object.partition and object.partition ~= "Common" and not node.flat and not wanted then
    fields.partition = object.partition
  end
  return fields
end

-- The sub-collections of an object, as further properties: name -> list of { name, fields, … }.
function Printer:subs(template, node, path)
  local found = {}
  local store = self.session.device.store
  for reference, sub in pairs(node.subs or {}) do
    local below = template .. "/*/" .. sub
    local inner = catalogue.find(below)
    local name = reference:gsub("Reference$", "")
    if inner and (not self.wanted or self.wanted[name]) then
      local list = {}
      for _, segment in ipairs(store:segments(path .. "/" .. sub)) do
        local at = path .. "/" .. sub .. "/" .. segment
        list[#list + 1] = { path = at, object = store:get(at) }
      end
      if #list > 0 then found[name] = { items = list, template = below, node = inner } end
      if #list == 0 and (self.all or self.wanted) then found[name] = { items = list } end
    end
  end
  return found
end

function Printer:properties(depth, template, node, object, path)
  local fields = self:chosen(template, node, object)
  local subs = self:subs(template, node, path)
  local names = {}
  for name in pairs(fields) do names[name] = true end
  for name in pairs(subs) do names[name] = true end
  for _, name in ipairs(sorted(names)) do
    local sub = subs[name]
    if not sub then
      if name == "apiAnonymous" then
        self.parts[#self.parts + 1] = tostring(fields[name])
      elseif (spelling.SCRIPTS[(template:gsub("/%*/.*$", ""):gsub("/", " "))] or {})[dashed(name)]
        and type(fields[name]) == "string" then
        self:line(depth, ("%s {%s}"):format(dashed(name), fields[name]))
      else
        self:value(depth, name, fields[name])
      end
    elseif #sub.items == 0 then
      self:line(depth, dashed(name) .. " none")
    else
      self:line(depth, dashed(name) .. " {")
      for _, item in ipairs(sub.items) do
        local wanted = self.wanted
        self.wanted = nil
        self:object(depth + 1, sub.template, sub.node, item.object, item.path, true)
        self.wanted = wanted
      end
      self:line(depth, "}")
    end
  end
end

-- One object. `inner`: it is an element of a sub-collection.
function Printer:object(depth, template, node, object, path, inner)
  self.session.tick()
  local heading = not inner and template:gsub("/%*", ""):gsub("/", " ") or nil
  if node.type ~= "singleton" then
    local full = object.fullPath or object.name
    if inner then
      full = printing.word(services.named(target.shown(self.session, full)))
    else
      full = self:row(template, full)
    end
    heading = heading and heading .. " " .. full or full
  end
  local before = #self.parts
  self:line(depth, heading .. " {")
  self:properties(depth + 1, template, node, object, path)
  if #self.parts == before + 1 then
    self.parts[#self.parts] = (self.one_line and "" or ("    "):rep(depth)) .. heading .. " { }"
  else
    self:line(depth, "}")
  end
end

function Printer:print(template, node, object, path)
  self:object(0, template, node, object, path)
  self.io.out(table.concat(self.parts, self.one_line and " " or "\n") .. "\n")
  self.parts = {}
end

-- -- the command --

local OPTIONS <const> = {
  ["one-line"] = "one_line", ["all-properties"] = "all", ["non-default-properties"] = "changed",
  recursive = "recursive", ["current-module"] = "current",
}

-- Names, options and properties after the component.
local function arguments_of(tokens, at, node)
  local found = { names = {}, wanted = nil }
  for i = at, #tokens do
    local word = tokens[i].word
    if word then
      local name = spelling.rest(word, node.props)
      local is_property = node.type == "singleton" or #found.names > 0
      local sub = node.subs and node.subs[name .. "Reference"]
      if OPTIONS[word] and not tokens[i].quoted then
        found[OPTIONS[word]] = true
      elseif node.props[name] and (is_property) or sub then
        found.wanted = found.wanted or {}
        found.wanted[name] = true
      elseif node.type == "collection" and not found.wanted then
        found.names[#found.names + 1] = word
      else
        target.unexpected(tokens[i])
      end
    elseif not (tokens[i].brace == "{" or tokens[i].brace == "}") then
      target.unexpected(tokens[i])
    end
  end
  return found
end

local function print_collection(printer, template, node, found)
  local session = printer.session
  for _, path in ipairs(target.objects(session, template, node, found.names, found.recursive)) do
    printer:print(template, node, target.get(session, path), path)
  end
end

-- All collections and singletons below a module.
local function print_module(printer, template, found)
  for _, child in ipairs(catalogue.templates(template)) do
    local node = catalogue.find(child)
    local here = child == template or child:sub(1, #template + 1) == template .. "/"
    here = here and not child:find("*", 1, true)
    if here and discovery.present(printer.session.device, child) then
      printer.session.tick()
      if node.type == "collection" then
        print_collection(printer, child, node, found)
      elseif node.type == "singleton" then
        printer:print(child, node, printer.session.device.store:one(ROOT .. child), ROOT .. child)
      end
    end
  end
end

local function new_printer(session, io, found)
  return setmetatable({
    session = session, io = io, parts = {}, one_line = found.one_line, all = found.all,
    wanted = found.wanted, budget = session.budget,
  }, Printer)
end

--- list COMPONENT [names] [properties] [options]
function M.run(session, tokens, io)
  local template, node, at = target.component(session, tokens, 2)
  target.permit(target.request(session, "GET", ROOT .. template))
  if node.type == "show" then target.not_simulated(tokens) end
  local found = arguments_of(tokens, at, {
    type = node.type, props = node.props or {}, subs = node.subs,
  })
  local printer = new_printer(session, io, found)
  status.check(session, template, found.wanted, io)
  if node.type == "organizing" then return print_module(printer, template, found) end
  if node.type == "collection" then return print_collection(printer, template, node, found) end
  printer:print(template, node, session.device.store:one(ROOT .. template), ROOT .. template)
end

--- show running-config [component …]
function M.running(session, tokens, io)
  local rest = { tokens[1], table.unpack(tokens, 3) }
  if #rest > 1 and rest[2].word ~= "one-line" then return M.run(session, rest, io) end
  local found = { one_line = #rest > 1, names = {}, recursive = true }
  local printer = new_printer(session, io, found)
  for _, module in ipairs(catalogue.modules()) do
    if discovery.present(session.device, module) then print_module(printer, module, found) end
  end
end

return M
