-- The headers of every response, as the web server in front and restjavad's Jetty set them.
local M = {}

local DAYS <const> = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local MONTHS <const> =
  { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

local function http_date(seconds)
  local date = os.date("!*t", seconds)
  return ("%s, %02d %s %04d %02d:%02d:%02d GMT"):format(
    DAYS[date.wday], date.day, MONTHS[date.month], date.year, date.hour, date.min, date.sec
  )
end

function M.observe(device, _, response)
  local second = device:now() // 1000000
  if second ~= device.date_second then
    device.date_second, device.date = second, http_date(second)
  end
  local headers = response.headers or {}
  response.headers = headers
  headers.Date = device.date
  headers.Server = headers.Server or "Jetty(9.2.22.v20170606)"
  headers["Cache-Control"] = headers["Cache-Control"] or "no-store, no-cache, must-revalidate"
  headers.Pragma = headers.Pragma or "no-cache"
  headers.Expires = headers.Expires or "-1"
  headers["X-Frame-Options"] = "SAMEORIGIN"
  headers["X-Content-Type-Options"] = "nosniff"
  headers["Strict-Transport-Security"] = "max-age=16070400; includeSubDomains"
end

return M
