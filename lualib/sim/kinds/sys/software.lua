-- Software: volumes, images and hotfixes. An installation makes volumes; images and hotfixes appear
-- when their files do.
local json = require "f5.json"

local function first_volume(device)
  local version = device.version
  return {
    {
      name = "HD1.1",
      active = true,
      basebuild = version.build,
      build = version.build,
      product = "BIG-IP",
      status = "complete",
      version = version.version,
      media = json.array {
        {
          name = "HD1.1", media = "hd", size = "default", defaultBootLocation = true,
          nameReference = {
            link = "https://localhost/mgmt/tm/sys/software/volume/HD1.1?ver=" .. version.version,
          },
        },
      },
    },
  }
end

return {
  ["sys/software/volume"] = {
    facts = {
      noun = "software volume", flat = true, free_names = true, no_create = true,
    },
    factory = { device_objects = first_volume },
  },
  ["sys/software/image"] = {
    facts = {
      noun = "software image", flat = true, free_names = true, open = true, no_create = true,
    },
  },
  ["sys/software/hotfix"] = {
    facts = {
      noun = "software hotfix", flat = true, free_names = true, open = true, no_create = true,
    },
  },
  ["sys/software/signature"] = { facts = { no_create = true } },
  ["sys/software/block-device-image"] = { facts = { no_create = true } },
  ["sys/software/block-device-hotfix"] = { facts = { no_create = true } },
}
