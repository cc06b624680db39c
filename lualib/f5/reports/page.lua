-- A report as one HTML page without any other file. It works from a file, and nothing in it can
-- become markup: all texts are in one JSON text, which the script of the page shows as text.

local core = require "f5.core"
local data = require "f5.reports.data"
local json = require "f5.json"
local show_html = require "f5.state.show_html"

local MARK <const> = "<!-- f5lua report -->"

-- `</script>` and `<!--` end or change a script, U+2028 and U+2029 are line breaks in some parsers.
local ESCAPES <const> = {
  ["<"] = "\\u003c", [">"] = "\\u003e", ["&"] = "\\u0026",
}

local function embedded(value)
  local text = json.encode(value)
  text = text:gsub("[<>&]", ESCAPES)
  return (text:gsub("\u{2028}", "\\u2028"):gsub("\u{2029}", "\\u2029"))
end

-- Only the script and the style of this page may run.
local function nonce()
  return ("%016x%016x"):format(math.random(0), math.random(0))
end

local HEAD <const> = [[
<!DOCTYPE html>
%s
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="f5lua %s">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'nonce-%s';
 script-src 'nonce-%s'; base-uri 'none'; form-action 'none'">
<title>%s</title>
<style nonce="%s">
]]

local M = {}

--- Returns the report as text.
-- @param report see f5.fleet.report
function M.of(report)
  local value = data.of(report)
  local key = nonce()
  local title = show_html.escape(
    ("%s: %s"):format(value.ok and "done" or "failed", value.playbook))
  return table.concat {
    HEAD:format(MARK, core.version, key, key, title, key),
    require "f5.reports.page_style",
    "</style>\n</head>\n<body>\n",
    (require("f5.reports.page_body"):gsub("{{(%l+)}}", {
      title = show_html.escape(value.playbook), summary = show_html.escape(value.summary),
    })),
    '<script type="application/json" id="data">', embedded(value), "</script>\n",
    '<script nonce="', key, '">\n', require "f5.reports.page_model",
    require "f5.reports.page_script", "</script>\n</body>\n</html>\n",
  }
end

--- Whether a text is such a page.
function M.is_page(text)
  return text:sub(1, 16 + #MARK) == "<!DOCTYPE html>\n" .. MARK
end

return M
