-- Files that match a pattern: `*` and `?` within a name, `[…]`, and `**` for any number of
-- directories. A directory means all files below it. Names that start with a dot need a pattern
-- that starts with a dot. The result is sorted.
local bundle = require "f5.bundle"

local function name_pattern(glob)
  local out, at = { "^" }, 1
  while at <= #glob do
    local char = glob:sub(at, at)
    local set, stop = glob:match("^%[(!?[^%]]+)%]()", at)
    if set then
      out[#out + 1] = "[" .. set:gsub("^!", "^"):gsub("%%", "%%%%") .. "]"
      at = stop
    else
      out[#out + 1] = char == "*" and ".*" or char == "?" and "." or char:gsub("%p", "%%%0")
      at = at + 1
    end
  end
  out[#out + 1] = "$"
  return table.concat(out)
end

local function join(directory, name)
  if directory == "" then return name end
  return directory:sub(-1) == "/" and directory .. name or directory .. "/" .. name
end

-- Calls visit(name, kind) for each entry of a directory, without hidden names. `way` holds the
-- directories above: a link to one of them is not followed.
local function within(directory, way, visit)
  local real = bundle.real_path(directory) or directory
  if way[real] then return end
  way[real] = true
  for _, name in ipairs(bundle.list(directory) or {}) do
    if name:sub(1, 1) ~= "." then visit(name, bundle.file_type(join(directory, name))) end
  end
  way[real] = nil
end

-- All files below a directory.
local function below(directory, found, way)
  within(directory, way, function(name, kind)
    local path = join(directory, name)
    if kind == "directory" then
      below(path, found, way)
    elseif kind == "file" then
      found[#found + 1] = path
    end
  end)
end

-- The names that match a part of a pattern. If a file is called `a[1].txt`, the pattern `a[1].txt`
-- finds it, although it does not match as a pattern.
local function named(names, part)
  local pattern, hidden = name_pattern(part), part:sub(1, 1) == "."
  local found, exact = {}, false
  for _, name in ipairs(names) do
    if name:find(pattern) then
      if hidden or name:sub(1, 1) ~= "." then found[#found + 1] = name end
    elseif name == part then
      exact = true
    end
  end
  if not exact then return found end
  if found[1] then
    error(
      (
        "'%s' is the name of a file and also a pattern that matches '%s'; "
        .. "write [[] for a bracket"
      ):format(part, found[1]),
      0
    )
  end
  return { part }
end

local function expand(directory, parts, at, found, way)
  local part = parts[at]
  if not part then
    local kind = bundle.file_type(directory)
    if kind == "directory" then
      below(directory, found, way)
    elseif kind == "file" then
      found[#found + 1] = directory
    end
    return
  end
  if part == "**" then
    if parts[at + 1] then expand(directory, parts, at + 1, found, {}) end
    within(directory == "" and "." or directory, way, function(name, kind)
      local path = join(directory, name)
      if kind == "directory" then
        expand(path, parts, at, found, way)
      elseif kind == "file" and not parts[at + 1] then
        found[#found + 1] = path
      end
    end)
  elseif part:find "[%*%?%[]" then
    for _, name in ipairs(named(bundle.list(directory == "" and "." or directory) or {}, part)) do
      expand(join(directory, name), parts, at + 1, found, {})
    end
  else
    expand(join(directory, part), parts, at + 1, found, {})
  end
end

---Returns the files that a pattern matches, as paths that start with `directory` (an absolute
---pattern: as it is). Raises a message if a pattern with [ is the name of one file and also matches
---others.
return function(directory, pattern)
  local parts, found, seen = {}, {}, {}
  for part in pattern:gmatch "[^/]+" do parts[#parts + 1] = part end
  expand(pattern:sub(1, 1) == "/" and "/" or directory, parts, 1, found, {})
  table.sort(found)
  local unique = {}
  for _, path in ipairs(found) do
    if not seen[path] then unique[#unique + 1] = path end
    seen[path] = true
  end
  return unique
end
