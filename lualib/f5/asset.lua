-- f5.asset: a file that belongs to the playbook. A program of `f5lua build --include` contains it.
-- Otherwise it is in the playbook's directory, so that the same playbook works in both cases.
local loaded, bundle = pcall(require, "f5.bundle") -- not there under a stock lua5.4

local function usage(message) require("f5.core").usage_error(message) end

---@param name string
---@return string contents
return function(name)
  if type(name) ~= "string" then
    usage(("f5.asset: expected the name of a file, got a %s"):format(type(name)))
  end
  require("f5.core").check_path(name, "f5.asset")
  if name:sub(1, 1) == "/" or ("/" .. name .. "/"):find("/../", 1, true) then
    usage(("f5.asset '%s': the path must be below the playbook's directory"):format(name))
  end
  name = name:gsub("^%./", "")
  if loaded and bundle.packed() then
    return bundle.asset(name)
      or usage(
        (
          "f5.asset '%s': there is no such file in this program; "
          .. "f5lua build --include adds it"
        ):format(name)
      )
  end
  local script = arg and arg[0] or ""
  local path = (script:match "^(.*/)[^/]*$" or "") .. name
  local file, reason = io.open(path, "rb")
  if not file then usage(("f5.asset '%s': %s"):format(name, reason)) end
  local contents = file:read "a"
  file:close()
  if not contents then usage(("f5.asset '%s': %s cannot be read"):format(name, path)) end
  return contents
end
