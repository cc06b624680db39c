-- What the device is made of, in order of installation: modules with `install(device)`.
return {
  "sim.log",
  "sim.fault",
  "sim.restart",
  "sim.headers",
  "sim.cors",
  "sim.rest",
  "sim.users",
  "sim.providers",
  "sim.auth",
  "sim.body",
  "sim.roles",
  "sim.ready",
  "sim.shared",
  "sim.asm",
  "sim.live_update",
}
