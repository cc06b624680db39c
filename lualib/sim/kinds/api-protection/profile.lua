-- Profiles that protect APIs.
return {
  ["api-protection/profile/apiprotection"] = {
    factory = { protected = true, objects = { { name = "apiprotection" } } },
  },
}
