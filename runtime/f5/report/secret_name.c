#include <string.h>
#include <strings.h>

#include "f5/report/secret.h"

typedef struct word {
  const char *bytes;
  size_t length;
} word;

#define WORD(bytes)                                                                                \
  { bytes, sizeof bytes - 1 }

static bool same_letters(const char *s, const word *w) {
  return ((s[0] ^ w->bytes[0]) & ~32) == 0 && ((s[2] ^ w->bytes[2]) & ~32) == 0 &&
         strncasecmp(s, w->bytes, w->length) == 0;
}

/* "pass", "pw", "admin_pass", "admin-pw"; but not "bypass" and "allProtocolsPass". */
static bool is_pass(const char *name, size_t length) {
  static const word words[] = {WORD("pass"), WORD("pw")};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (length < words[i].length) continue;
    const size_t at = length - words[i].length;
    if (strncasecmp(name + at, words[i].bytes, words[i].length) != 0) continue;
    if (at == 0 || name[at - 1] == '_' || name[at - 1] == '-') return true;
  }
  return false;
}

bool secret_name(const char *name, size_t length) {
  static const word parts[] = {
      WORD("password"),    WORD("passphrase"),   WORD("passwd"),  WORD("secret"),
      WORD("bindpw"),      WORD("privatekey"),   WORD("authkey"), WORD("credential"),
      WORD("ciphertext"),  WORD("apikey"),       WORD("api-key"), WORD("communityname"),
      WORD("api_key"),     WORD("presharedkey"), WORD("md5key"),  WORD("private_key"),
      WORD("private-key"), WORD("masterkey"),    WORD("hmackey"), WORD("accesskey")};
  static const word ends[] = {WORD("token"),
                              WORD("pwd"),
                              WORD("community"),
                              WORD("authorization"),
                              WORD("psk"),
                              WORD("passcode"),
                              WORD("adminpass"),
                              WORD("userpass"),
                              WORD("authpass"),
                              WORD("bindpass"),
                              WORD("loginpass"),
                              WORD("rootpass"),
                              WORD("pre-shared-key"),
                              WORD("pre_shared_key"),
                              WORD("proxypass")};
  static const bool first[32] = {['p' & 31] = true, ['s' & 31] = true, ['b' & 31] = true,
                                 ['a' & 31] = true, ['c' & 31] = true, ['m' & 31] = true,
                                 ['h' & 31] = true};
  for (size_t at = 0; at + 6 <= length; at++) { /* the shortest part has 6 letters */
    if (!first[name[at] & 31]) continue;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
      if (at + parts[i].length <= length && same_letters(name + at, &parts[i])) return true;
  }
  if (is_pass(name, length)) return true;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (length >= ends[i].length && same_letters(name + length - ends[i].length, &ends[i]))
      return true;
  return false;
}
