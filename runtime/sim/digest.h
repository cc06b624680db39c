/* Digests and Base64 for the simulated device: hash ids of ASM, checksums of files, inline contents
 * of files. */
#ifndef SIM_DIGEST_H
#define SIM_DIGEST_H

#include <lua.h>

/* The Lua module, loaded as "sim.digest":
 *
 *   md5(text)        -> 16 bytes          sha256(text) -> 32 bytes
 *   base64(bytes)    -> text with padding
 *   base64url(bytes) -> URL-safe text without padding (22 characters for an MD5)
 *   unbase64(text)   -> bytes, or nil if the text is not Base64; skips white space
 */
int luaopen_sim_digest(lua_State *L);

#endif
