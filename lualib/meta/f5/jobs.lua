---@meta f5.jobs
-- Usual jobs of operators: methods of sessions and references, and f5.defer.

---@class f5
local f5 = {}

---@class f5.session
local session = {}

---Installs a certificate with its key and its chain, and makes profiles use it. All changes are one
---transaction. What the device already has is not sent: "unchanged" means that nothing was sent.
---The objects are NAME.crt, NAME.key and NAME-chain.crt.
---
---    local what, installed = bip:install_certificate {
---      name = "www.example.net", cert = "fullchain.pem", key = "privkey.pem", profile = "www",
---    }
---    print(what, installed.subject, os.date("!%F", installed.ends))
---
---Before anything is sent it checks that the key belongs to the certificate, that the certificate
---is valid now and that the chain signs it. Certificates are compared by their fingerprints, keys
---and chains by the checksums of their files. What was uploaded is removed at the end, also after
---an error. The configuration is not saved.
---
---*Raises* call errors; "failed": a file is wrong; "not_found": a profile does not exist;
---"transaction": the device refuses the change, and nothing has changed; "usage": an option is
---invalid.
---
---*Source* docs/guide.md, "Usual jobs"
---@param options f5.certificate.install what to install, and where
---@return "created"|"changed"|"unchanged" what what was done
---@return f5.certificate.installed installed the certificate and the objects
function session:install_certificate(options) end

---@class f5.certificate.install
---Options of `session:install_certificate`. Certificates and keys are paths of files on this
---machine, or texts in PEM.
---@field cert string the certificate; further ones in it are its chain
---@field key? string the private key; default: it is in `cert`
---@field chain? string certificates of the CAs between the certificate and the root
---@field passphrase? string passphrase of the key
---@field name string name of the objects without .crt and .key, or their full path
---@field partition? string partition of the objects and profiles without a full path; default
---"Common"
---@field profile? string|string[] profiles that use the certificate from now on
---@field kind? "client-ssl"|"server-ssl" kind of the profiles; default "client-ssl"
---@field replaces? string name of another certificate: all profiles of both kinds that use it get
---the new one; profiles that inherit their pairs follow their parents
---@field create_profile? boolean true: makes profiles that do not exist; default false
---@field force? boolean true: takes a certificate that is not valid now, or that the chain does not
---sign; default false

---@class f5.certificate.installed
---What `session:install_certificate` found and did.
---@field subject string distinguished name, such as "CN=www.example.net,O=Example"
---@field issuer string distinguished name of the CA
---@field names string[] names and addresses that the certificate is valid for
---@field starts integer start of the validity, seconds since 1970 as in os.time
---@field ends integer end of the validity, seconds since 1970 as in os.time
---@field fingerprint string SHA-256 of the certificate, "AA:BB:…"
---@field cert string full path of the certificate on the device
---@field key string full path of the key on the device
---@field chain? string full path of the chain on the device; nil if there is none
---@field steps f5.certificate.step[] array: what became of each object
---@field left string[] paths of uploads that could not be removed; a warning says so, too

---@class f5.certificate.step
---An object of `session:install_certificate`.
---@field what "created"|"changed"|"unchanged" what was done
---@field kind string kind of the object, such as "sys/file/ssl-key"
---@field name string full path of the object

---Calls a function when the scope ends, also after an error and after Ctrl-C. The scope is the
---playbook, the fiber, or the function of `f5.each` for one device. The last one is called first.
---It can use sessions that were opened before: a session in a `<close>` variable is closed after
---it. `os.exit` does not call it.
---
---    local bip <close> = f5.connect {}
---    local pool = bip.ltm.pool["/Common/web"]
---    pool:modify { description = "in maintenance" }
---    f5.defer(function() pool:modify { description = f5.null } end)
---
---An error of the function becomes that of the scope. If there is one already, it is a warning.
---
---*Raises* "usage": `fn` is not a function, or there is no fiber (in a stock lua outside of
---`f5.run`).
---
---*Source* docs/guide.md, "At the end"
---@param fn fun(err: any) gets the error that ends the scope; nil if there is none
---@return f5.deferred deferred in a `<close>` variable it calls fn at the end of that block
function f5.defer(fn) end

---@class f5.deferred
---A function that is called later: the result of `f5.defer`.
local deferred = {}

---Forgets the function: it is not called any more.
---
---*Raises* nothing.
---
---*Source* docs/guide.md, "At the end"
---@return boolean pending true if it would have been called
function deferred:cancel() end
