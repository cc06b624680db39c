return require("cli.support.rest").subcommand(
  "example",
  "read what the device says about a resource's properties"
)
