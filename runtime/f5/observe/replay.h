/* Replays: a Lua function answers every request of every session, and nothing is sent. */
#ifndef F5_REPLAY_H
#define F5_REPLAY_H

#include <lua.h>

#include "f5/session/session.h"

/* For a new session: its requests are answered if there is a replay. */
void replay_attach(f5_session *session);

/* Lua: replay(function or nil). From now on f5.connect makes sessions whose requests are answered
 * by function(request) -> answer. It may not wait.
 *
 *   request   { where, device, method, path, headers (lines), body or nil, internal, line,
 *             to_file (the body of the answer goes to a file) }; nothing is masked
 *   answer    { status, headers (lines, with the status line), body }, or
 *             { transport (name of an http_failure), message, sent }, or a text: why there is none
 *
 * nil ends that. The function still answers the sessions that were made before. */
int replay_lua(lua_State *L);

#endif
