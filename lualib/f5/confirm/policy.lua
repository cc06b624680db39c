-- What takes the changes of traffic policies back. A published policy is not changed directly: a
-- draft is made of it, changed, and published. So a policy and its draft are taken back together,
-- and as a whole: what both were before the plan.

local segment = require "f5.state.segment"
local steps = require "f5.plan.steps"
local tree = require "f5.safe.tree"
local words = require "f5.confirm.words"

local M = {}

local ROOT <const> = "/mgmt/tm/ltm/policy/"

local COMPONENT <const> = "ltm policy"

-- Properties that a policy is not made with.
local COMPUTED <const> = { status = true, lastModified = true, references = true }

-- Values that conditions and actions have unless others are given. The configuration of a device
-- leaves them out, too.
local DEFAULT_FLAGS <const> = {
  all = true, caseInsensitive = true, equals = true, external = true, present = true, remote = true,
  request = true,
}
local DEFAULT_NUMBERS <const> = {
  code = true, expirySecs = true, index = true, length = true, offset = true, port = true,
  status = true, timeout = true, vlanId = true,
}

--- The published policy and its draft that a path is about: full names, { published, draft }; nil
--- for other paths.
function M.unit(path)
  local last = path:match "^/mgmt/tm/ltm/policy/([^/?]+)"
  if not last then return nil end
  local full = segment.name(last)
  if full:sub(1, 1) ~= "/" then full = "/Common/" .. full end
  local published = full:gsub("/Drafts/([^/]+)$", "/%1")
  local folder, name = published:match "^(.*)/([^/]+)$"
  return { published = published, draft = ("%s/Drafts/%s"):format(folder, name) }
end

-- -- words ----------------------------------------------------------------------------------------

local function is_default(key, value)
  return DEFAULT_FLAGS[key] and value == true or DEFAULT_NUMBERS[key] and value == 0
end

-- The same without what is left out; `inside`: of a condition or an action.
local function plain(value, inside)
  if type(value) ~= "table" then return value end
  local out = setmetatable({}, getmetatable(value))
  for key, item in next, value do
    local left_out = type(key) == "string" and inside and is_default(key, item)
    local within = inside or key == "conditions" or key == "actions"
    if not left_out then out[key] = plain(item, within) end
  end
  return out
end

local function body_of(raw)
  local body = plain(tree.creation(raw))
  for key in pairs(COMPUTED) do body[key] = nil end
  return body
end

-- What a draft may have from the change, although the policy had none.
local LISTS <const> = { "controls", "requires", "rules" }

local function empty_others(out, body)
  if body.description == nil then out[#out + 1] = "description none" end
  for _, name in ipairs(LISTS) do
    if body[name] == nil then
      out[#out + 1] = name
      out[#out + 1] = out.plain and "none" or "replace-all-with \\{ \\}"
    end
  end
end

-- A command for a policy, with these properties. `modify` sets the others, too.
local function command(verb, name, body, is_plain)
  local out = { "tmsh::" .. verb, COMPONENT, words.word(name), plain = is_plain }
  local why = body and words.properties(out, body)
  if why then return nil, why end
  if body and verb == "modify" then empty_others(out, body) end
  return table.concat(out, " ")
end

local function gone(name)
  local word = words.word(name)
  return ("if {![catch {tmsh::get_config %s %s}]} {tmsh::delete %s %s}"):format(
    COMPONENT, word, COMPONENT, word)
end

-- One form: all commands. `exists`: the published policy is there when it runs.
local function form(unit, was, exists, is_plain)
  local list, problem = { gone(unit.draft) }, nil
  local function add(...)
    local text, why = command(...)
    problem = problem or why
    list[#list + 1] = text
  end
  local function make_draft(of_published, raw)
    if of_published then
      list[#list + 1] = command("modify", unit.published) .. " create-draft"
      add("modify", unit.draft, body_of(raw), is_plain)
    else
      add("create", unit.draft, body_of(raw), is_plain)
    end
  end
  if was.published and unit.is_written then
    make_draft(exists, was.published)
    list[#list + 1] = command("publish", unit.draft)
  elseif not was.published then
    list[#list + 1] = gone(unit.published)
  end
  if was.draft then make_draft(was.published ~= nil, was.draft) end
  return table.concat(list, "; "), problem
end

-- -- a plan ---------------------------------------------------------------------------------------

-- The policies that a plan writes, by the name of the published one.
local function units_of(device)
  local units = {}
  local function note(path, position)
    local unit = M.unit(path)
    if not unit then return nil end
    units[unit.published] = units[unit.published] or unit
    unit = units[unit.published]
    unit.path = unit.path or path:match "^/mgmt/tm/ltm/policy/[^/?]+"
    if position and not unit.position then unit.position = position end
    return unit, segment.name(path:match "^/mgmt/tm/ltm/policy/([^/?]+)")
  end
  for i, step in ipairs(device.steps) do
    local unit, name = note(steps.target_of(step), i)
    local body = unit and steps.body_of(step) or {}
    -- to make a draft of a policy does not change it
    local drafts = step.method == "PATCH" and body.createDraft ~= nil
    local publishes = body.command == "publish"
    if unit and (publishes or name == unit.published and not drafts) then unit.is_written = true end
  end
  for path in pairs(device.objects) do
    local unit, name = note(path)
    if unit and name == unit.published then unit.is_written = true end
  end
  return units
end

local function read_unit(read, unit)
  return {
    published = read(ROOT .. segment.of(unit.published)),
    draft = read(ROOT .. segment.of(unit.draft)),
  }
end

--- What takes the policies of a plan back: calls add(path, position, forms) or problem(path, why).
-- @param read function(path): the object with everything inside it, as it is now; nil: it does not
--   exist
function M.of(device, read, add, problem)
  local units, names = units_of(device), {}
  for name in pairs(units) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local unit = units[name]
    local was = read_unit(read, unit)
    if was.published and was.published.status == "legacy" and unit.is_written then
      problem(unit.path, "a policy without drafts (legacy) cannot be brought back as it was")
    else
      local forms, why = {}, nil
      for _, is_plain in ipairs { false, true } do
        for _, exists in ipairs { true, false } do
          local text, reason = form(unit, was, exists, is_plain)
          forms[#forms + 1], why = text, why or reason
        end
      end
      if why then problem(unit.path, why) else add(unit.path, unit.position or 0, forms) end
    end
  end
end

return M
