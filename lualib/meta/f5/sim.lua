---@meta f5.sim
-- Simulated devices.

---@class f5.sim
---Simulated devices for specs and experiments; see docs/simulator.md. `require "f5.sim"` is the
---same.
---
---    local device <close> = f5.sim.start { provision = { "ltm", "asm" } }
---    local bip <close> = f5.connect(device:options "admin")
---@field running f5.sim.device? the device that `f5lua run --sim` started; nil in other runs
---@field default_users f5.sim.user[] the users of a device that is started without `users`
local sim = {}

---Starts a device. It runs in its own thread and listens on its own port.
---
---*Raises* a Lua error if an option is invalid or the port is in use.
---
---*Source* docs/simulator.md, "In specs"
---@param options? f5.sim.options what the device has
---@return f5.sim.device device the running device, for a `<close>` variable
function sim.start(options) end

---@class f5.sim.options
---Options of `f5.sim.start`.
---@field users? f5.sim.user[] users; default admin/admin and operator/operator
---@field provision? string[] names of modules; default: those of the seed, otherwise { "ltm" }
---@field seed? table objects at the start: see docs/simulator.md
---@field latency_ms? integer milliseconds that each answer takes; default 0
---@field hostname? string name of the device; default "bigip1.example.net"
---@field management? string where other simulated devices reach this one, ADDRESS or ADDRESS:PORT
---@field log? string path of a file that gets one line for each call
---@field origins? string[] URLs from which CORS requests are allowed
---@field providers? table[] login providers: { name =, type =, users = }
---@field contrary? string ways in which the device disappoints clients: see docs/simulator.md
---@field extensions? string[] installed extensions, such as { "as3=3.50.2" }; default: none
---@field version? table parts of the version to replace, such as { version = "16.1.0" }
---@field bind? string address to listen on; default "127.0.0.1"
---@field port? integer TCP port; default: a free one
---@field cert? string path of a PEM file with the certificate; default: made at the start
---@field key? string path of a PEM file with its key
---@field body_limit? integer bytes of the largest accepted request
---@field fleet? integer number of devices, at 127.0.0.1, 127.0.0.2 and so on
---@field failing? number share of the fleet without mcpd, 0 to 1; default 0
---@field slow? number share of the fleet that answers after two seconds, 0 to 1; default 0
---@field restarting? number share of the fleet that restarts when first asked, 0 to 1; default 0

---@class f5.sim.user
---A user of a simulated device.
---@field name string name
---@field password string password
---@field role string role, such as "admin" or "operator"

---@class f5.sim.device
---A running simulated device.
---@field host string address to connect to
---@field port integer TCP port
---@field url string "https://HOST:PORT"
---@field ca string path of a PEM file with the certificate that clients should trust
local device = {}

---Returns options for f5.connect.
---
---*Raises* a Lua error if there is no such user.
---
---*Source* docs/simulator.md, "In specs"
---@param name? string name of the user; default: the first one
---@return f5.options options host, port, ca, username and password
function device:options(name) end

---Moves the device's clock forward. Everything that becomes due happens.
---
---*Raises* a Lua error if `seconds` is invalid.
---
---*Source* docs/simulator.md, "How it goes over time"
---@param seconds number seconds to add
---@return integer micros the new time, microseconds since 1970
function device:advance(seconds) end

---Returns the device's time.
---
---*Raises* nothing.
---
---*Source* docs/simulator.md, "How it goes over time"
---@return integer micros microseconds since 1970
function device:now() end

---Plants a fault: one of the next requests gets another answer.
---
---*Raises* a Lua error if the fault is invalid.
---
---*Source* docs/simulator.md, "Faults"
---@param fault f5.sim.fault the fault
function device:fault(fault) end

---@class f5.sim.fault
---A fault. Give `kind`, `status`, `reset`, or only a change of the real answer.
---@field match? table which requests: { method =, path = (Lua pattern), query = }; default: all
---@field times? integer number of requests that it affects; default 1
---@field after? integer number of matching requests to let pass first; default 0
---@field kind? string name of a known fault, such as "busy"; see docs/simulator.md
---@field status? integer HTTP status of the answer
---@field body? table|string body of the answer; a table is sent as JSON
---@field headers? table header lines of the answer: name = value
---@field delay_ms? integer milliseconds to wait before the answer
---@field reset? boolean true: reset the connection
---@field truncate? integer bytes of the body after which the connection ends
---@field act? boolean true: carry out the request, and replace only the answer

---Removes all faults.
---
---*Raises* nothing.
---
---*Source* docs/simulator.md, "Faults"
function device:clear_faults() end

---Returns a copy of the whole state.
---
---*Raises* nothing.
---
---*Source* docs/simulator.md, "In specs"
---@return table state plain tables, ready for JSON
function device:state() end

---Replaces the state.
---
---*Raises* a Lua error if `state` is not a state.
---
---*Source* docs/simulator.md, "In specs"
---@param state table a result of `state`
function device:restore(state) end

---Adds objects and users.
---
---*Raises* a Lua error with the name of what the device cannot have.
---
---*Source* docs/simulator.md, "Seeds"
---@param seed table objects and users: see docs/simulator.md
function device:plant(seed) end

---Returns the configuration as tmsh text.
---
---*Raises* nothing.
---
---*Source* docs/simulator.md, "Seeds"
---@param options? table all: true: also usual values, and what the device works out itself
---@return string text what `save sys config` writes; with options, what `list` prints
function device:configuration(options) end

---Returns what was refused of the configuration texts of the seed.
---
---*Raises* nothing.
---
---*Source* docs/simulator.md, "Seeds"
---@return table[] refused array of { file, line, message }; empty if all was loaded
function device:refused() end

---Returns what is special about the snapshot that the device was started with: kinds that are not
---simulated, objects that are kept as they are because the simulator would refuse them.
---
---*Raises* a Lua error if the device was stopped.
---
---*Source* docs/simulator.md, "Seeds"
---@return string[] remarks array of texts; empty if there is nothing to say
function device:remarks() end

---Returns the requests that the device has received, oldest first.
---
---*Raises* nothing.
---
---*Source* docs/simulator.md, "In specs"
---@return table[] calls array of { number, micros, method, path, query, status, user, connection }
function device:log() end

---Forgets the requests received so far.
---
---*Raises* nothing.
---
---*Source* docs/simulator.md, "In specs"
function device:clear_log() end

---Returns how many connections have carried a request.
---
---*Raises* nothing.
---
---*Source* docs/simulator.md, "In specs"
---@return integer count number of connections
function device:connections() end

---Restarts the web server and the REST daemon.
---
---*Raises* a Lua error if the option is invalid.
---
---*Source* docs/simulator.md, "How it goes over time"
---@param options? f5.sim.restart.options how long it takes
function device:restart(options) end

---@class f5.sim.restart.options
---Options of `device:restart`.
---@field seconds? number seconds of the device's clock; default 10

---Reboots the device.
---
---*Raises* a Lua error if the option is invalid.
---
---*Source* docs/simulator.md, "How it goes over time"
---@param options? f5.sim.reboot.options how long it takes
function device:reboot(options) end

---@class f5.sim.reboot.options
---Options of `device:reboot`.
---@field seconds? number seconds of the device's clock; default 60

---Returns how many internal errors the simulator had. Specs expect 0.
---
---*Raises* nothing.
---
---*Source* docs/simulator.md, "In specs"
---@return integer count number of errors
function device:problems() end

---Returns one device of a fleet.
---
---*Raises* nothing.
---
---*Source* docs/fleets.md, "A simulated fleet"
---@param n integer number of the device, 1 for the first
---@return f5.sim.device device the device
function device:member(n) end

---Calls a function of lualib/sim/control.lua by name.
---
---*Raises* a Lua error if there is no such function, or it rejects the argument.
---
---*Source* docs/simulator.md, "In specs"
---@param name string name of the function, such as "health"
---@param argument any plain value for the function
---@return any result plain value
function device:control(name, argument) end

---Waits for SIGINT or SIGTERM. The device runs meanwhile.
---
---*Raises* nothing.
---
---*Source* docs/simulator.md
function device:wait() end

---Stops the device. A second call does nothing. `<close>` calls it.
---
---*Raises* nothing.
---
---*Source* docs/simulator.md, "In specs"
function device:stop() end

return sim
