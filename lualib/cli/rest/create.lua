return require("cli.support.rest").subcommand("create", "create an object")
