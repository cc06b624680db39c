-- The lines of docs/verbs.md, in their order, on one device and on an inventory.
local lab = require "lab"
local markdown = require "markdown"
local program = require "program"

-- What the examples take for granted.
local SEED <const> = {
  objects = {
    ["/mgmt/tm/ltm/pool"] = { { name = "web" } },
    ["/mgmt/tm/ltm/profile/client-ssl"] = {
      { name = "www", defaultsFrom = "/Common/clientssl" },
    },
  },
}

-- The beginning of a line -> what it prints, or the file that it writes.
local PAIRS <const> = [[
  for name in www new; do
    openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out $name.crt -days 90 \
      -subj /CN=www.example.net
  done
]]

local EXPECTED <const> = {
  { "f5lua upload site.ucs ucs/$", '"target":"/var/local/ucs/site.ucs"' },
  { "f5lua download ucs/site.ucs copy", '"file":"copy.ucs"', file = "copy.ucs" },
  { "f5lua download /var", "^$", file = "again.ucs" },
  { "f5lua bash 'tmsh", "Sys::Version" },
  { "f5lua bash %-%- ls", "/var/tmp/a file" },
  { "f5lua upload .* %-%-inventory", '"device":"site2"', file = "upload.html" },
  { "f5lua download .* %-%-inventory", '"file":"backups/site1/site.ucs"' },
  { "f5lua bash %-%-inventory", "2 devices: site1, site2" },
  { "f5lua task sys/ucs", '"state":"done"' },
  { "f5lua task list", "^$" },
  { "f5lua certificates$", '"name":"/Common/default.crt"' },
  { "f5lua certificates %-%-expiring", "^$" },
  { "f5lua certificates install", '"result":"created".*"profiles":%["/Common/www"%]' },
  { "f5lua certificates rotate", '"profiles":%["/Common/www"%].*"old_result":"deleted"' },
  { "f5lua certificates %-%-where", '\n{"name":"/Common/www%-2027.crt","days":%d+}\n$' },
  { "f5lua tokens$", '"own":true' },
  { "f5lua tokens %-%-where", "^$" },
  { "f5lua tokens clear", "^$" },
  { "f5lua certificates %-%-inventory", "\nsite2,/Common/www%-2027.crt," },
  { "f5lua list ltm/pool", "^device,name,monitor\n" },
  { "f5lua ensure sys/ntp", '"result":"changed"' },
  { "f5lua %-%-inventory", "site1: 1\n" },
}

describe("docs/verbs.md", function()
  local device, place
  lab.block(setup, teardown, before_each, function(...) device, place = ... end, { seed = SEED })

  it("has lines that do what the page says", function()
    lab.inventory(place, device, { "site1", "site2" })
    place:file("site.ucs", "a backup")
    assert(os.execute(("cd %s && { %s } 2>log"):format(place.path, PAIRS)), place:read "log")
    device:control("write_file", { path = "/var/tmp/a file", text = "x" })
    device:control("plan_task", { template = "sys/ucs", seconds = 0.2 })
    local seen = {}
    for _, block in ipairs(markdown.blocks("docs/verbs.md", "sh")) do
      for line in block.text:gmatch "[^\n]+" do
        local expected
        for _, one in ipairs(EXPECTED) do
          if line:find(one[1]) then expected = one end
        end
        assert(expected, "add what this line prints to EXPECTED of this spec: " .. line)
        seen[expected] = true
        local shell <const> = ("PATH=%s:$PATH; %s"):format(program.path:match "^(.*)/", line)
        local result = program.run({ "-c", shell }, {
          program = "/bin/bash", directory = place.path, env = lab.environment(device),
        })
        assert.equal(0, result.status, line .. "\n" .. result.err)
        assert.matches(expected[2], result.out)
        if expected.file then assert(place:read(expected.file), expected.file) end
      end
    end
    for _, one in ipairs(EXPECTED) do assert.is_true(seen[one], one[1]) end
    assert.equal("a backup", place:read "again.ucs")
  end)
end)
