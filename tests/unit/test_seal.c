/* Sealed texts: what comes back, and what is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "f5/report/seal.h"

#define PHRASE "correct horse"
#define WORDS "s3cr\0et\n\xff"
#define LENGTH (sizeof WORDS - 1)

static seal_key key;

static const char *open_text(const char *phrase, const text *sealed, text *out) {
  return seal_open(&key, phrase, strlen(phrase), sealed->data, sealed->length, out);
}

static void sealed(text *out) {
  assert_null(seal_text(&key, PHRASE, strlen(PHRASE), WORDS, LENGTH, out));
}

static void round_trip(void **state) {
  (void)state;
  text first = {0}, second = {0}, opened = {0};
  sealed(&first);
  sealed(&second);
  assert_string_not_equal(first.data, second.data); /* another nonce */
  assert_null(strstr(first.data, "s3cr"));
  assert_memory_equal(first.data, "f5lua-sealed:1:15:8:3:", 22);
  for (size_t i = 0; i < first.length; i++)
    assert_true(first.data[i] > ' ' && first.data[i] < 0x7f && first.data[i] != '"');
  seal_wipe(&key); /* the key can be made again */
  assert_null(open_text(PHRASE, &first, &opened));
  assert_int_equal(opened.length, LENGTH);
  assert_memory_equal(opened.data, WORDS, LENGTH);
  text_free(&opened);
  assert_null(open_text(PHRASE, &second, &opened));
  assert_memory_equal(opened.data, WORDS, LENGTH);
  text_free(&first);
  text_free(&second);
  text_free(&opened);
}

static void nothing_and_much(void **state) {
  (void)state;
  text out = {0}, opened = {0}, much = {0};
  assert_null(seal_text(&key, PHRASE, strlen(PHRASE), "", 0, &out));
  assert_null(open_text(PHRASE, &out, &opened));
  assert_int_equal(opened.length, 0);
  assert_string_equal(text_string(&opened), "");
  text_free(&out);
  memset(text_room(&much, 300000), 'x', 300000);
  assert_null(seal_text(&key, PHRASE, strlen(PHRASE), much.data, much.length, &out));
  assert_null(open_text(PHRASE, &out, &opened));
  assert_int_equal(opened.length, 300000);
  assert_memory_equal(opened.data, much.data, 300000);
  text_free(&much);
  text_free(&out);
  text_free(&opened);
}

static void wrong_passphrases(void **state) {
  (void)state;
  text out = {0}, opened = {0};
  sealed(&out);
  assert_string_equal(open_text("correct horsf", &out, &opened),
                      "the passphrase is wrong, or the text was changed");
  assert_string_equal(open_text("", &out, &opened),
                      "the passphrase is wrong, or the text was changed");
  assert_int_equal(opened.length, 0);
  assert_null(open_text(PHRASE, &out, &opened));
  text empty = {0};
  assert_string_equal(seal_text(&key, "", 0, "x", 1, &empty), "the passphrase is empty");
  text_free(&out);
  text_free(&opened);
}

/* Each changed bit, each missing byte. The parameters decide how long the key takes: their digits
 * are tried elsewhere. */
static void changed_bytes(void **state) {
  (void)state;
  text out = {0}, opened = {0};
  sealed(&out);
  size_t tried = 0, salt = 22 + (SEAL_SALT + 2) / 3 * 4;
  for (size_t i = 0; i < out.length; i++) {
    if (i >= 15 && i < salt) continue; /* each would need a key of its own */
    for (int bit = 0; bit < 8; bit++) {
      out.data[i] = (char)(out.data[i] ^ 1 << bit);
      assert_non_null(open_text(PHRASE, &out, &opened));
      assert_int_equal(opened.length, 0);
      out.data[i] = (char)(out.data[i] ^ 1 << bit);
      tried++;
    }
  }
  assert_true(tried > 500);
  for (size_t length = salt; length < out.length; length++)
    assert_non_null(seal_open(&key, PHRASE, strlen(PHRASE), out.data, length, &opened));
  for (size_t length = 0; length < 40; length++)
    assert_non_null(seal_open(&key, PHRASE, strlen(PHRASE), out.data, length, &opened));
  static const size_t with_salt[] = {22, 23, 30, 42}; /* these need keys */
  for (size_t i = 0; i < sizeof with_salt / sizeof *with_salt; i++) {
    char was = out.data[with_salt[i]];
    out.data[with_salt[i]] = was == 'A' ? 'B' : 'A';
    assert_non_null(open_text(PHRASE, &out, &opened));
    out.data[with_salt[i]] = was;
  }
  assert_null(open_text(PHRASE, &out, &opened));
  text_free(&out);
  text_free(&opened);
}

static void strange_parameters(void **state) {
  (void)state;
  static const char *const heads[] = {
      "f5lua-sealed:1:14:8:3:",  "f5lua-sealed:1:15:7:3:",  "f5lua-sealed:1:15:8:2:",
      "f5lua-sealed:1:99:8:3:",  "f5lua-sealed:1:15:99:3:", "f5lua-sealed:1:15:8:99:",
      "f5lua-sealed:1:0:8:3:",   "f5lua-sealed:1:-5:8:3:",  "f5lua-sealed:1:015:8:3:",
      "f5lua-sealed:1: 15:8:3:", "f5lua-sealed:1:15:8:",    "",
  };
  text out = {0}, opened = {0};
  sealed(&out);
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
    text other = {0};
    text_put(&other, heads[i]);
    text_put(&other, out.data + 22);
    assert_non_null(open_text(PHRASE, &other, &opened));
    text_free(&other);
  }
  text newer = {0};
  text_put(&newer, "f5lua-sealed:2:");
  text_put(&newer, out.data + 15);
  assert_string_equal(open_text(PHRASE, &newer, &opened),
                      "it was sealed by another version of f5lua");
  text_free(&newer);
  text_free(&out);
  text_free(&opened);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(round_trip),         cmocka_unit_test(nothing_and_much),
      cmocka_unit_test(wrong_passphrases),  cmocka_unit_test(changed_bytes),
      cmocka_unit_test(strange_parameters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
