return require("cli.support.rest").subcommand(
  "replace",
  "replace an object: what is not named is reset",
  { destructive = true }
)
