#include "fiber/fiber_scheduler.h"

#include <string.h>

/* The key of the scheduler in the registry. */
static const char scheduler_key;

fiber_scheduler *fiber_last_scheduler;

fiber_scheduler *fiber_find_scheduler(lua_State *L) {
  luaL_checkstack(L, 1, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &scheduler_key);
  fiber_scheduler *s = lua_touserdata(L, -1);
  lua_pop(L, 1); /* scheduler */
  uintptr_t *word = fiber_thread_word(L);
  if ((*word & ~(uintptr_t)THREAD_MARKS) != (uintptr_t)s) *word = (uintptr_t)s;
  return s;
}

static int default_cancel_error(lua_State *L) {
  lua_pushliteral(L, "cancelled");
  return 1;
}

fiber_scheduler *fiber_scheduler_new(lua_State *L, loop *l) {
  fiber_scheduler *s = lua_newuserdatauv(L, sizeof *s, 0);
  memset(s, 0, sizeof *s);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &scheduler_key);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  s->main = lua_tothread(L, -1);
  lua_pop(L, 1); /* main thread */
  s->l = l;
  s->outside.scheduler = s;
  s->outside.pinned = true;
  s->outside.handle = LUA_NOREF;
  s->current = &s->outside;
  s->ready_end = &s->ready;
  s->loaded.by_fibers = true;
  s->push_cancel = default_cancel_error;
  *fiber_thread_word(s->main) = (uintptr_t)s;
  fiber_last_scheduler = s;
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &s->collected);
  return s;
}
