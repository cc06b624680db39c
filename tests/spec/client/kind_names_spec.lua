-- Every name works on every kind of the catalogue, in both styles: ref.NAME, ref["/Common/NAME"].
-- What a device refuses is refused in its words. By default each kind has one of the names in turn;
-- `scripts/test --slow` tries all names on all kinds.
local every_kind = require "walk.every_kind"
local f5 = require "f5"
local lab = require "lab"

local ODD <const> = {
  "a b", "a%b", "a%20b", "a*", "*", "a?b", "a\"b", "a'b", "a[b]", "a(b)", "{a}", "\u{e4} \u{df}",
  "\u{65e5}\u{672c}", "a:b", "a+b", "a&b=c", "a#b", "a;b", "a,b", "a@b", "-", "load", "members",
  "1", "a.b", "stats?", "a<b>", "a\\b", "a|b", "$top", "a!",
}

-- Their names are those of other things, or nobody gives them a name.
local NAMED_BY_OTHERS <const> = {
  ["net/vlan/*/interfaces"] = "an interface",
  ["sys/application/service"] = "its folder has the same name",
  ["ltm/classification/signatures"] = "a version",
  ["ltm/classification/stats/application"] = "a counter",
  ["ltm/classification/stats/url-category"] = "a counter",
  ["ltm/classification/update-signatures"] = "a task",
  ["ltm/clientssl-proxy/cached-certs"] = "an entry of a cache",
  ["ltm/clientssl/ocsp-stapling-responses"] = "an entry of a cache",
  ["ltm/dns/cache/records/key"] = "an entry of a cache",
  ["ltm/dns/cache/records/msg"] = "an entry of a cache",
  ["ltm/dns/cache/records/nameserver"] = "an entry of a cache",
  ["ltm/dns/cache/records/rrset"] = "an entry of a cache",
  ["ltm/dns/dns-express-db"] = "a database",
  ["ltm/persistence/persist-records"] = "a record of traffic",
  ["net/ipsec/ike-sa"] = "a connection",
  ["net/ipsec/ipsec-sa"] = "a connection",
  ["sys/crypto/crl"] = "a file",
  ["sys/crypto/fips/by-handle"] = "a number",
  ["sys/crypto/pkcs12"] = "a file",
  ["sys/file/ssl-cert/*/bundle-certificates"] = "a part of a file",
}
-- Objects that are named as others, which must exist.
local ATTACHED <const> = {
  "/profiles$", "/policies$", "device%-group/%*/devices$", "prober%-pool/%*/members$",
}

-- A slash is a part of the name: "/Common/web" is not "web".
local LITERAL <const> = { ["gtm/server/*/virtual-servers"] = true }

describe("An odd name, on every kind of the catalogue,", function()
  local device, bip
  setup(function() device, bip = every_kind.start() end)
  teardown(function() lab.stop(bip, device) end)

  local problems, counts

  local function problem(ref, text, ...)
    problems[#problems + 1] = ("%s: %s"):format(tostring(ref), text:format(...))
  end

  -- Runs a call; a failure is a problem. Returns its result.
  local function does(ref, title, fn, ...)
    local ok, result = pcall(fn, ...)
    if ok then return result end
    problem(ref, "%s: %s", title, tostring(result))
    return nil
  end

  local function check(ref, title, wanted, is)
    if wanted ~= is then problem(ref, "%s: %s", title, tostring(is)) end
  end

  -- The refusals of names that a device knows.
  local function is_expected(template, name, err)
    local missing = tostring(err.message):match "^01020036:3: .* %((.*)%) was not found%.$"
    for _, pattern in ipairs(missing == "/Common/" .. name and ATTACHED or {}) do
      if template:find(pattern) then return true end
    end
    local said, character =
      tostring(err.message):match "^01070712:3: The name %((.-)%) contains the character '(.)'"
    local named = said == name or said == "/Common/" .. name
    return err.status == 400 and named and name:find(character, 1, true) ~= nil
  end

  local function change(ref, node)
    local spec = node.props.description
    if not spec or spec.r or spec.t ~= "s" then return end
    counts.changed = counts.changed + 1
    local object = does(ref, "modify", ref.modify, ref, { description = "odd" })
    check(ref, "modify", "odd", object and object.description)
    check(ref, "ensure", "changed", does(ref, "ensure", ref.ensure, ref, { description = "even" }))
  end

  local function is_sub_collection(node, name)
    for _, sub in pairs(node.subs or {}) do
      if sub == name then return true end
    end
    return false
  end

  -- Makes an object by one style, uses it by both, and deletes it.
  local function life(collection, template, node, body, name, full)
    -- a name that is that of a method, too, needs `at`
    local by_name = type(collection[name]) == "userdata" and collection[name] or collection:at(name)
    local by_path = LITERAL[template] and by_name or collection["/Common/" .. name]
    local ref, other = by_name, by_path
    if full then ref, other = other, ref end
    counts.tried = counts.tried + 1
    check(ref, "exists before", false, does(ref, "exists", ref.exists, ref))
    local ok, err = pcall(ref.create, ref, body)
    if not ok then
      counts.refused = counts.refused + 1
      if not is_expected(template, name, err) then problem(ref, "create: %s", tostring(err)) end
      check(ref, "exists after a refusal", false, does(ref, "exists", ref.exists, ref))
      return
    end
    counts.made = counts.made + 1
    for _, one in ipairs { ref, other } do
      check(one, "exists", true, does(one, "exists", one.exists, one))
      local object = does(one, "load", one.load, one)
      local is = object and object.name
      check(one, "its name", name, is == "/Common/" .. name and name or is)
      device:clear_log()
      check(one, "ensure", "unchanged", does(one, "ensure", one.ensure, one, body))
      check(one, "writes of ensure", 0, #lab.writes(device))
    end
    change(other, node)
    does(other, "delete", other.delete, other)
    check(ref, "exists after delete", false, does(ref, "exists", ref.exists, ref))
  end

  it("is that of one object", function()
    problems, counts = {}, { tried = 0, made = 0, refused = 0, changed = 0 }
    local turn = 0
    every_kind.walk(function(template, node, path)
      if not every_kind.can_be_made(template, node) then return nil end
      local collection, body = bip:at(path), every_kind.body(template)
      if not every_kind.has_special_names(template) and not NAMED_BY_OTHERS[template] then
        for _ = 1, lab.slow and #ODD or 1 do
          turn = turn + 1
          local name = ODD[turn % #ODD + 1]
          -- …/pool/members: the members of which pool?
          if not is_sub_collection(node, name) then
            life(collection, template, node, body, name, turn % 2 == 0)
          end
        end
      end
      if template:find "^gtm/wideip/[^/*]+$" then -- these are patterns, too
        for _, name in ipairs { "*.odd.example.net", "w?w.example.net" } do
          life(collection, template, node, body, name, name:find "^%*" ~= nil)
        end
      end
      local ref = bip:at(path, every_kind.name(template))
      local made = does(ref, "create", ref.create, ref, body)
      return made and path .. "/" .. (made.fullPath or made.name):gsub("/", "~")
    end)
    table.sort(problems)
    assert.equal("", table.concat(problems, "\n"))
    local summary = f5.json.encode(counts)
    assert.truthy(counts.tried >= 800 and counts.made >= 345 and counts.changed >= 125, summary)
    assert.truthy(counts.made + counts.refused == counts.tried, summary)
  end)
end)
