#include "postgres/values.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/field.h"

/* Numbers of types that never change (pg_type.dat). */
enum {
  TYPE_BOOL = 16,
  TYPE_BYTEA = 17,
  TYPE_INT8 = 20,
  TYPE_INT2 = 21,
  TYPE_INT4 = 23,
  TYPE_OID = 26,
  TYPE_FLOAT4 = 700,
  TYPE_FLOAT8 = 701,
  TYPE_NUMERIC = 1700
};

enum { MAX_PARAMETERS = 1000, NUMBER_BYTES = 40 };

/* -- parameters -- */

/* A value as text. Returns its length, and where it is: in `number`, or in the value itself. */
static size_t write_parameter(lua_State *L, int index, char *number, const char **at) {
  *at = number;
  switch (lua_type(L, index)) {
  case LUA_TBOOLEAN:
    return (size_t)sprintf(number, "%s", lua_toboolean(L, index) ? "t" : "f");
  case LUA_TNUMBER:
    if (lua_isinteger(L, index))
      return (size_t)sprintf(number, LUA_INTEGER_FMT, lua_tointeger(L, index));
    lua_Number n = lua_tonumber(L, index);
    if (isinf(n)) return (size_t)sprintf(number, "%s", n > 0 ? "Infinity" : "-Infinity");
    return (size_t)sprintf(number, isnan(n) ? "NaN" : "%.17g", n);
  default:
    break;
  }
  size_t length;
  *at = lua_tolstring(L, index, &length);
  return length;
}

/* Whether it is { bytes = "…" }: any bytes, a value of the type bytea. Pushes them. */
static bool push_bytes(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TTABLE) return false;
  if (lua_getfield(L, index, "bytes") == LUA_TSTRING) return true;
  lua_pop(L, 1);
  return false;
}

/* Replaces each parameter by a value that write_parameter knows. */
static void check_parameters(lua_State *L, int first, int count, bool *is_bytes) {
  for (int i = 0; i < count; i++) {
    int index = first + i;
    is_bytes[i] = push_bytes(L, index);
    if (is_bytes[i]) {
      lua_replace(L, index);
      continue;
    }
    int type = lua_type(L, index);
    if (type == LUA_TLIGHTUSERDATA && !lua_touserdata(L, index)) { /* null of JSON */
      lua_pushnil(L);
      lua_replace(L, index);
    } else if (type == LUA_TSTRING) {
      size_t length;
      const char *string = lua_tolstring(L, index, &length);
      if (strlen(string) != length)
        luaL_error(L,
                   "parameter %d has the byte 0 in it; a database takes it as { bytes = … } only",
                   i + 1);
    } else if (type != LUA_TNIL && type != LUA_TNUMBER && type != LUA_TBOOLEAN) {
      luaL_error(L, "parameter %d is a %s", i + 1, lua_typename(L, type));
    }
  }
}

static size_t bytes_of(lua_State *L, int first, int count) {
  size_t bytes = 0;
  char number[NUMBER_BYTES];
  const char *at;
  for (int i = 0; i < count; i++)
    if (!lua_isnil(L, first + i)) bytes += write_parameter(L, first + i, number, &at) + 1;
  return bytes;
}

static char *copy(char *to, const char *from, size_t length) {
  memcpy(to, from, length);
  to[length] = '\0';
  return to + length + 1;
}

pq_statement *pq_statement_new(lua_State *L, int at_text) {
  size_t length;
  const char *string = luaL_checklstring(L, at_text, &length);
  luaL_argcheck(L, strlen(string) == length, at_text, "the byte 0 is in it");
  int first = at_text + 1, count = lua_gettop(L) - at_text;
  luaL_argcheck(L, count <= MAX_PARAMETERS, at_text, "too many parameters");
  bool is_bytes[MAX_PARAMETERS];
  luaL_checkstack(L, 4, NULL);
  check_parameters(L, first, count, is_bytes);
  size_t n = (size_t)count;
  size_t arrays = n * (sizeof(char *) + sizeof(Oid) + 2 * sizeof(int));
  pq_statement *s = calloc(1, sizeof *s + arrays + length + 1 + bytes_of(L, first, count));
  if (!s) luaL_error(L, "not enough memory");
  const char **values = (const char **)(s + 1);
  Oid *types = (Oid *)(void *)(values + n);
  int *lengths = (int *)(void *)(types + n), *formats = lengths + n;
  char *at = (char *)(formats + n);
  s->text = at;
  at = copy(at, string, length);
  for (int i = 0; i < count; i++) {
    if (lua_isnil(L, first + i)) continue;
    char number[NUMBER_BYTES];
    const char *value;
    size_t bytes = write_parameter(L, first + i, number, &value);
    values[i] = at;
    lengths[i] = (int)bytes;
    formats[i] = is_bytes[i];
    types[i] = is_bytes[i] ? TYPE_BYTEA : 0;
    at = copy(at, value, bytes);
  }
  s->count = count;
  s->values = values;
  s->types = types;
  s->lengths = lengths;
  s->formats = formats;
  return s;
}

/* -- results -- */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 0;
}

/* bytea as the server writes it: "\x00ff". (bytea_output is hex: lualib/f5/postgres.) */
static void push_hex(lua_State *L, const char *value, size_t length) {
  if (length < 2 || value[0] != '\\' || value[1] != 'x') {
    lua_pushlstring(L, value, length);
    return;
  }
  size_t bytes = (length - 2) / 2;
  luaL_Buffer buffer;
  char *to = luaL_buffinitsize(L, &buffer, bytes);
  for (size_t i = 0; i < bytes; i++)
    to[i] = (char)(hex_digit(value[2 + 2 * i]) << 4 | hex_digit(value[3 + 2 * i]));
  luaL_pushresultsize(&buffer, bytes);
}

static void push_number(lua_State *L, const char *value) {
  if (lua_stringtonumber(L, value)) return;
  if (strcmp(value, "Infinity") == 0)
    lua_pushnumber(L, (lua_Number)INFINITY);
  else if (strcmp(value, "-Infinity") == 0)
    lua_pushnumber(L, -(lua_Number)INFINITY);
  else
    lua_pushnumber(L, (lua_Number)NAN);
}

static void push_value(lua_State *L, const PGresult *result, int row, int column) {
  const char *value = pq.PQgetvalue(result, row, column);
  size_t length = (size_t)pq.PQgetlength(result, row, column);
  switch (pq.PQftype(result, column)) {
  case TYPE_BOOL:
    lua_pushboolean(L, *value == 't');
    break;
  case TYPE_INT2:
  case TYPE_INT4:
  case TYPE_INT8:
  case TYPE_OID:
  case TYPE_FLOAT4:
  case TYPE_FLOAT8:
  case TYPE_NUMERIC:
    push_number(L, value);
    break;
  case TYPE_BYTEA:
    push_hex(L, value, length);
    break;
  default:
    lua_pushlstring(L, value, length);
  }
}

void pq_push_rows(lua_State *L, const PGresult *result) {
  int rows = pq.PQntuples(result), columns = pq.PQnfields(result);
  luaL_checkstack(L, columns + 6, "too many columns");
  lua_createtable(L, rows, 1);
  int list = lua_gettop(L);
  for (int column = 0; column < columns; column++)
    lua_pushstring(L, pq.PQfname(result, column));
  for (int row = 0; row < rows; row++) {
    lua_createtable(L, 0, columns);
    for (int column = 0; column < columns; column++) {
      if (pq.PQgetisnull(result, row, column)) continue;
      lua_pushvalue(L, list + 1 + column);
      push_value(L, result, row, column);
      lua_rawset(L, -3);
    }
    lua_rawseti(L, list, row + 1);
  }
  lua_settop(L, list);
  const char *affected = pq.PQcmdTuples((PGresult *)(uintptr_t)result);
  if (*affected) field_integer(L, "affected", (lua_Integer)strtoll(affected, NULL, 10));
}

void pq_push_failure(lua_State *L, const pq_statement *s) {
  lua_createtable(L, 0, 8);
  field_boolean(L, "sent", s->sent);
  if (!s->result) {
    field_string(L, "message", s->failure);
    field_boolean(L, "lost", true);
    return;
  }
  static const struct {
    const char *name;
    int field;
  } fields[] = {{"message", PG_DIAG_MESSAGE_PRIMARY},    {"sqlstate", PG_DIAG_SQLSTATE},
                {"detail", PG_DIAG_MESSAGE_DETAIL},      {"hint", PG_DIAG_MESSAGE_HINT},
                {"constraint", PG_DIAG_CONSTRAINT_NAME}, {"table", PG_DIAG_TABLE_NAME},
                {"column", PG_DIAG_COLUMN_NAME},         {"context", PG_DIAG_CONTEXT}};
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
    field_string(L, fields[i].name, pq.PQresultErrorField(s->result, fields[i].field));
  if (lua_getfield(L, -1, "message") == LUA_TNIL) {
    lua_pop(L, 1);
    text t = {0};
    pq_put_message(&t, pq.PQresultErrorMessage(s->result));
    field_string(L, "message", text_string(&t)); /* may raise: leaks, at the end of memory */
    text_free(&t);
    return;
  }
  lua_pop(L, 1);
}
