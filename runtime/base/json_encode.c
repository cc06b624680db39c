#include "base/json_encode.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json_text.h"
#include "base/json_value.h"

#define MAX_PATH_LENGTH 200

typedef struct name {
  const char *bytes; /* of the Lua string */
  size_t length;
  int rank;
  lua_Integer slot; /* in the table of kept names */
} name;

/* A table that is being written. The chain of frames is the path in error messages. A table that
 * occurs twice in the chain is a cycle. */
typedef struct frame {
  struct frame *up;
  const void *table;
  const char *name; /* the field being written; NULL: the element at position */
  size_t name_length;
  lua_Integer position;
} frame;

/* Text and names are userdata on the Lua stack, so nothing leaks after an error. */
typedef struct writer {
  lua_State *L;
  const json_style *style;
  frame *top;
  int depth;
  int array_index, text_index, names_index; /* stack indices */
  /* Stack index of a table that keeps the strings of `names`: if the table being written has weak
   * keys, the collector may remove them. */
  int kept_index;
  char *text;
  size_t used, size;
  /* A stack: the sorted names of the tables being written. */
  name *names;
  size_t names_used, names_size;
  char small[1024]; /* the first text */
} writer;

static void write_value(writer *w);

/* -- errors -- */

static bool is_identifier(const char *s, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || s[i] == '_' ||
          (i > 0 && s[i] >= '0' && s[i] <= '9')))
      return false;
  }
  return length > 0;
}

static void add_name(luaL_Buffer *path, const char *s, size_t length, bool first) {
  if (is_identifier(s, length)) {
    if (!first) luaL_addchar(path, '.');
    luaL_addlstring(path, s, length);
    return;
  }
  luaL_addstring(path, "[\"");
  for (const char *end = s + length; s < end;) {
    size_t run = (size_t)(json_skip_plain(s, end) - s);
    if (run == 0 && (unsigned char)*s >= 0x80) run = json_utf8_length(s, end);
    if (run == 0) {
      char escaped[8];
      snprintf(escaped, sizeof escaped, "\\x%02x", (unsigned char)*s++);
      luaL_addstring(path, escaped);
    } else {
      luaL_addlstring(path, s, run);
      s += run;
    }
  }
  luaL_addstring(path, "\"]");
}

/* Raises "cannot encode ", the string on top of the stack, and the path to the value being
 * written. */
static int fail_pushed(writer *w) {
  lua_State *L = w->L;
  const frame *frames[JSON_MAX_DEPTH + 1];
  int count = 0;
  for (const frame *f = w->top; f; f = f->up)
    frames[count++] = f;
  const char *what = lua_tostring(L, -1);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  luaL_Buffer path;
  luaL_buffinit(L, &path);
  while (count-- > 0) {
    const frame *f = frames[count];
    if (luaL_bufflen(&path) > MAX_PATH_LENGTH) {
      luaL_addstring(&path, "...");
      break;
    }
    if (f->name) {
      add_name(&path, f->name, f->name_length, luaL_bufflen(&path) == 0);
    } else if (f->position) {
      char position[32];
      luaL_addlstring(
          &path, position,
          (size_t)snprintf(position, sizeof position, "[" LUA_INTEGER_FMT "]", f->position));
    }
  }
  luaL_pushresult(&path);
  const char *where = lua_tostring(L, -1);
  return luaL_error(L, "cannot encode %s%s%s", what, *where ? " at " : "", where);
}

static int fail(writer *w, const char *what) {
  lua_pushstring(w->L, what);
  return fail_pushed(w);
}

/* -- text -- */

static char *grow(writer *w, size_t more) {
  size_t size = w->size * 2;
  while (size - w->used < more)
    size *= 2;
  char *text = lua_newuserdatauv(w->L, size, 0);
  memcpy(text, w->text, w->used);
  lua_replace(w->L, w->text_index);
  w->text = text;
  w->size = size;
  return text + w->used;
}

/* Makes room for that many bytes. Afterwards add to w->used how many were written. */
static inline char *reserve(writer *w, size_t more) {
  return w->size - w->used >= more ? w->text + w->used : grow(w, more);
}

static inline void put(writer *w, const char *bytes, size_t length) {
  memcpy(reserve(w, length), bytes, length);
  w->used += length;
}

static inline void put_char(writer *w, char c) {
  *reserve(w, 1) = c;
  w->used++;
}

static void put_line(writer *w) {
  size_t spaces = (size_t)w->depth * (size_t)w->style->indent;
  char *out = reserve(w, spaces + 1);
  *out = '\n';
  memset(out + 1, ' ', spaces);
  w->used += spaces + 1;
}

static void put_escape(writer *w, unsigned char c) {
  static const char hex[] = "0123456789abcdef";
  static const char letters[0x20] = {
      ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
  char *out = reserve(w, 6);
  out[0] = '\\';
  if (c >= 0x20 || letters[c]) {
    out[1] = c >= 0x20 ? (char)c : letters[c];
    w->used += 2;
    return;
  }
  memcpy(out + 1, "u00", 3);
  out[4] = hex[c >> 4];
  out[5] = hex[c & 15];
  w->used += 6;
}

static void put_string(writer *w, const char *s, size_t length, const char *what) {
  const char *start = s, *end = s + length;
  reserve(w, length + 2);
  put_char(w, '"');
  while (s < end) {
    const char *special = json_skip_plain(s, end);
    if (special < end && (unsigned char)*special >= 0x80) {
      size_t run = json_utf8_length(special, end);
      if (run == 0) {
        char byte[8];
        snprintf(byte, sizeof byte, "0x%02x", (unsigned char)*special);
        lua_pushfstring(w->L, "%s that is not UTF-8 (byte %s at position %I)", what, byte,
                        (LUAI_UACINT)(special - start + 1));
        fail_pushed(w);
      }
      put(w, s, (size_t)(special - s) + run);
      s = special + run;
      continue;
    }
    put(w, s, (size_t)(special - s));
    s = special;
    if (s < end) put_escape(w, (unsigned char)*s++);
  }
  put_char(w, '"');
}

static void put_integer(writer *w, lua_Integer value) {
  char digits[24];
  size_t at = sizeof digits;
  uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do {
    digits[--at] = (char)('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (value < 0) digits[--at] = '-';
  put(w, digits + at, sizeof digits - at);
}

static void put_float(writer *w, double value) {
  if (isnan(value)) fail(w, "nan (JSON has no such number)");
  if (isinf(value)) fail(w, "infinity (JSON has no such number)");
  w->used += json_float_to_text(reserve(w, JSON_FLOAT_SIZE), value);
}

/* -- arrays -- */

/* The table on top is to be an array: its first key is a number, or it has the array metatable.
 * Returns the number of elements; raises unless the keys are 1..n. */
static lua_Integer check_positions(writer *w) {
  lua_State *L = w->L;
  lua_Integer count = 0, last = 0;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pop(L, 1);
    lua_Integer position = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
    if (lua_type(L, -1) == LUA_TSTRING) {
      lua_pushfstring(L, "an array that also has the key '%s'", lua_tostring(L, -1));
      fail_pushed(w);
    }
    if (position < 1) {
      luaL_tolstring(L, -1, NULL);
      lua_pushfstring(L, "a table with the key %s (%s)", lua_tostring(L, -1), luaL_typename(L, -2));
      fail_pushed(w);
    }
    count++;
    last = position > last ? position : last;
  }
  if (count != last) {
    lua_pushfstring(L, "an array with holes (%I elements, the last at [%I])", (LUAI_UACINT)count,
                    (LUAI_UACINT)last);
    fail_pushed(w);
  }
  return count;
}

static void write_array(writer *w) {
  lua_State *L = w->L;
  lua_Integer count = check_positions(w);
  put_char(w, '[');
  for (lua_Integer i = 1; i <= count; i++) {
    if (i > 1) put_char(w, ',');
    if (w->style->indent) put_line(w);
    w->top->position = i;
    lua_rawgeti(L, -1, i);
    write_value(w);
    lua_pop(L, 1);
  }
  w->depth--;
  if (count > 0 && w->style->indent) put_line(w);
  put_char(w, ']');
}

/* -- objects -- */

/* The key at index as a name. Raises if it is not a string. */
static const char *check_name(writer *w, int index, size_t *length) {
  lua_State *L = w->L;
  if (lua_type(L, index) != LUA_TSTRING) {
    const char *key = luaL_tolstring(L, index, NULL);
    lua_pushfstring(L, "a table with names that also has the key %s (%s)", key,
                    luaL_typename(L, index - 1));
    fail_pushed(w);
  }
  return lua_tolstring(L, index, length);
}

/* Stack: the value. */
static void write_field(writer *w, bool first, const char *bytes, size_t length) {
  if (!first) put_char(w, ',');
  if (w->style->indent) put_line(w);
  w->top->name = bytes;
  w->top->name_length = length;
  put_string(w, bytes, length, "a name");
  put(w, ": ", w->style->indent ? 2 : 1);
  write_value(w);
}

static int by_rank_and_bytes(const void *a, const void *b) {
  const name *x = a, *y = b;
  if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
  size_t shorter = x->length < y->length ? x->length : y->length;
  int order = memcmp(x->bytes, y->bytes, shorter);
  return order ? order : x->length < y->length ? -1 : 1;
}

static int rank_of(const json_style *style, const char *bytes, size_t length) {
  for (int i = 0; style->first && style->first[i]; i++) {
    if (strcmp(style->first[i], bytes) == 0 && strlen(bytes) == length) return i;
  }
  return INT_MAX;
}

/* Stack: the name. */
static void add_sorted_name(writer *w) {
  lua_State *L = w->L;
  name added;
  added.bytes = check_name(w, -1, &added.length);
  added.rank = rank_of(w->style, added.bytes, added.length);
  added.slot = (lua_Integer)w->names_used + 1;
  if (w->names_used == w->names_size) {
    size_t size = w->names_size ? w->names_size * 2 : 64;
    if (!w->names) {
      lua_createtable(L, (int)size, 0);
      lua_replace(L, w->kept_index);
    }
    name *names = lua_newuserdatauv(L, size * sizeof *names, 0);
    if (w->names_used) memcpy(names, w->names, w->names_used * sizeof *names);
    lua_replace(L, w->names_index);
    w->names = names;
    w->names_size = size;
  }
  lua_pushvalue(L, -1);
  lua_rawseti(L, w->kept_index, added.slot);
  w->names[w->names_used++] = added;
}

static void write_sorted_fields(writer *w) {
  lua_State *L = w->L;
  size_t from = w->names_used;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pop(L, 1); /* value */
    add_sorted_name(w);
  }
  size_t to = w->names_used;
  if (to > from) qsort(w->names + from, to - from, sizeof *w->names, by_rank_and_bytes);
  for (size_t i = from; i < to; i++) {
    name field = w->names[i]; /* a copy: the array moves when nested tables add their names */
    lua_rawgeti(L, w->kept_index, field.slot);
    lua_rawget(L, -2);
    write_field(w, i == from, field.bytes, field.length);
    lua_pop(L, 1);
  }
  w->names_used = from;
}

static void write_fields(writer *w) {
  lua_State *L = w->L;
  bool first = true;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    size_t length;
    const char *bytes = check_name(w, -2, &length);
    write_field(w, first, bytes, length);
    first = false;
    lua_pop(L, 1);
  }
}

static void write_object(writer *w) {
  size_t before = w->used;
  put_char(w, '{');
  if (w->style->sort)
    write_sorted_fields(w);
  else
    write_fields(w);
  w->depth--;
  if (w->style->indent && w->used > before + 1) put_line(w);
  put_char(w, '}');
}

/* -- values -- */

static bool is_array_table(writer *w) {
  lua_State *L = w->L;
  if (lua_getmetatable(L, -1)) {
    bool marked = lua_rawequal(L, -1, w->array_index);
    lua_pop(L, 1);
    if (marked) return true;
  }
  lua_pushnil(L);
  if (!lua_next(L, -2)) return false;
  bool number = lua_type(L, -2) == LUA_TNUMBER;
  lua_pop(L, 2);
  return number;
}

static void write_table(writer *w) {
  frame here = {.up = w->top, .table = lua_topointer(w->L, -1)};
  for (const frame *f = w->top; f; f = f->up) {
    if (f->table == here.table) fail(w, "a table that contains itself");
  }
  if (w->depth == JSON_MAX_DEPTH) fail(w, "tables nested more than 512 levels deep");
  luaL_checkstack(w->L, 8, NULL);
  bool is_array = is_array_table(w);
  w->depth++;
  /* An error about the table itself gets the path to the table. */
  w->top = &here;
  if (is_array)
    write_array(w);
  else
    write_object(w);
  w->top = here.up;
}

/* Writes the value on top of the stack. The value stays there. */
static void write_value(writer *w) {
  lua_State *L = w->L;
  switch (lua_type(L, -1)) {
  case LUA_TSTRING: {
    size_t length;
    const char *s = lua_tolstring(L, -1, &length);
    put_string(w, s, length, "a string");
    return;
  }
  case LUA_TNUMBER:
    if (lua_isinteger(L, -1))
      put_integer(w, lua_tointeger(L, -1));
    else
      put_float(w, lua_tonumber(L, -1));
    return;
  case LUA_TBOOLEAN:
    if (lua_toboolean(L, -1))
      put(w, "true", 4);
    else
      put(w, "false", 5);
    return;
  case LUA_TTABLE:
    write_table(w);
    return;
  default:
    if (!json_is_null(L, -1)) {
      lua_pushfstring(L, lua_isnil(L, -1) ? "nil" : "a %s", luaL_typename(L, -1));
      fail_pushed(w);
    }
    put(w, "null", 4);
  }
}

void json_encode(lua_State *L, int index, const json_style *style) {
  static const json_style plain = {0};
  writer w;
  w.L = L;
  w.style = style ? style : &plain;
  w.top = NULL;
  w.depth = 0;
  w.text = w.small;
  w.used = 0;
  w.size = sizeof w.small;
  w.names = NULL;
  w.names_used = w.names_size = 0;
  luaL_checkstack(L, 16, NULL);
  index = lua_absindex(L, index);
  int base = lua_gettop(L);
  lua_pushnil(L);
  w.text_index = base + 1;
  lua_pushnil(L);
  w.names_index = base + 2;
  lua_pushnil(L);
  w.kept_index = base + 3;
  json_push_array_metatable(L);
  w.array_index = base + 4;
  lua_pushvalue(L, index);
  write_value(&w);
  lua_pushlstring(L, w.text, w.used);
  lua_replace(L, base + 1); /* the string is a copy: the text may be in this slot */
  lua_settop(L, base + 1);
}
