/* The session as a Lua userdata. */
#ifndef F5_SESSION_LUA_H
#define F5_SESSION_LUA_H

#include <lua.h>

#include "f5/session/session.h"

#define SESSION_NAME "f5.session"

/* Returns the open session at index, or raises a usage error. */
f5_session *session_check(lua_State *L, int index);
/* Raises a usage error if the session is closed. */
void session_check_open(lua_State *L, const f5_session *session);
/* Pushes an empty userdata; returns the address where it stores its session. It takes over that
 * reference. */
f5_session **session_push(lua_State *L);
/* Creates the metatables; pushes the table of methods, which other modules extend. */
void session_setup(lua_State *L);

/* Lua: set_password(session, string or secret): the password for later logins */
int session_lua_set_password(lua_State *L);

/* Lua: unchanged(session, n): n writes that were counted changed nothing, as their task said */
int session_lua_unchanged(lua_State *L);

/* Lua: before_close(fn): the end of a block that closes a session calls fn(serial, error) before;
 * serial: that of the session; error: that of the block, or nil. It may wait. */
int session_lua_before_close(lua_State *L);
/* Lua: last_serial() -> the serial number of the last session that was opened */
int session_lua_serial(lua_State *L);

/* Lua: address(session) -> "host:port" */
int session_lua_address(lua_State *L);

/* Lua: lease(session, end in seconds of boot_time(), or nil: none): no write is sent that could be
 * under way then */
int session_lua_lease(lua_State *L);
/* Lua: boot_time() -> seconds */
int session_lua_boot_time(lua_State *L);

#endif
