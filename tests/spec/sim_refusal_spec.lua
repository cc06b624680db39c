-- Configuration that a BIG-IP refuses by itself, without looking at what others refer to.
local sim = require "f5.sim"
local curl = require "curl"

local device

local function start() device = sim.start {} end

local function stop()
  assert.equal(0, device:problems())
  device:stop()
end

local function post(path, body) return curl(device, "POST", path, body) end
local function patch(path, body) return curl(device, "PATCH", path, body) end

local function refused(answer, message, status)
  assert.equal(status or 400, answer.status, answer.body)
  assert.equal(message, answer.json.message)
end

local function taken(answer)
  assert.equal(200, answer.status, answer.body)
  return answer.json
end

describe("simulated device refuses: iRules", function()
  before_each(start)
  after_each(stop)

  local RULES <const> = "/mgmt/tm/ltm/rule"
  local function refuses(text, mistake)
    refused(post(RULES, { name = "r", apiAnonymous = text }), "01070151:3: Rule [/Common/r] error: /Common/r:" .. mistake)
  end

  it("for an event that there is not", function()
    refuses("when NO_SUCH_EVENT { }", "1: error: [unknown event (NO_SUCH_EVENT)][when NO_SUCH_EVENT { }]")
    refuses("when HTTP_REQUESTS { }", "1: error: [unknown event (HTTP_REQUESTS)][when HTTP_REQUESTS { }]")
    refuses("# when NO_1 {\nwhen RULE_INIT {\n  log \\{\n}\nwhen http_request {\n}", "5: error: [unknown event (http_request)][when http_request {]")
    taken(post(RULES, { name = "r", apiAnonymous = "when HTTP_REQUEST priority 5 { log {when NO_SUCH_EVENT {}} }\n\nwhen DNS_REQUEST timing on { }" }))
    refused(patch(RULES .. "/r", { apiAnonymous = "when LB_CHOSEN { }" }),
      "01070151:3: Rule [/Common/r] error: /Common/r:1: error: [unknown event (LB_CHOSEN)][when LB_CHOSEN { }]")
  end)

  it("for braces without the other, and for what is no command", function()
    refuses("when HTTP_REQUEST {\n  if { 1 } {\n}", "1: error: [parse error: PARSE syntax 18 {missing close-brace}][when HTTP_REQUEST {]")
    refuses("when HTTP_REQUEST {\n}\n}", "3: error: [undefined procedure: }][}]")
    refuses("when HTTP_REQUEST", '1: error: [missing a script after "when"][when HTTP_REQUEST]')
    refuses("log local0. hello", "1: error: [undefined procedure: log][log local0. hello]")
    taken(post(RULES, { name = "r", apiAnonymous = "# {\nproc p {a} { return \\} }\nwhen CLIENT_ACCEPTED { call p 1 }" }))
  end)
end)
