-- What a device answers for the paths that it lists, and for those that it does not have.
local curl <const> = require "curl"
local f5 <const> = require "f5"
local json <const> = require "f5.json"
local lab <const> = require "lab"
local sim <const> = require "f5.sim"

-- The paths that one 15.1 lists; not part of the project.
local LIST <const> = "../shared/data/endpoints-15.1.0.txt"

-- Why the device does not have a path of the list.
local ABSENT <const> = {
  ["^/mgmt/tm/wam"] = "am is not provisioned",
  ["^/mgmt/shared/authn/providers/remote/"] = "a provider of one site",
  ["^/mgmt/shared/authz/users/bigrest$"] = "a user of one site",
  ["^/mgmt/shared/authz/users/f5hubblelcdadmin$"] = "the user of a display, not simulated",
}

local PROVISION <const> = {
  "ltm", "gtm", "asm", "apm", "afm", "avr", "pem", "fps", "ilx", "vcmp", "dos",
}

local function reason(path)
  for pattern, text in pairs(ABSENT) do
    if path:find(pattern) then return text end
  end
  return nil
end

describe("The paths of a simulated device", function()
  local device, bip
  setup(function()
    device = sim.start { provision = PROVISION }
    bip = f5.connect(device:options("admin", { auth = "basic", retries = 0 }))
  end)
  teardown(function() lab.stop(bip, device) end)

  local function get(path)
    return curl(device, "GET", path)
  end

  it("are those that a 15.1 lists", function()
    local file <const> = io.open(LIST)
    if not file then
      pending(LIST .. " is not here")
      return
    end
    local failed <const>, used <const> = {}, {}
    for path in file:lines() do
      local answer <const> = bip:request("GET", path .. "?$top=1", { raw = true, quiet = true })
      local why <const> = reason(path)
      if why then
        used[why] = true
        if answer.status ~= 404 then failed[#failed + 1] = path .. " is there: " .. why end
      elseif answer.status == 404 then
        failed[#failed + 1] = path .. " is missing"
      elseif answer.status == 200 and not path:find "/file%-transfer/" then
        local first <const> = path:match "^/mgmt/tm/([^/]+)"
        if first and not answer.body:find(('"kind":"tm:%s'):format(first), 1, true) then
          failed[#failed + 1] = path .. " is of another kind"
        end
      end
    end
    file:close()
    assert.same({}, failed)
    for _, why in pairs(ABSENT) do assert.is_true(used[why], why) end
  end)

  it("lists what leads further down before what has objects, and no statistics", function()
    local names <const> = {}
    for _, item in ipairs(get("/mgmt/tm/sys").json.items) do
      names[#names + 1] = item.reference.link:match "/sys/([^?]+)"
    end
    local text <const> = " " .. table.concat(names, " ") .. " "
    assert.equal("application", names[1])
    assert.truthy(text:find(" application crypto daemon%-log%-settings diags disk dynad ecm "))
    assert.truthy(text:find " url%-db .*aom .* ucs ")
    assert.truthy(text:find(" config core ", 1, true))
    for _, name in ipairs { "clock", "cpu", "performance", "raid" } do
      assert.falsy(text:find(" " .. name .. " ", 1, true), name)
      assert.not_equal(404, get("/mgmt/tm/sys/" .. name).status)
    end
  end)

  it("are listed below their modules as they were recorded", function()
    local pipe <const> = assert(io.popen(
      "grep -l '\"reference\"' ../shared/data/recorded/*collectionstate--v1[4-7]*.json 2>/dev/null"
    ))
    local function names_of(body)
      local list <const> = {}
      for i, item in ipairs(body.items or {}) do
        list[i] = item.reference and item.reference.link:match "([^/]+)%?" or "?"
      end
      return list
    end
    local compared, failed = 0, {}
    for file in pipe:lines() do
      local handle <close> = assert(io.open(file, "rb"))
      local recorded <const> = json.decode(handle:read "a")
      local path <const> = tostring(recorded.selfLink):match "(/mgmt/[^?]+)"
      local wanted <const> = names_of(recorded)
      if path and wanted[1] and wanted[1] ~= "?" then
        local there, order <const> = {}, {}
        for _, name in ipairs(wanted) do there[name] = true end
        for _, name in ipairs(names_of(bip:at(path):load())) do
          if there[name] then order[#order + 1] = name end
        end
        compared = compared + 1
        local given <const>, is <const> = table.concat(wanted, " "), table.concat(order, " ")
        if given ~= is then failed[#failed + 1] = path .. ": " .. given .. " / " .. is end
      end
    end
    pipe:close()
    if compared == 0 then return pending "the recordings are not here" end
    assert.equal("", table.concat(failed, "\n"))
  end)

  it("has workers of restjavad", function()
    local links <const> = get("/mgmt/shared").body
    assert.truthy(links:find '"https://localhost/mgmt/shared/iapp"')
    assert.equal(200, get("/mgmt/shared/echo-query").status)
    local results <const> = get("/mgmt/tm/analytics/cpu/report-results").json
    assert.equal("tm:analytics:cpu:report-results:avrreportresultcollectionstate", results.kind)
    assert.same({}, results.items)
    assert.equal(404, get("/mgmt/tm/analytics/cpu/report-results/1").status)
    assert.equal(404, get("/mgmt/shared/no-such-worker").status)
    assert.equal(501, curl(device, "POST", "/mgmt/shared/gossip", {}).status)
  end)

  it("shows files as file objects of tm/adc", function()
    local found <const> = {}
    for _, item in ipairs(get("/mgmt/tm/adc/fileobject/ssl-cert").json.items) do
      found[item.fullPath] = item
    end
    local cert <const> = found["/Common/default.crt"]
    assert.equal("tm:adc:fileobject:ssl-cert:fileobjectitemstate", cert.kind)
    assert.truthy(cert.cachePath:find("/certificate_d/:Common:default.crt_", 1, true))
    assert.equal(cert.objectId, get(cert.selfLink:match "localhost(.*)").json.objectId)
    assert.equal(404, get("/mgmt/tm/adc/fileobject/ssl-cert/~Common~no.crt").status)
  end)

  it("saves the configuration with shared/save-config", function()
    local pools <const> = bip.ltm.pool
    pools:create { name = "kept" }
    assert.equal(200, curl(device, "POST", "/mgmt/shared/save-config", {}).status)
    pools:create { name = "lost" }
    bip.auth.user:create {
      name = "reader", password = "reader-Pass-1",
      ["partition-access"] = { { name = "all-partitions", role = "guest" } },
    }
    local login <const> = curl {
      device, "POST", "/mgmt/shared/authn/login", anonymous = true,
      body = { username = "reader", password = "reader-Pass-1", loginProviderName = "tmos" },
    }
    local refused <const> = curl {
      device, "POST", "/mgmt/shared/save-config", token = login.json.token.token, body = {},
    }
    assert.equal(403, refused.status)
    bip.sys.config:run("load")
    assert.truthy(pools["/Common/kept"]:load())
    assert.equal(404, get("/mgmt/tm/ltm/pool/lost").status)
  end)

  it("does not know utilities that are not simulated", function()
    assert.truthy(get("/mgmt/tm/util").body:find("/mgmt/tm/util/tracepath?", 1, true))
    local body <const> = { command = "run", utilCmdArgs = "localhost" }
    assert.equal(501, curl(device, "POST", "/mgmt/tm/util/tracepath", body).status)
  end)

  it("answers 501 to a POST below a module that has no such component", function()
    local body <const> = { name = "x" }
    assert.equal(501, curl(device, "POST", "/mgmt/tm/ltm/no-such", body).status)
    assert.equal(404, curl(device, "GET", "/mgmt/tm/ltm/no-such").status)
    assert.equal(404, curl(device, "POST", "/mgmt/tm/no-such/x", body).status)
  end)
end)
