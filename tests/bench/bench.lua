-- Runs the rows of the bench and prints the table: lua5.4 tests/bench/bench.lua QUICK WORK PORT
-- FLEET_PORT SIM_PORT [ROW…] Called by scripts/bench, which starts the servers and sets the
-- environment.
local quick <const>, work <const>, port <const>, fleet_port <const>, sim_port <const> =
  arg[1] == "yes", arg[2], arg[3], arg[4], arg[5]
local wanted <const> = { table.unpack(arg, 6) }

local f5lua <const> = os.getenv "F5LUA" or "build/release/f5lua"
local portable <const> = "build/portable/f5lua"
local floor <const>, static_floor <const>, measure <const> =
  "build/bench/floor", "build/bench/floor-static", "build/bench/measure"
local base <const> = "https://127.0.0.1:" .. port
local slow_base <const> = "https://127.0.0.1:" .. fleet_port
local fleet_base <const> = "https://d%d.fleet.localhost:" .. fleet_port
local ca <const> = work .. "/ca/"
local object <const>, collection <const> =
  "/mgmt/tm/ltm/virtual/~Common~vs_04711", "/mgmt/tm/ltm/virtual"
local rounds <const> = quick and 3 or 9

local function has(program) return os.execute("command -v " .. program .. " >/dev/null") == true end
local node <const> = has "node"

local function playbook(name, ...)
  return table.concat({ f5lua, "tests/bench/playbooks/" .. name .. ".lua", ... }, " ")
end
local function packed(name, ...)
  return table.concat({ portable, "tests/bench/playbooks/" .. name .. ".lua", ... }, " ")
end
local function least(...) return table.concat({ floor, ... }, " ") end
local function python(...)
  return table.concat({ "/usr/bin/python3 tests/bench/peers/peer.py", ... }, " ")
end
local function javascript(...)
  return node and table.concat({ "node tests/bench/peers/peer.js", ... }, " ") or nil
end
local function curl(...) return table.concat({ "curl -sSf -o /dev/null", ... }, " ") end

-- A limit is { of, limit, against, at_least, program }: `of` is wall, cpu or rss, or what the row
-- measures itself; the ratio of the program's (f5lua's) to that of `against`, or without it the
-- plain figure, is at most or at least `limit`.
local function most(of, limit, against, program)
  return { of = of, limit = limit, against = against, program = program }
end
local function faster(of, limit, against, program)
  return { of = of, limit = limit, against = against, program = program, at_least = true }
end

local gets <const>, patches <const> = quick and 500 or 2000, quick and 500 or 2000
local big <const> = quick and 64 or 1024
local function read_line(path)
  local file <close> = assert(io.open(path))
  return file:read "l"
end

-- Measures a command. `expected`: its exit status (0).
local function run(command, expected)
  local result = work .. "/result"
  assert(os.execute(("%s %s %s >%s/output 2>&1"):format(measure, result, command, work)), command)
  local wall, cpu, rss, status = read_line(result):match "^(%S+) (%S+) (%S+) (%S+)$"
  if status ~= (expected or "0") then
    os.execute(("head -c 2000 %s/output >&2"):format(work))
    error(("status %s of: %s"):format(status, command), 0)
  end
  return {
    wall = tonumber(wall), seconds = tonumber(wall), cpu = tonumber(cpu),
    rss = tonumber(rss) / 1024,
  }
end

-- The user instructions of one read, without the start: what two counts of reads differ by.
local function count_instructions()
  local function counted(command)
    local log = work .. "/callgrind.log"
    assert(
      os.execute(
        ("valgrind --tool=callgrind --callgrind-out-file=/dev/null %s >%s 2>&1"):format(
          command,
          log
        )
      ),
      command
    )
    local file <close> = assert(io.open(log))
    return tonumber(file:read "a":match "Collected : (%d+)")
  end
  local few <const>, many <const> = 50, 550
  local function a_read(of)
    return { { instructions = (counted(of(many)) - counted(of(few))) / (many - few) } }
  end
  return {
    f5lua = a_read(function(n) return playbook("gets", n) end),
    floor = a_read(function(n) return least("gets", base, ca, object, n) end),
  }
end

local simulated <const> = dofile "tests/bench/simulated.lua" {
  f5lua = f5lua, work = work, port = sim_port, rounds = rounds, quick = quick, run = run,
  least = least,
}

-- With "digest" both take the SHA-256 of what they carry, and the floor forces it to the disk,
-- which f5lua always does.
local transfer_limits <const> =
  { most("cpu", 1.1, "floor"), most("cpu", 1.1, "digest", "digested") }
local rows <const> = {
  {
    name = "start", work = "`f5lua -e ''`", warm = 5, rounds = 5 * rounds,
    programs = {
      f5lua = f5lua .. " -e ''", portable = portable .. " -e ''", floor = least "start",
    },
    limits = { most("wall", 1.1, "floor"), most("wall", 1.1, "floor", "portable") },
  },
  {
    name = "cold", work = "start, login, one GET, token deleted, exit", rounds = 2 * rounds,
    programs = {
      f5lua = playbook("gets", 1),
      floor = least("cold", base, ca, object),
      requests = python("gets", base, object),
      node = javascript("gets", base, object),
      curl = curl(base .. object),
      portable = packed("gets", 1),
      static = table.concat({ static_floor, "cold", base, ca, object }, " "),
    },
    limits = {
      most("wall", 1.1, "floor"), faster("wall", 10, "requests"), faster("wall", 1, "node"),
      most("wall", 1.2, "static", "portable"), faster("wall", 18, "requests", "portable"),
    },
  },
  {
    name = "gets",
    work = ("%d GETs of 1.5 KB on one connection, decoded"):format(gets),
    rounds = 3 * rounds,
    programs = {
      f5lua = playbook("gets", gets),
      floor = least("gets", base, ca, object, gets),
      requests = python("gets", base, object, gets),
      node = javascript("gets", base, object, gets),
      curl = curl(("'%s%s?[1-%d]'"):format(base, object, gets)),
    },
    limits = { most("cpu", 1.15, "floor"), faster("cpu", 7, "requests"), faster("cpu", 3, "node") },
  },
  {
    name = "instructions",
    work = "one GET of 1.5 KB, decoded, by callgrind",
    measure = count_instructions,
    limits = { most("instructions", 165000) },
  },
  {
    name = "patches",
    work = ("%d PATCHes on one connection, answers decoded"):format(patches),
    rounds = 2 * rounds,
    programs = {
      f5lua = playbook("patches", patches),
      floor = least("patches", base, ca, object, patches),
      requests = python("patches", base, object, patches),
      node = javascript("patches", base, object, patches),
    },
    limits = { most("cpu", 1.2, "floor") },
  },
  {
    name = "list", work = "a collection of 10,000 objects, 13.9 MB, to Lua tables",
    programs = {
      f5lua = playbook("list", 10000),
      floor = least("cold", base, ca, collection),
      requests = python("gets", base, collection),
      node = javascript("gets", base, collection),
      portable = packed("list", 10000),
    },
    limits = {
      most("wall", 3, "floor"), most("rss", 60), most("rss", 60, nil, "portable"),
      faster("wall", 2.5, "requests"),
    },
  },
  {
    name = "each",
    work = ("`each` over %s objects, pages of 500"):format(quick and "20,000" or "1,000,000"),
    warm = 0,
    rounds = 1,
    server = slow_base,
    programs = {
      f5lua = playbook("each", quick and 20000 or 1000000),
      portable = packed("each", quick and 20000 or 1000000),
    },
    limits = { most("rss", 12), most("rss", 12, nil, "portable") },
  },
  {
    name = "fleet", work = "200 devices at once, 50 ms an answer: login, 2 GETs, logout",
    programs = {
      f5lua = playbook("fleet", 200, fleet_port),
      floor = least("fleet", fleet_base, ca, object, 200),
      requests = python("fleet", fleet_base, object, 200),
      node = javascript("fleet", fleet_base, object, 200),
      portable = packed("fleet", 200, fleet_port),
    },
    limits = {
      most("wall", 1.05, "floor"),
      most("cpu", 1.1, "floor"),
      most("rss", 25),
      most("rss", 25, nil, "portable"),
      faster("wall", 10, "requests"),
    },
  },
  {
    name = "fleet2000", work = "2,000 devices, 500 workers, the same", rounds = quick and 1 or 3,
    programs = {
      f5lua = playbook("fleet", 2000, fleet_port, 500),
      floor = least("fleet", fleet_base, ca, object, 2000),
      portable = packed("fleet", 2000, fleet_port, 500),
    },
    limits = {
      most("wall", 1.1, "floor"), most("cpu", 1.1, "floor"), most("rss", 120),
      most("rss", 120, nil, "portable"),
    },
  },
  {
    name = "fleet2000-at-once",
    work = "2,000 devices all at once, the same",
    rounds = quick and 1 or 3,
    programs = {
      f5lua = playbook("fleet", 2000, fleet_port),
      floor = least("fleet", fleet_base, ca, object, 2000),
    },
    limits = { most("wall", 1.1, "floor"), most("cpu", 1.1, "floor"), most("rss", 120) },
  },
  {
    name = "simulated",
    work = "`f5lua sim --fleet 1000`, all asked at once: login, 20 GETs, logout each",
    measure = simulated.simulate_fleet,
    limits = { faster("rate", 5000), most("rss", 1000) },
  },
  {
    name = "snapshot",
    work = "`f5lua snapshot` of a simulated device with 10,000 objects, 20 ms an answer",
    measure = simulated.take_snapshot,
    limits = { most("wall", 1.3, "floor"), most("rss", 60) },
  },
  {
    name = "diff",
    work = "`f5lua diff` of two snapshots of 10,000 objects, 320 differ",
    measure = simulated.compare_snapshots,
    limits = { most("seconds", 0.5), most("rss", 120) },
  },
  {
    name = "check",
    work = "`f5lua run --check` of 60 writes and 80 reads, 20 ms an answer; run: the same without",
    measure = simulated.check_changes,
    limits = { most("wall", 1.5, "run") },
  },
  {
    name = "undoable",
    work = "`f5lua run --undoable` of the same playbook; run: the same reads, without a record",
    measure = simulated.record_changes,
    limits = { most("wall", 1.2, "run") },
  },
  {
    name = "upload", work = "64 MiB up in chunks of 1 MiB", file = 64, server = slow_base,
    programs = {
      f5lua = playbook("upload", work .. "/64.bin"),
      digested = playbook("upload", work .. "/64.bin", "digest"),
      floor = least("upload", slow_base, ca, "64.bin", work .. "/64.bin"),
      digest = least("upload", slow_base, ca, "64.bin", work .. "/64.bin", "digest"),
    },
    limits = transfer_limits,
  },
  {
    name = "download", work = "64 MiB down in chunks of 1 MiB", server = slow_base,
    programs = {
      f5lua = playbook("download", "64.bin", work .. "/down.bin"),
      digested = playbook("download", "64.bin", work .. "/down.bin", "digest"),
      floor = least("download", slow_base, ca, "64.bin", work .. "/down.bin", 64 << 20),
      digest = least("download", slow_base, ca, "64.bin", work .. "/down.bin", 64 << 20, "digest"),
    },
    limits = transfer_limits,
  },
  {
    name = "upload-big",
    work = ("%d MiB up in chunks of 1 MiB"):format(big),
    file = big,
    warm = 0,
    rounds = quick and 1 or 3,
    server = slow_base,
    programs = {
      f5lua = playbook("upload", ("%s/%d.bin"):format(work, big)),
      digested = playbook("upload", ("%s/%d.bin"):format(work, big), "digest"),
      floor = least("upload", slow_base, ca, "big.bin", ("%s/%d.bin"):format(work, big)),
      digest = least("upload", slow_base, ca, "big.bin", ("%s/%d.bin"):format(work, big), "digest"),
    },
    limits = {
      transfer_limits[1],
      transfer_limits[2],
      { of = "rss", limit = 4, growth_over = "upload" },
    },
  },
  {
    name = "download-big",
    work = ("%d MiB down in chunks of 1 MiB"):format(big),
    warm = 0,
    rounds = quick and 1 or 3,
    server = slow_base,
    programs = {
      f5lua = playbook("download", big .. ".bin", work .. "/down.bin"),
      digested = playbook("download", big .. ".bin", work .. "/down.bin", "digest"),
      floor = least("download", slow_base, ca, big .. ".bin", work .. "/down.bin", big << 20),
      digest = least(
        "download", slow_base, ca, big .. ".bin", work .. "/down.bin", big << 20, "digest"
      ),
    },
    limits = {
      transfer_limits[1],
      transfer_limits[2],
      { of = "rss", limit = 4, growth_over = "download" },
    },
  },
}

dofile "tests/bench/twin.lua"(rows, {
  start = simulated.start, stop = simulated.stop, run = run, playbook = playbook, most = most,
  read_all = simulated.read_all, work = work, port = sim_port, ca = simulated.ca, rounds = rounds,
  quick = quick,
})

dofile "tests/bench/observed.lua"(rows, {
  run = run, playbook = playbook, most = most, read_all = simulated.read_all, f5lua = f5lua,
  work = work, port = port, near_port = os.getenv "F5LUA_BENCH_NEAR_PORT", rounds = rounds,
  quick = quick,
})

dofile "tests/bench/queued.lua"(rows, {
  playbook = playbook, most = most, faster = faster, read_all = simulated.read_all, f5lua = f5lua,
  start = simulated.start, stop = simulated.stop, work = work, port = fleet_port,
  sim_port = sim_port, object = object, quick = quick,
})

local columns <const> = { "f5lua", "floor", "curl", "node", "requests" }
local order <const> =
  { "f5lua", "floor", "digested", "digest", "portable", "static", "curl", "node", "requests" }
-- A floor in place of the usual one, or a program in place of f5lua, is named in the first column.
local instead_of_floor <const> = {
  digest = ", SHA-256 taken by both (downloads forced to the disk by both)",
  static = ", static floor",
}
local is_f5lua <const> = { f5lua = "", digested = "", portable = ", portable program" }
local UNITS <const> = {
  rss = { "%.1f MB", "%g MB" },
  seconds = { "%.2f s", "%g s" },
  rate = { "%.0f a second", "%.0f a second" },
  over = { "%+.1f MB", "%g MB" },
  kb = { "%.1f KB an object", "%g KB" },
  instructions = { "%.0f instructions", "%.0f" },
}

local function median(values)
  table.sort(values)
  local half = #values // 2
  return #values % 2 == 1 and values[half + 1] or (values[half] + values[half + 1]) / 2
end

local function medians(samples)
  local result = {}
  for of in pairs(samples[1]) do
    local values = {}
    for i, sample in ipairs(samples) do values[i] = sample[of] end
    result[of] = median(values)
  end
  return result
end

-- Every round runs each program once, so that what disturbs the machine disturbs all; ratios are
-- within a round.
local function run_row(row)
  if row.measure then
    local why
    row.samples, why = row.measure()
    if not row.samples then
      print(("skipped %s: %s"):format(row.name, why))
      return
    end
    row.medians = {}
    for name, list in pairs(row.samples) do row.medians[name] = medians(list) end
    return
  end
  if row.file then
    assert(os.execute(("head -c %d /dev/zero >%s/%d.bin"):format(row.file << 20, work, row.file)))
  end
  local prefix = row.server == slow_base and ("env F5_SERVER_PORT=%s "):format(fleet_port) or ""
  local samples = {}
  local function sample(name)
    samples[name] = samples[name] or {}
    os.remove(work .. "/down.bin") -- replacing a large file takes time of its own
    -- env would be measured, too, were it not replaced by what it starts
    table.insert(samples[name], run((is_f5lua[name] and prefix or "") .. row.programs[name]))
  end
  for _ = 1, row.warm or 1 do
    run(prefix .. row.programs.f5lua)
    if row.programs.floor then run(row.programs.floor) end
  end
  for _ = 1, row.rounds or rounds do
    for _, name in ipairs(order) do
      if row.programs[name] then sample(name) end
    end
  end
  row.samples, row.medians = samples, {}
  for name, list in pairs(samples) do row.medians[name] = medians(list) end
end

local function ratio(row, limit)
  local ratios = {}
  for i, mine in ipairs(row.samples[limit.program or "f5lua"]) do
    local other = row.samples[limit.against][i][limit.of]
    ratios[i] = limit.at_least and other / mine[limit.of] or mine[limit.of] / other
  end
  return median(ratios)
end

local function shown(of, value)
  if not value then return "" end
  if UNITS[of] then return UNITS[of][1]:format(value) end
  return value < 1 and ("%.1f ms"):format(value * 1000) or ("%.2f s"):format(value)
end

local by_name = {}

-- One line of the table for a limit.
local function judge(row, limit)
  local of, program = limit.of, limit.program or "f5lua"
  local mine, special = row.medians[program], instead_of_floor[limit.against]
  local cells = {
    row.work .. (limit.program and is_f5lua[limit.program] or "") .. (special or ""),
    of,
    shown(of, mine[of]),
  }
  for i = 2, #columns do
    local peer = row.medians[columns[i] == "floor" and special and limit.against or columns[i]]
    cells[#cells + 1] = shown(of, peer and peer[of])
  end
  local value, text, target
  if limit.against then
    if not row.samples[limit.against] then return nil end
    value = ratio(row, limit)
    text = limit.at_least and ("%.1f× less than %s"):format(value, limit.against)
      or ("%.2f× %s"):format(value, special and "floor" or limit.against)
    target = ("%s %g×"):format(limit.at_least and "≥" or "≤", limit.limit)
  elseif limit.growth_over then
    local smaller = by_name[limit.growth_over]
    if not (smaller and smaller.medians) then return nil end
    value = mine[of] - smaller.medians.f5lua[of]
    text, target = ("%+.1f MB over 64 MiB"):format(value), ("≤ %g MB"):format(limit.limit)
  else
    value, text = mine[of], shown(of, mine[of])
    target = (limit.at_least and "≥ " or "≤ ") .. UNITS[of][2]:format(limit.limit)
  end
  local met = limit.at_least and value >= limit.limit or not limit.at_least and value <= limit.limit
  cells[#cells + 1] = text
  cells[#cells + 1] = target
  cells[#cells + 1] = met and "met" or "**missed**"
  return cells, met
end

local function line(cells) return "| " .. table.concat(cells, " | ") .. " |" end

local function capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return (text:gsub("%s+$", ""))
end

local function machine()
  return ("%s, %s cores, %s GB, Linux %s; %s; %s; %s; %s"):format(
    capture "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1", capture "nproc",
    capture "awk '/MemTotal/{printf \"%.0f\", $2/1048576}' /proc/meminfo", capture "uname -r",
    capture "curl --version | head -1 | cut -d' ' -f4-5",
    capture(
      '/usr/bin/python3 -c \'import sys, requests; print("Python", sys.version.split()[0], '
        .. '"requests", requests.__version__)\''
    )
      .. (node and ", Node " .. capture "node --version" or ""),
    capture(f5lua .. " --version"),
    os.date "!%Y-%m-%d"
  )
end

local function write_document(table_lines)
  local path = "docs/performance.md"
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  local begins, ends = "<!-- figures: written by scripts/bench -->\n", "<!-- end of figures -->"
  local from = assert(select(2, text:find(begins, 1, true)), "no place for the figures in " .. path)
  local to = assert(text:find(ends, from, true))
  file = assert(io.open(path, "w"))
  assert(file:write(text:sub(1, from), "\n", table.concat(table_lines, "\n"), "\n\n", text:sub(to)))
  assert(file:close())
end

-- A paragraph in lines of at most 100 columns.
local function filled(text)
  local all, current = {}, ""
  for word in text:gmatch "%S+" do
    if #current + #word + 1 > 100 then
      all[#all + 1], current = current, word
    else
      current = current == "" and word or current .. " " .. word
    end
  end
  all[#all + 1] = current
  return table.concat(all, "\n")
end

local chosen = {}
for _, name in ipairs(wanted) do
  chosen[name] = true
end
local head = {
  "work", "of", "f5lua", "floor", "curl", "Node", "requests", "ratio or figure", "target",
  "verdict",
}
local lines = {
  filled(
    machine()
      .. ". Medians of " .. rounds
      .. " rounds or more; 3 with 2,000 devices, simulated fleets and 1 GiB, 1 of `each`, "
      .. "instructions and killed workers, 5 of the other rows about queues."
  ),
  "",
  line(head),
  "|" .. ("---|"):rep(#head),
}
for _, text in ipairs(lines) do
  print(text)
end
local missed = 0
for _, row in ipairs(rows) do
  by_name[row.name] = row
  if #wanted == 0 or chosen[row.name] then
    run_row(row)
    for _, limit in ipairs(row.medians and row.limits or {}) do
      local cells, met = judge(row, limit)
      if cells then
        lines[#lines + 1] = line(cells)
        print(lines[#lines])
        if not met then missed = missed + 1 end
      end
    end
  end
end
if not quick and #wanted == 0 then write_document(lines) end
print(missed == 0 and "all targets met" or missed .. " targets missed")
