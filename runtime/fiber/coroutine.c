/* The functions of Lua's coroutine library. A blocking call inside a coroutine suspends the fiber,
 * not the script's coroutine. For scripts they behave exactly like the functions of Lua 5.4
 * (lcorolib.c).
 *
 * A blocking call in a user's coroutine yields out of it. resume and wrap distinguish such a yield
 * from the script's own and pass it up until it reaches the scheduler. On the way back, each of
 * them resumes its coroutine. A coroutine that waits like this is marked as busy: other fibers see
 * it as running. */
#include "fiber/coroutine.h"

#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "fiber/fiber_private.h"

static lua_State *check_coroutine(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co != NULL, 1, "coroutine");
  return co;
}

static const char *status_of(lua_State *L, lua_State *co) {
  lua_Debug ar;
  if (L == co) return "running";
  if (fiber_thread_is(co, THREAD_BUSY)) return "normal";
  switch (lua_status(co)) {
  case LUA_YIELD:
    return "suspended";
  case LUA_OK:
    if (lua_getstack(co, 0, &ar)) return "normal";
    /* The thread of an ended fiber holds its results. They are not a function that waits to be
     * started. */
    return lua_gettop(co) == 0 || fiber_thread_is(co, THREAD_ROOT) ? "dead" : "suspended";
  default:
    return "dead";
  }
}

/* Moves the results of the coroutine to L. Returns their number, or -1 and leaves the error
 * value. */
static int take_result(lua_State *L, lua_State *co, int status, int results) {
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1); /* error value */
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, results);
  return results;
}

/* Resumes the coroutine. If a blocking call suspends it, waits. `next` continues the caller after a
 * yield. */
static int resume(lua_State *L, lua_State *co, int arguments, lua_KFunction next) {
  fiber_scheduler *s = fiber_scheduler_of(L);
  for (;; arguments = 0) {
    bool blocked;
    int results = 0;
    int status = fiber_resume_thread(s, L, co, arguments, &results, &blocked);
    if (!blocked) return take_result(L, co, status, results);
    fiber_thread_mark(co, THREAD_BUSY, true);
    if (fiber_can_yield(s, L)) return lua_yieldk(L, 0, 0, next);
    fiber_pump(s, L, s->awaiting);
    fiber_thread_mark(co, THREAD_BUSY, false);
  }
}

static int start(lua_State *L, lua_State *co, int arguments, lua_KFunction next) {
  if (!lua_checkstack(co, arguments)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  if (fiber_thread_is(co, THREAD_BUSY | THREAD_ROOT)) {
    const char *status = status_of(L, co);
    lua_pushfstring(L, "cannot resume %s coroutine",
                    strcmp(status, "dead") == 0 ? status : "non-suspended");
    return -1;
  }
  lua_xmove(L, co, arguments);
  return resume(L, co, arguments, next);
}

static int continue_coroutine(lua_State *L, lua_State *co, lua_KFunction next) {
  fiber_thread_mark(co, THREAD_BUSY, false);
  return resume(L, co, 0, next);
}

static int finish_resume(lua_State *L, int results) {
  lua_pushboolean(L, results >= 0);
  if (results < 0) results = 1;
  lua_insert(L, -(results + 1));
  return results + 1;
}

static int co_resume_next(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return finish_resume(L, continue_coroutine(L, lua_tothread(L, 1), co_resume_next));
}

static int co_resume(lua_State *L) {
  lua_State *co = check_coroutine(L);
  return finish_resume(L, start(L, co, lua_gettop(L) - 1, co_resume_next));
}

static int finish_wrap(lua_State *L, lua_State *co, int results) {
  if (results >= 0) return results;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) {
    status = lua_resetthread(co); /* runs its pending `<close>` variables */
    lua_xmove(co, L, 1);          /* the error value; __close may have replaced it */
  }
  /* Put the position before the message, but not for a cancellation: the fiber would count as
   * failed. */
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING && !fiber_is_cancel_error(L)) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int co_wrap_next(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  return finish_wrap(L, co, continue_coroutine(L, co, co_wrap_next));
}

static int co_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  return finish_wrap(L, co, start(L, co, lua_gettop(L), co_wrap_next));
}

static int co_wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, co_wrapped, 1);
  return 1;
}

static int co_yield (lua_State *L) {
  if (fiber_thread_is(L, THREAD_ROOT))
    return luaL_error(L, "attempt to yield from outside a coroutine");
  return lua_yield(L, lua_gettop(L));
}

static int co_status(lua_State *L) {
  lua_State *co = check_coroutine(L);
  lua_pushstring(L, status_of(L, co));
  return 1;
}

static int co_close(lua_State *L) {
  lua_State *co = check_coroutine(L);
  const char *status = status_of(L, co);
  if (strcmp(status, "dead") != 0 && strcmp(status, "suspended") != 0)
    return luaL_error(L, "cannot close a %s coroutine", status);
  if (fiber_thread_is(co, THREAD_ROOT) || lua_resetthread(co) == LUA_OK) {
    lua_pushboolean(L, true);
    return 1;
  }
  lua_pushboolean(L, false);
  lua_xmove(co, L, 1);
  return 2;
}

static int co_running(lua_State *L) {
  lua_pushthread(L);
  lua_pushboolean(L, fiber_thread_is(L, THREAD_ROOT) || L == fiber_scheduler_of(L)->main);
  return 2;
}

static int co_isyieldable(lua_State *L) {
  lua_State *co = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
  lua_pushboolean(L, lua_isyieldable(co) && !fiber_thread_is(co, THREAD_ROOT));
  return 1;
}

static const luaL_Reg functions[] = {
    {"resume", co_resume},           {"wrap", co_wrap},   {"yield", co_yield },
    {"status", co_status},           {"close", co_close}, {"running", co_running},
    {"isyieldable", co_isyieldable}, {NULL, NULL}};

void fiber_replace_coroutine(lua_State *L) {
  if (lua_getglobal(L, LUA_COLIBNAME) == LUA_TTABLE) luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1); /* coroutine */
}
