-- Every playbook of scripts/playbooks as a program of its own: away from the tree, from an empty
-- directory, with an environment of what it documents and nothing else, as a user who can read
-- nothing of the source.
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"
local sim = require "f5.sim"

local is_root <const> = io.popen("id -u"):read "a":match "%d+" == "0"
  and os.execute "unshare -m true 2>/dev/null"

-- How to run them. One that is not here shows its --help.
local ARGUMENTS <const> = {
  ["first-day.lua"] = { expect = "== " },
}

-- Runs it. As root, the whole source tree is covered by an empty file system, and the user is
-- nobody.
local function run(executable, words, environment, directory)
  local parts = {}
  for name, value in pairs(environment) do parts[#parts + 1] = name .. "=" .. value end
  parts[#parts + 1] = executable
  table.move(words, 1, #words, #parts + 1, parts)
  if not is_root then
    table.insert(parts, 1, "-i")
    return program.run(parts, { program = "/usr/bin/env", directory = directory })
  end
  local script = 'mount -t tmpfs none "$1" && cd "$2" && shift 2 && '
    .. 'exec setpriv --reuid=65534 --regid=65534 --clear-groups env -i "$@"'
  local all = { "-m", "sh", "-c", script, "sh", lfs.currentdir(), directory, table.unpack(parts) }
  return program.run(all, { program = "/usr/bin/unshare", timeout = 120 })
end

describe("As a standalone program, the playbook", function()
  for name in lfs.dir "scripts/playbooks" do
    if name:find "%.lua$" then
      it(name .. " runs", function()
        local directory <close> = program.directory()
        local deploy = directory.path .. "/deploy"
        local built = program.run { "build", "scripts/playbooks/" .. name, "-o", deploy }
        assert.equal(0, built.status, built.err)

        local device <close> = sim.start {}
        local certificates = directory.path .. "/ca.pem"
        assert(os.execute(("cp %s %s && mkdir %s/empty && chmod 755 %s && chmod 644 %s"):format(
          device.ca, certificates, directory.path, directory.path, certificates)))
        local arguments = ARGUMENTS[name] or { "--help", expect = "[Uu]sage: " }
        local env = lab.environment(device, { SSL_CERT_FILE = certificates })
        local result = run(deploy, arguments, env, directory.path .. "/empty")
        assert.same({ status = 0, err = "" }, { status = result.status, err = result.err })
        assert.truthy(result.out:find(arguments.expect))
        assert(lfs.rmdir(directory.path .. "/empty"), "it left files where it ran")
      end)
    end
  end
end)
