/* A recorder sees every write of a session before it is sent, and what came of it. Check mode,
 * plans and change records are made of that, so no write may pass it by: operation_write, which
 * sends all writes, calls these functions. */
#ifndef F5_RECORD_H
#define F5_RECORD_H

#include <lua.h>

#include "f5/session/operation.h"

/* Calls recorder.before(write), which may wait, and then `next`. The write is a table that stays on
 * the stack: method, path, body (string or nil), transaction (id or nil), harmless (the script says
 * that it changes nothing), where (the script's line). Errors of the recorder are raised; nothing
 * was sent then. */
int record_before(lua_State *L, f5_operation *op, lua_KFunction next);
/* Calls recorder.after(write), which may not wait. The write has these fields in addition: ok,
 * status, answer (string or nil), operation (of a twin) and, if it failed, message and outcome
 * ("unknown" or nil). */
void record_after(lua_State *L, f5_operation *op);

/* Lua: record(session, { before, after } or nil) */
int record_lua(lua_State *L);

#endif
