-- Real input: what devices answered, planted on the simulated device, is read back with all its own
-- properties. The recorded bodies are no part of this project; where they are not, there is nothing
-- to do.
local json = require "f5.json"
local f5 = require "f5"
local sim = require "f5.sim"
local uri = require "sim.config.uri"
local recordings = require "recordings"

-- Below these another part of the device answers, or the body is no configuration.
local ELSEWHERE <const> = {
  "^/mgmt/tm/asm", "^/mgmt/tm/util", "^/mgmt/tm/task", "^/mgmt/tm/transaction", "^/mgmt/tm/access",
  "^/mgmt/tm/analytics", "^/mgmt/tm/cloud", "^/mgmt/tm/adc", "^/mgmt/tm/live%-update",
  "^/mgmt/tm/shared", "^/mgmt/tm/gtm/pool/[^/]+$", "^/mgmt/tm/gtm/wideip/[^/]+$",
} -- before 12.0

local function configured(path)
  for _, pattern in ipairs(ELSEWHERE) do
    if path:find(pattern) then return false end
  end
  return true
end

-- Whether all that was given is in what was answered; links differ by the version in them.
local function covers(given, answered, key)
  if key == "generation" or key == "selfLink" or key == "link" then return true end
  if type(given) ~= "table" or type(answered) ~= "table" then return given == answered end
  for name, value in pairs(given) do
    if not covers(value, answered[name], name) then return false end
  end
  return true
end

local GIVEN_BY_DEVICE <const> = { kind = true, selfLink = true, generation = true, fullPath = true }

-- The paths of all objects that own the object at `path`, outermost first: "…/pool/~Common~p" of
-- "…/pool/~Common~p/members/…".
local function owners(target)
  local list = {}
  while target.parent do
    target = uri.parse(target.parent)
    table.insert(list, 1, target.path)
  end
  return list
end

local function object_of(path)
  local full = path:match "[^/]+$":gsub("~", "/")
  return { name = full, fullPath = full }
end

describe("real input: every recorded object", function()
  local rows = recordings.rows()
  if not rows then
    pending "needs the recorded bodies"
    return
  end
  -- What is provisioned decides what else is there, so it comes last.
  table.sort(rows, function(a, b)
    local x, y = a.file:find "^sys%-provision" and 1 or 0, b.file:find "^sys%-provision" and 1 or 0
    if x ~= y then return x < y end
    return a.file < b.file
  end)

  it("is planted and reads back with all its own properties", function()
    local device <close> = sim.start {
      provision = {
        "ltm", "gtm", "afm", "apm", "asm", "pem", "vcmp", "am", "ilx", "avr", "fps", "swg",
      },
    }
    local bip <close> = f5.connect(device:options "admin")
    local tried, problems = 0, {}
    local function try(object, file)
      local path = type(object.selfLink) == "string"
        and object.selfLink:match "^https://localhost(/mgmt/tm/[^?]*)"
      if not path or path:find "/stats$" or not configured(path) then return end
      path = path:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
      local target = uri.parse(path)
      if not target or target.what == "show" or target.what == "organizing" then return end
      local last = path:match "[^/]+$"
      local name = type(object.fullPath) == "string" and object.fullPath:gsub("/", "~")
      if object.name and name ~= last then return end  -- a mock whose link names another object
      local body = {}
      for key, value in pairs(object) do
        if not GIVEN_BY_DEVICE[key] and not key:find "Reference$" and key ~= "_meta_data" then
          body[key] = value
        end
      end
      tried = tried + 1
      local seed = {}
      for _, owner in ipairs(owners(target)) do
        local collection = owner:match "^(.*)/[^/]+$"
        seed[collection] = json.array { object_of(owner) }
      end
      if object.name then seed[target.collection] = json.array { body } else seed[path] = body end
      local planted, problem = pcall(device.plant, device, { objects = seed })
      if not planted then
        problems[#problems + 1] = file .. ": " .. tostring(problem)
        return
      end
      local found, answer = pcall(bip.request, bip, "GET", path)
      answer = found and (answer.body or answer) or answer
      if not found then
        problems[#problems + 1] = file .. ": " .. tostring(answer)
        return
      end
      for key, value in pairs(body) do
        if not covers(value, answer[key], key) then
          problems[#problems + 1] = ("%s: %s.%s is %s, not %s"):format(
            file, object.name or "", key, json.encode(answer[key] or json.null), json.encode(value)
          )
        end
      end
    end
    for _, row in ipairs(rows) do
      local file = row.file
      if file:find "state%-%-.*%.json$" then
        local body = json.decode(recordings.read(file))
        if file:find "collectionstate%-%-" then
          for _, item in ipairs(type(body.items) == "table" and body.items or {}) do
            if type(item) == "table" then try(item, file) end
          end
        elseif type(body) == "table" then
          try(body, file)
        end
      end
    end
    assert.is_true(tried >= 2151, tried .. " objects")
    assert.same({}, problems)
  end)
end)
