-- ensure twice on every kind of the catalogue: the second time sends nothing, however the values
-- are spelled. All spellings are tried on all kinds.
--
-- tests/spec/device/recorded_create_spec.lua does the same with every recorded object.
local compare = require "f5.ensure.compare"
local every_kind = require "walk.every_kind"
local f5 = require "f5"
local lab = require "lab"
local plan = require "f5.ensure.plan"
local spellings = require "walk.spellings"

-- Bodies that some of the spellings need.
local MORE <const> = {
  ["ltm/node"] = { address = "2001:db8::9" },
  ["ltm/snatpool"] = { members = { "192.0.2.12", "192.0.2.17" } },
}
-- Kinds whose objects are in a folder of their own.
local PLACES <const> = { ["sys/application/service"] = "/Common/walk.app/walk" }

describe("ensure, on every kind of the catalogue,", function()
  local device, bip
  setup(function() device, bip = every_kind.start() end)
  teardown(function() lab.stop(bip, device) end)

  local problems, counts

  -- What ensure did, and the writes that the device has seen.
  local function ensure(ref, wanted)
    device:clear_log()
    local ok, what = pcall(ref.ensure, ref, wanted)
    return ok and what or tostring(what), lab.writes(device)
  end

  local function is_unchanged(ref, wanted)
    local what, sent = ensure(ref, wanted)
    return what == "unchanged" and #sent == 0, ("%s, sent %d"):format(what, #sent)
  end

  local function unchanged(ref, wanted, title)
    counts.ensured = counts.ensured + 1
    local fine, what = is_unchanged(ref, wanted)
    if fine then return end
    local found = false
    for name, value in pairs(wanted) do
      local alone, why = is_unchanged(ref, { [name] = value })
      if not alone then
        found = true
        problems[#problems + 1] =
          ("%s, %s: %s = %s: %s"):format(tostring(ref), title, name, tostring(value), why)
      end
    end
    if not found then
      problems[#problems + 1] = ("%s, %s: %s"):format(tostring(ref), title, what)
    end
  end

  local function spelled(spelling, node, object)
    return spellings.spell(spelling, node, object, function(title)
      counts.spelled[title] = (counts.spelled[title] or 0) + 1
    end)
  end

  -- In the spelling of tmsh: slow-ramp-time.
  local function as_tmsh(object)
    local wanted = {}
    for name, value in pairs(object) do
      if spellings.is_spelled(name) then
        wanted[name:gsub("%u", function(letter) return "-" .. letter:lower() end)] = value
      end
    end
    return wanted
  end

  local function try_spellings(ref, node, object)
    for _, spelling in ipairs(spellings.list) do
      local wanted = spelled(spelling, node, object)
      if wanted then unchanged(ref, wanted, spelling.title) end
    end
  end

  -- Another value than this; nil for groups of values.
  local function other(value, spec)
    if math.type(value) == "integer" then return value + 1 end
    if type(value) == "boolean" then return not value end
    if f5.json.is_array(value) then
      return type(value[1]) ~= "table" and table.move(value, 1, #value, 2, { "another" }) or nil
    end
    if type(value) ~= "string" then return nil end
    for choice in (spec and type(spec.c) == "string" and spec.c or ""):gmatch "[^|]+" do
      if choice ~= value then return choice end
    end
    return value .. "x"
  end

  -- What differs is never taken for the same: a write is planned. Nothing is sent here.
  local function planned(ref, object, name, wanted)
    local steps = {}
    plan.object(steps, ref, object, { [name] = wanted })
    counts.differing = counts.differing + 1
    if #steps == 0 then
      problems[#problems + 1] = ("%s: %s = %s and %s are the same"):format(
        tostring(ref), name, f5.json.encode(object[name]), f5.json.encode(wanted)
      )
    end
  end

  -- The same of one value inside of a group, and inside of an object of a list.
  local function inside(ref, object, name, group, whole_of)
    for inner, value in pairs(group) do
      local wanted = type(inner) == "string" and not compare.IDENTITY[inner]
        and not inner:find "Reference$" and other(value)
      if wanted then
        local changed = {}
        for key, one in pairs(group) do changed[key] = one end
        changed[inner] = wanted
        planned(ref, object, name, whole_of(changed))
        counts.inside = counts.inside + 1
      end
    end
  end

  local function differs(ref, node, object)
    for name, value in pairs(object) do
      local is_own = spellings.is_spelled(name)
      local wanted = is_own and other(value, node.props[name])
      if wanted or value == true then planned(ref, object, name, wanted) end
      if is_own and type(value) == "table" and not f5.json.is_array(value) then
        inside(ref, object, name, value, function(changed) return changed end)
      elseif is_own and type(value) == "table" and type(value[1]) == "table" then
        inside(ref, object, name, value[1], function(changed)
          local list = f5.array(table.move(value, 1, #value, 1, {}))
          list[1] = changed
          return list
        end)
      end
    end
  end

  local function whole(ref, node, body)
    unchanged(ref, body, "as it was made")
    local object = ref:load()
    unchanged(ref, object, "as it was read")
    unchanged(ref, as_tmsh(object), "as tmsh spells it")
    try_spellings(ref, node, object)
    differs(ref, node, object)
  end

  -- A change is a change once.
  local function change(ref, node)
    local spec = node.props.description
    if not spec or spec.r or spec.t ~= "s" then return end
    counts.changed = counts.changed + 1
    local wanted = { description = "walked" }
    local what, sent = ensure(ref, wanted)
    if what ~= "changed" or #sent ~= 1 then
      problems[#problems + 1] = ("%s: a change is %s"):format(tostring(ref), what)
    end
    unchanged(ref, wanted, "a second change")
    ref:ensure { description = "" }
  end

  it("sends nothing a second time", function()
    problems = {}
    counts = { made = 0, ensured = 0, changed = 0, differing = 0, inside = 0, spelled = {} }
    every_kind.walk(function(template, node, path)
      local collection = bip:at(path)
      if node.type == "singleton" then
        whole(collection, node, {})
        change(collection, node)
        return nil
      end
      if not every_kind.can_be_made(template, node) then return nil end
      local ref = bip:at(path, PLACES[template] or every_kind.name(template))
      local body = MORE[template] or every_kind.body(template)
      local what, sent = ensure(ref, body)
      if what ~= "created" or #sent ~= 1 then
        problems[#problems + 1] = ("%s: %s, sent %d"):format(path, what, #sent)
        return nil
      end
      counts.made = counts.made + 1
      whole(ref, node, body)
      change(ref, node)
      return every_kind.path_of(ref)
    end)
    table.sort(problems)
    assert.equal("", table.concat(problems, "\n"))
    local summary = f5.json.encode(counts)
    assert.truthy(counts.made >= 809 and counts.changed >= 318 and counts.ensured >= 6700, summary)
    assert.truthy(counts.differing >= 3900 and counts.inside >= 280, summary)
    for _, spelling in ipairs(spellings.list) do
      assert.truthy((counts.spelled[spelling.title] or 0) > 0, spelling.title .. " in " .. summary)
    end
  end)
end)
