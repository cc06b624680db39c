return require("cli.support.rest").subcommand(
  "delete",
  "delete one or more objects",
  { destructive = true }
)
