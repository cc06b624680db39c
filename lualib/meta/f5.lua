---@meta f5
-- The f5 module, described for editors, for the console's help and for docs/api.md. The other files
-- are in f5/. Every parameter and field has a description with its unit or shape, every function a
-- line *Raises* and a line *Source*: `scripts/api-docs --check` fails where one is missing.

---@class f5
---The f5 module: `local f5 = require "f5"`. The parts `asm`, `apm`, `filter` and `sim` are loaded
---on first use: `f5.asm` is `require "f5.asm"`.
---@field version string version of f5lua: "MAJOR.MINOR.PATCH"
---@field null userdata JSON null: a flag that is set, a value to clear; the same as `cjson.null`
---@field json f5.json exact JSON: 64-bit integers, null, and arrays that stay arrays
---@field asm f5.asm Application Security Manager: call it with a session
---@field apm f5.apm Access Policy Manager: call it with a session
---@field filter f5.filter OData filters from Lua tables
---@field sim f5.sim simulated devices
local f5 = {}

---Logs in to a device and returns a session.
---
---Only the host is required. Options that you leave out come from the environment (`F5_SERVER`,
---`F5_SERVER_PORT`, `F5_USER`, `F5_PASSWORD`, `F5_VALIDATE_CERTS`). If there is a terminal, f5lua
---asks for a missing user name or password. The session renews its token and deletes it when it
---ends.
---
---    local bip <close> = f5.connect { host = "bigip1.example.net" }
---
---*Raises* call errors; "auth": the device rejects the user or the password; "tls": the certificate
---is not trusted; "usage": an option is invalid, or there is no terminal to ask on.
---
---*Source* REST API User Guide 14.1, "Requesting a token for iControl REST authentication"
---@param options? f5.options|string a table of options, or the host as a string
---@return f5.session session an open session, for a `<close>` variable
function f5.connect(options) end

---Calls a function and returns true and its results, or false and the error. It does not catch
---errors of kind "cancelled": Ctrl-C still ends the playbook.
---
---    local ok, err = f5.try(function() return bip.ltm.pool["/Common/web"]:load() end)
---    if not ok and err.kind == "not_found" then … end
---
---*Raises* "cancelled": the fiber was cancelled; "usage": `fn` is not a function.
---
---*Source* Lua 5.4 Reference Manual, "Error Handling"
---(https://www.lua.org/manual/5.4/manual.html#2.3)
---@param fn function the function to call
---@param ... any arguments for the function
---@return boolean ok true if the function returned
---@return any ... its results; if it raised, the error
function f5.try(fn, ...) end

---Ends the playbook with exit status 1 and prints only this message. Use it for problems that the
---user of the playbook can solve. Use `error` for bugs of the playbook: it prints a stack trace.
---`f5.try` catches the failure; its `kind` is "failed".
---
---    if left > 0 then f5.fail("%d connections are still open after %g s", left, timeout) end
---
---*Raises* "failed": always, with the message; "usage": `format` is not a string.
---
---*Source* docs/guide.md, "A playbook for others"
---@param format string the message, with the placeholders of string.format
---@param ... any values for the placeholders
function f5.fail(format, ...) end

---Starts a function in a new fiber and returns the fiber. The caller goes on.
---
---*Raises* a Lua error if `fn` is not a function.
---
---*Source* docs/guide.md, "Fibers: many things at once"
---@param fn function the function to run
---@param ... any arguments for the function
---@return f5.fiber fiber the running fiber
function f5.spawn(fn, ...) end

---Runs functions in parallel, each in its own fiber, and returns their results in order. The first
---error cancels the other fibers and is raised.
---
---*Raises* the first error of one of the functions; "cancelled": the calling fiber was cancelled; a
---Lua error if an argument is not a function, or if all fibers wait for each other.
---
---*Source* docs/guide.md, "Fibers: many things at once"
---@param ... function|function[] the functions, or one array of functions
---@return any ... the first result of each function; for an array of functions one table, with `n`
function f5.all(...) end

---Pauses this fiber. Other fibers run meanwhile.
---
---*Raises* "cancelled": the fiber was cancelled; a Lua error if `seconds` is not such a number.
---
---*Source* docs/guide.md, "Fibers: many things at once"
---@param seconds number seconds to wait, from 0 to 1e9
function f5.sleep(seconds) end

---Returns a progress line on standard error. On a terminal each text replaces the previous one. In
---a file each new text is a line of its own. `close` ends the line.
---
---    local line <close> = f5.live()
---    while left() > 0 do line(("%d left"):format(left())) f5.sleep(1) end
---
---*Raises* nothing; the line itself raises "usage" if it is called without a string.
---
---*Source* docs/guide.md, "A playbook for others"
---@param options? f5.live.options how to print
---@return f5.live line call it with each new text
function f5.live(options) end

---@class f5.live.options
---Options of `f5.live`.
---@field quiet? boolean true: print nothing if standard error is not a terminal; default false

---@class f5.live
---A progress line.
---@overload fun(text: string)
local live_line = {}

---Ends the line, so that later output starts below it. `<close>` calls it.
---
---*Raises* nothing.
---
---*Source* docs/guide.md, "A playbook for others"
function live_line:close() end

---Lists the files on this machine whose names match a pattern. The list is sorted; it is empty if
---no file matches. If one file has exactly the name `a[1].ucs`, the pattern `a[1].ucs` finds it.
---
---    for _, path in ipairs(f5.files("backups", "*.ucs")) do print(path) end
---
---*Raises* "usage": an argument is not a string, the pattern is the name of one file and also
---matches others, or the module runs in a stock lua5.4.
---
---*Source* POSIX, "Pattern Matching Notation" (https://pubs.opengroup.org/onlinepubs/9699919799/)
---@param directory string path of the directory to search
---@param pattern string path below it, with `*`, `?`, `[…]` and `**` (any number of directories)
---@return string[] paths array of paths that start with the directory
function f5.files(directory, pattern) end

---Reads a certificate from a file on this machine and checks whether a key belongs to it. Use it
---before you send either file to a device. If the file holds several certificates, the first
---counts.
---
---    local found, why_not = f5.certificate("www.crt", { key = "www.key" })
---    if not found then f5.fail("%s", why_not) end
---    if found.ends < os.time() then f5.fail("www.crt has expired") end
---
---*Raises* "usage": an argument has the wrong type.
---
---*Source* https://docs.openssl.org/3.0/man3/X509_check_private_key/
---@param file string path of the certificate, PEM
---@param options? f5.certificate.options the key to check
---@return f5.certificate.found? certificate what the file holds; nil if something is wrong
---@return string? why_not the file and the problem; nil if all is well
function f5.certificate(file, options) end

---@class f5.certificate.options
---Options of `f5.certificate`.
---@field key? string path of the private key, PEM
---@field passphrase? string passphrase of the key

---@class f5.certificate.found
---What `f5.certificate` found.
---@field subject string distinguished name, such as "CN=www.example.net,O=Example"
---@field starts integer start of the validity, seconds since 1970 as in os.time
---@field ends integer end of the validity, seconds since 1970 as in os.time

---Returns the contents of a file that belongs to the playbook. The file is in the playbook's
---directory, or `f5lua build --include` packed it into the program.
---
---    local template = f5.asset "data/irule.tcl"
---
---*Raises* "usage": the file does not exist, or `name` leads out of the directory.
---
---*Source* docs/packaging.md
---@param name string path below the playbook's directory
---@return string contents all bytes of the file
function f5.asset(name) end

---Only in `f5.so` under a stock lua5.4: runs a function as the main fiber. It returns when the
---function and all other fibers have ended.
---
---*Raises* the error of the function.
---
---*Source* docs/embedding.md
---@param fn function the function to run
---@param ... any arguments for the function
---@return any ... the results of the function
function f5.run(fn, ...) end

---Marks a table as a JSON array. An empty table then becomes `[]` instead of `{}`.
---
---*Raises* a Lua error if `list` is not a table or has another metatable.
---
---*Source* docs/guide.md, "Reading"
---@param list table the array
---@return table list the same table
function f5.array(list) end

---Converts an answer with nested `entries` to plain tables: one table for each entry, in the
---device's order.
---
---    print(f5.flat(bip.sys.version:load())[1].Version)
---
---*Raises* "usage": `body` is not a table.
---
---*Source* REST API User Guide 14.1, "Use iControl REST to obtain statistical output"
---@param body table an answer of the device that has `entries`
---@return table[] entries array of tables: name of the value = value
function f5.flat(body) end

---Returns rows as a table for people. Without `columns` it has those of the kind, as
---`f5lua list` shows them, except what needs statistics; of other rows it has what differs between
---them. Secrets are masked.
---
---    print(f5.table(bip.ltm.virtual:list(), { "name", "destination", "pool" }))
---
---*Raises* "usage": `rows` is not an array of tables, or an argument is wrong.
---
---*Source* docs/guide.md, "Printing"
---@param rows table[] objects, such as the result of `ref:list()`
---@param columns? string[] names of properties, or parts of them ("fqdn.interval"), in this order
---@param options? f5.table.options how wide the table is
---@return string text lines without a line break at the end
function f5.table(rows, columns, options) end

---@class f5.table.options
---Options of `f5.table`.
---@field width? integer of the table, in characters; what has no room is left out, unless
---`columns` names it; default: that of the terminal, and no limit where standard output is none
---@field wide? boolean true: with more columns, and nothing is cut; default false

---Returns rows as CSV (RFC 4180) with a head line. No value is lost: a text keeps its lines, a
---nested value is JSON. Secrets are masked.
---
---    f5.csv({ { name = "web", port = 80 } }, { "name", "port" }) -- "name,port\nweb,80\n"
---
---*Raises* "usage": `rows` is not an array of tables, or `columns` is not an array of names.
---
---*Source* docs/shell.md, "Output"
---@param rows table[] objects, such as the result of `ref:list()`
---@param columns? string[] names of properties, in this order; default: all of all rows
---@return string text lines, each with a line break
function f5.csv(rows, columns) end

---Returns a value as text for people: an object as lines of its properties, an array of objects as
---a table, an array of other values as one line. Secrets are masked. `print` of f5lua shows tables
---in the same way.
---
---*Raises* nothing.
---
---*Source* docs/guide.md, "Printing"
---@param value any an object of a device, or any other value
---@return string text without a line break at the end
function f5.show(value) end

---@class f5.options
---Options of `f5.connect`.
---@field profile? string name of a profile that `f5lua profile add` has stored, instead of `host`
---@field host? string name or address; also "host:port", "[v6]:port" or "https://host"
---@field port? integer TCP port, 1 to 65535; default 443
---@field username? string name of the user
---@field password? string|userdata the password, or a result of `core.secret_from_command`
---@field provider? string name of the login provider that checks the password; default "tmos"
---@field login_reference? string link of the login provider, instead of `provider`
---@field auth? "token"|"basic" how to authenticate; default "token"; "basic" is for administrators
---@field token? string an existing token; the session neither renews nor deletes it
---@field verify? boolean whether to check the device's certificate, against what `f5lua trust`
---stored for this host and port, else against the CAs of the system; default true
---@field ca? string path of a PEM file with the CA of the device's certificate
---@field cert? string path of a PEM file with a client certificate and its chain
---@field key? string path of a PEM file with the client's key, unencrypted; default: in `cert`
---@field pin? string public key of the device: "sha256//DIGEST", several with ";", or a file;
---checked in addition to the certificate
---@field proxy? string "http://USER:PASSWORD@HOST:PORT", percent-encoded; default `https_proxy`;
---"direct://": none
---@field timeout? number seconds for one exchange; default 60
---@field connect_timeout? number seconds to open a connection; default 10
---@field wait? number seconds to retry the login while the device starts; default 0
---@field retries? integer|f5.retries number of retries of a call that is safe to repeat; default 4
---@field token_lifetime? integer seconds that the token is valid, at most 36000
---@field ver? string version of the API for every call, such as "16.1.0"
---@field label? string name of the device in messages; default: its host
---@field parallel? integer number of calls at the same time; default 4
---@field body_limit? integer bytes of the largest accepted answer, files included; default 256 MiB
---@field read_only? boolean true: send nothing but GET and the login; default false

---@class f5.retries
---When to repeat a call that failed with a transient error.
---@field count? integer number of retries; default 4
---@field delay? number seconds before the first retry, then doubled, at most 10; default 0.25
---@field budget? number seconds after the start of a call in which a retry may start; default 60

-- The kinds of errors: scripts/api-docs writes this from runtime/f5/report/error_kinds.h.
---@alias f5.error.kind
---| "not_found" # The object does not exist.
---| "conflict" # The object already exists, or it has been changed.
---| "invalid" # The device rejected the values.
---| "auth" # The device does not accept the user, the password or the token.
---| "forbidden" # The user does not have the right to do this.
---| "unsupported" # This device or this object cannot do this.
---| "not_ready" # The device, or one of its services, is starting.
---| "busy" # The device is busy and asks to try again later.
---| "timeout" # The answer did not come in time.
---| "transport" # The network or a proxy failed.
---| "tls" # No secure connection; usually the certificate is not trusted.
---| "transaction" # The transaction failed and changed nothing.
---| "task" # A long task on the device failed.
---| "declaration" # AS3, DO, TS or FAST did not carry out a declaration.
---| "transfer" # A file could not be read, written, uploaded or downloaded.
---| "database" # The database refused a statement, or is not there.
---| "cancelled" # Ctrl-C or `fiber:cancel()` ended the call.
---| "protocol" # The answer is not iControl REST, or it is a redirect.
---| "not_simulated" # A check cannot simulate this step.
---| "not_recorded" # A replay has no answer for this call.
---| "usage" # The playbook uses the API incorrectly.
-- End of the kinds of errors.

---@class f5.error
---An error that f5lua raises. `tostring` returns all of it in one line. Every call to a device can
---raise all kinds but "transaction", "task" and "transfer": those are the *call errors*. A Lua
---error (a string, not an f5.error) means a wrong argument.
---@field kind f5.error.kind what went wrong
---@field message string the reason, usually in the words of the device
---@field status? integer HTTP status; nil if there was no answer
---@field code? integer `code` in the answer
---@field api_error? integer `apiError` in the answer
---@field error_stack? string[] `errorStack` in the answer
---@field body? table|string the answer, decoded, with secrets masked; text if it is not JSON
---@field method? string HTTP method
---@field path? string path of the request
---@field device? string label of the session
---@field attempts? integer number of attempts, the first included
---@field outcome? "unknown" set if the device may have carried out the request
---@field command? f5.error.command the queued command that made the transaction fail
---@field candidates? f5.error.command[] the commands that may have made the transaction fail
---@field exit_status? integer exit status of the command that `bash` ran
---@field output? string output of the command that `bash` ran
---@field cause? f5.error the error that led to this one

---@class f5.error.command
---A command of a transaction, in an error.
---@field id integer number that the device gave to the command
---@field method string HTTP method
---@field path string path of the request
---@field where string line of the script that queued it: "FILE:LINE"

---@class f5.fiber
---A function that runs at the same time as others. A `<close>` variable with a fiber cancels it.
---@field name string name in messages; a string can be set; default "fiber NUMBER"
local fiber = {}

---Waits until the fiber ends and returns its results.
---
---*Raises* the error of the fiber; "cancelled": this or the other fiber was cancelled; a Lua error
---if all fibers wait for each other.
---
---*Source* docs/guide.md, "Fibers: many things at once"
---@return any ... the results of the fiber's function
function fiber:join() end

---Raises an error of kind "cancelled" in the fiber, at the point where it waits. Its `<close>`
---variables are closed.
---
---*Raises* nothing.
---
---*Source* docs/guide.md, "Fibers: many things at once"
function fiber:cancel() end

---Returns whether the fiber runs, or how it ended.
---
---*Raises* nothing.
---
---*Source* docs/guide.md, "Fibers: many things at once"
---@return "running"|"done"|"failed"|"cancelled" status whether and how it has ended
function fiber:status() end

---@class f5.json
---JSON without loss: integers of 64 bits, `null`, and arrays that stay arrays.
---@field null userdata JSON null, the same as `f5.null`
local json = {}

---Converts JSON text to Lua values.
---
---*Raises* a Lua error with the position if the text is not JSON.
---
---*Source* RFC 8259 (https://www.rfc-editor.org/rfc/rfc8259)
---@param text string JSON, UTF-8
---@return any value tables, strings, numbers, booleans; `f5.null` for null
function json.decode(text) end

---Converts a Lua value to JSON text.
---
---*Raises* a Lua error with the place in the value that JSON cannot express.
---
---*Source* RFC 8259 (https://www.rfc-editor.org/rfc/rfc8259)
---@param value any tables, strings, numbers, booleans or `f5.null`
---@param style? f5.json.style how to write it
---@return string text JSON, UTF-8
function json.encode(value, style) end

---@class f5.json.style
---How to write JSON.
---@field sort? boolean whether to sort the names of objects; default false
---@field first? string[] names that come first in an object, in this order
---@field indent? integer spaces for each level; default: all in one line

---Marks a table as an array. An empty table then becomes `[]`.
---
---*Raises* a Lua error if `list` is not a table or has another metatable.
---
---*Source* RFC 8259 (https://www.rfc-editor.org/rfc/rfc8259)
---@param list table the array
---@return table list the same table
function json.array(list) end

---Tells whether a table is marked as an array.
---
---*Raises* a Lua error without an argument.
---
---*Source* RFC 8259 (https://www.rfc-editor.org/rfc/rfc8259)
---@param value any the value to look at
---@return boolean is_array true for marked tables only
function json.is_array(value) end

return f5
