local glob = require "build.glob"
local resolver = require "build.resolver"
local lfs = require "lfs"
local program = require "program"

local function tree(files)
  local directory = program.directory()
  for name, text in pairs(files) do
    local path = directory.path
    for part in name:gmatch "([^/]+)/" do
      path = path .. "/" .. part
      lfs.mkdir(path)
    end
    directory:file(name, text)
  end
  return directory
end

-- What scan finds, in words.
local function scan(text)
  local found = {}
  resolver.scan(
    text,
    function(kind, name, line) found[#found + 1] = ("%s %s %d"):format(kind, name or "?", line) end
  )
  return found
end

describe("Finding what a playbook requires", function()
  it(
    "sees every way to write a literal",
    function()
      assert.same(
        {
          "require a 1", "require b 1", "require c 2", "require d 3", "require e.f 4",
          "require g 5",
        },
        scan [==[
require "a" require('b')
local c = require [[c]].field
f(require [=[d]=]) -- require "no"
local s = "require 'no'" require ( "e.f" )
_G.require "g"; other.require "no"; x:require "no"
]==])
  end)

  it("takes a protected one as optional", function()
    assert.same({ "optional a 1" }, scan [[local ok, a = pcall(require, "a")]])
  end)

  it(
    "warns where the name is computed or require is passed on",
    function()
      assert.same(
        { "computed ? 1", "computed ? 2", "computed ? 3", "computed ? 4", "computed ? 5" },
        scan [[
require("a" .. b)
require(name)
local load = require
pcall(require, name)
map(names, require)]])
  end)

  it(
    "is no use where require is only named",
    function()
      assert.same(
        {},
        scan(
          "local t = { require = 1 } t.require = nil function x.require() end "
            .. "function require(n) end require = nil"
        )
      )
    end
  )

  it(
    "sees f5.asset",
    function()
      assert.same(
        { "asset a.txt 1", "asset b 1" },
        scan [[f5.asset "a.txt" f5.asset("b") f5.asset(x) g5.asset "c"]]
      )
    end
  )
end)

describe("Resolving a playbook", function()
  local function resolve(directory, options)
    local entries, warnings, errors = resolver.resolve(directory.path .. "/main.lua", options or {})
    local names = {}
    for i, entry in ipairs(entries) do names[i] = entry.kind .. " " .. entry.name end
    table.sort(names)
    return names, table.concat(warnings, "\n"), table.concat(errors, "\n")
  end

  it("follows modules transitively, once each, through circles, beside the playbook", function()
    local directory <close> = tree {
      ["main.lua"] = '#!/usr/bin/env f5lua\nlocal f5 = require "f5" require "a" require "argparse" '
        .. 'require "cjson" require "string"',
      ["a.lua"] = 'require "lib.b"',
      ["lib/b.lua"] = 'require "lib" require "a"',
      ["lib/init.lua"] = "",
      ["unused.lua"] = "",
    }
    local names, warnings, errors = resolve(directory)
    assert.same({ "main main.lua", "module a", "module lib", "module lib.b" }, names)
    assert.equal("", warnings .. errors)
  end)

  it("lists where it looked for what is not there", function()
    local directory <close> = tree { ["main.lua"] = '\nrequire "nope.deep"' }
    local _, _, errors = resolve(directory)
    local expected = (
      "%s/main.lua:2: module 'nope.deep' not found:\n\tno file '%s/nope/deep.lua'\n\tno file "
        .. "'%s/nope/deep/init.lua'\n"
    ):format(
      directory.path,
      directory.path,
      directory.path
    )
    assert.equal(expected, errors:sub(1, #expected))
  end)

  it("only warns of it under pcall, or when the disk is allowed", function()
    local directory <close> = tree { ["main.lua"] = 'pcall(require, "nope")' }
    local _, warnings, errors = resolve(directory)
    assert.truthy(warnings:find("main.lua:1: module 'nope' is not packed:", 1, true))
    assert.equal("", errors)
    local other <close> = tree { ["main.lua"] = 'require "nope"' }
    _, warnings, errors = resolve(other, { allow_disk = true })
    assert.truthy(warnings:find("module 'nope' is not packed:", 1, true))
    assert.equal("", errors)
  end)

  it(
    "a module of the playbook goes before one that comes with f5lua, but nothing goes before f5",
    function()
      local directory <close> = tree {
        ["main.lua"] = 'require "argparse" require "f5"',
        ["argparse.lua"] = "return 1",
        ["f5.lua"] = "return 1",
      }
      assert.same({ "main main.lua", "module argparse" }, (resolve(directory)))
    end
  )

  it("reports what is not Lua with file and line", function()
    local directory <close> = tree { ["main.lua"] = 'require "bad"', ["bad.lua"] = "x = \n= 1" }
    local _, _, errors = resolve(directory)
    assert.equal(directory.path .. "/bad.lua:2: unexpected symbol near '='", errors)
  end)

  it("includes files as assets, and Lua files as modules too, with what they require", function()
    local directory <close> = tree {
      ["main.lua"] = 'local f5 = require "f5" require(name) print(f5.asset "data/a.json", f5.asset '
        .. '"lost.txt")',
      ["data/a.json"] = "{}",
      ["data/.hidden"] = "",
      ["data/deep/b.csv"] = "",
      ["plugins/one.lua"] = 'require "two"',
      ["two.lua"] = "",
    }
    local names, warnings = resolve(directory, { include = { "data", "plugins/*.lua" } })
    assert.same(
      {
        "asset data/a.json", "asset data/deep/b.csv", "asset plugins/one.lua", "main main.lua",
        "module plugins.one", "module two",
      },
      names
    )
    assert.truthy(
      warnings:find(
        "main.lua:1: the file 'lost.txt' is not in the program; add it with --include",
        1,
        true
      )
    )
    assert.truthy(warnings:find("main.lua:1: the name in this `require` is computed", 1, true))
    local _, _, errors = resolve(directory, { include = { "*.nothing" } })
    assert.equal("--include *.nothing: no file matches, here or relative to the playbook", errors)
  end)
end)

describe("Patterns of --include", function()
  it("know *, ?, [], ** and directories", function()
    local directory <close> = tree {
      ["a.txt"] = "", ["b.txt"] = "", ["c.md"] = "", ["d/e.txt"] = "", ["d/f/g.txt"] = "",
      [".h.txt"] = "",
    }
    local function found(pattern)
      local names = glob(directory.path, pattern)
      for i, name in ipairs(names) do names[i] = name:sub(#directory.path + 2) end
      return table.concat(names, " ")
    end
    assert.equal("a.txt b.txt", found "*.txt")
    assert.equal("b.txt", found "[!a].txt")
    assert.equal("a.txt b.txt", found "[ab].txt")
    assert.equal("a.txt b.txt d/e.txt d/f/g.txt", found "**/*.txt")
    assert.equal("d/e.txt d/f/g.txt", found "d")
    assert.equal("d/e.txt d/f/g.txt", found "d/**")
    assert.equal(".h.txt", found ".h*")
    assert.equal("c.md", found "?.md")
    assert.equal("", found "nothing/*")
  end)

  it("do not follow links that lead back", function()
    local directory <close> = tree { ["a.txt"] = "", ["d/e.txt"] = "", ["other/f.txt"] = "" }
    for name, to in pairs {
      ["d/one"] = ".", ["d/two"] = "..", ["d/three"] = "../d", ["d/other"] = "../other",
    } do
      assert(os.execute(("ln -s %s %s/%s"):format(to, directory.path, name)))
    end
    for _, pattern in ipairs { "d", "d/**", "**/*.txt", "**" } do
      local names <const>, seen <const> = glob(directory.path, pattern), {}
      assert.is_true(#names < 20, pattern)
      for _, name in ipairs(names) do seen[name:sub(#directory.path + 2)] = true end
      assert.is_true(seen["d/e.txt"] and seen["d/other/f.txt"], pattern)
    end
  end)
end)
