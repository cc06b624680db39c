#include "fiber/fiber_readable.h"

#include <limits.h>
#include <string.h>

#include <lauxlib.h>

#include "base/owner.h"
#include "fiber/fiber.h"

#define READABLE_TYPE "f5lua.fiber.readable"

/* A userdata on the stack of the waiting fiber. */
typedef struct readable {
  fiber_wait wait;
  loop *loop; /* NULL: it is not watched any more */
  int fd;
} readable;

static void leave(readable *r) {
  if (r->loop) loop_unwatch(r->loop, r->fd);
  r->loop = NULL;
}

static void ready(void *data, int fd) {
  (void)fd;
  readable *r = data;
  leave(r);
  fiber_wake(&r->wait);
}

static void abandon(fiber_wait *wait) {
  leave(OWNER(wait, readable, wait));
}

static int collect(lua_State *L) {
  leave(lua_touserdata(L, 1));
  return 0;
}

int fiber_readable(lua_State *L, int fd, lua_KContext context, lua_KFunction finish) {
  readable *r = lua_newuserdatauv(L, sizeof *r, 0);
  memset(r, 0, sizeof *r);
  if (luaL_newmetatable(L, READABLE_TYPE)) {
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  r->wait.abandon = abandon;
  r->loop = fiber_loop(L);
  r->fd = fd;
  loop_watch(r->loop, fd, ready, r);
  return fiber_await(L, &r->wait, context, finish);
}

static int finish_readable(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

int fiber_lua_readable(lua_State *L) {
  lua_Integer fd = luaL_checkinteger(L, 1);
  luaL_argcheck(L, fd >= 0 && fd <= INT_MAX, 1, "not a descriptor");
  return fiber_readable(L, (int)fd, 0, finish_readable);
}
