-- Texts in blocks of YAML: | keeps line breaks, > folds them.
local M = {}

-- Joins lines: breaks between lines that are not indented further become spaces.
local function fold(lines)
  local parts, blanks, was_more = {}, 0, true
  for i, line in ipairs(lines) do
    if line == "" then
      blanks = blanks + 1
    else
      local is_more = line:find "^[ \t]" ~= nil
      if i > 1 and #parts > 0 then
        if was_more or is_more then
          parts[#parts + 1] = ("\n"):rep(blanks + 1)
        else
          parts[#parts + 1] = blanks == 0 and " " or ("\n"):rep(blanks)
        end
      else
        parts[#parts + 1] = ("\n"):rep(blanks)
      end
      parts[#parts + 1], blanks, was_more = line, 0, is_more
    end
  end
  return table.concat(parts)
end

-- The lines of the block, without its indentation.
local function lines_of(parser, indent, given)
  local lines, own = {}, given and math.max(indent, 0) + given
  parser.at = parser.at + 1
  while parser.lines[parser.at] do
    local line = parser.lines[parser.at]
    local is_blank = not line.text:find "%S"
    if not is_blank and not own then own = line.indent end
    if not is_blank and (line.indent <= indent or line.indent < own) then break end
    local start = own and own + 1 or #line.raw + 1
    lines[#lines + 1] = is_blank and #line.raw < start and "" or line.raw:sub(start)
    parser.at = parser.at + 1
  end
  return lines
end

--- Reads a block whose head is `|` or `>` with its indicators. `indent`: that of what holds it.
function M.read(parser, head, indent)
  local style, marks, rest = head:match "^([|>])([%d+-]*)(.*)$"
  if rest:find "^%s*[^%s#]" then parser.fail "unexpected text behind a block scalar" end
  local lines = lines_of(parser, indent, tonumber(marks:match "%d"))
  local trailing = 0
  while #lines > 0 and lines[#lines] == "" do
    lines[#lines] = nil
    trailing = trailing + 1
  end
  local text = style == "|" and table.concat(lines, "\n") or fold(lines)
  if marks:find("-", 1, true) then return text end
  if marks:find("+", 1, true) then
    return text .. ("\n"):rep(trailing + (#lines > 0 and 1 or 0))
  end
  return #lines > 0 and text .. "\n" or ""
end

return M
