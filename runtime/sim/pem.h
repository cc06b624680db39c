/* Reads the certificates and keys that clients give the simulated device. */
#ifndef SIM_PEM_H
#define SIM_PEM_H

#include <lua.h>

/* The Lua module, loaded as "sim.pem". Both functions return nil for a text that holds no such
 * thing (or a key that its passphrase does not open). certificate(text)      -> { subject, issuer,
 * serial, expires = seconds since the epoch, bits, type, fingerprint, public } key(text[,
 * passphrase]) -> { bits, type, public } type is "rsa", "ec" or another name of OpenSSL's;
 * fingerprint and public are 32 bytes: the SHA-256 of the certificate, and of the public key, which
 * is the same for a certificate and the key that belongs to it. */
int luaopen_sim_pem(lua_State *L);

#endif
