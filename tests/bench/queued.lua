-- Adds the rows about queues to those of the bench. `bench`: what bench.lua has.
--   playbook, read_all, most, faster, start, stop (of a simulated device)   functions
--   f5lua, work, port (of the server with 50 ms an answer), sim_port, object, quick
return function(rows, bench)
  local most <const>, faster <const> = bench.most, bench.faster
  local count <const> = bench.quick and 200 or 1000
  local known

  -- Figures of one run of the playbook: name -> samples. It starts a PostgreSQL.
  local function figures_of(devices, port, rounds, what, environment)
    local figures <const> = {}
    local command <const> = bench.playbook("queue", bench.work, port, devices, rounds, bench.f5lua,
      what)
    assert(os.execute(("env -u SSL_CERT_FILE %s %s >%s/queue.out"):format(environment or "",
      command, bench.work)))
    for line in bench.read_all(bench.work .. "/queue.out"):gmatch "[^\n]+" do
      local name <const>, first <const>, second <const> = line:match "^(%w+)%s+(%S+)%s*(%S*)"
      figures[name] = figures[name] or {}
      table.insert(figures[name], {
        wall = tonumber(first), seconds = tonumber(first), rss = tonumber(second),
        rate = tonumber(first) and devices / tonumber(first),
      })
    end
    if figures.missing then return nil, "it needs PostgreSQL (scripts/setup --tests)" end
    return figures
  end

  -- A function that returns samples of a row, made by fn(figures); or nil and why there are none.
  local function of(fn)
    return function()
      known = known
        or table.pack(figures_of(count, bench.port, bench.quick and 1 or 5, bench.object))
      if not known[1] then return nil, known[2] end
      return fn(known[1])
    end
  end

  local function compared(name, against)
    return of(function(figures) return { f5lua = figures[name], run = figures[against] } end)
  end

  -- Each device gets 5 writes with what a change record needs of them.
  local written <const> = bench.quick and 20 or 100
  local function writes()
    bench.start("--latency 50 --user boss:secret:admin --fleet", written)
    local figures <const>, why <const> = figures_of(written, bench.sim_port,
      bench.quick and 1 or 5, "writes", "XDG_STATE_HOME=" .. bench.work)
    bench.stop()
    if not figures then return nil, why end
    return { f5lua = figures.worker, run = figures.run }
  end

  local function memory(figures)
    local samples <const> = {}
    for i, worker in ipairs(figures.worker1) do
      samples[i] = { over = worker.rss - figures.run1[i].rss }
    end
    return { f5lua = samples }
  end

  local what <const> = ("%d devices through a queue, 50 ms an answer, %%s of 50 at a time"):format(
    count)
  for _, row in ipairs {
    {
      name = "queue", limits = { most("wall", 1.1, "run"), faster("rate", 50) },
      work = what:format "one worker" .. "; run: `f5lua run --inventory`",
      measure = compared("worker1", "run1"),
    },
    {
      name = "queue-memory", limits = { most("over", 4) },
      work = "memory of that worker, over that of `f5lua run --inventory`", measure = of(memory),
    },
    {
      name = "queue2", limits = { most("wall", 1.1, "run"), faster("rate", 50) },
      work = what:format "two workers" .. "; run: with 100 at a time",
      measure = compared("worker2", "run2"),
    },
    {
      name = "queue4", limits = { most("wall", 1.1, "run"), faster("rate", 50) },
      work = what:format "four workers" .. "; run: with 200 at a time",
      measure = compared("worker4", "run4"),
    },
    {
      name = "queue-writes", limits = { most("wall", 1.1, "run") }, measure = writes,
      work = ("%d simulated devices through a queue, 5 writes each, 50 ms an answer, one worker of "
        .. "20; run: `f5lua run --undoable --inventory`"):format(written),
    },
    {
      name = "queue-killed", limits = { most("seconds", 17) }, measure = compared "killed",
      work = "50 devices of a worker killed with -9, until another one has them; lease 10 s, "
        .. "timeouts 1 s",
    },
    {
      name = "queue-long", limits = { most("wall", 2, "run") },
      work = "20 jobs taken of 100,000 that wait; run: of 100",
      measure = of(function(figures)
        local samples <const> = { f5lua = {}, run = {} }
        for i, many in ipairs(figures.many) do
          samples.f5lua[i] = { wall = many.wall / 1000 }
          samples.run[i] = { wall = figures.few[i].wall / 1000 }
        end
        return samples
      end),
    },
  } do
    rows[#rows + 1] = row
  end
end
