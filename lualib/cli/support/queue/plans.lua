-- f5lua apply FILE --queue: submits the plan of a file, for workers to apply.
local apply = require "f5.plan.apply"
local archive = require "build.archive"
local contents = require "cli.support.contents"
local core = require "f5.core"
local inventory = require "f5.inventory"
local manifest = require "f5.queue.manifest"
local plan_file = require "f5.plan.file"
local queue_options = require "cli.support.queue.options"
local queues = require "f5.queue"
local show = require "cli.support.queue.show"
local submitting = require "cli.support.queue.submitting"
local usage = require "cli.support.usage"

local M = {}

-- Options that workers cannot heed.
local REFUSED <const> = { "host", "step_by_step", "plan_hosts", "confirm", "report", "user" }

local function read(options, program)
  local key
  if options.key then
    local reason
    key, reason = contents(options.key)
    if not key then usage("cannot read " .. reason, program) end
  end
  return plan_file.read(options.file, key)
end

-- The devices of the inventory that the plan has steps for, and their parts of it, by name.
local function chosen(options, plan, program)
  if not options.inventory then
    usage("name the devices with --inventory FILE: a plan has no passwords", program)
  end
  local all <const> = inventory.read(options.inventory)
  local known, of = {}, {}
  for _, device in ipairs(all.devices) do known[device.name] = true end
  for _, device in ipairs(plan.devices) do
    if not known[device.label] then
      usage(("the inventory does not have the device %s of the plan"):format(device.label), program)
    end
    if #device.steps > 0 then of[device.label] = device end
  end
  local list = {}
  for _, device in ipairs(all:limit(options.limit).devices) do
    if of[device.name] then list[#list + 1] = device end
  end
  return list, of
end

-- Steps that nothing can take back are said before they are submitted.
local function check_final(options, list, of, program)
  if options.yes then return end
  for _, device in ipairs(list) do
    local step <const> = apply.final_steps(of[device.name])[1]
    if step then
      usage(("%s: %s %s cannot be taken back; 'f5lua show %s' shows the steps; --yes sends them")
        :format(device.name, step.method, step.path, options.file), program)
    end
  end
end

local function submit(options, program)
  submitting.refuse(options, REFUSED, program)
  local plan <const> = read(options, program)
  local list <const>, of <const> = chosen(options, plan, program)
  if #list == 0 then usage("the plan has no steps for these devices", program) end
  check_final(options, list, of, program)
  local name <const> = options.file:match "[^/]*$"
  local entries <const> = { { kind = "main", name = name, contents = "-- plans" } }
  local texts <const> = {}
  for i, device in ipairs(list) do
    texts[i] = plan_file.part(plan, of[device.name])
    entries[i + 1] = { kind = "asset", name = "plan/" .. i, contents = texts[i] }
  end
  local bytes <const> = archive.write(entries)
  local given <const> = {
    kind = "apply", archive = core.sha256(bytes), playbook = name, arguments = {}, tags = {},
    force = true,
  }
  submitting.add_waves(given, options, #list, program)
  local made <const> = manifest.make(list, given)
  made.options.save = options.save or nil
  for i, entry in ipairs(made.devices) do
    entry.plan = { entry = "plan/" .. i, sha256 = core.sha256(texts[i]) }
  end
  local text <const> = manifest.text(made)
  local address <const>, schema <const> = queues.address(options)
  local id <const> = submitting.store(program, address, schema, {
    manifest = made, text = text, archive = bytes,
    signature = submitting.sign(options.sign, text), from = queue_options.this_machine(),
  })
  if not options.wait then return 0 end
  local state <const> = submitting.wait(program, address, schema, id)
  local db <close> = queues.open(address, schema)
  show.devices(db, id)
  return state.state == "done" and 0 or 1
end

--- Submits the plan of options.file. Returns the exit status.
function M.run(options, program)
  return queue_options.guarded(program, submit, options, program)
end

return M
