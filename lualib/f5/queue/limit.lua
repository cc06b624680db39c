--- How long a playbook may run without a pause. While it computes, no other fiber of its process
-- runs: a worker that is blocked for long loses the leases of all its jobs. So the job that
-- computes ends with an error, early enough for the others (runtime/fiber/fiber_watch.h).

local core = require "f5.core"

local M = {}

--- Seconds before the end of a lease at which its job is cut off.
M.MARGIN = 5

-- A renewal is due after a third of a lease, and a job is cut off 5 seconds before its end. With
-- the shortest lease, 10 s, this leaves 1.6 s. A playbook that catches the first error takes 1.25.
local PART <const> = 12

--- Why the requests of a device may take too long for a lease; nil: they fit.
-- @param name string: of the device
-- @param timeout number: seconds
function M.too_long(name, timeout, lease)
  if timeout <= lease * 2 / 3 - M.MARGIN then return nil end
  return ("the timeout of %s is %g s, too long for a lease of %g s: start workers with a longer "
    .. "--lease"):format(name, timeout, lease)
end

local function advice(seconds)
  return ("; the limit is %.3g s, a twelfth of --lease, because the worker can renew no lease "
    .. "meanwhile: call f5.sleep(0) in long loops"):format(seconds)
end

--- Starts the limit of a worker.
-- @param lease number: seconds
function M.worker(lease)
  local seconds <const> = lease / PART
  core.limit_runs {
    seconds = seconds, advice = advice(seconds), holds = true, stuck = lease,
    warning = ("f5lua worker: blocked for %g s, and its leases have run out; what blocks it cannot "
      .. "be interrupted (a program that a playbook waits for, a pattern, __gc, the message "
      .. "handler of xpcall)\n"):format(lease),
  }
end

--- Starts the limit of the process that carries out checks. It has no leases itself, and its worker
-- renews them as long as it runs: so it ends if a playbook cannot be interrupted.
function M.checker(lease)
  local seconds <const> = lease / PART
  core.limit_runs {
    seconds = seconds, advice = advice(seconds), stuck = lease, exits = true,
    warning = ("f5lua worker: a check is ended: its playbook blocked it for %g s\n"):format(lease),
  }
end

return M
