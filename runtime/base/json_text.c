#include "base/json_text.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A script may call os.setlocale. Then strtod expects a comma. */
static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void) {
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

double json_text_to_float(const char *text) {
  pthread_once(&c_locale_once, make_c_locale);
  return c_locale ? strtod_l(text, NULL, c_locale) : strtod(text, NULL);
}

/* snprintf writes the decimal point of the locale, which may have several bytes. Nothing else
 * depends on the locale. */
static size_t use_full_stop(char *text, size_t length) {
  size_t used = strspn(text, "-0123456789e+");
  if (used == length || text[used] == '.') return length;
  size_t foreign = strcspn(text + used, "0123456789e+");
  text[used] = '.';
  memmove(text + used + 1, text + used + foreign, length - used - foreign + 1);
  return length - foreign + 1;
}

size_t json_float_to_text(char out[JSON_FLOAT_SIZE], double number) {
  size_t length = 0;
  for (int digits = 14; digits <= 17; digits++) {
    length = use_full_stop(out, (size_t)snprintf(out, JSON_FLOAT_SIZE, "%.*g", digits, number));
    if (json_text_to_float(out) == number) break;
  }
  if (!strpbrk(out, ".e")) { /* it would read back as an integer */
    out[length++] = '.';
    out[length++] = '0';
  }
  return length;
}

static inline int is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

const char *json_skip_plain(const char *at, const char *end) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'),
                space = _mm_set1_epi8(0x20);
  for (; end - at >= 16; at += 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    /* The comparison is signed: bytes above 0x7f are less than the space, too. */
    __m128i special =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                     _mm_cmplt_epi8(bytes, space));
    unsigned mask = (unsigned)_mm_movemask_epi8(special);
    if (mask) return at + __builtin_ctz(mask);
  }
#else
  const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
  for (; end - at >= 8; at += 8) {
    uint64_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    uint64_t quote = bytes ^ (ones * '"'), backslash = bytes ^ (ones * '\\');
    /* A borrow can mark a wrong byte, but only behind a right one. The loop below decides. */
    if (((bytes - ones * 0x20) | (quote - ones) | (backslash - ones) | bytes) & tops) break;
  }
#endif
  while (at < end && is_plain((unsigned char)*at))
    at++;
  return at;
}

size_t json_utf8_length(const char *at, const char *end) {
  const unsigned char *s = (const unsigned char *)at;
  /* Limits of the second byte: no overlong forms, no surrogates, nothing above U+10FFFF. */
  unsigned char low = 0x80, high = 0xbf;
  size_t length;
  if (s[0] >= 0xc2 && s[0] <= 0xdf) {
    length = 2;
  } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
    length = 3;
    if (s[0] == 0xe0)
      low = 0xa0;
    else if (s[0] == 0xed)
      high = 0x9f;
  } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
    length = 4;
    if (s[0] == 0xf0)
      low = 0x90;
    else if (s[0] == 0xf4)
      high = 0x8f;
  } else {
    return 0;
  }
  if ((size_t)(end - at) < length || s[1] < low || s[1] > high) return 0;
  for (size_t i = 2; i < length; i++) {
    if (s[i] < 0x80 || s[i] > 0xbf) return 0;
  }
  return length;
}
