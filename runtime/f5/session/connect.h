/* f5.connect. */
#ifndef F5_CONNECT_H
#define F5_CONNECT_H

#include <lua.h>

/* Lua: connect(options) -> session, logged in */
int connect_lua(lua_State *L);
/* Lua: connect_given(options): the same, also in a simulated run: to these options and no others */
int connect_lua_given(lua_State *L);
/* Lua: preset{host, port, ca, username, password, label}: the device that f5.connect uses in a
 * simulated run; nil ends the simulated run */
int connect_lua_preset(lua_State *L);

#endif
