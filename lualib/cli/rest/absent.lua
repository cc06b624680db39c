return require("cli.support.rest").subcommand(
  "absent",
  "delete an object if it exists; print deleted or unchanged"
)
