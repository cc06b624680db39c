/* What a terminal must not obey. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/printable.h"

static void check(printable_style style, const char *from, const char *expected) {
  text t = {0};
  printable_put(&t, from, strlen(from), style);
  assert_string_equal(text_string(&t), expected);
  text_free(&t);
}

static void escapes_controls(void **state) {
  (void)state;
  check(PRINTABLE_TEXT, "a\33[2J\177\302\233\xc2\x85 \xc3\xa9\tb\r\n",
        "a\\x1b[2J\\x7f\\x9b\\x85 \xc3\xa9\tb\\x0d\n");
  check(PRINTABLE_TEXT, "\xe2\x80\xae\xe2\x81\xa6\xd8\x9c\xe2\x80\xa8\xe2\x80\xa6",
        "\\u{202e}\\u{2066}\\u{61c}\\u{2028}\xe2\x80\xa6");
  check(PRINTABLE_TEXT, "\x9b\xff\xe2\x80", "\\x9b\\xff\\xe2\\x80");
}

static void escapes_by_style(void **state) {
  (void)state;
  check(PRINTABLE_LINE, "a\nb\tc\r\33[1m", "a\\nb\\tc\\r\\x1b[1m");
  check(PRINTABLE_INDENT, "a\nb", "a\n  | b");
  check(PRINTABLE_PAINTED, "\33[1;31ma\33[0m\33[2J\33[1", "\33[1;31ma\33[0m\\x1b[2J\\x1b[1");
  check(PRINTABLE_JSON, "{\n\"\302\233\xe2\x80\xae\177\xff\"}",
        "{\n\"\\u009b\\u202e\\u007f\xff\"}");
}

static void keeps_nul(void **state) {
  (void)state;
  text t = {0};
  printable_put(&t, "a\0b", 3, PRINTABLE_TEXT);
  assert_string_equal(text_string(&t), "a\\x00b");
  text_free(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(escapes_controls),
      cmocka_unit_test(escapes_by_style),
      cmocka_unit_test(keeps_nul),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
