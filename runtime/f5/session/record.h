/* A recorder sees every write of a session before it is sent, and what came of it. Check mode,
 * plans and change records are made of that, so no write may pass it by: operation_write, which
 * sends all writes, calls these functions. */
#ifndef F5_RECORD_H
#define F5_RECORD_H

#include <stdbool.h>

#include <lua.h>

#include "f5/session/call.h"
#include "f5/session/session.h"

/* Pushes the write, which stays on the stack, and above it recorder.before and the write again: the
 * caller calls that function, which may wait. Its errors are raised; nothing was sent then. The
 * write is a table: method, path, body (string or nil), transaction (id or nil), range (of a chunk
 * of a file, or nil), harmless (the script says that it changes nothing), where (the script's
 * line). */
void record_before(lua_State *L, const f5_call *call);
/* Calls recorder.after(write), which may not wait. write: its index. It has these fields in
 * addition: ok, status, answer (string or nil), operation (of a twin) and, if it failed, message
 * and outcome ("unknown" or nil). */
void record_after(lua_State *L, const f5_call *call, int write);

/* The same for a write that was cut off: its fiber was cancelled. unknown: the device may have
 * received it; unsent: it was not even sent (field `unsent`). */
void record_cut_off(lua_State *L, const f5_session *session, int write, bool unknown, bool unsent);

/* Calls recorder.refused(read), if there is one, for a read that is not implemented (501): with
 * method, path, where, status, answer and message. It may not wait. */
void record_refused(lua_State *L, const f5_call *call);

/* Lua: set_recorder(session, { before, after, refused } or nil). core.record
 * (f5/safe/recorders.lua) adds one to those that the session has. */
int record_lua(lua_State *L);

#endif
