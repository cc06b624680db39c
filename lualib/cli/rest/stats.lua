return require("cli.support.rest").subcommand(
  "stats",
  "read statistics as plain values",
  { rows = true }
)
