-- Files of the tasks of ASM: on the device's disk, in the directory of uploads and downloads
-- (sim/files/transfer.lua).
local digest = require "sim.digest"
local entity = require "sim.asm.entity"
local texts = require "sim.text"

local M = {}

local FOLDER <const> = "/ts/var/rest/"

-- Tasks name files with or without the folder.
local function path(name) return FOLDER .. texts.after_slash(tostring(name)) end

--- Writes a file. An existing one is replaced.
function M.write(device, name, contents) device.disk.write(path(name), contents) end

--- The input of a task: `file` inline (Base64 or not), or the file `filename`. Refuses a missing
--- file.
function M.input(device, object)
  local contents = object.file
  if (contents or "") == "" then
    if (object.filename or "") == "" then
      entity.refuse("Failed Required Fields: Must have at least 1(one) of (file, filename)")
    end
    contents = device.disk.read(path(object.filename))
    if not contents then entity.refuse(("The file '%s' was not found."):format(object.filename)) end
  end
  if not object.isBase64 then return contents end
  return digest.unbase64(contents) or entity.refuse("The file is not Base64 encoded.")
end

return M
