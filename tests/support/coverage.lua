-- Checks that docs/coverage.md and the specs agree:
--   f5lua tests/support/coverage.lua docs/coverage.md [--complete | --update]
-- Each spec of a row must exist and hold a describe("ID …"); each such spec must be in its row.
-- A row without a spec must be marked as open. With --complete no row may be open; --update writes
-- the specs that exist, or "open", into the rows.

-- How many rows there are of each letter: a row that was deleted by mistake is noticed.
local LAST <const> = { P = 8, G = 46, S = 9, D = 4, Q = 3, E = 8 }
local ID <const> = "[PGSDQE]%d+"
local FOLDERS <const> = { "client", "device", "program" }

local problems = {}
local function complain(...) problems[#problems + 1] = string.format(...) end

local function read(path)
  local file <close> = assert(io.open(path, "r"))
  return file:read "a"
end

local function spec_files()
  local files = {}
  for _, folder in ipairs(FOLDERS) do
    local list <close> = assert(io.popen("ls tests/spec/" .. folder .. "/*_spec.lua"))
    for path in list:lines() do files[#files + 1] = path end
  end
  assert(files[1], "no specs found; run this in the project's directory")
  return files
end

-- file -> id -> true, and id -> list of files
local function find_specs()
  local found, specs_of = {}, {}
  for _, path in ipairs(spec_files()) do
    found[path] = {}
    for id in read(path):gmatch('describe%(%s*"(' .. ID .. ") ") do
      if not found[path][id] then
        specs_of[id] = specs_of[id] or {}
        table.insert(specs_of[id], path)
      end
      found[path][id] = true
    end
  end
  return found, specs_of
end

-- The text with the specs that exist in each row.
local function updated(text, specs_of)
  return (
    text:gsub("(| (" .. ID .. ") |[^\n]*|)[^|\n]*|(\n)", function(row, id, line_end)
      local specs <const> = specs_of[id] and table.concat(specs_of[id], ", ") or "open"
      return ("%s %s |%s"):format(row, specs, line_end)
    end)
  )
end

-- id -> { file name = true }, empty if open; and the ids in order
local function read_rows(text)
  local rows, order = {}, {}
  for line in text:gmatch "[^\n]+" do
    local id <const>, specs <const> = line:match("^| (" .. ID .. ") |.*|([^|]*)|$")
    if id then
      if rows[id] then complain("%s has two rows", id) end
      rows[id] = {}
      order[#order + 1] = id
      for file in specs:gmatch "[^%s,]+" do
        if file ~= "open" then rows[id][file] = true end
      end
      if not specs:find "%S" then complain(
        "the row of %s has no spec and is not marked as open", id
      ) end
    end
  end
  for letter, last in pairs(LAST) do
    for number = 1, last do
      if not rows[letter .. number] then complain("%s%d has no row", letter, number) end
    end
  end
  return rows, order
end

local function compare(rows, found)
  for path, ids in pairs(found) do
    for id in pairs(ids) do
      if not rows[id] then
        complain("%s describes %s, which has no row", path, id)
      elseif not rows[id][path] then
        complain("the row of %s does not name %s (--update adds it)", id, path)
      end
    end
  end
  for id, paths in pairs(rows) do
    for path in pairs(paths) do
      if not found[path] then
        complain("the row of %s names %s, which does not exist", id, path)
      elseif not found[path][id] then
        complain('%s has no describe("%s …")', path, id)
      end
    end
  end
end

local page <const>, mode <const> = arg[1], arg[2]
local found <const>, specs_of <const> = find_specs()
local text = read(page)
if mode == "--update" then
  text = updated(text, specs_of)
  local file <close> = assert(io.open(page, "w"))
  file:write(text)
end

local rows <const>, order <const> = read_rows(text)
compare(rows, found)

local open = {}
for _, id in ipairs(order) do
  if not next(rows[id]) then open[#open + 1] = id end
end
local open_ids <const> = table.concat(open, " ")
if mode == "--complete" and open[1] then complain("open: %s", open_ids) end

table.sort(problems)
for _, problem in ipairs(problems) do io.stderr:write("coverage: ", problem, "\n") end
print(
  ("%d of %d rows are covered%s"):format(
    #order - #open, #order,
    open[1] and "; open: " .. open_ids or ""
  )
)
os.exit(#problems == 0)
