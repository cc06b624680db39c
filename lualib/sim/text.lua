-- Cuts the ends of texts. The usual patterns for it ("^%s*(.-)%s*$", "%s+$") look at each blank of
-- a text once for every blank before it: a text of many blanks would stop the device.
local M = {}

--- A text without white space around it.
function M.trim(text)
  return text:find "^%s*$" and "" or text:match "^%s*(.*%S)"
end

--- A text without white space at its end.
function M.trim_end(text)
  return text:match "^(.*%S)" or ""
end

--- A path without slashes at its end.
function M.without_slashes(text)
  return text:match "^(.*[^/])" or ""
end

--- What is after the last slash of a path. ("[^/]*$" looks at each byte of a long name again.)
function M.after_slash(text)
  return text:match "^.*/(.*)$" or text
end

local MONTHS <const> = {
  Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10,
  Nov = 11, Dec = 12,
}

--- "Sun Oct 12 12:43:02 PDT 2025" -> "251012124302"
function M.stamp(date)
  local month <const>, day <const>, hour <const>, minute <const>, second <const>, year <const> =
    (date or ""):match "^%a+ (%a+) +(%d+) (%d+):(%d+):(%d+) %a+ %d%d(%d%d)$"
  if not MONTHS[month] then return nil end
  return ("%s%02d%02d%s%s%s"):format(year, MONTHS[month], tonumber(day), hour, minute, second)
end

return M
