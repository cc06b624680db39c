-- The device's clock, which specs can move, and the events that are scheduled on it.
--
-- The functions that take a device are methods of the device, see sim/device.lua. The state has
-- only the offset from the real clock and the list of events, so a saved device continues where it
-- was.
local M = {}

-- Microseconds since the epoch.
function M.now(device)
  return device.real_clock() + device.state.clock.offset
end

-- Moves the clock forward. Events that become due run at once, each at its own time.
function M.advance(device, seconds)
  local clock = device.state.clock
  local target = device:now() + math.floor(seconds * 1000000 + 0.5)
  device:run_due(target)
  local behind = target - device:now()
  if behind > 0 then clock.offset = clock.offset + behind end
end

-- Calls the handler of `kind` with `data` (a plain value) when the clock reaches `due`.
-- Returns the event's number, for `unschedule`.
function M.schedule(device, due, kind, data)
  local clock = device.state.clock
  clock.last_event = clock.last_event + 1
  local event = { due = due, number = clock.last_event, kind = kind, data = data }
  local events = clock.events
  local at = #events + 1
  while at > 1 and events[at - 1].due > due do at = at - 1 end
  table.insert(events, at, event)
  return event.number
end

function M.unschedule(device, number)
  for i, event in ipairs(device.state.clock.events) do
    if event.number == number then
      table.remove(device.state.clock.events, i)
      return true
    end
  end
  return false
end

function M.on(device, kind, handler)
  device.event_handlers[kind] = handler
end

-- Runs the events that are due at `target` (nil: now). While an event runs, `now` is at least its
-- due time.
function M.run_due(device, target)
  local clock = device.state.clock
  local events = clock.events
  device.running_to = target or device:now()
  while events[1] and events[1].due <= (target or device:now()) do
    local event = table.remove(events, 1)
    local behind = event.due - device:now()
    if behind > 0 then clock.offset = clock.offset + behind end
    local handler = device.event_handlers[event.kind]
    if handler then handler(device, event.data) end
  end
end

-- "2025-12-14T11:05:35Z": a time as the configuration, ASM and APM write it.
function M.utc(micros)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", micros // 1000000)
end

-- "2025-12-14T11:05:35.905+0000": a time as the REST service itself writes it.
function M.iso(micros)
  return os.date("!%Y-%m-%dT%H:%M:%S", micros // 1000000)
    .. (".%03d+0000"):format(micros // 1000 % 1000)
end

return M
