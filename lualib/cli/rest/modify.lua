return require("cli.support.rest").subcommand(
  "modify",
  "change properties of one or more objects",
  { destructive = true }
)
