#include "f5/rest/resource.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lauxlib.h>

#include "base/json.h"
#include "base/push_owned.h"
#include "f5/change/transaction.h"
#include "f5/report/error.h"
#include "f5/rest/create.h"
#include "f5/rest/identity.h"
#include "f5/rest/query.h"
#include "f5/rest/reference.h"
#include "f5/rest/uri.h"
#include "f5/session/operation.h"
#include "f5/session/session_lua.h"

#define MAX_TIMEOUT 86400 /* s; a longer one, such as math.huge, is reduced to it */

/* Pushes an operation on the reference at index 1. Its path is the reference's text if nothing is
 * added to it. */
static f5_operation *operation_on(lua_State *L, const f5_reference *ref, const char *method,
                                  const char *suffix, int options) {
  f5_operation *op = operation_new(L, ref->session, method, ref->text);
  if (!*suffix && query_is_plain(L, ref, options)) return op;
  text_add(&op->path, ref->text, ref->length);
  text_put(&op->path, suffix);
  query_add(L, &op->path, ref, options, NULL);
  op->call.http.path = text_string(&op->path);
  return op;
}

/* ref:load{options} -> the object, or the answer for the collection */
static int load(lua_State *L) {
  const f5_reference *ref = reference_check(L, 1);
  lua_settop(L, 2);
  return operation_read(L, operation_on(L, ref, "GET", "", 2), identity_answer);
}

/* ref:example{options} -> the device's example of this resource */
static int example(lua_State *L) {
  const f5_reference *ref = reference_check(L, 1);
  lua_settop(L, 2);
  return operation_read(L, operation_on(L, ref, "GET", "/example", 2), operation_answer);
}

static int existence(lua_State *L, int status, lua_KContext context) {
  (void)status;
  f5_operation *op = (f5_operation *)context;
  bool there = op->call.failure.verdict.kind != KIND_NOT_FOUND;
  if (there) {
    operation_result(L, op);
    identity_check_path(L, op);
    there = !lua_isnil(L, -1); /* 204 */
  }
  call_clear(&op->call);
  lua_pushboolean(L, there);
  return 1;
}

/* ref:exists() -> whether the device has it; any other failure is raised */
static int exists(lua_State *L) {
  const f5_reference *ref = reference_check(L, 1);
  lua_settop(L, 1);
  f5_operation *op = operation_new(L, ref->session, "GET", ref->text);
  text_add(&op->path, ref->text, ref->length);
  query_add(L, &op->path, ref, 0, NULL);
  if (!uri_is_extension(text_string(&op->path))) uri_query(&op->path, "$select", "name", 4);
  op->call.http.path = text_string(&op->path);
  return operation_read(L, op, existence);
}

/* Makes the write on the reference at 1, or queues it in the reference's transaction. */
static int write_on(lua_State *L, f5_operation *op, int body, lua_KFunction finish) {
  if (transaction_bound(L)) return transaction_write(L, op, body);
  return operation_write(L, op, body, finish);
}

static void check_body(lua_State *L, const char *method) {
  if (!lua_istable(L, 2))
    error_usage(L, "%s: expected a table of properties, got a %s", method, luaL_typename(L, 2));
}

static void check_no_query(lua_State *L, const f5_reference *ref) {
  if (ref->text[ref->length]) error_usage(L, "cannot write to a path with a query: %s", ref->text);
}

static int change(lua_State *L, const char *method, const char *name) {
  const f5_reference *ref = reference_check(L, 1);
  lua_settop(L, 3);
  check_body(L, name);
  f5_operation *op = operation_on(L, ref, method, "", 3);
  return write_on(L, op, 2, identity_answer);
}

/* ref:modify{properties}[, {options}] -> the object; other properties stay */
static int modify(lua_State *L) {
  return change(L, "PATCH", "modify");
}

/* ref:replace{properties}[, {options}] -> the object; other properties are reset to their defaults
 */
static int replace(lua_State *L) {
  return change(L, "PUT", "replace");
}

/* ref:delete[{options}] -> the device's answer, usually nil */
static int delete (lua_State *L) {
  const f5_reference *ref = reference_check(L, 1);
  lua_settop(L, 2);
  f5_operation *op = operation_on(L, ref, "DELETE", "", 2);
  return write_on(L, op, 0, operation_answer);
}

/* Reads the option `changes` of the table at index: false means that the call changes nothing. */
static void read_changes(lua_State *L, f5_operation *op, int index, const char *method) {
  int type = lua_getfield(L, index, "changes");
  if (type != LUA_TNIL && type != LUA_TBOOLEAN)
    error_usage(L, "%s: changes must be true or false, not a %s", method, luaL_typename(L, -1));
  op->call.harmless = type == LUA_TBOOLEAN && !lua_toboolean(L, -1);
  lua_pop(L, 1); /* changes */
}

/* Raises if the table of options at index has another name than these. */
static void check_options(lua_State *L, int index, const char *method, const char *const *names) {
  if (!lua_istable(L, index))
    error_usage(L, "%s: expected a table of options, got a %s", method, luaL_typename(L, index));
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    bool found = false;
    const char *name = luaL_tolstring(L, -2, NULL);
    for (const char *const *at = names; *at; at++)
      found = found || strcmp(*at, name) == 0;
    if (!found) error_unknown(L, "option", name, names);
    lua_pop(L, 1); /* name as a string */
  }
}

/* ref:run(command, {arguments}[, {changes}]) -> the answer: a tmsh command, as POST */
static int run(lua_State *L) {
  static const char *const names[] = {"changes", NULL};
  const f5_reference *ref = reference_check(L, 1);
  lua_settop(L, 4);
  if (lua_type(L, 2) != LUA_TSTRING)
    return error_usage(L, "run: expected the name of a command, got a %s", luaL_typename(L, 2));
  if (!lua_isnil(L, 3) && !lua_istable(L, 3))
    return error_usage(L, "run: expected a table of arguments, got a %s", luaL_typename(L, 3));
  if (!lua_isnil(L, 4)) check_options(L, 4, "run", names);
  check_no_query(L, ref);
  lua_newtable(L); /* at 5: the body */
  if (!lua_isnil(L, 3)) {
    if (lua_getfield(L, 3, "command") != LUA_TNIL)
      return error_usage(L, "run: the command is given twice");
    lua_pop(L, 1); /* nil */
    for (lua_pushnil(L); lua_next(L, 3);) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, 5);
    }
  }
  lua_pushvalue(L, 2);
  lua_setfield(L, 5, "command");
  f5_operation *op = operation_on(L, ref, "POST", "", 0);
  if (!lua_isnil(L, 4)) read_changes(L, op, 4, "run");
  if (op->call.harmless && transaction_bound(L))
    return error_usage(L, "run: every command of a transaction counts as a change");
  return write_on(L, op, 5, identity_command);
}

/* -- session:request -- */

static void push_headers(lua_State *L, const char *block) {
  lua_newtable(L);
  while (block && *block) {
    size_t line = strcspn(block, "\r\n"), name = strcspn(block, ":");
    if (name < line) {
      luaL_Buffer b;
      luaL_buffinit(L, &b);
      for (size_t i = 0; i < name; i++)
        luaL_addchar(&b, (char)(block[i] >= 'A' && block[i] <= 'Z' ? block[i] | 32 : block[i]));
      luaL_pushresult(&b);
      const char *value = block + name + 1;
      size_t length = line - name - 1;
      while (length && (*value == ' ' || *value == '\t'))
        value++, length--;
      lua_pushlstring(L, value, length);
      lua_rawset(L, -3);
    }
    block += line;
    block += strspn(block, "\r\n");
  }
}

static int raw_answer_with(lua_State *L, f5_operation *op, bool headers) {
  f5_call *call = &op->call;
  if (call->failure.verdict.kind != KIND_NONE) operation_result(L, op); /* raises */
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, call->http.status);
  lua_setfield(L, -2, "status");
  lua_pushlstring(L, call->http.answer ? call->http.answer : "", call->http.answer_length);
  lua_setfield(L, -2, "body");
  if (headers) {
    push_headers(L, call->http.answer_headers);
    lua_setfield(L, -2, "headers");
  }
  call_clear(call);
  return 1;
}

/* With raw: { status, headers, body } for any status. */
static int raw_answer(lua_State *L, int status, lua_KContext context) {
  (void)status;
  return raw_answer_with(L, (f5_operation *)context, true);
}

/* With raw = "body": no headers, which takes less time. */
static int raw_body(lua_State *L, int status, lua_KContext context) {
  (void)status;
  return raw_answer_with(L, (f5_operation *)context, false);
}

/* Fills the operation's header lines from the table at index; a table on the stack holds them. */
static void add_headers(lua_State *L, f5_operation *op, int index) {
  if (!lua_istable(L, index))
    error_usage(L, "request: headers must be a table, not a %s", luaL_typename(L, index));
  lua_newtable(L); /* holds the lines */
  int kept = lua_gettop(L), n = 0;
  const char **lines = lua_newuserdatauv(L, (CALL_HEADERS - 4) * sizeof *lines, 0);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
      error_usage(L, "request: names and values of headers must be strings");
    const char *name = lua_tostring(L, -2);
    if (strcasecmp(name, "X-F5-Auth-Token") == 0 || strcasecmp(name, "Authorization") == 0)
      error_usage(L, "request: header %s is set by the session", name);
    lua_pushfstring(L, "%s: %s", name, luaL_tolstring(L, -1, NULL));
    const char *line = lua_tostring(L, -1);
    if (strpbrk(line, "\r\n")) error_usage(L, "request: header %s contains a line break", name);
    if (n >= CALL_HEADERS - 5) error_usage(L, "request: more than %d headers", CALL_HEADERS - 5);
    if (strcasecmp(name, "Content-Type") == 0)
      op->call.content_type = line;
    else
      lines[n++] = line;
    lua_rawseti(L, kept, luaL_len(L, kept) + 1);
    lua_pop(L, 1); /* value as a string */
  }
  lines[n] = NULL;
  op->call.headers = lines;
}

static const char *check_method(lua_State *L) {
  static const char *const methods[] = {"GET", "HEAD",  "OPTIONS", "POST",
                                        "PUT", "PATCH", "DELETE",  NULL};
  if (lua_type(L, 2) != LUA_TSTRING)
    error_usage(L, "request: expected a method as a string, got a %s", luaL_typename(L, 2));
  for (const char *const *at = methods; *at; at++)
    if (strcasecmp(*at, lua_tostring(L, 2)) == 0) return *at;
  error_unknown(L, "method", lua_tostring(L, 2), methods);
  return NULL;
}

/* The version of a request: from its query, from the path or reference at 3, or of the session. */
static void add_version(lua_State *L, f5_operation *op, const f5_session *session) {
  size_t length;
  const char *version = session->ver, *path = lua_tolstring(L, 3, &length);
  if (uri_version(text_string(&op->path), op->path.length, &version)) return;
  size_t size = path ? uri_version(path, length, &version) : 0;
  const f5_reference *ref = luaL_testudata(L, 3, REFERENCE_NAME);
  if (ref) version = reference_version(ref);
  if (size == 0 && version) size = strlen(version);
  if (size) uri_query(&op->path, "ver", version, size);
}

static void read_request_timeout(lua_State *L, f5_operation *op) {
  if (lua_getfield(L, 4, "timeout") == LUA_TNIL) return;
  lua_Number seconds = lua_tonumber(L, -1);
  if (!(seconds > 0)) error_usage(L, "request: timeout must be a positive number of seconds");
  op->call.http.timeout_ms =
      seconds < MAX_TIMEOUT ? (long)ceil(seconds * 1000) : MAX_TIMEOUT * 1000L;
}

/* Returns the index of a body that is a table, else 0. */
static int read_request_body(lua_State *L, f5_operation *op) {
  int type = lua_getfield(L, 4, "body");
  if (type == LUA_TTABLE) return lua_gettop(L);
  if (type == LUA_TSTRING)
    op->call.http.body = lua_tolstring(L, -1, &op->call.http.body_length);
  else if (type != LUA_TNIL)
    error_usage(L, "request: body must be a table or a string, not a %s", luaL_typename(L, -1));
  return 0;
}

/* Returns the index of a body that is a table, else 0. */
static int read_request_options(lua_State *L, f5_operation *op, lua_KFunction *finish) {
  static const char *const names[] = {"body",  "query",   "headers", "raw", "timeout",
                                      "quiet", "changes", "retry",   NULL};
  check_options(L, 4, "request", names);
  read_changes(L, op, 4, "request");
  if (lua_getfield(L, 4, "query") != LUA_TNIL) query_add_raw(L, &op->path, -1);
  if (lua_getfield(L, 4, "headers") != LUA_TNIL) add_headers(L, op, lua_gettop(L));
  lua_getfield(L, 4, "raw");
  if (lua_toboolean(L, -1))
    *finish = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "body") == 0
                  ? raw_body
                  : raw_answer;
  lua_getfield(L, 4, "quiet");
  op->call.quiet = lua_toboolean(L, -1);
  op->call.once = lua_getfield(L, 4, "retry") != LUA_TNIL && !lua_toboolean(L, -1);
  read_request_timeout(L, op);
  return read_request_body(L, op);
}

static void set_request_path(f5_operation *op, const char *path, size_t length) {
  text query = {0};
  if (uri_is_absolute(path, length)) {
    uri_absolute(&op->path, &query, path, length);
  } else {
    text_put(&op->path, URI_ROOT);
    uri_add(&op->path, path, length);
  }
  text_join(&op->path, &query);
  text_free(&query);
}

/* session:request(method, path, { body, query, headers, raw, timeout, quiet,
 * changes, retry }) -> decoded answer;
 * with raw { status, headers, body } */
static int request(lua_State *L) {
  f5_session *session = session_check(L, 1);
  lua_settop(L, 4);
  const char *method = check_method(L);
  size_t length;
  if (lua_type(L, 3) != LUA_TSTRING && !luaL_testudata(L, 3, REFERENCE_NAME))
    return error_usage(L, "request: expected a path as a string, got a %s", luaL_typename(L, 3));
  const char *path = luaL_tolstring(L, 3, &length);
  if (uri_leads_up(path, length))
    error_usage(L, "request: invalid path '%s': '.' and '..' would lead to another path", path);
  f5_operation *op = operation_new(L, session, method, path);
  set_request_path(op, path, length);
  lua_KFunction finish = operation_answer;
  int body = lua_isnil(L, 4) ? 0 : read_request_options(L, op, &finish);
  bool raw = finish != operation_answer;
  add_version(L, op, session);
  op->call.http.path = text_string(&op->path);
  op->call.any_status = raw;
  op->call.once = op->call.once || raw || op->call.quiet;
  if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0) {
    if (body || op->call.http.body) return error_usage(L, "request: a %s has no body", method);
    return operation_read(L, op, finish);
  }
  return operation_write(L, op, body, finish);
}

void resource_setup(lua_State *L, int session_methods, int reference_methods) {
  static const luaL_Reg of_session[] = {
      {"request", request}, {"at", reference_lua_at}, {NULL, NULL}};
  static const luaL_Reg of_reference[] = {
      {"load", load},           {"example", example}, {"exists", exists}, {"create", create_lua},
      {"modify", modify},       {"replace", replace}, {"delete", delete}, {"run", run},
      {"at", reference_lua_at}, {NULL, NULL}};
  session_methods = lua_absindex(L, session_methods);
  reference_methods = lua_absindex(L, reference_methods);
  lua_pushvalue(L, session_methods);
  luaL_setfuncs(L, of_session, 0);
  lua_pushvalue(L, reference_methods);
  luaL_setfuncs(L, of_reference, 0);
  lua_pop(L, 2); /* tables */
}
