/* sim.digest: digests, and Base64 in both directions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "sim/digest.h"

static void run(void **state, const char *code) {
  lua_State *L = *state;
  if (luaL_dostring(L, code) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
}

static void test_digests(void **state) {
  run(state, "local d = require 'sim.digest'\n"
             "local function hex(s) return (s:gsub('.', function(c) return "
             "('%02x'):format(c:byte()) end)) end\n"
             "assert(hex(d.md5 '') == 'd41d8cd98f00b204e9800998ecf8427e')\n"
             "assert(hex(d.md5 'abc') == '900150983cd24fb0d6963f7d28e17f72')\n"
             "assert(#d.sha256 '' == 32)\n"
             "assert(hex(d.sha256 'abc'):sub(1, 16) == 'ba7816bf8f01cfea')\n"
             "assert(not pcall(d.md5, {}))");
}

/* As recorded from devices: ids of ASM are made of names. */
static void test_ids(void **state) {
  run(state, "local d = require 'sim.digest'\n"
             "assert(d.base64url(d.md5 'General Database') == 'EStDgGiP9nSPgKBhSlDyvQ')\n"
             "assert(d.base64url(d.md5 'Remote File Include') == '9yL3q5_pO0E3pK1Uz9x2cw')\n"
             "assert(d.base64url '' == '')");
}

static void test_round_trip(void **state) {
  run(state, "local d = require 'sim.digest'\n"
             "local text = ''\n"
             "for i = 0, 700 do\n"
             "  assert(d.unbase64(d.base64(text)) == text, i)\n"
             "  assert(#d.base64(text) == (#text + 2) // 3 * 4)\n"
             "  text = text .. string.char(i * 7 % 256)\n"
             "end\n"
             "assert(d.base64 'a' == 'YQ==')\n"
             "assert(d.unbase64 ' Y Q\\r\\n=\\t= ' == 'a')");
}

static void test_refuses(void **state) {
  run(state, "local d = require 'sim.digest'\n"
             "for _, wrong in ipairs { 'a', 'YQ', 'YQ=', '=', '====', 'Y===', '<x/>', 'YQ==YQ==', "
             "'Y\\0Q=', "
             "'\\0\\0\\0\\0' } do\n"
             "  assert(d.unbase64(wrong) == nil, ('%q'):format(wrong))\n"
             "end\n"
             "assert(d.unbase64 '' == '')");
}

static int setup(void **state) {
  lua_State *L = luaL_newstate();
  if (!L) return 1;
  luaL_openlibs(L);
  luaL_requiref(L, "sim.digest", luaopen_sim_digest, 0);
  lua_pop(L, 1); /* module */
  *state = L;
  return 0;
}

static int teardown(void **state) {
  lua_close(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_digests, setup, teardown),
      cmocka_unit_test_setup_teardown(test_ids, setup, teardown),
      cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
      cmocka_unit_test_setup_teardown(test_refuses, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
