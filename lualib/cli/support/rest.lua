-- REST from the shell: the shared part of the one-line subcommands (get, list, create, …).
--
-- A word after the path that starts with / is the full name of the object. Another word without =
-- is its name, then a sub-collection of it, then a name in that. key=value is a string, key:=json
-- any other value. key=@file and key:=@file read the value from a file, @file (or @- for standard
-- input) the whole body. Keys with dots are properties of properties: fqdn.interval=60.

local contents = require "cli.support.contents"
local core = require "f5.core"
local declarations = require "f5.declare.kinds"
local device = require "cli.support.device"
local fleet = require "cli.support.fleet"
local hints = require "cli.support.hints"
local host = require "f5.host"
local json = require "f5.json"
local number = require "cli.support.number"
local target = require "cli.support.target"
local tenants = require "cli.support.verbs.tenants"
local undoable = require "cli.support.change.undoable"
local row_options = require "cli.support.rows.options"
local views = require "cli.support.rows.view"
local writing = require "cli.support.rows.write"
local selection = require "cli.support.selection"
local show = require "f5.table.show"
local terminal = require "f5.terminal"
local wrong_usage = require "cli.support.usage"

local M = {}

-- The running subcommand. A process runs only one.
local program = "f5lua"

local function usage(message) wrong_usage(message, program) end

local function add_common(parser)
  parser:option("-H --host", "the device (default: F5_SERVER)"):argname "HOST[:PORT]"
  device.add_options(parser)
  parser
    :option(
      "-o --output",
      "table (default on a terminal), wide (more columns), json, jsonl (default elsewhere), csv, "
        .. "yaml, lua"
    )
    :argname "FORMAT"
    :choices(writing.FORMATS)
end

local function add_query(parser)
  parser
    :option("--filter", '$filter, as the device understands it: "partition eq Common"')
    :argname "EXPRESSION"
  parser:option("--skip", "leave out the first items"):argname "N":convert(number.whole("--skip"))
  parser:flag("--expand", "with sub-collections (expandSubcollections)")
  parser:option("--options", "tmsh's options of a query"):argname "TEXT"
end

local function read_file(path)
  local text, why = contents(path, path == "-" and io.stdin or nil)
  return text or usage("cannot read " .. why)
end

local function parse_json(text, what)
  local ok, value = pcall(json.decode, text)
  if not ok then usage(("%s is not JSON: %s"):format(what, tostring(value))) end
  return value
end

local function put(body, key, value, seen)
  if seen[key] then usage(("%s is given twice; give it once"):format(key)) end
  seen[key] = true
  local at = body
  local head, last = key:match "^(.*)%.([^.]+)$"
  for part in (head or ""):gmatch "[^.]+" do
    if type(at[part]) ~= "table" then at[part] = {} end
    at = at[part]
  end
  at[last or key] = value
end

-- The words after the path: name, body and other arguments.
local function parse_words(words)
  local parsed, body, seen = { plain = {}, in_order = {} }, nil, {}
  for _, word in ipairs(words) do
    local is_body = word:find "^[%w_.-]+:?=" or word:sub(1, 1) == "@"
    if not is_body then parsed.in_order[#parsed.in_order + 1] = word end
    local json_key, json_text = word:match "^([%w_.-]+):=(.*)$"
    local key, text = word:match "^([%w_.-]+)=(.*)$"
    if word:sub(1, 1) == "/" and not parsed.name then
      parsed.name = word
    elseif json_key then
      body = body or {}
      if json_text:sub(1, 1) == "@" then json_text = read_file(json_text:sub(2)) end
      put(body, json_key, parse_json(json_text, "the value of " .. json_key), seen)
    elseif key then
      body = body or {}
      if text:sub(1, 1) == "@" then text = read_file(text:sub(2)) end
      put(body, key, text, seen)
    elseif word:sub(1, 1) == "@" then
      if parsed.whole then usage "a body is given by @FILE once" end
      parsed.whole = true
      local given =
        parse_json(read_file(word:sub(2)), word:sub(2) == "-" and "standard input" or word:sub(2))
      if type(given) ~= "table" then usage "a body is a JSON object" end
      for k, v in pairs(body or {}) do given[k] = v end
      body = given
    else
      parsed.plain[#parsed.plain + 1] = word
    end
  end
  parsed.body = body
  return parsed
end

-- The reference; and whether there is certainly no such object.
local function ref(bip, path, name)
  if not name then return bip:at(path) end
  local found, more = target.object(bip, path, name)
  return found or usage(more), more
end

local function count_of(count) return count == 1 and "1 object" or count .. " objects" end

-- The objects that the name would match as a pattern.
local function note_exact(name, matching)
  if matching < 2 then return end
  terminal.err(
    (
      "f5lua: '%s' is the name of one object, so it is not read as a pattern; "
      .. "--pattern means all %d that match\n"
    ):format(show.masked({ name = name }).name, matching)
  )
end

local function is_collection(body)
  return type(body.kind) == "string" and body.kind:lower():find "collectionstate$" ~= nil
end

-- Whether there is only one object: that of the name, or that of the path.
local function is_one(bip, path, name, options)
  if name then return options.exact or not (options.pattern or selection.has_wildcard(name)) end
  if options.exact or options.pattern then
    usage(("--%s needs a NAME"):format(options.exact and "exact" or "pattern"))
  end
  if declarations.of_path(path) then return true end -- an extension may refuse $top
  -- A path can be that of one object (…/~Common~web, a singleton). Only the device knows.
  return not is_collection(bip:at(path):load { top = 1 })
end

-- Asks before several objects are changed.
local function confirm(names, path, options, verb)
  if options.yes then return true end
  if not (host.is_terminal(0) and host.is_terminal(2)) then
    usage(
      ("%s %s of %s? Say --yes when this is meant (no terminal to ask on)."):format(
        verb,
        count_of(#names),
        path
      )
    )
  end
  for i = 1, math.min(#names, 20) do
    terminal.err("  ", terminal.line(show.masked({ name = names[i] }).name), "\n")
  end
  if #names > 20 then terminal.err(("  … and %d more\n"):format(#names - 20)) end
  terminal.err(
    ("%s %s of %s? [y/N] "):format(
      verb,
      #names == 1 and "this object" or "these " .. count_of(#names),
      path
    )
  )
  local answer = io.read "l"
  if answer and answer:lower():find "^y" then return true end
  terminal.err "nothing was changed\n"
  return false
end

-- The references for a destructive subcommand, after asking if there can be more than one.
local function targets(bip, path, parsed, options, verb)
  local name = parsed.name
  if options.exact and options.pattern then usage "--exact or --pattern, not both" end
  if is_one(bip, path, name, options) then return { ref(bip, path, name) } end
  local chosen, why = selection.find(bip, path, name, options)
  if not chosen then usage(why) end
  local found = chosen.objects
  if #found == 0 then
    terminal.err("f5lua: no object matches\n")
    return {}
  end
  if chosen.exact then
    note_exact(name, chosen.matching)
    return { found[1].ref }
  end
  local names = {}
  for i, object in ipairs(found) do names[i] = object.name end
  if not confirm(names, path, options, verb) then return {} end
  local refs = {}
  for i, object in ipairs(found) do refs[i] = object.ref end
  return refs
end

local function refuse_plain(parsed)
  local word = parsed.plain[1]
  if word then
    usage(("'%s' is neither a name (/Common/%s) nor key=value"):format(word, word:match "[^/]*$"))
  end
end

-- The path of a sub-collection of an object.
local function below(bip, path, name, collection)
  return target.below(path, name, ref(bip, path, name), collection)
end

-- The words after the path: a name, a sub-collection, a name in it, and so on. A single word is a
-- name, too: of a user, a database variable, an object of Common. Returns the path of the last
-- name. `acts` is true if the verb does not work on a whole sub-collection.
local function take_names(bip, path, parsed, acts)
  local words = parsed.in_order
  local last = words[#words]
  local is_name = #words % 2 == 1
  for i, word in ipairs(words) do
    local odd = i % 2 == 1
    if word:find("/", 2, true) and word:sub(1, 1) ~= "/" or not odd and word:find "/" then
      return refuse_plain { plain = { word } }
    end
  end
  if last and not is_name and acts then return refuse_plain { plain = { last } } end
  for i = 1, #words - 1, 2 do
    if i == #words - 1 then hints.miss_in(path) end
    path = below(bip, path, words[i], words[i + 1])
  end
  parsed.name = is_name and last or nil
  return path
end

local function need_body(parsed)
  if not parsed.body then usage("no properties given: use key=value, key:=json or @FILE") end
end

-- The verbs: (session, path, parsed words, options) -> value to print, view of it
local verbs = {}

local function style_of(options)
  return { format = writing.format_of(options), usage = usage }
end

local function view_of(options, reference)
  return views.new(options, reference, style_of(options))
end

function verbs.get(bip, path, parsed, options)
  path = take_names(bip, path, parsed)
  local reference = ref(bip, path, parsed.name)
  local view = view_of(options, reference)
  local body = reference:load(view:query())
  if body == nil then
    terminal.err "f5lua: the device answered with nothing\n"
    return nil
  elseif body.items then
    body.items = view:rows(body.items)
  elseif not is_collection(body) then
    body = view:one(body)
  end
  view:finish()
  return body, view
end

function verbs.list(bip, path, parsed, options)
  path = take_names(bip, path, parsed)
  local collection = ref(bip, path, parsed.name)
  local view = view_of(options, collection)
  if view:streams() and not options.inventory then
    writing.stream(options, view, view:each(collection:each(view:query())))
    view:finish()
    return nil
  end
  local rows = view:rows(collection:list(view:query()))
  view:finish()
  return rows, view
end

function verbs.stats(bip, path, parsed, options)
  path = take_names(bip, path, parsed)
  return views.of_statistics(ref(bip, path, parsed.name):stats(), options, style_of(options))
end

function verbs.example(bip, path, parsed)
  refuse_plain(parsed)
  return bip:at(path):example()
end

function verbs.create(bip, path, parsed)
  path = take_names(bip, path, parsed)
  local body, name = parsed.body or {}, parsed.name
  if name and name:sub(1, 1) == "/" and not target.has_ids(path) then
    return ref(bip, path, name):create(body)
  end
  if name and body.name ~= nil and body.name ~= name then
    usage(("'%s' and name=%s are different names for one object"):format(name, tostring(body.name)))
  end
  if name then
    body.name = name
  else
    need_body(parsed)
  end
  return bip:at(path):create(body)
end

-- Acts on one reference after the other, and stops at the first failure. If there are several, it
-- prints what was done before.
local function on_each(refs, verb, act)
  for i, reference in ipairs(refs) do
    local ok, err = pcall(act, reference, i)
    if not ok then
      if #refs > 1 then
        terminal.err(
          ("f5lua: %s: %d of %d done, then a failure at %s\n"):format(
            verb, i - 1, #refs, core.mask(tostring(reference))
          )
        )
      end
      error(err, 0)
    end
  end
end

local function change(method, verb)
  return function(bip, path, parsed, options)
    path = take_names(bip, path, parsed, true)
    need_body(parsed)
    local refs, out = targets(bip, path, parsed, options, verb), json.array {}
    on_each(refs, verb, function(reference, i)
      out[i] = reference[method](reference, parsed.body)
    end)
    if #out == 1 then return out[1] end
    return #out > 0 and out or nil
  end
end
verbs.modify = change("modify", "Modify")
verbs.replace = change("replace", "Replace")

function verbs.delete(bip, path, parsed, options)
  path = take_names(bip, path, parsed, true)
  local named = tenants.named(path, parsed.name, options)
  if named then
    tenants.remove(bip, named, function(names) return confirm(names, path, options, "Delete") end)
    return
  end
  on_each(
    targets(bip, path, parsed, options, "Delete"),
    "Delete",
    function(reference) reference:delete() end
  )
end

-- `ensure` and `absent` are about one object: its name is never a pattern.
local function outcome(path, name, result)
  return { result = result, name = name, path = path }
end

function verbs.ensure(bip, path, parsed)
  path = take_names(bip, path, parsed, true)
  if not parsed.name then need_body(parsed) end
  local body = parsed.body or {}
  local object, is_missing = ref(bip, path, parsed.name)
  if is_missing then
    body.name = parsed.name
    bip:at(path):create(body)
    return outcome(path, parsed.name, "created")
  end
  local ok, result = pcall(object.ensure, object, body)
  if ok then return outcome(path, parsed.name, result) end
  if not parsed.name and result.kind == "usage" then
    usage(("%s is a collection: ensure needs the NAME of an object"):format(path))
  end
  return error(result, 0)
end

function verbs.absent(bip, path, parsed)
  path = take_names(bip, path, parsed, true)
  if not parsed.name then usage "absent needs the NAME of an object" end
  local named = tenants.named(path, parsed.name, { exact = true })
  if named then
    return outcome(path, parsed.name, tenants.remove(bip, named) and "deleted" or "unchanged")
  end
  return outcome(path, parsed.name, ref(bip, path, parsed.name):absent())
end

function verbs.call(bip, path, parsed)
  local command = parsed.plain[1]
  if not command then usage("no command given; example: f5lua call sys/config save") end
  if parsed.plain[2] then usage(("'%s' is not key=value"):format(parsed.plain[2])) end
  local body = parsed.body or {}
  if parsed.name then body.name = parsed.name end
  return bip:at(path):run(command, body)
end

--- Reads words of another subcommand: key=value, key:=json, @FILE.
-- @return table: body, plain (the other words)
function M.read_words(words, name)
  program = name
  return parse_words(words)
end

local WORDS <const> = {
  get = "NAME [COLLECTION [NAME]] …",
  list = "NAME [COLLECTION [NAME]] …",
  stats = "NAME [COLLECTION [NAME]] …",
  example = nil,
  create = "NAME key=value …",
  modify = "NAME key=value …",
  replace = "NAME key=value …",
  delete = "NAME",
  ensure = "NAME key=value …",
  absent = "NAME",
  call = "COMMAND key=value …",
}

local WRITES <const> = {
  create = true, modify = true, replace = true, delete = true, ensure = true, absent = true,
  call = true,
}

--- Returns the module of a subcommand.
-- @param verb string: a key of the verbs above
-- @param summary string: one line
-- @param extra table|nil: query (it has options of a query), rows (those of rows), destructive (it
--   asks before it acts on several objects)
function M.subcommand(verb, summary, extra)
  extra = extra or {}
  local module = { summary = summary, logs = true }
  function module.setup(parser)
    parser
      :argument(
        "path",
        "the resource or collection below /mgmt/tm: ltm/pool; or absolute: /mgmt/shared/echo"
      )
      :argname "PATH"
    parser
      :argument("words", WORDS[verb] and WORDS[verb] .. "; see docs/shell.md" or nil)
      :args "*"
      :argname(WORDS[verb] or "WORD")
    add_common(parser)
    if extra.query or extra.rows then row_options.add_select(parser) end
    if extra.query then add_query(parser) end
    if extra.rows then row_options.add_rows(parser) end
    if WRITES[verb] then
      undoable.add_option(parser)
      parser:flag("--check", "write nothing: show what would change")
    end
    fleet.add_options(parser, not WRITES[verb])
    if extra.destructive then
      parser:flag("-y --yes", "do not ask before acting on several objects")
      parser:flag("--exact", "NAME is the name of one object, whatever characters it has")
      parser:flag("--pattern", "NAME is a pattern, even if an object has exactly this name")
    end
  end
  function module.run(options)
    program = "f5lua " .. verb
    hints.for_one_line()
    local function words()
      local parsed = parse_words(options.words)
      if parsed.body and not tostring(WORDS[verb]):find "key=" then
        usage(verb .. " takes no properties")
      end
      return parsed
    end
    if options.inventory then
      return require("cli.support.verbs.rest").run(options, {
        verb = verbs[verb], name = verb, program = program, parsed = words(),
        path = target.path(options.path), writes = WRITES[verb], destructive = extra.destructive,
      })
    end
    fleet.refuse_without_inventory(options, program)
    if options.report then usage "--report needs --inventory" end
    local function call()
      local parsed = words()
      local bip <close> = device.connect(options, program)
      local value, view = verbs[verb](bip, target.path(options.path), parsed, options)
      if not options.check then writing.write(value, options, view) end
    end
    if options.check then
      options.yes = true -- there is nothing to ask
      return require("cli.support.change.check").run({ no_validate = false }, call)
    end
    if not WRITES[verb] or not undoable.wanted(options) then return call() end
    undoable.run({ what = verb, arguments = { options.path, table.unpack(options.words) } }, call)
  end
  return module
end

return M
