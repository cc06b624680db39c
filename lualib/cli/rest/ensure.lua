return require("cli.support.rest").subcommand(
  "ensure",
  "create an object, or change what differs; print created, changed or unchanged"
)
