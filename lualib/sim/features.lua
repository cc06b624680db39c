-- What the device is made of, in order of installation: modules with `install(device)`.
return {
  "sim.log",
  "sim.fault",
  "sim.restart",
  "sim.headers",
}
