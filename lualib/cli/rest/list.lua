return require("cli.support.rest").subcommand(
  "list",
  "list the items of a collection, all pages",
  { query = true, rows = true }
)
