/* f5.connect. */
#ifndef F5_CONNECT_H
#define F5_CONNECT_H

#include <lua.h>

/* Lua: connect(options) -> session, logged in */
int connect_lua(lua_State *L);
/* Lua: connect_given(options): the same, also in a simulated run: to these options and no others */
int connect_lua_given(lua_State *L);
/* Lua: peer_certificate(options of f5.connect) -> the table of facts_push, and `problem`, why the
 * CAs refuse it; logs in nowhere */
int connect_lua_certificate(lua_State *L);
/* Lua: device_address{ host =, port = } -> "host:port", with F5_SERVER and F5_SERVER_PORT */
int connect_lua_address(lua_State *L);
/* Lua: preset{host, port, ca, username, password, label}: the device that f5.connect uses in a
 * simulated run; nil ends the simulated run */
int connect_lua_preset(lua_State *L);

#endif
