/* Lua states with free lists: memory comes back, keeps its contents while it moves, and may run
 * out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "base/state.h"

static void run(lua_State *L, const char *chunk) {
  if (luaL_dostring(L, chunk) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
}

static void keeps_what_is_written(void **unused) {
  (void)unused;
  lua_State *L = state_new();
  luaL_openlibs(L);
  run(L,
      "local kept = {}\n"
      "for round = 1, 20 do\n"
      "  for i = 1, 2000 do kept[i] = kept[i] and kept[i] .. string.char(97 + i % 26) or '' end\n"
      "  local list, map = {}, {}\n"
      "  for i = 1, 5000 do list[i] = i; map['k' .. i] = { i, i + 1 } end\n"
      "  for i = 1, 5000 do assert(list[i] == i and map['k' .. i][2] == i + 1); map['k' .. i] = "
      "nil end\n"
      "end\n"
      "for i = 1, 2000 do assert(kept[i] == string.char(97 + i % 26):rep(19)) end\n"
      "for size = 1, 5000, 7 do assert(#('x'):rep(size) == size) end\n");
  state_close(L);
}

static void warns_when_asked(void **unused) {
  (void)unused;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  int kept = dup(STDERR_FILENO);
  dup2(ends[1], STDERR_FILENO);
  lua_State *L = state_new();
  luaL_openlibs(L);
  run(L, "warn('unheard') warn('@on') warn('one ', 'two') warn('@other') warn('@off') "
         "warn('unheard')");
  state_close(L);
  dup2(kept, STDERR_FILENO);
  close(kept);
  close(ends[1]);
  char text[100] = "";
  assert_true(read(ends[0], text, sizeof text - 1) > 0);
  close(ends[0]);
  assert_string_equal(text, "Lua warning: one two\n");
}

#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory for a while */
static void uses_memory_again(void **unused) {
  (void)unused;
  lua_State *L = state_new();
  luaL_openlibs(L);
  const char *litter =
      "for i = 1, 200000 do local t = { i, tostring(i), { x = i } } end collectgarbage()";
  struct rusage before, after;
  run(L, litter);
  getrusage(RUSAGE_SELF, &before);
  for (int i = 0; i < 20; i++)
    run(L, litter);
  getrusage(RUSAGE_SELF, &after);
  assert_true(after.ru_maxrss - before.ru_maxrss < 16384); /* KiB; 20 times as much went through */
  state_close(L);
}

static void says_when_memory_runs_out(void **unused) {
  (void)unused;
  pid_t child = fork();
  if (child == 0) {
    struct rlimit limit = {64u << 20, 64u << 20};
    setrlimit(RLIMIT_AS, &limit);
    lua_State *L = state_new();
    if (!L) _exit(10);
    luaL_openlibs(L);
    for (int i = 0; i < 3; i++) {
      luaL_loadstring(L, "local t = {} for i = 1, 1e8 do t[i] = { i } end");
      if (lua_pcall(L, 0, 0, 0) != LUA_ERRMEM) _exit(11);
      lua_settop(L, 0);
      lua_gc(L, LUA_GCCOLLECT);
      if (luaL_dostring(L, "local t = {} for i = 1, 1000 do t[i] = { i } end return #t")) _exit(12);
    }
    state_close(L);
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_what_is_written),
      cmocka_unit_test(warns_when_asked),
#ifndef __SANITIZE_ADDRESS__
      cmocka_unit_test(uses_memory_again),
      cmocka_unit_test(says_when_memory_runs_out),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
