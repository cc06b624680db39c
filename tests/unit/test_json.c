/* The contract of json.h as C sees it: the stack, the collector, memory that runs out, the locale.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "base/json.h"

static bool decode(lua_State *L, const char *text) {
  size_t length = strlen(text);
  char *copy =
      malloc(length + 1); /* of the exact size, so that the sanitizer sees a byte too far */
  memcpy(copy, text, length + 1);
  bool ok = json_decode(L, copy, length);
  free(copy);
  return ok;
}

static int setup(void **state) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  *state = L;
  return 0;
}

static int teardown(void **state) {
  lua_close(*state);
  return 0;
}

static void pushes_one_value_or_one_message(void **state) {
  lua_State *L = *state;
  lua_settop(L, 0);
  lua_pushliteral(L, "below");
  assert_true(decode(L, "{\"a\":[1,2.5,null,true,\"x\\n\"]}"));
  assert_int_equal(lua_gettop(L), 2);
  lua_getfield(L, 2, "a");
  assert_int_equal(lua_rawlen(L, -1), 5);
  assert_int_equal(lua_rawgeti(L, -1, 3), LUA_TLIGHTUSERDATA);
  assert_true(json_is_null(L, -1));
  assert_false(json_is_null(L, 1));
  lua_settop(L, 1);
  assert_false(decode(L, "{\"a\":[1,[2,{\"b\":3]]}"));
  assert_int_equal(lua_gettop(L), 2);
  assert_string_equal(lua_tostring(L, -1),
                      "line 1, column 18 (byte 18): expected ',' or '}', found ']'");
  assert_string_equal(lua_tostring(L, 1), "below");
}

static void reads_no_byte_beyond_the_end(void **state) {
  lua_State *L = *state;
  static const char text[] =
      "{\"name\":\"a\\u00e9\xc3\xa9\",\"n\":[-12,3.5e2,true,false,null,\"0123456789abcdef\"]}";
  for (size_t length = 0; length < sizeof text; length++) {
    char *copy = malloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    assert_int_equal(json_decode(L, copy, length), length == sizeof text - 1);
    free(copy);
    lua_settop(L, 0);
  }
}

static void knows_its_arrays(void **state) {
  lua_State *L = *state;
  assert_true(decode(L, "[[],{}]"));
  json_push_array_metatable(L);
  assert_true(lua_getmetatable(L, -2));
  assert_true(lua_rawequal(L, -1, -2));
  lua_settop(L, 1);
  json_encode(L, 1, NULL);
  assert_string_equal(lua_tostring(L, -1), "[[],{}]");
  assert_int_equal(lua_gettop(L), 2);
  lua_settop(L, 0);
}

static void writes_in_the_given_style(void **state) {
  lua_State *L = *state;
  static const char *const first[] = {"kind", "name", NULL};
  const json_style style = {.sort = true, .first = first, .indent = 1};
  assert_true(decode(L, "{\"b\":1,\"name\":\"n\",\"a\":[],\"kind\":null}"));
  json_encode(L, -1, &style);
  assert_string_equal(lua_tostring(L, -1),
                      "{\n \"kind\": null,\n \"name\": \"n\",\n \"a\": [],\n \"b\": 1\n}");
  lua_settop(L, 0);
}

/* More text than the first buffer holds, and more names than the first list of them. */
static void writes_long_texts(void **state) {
  lua_State *L = *state;
  const json_style sorted = {.sort = true};
  lua_newtable(L);
  for (int i = 0; i < 5000; i++) {
    lua_pushfstring(L, "name%d", i);
    lua_pushfstring(L, "\n%d\t", i);
    lua_rawset(L, -3);
  }
  json_encode(L, -1, &sorted);
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  char *copy = malloc(length + 1);
  memcpy(copy, text, length + 1);
  assert_true(json_decode(L, copy, length));
  free(copy);
  json_encode(L, -1, &sorted);
  assert_true(lua_rawequal(L, -1, -3));
  lua_settop(L, 0);
}

static int encode_sorted(lua_State *L) {
  const json_style sorted = {.sort = true};
  json_encode(L, 1, &sorted);
  return 1;
}

/* The collector takes values of a weak table, and their names with them, while the text is written.
 */
static void outlives_names_that_are_collected(void **state) {
  lua_State *L = *state;
  static const char make[] =
      "local t = setmetatable({}, { __mode = 'v' })\n"
      "for i = 1, 3000 do t['a name that nothing else keeps, ' .. i] = i % 5 == 0 and i or {} end\n"
      "return t";
  for (int i = 0; i < 10; i++) {
    lua_gc(L, LUA_GCSTOP);
    lua_pushcfunction(L, encode_sorted);
    assert_int_equal(luaL_dostring(L, make), LUA_OK);
    lua_gc(L, LUA_GCINC, 10, 1000, 0);
    lua_gc(L, LUA_GCRESTART);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK)
      assert_non_null(
          strstr(lua_tostring(L, -1), "cannot encode nil at [\"a name that nothing else keeps, "));
    lua_settop(L, 0);
  }
}

static char *long_text(size_t *length) {
  const size_t count = 3000;
  char *text = malloc(count * 40 + 3), *end = text;
  *end++ = '[';
  for (size_t i = 0; i < count; i++)
    end += sprintf(end, "%s{\"name\":\"x%zu\",\"port\":%zu}", i ? "," : "", i, i);
  end += sprintf(end, "]");
  *length = (size_t)(end - text);
  return text;
}

static void leaves_the_collector_as_it_was(void **state) {
  lua_State *L = *state;
  for (int running = 0; running <= 1; running++) {
    for (int good = 0; good <= 1; good++) {
      lua_gc(L, running ? LUA_GCRESTART : LUA_GCSTOP);
      size_t length;
      char *text = long_text(&length);
      if (!good) text[length - 1] = '}';
      assert_int_equal(json_decode(L, text, length), good);
      assert_int_equal(lua_gc(L, LUA_GCISRUNNING), running);
      free(text);
      lua_settop(L, 0);
    }
  }
  lua_gc(L, LUA_GCRESTART);
}

/* An allocator that fails after so many allocations. */
static void *limited(void *left, void *block, size_t old, size_t size) {
  (void)old;
  if (size == 0) {
    free(block);
    return NULL;
  }
  if (!block || size > old) {
    if (*(long *)left == 0) return NULL;
    --*(long *)left;
  }
  return realloc(block, size);
}

static int decode_and_encode(lua_State *L) {
  size_t length = (size_t)lua_tointeger(L, 2);
  const json_style sorted = {.sort = true};
  assert_true(json_decode(L, lua_touserdata(L, 1), length));
  json_encode(L, -1, &sorted);
  return 1;
}

static void survives_want_of_memory(void **state) {
  (void)state;
  size_t length;
  char *text = long_text(&length), *copy = malloc(length + 1);
  bool done = false;
  int failures = 0;
  for (long allowed = 0; !done; allowed += allowed < 200 ? 1 : 797) {
    long left = -1;
    lua_State *L = lua_newstate(limited, &left);
    luaL_checkstack(L, 20, NULL);
    memcpy(copy, text, length + 1);
    lua_pushcfunction(L, decode_and_encode);
    lua_pushlightuserdata(L, copy);
    lua_pushinteger(L, (lua_Integer)length);
    left = allowed;
    int status = lua_pcall(L, 2, 1, 0);
    left = -1;
    assert_true(status == LUA_OK || status == LUA_ERRMEM);
    assert_true(lua_gc(L, LUA_GCISRUNNING));
    done = status == LUA_OK;
    failures += !done;
    if (!done) { /* and the state is as good as before */
      assert_true(decode(L, "{\"name\":1,\"port\":[2]}"));
      lua_getfield(L, -1, "name");
      assert_int_equal(lua_tointeger(L, -1), 1);
    }
    lua_close(L);
  }
  assert_true(failures > 200);
  free(text);
  free(copy);
}

static void two_states_share_nothing(void **state) {
  lua_State *L = *state, *other = luaL_newstate();
  for (int i = 0; i < 100; i++) {
    assert_true(decode(L, "{\"name\":\"here\",\"fullPath\":1}"));
    assert_true(decode(other, "{\"name\":\"there\",\"fullPath\":2}"));
    lua_getfield(L, -1, "fullPath");
    lua_getfield(other, -1, "fullPath");
    assert_int_equal(lua_tointeger(L, -1), 1);
    assert_int_equal(lua_tointeger(other, -1), 2);
    lua_settop(L, 0);
    lua_settop(other, 0);
    lua_gc(L, LUA_GCCOLLECT);
  }
  lua_close(other);
}

static void needs_stack_and_says_so(void **state) {
  lua_State *L = *state;
  lua_State *thread = lua_newthread(L);
  while (lua_checkstack(thread, 60)) /* leaves less than a level of nesting needs */
    lua_settop(thread, lua_gettop(thread) + 50);
  lua_settop(thread, lua_gettop(thread) - 60);
  assert_false(decode(thread, "[[[[[[[[[[1]]]]]]]]]]"));
  assert_non_null(strstr(lua_tostring(thread, -1), "no stack left"));
  lua_settop(thread, 0);
  assert_true(decode(thread, "[1]"));
  lua_settop(L, 0);
}

static int decode_long(lua_State *L) {
  char *text = lua_touserdata(L, 1);
  size_t length = strlen(text);
  while (lua_checkstack(L, 1))
    lua_pushnil(L);
  json_decode(L, text, length);
  return 0;
}

/* Where not even the decoder's own two values have room. */
static void leaves_the_collector_running_without_stack(void **state) {
  lua_State *L = *state;
  size_t length;
  char *text = long_text(&length);
  lua_pushcfunction(L, decode_long);
  lua_pushlightuserdata(L, text);
  assert_int_equal(lua_pcall(L, 1, 0, 0), LUA_ERRRUN);
  assert_non_null(strstr(lua_tostring(L, -1), "stack overflow"));
  assert_true(lua_gc(L, LUA_GCISRUNNING));
  lua_settop(L, 0);
  free(text);
}

/* A locale with a decimal comma, made for the test when the system has none. */
static bool use_comma(void) {
  static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "pt_BR.UTF-8"};
  for (size_t i = 0; i < sizeof commas / sizeof *commas; i++) {
    if (setlocale(LC_ALL, commas[i])) return true;
  }
  char folder[] = "/tmp/test_json.XXXXXX", command[128];
  if (!mkdtemp(folder)) return false;
  snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >%s/log 2>&1",
           folder, folder);
  setenv("LOCPATH", folder, 1);
  bool made = system(command) == 0 && setlocale(LC_ALL, "de_DE.UTF-8");
  unsetenv("LOCPATH");
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command) == 0 && made;
}

static void ignores_the_locale(void **state) {
  lua_State *L = *state;
  if (!use_comma()) skip();
  char half[8];
  snprintf(half, sizeof half, "%.1f", 0.5);
  assert_string_equal(half, "0,5");
  assert_true(decode(L, "[1.5,1.2345678901234567e10,1e-300]"));
  json_encode(L, -1, NULL);
  setlocale(LC_ALL, "C");
  assert_string_equal(lua_tostring(L, -1), "[1.5,12345678901.234568,1e-300]");
  lua_settop(L, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pushes_one_value_or_one_message),
      cmocka_unit_test(reads_no_byte_beyond_the_end),
      cmocka_unit_test(knows_its_arrays),
      cmocka_unit_test(writes_in_the_given_style),
      cmocka_unit_test(writes_long_texts),
      cmocka_unit_test(leaves_the_collector_as_it_was),
      cmocka_unit_test(survives_want_of_memory),
      cmocka_unit_test(outlives_names_that_are_collected),
      cmocka_unit_test(two_states_share_nothing),
      cmocka_unit_test(needs_stack_and_says_so),
      cmocka_unit_test(leaves_the_collector_running_without_stack),
      cmocka_unit_test(ignores_the_locale),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
