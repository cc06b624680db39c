--- Reads a file, or the output of a program, to its end: text; or nil and why not. Something
--- without an end, such as /dev/zero, would take all memory of the machine.

-- No key, inventory, playbook, plan or program is larger.
local MOST <const> = 256 << 20 -- bytes
local STEP <const> = 1 << 16

---@param file file* open for reading; stays open
---@return string? text
---@return string? reason
return function(file)
  local parts, size = {}, 0
  while true do
    local part <const>, why <const> = file:read(STEP)
    if not part then return not why and table.concat(parts) or nil, why end
    size = size + #part
    if size > MOST then return nil, ("it is larger than %d MB"):format(MOST >> 20) end
    parts[#parts + 1] = part
  end
end
