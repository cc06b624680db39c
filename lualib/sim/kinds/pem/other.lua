-- Kinds of pem.
return {
  ["pem/forwarding-endpoint"] = { facts = { type = "collection", open = true } },
  ["pem/policy"] = { facts = { type = "collection", open = true } },
}
