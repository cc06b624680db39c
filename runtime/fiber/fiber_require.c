/* Lua's require (loadlib.c), except that searchers and modules may block, which suspends the fiber,
 * and that a fiber which wants a module that another one is loading waits for it: the module would
 * be loaded twice. */
#include <stddef.h>
#include <string.h>

#include <lualib.h>

#include "fiber/fiber_scheduler.h"

#define WAITER_TYPE "f5lua.fiber.require"
#define GUARD_TYPE "f5lua.fiber.loading"

/* Key of registry[&loading]: name of a module → light userdata, the fiber that loads it. */
static const char loading = 0;

/* Stack: 1 name, 2 package.loaded, 3 the mark that the module is being loaded, 4 package.searchers,
 * 5 what the searchers said, then the two results of a searcher. */
enum { NAME = 1, LOADED, GUARD, SEARCHERS, WORDS, LOADER };

/* -- waiting for the fiber that loads the module -- */

struct require_waiter {
  fiber_wait wait;
  fiber_scheduler *scheduler; /* NULL when it is in no list */
  fiber *waiting;
  struct require_waiter *next;
};

static void leave(struct require_waiter *waiter) {
  if (!waiter->scheduler) return;
  struct require_waiter **place = &waiter->scheduler->require_waiters;
  while (*place != waiter)
    place = &(*place)->next;
  *place = waiter->next;
  waiter->scheduler = NULL;
  waiter->waiting->loader = NULL;
}

static void abandon_require(fiber_wait *wait) {
  leave((struct require_waiter *)(void *)wait);
}

static int gc_waiter(lua_State *L) {
  leave(lua_touserdata(L, 1));
  return 0;
}

static int require(lua_State *L);

static int require_again(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  lua_settop(L, 1);
  return require(L);
}

/* The fiber that loads the module, if it is another one and does not wait for this one to load
 * another module. */
static fiber *find_loader(lua_State *L) {
  fiber *current = fiber_scheduler_of(L)->current;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading);
  lua_getfield(L, -1, lua_tostring(L, NAME));
  fiber *loader = lua_touserdata(L, -1);
  lua_pop(L, 2); /* table, fiber */
  for (fiber *f = loader; f; f = f->loader)
    if (f == current) return NULL;
  return loader;
}

static int await_loader(lua_State *L) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  struct require_waiter *waiter = lua_newuserdatauv(L, sizeof *waiter, 0);
  fiber *loader = find_loader(L);
  if (!loader) return require_again(L, LUA_OK, 0); /* it ended while a finalizer waited */
  memset(waiter, 0, sizeof *waiter);
  luaL_setmetatable(L, WAITER_TYPE);
  waiter->wait.abandon = abandon_require;
  waiter->wait.by_fibers = true;
  waiter->scheduler = s;
  waiter->waiting = s->current;
  waiter->next = s->require_waiters;
  s->require_waiters = waiter;
  s->current->loader = loader;
  return fiber_await(L, &waiter->wait, 0, require_again);
}

/* -- the mark, a to-be-closed value: it goes also when the module raises -- */

static int close_guard(lua_State *L) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading);
  lua_getiuservalue(L, 1, 1);
  lua_pushnil(L);
  lua_rawset(L, -3);
  for (struct require_waiter *waiter; (waiter = s->require_waiters);) {
    leave(waiter);
    fiber_wake(&waiter->wait);
  }
  return 0;
}

static void push_guard(lua_State *L) {
  lua_newuserdatauv(L, 0, 1);
  lua_pushvalue(L, NAME);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, GUARD_TYPE);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading);
  lua_pushvalue(L, NAME);
  lua_pushlightuserdata(L, fiber_scheduler_of(L)->current);
  lua_rawset(L, -3);
  lua_pop(L, 1); /* table */
  lua_toclose(L, -1);
}

/* -- loading -- */

static int loaded(lua_State *L, int status,
                  lua_KContext context) { /* …, loader data, the loader's result */
  const char *name = lua_tostring(L, NAME);
  (void)status, (void)context;
  if (!lua_isnil(L, -1))
    lua_setfield(L, LOADED, name);
  else
    lua_pop(L, 1);
  if (lua_getfield(L, LOADED, name) == LUA_TNIL) { /* neither a result nor an entry of its own */
    lua_pushboolean(L, true);
    lua_copy(L, -1, -2);
    lua_setfield(L, LOADED, name);
  }
  lua_rotate(L, -2, 1); /* module, loader data */
  return 2;
}

static int run_loader(lua_State *L) {
  lua_rotate(L, -2, 1); /* loader data, loader */
  lua_pushvalue(L, NAME);
  lua_pushvalue(L, -3); /* loader data, loader, name, loader data */
  lua_callk(L, 2, 1, 0, loaded);
  return loaded(L, LUA_OK, 0);
}

static void keep_words(lua_State *L) {
  if (!lua_isstring(L, LOADER)) return;
  lua_pushvalue(L, WORDS);
  lua_pushliteral(L, "\n\t");
  lua_pushvalue(L, LOADER);
  lua_concat(L, 3);
  lua_replace(L, WORDS);
}

static int searched(lua_State *L, int status, lua_KContext i);

static int search(lua_State *L, lua_Integer i) {
  for (;; i++) {
    lua_settop(L, WORDS);
    if (lua_rawgeti(L, SEARCHERS, i) == LUA_TNIL)
      return luaL_error(L, "module '%s' not found:%s", lua_tostring(L, NAME),
                        lua_tostring(L, WORDS));
    lua_pushvalue(L, NAME);
    lua_callk(L, 1, 2, (lua_KContext)i, searched);
    if (lua_isfunction(L, LOADER)) return run_loader(L);
    keep_words(L);
  }
}

/* Searcher i blocked: goes on where search was. */
static int searched(lua_State *L, int status, lua_KContext i) {
  (void)status;
  if (lua_isfunction(L, LOADER)) return run_loader(L);
  keep_words(L);
  return search(L, (lua_Integer)i + 1);
}

static int require(lua_State *L) { /* upvalue 1: package */
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, LOADED, name), lua_toboolean(L, -1)) return 1;
  lua_pop(L, 1);
  if (find_loader(L)) return await_loader(L);
  push_guard(L);
  if (lua_getfield(L, lua_upvalueindex(1), "searchers") != LUA_TTABLE)
    return luaL_error(L, "'package.searchers' must be a table");
  lua_pushliteral(L, "");
  return search(L, 1);
}

void fiber_replace_require(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &loading);
  luaL_newmetatable(L, WAITER_TYPE);
  lua_pushcfunction(L, gc_waiter);
  lua_setfield(L, -2, "__gc");
  luaL_newmetatable(L, GUARD_TYPE);
  lua_pushcfunction(L, close_guard);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 2); /* metatables */
  if (lua_getglobal(L, LUA_LOADLIBNAME) != LUA_TTABLE) {
    lua_pop(L, 1);
    return;
  }
  lua_pushcclosure(L, require, 1);
  lua_setglobal(L, "require");
}
