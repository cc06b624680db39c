-- twin.lua GETS: what a twin costs. Prints lines "NAME DIRECT TWIN": seconds for the first GETs of
-- pools, for the same GETs again, for the first list of all pools; and "kb N": the kilobytes of the
-- twin for each pool that it knows. Device and user are in the environment.
local core = require "f5.core"
local f5 = require "f5"

local gets <const> = tonumber(arg[1])

local direct <close> = f5.connect {}
local access <const> = core.access(direct)
local twins <close> = require("f5.twin").start { devices = { access } }
local twin <close> = f5.connect(twins:options(1))

-- The memory of the process of the twin, in KB.
local function memory()
  local children <close> = assert(io.open "/proc/thread-self/children")
  local status <close> = assert(io.open(("/proc/%s/status"):format(children:read "a":match "%d+")))
  return tonumber(status:read "a":match "VmRSS:%s*(%d+)")
end

local function seconds(fn, ...)
  local began <const> = core.now()
  fn(...)
  return core.now() - began
end

-- One GET of the kind, so that neither side still learns it.
local names <const> = {}
for i, pool in ipairs(direct.ltm.pool:list { top = gets + 1 }) do names[i] = pool.fullPath end
for _, bip in ipairs { direct, twin } do bip.ltm.pool[names[gets + 1]]:load() end

local function read(bip)
  for i = 1, gets do bip.ltm.pool[names[i]]:load() end
end

local count
local function list(bip) count = #bip.ltm.pool:list() end

print("first", seconds(read, direct), seconds(read, twin))
print("again", seconds(read, direct), seconds(read, twin))
local before <const> = memory()
print("list", seconds(list, direct), seconds(list, twin))
print("kb", (memory() - before) / (count - gets))
