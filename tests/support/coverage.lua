-- Whether docs/coverage.md and the specs agree: f5lua tests/support/coverage.lua docs/coverage.md
-- [--complete | --update] Each row's spec must exist and hold a describe("ID …"), each such spec
-- must be in its row. With --complete no row may be open;
-- --update writes the specs that are there into the rows.

local function read(path)
  local file = io.open(path, "r")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

local problems = {}
local function complain(...) problems[#problems + 1] = string.format(...) end

-- Specs: file -> id -> true, and id -> list of files.
local found, specs_of = {}, {}
for path in io.popen("ls tests/spec/*_spec.lua tests/e2e/*_spec.lua"):lines() do
  found[path] = {}
  for id in assert(read(path)):gmatch 'describe%(%s*"([PG]%d+) ' do
    if not found[path][id] then
      specs_of[id] = specs_of[id] or {}
      table.insert(specs_of[id], path)
    end
    found[path][id] = true
  end
end

local text = assert(read(arg[1]), "cannot read " .. arg[1])
if arg[2] == "--update" then
  text = text:gsub(
    "(| ([PG]%d+) |[^\n]*|)[^|\n]*|(\n)",
    function(row, id, line_end)
      return row
        .. (specs_of[id] and " " .. table.concat(specs_of[id], ", ") or "") .. " |" .. line_end
    end
  )
  local file <close> = assert(io.open(arg[1], "w"))
  file:write(text)
end

-- Rows: id -> { file names }
local rows, order = {}, {}
for line in text:gmatch "[^\n]+" do
  local id, specs = line:match "^| ([PG]%d+) |.*|([^|]*)|$"
  if id then
    if rows[id] then complain("%s stands there twice", id) end
    rows[id] = {}
    order[#order + 1] = id
    for file in specs:gmatch "[^%s,]+" do rows[id][file] = true end
  end
end
for letter, last in pairs { P = 8, G = 46 } do
  for number = 1, last do
    if not rows[letter .. number] then complain("%s%d has no row", letter, number) end
  end
end

for path, ids in pairs(found) do
  for id in pairs(ids) do
    if not rows[id] then
      complain("%s describes %s, which is no row", path, id)
    elseif not rows[id][path] then
      complain("the row of %s does not name %s (--update does it)", id, path)
    end
  end
end

local covered, open = 0, {}
for _, id in ipairs(order) do
  if next(rows[id]) then covered = covered + 1 else open[#open + 1] = id end
  for path in pairs(rows[id]) do
    if not found[path] then
      complain("the row of %s names %s, which is not there", id, path)
    elseif not found[path][id] then
      complain('%s has no describe("%s …")', path, id)
    end
  end
end
if arg[2] == "--complete" and open[1] then complain("open: %s", table.concat(open, " ")) end

for _, problem in ipairs(problems) do
  io.stderr:write("coverage: ", problem, "\n")
end
print(
  ("%d of %d rows are covered%s"):format(
    covered,
    #order,
    open[1] and "; open: " .. table.concat(open, " ") or ""
  )
)
os.exit(#problems == 0)
