-- Where the untouched simulated device differs from what devices answered, and why. A row has
-- patterns for the kind (below "tm:"), the name of the object ("" for a singleton) and the
-- property, and the reason. "lacks": the simulator does not show the property; "more": it shows one
-- that was not recorded; without a word: the value differs.
--
-- Each row must be needed.
local SECRET <const> = "a secret, masked in the recording"
local PROSE <const> = "a text that F5 wrote"
local SITE <const> = "the configuration of one site"
local OWN <const> = "computed from the device's own certificates and keys"
local OPTION <const> = "depends on what is provisioned"
local EXPANDED <const> = "recorded with expandSubcollections"
local DISK <const> = "depends on the hardware"
local NEWER <const> = "of a 16.0; the recording is older"
local COMPUTED <const> = "computed while a device runs"

return {
  { "apm:profile:access:", "", "^customizationKey$", "made by each device for itself", "lacks" },
  { "auth:user:", "^admin$", "^encryptedPassword$", SECRET },
  { "cm:cert:", "", "^subject$", OWN },
  { "cm:cert:", "", "^issuer$", OWN },
  { "cm:cert:", "", "^expiration", OWN },
  { "cm:cert:", "", "^serialNumber$", OWN },
  { "cm:cert:", "", "^size$", OWN },
  { "cm:key:", "", "^size$", OWN },
  { "cm:device%-group:", "", "^devicesReference$", EXPANDED },
  { "cli:alias:shared:", "", "^description$", PROSE, "lacks" },
  { "ltm:cipher:rule:", "", "^description$", PROSE, "lacks" },
  { "ltm:data%-group:internal:", "OFBA", "^description$", PROSE, "lacks" },
  { "ltm:profile:client%-ssl:", "", "^c3dClientFallbackCert$", NEWER, "more" },
  { "ltm:profile:client%-ssl:", "", "^crl$", NEWER, "more" },
  { "ltm:profile:client%-ssl:", "", "^data_0rtt$", NEWER, "more" },
  { "ltm:profile:client%-ssl:", "", "^tmOptions$", NEWER },
  { "ltm:rule:", "^_sys_", "^apiAnonymous$", PROSE },
  { "net:route%-domain:", "^0$", "^vlans", SITE },
  { "net:stp:", "^cist$", "^vlans", SITE, "lacks" },
  { "net:stp:", "^cist$", "^interfaces$", SITE, "lacks" },
  { "sys:application:template:", "", "^tmplSignature$", "a signature of F5's text", "lacks" },
  { "sys:application:template:", "", "^prerequisiteErrors$", PROSE, "lacks" },
  { "sys:crypto:cert:", "", "^fingerprint$", OWN },
  { "sys:db:", "^adm%.block%.enable$", "^value$", SITE },
  { "sys:db:", "^antifraud%.encryptionfieldprefix$", "^value$", SITE },
  { "sys:db:", "^antifraud%.forensic%.selfpostpage$", "alue$", PROSE },
  { "sys:db:", "^botdefense%.challenge_failure_text$", "alue$", PROSE },
  { "sys:db:", "^apm%.epsec%.version$", "^value$", OPTION },
  { "sys:db:", "^avr%.stats%.internal%.maxentitiespertable$", "^value$", COMPUTED },
  { "sys:db:", "^configsync%.localconfigtime$", "^value$", COMPUTED },
  { "sys:db:", "^dns%.", "^value$", SITE },
  { "sys:disk:logical%-disk:", "", "", DISK },
  { "sys:management%-route:", "", "^gateway$", SITE },
  { "sys:management%-route:", "", "^description$", SITE },
  { "sys:ntp:", "", "^servers$", SITE, "lacks" },
  { "sys:ntp:", "", "^timezone$", SITE },
  { "sys:provision:", "", "^level$", OPTION },
  { "sys:sshd:", "", "^bannerText$", SITE, "lacks" },
}
