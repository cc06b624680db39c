return require("cli.support.rest").subcommand(
  "replace",
  "replace an object and reset all other properties",
  { destructive = true }
)
