-- Every block of Lua in the pages for users compiles, and runs against a simulated device where the
-- page is meant to be tried.
local f5 = require "f5"
local markdown = require "markdown"
local program = require "program"

local function pool(name, ...)
  local members = {}
  for i, address in ipairs { ... } do
    members[i] = { name = address .. ":80", address = address }
  end
  return { name = name, monitor = "/Common/http", members = members }
end

-- What the examples take for granted.
local SEED <const> = {
  objects = {
    ["/mgmt/tm/ltm/pool"] = { pool("web", "10.0.0.1", "10.0.0.2") },
    ["/mgmt/tm/ltm/virtual"] = {
      {
        name = "vs_web", destination = "/Common/203.0.113.10:80", ipProtocol = "tcp",
        pool = "/Common/web",
      },
    },
  },
}

-- Sets up what a piece of a playbook has around it, on the same line, so that messages have the
-- page's lines.
local function whole(text)
  local head = {}
  if not text:find 'f5 = require "f5"' then head[#head + 1] = 'local f5 = require "f5"' end
  if not text:find "bip <close> = f5.connect" and text:find "bip[.:]" then
    head[#head + 1] = "local bip <close> = f5.connect {}"
  end
  return table.concat(head, " ") .. " " .. text:gsub("^#![^\n]*", "")
end

local function is_spec(text) return text:find("\ndescribe(", 1, true) end

for _, page in ipairs {
  "README.md", "docs/guide.md", "docs/fleets.md", "docs/embedding.md", "docs/simulator.md",
  "docs/transactions.md", "docs/operating.md", "docs/packaging.md", "docs/simulator-asm.md",
} do
  describe(page, function()
    for _, block in ipairs(markdown.blocks(page, "lua")) do
      it("has Lua in line " .. block.line, function()
        assert(load(whole(block.text), ("=%s:%d"):format(page, block.line)))
      end)
    end
  end)
end

for _, page in ipairs { "README.md", "docs/guide.md" } do
  describe(page, function()
    for _, block in ipairs(markdown.blocks(page, "lua")) do
      it(
        (is_spec(block.text) and "has a spec that passes" or "has an example that runs")
          .. " in line " .. block.line,
        function()
          local directory <close> = program.directory()
          directory:file("seed.json", f5.json.encode(SEED))
          directory:file(
            "sites.lua",
            'return { devices = { "bigip1.example.net", "bigip2.example.net" } }'
          )
          for _, other in ipairs(markdown.blocks(page, "lua")) do
            local name <const> = other.text:match "^%-%- (%S+%.lua)\n"
            if name then directory:file(name, other.text) end
          end
          local words = {
            "run",
            "--sim",
            "--seed",
            "seed.json",
            directory:file("block.lua", whole(block.text)),
          }
          if is_spec(block.text) then
            if program.is_static() then
              pending "busted uses C modules, and a static program has no dlopen"
              return
            end
            words = { "/usr/bin/busted", "drain_spec.lua" }
          end
          local result <const> = program.run(words, { directory = directory.path })
          assert.equal(0, result.status, result.out .. result.err)
        end
      )
    end
  end)
end

describe("docs/guide.md", function()
  it("prints what its comments say", function()
    local directory <close> = program.directory()
    directory:file("seed.json", f5.json.encode(SEED))
    local outputs <const> = {
      ["print%(%(web:ensure"] = "^created\nunchanged\n$",
      ["local echo = "] = "^/mgmt/tm/ltm/pool/~Common~web/members/~Common~10.0.0.1:80\n$",
      ["fail%(\"there is no pool"] = "^/Common/10.0.0.1:80\t%a+\n/Common/10.0.0.2:80\t%a+\n$",
    }
    for _, block in ipairs(markdown.blocks("docs/guide.md", "lua")) do
      for mark, expected in pairs(outputs) do
        if block.text:find(mark) then
          outputs[mark] = nil
          local words = { "run", "--sim", directory:file("block.lua", whole(block.text)) }
          if not mark:find "ensure" then
            table.insert(words, 3, "--seed=" .. directory.path .. "/seed.json")
          end
          assert.matches(expected, program.run(words).out)
          break
        end
      end
    end
    assert.is_nil(next(outputs))
  end)
end)
