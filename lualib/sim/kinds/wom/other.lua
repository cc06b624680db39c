-- WAN optimization profiles.
return {
  ["wom/profile/isession"] = {
    factory = {
      protected = true,
      objects = {
        { name = "isession" },
        {
          name = "isession-encrypt", defaultsFrom = "/Common/isession", dataEncryption = "enabled",
        },
        { name = "isession-mapi", defaultsFrom = "/Common/isession" },
        {
          name = "isession-softwoc", defaultsFrom = "/Common/isession", deduplication = "disabled",
        },
      },
    },
  },
}
