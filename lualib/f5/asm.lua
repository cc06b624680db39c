-- Application Security Manager: policies by name instead of by hash, tasks as handles, many
-- entities in one call.
--
--   local asm = f5.asm(bip)
--   local policy = asm:policy "/Common/web" -- a reference; everything of the policy is below it
--   local filter = f5.filter { performStaging = true }
--   for url in policy.urls:each { filter = filter } do print(url.name) end
--   policy.urls:modify_all { filter = { type = "explicit" }, set = { performStaging = false } }
--   local text = asm:export_policy(policy):wait().file
--   asm:import_policy { file = text, name = "copy" }:wait()
--
-- A policy is given by its name, its full path, a reference or a loaded object.
local core = require "f5.core"
local receiver = require "f5.receiver"
local filters = require "f5.filter"
local tasks = require "f5.work.task"

local M = {}

local Asm <const> = {}
Asm.__index = Asm

local function usage(format, ...) core.usage_error(string.format(format, ...)) end

-- The id of an object in an answer, if it can be part of a path.
local function device_id(collection, value)
  local id = core.device_id(value)
  if id ~= nil then return id end
  return error(core.error_new {
    kind = "protocol", path = tostring(collection),
    message = ("the id in the answer is not an id: %s"):format(tostring(value):sub(1, 100)),
  }, 0)
end

-- -- links --

local function without_query(link) return (link:gsub("%?.*$", "")) end

-- The path of a reference, an object, a link, or an object with a link.
local function path_of(value)
  if type(value) == "userdata" then return without_query(tostring(value)) end
  if type(value) == "table" then
    value = value.selfLink
      or value.link or (type(value.reference) == "table" and value.reference.link)
  end
  if type(value) ~= "string" then return nil end
  return without_query(value:gsub("^https?://[^/]+", ""))
end

local function is_path(value)
  return type(value) == "string" and (value:find("^/mgmt/") or value:find("^https?://"))
end

--- Returns what a link points to: asm:follow(url.parameterReference).
function Asm:follow(link)
  local path = path_of(link)
  if not path or not path:find("^/mgmt/") then
    usage("follow: expected a link of the device, got %s", tostring(link))
  end
  return self.session:at(path)
end

--- Returns the policy with this name or full path. Raises "not_found".
function Asm:policy(name)
  if type(name) == "userdata" or type(name) == "table" or is_path(name) then
    return self:follow(name)
  end
  if type(name) ~= "string" or name == "" then
    usage("expected the name of a policy, got a %s", type(name))
  end
  local wanted = name:find("^/") and { fullPath = name } or { name = name }
  local found =
    self.policies:list { filter = filters(wanted), select = { "id", "name", "fullPath" }, top = 2 }
  if #found == 0 then
    error(
      core.error_new {
        kind = "not_found",
        message = ("there is no security policy %s"):format(name),
        path = tostring(self.policies),
      },
      0
    )
  end
  if #found > 1 then
    error(
      core.error_new {
        kind = "invalid",
        message = ("several policies have the name %s; give the full path"):format(name),
        path = tostring(self.policies),
      },
      0
    )
  end
  return self.policies:at(device_id(self.policies, found[1].id))
end

local function link_to(self, value)
  return { link = "https://localhost" .. path_of(self:policy(value)) }
end

local function link_of(what, value)
  local path = path_of(value)
  if not path or not path:find("^/mgmt/") then
    usage("expected %s: its link or the object, got %s", what, tostring(value))
  end
  return { link = "https://localhost" .. path }
end

-- -- tasks --

--- Starts a task of ASM by its name ("export-policy") and returns its handle.
function Asm:task(name, body)
  if type(name) ~= "string" then
    usage("task: expected the name of a task, got a %s", type(name))
  end
  local collection = self.session:at("asm/tasks/" .. name)
  local task = collection:create(body or {})
  local path = tostring(collection)
  local id = tasks.id_in(self.session, path, task, core.task.family(path))
  return tasks.handle(self.session, collection:at(id), task)
end

-- The options under the device's names. Unknown options raise "usage".
local function body_of(call, options, names)
  local body = {}
  if options ~= nil and type(options) ~= "table" then
    usage("%s: expected a table of options, got a %s", call, type(options))
  end
  for name, value in next, options or {} do
    if not names[name] then usage("%s: unknown option '%s'", call, tostring(name)) end
    body[names[name]] = value
  end
  return body
end

local EXPORT <const> = {
  filename = "filename",
  minimal = "minimal",
  format = "format",
  base64 = "isBase64",
  suggestions = "exportSuggestions",
}

--- Exports a policy. Without `filename` the text is in the field `file` of the result.
-- @param options table|nil: filename (on the device), minimal, format ("xml", "json"), base64,
--   suggestions
function Asm:export_policy(policy, options)
  local body = body_of("export_policy", options, EXPORT)
  body.policyReference = link_to(self, policy)
  if not body.filename then body.inline = true end
  return self:task("export-policy", body)
end

local IMPORT <const> = {
  file = "file",
  filename = "filename",
  base64 = "isBase64",
  name = "name",
  full_path = "fullPath",
  policy = "policyReference",
  template = "policyTemplateReference",
  revision = "policyHistoryReference",
  attributes_only = "getPolicyAttributesOnly",
}

--- Imports a policy: a new one with name or full_path, or over `policy`.
-- @param options table: file (the text), filename (uploaded before) or template (its title);
--   base64; name, full_path or policy; attributes_only
function Asm:import_policy(options)
  local body = body_of("import_policy", options, IMPORT)
  if body.policyReference then body.policyReference = link_to(self, body.policyReference) end
  if
    type(body.policyTemplateReference) == "string" and not is_path(body.policyTemplateReference)
  then
    body.policyTemplateReference =
      link_of("a template", self:template(body.policyTemplateReference))
  elseif body.policyTemplateReference then
    body.policyTemplateReference = link_of("a template", body.policyTemplateReference)
  end
  if body.policyHistoryReference then
    body.policyHistoryReference = link_of("a revision", body.policyHistoryReference)
  end
  return self:task("import-policy", body)
end

--- Returns the policy template with this title.
function Asm:template(title)
  local found =
    self.session:at("asm/policy-templates"):list { filter = filters { title = title } }[1]
  if not found then
    error(
      core.error_new {
        kind = "not_found",
        message = ("there is no policy template %s"):format(title),
      },
      0
    )
  end
  return found
end

--- Applies a policy: its changes become effective.
function Asm:apply_policy(policy)
  return self:task("apply-policy", { policyReference = link_to(self, policy) })
end

--- Restores a revision, one of policy["history-revisions"]. Without options it becomes a new
-- policy.
-- @param options table|nil: policy, name or full_path of the policy to overwrite
function Asm:restore_revision(revision, options)
  local body = body_of(
    "restore_revision",
    options,
    { policy = "policyReference", name = "name", full_path = "fullPath" }
  )
  body.policyHistoryReference = link_of("a revision", revision)
  if body.policyReference then body.policyReference = link_to(self, body.policyReference) end
  return self:task("import-policy", body)
end

--- Compares two policies. The result has differenceReference (for asm:follow) and
-- policyDiffReference (for merge_policies).
function Asm:diff_policies(first, second)
  return self:task(
    "policy-diff",
    { firstPolicyReference = link_to(self, first), secondPolicyReference = link_to(self, second) }
  )
end

local MERGE <const> = {
  add_to_first = "addMissingEntitiesToFirst",
  add_to_second = "addMissingEntitiesToSecond",
  common = "handleCommonEntities",
  missing = "handleMissingEntities",
  filter = "itemFilter",
}

--- Merges two policies.
-- @param diff the result of diff_policies, or its policyDiffReference
-- @param options table|nil: add_to_first, add_to_second; common ("ignore", "accept-from-first",
--   "accept-from-second"), missing (the same, and "accept-from-both"), filter over the differences
function Asm:merge_policies(diff, options)
  local body = body_of("merge_policies", options, MERGE)
  if body.itemFilter then
    body.itemFilter = filters.text(body.itemFilter, "/mgmt/tm/asm/policy-diffs")
  end
  body.policyDiffReference = link_of(
    "the result of diff_policies",
    type(diff) == "table" and diff.policyDiffReference or diff
  )
  return self:task("policy-merge", body)
end

local SIGNATURES <const> =
  { file = "file", filename = "filename", base64 = "isBase64", user_defined = "isUserDefined" }

--- Installs the system's signature update. With file or filename, and user_defined = true, it
-- installs user-defined signatures.
function Asm:update_signatures(options)
  return self:task("update-signatures", body_of("update_signatures", options, SIGNATURES))
end

--- Exports user-defined signatures to a file on the device, or with inline = true (as Base64) into
-- the result.
function Asm:export_signatures(filename, options)
  local body =
    body_of("export_signatures", options, { inline = "inline", base64 = "isBase64" })
  body.filename = filename
  return self:task("export-signatures", body)
end

--- Checks for an update of the signatures.
function Asm:check_signatures() return self:task("check-signatures", {}) end

local VULNERABILITIES <const> = {
  file = "file",
  filename = "filename",
  base64 = "isBase64",
  subscription = "subscriptionId",
  scan = "scanId",
  count_only = "onlyGetDomainNames",
  all_domains = "importAllDomainNames",
  domains = "domainNames",
}

--- Imports the findings of a scanner.
-- @param options table: file or filename, or subscription and scan; all_domains, domains = { … } or
--   count_only
function Asm:import_vulnerabilities(policy, options)
  local body = body_of("import_vulnerabilities", options, VULNERABILITIES)
  body.policyReference = link_to(self, policy)
  return self:task("import-vulnerabilities", body)
end

--- Reads the subscriptions of the policy's scanner, into `subscriptions` of the result.
function Asm:vulnerability_subscriptions(policy)
  return self:task(
    "get-vulnerability-assessment-subscriptions",
    { policyReference = link_to(self, policy) }
  )
end

--- Starts a scan of a subscription; the result has its scanId.
function Asm:initiate_assessment(policy, subscription)
  return self:task(
    "initiate-vulnerability-assessment",
    { policyReference = link_to(self, policy), subscriptionId = subscription }
  )
end

--- Ends the running scan.
function Asm:terminate_assessment(policy)
  return self:task(
    "terminate-vulnerability-assessment",
    { policyReference = link_to(self, policy) }
  )
end

--- Resolves vulnerabilities.
-- @param list array of objects or references
-- @param options table|nil: stage (put what is changed into staging), preview (only report what
--   would change)
function Asm:resolve_vulnerabilities(list, options)
  local body = body_of(
    "resolve_vulnerabilities",
    options,
    { stage = "stageVulnerabilities", preview = "getPreResolveMessages" }
  )
  if type(list) ~= "table" then
    usage("resolve_vulnerabilities: expected a list, got a %s", type(list))
  end
  body.vulnerabilities = {}
  for index, one in ipairs(list) do
    body.vulnerabilities[index] = link_of("a vulnerability", one)
  end
  if #body.vulnerabilities == 0 then
    usage("resolve_vulnerabilities: the list is empty")
  end
  return self:task("resolve-vulnerabilities", body)
end

--- Exports the keys of the cookie encryption to a file on the device, or without a name into `file`
-- of the result.
function Asm:export_data_protection(filename)
  return self:task(
    "export-data-protection",
    filename and { filename = filename } or { inline = true }
  )
end

local PROTECTION <const> = {
  file = "file",
  filename = "filename",
  accept_minutes = "graceAcceptingIntervalInMinutes",
  sign_minutes = "graceSigningIntervalInMinutes",
}

--- Imports keys of the cookie encryption.
-- @param options table: file or filename; accept_minutes, sign_minutes
function Asm:import_data_protection(options)
  return self:task("import-data-protection", body_of("import_data_protection", options, PROTECTION))
end

local CERTIFICATE <const> = {
  file = "file",
  filename = "filename",
  type = "certificateType",
  allow_untrusted = "saveExpiredOrUntrustedCertificate",
}

--- Imports a certificate (PEM).
-- @param options table: file or filename, type ("client", "server"), allow_untrusted
function Asm:import_certificate(name, options)
  local body = body_of("import_certificate", options, CERTIFICATE)
  body.certificateName = name
  return self:task("import-certificate", body)
end

--- Adds an XML schema or WSDL to a policy and returns the new object.
-- @param options table|nil: profile (name of an XML profile of the policy that then validates with
--   it)
function Asm:upload_schema(policy, name, contents, options)
  local body = body_of("upload_schema", options, { profile = "profile" })
  local at = self:policy(policy)
  local file = at:at("xml-validation-files"):create { fileName = name, contents = contents }
  if body.profile then
    local profile = at:at("xml-profiles")
      :list { filter = filters { name = body.profile } }[1]
    if not profile then
      error(
        core.error_new {
          kind = "not_found",
          message = ("there is no XML profile %s"):format(body.profile),
        },
        0
      )
    end
    local list = profile.validationFiles
    list[#list + 1] =
      { isPrimary = true, importUrl = "", xmlValidationFileReference = link_of("a file", file) }
    self:follow(profile):modify { validationFiles = list }
  end
  return file
end

-- -- learning suggestions --

--- Iterates over the suggestions of a policy.
-- @param options table|nil: as of `each`, and score (the lowest score)
function Asm:suggestions(policy, options)
  if options ~= nil and type(options) ~= "table" then
    usage("suggestions: expected a table of options, got a %s", type(options))
  end
  local call = {}
  for name, value in next, options or {} do call[name] = value end
  if call.score then
    call.filter = filters { score = { ge = call.score }, call.filter }
    call.score = nil
  end
  call.orderby = call.orderby or "score desc"
  return self:policy(policy):at("suggestions"):each(call)
end

local function set_suggestion(self, suggestion, changes)
  return self:follow(suggestion):modify(changes)
end

--- Accepts a suggestion.
function Asm:accept(suggestion) return set_suggestion(self, suggestion, { status = "accept" }) end
--- Accepts a suggestion and puts the entity into staging.
function Asm:stage(suggestion)
  return set_suggestion(self, suggestion, { status = "accept-and-stage" })
end
function Asm:ignore(suggestion) return set_suggestion(self, suggestion, { status = "ignored" }) end
function Asm:comment(suggestion, text)
  return set_suggestion(self, suggestion, { comment = text })
end
--- Marks a suggestion as read, or with false as unread.
function Asm:read(suggestion, is_read)
  return set_suggestion(self, suggestion, { isRead = is_read ~= false })
end

-- -- live update --

local Live <const> = {}
Live.__index = Live

--- Checks for an update file of a component ("bot-signatures") and retrieves it if there is one.
function Live:check(component)
  return self.session:at("live-update", component, "availability"):load()
end

function Live:installations(component)
  return self.session:at("live-update", component, "installations"):list()
end

function Live:files(component)
  return self.session:at("live-update", component, "update-files"):list()
end

local function installation(self, component, which, status)
  local id = type(which) == "table" and which.id or which
  if type(id) ~= "string" then
    usage("expected the id of an installation or one of installations(), got a %s", type(which))
  end
  local all = self.session:at("live-update", component, "installations")
  local at = all:at(device_id(all, id))
  return tasks.handle(self.session, at, at:modify { status = status })
end

--- Installs a downloaded update; returns a handle.
function Live:install(component, which) return installation(self, component, which, "install") end

--- Stages a downloaded update: it can be installed later.
function Live:stage(component, which) return installation(self, component, which, "stage") end

--- Deletes an update file that is not installed.
function Live:delete(component, file)
  local id = type(file) == "table" and file.id or file
  local all = self.session:at("live-update", component, "update-files")
  return all:at(device_id(all, id)):delete()
end

-- -- many entities --

-- ASM refuses PATCH of a collection without a filter. Every entity has an id.
local EVERYTHING <const> = "id ne ''"

local function filter_for(call, reference, options)
  if type(options) ~= "table" then usage("%s: expected { filter = … }", call) end
  if options.filter == nil and not options.all then
    usage("%s: no filter; use all = true to select every entity", call)
  end
  if options.filter ~= nil and options.all then
    usage("%s: give either a filter or all = true", call)
  end
  if not tostring(reference):find("^/mgmt/tm/asm/") then
    usage("%s works on collections of ASM only", call)
  end
  return options.filter ~= nil and filters.raw(filters.text(options.filter, tostring(reference)))
    or nil
end

local function check_options(call, options, known)
  for name in next, options do
    if not known[name] then usage("%s: unknown option '%s'", call, tostring(name)) end
  end
end

--- collection:modify_all { filter = …, set = { … } }: changes all entities that match, in one call,
-- and returns them. all = true instead of a filter selects every entity.
function M.modify_all(reference, options)
  local filter = filter_for("modify_all", reference, options)
  check_options("modify_all", options, { filter = true, all = true, set = true })
  if type(options.set) ~= "table" or next(options.set) == nil then
    usage("modify_all: 'set' is empty")
  end
  local answer =
    reference:modify(options.set, { filter = filter or filters.raw(EVERYTHING) })
  return answer and answer.items or {}
end

--- collection:delete_all { filter = … }: deletes all entities that match, in one call, and returns
-- them.
function M.delete_all(reference, options)
  local filter = filter_for("delete_all", reference, options)
  check_options("delete_all", options, { filter = true, all = true })
  local answer = reference:delete(filter and { filter = filter } or nil)
  return answer and answer.items or {}
end

receiver.guard(Asm, "f5.asm(session)")
receiver.guard(Live, "f5.asm(session).live")

return setmetatable(M, {
  __call = function(_, session)
    if type(session) ~= "userdata" then usage("f5.asm: expected a session: f5.asm(bip)") end
    return setmetatable({
      session = session,
      policies = session:at("asm/policies"),
      live = setmetatable({ session = session }, Live),
    }, Asm)
  end,
})
