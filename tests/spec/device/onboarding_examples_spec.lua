-- The examples of F5 on the simulated DO. They are read from a git directory of
-- F5Networks/f5-declarative-onboarding: F5LUA_DO=DIRECTORY.
local curl = require "curl"
local json = require "f5.json"
local lab = require "lab"
local sim = require "f5.sim"

local ROOT <const> = "/mgmt/shared/declarative-onboarding"
local EXAMPLES <const> = "examples"

describe("D2 examples of DO on the simulated device", function()
  local function examples()
    local folder = os.getenv "F5LUA_DO"
    if not folder then return nil end
    local found = {}
    local list <close> = assert(io.popen(("git --git-dir=%s ls-tree -r --name-only HEAD %s"):format(
      folder, EXAMPLES)))
    for name in list:lines() do
      local git <close> = assert(io.popen(("git --git-dir=%s show HEAD:%s"):format(folder, name)))
      if name:find "%.json$" then found[name:match "[^/]+$"] = json.decode(git:read "a") end
    end
    return found
  end

  -- What an example needs: the old password of root; its webhook is left out.
  local function prepare(fresh, declaration)
    declaration.webhook, declaration.async = nil, false
    declaration.controls = declaration.controls or { class = "Controls" }
    declaration.controls.traceResponse = true
    local admin
    for name, object in pairs(declaration.Common) do
      if type(object) == "table" and object.userType == "root" then
        curl(fresh, "POST", "/mgmt/shared/authn/root", {
          oldPassword = "default", newPassword = object.oldPassword,
        })
      end
      if name == "admin" then admin = object.password end
    end
    return "admin:" .. (admin or "admin")
  end

  -- The differences that a second POST still has.
  local function left(fresh, body, user)
    fresh:advance(30)
    local again = curl { fresh, "POST", ROOT, body = body, user = user }
    if again.status == 403 then return {} end -- the example lets only other addresses in
    assert.equal(200, again.status, again.body)
    return again.json.traces.diff
  end

  it("carries out the examples of F5, and a second POST changes nothing", function()
    local all = examples()
    if not all then return pending "F5LUA_DO is not set" end
    local sum, lines = { count = 0, whole = 0, named = 0, other = 0 }, {}
    for name, body in pairs(all) do
      local fresh = sim.start {
        extensions = { "do" }, hostname = "bigip1", provision = { "ltm", "gtm", "afm", "avr" },
      }
      -- what these two examples take for granted
      if name == "routeInterface.json" then
        curl(fresh, "POST", "/mgmt/tm/net/vlan", { name = "external" })
      elseif name == "gslbDataCenter.json" then
        curl(fresh, "POST", "/mgmt/tm/gtm/prober-pool", { name = "proberPool" })
      end
      local declaration = body.class == "DO" and body.declaration or body
      local user = prepare(fresh, declaration)
      local answer = curl { fresh, "POST", ROOT, body = body }
      local result = answer.json.result
      sum.count = sum.count + 1
      local text = json.encode(result.errors or {})
      if result.code < 300 then
        if not (declaration.controls.dryRun) then
          assert.same({}, left(fresh, body, user), name)
        end
        sum.whole = sum.whole + 1
      elseif result.code == 400 and text:find "simulated" then
        sum.named = sum.named + 1
      else
        sum.other = sum.other + 1
        lines[#lines + 1] = name .. ": " .. text
      end
      lab.stop(fresh)
    end
    local figures = ("%d of %d examples carried out, %d refused by name, %d by the device\n%s")
      :format(sum.whole, sum.count, sum.named, sum.other, table.concat(lines, "\n"))
    assert.is_true(sum.count >= 70, figures)
    assert.is_true(sum.whole >= 69, figures)
    assert.is_true(sum.other <= 1, figures)
  end)
end)
