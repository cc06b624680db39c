/* What belongs together: a certificate and its key, a certificate and the one that signed it. */
#ifndef F5_PAIR_H
#define F5_PAIR_H

#include <lua.h>

/* Lua: certificate_key(certificate, key, passphrase) -> the type of the key ("rsa", "ec", …), and
 * whether it is encrypted; or nil and the reason if it is not the key of this certificate. The
 * certificate and the key are texts in PEM; the passphrase may be nil. */
int pair_lua_key(lua_State *L);
/* Lua: certificate_signed(certificate, issuer) -> whether the second one has signed the first */
int pair_lua_signed(lua_State *L);

#endif
