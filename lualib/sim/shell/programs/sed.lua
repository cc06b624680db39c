-- sed: the commands s, d, p, q, y, a, i, c with addresses; -n, -e, -E, -r, -i.
local common = require "sim.shell.programs.common"
local files = require "sim.shell.files"
local regex = require "sim.shell.regex"

local programs <const> = {}

local function fail(message)
  error({ sed = message }, 0)
end

local Reader <const> = {}
Reader.__index = Reader

function Reader:blank() self.at = self.text:match("^[%s;]*()", self.at) end

function Reader:find(expression, ignore_case)
  local budget = self.budget
  local find, message = regex.compile_find(
    expression, { extended = self.extended, ignore_case = ignore_case },
    function() budget:tick() end
  )
  if not find then fail(message) end
  if not ignore_case then return find end
  return function(line, from) return find(line:lower(), from) end
end

-- The text up to a delimiter that no backslash precedes.
function Reader:part(delimiter)
  local parts = {}
  while true do
    local char = self.text:sub(self.at, self.at)
    if char == "" then fail(("unterminated `%s' command"):format(self.name or "s")) end
    self.at = self.at + 1
    if char == delimiter then return table.concat(parts) end
    if char == "\\" then
      local escaped = self.text:sub(self.at, self.at)
      self.at = self.at + 1
      if escaped == delimiter and not delimiter:find "[(){}|+?.*]" then
        parts[#parts + 1] = escaped
      elseif escaped == "n" then
        parts[#parts + 1] = "\n"
      elseif escaped == "t" then
        parts[#parts + 1] = "\t"
      else
        parts[#parts + 1] = "\\" .. escaped
      end
    else
      parts[#parts + 1] = char
    end
  end
end

-- An address: a line number, $, /expression/; nil if there is none.
function Reader:address()
  local number, after = self.text:match("^(%d+)()", self.at)
  if number then
    self.at = after
    return { line = tonumber(number) }
  end
  local char = self.text:sub(self.at, self.at)
  if char == "$" then
    self.at = self.at + 1
    return { last = true }
  elseif char == "/" then
    self.at = self.at + 1
    local expression = self:part "/"
    local fold = self.text:sub(self.at, self.at) == "I"
    if fold then self.at = self.at + 1 end
    return { find = self:find(expression, fold) }
  end
end

function Reader:substitution(command)
  local delimiter = self.text:sub(self.at, self.at)
  self.at = self.at + 1
  local expression = self:part(delimiter)
  command.replacement = self:part(delimiter)
  local flags, after = self.text:match("^([gpiIe%d]*)()", self.at)
  self.at = after
  command.global, command.print = flags:find "g" ~= nil, flags:find "p" ~= nil
  command.nth = tonumber(flags:match "%d+") or 1
  command.find = self:find(expression, flags:find "[iI]" ~= nil)
end

function Reader:command()
  local command = { from = self:address() }
  if self.text:sub(self.at, self.at) == "," then
    self.at = self.at + 1
    command.to = self:address() or fail "unexpected `,'"
  end
  self.at = self.text:match("^%s*()", self.at)
  if self.text:sub(self.at, self.at) == "!" then
    command.negated = true
    self.at = self.text:match("^!%s*()", self.at)
  end
  command.name = self.text:sub(self.at, self.at)
  self.name = command.name
  self.at = self.at + 1
  if command.name == "s" then
    self:substitution(command)
  elseif command.name == "y" then
    local delimiter = self.text:sub(self.at, self.at)
    self.at = self.at + 1
    command.source, command.target = self:part(delimiter), self:part(delimiter)
  elseif command.name:find "[aic]" and command.name ~= "" then
    local text, after = self.text:match("^%s*\\?\n?([^\n]*)()", self.at)
    command.text, self.at = text, after
  elseif command.name == "{" then
    self.depth = (self.depth or 0) + 1
    if self.depth > 50 then fail "too many levels" end
    command.group = self:commands "}"
    self.depth = self.depth - 1
  elseif not command.name:find "^[dpqn=]$" then
    fail(("unknown command: `%s'"):format(command.name))
  end
  return command
end

function Reader:commands(closing)
  local list = {}
  while true do
    self:blank()
    local char = self.text:sub(self.at, self.at)
    if char == "" then
      if closing then fail "unmatched `{'" end
      return list
    end
    if char == closing then
      self.at = self.at + 1
      return list
    end
    if char == "#" then
      self.at = self.text:find("\n", self.at, true) or #self.text + 1
    else
      list[#list + 1] = self:command()
    end
  end
end

local function at_address(address, run)
  if address.line then return run.number == address.line end
  if address.last then return run.number == run.total end
  return address.find(run.line, 1) ~= nil
end

local function is_meant(command, run)
  if not command.from then return not command.negated end
  local meant
  if not command.to then
    meant = at_address(command.from, run)
  elseif run.active[command] then
    meant = true
    if at_address(command.to, run) or command.to.line and run.number >= command.to.line then
      run.active[command] = nil
    end
  else
    meant = at_address(command.from, run)
    local ends = command.to.line and command.to.line <= run.number
    if meant and not ends then run.active[command] = true end
  end
  return meant ~= (command.negated == true)
end

-- The text that replaces a match: & is the match, \1 a group.
local function filled(replacement, match, groups)
  return (replacement:gsub("(\\?)([&%d\\/.*n]?)", function(escape, char)
    if escape == "" then return char == "&" and match or nil end
    if char == "" then return nil end
    if char == "0" then return match end
    if char:find "%d" then return groups[tonumber(char)] or "" end
    return char == "n" and "\n" or char
  end))
end

local function substitute(command, run)
  local line, parts, at, count, changed = run.line, {}, 1, 0, false
  while at <= #line + 1 do
    local first, last, groups = command.find(line, at)
    if not first then break end
    count = count + 1
    parts[#parts + 1] = line:sub(at, first - 1)
    local match = line:sub(first, last)
    if count >= command.nth and (command.global or count == command.nth) then
      local text = filled(command.replacement, match, groups)
      run.budget:spend(#text + #line)
      parts[#parts + 1] = text
      changed = true
    else
      parts[#parts + 1] = match
    end
    at = last + 1
    if last < first then
      parts[#parts + 1] = line:sub(at, at)
      at = at + 1
    end
    if changed and not command.global then break end
  end
  run.line = table.concat(parts) .. line:sub(at)
  if changed and command.print then run.out(run.line) end
end

local ACTIONS <const> = {
  s = substitute,
  d = function(_, run) run.deleted = true end,
  p = function(_, run) run.out(run.line) end,
  q = function(_, run) run.quit = true end,
  ["="] = function(_, run) run.out(tostring(run.number)) end,
  i = function(command, run) run.out(command.text) end,
  a = function(command, run) run.appended[#run.appended + 1] = command.text end,
  c = function(command, run)
    run.deleted = true
    if not command.to or not run.active[command] then run.out(command.text) end
  end,
  y = function(command, run)
    run.line = run.line:gsub(".", function(char)
      local place = command.source:find(char, 1, true)
      return place and command.target:sub(place, place)
    end)
  end,
  n = function(_, run) run.deleted = true end,
}

local function execute(list, run)
  for _, command in ipairs(list) do
    if run.deleted or run.quit then return end
    run.budget:tick()
    if is_meant(command, run) then
      if command.group then execute(command.group, run) else ACTIONS[command.name](command, run) end
    end
  end
end

local function transformed(shell, list, text, quiet)
  local lines, out = common.lines_of(shell, text), {}
  local run = { budget = shell.budget, active = {}, total = #lines }
  function run.out(line) out[#out + 1] = line .. "\n" end
  for number, line in ipairs(lines) do
    run.number, run.line, run.deleted, run.appended = number, line, false, {}
    execute(list, run)
    if not run.deleted and not quiet then run.out(run.line) end
    for _, appended in ipairs(run.appended) do run.out(appended) end
    if run.quit then break end
  end
  return table.concat(out)
end

local function run_sed(shell, options, scripts, names, io)
  local reader = setmetatable({
    text = table.concat(scripts, "\n"), at = 1, extended = options.E or options.r,
    budget = shell.budget,
  }, Reader)
  local list = reader:commands()
  local status = 0
  if options.i then
    for _, name in ipairs(names) do
      local text = files.read(shell, name)
      if text then
        shell:write_file(shell:path(name), transformed(shell, list, text, options.n))
      else
        io.err(("sed: can't read %s: No such file or directory\n"):format(name))
        status = 2
      end
    end
    return status
  end
  local texts
  texts, status = common.texts_of(shell, "sed", names, io)
  io.out(transformed(shell, list, table.concat(texts), options.n))
  return status ~= 0 and 2 or 0
end

function programs.sed(shell, arguments, io)
  local scripts, rest = {}, {}
  local at = 1
  while arguments[at] do
    if arguments[at] == "-e" or arguments[at] == "--expression" then
      scripts[#scripts + 1], at = arguments[at + 1] or "", at + 1
    elseif arguments[at]:find "^%-i" then
      rest[#rest + 1] = "-i"
    else
      rest[#rest + 1] = arguments[at]
    end
    at = at + 1
  end
  local options, names = common.options(rest, "")
  if #scripts == 0 then scripts[1] = table.remove(names, 1) end
  if not scripts[1] then
    io.err "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n"
    return 1
  end
  local ok, result = pcall(run_sed, shell, options, scripts, names, io)
  if ok then return result end
  if type(result) ~= "table" or not result.sed then error(result, 0) end
  io.err(("sed: -e expression #1, char %d: %s\n"):format(1, result.sed))
  return 1
end

return programs
