-- The files of $XDG_CONFIG_HOME/f5lua, which only their owner may read and write: trusted
-- certificates, and profiles.

local core = require "f5.core"

local M = {}

local Files = {}
Files.__index = Files

local ENOENT <const> = 2

--- Raises an error of the kind "usage".
function M.fail(format, ...)
  error(core.error_new { kind = "usage", message = format:format(...) }, 0)
end

--- The files of one folder.
-- @param folder string: its name
-- @param one string: what a file is, "the profile"
-- @param all string: what all of them are, "profiles"
function M.of(folder, one, all)
  return setmetatable({ folder = folder, one = one, all = all }, Files)
end

--- The path of a file. Raises if there is no home directory.
-- @param name string|nil: nil: the directory
function Files:path(name)
  local config = core.config_directory() or M.fail(
    "there is no place for %s: neither XDG_CONFIG_HOME nor HOME is set", self.all)
  local directory <const> = ("%s/%s"):format(config, self.folder)
  return name and ("%s/%s"):format(directory, name) or directory
end

--- The names of all files, sorted.
function Files:list()
  local names, why = core.list_directory(self:path())
  return names or M.fail("cannot read the %s: %s", self.all, why)
end

--- Stores a file; it takes the place of another one.
function Files:put(name, text)
  local directory <const> = self:path()
  local made, why = core.make_directory(directory)
  if made then made, why = core.check_private(directory) end
  if made then made, why = core.write_file(self:path(name), text) end
  if not made then M.fail("cannot store %s: %s", self.one, why) end
end

--- Removes a file.
-- @return whether there was one
function Files:remove(name)
  local removed, why, code = os.remove(self:path(name))
  if not removed and code ~= ENOENT then M.fail("cannot remove %s: %s", self.one, why) end
  core.sync_directory(self:path())
  return removed ~= nil
end

return M
