-- The device's clock, which specs move, and what is due on it.
--
-- The state keeps only the offset from the real clock and the list of events, so a saved device
-- goes on where it was.
local M = {}

-- Mixes `now`, `advance`, `schedule`, `on` and `run_due` into the device class.
function M.extend(Device)
  -- Microseconds since the epoch.
  function Device:now()
    return self.real_clock() + self.state.clock.offset
  end

  -- Moves the clock; events that become due run at once, each at its own time.
  function Device:advance(seconds)
    local clock <const> = self.state.clock
    local target <const> = self:now() + math.floor(seconds * 1000000 + 0.5)
    self:run_due(target)
    local behind <const> = target - self:now()
    if behind > 0 then clock.offset = clock.offset + behind end
  end

  -- Calls the handler of `kind` with `data` (a plain value) once the clock has reached `due`.
  -- Returns the event's number, for `unschedule`.
  function Device:schedule(due, kind, data)
    local clock <const> = self.state.clock
    clock.last_event = clock.last_event + 1
    local event <const> = { due = due, number = clock.last_event, kind = kind, data = data }
    local events <const> = clock.events
    local at = #events + 1
    while at > 1 and events[at - 1].due > due do at = at - 1 end
    table.insert(events, at, event)
    return event.number
  end

  function Device:unschedule(number)
    for i, event in ipairs(self.state.clock.events) do
      if event.number == number then
        table.remove(self.state.clock.events, i)
        return true
      end
    end
    return false
  end

  function Device:on(kind, handler)
    self.event_handlers[kind] = handler
  end

  -- Runs the events that are due at `target` (now, if nil). While one runs, `now` is not before its
  -- due time.
  function Device:run_due(target)
    local clock <const> = self.state.clock
    local events <const> = clock.events
    while events[1] and events[1].due <= (target or self:now()) do
      local event <const> = table.remove(events, 1)
      local behind <const> = event.due - self:now()
      if behind > 0 then clock.offset = clock.offset + behind end
      local handler <const> = self.event_handlers[event.kind]
      if handler then handler(self, event.data) end
    end
  end
end

-- "2025-12-14T11:05:35Z": how configuration, ASM and APM write a time of the device's clock.
function M.utc(micros)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", micros // 1000000)
end

-- "2025-12-14T11:05:35.905+0000": how the REST service itself does.
function M.iso(micros)
  return os.date("!%Y-%m-%dT%H:%M:%S", micros // 1000000)
    .. (".%03d+0000"):format(micros // 1000 % 1000)
end

return M
