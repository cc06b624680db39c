-- Draws what a terminal shows as SVG.
local M = {}

local CELL_WIDTH <const>, LINE_HEIGHT <const>, MARGIN <const> = 8.43, 18, 16
local COLOURS <const> = {
  [31] = "#e06c75",
  [32] = "#98c379",
  [33] = "#e5c07b",
  [34] = "#61afef",
  [35] = "#c678dd",
  [36] = "#56b6c2",
}
local BACKGROUND <const>, TEXT <const>, DIM <const> = "#1e222a", "#d7dae0", "#7f8694"

local function escape(text) return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;")) end

-- A line of the screen as spans of one style each. The screen says only what changes, so the style
-- at the end of a line is that of the next one.
local function spans(line, style)
  local list, at = {}, 1
  while at <= #line do
    local codes, behind = line:match("^\27%[([%d;]*)m()", at)
    if codes then
      for code in (codes == "" and "0" or codes):gmatch "%d+" do
        code = tonumber(code)
        if code == 0 then
          style = {}
        elseif code == 1 then
          style = { bold = true, colour = style.colour }
        elseif code == 2 then
          style = { bold = style.bold, colour = DIM }
        elseif COLOURS[code] then
          style = { bold = style.bold, colour = COLOURS[code] }
        elseif code == 39 then
          style = { bold = style.bold }
        end
      end
      at = behind
    else
      local text, stop = line:match("^([^\27]+)()", at)
      if not text then text, stop = "", line:match("^\27[^%a]*%a?()", at) end
      list[#list + 1] = { text = text, style = style }
      at = stop
    end
  end
  return list, style
end

--- Draws what a terminal shows.
-- @param screen string: lines with escape sequences
-- @param columns integer: of the terminal
-- @param label string: what the picture shows, in words
-- @return string: SVG
function M.draw(screen, columns, label)
  local lines = {}
  for line in screen:gsub("%s+$", ""):gmatch "[^\n]*" do lines[#lines + 1] = line end
  local width, height = columns * CELL_WIDTH + 2 * MARGIN, #lines * LINE_HEIGHT + 2 * MARGIN
  local out = {
    (
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" '
        .. 'role="img" aria-label="%s">'
    ):format(
      width, height, width, height, escape(label)),
    ('<rect width="100%%" height="100%%" rx="8" fill="%s"/>'):format(BACKGROUND),
    (
      '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="%s">'
    ):format(
      TEXT
    ),
  }
  local style = {}
  for i, line in ipairs(lines) do
    local column, y = 0, MARGIN + i * LINE_HEIGHT - 5
    local parts
    parts, style = spans(line, style)
    for _, span in ipairs(parts) do
      local length = utf8.len(span.text) or #span.text
      if span.text:find "%S" then
        -- textLength keeps the columns where they are, whatever the font's own width
        out[#out + 1] = ('<text x="%.2f" y="%d" textLength="%.2f"%s%s>%s</text>'):format(
          MARGIN + column * CELL_WIDTH,
          y,
          length * CELL_WIDTH,
          span.style.bold and ' font-weight="bold"' or "",
          span.style.colour and (' fill="%s"'):format(span.style.colour) or "",
          -- a browser may make one of several spaces
          (escape(span.text):gsub(" ", "\u{A0}"))
        )
      end
      column = column + length
    end
  end
  out[#out + 1] = "</g></svg>\n"
  return table.concat(out, "\n")
end

return M
