rockspec_format = "3.0"
package = "f5lua"
version = "scm-1"
source = { url = "." }
description = {
  summary = "Automation of F5 BIG-IP devices over iControl REST",
  detailed = "The f5 module for a stock Lua 5.4: sessions, resources, transactions, tasks, transfers, fleets, and a simulated device.",
  license = "MIT",
}
supported_platforms = { "linux" }
dependencies = { "lua ~> 5.4" }
-- curl, OpenSSL, libevent, libedit: CMake finds them with pkg-config, wherever the system has them.
build = {
  type = "cmake",
  variables = { CMAKE_INSTALL_PREFIX = "$(PREFIX)", F5LUA_MODULE_DIRECTORY = "$(LIBDIR)", F5LUA_TESTS = "OFF" },
}
