/* What scripts call: spawn, all, sleep and the methods of a fiber's handle. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "fiber/fiber_scheduler.h"

#define OWNER(wait_pointer, type) ((type *)(void *)((char *)(wait_pointer)-offsetof(type, wait)))
#define JOINER_TYPE "f5lua.fiber.joiner"
#define GROUP_TYPE "f5lua.fiber.group"
#define SLEEPER_TYPE "f5lua.fiber.sleeper"

/* -- join -- */

struct fiber_joiner {
  fiber_wait wait;
  fiber *target; /* kept by user value 1; NULL when it is in no list */
  fiber_joiner *next;
};

static void leave_target(fiber_joiner *joiner) {
  if (!joiner->target) return;
  for (fiber_joiner **place = &joiner->target->joiners; *place; place = &(*place)->next)
    if (*place == joiner) {
      *place = joiner->next;
      break;
    }
  joiner->target = NULL;
}

static void abandon_join(fiber_wait *wait) {
  leave_target(OWNER(wait, fiber_joiner));
}

static int gc_joiner(lua_State *L) {
  leave_target(lua_touserdata(L, 1));
  return 0;
}

void fiber_wake_joiners(fiber *f) {
  for (fiber_joiner *joiner; (joiner = f->joiners);) {
    f->joiners = joiner->next;
    joiner->target = NULL;
    fiber_wake(&joiner->wait);
  }
}

/* Waits for the fiber at index 1; finish finds the handle there too. */
static int await_end(lua_State *L, fiber *f, lua_KFunction finish) {
  if (f->outcome != FIBER_RUNNING) return finish(L, LUA_OK, 0);
  if (f == f->scheduler->current) return luaL_error(L, "a fiber cannot wait for its own end");
  fiber_joiner *joiner = lua_newuserdatauv(L, sizeof *joiner, 1);
  /* A finalizer that waits may have let it come to its end. */
  if (f->outcome != FIBER_RUNNING) return finish(L, LUA_OK, 0);
  memset(joiner, 0, sizeof *joiner);
  luaL_setmetatable(L, JOINER_TYPE);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  joiner->wait.abandon = abandon_join;
  joiner->wait.by_fibers = true;
  joiner->target = f;
  fiber_joiner **end = &f->joiners;
  while (*end)
    end = &(*end)->next;
  *end = joiner;
  return fiber_await(L, &joiner->wait, 0, finish);
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

/* A failure that nobody saw yet is raised, unless the block is being left by an error already. */
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
    return luaL_error(L, "a fiber has no field '%s' that can be set", lua_tostring(L, 2));
  luaL_checkstring(L, 3);
  lua_settop(L, 3);
  lua_setiuservalue(L, 1, VALUE_NAME);
  return 0;
}

/* Its error can be asked for no more: kept for the scheduler, which reports it. */
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

struct fiber_group {
  fiber_wait wait;
  int left, count;
  fiber *failed;     /* the first */
  fiber *children[]; /* their handles are in the table that user value 1 is */
};

static void cancel_group(fiber_group *group) {
  for (int i = 0; i < group->count; i++)
    fiber_cancel(group->children[i]);
}

static void abandon_group(fiber_wait *wait) {
  fiber_group *group = OWNER(wait, fiber_group);
  cancel_group(group);
  for (int i = 0; i < group->count; i++)
    group->children[i]->group = NULL;
}

void fiber_tell_group(fiber *f) {
  fiber_group *group = f->group;
  f->group = NULL;
  fiber_set_joined(f);
  if (f->outcome != FIBER_DONE && !group->failed) {
    group->failed = f;
    cancel_group(group);
  }
  if (--group->left == 0) fiber_wake(&group->wait);
}

bool fiber_wait_cancel_group(fiber_wait *wait) {
  if (wait->abandon != abandon_group) return false;
  cancel_group(OWNER(wait, fiber_group));
  return true;
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
    if (fiber_push_outcome(L, group->children[i]) == 0) lua_pushnil(L);
    lua_settop(L, first + (into_table ? 1 : i)); /* the first result of each */
    if (into_table) lua_rawseti(L, first, i + 1);
  }
  if (!into_table) return count;
  lua_pushinteger(L, count);
  lua_setfield(L, first, "n");
  return 1;
}

int fiber_lua_all(lua_State *L) {
  bool table = lua_istable(L, 1) && luaL_getmetafield(L, 1, "__call") == LUA_TNIL;
  if (table && lua_gettop(L) > 1)
    return luaL_argerror(L, 2, "nothing expected behind the table of functions");
  lua_Integer count = table ? luaL_len(L, 1) : lua_gettop(L);
  luaL_argcheck(L, count >= 0 && count < 1000000, 1, "too many functions");
  for (int i = 1; i <= count; i++) {
    if (table) lua_geti(L, 1, i);
    if (table && !lua_isfunction(L, -1) && !luaL_getmetafield(L, -1, "__call"))
      return luaL_error(L, "bad argument #1 to 'all' (function expected at index %d, got %s)", i,
                        luaL_typename(L, -1));
    if (table)
      lua_settop(L, 1);
    else
      check_callable(L, i, i);
  }
  lua_createtable(L, (int)count, 0);
  int handles = lua_gettop(L);
  fiber_group *group =
      lua_newuserdatauv(L, sizeof *group + (size_t)count * sizeof *group->children, 1);
  memset(group, 0, sizeof *group);
  group->wait.abandon = abandon_group;
  group->wait.by_fibers = true;
  luaL_setmetatable(L, GROUP_TYPE);
  lua_pushvalue(L, handles);
  lua_setiuservalue(L, -2, 1);
  for (int i = 0; i < count; i++) {
    if (table)
      lua_geti(L, 1, i + 1);
    else
      lua_pushvalue(L, i + 1);
    fiber *child = fiber_new(L, 0);
    child->group = group;
    group->children[group->count++] = child;
    group->left++;
    lua_rawseti(L, handles, i + 1);
  }
  group->wait.done = count == 0;
  if (group->failed) cancel_group(group); /* while a finalizer waited */
  return fiber_await(L, &group->wait, table, finish_all);
}

static int gc_group(lua_State *L) {
  fiber_group *group = lua_touserdata(L, 1);
  for (int i = 0; i < group->count; i++)
    if (group->children[i]->group == group) group->children[i]->group = NULL;
  return 0;
}

/* -- sleep -- */

typedef struct sleeper {
  fiber_wait wait;
  loop_timer timer;
  loop *l;
} sleeper;

static void end_sleep(loop_timer *timer) {
  fiber_wake(&((sleeper *)(void *)((char *)timer - offsetof(sleeper, timer)))->wait);
}

static void abandon_sleep(fiber_wait *wait) {
  sleeper *s = OWNER(wait, sleeper);
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
  luaL_argcheck(L, seconds >= 0 && seconds <= 1e9, 1, "seconds expected, a number from 0 to 1e9");
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

void fiber_open_handles(lua_State *L) {
  luaL_newmetatable(L, FIBER_TYPE);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_pushcclosure(L, fiber_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "fiber");
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1); /* metatable */
  new_hidden_type(L, JOINER_TYPE, gc_joiner);
  new_hidden_type(L, GROUP_TYPE, gc_group);
  new_hidden_type(L, SLEEPER_TYPE, gc_sleeper);
}
