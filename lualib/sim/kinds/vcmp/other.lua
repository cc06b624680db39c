-- Kinds of vcmp. A virtual disk comes with its guest.
return {
  ["vcmp/global"] = { facts = { type = "show", listed = true } },
  ["vcmp/guest"] = {
    facts = { props = { allowedSlots = { d = false }, assignedSlots = { d = false } } },
  },
  ["vcmp/virtual-disk"] = {
    facts = { type = "collection", flat = true, free_names = true, no_create = true },
  },
}
