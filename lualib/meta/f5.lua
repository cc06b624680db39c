---@meta
-- What the f5 module offers: the one source of editor completion, of the console's help and of docs/api.md.

---@class f5
---The f5 module: `local f5 = require "f5"`. Parts that are not named here are loaded on first use: `f5.asm` is `require "f5.asm"`.
---@field version string version of f5lua
---@field null userdata JSON null: a flag that is set, a value to clear; equal to `cjson.null`
---@field json f5.json exact JSON: 64-bit integers, null, arrays that stay arrays
local f5 = {}

---Logs in to a device.
---
---Nothing but a host is needed: the rest comes from the environment (`F5_SERVER`, `F5_SERVER_PORT`, `F5_USER`, `F5_PASSWORD`,
---`F5_VALIDATE_CERTS`) or is asked for on the terminal. The token is renewed while the session lives and deleted when it ends.
---
---    local bip <close> = f5.connect { host = "bigip1.example.net" }
---@param options? f5.options|string options, or just the host
---@return f5.session
function f5.connect(options) end

---Calls a function and returns true and its results, or false and the error.
---Cancellation is not held back.
---
---    local ok, err = f5.try(function() return bip.ltm.pool["/Common/web"]:load() end)
---    if not ok and err.kind == "not_found" then … end
---@param fn function
---@param ... any its arguments
---@return boolean ok
---@return any ... its results, or the error
function f5.try(fn, ...) end

---Ends the playbook with exit status 1 and this message alone: for what its user did wrong or must know. Mistakes of the playbook are for `error`,
---which shows where they are. `f5.try` catches it; its `kind` is "failed".
---
---    if left > 0 then f5.fail("%d connections had not ended after %g s", left, timeout) end
---@param format string
---@param ... any for string.format
function f5.fail(format, ...) end

---Runs a function as a fiber of its own, beside this one.
---@param fn function
---@param ... any its arguments
---@return f5.fiber
function f5.spawn(fn, ...) end

---Runs functions beside each other and returns their results in order; the first failure cancels the others and is raised.
---@param ... function|function[]
---@return any ...
function f5.all(...) end

---Waits; other fibers run meanwhile.
---@param seconds number
function f5.sleep(seconds) end

---A line on standard error that says how far something is: on a terminal each text takes the place of the one before, elsewhere each that differs is
---a line of its own. Closing it lets what comes next begin below it.
---
---    local line <close> = f5.live()
---    while left() > 0 do line(("%d left"):format(left())) f5.sleep(1) end
---@param options? { quiet?: boolean } quiet: nothing where there is no terminal
---@return f5.live
function f5.live(options) end

---@class f5.live
---@overload fun(text: string)
local live_line = {}

---Ends the line; `<close>` calls it.
function live_line:close() end

---The files on this machine, below a directory, whose names are like a pattern with `*`, `?`, `[…]` and `**`; sorted. Empty where there is nothing.
---A file whose name is the pattern (`a[1].ucs`) is found by it; if the pattern matches others, too, the call is refused.
---
---    for _, path in ipairs(f5.files("backups", "*.ucs")) do print(path) end
---@param directory string
---@param pattern string
---@return string[] paths that begin with the directory
function f5.files(directory, pattern) end

---Looks at a certificate in a file on this machine (PEM; of several the first), and whether a key is its own, before either is sent anywhere.
---
---    local found, why_not = f5.certificate("www.crt", { key = "www.key" })
---    if not found then f5.fail("%s", why_not) end
---    if found.ends < os.time() then f5.fail("www.crt has expired") end
---@param file string
---@param options? { key?: string, passphrase?: string } key: the file of its key, PEM; passphrase: of the key
---@return { subject: string, starts: integer, ends: integer }? certificate valid from and until, in seconds as os.time has them; nil if it is none
---@return string? why_not the file and what is wrong with it: not there, cut off, the key of another certificate …
function f5.certificate(file, options) end

---Runs a function on every device of an inventory, each in a fiber and with a session of its own.
---
---What fails on one device is in the report and touches no other. See docs/fleets.md.
---
---    local report = f5.each(f5.inventory "sites.lua", { workers = 50 }, function(bip) return #bip.ltm.virtual:list() end)
---    print(report)
---@param devices f5.inventory|table[]|string[] an inventory, or a list of hosts and tables of options
---@param options? f5.each.options
---@param fn fun(bip: f5.session, device: f5.inventory.device): any its first result is kept in the report
---@return f5.report
function f5.each(devices, options, fn) end

---Reads an inventory: a Lua file, a JSON file, or an executable that prints JSON for `--list`. Mistakes are raised with file and line.
---@param path string
---@return f5.inventory
function f5.inventory(path) end

---The contents of a file that belongs to the playbook: beside it, or packed into the program by `f5lua build --include`.
---
---    local template = f5.asset "data/irule.tcl"
---@param name string path below the playbook's directory
---@return string contents
function f5.asset(name) end

---Only in `f5.so`, under a stock lua5.4: runs a function as the main fiber and returns its results after all other fibers have ended.
---@param fn function
---@param ... any its arguments
---@return any ...
function f5.run(fn, ...) end

---@class f5.each.options
---@field workers? integer devices at a time; default 50
---@field canary? integer devices that run first and must all succeed; default 0
---@field batch? integer devices a batch; the next begins when all of one have ended
---@field max_failures? integer|string start no further device when more have failed: a number, or a share such as "10%"
---@field per_device? integer calls at a time to one device; default 4
---@field on? "active" only on the active unit, whose group is synchronised after a change
---@field sync? boolean with on = "active": synchronise; default true
---@field limit? string `group:eu,!lab*`
---@field journal? string file that remembers finished devices, for a run that is started again. It belongs to one run: this function in this file, the program's arguments, this inventory; another run's is refused, and so is any other file
---@field force? boolean take the journal of another run
---@field progress? fun(event: "begin"|"start"|"finish"|"end", entry: f5.report.entry?, report: f5.report)

---@class f5.inventory
---@field devices f5.inventory.device[]
local inventory = {}

---The devices that a limit selects; a term that matches nothing is an error.
---@param limit? string terms with commas between: names with * and ?, `group:NAME`, `!` before either to leave out
---@return f5.inventory
function inventory:limit(limit) end

---@class f5.inventory.device
---@field name string
---@field connect f5.options
---@field vars table
---@field groups table<string, true>
---@field pair? string

---@class f5.report
---@field ok boolean every device is done or was skipped
---@field stopped? string why no further device was started
---@field cut_off? boolean the run ended by an error: interrupted, or a journal that could not be written
---@field duration number seconds
---@field devices f5.report.entry[] in the inventory's order
local report = {}

---How many devices are in each state, and how many changed.
---@return table<string, integer>
function report:counts() end

---One line of totals.
---@return string
function report:summary() end

---Writes the report to FILE.json or FILE.csv.
---@param path string
function report:write(path) end

---@class f5.report.entry
---@field name string
---@field state "done"|"failed"|"skipped"|"unreached"|"earlier"|"running"
---@field changed boolean the device was changed, or may have been
---@field result any what the function returned
---@field error any what it raised
---@field reason? string why it was skipped
---@field duration number seconds
---@field calls integer
---@field bytes integer

---Makes a table a JSON array, also an empty one; the table itself is returned.
---@param list table
---@return table
function f5.array(list) end

---Reads any answer with `entries` as plain values: one table an entry, in the device's order.
---
---    print(f5.flat(bip.sys.version:load())[1].Version)
---@param body table
---@return table[]
function f5.flat(body) end

---@class f5.options
---@field host? string name or address, also "host:port", "[v6]:port", "https://host"
---@field port? integer default 443
---@field username? string
---@field password? string|userdata a string, or what `core.secret_from_command` gave
---@field provider? string who checks the password; default "tmos", the device's own choice
---@field login_reference? string the same as a link
---@field auth? "token"|"basic" default "token"; "basic" works for administrators alone
---@field token? string a token of your own, which is neither renewed nor deleted
---@field verify? boolean check the device's certificate; default true
---@field ca? string PEM file with the CA of this device's certificate
---@field cert? string PEM file with a client certificate, and those of its chain
---@field key? string PEM file with its key, without a passphrase; default beside the certificate
---@field pin? string the device's public key: "sha256//DIGEST", several with ";" between, or a file (PEM, DER)
---@field proxy? string "http://USER:PASSWORD@HOST:PORT", the two with %XX for what has a meaning in URLs; default `https_proxy` of the environment
---@field timeout? number seconds for one exchange, default 60
---@field connect_timeout? number seconds, default 10
---@field wait? number seconds for which the login is tried while the device is not up (restarts, boots), default 0; a wrong password or certificate is not waited out
---@field retries? integer|f5.retries further attempts of a call that may be tried again, default 4
---@field token_lifetime? integer seconds that the token shall live, at most 36000
---@field ver? string version of the API that every call asks for
---@field label? string how messages name the device; default its host
---@field parallel? integer calls at a time, default 4: a device is easily flooded
---@field body_limit? integer bytes of the largest answer that is taken, default 256 MiB

---@class f5.retries
---@field count? integer further attempts, default 4
---@field delay? number seconds before the first of them, doubled each time up to 10, half of it at random; default 0.25
---@field budget? number seconds after the start of a call within which another attempt may begin, default 60

---@class f5.session
---One device and one user. Indexing builds references and makes no traffic: `bip.ltm.pool["/Common/web"]`.
---@field [string] f5.reference
local session = {}

---Deletes the token and ends the calls that are still running. A second time it does nothing; `<close>` calls it.
function session:close() end

---A reference to any path: names as indices would take them, a whole path from /mgmt on, or a link that a device gave.
---
---    bip:at("ltm/data-group/internal", "/Common/hosts")
---    bip:at "/mgmt/shared/echo"
---    bip:at(pool.selfLink)
---@param path string
---@param ... string|integer further parts
---@return f5.reference
function session:at(path, ...) end

---Makes any call, for what the references have no method for.
---@param method "GET"|"HEAD"|"OPTIONS"|"POST"|"PUT"|"PATCH"|"DELETE"
---@param path string|f5.reference
---@param options? { body?: table|string, query?: table, headers?: table, raw?: boolean, timeout?: number, quiet?: boolean } raw: { status, headers, body } of any answer; quiet: neither logged, counted nor repeated
---@return any answer decoded
function session:request(method, path, options) end

---Begins a transaction and gives it to the function; commits when that returns, abandons it when it raises or is cancelled.
---
---    bip:transaction(function(tx)
---      tx(bip.ltm.pool["/Common/web"]):create { monitor = "/Common/http" }
---      tx(bip.ltm.virtual["/Common/vs"]):modify { pool = "/Common/web" }
---    end)
---
---What is refused is an error of kind "transaction" whose `command` is the guilty one: `id`, `method`, `path`, `where` it was queued.
---If the function queues nothing, nothing is committed.
---@param options? f5.commit|{ keep_alive?: number|false } may be left out, or stand behind the function
---@param fn fun(tx: f5.transaction): any
---@return any ... what the function returns
function session:transaction(options, fn) end

---Begins a transaction: `local tx <close> = bip:begin()`. It is abandoned when the variable is closed before `commit`.
---
---The device ends a transaction that gets no command for 120 s. Before that the session queues the last command once more and removes the
---copy (`keep_alive`: seconds between two times, false: never), as long as the script waits for something or other: a script that keeps
---the processor to itself for longer loses its transaction.
---@param options? { keep_alive?: number|false }
---@return f5.transaction
function session:begin(options) end

---Starts long work and returns its handle; or, with `{ path =, id = }`, the handle of a task that is there.
---
---    bip:task("sys/ucs", { command = "save", name = "nightly" }):wait { timeout = 600 }
---
---The path is that of the command ("sys/ucs", as the command's own path) or of the tasks ("asm/tasks/apply-policy", "shared/sys/backup",
---"/mgmt/cm/autodeploy/qkview", "/mgmt/shared/iapp/package-management-tasks", "sys/software/image", an installation of live update).
---@param path string|f5.reference|{ path: string, id?: string|integer }
---@param body? table
---@param options? { patience?: number } seconds to wait until the device has ended another task, default 300
---@return f5.task
function session:task(path, body, options) end

---Sends a file, in chunks of 1 MiB; a chunk that gets lost is sent again from where the device says. On a terminal a line shows how far it
---is when it takes longer than two seconds.
---@param file string
---@param options? { to?: "downloads"|"ucs"|"images"|"asm", name?: string, sha256?: true|string, progress?: fun(bytes: integer, size: integer, seconds: number) } name: on the device, default the file's own; sha256: true takes it, a third more work; 64 hexadecimal digits: it must be this one
---@return { name: string, size: integer, sha256?: string, path?: string } path: on the device
function session:upload(file, options) end

---Fetches a file. It has its name when all of it is there; only its owner may read it.
---@param name string on the device
---@param file string
---@param options? { from?: "downloads"|"ucs"|"images"|"asm"|"qkview", size?: integer, sha256?: true|string, progress?: fun(bytes: integer, size?: integer, seconds: number) } size: bytes, for devices that do not tell it (12.x); sha256: true takes it, 64 hexadecimal digits: a file with another one is an error and is not kept
---@return { file: string, size: integer, sha256?: string }
function session:download(name, file, options) end

---Runs a command line in the device's shell and returns its output (both streams) and its exit status. A status that is not 0 is an error
---of kind "task" with `exit_status` and `output`, unless `check = false`.
---
---    local output, status = bip:bash("grep -c ERROR /var/log/ltm", { check = false })
---@param command string
---@param options? { check?: boolean, timeout?: number }
---@return string output
---@return integer status
function session:bash(command, options) end

---Whether the REST services are up and the configuration is loaded; if not, also why.
---@return boolean ready
---@return string? why_not
function session:ready() end

---Waits until the device is ready, as after a restart or a reboot.
---@param options? { down?: number, timeout?: number, interval?: number, progress?: fun(why_not: string, seconds: number) } down: seconds within which it goes away first, as it answers for a while after a reboot was ordered; timeout: seconds, default 900
---@return number seconds that it took
function session:wait_ready(options) end

---Whether this is the active unit: "active", "standby", "offline" or "forced-offline".
---@return string
function session:failover_state() end

---Changes the password of the session's own user, or of another one. The session goes on with the new one. It is also the only thing that a
---user may do whose password has expired (an error of kind "auth" that says so). What the password policy refuses is of kind "invalid".
---@param options { new: string|userdata, old?: string|userdata, user?: string }
function session:change_password(options) end

---What the device said of its API (X-F5-Api-Status): each status of each resource once, oldest first. `-v` prints a warning for each.
---@return { status: string, method: string, path: string, count: integer }[]
function session:api_status() end

---Who the session is; nil with a token of your own.
---@return string?
function session:username() end

---What the session has done so far: calls are requests of the script; writes are changes that the device made, or may have made (an outcome that
---is unknown). What it refused changed nothing and counts for nothing; what is queued in a transaction counts when it is committed.
---@return { calls: integer, writes: integer, bytes_sent: integer, bytes_received: integer }
function session:usage() end

---Seconds that the token has left, by the device's own clock; nil without a token.
---@return number?
function session:expires_in() end

---How messages name the device.
---@return string
function session:label() end

---@class f5.reference
---A path on a device. It holds no state and costs no traffic; only its methods talk to the device. An index that starts with `/`
---is a full name, any other a path segment as written; what a method's name hides is reached by `at`.
---@field [string] f5.reference
local reference = {}

---Reads the object, or the collection as the device gives it.
---@param options? f5.query
---@return table
function reference:load(options) end

---Reads all objects of a collection, page after page, into an array.
---@param options? f5.query
---@return table[]
function reference:list(options) end

---Iterates over a collection with one page in memory at a time.
---
---    for node in bip.ltm.node:each { select = { "name", "address" } } do print(node.name) end
---
---Objects that are deleted inside of the loop move the pages: delete from a `list` instead.
---@param options? f5.query `page` is 500 unless given
---@return fun(): table
function reference:each(options) end

---Creates an object and returns it with its defaults. On a collection the properties hold the name; a reference with a full name is
---created in its collection: `bip.ltm.pool["/Common/web"]:create {}`.
---@param properties? table
---@return table
function reference:create(properties) end

---Changes what is named and returns the object.
---@param properties table
---@param options? f5.query
---@return table
function reference:modify(properties, options) end

---Changes what is named, resets everything else to its default, and returns the object.
---@param properties table
---@param options? f5.query
---@return table
function reference:replace(properties, options) end

---Deletes the object. Of a collection only what `options` or, in ASM, `filter` name.
---@param options? f5.query
---@return any answer mostly nothing
function reference:delete(options) end

---Whether the device has it. Any other doubt is an error.
---@return boolean
function reference:exists() end

---Creates the object if it is not there, and changes what differs from these properties. Does nothing if nothing differs.
---@param properties table
---@return "created"|"changed"|"unchanged"
---@return table object
function reference:ensure(properties) end

---Runs a tmsh command on the path.
---
---    bip.sys.config:run("save")
---@param command string
---@param arguments? table
---@return table
function reference:run(command, arguments) end

---Reads the statistics as plain values: of an object one table, of a collection an array of them.
---
---    print(bip.ltm.pool["/Common/web"]:stats()["serverside.curConns"])
---@param options? f5.query
---@return table
function reference:stats(options) end

---Reads what the device gives as an example of this resource.
---@param options? f5.query
---@return table
function reference:example(options) end

---A reference below this one, as indexing does; also reaches what a method's name hides.
---@param path string
---@param ... string|integer
---@return f5.reference
function reference:at(path, ...) end

---ASM only: changes all entities of a collection that a filter names, in one call, and returns them.
---
---    policy.urls:modify_all { filter = { type = "explicit" }, set = { performStaging = false } }
---@param options { filter?: string|table|f5.filter.value, all?: true, set: table } `all = true` instead of a filter means every one
---@return table[]
function reference:modify_all(options) end

---ASM only: deletes all entities of a collection that a filter names, in one call, and returns them.
---@param options { filter?: string|table|f5.filter.value, all?: true }
---@return table[]
function reference:delete_all(options) end

---@class f5.transaction
---Commands that the device collects and runs together or not at all. `tx(reference)` is the same reference, bound: what it writes is queued
---and answers with the command, what it reads is what was committed before. ASM and tasks have no transactions.
---@overload fun(reference: f5.reference): f5.reference
local transaction = {}

---@return integer
function transaction:id() end

---The device's word: "STARTED", "UPDATING", "VALIDATING", "COMPLETED" or "FAILED".
---@return string
function transaction:state() end

---What is queued, in its order; `where` is the script's line that queued it.
---@return table[]
function transaction:commands() end

---Makes a command the order-th one.
---@param command integer|table its id, or what queueing it returned
---@param order integer
---@return table
function transaction:move(command, order) end

---Takes a command out.
---@param command integer|table
function transaction:remove(command) end

---Has the device check everything without changing anything; raises what `commit` would raise.
---@param options? f5.commit
---@return true
function transaction:validate(options) end

---Runs all commands, or none.
---@param options? f5.commit
---@return true
function transaction:commit(options) end

---Abandons it. Does nothing if it has ended; `<close>` calls it.
function transaction:rollback() end

---@class f5.commit
---@field async? boolean the device works in the background and is asked until it is done
---@field timeout? number seconds to wait for the end; default 30 more than the device allows itself (300)
---@field interval? number seconds between two looks
---@field progress? fun(state: string, seconds: number) called after each look

---@class f5.task
---Long work on a device: one handle, whatever shape the device gives it.
---@field id? string|integer
---@field reference f5.reference
local task = {}

---The device's word for where the work stands.
---@return string
function task:state() end

---Reads the task as the device gives it.
---@return table
function task:load() end

---Waits until the work is done, returns its result, and deletes what the task left on the device. What fails is an error of kind "task";
---a task that the device does not know any more too, with `outcome = "unknown"`. Restarts of the device's services are waited out.
---@param options? { timeout?: number, interval?: number, keep?: boolean, progress?: fun(state: string?, seconds: number) } timeout: seconds, default 600; keep: delete nothing; progress: called after each look
---@return table
function task:wait(options) end

---The result of work that is done.
---@return table
function task:result() end

---Deletes the result and the task.
function task:delete() end

---@class f5.query
---@field select? string|string[] properties to return
---@field filter? string|table|f5.filter.value a text as it stands, or conditions that f5.filter writes: { partition = "X" }
---@field top? integer how many at most
---@field skip? integer how many to leave out
---@field page? integer objects to ask for at a time (list, each)
---@field expand? boolean|string|string[] true: sub-collections too; names: OData's $expand
---@field options? string options of the tmsh command
---@field orderby? string|string[]
---@field inlinecount? string
---@field ver? string version of the API
---@field query? table any further parameters

---@class f5.error
---What is raised when a call fails; `tostring` says all of it in one line.
---@field kind "not_found"|"conflict"|"invalid"|"auth"|"forbidden"|"unsupported"|"not_ready"|"busy"|"timeout"|"transport"|"tls"|"transaction"|"task"|"transfer"|"cancelled"|"protocol"|"usage"
---@field message string
---@field status? integer of HTTP; nil if no answer came
---@field code? integer of the answer's body
---@field api_error? integer
---@field error_stack? string[]
---@field method? string
---@field path? string
---@field device? string label of the session
---@field attempts? integer
---@field outcome? "unknown" the device may have carried out what was asked
---@field command? { id: integer, method: string, path: string, where: string } of a transaction: the command that is to blame
---@field exit_status? integer of `bash`: how the command ended
---@field output? string of `bash`: what it said
---@field candidates? table[] of a transaction: the commands of which one is to blame, when it cannot be found out which
---@field cause? f5.error

---@class f5.fiber
local fiber = {}

---Waits for the fiber's end and returns its results, or raises its error.
---@return any ...
function fiber:join() end

---Makes the fiber raise an error of kind "cancelled" where it waits; its `<close>` variables run.
function fiber:cancel() end

---@return string
function fiber:status() end

---@class f5.json
local json = {}

---@param text string
---@return any
function json.decode(text) end

---@param value any
---@param style? { sort?: boolean, first?: string[], indent?: integer }
---@return string
function json.encode(value, style) end

---@param list table
---@return table
function json.array(list) end

---@param value any
---@return boolean
function json.is_array(value) end

---A filter that was built; tostring gives its text.
---@class f5.filter.value

---OData filters from Lua values. Conditions on several properties are joined by `and`; a value is compared with `eq`, a table
---holds operators (eq ne lt le gt ge) and functions (contains startswith endswith); filters inside of it count, too.
---
---    f5.filter { staging = true, name = { contains = "log'in" }, status = f5.filter.any { "pending", "ignored" } }
---@class f5.filter
---@overload fun(conditions: table): f5.filter.value
f5.filter = {}

---Any of these values or conditions, for one property.
---@param choices any[]
---@return table
function f5.filter.any(choices) end

---Everything but what the conditions mean.
---@param conditions table
---@return f5.filter.value
function f5.filter.no(conditions) end

---A filter written by hand.
---@param text string
---@return f5.filter.value
function f5.filter.raw(text) end

---The text of a filter for a path of the device. Refuses what the device does not support there.
---@param value string|table|f5.filter.value
---@param path string
---@return string
function f5.filter.text(value, path) end

---Whether a value is a filter that was built.
---@param value any
---@return boolean
function f5.filter.is(value) end

---What makes ASM pleasant: f5.asm(bip). A policy is given by its name, its full path, a reference or an object.
---@class f5.asm
---@field policies f5.reference
---@field live f5.asm.live
---@overload fun(session: f5.session): f5.asm
f5.asm = {}

---The policy with this name. Raises `not_found`.
---@param name string|table|f5.reference
---@return f5.reference
function f5.asm:policy(name) end

---What a link points to.
---@param link string|table|f5.reference
---@return f5.reference
function f5.asm:follow(link) end

---The policy template with this title.
---@param title string
---@return table
function f5.asm:template(title) end

---Starts a task of ASM by its name ("export-policy").
---@param name string
---@param body? table
---@return f5.asm.task
function f5.asm:task(name, body) end

---Exports a policy; without a filename its text is in the result's `file`.
---@param policy string|table|f5.reference
---@param options? { filename?: string, minimal?: boolean, format?: "xml"|"json", base64?: boolean, suggestions?: boolean }
---@return f5.asm.task
function f5.asm:export_policy(policy, options) end

---Imports a policy from a text, an uploaded file or a template, under a new name or in the place of `policy`.
---@param options { file?: string, filename?: string, base64?: boolean, name?: string, full_path?: string, policy?: string|table|f5.reference, template?: string, attributes_only?: boolean }
---@return f5.asm.task
function f5.asm:import_policy(options) end

---Makes the changes of a policy effective.
---@param policy string|table|f5.reference
---@return f5.asm.task
function f5.asm:apply_policy(policy) end

---Restores a revision, over `policy` or `name`, else as a new policy.
---@param revision table|f5.reference
---@param options? { policy?: string|table|f5.reference, name?: string, full_path?: string }
---@return f5.asm.task
function f5.asm:restore_revision(revision, options) end

---Compares two policies; the result has differenceReference and policyDiffReference.
---@param first string|table|f5.reference
---@param second string|table|f5.reference
---@return f5.asm.task
function f5.asm:diff_policies(first, second) end

---Merges the result of diff_policies.
---@param diff table
---@param options? { add_to_first?: boolean, add_to_second?: boolean, common?: string, missing?: string, filter?: string|table }
---@return f5.asm.task
function f5.asm:merge_policies(diff, options) end

---Takes the system's signature update, or signatures of one's own.
---@param options? { file?: string, filename?: string, base64?: boolean, user_defined?: boolean }
---@return f5.asm.task
function f5.asm:update_signatures(options) end

---Exports user-defined signatures.
---@param filename string
---@param options? { inline?: boolean, base64?: boolean }
---@return f5.asm.task
function f5.asm:export_signatures(filename, options) end

---Looks for an update of the signatures.
---@return f5.asm.task
function f5.asm:check_signatures() end

---Puts an XML schema into a policy; with `profile` that XML profile validates by it.
---@param policy string|table|f5.reference
---@param name string
---@param contents string
---@param options? { profile?: string }
---@return table
function f5.asm:upload_schema(policy, name, contents, options) end

---Imports the findings of a scanner.
---@param policy string|table|f5.reference
---@param options { file?: string, filename?: string, base64?: boolean, subscription?: string, scan?: string, all_domains?: boolean, domains?: string[], count_only?: boolean }
---@return f5.asm.task
function f5.asm:import_vulnerabilities(policy, options) end

---The subscriptions of the policy's scanner.
---@param policy string|table|f5.reference
---@return f5.asm.task
function f5.asm:vulnerability_subscriptions(policy) end

---Starts a scan of a subscription.
---@param policy string|table|f5.reference
---@param subscription string
---@return f5.asm.task
function f5.asm:initiate_assessment(policy, subscription) end

---Ends the running scan.
---@param policy string|table|f5.reference
---@return f5.asm.task
function f5.asm:terminate_assessment(policy) end

---Changes the policy so that these vulnerabilities are covered; `preview` only says what would be done.
---@param list (table|f5.reference)[]
---@param options? { stage?: boolean, preview?: boolean }
---@return f5.asm.task
function f5.asm:resolve_vulnerabilities(list, options) end

---Exports the keys of the cookie encryption.
---@param filename? string
---@return f5.asm.task
function f5.asm:export_data_protection(filename) end

---Imports such keys.
---@param options { file?: string, filename?: string, accept_minutes?: integer, sign_minutes?: integer }
---@return f5.asm.task
function f5.asm:import_data_protection(options) end

---Imports a certificate (PEM).
---@param name string
---@param options { file?: string, filename?: string, type?: "client"|"server", allow_untrusted?: boolean }
---@return f5.asm.task
function f5.asm:import_certificate(name, options) end

---The learning suggestions of a policy, the strongest first.
---@param policy string|table|f5.reference
---@param options? table as for each, and `score`: the least score wanted
---@return fun(): table?
function f5.asm:suggestions(policy, options) end

---Does what a suggestion says.
---@param suggestion table|f5.reference
---@return table
function f5.asm:accept(suggestion) end

---Does it and puts the entity into staging.
---@param suggestion table|f5.reference
---@return table
function f5.asm:stage(suggestion) end

---@param suggestion table|f5.reference
---@return table
function f5.asm:ignore(suggestion) end

---@param suggestion table|f5.reference
---@param text string
---@return table
function f5.asm:comment(suggestion, text) end

---Marks it as read, or with false as unread.
---@param suggestion table|f5.reference
---@param is_read? boolean
---@return table
function f5.asm:read(suggestion, is_read) end

---Updates of signatures and challenges: f5.asm(bip).live
---@class f5.asm.live
local live = {}

---Looks for an update file of a component ("bot-signatures") and retrieves it.
---@param component string
---@return table
function live:check(component) end

---@param component string
---@return table[]
function live:installations(component) end

---@param component string
---@return table[]
function live:files(component) end

---Installs a downloaded update.
---@param component string
---@param installation string|table
---@return f5.asm.task
function live:install(component, installation) end

---Keeps it ready to be installed later.
---@param component string
---@param installation string|table
---@return f5.asm.task
function live:stage(component, installation) end

---Deletes an update file that is not installed.
---@param component string
---@param file string|table
function live:delete(component, file) end

---Long work of ASM.
---@class f5.asm.task
local asm_task = {}

---Waits for the end, removes the task and returns its result; raises what failed.
---@param options? { timeout?: number, interval?: number, progress?: fun(state: string, seconds: number), keep?: boolean }
---@return table
function asm_task:wait(options) end

---@return string
function asm_task:state() end

---@return table
function asm_task:result() end

function asm_task:delete() end

---What makes APM pleasant: f5.apm(bip).
---@class f5.apm
---@overload fun(session: f5.session): f5.apm
f5.apm = {}

---The sessions of users, of one user, client or id.
---@param options? { user?: string, client?: string, id?: string }
---@return { id: string, user: string, client: string }[]
function f5.apm:sessions(options) end

---Ends a session. The user must log in again.
---@param one string|table
function f5.apm:end_session(one) end

---Ends all sessions of a user or a client and returns them.
---@param options { user?: string, client?: string }
---@return table[]
function f5.apm:end_sessions(options) end

---The OAuth tokens, of one application if it is named.
---@param app? string
---@return table[]
function f5.apm:tokens(app) end

---How many tokens are valid.
---@param app? string
---@return integer
function f5.apm:token_count(app) end

---Revokes a token, one of tokens().
---@param token table
function f5.apm:revoke(token) end

---Simulated devices for specs and experiments; see docs/simulator.md. `require "f5.sim"` is the same.
---
---    local device <close> = f5.sim.start { provision = { "ltm", "asm" } }
---    local bip <close> = f5.connect(device:options "admin")
---@class f5.sim
---@field running f5.sim.device? the one that --sim started
---@field default_users table[]
f5.sim = {}

---Starts a device on a thread of its own.
---@param options? f5.sim.options
---@return f5.sim.device
function f5.sim.start(options) end

---@class f5.sim.options
---@field users? { name: string, password: string, role: string }[] default admin/admin and operator/operator
---@field provision? string[] modules; default: those of the seed, else { "ltm" }
---@field seed? table objects it starts with
---@field latency_ms? integer what every answer takes
---@field hostname? string
---@field log? string file that gets a line a call
---@field origins? string[] what CORS allows
---@field providers? table[] login providers
---@field version? string
---@field bind? string address; default 127.0.0.1
---@field port? integer default: a free one
---@field cert? string PEM file
---@field key? string PEM file
---@field body_limit? integer bytes of the largest request
---@field fleet? integer so many devices, on addresses of their own

---@class f5.sim.device
---@field host string
---@field port integer
---@field url string
---@field ca string file with the certificate that clients should trust
local device = {}

---Options for f5.connect.
---@param name? string the user; default the first
---@return f5.options
function device:options(name) end

---Moves the device's clock; what is due meanwhile happens.
---@param seconds number
---@return integer micros
function device:advance(seconds) end

---The device's time, microseconds since the epoch.
---@return integer
function device:now() end

---Plants a fault: { match = { method, path, query }, times, after, kind, status, body, headers, delay_ms, reset, truncate, act }.
---@param fault table
function device:fault(fault) end

---Takes all faults away.
function device:clear_faults() end

---A plain copy of the whole state.
---@return table
function device:state() end

---Puts a state that `state` gave in the place of the present one.
---@param state table
function device:restore(state) end

---Adds objects and users, as the option `seed` does.
---@param seed table
function device:plant(seed) end

---The calls seen: { number, micros, method, path, query, status, user, connection }.
---@return table[]
function device:log() end

---Forgets them.
function device:clear_log() end

---How many connections have brought a request.
---@return integer
function device:connections() end

---Restarts the web server and the REST daemon.
---@param options? { seconds?: number }
function device:restart(options) end

---Reboots the device.
---@param options? { seconds?: number }
function device:reboot(options) end

---How often the device itself made a mistake.
---@return integer
function device:problems() end

---The n-th device of a fleet (`fleet = 1000`).
---@param n integer
---@return f5.sim.device
function device:member(n) end

---Calls a function of lualib/sim/control.lua.
---@param name string
---@param argument any
---@return any
function device:control(name, argument) end

---Sleeps until a signal comes.
function device:wait() end

---Stops it; `<close>` does, too.
function device:stop() end

return f5
