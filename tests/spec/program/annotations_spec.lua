-- The annotations describe every public function of the live module, and the check of
-- scripts/api-docs finds what they lack.
local annotations = require "console.annotations"
local apidocs = require "cli.support.apidocs"
local core = require "f5.core"
local f5 = require "f5"
local sim = require "f5.sim"

-- Methods of the object's metatable that a script may call.
local function methods_of(object)
  local index = debug.getmetatable(object).__index
  return type(index) == "table" and index or {}
end

local function check(class_name, functions)
  local class = assert(annotations.class(class_name), "no class " .. class_name)
  local missing = {}
  for name, value in pairs(functions) do
    if
      type(value) == "function" and type(name) == "string" and not name:find "^_"
      and not class.functions[name]
    then
      missing[#missing + 1] = name
    end
  end
  table.sort(missing)
  assert.same({}, missing, class_name .. " has functions without annotation")
end

describe("annotations", function()
  it("are there for every function of the module", function()
    for _, name in ipairs { "each", "inventory", "asset", "filter", "asm", "apm", "sim" } do
      assert.is_truthy(f5[name])
    end
    local functions = {}
    for name, value in pairs(f5) do functions[name] = value end
    check("f5", functions)
    check("f5.json", f5.json)
    check("f5.filter", f5.filter)
    check("f5.sim", sim)
  end)

  it("are there for every method", function()
    check("f5.session", core.session_methods)
    check("f5.reference", core.reference_methods)
    check("f5.transaction", core.transaction_methods)
    local device <close> = sim.start { provision = { "ltm", "asm", "apm" } }
    check("f5.sim.device", methods_of(device))
    local bip <close> = f5.connect(device:options "admin")
    check("f5.task", methods_of(bip:task { path = "sys/ucs", id = 1 }))
    check("f5.inventory", { limit = f5.inventory.limit })
    local report = methods_of(f5.each({}, {}, function() end))
    check("f5.report", { -- `new` is for f5.each
      counts = report.counts, summary = report.summary, write = report.write, plain = report.plain,
      outcome = report.outcome,
    })
    check("f5.asm", methods_of(f5.asm(bip)))
    check("f5.asm.live", methods_of(f5.asm(bip).live))
    check("f5.apm", methods_of(f5.apm(bip)))
  end)

  it("describe what they name", function()
    local connect = annotations.class("f5").functions.connect
    assert.equal("f5.connect(options?)", annotations.signature(connect))
    assert.equal("f5.options|string", connect.params[1].type)
    assert.is_truthy(annotations.fields(connect.params[1].type).password)
    assert.same(
      { '"token"', '"basic"' },
      annotations.choices(annotations.class("f5.options").fields.auth.type)
    )
  end)

  it("know the errors and the source of a function", function()
    local wait = annotations.class("f5.task").functions.wait
    assert.matches('^call errors; "task": .* "timeout": it still runs; ', wait.raises)
    assert.equal('REST API User Guide 14.1, "Using an asynchronous task"', wait.source)
    assert.matches("deletes the task", table.concat(wait.doc, " "))
    assert.not_matches("Raises", table.concat(wait.doc, " "))
    assert.equal("result", wait.returns[1].name)
  end)

  it("give the fields of a class those of its parent", function()
    local fields = annotations.fields "f5.transaction.options|nil"
    assert.equal("number|false", fields.keep_alive.type)
    assert.equal("boolean", fields.async.type)
  end)

  it("list the kinds of errors of the runtime", function()
    local kinds = annotations.alias "f5.error.kind"
    assert.equal(#core.error_kinds(), #kinds)
    for i, kind in ipairs(core.error_kinds()) do
      assert.same({ name = kind.name, doc = kind.meaning }, kinds[i])
    end
  end)

  -- The check is part of scripts/api-docs --check, which scripts/test runs.
  describe("are checked:", function()
    local load = annotations.class("f5.reference").functions.load

    local function problems() return table.concat(apidocs.problems {}, "\n") end

    local function with(item, field, value, message)
      local before = item[field]
      item[field] = value
      local found = problems()
      item[field] = before
      assert.equal(message, found)
    end

    it("nothing is missing", function() assert.equal("", problems()) end)

    it("a parameter, a result and a field have descriptions", function()
      with(
        load.params[1], "doc", "", "reference:load(options?): parameter options has no description"
      )
      with(load.returns[1], "doc", "", "reference:load(options?): result body has no description")
      local port = annotations.class("f5.options").fields.port
      with(port, "doc", "", "f5.options: field port has no description")
    end)

    it("the fields of a table are described", function()
      with(
        load.params[1],
        "type",
        "{ page?: integer }",
        "reference:load(options?): parameter options is a table without a class: describe its "
          .. "fields"
      )
    end)

    it("a function has errors of known kinds and a source that exists", function()
      with(load, "raises", nil, "reference:load(options?): no line *Raises*")
      with(
        load,
        "raises",
        '"lost": it is lost',
        'reference:load(options?): "lost" is not a kind of error'
      )
      with(load, "source", nil, "reference:load(options?): no line *Source*")
      with(
        load,
        "source",
        "somebody",
        "reference:load(options?): *Source* is neither a section, a page nor a URL"
      )
      with(load, "source", "docs/none.md", "reference:load(options?): there is no docs/none.md")
      with(
        load,
        "source",
        'docs/fleets.md, "None"',
        "reference:load(options?): docs/fleets.md has no section 'None'"
      )
    end)

    it("a new file is in the list", function()
      assert.same(
        { "lualib/meta/f5/new.lua is not in the list of lualib/console/annotations.lua" },
        apidocs.problems { "lualib/meta/f5/new.lua" }
      )
    end)
  end)
end)
