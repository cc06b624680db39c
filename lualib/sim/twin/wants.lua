-- What a twin asks the device for, and what it does with the answers.
--
-- A want is { kind =, path = …}; path is that of the store.
--   object      one object: GET path. `lenient`: no right to read it is like no object; `place`:
--               what uri.parse says about the path, if it is known
--   collection  all objects of a collection, in pages; `expand`: with their sub-collections
--   names       the names of the objects of a collection
--   raw         any other GET: `target` with the query as it was asked for, `range`: of a file.
--               The answer is kept for the request that wants it only: job.fetched[target]
--   version     sys/version
local json = require "f5.json"
local hydrate = require "sim.twin.hydrate"
local names = require "sim.config.names"

local M = {}

-- Objects in a page. Expanded ones are large, and slow devices time out: then pages become smaller.
local PAGE <const>, EXPANDED_PAGE <const>, SMALLEST_PAGE <const> = 250, 50, 5
-- Status of a GET that the device has not answered in time.
local TIMED_OUT <const> = 408

local function size_of(want) return want.size or want.expand and EXPANDED_PAGE or PAGE end

local asked = {}  -- number -> { twin =, want =, key =, jobs = }

local function target_of(want)
  if want.target then return want.target end
  local path = names.encoded(want.path)
  local query = {}
  if want.kind == "names" then query[1] = "$select=name,fullPath" end
  if want.expand then query[#query + 1] = "expandSubcollections=true" end
  if want.kind == "collection" and not want.plain then
    query[#query + 1] = ("$top=%d&$skip=%d"):format(size_of(want), want.skip or 0)
  end
  return #query > 0 and path .. "?" .. table.concat(query, "&") or path
end

-- Asks once for what several requests want.
local function send(twin, want, jobs)
  local target = target_of(want)
  twin.asking = twin.asking or {}
  local question = (want.range or "-") .. " " .. target
  local entry = twin.asking[question]
  if not entry then
    local number = require("sim.source").ask(twin.address .. " " .. question)
    entry = { twin = twin, want = want, target = target, question = question, jobs = {} }
    asked[number], twin.asking[question] = entry, entry
    local reads = twin:state().reads
    reads.count = reads.count + 1
    reads.from = reads.from or twin.device:now()
  end
  for _, job in ipairs(jobs) do
    job.left = (job.left or 0) + 1
    table.insert(entry.jobs, job)
  end
end

--- Asks the device for all wants of a list, for a job. The job is ready when all are answered.
function M.ask(twin, job, list)
  for _, want in ipairs(list) do send(twin, want, { job }) end
end

local function decoded(body)
  local ok, value = pcall(json.decode, body)
  return ok and type(value) == "table" and value or nil
end

local take <const> = {}

function take.raw(_, want, status, body, jobs)
  local range
  if want.range then range, body = body:match "^([^\n]*)\n(.*)$" end
  if range == "" then range = nil end
  for _, job in ipairs(jobs) do
    job.fetched[want.target] = { status = status, body = body, range = range }
  end
end

local FACTS <const> = {
  Product = "product", Version = "version", Build = "build", Edition = "edition", Date = "date",
  Title = "title",
}

function take.version(twin, want, status, body)
  local known = {}
  twin:keep_touched { raw = { [want.path] = { status = status, body = body } } }
  local answer = status == 200 and decoded(body) or {}
  for _, line in pairs(type(answer.entries) == "table" and answer.entries or {}) do
    local entries = type(line) == "table" and line.nestedStats and line.nestedStats.entries or {}
    for name, field in pairs(FACTS) do
      local value = type(entries[name]) == "table" and entries[name].description
      if type(value) == "string" then known[field] = value end
    end
  end
  if not known.version then
    twin:assume("/mgmt/tm/sys/version", nil, "the device does not say which version it has")
  end
  twin:state().device = known
  twin:adopt_version()
end

-- -- plain GETs --

local late <const> = {}  -- what was answered at once: { twin =, want =, body = text }

-- Whether a job is a plain GET of the object that was read for it, and of nothing else. Then its
-- answer is that of the device, as it came.
local function is_plain_get(twin, job, want)
  local request = job.request
  local target = request and request.meant
  if not target or request.method ~= "GET" or request.raw_query ~= "" or job.left > 1 then
    return false
  end
  return target.what == "resource" and not target.suffix and target.shown == want.path
    and not twin.device.store.items[want.path] and twin:state().before[want.path] == nil
end

-- Answers the jobs before the object is put into the store: a client need not wait for that. False
-- if that is not possible.
local function answer_at_once(twin, want, body, jobs)
  if want.expand or not body:find "^%s*{" then return false end
  for _, job in ipairs(jobs) do
    if not is_plain_get(twin, job, want) then return false end
  end
  for _, job in ipairs(jobs) do job.answer = { status = 200, body = body } end
  twin:keep_touched { object = { [want.path] = true } }
  late[#late + 1] = { twin = twin, want = want, body = body }
  return true
end

--- Puts the objects into the store whose GETs were answered at once. To be called before anything
--- looks at the store of a twin.
function M.catch_up()
  while late[1] do
    local one = table.remove(late)
    local value, want = decoded(one.body), one.want
    if value then hydrate.object(one.twin, want.path, value, false, want.place) end
  end
end

function take.object(twin, want, status, body, jobs)
  if status == 404 or want.lenient and (status == 401 or status == 403) then
    twin:state().absent[want.path] = { status = status, body = decoded(body) or body }
    return nil
  end
  if status == 200 and answer_at_once(twin, want, body, jobs) then return nil end
  local value = status == 200 and decoded(body)
  if not value then return "unexpected" end
  hydrate.object(twin, want.path, value, want.expand, want.place)
  return nil
end

-- So many pages of a collection are asked for at the same time.
local PARALLEL <const> = 3

local function ask_next_page(twin, want, pages, jobs)
  if pages.next >= pages.total then return end
  send(twin, {
    kind = "collection", path = want.path, expand = want.expand, skip = pages.next, pages = pages,
    size = pages.size,
  }, jobs)
  pages.next = pages.next + pages.size
end

-- Asks for more pages: the first answer says how many there are. Returns whether this one was the
-- last.
local function more_pages(twin, want, answer, jobs)
  local size, total = size_of(want), math.tointeger(answer.totalItems)
  local pages = want.pages
  if not pages then
    total = total or 0
    pages = {
      left = math.max((total + size - 1) // size, 1), next = size, total = total, size = size,
    }
    for _ = 2, PARALLEL do ask_next_page(twin, want, pages, jobs) end
  end
  pages.left = pages.left - 1
  ask_next_page(twin, want, pages, jobs)
  return pages.left == 0
end

-- Asks for smaller pages instead of one that has timed out. Returns whether that is possible.
local function shrink(twin, want, jobs)
  local size, skip = size_of(want), want.skip or 0
  if want.kind ~= "collection" or want.plain or size <= SMALLEST_PAGE then return false end
  local half = math.max(size // 2, SMALLEST_PAGE)
  local function ask(from, count)
    send(twin, {
      kind = "collection", path = want.path, expand = want.expand, skip = from, size = count,
      pages = want.pages,
    }, jobs)
  end
  ask(skip, half)
  if want.pages and size > half then
    want.pages.left = want.pages.left + 1
    ask(skip + half, size - half)
  end
  return true
end

function take.collection(twin, want, status, body, jobs)
  local state = twin:state()
  if status == 404 then
    state.whole[want.path] = true
    if not want.pages then state.absent[want.path] = { status = 404, body = decoded(body) } end
    return nil
  end
  if status == 400 and not want.plain and not want.pages then -- it does not know pages
    send(twin, { kind = "collection", path = want.path, expand = want.expand, plain = true }, jobs)
    return nil
  end
  local value = status == 200 and decoded(body)
  if not value then return "unexpected" end
  hydrate.items(twin, want.path, value.items, want.expand)
  if want.plain or more_pages(twin, want, value, jobs) then
    state.whole[want.path] = true
    state.names[want.path] = nil
    if want.expand then state.expanded[want.path] = true end
  end
  return nil
end

function take.names(twin, want, status, body)
  local state, found = twin:state(), {}
  if status ~= 404 then
    local value = status == 200 and decoded(body)
    if not value then return "unexpected" end
    for _, item in ipairs(type(value.items) == "table" and value.items or {}) do
      local name = type(item) == "table" and (item.fullPath or item.name)
      if type(name) == "string" then found[names.segment(name)] = true end
    end
  end
  state.names[want.path] = found
  return nil
end

-- What a device's refusal says.
local function message_of(status, body)
  local value = decoded(body)
  local message = value and value.message
  return ("status %d%s"):format(
    status, type(message) == "string" and ", " .. message or ""
  )
end

-- The device answered with something that is neither what was asked for nor that it does not exist.
-- A GET of just that is answered the same; everything else cannot go on.
local function refuse(job, entry, status, body)
  local request = job.make and job.make()
  if
    request and request.method == "GET" and status >= 400
    and request.path == entry.want.path
  then
    job.answer = { status = status, body = decoded(body) or body }
  else
    job.failure = ("GET %s: %s"):format(entry.target, message_of(status, body))
  end
end

--- Takes an answer. status 0: there was none, and the body is the reason; 408: not in time. Returns
--- the jobs that have all that they asked for.
function M.take(number, status, body)
  local entry = asked[number]
  asked[number] = nil
  if not entry then return {} end
  local twin, jobs = entry.twin, entry.jobs
  twin.asking[entry.question] = nil
  twin:state().reads.to = twin.device:now()
  local problem
  if status == TIMED_OUT and not shrink(twin, entry.want, jobs) then
    status = 0
  elseif status ~= 0 and status ~= TIMED_OUT then
    problem = take[entry.want.kind](twin, entry.want, status, body, jobs)
  end
  local done = {}
  for _, job in ipairs(jobs) do
    if status == 0 then
      job.failure = body
    elseif problem then
      refuse(job, entry, status, body)
    end
    job.left = job.left - 1
    if job.left == 0 then done[#done + 1] = job end
  end
  return done
end

return M
