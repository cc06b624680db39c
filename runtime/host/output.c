#include "host/output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include <lauxlib.h>

static int reason; /* of the first failure; see output_end */

/* The C library keeps the fact of a failure, but not the reason. */
static void note(bool done) {
  if (!done && reason == 0) reason = errno;
}

static void put(const char *bytes, size_t length) {
  errno = 0;
  note(fwrite(bytes, 1, length, stdout) == length);
}

int output_print(lua_State *L) {
  int count = lua_gettop(L);
  for (int i = 1; i <= count; i++) {
    size_t length;
    const char *text = luaL_tolstring(L, i, &length);
    if (i > 1) put("\t", 1);
    put(text, length);
    lua_pop(L, 1);
  }
  put("\n", 1);
  errno = 0;
  note(fflush(stdout) == 0);
  return 0;
}

int output_end(void) {
  errno = 0;
  if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
  note(false);
  return reason ? reason : -1;
}
