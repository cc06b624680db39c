-- Factory state: an untouched device shows every object that was recorded on devices of 14.1 and
-- later as it was recorded: the same properties with the same values. Of several recordings of an
-- object the newest counts. tests/support/factory_exceptions.lua lists where and why it differs.
-- The recordings are no part of this project; where they are not, there is nothing to do.
local f5 <const> = require "f5"
local json <const> = require "f5.json"
local exceptions <const> = require "factory_exceptions"
local lab <const> = require "lab"
local recordings <const> = require "recordings"
local sim <const> = require "f5.sim"

-- Paths that a device had at an earlier version of the simulator: none may get lost.
local KNOWN <const> = "../shared/conformance/factory-objects.txt"

-- What differs from device to device, or tells when something happened.
local VOLATILE <const> = {
  apiRawValues = true, checksum = true, createTime = true, creationTime = true, generation = true,
  ifIndex = true, lastModifiedTime = true, lastUpdateTime = true, macAddress = true,
  selfLink = true,
}

local function version_of(body)
  local first <const>, second <const>, rest <const> =
    tostring(body.selfLink):match "[?&]ver=(%d+)%.(%d+)([%d.]*)"
  if not first then return nil end
  local number = tonumber(first) * 1000000 + tonumber(second) * 10000
  for part in rest:gmatch "%d+" do number = number + tonumber(part) end
  return number >= 14010000 and number or nil
end

-- Equal, with links of any version.
local function same(a, b)
  if type(a) == "string" and type(b) == "string" then
    return a:gsub("ver=[%d.]+", "") == b:gsub("ver=[%d.]+", "")
  end
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b and math.type(a) == math.type(b)
  end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

-- path -> the newest recording
local function newest()
  local found <const> = {}
  for _, object in ipairs(recordings.objects() or {}) do
    local version <const> = version_of(object.body)
    local path <const> = version and recordings.path_of_link(object.body.selfLink)
    if path and not json.encode(object.body):find("nestedStats", 1, true) then
      local other <const> = found[path]
      -- of two of the same version, the one with more properties: others were read with $select
      local count = 0
      for _ in pairs(object.body) do count = count + 1 end
      if
        not other or other.version < version or other.version == version and other.count < count
      then
        found[path] = { body = object.body, version = version, count = count }
      end
    end
  end
  return found
end

local function excepted(used, kind, name, property, word)
  for i, row in ipairs(exceptions) do
    if
      row[5] == word and kind:find("^tm:" .. row[1]) and name:find(row[2])
      and property:find(row[3])
    then
      used[i] = true
      return true
    end
  end
  return false
end

describe("Factory state: every recorded object", function()
  if not recordings.rows() then
    pending "needs the recorded bodies"
    return
  end
  local device, bip
  setup(function()
    device = sim.start {
      provision = { "ltm", "gtm", "asm", "apm", "afm", "avr", "pem", "fps", "ilx", "vcmp", "dos" },
    }
    bip = f5.connect(device:options("admin", { auth = "basic", retries = 0 }))
  end)
  teardown(function() lab.stop(bip, device) end)

  it("has its recorded properties and values", function()
    local known <const> = {}
    local file <const> = io.open(KNOWN)
    for path in (file and file:lines() or function() end) do known[path] = true end
    if file then file:close() end
    local used <const>, failed <const> = {}, {}
    local objects, values = 0, 0
    local function check(path, recorded, here)
      local kind <const>, name <const> = recorded.kind, tostring(recorded.name or "")
      for property, value in pairs(recorded) do
        if not VOLATILE[property] then
          values = values + 1
          local word <const> = here[property] == nil and "lacks" or nil
          if
            (word or not same(value, here[property]))
            and not excepted(used, kind, name, property, word)
          then
            failed[#failed + 1] = ("%s %s: recorded %s, here %s"):format(
              path,
              property,
              json.encode(value):sub(1, 100),
              word or json.encode(here[property]):sub(1, 100)
            )
          end
        end
      end
      for property in pairs(here) do
        if
          recorded[property] == nil and not VOLATILE[property]
          and not excepted(used, kind, name, property, "more")
        then
          failed[#failed + 1] = ("%s %s: not recorded"):format(path, property)
        end
      end
    end
    for path, recording in pairs(newest()) do
      local answer <const> = bip:request("GET", path, { raw = true, quiet = true })
      local here <const> = answer.status == 200 and json.decode(answer.body) or nil
      if here and here.kind == recording.body.kind then
        objects = objects + 1
        check(path, recording.body, here)
      elseif known[path] then
        failed[#failed + 1] = path .. " is lost"
      end
    end
    table.sort(failed)
    assert.same({}, failed)
    assert.is_true(objects > 1000, objects .. " objects")
    assert.is_true(values > 10000, values .. " values")
    local unneeded <const> = {}
    for i, row in ipairs(exceptions) do
      if not used[i] then unneeded[#unneeded + 1] = table.concat(row, " ") end
    end
    assert.same({}, unneeded)
  end)
end)
