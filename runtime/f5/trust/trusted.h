/* The certificates that the user trusts: $XDG_CONFIG_HOME/f5lua/trust/HOST:PORT.pem. `f5lua trust`
 * writes them (lualib/f5/trust/store.lua), f5.connect asks here. */
#ifndef F5_TRUSTED_H
#define F5_TRUSTED_H

#include <lua.h>

#include "net/http_trust.h"

/* Fills in the fingerprint of the certificate that is trusted for this host and port. Returns false
 * if there is none. Raises a usage error if there is one that does not count: others could have
 * written it, or it is damaged. */
bool trusted_find(lua_State *L, const char *host, long port, char fingerprint[HTTP_FINGERPRINT]);

/* Adds to the table on top of the stack:
 *   config_directory() -> "…/f5lua", or nil if there is no home directory
 *   read_private(path) -> text; nil if there is no such file; nil and the reason if it does not
 *     count, see base/private_file.h
 *   check_private(directory) -> true; or nil and the reason */
void trusted_register(lua_State *L);

#endif
