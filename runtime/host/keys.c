#include "host/keys.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/widetext.h"

#define START_SIZE 4096
#define PIECE 65536    /* maximum number of bytes per read */
#define TYPED_AHEAD 32 /* bytes that a person may type before they are read */
#define PASTE_BEGIN "\033[200~"
#define PASTE_END "\033[201~"
#define MARK (sizeof PASTE_BEGIN - 1) /* length of either mark */

bool keys_open(keys *k, int fd) {
  *k = (keys){.fd = fd, .size = START_SIZE, .bytes = malloc(START_SIZE)};
  return k->bytes != NULL;
}

void keys_close(keys *k) {
  free(k->bytes);
  k->bytes = NULL;
}

/* -- reading -- */

static bool make_room(keys *k) {
  if (k->from > 0) {
    memmove(k->bytes, k->bytes + k->from, k->to - k->from);
    k->granted -= k->granted < k->from ? k->granted : k->from;
    k->to -= k->from;
    k->from = 0;
  }
  if (k->to < k->size) return true;
  char *larger = realloc(k->bytes, k->size * 2);
  if (!larger) return false; /* process what is there first */
  k->bytes = larger;
  k->size *= 2;
  return true;
}

void keys_fill(keys *k) {
  struct pollfd ready = {.fd = k->fd, .events = POLLIN};
  size_t read_now = 0;
  while (!k->gone && read_now < PIECE && poll(&ready, 1, 0) == 1 && make_room(k)) {
    size_t room = k->size - k->to;
    ssize_t got = read(k->fd, k->bytes + k->to, room < PIECE ? room : PIECE);
    if (got > 0) {
      k->to += (size_t)got;
      read_now += (size_t)got;
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
      k->gone = true;
    }
  }
}

/* -- whole keys -- */

static bool starts(const char *text, size_t length, const char *with) {
  size_t wanted = strlen(with);
  return length >= wanted && memcmp(text, with, wanted) == 0;
}

/* The length of a sequence that starts with this many ESC: Alt and a key, or a sequence of the
 * terminal. */
static size_t sequence_length(const char *text, size_t length, size_t escapes) {
  if (escapes == length) return 0;
  if (text[escapes] != '[' && text[escapes] != 'O') {
    size_t whole = escapes + wide_utf8_length((unsigned char)text[escapes]);
    return whole <= length ? whole : 0;
  }
  if (starts(text, length, PASTE_BEGIN)) {
    const char *end = memmem(text, length, PASTE_END, MARK);
    return end ? (size_t)(end - text) + MARK : 0;
  }
  if (text[escapes] == 'O') return escapes + 2 <= length ? escapes + 2 : 0;
  for (size_t i = escapes + 1; i < length; i++)
    if (text[i] >= 0x40 && text[i] <= 0x7E) return i + 1;
  return 0;
}

size_t keys_length(const keys *k) {
  const char *text = k->bytes + k->from;
  size_t length = k->to - k->from, escapes = 0;
  if (length == 0) return 0;
  while (escapes < length && text[escapes] == '\033')
    escapes++;
  if (escapes > 0) return sequence_length(text, length, escapes);
  if (*text == 'X' - '@') return length >= 2 ? 2 : 0; /* Ctrl-X starts two-key commands */
  size_t whole = wide_utf8_length((unsigned char)*text);
  return whole <= length ? whole : 0;
}

const char *keys_paste(const keys *k, size_t length, size_t *count) {
  const char *text = k->bytes + k->from;
  if (length < 2 * MARK || !starts(text, length, PASTE_BEGIN)) return NULL;
  *count = length - 2 * MARK;
  text += MARK;
  while (*count > 0 && (text[*count - 1] == '\n' || text[*count - 1] == '\r'))
    --*count; /* the user presses Enter */
  return text;
}

bool keys_follow(const keys *k) {
  size_t behind = k->to - k->from;
  return behind > TYPED_AHEAD || memchr(k->bytes + k->from, '\n', behind) ||
         memchr(k->bytes + k->from, '\r', behind);
}

/* -- taking characters -- */

void keys_drop(keys *k, size_t length) {
  k->from += length;
}

void keys_grant(keys *k, size_t length) {
  k->granted = k->from + length;
}

bool keys_granted(const keys *k) {
  return k->from < k->granted;
}

bool keys_take(keys *k, wchar_t *c) {
  if (!keys_granted(k)) return false;
  size_t taken;
  *c = wide_decode(k->bytes + k->from, k->granted - k->from, &taken);
  k->from += taken;
  return true;
}
