/* What libedit works with is wide; what the terminal and Lua speak is UTF-8, whatever the locale
 * says. */
#ifndef HOST_WIDETEXT_H
#define HOST_WIDETEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#include <lua.h>

/* Bytes of a character that begins so; 1 for what begins none. */
size_t wide_utf8_length(unsigned char lead);
/* The character at text (length > 0), its bytes in *taken; U+FFFD for what is none. */
wchar_t wide_decode(const char *text, size_t length, size_t *taken);
/* A copy on the heap; NULL without memory. */
wchar_t *wide_new(const char *text, size_t length);
/* Pushes the characters from..to as a string. */
void wide_push(lua_State *L, const wchar_t *from, const wchar_t *to);

/* Rows or columns of the terminal on standard output. */
int wide_terminal_size(bool rows);
/* Moves a position by a character, as libedit lays out a line: control characters take two columns.
 */
void wide_walk(wchar_t c, int columns, int *row, int *column);

#endif
