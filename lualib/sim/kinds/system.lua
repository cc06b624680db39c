-- The system itself: provisioning, database variables, files, certificates and keys, settings.
local json = require "f5.json"
local certificates = require "sim.files.certificates"
local clock = require "sim.clock"
local digest = require "sim.digest"
local errors = require "sim.http.errors"
local names = require "sim.config.names"
local references = require "sim.config.references"
local validate = require "sim.config.validate"

local ROOT <const> = "/mgmt/tm/"

local function shallow(value)
  local copy <const> = {}
  for key, item in pairs(value) do copy[key] = item end
  return copy
end

local provision <const> = {
  prepare = function(store, object, properties)
    if properties.level and object.level == "dedicated" then
      for _, other in ipairs(store:list(ROOT .. "sys/provision")) do
        if other.name ~= object.name and other.level ~= "none" then
          validate.refuse_mcpd(
            ("01071008:3: Provisioning failed with error 1 - 'Module %s cannot be dedicated while %s is provisioned.'"):format(
              object.name,
              other.name
            )
          )
        end
      end
    end
  end,
}

-- "min max" -> whether a number is in it; words: whether it is one of them.
local function in_range(value, range)
  if range == nil or range == "" then return true end
  local kind <const>, from <const>, to <const> = range:match "^(%a*)%s*min:(%-?%d+)%s+max:(%-?%d+)"
  if from and kind ~= "string" then
    local number <const> = math.tointeger(tonumber(value))
    return number ~= nil and number >= tonumber(from) and number <= tonumber(to)
  end
  if range:find "address$" then return value == "" or (validate.is_address(value)) end
  if range:find "min:" or range:find "max:" or range:find "[^%w%s_.-]" then return true end
  for word in range:gmatch "%S+" do
    if word == value then return true end
  end
  return not range:find "%s"
end

local variable <const> = {
  prepare = function(_, object, properties)
    if properties.value == nil then return end
    if properties.value == validate.NONE then object.value = "" end
    if not in_range(object.value, object.valueRange) then
      validate.refuse_mcpd(
        ("01070911:3: The requested value (%s) for the DB variable (%s) is not in the range (%s)."):format(
          tostring(object.value),
          object.name,
          object.valueRange
        )
      )
    end
  end,
  show = function(_, _, object, shown)
    if object.value == "" then shown.value = "" end
  end,
}

local function checksum(text)
  local hex <const> = digest
    .sha256(text)
    :gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  return ("SHA1:%d:%s"):format(#text, hex:sub(1, 40))
end

-- The content of a file object, if it was uploaded or is on the device in another way.
local function content(store, path)
  return store.device.disk.read((path:gsub("^file:", ""):gsub("^//+", "/")))
end

-- `read` puts what the text says into the object.
local function settle_file(store, object, properties, old, ctx, read)
  if properties.sourcePath and properties.sourcePath ~= validate.NONE then
    local text <const> = content(store, validate.text("sourcePath", object.sourcePath))
    object.size = text and #text or object.size or 1229
    object.checksum = checksum(text or object.sourcePath)
    if text and read then read(object, text, properties.passphrase) end
  elseif not old then
    object.size = object.size or 1229
    object.checksum = object.checksum or checksum(object.fullPath)
  end
  object.createTime = old and old.createTime or clock.utc(ctx.now or 0)
  object.createdBy = old and old.createdBy or ctx.user and ctx.user.name or "root"
  object.lastUpdateTime = clock.utc(ctx.now or 0)
  object.updatedBy = ctx.user and ctx.user.name or "root"
  object.revision = (old and old.revision or 0) + 1
  object.mode = object.mode or 33188
end

local function need_source(object, old)
  if not old and not object.sourcePath and not object.systemPath and not object.content then
    validate.refuse_mcpd(
      ("01070712:3: The source-path of the file object (%s) must be specified."):format(
        object.fullPath
      )
    )
  end
end

local file <const> = {
  prepare = function(store, object, properties, old, ctx)
    if not ctx.factory and not ctx.seed then need_source(object, old) end
    settle_file(store, object, properties, old, ctx)
  end,
}

local function settle_certificate(object)
  object.certificateKeySize = object.certificateKeySize or 2048
  object.keyType = object.keyType or "rsa-public"
  object.isBundle = object.isBundle or "false"
  object.certificateKeyCurveName = object.certificateKeyCurveName or "none"
  object.version = object.version or 3
  object.subject = object.subject
    or "CN=localhost.localdomain,OU=IT,O=MyCompany,L=Seattle,ST=WA,C=US"
  object.issuer = object.issuer or object.subject
  object.expirationDate = object.expirationDate or 2051222400
  object.expirationString = object.expirationString
    or os.date("!%b %d %H:%M:%S %Y GMT", object.expirationDate)
  object.serialNumber = object.serialNumber or tostring(object.fullPath:byte(-5) * 7919)
  object.fingerprint = object.fingerprint
    or "SHA256/"
      .. digest
        .sha256(object.fullPath)
        :gsub(".", function(byte) return ("%02X:"):format(byte:byte()) end)
        :sub(1, -2)
end

local crypto_twin -- sys/crypto and sys/file show the same objects

local certificate <const> = {
  prepare = function(store, object, properties, old, ctx)
    if not ctx.factory and not ctx.automatic and not ctx.seed then need_source(object, old) end
    settle_file(store, object, properties, old, ctx, certificates.read_certificate)
    settle_certificate(object)
    if ctx.factory then certificates.mark_inherited(object) end
    certificates.check(store, "sys/file/ssl-cert", object)
  end,
  made = function(store, _, object, ctx) crypto_twin(store, "cert", object, ctx) end,
  removed = function(store, _, object)
    store:put(ROOT .. "sys/crypto/cert/" .. names.segment(object.fullPath), nil)
  end,
}

local key <const> = {
  prepare = function(store, object, properties, old, ctx)
    if not ctx.factory and not ctx.automatic and not ctx.seed then need_source(object, old) end
    object.mode = 33184
    settle_file(store, object, properties, old, ctx, certificates.read_key)
    object.keySize = object.keySize or 2048
    object.keyType = object.keyType or "rsa-private"
    object.securityType = object.securityType or "normal"
    if ctx.factory then certificates.mark_inherited(object) end
    certificates.check(store, "sys/file/ssl-key", object)
    -- One that a device has encrypted already stays as it is.
    local phrase <const> = properties.passphrase
    if type(phrase) == "string" and not phrase:find "^%$M%$" then
      object.passphrase = "$M$xy$" .. digest.base64(digest.md5(phrase))
    end
  end,
  made = function(store, _, object, ctx) crypto_twin(store, "key", object, ctx) end,
  removed = function(store, _, object)
    store:put(ROOT .. "sys/crypto/key/" .. names.segment(object.fullPath), nil)
  end,
}

function crypto_twin(store, kind, object, ctx)
  local path <const> = ROOT .. "sys/crypto/" .. kind .. "/" .. names.segment(object.fullPath)
  if store:get(path) then return end
  local twin <const> =
    { name = object.fullPath, fullPath = object.fullPath, generation = object.generation }
  if kind == "key" then
    twin.keySize, twin.keyType, twin.securityType =
      tostring(object.keySize), "rsa-private", object.securityType
  else
    twin.commonName, twin.country, twin.city, twin.state, twin.organization, twin.ou =
      "localhost.localdomain", "US", "Seattle", "WA", "MyCompany", "IT"
    twin.fingerprint = object.fingerprint
    twin.apiRawValues = {
      certificateKeySize = tostring(object.certificateKeySize),
      expiration = object.expirationString,
      issuer = object.issuer,
      publicKeyType = "RSA",
    }
  end
  local _ = ctx
  store:put(path, twin)
end

-- sys/crypto: made here, they are file objects, too.
local function crypto(kind)
  return {
    made = function(store, _, object, ctx)
      local path <const> = ROOT .. "sys/file/ssl-" .. kind .. "/" .. names.segment(object.fullPath)
      if store:get(path) then return end
      local body <const> = { name = object.fullPath }
      store:create(
        ROOT .. "sys/file/ssl-" .. kind,
        body,
        setmetatable({ automatic = true }, { __index = ctx })
      )
    end,
    removed = function(store, _, object)
      store:put(ROOT .. "sys/file/ssl-" .. kind .. "/" .. names.segment(object.fullPath), nil)
    end,
    removing = function(store, _, object)
      local path <const> = ROOT .. "sys/file/ssl-" .. kind .. "/" .. names.segment(object.fullPath)
      local file_object <const> = store:get(path)
      if file_object then references.check_unused(store, path, file_object) end
    end,
    prepare = function(_, object, properties, old)
      for _, name in ipairs {
        "fromLocalFile", "fromUrl", "fromEditor", "consumer", "genCertificate", "lifetime",
      } do
        object[name] = nil
      end
      if kind == "key" then
        object.keySize = tostring(object.keySize or 2048)
        local type_given <const> = object.keyType and validate.text("keyType", object.keyType)
        object.keyType = type_given and type_given:gsub("%-private$", "") .. "-private"
          or "rsa-private"
        object.passphrase = nil
      end
      local _ = properties or old
    end,
  }
end

local device <const> = {
  removing = function(_, _, object)
    if object.selfDevice == "true" then
      validate.refuse_mcpd(
        ("01070734:3: Configuration error: The device (%s) is this device and cannot be deleted."):format(
          object.fullPath
        )
      )
    end
  end,
  prepare = function(store, object, properties, old, ctx)
    if not old then
      object.selfDevice, object.failoverState = "false", "unknown"
      return
    end
    if ctx.seed then return end
    if properties.hostname then
      local settings <const> = shallow(store:one(ROOT .. "sys/global-settings"))
      settings.hostname = object.hostname
      store:put(ROOT .. "sys/global-settings", settings)
    end
  end,
}

local settings <const> = {
  prepare = function(store, object, properties, _, ctx)
    if not properties.hostname then return end
    if ctx.seed then
      store.device.hostname = object.hostname
      return
    end
    if
      not object.hostname or not validate.text("hostname", object.hostname):find "%."
      or object.hostname:find "[^%w.-]"
    then
      validate.refuse_mcpd(
        ("01070903:3: Constraint 'hostname must be a fully qualified DNS name' failed for 'Hostname' (%s)"):format(
          tostring(object.hostname)
        )
      )
    end
    store.device.hostname = object.hostname
    for _, segment in ipairs(store:segments(ROOT .. "cm/device")) do
      local path <const> = ROOT .. "cm/device/" .. segment
      local one <const> = store:get(path)
      if one.selfDevice == "true" then
        local fresh <const> = shallow(one)
        fresh.hostname = object.hostname
        store:put(path, fresh)
      end
    end
  end,
}

local management_ip <const> = {
  read = function(store, target, body, ctx, old)
    if old or ctx.seed or type(body.name) ~= "string" then return body end
    local address <const>, mask <const> = body.name:match "^([^/]*)/?(.*)$"
    if not validate.is_address(address) then
      validate.refuse_mcpd(("01070000:3: invalid address (%s)"):format(address))
    end
    for _, segment in ipairs(store:segments(target.path)) do
      if segment:match "^[^~]+" == address then
        error(
          errors.tm(
            409,
            ("01020066:3: The requested management IP (%s) already exists."):format(address),
            3
          ),
          0
        )
      end
    end
    if mask == "" then
      validate.refuse_mcpd(
        ("01070000:3: a netmask must be specified for the management IP (%s)"):format(address)
      )
    end
    return body
  end,
  label = function(_, full) return (full:gsub("/.*", "")) end,
  prepare = function(_, object, _, old)
    if not old and (not object.name:find "/" or not validate.is_address(object.name, true)) then
      validate.invalid("name", object.name)
    end
  end,
}

local management_route <const> = {
  prepare = function(_, object, properties, old)
    if not old and not object.network then
      object.network = object.name == "default" and "default"
        or validate.is_address(object.name, true) and object.name or nil
      if not object.network then validate.refuse '"network" must be specified' end
    end
    if properties.gateway and object.gateway and not validate.is_address(object.gateway) then
      validate.invalid("gateway", object.gateway)
    end
    if not old and not object.gateway then validate.refuse '"gateway" must be specified' end
  end,
}

local traffic_group <const> = {
  prepare = function(store, object, _, old)
    if not old then object.unitId = store:count(ROOT .. "cm/traffic-group") end
  end,
  removing = function(_, _, object)
    if object.name:find "^traffic%-group%-local%-only$" or object.name == "traffic-group-1" then
      validate.refuse_mcpd(
        ("01070734:3: Configuration error: The traffic group (%s) is a system object and cannot be deleted."):format(
          object.fullPath
        )
      )
    end
  end,
}

local group_member <const> = {
  identify = function(_, body)
    local name = body.name
    if type(name) ~= "string" or name == "" then validate.nothing_to_do() end
    local partition, sub_path, last = names.split(
      names.absolute(name, body.partition and (names.partition(body.partition)) or "Common")
    )
    return {
      name = last, partition = partition, subPath = sub_path,
      fullPath = names.full(partition, sub_path, last),
    }
  end,
  prepare = function(store, object, _, _, ctx)
    if not ctx.seed and not store:get(ROOT .. "cm/device/" .. names.segment(object.fullPath)) then
      error(
        errors.tm(
          404,
          ("01020036:3: The requested device (%s) was not found."):format(object.fullPath),
          3
        ),
        0
      )
    end
  end,
  show = function(_, _, object, shown, context)
    shown.nameReference = {
      link = names.link(
        ROOT .. "cm/device/" .. names.segment(object.fullPath),
        "ver=" .. context.version
      ),
    }
  end,
}

-- An application service has a folder of its own, name.app.
local application <const> = {
  own_folder = true,
  identify = function(_, body)
    local name = body.name
    if type(name) ~= "string" or name == "" then validate.nothing_to_do() end
    local partition, last = "Common", name
    if name:sub(1, 1) == "/" then
      local p <const>, _, n <const> = names.split(name)
      partition, last = p, n
    elseif type(body.partition) == "string" then
      partition = names.partition(body.partition)
    end
    return {
      name = last,
      partition = partition,
      subPath = last .. ".app",
      fullPath = names.full(partition, last .. ".app", last),
    }
  end,
  before = function(store, _, object, ctx)
    if not store:get(ROOT .. "sys/folder/~" .. object.partition) then
      error(
        errors.tm(
          400,
          ("The requested folder (/%s) was not found."):format(object.partition),
          26214401
        ),
        0
      )
    end
    if
      not store:get(
        ROOT .. "sys/folder/" .. names.segment(("/%s/%s"):format(object.partition, object.subPath))
      )
    then
      store:create(
        ROOT .. "sys/folder",
        { name = ("/%s/%s"):format(object.partition, object.subPath) },
        ctx
      )
    end
  end,
  prepare = function(store, object, properties, old, ctx)
    if ctx.seed then return end
    if not old and properties.template == nil then
      validate.refuse '"template" must be specified'
    end
    if properties.template and object.template then
      object.template = names.absolute(object.template, nil)
      if not store:get(ROOT .. "sys/application/template/" .. names.segment(object.template)) then
        error(
          errors.tm(
            404,
            ("01020036:3: The requested Application Template (%s) was not found."):format(
              object.template
            ),
            3
          ),
          0
        )
      end
    end
  end,
  removed = function(store, _, object)
    store:put(
      ROOT .. "sys/folder/" .. names.segment(("/%s/%s"):format(object.partition, object.subPath)),
      nil
    )
  end,
}

-- The values of a list that another PATCH gives are the whole list; plain strings become { name }.
local function named_list(property)
  return {
    prepare = function(_, object, properties)
      if properties[property] and object[property] then
        local list <const> = {}
        for i, item in ipairs(object[property]) do
          local entry <const> = type(item) == "table" and item or { name = item }
          local partition, sub_path, name =
            names.split(names.absolute(tostring(entry.name), entry.partition))
          if entry.partition and tostring(entry.name):sub(1, 1) ~= "/" then
            partition, name = entry.partition, entry.name
          end
          list[i] = { name = name, partition = partition, subPath = sub_path }
        end
        object[property] = json.array(list)
      end
    end,
    show = function(store, _, object, shown, context)
      if not object[property] then return end
      local list <const> = {}
      for i, item in ipairs(object[property]) do
        local path <const> = references.locate(
          store,
          { "sys/log-config/destination" },
          names.full(item.partition, item.subPath, item.name)
        )
        list[i] = {
          name = item.name,
          partition = item.partition,
          subPath = item.subPath,
          nameReference = path and { link = names.link(path, "ver=" .. context.version) } or nil,
        }
      end
      shown[property] = json.array(list)
    end,
  }
end

local trust_domain <const> = {
  prepare = function(_, object, properties)
    if properties.caDevices and object.caDevices and #object.caDevices == 0 then
      object.caDevices = nil
    end
  end,
}

-- Host and version of an SNMP trap must be something.
local trap <const> = {
  prepare = function(_, object, properties)
    if properties.port ~= nil then
      local number <const> = object.port ~= nil and validate.port(object.port)
      if not number then
        validate.refuse(('invalid or ambiguous service "%s"'):format(tostring(object.port or "")))
      end
      object.port = number
    end
    local version <const> = object.version
    if version ~= "1" and version ~= "2c" and version ~= "3" then
      validate.refuse(
        ('"%s" unexpected argument: expected one of the following: 1, 2c, 3'):format(
          tostring(version or "")
        )
      )
    end
  end,
}

-- What a name of a host or a domain is made of; also an address, without a route domain.
local function is_host(text)
  if type(text) ~= "string" or #text > 253 then return false end
  if validate.is_address(text) then return not text:find("%", 1, true) end
  if text:find "^[%d.]+$" then return false end -- meant as an address
  for label in (text .. "."):gmatch "([^.]*)%." do
    if
      #label == 0 or #label > 63 or label:find "[^%w_-]" or label:find "^%-" or label:find "%-$"
    then
      return false
    end
  end
  return true
end

local function is_plain_address(text)
  return validate.is_address(text) and not text:find("%", 1, true)
end

-- A singleton with lists of hosts: property -> what an item of it must be.
local function hosts(lists)
  return {
    prepare = function(_, object, properties, _, ctx)
      for name, is_right in pairs(ctx.seed and {} or lists) do
        for _, item in ipairs(properties[name] ~= nil and object[name] or {}) do
          if not is_right(item) then validate.invalid(name, item) end
        end
      end
    end,
  }
end

return {
  ["sys/dns"] = hosts { nameServers = is_plain_address, search = is_host },
  ["sys/ntp"] = hosts { servers = is_host },
  ["cm/trust-domain"] = trust_domain,
  ["sys/snmp/traps"] = trap,
  ["sys/provision"] = provision,
  ["sys/db"] = variable,
  ["sys/file/ssl-cert"] = certificate,
  ["sys/file/ssl-key"] = key,
  ["^sys/file/[^/]+$"] = file,
  ["sys/crypto/cert"] = crypto "cert",
  ["sys/crypto/key"] = crypto "key",
  ["cm/device"] = device,
  ["cm/traffic-group"] = traffic_group,
  ["cm/device-group/*/devices"] = group_member,
  ["sys/global-settings"] = settings,
  ["sys/management-ip"] = management_ip,
  ["sys/management-route"] = management_route,
  ["sys/application/service"] = application,
  ["sys/log-config/publisher"] = named_list "destinations",
}
