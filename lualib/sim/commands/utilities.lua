-- Utilities below /mgmt/tm/util whose output is made up: dig, get-dossier, qkview, lists of
-- ciphers.
local CIPHERS <const> = {
  { "ECDHE-RSA-AES128-GCM-SHA256", 128, "AES-GCM", "SHA256", "ECDHE_RSA" },
  { "ECDHE-RSA-AES256-GCM-SHA384", 256, "AES-GCM", "SHA384", "ECDHE_RSA" },
  { "DHE-RSA-AES128-GCM-SHA256", 128, "AES-GCM", "SHA256", "EDH/RSA" },
  { "DHE-RSA-AES256-GCM-SHA384", 256, "AES-GCM", "SHA384", "EDH/RSA" },
  { "AES128-GCM-SHA256", 128, "AES-GCM", "SHA256", "RSA" },
  { "AES256-GCM-SHA384", 256, "AES-GCM", "SHA384", "RSA" },
}

local function ciphers(name)
  return function(_, _, _, body)
    local wanted = tostring(body.utilCmdArgs or "")
    if wanted == "" then
      return { commandResult = ("Syntax: %s '<cipher-string>'\n"):format(name) }
    end
    local lines =
      { "       ID  SUITE                            BITS PROT    CIPHER        MAC     KEYX" }
    for i, cipher in ipairs(CIPHERS) do
      lines[#lines + 1] = ("%2d: %5d  %-32s %4d  TLS1.2  %-13s %-7s %s"):format(
        i - 1,
        49198 + i,
        table.unpack(cipher)
      )
    end
    return { commandResult = table.concat(lines, "\n") .. "\n" }
  end
end

local function dig(_, _, _, body)
  local words = tostring(body.utilCmdArgs or "")
  local bad = words:match "%-(%d)"
  if bad and bad ~= "4" and bad ~= "6" then
    return { commandResult = ("Invalid option: -%s\nUsage: dig [options] name\n"):format(bad) }
  end
  local list = {}
  for word in words:gmatch "%S+" do list[#list + 1] = word end
  local name, kind = list[#list - 1], list[#list]
  if not (name and kind:find "^%u+$") then name, kind = nil, nil end
  return {
    commandResult = (
      "\n; <<>> DiG 9.11.36 <<>> %s\n;; global options: +cmd\n;; Got answer:\n;; QUESTION "
        .. "SECTION:\n;%s.\tIN\t%s\n"
    ):format(
      words,
      name or words,
      kind or "A"
    ),
  }
end

local function get_dossier(_, _, _, body)
  local words = tostring(body.utilCmdArgs or "")
  if not words:find "^%s*%-b%s+%S" then
    return { commandResult = "usage: /usr/bin/get_dossier -b <base registration key>\n" }
  end
  return { commandResult = ("5da2e6c1f07b"):rep(20) .. "\n" }
end

local function qkview(device, _, _, body)
  local words = tostring(body.utilCmdArgs or "")
  if words:find "%-h" then
    return { commandResult = "usage: qkview [-h] [-f <filename>] [-s <bytes>] [-c] [-v]\n" }
  end
  local bad = words:match "%-(%d)"
  if bad then return { commandResult = ("qkview: invalid option -- '%s'\n"):format(bad) } end
  local path = words:match "%-f%s+(%S+)" or device.hostname .. ".qkview"
  local name = path:match "^.*/([^/]*)$" or path
  if name == "" then
    return { commandResult = ("qkview: invalid file name '%s'\n"):format(path) }
  end
  device.disk.write("/var/tmp/" .. name, "qkview of " .. device.hostname .. "\n")
  return {
    commandResult = (
      "Gathering System Diagnostics: Please wait ...\nDiagnostic information has been saved in:\n"
        .. "/var/tmp/%s\n"
    ):format(
      name
    ),
  }
end

return {
  install = function() end,
  commands = {
    { "run", "^util/dig$", dig },
    { "run", "^util/get%-dossier$", get_dossier },
    { "run", "^util/qkview$", qkview },
    { "run", "^util/clientssl%-ciphers$", ciphers "clientssl-ciphers" },
    { "run", "^util/serverssl%-ciphers$", ciphers "serverssl-ciphers" },
  },
}
