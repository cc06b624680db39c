/* What a terminal sends, cut into whole keys, however it comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/keys.h"
#include "host/widetext.h"

typedef struct line {
  keys keys;
  int ends[2];
} line;

static int setup(void **state) {
  line *l = calloc(1, sizeof *l);
  *state = l;
  return pipe(l->ends) == 0 && keys_open(&l->keys, l->ends[0]) ? 0 : -1;
}

static int teardown(void **state) {
  line *l = *state;
  keys_close(&l->keys);
  close(l->ends[0]);
  if (l->ends[1] >= 0) close(l->ends[1]);
  free(l);
  return 0;
}

static void send(line *l, const char *bytes, size_t length) {
  assert_int_equal(write(l->ends[1], bytes, length), length);
  keys_fill(&l->keys);
}

static void cuts_whole_keys(void **state) {
  line *l = *state;
  static const char *const whole[] = {
      "a",
      "\r",
      "\t",
      "\x7f",
      "é",
      "€",
      "😀",
      "\033x",
      "\033é",
      "\033[A",
      "\033[1;5C",
      "\033\033[A",
      "\033OP",
      "\033[3~",
      "\x18\x05",
      "\xff",
      "\033[200~a\033[201~",
      "\033[200~\033[A\033[201~",
  };
  for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
    size_t length = strlen(whole[i]);
    for (size_t there = 1; there < length; there++) { /* byte by byte */
      send(l, whole[i] + there - 1, 1);
      assert_int_equal(keys_length(&l->keys), 0);
    }
    send(l, whole[i] + length - 1, 1);
    assert_int_equal(keys_length(&l->keys), length);
    send(l, "zz", 2); /* what follows is not part of it */
    assert_int_equal(keys_length(&l->keys), length);
    keys_drop(&l->keys, length + 2);
    assert_int_equal(keys_length(&l->keys), 0);
  }
}

static void gives_what_was_granted(void **state) {
  line *l = *state;
  wchar_t c;
  send(l,
       "a\xc3\xa9\xff"
       "b",
       5);
  assert_false(keys_granted(&l->keys));
  assert_false(keys_take(&l->keys, &c));
  keys_grant(&l->keys, 4);
  assert_true(keys_take(&l->keys, &c) && c == L'a');
  send(l, "c", 1); /* moves what is there */
  assert_true(keys_take(&l->keys, &c) && c == 0xE9);
  assert_true(keys_granted(&l->keys));
  assert_true(keys_take(&l->keys, &c) && c == 0xFFFD);
  assert_false(keys_granted(&l->keys));
  assert_false(keys_take(&l->keys, &c));
  keys_grant(&l->keys, keys_length(&l->keys));
  assert_true(keys_take(&l->keys, &c) && c == L'b');
}

static void knows_pastes(void **state) {
  line *l = *state;
  size_t count;
  send(l, "\033[200~two\nlines\r\n\033[201~", 23);
  size_t length = keys_length(&l->keys);
  const char *text = keys_paste(&l->keys, length, &count);
  assert_non_null(text);
  assert_int_equal(count, 9);
  assert_memory_equal(text, "two\nlines", 9);
  keys_drop(&l->keys, length);
  send(l, "\033[200~\n\033[201~", 13);
  assert_non_null(keys_paste(&l->keys, keys_length(&l->keys), &count));
  assert_int_equal(count, 0);
  keys_drop(&l->keys, 13);
  send(l, "\033[20", 4);
  assert_null(keys_paste(&l->keys, 0, &count));
  keys_drop(&l->keys, 4);
  /* without marks */
  send(l, "typed", 5);
  assert_false(keys_follow(&l->keys));
  send(l, "\r", 1);
  assert_true(keys_follow(&l->keys));
  keys_drop(&l->keys, 6);
  char many[40];
  memset(many, 'x', sizeof many);
  send(l, many, sizeof many);
  assert_true(keys_follow(&l->keys));
}

static void notices_the_end(void **state) {
  line *l = *state;
  send(l, "a", 1);
  close(l->ends[1]);
  l->ends[1] = -1;
  assert_false(l->keys.gone);
  keys_fill(&l->keys);
  assert_true(l->keys.gone);
  assert_int_equal(keys_length(&l->keys), 1);
}

/* A program that writes into the terminal without an end. */
static void takes_a_piece_of_an_endless_input(void **state) {
  (void)state;
  keys k;
  int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  assert_true(fd >= 0 && keys_open(&k, fd));
  for (int i = 0; i < 3; i++) {
    keys_fill(&k);
    assert_in_range(k.to - k.from, 1, 200000);
    keys_drop(&k, k.to - k.from);
  }
  keys_close(&k);
  close(fd);
}

static wchar_t decoded(const char *bytes, size_t length, size_t *taken) {
  char *copy = malloc(length); /* of the exact size, so that the sanitizer sees a byte too far */
  memcpy(copy, bytes, length);
  wchar_t c = wide_decode(copy, length, taken);
  free(copy);
  return c;
}

static void reads_nothing_but_utf8(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    wchar_t character;
  } well[] = {{"a", L'a'},
              {"\xc2\x80", 0x80},
              {"\xdf\xbf", 0x7FF},
              {"\xe0\xa0\x80", 0x800},
              {"\xef\xbf\xbf", 0xFFFF},
              {"\xf0\x90\x80\x80", 0x10000},
              {"\xf4\x8f\xbf\xbf", 0x10FFFF}};
  static const char *const ill[] = {"\x80",
                                    "\xc0\x80",
                                    "\xc1\xbf",
                                    "\xc3",
                                    "\xe0\x80\x80",
                                    "\xed\xa0\x80",
                                    "\xe2\x82",
                                    "\xf0\x80\x80\x80",
                                    "\xf4\x90\x80\x80",
                                    "\xf8\x88\x80\x80"};
  size_t taken;
  for (size_t i = 0; i < sizeof well / sizeof *well; i++) {
    assert_int_equal(decoded(well[i].bytes, strlen(well[i].bytes), &taken), well[i].character);
    assert_int_equal(taken, strlen(well[i].bytes));
  }
  for (size_t i = 0; i < sizeof ill / sizeof *ill; i++) {
    assert_int_equal(decoded(ill[i], strlen(ill[i]), &taken), 0xFFFD);
    assert_int_equal(taken, 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(cuts_whole_keys, setup, teardown),
      cmocka_unit_test_setup_teardown(gives_what_was_granted, setup, teardown),
      cmocka_unit_test_setup_teardown(knows_pastes, setup, teardown),
      cmocka_unit_test_setup_teardown(notices_the_end, setup, teardown),
      cmocka_unit_test(takes_a_piece_of_an_endless_input),
      cmocka_unit_test(reads_nothing_but_utf8),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
