#include "host/library.h"

#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/private_file.h"
#include "embed/embedded.h"
#include "fiber/fiber.h"
#include "host/script.h"
#include "host/signals.h"
#include "host/trace.h"
#include "host/widetext.h"

/* modules() -> names of all embedded modules, sorted */
static int modules(lua_State *L) {
  lua_createtable(L, (int)embedded_count, 0);
  for (size_t i = 0; i < embedded_count; i++) {
    lua_pushstring(L, embedded_modules[i].name);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* load(path or nil for standard input) -> function; or nil, message, whether the file was
 * unreadable */
static int load(lua_State *L) {
  const char *path = luaL_optstring(L, 1, NULL);
  int status = luaL_loadfile(L, path);
  if (status == LUA_OK) return 1;
  int reason = errno;
  lua_pushnil(L);
  if (status == LUA_ERRFILE)
    lua_pushfstring(L, "cannot read '%s': %s", path ? path : "standard input", strerror(reason));
  else
    lua_pushvalue(L, -2);
  lua_pushboolean(L, status == LUA_ERRFILE);
  return 3;
}

/* A playbook must load its own modules, even if the subcommand has loaded a module of the same
 * name. */
static void forget_own_modules(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  for (size_t i = 0; i < embedded_count; i++) {
    if (embedded_is_runtime(embedded_modules[i].name)) continue;
    lua_pushnil(L);
    lua_setfield(L, -2, embedded_modules[i].name);
  }
  lua_pop(L, 1); /* package.loaded */
}

/* set_script(file, array of words): sets the global `arg` and package.path for this playbook */
static int set_script(lua_State *L) {
  const char *file = luaL_checkstring(L, 1);
  lua_Integer count = luaL_len(L, 2);
  lua_createtable(L, (int)count, 2);
  lua_getglobal(L, "arg");
  lua_rawgeti(L, -1, 0); /* the program */
  lua_rawseti(L, 3, -1);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 3, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, 2, i);
    lua_rawseti(L, 3, i);
  }
  lua_settop(L, 3);
  lua_setglobal(L, "arg");
  forget_own_modules(L);
  script_add_directory(L, file);
  return 0;
}

/* is_terminal(0, 1 or 2) */
static int is_terminal(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* columns() -> width of the terminal in characters: COLUMNS, or the width of the terminal on
 * standard output, or 80 */
static int columns(lua_State *L) {
  const char *given = getenv("COLUMNS");
  long width = given ? strtol(given, NULL, 10) : 0;
  struct winsize size;
  if (width <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) width = size.ws_col;
  lua_pushinteger(L, width > 0 ? width : 80);
  return 1;
}

/* rows() -> height of the terminal on standard output */
static int rows(lua_State *L) {
  lua_pushinteger(L, wide_terminal_size(true));
  return 1;
}

/* foreground(fiber or nil): sets the fiber that Ctrl-C cancels while no line is edited */
static int foreground(lua_State *L) {
  fiber_set_foreground(L, lua_isnoneornil(L, 1) ? 0 : 1);
  return 0;
}

/* Returns true; or nil, message, number. */
static int file_result(lua_State *L, bool done) {
  if (!done) return luaL_fileresult(L, 0, lua_tostring(L, 1));
  lua_pushboolean(L, true);
  return 1;
}

/* append_private(path, text): appends to a file that only its owner can read; creates
 * directories */
static int append_private(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  return file_result(L, private_file_append(luaL_checkstring(L, 1), bytes, length));
}

/* write_private(path, text): replaces such a file */
static int write_private(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  return file_result(L, private_file_write(luaL_checkstring(L, 1), bytes, length));
}

/* end_by_signal(): from now on, SIGINT and SIGTERM are the normal end of this program */
static int end_by_signal(lua_State *L) {
  (void)L;
  signals_expect();
  return 0;
}

/* catch_signal(): the first signal that would end this program does nothing but to be told by
 * caught_signal() -> its number, or nil; the second one is as usual */
static int catch_signal(lua_State *L) {
  (void)L;
  signals_catch();
  return 0;
}

static int caught_signal(lua_State *L) {
  if (!signals_caught()) return 0;
  lua_pushinteger(L, signals_caught());
  return 1;
}

/* trace(error value) -> array of { file, line, name }, innermost first */
static int trace(lua_State *L) {
  luaL_checkany(L, 1);
  trace_push(L, 1);
  return 1;
}

/* source(module) -> text of an embedded module, or nil */
static int source(lua_State *L) {
  const embedded_module *module = embedded_find(luaL_checkstring(L, 1));
  if (!module) return 0;
  embedded_push_source(L, module);
  return 1;
}

/* clock() -> seconds of a monotonic clock */
static int monotonic(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
  return 1;
}

static const luaL_Reg functions[] = {
    {"clock", monotonic},
    {"trace", trace},
    {"source", source},
    {"columns", columns},
    {"rows", rows},
    {"foreground", foreground},
    {"append_private", append_private},
    {"write_private", write_private},
    {"modules", modules},
    {"load", load},
    {"set_script", set_script},
    {"is_terminal", is_terminal},
    {"end_by_signal", end_by_signal},
    {"catch_signal", catch_signal},
    {"caught_signal", caught_signal},
    {"trace", trace_handler},
    {NULL, NULL},
};

int luaopen_f5_host(lua_State *L) {
  luaL_newlib(L, functions);
  lua_pushliteral(L, F5LUA_VERSION);
  lua_setfield(L, -2, "version");
  return 1;
}
