/* Lua's require (loadlib.c), with two differences. Searchers and modules may block, which suspends
 * the fiber. If another fiber is loading the module, the caller waits for it, so that the module is
 * loaded once. */
#include "fiber/fiber_require.h"

#include <lauxlib.h>
#include <lualib.h>

#include "fiber/fiber_event_wait.h"
#include "fiber/fiber_scheduler.h"

#define GUARD_TYPE "f5lua.fiber.loading"

/* The key of a table in the registry: name of a module -> guard of the fiber that loads it. */
static const char loading;

/* Stack: 1 name, 2 package.loaded, 3 the guard, 4 package.searchers, 5 why the searchers did not
 * find the module, then the two results of a searcher. */
enum { NAME = 1, LOADED, GUARD, SEARCHERS, REASONS, LOADER };

/* -- the guard: a to-be-closed value, so it is also removed if the module raises an error -- */

typedef struct guard {
  fiber *loader; /* user value 2 keeps it */
} guard;

/* Pushes the table of guards and its entry for the module. */
static guard *push_entry(lua_State *L, int name) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading);
  lua_pushvalue(L, name);
  lua_rawget(L, -2);
  return lua_touserdata(L, -1);
}

static int close_guard(lua_State *L) {
  guard *g = lua_touserdata(L, 1);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1); /* guard, name */
  if (push_entry(L, 2) == g) {
    lua_pushvalue(L, 2);
    lua_pushnil(L);
    lua_rawset(L, -4);
  }
  g->loader->loading--;
  fiber_event_signal(&g->loader->scheduler->loaded);
  return 0;
}

static void push_guard(lua_State *L) {
  guard *g = lua_newuserdatauv(L, sizeof *g, 2);
  g->loader = fiber_scheduler_of(L)->current;
  lua_pushvalue(L, NAME);
  lua_setiuservalue(L, GUARD, 1);
  fiber_push_handle(L, g->loader);
  lua_setiuservalue(L, GUARD, 2);
  luaL_setmetatable(L, GUARD_TYPE);
}

/* From here on, other fibers wait for the module. */
static void set_guard(lua_State *L) {
  const guard *g = lua_touserdata(L, GUARD);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading);
  lua_pushvalue(L, NAME);
  lua_pushvalue(L, GUARD);
  lua_rawset(L, -3);
  lua_pop(L, 1); /* table */
  g->loader->loading++;
  lua_toclose(L, GUARD);
}

/* -- waiting for the fiber that loads the module -- */

static int require(lua_State *L);

static int retry_require(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  lua_settop(L, 1);
  return require(L);
}

static int await_loader(lua_State *L, fiber *loader) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  return fiber_event_await(L, &s->loaded, 0, (lua_KContext)loader, retry_require);
}

/* The fiber that loads the module that `f` waits for. NULL if it does not wait for a module. */
static fiber *awaited_loader(const fiber *f) {
  const fiber_wait *wait = f->wait;
  return wait && wait->finish == retry_require ? (fiber *)wait->context : NULL;
}

/* The fiber that loads the module. NULL if there is none, or if it is this fiber or waits for it to
 * load another module, or if it has ended: then it left the module in a coroutine. */
static fiber *find_loader(lua_State *L) {
  fiber *current = fiber_scheduler_of(L)->current;
  const guard *g = push_entry(L, NAME);
  lua_pop(L, 2); /* table, guard */
  if (!g || g->loader->outcome != FIBER_RUNNING) return NULL;
  for (const fiber *f = g->loader; f; f = awaited_loader(f))
    if (f == current) return NULL;
  return g->loader;
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
  if (lua_getfield(L, LOADED, name) ==
      LUA_TNIL) { /* the module neither returned a value nor set its entry */
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

static void add_reason(lua_State *L) {
  if (!lua_isstring(L, LOADER)) return;
  lua_pushvalue(L, REASONS);
  lua_pushliteral(L, "\n\t");
  lua_pushvalue(L, LOADER);
  lua_concat(L, 3);
  lua_replace(L, REASONS);
}

static int searched(lua_State *L, int status, lua_KContext i);

static int search(lua_State *L, lua_Integer i) {
  for (;; i++) {
    lua_settop(L, REASONS);
    if (lua_rawgeti(L, SEARCHERS, i) == LUA_TNIL)
      return luaL_error(L, "module '%s' not found:%s", lua_tostring(L, NAME),
                        lua_tostring(L, REASONS));
    lua_pushvalue(L, NAME);
    lua_callk(L, 1, 2, (lua_KContext)i, searched);
    if (lua_isfunction(L, LOADER)) return run_loader(L);
    add_reason(L);
  }
}

/* Searcher i blocked. Continues after it. */
static int searched(lua_State *L, int status, lua_KContext i) {
  (void)status;
  if (lua_isfunction(L, LOADER)) return run_loader(L);
  add_reason(L);
  return search(L, (lua_Integer)i + 1);
}

/* Pushes the module if it is loaded. */
static bool push_loaded(lua_State *L) {
  lua_getfield(L, LOADED, lua_tostring(L, NAME));
  if (lua_toboolean(L, -1)) return true;
  lua_pop(L, 1);
  return false;
}

static int require(lua_State *L) { /* upvalue 1: package */
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (push_loaded(L)) return 1;
  push_guard(L);
  if (push_loaded(L)) return 1; /* a finalizer loaded it */
  fiber *loader = find_loader(L);
  if (loader) return await_loader(L, loader);
  set_guard(L);
  if (lua_getfield(L, lua_upvalueindex(1), "searchers") != LUA_TTABLE)
    return luaL_error(L, "'package.searchers' must be a table");
  lua_pushliteral(L, "");
  return search(L, 1);
}

void fiber_replace_require(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &loading);
  luaL_newmetatable(L, GUARD_TYPE);
  lua_pushcfunction(L, close_guard);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1); /* metatable */
  if (lua_getglobal(L, LUA_LOADLIBNAME) != LUA_TTABLE) {
    lua_pop(L, 1);
    return;
  }
  lua_pushcclosure(L, require, 1);
  lua_setglobal(L, "require");
}
