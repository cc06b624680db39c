/* memcpy, memmove and memcmp for the static program. musl's are small, but slow: memcmp works byte
 * by byte, and memcpy on x86-64 is `rep movsq`, which takes dozens of cycles before it moves the
 * first byte. Lua constantly copies and compares short strings. With these functions a large
 * collection is decoded a tenth faster.
 *
 * Fixed sizes are single loads and stores. A length between two fixed sizes takes two that
 * overlap. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct block {
  unsigned char bytes[16];
} block;

#define LOAD(type, from)                                                                           \
  __extension__({                                                                                  \
    type v_;                                                                                       \
    __builtin_memcpy(&v_, (from), sizeof v_);                                                      \
    v_;                                                                                            \
  })
#define STORE(to, value) __builtin_memcpy((to), &(value), sizeof(value))

/* Both ends are read before either is written, so source and destination may overlap. */
#define MOVE_ENDS(type, to, from, n)                                                               \
  do {                                                                                             \
    type head_ = LOAD(type, from), tail_ = LOAD(type, (from) + (n) - sizeof(type));                \
    STORE(to, head_);                                                                              \
    STORE((to) + (n) - sizeof(type), tail_);                                                       \
  } while (0)

enum { SHORT = 32, LONG = 1024 };

static inline void move_short(unsigned char *to, const unsigned char *from, size_t n) {
  if (n >= 16)
    MOVE_ENDS(block, to, from, n);
  else if (n >= 8)
    MOVE_ENDS(uint64_t, to, from, n);
  else if (n >= 4)
    MOVE_ENDS(uint32_t, to, from, n);
  else if (n >= 2)
    MOVE_ENDS(uint16_t, to, from, n);
  else if (n)
    *to = *from;
}

static inline void copy_long(unsigned char *to, const unsigned char *from, size_t n) {
#ifdef __x86_64__
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
#else
  for (; n >= 16; to += 16, from += 16, n -= 16) {
    block b = LOAD(block, from);
    STORE(to, b);
  }
  move_short(to, from, n);
#endif
}

void *memcpy(void *restrict destination, const void *restrict source, size_t n) {
  unsigned char *to = destination;
  const unsigned char *from = source;
  if (n <= SHORT) {
    move_short(to, from, n);
  } else if (n > LONG) {
    copy_long(to, from, n);
  } else {
    block tail = LOAD(block, from + n - 16);
    unsigned char *end = to + n - 16;
    for (; to < end; to += 16, from += 16) {
      block b = LOAD(block, from);
      STORE(to, b);
    }
    STORE(end, tail);
  }
  return destination;
}

void *memmove(void *destination, const void *source, size_t n) {
  unsigned char *to = destination;
  const unsigned char *from = source;
  if (n <= SHORT) {
    move_short(to, from, n);
  } else if ((uintptr_t)to - (uintptr_t)from >= n) { /* or the destination is before the source */
    if (to < from && (size_t)(from - to) < n) {
      block tail = LOAD(block, from + n - 16);
      unsigned char *end = to + n - 16;
      for (; to < end; to += 16, from += 16) {
        block b = LOAD(block, from);
        STORE(to, b);
      }
      STORE(end, tail);
    } else {
      memcpy(to, from, n);
    }
  } else {
    block head = LOAD(block, from);
    size_t left = n;
    for (; left > 16; left -= 16) {
      block b = LOAD(block, from + left - 16);
      STORE(to + left - 16, b);
    }
    STORE(to, head);
  }
  return destination;
}

static inline int difference(const unsigned char *a, const unsigned char *b, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (a[i] != b[i]) return a[i] - b[i];
  return 0;
}

int memcmp(const void *one, const void *other, size_t n) {
  const unsigned char *a = one, *b = other;
  for (; n >= 8; a += 8, b += 8, n -= 8)
    if (LOAD(uint64_t, a) != LOAD(uint64_t, b)) return difference(a, b, 8);
  if (n >= 4) {
    if (LOAD(uint32_t, a) != LOAD(uint32_t, b)) return difference(a, b, 4);
    a += 4, b += 4, n -= 4;
  }
  return difference(a, b, n);
}
