---@meta f5.fleet
-- Fleets: f5.each, inventories and reports.

---@class f5
local f5 = {}

---Runs a function on every device of an inventory. Each device has its own fiber and session. A
---failure on one device is written to the report and does not affect the others.
---
---    local report = f5.each(f5.inventory "sites.lua", { workers = 50 }, function(bip, device)
---      return #bip.ltm.virtual:list()
---    end)
---    print(report)
---
---*Raises* "usage": an argument or option is invalid, or the journal is that of another run or
---another file; "cancelled": the run was interrupted; a Lua error if the journal cannot be written.
---
---*Source* docs/fleets.md
---@param devices f5.inventory|table[]|string[] an inventory, or an array of hosts and f5.options
---@param options? f5.each.options how to run; may be left out
---@param fn fun(bip: f5.session, device: f5.inventory.device): any returns what the report keeps
---@return f5.report report what happened on each device
function f5.each(devices, options, fn) end

---Reads an inventory: a Lua file, a JSON file, or an executable that prints JSON for `--list`.
---
---*Raises* an error without a kind: file, line and what is wrong there.
---
---*Source* docs/fleets.md, "The inventory"
---@param path string path of the file
---@return f5.inventory inventory its devices and groups
function f5.inventory(path) end

---@class f5.each.options
---Options of `f5.each`. `progress` is called with "begin" and "end" for the run, and with "start"
---and "finish" for each device. A journal belongs to one run: this function in this file, the
---arguments of the program, and this inventory. The journal of another run, and any other file, is
---rejected.
---@field workers? integer number of devices at the same time; default 50
---@field canary? integer number of devices that run first and must all succeed; default 0
---@field batch? integer devices in a batch; a batch starts when the one before has ended
---@field max_failures? integer|string failures after which no device starts: number, or share "10%"
---@field per_device? integer number of calls to one device at the same time; default 4
---@field on? "active" run only on the active unit of a pair
---@field sync? boolean with on = "active": synchronise the group after a change; default true
---@field limit? string which devices to run on, such as `group:eu,!lab*`; see `inventory:limit`
---@field journal? string path of a file that remembers finished devices; it belongs to one run
---@field force? boolean true: accept the journal of another run; default false
---@field progress? fun(event: string, entry: f5.report.entry?, report: f5.report) see below

---@class f5.inventory
---Devices and groups.
---@field devices f5.inventory.device[] the devices, in the order of the file
local inventory = {}

---Returns an inventory with the devices that a limit selects.
---
---*Raises* an error without a kind if a term matches nothing or the limit is empty.
---
---*Source* docs/fleets.md, "The inventory"
---@param limit? string terms with commas: NAME, with * and ?; =NAME; group:NAME; `!` excludes
---@return f5.inventory inventory the selected devices
function inventory:limit(limit) end

---@class f5.inventory.device
---One device of an inventory.
---@field name string unique name
---@field connect f5.options options for f5.connect
---@field vars table values for the playbook; a missing name is an error; `vars(name, default)`
---@field groups table<string, true> names of its groups, parents included
---@field pair? string name that both units of a pair share
---@field tags string[] of the device, its groups and the defaults: which workers of a queue take it
---
---In an inventory, `profile` names a profile of `f5lua profile add` instead of `host`.

---@class f5.report
---What a run did. `print(report)` prints a table for people.
---@field ok boolean true if every device is done or was skipped
---@field stopped? string why no further device was started
---@field cut_off? boolean true if an error or Ctrl-C ended the run
---@field duration number seconds
---@field began integer when it began, in seconds since 1970
---@field playbook? string file of the playbook, for the title of reports
---@field devices f5.report.entry[] one entry for each device, in the order of the inventory
local report = {}

---Counts the devices in each state and the changed ones.
---
---*Raises* nothing.
---
---*Source* docs/fleets.md, "What happens"
---@return table<string, integer> counts state = number; also `total`, `changed` and `half`
function report:counts() end

---Returns the totals in one line.
---
---*Raises* nothing.
---
---*Source* docs/fleets.md, "What happens"
---@return string line such as "200 devices: 198 done (12 changed), 1 failed, …"
function report:summary() end

---Writes the report to a file.
---
---*Raises* a Lua error if the name has another ending or the file cannot be written.
---
---*Source* docs/fleets.md, "What happens"
---@param path string path that ends with ".html", ".xml" (JUnit), ".json" or ".csv"
function report:write(path) end

---Returns the report as plain tables, ready for JSON. Errors are texts with their kind.
---
---*Raises* nothing.
---
---*Source* docs/fleets.md, "What happens"
---@return table report the same fields
function report:plain() end

---Returns in one line how a device ended: the message of its error, why it was skipped, or the
---result.
---
---*Raises* nothing.
---
---*Source* docs/fleets.md, "What happens"
---@param entry f5.report.entry one of `devices`
---@return string line text without line breaks
function report.outcome(entry) end

---@class f5.report.entry
---What happened on one device.
---@field name string name of the device
---@field state "done"|"failed"|"skipped"|"unreached"|"earlier"|"running" how the run ended
---@field changed boolean true if the device was changed, or may have been
---@field result any first result of the function
---@field error any the error that the function raised
---@field reason? string why it was skipped
---@field duration number seconds
---@field calls integer requests to the device
---@field bytes integer bytes sent and received
