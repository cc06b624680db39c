/* memcpy, memmove and memcmp of runtime/portable/memory.c beside plain loops: every length and
 * overlap up to a few blocks, and random ones beyond. Linked with that file, whose functions then
 * are this program's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 8192, MARGIN = 64 };

static unsigned char area[SIZE], expected[SIZE];

static void fill(void) {
  for (size_t i = 0; i < SIZE; i++)
    area[i] = expected[i] = (unsigned char)rand();
}

static void check_move(size_t to, size_t from, size_t n) {
  unsigned char copy[SIZE];
  fill();
  for (size_t i = 0; i < n; i++)
    copy[i] = area[from + i];
  for (size_t i = 0; i < n; i++)
    expected[to + i] = copy[i];
  int apart = to + n <= from || from + n <= to;
  void *result =
      apart && rand() % 2 ? memcpy(area + to, area + from, n) : memmove(area + to, area + from, n);
  for (size_t i = 0; i < SIZE; i++)
    if (area[i] != expected[i] || result != area + to) {
      printf("moving %zu bytes from %zu to %zu is wrong at %zu\n", n, from, to, i);
      exit(1);
    }
}

static void check_compare(size_t n, size_t at, int delta) {
  for (size_t i = 0; i < n; i++)
    area[i] = area[SIZE / 2 + i + 1] = (unsigned char)rand();
  if (at < n) area[at] = (unsigned char)(area[at] + delta);
  int want =
      at < n ? (area[at] > area[SIZE / 2 + at + 1]) - (area[at] < area[SIZE / 2 + at + 1]) : 0;
  int got = memcmp(area, area + SIZE / 2 + 1, n);
  if ((got > 0) - (got < 0) != want) {
    printf("comparing %zu bytes that differ at %zu: %d\n", n, at, got);
    exit(1);
  }
}

int main(void) {
  for (size_t n = 0; n <= 100; n++)
    for (size_t from = MARGIN; from < MARGIN + 3; from++)
      for (size_t to = 0; to <= 3 * MARGIN; to += 1 + (size_t)rand() % 3)
        check_move(to, from, n);
  for (int i = 0; i < 3000; i++) {
    size_t n = (size_t)rand() % 3000;
    check_move((size_t)rand() % (SIZE - n), (size_t)rand() % (SIZE - n), n);
  }
  for (size_t n = 0; n <= 70; n++)
    for (size_t at = 0; at <= n; at++)
      for (int delta = -100; delta <= 100; delta += 40)
        check_compare(n, at, delta);
  puts("all right");
  return 0;
}
