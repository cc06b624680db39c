return require("cli.support.rest").subcommand("call", "run a command: f5lua call sys/config save")
