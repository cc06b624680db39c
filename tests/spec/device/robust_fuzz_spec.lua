-- Requests that are made to break the simulated device or to stop it: deep, endless and huge ones.
-- One thread serves all requests, so each must end within a second of processor time.
local f5 = require "f5"
local sim = require "f5.sim"
local json = require "f5.json"

local MAX_SECONDS <const> = 1
local DEEP <const> = 5000

describe("simulated device: hostile requests", function()
  local device, bip

  before_each(function()
    device = sim.start { provision = { "ltm", "asm", "gtm", "apm", "afm" } }
    local options = device:options "admin"
    options.auth, options.retries = "basic", 0
    bip = f5.connect(options)
  end)
  after_each(function()
    bip:close()
    device:stop()
  end)

  -- Sends a request; returns its answer, or nil and the error. It must neither be a 500 nor take
  -- long. os.clock counts the device's thread, too.
  local function send(label, method, path, options)
    local before = os.clock()
    local ok, answer = f5.try(bip.request, bip, method, path, options or {})
    local seconds = os.clock() - before
    local status = ok and 200 or answer.status or answer.kind
    assert.not_equal(500, status, label)
    assert.equal(0, device:problems(), label)
    assert.is_true(seconds < MAX_SECONDS, ("%s: %.1f s"):format(label, seconds))
    if ok then return answer end
    return nil, answer
  end

  local function quoted(script)
    return "-c '" .. script:gsub("'", "'\\''") .. "'"
  end

  local function bash(script)
    local answer = send(script:sub(1, 80), "POST", "/mgmt/tm/util/bash", {
      body = { command = "run", utilCmdArgs = "-c \"" .. script:gsub('[$`"\\]', "\\%0") .. "\"" },
    })
    return answer and answer.commandResult
  end

  it("end scripts that nest deeply", function()
    for _, script in ipairs {
      ("("):rep(DEEP) .. "echo" .. (")"):rep(DEEP),
      ("{ "):rep(DEEP) .. "echo" .. ("; }"):rep(DEEP),
      ("if true; then "):rep(DEEP) .. "echo" .. ("; fi"):rep(DEEP),
      ("echo $("):rep(DEEP) .. "echo" .. (")"):rep(DEEP),
      ('echo "$('):rep(DEEP) .. "echo" .. (')"'):rep(DEEP),
      ("echo "):rep(DEEP),
      ("! "):rep(DEEP),
    } do
      bash(script)
    end
    -- what is nested moderately works
    assert.equal("deep\n", bash(("echo $("):rep(20) .. "echo deep" .. (")"):rep(20)))
    assert.equal("deep\n", bash(("("):rep(20) .. "echo deep" .. (")"):rep(20)))
  end)

  it("end scripts that call themselves, and say so", function()
    for _, script in ipairs {
      "echo 'bash /tmp/r; bash /tmp/r' > /tmp/r; bash /tmp/r",
      "echo '(bash /tmp/r)' > /tmp/r; bash /tmp/r",
      "a='eval \"$a\"'; eval \"$a\"",
      "a='eval \"$a\"; eval \"$a\"'; eval \"$a\"",
      "echo 'echo $(bash /tmp/r) $(bash /tmp/r)' > /tmp/r; bash /tmp/r",
      "a=x; " .. ("a=$a$a; "):rep(40) .. "echo $a | wc -c",
      "echo xxxxxxxx > /tmp/f; " .. ("cat /tmp/f /tmp/f > /tmp/g; mv /tmp/g /tmp/f; "):rep(40),
      ("tmsh list sys db > /dev/null;"):rep(1000),
      ("tmsh save sys config;"):rep(10000),
    } do
      assert.match("stopped by the simulated device", bash(script), script:sub(1, 60))
    end
    assert.equal("alive\n", bash "echo alive")
  end)

  it("match expressions of grep in one pass", function()
    bash("echo " .. ("a"):rep(100000) .. " > /tmp/a")
    for _, expression in ipairs {
      "a*a*a*a*a*a*b", "\\(a*\\)*\\(a*\\)*b", ".*.*.*.*.*.*.*b", "\\(\\(\\(a*\\)*\\)*\\)*b",
      "[a-z]*[a-z]*[a-z]*[0-9]",
    } do
      assert.equal("1\n", bash(("grep '%s' /tmp/a; echo $?"):format(expression)))
    end
    for _, expression in ipairs {
      ("\\("):rep(DEEP), "[a", "a\\", "\\(a", "a\\{1000\\}", "[[:nope:]]", "\\1", "a\\{2,1\\}",
      "\\(\\(\\(a\\{255\\}\\)\\{255\\}\\)\\{255\\}\\)\\{255\\}",
    } do
      assert.match("^grep: .*\n2\n$", bash(("grep '%s' /tmp/a; echo $?"):format(expression)))
    end
    local function finds(line, options)
      return bash(("echo '%s' | grep -c %s"):format(line, options)) == "1\n"
    end
    assert.is_true(finds("monitor down", "'^mon.*[dx]own$'"))
    assert.is_true(finds("10.0.0.1", "-E '^([0-9]{1,3}[.]){3}[0-9]+$'"))
    assert.is_true(finds("Up", "-i '\\(up\\|down\\)'"))
    assert.is_true(finds("a+b", "a+b"))
    assert.is_true(finds("a.b", "-F a.b"))
    assert.is_false(finds("aab", "-F a.b"))
    assert.is_false(finds("aab", "'^a[^a]'"))
  end)

  it("run programs with any arguments", function()
    local ARGUMENTS <const> = {
      "", "/", "''", "x", "-n", "-n -1", "-c 99999999999999999999", "-1", "-", "--", "+%Q", "+%",
      "+%E",
      "%999999999s", "%1000000000d x", "%--------d 5", "%.s5d", "%2.3q x", "% x y", "-d nope",
      "! ! !",
      "-e", "/tmp /", "/VERSION /", "a=b =c", "] ]", "'\\' \\",
    }
    for _, name in ipairs {
      "true", ":", "false", "echo", "printf", "cat", "head", "tail", "grep", "wc", "ls", "rm", "mv",
      "cp", "touch", "mkdir", "md5sum", "sha256sum", "base64", "stat", "cd", "pwd", "whoami", "id",
      "hostname", "uname", "date", "ps", "df", "last", "uptime", "sleep", "sync", "logger",
      "export",
      "set", "basename", "dirname", "test", "[", "bigstart", "tmsh", "exit", "eval", "bash", "sh",
      "nope", "tmsh list", "tmsh show", "tmsh save", "tmsh load", "tmsh cp", "tmsh mv", "tmsh run",
    } do
      for _, argument in ipairs(ARGUMENTS) do bash(name .. " " .. argument) end
    end
    assert.equal("%Q 2\n", bash "date +'%Q 2'")
    assert.equal(("%120s"):rep(1):gsub("%%120s", (" "):rep(119) .. "x"), bash "printf %120s x")
    -- bytes that are not UTF-8 cannot be in JSON
    assert.equal("\u{FFFD}", bash "echo /w== | base64 -d")
  end)

  it("do not run what stands in the arguments of a utility", function()
    for _, arguments in ipairs {
      "$(", "-c $(", ("("):rep(DEEP), "'", '"', "-c", "-f /", "%", ("-"):rep(60000),
      ("( "):rep(30000),
      ("a"):rep(60000), "-c " .. ("$("):rep(DEEP), "/etc/passwd", "\\",
    } do
      for _, name in ipairs {
        "bash", "dig", "qkview", "unix-ls", "unix-rm", "unix-mv", "get-dossier", "ping",
        "clientssl-ciphers", "geoip-lookup",
      } do
        send(name .. " " .. arguments:sub(1, 20), "POST", "/mgmt/tm/util/" .. name, {
          body = { command = "run", utilCmdArgs = arguments },
        })
      end
    end
    send("echo", "POST", "/mgmt/tm/util/bash", {
      body = { command = "run", utilCmdArgs = "$(echo hello > /tmp/ran)" },
    })
    assert.match("No such file", bash "cat /tmp/ran")
    send("quoted", "POST", "/mgmt/tm/util/bash", {
      body = { command = "run", utilCmdArgs = quoted "echo it works" },
    })
  end)

  it("have %2F at odd places", function()
    local function try(path)
      for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE" } do
        local body = method ~= "GET" and method ~= "DELETE" and { name = "x",
          description = "y" } or nil
        send(method .. " " .. path, method, path, { body = body })
      end
    end
    for _, path in ipairs {
      "/mgmt/tm", "/mgmt/tm/ltm/pool", "/mgmt/tm/ltm/pool/~Common~a/members", "/mgmt/tm/auth/user",
      "/mgmt/tm/auth/partition", "/mgmt/tm/sys/folder", "/mgmt/tm/sys/ucs", "/mgmt/tm/transaction",
      "/mgmt/tm/transaction/1/commands", "/mgmt/tm/task/sys/ucs", "/mgmt/tm/asm/policies",
      "/mgmt/tm/asm/tasks/export-policy", "/mgmt/shared/authz/tokens", "/mgmt/shared/authz/users",
      "/mgmt/shared/file-transfer/uploads", "/mgmt/shared/iapp/package-management-tasks",
      "/mgmt/cm/autodeploy/qkview", "/mgmt/tm/shared/sys/backup", "/mgmt/tm/live-update",
      "/mgmt/tm/sys/software/image", "/mgmt/tm/sys/crypto/cert", "/mgmt/tm/apm/session",
      "/mgmt/tm/cm", "/mgmt/tm/util", "/mgmt", "/mgmt/shared",
    } do
      for _, tail in ipairs {
        "/%2F", "%2F", "/%2Fx", "/a%2Fb", "/a%2F", "/%2F/stats", "/%2F%2F",
        "/..%2F..%2Fetc%2Fpasswd",
        "/~Common%2Fx", "/%2F/%2F", "/a%2Fstats", "/%2Fexample", "/%2e%2e/%2e%2e",
      } do
        try(path .. tail)
      end
    end
  end)

  it("have names with slashes, and names of other directories", function()
    for _, name in ipairs {
      "/", "//", "/Common/", "/Common//x", "~", "a/b/c/d", "..", "/../x", ("/a"):rep(2000), "\0",
      "a\nb",
      "../../../etc/passwd", "/etc/passwd",
    } do
      for _, collection in ipairs {
        "ltm/pool", "sys/folder", "auth/user", "auth/partition", "ltm/policy", "ltm/rule",
        "ltm/data-group/internal", "net/vlan", "sys/file/ssl-cert", "sys/crypto/key", "sys/ucs",
        "gtm/pool/a", "asm/policies", "cm/device-group", "cli/script", "sys/software/image",
        "sys/config",
      } do
        local path = "/mgmt/tm/" .. collection
        for _, body in ipairs {
          { name = name, password = "x", address = "10.0.0.1" },
          { command = "save", name = name },
          { command = "load", name = name },
          { command = "mv", name = name, target = name },
          { command = "cp", name = "http", target = name },
          { command = "install", name = name },
          { command = "publish", name = name },
          { command = "generate", name = name },
        } do
          send(collection .. " " .. json.encode(body):sub(1, 60), "POST", path, { body = body })
        end
      end
    end
  end)

  it("have names that end with a slash, or begin with two", function()
    for _, kind in ipairs {
      "ltm/pool", "ltm/rule", "ltm/profile/tcp", "gtm/pool/a", "sys/crypto/cert", "sys/crypto/csr",
      "sys/file/ssl-key", "sys/log-config/publisher", "security/firewall/policy", "cli/script",
      "apm/acl", "net/vlan",
    } do
      for _, name in ipairs { "/Common/a/", "a/", "/", "//c", "//", "/Common/", "//Common/a" } do
        local label = kind .. " " .. name
        local _, err = send(label, "POST", "/mgmt/tm/" .. kind, { body = { name = name } })
        assert.equal(400, err and err.status, label)
      end
    end
    assert.not_equal("0\n", bash "tmsh show running-config | grep -c '^ltm'")
  end)

  it("have thousands of properties", function()
    local many = {}
    for i = 1, 10000 do many["k" .. i] = i end
    send("create", "POST", "/mgmt/tm/security/log/profile", { body = { name = "m", many = many } })
    for _, script in ipairs {
      "tmsh save sys config file /var/tmp/m.scf", "tmsh list security log profile m > /dev/null",
      "cat /config/bigip.conf > /dev/null",
    } do
      bash(script)
    end
  end)

  it("have texts that no message of mcpd can hold", function()
    local line = '  if { [HTTP::uri] starts_with "/a" } { pool p }\n'
    local TOO_LONG <const> = "^01020057:3: The string with more than 65535 characters"
    for path, body in pairs {
      ["ltm/rule"] = { apiAnonymous = "when HTTP_REQUEST {\n" .. line:rep(20000) .. "}" },
      ["ltm/pool"] = { description = ("x"):rep(65536) },
      ["ltm/data-group/internal"] = {
        type = "string", records = { { name = "a", data = ("x"):rep(65536) } },
      },
      ["security/firewall/policy"] = { anything = { deep = { ("x"):rep(65536) } } },
    } do
      body.name = "long"
      local _, err = send(path, "POST", "/mgmt/tm/" .. path, { body = body })
      assert.match(TOO_LONG, err.message, path)
    end
    assert.truthy(send("64 KiB", "POST", "/mgmt/tm/ltm/pool", {
      body = { name = "long", description = ("x"):rep(65535) },
    }))
    -- the largest iRules are read quickly, also when their commands nest
    for n, words in ipairs { line, "set a [pool ", "class match [" } do
      local text = words:rep(20000 // #words)
      local _, open = text:gsub("%[", "")
      local _, closed = text:gsub("%]", "")
      local rule = "when HTTP_REQUEST {\n" .. text .. ("]"):rep(open - closed):sub(1, 5000) .. "}"
      send("rule " .. n, "POST", "/mgmt/tm/ltm/rule", {
        body = { name = "r" .. n, apiAnonymous = rule },
      })
    end
    -- scripts of tmsh have no such limit
    assert.truthy(send("script", "POST", "/mgmt/tm/cli/script", {
      body = {
        name = "long", apiAnonymous = "proc script::run {} {\n" .. ("set a b\n"):rep(20000) .. "}",
      },
    }))
  end)

  it("nest filters, patterns and bodies deeply", function()
    local function filter(text)
      local answer = send(text:sub(1, 40), "GET", "/mgmt/tm/asm/policies?$filter=" .. text)
      return answer ~= nil
    end
    local condition <const> = "name%20eq%201"
    assert.is_false(filter(("("):rep(4000) .. condition .. (")"):rep(4000)))
    assert.is_false(filter(("not%20"):rep(1200) .. condition))
    assert.is_true(filter(("("):rep(50) .. condition .. (")"):rep(50)))
    filter("name%20eq%20" .. ("-"):rep(4000))
    filter("a" .. ("/a"):rep(3500) .. "%20eq%201")
    filter((condition .. "%20or%20"):rep(350) .. condition)
    for _, method in ipairs { "GET", "DELETE" } do
      send("options", method, "/mgmt/tm/ltm/profile/http?options=" .. ("*t"):rep(40) .. "*zz")
    end
    local found = send("options", "GET", "/mgmt/tm/ltm/profile/http?options=h*t?-ex*t")
    assert.equal("http-explicit", found.items[1].name)
    assert.equal(1, #found.items)
    for _, path in ipairs { "/mgmt/tm/ltm/pool", "/mgmt/shared/echo", "/mgmt/tm/asm/policies" } do
      for _, pair in ipairs { { "[", "]" }, { '{"a":', "}" } } do
        local inner = pair[1]:rep(DEEP) .. (pair[1] == "[" and "" or "1") .. pair[2]:rep(DEEP)
        send("deep " .. path, "POST", path, {
          body = '{"name":"deep","description":' .. inner .. "}",
          headers = { ["Content-Type"] = "application/json" },
        })
      end
    end
  end)

  it("have ranges at the end of all numbers", function()
    for _, range in ipairs {
      "9223372036854775806-9223372036854775806/9223372036854775807",
      "9223372036854775805-9223372036854775805/9223372036854775807",
      "4611686018427387904-4611686018427387904/9223372036854775807",
      "9223372036854775807-9223372036854775807/9223372036854775807",
      "0-0/9223372036854775807", "99999999999-99999999999/999999999999", "-1-0/1", "0-0/0",
      "0--1/0",
      "99999999999999999999999-1/1", "9223372036854775807--9223372036854775808/9223372036854775807",
    } do
      for _, path in ipairs {
        "/mgmt/shared/file-transfer/uploads/x", "/mgmt/shared/file-transfer/ucs-uploads/x.ucs",
        "/mgmt/cm/autodeploy/software-image-uploads/x.iso",
        "/mgmt/tm/asm/file-transfer/uploads/x.xml",
      } do
        send("upload " .. range, "POST", path, {
          body = "x",
          headers = { ["Content-Range"] = range, ["Content-Type"] = "application/octet-stream" },
        })
        send("download " .. range, "GET", path, { headers = { ["Content-Range"] = range } })
      end
      bash "cat /var/config/rest/downloads/x /var/config/rest/downloads/tmp/x | wc -c"
    end
  end)

  it("have long texts of few characters", function()
    local LENGTH <const> = 60000
    for _, unit in ipairs {
      " ", "\n", "(", "{", "{}", "when A\n", "\n#", "\\", "%", "a ", "<a>", "&", "'", "/", ":",
      ";\n", "a", "1", "~", ".",
    } do
      local many = unit:rep(LENGTH // #unit)
      for n, text in ipairs { many, "a" .. many .. "b", many .. "/b" } do
        for _, body in ipairs {
          { "ltm/rule", { name = "long", apiAnonymous = text } },
          { "ltm/pool", { name = "long", description = text, monitor = text } },
          { "ltm/virtual", { name = "long", destination = text } },
          { "ltm/monitor/http", { name = "long", send = text, interval = text } },
          { "sys/file/ssl-cert", { name = "long", sourcePath = text } },
          { "net/self", { name = "long", address = text } },
          { "asm/tasks/import-policy", { name = "long", file = text } },
          { "asm/signatures", { name = "long", rule = text } },
          { "cm", { command = "run", utilCmdArgs = text } },
          { "sys/config", { command = "load", name = text } },
          { "ltm/pool", { name = "long", partition = "Common/" .. text, subPath = text } },
          { "sys/folder", { name = "/Common/" .. text } },
          { "ltm/data-group/internal", { name = text, type = "string" } },
          { "util/ping", { command = "run", utilCmdArgs = text } },
          { "util/bash", { command = "run", utilCmdArgs = "-c 'echo $((" .. text .. "))'" } },
          { "util/bash", { command = "run", utilCmdArgs = "-c 'tar cf /tmp/t " .. text .. "'" } },
          { "asm/policies", { name = "long", templateReference = { link = "/mgmt/" .. text } } },
        } do
          send(("%s %s %d"):format(body[1], json.encode(unit), n), "POST", "/mgmt/tm/" .. body[1],
            { body = body[2] })
        end
      end
    end
  end)

  it("name a policy template by a link with a query", function()
    local function create(name, reference)
      return send(name, "POST", "/mgmt/tm/asm/policies", {
        body = { name = name, templateReference = reference },
      })
    end
    local base <const> = "https://localhost/mgmt/tm/asm/policy-templates"
    for _, link in ipairs {
      base .. "?$filter=", base .. "?$filter=(((", base .. "?a", base, "?$filter=name eq x",
      "/mgmt/tm/asm?$filter=name eq x", "https://localhost/mgmt/tm/asm/policies?$top=1", "",
    } do
      assert.is_nil(create("p", { link = link }), link)
    end
    create("p", 5)
    create("p2", { link = 5 })
    local made = create("p3", {
      link = base .. "?$filter=title eq 'Rapid Deployment Policy'",
    })
    assert.equal("Rapid Deployment Policy", made.templateReference.title)
  end)
end)
