---@meta f5.twin
-- Twins of devices.

---@class f5.twin
---Twins: simulated devices that read what they have from real devices, and keep every change to
---themselves. `require "f5.twin"` returns this table. See docs/simulator-twin.md.
---
---    local twins <close> = require("f5.twin").start { devices = { { host = "bigip1" } } }
---    local bip <close> = f5.connect(twins:options(1))
---    bip.ltm.pool["/Common/web"]:modify { description = "only in the twin" }
---    print(twins:report(1).changes[1].path)
local twin = {}

---Starts one process that has the twins of devices. It ends with this program.
---
---*Raises* "usage": an option is wrong, or f5lua is not found; a Lua error if the process ends.
---
---*Source* docs/simulator-twin.md, "In playbooks"
---@param options f5.twin.options which devices
---@return f5.twin.process twins the running process, for a `<close>` variable
function twin.start(options) end

---@class f5.twin.options
---Options of `f5.twin.start`.
---@field devices f5.options[] for each device the options of f5.connect, sent through a pipe
---@field program? string path of f5lua; default: this program, else F5LUA_PROGRAM, else from PATH

---@class f5.twin.process
---A running process with twins. Device n of the options has its twin at 127.0.0.n.
---@field port integer TCP port of all twins
---@field ca string path of a PEM file with the certificate that clients should trust
local twins = {}

---Returns options for f5.connect. The user has the role and the partitions of the user on the
---device, and a password that is valid for the twin only.
---
---*Raises* "usage": there is no such device.
---
---*Source* docs/simulator-twin.md, "Users"
---@param n integer number of the device
---@return f5.options options host, port, ca, username and password
function twins:options(n) end

---Adds the twin of one more device to the running process. The twin connects to the device when it
---first needs it, so a device that cannot be reached does no harm to the others.
---
---*Raises* "usage": the options have no host, or the process has ended.
---
---*Source* docs/simulator-twin.md, "In playbooks"
---@param options f5.options options of f5.connect for the device
---@return integer n number of the device
function twins:add(options) end

---Returns what a twin says about itself.
---
---*Raises* call errors.
---
---*Source* docs/simulator-twin.md, "The report"
---@param n integer number of the device
---@return table report { device =, reads =, changes =, assumed =, not_simulated = }
function twins:report(n) end

---Returns what the answers of a twin, and its checks of writes, depend on, as the device gave it.
---
---*Raises* call errors.
---
---*Source* docs/simulator-twin.md, "The report"
---@param n integer number of the device
---@return f5.twin.read[] reads sorted by path
function twins:reads(n) end

---@class f5.twin.read
---Something that a twin depends on.
---@field path string path; what is passed on has the query that was asked
---@field body? any what the device has; nil: it does not have it
---@field collection? boolean true: all objects of a collection
---@field expand? boolean true: with the sub-collections
---@field select? string[] only these properties count
---@field partition? string only the objects of this partition count
---@field folder? string only the objects of this folder of the partition count
---@field about? string[] only the objects that mention one of these words count
---@field exists? boolean only whether the object exists counts
---@field range? string part of a file, as in Content-Range
---@field digest? string SHA-256 of the part of the file, hexadecimal; nil: there is no such file
---@field total? integer bytes of the file
---@field volatile? boolean true: statistics, which change by themselves

---Moves the clock of a twin forward. Everything that becomes due happens.
---
---*Raises* call errors.
---
---*Source* docs/simulator-twin.md, "Time"
---@param n integer number of the device
---@param seconds number seconds to add
---@return integer micros the new time, microseconds since 1970
function twins:advance(n, seconds) end

---Ends the process. A second call does nothing.
---
---*Raises* nothing.
---
---*Source* docs/simulator-twin.md, "In playbooks"
function twins:stop() end
