#include "host/widetext.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/json_text.h"

size_t wide_utf8_length(unsigned char lead) {
  if (lead < 0xC2 || lead > 0xF4) return 1;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

wchar_t wide_decode(const char *text, size_t length, size_t *taken) {
  unsigned char lead = (unsigned char)*text;
  *taken = 1;
  if (lead < 0x80) return (wchar_t)lead;
  size_t count = json_utf8_length(text, text + length);
  if (count == 0) return 0xFFFD;
  unsigned long code = lead & (0x7Fu >> count);
  for (size_t i = 1; i < count; i++)
    code = code << 6 | ((unsigned char)text[i] & 0x3Fu);
  *taken = count;
  return (wchar_t)code;
}

static void add_utf8(luaL_Buffer *b, wchar_t wide) {
  unsigned long c = (unsigned long)wide;
  if (c < 0x80) {
    luaL_addchar(b, (char)c);
  } else if (c < 0x800) {
    luaL_addchar(b, (char)(0xC0 | c >> 6));
    luaL_addchar(b, (char)(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    luaL_addchar(b, (char)(0xE0 | c >> 12));
    luaL_addchar(b, (char)(0x80 | (c >> 6 & 0x3F)));
    luaL_addchar(b, (char)(0x80 | (c & 0x3F)));
  } else {
    luaL_addchar(b, (char)(0xF0 | c >> 18));
    luaL_addchar(b, (char)(0x80 | (c >> 12 & 0x3F)));
    luaL_addchar(b, (char)(0x80 | (c >> 6 & 0x3F)));
    luaL_addchar(b, (char)(0x80 | (c & 0x3F)));
  }
}

void wide_push(lua_State *L, const wchar_t *from, const wchar_t *to) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (; from < to; from++)
    add_utf8(&b, *from);
  luaL_pushresult(&b);
}

wchar_t *wide_new(const char *text, size_t length) {
  wchar_t *wide = malloc((length + 1) * sizeof *wide);
  if (!wide) return NULL;
  size_t count = 0;
  for (size_t at = 0, taken; at < length; at += taken)
    wide[count++] = wide_decode(text + at, length - at, &taken);
  wide[count] = L'\0';
  return wide;
}

int wide_terminal_size(bool rows) {
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return rows ? 24 : 80;
  int value = rows ? size.ws_row : size.ws_col;
  return value > 0 ? value : rows ? 24 : 80;
}

void wide_walk(wchar_t c, int columns, int *row, int *column) {
  int width = c == L'\t' ? 8 - *column % 8 : c < L' ' || c == 0x7F ? 2 : wcwidth(c);
  if (c == L'\n') {
    *column = 0;
    ++*row;
    return;
  }
  if (width < 0) width = 1;
  if (c != L'\t' && *column + width > columns)
    *column = columns; /* a wide character does not fit */
  *column += width;
  if (*column >= columns) {
    *column = c == L'\t' || width == 1 ? *column - columns : *column > columns ? width : 0;
    ++*row;
  }
}
