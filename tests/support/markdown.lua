-- The code blocks of a Markdown page.
local M = {}

-- All blocks of a language: { text =, line = of its first line }.
function M.blocks(path, language)
  local found, current = {}, nil
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    local fence <const> = line:match "^%s*```(%a*)%s*$"
    if fence and current then
      if current.language == language then
        found[#found + 1] = { text = table.concat(current, "\n") .. "\n", line = current.line }
      end
      current = nil
    elseif fence then
      current = { language = fence, line = number + 1 }
    elseif current then
      current[#current + 1] = line
    end
  end
  assert(not current, path .. ": a block does not end")
  return found
end

return M
