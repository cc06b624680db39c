---@meta f5.har
-- Recordings of the exchanges with devices.

---@class f5.har
---Recordings of the exchanges with devices, as HAR 1.2. `require "f5.har"` returns this table. See
---docs/recordings.md.
---
---    local recording <close> = require("f5.har").record "change.har"
---    local bip <close> = f5.connect()
---    bip.ltm.pool["/Common/web"]:modify { monitor = "/Common/https" }
local har = {}

---Records all exchanges of the program from now on: each attempt of each call, without secrets.
---Another file than a recording is not replaced.
---
---*Raises* "usage": the path is no text, the file cannot be made, or it exists and is no recording.
---
---*Source* docs/recordings.md, "Record"
---@param path string path of the file; only its owner can read it
---@return f5.recording recording the recording, for a `<close>` variable
function har.record(path) end

---Answers all calls from a recording from now on. `f5.connect` makes sessions with the devices
---of the recording; nothing is sent. A call that differs raises the error "not_recorded". Nobody
---waits: not `f5.sleep`, and not the pauses of retries.
---
---*Raises* "usage": the file cannot be read, or is no HAR file.
---
---*Source* docs/recordings.md, "Replay"
---@param path string path of the file
---@return f5.replay replay the replay, for a `<close>` variable
function har.replay(path) end

---Reads a HAR file, also one that was cut off while f5lua wrote it, or of another program.
---
---*Raises* "usage": the file cannot be read, or is no HAR file.
---
---*Source* docs/recordings.md, "What is in a recording"
---@param path string path of the file
---@return table log { entries = array of entries, cut = whether the end of the file is missing, … }
function har.read(path) end

---@class f5.recording
---A recording that `f5.har.record` has started.
---@field count integer number of exchanges that are in the file
---@field problem? string why the file could not be written; the recording has ended then
local recording = {}

---Ends the recording. Without it, the recording ends with the program.
---
---*Raises* nothing.
---
---*Source* docs/recordings.md, "Record"
function recording:close() end

---@class f5.replay
---A replay that `f5.har.replay` has started.
---@field problem? string how the first call that differs does so
local replay = {}

---Raises an error unless all recorded calls were made, and no others. Logins do not count.
---
---*Raises* "not_recorded": something differs from the recording.
---
---*Source* docs/recordings.md, "Specs for playbooks"
function replay:check() end

---Returns what differs from the recording.
---
---*Raises* nothing.
---
---*Source* docs/recordings.md, "Specs for playbooks"
---@return string? difference text of several lines; nil if nothing differs
function replay:difference() end

---Returns the recorded calls that were not made yet, without logins.
---
---*Raises* nothing.
---
---*Source* docs/recordings.md, "Specs for playbooks"
---@return table[] calls array of { device =, method =, path =, line = }
function replay:left() end

---Ends the replay: `f5.connect` leads to devices again.
---
---*Raises* nothing.
---
---*Source* docs/recordings.md, "Specs for playbooks"
function replay:close() end
