-- Packages of extensions on the simulated device: installed, upgraded, refused, removed.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local TASKS <const> = "/mgmt/shared/iapp/package-management-tasks"
local RPM <const> = "\xED\xAB\xEE\xDB and the rest of a package"

local device, place, bip

before_each(function()
  device, bip = lab.start()
  place = lab.scratch()
end)
after_each(function() lab.stop(bip, device, place) end)

local function file(version, bytes)
  return place:file(("f5-appsvcs-%s.noarch.rpm"):format(version), bytes or RPM)
end

-- Lets time go by on the device until it is closed.
local function clock()
  return f5.spawn(function()
    while true do
      f5.sleep(0.05)
      device:advance(1)
    end
  end)
end

-- Installs while time goes by on the device.
local function install(path, options)
  options = options or {}
  local given = options.progress
  options.progress = function(state, seconds)
    if given then given(state, seconds) end
    if state:find "answer" then device:advance(10) end
  end
  local _ <close> = clock()
  return (bip:install_package(path, options))
end

local function versions()
  local list = {}
  for i, one in ipairs(bip:extensions()) do
    list[i] = ("%s %s-%s %s"):format(one.name, one.version, one.release, tostring(one.ready))
  end
  return table.concat(list, ", ")
end

local DECLARATION <const> = json.encode {
  class = "ADC", schemaVersion = "3.50.0", id = "ours", Blue = {
    class = "Tenant", A = {
      class = "Application",
      p = { class = "Pool", members = { { servicePort = 80, serverAddresses = { "192.0.2.1" } } } },
    },
  },
}

describe("D4 the package of an extension", function()
  it("is uploaded, installed and waited for; the same one is not sent again", function()
    assert.equal("", versions())
    local states = {}
    local done = install(file "3.50.2-3", { progress = function(state)
      if states[#states] ~= state then states[#states + 1] = state end
    end })
    assert.same({ "as3", "3.50.2", true }, { done.extension, done.version, done.changed })
    assert.equal("number", type(done.seconds))
    assert.same({ "upload", "install", "AS3 does not answer yet" }, states)
    assert.equal("as3 3.50.2-3 true", versions())
    assert.equal("Blue: success", tostring(bip:declare(DECLARATION)))
    device:clear_log()
    done = install(file "3.50.2-3")
    assert.is_false(done.changed)
    assert.equal("3.50.2", done.version)
    assert.same({}, lab.writes(device))
  end)

  it("takes the place of an older one, and not of a newer one", function()
    install(file "3.50.2-3")
    assert.equal("3.56.0", install(file "3.56.0-10").version)
    assert.equal("as3 3.56.0-10 true", versions())
    local err = lab.fails("task", install, file "3.50.2-3")
    assert.matches("f5%-appsvcs%-3.56.0%-10.noarch %(which is newer than f5%-appsvcs%-3.50.2%-3."
      .. "noarch%) is already installed", err.message)
    assert.equal("as3 3.56.0-10 true", versions())
    local _ <close> = clock()
    bip:task(TASKS, { operation = "UNINSTALL", packageName = "f5-appsvcs-3.56.0-10.noarch" }):wait()
    assert.equal("", versions())
    lab.fails("unsupported", bip.declare, bip, DECLARATION)
    assert.equal("3.50.2", install(file "3.50.2-3").version)
  end)

  it("is refused before it is sent if it is none", function()
    bip:extensions() -- logs in
    device:clear_log()
    local function refused(path, pattern)
      assert.matches(pattern, lab.fails("usage", bip.install_package, bip, path).message)
    end
    refused(file("3.50.2-3", "<html>not found</html>"), "is not an RPM package: it does not begin")
    refused(file("3.50.2-3", ""), "is not an RPM package")
    refused(place:file("f5-appsvcs.zip", RPM), "its name does not end with .rpm")
    lab.fails("transfer", bip.install_package, bip, place.path .. "/f5-appsvcs-3.1.0-1.noarch.rpm")
    assert.same({}, lab.writes(device))
    assert.equal("", versions())
  end)

  it("waits until AS3 has done its declaration, whose task a restart would cancel", function()
    install(file "3.50.2-3")
    device:control("next_declaration", { seconds = 3600 })
    bip:request("POST", "/mgmt/shared/appsvcs/declare", {
      body = DECLARATION, query = { async = true },
    })
    local err <const> = lab.fails("timeout", bip.install_package, bip, file "3.56.0-10",
      { timeout = 0.3 })
    assert.equal("AS3 still works on a declaration after 0.3 s; nothing was installed, because the "
      .. "restart would cancel it", err.message)
    local waited
    local done <const> = install(file "3.56.0-10", { progress = function(state)
      if state == "AS3 works on a declaration" and not waited then
        waited = true
        device:advance(3600)
      end
    end })
    assert.is_true(waited)
    assert.equal("3.56.0", done.version)
    assert.equal("Tenant", bip:declared().Blue.class)
  end)

  it("is not installed by a check", function()
    place:file("play.lua", ('require("f5").connect():install_package %q'):format(file "3.50.2-3"))
    local result <const> = program.run({ "run", "--check", place.path .. "/play.lua" },
      { env = lab.environment(device), timeout = 60 })
    assert.not_equal(0, result.status)
    assert.equal("", versions())
  end)
end)

describe("docs/declarations.md", function()
  it("installs a package, and removes it", function()
    local blocks <const> = require("markdown").blocks("docs/declarations.md", "lua")
    place:file("f5-appsvcs-3.56.0-10.noarch.rpm", RPM)
    local text = 'local f5 = require "f5"\nlocal bip <close> = f5.connect()\n'
    for _, block in ipairs(blocks) do
      if block.text:find("install_package", 1, true) or block.text:find("UNINSTALL", 1, true) then
        text = text .. block.text
      end
    end
    place:file("play.lua", text)
    local _ <close> = clock()
    local process <close> = program.start({ "-e",
      ('require("lfs").chdir %q dofile "play.lua"'):format(place.path) },
      { env = lab.environment(device) })
    lab.wait("the end of the playbook", function()
      return select(1, process.output()):find "\n" and versions() == ""
    end, 60)
    local result <const> = process:wait()
    assert.equal(0, result.status, result.err)
    assert.equal("as3\t3.56.0\ttrue\n", result.out)
  end)
end)
