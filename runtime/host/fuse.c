#include "host/fuse.h"

#include <stddef.h>

/* volatile: no code here writes it, so a compiler could assume that it stays zero. */
static volatile struct {
  unsigned char magic[FUSE_FORMAT];
  unsigned char numbers[FUSE_VERSION - FUSE_FORMAT];
  char version[FUSE_SIZE - FUSE_VERSION];
} fuse = {{0xF5, 'l', 'u', 'a', ' ', 'f', 'u', 's', 'e', '\r', '\n', 0x1A, 0x9C, 0x3E, 0x71, 0xB8},
          {0},
          F5LUA_VERSION};

_Static_assert(sizeof fuse == FUSE_SIZE, "the fuse is bytes, without padding");
_Static_assert(sizeof F5LUA_VERSION <= FUSE_SIZE - FUSE_VERSION, "the version fits its field");

bool fuse_read(unsigned char copy[FUSE_SIZE]) {
  const volatile unsigned char *bytes = (const volatile unsigned char *)&fuse;
  unsigned char set = 0;
  for (size_t i = 0; i < FUSE_SIZE; i++) {
    copy[i] = bytes[i];
    if (i >= FUSE_FORMAT && i < FUSE_VERSION) set |= copy[i];
  }
  return set != 0;
}
