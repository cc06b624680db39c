-- Rows of the bench with `f5lua sim`: dofile of this file gives a function. It takes f5lua, work
-- (a directory), port, rounds, quick, run (measures a command) and least (the command of the
-- floor), and returns the measuring functions of the rows.

local function read_line(path)
  local file <close> = assert(io.open(path))
  return file:read "l"
end

local function read_all(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

return function(given)
  local f5lua <const>, work <const>, sim_port <const> = given.f5lua, given.work, given.port
  local rounds <const>, quick <const> = given.rounds, given.quick
  local run <const>, least <const> = given.run, given.least
  local M = {}

  -- Starts `f5lua sim` and waits until it listens. Its certificates are trusted with `sim_ca`.
  local pid_file <const>, sim_ca <const> = work .. "/sim.pid", work .. "/sim.pem"
  local function start_simulator(...)
    os.remove(work .. "/sim.log")
    local command = table.concat(
      { f5lua, "sim --port", sim_port, "--user operator:secret:operator --ca-file", sim_ca, ... },
      " "
    )
    assert(os.execute(("%s >%s/sim.log 2>&1 & echo $! >%s"):format(command, work, pid_file)))
    assert(
      os.execute(
        ("for i in $(seq 200); do [ ! -s %s/sim.log ] || exit 0; sleep 0.1; done; exit 1"):format(
          work
        )
      ),
      "no simulated device"
    )
  end

  -- Returns the peak of its memory in MB.
  local function stop_simulator()
    local pid <const> = read_line(pid_file)
    local peak <const> = tonumber(read_all("/proc/" .. pid .. "/status"):match "VmHWM:%s*(%d+)")
    os.execute("kill " .. pid)
    os.remove(pid_file)
    return peak / 1024
  end

  -- A thousand simulated devices, asked by as many connections at once: requests a second, with all
  -- handshakes, and memory.
  function M.simulate_fleet()
    local devices <const>, each <const> = 1000, 20
    start_simulator("--fleet", devices)
    local client <const> = least(
      "fleet", "'https://127.0.%d.%d:" .. sim_port .. "'", sim_ca,
      "/mgmt/tm/ltm/monitor/http/~Common~http", devices, each
    )
    local samples = {}
    for _ = 1, quick and 2 or 4 do
      local took = run(client).wall
      samples[#samples + 1] = { rate = devices * (each + 2) / took }
    end
    table.remove(samples, 1) -- it made the devices and their certificates
    local peak <const> = stop_simulator()
    for _, sample in ipairs(samples) do sample.rss = peak end
    return { f5lua = samples }
  end

  -- A snapshot of a simulated device. The floor makes the same requests, 4 at a time, too.
  function M.take_snapshot()
    local log <const>, paths <const> = work .. "/calls.log", work .. "/paths"
    os.remove(log)
    start_simulator("--latency 20 --seed", work .. "/www/seed.json", "--log", log)
    local mine <const> = ("env F5_SERVER_PORT=%s %s snapshot --ca %s -o %s/device.json"):format(
      sim_port, f5lua, sim_ca, work
    )
    run(mine)
    local list <close> = assert(io.open(paths, "w"))
    for uri in read_all(log):gmatch '"method":"GET","uri":"http://localhost:8100([^"]+)"' do
      list:write(uri, "\n")
    end
    list:close()
    local others <const> = least("pages", "https://127.0.0.1:" .. sim_port, sim_ca, paths, 4)
    local samples = { f5lua = {}, floor = {} }
    for i = 1, rounds do
      samples.f5lua[i], samples.floor[i] = run(mine), run(others)
    end
    stop_simulator()
    return samples
  end

  -- The snapshot of the row before, and one in which every tenth pool differs.
  function M.compare_snapshots()
    local before <const>, after <const> = work .. "/device.json", work .. "/changed.json"
    local file <close> = io.open(before) or (M.take_snapshot() and assert(io.open(before)))
    local changed <close> = assert(io.open(after, "w"))
    for text in file:lines() do
      changed:write(text:find '^{"name":"pool_%d*0"' and text:gsub("/http", "/https") or text, "\n")
    end
    changed:close()
    local samples = {}
    for i = 1, rounds do samples[i] = run(("%s diff %s %s"):format(f5lua, before, after), "1") end
    return { f5lua = samples }
  end

  -- A playbook with an option, and as it runs without.
  local function compare(option, word)
    start_simulator "--latency 20 --user boss:secret:admin"
    local env <const> = (
      "env F5_SERVER_PORT=%s SSL_CERT_FILE=%s F5_USER=boss F5_PASSWORD=secret XDG_STATE_HOME=%s %s"
    ):format(sim_port, sim_ca, work, f5lua)
    local file <const> = "tests/bench/playbooks/changes.lua"
    local samples = { f5lua = {}, run = {} }
    run(("%s run %s"):format(env, file))
    for i = 1, rounds do
      samples.f5lua[i] = run(("%s run %s %s"):format(env, option, file))
      samples.run[i] = run(("%s run %s %s"):format(env, file, word))
    end
    stop_simulator()
    return samples
  end

  function M.check_changes() return compare("--check", "") end

  -- The run reads what the change record needs, so the difference is the record itself.
  function M.record_changes() return compare("--undoable", "read") end

  M.start, M.stop, M.ca, M.read_all = start_simulator, stop_simulator, sim_ca, read_all
  return M
end
