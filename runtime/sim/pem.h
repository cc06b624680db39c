/* Reads the certificates and keys that clients give the simulated device, and makes requests for
 * certificates. */
#ifndef SIM_PEM_H
#define SIM_PEM_H

#include <lua.h>

/* The Lua module, loaded as "sim.pem":
 *
 *   certificate(text) -> { subject, issuer, serial, expires, bits, type, fingerprint, public }
 *   key(text[, passphrase]) -> { bits, type, public }
 *
 *   request({ { "CN", "www.example.net" }, … }[, "DNS:a.example.net"[, key]]) -> text
 *
 * request needs a key without a passphrase; without one, a new key signs. It returns nil if the
 * alternative names are not valid. The others return nil if the text does not contain one, or if
 * the passphrase does not open the key. expires is in seconds since the epoch. type is "rsa", "ec"
 * or another name of OpenSSL. fingerprint and public are 32 bytes: the SHA-256 of the certificate
 * and of the public key. public is the same for a certificate and its key. */
int luaopen_sim_pem(lua_State *L);

#endif
