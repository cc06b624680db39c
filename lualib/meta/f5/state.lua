---@meta f5.state
-- Snapshots of configurations, and what differs between them.

---@class f5
local f5 = {}

---Compares two devices, snapshots or files. A file is a snapshot, a seed of the simulated device,
---or a saved configuration (bigip.conf, SCF). Values are compared by meaning: names, addresses and
---ports in every spelling, sets in every order. What one side does not contain is not compared.
---
---    local report = f5.diff("before.json", bip, { paths = "ltm" })
---    if #report.differences > 0 then print(report) end
---
---*Raises* call errors; "transfer": a file cannot be read; "usage": an argument or option is
---invalid.
---
---*Source* docs/safe-change.md, "Differences"
---@param a f5.session|f5.state|string the first side; a string is the path of a file
---@param b f5.session|f5.state|string the second side
---@param options? f5.diff.options what to compare
---@return f5.diff.report report the differences
function f5.diff(a, b, options) end

---@class f5.diff.options
---Options of `f5.diff`.
---@field paths? string|string[] paths below /mgmt/tm, such as "ltm/pool"; default: all
---@field partition? string only objects of this partition
---@field ignore? string|string[] patterns: "description", "sys/db/*", "ltm/virtual/*:vlans"
---@field progress? fun(objects: integer, path: string) called after each answer of a device

---@class f5.diff.report
---What differs. `tostring` returns it as text.
---@field differences f5.diff.entry[] sorted by kind and name
---@field not_compared table[] array of { path, kind, property, side, reason }
---@field equal integer number of objects that are equal
---@field incomplete? boolean true: something could not be read
local report = {}

---Returns the report as text, JSON or one HTML page.
---
---*Raises* "usage": the format is not known.
---
---*Source* docs/safe-change.md
---@param format? "text"|"json"|"html" how to write it; default "text"
---@return string text the whole report
function report:text(format) end

---@class f5.diff.entry
---An object that differs.
---@field what "added"|"removed"|"changed" only in the second side, only in the first, or different
---@field path string path of the object
---@field kind string path of its collection without names, below /mgmt/tm
---@field name string full name; "" for a singleton
---@field changes? f5.diff.change[] of "changed": the properties that differ
---@field object? table the object that only one side has

---@class f5.diff.change
---A property that differs.
---@field property string name, such as "monitor" or "members[/Common/10.0.0.1:80].session"
---@field keys string[] the same in parts, such as { "members", "/Common/10.0.0.1:80", "session" }
---@field old any value in the first side; nil: none
---@field new any value in the second side; nil: none
---@field what? "added"|"removed"|"order" an element of a list; or only the order differs
---@field after? string of an added element, where the order counts: the one before it; "": none

---@class f5.snapshot.options
---Options of `session:snapshot`.
---@field paths? string|string[] paths below /mgmt/tm, such as "ltm/pool"; default: all
---@field partition? string only objects of this partition
---@field file? string path of the file; it gets its name when it is complete; default: in memory
---@field page? integer objects that one request asks for; default 50
---@field parallel? integer requests at the same time; default 4
---@field progress? fun(objects: integer, path: string) called after each answer

---@class f5.snapshot.written
---What `session:snapshot` wrote to a file.
---@field file string path of the file
---@field objects integer number of objects
---@field complete boolean false: something could not be read
---@field left_out f5.left_out what the file does not contain, and why

---@class f5.left_out
---What a snapshot does not contain.
---@field complete boolean false: something could not be read
---@field secrets table<string, string[]> path of an object = names of its secret properties
---@field unread table[] array of { path, reason }: what could not be read
---@field excluded table[] array of { path, reason }: what is never read
---@field unsteady string[] paths of collections whose objects changed while they were read
---@field ephemeral integer number of objects that the device makes by itself

---@class f5.state
---A snapshot in memory, for `f5.diff`.
---@field label string the device and the time
---@field left_out f5.left_out what the snapshot does not contain, and why
local state = {}

---Returns the number of objects.
---
---*Raises* nothing.
---
---*Source* docs/safe-change.md
---@return integer count number of objects
function state:count() end
