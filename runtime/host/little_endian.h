/* Numbers and ranges in bytes of a file that is not trusted. */
#ifndef HOST_LITTLE_ENDIAN_H
#define HOST_LITTLE_ENDIAN_H

#include <stdbool.h>
#include <stdint.h>

static inline uint32_t get32(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t get64(const unsigned char *p) {
  return get32(p) | (uint64_t)get32(p + 4) << 32;
}

/* Whether `length` bytes from `offset` are within `size` bytes. Sums cannot overflow. */
static inline bool inside(uint64_t offset, uint64_t length, uint64_t size) {
  return offset <= size && length <= size - offset;
}

#endif
