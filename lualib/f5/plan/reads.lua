-- What a plan depends on, apart from the objects that it writes: what the playbook has read, and
-- what the checks of its writes have looked at. A plan holds digests, and `apply` compares them.
--
-- An entry of a plan: path, digest, and
--   collection  true: all objects of a collection
--   expand      true: with what is inside of the objects
--   about       array of words: only the objects that mention one of them count, and where
--   select      array: only these properties count
--   partition, folder   only the objects there count
--   exists      true or false: only whether there is an object counts
--   range       a part of a file; `line` of the script downloads it
-- An entry with `command` is what a command printed; it is not run again.

local clean = require "f5.state.clean"
local core = require "f5.core"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local State = require "f5.state.state"

local M = {}

local CANONICAL <const> = { sort = true }

-- Instead of a digest: the device has nothing at this path, or something.
M.MISSING = "missing"
local EXISTS <const> = "exists"

-- -- digests --------------------------------------------------------------------------------------

local function plain_path(path) return (path:gsub("%?.*", "")) end

local function kind_of(path, body)
  return body and type(body.kind) == "string" and not body.kind:find "collectionstate$"
    and kinds.of_body(body) or State.kind_of(plain_path(path))
end

-- Whether a text contains a word, and not only as a part of a longer one.
local function contains(text, word)
  local from = 1
  while true do
    local first, last = text:find(word, from, true)
    if not first then return false end
    local before, after = text:sub(first - 1, first - 1), text:sub(last + 1, last + 1)
    if (first == 1 or word:find "^/" or not before:find "[%w_.-]") and not after:find "[%w_-]" then
      return true
    end
    from = first + 1
  end
end

-- Adds "place=value" for each value in a body that mentions one of the words.
local function add_mentions(value, words, place, out)
  if type(value) == "table" then
    for key, item in pairs(value) do
      local at = math.type(key) and "[]" or tostring(key)
      add_mentions(item, words, place .. "." .. at, out)
    end
    return
  end
  local text = tostring(value)
  for _, word in ipairs(words) do
    if contains(text, word) then
      out[#out + 1] = place .. "=" .. text
      return
    end
  end
end

local function is_in(body, read)
  if not read.partition or body.partition == nil then return true end
  if body.partition ~= read.partition then return false end
  local below = body.subPath or ""
  return not read.folder or below == read.folder
    or below:sub(1, #read.folder + 1) == read.folder .. "/"
end

-- What counts of an object, as text; nil: nothing.
local function text_of(kind, body, read)
  if not is_in(body, read) then return nil end
  local chosen = body
  if read.select then
    chosen = {}
    for _, name in ipairs(read.select) do chosen[name] = body[name] end
  end
  local cleaned = clean.object(kind, chosen)
  if not read.about then return json.encode(cleaned, CANONICAL) end
  cleaned.fullPath = chosen.fullPath -- `clean` leaves it out where it follows from others
  local mentions = {}
  add_mentions(cleaned, read.about, "", mentions)
  if #mentions == 0 then return nil end
  table.sort(mentions)
  return json.encode { chosen.fullPath or chosen.name or "", mentions }
end

--- The digest of an answer: of what counts of it, without what changes by itself.
-- @param read table: an entry
-- @param answer the decoded answer; nil: the device has nothing there
function M.digest(read, answer)
  if answer == nil then return M.MISSING end
  if type(answer) ~= "table" then return core.sha256(json.encode(answer)) end
  local items = answer.items
  if not read.collection and type(items) ~= "table" then
    return core.sha256(text_of(kind_of(read.path, answer), answer, read) or "")
  end
  local kind = read.collection and State.kind_of(plain_path(read.path))
    or kind_of(read.path, answer)
  local texts = {}
  for _, item in ipairs(type(items) == "table" and items or {}) do
    texts[#texts + 1] = text_of(kind, item, read)
  end
  table.sort(texts)
  return core.sha256(table.concat(texts, "\n"))
end

-- -- from the twin to the plan --------------------------------------------------------------------

local KEPT <const> = { "collection", "expand", "about", "select", "partition", "folder", "range" }

-- A larger file is not read again.
local MAX_FILE <const> = 64 << 20

-- The line that downloads the file at a path.
local function line_of(device, path)
  local name = path:match "([^/]+)$"
  for _, one in ipairs(device.downloads) do
    if State.canonical(one.name) == name then return one.line end
  end
  return nil
end

local function entry_of(read)
  local entry = { path = read.path, exists = read.exists }
  for _, name in ipairs(KEPT) do entry[name] = read[name] end
  if read.range then
    entry.digest = read.digest or M.MISSING
  elseif read.exists ~= nil then
    entry.digest = read.exists and EXISTS or M.MISSING
  else
    entry.digest = M.digest(read, read.body)
  end
  return entry
end

--- The entries of a plan.
-- @param device f5.plan.checked_device
-- @param objects table<string, table>: what the plan writes, which is compared by itself
-- @return array of entries
-- @return array of { line, what, reason }: what the plan depends on, but `apply` does not look at
function M.of(device, objects)
  local reads, unwatched, large = json.array {}, json.array {}, {}
  for _, read in ipairs(device.twins:reads(device.index)) do
    local written = not read.collection and objects[State.canonical(plain_path(read.path))]
    local line = read.range and line_of(device, read.path) or nil
    if read.range and read.total and read.total > MAX_FILE then
      if not large[read.path] then
        unwatched[#unwatched + 1] = {
          line = line or "", what = "GET " .. read.path,
          reason = ("a file of %d MiB is not read again"):format(read.total >> 20),
        }
      end
      large[read.path] = true
    elseif not read.volatile and not written then
      local entry = entry_of(read)
      entry.line, reads[#reads + 1] = line, entry
    end
  end
  for _, command in ipairs(device.commands) do
    reads[#reads + 1] = { line = command.line, command = command.command, digest = command.digest }
    unwatched[#unwatched + 1] = {
      line = command.line, what = command.command, reason = "a command is not run again",
    }
  end
  return reads, unwatched
end

-- -- from the plan to the device ------------------------------------------------------------------

-- Objects in a page; expanded ones are large.
local PAGE <const>, EXPANDED_PAGE <const>, SMALLEST_PAGE <const> = 500, 50, 5

local function is(problem, kind) return type(problem) == "table" and problem.kind == kind end

local function get(session, path)
  local ok, answer = pcall(session.request, session, "GET", path)
  if ok then return answer end
  if is(answer, "not_found") then return nil end
  error(answer, 0)
end

-- All objects of a collection, in pages that become smaller if the device is slow; nil if it has no
-- such collection.
local function get_all(session, read)
  local size, items = read.expand and EXPANDED_PAGE or PAGE, {}
  local query = read.expand and "?expandSubcollections=true" or ""
  while true do
    local page = ("%s%s$top=%d&$skip=%d"):format(query, query == "" and "?" or "&", size, #items)
    local ok, answer = pcall(get, session, read.path .. page)
    if not ok and is(answer, "timeout") and size > SMALLEST_PAGE then
      size = math.max(size // 2, SMALLEST_PAGE)
    elseif not ok and is(answer, "invalid") and #items == 0 then
      return get(session, read.path .. query) -- it does not know pages
    elseif not ok then
      error(answer, 0)
    elseif answer == nil then
      return #items > 0 and { items = items } or nil
    else
      local got = type(answer.items) == "table" and answer.items or {}
      table.move(got, 1, #got, #items + 1, items)
      local total = math.tointeger(answer.totalItems)
      if #got == 0 or not total or #items >= total then return { items = items } end
    end
  end
end

local function get_part(session, read)
  local answer = session:request("GET", read.path, {
    raw = true, headers = { ["Content-Range"] = read.range },
  })
  if answer.status == 404 then return M.MISSING end
  if answer.status ~= 200 then
    error(core.error_new {
      kind = "http", status = answer.status, method = "GET", path = read.path,
      message = ("the file cannot be read: status %d"):format(answer.status),
    }, 0)
  end
  return core.sha256(answer.body)
end

--- Whether a device still has what an entry of a plan says.
function M.holds(session, read)
  if read.range then return get_part(session, read) == read.digest end
  if read.exists ~= nil then
    return (get(session, read.path) ~= nil and EXISTS or M.MISSING) == read.digest
  end
  if read.collection then return M.digest(read, get_all(session, read)) == read.digest end
  local path = read.path
  if read.expand then path = path .. "?expandSubcollections=true" end
  return M.digest(read, get(session, path)) == read.digest
end

return M
