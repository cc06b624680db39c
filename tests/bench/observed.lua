-- Adds the rows about recordings and reports to those of the bench. `bench`: what bench.lua has.
--   run, playbook, read_all, most    functions
--   f5lua, work, port, near_port (of servers that answer at once and after 5 ms), rounds, quick
return function(rows, bench)
  local work <const>, most <const> = bench.work, bench.most

  -- The GETs with an option of `run`, and without.
  local function observe(port, count, option)
    local env <const> = ("env F5_SERVER_PORT=%s %s run"):format(port, bench.f5lua)
    local gets <const> = ("tests/bench/playbooks/gets.lua %d"):format(count)
    local samples <const> = { f5lua = {}, run = {} }
    for i = 0, bench.rounds do
      local with <const> = bench.run(("%s %s %s"):format(env, option, gets))
      local without <const> = bench.run(("%s %s"):format(env, gets))
      if i > 0 then samples.f5lua[i], samples.run[i] = with, without end -- 0: to warm up
    end
    return samples
  end

  local function write_report()
    local command <const> = bench.playbook("report", 2000, work .. "/report.html")
    local samples = {}
    for i = 1, bench.rounds do
      samples[i] = bench.run(command)
      samples[i].seconds = tonumber(bench.read_all(work .. "/output"))
    end
    return { f5lua = samples }
  end

  local record <const> = "--record " .. work .. "/run.har"
  local report <const> = "--report " .. work .. "/run.html"
  local few <const>, many <const> = bench.quick and 100 or 300, bench.quick and 1000 or 4000
  for _, row in ipairs {
    {
      name = "record", limits = { most("wall", 1.03, "run") },
      work = ("`f5lua run --record` of %d GETs, 5 ms an answer; run: the same without"):format(few),
      measure = function() return observe(bench.near_port, few, record) end,
    },
    {
      name = "record-local", limits = { most("wall", 1.03, "run"), most("rss", 60) },
      work = ("`f5lua run --record` of %d GETs, local server; run: the same without"):format(many),
      measure = function() return observe(bench.port, many, record) end,
    },
    {
      name = "observe", limits = { most("wall", 1.03, "run") },
      work = ("`f5lua run --report` of %d GETs, 5 ms an answer; run: the same without"):format(few),
      measure = function() return observe(bench.near_port, few, report) end,
    },
    {
      name = "report", limits = { most("seconds", 1), most("rss", 120) },
      work = "the page of `--report` of 2,000 devices with 8 calls and a change each",
      measure = write_report,
    },
  } do
    rows[#rows + 1] = row
  end
end
