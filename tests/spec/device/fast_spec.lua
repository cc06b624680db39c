-- The simulated FAST: template sets that are uploaded, what their templates make of parameters, and
-- the applications that AS3 deploys. F5's own templates are read from a git directory of
-- F5Networks/f5-appsvcs-templates: F5LUA_FAST=DIRECTORY.
local curl = require "curl"
local json = require "f5.json"
local lab = require "lab"
local sim = require "f5.sim"
local zip = require "devices.zip"

local FAST <const> = "/mgmt/shared/fast/"

-- An archive whose only file is packed: packed/one.mst.
local PACKED <const> = (
  "504b03041400000008000000215095a5fdaea8000000f50000000e0000007061636b65642f6f6e652e6d7374"
  .. "558dc10ac2301044effd8ab8e7500a5e24b7a01fd08378110f6bba6069da844d1024e4dfdd16443dec61decc"
  .. "ce94b253564574130d2ad31c3d6652b536059cc794c0803d1d4143720f9af1429cc6b008ddb75ddb092f25d3"
  .. "824bae15ccf7e7bcb1cdc618ff3d1ba31f1de6b547430cc1ffbafdaa35b08cf124ba94256492060d33cd77d9"
  .. "07732d90889fa3a33e700673e8f40688ed3030a5441292e58f300699f1556bbdc9d5e60d504b010214031400"
  .. "000008000000215095a5fdaea8000000f50000000e00000000000000000000008001000000007061636b6564"
  .. "2f6f6e652e6d7374504b050600000000010001003c000000d40000000000"
):gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end)

local WEB <const> = [[
title: Web
description: a pool and its names
contentType: application/json
definitions:
  tenant: &name
    title: Tenant
    type: string
    pattern: '^[A-Za-z][A-Za-z0-9]*$'
  app:
    <<: *name
    title: Application
  port:
    type: integer
    minimum: 1
    maximum: 65535
    default: 80
  monitor: {type: boolean, default: false}
  interval: {type: integer, default: 5}
  timeout:
    type: integer
    mathExpression: 3*interval+1
  members:
    type: array
    minItems: 1
    uniqueItems: true
    items: {type: string, format: ipv4}
template: |
  {
    "class": "ADC", "schemaVersion": "3.0.0",
    "{{tenant}}": {
      "class": "Tenant",
      "{{app}}": {
        "class": "Application",
        {{#monitor}}
        "check": {
          "class": "Monitor", "monitorType": "tcp", "interval": {{interval}},
          "timeout": {{timeout}}, "send": "", "receive": ""
        },
        {{/monitor}}
        "pool": {
          "class": "Pool",
          {{#monitor}}"monitors": [{ "use": "check" }],{{/monitor}}
          "members": [{ "servicePort": {{port}}, "serverAddresses": {{members}} }]
        }
      }
    }
  }
]]

local BOTH <const> = [[
title: Web and note
contentType: application/json
allOf:
  - $ref: "web.yaml#"
anyOf:
  - {}
  - title: a rule
    contentType: application/json
    bigipDependencies: [asm]
    template: |
      {"{{tenant}}": {"{{app}}": {"asm": {"class": "Pool"}}}}
definitions:
  note: {type: string, default: "a < b"}
template: |
  {"{{tenant}}": {"{{app}}": {"label": "{{note}}"}}}
]]

local PLAIN <const> = [[
{{! Only names }}
{"class":"ADC","schemaVersion":"3.0.0","{{tenant}}":{"class":"Tenant","{{app}}":{
"class":"Application","p":{"class":"Pool","members":[
{"servicePort":{{port:types:port}},"serverAddresses":{{members::array}}}]}}}}
]]

local FILES <const> = {
  ["web.yaml"] = WEB, ["both.yml"] = BOTH, ["plain.mst"] = PLAIN,
  ["types.json"] = '{"definitions":{"port":{"type":"integer","default":8080,"maximum":9000}}}',
  ["needs.yaml"] = "title: WAF\nbigipDependencies: [asm]\ntemplate: '{\"{{tenant}}\": 1}'\n",
}

local device

local function call(method, path, body)
  return curl {
    device, method, FAST .. path, body = body,
    headers = type(body) == "string" and { ["Content-Type"] = "application/json" } or nil,
  }
end

local function upload(name, bytes)
  local answer = curl {
    device, "POST", "/mgmt/shared/file-transfer/uploads/" .. name .. ".zip", body = bytes,
    headers = {
      ["Content-Type"] = "application/octet-stream",
      ["Content-Range"] = ("0-%d/%d"):format(#bytes - 1, #bytes),
    },
  }
  assert.equal(200, answer.status, answer.body)
end

local function install(name, files)
  upload(name, type(files) == "string" and files or zip(files))
  return call("POST", "templatesets", { name = name })
end

local function start(words)
  device = sim.start { extensions = words or { "as3", "fast=1.25.0" } }
end

local function with_set()
  start()
  local answer = install("shop", FILES)
  assert.equal(200, answer.status, answer.body)
end

-- Parameters of the templates above.
local function parameters(more)
  local all = { tenant = "Blue", app = "web", members = { "192.0.2.1" } }
  for key, value in pairs(more or {}) do all[key] = value end
  return all
end

-- Deploys an application, and returns its task when it has ended.
local function deploy(name, given)
  local answer = call("POST", "applications", { name = name, parameters = given })
  assert.equal(202, answer.status, answer.body)
  device:advance(1)
  return call("GET", "tasks/" .. answer.json.message[1].id).json, answer.json
end

local function members(path)
  local answer = curl(device, "GET", "/mgmt/tm/ltm/pool/" .. path .. "/members")
  local names = {}
  for i, one in ipairs(answer.json.items or {}) do names[i] = one.name end
  return table.concat(names, " ")
end

after_each(function()
  if device then lab.stop(device) end
  device = nil
end)

describe("D3 template sets of FAST", function()
  it("are installed, shown and removed", function()
    with_set()
    local set = call("GET", "templatesets/shop").json
    assert.equal("shop", set.name)
    assert.is_false(set.supported)
    assert.equal(64, #set.hash)
    local names = {}
    for i, one in ipairs(set.templates) do names[i] = one.name .. "=" .. one.title end
    assert.equal("shop/both=Web and note shop/needs=WAF shop/plain= shop/web=Web",
      table.concat(names, " "))
    assert.equal("Only names", set.templates[3].description)
    assert.equal("shop/types", set.schemas[1].name)
    assert.same({ self = "/mgmt/shared/fast/templatesets/shop" }, set._links)
    assert.same({ "shop/both", "shop/needs", "shop/plain", "shop/web" },
      call("GET", "templates").json)
    local info = call("GET", "info").json
    assert.equal("1.25.0 3.56.0 1", table.concat({
      info.version, info.as3Info.version, #info.installedTemplates,
    }, " "))
    assert.equal("success", call("DELETE", "templatesets/shop").json.message)
    assert.same({}, call("GET", "templatesets").json)
    local gone = call("GET", "templatesets/shop")
    assert.equal("404 Template set shop does not exist", gone.status .. " " .. gone.json.message)
    gone = call("DELETE", "templatesets/shop")
    assert.equal('404 Could not find template set "shop"', gone.status .. " " .. gone.json.message)
  end)

  it("may be packed, in a folder", function()
    start()
    assert.equal(200, install("one", PACKED).status)
    local template = call("GET", "templates/one/one").json
    assert.equal("A packed template", template.description)
    assert.equal("MST one/one", template.sourceType .. " " .. template.title)
  end)

  it("are refused if something in them is wrong", function()
    start()
    local function refused(status, pattern, files)
      local answer = install("bad", files)
      assert.equal(status, answer.status, answer.body)
      assert.matches(pattern, answer.json.message)
    end
    refused(400, "^Template set %(bad%) failed validation: template set contains no templates", {
      ["x.json"] = "{}",
    })
    refused(400, "Failed to find the specified schema: types", { ["x.mst"] = "{{a:types:b}}" })
    refused(400, 'Unclosed section "a"', { ["x.mst"] = "{{#a}}" })
    refused(400, "failed validation: Parsing references failed", {
      ["x.yaml"] = 'template: ""\nallOf:\n  - $ref: "no.yaml#"\n',
    })
    refused(400, "path outside of the template set", {
      ["x.yaml"] = 'template: ""\nallOf:\n  - $ref: "../no.yaml#"\n',
    })
    local bomb = { "a0: &a0 [x, x, x, x, x, x, x, x]" }
    for i = 1, 20 do
      bomb[#bomb + 1] = ("a%d: &a%d [%s*a%d]"):format(i, i, ("*a%d, "):format(i - 1):rep(7), i - 1)
    end
    refused(400, "the aliases stand for too much", {
      ["x.yaml"] = table.concat(bomb, "\n") .. '\ntemplate: ""\n',
    })
    refused(400, "the references have no end", {
      ["x.yaml"] = 'template: ""\nallOf:\n  - $ref: "y.yaml#"\n',
      ["y.yaml"] = 'template: ""\nallOf:\n  - $ref: "x.yaml#"\n',
    })
    local large = zip { ["x.mst"] = "" }
    local size = large:find("PK\1\2", 1, true) + 24 -- of the unpacked file
    refused(500, "more than 4194304 bytes",
      large:sub(1, size - 1) .. ("<I4"):pack(4194305) .. large:sub(size + 4))
    refused(500, "end of central directory", "no archive")
    refused(500, "invalid data in packed/one.mst", PACKED:sub(1, 44) .. "\7" .. PACKED:sub(46))
    refused(500, "invalid central directory", PACKED:sub(1, 30) .. PACKED:sub(-22))
    assert.same({}, call("GET", "templatesets").json)
    local unknown = call("POST", "templatesets", { name = "never" })
    assert.equal("404 Client Error: /var/config/rest/downloads/never.zip does not exist",
      unknown.status .. " " .. unknown.json.message)
    assert.equal(400, call("POST", "templatesets", {}).status)
  end)

  it("show what a template wants", function()
    with_set()
    local template = call("GET", "templates/shop/web").json
    local schema = template._parametersSchema
    assert.same({ "tenant", "app", "members" }, schema.required)
    assert.equal("3*interval+1", schema.properties.timeout.mathExpression)
    assert.equal(80, schema.properties.port.default)
    assert.same({ "monitor" }, schema.dependencies.interval)
    local plain = call("GET", "templates/shop/plain").json._parametersSchema
    assert.equal(8080, plain.properties.port.default)
    local missing = call("GET", "templates/shop/nothing")
    assert.equal("404 Client Error: Could not find template shop/nothing",
      missing.status .. " " .. missing.json.message)
    local needs = call("GET", "templates/shop/needs")
    assert.equal("400 Client Error: Could not load template shop/needs",
      needs.status .. " " .. needs.json.message)
  end)
end)

describe("D3 templates of FAST", function()
  local function rendered(name, given)
    local answer = call("POST", "render", { name = name, parameters = given })
    assert.equal(200, answer.status, answer.body)
    return answer.json.message[1].appDef, answer.json.message[1].metaData
  end

  local function refused(status, body)
    local answer = call("POST", "render", body)
    assert.equal(status, answer.status, answer.body)
    return answer.json.message
  end

  it("make declarations of parameters and defaults", function()
    with_set()
    local app, meta = rendered("shop/web", parameters { monitor = true, interval = 7 })
    assert.same({
      class = "Application",
      check = {
        class = "Monitor", monitorType = "tcp", interval = 7, timeout = 22, send = "",
        receive = "",
      },
      pool = {
        class = "Pool", monitors = { { use = "check" } },
        members = { { servicePort = 80, serverAddresses = { "192.0.2.1" } } },
      },
    }, app.Blue.web)
    assert.equal("shop/web local 7", table.concat({
      meta.template, meta.templateType, meta.view.interval,
    }, " "))
    assert.equal(nil, rendered("shop/web", parameters()).Blue.web.check)
    local plain = rendered("shop/plain", parameters()).Blue.web.p.members[1]
    assert.same({ servicePort = 8080, serverAddresses = { "192.0.2.1" } }, plain)
  end)

  it("are not filled from a network", function()
    start()
    install("net", { ["x.yaml"] =
      'definitions:\n  a: {url: "http://192.0.2.1/"}\ntemplate: "{{a}}"\n' })
    assert.matches("error loading http://192.0.2.1/:\nnot simulated",
      refused(400, { name = "net/x", parameters = { a = "b" } }))
  end)

  it("are made of others, without those that the device cannot have", function()
    with_set()
    local web = rendered("shop/both", parameters()).Blue.web
    assert.equal("a &lt; b", web.label) -- messages of FAST are escaped
    assert.equal("Pool", web.pool.class)
    assert.equal(nil, web.asm)
  end)

  it("say what is wrong with parameters", function()
    with_set()
    assert.equal([[
Failed to render template: shop/web. Parameters failed validation:
{
  "tenant": "Blue",
  "members": []
}

Validation error:
[
  {
    "keyword": "required",
    "dataPath": "",
    "schemaPath": "#/required",
    "params": {
      "missingProperty": "app"
    },
    "message": "should have required property 'app'"
  }
]
]], refused(400, '{"name":"shop/web","parameters":{"tenant":"Blue","members":[]}}') .. "\n")
    local twice = parameters { members = { "192.0.2.1", "192.0.2.2", "192.0.2.1" } }
    assert.matches("duplicate items %(items ## 2 and 0 are identical%)",
      refused(400, { name = "shop/web", parameters = twice }))
    assert.matches('"dataPath": ".members%[0%]"',
      refused(400, { name = "shop/web", parameters = parameters { members = { "x" } } }))
    assert.equal('Failed to render template: no/web. Unable to load template: no/web. Could not '
      .. 'find template set "no"', refused(404, { name = "no/web", parameters = {} }))
    assert.matches('Could not find template "no" in template set "shop"$',
      refused(404, { name = "shop/no", parameters = {} }))
    assert.matches('expected name to be of the form "setName/templateName", but got web$',
      refused(400, { name = "web", parameters = {} }))
    assert.matches("could not load template %(WAF%) due to missing modules: asm$",
      refused(400, { name = "shop/needs", parameters = {} }))
    assert.equal("parameters property is missing", refused(400, { name = "shop/web" }))
    assert.equal("name property is missing", refused(400, { parameters = {} }))
    local answer = curl {
      device, "POST", FAST .. "render", body = "{}", headers = { ["Content-Type"] = "text/plain" },
    }
    assert.equal("Content-Type application/json is required, got text/plain", answer.json.message)
  end)
end)

describe("D3 applications of FAST", function()
  it("are deployed, listed, changed and removed", function()
    with_set()
    local task, answer = deploy("shop/web", parameters())
    assert.equal("200 success create Blue web shop/web", table.concat({
      task.code, task.message, task.operation, task.tenant, task.application, task.name,
    }, " "))
    assert.equal("/mgmt/shared/fast/tasks/" .. task.id, answer._links.task)
    assert.equal("192.0.2.1:80", members "~Blue~web~pool")
    local list = call("GET", "applications").json
    assert.equal("Blue/web shop/web", list[1].tenant .. "/" .. list[1].name .. " "
      .. list[1].template)
    assert.same({ "Blue/web" }, call("GET", "templatesets/shop").json.templates[4].appsList)
    local used = call("DELETE", "templatesets/shop")
    assert.equal('400 Cannot delete template set shop, it is being used by:\n["Blue/web"]',
      used.status .. " " .. used.json.message)
    local one = call("GET", "applications/Blue/web").json
    assert.same({ "192.0.2.1" }, one.constants.fast.view.members)

    device:advance(10)
    local patch = call("PATCH", "applications/Blue/web", { parameters = { port = 8443 } })
    assert.equal(202, patch.status, patch.body)
    device:advance(1)
    assert.equal("192.0.2.1:8443", members "~Blue~web~pool")
    local moved = call("PATCH", "applications/Blue/web", { parameters = { app = "other" } })
    assert.equal("422 Client Error: PATCH would change application name from web to other",
      moved.status .. " " .. moved.json.message)

    device:advance(10)
    for _, nothing in ipairs { "0", '"x"', "null", "[1]", "true", "{}" } do
      local same = call("PATCH", "applications/Blue/web", '{"parameters":' .. nothing .. "}")
      assert.equal(202, same.status, nothing .. " " .. same.body)
      device:advance(10)
    end
    local removal = call("DELETE", "applications/Blue/web")
    assert.equal(202, removal.status, removal.body)
    device:advance(1)
    local gone = call("GET", "tasks/" .. removal.json.message[1].id).json
    assert.equal("200 delete Blue web", table.concat({
      gone.code, gone.operation, gone.tenant, gone.application,
    }, " "))
    assert.equal(404, curl(device, "GET", "/mgmt/tm/auth/partition/Blue").status)
    assert.same({}, call("GET", "applications").json)
    local again = call("DELETE", "applications/Blue/web")
    assert.equal("404 no tenant found for tenant name: Blue",
      again.status .. " " .. again.json.message)
  end)

  it("stay beside each other, and beside those of AS3", function()
    with_set()
    deploy("shop/web", parameters())
    device:advance(10)
    deploy("shop/plain", parameters { app = "two", members = { "192.0.2.2" } })
    assert.equal("192.0.2.1:80 192.0.2.2:8080",
      members "~Blue~web~pool" .. " " .. members "~Blue~two~p")
    local other = curl(device, "POST", "/mgmt/shared/appsvcs/declare", {
      class = "ADC", schemaVersion = "3.0.0", Red = { class = "Tenant", A = {
        class = "Application", q = { class = "Pool" },
      } },
    })
    assert.equal(200, other.status, other.body)
    assert.equal(2, #call("GET", "applications").json)
    assert.matches("not managed by FAST: Red/A", call("DELETE", "applications/Red/A").json.message)
    device:advance(10)
    call("DELETE", "applications")
    device:advance(1)
    assert.equal(404, curl(device, "GET", "/mgmt/tm/auth/partition/Blue").status)
    assert.equal(200, curl(device, "GET", "/mgmt/tm/auth/partition/Red").status)
  end)

  it("wait for their turn", function()
    with_set()
    local function post(app)
      local answer = call("POST", "applications",
        { name = "shop/web", parameters = parameters { app = app } })
      return answer.json.message[1].id
    end
    device:control("next_declaration", { seconds = 600 })
    local first, second = post "one", post "two"
    local function state(id)
      local task = call("GET", "tasks/" .. id).json
      return ("%d %s"):format(task.code, task.message)
    end
    device:advance(10)
    assert.equal("0 in progress", state(first))
    assert.equal("202 pending", state(second))
    device:advance(620)
    assert.equal("200 success", state(first))
    assert.equal("200 success", state(second))
    assert.equal("192.0.2.1:80", members "~Blue~two~pool")
    device:control("next_declaration", { seconds = 600 })
    local third, fourth = post "three", post "four"
    assert.equal("202 pending", state(fourth))
    device:restart { seconds = 1 }
    device:advance(20)
    assert.not_equal(nil, third)
    assert.equal(404, call("GET", "tasks/" .. fourth).status)
  end)

  it("fail with the words of AS3", function()
    with_set()
    local task = deploy("shop/web", parameters { app = "q", members = { "192.0.2.255" } })
    assert.equal(200, task.code)
    device:advance(10)
    curl(device, "POST", "/mgmt/tm/auth/partition", { name = "Other" })
    curl(device, "POST", "/mgmt/tm/ltm/node",
      { name = "192.0.2.77", partition = "Other", address = "192.0.2.77" })
    local failed = deploy("shop/web", parameters { members = { "192.0.2.77" } })
    assert.equal(422, failed.code)
    assert.matches("^declaration is invalid\n/Blue/web/pool/members: pool member", failed.message)
    assert.equal("Blue web", failed.tenant .. " " .. failed.application)
    local common = call("POST", "applications",
      { name = "shop/web", parameters = parameters { tenant = "Common" } })
    assert.equal("500 Error: Could not generate AS3 declaration: FAST applications cannot modify "
      .. "the /Common tenant", common.status .. " " .. common.json.message)
    local known = call("POST", "applications",
      { name = "shop/web", parameters = parameters { app = "q" }, allowOverwrite = false })
    assert.matches('application Blue/q already exists and "allowOverwrite" is false',
      known.json.message)
  end)

  it("come with a package", function()
    start {}
    local function answers(name) return curl(device, "GET", "/mgmt/shared/" .. name).status end
    assert.equal("404 404 404", table.concat({
      answers "fast/info", answers "telemetry/info", answers "appsvcs/info",
    }, " "))
    for _, package in ipairs { "f5-appsvcs-3.50.2-3", "f5-appsvcs-templates-1.24.0-1",
      "f5-telemetry-1.35.0-1" } do
      local file = package .. ".noarch.rpm"
      curl {
        device, "POST", "/mgmt/shared/file-transfer/uploads/" .. file, body = "\xED\xAB\xEE\xDB",
        headers = {
          ["Content-Type"] = "application/octet-stream", ["Content-Range"] = "0-3/4",
        },
      }
      curl(device, "POST", "/mgmt/shared/iapp/package-management-tasks",
        { operation = "INSTALL", packageFilePath = "/var/config/rest/downloads/" .. file })
      device:advance(60)
    end
    assert.equal("1.24.0 3.50.2", call("GET", "info").json.version .. " "
      .. call("GET", "info").json.as3Info.version)
    assert.equal("1.35.0", curl(device, "GET", "/mgmt/shared/telemetry/info").json.version)
  end)

  it("need AS3", function()
    start { "fast" }
    local info = call("GET", "info")
    assert.equal("500 Internal Error: Could not gather info.",
      info.status .. " " .. info.json.message)
    install("shop", FILES)
    local answer = call("POST", "applications", { name = "shop/web", parameters = parameters() })
    assert.equal(400, answer.status)
    assert.matches("^AS3 Driver failed to GET declaration: Request failed with status code 404\n",
      answer.json.message)
  end)
end)

describe("D3 settings of FAST", function()
  it("are read, changed and reset", function()
    start()
    assert.equal(10, call("GET", "settings").json.pendingTasksMaxNumber)
    assert.equal(200, call("PATCH", "settings", { pendingTasksMaxNumber = 3 }).status)
    assert.equal(3, call("GET", "settings").json.pendingTasksMaxNumber)
    local wrong = call("PATCH", "settings", { enableIpam = "x" })
    assert.equal(422, wrong.status)
    assert.matches("^Client Error: Supplied settings were not valid:\ninvalid config: ",
      wrong.json.message)
    assert.equal(422, call("POST", "settings", { enableIpam = true }).status)
    for _, value in ipairs { "true", "{}", "1", "[1]", "null" } do
      local refused = call("PATCH", "settings", '{"ipamProviders":' .. value .. "}")
      assert.equal(422, refused.status, value)
    end
    assert.equal(200, call("DELETE", "settings").status)
    assert.equal(10, call("GET", "settings").json.pendingTasksMaxNumber)
  end)
end)

describe("D3 the templates of F5", function()
  -- The files of bigip-fast-templates: name -> text.
  local function files_of(folder)
    local found, where = {}, "templates/bigip-fast-templates"
    local list <close> = assert(io.popen(("git --git-dir=%s ls-tree --name-only HEAD %s/"):format(
      folder, where)))
    for path in list:lines() do
      local git <close> = assert(io.popen(("git --git-dir=%s show HEAD:%s"):format(folder, path)))
      found[path:match "[^/]+$"] = git:read "a"
    end
    return found
  end

  it("are supported, and deploy applications", function()
    local folder = os.getenv "F5LUA_FAST"
    if not folder then return pending "F5LUA_FAST is not set" end
    start()
    local answer = install("bigip-fast-templates", files_of(folder))
    assert.equal(200, answer.status, answer.body)
    assert.is_true(call("GET", "templatesets/bigip-fast-templates").json.supported)
    local states = {}
    for i, name in ipairs { "http", "tcp", "udp" } do
      local task = deploy("bigip-fast-templates/" .. name, {
        tenant_name = "T" .. i, app_name = name, virtual_address = "198.51.100." .. i,
        virtual_port = 8000 + i, enable_tls_server = false, enable_tls_client = false,
        pool_members = { { serverAddresses = { "192.0.2." .. i }, servicePort = 80 } },
      })
      device:advance(10)
      states[i] = ("%s %d %s"):format(name, task.code, task.message)
    end
    assert.equal("http 200 success, tcp 200 success, udp 200 success", table.concat(states, ", "))
    assert.equal("192.0.2.2:80", members "~T2~tcp~tcp_pool")
    local json_list = json.encode(call("GET", "applications").json)
    assert.matches("bigip%-fast%-templates/udp", json_list)
  end)
end)
