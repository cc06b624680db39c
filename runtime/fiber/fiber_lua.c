#include "fiber/fiber_lua.h"

#include <math.h>
#include <string.h>

#include <lauxlib.h>

#include "base/owner.h"
#include "fiber/fiber.h"
#include "fiber/fiber_event_wait.h"
#include "fiber/fiber_private.h"

#define GROUP_TYPE "f5lua.fiber.group"
#define SLEEPER_TYPE "f5lua.fiber.sleeper"

/* -- join -- */

/* Waits for the fiber at index 1. `finish` finds its handle there, too. */
static int await_end(lua_State *L, fiber *f, lua_KFunction finish) {
  if (f->outcome != FIBER_RUNNING) return finish(L, LUA_OK, 0);
  if (f == f->scheduler->current) return luaL_error(L, "a fiber cannot wait for its own end");
  return fiber_event_await(L, &f->ended, 1, 0, finish);
}

static fiber *check_fiber(lua_State *L) {
  return luaL_checkudata(L, 1, FIBER_TYPE);
}

static int finish_join(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  fiber *f = check_fiber(L);
  fiber_set_joined(f);
  int count = fiber_push_outcome(L, f);
  return f->outcome == FIBER_DONE ? count : lua_error(L);
}

static int fiber_join(lua_State *L) {
  return await_end(L, check_fiber(L), finish_join);
}

/* -- cancel, status -- */

static int fiber_cancel_method(lua_State *L) {
  fiber_cancel(check_fiber(L));
  return 0;
}

static const char *const outcome_names[] = {"running", "done", "failed", "cancelled"};

static int fiber_status(lua_State *L) {
  lua_pushstring(L, outcome_names[check_fiber(L)->outcome]);
  return 1;
}

/* Raises a failure that nobody has seen, unless an error is already leaving the block. */
static int finish_close(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  fiber *f = check_fiber(L);
  bool failed = f->outcome == FIBER_FAILED && !f->joined;
  fiber_set_joined(f);
  if (!failed || !lua_isnil(L, 2)) return 0;
  fiber_push_outcome(L, f);
  return lua_error(L);
}

static int fiber_close(lua_State *L) {
  fiber *f = check_fiber(L);
  lua_settop(L, 2);
  fiber_cancel(f);
  return await_end(L, f, finish_close);
}

static int push_name(lua_State *L, fiber *f) {
  if (lua_getiuservalue(L, 1, VALUE_NAME) == LUA_TNIL) lua_pushfstring(L, "fiber %d", (int)f->id);
  return 1;
}

static int fiber_tostring(lua_State *L) {
  fiber *f = check_fiber(L);
  push_name(L, f);
  lua_pushfstring(L, "%s (%s)", luaL_tolstring(L, -1, NULL), outcome_names[f->outcome]);
  return 1;
}

static int fiber_index(lua_State *L) { /* upvalue 1: methods */
  fiber *f = check_fiber(L);
  const char *key = lua_tostring(L, 2);
  if (key && strcmp(key, "name") == 0) return push_name(L, f);
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  return 1;
}

static int fiber_newindex(lua_State *L) {
  check_fiber(L);
  if (strcmp(luaL_checkstring(L, 2), "name") != 0)
    return luaL_error(L, "cannot set field '%s' of a fiber; only 'name' can be set",
                      lua_tostring(L, 2));
  luaL_checkstring(L, 3);
  lua_settop(L, 3);
  lua_setiuservalue(L, 1, VALUE_NAME);
  return 0;
}

/* Nobody can ask for its error any more. Keeps the error for the scheduler, which reports it. */
static int fiber_gc(lua_State *L) {
  fiber *f = check_fiber(L);
  fiber_scheduler *s = f->scheduler;
  if (!f->listed_failed) return 0;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &s->collected);
  fiber_push_outcome(L, f);
  lua_rawseti(L, -2, s->collected + 1);
  s->collected++;
  fiber_set_joined(f);
  return 0;
}

/* -- spawn -- */

static void check_callable(lua_State *L, int index, int argument) {
  if (lua_isfunction(L, index)) return;
  if (luaL_getmetafield(L, index, "__call") != LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  luaL_argerror(L, argument,
                lua_pushfstring(L, "function expected, got %s", luaL_typename(L, index)));
}

int fiber_lua_spawn(lua_State *L) {
  check_callable(L, 1, 1);
  fiber_new(L, lua_gettop(L) - 1);
  return 1;
}

/* -- all -- */

typedef struct fiber_group fiber_group;

typedef struct child {
  fiber_listener listener; /* for the end of the fiber */
  fiber *f;
  fiber_group *group;
} child;

struct fiber_group {
  fiber_wait wait;
  int left, count;
  fiber *failed;    /* the first that failed */
  child children[]; /* the table in user value 1 keeps their handles */
};

static void cancel_children(fiber_group *group) {
  for (int i = 0; i < group->count; i++)
    fiber_cancel(group->children[i].f);
}

static void leave_children(fiber_group *group) {
  for (int i = 0; i < group->count; i++)
    fiber_event_leave(&group->children[i].listener);
}

/* The wait goes on until the children have ended. */
static void cancel_group(fiber_wait *wait) {
  cancel_children(OWNER(wait, fiber_group, wait));
}

static void abandon_group(fiber_wait *wait) {
  fiber_group *group = OWNER(wait, fiber_group, wait);
  cancel_children(group);
  leave_children(group);
}

static void child_ended(fiber_listener *listener) {
  child *c = OWNER(listener, child, listener);
  fiber_group *group = c->group;
  fiber_set_joined(c->f);
  if (c->f->outcome != FIBER_DONE && !group->failed) {
    group->failed = c->f;
    cancel_children(group);
  }
  if (--group->left == 0) fiber_wake(&group->wait);
}

static int gc_group(lua_State *L) {
  leave_children(lua_touserdata(L, 1));
  return 0;
}

/* Expects the handle of the new fiber on top of the stack, which keeps it. */
static void add_child(fiber_group *group, fiber *f) {
  child *c = &group->children[group->count++];
  *c = (child){.listener.notify = child_ended, .f = f, .group = group};
  fiber_event_listen(&f->ended, &c->listener);
  group->left++;
}

/* Stack: …, table of handles, group. context: whether the results go into a table. */
static int finish_all(lua_State *L, int status, lua_KContext into_table) {
  (void)status;
  fiber_group *group = lua_touserdata(L, -1);
  if (group->failed) {
    fiber_push_outcome(L, group->failed);
    return lua_error(L);
  }
  int count = group->count, first = lua_gettop(L) + 1;
  if (into_table) lua_createtable(L, count, 1);
  luaL_checkstack(L, count + LUA_MINSTACK, "too many functions");
  for (int i = 0; i < count; i++) {
    if (fiber_push_outcome(L, group->children[i].f) == 0) lua_pushnil(L);
    lua_settop(L, first + (into_table ? 1 : i)); /* the first result of each */
    if (into_table) lua_rawseti(L, first, i + 1);
  }
  if (!into_table) return count;
  lua_pushinteger(L, count);
  lua_setfield(L, first, "n");
  return 1;
}

/* Checks the functions: in a table at 1, or the arguments. Returns their number. */
static int check_functions(lua_State *L, bool table) {
  if (table && lua_gettop(L) > 1)
    return luaL_argerror(L, 2, "no argument expected after the table of functions");
  lua_Integer count = table ? luaL_len(L, 1) : lua_gettop(L);
  luaL_argcheck(L, count >= 0 && count < 1000000, 1, "too many functions");
  for (int i = 1; i <= count; i++) {
    if (!table) {
      check_callable(L, i, i);
      continue;
    }
    lua_geti(L, 1, i);
    if (!lua_isfunction(L, -1) && !luaL_getmetafield(L, -1, "__call"))
      return luaL_error(L, "bad argument #1 to 'all' (function expected at index %d, got %s)", i,
                        luaL_typename(L, -1));
    lua_settop(L, 1);
  }
  return (int)count;
}

/* Stack: …, table of handles -> …, table of handles, group. */
static fiber_group *push_group(lua_State *L, int count) {
  size_t size = sizeof(fiber_group) + (size_t)count * sizeof(child);
  fiber_group *group = lua_newuserdatauv(L, size, 1);
  memset(group, 0, sizeof *group);
  group->wait.abandon = abandon_group;
  group->wait.cancel = cancel_group;
  group->wait.by_fibers = true;
  luaL_setmetatable(L, GROUP_TYPE);
  lua_pushvalue(L, -2);
  lua_setiuservalue(L, -2, 1);
  return group;
}

/* Whether the first argument is a table of functions, not a callable table. */
static bool is_table_of_functions(lua_State *L) {
  if (!lua_istable(L, 1)) return false;
  if (luaL_getmetafield(L, 1, "__call") == LUA_TNIL) return true;
  lua_pop(L, 1); /* __call */
  return false;
}

int fiber_lua_all(lua_State *L) {
  bool table = is_table_of_functions(L);
  int count = check_functions(L, table);
  lua_createtable(L, count, 0);
  int handles = lua_gettop(L);
  fiber_group *group = push_group(L, count);
  for (int i = 1; i <= count; i++) {
    if (table)
      lua_geti(L, 1, i);
    else
      lua_pushvalue(L, i);
    add_child(group, fiber_new(L, 0));
    lua_rawseti(L, handles, i);
  }
  group->wait.done = count == 0;
  if (group->failed) cancel_children(group); /* one failed while a finalizer waited */
  return fiber_await(L, &group->wait, table, finish_all);
}

/* -- sleep -- */

typedef struct sleeper {
  fiber_wait wait;
  loop_timer timer;
  loop *l;
} sleeper;

static void end_sleep(loop_timer *timer) {
  fiber_wake(&OWNER(timer, sleeper, timer)->wait);
}

static void abandon_sleep(fiber_wait *wait) {
  sleeper *s = OWNER(wait, sleeper, wait);
  loop_timer_stop(s->l, &s->timer);
}

static int gc_sleeper(lua_State *L) {
  sleeper *s = lua_touserdata(L, 1);
  loop_timer_stop(s->l, &s->timer);
  return 0;
}

static int finish_sleep(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

int fiber_lua_sleep(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  luaL_argcheck(L, seconds >= 0 && seconds <= 1e9, 1, "expected a number of seconds from 0 to 1e9");
  sleeper *s = lua_newuserdatauv(L, sizeof *s, 0);
  memset(s, 0, sizeof *s);
  s->l = fiber_loop(L);
  s->wait.abandon = abandon_sleep;
  s->timer.fire = end_sleep;
  luaL_setmetatable(L, SLEEPER_TYPE);
  loop_timer_start(s->l, &s->timer, (uint64_t)ceil(seconds * 1000));
  return fiber_await(L, &s->wait, 0, finish_sleep);
}

/* -- metatables -- */

static const luaL_Reg methods[] = {
    {"join", fiber_join}, {"cancel", fiber_cancel_method}, {"status", fiber_status}, {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__close", fiber_close},
                                       {"__gc", fiber_gc},
                                       {"__tostring", fiber_tostring},
                                       {"__newindex", fiber_newindex},
                                       {NULL, NULL}};

static void new_hidden_type(lua_State *L, const char *name, lua_CFunction gc) {
  luaL_newmetatable(L, name);
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1); /* metatable */
}

void fiber_lua_setup(lua_State *L) {
  luaL_newmetatable(L, FIBER_TYPE);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_pushcclosure(L, fiber_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "fiber");
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1); /* metatable */
  new_hidden_type(L, GROUP_TYPE, gc_group);
  new_hidden_type(L, SLEEPER_TYPE, gc_sleeper);
}
