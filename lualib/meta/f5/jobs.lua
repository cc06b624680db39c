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

---Adds another device to the trust domain of this one, and waits until it is in it. "unchanged"
---means that a device with this management address or name was in it already.
---
---    bip:add_to_trust {
---      device = "192.0.2.2", name = "bigip2.example.net", username = "admin", password = password,
---    }
---    bip.cm["device-group"].pair:ensure {
---      type = "sync-failover", devices = { "bigip1.example.net", "bigip2.example.net" },
---    }
---    bip:sync "pair"
---
---*Raises* call errors; "invalid": the other device refuses; "timeout": the other device does not
---appear in the trust domain, although the device accepted the command; "usage": an option is
---invalid.
---
---*Source* docs/fleets.md, "Pairs"
---@param options f5.trust.options the other device
---@return "changed"|"unchanged" what what was done
---@return string name full path of the other device in cm/device
function session:add_to_trust(options) end

---@class f5.trust.options
---Options of `session:add_to_trust`.
---@field device string management address of the other device
---@field name? string name that the other device gets, such as "bigip2.example.net"; default: that
---which it has
---@field username string an administrator of the other device
---@field password string|userdata its password, or a result of `core.secret_from_command`
---@field ca? boolean false: the other device cannot add further ones; default true
---@field timeout? number seconds to wait for the other device; default 60

---Synchronises a device group from this device to the others, and waits until the group is in sync.
---"unchanged" means that it was in sync and that this session has not written anything since. With
---`from` or `force` the device is always told to synchronise, so the result is "changed": it hears
---of changes of the others only some seconds later. For the same reason `from` waits until the
---group was in sync for three seconds.
---
---    print(bip:sync())
---
---*Raises* call errors; "invalid": there is no sync-failover group, or more than one and none is
---named, or the device refuses; "timeout": the group is not in sync (the message has the device's
---reasons); "usage": an option is invalid.
---
---*Source* docs/fleets.md, "Pairs"
---@param options? string|f5.sync.options name of the device group, or options
---@return "changed"|"unchanged" what what was done
---@return f5.sync.state state what the device says afterwards
function session:sync(options) end

---@class f5.sync.options
---Options of `session:sync`.
---@field group? string name of the device group; default: the only sync-failover group
---@field from? boolean true: takes over the configuration of the others; default false
---@field force? boolean true: overwrites newer changes of the others; default false
---@field timeout? number seconds to wait until the group is in sync; default 60

---@class f5.sync.state
---What a device says about the synchronisation of all its groups.
---@field status string such as "In Sync" or "Changes Pending"
---@field summary? string the device's sentence about it
---@field details string[] array: the device's lines about devices and groups

---Makes this device standby and waits until another one is active. "unchanged" means that it was
---standby. Before, it checks that another device can take over and that the devices are in sync.
---
---    local what, active = bip:fail_over()
---    print(what, active)
---
---*Raises* call errors; "invalid": no other device can take over, the devices are not in sync, or
---this device is offline; "timeout": no other device became active; "usage": an option is invalid.
---
---*Source* docs/fleets.md, "Pairs"
---@param options? f5.fail_over.options what to hand over
---@return "changed"|"unchanged" what what was done
---@return string? active name of the device that is active now; nil if it is not known
function session:fail_over(options) end

---@class f5.fail_over.options
---Options of `session:fail_over`.
---@field traffic_group? string only this traffic group; default: all of them
---@field force? boolean true: does not check the other devices before; default false
---@field timeout? number seconds to wait until another device is active; default 60

---Returns a handle for a traffic policy (`ltm/policy`) and its draft. A device does not change a
---published policy: a draft of it is changed and published. It makes no traffic.
---
---    local policy = bip:policy "/Common/web"
---    policy:edit(function(draft) draft.rules.api:modify { ordinal = 3 } end)
---
---*Raises* "usage": the name is missing, or that of a draft.
---
---*Source* docs/guide.md, "Usual jobs"
---@param name string full path of the policy, or its name in Common
---@return f5.policy policy the handle
function session:policy(name) end

---@class f5.policy
---A traffic policy and its draft: the result of `session:policy`.
---@field name string full path of the policy
---@field reference f5.reference the published policy
---@field draft_reference f5.reference its draft
local policy = {}

---Makes the policy as wanted, by way of a draft. Lists are compared as by `ref:ensure`. "unchanged"
---means that nothing was sent. A new policy has the strategy first-match unless another is given.
---If anything fails, the draft is deleted, and the published policy is as before.
---
---*Raises* call errors; "conflict": there is a draft already; "usage": the argument is not a table.
---
---*Source* docs/guide.md, "Usual jobs"
---@param properties table wanted properties, with `rules`
---@return "created"|"changed"|"unchanged" what what was done
function policy:ensure(properties) end

---Makes a draft, calls the function with it, and publishes it. If the function raises, or the
---device refuses, the draft is deleted, and the published policy is as before. A policy that does
---not exist is created.
---
---*Raises* call errors; the error of the function; "conflict": there is a draft already;
---"unsupported": the policy has no drafts (status legacy); "usage": `fn` is not a function.
---
---*Source* docs/guide.md, "Usual jobs"
---@param fn fun(draft: f5.reference) changes the draft
---@return "created"|"changed"|"discarded" what "discarded": the draft was the same as the policy
function policy:edit(fn) end

---Makes a draft, unless there is one. `publish` or `discard` ends it.
---
---*Raises* call errors; "unsupported": the policy has no drafts (status legacy); "usage": the
---argument is not a table.
---
---*Source* docs/guide.md, "Usual jobs"
---@param properties? table properties of a policy that does not exist yet
---@return f5.reference draft the draft
---@return "created"|"unchanged" what "unchanged": there was a draft already
function policy:draft(properties) end

---Publishes the draft, which is gone then.
---
---*Raises* call errors; "not_found": there is no draft.
---
---*Source* docs/guide.md, "Usual jobs"
function policy:publish() end

---Deletes the draft. The published policy stays.
---
---*Raises* call errors.
---
---*Source* docs/guide.md, "Usual jobs"
---@return "deleted"|"unchanged" what "unchanged": there is no draft
function policy:discard() end

---Returns a handle for a data group, internal or external. It makes no traffic.
---
---    local hosts = bip:data_group "/Common/hosts"
---    print(hosts:add { name = "www.example.net", data = "pool_www" })
---    print(hosts:remove "old.example.net")
---
---*Raises* "usage": the name is missing, or an option is invalid.
---
---*Source* docs/guide.md, "Usual jobs"
---@param name string full path of the data group, or its name in Common
---@param options? f5.data_group.options of a group that does not exist yet
---@return f5.data_group group the handle
function session:data_group(name, options) end

---@class f5.data_group.options
---Options of `session:data_group`.
---@field type? "string"|"ip"|"integer" type of the records of a new group; default "string"
---@field external? boolean true: the records are in a file; default: as the group is, else false

---@class f5.data_group
---A data group: the result of `session:data_group`. A record is a name, or a table with `name` and
---`data`.
---@field name string full path of the data group
---@field internal_reference f5.reference the internal data group of this name
---@field external_reference f5.reference the external data group of this name
local group = {}

---Adds records, or changes their data. The others stay. If the group does not exist, it is created.
---The group is read and sent as a whole, because devices have no other way: what somebody else
---changes at the same time is lost.
---
---*Raises* call errors; "unsupported": the group is external, and the device does not show its
---records; "usage": the argument is no record.
---
---*Source* docs/guide.md, "Usual jobs"
---@param records string|integer|table a record, or an array of them
---@return "created"|"changed"|"unchanged" what what was done
function group:add(records) end

---Removes records. The others stay. Records that are not there are no error.
---
---*Raises* call errors; "unsupported": the group is external, and the device does not show its
---records; "usage": the argument is no record.
---
---*Source* docs/guide.md, "Usual jobs"
---@param records string|integer|table a record, or an array of them
---@return "changed"|"unchanged" what what was done
function group:remove(records) end

---Gives the group these records and no others. If the group does not exist, it is created. The file
---of an external group is compared by its checksum, and replaced in one transaction.
---
---*Raises* call errors; "invalid": a record does not fit the type, or has a quote, a backslash or a
---control character, which the file of an external group cannot have; "usage": the argument is no
---record.
---
---*Source* docs/guide.md, "Usual jobs"
---@param records string|integer|table a record, or an array of them; {}: none
---@return "created"|"changed"|"unchanged" what what was done
function group:set(records) end

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
