/* Splits what a terminal sends into whole keys. libedit must get whole keys: otherwise it would
 * wait for the rest of a sequence and block everything else. Knows nothing about libedit and
 * Lua.
 *
 *   keys_fill(&k);                                        // read what is there
 *   for (size_t length; (length = keys_length(&k)) > 0;) {  // a whole key, sequence or paste
 *     const char *text = keys_paste(&k, length, &count);
 *     if (text) …, keys_drop(&k, length);
 *     else keys_grant(&k, length);                        // then keys_take returns the characters
 *   }
 */
#ifndef HOST_KEYS_H
#define HOST_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

typedef struct keys {
  int fd;
  bool gone;   /* the terminal is gone */
  char *bytes; /* what was read; from..to is not processed yet */
  size_t from, to, size;
  size_t granted; /* up to here, characters may be taken */
} keys;

/* For the terminal on fd, which the caller keeps open. False if out of memory; keys_close may be
 * called even then. */
bool keys_open(keys *k, int fd);
void keys_close(keys *k);

/* Reads what is there without waiting, but a limited amount: endless input must not block
 * everything else. */
void keys_fill(keys *k);

/* The length of the first whole key, sequence or marked paste. 0 if it is incomplete. */
size_t keys_length(const keys *k);

/* The text of a marked paste of that length, without line breaks at its end, and the length of the
 * text. NULL if it is not a paste. */
const char *keys_paste(const keys *k, size_t length, size_t *count);

/* Whether the last key belongs to a paste that the terminal did not mark: many bytes or another
 * line follow at once. */
bool keys_follow(const keys *k);

/* Drops the first `length` bytes. */
void keys_drop(keys *k, size_t length);

/* Allows keys_take to take the first `length` bytes. */
void keys_grant(keys *k, size_t length);

bool keys_granted(const keys *k); /* some of them are not taken yet */

/* Takes the next character: U+FFFD for invalid UTF-8. False if there is none. */
bool keys_take(keys *k, wchar_t *c);

#endif
