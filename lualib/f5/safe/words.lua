-- How objects, writes and operations of a change record are called in messages.

local core = require "f5.core"
local target = require "f5.safe.target"

local M = {}

--- "/mgmt/tm/ltm/pool/~Common~p/members/~Common~10.0.0.1:80" -> "ltm/pool /Common/p members
--- /Common/10.0.0.1:80", as the subcommands take it.
function M.name(path)
  local parts = {}
  for segment in path:match("^[^?]*"):gsub("^/mgmt/tm/", ""):gmatch "[^/]+" do
    local is_name = segment:sub(1, 1) == "~"
    local text = target.key(segment)
    if is_name then text = text:gsub("~", "/") end
    local separator = #parts == 0 and "" or (is_name or parts.name) and " " or "/"
    parts[#parts + 1], parts.name = separator .. text, is_name
  end
  return core.mask((path:find "^/mgmt/tm/" and "" or "/") .. table.concat(parts))
end

local function at(line) return line and " (" .. line .. ")" or "" end

--- What was left alone: "ltm/pool /Common/p (x.lua:3): reason".
function M.left(one)
  return ("%s%s: %s"):format(M.name(one.path), at(one.line), core.mask(one.reason))
end

--- A write of a record: "POST sys/config (x.lua:3)".
function M.write(step) return ("%s %s%s"):format(step.method, M.name(step.path), at(step.line)) end

--- What cannot be taken back: "POST sys/config (x.lua:3): reason".
function M.lost(one) return M.write(one.step) .. ": " .. one.reason end

--- Why the old values of some secrets are not known.
function M.unset(names)
  return ("the device shows no value of %s: whether there was one is not known"):format(
    table.concat(names, ", "))
end

local VERBS <const> = {
  create = "create again", modify = "change back", delete = "delete", policy = "publish again",
  declare = "declare again",
}

--- What an operation of f5.safe.inverse does: "change back ltm/pool /Common/p (description)".
function M.operation(op)
  local more = {}
  if op.body and op.op == "modify" then
    local names = {}
    for key in pairs(op.body) do names[#names + 1] = key end
    table.sort(names)
    more[1] = table.concat(names, ", ")
  end
  if op.note then more[#more + 1] = op.note end
  if op.traffic then more[#more + 1] = "traffic-affecting" end
  return ("%s %s%s"):format(
    VERBS[op.op], M.name(op.path), #more > 0 and " (" .. table.concat(more, "; ") .. ")" or ""
  )
end

return M
