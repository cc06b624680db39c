-- The lines of docs/verbs.md, in their order, on one device and on an inventory.
local lab = require "lab"
local markdown = require "markdown"
local program = require "program"

-- What the examples take for granted.
local SEED <const> = {
  objects = { ["/mgmt/tm/ltm/pool"] = { { name = "web" } } },
}

-- The beginning of a line -> what it prints, or the file that it writes.
local EXPECTED <const> = {
  { "f5lua upload site.ucs ucs/$", '"target":"/var/local/ucs/site.ucs"' },
  { "f5lua download ucs/site.ucs copy", '"file":"copy.ucs"', file = "copy.ucs" },
  { "f5lua download /var", "^$", file = "again.ucs" },
  { "f5lua bash 'tmsh", "Sys::Version" },
  { "f5lua bash %-%- ls", "/var/tmp/a file" },
  { "f5lua upload .* %-%-inventory", '"device":"site2"', file = "upload.html" },
  { "f5lua download .* %-%-inventory", '"file":"backups/site1/site.ucs"' },
  { "f5lua bash %-%-inventory", "2 devices: site1, site2" },
  { "f5lua %-%-inventory", "site1: 1\n" },
}

describe("docs/verbs.md", function()
  local device, place
  lab.block(setup, teardown, before_each, function(...) device, place = ... end, { seed = SEED })

  it("has lines that do what the page says", function()
    lab.inventory(place, device, { "site1", "site2" })
    place:file("site.ucs", "a backup")
    device:control("write_file", { path = "/var/tmp/a file", text = "x" })
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
