-- Drives the console in a terminal and draws what the screen shows then: picture.lua OUT.svg
local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = here .. "/?.lua;" .. package.path
local terminal = require "terminal"

local COLUMNS <const>, ROWS <const> = 96, 33
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

-- What is there before the picture begins.
local PREPARE <const> = {
  'for i, name in ipairs { "web", "shop", "mail", "intranet" } do bip.ltm.pool:create { name = '
    .. 'name, monitor = "/Common/http",'
    .. ' members = { "10.0." .. i .. ".1:80", "10.0." .. i .. ".2:80" } } end',
  'for _, name in ipairs { "vs_web", "vs_shop" } do bip.ltm.virtual:create { name = name, '
    .. 'destination = "192.0.2." .. #name .. ":443",'
    .. ' pool = name:gsub("vs_", "/Common/"), ipProtocol = "tcp" } end',
}

local function record()
  local screen <close> = terminal.start({ "console", "--sim" }, { columns = COLUMNS, rows = ROWS })
  local prompt <const> = "bigip1 %(active%)>"
  screen:expect(prompt .. "$")
  for _, entry in ipairs(PREPARE) do
    screen:enter(entry)
    os.execute "sleep 0.6"
  end
  screen:key "C-l"
  os.execute "sleep 0.3"
  screen:enter 'bip.ltm.pool:list { select = { "fullPath", "monitor", "loadBalancingMode" } }'
  screen:expect "4 items"
  screen:type "local web = bip.ltm.pool['/Common/w"
  screen:key "Tab"
  screen:expect "web'%]"
  screen:key "Enter"
  screen:type "web:modify { loadBalancingMode = 'least-"
  screen:key "Tab"
  screen:expect "least%-sessions"
  screen:type "sess"
  screen:key "Tab"
  screen:enter " }.loadBalancingMode"
  screen:expect '\n"least%-sessions"'
  screen:enter "for member in web.members:each() do"
  screen:enter "print(member.fullPath, member.session) end"
  screen:expect "10.0.1.2:80"
  screen:enter "web:stats()['serverside.curConns']"
  screen:expect "\n0\n"
  screen:enter "bip.ltm.pool['/Common/nope']:load()"
  screen:expect "hint"
  screen:type "bip.ltm.virtual['/Common/vs_"
  screen:key "Tab"
  screen:expect "vs_shop"
  return screen.painted()
end

local function escape(text) return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;")) end

-- A line of the screen as spans of one style each.
local function spans(line)
  local list, style = {}, {}
  local at = 1
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
  return list
end

local function draw(screen)
  local lines = {}
  for line in screen:gsub("%s+$", ""):gmatch "[^\n]*" do lines[#lines + 1] = line end
  local width, height = COLUMNS * CELL_WIDTH + 2 * MARGIN, #lines * LINE_HEIGHT + 2 * MARGIN
  local out = {
    (
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" '
        .. 'role="img" aria-label="%s">'
    ):format(
      width, height, width, height, "The console: completion, tables and errors"),
    ('<rect width="100%%" height="100%%" rx="8" fill="%s"/>'):format(BACKGROUND),
    (
      '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="%s" '
        .. 'xml:space="preserve">'
    ):format(
      TEXT
    ),
  }
  for i, line in ipairs(lines) do
    local column, y = 0, MARGIN + i * LINE_HEIGHT - 5
    for _, span in ipairs(spans(line)) do
      local length = utf8.len(span.text) or #span.text
      if span.text:find "%S" then
        -- textLength keeps the columns where they are, whatever the font's own width
        out[#out + 1] = ('<text x="%.2f" y="%d" textLength="%.2f"%s%s>%s</text>'):format(
          MARGIN + column * CELL_WIDTH,
          y,
          length * CELL_WIDTH,
          span.style.bold and ' font-weight="bold"' or "",
          span.style.colour and (' fill="%s"'):format(span.style.colour) or "",
          escape(span.text)
        )
      end
      column = column + length
    end
  end
  out[#out + 1] = "</g></svg>\n"
  return table.concat(out, "\n")
end

local file <close> = assert(io.open(arg[1], "w"))
file:write(draw(record()))
