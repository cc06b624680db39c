-- The HTML page of a report: what is in the file, and how it behaves in a real Chromium, which
-- tests/browser/report.mjs drives.
local Report = require "f5.fleet.report"
local browser = require "observed.browser"
local json = require "f5.json"
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"
local sim = require "f5.sim"

local device, directory, environment

local function run(words)
  return program.run(words, { env = environment, directory = directory.path })
end

local function browse(file) return browser.run("report.mjs", file) end

local function in_browser(name, fn)
  it(name, browser.test(function(why) return pending(why) end, fn))
end

-- The data in a page.
local function data_of(text)
  return json.decode(text:match '<script type="application/json" id="data">(.-)</script>')
end

local HOSTILE <const> = "</script><b>x</b><img src=x onerror=alert(1)>\u{2028}%s"

local function inventory(names) lab.inventory(directory, device, names) end

local PLAYBOOK <const> = [[
return function(bip, device)
  local n = device.vars.n
  bip.ltm.node["/Common/r" .. n]:ensure { address = "10.0.1." .. n, description = "<u>" .. n }
  if n == 2 then
    bip.ltm.node["/Common/r2"]:modify { description = "two" }
    bip.auth.user.ann:ensure { password = "Sesame-9-open", description = "ann" }
  end
  if n == 3 then bip.ltm.virtual["/Common/missing"]:load() end
  if n == 4 then error("<script>alert(1)</script>") end
  require("f5").sleep(n / 50)
  return "n is " .. n
end
]]

local function write_page(name)
  inventory { "d1", "d2", "d3", HOSTILE, "d10" }
  directory:file("p.lua", PLAYBOOK)
  local done = run { "run", "--undoable", "--inventory", "sites.lua", "--report", name, "p.lua" }
  assert.equal(1, done.status)
  return directory:read(name)
end

describe("E5 reports as HTML", function()
  before_each(function()
    device = sim.start()
    directory = program.directory()
    environment = lab.environment(device, { XDG_STATE_HOME = directory.path .. "/state" })
  end)
  after_each(function() lab.stop(directory, device) end)

  it("are one file that needs no other, in which no text is markup", function()
    local text <const> = write_page "run.html"
    local page <const> = text:gsub('(id="data">).-(</script>)', "%1%2")
    assert.is_nil(page:find '<a [^>]*href="[^#]')
    assert.is_nil(page:find "%ssrc=")
    assert.is_nil(page:find("url(", 1, true))
    assert.is_nil(page:find("@import", 1, true))
    assert.is_nil((page:gsub("http://www.w3.org/2000/svg", ""):find "https?://"))
    assert.is_nil(text:find("<img", 1, true))
    assert.is_nil(text:find("<b>x", 1, true))
    assert.is_nil(text:find("\u{2028}", 1, true))
    local _, scripts = text:gsub("</script>", "")
    assert.equal(2, scripts)
    assert.matches("default%-src 'none'", text)
    assert.equal("rw-------", lfs.attributes(directory.path .. "/run.html", "permissions"))
  end)

  it("have the calls, changes and errors of each device, and no secrets", function()
    local text <const> = write_page "run.html"
    assert.is_nil(text:find("Sesame", 1, true))
    local data <const> = data_of(text)
    assert.same({ 5, 3, 2 }, { data.counts.total, data.counts.done, data.counts.failed })
    local second, third, fourth = table.unpack(data.devices, 2, 4)
    -- login, read, create, modify, … and the token: each exchange is there once
    assert.is_true(#second.x % data.stride == 0 and #second.x // data.stride > second.k)
    assert.equal("changed", second.w[2].v)
    assert.same({ { "description", "<u>2", "two" } }, second.w[2].p)
    assert.equal("p.lua:5", second.w[2].l)
    assert.equal("created", second.w[3].v)
    assert.equal("********", second.w[3].p[2][3])
    assert.equal("not_found", third.e.kind)
    assert.equal("p.lua:8", third.e.line)
    assert.equal("p.lua:9", fourth.e.line)
    for at = 1, #second.x, data.stride do
      assert.is_true(second.x[at] >= 0 and second.x[at + 1] > 0)
      assert.matches("^%u+ /mgmt/", data.texts[second.x[at + 3] + 1])
    end
  end)

  it("show the attempts of a call, and only what was sent without a change record", function()
    inventory { "d1" }
    device:fault { match = { path = "/ltm/pool" }, times = 2, kind = "restarting" }
    directory:file("p.lua", [[bip.ltm.pool:list()
      bip.ltm.node["/Common/n"]:create { address = "10.0.0.9" }
      bip.ltm.node["/Common/n"]:modify { description = "new" }]])
    local done <const> = run { "run", "--inventory", "sites.lua", "--report", "r.html", "p.lua" }
    assert.equal(0, done.status)
    local data <const> = data_of(directory:read "r.html")
    local attempts, one = {}, data.devices[1]
    for at = 1, #one.x, data.stride do
      if data.texts[one.x[at + 3] + 1]:find "ltm/pool" then
        attempts[#attempts + 1] = { one.x[at + 4], one.x[at + 5], one.x[at + 9] > 0 }
      end
    end
    assert.same({ { 503, 1, true }, { 503, 2, true }, { 200, 3, false } }, attempts)
    assert.same({ { "description", false, "new" } }, one.w[2].p)
  end)

  it("are written for one device, and replace only reports", function()
    directory:file("p.lua", [[local bip <close> = require("f5").connect { label = "edge" }
      bip.sys.version:load()]])
    for _ = 1, 2 do assert.equal(0, run({ "run", "--report", "r.html", "p.lua" }).status) end
    local data <const> = data_of(directory:read "r.html")
    assert.same({ "edge", "done", 1 }, { data.devices[1].n, data.devices[1].s, #data.devices })
    assert.equal(3, #data.devices[1].x // data.stride)
    directory:file("mine.html", "<!DOCTYPE html>\n<p>mine")
    local done <const> = run { "run", "--report", "mine.html", "p.lua" }
    assert.equal(2, done.status)
    assert.matches("mine.html exists and is no report", done.err)
  end)

  -- A watch as of a run on many devices, with so many calls each.
  local function large(count, calls)
    local devices, watch = {}, { calls = {}, labels = {}, changes = {}, texts = {} }
    function watch.take() end
    for i = 1, count do devices[i] = { name = "bigip" .. i } end
    local report = Report.new(devices)
    for i, entry in ipairs(report.devices) do
      local failed = i % 50 == 0
      entry.state, entry.calls, entry.duration = failed and "failed" or "done", calls, i / 1000
      entry.error = failed and "<&> error of " .. entry.name .. (" word"):rep(800) or nil
      local list = {}
      for n = 0, calls - 1 do
        watch.texts[#watch.texts + 1] = ("GET /mgmt/tm/ltm/pool/~Common~%s"):format(("<p>"):rep(40))
          .. #watch.texts
        for j, value in ipairs { 1e15 + i * 1e5 + n * 1e6, 1e5 + n, 0, #watch.texts, 200, 1, 0, 0,
          0, 0, 200, 3000 } do
          list[n * 12 + j] = math.tointeger(value)
        end
      end
      watch.calls[entry.name], watch.labels[i] = list, entry.name
      watch.changes[entry.name] = { {
        verb = "changed", name = "ltm/pool /Common/p" .. i, properties = {
          { "description", ("old "):rep(100), ("<new> "):rep(100) },
        }, state = "done", known = true,
      } }
    end
    report.watch, report.duration, report.playbook, report.ok = watch, 30, "p.lua", false
    return report
  end

  it("have at most 5 MB, whatever a run did, and say what is left out", function()
    local report <const> = large(2000, 60)
    local name <const> = directory.path .. "/big.html"
    report:write(name)
    local text <const> = directory:read "big.html"
    assert.is_true(#text < 5 * 1024 * 1024)
    local data, left_out = data_of(text), 0
    for _, one in ipairs(data.devices) do
      assert.equal(60, #one.x // data.stride + one.o)
      left_out = left_out + (one.z or 0)
    end
    assert.is_true(left_out > 0)
  end)

  local function on_phone(seen)
    assert.equal(0, seen.overflow)
    assert.equal(0, seen.phone_table) -- it has the whole width
    assert.is_true(seen.phone_name > 80) -- also while a row is expanded
    assert.same({ seen.phone_link[1], seen.phone_link[1], true }, seen.phone_link)
  end

  in_browser("can be sorted, filtered, expanded, printed, and used with the keyboard", function()
    write_page "run.html"
    local seen <const> = browse(directory.path .. "/run.html")
    assert.same({}, seen.problems)
    for _, scheme in ipairs(seen.requests) do assert.equal("file", scheme) end
    local hostile <const> = "</script><b>x</b><img src=x onerror=alert(1)>\\u{2028}%s"
    assert.equal("failed: p.lua", seen.title)
    assert.matches("5 devices: 3 done %(3 changed%), 2 failed", seen.verdict)
    assert.same({ "d1", "d2", "d3", hostile, "d10" }, seen.first)
    assert.same({ "5 devices", "6" }, { seen.status, seen.total })
    assert.same({ 0, 0 }, { seen.unnamed, seen.injected })
    assert.same({}, seen.landmarks)
    assert.matches("<script>alert", seen.errors)
    assert.matches("p.lua:8", seen.errors)
    assert.matches("<u>2", seen.changes)
    assert.is_true(seen.slow > 5)
    assert.equal("descending", seen.sorted[1])
    assert.equal("ascending", seen.sorted_again[1])
    -- by name as people count
    assert.same({ hostile, "d1", "d2", "d3", "d10" }, seen.up)
    assert.same({ "d10", "d3", "d2", "d1", hostile }, seen.down)
    assert.same({ "2 of 5 devices", "failed 2" }, { seen.failed[1], seen.pressed })
    assert.same({ "1 of 5 devices", { "d3" } }, seen.filtered)
    assert.equal("5 devices", seen.unfiltered)
    assert.equal("d1", seen.focused)
    assert.equal("solid", seen.outline)
    assert.equal("true", seen.expanded)
    assert.matches("/mgmt/shared/authn/login", seen.details)
    assert.is_true(seen.bars >= 4)
    assert.same({ "false", 0 }, seen.collapsed)
    assert.same({ seen.link[1], seen.link[1], true }, seen.link)
    assert.not_equal(seen.light, seen.dark)
    assert.same({ seen.light, seen.dark }, { seen.auto, seen.system })
    assert.same({ 5, false, "rgb(255, 255, 255)" }, { seen.printed, seen.print_tools, seen.print })
    assert.is_true(seen.pdf > 10000)
    on_phone(seen)
  end)

  in_browser("show 2,000 devices, of which only some rows are in the page", function()
    local report <const> = large(2000, 5)
    report:write(directory.path .. "/big.html")
    local seen <const> = browse(directory.path .. "/big.html")
    assert.same({}, seen.problems)
    assert.same({ "2,000 devices", "2001" }, { seen.status, seen.total })
    assert.is_true(#seen.first < 120 and seen.rows < 120)
    assert.equal("bigip2000", seen.last)
    assert.equal("40 of 2,000 devices", seen.failed[1])
    assert.equal("bigip2000", seen.sorted[2][1])
    assert.equal("bigip1", seen.sorted_again[2][1])
    assert.equal(2000, seen.printed)
    assert.same({ seen.link[1], seen.link[1], true }, seen.link)
    on_phone(seen)
    assert.is_true(seen.phone_rows < 120)
    assert.equal("bigip2000", seen.phone_last)
  end)
end)
