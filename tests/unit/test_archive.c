/* The index of a packed program's archive: what is sound is found, and what is not is refused,
 * whatever its numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "host/archive.h"

enum { HEADER = 32, ENTRY = 64, COUNT_AT = 12, NAMES_AT = 16, NAMES_LENGTH_AT = 24 };
enum { KIND_AT = 0, NAME_LENGTH_AT = 4, NAME_AT = 8, CONTENTS_AT = 16, LENGTH_AT = 24 };

typedef struct part {
  uint32_t kind;
  const char *name;
  size_t name_length;
  const char *contents;
} part;

typedef struct bytes {
  unsigned char *data;
  size_t size;
} bytes;

static void put(unsigned char *at, uint64_t number, int size) {
  for (int i = 0; i < size; i++)
    at[i] = (unsigned char)(number >> 8 * i);
}

static bytes make(const part *parts, size_t count) {
  size_t names = HEADER + count * ENTRY, contents = names, size = names;
  for (size_t i = 0; i < count; i++) {
    contents += parts[i].name_length;
    size += parts[i].name_length + strlen(parts[i].contents);
  }
  bytes made = {calloc(1, size), size};
  memcpy(made.data, "F5LUAPAK\1", 9);
  put(made.data + COUNT_AT, count, 4);
  put(made.data + NAMES_AT, names, 8);
  put(made.data + NAMES_LENGTH_AT, contents - names, 8);
  for (size_t i = 0, name = 0; i < count; i++) {
    unsigned char *entry = made.data + HEADER + i * ENTRY;
    size_t length = strlen(parts[i].contents);
    put(entry + KIND_AT, parts[i].kind, 4);
    put(entry + NAME_LENGTH_AT, parts[i].name_length, 4);
    put(entry + NAME_AT, name, 8);
    put(entry + CONTENTS_AT, contents, 8);
    put(entry + LENGTH_AT, length, 8);
    if (parts[i].name_length) memcpy(made.data + names + name, parts[i].name, parts[i].name_length);
    memcpy(made.data + contents, parts[i].contents, length);
    name += parts[i].name_length;
    contents += length;
  }
  return made;
}

/* Of a copy of the exact size, so that the sanitizer sees a byte too far. */
static bool opens(const unsigned char *data, size_t size) {
  unsigned char *copy = malloc(size ? size : 1);
  memcpy(copy, data, size);
  archive a;
  bool sound = archive_open(&a, copy, size);
  free(copy);
  return sound;
}

#define PART(kind, name, contents)                                                                 \
  { kind, name, sizeof name - 1, contents }

static const part usual[] = {PART(ARCHIVE_FACTS, "", "f5lua=1\n"),
                             PART(ARCHIVE_MAIN, "main.lua", "print(1)"),
                             PART(ARCHIVE_MODULE, "a", "return 1"),
                             PART(ARCHIVE_MODULE, "ab", "return 2"), PART(ARCHIVE_ASSET, "a", "")};
enum { USUAL = sizeof usual / sizeof *usual };

static void finds_what_is_in_it(void **state) {
  (void)state;
  bytes made = make(usual, USUAL);
  archive a;
  archive_entry found;
  assert_true(archive_open(&a, made.data, made.size));
  for (size_t i = 0; i < USUAL; i++) {
    assert_true(
        archive_find(&a, (archive_kind)usual[i].kind, usual[i].name, usual[i].name_length, &found));
    assert_int_equal(found.length, strlen(usual[i].contents));
    assert_memory_equal(found.contents, usual[i].contents, found.length);
    assert_int_equal(found.name_length, usual[i].name_length);
  }
  assert_true(archive_only(&a, ARCHIVE_MAIN, &found));
  assert_memory_equal(found.name, "main.lua", found.name_length);
  assert_false(archive_find(&a, ARCHIVE_MODULE, "a\0b", 3, &found)); /* not "a" */
  assert_false(archive_find(&a, ARCHIVE_MODULE, "abc", 3, &found));
  assert_false(archive_find(&a, ARCHIVE_MODULE, "", 0, &found));
  assert_false(archive_find(&a, ARCHIVE_ASSET, "main.lua", 8, &found));
  free(made.data);
}

static void may_be_empty(void **state) {
  (void)state;
  bytes made = make(usual, 0);
  archive a;
  archive_entry found;
  assert_true(archive_open(&a, made.data, made.size));
  assert_false(archive_only(&a, ARCHIVE_MAIN, &found));
  assert_false(archive_find(&a, ARCHIVE_ASSET, "a", 1, &found));
  free(made.data);
}

static void is_refused_when_cut_off(void **state) {
  (void)state;
  bytes made = make(usual, USUAL);
  for (size_t size = 0; size < made.size; size++)
    assert_false(opens(made.data, size));
  assert_true(opens(made.data, made.size));
  free(made.data);
}

static void is_refused_when_a_number_points_outside(void **state) {
  (void)state;
  bytes made = make(usual, USUAL);
  const uint64_t numbers[] = {
      UINT64_MAX, UINT64_MAX - 7, (uint64_t)INT64_MAX, (uint64_t)INT64_MAX + 1,
      UINT32_MAX, made.size + 1,  UINT64_MAX - HEADER};
  const size_t second = HEADER + ENTRY; /* one with a name and contents */
  const size_t places[] = {NAMES_AT, NAMES_LENGTH_AT, second + NAME_AT, second + CONTENTS_AT,
                           second + LENGTH_AT};
  unsigned char kept[8];
  for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
    for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
      memcpy(kept, made.data + places[p], 8);
      put(made.data + places[p], numbers[n], 8);
      assert_false(opens(made.data, made.size));
      memcpy(made.data + places[p], kept, 8);
    }
  }
  put(made.data + second + NAME_LENGTH_AT, UINT32_MAX, 4);
  assert_false(opens(made.data, made.size));
  put(made.data + second + NAME_LENGTH_AT, usual[1].name_length, 4);
  assert_true(opens(made.data, made.size));
  put(made.data + COUNT_AT, UINT32_MAX, 4); /* times 64 no longer fits 32 bits */
  assert_false(opens(made.data, made.size));
  put(made.data + COUNT_AT, 0x4000001, 4); /* times 64 is 64 in 32 bits */
  assert_false(opens(made.data, made.size));
  free(made.data);
}

static void is_refused_when_it_can_be_read_in_two_ways(void **state) {
  (void)state;
  const part cases[][2] = {
      {PART(ARCHIVE_MODULE, "b", ""), PART(ARCHIVE_MODULE, "a", "")},
      {PART(ARCHIVE_MODULE, "ab", ""), PART(ARCHIVE_MODULE, "a", "")},
      {PART(ARCHIVE_MODULE, "a", "1"), PART(ARCHIVE_MODULE, "a", "2")},
      {PART(ARCHIVE_ASSET, "a", ""), PART(ARCHIVE_MODULE, "b", "")},
      {PART(ARCHIVE_MAIN, "a", ""), PART(ARCHIVE_MAIN, "b", "")},
      {PART(ARCHIVE_FACTS, "", ""), PART(ARCHIVE_FACTS, "x", "")},
      {PART(ARCHIVE_MODULE, "a", ""), PART(ARCHIVE_MODULE, "a\0b", "")},
      {PART(ARCHIVE_ASSET, "a", ""), PART(ARCHIVE_KINDS, "b", "")},
      {PART(ARCHIVE_ASSET, "a", ""), PART(UINT32_MAX, "b", "")},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bytes made = make(cases[i], 2);
    assert_false(opens(made.data, made.size));
    free(made.data);
  }
  /* bytes, not characters: above ASCII comes behind it */
  const part high[] = {PART(ARCHIVE_ASSET, "z", ""), PART(ARCHIVE_ASSET, "\xff", "")};
  bytes made = make(high, 2);
  assert_true(opens(made.data, made.size));
  free(made.data);
}

static void is_refused_when_it_is_another_format(void **state) {
  (void)state;
  bytes made = make(usual, USUAL);
  for (size_t at = 0; at < COUNT_AT; at++) {
    made.data[at] ^= 1;
    assert_false(opens(made.data, made.size));
    made.data[at] ^= 1;
  }
  free(made.data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_what_is_in_it),
      cmocka_unit_test(may_be_empty),
      cmocka_unit_test(is_refused_when_cut_off),
      cmocka_unit_test(is_refused_when_a_number_points_outside),
      cmocka_unit_test(is_refused_when_it_can_be_read_in_two_ways),
      cmocka_unit_test(is_refused_when_it_is_another_format),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
