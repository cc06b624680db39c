/* libedit uses wide characters; the terminal and Lua use UTF-8, in any locale. */
#ifndef HOST_WIDETEXT_H
#define HOST_WIDETEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#include <lua.h>

/* The length of a character with this first byte; 1 if it cannot start a character. */
size_t wide_utf8_length(unsigned char lead);
/* Decodes the character at text (length > 0) and stores its length in *taken. U+FFFD for invalid
 * UTF-8. */
wchar_t wide_decode(const char *text, size_t length, size_t *taken);
/* A copy on the heap. NULL if out of memory. */
wchar_t *wide_new(const char *text, size_t length);
/* Pushes the characters from `from` to `to` as a string. */
void wide_push(lua_State *L, const wchar_t *from, const wchar_t *to);

/* The number of rows or columns of the terminal on standard output. */
int wide_terminal_size(bool rows);
/* Moves a position by one character, like libedit: control characters take two columns. */
void wide_walk(wchar_t c, int columns, int *row, int *column);

#endif
