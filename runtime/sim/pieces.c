#include "sim/pieces.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"

#define PIECES_TYPE "f5lua.sim.pieces"

static int add(lua_State *L) {
  text *t = luaL_checkudata(L, 1, PIECES_TYPE);
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  text_add(t, bytes, length);
  return t->failed ? luaL_error(L, "not enough memory") : 0;
}

static int collect(lua_State *L) {
  text_free(luaL_checkudata(L, 1, PIECES_TYPE));
  return 0;
}

int sim_pieces_new(lua_State *L) {
  static const luaL_Reg methods[] = {{"add", add}, {"__gc", collect}, {NULL, NULL}};
  text *t = lua_newuserdatauv(L, sizeof *t, 0);
  memset(t, 0, sizeof *t);
  if (luaL_newmetatable(L, PIECES_TYPE)) {
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, -2);
  return 1;
}

static void sent(const void *data, size_t length, void *owner) {
  (void)data, (void)length;
  free(owner);
}

bool sim_pieces_move(lua_State *L, int index, struct evbuffer *buffer) {
  text *t = luaL_testudata(L, index, PIECES_TYPE);
  if (!t || t->length == 0) return true;
  if (evbuffer_add_reference(buffer, t->data, t->length, sent, t->data) != 0) return false;
  memset(t, 0, sizeof *t); /* the buffer has it now */
  return true;
}
