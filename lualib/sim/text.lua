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

return M
