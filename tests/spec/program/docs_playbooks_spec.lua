-- The examples of docs/playbooks.md are what the playbooks answer.
local lfs = require "lfs"
local markdown = require "markdown"
local program = require "program"

local PAGE <const> = "docs/playbooks.md"

-- "$ command" lines with the output behind each.
local function examples(text)
  local found = {}
  for line in text:gmatch "([^\n]*)\n" do
    local command <const> = line:match "^%$ (.*)$"
    if command then
      found[#found + 1] = { command = command, output = "" }
    else
      found[#found].output = found[#found].output .. line .. "\n"
    end
  end
  return found
end

-- What differs from run to run.
local function plain(text)
  return (
    text
      :gsub("127%.0%.0%.1([:_])%d+", "127.0.0.1%1PORT")
      :gsub("%d+T%d+Z", "TIME")
      :gsub(("%x"):rep(64), "SHA256")
      :gsub("%d+ bytes", "N bytes")
      :gsub("%d+ connections? left, %d+ s", "N connections left, N s")
      :gsub("%d+ of (%d+) s\n", "N of %1 s\n")
  )
end

-- "…" stands for anything.
local function as_pattern(text)
  return "^" .. plain(text):gsub("%p", "%%%0"):gsub("…", ".-") .. "$"
end

describe(PAGE, function()
  it("has a section for each playbook", function()
    local page <close> = assert(io.open(PAGE))
    local text <const> = page:read "a"
    for name in lfs.dir "scripts/playbooks" do
      if name:find "%.lua$" then
        assert.truthy(text:find("\n## " .. name .. "\n", 1, true), name)
      end
    end
  end)

  for _, block in ipairs(markdown.blocks(PAGE, "console")) do
    for _, example in ipairs(examples(block.text)) do
      it("is right in line " .. block.line .. ": " .. example.command, function()
        local directory <close> = program.directory()
        assert(
          os.execute(
            ("cp scripts/playbooks/* %s && mkdir %s/backups"):format(directory.path, directory.path)
          )
        )
        assert(
          os.execute(
            (
              "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "
                .. "2 -subj /CN=www.example.net "
              .. "-keyout www.key -out www.crt 2>/dev/null"
            ):format(directory.path)
          )
        )
        local command <const> = example.command
          :gsub("^lab ", program.path .. " run --sim --seed lab.json ")
          :gsub("/srv/backups", "backups")
        local result <const> = program.run(
          { "-c", command .. " 2>&1" },
          { program = "/bin/sh", directory = directory.path }
        )
        assert.equal("", result.err)
        assert.matches(
          as_pattern((example.output:gsub("/srv/backups", "backups"))),
          plain(result.out)
        )
      end)
    end
  end
end)
