#include "f5/report/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/printable.h"
#include "base/push_owned.h"
#include "base/text.h"
#include "f5/report/error_body.h"
#include "f5/report/secret.h"
#include "f5/report/spelling.h"

#define UNKNOWN "; outcome unknown: the device may have carried it out"

#define ERROR_NAME "f5.error"

static void push_masked(lua_State *L, const char *string, size_t length) {
  text masked = {0};
  secret_mask(&masked, string, length);
  push_owned_text(L, &masked);
}

static void set_masked(lua_State *L, const char *field, const char *value) {
  if (!value) return;
  push_masked(L, value, strlen(value));
  lua_setfield(L, -2, field);
}

static void set_number(lua_State *L, const char *field, int64_t value) {
  if (!value) return;
  lua_pushinteger(L, value);
  lua_setfield(L, -2, field);
}

static void push_failure(lua_State *L, const f5_failure *failure, const error_place *place,
                         unsigned depth) {
  lua_createtable(L, 0, 12);
  lua_pushstring(L, error_kind_name(failure->verdict.kind));
  lua_setfield(L, -2, "kind");
  set_masked(L, "device", place->device);
  set_masked(L, "method", failure->method ? failure->method : place->method);
  set_masked(L, "path", failure->path ? failure->path : place->path);
  set_number(L, "status", failure->status);
  set_number(L, "code", failure->code);
  set_number(L, "api_error", failure->api_error);
  set_number(L, "attempts", failure->attempts ? failure->attempts : place->attempts);
  lua_pushstring(L, failure->message ? failure->message : "not enough memory for the message");
  if (failure->verdict.unknown) {
    lua_pushliteral(L, UNKNOWN);
    lua_concat(L, 2);
    lua_pushliteral(L, "unknown");
    lua_setfield(L, -3, "outcome");
  }
  lua_setfield(L, -2, "message");
  if (failure->error_stack) {
    size_t length = strlen(failure->error_stack);
    char *stack = lua_newuserdatauv(L, length + 1, 0); /* the decoder modifies its input */
    memcpy(stack, failure->error_stack, length + 1);
    if (json_decode(L, stack, length))
      lua_setfield(L, -3, "error_stack");
    else
      lua_pop(L, 1); /* message of the decoder */
    lua_pop(L, 1);   /* copy */
  }
  if (failure->body) error_body_set(L, failure->body, strlen(failure->body));
  if (failure->cause && depth < 4) {
    push_failure(L, failure->cause, &(error_place){.device = place->device}, depth + 1);
    lua_setfield(L, -2, "cause");
  }
  luaL_setmetatable(L, ERROR_NAME);
}

void error_push(lua_State *L, const f5_failure *failure, const error_place *place) {
  luaL_checkstack(L, 8, "error object");
  push_failure(L, failure, place, 0);
}

typedef struct pushed {
  f5_failure *failure;
  const error_place *place;
} pushed;

static int push_pushed(lua_State *L) {
  const pushed *what = lua_touserdata(L, 1);
  error_push(L, what->failure, what->place);
  return 1;
}

static void clear_pushed(void *data) {
  failure_clear(((pushed *)data)->failure);
}

void error_push_and_clear(lua_State *L, f5_failure *failure, const error_place *place) {
  push_owned(L, push_pushed, &(pushed){failure, place}, clear_pushed);
}

bool error_is(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  luaL_getmetatable(L, ERROR_NAME);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2); /* metatables */
  return same;
}

/* The innermost frame that is not part of f5lua; built-in modules have chunk names that start with
 * "=lualib/". */
void error_push_script_line(lua_State *L) {
  lua_Debug frame;
  for (int level = 1; lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "Sl", &frame);
    if (frame.currentline > 0 && strncmp(frame.source, "=lualib/", 8) != 0) {
      lua_pushfstring(L, "%s:%d: ", frame.short_src, frame.currentline);
      return;
    }
  }
  lua_pushliteral(L, "");
}

/* Pops the message from the top of the stack. */
static int raise_usage(lua_State *L) {
  error_push_script_line(L);
  lua_insert(L, -2);
  lua_concat(L, 2);
  lua_createtable(L, 0, 2);
  lua_insert(L, -2);
  size_t length;
  const char *message = lua_tolstring(L, -1, &length);
  push_masked(L, message, length);
  lua_setfield(L, -3, "message");
  lua_pop(L, 1); /* unmasked message */
  lua_pushstring(L, error_kind_name(KIND_USAGE));
  lua_setfield(L, -2, "kind");
  luaL_setmetatable(L, ERROR_NAME);
  return lua_error(L);
}

int error_usage(lua_State *L, const char *format, ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  luaL_checkstack(L, 6, "error object");
  lua_pushstring(L, message);
  return raise_usage(L);
}

int error_unknown(lua_State *L, const char *what, const char *name, const char *const *known) {
  spelling s = {.name = name};
  for (; *known; known++)
    spelling_offer(&s, *known, strlen(*known));
  if (s.edits) return error_usage(L, "unknown %s '%s'; did you mean '%s'?", what, name, s.nearest);
  return error_usage(L, "unknown %s '%s'", what, name);
}

int error_push_cancelled(lua_State *L) {
  f5_failure failure;
  failure_set(&failure, KIND_CANCELLED, "cancelled");
  error_push_and_clear(L, &failure, &(error_place){0});
  return 1;
}

void error_mark_unknown(lua_State *L) {
  lua_getfield(L, -1, "message");
  lua_pushliteral(L, UNKNOWN);
  lua_concat(L, 2);
  lua_setfield(L, -2, "message");
  lua_pushliteral(L, "unknown");
  lua_setfield(L, -2, "outcome");
}

void error_mark_not_done(lua_State *L, bool unsent) {
  lua_getfield(L, -1, "message");
  lua_pushstring(L, unsent ? "; the write was not sent" : "; the write was not carried out");
  lua_concat(L, 2);
  lua_setfield(L, -2, "message");
}

int error_lua_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "kind");
  const char *kind = lua_tostring(L, -1);
  if (!kind || error_kind_of(kind) == KIND_NONE)
    return luaL_error(L, "error_new: invalid kind '%s'", kind ? kind : luaL_typename(L, -1));
  lua_getfield(L, 1, "message");
  size_t length;
  const char *message = lua_tolstring(L, -1, &length);
  if (message) {
    push_masked(L, message, length);
    lua_setfield(L, 1, "message");
  }
  lua_settop(L, 1);
  error_body_mask(L);
  luaL_setmetatable(L, ERROR_NAME);
  return 1;
}

const char *error_check_path(lua_State *L, int index, const char *function) {
  if (lua_type(L, index) != LUA_TSTRING)
    error_usage(L, "%s: expected the path of a file, got a %s", function, luaL_typename(L, index));
  size_t length;
  const char *path = lua_tolstring(L, index, &length);
  if (length == 0) error_usage(L, "%s: the path of the file is empty", function);
  if (strlen(path) != length)
    error_usage(L, "%s: invalid path '%s\\0%s': it contains the byte 0", function, path,
                path + strlen(path) + 1);
  return path;
}

int error_lua_check_path(lua_State *L) {
  error_check_path(L, 1, luaL_checkstring(L, 2));
  lua_settop(L, 1);
  return 1;
}

int error_lua_usage(lua_State *L) {
  lua_settop(L, 2);
  luaL_tolstring(L, lua_isstring(L, 2) ? 2 : 1, NULL);
  return raise_usage(L);
}

/* Appends the value of a field and `suffix`; nothing if the field is missing. */
static void add_part(luaL_Buffer *b, lua_State *L, const char *field, const char *suffix) {
  lua_getfield(L, 1, field);
  if (lua_isnil(L, -1) || !lua_isstring(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  lua_tostring(L, -1);
  luaL_addvalue(b);
  luaL_addstring(b, suffix);
}

/* bigip1: GET /mgmt/tm/ltm/pool/~Common~web: 404 not_found: 01020036:3: The requested Pool … (after
 * 3 attempts) */
static int error_tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_getfield(L, 1, "kind");
  bool usage = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "usage") == 0;
  lua_getfield(L, 1, "attempts");
  lua_Integer attempts = lua_tointeger(L, -1);
  lua_getfield(L, 1, "cause");
  int cause = lua_gettop(L);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  if (!usage) {
    add_part(&b, L, "device", ": ");
    add_part(&b, L, "method", " ");
    add_part(&b, L, "path", ": ");
    add_part(&b, L, "status", " ");
    add_part(&b, L, "kind", ": ");
  }
  add_part(&b, L, "message", "");
  if (attempts > 1) {
    lua_pushfstring(L, " (after %I attempts)", attempts);
    luaL_addvalue(&b);
  }
  if (!lua_isnil(L, cause)) {
    luaL_addstring(&b, "; caused by: ");
    luaL_tolstring(L, cause, NULL);
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
  /* The text may be printed, and a device decides what stands in it. err.message stays as it is. */
  size_t length;
  const char *bytes = lua_tolstring(L, -1, &length);
  text shown = {0};
  printable_put(&shown, bytes, length, PRINTABLE_TEXT);
  push_owned_text(L, &shown);
  return 1;
}

void error_setup(lua_State *L) {
  static const luaL_Reg methods[] = {{"__tostring", error_tostring}, {NULL, NULL}};
  if (luaL_newmetatable(L, ERROR_NAME)) luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1); /* metatable */
}
