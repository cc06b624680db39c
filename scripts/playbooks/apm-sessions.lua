#!/usr/bin/env f5lua
-- Lists the sessions of APM users, and ends those of a user or a client.
--
--   f5lua apm-sessions.lua                     lists all sessions
--   f5lua apm-sessions.lua --user alice --end  ends alice's sessions; she must log in again
--
-- The device and the user come from the environment (F5_SERVER, F5_USER, F5_PASSWORD); the playbook
-- asks for what is missing.

local argparse = require "argparse"
local f5 = require "f5"

local parser = argparse(
  "apm-sessions.lua",
  "List the sessions of APM users, and end those of a user or a client."
)
parser:mutex(
  parser:option("-u --user", "only sessions of this user"):argname "NAME",
  parser:option("-c --client", "only sessions of this client"):argname "ADDRESS")
parser:flag("--end", "end them"):target "finish"
parser:flag("-y --yes", "do not ask")
local args = parser:parse()
if args.finish and not (args.user or args.client) then
  parser:error "--end needs --user or --client"
end

local bip <close> = f5.connect {}
local apm = f5.apm(bip)
local wanted = { user = args.user, client = args.client }

local sessions = apm:sessions(wanted)
for _, session in ipairs(sessions) do
  print(("%s  %-20s %s"):format(session.id, session.user, session.client))
end
print(("%d session%s"):format(#sessions, #sessions == 1 and "" or "s"))
if not args.finish or #sessions == 0 then return end

if not args.yes then
  io.write "end all of them? [y/N] "
  io.flush()
  if not (io.read "l" or ""):lower():find "^%s*y" then return print "nothing changed" end
end
print(("%d ended"):format(#apm:end_sessions(wanted)))
