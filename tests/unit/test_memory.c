/* Memory that runs out anywhere: each allocation of a script's life with a device fails once, that
 * of Lua and that of this program's C. What comes is an error that the script can catch; nothing is
 * left behind (the sanitizer's build counts), no secret comes out, and the state goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "base/json.h"
#include "f5/module.h"
#include "fiber/fiber.h"
#include "fiber/fiber_setup.h"
#include "net/loop.h"

/* No device listens there, so that every call is refused at once. */
static const char life[] =
    "local core, json, name = ...\n"
    "local device <close> = core.connect { host = '127.0.0.1', port = 1, auth = 'basic', username "
    "= 'somebody',\n"
    "  password = 'a very secret password', retries = 0, verify = false }\n"
    "local pool = device.ltm.pool['/Common/some pool with a longer name']\n"
    "local words = tostring(pool) .. tostring(device) .. "
    "tostring(device:at('/mgmt/tm/sys?ver=1&x=\"y\"'))\n"
    "local function fails(kind, ...)\n"
    "  local ok, err = pcall(...)\n"
    "  if ok then error('it worked') end\n"
    "  if type(err) ~= 'table' then error(err, 0) end\n"
    "  words = words .. tostring(err)\n"
    "  if err.kind ~= kind then error('not ' .. kind .. ': ' .. tostring(err), 0) end\n"
    "end\n"
    "fails('usage', core.connect, { hots = 'x' })\n"
    "fails('usage', pool.modify, pool, 'x')\n"
    "fails('transport', pool.load, pool, { select = { 'name', 'monitor' }, filter = 'a eq b' })\n"
    "fails('transport', pool.modify, pool, { monitor = '/Common/http', list = json.array { 1, 2.5, "
    "json.null } })\n"
    "fails('transport', pool.list, pool, { top = 3, query = { b = 1, a = true } })\n"
    "fails('transport', function() for _ in device.ltm.node:each { page = 2 } do end end)\n"
    "fails('transport', device.request, device, 'GET', '/mgmt/tm/sys?x=y', { query = { a = 1 }, "
    "headers = { b = 'c' } "
    "})\n"
    "fails('transport', device.begin, device)\n"
    "words = words .. tostring(select(3, core.task.poll(device:at '/mgmt/tm/task/sys/ucs/1', 0, 0, "
    "0, true)))\n"
    "local one = core.spawn(function() core.sleep(0) return pool:exists() end)\n"
    "local other = core.spawn(function() core.sleep(60) end)\n"
    "core.sleep(0.001)\n"
    "fails('transport', one.join, one)\n"
    "other:cancel()\n"
    "fails('cancelled', other.join, other)\n"
    "fails('transfer', core.transfer.upload, device, '/mgmt/x', '/nonexistent')\n"
    "do\n"
    "  local transfer <close> = core.transfer.download(device, '/mgmt/x', name)\n"
    "  fails('transport', core.transfer.step, transfer)\n"
    "  fails('transfer', core.transfer.finish, transfer)\n"
    "end\n"
    "local err = core.error_new { kind = 'task', message = 'it holds a very secret password', "
    "cause = 'x' }\n"
    "words = words .. tostring(err) .. core.mask('\"password\":\"x\", a very secret password')\n"
    "if words:find('very secret', 1, true) then error('the secret came out') end\n"
    "return true\n";

typedef struct memory {
  long left;    /* allocations until one fails; below 0: none does */
  long failing; /* how many fail then: Lua asks again after a collection */
  bool failed;
} memory;

static bool fails(memory *m) {
  if (m->left < 0 || m->left-- > 0) return false;
  m->left = 0;
  if (m->failing == 0) return false;
  m->failing--;
  m->failed = true;
  return true;
}

/* The linker sends the calls of the archives here; CMakeLists.txt says so. */
static memory of_c = {.left = -1};
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *string);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *string);

void *__wrap_malloc(size_t size) {
  return fails(&of_c) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
  return fails(&of_c) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size) {
  return fails(&of_c) ? NULL : __real_realloc(block, size);
}

char *__wrap_strdup(const char *string) {
  return fails(&of_c) ? NULL : __real_strdup(string);
}

static void *allocate(void *data, void *block, size_t old, size_t size) {
  if (size == 0) {
    free(block);
    return NULL;
  }
  if ((!block || size > old) && fails(data)) return NULL;
  return __real_realloc(block, size);
}

/* (life, name of a file) -> true */
static int live(lua_State *L) {
  luaL_requiref(L, "f5.core", luaopen_f5_core, 0);
  luaL_requiref(L, "f5.json", luaopen_f5_json, 0);
  lua_rotate(L, 2, -1); /* name to the top */
  lua_call(L, 3, 1);
  return 1;
}

static int live_in_fiber(lua_State *L) {
  lua_pushcfunction(L, live);
  lua_insert(L, 1);
  return fiber_run_main(L, 2, 1) == LUA_OK ? 1 : lua_error(L);
}

enum { OF_LUA, OF_C };

typedef struct outcome {
  int status;
  bool failed; /* an allocation did */
} outcome;

static outcome run_with(int whose, memory start, bool in_fiber) {
  char name[64];
  snprintf(name, sizeof name, "/tmp/test_memory.%ld", (long)getpid());
  memory of_lua = {.left = -1}, *limited = whose == OF_C ? &of_c : &of_lua;
  loop *l = loop_new();
  assert_non_null(l);
  lua_State *L = lua_newstate(allocate, &of_lua);
  luaL_openlibs(L);
  fiber_setup(L, l);
  luaL_checkstack(L, 40, NULL);
  lua_pushcfunction(L, in_fiber ? live_in_fiber : live);
  assert_int_equal(luaL_loadstring(L, life), LUA_OK);
  lua_pushstring(L, name);
  lua_gc(L, LUA_GCSTOP); /* Lua gives up a finalizer that finds no memory: they run at the end */
  *limited = start;
  outcome out = {.status = lua_pcall(L, 2, 1, 0)};
  limited->left = -1;
  out.failed = limited->failed;
  const char *words = out.status == LUA_OK ? "not enough memory" : luaL_tolstring(L, -1, NULL);
  /* without memory of C a call may fail for other reasons than the script wants */
  if (whose == OF_LUA ? strcmp(words, "not enough memory") != 0
                      : strstr(words, "it worked") || strstr(words, "came out"))
    fail_msg("after %ld allocations: %s", start.left, words);
  lua_settop(L, 0);
  assert_int_equal(access(name, F_OK), -1);
  f5_shutdown(L, 1000);
  lua_close(L);
  loop_delete(l);
  return out;
}

/* Each allocation fails, `failing` of them in a row. */
static void each_fails(int whose, long failing, bool in_fiber) {
  assert_int_equal(run_with(whose, (memory){.left = -1}, in_fiber).status, LUA_OK);
  long failures = 0;
  for (long allowed = 0;; allowed++) {
    outcome out = run_with(whose, (memory){.left = allowed, .failing = failing}, in_fiber);
    if (!out.failed) break;
    failures += out.status != LUA_OK;
  }
  assert_true(failures > 20);
}

static void of_lua_once(void **state) {
  (void)state;
  each_fails(OF_LUA, 2, false);
  each_fails(OF_LUA, 2, true);
}

static void of_lua_from_then_on(void **state) {
  (void)state;
  each_fails(OF_LUA, LONG_MAX, false);
  each_fails(OF_LUA, LONG_MAX, true);
}

static void of_c_once(void **state) {
  (void)state;
  each_fails(OF_C, 1, false);
  each_fails(OF_C, 1, true);
}

static void of_c_from_then_on(void **state) {
  (void)state;
  each_fails(OF_C, LONG_MAX, false);
  each_fails(OF_C, LONG_MAX, true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(of_lua_once), cmocka_unit_test(of_lua_from_then_on),
      cmocka_unit_test(of_c_once), cmocka_unit_test(of_c_from_then_on)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
