---@meta f5.plan
-- Plans: what a function would do to a device, to look at, to validate and to apply.

---@class f5.session
local session = {}

---Runs a function in check mode: its session looks like this one, reads come from the device, and
---writes stay in a twin of it. Then the device validates the writes. While it runs this session
---refuses to write. In a stock Lua the twin is started from the environment variable
---F5LUA_PROGRAM, or from `f5lua` in PATH.
---
---    local plan = bip:plan(function(bip)
---      bip.ltm.pool["/Common/web"]:modify { monitor = "/Common/https" }
---    end)
---    print(plan)
---    local wrong = plan:apply()
---
---*Raises* what the function raises; "not_simulated": a step that a twin does not know; "usage": an
---argument is invalid, or the twin cannot be started.
---
---*Source* docs/safe-change.md, "Plans in Lua"
---@param fn fun(bip: f5.session) what to do; use its session
---@param options? f5.plan.options how to plan
---@return f5.plan plan what it would do
function session:plan(fn, options) end

---@class f5.plan.options
---Options of `bip:plan`.
---@field validate? boolean whether the device validates the writes; default true

---@class f5.plan
---What a function would do. `print(plan)` prints it as `f5lua run --check` does.
---@field steps f5.plan.step[] the writes, in their order
---@field differences table[] the objects that would change, as in `f5.diff`
---@field assumed table[] what the twin had to assume: path, property, reason
local plan = {}

---Asks the device whether it accepts the steps. Nothing changes.
---
---    local fine, problems = plan:validate()
---    for _, problem in ipairs(problems) do print(problem.line, problem.message) end
---
---*Raises* call errors.
---
---*Source* docs/safe-change.md, "Plans in Lua"
---@return boolean fine whether no step is rejected
---@return f5.plan.problem[] problems the steps that are not accepted
function plan:validate() end

---Sends exactly the steps, and keeps a change record. Then every object is read back and compared
---with the plan. A plan can be applied once.
---
---    local wrong, id = plan:apply()
---    if #wrong > 0 then f5.undo(id, { session = bip }) end
---
---    local _, _, change = plan:apply { confirm = 300 }
---    change:confirm()
---
---*Raises* call errors; "conflict": nothing was sent, because the device has changed since the plan
---was made, or another change waits for its confirmation; "unsupported": nothing was sent, because
---the device could not take the change back by itself; "usage": the plan was applied already, an
---option is invalid, or the change record cannot be written.
---
---*Source* docs/safe-change.md, "Plans in Lua"
---@param options? f5.plan.apply_options how to apply it
---@return table[] wrong objects that are not as planned: path, what, changes
---@return string? id of the change record; nil if there was nothing to write
---@return f5.plan.change? change with `confirm`: what waits for its confirmation
function plan:apply(options) end

---@class f5.plan.apply_options
---Options of `plan:apply`.
---@field confirm? integer seconds until the device takes it back by itself, in whole minutes
---@field step_by_step? boolean true: sends each step by itself, for users who may not begin a
--- transaction; without it, such a plan is refused, and nothing is sent

---@class f5.plan.change
---A change that waits for its confirmation.
---@field id string its id, for `f5lua confirm`
---@field due string when the device takes it back, on its own clock
local change = {}

---Keeps the change.
---
---*Raises* call errors; "conflict": too late, the device takes it back or has taken it back.
---
---*Source* docs/safe-change.md, "Changes that must be confirmed"
function change:confirm() end

---Lets the device take the change back now, and waits for it, for at most 2 minutes.
---
---    print(change:take_back())   -- taken back   2026-11-28T10:00:01
---
---*Raises* call errors.
---
---*Source* docs/safe-change.md, "Changes that must be confirmed"
---@return "taken back"|"taking back"|"failed" state what the device did
---@return string? detail when, or what is left
function change:take_back() end

---Writes the plan to a file that `f5lua show` and `f5lua apply` take.
---
---    plan:write "change.plan"
---
---*Raises* "transfer": the file cannot be written; "usage": a passphrase for secrets is missing, or
---an argument is invalid.
---
---*Source* docs/safe-change.md, "Plans in Lua"
---@param path string the file
---@param options? f5.plan.write_options how to write it
function plan:write(path, options) end

---@class f5.plan.write_options
---Options of `plan:write`.
---@field sign? string file of a private key (Ed25519, PEM) that signs the plan

---@class f5.plan.step
---One write of a plan.
---@field n integer its number
---@field line string the line of the script
---@field method string "POST", "PATCH", "PUT" or "DELETE"
---@field path string of the request
---@field body? string JSON text
---@field class string "rest", "commands", "upload", "task", "asm", "declaration" or "other"
---@field validation? table state ("accepted", "rejected", "not_validated"), message

---@class f5.plan.problem
---A step that the device does not accept.
---@field n integer its number
---@field line string the line of the script
---@field state "rejected"|"not_validated" whether the device refuses it, or nobody knows
---@field message string the device's words, or why nobody knows
