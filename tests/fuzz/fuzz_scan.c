/* Any bytes as a device's answer: single values are found or not, without touching a byte too many,
 * and are those that the JSON reader sees; a known secret never comes out of the mask. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/json.h"
#include "base/scan.h"
#include "f5/report/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char known[] = "s3cr3t";

static void check(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "fuzz_scan: %s\n", what);
  abort();
}

/* The reader takes the last of several members of one name, the scan the first. */
static bool is_single(const char *json, size_t size, const char *name) {
  const char *first = memmem(json, size, name, strlen(name));
  return first && !memmem(first + 1, size - (size_t)(first + 1 - json), name, strlen(name)) &&
         !memchr(json, '\\', size);
}

static void compare(lua_State *L, const char *json, size_t size, const char *name) {
  scan_value value;
  if (!scan_find(json, size, name, &value)) return;
  check(value.start >= json && value.start + value.length <= json + size,
        "the value lies elsewhere");
  text found = {0};
  int64_t number;
  bool is_text = scan_string(&value, &found), is_number = scan_integer(&value, &number);
  check(!(is_text && is_number), "a string is no number");
  char *copy = malloc(size + 1);
  memcpy(copy, json, size);
  copy[size] = '\0';
  if (is_single(json, size, name) && json_decode(L, copy, size) && lua_istable(L, -1)) {
    lua_getfield(L, -1, name);
    if (is_text) {
      size_t length;
      const char *read = lua_tolstring(L, -1, &length);
      check(lua_type(L, -1) == LUA_TSTRING && length == found.length &&
                memcmp(read, text_string(&found), length) == 0,
            "the string is another one");
    } else if (lua_isinteger(L, -1)) {
      check(is_number && number == lua_tointeger(L, -1), "the number is another one");
    }
  }
  lua_settop(L, 0);
  free(copy);
  text_free(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static lua_State *L;
  if (!L) {
    L = luaL_newstate();
    check(secret_new(known, sizeof known - 1) != NULL, "no memory"); /* known from now on */
  }
  char *json =
      malloc(size ? size : 1); /* exactly as large, so that the sanitizer sees one byte too many */
  if (size) memcpy(json, data, size);
  compare(L, json, size, "message");
  compare(L, json, size, "a");
  scan_value value;
  scan_find(json, size, "token.token", &value);
  text out = {0};
  secret_mask(&out, json, size);
  check(out.length == 0 || !memmem(out.data, out.length, known, sizeof known - 1),
        "the secret came out");
  text_free(&out);
  free(json);
  return 0;
}
