-- Editors, the console's help and docs/api.md know every public function: those of the live module
-- are looked up in the annotations.
local annotations = require "console.annotations"
local core = require "f5.core"
local f5 = require "f5"
local sim = require "f5.sim"

-- Methods of the object's metatable that a script may call.
local function methods_of(object)
  local index = getmetatable(object).__index
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

  it("are there for every method of sessions, references, transactions and inventories", function()
    check("f5.session", core.session_methods)
    check("f5.reference", core.reference_methods)
    check("f5.transaction", core.transaction_methods)
    local device <close> = sim.start { provision = { "ltm", "asm", "apm" } }
    check("f5.sim.device", methods_of(device))
    local bip <close> = f5.connect(device:options "admin")
    check("f5.asm", methods_of(f5.asm(bip)))
    check("f5.asm.live", methods_of(f5.asm(bip).live))
    check("f5.apm", methods_of(f5.apm(bip)))
  end)

  it("describe what they name", function()
    local silent = {}
    for _, class_name in ipairs { "f5", "f5.session", "f5.reference", "f5.transaction" } do
      for _, fn in ipairs(annotations.class(class_name).functions) do
        if not annotations.summary(fn) and #fn.params > 0 then
          silent[#silent + 1] = annotations.signature(fn)
        end
      end
    end
    assert.same({}, silent)
    local connect = annotations.class("f5").functions.connect
    assert.equal("f5.connect(options?)", annotations.signature(connect))
    assert.equal("f5.options|string", connect.params[1].type)
    assert.is_truthy(annotations.fields(connect.params[1].type).password)
    assert.same(
      { '"token"', '"basic"' },
      annotations.choices(annotations.class("f5.options").fields.auth.type)
    )
  end)
end)
