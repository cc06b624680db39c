-- What programs of the shell share.
local files = require "sim.shell.files"

local M = {}

--- Splits arguments into options of one letter and the rest.
function M.split(arguments)
  local flags, rest = {}, {}
  for _, argument in ipairs(arguments) do
    if argument:find "^%-%a+$" and #rest == 0 then
      for flag in argument:sub(2):gmatch "." do flags[flag] = true end
    else
      rest[#rest + 1] = argument
    end
  end
  return flags, rest
end

--- The options of a program: `with` has the letters that take a value ("n" for head -n 3). Returns
--- the values (true for options without one), and the other arguments.
function M.options(arguments, with)
  local options, rest = {}, {}
  local i, open = 1, true
  while arguments[i] do
    local argument = arguments[i]
    if open and argument == "--" then
      open = false
    elseif open and argument:find "^%-%-%a" then
      local name, value = argument:match "^%-%-([^=]+)=?(.*)$"
      options[name] = value ~= "" and value or true
    elseif open and argument:find "^%-%w" then
      local at = 2
      while at <= #argument do
        local letter = argument:sub(at, at)
        at = at + 1
        if with:find(letter, 1, true) then
          local value = argument:sub(at)
          if value == "" then
            i = i + 1
            value = arguments[i] or ""
          end
          options[letter], at = value, #argument + 1
        else
          options[letter] = true
        end
      end
    else
      rest[#rest + 1] = argument
    end
    i = i + 1
  end
  return options, rest
end

--- The texts of the named files, or the input. Reports files that do not exist.
function M.texts_of(shell, name, wanted, io)
  if #wanted == 0 then return { io.input }, 0 end
  local texts, status = {}, 0
  for _, file in ipairs(wanted) do
    local text = file == "-" and io.input or files.read(shell, file)
    if text then
      texts[#texts + 1] = text
    else
      io.err(
        ("%s: %s: %s\n"):format(
          name,
          file,
          shell:is_directory(shell:path(file)) and "Is a directory" or "No such file or directory"
        )
      )
      status = 1
    end
  end
  return texts, status
end

--- The lines of a text.
function M.lines_of(shell, text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n?" do
    lines[#lines + 1] = line
    if #lines % 4096 == 0 then shell.budget:tick() end
  end
  if lines[#lines] == "" then lines[#lines] = nil end
  return lines
end

return M
