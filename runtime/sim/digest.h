/* Digests and Base64 for the simulated device: hash ids of ASM, checksums of files, inline file
 * contents. */
#ifndef SIM_DIGEST_H
#define SIM_DIGEST_H

#include <lua.h>

/* The Lua module, loaded as "sim.digest":
 *   md5(text)        -> 16 bytes          sha256(text) -> 32 bytes
 *   base64(bytes)    -> text with padding
 *   base64url(bytes) -> url-safe text without padding (22 characters for an MD5)
 *   unbase64(text)   -> bytes, or nil when the text is not Base64 (white space is skipped) */
int luaopen_sim_digest(lua_State *L);

#endif
