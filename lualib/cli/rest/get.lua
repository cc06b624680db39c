return require("cli.support.rest").subcommand(
  "get",
  "read a resource or collection as the device returns it",
  { query = true }
)
