-- A server whose answers are exact bytes (wire.py), and what specs say to it.
--
--   local server <close> = wire.start()
--   server:rules { { path = "/mgmt/tm/ltm", bytes = wire.answer("200 OK", '{"name":"web"}') } }
--   server:seen()  -- { "GET /mgmt/tm/ltm/pool", … } since the last call of rules
local json = require "f5.json"
local program = require "program"

local M = {}

local FRAMES <const> = {
  length = function(body) return ("Content-Length: %d\r\n\r\n%s"):format(#body, body) end,
  chunks = function(body)
    local half = (#body + 1) // 2
    local parts = {}
    for _, part in ipairs { body:sub(1, half), body:sub(half + 1) } do
      if part ~= "" then parts[#parts + 1] = ("%x\r\n%s\r\n"):format(#part, part) end
    end
    return "Transfer-Encoding: chunked\r\n\r\n" .. table.concat(parts) .. "0\r\n\r\n"
  end,
  close = function(body) return "\r\n" .. body end,
}

--- The bytes of an answer, after which the connection ends: none is kept that the server closes at
--- the same moment. frame: "length" (the usual one), "chunks" or "close" (it ends with the
--- connection); headers: further lines, each with its line break.
function M.answer(status, body, frame, headers)
  return ("HTTP/1.1 %s\r\nConnection: close\r\n%s%s"):format(
    status,
    headers or "",
    FRAMES[frame or "length"](body or "")
  )
end

local function rules(self, list)
  local text = json.encode(json.array(list))
  local fresh = self.place:file("fresh", text)
  assert(os.rename(fresh, self.place.path .. "/rules"))
  self.before = #self.process:output()
end

local function seen(self)
  local requests = {}
  for line in self.process:output():sub(self.before + 1):gmatch "([A-Z]+ /[^\n]*)\n" do
    requests[#requests + 1] = line
  end
  return requests
end

--- Options of f5.connect without a login, and without retries unless the spec says so.
local function options(self, more)
  local all =
    { host = "127.0.0.1", port = self.port, token = "wire-token", verify = false, retries = 0 }
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

--- For a spec file: starts a server and a directory with the file "up" before its tests, and ends
-- them after the last one. Gets busted's setup and teardown. Returns a function that returns both.
function M.for_file(setup, teardown)
  local server, place
  setup(function()
    server = M.start()
    place = program.directory()
    place:file("up", "hello")
  end)
  teardown(function()
    getmetatable(server).__close()
    getmetatable(place).__close()
  end)
  return function() return server, place end
end

function M.start()
  local place = program.directory()
  assert(
    os.execute(
      (
        "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        .. "-subj /CN=127.0.0.1 -keyout key -out cert 2>/dev/null"
      ):format(place.path)
    )
  )
  place:file("rules", "[]")
  local words = { "tests/support/wire.py" }
  for _, name in ipairs { "cert", "key", "rules" } do
    words[#words + 1] = "--" .. name
    words[#words + 1] = place.path .. "/" .. name
  end
  local process = program.start(words, { program = "/usr/bin/python3" })
  local port = tonumber(process:expect "port (%d+)")
  return setmetatable(
    {
      place = place, process = process, port = port, before = 0,
      rules = rules, seen = seen, options = options,
    },
    {
      __close = function()
        getmetatable(process).__close()
        getmetatable(place).__close()
      end,
    }
  )
end

return M
