-- Kinds of wam (application acceleration).
return {
  ["wam/roi-statistics"] = { facts = { type = "show", listed = true } },
}
