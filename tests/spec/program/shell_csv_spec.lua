-- CSV of the one-line subcommands: no value is lost.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local device, environment

local function run(...)
  local result = program.run({ ... }, { env = environment })
  assert.same({ 0, "" }, { result.status, result.err })
  return result.out
end

-- Reads CSV as RFC 4180 defines it: the rows as tables, and the names of the columns.
local function parse(text)
  local rows, row, at = {}, {}, 1
  while at <= #text do
    local cell
    if text:sub(at, at) == '"' then
      local from, last = at + 1, at
      repeat
        last = assert(text:find('"', last + 1, true), "a quote has no end")
        local doubled = text:sub(last + 1, last + 1) == '"'
        if doubled then last = last + 1 end
      until not doubled
      cell, at = text:sub(from, last - 1):gsub('""', '"'), last + 1
    else
      local stop = text:find("[,\n]", at)
      cell, at = text:sub(at, stop - 1), stop
    end
    row[#row + 1] = cell
    local ending = text:sub(at, at)
    assert(ending == "," or ending == "\n", "a cell ends with a comma or a line break")
    if ending == "\n" then
      rows[#rows + 1], row = row, {}
    end
    at = at + 1
  end
  local head, objects = table.remove(rows, 1), {}
  for r, cells in ipairs(rows) do
    assert.equal(#head, #cells)
    objects[r] = {}
    for i, name in ipairs(head) do objects[r][name] = cells[i] end
  end
  return objects, head
end

describe("CSV", function()
  before_each(function()
    device = sim.start()
    environment = lab.environment(device)
    run("create", "ltm/pool", "web", "description=a \"b\", c\n d", 'members:=["10.0.0.1:80"]')
    run("create", "ltm/pool", "api", "minActiveMembers:=2")
  end)
  after_each(function() device:stop() end)

  it("has every property of every row, with line breaks and quotes", function()
    local out <const> = run("list", "ltm/pool", "-o", "csv")
    local rows, head = parse(out)
    assert.equal("name", head[1])
    local by_name = { [rows[1].name] = rows[1], [rows[2].name] = rows[2] }
    assert.equal('a "b", c\n d', by_name.web.description)
    assert.equal("", by_name.api.description)
    assert.equal("2", by_name.api.minActiveMembers)
    local object <const> = json.decode(run("get", "ltm/pool", "/Common/web"))
    for name, item in pairs(object) do
      if type(item) == "string" and not (name == "kind" or name == "selfLink") then
        assert.equal(item, by_name.web[name], name)
      end
    end
    assert.equal(out, run("get", "ltm/pool", "-o", "csv"))
  end)

  it("writes nested values as JSON", function()
    run("create", "ltm/node", "n", "fqdn.name=example.net", "fqdn.interval=60")
    local node <const> = parse(run("get", "ltm/node", "n", "-o", "csv"))[1]
    assert.equal("60", json.decode(node.fqdn).interval)
    run("modify", "sys/ntp", 'servers:=["10.0.0.1","10.0.0.2"]')
    assert.same(
      { "10.0.0.1", "10.0.0.2" }, json.decode(parse(run("get", "sys/ntp", "-o", "csv"))[1].servers)
    )
    local pools <const> = parse(run("list", "ltm/pool", "--expand", "-o", "csv"))
    local members = {}
    for _, pool in ipairs(pools) do
      for _, member in ipairs(json.decode(pool.membersReference).items or {}) do
        members[#members + 1] = member.name
      end
    end
    assert.same({ "10.0.0.1:80" }, members)
  end)

  it("has the columns that are selected, in this order", function()
    local out <const> = run("list", "ltm/pool", "--select", "minActiveMembers,name", "-o", "csv")
    assert.equal("minActiveMembers,name\n", out:match "^[^\n]*\n")
    assert.equal(
      "name,minActiveMembers\napi,2\n",
      run("get", "ltm/pool", "api", "--select", "name,minActiveMembers", "-o", "csv")
    )
    assert.equal(
      "selfLink\n", run("get", "ltm/pool", "api", "--select", "selfLink", "-o", "csv"):sub(1, 9)
    )
    -- an empty line would be no row for many programs
    local rows <const> = parse(run("list", "ltm/pool", "--select", "description", "-o", "csv"))
    assert.equal(2, #rows)
    local sheet <const> = require "f5.table.show".csv(
      { { name = "n", fqdn = { interval = "60" }, list = {} } }, { "name", "fqdn.interval", "none" }
    )
    assert.equal("name,fqdn.interval,none\nn,60,", sheet)
  end)

  it("flattens entries, and names the rows of statistics", function()
    local version <const> = parse(run("get", "sys/version", "-o", "csv"))
    assert.same({ 2, "BIG-IP" }, { #version, version[1].Product })
    assert.is_nil(version[1].name)
    local names = {}
    for _, row in ipairs(parse(run("stats", "ltm/pool", "-o", "csv"))) do
      assert.equal("0", row["serverside.curConns"])
      names[#names + 1] = row.name
    end
    table.sort(names)
    assert.same({ "/Common/api", "/Common/web" }, names)
    local members <const> = parse(run("stats", "ltm/pool", "web", "members", "-o", "csv"))
    assert.same({ 1, "/Common/10.0.0.1:80" }, { #members, members[1].name })
  end)

  it("is empty where there is nothing, and masks secrets inside of JSON", function()
    assert.equal("", run("list", "ltm/rule", "--filter", "partition eq Nowhere", "-o", "csv"))
    assert.equal("name\n", run("list", "net/trunk", "--select", "name", "-o", "csv"))
    local sheet <const> = require "f5.table.show".csv {
      { name = "a", login = { password = "s3cret" }, list = { { passphrase = "s3cret" } } },
    }
    assert.not_matches("s3cret", sheet)
    local row <const> = parse(sheet .. "\n")[1]
    assert.equal("********", json.decode(row.login).password)
  end)
end)
