--- Finds the line of a name in a source text, for messages about inventories.
-- @param text string
-- @param name string: found as a quoted string or as a whole word
-- @param nth integer|nil: the nth occurrence (default the first; the last one if there are fewer)
-- @return string ":LINE", or "" if the text does not contain it literally
return function(text, name, nth)
  local places, line = {}, 1
  local plain = name:gsub("%p", "%%%0")
  for content in (text .. "\n"):gmatch "(.-)\n" do
    local at = 1
    while true do
      local first, last = content:find("%f[%w_]" .. plain .. "%f[^%w_]", at)
      if not first then break end
      -- bigip1 must not be found inside bigip1.example.net
      if
        not content:sub(last + 1, last + 1):find "[%w.-]"
        and not content:sub(first - 1, first - 1):find "[%w.-]"
      then
        places[#places + 1] = line
      end
      at = last + 1
    end
    line = line + 1
  end
  local place = places[math.min(nth or 1, #places)]
  return place and (":" .. place) or ""
end
