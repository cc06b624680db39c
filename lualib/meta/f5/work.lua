---@meta f5.work
-- Transactions and tasks.

---@class f5.transaction
---Commands that the device runs together or not at all. `tx(reference)` returns the same reference,
---bound to the transaction: writes are queued, reads see the committed configuration. ASM and tasks
---have no transactions. Most methods raise "usage" when the transaction has ended.
---@overload fun(reference: f5.reference): f5.reference
local transaction = {}

---Returns the id of the transaction.
---
---*Raises* nothing.
---
---*Source* REST API User Guide 14.1, "Additional transaction properties"
---@return integer id `transId`
function transaction:id() end

---Asks the device for the state of the transaction.
---
---*Raises* call errors; "transaction": the device has dropped it.
---
---*Source* REST API User Guide 14.1, "About iControl REST transaction phases"
---@return string state "STARTED", "UPDATING", "VALIDATING", "COMPLETED" or "FAILED"
function transaction:state() end

---Lists the queued commands in their order.
---
---*Raises* call errors; "transaction": the device has dropped it; "usage": it has ended.
---
---*Source* REST API User Guide 14.1, "Modifying a transaction"
---@return table[] commands array as the device returns it; `where` is the script's line
function transaction:commands() end

---Moves a command to another position.
---
---*Raises* call errors; "transaction": the device has dropped it, or does not know the command;
---"usage": it has ended, or an argument is invalid.
---
---*Source* REST API User Guide 14.1, "Modifying a transaction"
---@param command integer|table id of the command, or the table that queueing it returned
---@param order integer new position, 1 for the first
---@return table command the command as the device returns it
function transaction:move(command, order) end

---Removes a command.
---
---*Raises* call errors; "transaction": the device has dropped it, or does not know the command;
---"usage": it has ended, or the argument is invalid.
---
---*Source* REST API User Guide 14.1, "Modifying a transaction"
---@param command integer|table id of the command, or the table that queueing it returned
function transaction:remove(command) end

---Lets the device check all commands. It changes nothing, and raises what `commit` would raise.
---
---*Raises* call errors; "transaction": a command would fail (`command` is the one to blame), or the
---device has dropped the transaction; "usage": it has ended, or an option is invalid.
---
---*Source* REST API User Guide 14.1, "About transaction validation"
---@param options? f5.commit limits
---@return true ok always true
function transaction:validate(options) end

---Runs all commands, or none of them.
---
---*Raises* call errors; "transaction": a command fails (`command` is the one to blame), or the
---device has dropped the transaction; "timeout": it still runs; "usage": it has ended, or an option
---is invalid.
---
---*Source* REST API User Guide 14.1, "Committing an iControl REST transaction"
---@param options? f5.commit limits
---@return true ok always true
function transaction:commit(options) end

---Abandons the transaction. It does nothing if the transaction has ended. `<close>` calls it.
---
---*Raises* nothing.
---
---*Source* REST API User Guide 14.1, "About the iControl REST transaction model"
function transaction:rollback() end

---@class f5.commit
---Options of `commit` and `validate`.
---@field async? boolean true: the device works in the background, the session polls; default false
---@field timeout? number seconds to wait; default: the limit of the device (300) and 30 more
---@field interval? number seconds between two polls; default grows from 0.2 to 5
---@field progress? fun(state: string, seconds: number) called after each poll

---@class f5.transaction.options: f5.commit
---Options of `session:transaction`.
---@field keep_alive? number|false seconds between two keep-alives, false: none; default from device

---@class f5.task
---Long work on a device. The handle is the same for all families of tasks.
---@field id? string|integer id of the task; nil if the device has only one
---@field reference f5.reference path of the task
local task = {}

---Asks the device for the state of the work.
---
---*Raises* call errors; "task": the device no longer knows the task.
---
---*Source* REST API User Guide 14.1, "Using an asynchronous task"
---@return string state word of the device, such as "STARTED" or "COMPLETED"
function task:state() end

---Reads the task as the device returns it.
---
---*Raises* call errors; "task": the device no longer knows the task.
---
---*Source* REST API User Guide 14.1, "Using an asynchronous task"
---@return table body all properties of the task
function task:load() end

---Waits until the work is done, returns its result, and deletes the task on the device. Restarts of
---the device's services are waited out.
---
---*Raises* call errors; "task": the work failed, or the device no longer knows the task (then
---`outcome` is `unknown`); "timeout": it still runs; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "Using an asynchronous task"
---@param options? f5.task.wait limits
---@return table result the result, or the task where the family has no result
function task:wait(options) end

---@class f5.task.wait
---Options of `task:wait`.
---@field timeout? number seconds to wait; default 600
---@field interval? number seconds between two polls; default grows from 0.2 to 5
---@field keep? boolean true: do not delete the task; default false
---@field progress? fun(state: string?, seconds: number) called after each poll

---Returns the result of work that is done.
---
---*Raises* call errors; "task": the work failed, or the device no longer knows the task; "usage":
---the work is not done.
---
---*Source* REST API User Guide 14.1, "Using an asynchronous task"
---@return table result the result, or the task where the family has no result
function task:result() end

---Deletes the task and its result on the device. A task that is gone is not an error.
---
---*Raises* call errors, except "not_found".
---
---*Source* REST API User Guide 14.1, "Asynchronous task endpoints"
function task:delete() end
