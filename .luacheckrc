std = "lua54"
max_line_length = 160
cache = ".cache/luacheck"
exclude_files = { "build", ".cache" }
-- `local device <close>` is there to be closed, `_x` to be ignored.
ignore = { "211/_.*", "212/_.*" }
files["tests/**"].std = "lua54+busted"
-- Annotations for editors: nothing in it runs.
files["lualib/meta"].ignore = { "212", "211", "241" }
-- Replaces the arguments that busted's runner reads.
files["tests/run.lua"].globals = { "arg" }
-- Data in tables: a row a line.
for _, data in ipairs {
  "catalogue", "factory/services.lua", "extensions/as3/check/facts.lua",
  "extensions/telemetry/facts.lua",
  "extensions/onboarding/facts.lua", "extensions/onboarding/items.lua",
} do
  files["lualib/sim/" .. data].max_line_length = false
end
-- What is written while a line is being edited must not tear it.
files["lualib/console/output.lua"].globals = { "print", "io.write" }
