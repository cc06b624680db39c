-- The program in a terminal of its own (tmux), as a person uses it: keys go in, the screen is
-- looked at.
local checks = require "checks"
local program = require "program"

local M = {}

local function quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

-- start({ "console", "--sim" }, { env = {…}, columns = 80, rows = 24, errors_too = true, program =
-- path }): keep it in a <close> variable. Standard error goes to a file unless errors_too.
function M.start(words, options)
  options = options or {}
  local directory = program.directory()
  local socket = directory.path .. "/tmux"
  local function tmux(...)
    local parts = { "env -u TMUX LC_ALL=C.UTF-8 tmux -f /dev/null -S", quote(socket) }
    for _, word in ipairs { ... } do parts[#parts + 1] = quote(word) end
    local pipe <close> = io.popen(table.concat(parts, " ") .. " 2>/dev/null")
    return pipe:read "a"
  end
  local env = {
    TERM = "screen", LC_ALL = "C.UTF-8", HOME = directory.path,
    XDG_STATE_HOME = directory.path .. "/state",
  }
  for name, value in pairs(options.env or {}) do
    env[name] = value
  end
  -- it would take the keys of the terminal
  local line = program
    .command_line(words, { env = env, program = options.program })
    :gsub(" timeout %d+ ", " ", 1)
  local errors = options.errors_too and "" or "2>" .. directory.path .. "/err"
  directory:file(
    "script",
    ("trap : INT\n%s %s\necho $? >%s/ended\nmv %s/ended %s/status\nsleep 60\n"):format(
      line, errors, directory.path, directory.path, directory.path
    )
  )
  tmux(
    "new-session", "-d", "-x", tostring(options.columns or 80), "-y", tostring(options.rows or 24),
    "sh " .. directory.path .. "/script"
  )

  local terminal = { directory = directory, home = directory.path }

  -- What is on the screen, without empty lines at its end.
  function terminal.screen() return (tmux("capture-pane", "-p"):gsub("%s+$", "")) end

  -- With the attributes as escape sequences.
  function terminal.painted() return tmux("capture-pane", "-p", "-e") end

  -- Text as typed.
  function terminal.type(_, text) tmux("send-keys", "-l", text) end

  -- Keys by tmux's names: "Tab", "Enter", "C-c", "Up".
  function terminal.key(_, ...)
    for _, name in ipairs { ... } do tmux("send-keys", name) end
  end

  -- As a terminal pastes; `marked` with the marks of bracketed paste.
  function terminal.paste(_, text, marked)
    directory:file("paste", text)
    tmux("load-buffer", directory.path .. "/paste")
    if marked then tmux("paste-buffer", "-p", "-r") else tmux("paste-buffer", "-r") end
  end

  function terminal.resize(_, columns, rows)
    tmux("resize-window", "-x", tostring(columns), "-y", tostring(rows))
  end

  -- Until the screen shows the pattern; returns the match and the screen.
  function terminal:expect(pattern, seconds)
    checks.ran()
    local screen
    for _ = 1, (seconds or 5) * 20 do
      screen = self.screen()
      local found = screen:match(pattern)
      if found then return found, screen end
      os.execute "sleep 0.05"
    end
    error(
      ("%q never came; the screen:\n%s\nstandard error:\n%s"):format(
        pattern,
        screen,
        directory:read "err" or ""
      ),
      2
    )
  end

  -- Types an entry and Enter; with a pattern: until the screen shows it, as expect.
  function terminal:enter(text, pattern)
    self:type(text)
    self:key "Enter"
    if pattern then return self:expect(pattern) end
  end

  -- Standard error of the program so far.
  function terminal.errors() return directory:read "err" or "" end

  -- The exit status, once it has ended.
  function terminal.status()
    for _ = 1, 400 do
      local status = directory:read "status"
      if status then return tonumber(status) end
      os.execute "sleep 0.05"
    end
    error("it does not end:\n" .. terminal.screen(), 2)
  end

  -- From now on: a function that returns all bytes that went to the terminal.
  function terminal.record()
    tmux("pipe-pane", "cat >" .. directory.path .. "/bytes")
    return function() return directory:read "bytes" or "" end
  end

  function terminal.process() return tonumber(tmux("list-panes", "-F", "#{pane_pid}")) end

  return setmetatable(terminal, { __close = function()
    tmux "kill-server"
    getmetatable(directory).__close()
  end })
end

return M
