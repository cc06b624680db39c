---@meta f5.asm
-- Application Security Manager.

---@alias f5.asm.policy string|table|f5.reference

---@class f5.asm
---Application Security Manager: `local asm = f5.asm(bip)`. A policy is given by its name, its full
---path, a reference, or an object that the device returned.
---@field policies f5.reference the collection of all policies
---@field live f5.asm.live live update of signatures
---@overload fun(session: f5.session): f5.asm
local asm = {}

---Returns the policy with this name.
---
---*Raises* call errors; "not_found": there is no such policy; "invalid": several policies have the
---name; "usage": the argument is not a policy.
---
---*Source* REST API User Guide 14.1, "Retrieving Application Security Manager resources"
---@param name f5.asm.policy name, full path, link, reference or object
---@return f5.reference policy everything of the policy is below it
function asm:policy(name) end

---Returns what a link points to.
---
---*Raises* "usage": the argument is not a link.
---
---*Source* REST API User Guide 14.1, "Retrieving Application Security Manager resources"
---@param link string|table|f5.reference link, or an object that has one
---@return f5.reference reference the path of the link
function asm:follow(link) end

---Returns the policy template with this title.
---
---*Raises* call errors; "not_found": there is no such template.
---
---*Source* REST API User Guide 14.1, "Application Security Manager policy"
---@param title string title of the template
---@return table template all properties of the template
function asm:template(title) end

---Starts a task of ASM by its name.
---
---*Raises* call errors; "invalid": the device rejects the properties.
---
---*Source* REST API User Guide 14.1, "Application Security Manager and iControl REST comparison"
---@param name string name of the task, such as "export-policy"
---@param body? table properties of the task, as the device names them
---@return f5.task task handle of the running work
function asm:task(name, body) end

---Exports a policy. Without `filename` the text is in the field `file` of the result.
---
---*Raises* call errors; "not_found": there is no such policy; "invalid": several policies have the
---name; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "Application Security Manager policy"
---@param policy f5.asm.policy the policy to export
---@param options? f5.asm.export.options format and file
---@return f5.task task `wait()` returns the export
function asm:export_policy(policy, options) end

---@class f5.asm.export.options
---Options of `asm:export_policy`.
---@field filename? string name of a file on the device; default: export into the result
---@field minimal? boolean true: only custom settings; default false
---@field format? "xml"|"json" format; default: that of the device
---@field base64? boolean true: encode the text as Base64; default false
---@field suggestions? boolean true: with learning suggestions; default false

---Imports a policy from a text, an uploaded file or a template. It becomes a new policy, or
---replaces `policy`.
---
---*Raises* call errors; "not_found": there is no such policy or template; "usage": an option is
---invalid.
---
---*Source* REST API User Guide 14.1, "Application Security Manager policy"
---@param options f5.asm.import.options source and name
---@return f5.task task `wait()` returns the policy's link
function asm:import_policy(options) end

---@class f5.asm.import.options
---Options of `asm:import_policy`.
---@field file? string text of the policy, XML or JSON
---@field filename? string name of an uploaded file on the device
---@field base64? boolean true: the text is Base64; default false
---@field name? string name of the new policy
---@field full_path? string full path of the new policy, such as "/Common/web"
---@field policy? f5.asm.policy policy to replace
---@field template? string|table|f5.reference title of a template, or the template
---@field revision? table|f5.reference revision to restore, one of `history-revisions`
---@field attributes_only? boolean true: only report the attributes of the policy; default false

---Applies a policy: its changes become effective.
---
---*Raises* call errors; "not_found": there is no such policy; "invalid": several policies have the
---name.
---
---*Source* REST API User Guide 14.1, "Application Security Manager policy"
---@param policy f5.asm.policy the policy to apply
---@return f5.task task handle of the running work
function asm:apply_policy(policy) end

---Restores a revision of a policy. It overwrites `policy` or the policy with the name, or becomes a
---new policy.
---
---*Raises* call errors; "not_found": there is no such policy; "usage": an argument is invalid.
---
---*Source* REST API User Guide 14.1, "Application Security Manager policy restore"
---@param revision table|f5.reference one of the policy's `history-revisions`
---@param options? f5.asm.restore.options what to overwrite
---@return f5.task task `wait()` returns the policy's link
function asm:restore_revision(revision, options) end

---@class f5.asm.restore.options
---Options of `asm:restore_revision`.
---@field policy? f5.asm.policy policy to overwrite
---@field name? string name of the policy to overwrite
---@field full_path? string full path of the policy to overwrite

---Compares two policies. The result has differenceReference (for `follow`) and policyDiffReference
---(for `merge_policies`).
---
---*Raises* call errors; "not_found": there is no such policy; "invalid": several policies have the
---name.
---
---*Source* REST API User Guide 14.1, "Application Security Manager policy"
---@param first f5.asm.policy first policy
---@param second f5.asm.policy second policy
---@return f5.task task `wait()` returns the differences
function asm:diff_policies(first, second) end

---Merges two policies.
---
---*Raises* call errors; "usage": an argument is invalid.
---
---*Source* REST API User Guide 14.1, "Application Security Manager policy"
---@param diff table|f5.reference result of `diff_policies`
---@param options? f5.asm.merge.options what to merge
---@return f5.task task handle of the running work
function asm:merge_policies(diff, options) end

---@class f5.asm.merge.options
---Options of `asm:merge_policies`.
---@field add_to_first? boolean add entities that only the second has; default false
---@field add_to_second? boolean add entities that only the first has; default false
---@field common? string "ignore", "accept-from-first" or "accept-from-second"
---@field missing? string as `common`, and "accept-from-both"
---@field filter? string|table|f5.filter.value the differences to merge; default: all

---Installs the signature update of the system, or user-defined signatures from a file.
---
---*Raises* call errors; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "Application Security Manager signatures"
---@param options? f5.asm.signatures.options source
---@return f5.task task handle of the running work
function asm:update_signatures(options) end

---@class f5.asm.signatures.options
---Options of `asm:update_signatures`.
---@field file? string text of the signatures, XML
---@field filename? string name of an uploaded file on the device
---@field base64? boolean true: the text is Base64; default false
---@field user_defined? boolean true: user-defined signatures; default false

---Exports user-defined signatures.
---
---*Raises* call errors; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "Exporting signatures in Application Security Manager"
---@param filename string name of the file on the device
---@param options? f5.asm.export_signatures.options where to
---@return f5.task task handle of the running work
function asm:export_signatures(filename, options) end

---@class f5.asm.export_signatures.options
---Options of `asm:export_signatures`.
---@field inline? boolean true: the result contains the text; default false
---@field base64? boolean true: encode the text as Base64; default false

---Checks whether there is an update of the signatures.
---
---*Raises* call errors.
---
---*Source* REST API User Guide 14.1, "Application Security Manager signatures"
---@return f5.task task handle of the running work
function asm:check_signatures() end

---Adds an XML schema or WSDL to a policy. With `profile` that XML profile validates against it.
---
---*Raises* call errors; "not_found": there is no such policy or profile; "invalid": the device
---rejects the file; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "Application Security Manager schema upload"
---@param policy f5.asm.policy the policy
---@param name string name of the file
---@param contents string text of the file
---@param options? f5.asm.schema.options profile
---@return table file all properties of the new file
function asm:upload_schema(policy, name, contents, options) end

---@class f5.asm.schema.options
---Options of `asm:upload_schema`.
---@field profile? string name of an XML profile of the policy

---Imports the findings of a vulnerability scanner.
---
---*Raises* call errors; "not_found": there is no such policy; "invalid": several policies have the
---name; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "Importing vulnerabilities in Application Security Manager"
---@param policy f5.asm.policy the policy
---@param options f5.asm.vulnerabilities.options source
---@return f5.task task handle of the running work
function asm:import_vulnerabilities(policy, options) end

---@class f5.asm.vulnerabilities.options
---Options of `asm:import_vulnerabilities`.
---@field file? string text of the scanner's report
---@field filename? string name of an uploaded file on the device
---@field base64? boolean true: the text is Base64; default false
---@field subscription? string id of a subscription
---@field scan? string id of a scan of the subscription
---@field all_domains? boolean true: import all domain names; default false
---@field domains? string[] domain names to import
---@field count_only? boolean true: only report the domain names; default false

---Reads the subscriptions of the policy's scanner. They are in the field `subscriptions` of the
---result.
---
---*Raises* call errors; "not_found": there is no such policy; "invalid": several policies have the
---name.
---
---*Source* REST API User Guide 14.1, "Querying vulnerability assessment subscriptions in
---Application Security Manager"
---@param policy f5.asm.policy the policy
---@return f5.task task `wait()` returns the subscriptions
function asm:vulnerability_subscriptions(policy) end

---Starts a scan of a subscription. The result has the scanId.
---
---*Raises* call errors; "not_found": there is no such policy; "invalid": several policies have the
---name.
---
---*Source* REST API User Guide 14.1, "Initiating vulnerability assessment in Application Security
---Manager"
---@param policy f5.asm.policy the policy
---@param subscription string id of the subscription
---@return f5.task task handle of the running work
function asm:initiate_assessment(policy, subscription) end

---Ends the running scan.
---
---*Raises* call errors; "not_found": there is no such policy; "invalid": several policies have the
---name.
---
---*Source* REST API User Guide 14.1, "Terminating vulnerability assessment in Application Security
---Manager"
---@param policy f5.asm.policy the policy
---@return f5.task task handle of the running work
function asm:terminate_assessment(policy) end

---Changes the policy so that it protects against these vulnerabilities.
---
---*Raises* call errors; "usage": the list is empty, or an option is invalid.
---
---*Source* REST API User Guide 14.1, "Resolving vulnerabilities in Application Security Manager"
---@param list (table|f5.reference)[] array of vulnerabilities: objects or references
---@param options? f5.asm.resolve.options how
---@return f5.task task handle of the running work
function asm:resolve_vulnerabilities(list, options) end

---@class f5.asm.resolve.options
---Options of `asm:resolve_vulnerabilities`.
---@field stage? boolean true: put what is changed into staging; default false
---@field preview? boolean true: only report what would change; default false

---Exports the keys of the cookie encryption. Without a name they are in the field `file` of the
---result.
---
---*Raises* call errors.
---
---*Source* REST API User Guide 14.1, "Exporting data protection in Application Security Manager"
---@param filename? string name of a file on the device
---@return f5.task task handle of the running work
function asm:export_data_protection(filename) end

---Imports keys of the cookie encryption.
---
---*Raises* call errors; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "Importing data protection in Application Security Manager"
---@param options f5.asm.protection.options source
---@return f5.task task handle of the running work
function asm:import_data_protection(options) end

---@class f5.asm.protection.options
---Options of `asm:import_data_protection`.
---@field file? string text of an export
---@field filename? string name of an uploaded file on the device
---@field accept_minutes? integer minutes in which cookies with the old keys are accepted
---@field sign_minutes? integer minutes in which cookies are signed with the old keys

---Imports a certificate.
---
---*Raises* call errors; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "Importing a certificate in Application Security Manager"
---@param name string name of the certificate in ASM
---@param options f5.asm.certificate.options source and type
---@return f5.task task handle of the running work
function asm:import_certificate(name, options) end

---@class f5.asm.certificate.options
---Options of `asm:import_certificate`.
---@field file? string text of the certificate, PEM
---@field filename? string name of an uploaded file on the device
---@field type? "client"|"server" type of the certificate; default "client"
---@field allow_untrusted? boolean true: accept an expired or untrusted certificate; default false

---Iterates over the learning suggestions of a policy, the highest score first.
---
---*Raises* call errors; "not_found": there is no such policy; "invalid": several policies have the
---name; "usage": an option is invalid.
---
---*Source* REST API User Guide 14.1, "Learning Suggestion Object"
---@param policy f5.asm.policy the policy
---@param options? f5.asm.suggestions.options which suggestions
---@return fun(): table? iterator one suggestion each time
function asm:suggestions(policy, options) end

---@class f5.asm.suggestions.options: f5.query
---Options of `asm:suggestions`: those of `each`, and `score`.
---@field score? integer lowest score, 0 to 100; default 0

---Accepts a suggestion: the device makes the change.
---
---*Raises* call errors; "not_found": it no longer exists; "usage": the argument is not a
---suggestion.
---
---*Source* REST API User Guide 14.1, "Learning Suggestion Object"
---@param suggestion table|f5.reference one of `suggestions()`
---@return table suggestion all properties of the suggestion
function asm:accept(suggestion) end

---Accepts a suggestion and puts the entity into staging.
---
---*Raises* call errors; "not_found": it no longer exists; "usage": the argument is not a
---suggestion.
---
---*Source* REST API User Guide 14.1, "Learning Suggestion Object"
---@param suggestion table|f5.reference one of `suggestions()`
---@return table suggestion all properties of the suggestion
function asm:stage(suggestion) end

---Ignores a suggestion.
---
---*Raises* call errors; "not_found": it no longer exists; "usage": the argument is not a
---suggestion.
---
---*Source* REST API User Guide 14.1, "Learning Suggestion Object"
---@param suggestion table|f5.reference one of `suggestions()`
---@return table suggestion all properties of the suggestion
function asm:ignore(suggestion) end

---Sets the comment of a suggestion.
---
---*Raises* call errors; "not_found": it no longer exists; "usage": the argument is not a
---suggestion.
---
---*Source* REST API User Guide 14.1, "Learning Suggestion Object"
---@param suggestion table|f5.reference one of `suggestions()`
---@param text string the comment
---@return table suggestion all properties of the suggestion
function asm:comment(suggestion, text) end

---Marks a suggestion as read or unread.
---
---*Raises* call errors; "not_found": it no longer exists; "usage": the argument is not a
---suggestion.
---
---*Source* REST API User Guide 14.1, "Learning Suggestion Object"
---@param suggestion table|f5.reference one of `suggestions()`
---@param is_read? boolean false: unread; default true
---@return table suggestion all properties of the suggestion
function asm:read(suggestion, is_read) end

---@class f5.asm.live
---Live update of signatures and challenges: `f5.asm(bip).live`.
local live = {}

---Checks for an update file of a component and, if there is one, retrieves it.
---
---*Raises* call errors; "not_found": there is no such component.
---
---*Source* REST API User Guide 14.1, "Application Security Manager components"
---@param component string name of the component, such as "bot-signatures"
---@return table availability answer of the device
function live:check(component) end

---Lists the installations of a component.
---
---*Raises* call errors; "not_found": there is no such component.
---
---*Source* REST API User Guide 14.1, "Application Security Manager components"
---@param component string name of the component, such as "bot-signatures"
---@return table[] installations array of installations
function live:installations(component) end

---Lists the update files of a component.
---
---*Raises* call errors; "not_found": there is no such component.
---
---*Source* REST API User Guide 14.1, "Application Security Manager components"
---@param component string name of the component, such as "bot-signatures"
---@return table[] files array of update files
function live:files(component) end

---Installs a downloaded update.
---
---*Raises* call errors; "not_found": there is no such installation; "usage": the argument is
---invalid.
---
---*Source* REST API User Guide 14.1, "Application Security Manager components"
---@param component string name of the component, such as "bot-signatures"
---@param installation string|table id of an installation, or one of `installations()`
---@return f5.task task handle of the running work
function live:install(component, installation) end

---Stages a downloaded update: it can be installed later.
---
---*Raises* call errors; "not_found": there is no such installation; "usage": the argument is
---invalid.
---
---*Source* REST API User Guide 14.1, "Application Security Manager components"
---@param component string name of the component, such as "bot-signatures"
---@param installation string|table id of an installation, or one of `installations()`
---@return f5.task task handle of the running work
function live:stage(component, installation) end

---Deletes an update file that is not installed.
---
---*Raises* call errors; "not_found": there is no such file; "invalid": it is installed.
---
---*Source* REST API User Guide 14.1, "Application Security Manager components"
---@param component string name of the component, such as "bot-signatures"
---@param file string|table id of an update file, or one of `files()`
function live:delete(component, file) end

return asm
