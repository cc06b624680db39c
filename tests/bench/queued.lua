-- Adds the rows about queues to those of the bench. `bench`: what bench.lua has.
--   playbook, read_all, most, faster   functions
--   f5lua, work, port (of the server with 50 ms an answer), object, rounds, quick
return function(rows, bench)
  local most <const>, faster <const> = bench.most, bench.faster
  local count <const> = bench.quick and 200 or 1000
  local known

  -- All figures come from one run: it starts a PostgreSQL.
  local function measure()
    if known then return known end
    known = {}
    local command <const> = bench.playbook("queue", bench.work, bench.port, count,
      bench.quick and 1 or 5, bench.f5lua, bench.object)
    assert(os.execute(("env -u SSL_CERT_FILE %s >%s/queue.out"):format(command, bench.work)))
    for line in bench.read_all(bench.work .. "/queue.out"):gmatch "[^\n]+" do
      local name <const>, first <const>, second <const> = line:match "^(%w+)%s+(%S+)%s*(%S*)"
      known[name] = known[name] or {}
      table.insert(known[name], {
        wall = tonumber(first), rss = tonumber(second),
        rate = tonumber(first) and count / tonumber(first),
      })
    end
    if known.missing then error("the rows of a queue need PostgreSQL", 0) end
    return known
  end

  local function of(name, against)
    return function()
      local figures <const> = measure()
      return { f5lua = figures[name], run = figures[against or "run"] }
    end
  end

  local function memory()
    local figures <const>, samples <const> = measure(), {}
    for i, worker in ipairs(figures.worker1) do
      samples[i] = { over = worker.rss - figures.run[i].rss }
    end
    return { f5lua = samples }
  end

  local what <const> = ("%d devices through a queue, 50 ms an answer, %%s of 50 at a time"):format(
    count)
  for _, row in ipairs {
    {
      name = "queue", limits = { most("wall", 1.1, "run"), faster("rate", 50) },
      work = what:format "one worker" .. "; run: `f5lua run --inventory`",
      measure = of "worker1",
    },
    {
      name = "queue2", limits = { faster("rate", 50) }, work = what:format "two workers",
      measure = of "worker2",
    },
    {
      name = "queue4", limits = { faster("rate", 50) }, work = what:format "four workers",
      measure = of "worker4",
    },
    {
      name = "queue-memory", limits = { most("over", 4) },
      work = "memory of that worker, over that of `f5lua run --inventory`", measure = memory,
    },
    {
      name = "queue-long", limits = { most("wall", 2, "run") },
      work = "20 jobs taken of 100,000 that wait; run: of 100",
      measure = function()
        local figures <const>, samples <const> = measure(), { f5lua = {}, run = {} }
        for i, many in ipairs(figures.many) do
          samples.f5lua[i] = { wall = many.wall / 1000 }
          samples.run[i] = { wall = figures.few[i].wall / 1000 }
        end
        return samples
      end,
    },
  } do
    rows[#rows + 1] = row
  end
end
