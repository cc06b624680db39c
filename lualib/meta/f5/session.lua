---@meta f5.session
-- Sessions: one device and one user.

---@class f5.session
---One device and one user. Indexing builds references without traffic:
---`bip.ltm.pool["/Common/web"]`. Call methods with a colon; a method that is called with a dot
---raises "usage".
---@field [string] f5.reference the path `/mgmt/tm/NAME`
local session = {}

---Ends the calls that are still running and deletes the token on the device. A second call does
---nothing. `<close>` calls it.
---
---*Raises* nothing; a token that cannot be deleted is reported as a warning on standard error.
---
---*Source* docs/guide.md, "Connecting"
function session:close() end

---Returns a reference to any path. The first argument is a path below /mgmt/tm, a whole path that
---starts with /mgmt, or a link from the device. Calls on a link, and on what is below it, ask for
---the version of the API that the link names.
---
---    bip:at("ltm/data-group/internal", "/Common/hosts")
---    bip:at "/mgmt/shared/echo"
---    bip:at(pool.selfLink)
---
---*Raises* "usage": a part is empty or not a string, the link's version is not a version, or the
---session is closed.
---
---*Source* REST API User Guide 14.1, "Overview: URI format and structure"
---@param path string path or link, as above
---@param ... string|integer further parts: names as in an index, or ids
---@return f5.reference reference the path
function session:at(path, ...) end

---Sends any request. Use it for what references have no method for.
---
---*Raises* call errors; "transaction": the request belongs to a transaction, which failed; "usage":
---an argument or option is invalid. With `raw` an answer never raises.
---
---*Source* REST API User Guide 14.1, "About HTTP method semantics"
---@param method "GET"|"HEAD"|"OPTIONS"|"POST"|"PUT"|"PATCH"|"DELETE" HTTP method
---@param path string|f5.reference path below /mgmt/tm, whole path, or reference
---@param options? f5.request.options body, headers and so on
---@return any answer the JSON answer as Lua values; with `raw` a table f5.answer
function session:request(method, path, options) end

---@class f5.request.options
---Options of `session:request`.
---@field body? table|string body of the request; a table is sent as JSON
---@field query? table parameters of the URI: name = string, number or boolean
---@field headers? table further header lines: name = value
---@field raw? boolean|"body" true: return any answer as f5.answer and never retry; "body": the same
---without headers, which takes less time; default false
---@field timeout? number seconds for this exchange; default: that of the session
---@field quiet? boolean true: neither log, count nor retry; default false
---@field changes? boolean false: the call changes nothing, so it is not counted; default true
---@field retry? boolean false: the call is sent once, whatever `retries` of the session says

---@class f5.answer
---An answer of `session:request` with `raw`.
---@field status integer HTTP status
---@field headers table<string, string> header lines; names in lower case
---@field body string body as it came

---Starts a transaction, calls the function with it, and commits. If the function raises or is
---cancelled, the transaction is abandoned and nothing changes. A function that queues nothing
---commits nothing.
---
---    bip:transaction(function(tx)
---      tx(bip.ltm.pool["/Common/web"]):create { monitor = "/Common/http" }
---      tx(bip.ltm.virtual["/Common/vs"]):modify { pool = "/Common/web" }
---    end)
---
---*Raises* call errors; the error of the function; "transaction": the device rejects the commit
---(`command` is the command to blame) or has dropped the transaction; "timeout": it still runs.
---
---*Source* REST API User Guide 14.1, "About the iControl REST transaction model"
---@param options? f5.transaction.options of the start and the commit; may follow the function
---@param fn fun(tx: f5.transaction): any queues the commands
---@return any ... the results of the function
function session:transaction(options, fn) end

---Starts a transaction: `local tx <close> = bip:begin()`. If the variable is closed before
---`commit`, the transaction is abandoned.
---
---The device drops a transaction that gets no command for 120 s. The session prevents this: it
---queues the last command again and removes the copy. It can do so only while the script waits for
---something.
---
---*Raises* call errors; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "Creating an iControl REST transaction"
---@param options? f5.begin.options keep-alive
---@return f5.transaction transaction an open transaction, for a `<close>` variable
function session:begin(options) end

---@class f5.begin.options
---Options of `session:begin`.
---@field keep_alive? number|false seconds between two keep-alives, false: none; default from device

---Starts long work and returns its handle. With `{ path =, id = }` it returns the handle of a task
---that exists.
---
---    bip:task("sys/ucs", { command = "save", name = "nightly" }):wait { timeout = 600 }
---
---The path is that of the command, such as "sys/ucs", or that of the tasks, such as
---"asm/tasks/apply-policy", "shared/sys/backup", "/mgmt/cm/autodeploy/qkview",
---"/mgmt/shared/iapp/package-management-tasks" or "sys/software/image".
---
---*Raises* call errors; "usage": the path has no tasks, or the body lacks the name; "task": the
---task disappeared at the start; "busy": another task ran for the whole `patience`.
---
---*Source* REST API User Guide 14.1, "About iControl REST asynchronous tasks"
---@param path string|f5.reference|f5.task.id path of the command or the tasks, or an existing task
---@param body? table properties of the task, as the device names them
---@param options? f5.task.options how long to wait for other tasks
---@return f5.task task handle of the running work
function session:task(path, body, options) end

---@class f5.task.id
---An existing task.
---@field path string path of the command or of the tasks
---@field id? string|integer id that the device gave to the task; for an image or a copy its name

---@class f5.task.options
---Options of `session:task`.
---@field patience? number seconds to wait while the device is busy with another task; default 300
---@field changes? boolean false: the work changes nothing, so it is not counted; default true

---Sends a file in chunks of 1 MiB. If a chunk is lost, it is sent again from the offset that the
---device reports. On a terminal a progress line appears after two seconds.
---
---*Raises* call errors; "transfer": the file cannot be read, changes during the transfer, or has
---another SHA-256; "usage": an argument or option is invalid.
---
---*Source* docs/operating.md
---@param file string path of the file on this machine
---@param options? f5.upload.options where to store it
---@return f5.uploaded result the file on the device
function session:upload(file, options) end

---@class f5.upload.options
---Options of `session:upload`.
---@field to? "downloads"|"ucs"|"images"|"asm" directory on the device; default "downloads"
---@field name? string name on the device, without slashes; default: that of the file
---@field sha256? true|string true: compute it (a third more work); 64 hex digits: check it
---@field progress? fun(bytes: integer, size: integer, seconds: number) called after each chunk

---@class f5.uploaded
---What `session:upload` sent.
---@field name string name of the file on the device
---@field size integer bytes
---@field sha256? string 64 hexadecimal digits; only if asked for
---@field path? string path of the file on the device, if it is known

---Fetches a file. The file gets its name when it is complete. Only its owner may read it.
---
---*Raises* call errors; "transfer": the file cannot be written, changes during the transfer, or has
---another SHA-256; "usage": an argument or option is invalid.
---
---*Source* docs/operating.md
---@param name string name of the file on the device, without slashes
---@param file string path of the new file on this machine
---@param options? f5.download.options where it is
---@return f5.downloaded result the new file
function session:download(name, file, options) end

---@class f5.download.options
---Options of `session:download`.
---@field from? "downloads"|"ucs"|"images"|"asm"|"qkview" where it is; default "downloads"
---@field size? integer bytes of the file; only for devices that do not report it (12.x)
---@field sha256? true|string true: compute it; 64 hex digits: keep the file only if it matches
---@field replace? boolean false: raise if something has the name already; default true
---@field progress? fun(bytes: integer, size?: integer, seconds: number) called after each chunk

---@class f5.downloaded
---What `session:download` fetched.
---@field file string path of the new file on this machine
---@field size integer bytes
---@field sha256? string 64 hexadecimal digits; only if asked for

---Runs a command line in the device's shell. It returns the output (both streams) and the exit
---status.
---
---    local output, status = bip:bash("grep -c ERROR /var/log/ltm", { check = false })
---
---*Raises* call errors; "task": the exit status is not 0 (the error has `exit_status` and
---`output`); "protocol": the shell did not report a status; "usage": an argument or option is
---invalid.
---
---*Source* REST API User Guide 14.1, "Using the run command"
---@param command string a command line of bash
---@param options? f5.bash.options checks and limits
---@return string output standard output and standard error
---@return integer status exit status
function session:bash(command, options) end

---@class f5.bash.options
---Options of `session:bash`.
---@field check? boolean whether a status other than 0 raises; default true
---@field changes? boolean false: the command changes nothing, so it is not counted; default true
---@field timeout? number seconds; default: that of the session; the device stops after about 60

---Reads the configuration of the device: everything below /mgmt/tm of the provisioned modules,
---found by what the device lists. Links, statistics, values that the device computes and secrets
---are left out. What could not be read is in `left_out`.
---
---    bip:snapshot { file = "before.json" }
---    local before = bip:snapshot { paths = { "ltm/pool", "ltm/virtual" } }
---
---*Raises* call errors; "transfer": the file cannot be written; "usage": an option is invalid.
---
---*Source* docs/safe-change.md
---@param options? f5.snapshot.options what to read, and where to write it
---@return f5.state|f5.snapshot.written snapshot the snapshot; with `file` what was written
function session:snapshot(options) end

---Calls a function and keeps a change record of what the session writes meanwhile. Each object is
---read before it is written, and the record is on the disk before the write is sent: if it cannot
---be written there, nothing is sent. In check mode no record is kept.
---
---    local id = bip:undoable(function()
---      bip.ltm.pool["/Common/web"]:modify { monitor = "https" }
---    end)
---
---*Raises* what the function raises; "usage": the record cannot be written.
---
---*Source* docs/safe-change.md, "Change records and undo"
---@param fn function what to do; it gets no arguments
---@return string|nil id of the record, for `f5.undo`; nil if nothing was written
---@return any ... the results of the function
function session:undoable(fn) end

---Calls a function. If it raises an error or is interrupted, what the session wrote meanwhile is
---taken back; then the error goes on. Use it for what does not fit into a transaction. It reports
---on standard error what it took back and what it could not. The error then has a field `reverted`:
---true if everything is as before.
---
---    bip:guard(function()
---      bip.auth.partition.shop:create {}
---      bip.ltm.pool["/shop/web"]:create { members = members }
---    end)
---
---*Raises* what the function raises.
---
---*Source* docs/safe-change.md, "Change records and undo"
---@param fn function what to do; it gets no arguments
---@return any ... the results of the function
function session:guard(fn) end

---Returns whether the REST services are up and the configuration is loaded. If not, it also returns
---why.
---
---*Raises* "forbidden", "unsupported", "not_found", "invalid", "cancelled"; transient errors make
---it return false.
---
---*Source* docs/guide.md, "Files, the shell, and whether it is up"
---@return boolean ready true if the device is ready
---@return string? why_not the first thing that is not ready; nil if it is ready
function session:ready() end

---Waits until the device is ready, for example after a reboot.
---
---*Raises* "timeout": it is not ready in time; "auth": the device rejected the login five times in
---a row; "forbidden", "unsupported", "not_found", "invalid", "cancelled"; "usage": an option is
---invalid.
---
---*Source* docs/guide.md, "Files, the shell, and whether it is up"
---@param options? f5.wait_ready.options limits
---@return number seconds how long it took
function session:wait_ready(options) end

---@class f5.wait_ready.options
---Options of `session:wait_ready`.
---@field down? number seconds in which the device should go away first (after a reboot); default 0
---@field timeout? number seconds to wait in all; default 900
---@field interval? number seconds between two checks; default grows from 0.5 to 5
---@field progress? fun(why_not: string, seconds: number) called after each failed check
---@field path? string|string[] what else must answer, such as "/mgmt/shared/echo"
---@field extension? "as3"|"do"|"ts"|"fast" this extension must answer, too

---Returns the failover state of this unit.
---
---*Raises* call errors.
---
---*Source* docs/fleets.md
---@return string state "active", "standby", "offline" or "forced-offline"
function session:failover_state() end

---Changes the password of the session's user or of another user. The session continues with the new
---password. A user whose password has expired can do nothing else.
---
---*Raises* call errors; "invalid": the password policy rejects the password; "usage": an option is
---invalid, or the session has no user and none is named.
---
---*Source* REST API User Guide 14.1, "Password change in iControl REST"
---@param options f5.password.options the passwords
function session:change_password(options) end

---@class f5.password.options
---Options of `session:change_password`.
---@field new string|userdata the new password, or a result of `core.secret_from_command`
---@field old? string|userdata the present password; some devices require it
---@field user? string name of the user; default: the user of the session

---Returns the API life cycle notices of the device (header X-F5-Api-Status): one for each status
---and resource, oldest first. `-v` prints them as warnings.
---
---*Raises* nothing.
---
---*Source* REST API User Guide 14.1, "REST API life cycle policy"
---@return f5.api_status[] notices array; empty if there were none
function session:api_status() end

---@class f5.api_status
---A notice that a resource is deprecated or in test.
---@field status string word of the device, such as "DEPRECATED"
---@field method string HTTP method of the first call
---@field path string path of the resource, without names of objects
---@field count integer number of answers with this notice

---Returns the user of the session.
---
---*Raises* nothing.
---
---*Source* docs/guide.md, "Connecting"
---@return string? username name; nil if the session has a token of your own
function session:username() end

---Returns what the session has done so far.
---
---*Raises* nothing.
---
---*Source* docs/fleets.md
---@return f5.usage usage counters
function session:usage() end

---@class f5.usage
---Counters of a session. Refused calls are not writes. The commands of a transaction are counted
---when it is committed. A task counts once. What the script declares with `changes = false` is not
---counted.
---@field calls integer requests of the script
---@field writes integer changes that the device made or may have made
---@field bytes_sent integer bytes of bodies and headers
---@field bytes_received integer bytes of bodies and headers

---Returns the remaining lifetime of the token, by the device's clock.
---
---*Raises* nothing.
---
---*Source* REST API User Guide 14.1, "Requesting a token for iControl REST authentication"
---@return number? seconds remaining lifetime; nil without a token
function session:expires_in() end

---Returns the name of the device in messages.
---
---*Raises* nothing.
---
---*Source* docs/guide.md, "Connecting"
---@return string label option `label` of f5.connect, or the host
function session:label() end
