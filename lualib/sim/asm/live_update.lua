-- Live update, below /mgmt/tm/live-update: files that update the signatures and challenges of ASM.
-- It exists while ASM is provisioned.
--
-- A check of the availability downloads what a seed offers ({ live_update = { ["bot-signatures"] =
-- { { createDateTime =, broken = true }, … } } }). This makes an update file, and an installation
-- with the status "new". A PATCH of it to "install" or "stage" is done a moment later.
local json = require "f5.json"
local digest = require "sim.digest"
local errors = require "sim.http.errors"

local M = {}

-- Type, name of its files, date of the file on a new device (nil: none), frequency of its schedule.
local COMPONENTS <const> = {
  { "asm-attack-signatures", "ASM-AttackSignatures", "2025-09-18T10:02:11Z", "never" },
  { "behavioral-waf", "BehavioralWAF", "2025-06-03T08:41:50Z", "never" },
  { "bot-signatures", "BotSignatures", "2025-09-16T15:08:59Z", "never" },
  { "browser-challenges", "BrowserChallenges", "2025-08-27T11:20:05Z", "never" },
  { "credential-stuffing", "CredentialStuffing", "2025-07-01T06:30:00Z", "never" },
  { "server-technologies", "ServerTechnologies", "2025-09-02T14:13:57Z", "never" },
  { "threat-campaigns", "ThreatCampaigns", nil, "real-time" },
}
local BY_TYPE <const> = {}
for _, row in ipairs(COMPONENTS) do BY_TYPE[row[1]] = row end

local ROOT <const> = "/mgmt/tm/live-update"
local TAKES <const> = 150000                  -- microseconds for an installation
local DELETABLE <const> = { error = true, staged = true, new = true }

local iso <const> = require("sim.clock").utc

local function link(...) return "https://localhost" .. ROOT .. "/" .. table.concat({ ... }, "/") end

-- -- what there is --

local function new_id(state)
  state.last_id = state.last_id + 1
  return ("ff8080817145a0b701%014x"):format(0x7145a1800b0000 + state.last_id)
end

local function add_file(device, state, type, file)
  local component = state.components[type]
  local stamp = file.createDateTime:gsub("[-:]", ""):gsub("T", "_"):gsub("Z", "")
  local name = file.filename or ("%s_%s.im"):format(BY_TYPE[type][2], stamp)
  local id = new_id(state)
  local stored = {
    id = id,
    filename = name,
    md5 = digest.md5(name):gsub(".", function(char) return ("%02X"):format(char:byte()) end),
    fileLocationReference = { link = link("file-transfer", "downloads", name) },
    createDateTime = file.createDateTime,
    isFileAvailable = true,
    isFileManuallyUploaded = file.manual or false,
    isGenesis = file.genesis or false,
  }
  table.insert(component.files, stored)
  table.insert(component.installations, {
    id = new_id(state),
    lastUpdateMicros = device:now(),
    loadDateTime = file.genesis and iso(device:now()) or nil,
    updateFileReference = { link = link(type, "update-files", id) },
    status = file.genesis and "install-complete" or "new",
    broken = file.broken,
  })
  return stored
end

local function state_of(device)
  local state = device.state.live_update
  if not state then
    state = { last_id = 0, components = {} }
    device.state.live_update = state
    for _, row in ipairs(COMPONENTS) do
      state.components[row[1]] =
        { files = json.array {}, installations = json.array {}, offers = json.array {} }
      if row[3] then
        add_file(device, state, row[1], { createDateTime = row[3], genesis = true })
      end
      state.components[row[1]].availability =
        { lastCheckDateTime = iso(0), status = "no-update-available" }
      local schedule = {
        frequency = row[4], startTime = "00:00", endTime = "23:59", applyAtAllTimes = true,
        applyOnAllDays = true,
      }
      for _, day in ipairs { "Sun", "Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur" } do
        schedule["applyOn" .. day .. "days"] = false
      end
      state.components[row[1]].schedule = schedule
    end
  end
  return state
end

-- -- bodies --

local function find(list, id)
  for index, one in ipairs(list) do
    if one.id == id then return one, index end
  end
end

local function body_of(type, name, source, suffix, id)
  local body = {
    kind = ("tm:live-update:%s:%s%s"):format(type, name, suffix or "state"),
    selfLink = link(type, name, id),
  }
  for key, value in pairs(source) do
    if key ~= "broken" then body[key] = value end
  end
  return body
end

local function collection(type, name, list)
  local items = json.array {}
  for index, one in ipairs(list) do
    items[index] = body_of(type, name, one, nil, one.id)
  end
  return {
    status = 200,
    body = body_of(type, name, { totalItems = #items, items = items }, "-collectionstate"),
  }
end

local function organizer(path, names)
  local items = json.array {}
  for index, name in ipairs(names) do
    items[index] = { reference = { link = "https://localhost" .. path .. "/" .. name } }
  end
  return {
    status = 200,
    body = {
      kind = path:gsub("^/mgmt/", ""):gsub("/", ":") .. ":collectionstate",
      selfLink = "https://localhost" .. path,
      items = items,
    },
  }
end

-- -- calls --

--- Whether an update server answers for a type: a seed says so, even with an empty list.
function M.is_served(device, type) return state_of(device).components[type].is_served == true end

--- The next file that the update server offers for a type; it is downloaded. Nil if there is none.
--- `only_look`: it is not downloaded.
function M.take_offer(device, type, only_look)
  local state = state_of(device)
  local offers = state.components[type].offers
  if only_look or not offers[1] then return offers[1] end
  local offer = table.remove(offers, 1)
  offer.createDateTime = offer.createDateTime or iso(device:now())
  add_file(device, state, type, offer)
  return offer
end

local function check(device, type)
  local state = state_of(device)
  local component = state.components[type]
  component.availability.lastCheckDateTime = iso(device:now())
  local offer = M.take_offer(device, type)
  component.availability.status = offer and "update-available" or "no-update-available"
  return { status = 200, body = body_of(type, "availability", component.availability) }
end

local function install(device, request, type, installation)
  local wanted = request.json and request.json.status
  if wanted ~= "install" and wanted ~= "stage" then
    return errors.rest(
      request,
      400,
      ("Invalid status '%s': an installation can be set to install or stage."):format(
        tostring(wanted)
      )
    )
  end
  if installation.status == "installing" then
    return errors.rest(request, 409, "The update file is being installed.")
  end
  installation.status = wanted == "install" and "installing" or "staged"
  installation.lastUpdateMicros = device:now()
  if wanted == "install" then
    device:schedule(
      device:now() + TAKES,
      "live-update-installed",
      { type = type, id = installation.id }
    )
  end
  return { status = 200, body = body_of(type, "installations", installation, nil, installation.id) }
end

local function delete_file(device, request, type, file, position)
  local component = state_of(device).components[type]
  local own = link(type, "update-files", file.id)
  for _, installation in ipairs(component.installations) do
    if installation.updateFileReference.link == own and not DELETABLE[installation.status] then
      return errors.rest(
        request,
        400,
        ("The update file '%s' cannot be deleted: its installation has the status %s."):format(
          file.filename,
          installation.status
        )
      )
    end
  end
  table.remove(component.files, position)
  for index = #component.installations, 1, -1 do
    if component.installations[index].updateFileReference.link == own then
      table.remove(component.installations, index)
    end
  end
  return { status = 200, body = body_of(type, "update-files", file, nil, file.id) }
end

local type_of <const> = type

local function add_manually(device, request, type)
  local name = request.json and request.json.filename
  if type_of(name) ~= "string" or not name:find("%.im$") then
    return errors.rest(request, 400, "An update file is named by 'filename' and ends in .im.")
  end
  local file = add_file(
    device,
    state_of(device),
    type,
    { filename = name, createDateTime = iso(device:now()), manual = true }
  )
  return { status = 200, body = body_of(type, "update-files", file, nil, file.id) }
end

local function schedule(device, request, type)
  local settings = state_of(device).components[type].schedule
  for name, value in pairs(request.method == "PATCH" and request.json or {}) do
    if settings[name] ~= nil and type_of(settings[name]) == type_of(value) then
      settings[name] = value
    end
  end
  return { status = 200, body = body_of(type, "install-schedule", settings) }
end

local function handle(device, request)
  if not device:is_provisioned("asm") then return errors.not_public(request) end
  local segments, method = request.segments, request.method
  local type, part, id = segments[4], segments[5], segments[6]
  if not type and method == "GET" then
    local names = {}
    for index, row in ipairs(COMPONENTS) do names[index] = row[1] end
    return organizer(ROOT, names)
  end
  local component = BY_TYPE[type] and state_of(device).components[type]
  if not component or #segments > 6 then return errors.not_public(request) end
  if not part and method == "GET" then
    return organizer(
      ROOT .. "/" .. type,
      { "availability", "install-schedule", "installations", "update-files" }
    )
  end
  if part == "availability" and not id and method == "GET" then return check(device, type) end
  if part == "install-schedule" and not id and (method == "GET" or method == "PATCH") then
    return schedule(device, request, type)
  end
  local list = part == "installations" and component.installations
    or part == "update-files" and component.files
  if not list then return errors.not_public(request) end
  if not id then
    if method == "GET" then return collection(type, part, list) end
    if method == "POST" and part == "update-files" then
      return add_manually(device, request, type)
    end
  else
    local one, position = find(list, id)
    if not one then
      return errors.rest(request, 404, ("Could not find %s with id '%s'."):format(part, id))
    end
    if method == "GET" then return { status = 200, body = body_of(type, part, one, nil, id) } end
    if method == "PATCH" and part == "installations" then
      return install(device, request, type, one)
    end
    if method == "DELETE" and part == "update-files" then
      return delete_file(device, request, type, one, position)
    end
  end
  return errors.rest(
    request,
    405,
    ("Method %s is not supported for %s."):format(method, request.path)
  )
end

function M.install(device)
  device:route(ROOT, handle)
  device:on("live-update-installed", function(self, data)
    local installation = find(state_of(self).components[data.type].installations, data.id)
    if not installation then return end
    installation.status = installation.broken and "error" or "install-complete"
    installation.loadDateTime = not installation.broken and iso(self:now()) or nil
    installation.lastUpdateMicros = self:now()
  end)
  device:on_plant(function(self, seed)
    for type, offers in pairs(seed.live_update or {}) do
      local component = state_of(self).components[type]
      if not component then error(("seed: live_update: unknown type '%s'"):format(type), 0) end
      for _, offer in ipairs(type_of(offers) == "table" and offers or { false }) do
        if type_of(offer) ~= "table" then
          error(("seed: live_update: %s: expected objects"):format(type), 0)
        end
        for _, name in ipairs { "filename", "createDateTime" } do
          if offer[name] ~= nil and type_of(offer[name]) ~= "string" then
            error(("seed: live_update: %s: %s must be a text"):format(type, name), 0)
          end
        end
      end
      component.offers, component.is_served = json.array(offers), true
    end
  end)
end

return M
