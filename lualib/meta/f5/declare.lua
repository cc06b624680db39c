---@meta f5.declare
-- Declarations of AS3, DO, TS and FAST: methods of sessions.

---@class f5.session
local session = {}

---Sends a declaration to the extension that it is for, waits until it is carried out, and returns
---what became of each tenant. Its `class` says which extension: AS3 or ADC, Device or DO,
---Telemetry; a table with `name` and `parameters` is for FAST. A list of declarations and a JSON
---patch are for AS3. JSON text is sent as it is, so the tenants keep their order.
---
---    local results = bip:declare(f5.asset "app.json", { timeout = 900 })
---    print(results)
---    for _, one in ipairs(results) do print(one.tenant, one.code, one.message) end
---
---It waits while the extension starts, is busy with another declaration, or restarts; DO is
---followed through reboots, and to the password that the declaration gives to the user of the
---session. The call that sends the declaration is never repeated after it may have arrived: a cut
---connection is looked up in AS3's list of tasks.
---
---*Raises* "declaration": it was refused, or a tenant failed; `err.results` has all tenants, and
---`err.outcome` is set if nobody knows what was changed; "unsupported": the extension is not
---installed, or its version has no dry run; "timeout": not done in time, it continues; call errors;
---"usage": it is no declaration, or an option is invalid.
---
---*Source* docs/declarations.md
---@param declaration table|string the declaration, or its JSON text
---@param options? f5.declare.options limits, dry run
---@return f5.declare.result[] results array in the extension's order; as text one line for each
function session:declare(declaration, options) end

---@class f5.declare.options
---Options of `session:declare`.
---@field dry_run? boolean true: AS3 (3.30) or DO (1.23) only say what they would do; the device
---itself is not asked; default false
---@field timeout? number seconds for everything; default 1800
---@field progress? fun(state: string, seconds: number) called after each look
---@field tenant? string AS3: only this tenant of the declaration; for a declaration of
---applications: their tenant
---@field show? "base"|"full"|"expanded" AS3: how much its answer repeats

---@class f5.declare.result
---What became of a tenant. `Common` of AS3 has two results: it is changed first and cleaned up
---last.
---@field tenant? string name of the tenant; nil: of the whole declaration
---@field code? integer status, such as 200 or 422
---@field message string "success", "no change", "declaration failed" …
---@field response? string the words of the device
---@field errors? string[] what is wrong
---@field warnings? string[] what the extension warns of
---@field changes? table[] differences that a dry run found: kind, path, lhs, rhs, command
---@field run_time? number seconds
---@field line_count? integer lines of AS3's script
---@field dry_run? boolean true: it was a dry run
---@field declaration_id? string id of the declaration
---@field application? string name of the application of FAST
---@field status? string word of DO, such as "OK"
---@field ok boolean whether it succeeded
---@field changed boolean whether the device was changed

---Returns the declaration that an extension has stored.
---
---    local before = bip:declared { tenant = "Blue" }
---
---*Raises* "unsupported": the extension is not installed; call errors; "usage": an option is
---invalid.
---
---*Source* docs/declarations.md
---@param options? f5.declared.options|string what to read; a text is the name of a tenant
---@return table? declaration nil: there is none
function session:declared(options) end

---@class f5.declared.options
---Options of `session:declared`.
---@field tenant? string AS3: only this tenant
---@field show? "base"|"full"|"expanded" AS3: how much; default "base"
---@field extension? "as3"|"do"|"ts" the extension; default "as3"

---Removes tenants of AS3, with all that is in them. Without a name it raises, because AS3 would
---remove all tenants.
---
---    bip:undeclare("Blue", "Green")
---
---*Raises* as `session:declare`; "usage": no tenant is named.
---
---*Source* docs/declarations.md
---@param ... string|f5.undeclare.options names of tenants; options may come last
---@return f5.declare.result[] results array; "no change": there was no such tenant
function session:undeclare(...) end

---@class f5.undeclare.options
---Options of `session:undeclare`.
---@field timeout? number seconds for everything; default 1800
---@field progress? fun(state: string, seconds: number) called after each look

---Returns the extensions that are installed: AS3, DO, TS and FAST.
---
---*Raises* call errors.
---
---*Source* docs/declarations.md
---@return f5.extension[] extensions array; empty: none is installed
function session:extensions() end

---@class f5.extension
---An extension.
---@field name "as3"|"do"|"ts"|"fast" its name in f5lua
---@field label string its name in messages
---@field version? string version, such as "3.50.2"
---@field release? string release, such as "3"
---@field path string its path on the device
---@field ready boolean whether it answers; false: its package is installed

---Uploads the package of an extension (RPM), installs it, and waits until the extension answers in
---its version. It waits first while AS3 works on a declaration: the device's services restart after
---an installation. A package that is installed already is not sent.
---
---*Raises* "task": the device does not install it, such as an older version; "timeout": it does not
---answer in time; call errors; "usage": the file is not a package, or an option is invalid.
---
---*Source* docs/declarations.md
---@param file string path of the RPM
---@param options? f5.undeclare.options limits
---@return f5.package package what was installed
function session:install_package(file, options) end

---@class f5.package
---What `session:install_package` installed.
---@field name string name of the file
---@field extension? string name of the extension; nil: f5lua does not know it
---@field version? string what the extension says of itself
---@field seconds number how long it took
---@field changed boolean false: it was installed already
