/* What is left of a text that found no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"

#define TOO_MUCH (SIZE_MAX / 2 + 1)

static void grows(void **state) {
  (void)state;
  text t = {0};
  assert_string_equal(text_string(&t), "");
  for (int i = 0; i < 1000; i++)
    text_printf(&t, "%d,", i);
  text_char(&t, 'x');
  assert_int_equal(t.length, strlen(text_string(&t)));
  assert_int_equal(t.length, 10 * 2 + 90 * 3 + 900 * 4 + 1);
  text_cut(&t, 4);
  assert_string_equal(text_string(&t), "0,1,");
  text_free(&t);
}

static void ends_with_a_nul_when_it_has_only_memory(void **state) {
  (void)state;
  text t = {0};
  text_reserve(&t, 0);
  assert_string_equal(text_string(&t), "");
  text_free(&t);
}

/* Whoever writes text_string(&t) and t.length bytes of it must not read behind it. */
static void is_empty_after_a_failure(void **state) {
  (void)state;
  text t = {0}, other = {0};
  text_put(&t, "half of it");
  text_add(&t, NULL, TOO_MUCH);
  assert_true(t.failed);
  assert_int_equal(t.length, 0);
  assert_string_equal(text_string(&t), "");
  text_put(&t, "more");
  assert_int_equal(t.length, 0);
  text_put(&other, "all of it");
  text_join(&other, &t);
  assert_true(other.failed);
  assert_int_equal(other.length, 0);
  text_clear(&t);
  text_put(&t, "again");
  text_clear(&other);
  text_join(&other, &t);
  assert_string_equal(text_string(&other), "again");
  text_free(&t);
  text_free(&other);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(grows),
                                     cmocka_unit_test(ends_with_a_nul_when_it_has_only_memory),
                                     cmocka_unit_test(is_empty_after_a_failure)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
