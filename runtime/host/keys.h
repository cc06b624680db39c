/* What a terminal sends, cut into whole keys. libedit gets nothing less than one: it would wait for
 * the rest of a sequence, and nobody else could run. Knows nothing of libedit and of Lua.
 *
 *   keys_fill(&k);                                          // what is there now
 *   for (size_t length; (length = keys_length(&k)) > 0;) {  // a key, a sequence or a paste is
 * whole const char *text = keys_paste(&k, length, &count); if (text) …, keys_drop(&k, length); else
 * keys_grant(&k, length);                          // and keys_take gives its characters, one by
 * one
 *   }
 */
#ifndef HOST_KEYS_H
#define HOST_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

typedef struct keys {
  int fd;
  bool gone;   /* nothing will come any more */
  char *bytes; /* what was read; from..to is not dealt with */
  size_t from, to, size;
  size_t granted; /* what lies before this place may be taken */
} keys;

/* Of the terminal on fd, which stays the caller's. False without memory; keys_close is allowed
 * then, too. */
bool keys_open(keys *k, int fd);
void keys_close(keys *k);

/* Reads what is there, without waiting, and no more than a piece of it: an input without an end
 * must not keep everything else from running. */
void keys_fill(keys *k);

/* Bytes of the first whole key, sequence or marked paste; 0 if more of it must come. */
size_t keys_length(const keys *k);

/* The text of a marked paste of that length, without the line breaks at its end, and its length;
 * NULL if it is none. */
const char *keys_paste(const keys *k, size_t length, size_t *count);

/* Whether what was just taken is part of a paste that the terminal did not mark: much more follows
 * at once, or another line. */
bool keys_follow(const keys *k);

/* Forgets the first bytes. */
void keys_drop(keys *k, size_t length);

/* The first bytes may be taken. */
void keys_grant(keys *k, size_t length);

bool keys_granted(const keys *k); /* … and not all of them are */

/* The next character that may be taken, U+FFFD for what is no UTF-8; false if there is none. */
bool keys_take(keys *k, wchar_t *c);

#endif
