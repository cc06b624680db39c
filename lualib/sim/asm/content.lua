-- The contents of ASM on a new device: attack types, signature systems, signatures and their sets,
-- templates, technologies.
local array = require("f5.json").array
local blocking = require "sim.asm.blocking"
local entity = require "sim.asm.entity"
local technologies = require "sim.asm.technologies"
local tree = require "sim.asm.tree"

local M = {}

local ATTACK_TYPES <const> = {
  { "Abuse of Functionality", "A feature of the site is used against the site itself." },
  {
    "Authentication/Authorization Attacks",
    "An attempt to get past the checks of who may do what.",
  },
  { "Brute Force Attack", "Many attempts to guess a secret by trying." },
  { "Buffer Overflow", "Input that is longer than the memory meant for it." },
  { "Cache Poisoning", "Content is put into a shared cache that others will be served." },
  { "Command Execution", "Input that makes the server run commands of the operating system." },
  { "Cross Site Scripting (XSS)", "Script code is planted in a page that others view." },
  {
    "Cross-site Request Forgery",
    "A browser is made to send a request that its user did not mean.",
  },
  { "Denial of Service", "The service is kept from answering its users." },
  { "Detection Evasion", "An attack is written so that it is not recognised." },
  { "Directory Indexing", "The server shows the contents of a folder." },
  { "Forceful Browsing", "Pages are asked for that no link leads to." },
  { "HTTP Parser Attack", "A malformed request that confuses the parser." },
  { "HTTP Request Smuggling Attack", "A request is hidden inside another one." },
  { "HTTP Response Splitting", "Input that makes one response look like two." },
  { "Information Leakage", "The server reveals what was not meant for the client." },
  { "Insecure Deserialization", "Serialised data that does harm when it is read." },
  { "Insecure File Upload", "A file is uploaded that the server may later run." },
  { "JSON Parser Attack", "JSON made to exhaust or confuse its parser." },
  { "LDAP Injection", "Input that changes a query of a directory." },
  { "Malicious File Upload", "A file with harmful content is uploaded." },
  { "NoSQL Injection", "Input that changes a query of a document database." },
  { "Non-browser Client", "An attempt is made by a non-browser client to explore the site." },
  { "Open/Unvalidated Redirects", "A link of the site sends its user somewhere else." },
  { "Other Application Activity", "What fits no other type." },
  { "Parameter Tampering", "Values are changed that the client was not meant to change." },
  { "Path Traversal", "A path that leads out of the folder of the site." },
  { "Predictable Resource Location", "Well-known names are tried." },
  {
    "Remote File Include",
    "Remote File Inclusion attacks allow attackers to run arbitrary code on a vulnerable website.",
  },
  { "SQL-Injection", "Input that changes a query of a database." },
  { "Server Side Code Injection", "Code that the server is made to run." },
  { "Server-Side Request Forgery (SSRF)", "The server is made to send requests." },
  { "Session Hijacking", "The session of another user is taken over." },
  { "Trojan/Backdoor/Spyware", "Traffic of programs that should not be there." },
  { "Vulnerability Scan", "A scanner looks for weaknesses." },
  { "Web Scraping", "Content is collected by a program." },
  { "XML External Entities (XXE)", "XML that makes its parser read something else." },
}

local SYSTEMS <const> = {
  "General Database",
  "Various systems",
  "System Independent",
  "Generic",
  "Unix/Linux",
  "Microsoft Windows",
  "Apache",
  "Apache Struts",
  "Apache Tomcat",
  "IIS",
  "Nginx",
  "Node.js",
  "PHP",
  "ASP.NET",
  "ASP",
  "Java Servlets/JSP",
  "JavaScript",
  "jQuery",
  "AngularJS",
  "React",
  "WordPress",
  "Joomla",
  "Drupal",
  "MySQL",
  "PostgreSQL",
  "Oracle",
  "Microsoft SQL Server",
  "IBM DB2",
  "MongoDB",
  "CGI",
  "Python",
  "Ruby",
  "Django",
  "SSI (Server Side Includes)",
  "WebDAV",
  "Outlook Web Access",
  "XML",
  "Elasticsearch",
  "Redis",
  "GraphQL",
}

-- Title, name, file, description, enforcement mode of its policies.
local TEMPLATES <const> = {
  { "Fundamental", "FUNDAMENTAL", "fundamental", "Fundamental Policy", "blocking" },
  {
    "Rapid Deployment Policy", "RAPID_DEPLOYMENT", "rapid_deployment", "Rapid Deployment Policy",
    "transparent",
  },
  { "Comprehensive", "COMPREHENSIVE", "comprehensive", "Comprehensive Policy", "blocking" },
  { "API Security", "API_SECURITY", "api_security", "API Security Policy", "blocking" },
  { "Passive Deployment Policy", "PASSIVE", "passive", "Passive Deployment Policy", "transparent" },
}

-- Applications with templates of their own, for http and https, and the files.
local APPLICATIONS <const> = {
  { "ActiveSync v1.0 v2.0", "active_sync" },
  { "LotusDomino 6.5", "lotus_domino" },
  { "OWA Exchange 2003", "owa2003" },
  { "OWA Exchange 2003 with ActiveSync", "owa2003_as" },
  { "OWA Exchange 2007", "owa2007" },
  { "OWA Exchange 2007 with ActiveSync", "owa2007_as" },
  { "OWA Exchange 2010", "owa2010" },
  { "Oracle 10g Portal", "oracle10g" },
  { "Oracle Applications 11i", "oracle11i" },
  { "PeopleSoft Portal 9", "psp9" },
  { "SAP NetWeaver 7", "sap_netweaver" },
  { "SharePoint 2003", "sharepoint2003" },
  { "SharePoint 2007", "sharepoint2007" },
  { "SharePoint 2010", "sharepoint2010" },
  { "OWA Exchange 2016", "owa2016" },
}

-- Id, name, attack type, type, accuracy, risk, systems, keyword of the rule.
local SIGNATURES <const> = {
  {
    200000073, "SQL-INJ UNION SELECT (Parameter)", "SQL-Injection", "request", "high", "high",
    { "General Database" }, "union select",
  },
  {
    200002147, "SQL-INJ expressions like OR 1=1", "SQL-Injection", "request", "medium", "high",
    { "General Database" }, "or 1=1",
  },
  {
    200002835,
    "SQL-INJ comment (Parameter)",
    "SQL-Injection",
    "request",
    "low",
    "medium",
    { "General Database" },
    "--",
  },
  {
    200002419, "SQL-INJ waitfor delay", "SQL-Injection", "request", "high", "high",
    { "Microsoft SQL Server" }, "waitfor delay",
  },
  {
    200002476, "SQL-INJ benchmark()", "SQL-Injection", "request", "high", "high", { "MySQL" },
    "benchmark(",
  },
  {
    200002732, "SQL-INJ information_schema", "SQL-Injection", "request", "medium", "high",
    { "MySQL", "PostgreSQL" }, "information_schema",
  },
  {
    200000098, "XSS script tag (Parameter)", "Cross Site Scripting (XSS)", "request", "high",
    "high", { "Various systems" }, "<script",
  },
  {
    200001475, "XSS script tag end (Parameter)", "Cross Site Scripting (XSS)", "request", "high",
    "medium", { "Various systems" }, "</script",
  },
  {
    200001088, "XSS onload event (Parameter)", "Cross Site Scripting (XSS)", "request", "medium",
    "medium", { "JavaScript" }, "onload=",
  },
  {
    200000091, "XSS alert() (Parameter)", "Cross Site Scripting (XSS)", "request", "medium",
    "medium", { "JavaScript" }, "alert(",
  },
  {
    200000099, "XSS javascript: (Parameter)", "Cross Site Scripting (XSS)", "request", "low",
    "medium", { "JavaScript" }, "javascript:",
  },
  {
    200003437, "Directory traversal ../ (Parameter)", "Path Traversal", "request", "medium", "high",
    { "System Independent" }, "../",
  },
  {
    200010019, "/etc/passwd access (URI)", "Predictable Resource Location", "request", "high",
    "high", { "Unix/Linux" }, "/etc/passwd",
  },
  {
    200010037, ".git folder access (URI)", "Predictable Resource Location", "request", "high",
    "medium", { "Various systems" }, "/.git/",
  },
  {
    200003041, "Shell command id (Parameter)", "Command Execution", "request", "medium", "high",
    { "Unix/Linux" }, ";id",
  },
  {
    200003910, "cmd.exe execution (Parameter)", "Command Execution", "request", "high", "high",
    { "Microsoft Windows" }, "cmd.exe",
  },
  {
    200004174, "PHP wrapper expect://", "Server Side Code Injection", "request", "high", "high",
    { "PHP" }, "expect://",
  },
  {
    200003458, "PHP short tag injection", "Server Side Code Injection", "request", "medium", "high",
    { "PHP" }, "<?php",
  },
  {
    200003440, "Java OGNL expression", "Server Side Code Injection", "request", "high", "high",
    { "Apache Struts" }, "%{(#",
  },
  {
    200004450, "JNDI lookup in a value", "Server Side Code Injection", "request", "high", "high",
    { "Java Servlets/JSP" }, "${jndi:",
  },
  {
    200018018, "External entity in XML", "XML External Entities (XXE)", "request", "high", "high",
    { "XML" }, "<!ENTITY",
  },
  {
    200007001, "NoSQL operator $where", "NoSQL Injection", "request", "high", "medium",
    { "MongoDB" }, "$where",
  },
  {
    200100310, "Remote include http:// (Parameter)", "Remote File Include", "request", "low",
    "medium", { "PHP" }, "=http://",
  },
  {
    200009005, "Tomcat manager access", "Predictable Resource Location", "request", "high",
    "medium", { "Apache Tomcat" }, "/manager/html",
  },
  {
    200101559, "Scanner user agent", "Vulnerability Scan", "request", "high", "low",
    { "System Independent" }, "nikto",
  },
  {
    200021069, "Command-line client user agent", "Non-browser Client", "request", "high", "low",
    { "System Independent" }, "libwww",
  },
  {
    200006001, "Database error in response", "Information Leakage", "response", "medium", "low",
    { "General Database" }, "SQL syntax",
  },
  {
    200006008, "Java stack trace in response", "Information Leakage", "response", "medium", "low",
    { "Java Servlets/JSP" }, "at java.",
  },
  {
    200006016, "Directory listing in response", "Directory Indexing", "response", "medium", "low",
    { "Apache" }, "Index of /",
  },
}

-- Name, systems (nil: all), minimum accuracy, attack type, signature type, whether new policies
-- have it.
local SETS <const> = {
  {
    "Generic Detection Signatures",
    { "General Database", "Various systems", "System Independent" },
    nil, nil, nil, true,
  },
  {
    "Generic Detection Signatures (High/Medium Accuracy)",
    { "General Database", "Various systems", "System Independent" },
    "medium",
  },
  { "All Signatures" },
  { "All Response Signatures", nil, nil, nil, "response" },
  { "High Accuracy Signatures", nil, "high" },
  { "Medium Accuracy Signatures", nil, "medium" },
  { "Low Accuracy Signatures", nil, "low" },
  { "SQL Injection Signatures", nil, nil, "SQL-Injection" },
  { "Cross Site Scripting Signatures", nil, nil, "Cross Site Scripting (XSS)" },
  { "Command Execution Signatures", nil, nil, "Command Execution" },
  { "Path Traversal Signatures", nil, nil, "Path Traversal" },
  { "Predictable Resource Location Signatures", nil, nil, "Predictable Resource Location" },
  { "Server Side Code Injection Signatures", nil, nil, "Server Side Code Injection" },
  { "Directory Indexing Signatures", nil, nil, "Directory Indexing" },
  { "HTTP Response Splitting Signatures", nil, nil, "HTTP Response Splitting" },
  { "Information Leakage Signatures", nil, nil, "Information Leakage" },
  { "OS Command Injection Signatures", nil, nil, "Command Execution" },
  { "Other Application Attacks Signatures", nil, nil, "Other Application Attacks" },
  { "Remote File Include Signatures", nil, nil, "Remote File Include" },
  { "XPath Injection Signatures", nil, nil, "XPath Injection" },
  { "Apache Struts Signatures", { "Apache Struts" } },
  { "Apache Tomcat Signatures", { "Apache Tomcat" } },
  { "Cisco Signatures", { "Cisco" } },
  { "IIS and Windows Signatures", { "IIS", "Microsoft Windows" } },
  { "Java Servlets/JSP Signatures", { "Java Servlets/JSP" } },
  { "OWA Signatures", { "Outlook Web Access" } },
  {
    "WebSphere signatures",
    {
      "General Database", "Microsoft Windows", "IIS", "Microsoft SQL Server", "Apache", "Oracle",
      "Unix/Linux", "IBM DB2", "PostgreSQL", "XML",
    },
  },
  { "Apache Struts Signatures (High/Medium Accuracy)", { "Apache Struts" }, "medium" },
  { "Apache Tomcat Signatures (High/Medium Accuracy)", { "Apache Tomcat" }, "medium" },
  { "JavaScript Signatures (High/Medium Accuracy)", { "JavaScript" }, "medium" },
}

-- Name, value, minimum, maximum, unit.
local ADVANCED <const> = {
  { "long_request_buffer_size", 10000000, 0, 30000000, "Bytes" },
  { "max_filtered_html_length", 52428800, 1024, 104857600, "Bytes" },
  { "max_json_policy_size", 3145728, 0, 104857600, "Bytes" },
  { "max_concurrent_long_request", 100, 0, 1000, "Requests" },
  { "request_buffer_size", 10000, 1024, 1000000, "Bytes" },
  { "sa_login_expiration_timeout", 1200, 60, 99999, "Seconds" },
}

local function reference(path, name, more)
  local link = more or {}
  link.link = "/mgmt/tm/asm/" .. path .. "/" .. entity.hash(name)
  return link
end
M.reference = reference

--- The systems with these names, in the form of signatures and sets.
function M.systems(names)
  local list = array {}
  for _, name in ipairs(names) do
    list[#list + 1] = { systemReference = reference("signature-systems", name) }
  end
  return list
end

-- As recorded: some kinds were never updated, others cannot be updated.
local UNTIMED <const> =
  { ["attack-types"] = true, ["signature-systems"] = true, ["policy-templates"] = true }

local function put(top, path, objects)
  local collection = top:child(path)
  for _, object in ipairs(objects) do
    local changed = object.lastUpdateMicros or 0
    collection:insert(object)
    object.lastUpdateMicros = not UNTIMED[path] and changed or nil
  end
end

local function each(rows, make)
  local list = {}
  for index, row in ipairs(rows) do list[index] = make(row) end
  return list
end

-- A template for an application. They are those of a 12.1; in 13.1 one was transparent.
local function application_template(row, scheme)
  local title <const> = ("%s (%s)"):format(row[1], scheme)
  return {
    title = title,
    name = "POLICY_TEMPLATE_" .. title:upper():gsub("%W+", "_"):gsub("_$", ""),
    fileName = ("/ts/install/policy_templates/%s_%s.xml"):format(row[2], scheme),
    description = "Generic template for " .. title,
    userDefined = false, templateType = "application-ready", policyType = "security",
    _enforcementMode = "transparent",
  }
end

--- Fills an empty tree.
function M.plant(device)
  local top = tree.top(device)
  put(
    top,
    "attack-types",
    each(ATTACK_TYPES, function(row) return { name = row[1], description = row[2] } end)
  )
  put(top, "signature-systems", each(SYSTEMS, function(name) return { name = name } end))
  put(
    top,
    "policy-templates",
    each(
      TEMPLATES,
      function(row)
        return {
          title = row[1],
          name = "POLICY_TEMPLATE_" .. row[2],
          fileName = "/ts/install/policy_templates/" .. row[3] .. ".xml",
          description = row[4], userDefined = false, templateType = "security",
          _enforcementMode = row[5],
        }
      end
    )
  )
  for _, row in ipairs(APPLICATIONS) do
    put(
      top,
      "policy-templates",
      each({ "http", "https" }, function(scheme) return application_template(row, scheme) end)
    )
  end
  put(
    top,
    "server-technologies",
    each(
      technologies.ROWS,
      function(row)
        local name, needs = row[1], array {}
        for n, other in ipairs(row.needs or {}) do
          needs[n] = reference("server-technologies", other, { serverTechnologyName = other })
        end
        return {
          serverTechnologyName = name,
          serverTechnologyDisplayName = name,
          description = name .. " on the server side of the application.",
          logoFileName = row.logo or name:lower():gsub("%W", "") .. ".png",
          serverTechnologyReferences = needs, isLearnable = row.learnt ~= false,
          hasDeceptionResponses = row.deceives or false,
          lastUpdateMicros = entity.micros(row[2] * 1000000),
        }
      end
    )
  )
  put(
    top,
    "signatures",
    each(
      SIGNATURES,
      function(row)
        return {
          signatureId = row[1],
          name = row[2],
          signatureType = row[4],
          accuracy = row[5],
          risk = row[6],
          systems = M.systems(row[7]),
          attackTypeReference = reference("attack-types", row[3], { name = row[3] }),
          isUserDefined = false, revision = 1, hasCve = false,
          description = row[3] .. " attempt: " .. row[8],
          rule = ('content:"%s"; nocase;'):format(row[8]), references = array {}, tag = "",
        }
      end
    )
  )
  put(
    top,
    "signature-sets",
    each(
      SETS,
      function(row)
        return {
          name = row[1],
          type = "filter-based",
          isUserDefined = false,
          category = row[4] and "Attack Type Specific" or "User-defined",
          assignToPolicyByDefault = row[6] or false,
          defaultAlarm = true,
          defaultBlock = true,
          defaultLearn = true,
          systems = M.systems(row[2] or {}),
          filter = {
            riskFilter = "all",
            riskValue = "all",
            accuracyFilter = row[3] and (row[1]:find("^%u%l+ Accuracy") and "eq" or "ge") or "all",
            accuracyValue = row[3] or "all",
            userDefinedFilter = "all",
            lastUpdatedFilter = "all",
            signatureType = row[5] or "all",
            hasCve = "all",
            tagFilter = "all",
            attackTypeReference = row[4] and reference("attack-types", row[4], { name = row[4] }),
          },
        }
      end
    )
  )
  put(
    top,
    "advanced-settings",
    each(
      ADVANCED,
      function(row)
        return {
          name = row[1], value = row[2], defaultValue = row[2], minValue = row[3],
          maxValue = row[4], units = row[5], format = "integer", isUserDefined = false,
        }
      end
    )
  )
  put(
    top,
    "violations",
    each(
      blocking.violations,
      function(row)
        return { name = row[1], title = row[2], description = row[2], isUserDefined = false }
      end
    )
  )
  local now = device:now()
  put(
    top,
    "signature-statuses",
    {
      {
        sigsAdded = 0,
        sigsUpdated = 0,
        sigsUpdatedMinor = 0,
        sigsUpdatedMajor = 0,
        sigsDeleted = 0,
        sigsTotal = #SIGNATURES,
        isUserDefined = false,
        readme = "Attack signature database packaged with version " .. device.version.version,
        modifiedSignatures = array {},
        loadTime = entity.iso(now),
        timestamp = "2025-09-18T10:02:11Z",
      },
    }
  )
end

local LEVEL <const> = { low = 1, medium = 2, high = 3 }

local function passes(have, how, value)
  if how == nil or how == "all" or value == "all" then return true end
  if how == "eq" then return have == value end
  if how == "ge" then return LEVEL[have] >= LEVEL[value] end
  return LEVEL[have] <= LEVEL[value]
end

--- The signatures of a set: those that it lists, or those that match its filter and systems.
function M.signatures_of(device, set)
  local all = tree.top(device):child("signatures")
  local found = {}
  if set.type == "manual" then
    for _, link in ipairs(set.signatureReferences or {}) do
      found[#found + 1] = tree.follow(device, link)
    end
    return found
  end
  local systems, any_system = {}, #set.systems == 0
  for _, system in ipairs(set.systems) do
    systems[system.systemReference and system.systemReference.link or ""] = true
  end
  local filter = set.filter
  for _, signature in ipairs(all:items()) do
    local data = signature.record.data
    local fits = any_system
    for _, system in ipairs(data.systems) do
      fits = fits or systems[system.systemReference.link] == true
    end
    fits = fits
      and passes(data.accuracy, filter.accuracyFilter, filter.accuracyValue)
      and passes(data.risk, filter.riskFilter, filter.riskValue)
    fits = fits
      and (
        filter.signatureType == "all" or filter.signatureType == nil
        or filter.signatureType == data.signatureType
      )
    if filter.userDefinedFilter == "yes" then
      fits = fits and data.isUserDefined
    elseif filter.userDefinedFilter == "no" then
      fits = fits and not data.isUserDefined
    end
    local attack = filter.attackTypeReference
    fits = fits and (not attack or attack.link == data.attackTypeReference.link)
    if fits then found[#found + 1] = signature end
  end
  return found
end

return M
