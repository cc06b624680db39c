-- `tmsh list`: prints objects as tmsh text, with names as the session shows them.
local catalogue = require "sim.config.catalogue"
local discovery = require "sim.config.discovery"
local printing = require "sim.tmsh.printer"
local services = require "sim.shell.tmsh.services"
local spelling = require "sim.tmsh.spelling"
local status = require "sim.shell.tmsh.status"
local target = require "sim.shell.tmsh.target"

local M = {}

local ROOT <const> = "/mgmt/tm/"

local ListPrinter <const> = setmetatable({}, { __index = printing.Printer })
ListPrinter.__index = ListPrinter

-- A text: names in the folder of the session without it, ports by their names.
function ListPrinter:text(property, value)
  if type(value) == "number" then return printing.word(value) end
  local text = tostring(value)
  if printing.ROWS[property] then
    text = text:gsub("/[^%s{}]+", function(full) return target.shown(self.session, full) end)
    return (text:gsub("%s+$", ""))
  end
  if property == "value" or property == "appService" then return printing.word(text) end
  if property == "destination" or property == "address" then
    return services.named(target.shown(self.session, text))
  end
  if text:find "^/[^/%s]+/[^%s]" and not text:find "^/Common/%S+%s" then
    text = target.shown(self.session, text)
  end
  return printing.word(text)
end

-- A name: of several words, such as "not country DE", each is as it is written.
function ListPrinter:row(kind, full)
  if not printing.ROWS[kind] then return printing.word(target.shown(self.session, full)) end
  return (full:gsub("/[^%s\"]+/[^%s\"]+", function(one) return target.shown(self.session, one) end))
end

function ListPrinter:head(_, object)
  self.session.tick()
  return printing.word(services.named(target.shown(self.session, object.fullPath or object.name)))
end

function ListPrinter:print(node, object, path)
  self.session.tick()
  self:object(node, object, path)
  self.io.out(self:take() .. "\n")
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
    printer:print(node, target.get(session, path), path)
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
        printer:print(node, printer.session.device.store:one(ROOT .. child), ROOT .. child)
      end
    end
  end
end

local function new_printer(session, io, found)
  return printing.new({
    store = session.device.store, session = session, io = io, listed = true,
    one_line = found.one_line, all = found.all, wanted = found.wanted, budget = session.budget,
  }, ListPrinter)
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
  printer:print(node, session.device.store:one(ROOT .. template), ROOT .. template)
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
