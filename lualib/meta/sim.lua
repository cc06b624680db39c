---@meta f5.sim

---A simulated BIG-IP in a thread of its own, for specs. docs/simulator.md says what it does.
---
---    local sim = require "f5.sim"
---    local device <close> = sim.start { provision = { "ltm", "asm" } }
---    local bip <close> = f5.connect(device:options "admin")
---@class f5.sim.device
---@field host string address it is reached at
---@field port integer
---@field url string "https://127.0.0.1:40123"
---@field ca string path of the certificate that clients should trust
---@field users table[] { name, password, role }
local device = {}

---Moves the device's clock forward by seconds; what is due meanwhile happens.
---@param seconds number
---@return integer now microseconds since the epoch
function device:advance(seconds) end

---@return integer now microseconds since the epoch
function device:now() end

---Plants a fault: the next answers that match are replaced or spoilt.
---@param fault { match?: { method?: string, path?: string, query?: string }, times?: integer, after?: integer, kind?: string, status?: integer, body?: table|string, headers?: table, delay_ms?: integer, reset?: boolean, truncate?: integer, act?: boolean }
function device:fault(fault) end

function device:clear_faults() end

---@return table state a plain copy of everything that the device remembers
function device:state() end

---@param state table what `state` gave
function device:restore(state) end

---Adds objects, users and so on, as the option `seed` of `start` does.
---@param seed table
function device:plant(seed) end

---@return { number: integer, micros: integer, method: string, path: string, query?: string, status: integer, user?: string, connection: integer }[] calls oldest first
function device:log() end

function device:clear_log() end

---@return integer connections that brought a request
function device:connections() end

---Restarts the REST daemon.
---@param options? { seconds?: number }
function device:restart(options) end

---Reboots the device: connections are cut, then refused for half of the time.
---@param options? { seconds?: number }
function device:reboot(options) end

---@return integer problems mistakes of the simulated device itself; specs want 0
function device:problems() end

---Calls any function of lualib/sim/control.lua: plan_task, next_transaction, expire_password, write_file, read_file …
---@param name string
---@param argument any
---@return any
function device:control(name, argument) end

---Options for f5.connect that reach this device as one of its users (the first, unless named).
---@param name? string
---@return table
function device:options(name) end

---Sleeps until a signal comes.
function device:wait() end

---Stops the device; its port is closed and its temporary files are gone. `<close>` calls it.
function device:stop() end

---@class f5.sim
---@field default_users table[]
local sim = {}

---@param options? { users?: table[], provision?: string[], seed?: table, hostname?: string, latency_ms?: integer, log?: string, origins?: string[], providers?: table[], version?: table, bind?: string, port?: integer, cert?: string, key?: string, body_limit?: integer }
---@return f5.sim.device
function sim.start(options) end

return sim
