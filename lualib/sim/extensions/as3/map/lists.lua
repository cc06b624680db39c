-- Lists of addresses and ports, ciphers, and files for iRules.
local properties = require "sim.extensions.as3.map.properties"
local references = require "sim.extensions.as3.map.references"

local M = {}

local simple = properties.handler

M.Net_Address_List = simple "net address-list"
M.Net_Port_List = simple "net port-list"
M.Firewall_Port_List = simple "security firewall port-list"

M.Firewall_Address_List = simple("security firewall address-list", nil, function(item, at, name)
  for i, address in ipairs(item.addresses or {}) do
    if type(address) == "table" then
      references.fail(("%s/addresses/%d"):format(at:path(name), i - 1),
        "service discovery is not simulated")
    end
  end
end)

-- Groups for key exchange that versions before 17.5.1 do not know.
local NEW_GROUPS <const> = { X25519KYBER768 = true, X25519MLKEM768 = true }

M.Cipher_Rule = simple("ltm cipher rule", nil, function(item, at)
  if item.cipherSuites then item.cipher = table.concat(item.cipherSuites, ":") end
  if item.namedGroups then
    local new, known = properties.at_least(at.context.version, "17.5.1"), {}
    for _, group in ipairs(item.namedGroups) do
      if new or not NEW_GROUPS[group] then known[#known + 1] = group end
    end
    item.dhGroups = table.concat(known, ":")
  end
  if item.signatureAlgorithms then
    item.signatureAlgorithms = table.concat(item.signatureAlgorithms, ":")
  end
end)

M.Cipher_Group = simple("ltm cipher group", { remark = "" })

M.iFile = function(at, item, name)
  local path = at:path(name)
  local source = item.iFile
  if type(source) == "table" and source.bigip then
    item.fileName = source.bigip
  else
    local text = references.text(at, source, path .. "/iFile")
    if type(text) ~= "string" then
      references.fail(path .. "/iFile", "this form of an iFile is not simulated")
    end
    local props = {}
    props["source-path"], props.checksum = at:upload(path, text)
    at:add("sys file ifile", path .. "-ifile", props)
    item.fileName = path .. "-ifile"
  end
  at:add("ltm ifile", path, at:properties("ltm ifile", item))
end

return M
