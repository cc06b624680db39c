/* Sealed texts in Lua; see f5/report/seal.h. A passphrase is a string, or a secret of
 * secret_from_terminal or secret_from_command. */
#ifndef F5_SEAL_LUA_H
#define F5_SEAL_LUA_H

#include <lua.h>

/* seal(passphrase, text) -> printable text */
int seal_lua(lua_State *L);
/* unseal(passphrase, sealed) -> text; or nil and the reason */
int seal_lua_open(lua_State *L);

#endif
