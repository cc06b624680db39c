-- Playbooks that compute without a pause, in a process that limits it, as a worker does: the error
-- that ends them, and that nothing else ends.
local program = require "program"

-- arg: the limit, names of cases. Prints what became of each.
local PLAYBOOK <const> = [==[
local core, f5 = require "f5.core", require "f5"
local function forever() while true do end end
local function closing(fn) return setmetatable({}, { __close = fn }) end
local CASES = {
  loop = forever,
  pcall = function() while true do pcall(forever) end end,
  xpcall = function()
    while true do xpcall(forever, function(e) return "handled: " .. tostring(e) end) end
  end,
  close = function() local _ <close> = closing(forever) forever() end,
  wrap = function() coroutine.wrap(function() coroutine.wrap(forever)() end)() end,
  resume = function()
    while true do coroutine.resume(coroutine.create(function() for _ = 1, 1000 do end end)) end
  end,
  yield = function()
    local step = coroutine.wrap(function() while true do coroutine.yield() end end)
    while true do step() end
  end,
  sort = function()
    local list = {}
    for i = 1, 1000 do list[i] = -i end
    table.sort(list, function(a, b) while true do if a == b then return false end end end)
  end,
  gsub = function() ("x"):gsub(".", forever) end,
  reader = function() while true do load(forever) end end,
  index = function() return setmetatable({}, { __index = forever }).x end,
  c = function() while true do ("x"):rep(10) end end,
  own = function() while true do core.now() require "f5.table" .line { 1, 2 } end end,
  hook = function() while true do debug.sethook() end end,
  spawn = function() f5.spawn(forever):join() end,
  cleans = function()
    local _ <close> = closing(function() f5.sleep(0) io.write "cleaned " end)
    forever()
  end,
  handles = function()
    local _, e = pcall(forever)
    f5.sleep(0)
    return "handled " .. e
  end,
  waits = function() os.execute "sleep 2.5" return "waited" end,
  pauses = function()
    local from = core.now()
    repeat f5.sleep(0) until core.now() - from > 1.5
    return "paused"
  end,
}
local seconds = tonumber(arg[1])
core.limit_runs { seconds = seconds, advice = "; ADVICE", holds = true }
for i = 2, #arg do
  local at_work = f5.spawn(function()
    core.set_limited(true)
    return CASES[arg[i]]()
  end)
  print(arg[i], pcall(at_work.join, at_work))
end
local from = core.now() -- the limit holds for limited fibers only
repeat until core.now() - from > 2 * seconds
print "end"
]==]

-- Two fibers compute, and a third one, without a limit, is to come round in between.
local HOLD <const> = [==[
local core, f5 = require "f5.core", require "f5"
core.limit_runs { seconds = 0.2, holds = true }
local said = {}
local function say(word) said[#said + 1] = word end
local function compute(name)
  return f5.spawn(function()
    core.set_limited(true)
    f5.sleep(0)
    say(name)
    while true do end
  end)
end
local one, two = compute "begin", compute "begin"
local keeper = f5.spawn(function()
  for _ = 1, 2 do
    repeat f5.sleep(0.01) until core.held()
    f5.sleep(0.05) -- a renewal
    say "renewed"
    core.release()
  end
end)
pcall(one.join, one) pcall(two.join, two) keeper:join()
print(table.concat(said, " "))
]==]

describe("A playbook that computes without a pause", function()
  local function run(text, ...)
    local place <close> = program.directory()
    return program.run { place:file("playbook.lua", text), ... }
  end

  it("ends with an error that names its line and what to do", function()
    local result = run(PLAYBOOK, "0.2", "loop")
    assert.matches("^loop\tfalse\t.*playbook%.lua:2: computed for %d[%d.]* s without a pause; "
      .. "ADVICE\nend\n$", result.out)
  end)

  it("ends whatever it does against it", function()
    local cases <const> = {
      "pcall", "xpcall", "close", "wrap", "resume", "yield", "sort", "gsub", "reader", "index", "c",
      "own", "hook", "spawn",
    }
    local result = run(PLAYBOOK, "0.1", table.unpack(cases))
    assert.matches("\nend\n$", result.out, 1, false, result.err)
    for _, name in ipairs(cases) do
      assert.matches(name .. "\tfalse\t[^\n]*computed for %d[%d.]* s without a pause; ADVICE\n",
        result.out)
    end
  end)

  it("may clean up and handle the error", function()
    local result = run(PLAYBOOK, "0.5", "cleans", "handles")
    assert.matches("cleaned cleans\tfalse\t", result.out)
    assert.matches("handles\ttrue\thandled [^\n]*computed for", result.out)
  end)

  it("is not ended for pauses, and not after a function that cannot be interrupted", function()
    local result = run(PLAYBOOK, "1", "waits", "pauses")
    assert.equal("waits\ttrue\twaited\npauses\ttrue\tpaused\nend\n", result.out)
  end)

  it("lets others come round before the next one computes", function()
    local result = run(HOLD)
    assert.equal("begin renewed begin renewed\n", result.out, result.err)
  end)

  it("is reported if nothing can interrupt it, or ends its process", function()
    local text <const> = [==[
      local core, f5 = require "f5.core", require "f5"
      core.limit_runs { seconds = 1, stuck = 0.3, warning = "STUCK\n", exits = arg[1] == "exits" }
      f5.spawn(function() core.set_limited(true) os.execute "sleep 2" end):join()
      print "end"
    ]==]
    local warned <const>, ended <const> = run(text), run(text, "exits")
    assert.same({ 0, "STUCK\n", "end\n" }, { warned.status, warned.err, warned.out })
    assert.same({ 1, "STUCK\n", "" }, { ended.status, ended.err, ended.out })
  end)

  it("is not ended because others have the processor", function()
    local place <close> = program.directory()
    local file <const> = place:file("playbook.lua", [==[
      local core, f5 = require "f5.core", require "f5"
      core.limit_runs { seconds = 0.3 }
      local at_work = f5.spawn(function()
        core.set_limited(true)
        local from <const> = os.clock()
        repeat until os.clock() - from > 0.15
        return "computed"
      end)
      print(at_work:join())
    ]==])
    local cores <close> = assert(io.open "/proc/self/status")
    local core <const> = cores:read("a"):match "Cpus_allowed_list:%s*(%d+)"
    local script <const> = ([[
      for n in 1 2 3 4 5; do taskset -c %s sh -c 'while :; do :; done' & done
      taskset -c %s "$0" "$1"
      kill $(jobs -p)]]):format(core, core)
    local result <const> = program.run({ "-c", script, program.path, file }, {
      program = "/bin/bash",
    })
    assert.equal("computed\n", result.out, result.err)
  end)

  it("computes for as long as it likes without a limit", function()
    local result = run [==[
      local core = require "f5.core"
      assert(core.set_limited(true) == false and not core.held())
      local from = core.now()
      repeat until core.now() - from > 0.3
      print "end"
    ]==]
    assert.equal("end\n", result.out, result.err)
  end)
end)
