/* The session as a script sees it. */
#ifndef F5_SESSION_LUA_H
#define F5_SESSION_LUA_H

#include <lua.h>

#include "f5/session/session.h"

#define SESSION_NAME "f5.session"

/* The open session at index, or a usage error. */
f5_session *session_check(lua_State *L, int index);
/* Raises a usage error if the session is closed. */
void session_check_open(lua_State *L, const f5_session *session);
/* Pushes the userdata, empty; returns where it keeps its session, whose reference it takes over. */
f5_session **session_push(lua_State *L);
/* Makes the metatables; pushes the table of methods, which Lua parts add to. */
void session_setup(lua_State *L);

/* Lua: set_password(session, string or secret). What the session logs in with from now on. */
int session_lua_set_password(lua_State *L);

#endif
