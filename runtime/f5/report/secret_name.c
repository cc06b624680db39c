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
    if (((name[at] ^ 'p') & ~32) != 0) continue;
    if (strncasecmp(name + at, words[i].bytes, words[i].length) != 0) continue;
    if (at == 0 || name[at - 1] == '_' || name[at - 1] == '-') return true;
  }
  return false;
}

#define LONGEST_LIST 8

/* The words that begin, or end, with a letter: `letter & 31` is the index. */
typedef struct word_list {
  word words[LONGEST_LIST]; /* the first one without bytes ends the list */
} word_list;

#define LIST(letter) [letter & 31]

static const word_list parts[32] = {
    LIST('a') = {{WORD("authkey"), WORD("apikey"), WORD("api-key"), WORD("api_key"),
                  WORD("accesskey")}},
    LIST('b') = {{WORD("bindpw")}},
    LIST('c') = {{WORD("credential"), WORD("ciphertext"), WORD("communityname")}},
    LIST('h') = {{WORD("hmackey")}},
    LIST('m') = {{WORD("md5key"), WORD("masterkey")}},
    LIST('p') = {{WORD("password"), WORD("passphrase"), WORD("passwd"), WORD("privatekey"),
                  WORD("presharedkey"), WORD("private_key"), WORD("private-key")}},
    LIST('s') = {{WORD("secret")}},
};

static const word_list ends[32] = {
    LIST('d') = {{WORD("pwd")}},
    LIST('e') = {{WORD("passcode")}},
    LIST('k') = {{WORD("psk")}},
    LIST('n') = {{WORD("token"), WORD("authorization")}},
    LIST('s') = {{WORD("adminpass"), WORD("userpass"), WORD("authpass"), WORD("bindpass"),
                  WORD("loginpass"), WORD("rootpass"), WORD("proxypass")}},
    LIST('y') = {{WORD("community"), WORD("pre-shared-key"), WORD("pre_shared_key")}},
};

bool secret_name(const char *name, size_t length) {
  if (length == 0) return false;
  for (size_t at = 0; at + 6 <= length; at++) /* the shortest part has 6 letters */
    for (const word *one = parts[name[at] & 31].words; one->bytes; one++)
      if (at + one->length <= length && same_letters(name + at, one)) return true;
  if (is_pass(name, length)) return true;
  for (const word *one = ends[name[length - 1] & 31].words; one->bytes; one++)
    if (length >= one->length && same_letters(name + length - one->length, one)) return true;
  return false;
}
