-- The parts of a playbook: its modules, found as `require` would find them, and the files of
-- --include.
local bundle = require "f5.bundle"
local host = require "f5.host"
local glob = require "build.glob"
local lexer = require "build.lexer"
local whole = require "f5.whole"

local M = {}

local STANDARD <const> = {
  _G = true, package = true, coroutine = true, table = true, io = true, os = true, string = true,
  math = true, utf8 = true, debug = true,
}

local EMBEDDED <const> = {}
for _, name in ipairs(host.modules()) do EMBEDDED[name] = true end

local function is_runtime(name) return name == "f5" or name:find "^f5%." ~= nil end

local function in_program(name)
  return STANDARD[name] or EMBEDDED[name] or package.preload[name] ~= nil
end

local function read(path)
  if bundle.file_type(path) == "directory" then return nil, "is a directory" end
  local file, message = io.open(path, "rb")
  if not file then return nil, message:match ": (.*)$" or message end
  local text, why = whole(file)
  file:close()
  if not text then return nil, "cannot be read: " .. why end
  return text
end

---Calls found(kind, value, line) for each `require` and `f5.asset` of a text. The kind is "require"
---or "optional" (under pcall) with the name, "computed" if the name is unknown, or "asset" with the
---name.
function M.scan(text, found)
  local tokens = lexer.list(text)
  local function is(i, value)
    return tokens[i] and tokens[i].value == value and tokens[i].kind ~= "string"
  end
  local function is_string(i) return tokens[i] and tokens[i].kind == "string" end
  -- The token after the string decides whether the string is the whole argument: `"a" .. b` is not.
  local function literal_call(i)
    if is_string(i) then return tokens[i].value end
    if is(i, "(") and is_string(i + 1) and is(i + 2, ")") then return tokens[i + 1].value end
  end
  for i, token in ipairs(tokens) do
    if
      token.kind == "name" and token.value == "require"
      and not (is(i - 1, ":") or is(i - 1, "function"))
    then
      local field = is(i - 1, ".") -- _G.require is it, any other field is somebody's own
      if not field or is(i - 2, "_G") or is(i - 2, "_ENV") then
        local name = literal_call(i + 1)
        if name then
          found("require", name, token.line)
        elseif is(i + 1, ",") and (is(i - 1, "(") and is(i - 2, "pcall")) then
          if is_string(i + 2) and is(i + 3, ")") then
            found("optional", tokens[i + 2].value, token.line)
          else
            found("computed", nil, token.line)
          end
        elseif not is(i + 1, "=") then
          found("computed", nil, token.line)
        end
      end
    elseif
      token.kind == "name" and token.value == "asset" and is(i - 1, ".") and is(i - 2, "f5")
    then
      local name = literal_call(i + 1)
      if name then found("asset", name, token.line) end
    end
  end
end

local function compile(source, shown)
  if source:sub(1, 1) == "\27" then return nil, shown .. ": is bytecode; give the source" end
  local text = source:gsub("^\xEF\xBB\xBF", ""):gsub("^#[^\r\n]*", "")
  local chunk, message = load(text, "@" .. shown, "t")
  return chunk, message
end

-- The file of a module: path; or nil and the paths that were tried; or only nil if it is part of
-- f5lua.
local function find(name, search_path)
  local path = package.searchpath(name, search_path)
  if path then return path end
  if not is_runtime(name) and in_program(name) then return nil end
  local everywhere = search_path .. ";" .. package.path
  return package.searchpath(name, everywhere)
end

local function relative(path, directory)
  local real = bundle.real_path(path)
  local base = bundle.real_path(directory)
  if real and base then
    base = base == "/" and base or base .. "/"
    if real:sub(1, #base) == base then return real:sub(#base + 1) end
  end
  return path:match "[^/]*$"
end

-- "a/b.lua" is the module "a.b", "a/init.lua" the module "a". Nil if `require` cannot name it.
local function module_name(file)
  local stem = file:match "^(.*)%.lua$"
  if not stem or stem:find "[^%w_/%-]" then return nil end
  return (stem:gsub("/init$", ""):gsub("/", "."))
end

---Finds the parts of a playbook. Options: include (patterns), allow_disk. Returns entries { kind,
---name, contents, path }, warnings and errors (arrays of text). The playbook comes first.
function M.resolve(playbook, options)
  local entries, warnings, errors = {}, {}, {}
  local modules, assets, wanted_assets = {}, {}, {}
  local directory = playbook:match "^(.*)/[^/]*$" or "."
  local place = directory == "" and "/" or directory .. "/"
  local search_path = place .. "?.lua;" .. place .. "?/init.lua"
  local function warn(...) warnings[#warnings + 1] = string.format(...) end
  local function fail(...) errors[#errors + 1] = string.format(...) end

  local add_module
  local function follow(source, shown)
    local ok, problem = pcall(M.scan, source, function(kind, name, line)
      if kind == "computed" then
        warn(
          "%s:%d: the name in this `require` is computed; "
            .. "if it is one of your files, add it with --include",
          shown,
          line
        )
      elseif kind == "asset" then
        wanted_assets[#wanted_assets + 1] = { name = name, at = shown .. ":" .. line }
      else
        add_module(name, shown .. ":" .. line, kind == "optional")
      end
    end)
    if not ok then
      if type(problem) ~= "table" then error(problem, 0) end
      fail("%s:%d: %s", shown, problem.line, problem.message)
    end
  end

  local function add(kind, name, path, contents)
    entries[#entries + 1] = { kind = kind, name = name, path = path, contents = contents }
  end

  local function add_source(kind, name, path, shown)
    local source, reason = read(path)
    if not source then return fail("cannot read '%s': %s", path, reason) end
    local chunk, message = compile(source, shown)
    if not chunk then return fail("%s", message) end
    add(kind, name, path, source)
    follow(source, shown)
  end

  function add_module(name, at, optional)
    if modules[name] or (is_runtime(name) and in_program(name)) then return end
    local path, tried = find(name, search_path)
    if path then
      modules[name] = true
      add_source("module", name, path, path)
    elseif tried then
      local c_module = package.searchpath(name, package.cpath)
      if c_module then
        tried = ("\n\tit is a C module, %s, which cannot be packed"):format(c_module)
      end
      tried = tried:gsub("^\n?\t?", "\n\t")
      modules[name] = true
      if optional or options.allow_disk then
        warn("%s: module '%s' is not packed:%s", at, name, tried)
      else
        fail("%s: module '%s' not found:%s", at, name, tried)
      end
    end
  end

  local function add_file(path)
    local name = relative(path, directory)
    if assets[name] then
      if assets[name] ~= bundle.real_path(path) then
        fail("'%s' and '%s' would both be '%s' in the program", assets[name], path, name)
      end
      return
    end
    local contents, reason = read(path)
    if not contents then return fail("cannot read '%s': %s", path, reason) end
    assets[name] = bundle.real_path(path)
    add("asset", name, path, contents)
    local module = module_name(name)
    if module and not modules[module] and compile(contents, path) then
      modules[module] = true
      add("module", module, path, contents)
      follow(contents, path)
    end
  end

  add_source("main", playbook:match "[^/]*$", playbook, playbook)
  if #entries == 0 then return entries, warnings, errors end
  for _, pattern in ipairs(options.include or {}) do
    local ok, files = pcall(glob, directory == "." and "" or directory, pattern)
    if ok and #files == 0 then ok, files = pcall(glob, "", pattern) end
    if not ok then
      fail("--include %s: %s", pattern, tostring(files))
      files = {}
    elseif #files == 0 then
      fail("--include %s: no file matches, here or relative to the playbook", pattern)
    end
    for _, path in ipairs(files) do
      add_file(path)
    end
  end
  for _, wanted in ipairs(wanted_assets) do
    if not assets[wanted.name] then
      warn("%s: the file '%s' is not in the program; add it with --include", wanted.at, wanted.name)
    end
  end
  return entries, warnings, errors
end

M.compile = compile
return M
