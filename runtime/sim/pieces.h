/* A body that is put together from pieces. Lua would hold all pieces until they are joined, and the
 * whole body twice. */
#ifndef SIM_PIECES_H
#define SIM_PIECES_H

#include <stdbool.h>

#include <event2/buffer.h>
#include <lua.h>

/* Lua: pieces() -> an empty body; body:add(string) appends. */
int sim_pieces_new(lua_State *L);

/* Moves the body at an index of the stack to a buffer. Does nothing for another value. False if out
 * of memory. */
bool sim_pieces_move(lua_State *L, int index, struct evbuffer *buffer);

#endif
