-- f5lua task: long work on devices.
local core = require "f5.core"
local f5 = require "f5"
local frame = require "cli.support.verbs.frame"
local number = require "cli.support.number"
local rest = require "cli.support.rest"
local target = require "cli.support.target"
local task_list = require "cli.support.verbs.task_list"
local usage = require "cli.support.usage"

local M = { summary = "start long work, wait for it, list and delete tasks", logs = true }

local PROGRAM <const> = "f5lua task"
local LISTED <const> = { "path", "id", "state", "command", "name", "started" }
local ACTIONS <const> = { list = true, wait = true, delete = true }

function M.setup(parser)
  parser:usage(
    "Usage: f5lua task PATH key=value… [--wait] [--timeout SECONDS] [OPTION…]\n"
      .. "       f5lua task list [PATH] [OPTION…]\n"
      .. "       f5lua task wait PATH ID [--timeout SECONDS] [OPTION…]\n"
      .. "       f5lua task delete PATH ID [OPTION…]"
  )
  parser:argument("path", "the command, such as sys/ucs, or list, wait, delete"):argname "PATH"
  parser
    :argument("words", "properties of the work, key=value; or the words of an action")
    :args("*")
    :argname "WORD"
  parser:flag("--wait", "wait until the work is done, print its result, delete the task")
  parser
    :option("--timeout", "seconds to wait (default 600); the work continues after that")
    :argname("SECONDS")
    :target("patience")
    :convert(number.any("--timeout", "seconds"))
  parser:flag("--keep", "do not delete the task after waiting")
  frame.add_options(parser, {
    writes = true, text = true, no_timeout = true, condition = 'state ~= "COMPLETED"',
  })
  parser:epilog(
    "Properties are those of f5lua create: key=value, key:=json, @FILE. Examples:\n"
      .. "  f5lua task sys/ucs command=save name=nightly --wait\n"
      .. "  f5lua task /mgmt/cm/autodeploy/qkview name=case.qkview --wait\n"
      .. "Exit status: 3 if the work failed, or is not done in time."
  )
end

-- The advice after Ctrl-C or when the time is over.
local function advice(path, id)
  return ("wait for it with 'f5lua task wait %s%s'"):format(path, id and " " .. id or "")
end

-- Waits, on a terminal with a line about the state. Returns the result.
local function wait(task, path, options)
  task.advice = advice(path, task.id)
  local line <close> = f5.live { quiet = true }
  local name <const> = path .. (task.id and " " .. task.id or "")
  local shows <const> = line.terminal and not options.inventory
  return task:wait {
    timeout = options.patience, keep = options.keep,
    progress = shows and function(state, seconds)
      line(("%s: %s, %d s"):format(name, state or "no answer", seconds // 1))
    end or nil,
  }
end

local function done(task, path, result, began)
  return {
    path = path, id = task.id, state = "done", result = result,
    seconds = math.floor((core.now() - began) * 10 + 0.5) / 10,
  }
end

local function text(row)
  local name <const> = row.path .. (row.id and " " .. row.id or "")
  if row.state == "deleted" then return ("deleted %s\n"):format(name) end
  if row.state ~= "done" then return ("started %s; %s\n"):format(name, advice(row.path, row.id)) end
  local result = row.result
  local shown = type(result) == "table" and next(result) ~= nil
    and require("f5.table.show").value(result) .. "\n" or ""
  return ("%s is done after %g s\n%s"):format(name, row.seconds, shown)
end

-- -- what is done ---------------------------------------------------------------------------------

local function start(options)
  local parsed <const> = rest.read_words(options.words, PROGRAM)
  if parsed.plain[1] or parsed.name then
    usage(("'%s' is not key=value"):format(parsed.plain[1] or parsed.name), PROGRAM)
  end
  if not parsed.body then
    usage("no properties given: use key=value, key:=json or @FILE", PROGRAM)
  end
  local path <const> = target.path(options.path)
  return function(bip)
    local began <const> = core.now()
    local task = bip:task(path, parsed.body)
    if options.wait then return { done(task, path, wait(task, path, options), began) } end
    return { { path = path, id = task.id, state = "started" } }
  end
end

-- The path and the id that an action needs; a volume has no id.
local function task_of(options)
  local path, id = options.words[1], options.words[2]
  if not path or options.words[3] then
    usage(("expected f5lua task %s PATH ID"):format(options.path), PROGRAM)
  end
  path = target.path(path)
  local _, family = task_list.family(path)
  if not family then usage(("%s has no tasks"):format(path), PROGRAM) end
  if not id and not family.keeps then
    usage(("no id given; 'f5lua task list %s' lists them"):format(path), PROGRAM)
  end
  return path, math.tointeger(id) or id
end

local function finish(options)
  local path, id = task_of(options)
  return function(bip)
    local began <const> = core.now()
    local task = bip:task { path = path, id = id }
    return { done(task, path, wait(task, path, options), began) }
  end
end

local function delete(options)
  local path, id = task_of(options)
  return function(bip)
    local task = bip:task { path = path, id = id }
    task:load() -- a task that does not exist is an error
    task:delete()
    return { { path = path, id = id, state = "deleted" } }
  end
end

local function list(options)
  if options.words[2] then usage("list takes only a PATH", PROGRAM) end
  local path, family
  if options.words[1] then
    path, family = task_list.family(target.path(options.words[1]))
    if not family or not family.id then usage(("%s has no tasks"):format(path), PROGRAM) end
  end
  return function(bip) return task_list.list(bip, path) end
end

local WORK <const> = { list = list, wait = finish, delete = delete }

local function check_options(options, action)
  local without <const> = action == "list" and { "wait", "patience", "keep" }
    or action == "delete" and { "wait", "patience", "keep" }
    or action == nil and not options.wait and { "patience", "keep" } or {}
  for _, name in ipairs(without) do
    if options[name] then
      usage(
        ("--%s %s"):format(
          name == "patience" and "timeout" or name,
          action and "does not belong to " .. action or "needs --wait"
        ),
        PROGRAM
      )
    end
  end
  if action and action ~= "delete" then
    for _, name in ipairs { "undoable", "check", "journal" } do
      if options[name] then usage(("%s has no --%s"):format(action, name), PROGRAM) end
    end
  end
end

function M.run(options)
  local action <const> = ACTIONS[options.path] and options.path or nil
  check_options(options, action)
  local identity = { options.path, table.unpack(options.words) }
  local is_list <const> = action == "list"
  return frame.run(options, {
    program = PROGRAM,
    writes = not is_list,
    style = {
      text = not is_list and text or nil,
      names = is_list and LISTED or nil,
      keep = is_list and 2 or 1,
      columns = is_list and LISTED
        or { "path", "id", "state", "seconds", "result" },
      empty = "no tasks",
    },
    identity = identity,
    work = (WORK[action] or start)(options),
    order = is_list and task_list.order or nil,
    -- a device refuses the kinds of modules that are not provisioned
    connect = is_list and not options.words[1] and { retries = 0 } or nil,
    result = function(rows) return is_list and #rows or rows[1] and rows[1].state end,
  })
end

return M
