-- Texts that become file objects of a device: they are uploaded, used and removed. What was
-- uploaded must not stay, whatever happens: it may be a private key.

local core = require "f5.core"
local terminal = require "f5.terminal"
local transfer = require "f5.work.transfer"

local M = {}

local DOWNLOADS <const> = "/var/config/rest/downloads"

--- Returns how a device names the content of a file: "SHA1:size:digest".
function M.checksum(text) return ("SHA1:%d:%s"):format(#text, core.sha1(text)) end

-- Removes what was uploaded.
-- @return array of paths that could not be removed
local function remove(bip, names)
  if #names == 0 then return {} end
  local words, paths = { "-f" }, {}
  for i, name in ipairs(names) do
    paths[i] = DOWNLOADS .. "/" .. name
    words[#words + 1] = paths[i]
    -- what an upload leaves that was cut off
    words[#words + 1] = ("%s/tmp/%s"):format(DOWNLOADS, name)
  end
  local ok, answer = pcall(function()
    local done = bip.util["unix-rm"]:run("run", { utilCmdArgs = table.concat(words, " ") })
    return type(done) == "table" and done.commandResult or nil
  end)
  if ok and not answer then return {} end
  terminal.err(("f5lua: %s: warning: remove %s from the device, f5lua could not: %s\n"):format(
    bip:label(), table.concat(paths, ", "), tostring(answer)
  ))
  return paths
end

-- The name of an upload depends on nothing but its content and its object: a recorded run can be
-- replayed, and a plan names the same file as the run.
local function name_of(file)
  return ("f5lua-%s.%s"):format(core.sha256(file.name .. "\n" .. file.text):sub(1, 32), file.suffix)
end

--- Uploads texts, calls fn, and removes them. fn finds the value for `sourcePath` in file.source.
-- @param files array of { name = full name of the object, text, suffix = letters }
-- @return array of paths that could not be removed
function M.use(bip, files, fn)
  local uploaded, left = {}, {}
  do
    local _ <close> = setmetatable({}, { __close = function() left = remove(bip, uploaded) end })
    for _, file in ipairs(files) do
      local name = name_of(file)
      uploaded[#uploaded + 1] = name
      transfer.upload_text(bip, name, file.text)
      file.source = "file:" .. DOWNLOADS .. "/" .. name
    end
    fn()
  end
  return left
end

return M
