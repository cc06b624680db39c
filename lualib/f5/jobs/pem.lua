-- What bip:install_certificate gets: certificates, a chain and a key, as files or as texts in PEM.
-- Everything is checked before anything is sent.

local core = require "f5.core"
local fail = require "f5.fail"

local M = {}

local LIMIT <const> = 1 << 20 -- bytes of a file
local DAY <const> = "!%Y-%m-%d %H:%M:%S UTC"

local BEGIN <const> = "%-%-%-%-%-BEGIN [%u%d ]*"
local CERTIFICATE <const> = BEGIN .. "CERTIFICATE%-%-%-%-%-"
local END <const> = ".-%-%-%-%-%-END [%u%d ]*"
local WHOLE_CERTIFICATE <const> = CERTIFICATE .. END .. "CERTIFICATE%-%-%-%-%-"
local WHOLE_KEY <const> = BEGIN .. "PRIVATE KEY%-%-%-%-%-" .. END .. "PRIVATE KEY%-%-%-%-%-"

--- Ends with a message about what was given.
function M.refuse(format, ...) fail("install_certificate: " .. format, ...) end

--- The text of an option: a file's content, or what was given if that is PEM.
-- @param name string: of the option
-- @return text, and how messages call it
function M.read(name, given)
  if given:find(BEGIN) then return given, ("option '%s'"):format(name) end
  core.check_path(given, "install_certificate: " .. name)
  local file <close>, why = io.open(given, "rb")
  if not file then M.refuse("cannot read %s", why) end
  local text, problem = file:read(LIMIT + 1)
  if problem then M.refuse("cannot read %s: %s", given, problem) end
  if #(text or "") > LIMIT then M.refuse("%s is larger than 1 MiB", given) end
  return text or "", given
end

-- All certificates of a text, in its order.
local function certificates(text, called)
  local found, begins = {}, select(2, text:gsub(CERTIFICATE, ""))
  for block in text:gmatch(WHOLE_CERTIFICATE) do
    local facts = core.certificate_facts(block)
    if not facts then M.refuse("%s contains a damaged certificate", called) end
    found[#found + 1] = facts
  end
  if #found < begins then M.refuse("%s contains a truncated certificate", called) end
  if #found == 0 then M.refuse("%s contains no certificate in PEM", called) end
  return found
end

-- Removes and returns the certificate of the key.
local function take_leaf(found, key, passphrase, called)
  local reason
  for at, facts in ipairs(found) do
    local kind, second = core.certificate_key(facts.pem, key, passphrase)
    if kind then
      facts.key_type, facts.encrypted = kind, second
      return table.remove(found, at)
    end
    reason = reason or second
  end
  return M.refuse("%s %s", called, reason)
end

-- Certificates in the order in which each one is signed by the next; what is left comes last.
-- @return array, and the last certificate that was followed
local function in_order(leaf, rest)
  local out, at, current = {}, 1, leaf
  while at <= #rest do
    if core.certificate_signed(current.pem, rest[at].pem) then
      current = table.remove(rest, at)
      out[#out + 1], at = current, 1
    else
      at = at + 1
    end
  end
  local followed = #out
  table.move(rest, 1, #rest, #out + 1, out)
  return out, followed
end

local function check_dates(facts, called)
  local now = os.time()
  if facts.ends < now then
    M.refuse(
      "%s: %s has expired on %s; force = true overrides this", called, facts.subject,
      os.date(DAY, facts.ends)
    )
  end
  if facts.starts > now then
    M.refuse(
      "%s: %s is not valid before %s; force = true overrides this", called, facts.subject,
      os.date(DAY, facts.starts)
    )
  end
end

-- The chain without what is there twice, and without the certificate itself.
local function others(leaf, ...)
  local out, seen = {}, { [leaf.fingerprint] = true }
  for _, list in ipairs { ... } do
    for _, facts in ipairs(list) do
      if not seen[facts.fingerprint] then
        seen[facts.fingerprint], out[#out + 1] = true, facts
      end
    end
  end
  return out
end

local function text_of(list)
  local texts = {}
  for i, facts in ipairs(list) do texts[i] = facts.pem end
  return table.concat(texts)
end

--- Reads and checks what was given.
-- @param options table: cert, key, chain, passphrase, force
-- @return facts of the certificate, with `key_type`, `encrypted`, `key_text`, and `chain_text` if
--   there is a chain
function M.pair(options)
  local text, called = M.read("cert", options.cert)
  local found = certificates(text, called)
  local key, key_called = text, called
  if options.key then key, key_called = M.read("key", options.key) end
  local block = key:match(WHOLE_KEY)
  if not block then
    local advice = options.key and "" or "; give it as option 'key'"
    M.refuse("%s contains no private key in PEM%s", key_called, advice)
  end
  local leaf = take_leaf(found, block, options.passphrase, key_called)
  local chain, chain_called = {}, called
  if options.chain then
    local chain_text
    chain_text, chain_called = M.read("chain", options.chain)
    chain = certificates(chain_text, chain_called)
  end
  local ordered, followed = in_order(leaf, others(leaf, found, chain))
  if not options.force then
    check_dates(leaf, called)
    for i = 1, followed do check_dates(ordered[i], chain_called) end
    if #ordered > 0 and followed == 0 then
      M.refuse(
        "no certificate of %s has signed %s; its issuer is %s; force = true overrides this",
        chain_called, leaf.subject, leaf.issuer
      )
    end
  end
  leaf.key_text = block .. "\n"
  leaf.chain_text = #ordered > 0 and text_of(ordered) or nil
  return leaf
end

return M
