#include "fiber/fiber_event_wait.h"

#include <string.h>

#include <lauxlib.h>

#include "base/owner.h"
#include "fiber/fiber.h"

#define WAITER_TYPE "f5lua.fiber.waiter"

/* A userdata on the stack of the waiting fiber. User value 1 keeps the owner of the event. */
typedef struct waiter {
  fiber_wait wait;
  fiber_listener listener;
} waiter;

static void wake(fiber_listener *listener) {
  fiber_wake(&OWNER(listener, waiter, listener)->wait);
}

static void abandon(fiber_wait *wait) {
  fiber_event_leave(&OWNER(wait, waiter, wait)->listener);
}

static int collect(lua_State *L) {
  waiter *w = lua_touserdata(L, 1);
  fiber_event_leave(&w->listener);
  return 0;
}

int fiber_event_await(lua_State *L, fiber_event *event, int owner, lua_KContext context,
                      lua_KFunction finish) {
  unsigned before = event->signals;
  if (owner) owner = lua_absindex(L, owner);
  luaL_checkstack(L, 2, NULL);
  waiter *w = lua_newuserdatauv(L, sizeof *w, 1); /* may run finalizers, which may wait */
  memset(w, 0, sizeof *w);
  luaL_setmetatable(L, WAITER_TYPE);
  if (owner) {
    lua_pushvalue(L, owner);
    lua_setiuservalue(L, -2, 1);
  }
  w->wait.abandon = abandon;
  w->wait.by_fibers = event->by_fibers;
  w->listener.notify = wake;
  if (event->signals == before)
    fiber_event_listen(event, &w->listener);
  else
    w->wait.done = true;
  return fiber_await(L, &w->wait, context, finish);
}

void fiber_event_wait_setup(lua_State *L) {
  luaL_newmetatable(L, WAITER_TYPE);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1); /* metatable */
}
