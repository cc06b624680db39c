-- Long requests let others in between: they are answered meanwhile, see no half of a change, and
-- nothing of what they change is lost.
local f5 = require "f5"
local sim = require "f5.sim"

-- A request is made larger until others get so many answers while it runs.
local ANSWERS <const> = 5
local FIRST <const>, MOST <const> = 1500, 12000
local ROOT <const> = "/mgmt/tm/"
local FILE <const> = "/var/config/rest/downloads/big.scf"

local function address(i) return ("10.%d.%d.%d"):format(i // 65536, i // 256 % 256, i % 256) end

-- A configuration text with so many pools, each with a virtual server.
local function scf(first, last)
  local parts <const> = { "#TMSH-VERSION: 17.1.3\n" }
  for i = first, last do
    parts[#parts + 1] = ([[
ltm pool /Common/p%d {
    members {
        /Common/%s:80 {
            address %s
        }
    }
}
ltm virtual /Common/v%d {
    destination /Common/192.0.2.1:%d
    ip-protocol tcp
    pool /Common/p%d
}
]]):format(i, address(i), address(i), i, i, i)
  end
  return table.concat(parts)
end

describe("simulated device: turns", function()
  local device, bip, other

  local function start()
    device = sim.start {}
    local options <const> = device:options "admin"
    options.auth = "basic"
    bip, other = f5.connect(options), f5.connect(options)
    other.sys.ntp:load()
  end

  local function stop()
    bip:close()
    other:close()
    device:stop()
  end

  before_each(start)
  after_each(stop)

  local function send(session, method, path, body)
    return session:request(method, ROOT .. path, body and { body = body } or {})
  end

  local function count(session, kind)
    return #send(session, "GET", "ltm/" .. kind .. "?$select=name").items
  end

  local function upload(text)
    local name <const> = os.tmpname()
    local file <close> = assert(io.open(name, "w"))
    assert(file:write(text))
    file:flush()
    bip:upload(name, { name = "big.scf" })
    os.remove(name)
  end

  local function load_file()
    send(bip, "POST", "sys/config", {
      command = "load", options = { { merge = true }, { file = FILE } },
    })
  end

  -- Calls ask() again and again while run() runs. Returns how often ask() returned meanwhile, and
  -- whether run() raised no error, and its error.
  local function meanwhile(run, ask)
    local ok, problem
    local fiber <const> = f5.spawn(function() ok, problem = pcall(run) end)
    local answers = 0
    while ok == nil do
      ask()
      if ok == nil then answers = answers + 1 end
      f5.sleep(0.001)
    end
    fiber:join()
    return answers, ok, problem
  end

  -- Calls try(n) -> answers, with a new device each time, until there were enough answers.
  local function until_answered(try)
    local n = FIRST
    local answers = try(n)
    while answers < ANSWERS and n < MOST do
      n = n * 2
      stop()
      start()
      answers = try(n)
    end
    assert.is_true(answers >= ANSWERS, ("%d answers while %d objects"):format(answers, n))
  end

  it("load a configuration while others read what was before", function()
    until_answered(function(n)
      upload(scf(1, n))
      local before <const> = {}
      local answers <const>, ok <const>, problem <const> = meanwhile(load_file, function()
        before[count(other, "virtual") - count(other, "virtual")] = true
        before[count(other, "node")] = true
      end)
      assert.is_true(ok, tostring(problem))
      -- what asks may be answered by the changed device just before the load itself is answered
      before[n] = nil
      before[-n] = nil
      assert.same({ [0] = true }, before)
      assert.equal(n, count(other, "virtual"))
      assert.equal(n, count(other, "node"))
      return answers
    end)
  end)

  it("undo a load that fails", function()
    until_answered(function(n)
      upload(scf(1, n) .. "ltm virtual /Common/bad {\n    pool /Common/none\n}\n")
      local seen <const> = {}
      local answers <const>, ok <const> = meanwhile(load_file, function()
        seen[count(other, "pool")] = true
      end)
      assert.is_false(ok)
      assert.same({ [0] = true }, seen)
      assert.equal(0, count(bip, "virtual"))
      assert.equal(0, count(bip, "node"))
      send(bip, "POST", "ltm/pool", { name = "p1", members = { { name = address(1) .. ":80" } } })
      assert.equal(1, count(bip, "node"))
      return answers
    end)
  end)

  it("keep what others change meanwhile", function()
    until_answered(function(n)
      upload(scf(1, n))
      local changes, made, order <const> = {}, 0, {}
      local answers <const>, ok <const>, problem <const> = meanwhile(function()
        load_file()
        order[#order + 1] = "load"
      end, function()
        count(other, "pool")
        if made == 5 then return end
        made = made + 1
        local i <const> = made
        changes[i] = f5.spawn(function()
          send(bip, "POST", "ltm/pool", { name = "other" .. i })
          send(bip, "PATCH", "ltm/pool/other" .. i, { description = "mine" })
          order[#order + 1] = "change"
        end)
      end)
      for _, fiber in ipairs(changes) do fiber:join() end
      assert.is_true(ok, tostring(problem))
      assert.equal(n + made, count(bip, "pool"))
      for i = 1, made do
        assert.equal("mine", send(bip, "GET", "ltm/pool/other" .. i).description)
      end
      assert.equal(made + 1, #order)
      return answers
    end)
  end)

  it("read one state to the end while others change it", function()
    until_answered(function(n)
      upload(scf(1, n))
      load_file()
      local items, sent
      local answers <const>, ok <const>, problem <const> = meanwhile(function()
        items = send(bip, "GET", "ltm/virtual?expandSubcollections=true").items
      end, function()
        if sent then return send(other, "GET", "sys/ntp") end
        sent = f5.spawn(function() send(other, "DELETE", "ltm/virtual/v1") end)
      end)
      assert.is_true(ok, tostring(problem))
      sent:join()
      assert.is_true(#items == n or #items == n - 1, tostring(#items))
      assert.equal(n - 1, count(bip, "virtual"))
      return answers
    end)
  end)

  it("read statistics, those of each object as by itself", function()
    until_answered(function(n)
      upload(scf(1, n))
      load_file()
      local whole
      local answers <const>, ok <const>, problem <const> = meanwhile(function()
        whole = send(bip, "GET", "ltm/virtual/stats")
      end, function() send(other, "GET", "sys/ntp") end)
      assert.is_true(ok, tostring(problem))
      local found = 0
      for _ in pairs(whole.entries) do found = found + 1 end
      assert.equal(n, found)
      assert.equal("tm:ltm:virtual:virtualcollectionstats", whole.kind)
      local own <const> = send(bip, "GET", "ltm/virtual/~Common~v7/stats").entries
      local link <const>, entry <const> = next(own)
      assert.same(entry.nestedStats.entries, whole.entries[link].nestedStats.entries)
      return answers
    end)
  end)

  it("let users log in and out meanwhile", function()
    until_answered(function(n)
      upload(scf(1, n))
      local options <const> = device:options "admin"
      local answers <const>, ok <const>, problem <const> = meanwhile(load_file, function()
        local one <const> = f5.connect(options)
        one.sys.ntp:load()
        one:close()
      end)
      assert.is_true(ok, tostring(problem))
      return answers
    end)
  end)

  it("end a change before the device is controlled", function()
    upload(scf(1, FIRST))
    local seen <const> = {}
    meanwhile(load_file, function()
      device:advance(1)
      seen[count(other, "virtual")] = true
    end)
    seen[0], seen[FIRST] = nil, nil
    assert.same({}, seen)
    assert.equal(FIRST, count(bip, "virtual"))
    assert.equal(0, device:problems())
  end)
end)
