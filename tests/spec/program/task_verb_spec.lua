-- f5lua task: long work from the shell.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"

local device, place

local function f5lua(words)
  return program.run(words, { env = lab.environment(device), directory = place.path })
end

local function rows(words)
  local result, list = f5lua(words), {}
  assert.equal(0, result.status, result.err)
  for line in result.out:gmatch "[^\n]+" do list[#list + 1] = f5.json.decode(line) end
  return list, result.err
end

local function wrong(status, message, words)
  local result = f5lua(words)
  assert.equal(status, result.status, result.err .. result.out)
  assert.matches(message, result.err)
end

local function plan(seconds, outcome)
  device:control("plan_task", { template = "sys/ucs", seconds = seconds, outcome = outcome })
end

local SAVE <const> = { "task", "sys/ucs", "command=save", "name=nightly" }

local function save(...)
  local words = table.move(SAVE, 1, #SAVE, 1, {})
  for _, word in ipairs { ... } do words[#words + 1] = word end
  return words
end

describe("E2 task", function()
  lab.block(setup, teardown, before_each, function(...)
    device, place = ...
    lab.inventory(place, device, { "a" })
  end)
  before_each(function() device:advance(200) end) -- what an earlier test has started is done

  it("starts work, and says how to wait for it", function()
    plan(0.2)
    local started <const> = rows(save())[1]
    assert.equal("started", started.state)
    local id <const> = tostring(started.id)
    local result = f5lua { "task", "wait", "sys/ucs", id, "-o", "text" }
    assert.matches("^sys/ucs " .. id .. " is done after %S+ s\nname +nightly\n", result.out)
    assert.same({}, rows { "task", "list", "sys/ucs" }) -- the task is deleted
    assert.matches(
      "^started sys/ucs %d+; wait for it with 'f5lua task wait sys/ucs %d+'\n$",
      f5lua(save("-o", "text")).out
    )
  end)

  it("waits for the result", function()
    plan(0.2)
    local done <const> = rows(save "--wait")[1]
    assert.equal("done", done.state)
    assert.equal("nightly", done.result.name)
    plan(0.2, "FAILED")
    wrong(3, "f5lua: ", save "--wait")
  end)

  it("stops waiting, but the work continues", function()
    plan(60)
    wrong(3, "not done after 3 s %(VALIDATING%); it continues, wait for it with 'f5lua task wait "
      .. "sys/ucs %d+'", save("--wait", "--timeout", "3"))
    local list <const> = rows { "task", "list" }
    assert.equal("VALIDATING", list[#list].state)
    device:advance(100)
    rows { "task", "wait", "sys/ucs", tostring(list[#list].id) }
  end)

  it("keeps the work after Ctrl-C", function()
    plan(60)
    local process <close> = program.start(save "--wait", { env = lab.environment(device) })
    lab.arrived(device, "GET", "/mgmt/tm/task/sys/ucs/%d+$")
    process:kill "INT"
    local result <const> = process:wait()
    assert.equal(130, result.status)
    assert.matches("continues; wait for it with 'f5lua task wait sys/ucs %d+'", result.err)
    device:advance(100)
  end)

  it("shows the state on a terminal", function()
    plan(60)
    local screen <close> = require("terminal").start(save "--wait", {
      env = lab.environment(device), errors_too = true, columns = 100,
    })
    screen:expect("sys/ucs %d+: VALIDATING, %d+ s", 20)
    device:advance(100)
    screen:expect("is done after", 20)
  end)

  it("lists and deletes tasks of all kinds", function()
    rows(save())
    device:advance(100)
    local uuid <const> = rows({ "task", "/mgmt/cm/autodeploy/qkview", "name=case.qkview" })[1].id
    local all = rows { "task", "list" }
    local paths = {}
    for _, row in ipairs(all) do paths[row.path] = row end
    assert.equal("COMPLETED", paths["sys/ucs"].state)
    assert.equal(uuid, paths["/mgmt/cm/autodeploy/qkview"].id)
    -- what no task has (a name, a command) is no column
    assert.matches("^path +id +state[^\n]*\n", f5lua({ "task", "list", "-o", "table" }).out)
    assert.equal(0, #rows { "task", "list", "--where", 'state == "NONE"' })
    assert.equal(#all, #rows { "task", "list", "--sort", "id:desc", "--select", "id" })
    for _, row in ipairs(all) do
      local deleted = rows { "task", "delete", row.path, tostring(row.id) }
      assert.equal("deleted", deleted[1].state)
    end
    assert.same({}, rows { "task", "list" })
    wrong(3, "no longer knows this task", { "task", "delete", "sys/ucs", "99" })
  end)

  it("names what is wrong", function()
    wrong(2, "no properties given", { "task", "sys/ucs" })
    wrong(2, "'x' is not key=value", { "task", "sys/ucs", "x", "command=save" })
    wrong(2, "%-%-timeout needs %-%-wait", save("--timeout", "3"))
    wrong(2, "%-%-wait does not belong to list", { "task", "list", "--wait" })
    wrong(2, "list has no %-%-check", { "task", "list", "--check" })
    wrong(2, "expected f5lua task wait PATH ID", { "task", "wait" })
    wrong(2, "no id given; 'f5lua task list sys/ucs' lists them", { "task", "delete", "sys/ucs" })
    wrong(2, "/mgmt/shared/echo has no tasks", { "task", "list", "/mgmt/shared/echo" })
    wrong(2, "%-%-timeout must be seconds, not 'x'", save("--wait", "--timeout", "x"))
  end)

  it("works on an inventory, and nothing is started with --check", function()
    plan(0.2)
    local done <const> = rows(save("--wait", "--inventory", "sites.lua"))[1]
    assert.same({ "a", "done" }, { done.device, done.state })
    device:clear_log()
    f5lua(save "--check")
    for _, call in ipairs(device:log()) do
      assert.is_nil(call.method == "POST" and call.path:find "/tm/task" or nil)
    end
  end)
end)
