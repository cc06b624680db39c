---@meta f5.safe
-- Change records: what a playbook wrote, and how it is taken back.

---@class f5
local f5 = {}

---Lists the change records of this user, the oldest first. They are in
---$XDG_STATE_HOME/f5lua/changes,
---by default in ~/.local/state.
---
---    for _, record in ipairs(f5.changes()) do print(record.id, record.state, record.writes) end
---
---*Raises* "usage": the directory cannot be read.
---
---*Source* docs/safe-change.md, "Change records and undo"
---@return f5.change[] records what `f5lua changes` lists
function f5.changes() end

---@class f5.change
---A change record.
---@field id string for `f5.undo` and `f5lua undo`
---@field path string its file
---@field time string when the run began, in UTC
---@field state "done"|"failed"|"interrupted"|"ended"|"running"|"broken off" how the run ended
---@field what string "run", "undoable", "undo", "apply", or the name of a subcommand
---@field playbook? string file of the playbook
---@field arguments string[] arguments of the playbook
---@field undo_of? string id of the record that this run took back
---@field devices string[] names of the devices
---@field writes integer number of writes

---Takes back what a change record says about the device of a session. What somebody else has
---changed since is left alone and reported. The undo has a change record of its own: to undo it is
---to redo.
---
---    local id = bip:undoable(function() pool:modify { monitor = "https" } end)
---    local result = f5.undo(id, { session = bip })
---    if not result.complete then print(table.concat(result.left, "\n")) end
---
---*Raises* call errors; "usage": there is no such record, it is not about the device, it cannot be
---read, its passphrase is missing or wrong, its run is still going on, or an option is invalid.
---
---*Source* docs/safe-change.md, "Change records and undo"
---@param id string id of a record, the beginning of one, "last", or the path of a file
---@param options f5.undo.options the session, and how to do it
---@return f5.undo.result result what was done, and what is left
function f5.undo(id, options) end

---@class f5.undo.options
---Options of `f5.undo`.
---@field session f5.session the device
---@field check? boolean true: only say what would be done; default false
---@field force? boolean true: also take back what somebody else has changed; default false

---@class f5.undo.result
---What `f5.undo` did.
---@field complete boolean whether everything is as before
---@field done string[] what was done, or with `check` what would be done
---@field left string[] objects that are not as before, each with the reason
---@field not_reversible string[] writes that cannot be taken back, each with the reason
---@field record? string id of the change record of this undo; nil: nothing was written
