/* The options of f5.connect that lead to the device of a session, with its credentials: for another
 * process, which reads the same device. */
#ifndef F5_ACCESS_H
#define F5_ACCESS_H

#include <lua.h>

/* Lua: access(session) -> { host, port, label, verify, ca, cert, key, pin, proxy, auth, username,
 * password, token, provider, login_reference }; password and token are secret userdata */
int access_lua(lua_State *L);

#endif
