return require("cli.support.rest").subcommand(
  "example",
  "read the device's description of a resource"
)
