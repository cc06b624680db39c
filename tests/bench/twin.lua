-- Adds the rows about twins to those of the bench. `bench`: what bench.lua has.
--   start, stop (of a simulated device), run, playbook, read_all, most   functions
--   work, port, ca (of the simulated device), rounds, quick               values
return function(rows, bench)
  local work <const> = bench.work

  -- A twin of a simulated device; the floor is the device itself. `...`: options of the device.
  local function read_through(...)
    bench.start("--seed", work .. "/www/seed.json", ...)
    local command <const> = ("env F5_SERVER_PORT=%s SSL_CERT_FILE=%s %s"):format(
      bench.port, bench.ca, bench.playbook("twin", bench.quick and 100 or 300)
    )
    local samples <const> = { f5lua = {}, floor = {} }
    for i = 1, bench.rounds do
      bench.run(command)
      local mine <const>, floor <const> = {}, {}
      for line in bench.read_all(work .. "/output"):gmatch "[^\n]+" do
        local name, direct, twin = line:match "^(%a+)%s+(%S+)%s*(%S*)$"
        if name then
          mine[name] = tonumber(twin) or tonumber(direct)
          floor[name] = tonumber(twin) and tonumber(direct) or nil
        end
      end
      samples.f5lua[i], samples.floor[i] = mine, floor
    end
    bench.stop()
    return samples
  end

  local most <const> = bench.most
  for _, row in ipairs {
    {
      name = "twin",
      work = "a twin of a simulated device: first GETs, again, first list of 3,200 pools",
      measure = read_through,
      limits = {
        most("first", 3, "floor"), most("again", 1.2, "floor"), most("list", 3, "floor"),
        most("kb", 4),
      },
    },
    {
      name = "twin-far",
      work = "a twin of a device with 20 ms an answer: first GETs",
      measure = function() return read_through "--latency 20" end,
      limits = { most("first", 1.2, "floor") },
    },
  } do
    rows[#rows + 1] = row
  end
end
