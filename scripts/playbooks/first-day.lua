#!/usr/bin/env f5lua
-- The basics of automating a BIG-IP, step by step.
--
--   f5lua run --sim first-day.lua  on a simulated device
--   F5_SERVER=bigip1.example.net F5_USER=me f5lua first-day.lua
--                                  on a real device; asks for the password
--
-- It creates two nodes, Test and Test2, and deletes them at the end. It stops if such nodes exist.

local f5 = require "f5"
local device = require("f5.sim").running -- the simulated device, with --sim

local function step(title) print("\n== " .. title) end

-- Logging in. An account that is no administrator is enough; the simulated device has one.
-- The certificate is verified. A device of your own that has none worth verifying: verify = false,
-- and nothing complains.
step "Log in"
local account = device and { username = "manager", password = "manager" } or {}
local bip <close> = f5.connect(account)
print(bip, ("the token is good for %.0f s"):format(bip:expires_in()))

-- The version comes as nested statistics; f5.flat makes plain tables of them.
step "Which version is it?"
local version = f5.flat(bip.sys.version:load())[1]
print(version.Product, version.Version, "build " .. version.Build, version.Edition)

-- An organizing collection lists what is below it: how to find out what the device can do.
step "What is there below sys?"
local parts = {}
for _, item in ipairs(bip.sys:list()) do
  parts[#parts + 1] = item.reference.link:match "/sys/([^?]+)"
end
print(#parts .. " parts: " .. table.concat(parts, " ", 1, math.min(8, #parts)) .. " …")

-- A token ends after twenty minutes. The session then gets a new one and repeats the call; a
-- playbook sees nothing of it.
step "What if the token expires?"
if device then
  device:clear_log()
  device:advance(1201)
  bip.sys.version:load()
  for _, call in ipairs(device:log()) do
    print("the device saw", call.method, call.path, call.status)
  end
  print(("the token is good for %.0f s again"):format(bip:expires_in()))
else
  print "shown only with --sim, which can move the clock"
end

-- Creating. Only what is named is sent; the device fills in the rest and answers with the whole
-- object.
step "Create nodes"
local test = bip.ltm.node.Test -- no traffic: a reference is a path
for _, new in ipairs {
  { name = "Test", address = "10.10.10.31" },
  { name = "Test2", address = "10.10.10.32" },
} do
  local node = bip.ltm.node:create(new)
  print(node.fullPath, node.address, node.session, "monitor " .. node.monitor)
end

-- Reading. By its short name, which means the partition Common, or by its full one.
step "Read them"
for node in bip.ltm.node:each() do print(node.fullPath, node.address, node.state) end
print("short name:", test:load().address)
print("full name:", bip.ltm.node["/Common/Test"]:load().address)

-- Only some properties, to spare the device and the wire.
step "Read only names and addresses"
for node in bip.ltm.node:each { select = { "name", "address" } } do
  local properties = {}
  for property in pairs(node) do properties[#properties + 1] = property end
  print(node.name, node.address, #properties .. " properties")
end

-- Any call can ask for the API of another version.
step "Ask as for version 17.1.0"
print(test:load({ ver = "17.1.0" }).selfLink)

-- Changing. What is not named stays as it is.
step "Take a node out of service"
print("before:", test:load().session)
test:modify { session = "user-disabled" }
print("after:", test:load().session)

step "Delete the nodes"
for _, name in ipairs { "Test", "Test2" } do bip.ltm.node[name]:delete() end
print("Test is there:", test:exists())

-- Errors are objects that can be told apart. Not caught, one ends the playbook, and f5lua says
-- where and why.
local ok, err = f5.try(function() return test:load() end)
print("reading it:", ok, err.kind, err.message)

-- The token is deleted when `bip` goes out of scope, also after an error. Here it is done by hand,
-- to see it.
step "Log out"
bip:close()
local reading = f5.try(function() return test:load() end)
print("a call after that:", reading)
if device then
  local last = device:log()[#device:log()]
  print(
    "the device's last call:", last.method, last.path:match "^/mgmt/shared/authz/tokens",
    last.status
  )
end
