-- The modules that a device can have.
return {
  "afm", "am", "apm", "asm", "avr", "cgnat", "dos", "fps", "gtm", "ilx", "lc", "ltm", "pem", "sslo",
  "swg", "urldb", "vcmp",
}
