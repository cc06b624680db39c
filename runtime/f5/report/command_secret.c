#include "f5/report/command_secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define NEAR 4096 /* bytes: how far a word may be from the one that explains it */

/* What an option with one letter holds depends on the program before it. */
typedef struct option {
  const char *program, *name;
} option;

static const option options[] = {
    {"sshpass", "-p"}, {"snmp", "-c"},  {"snmp", "-A"},      {"snmp", "-X"},  {"ldap", "-w"},
    {"openssl", "-k"}, {"mysql", "-p"}, {"redis-cli", "-a"}, {"f5mku", "-r"},
};

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

/* What may stand before and behind a word. A backslash belongs to an escaped quote. */
static bool is_border(char c) {
  return is_blank(c) || strchr("'\"\\;|&(){}<>,", c);
}

static bool begins(const char *s, size_t at, size_t to, const char *words) {
  if (at >= to || ((s[at] ^ *words) & ~32) != 0) return false; /* most often */
  size_t length = strlen(words);
  return to - at >= length && strncasecmp(s + at, words, length) == 0;
}

static bool contains(const char *s, size_t from, size_t to, const char *words) {
  for (size_t at = from; at < to; at++)
    if (begins(s, at, to, words)) return true;
  return false;
}

/* Finds the value at `at`: up to the quote that it opens with, up to the brace of Tcl that closes
 * it, or up to the end of the word. */
static bool find_value(const char *s, size_t to, size_t at, size_t *start, size_t *end) {
  while (at < to && (is_blank(s[at]) || s[at] == '\\' || s[at] == '\''))
    at++; /* '\'' is a quote inside of quotes */
  char quote = at < to && s[at] == '"' ? '"' : at && s[at - 1] == '\'' ? '\'' : 0;
  if (!quote && at < to && s[at] == '{') quote = '}';
  if (quote == '"' || quote == '}') at++;
  size_t stop = at;
  while (stop < to && (quote ? s[stop] != quote : !is_border(s[stop])))
    stop++;
  while (quote && stop > at && s[stop - 1] == '\\')
    stop--;
  *start = at;
  *end = stop;
  return stop > at;
}

/* "password", "--auth-password", "encrypted_password", "X-F5-Auth-Token": the name of a secret. A
 * word such as "password-policy" is none. */
static bool is_name(const char *word, size_t length) {
  static const char *const ends[] = {
      "password",   "passwords",  "passphrase", "passwd",    "passcode",     "secret",
      "community",  "token",      "apikey",     "bindpw",    "pwd",          "privatekey",
      "credential", "ciphertext", "secretkey",  "accesskey", "authorization"};
  char name[64];
  size_t n = 0;
  for (size_t i = 0; i < length; i++) {
    if (word[i] == '-' || word[i] == '_') continue;
    if (n == sizeof name) return false;
    name[n++] = word[i];
  }
  if (n >= 13 && strncasecmp(name + n - 13, "communityname", 13) == 0) return true;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    size_t end = strlen(ends[i]);
    if (n >= end && strncasecmp(name + n - end, ends[i], end) == 0) return true;
  }
  return false;
}

/* Behind the quote that closes a name, if the name is in quotes: `"X-Api-Key" "x"`. */
static size_t behind_quote(const char *s, size_t from, size_t to, size_t at, size_t stop) {
  if (at == from || !strchr("'\"", s[at - 1])) return stop;
  size_t quote = stop;
  while (quote < to && s[quote] == '\\')
    quote++;
  return quote < to && s[quote] == s[at - 1] ? quote + 1 : stop;
}

/* A name, then a value: "password x", "PASSWORD=x", "--token 'x'", "Token: x". */
static bool named_value(const char *s, size_t from, size_t to, size_t at, size_t *start,
                        size_t *end) {
  size_t stop = at;
  while (stop < to && (isalnum((unsigned char)s[stop]) || s[stop] == '-' || s[stop] == '_'))
    stop++;
  if (stop == at || stop == to || !is_name(s + at, stop - at)) return false;
  const size_t behind = behind_quote(s, from, to, at, stop);
  if (behind == to) return false;
  size_t value = behind;
  if (s[value] == '=' || s[value] == ':') value++;
  if (value == behind && !is_blank(s[value])) return false;
  return find_value(s, to, value, start, end) && !begins(s, *start, *end, "none");
}

/* The value "user:password" at `at`: the password. */
static bool password_of_user(const char *s, size_t to, size_t at, size_t *start, size_t *end) {
  if (!find_value(s, to, at, start, end)) return false;
  const char *colon = memchr(s + *start, ':', *end - *start);
  if (!colon) return false;
  bool quoted = *start > at && strchr("'\"", s[*start - 1]);
  *start = (size_t)(colon + 1 - s);
  if (*start == *end && *end < to && !quoted && strchr("'\"\\", s[*end])) /* root:'a b' */
    return find_value(s, to, *end, start, end);
  return *start < *end && s[*start] != '/'; /* not "https://…" */
}

/* Several options with one letter, with "u" as the last: "-sku user:password", "-skuuser:password".
 */
static bool user_option_among(const char *s, size_t to, size_t at, size_t *start, size_t *end) {
  if (to - at < 3 || s[at] != '-') return false;
  for (at++; at < to && isalpha((unsigned char)s[at]); at++)
    if ((s[at] == 'u' || s[at] == 'U') && password_of_user(s, to, at + 1, start, end)) return true;
  return false;
}

/* "-u user:password", "--user=user:password", "-uuser:password". */
static bool user_option(const char *s, size_t to, size_t at, size_t *start, size_t *end) {
  static const char *const names[] = {"--user", "--proxy-user", "-u", "-U"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!begins(s, at, to, names[i])) continue;
    size_t value = at + strlen(names[i]);
    if (value < to && s[value] == '=') value++;
    return password_of_user(s, to, value, start, end);
  }
  return user_option_among(s, to, at, start, end);
}

/* "htpasswd -b file user password": all words behind the program. */
static bool htpasswd(const char *s, size_t to, size_t at, size_t *start, size_t *end) {
  static const char name[] = "htpasswd ";
  if (!begins(s, at, to, name)) return false;
  *start = *end = at + sizeof name - 1;
  while (*end < to && !strchr(";|&<>\n", s[*end]))
    ++*end;
  return *start < *end;
}

static bool program_option(const char *s, size_t from, size_t to, size_t at, size_t *start,
                           size_t *end) {
  if (at - from > NEAR) from = at - NEAR;
  for (size_t i = 0; i < sizeof options / sizeof *options; i++)
    if (begins(s, at, to, options[i].name) && contains(s, from, at, options[i].program))
      return find_value(s, to, at + strlen(options[i].name), start, end);
  return false;
}

/* The same for a word of the shell, which may consist of several quoted parts: "$'a b'\"c\"". */
static bool find_word(const char *s, size_t to, size_t at, size_t *start, size_t *end) {
  while (at < to && is_blank(s[at]))
    at++;
  if (to - at > 1 && s[at] == '$' && strchr("'\"\\", s[at + 1])) at++;
  if (!find_value(s, to, at, start, end)) return false;
  for (;;) {
    size_t next = *end, first, stop;
    while (next < to && strchr("'\"\\", s[next]))
      next++;
    if (next == to || is_border(s[next]) || next == *end) return true;
    bool opens = next - *end > 1 && s[next - 1] == '"'; /* the first one closes the last part */
    if (!find_value(s, to, opens ? next - 1 : next, &first, &stop)) return true;
    *end = stop;
  }
}

/* Whether the text names a program that reads passwords from its standard input. */
static bool reads_passwords(const char *s, size_t from, size_t to) {
  static const char *const readers[] = {
      "passwd",        "--stdin",     "prompt-for-password", "auth password", "password-stdin",
      "-passin stdin", "-pass stdin", "-passout stdin",      "sudo -S",       "kinit",
  };
  for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
    if (contains(s, from, to, readers[i])) return true;
  return false;
}

/* "echo x | passwd --stdin root", "echo root:x > file; chpasswd < file": what goes to a program
 * that reads passwords. */
static bool piped_value(const char *s, size_t from, size_t to, size_t at, size_t *start,
                        size_t *end) {
  static const char *const names[] = {"echo ", "printf "};
  if (to - at > NEAR) to = at + NEAR;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!begins(s, at, to, names[i])) continue;
    *start = *end = at + strlen(names[i]);
    bool inside = at - from > 1 && begins(s, at - 2, to, "<("); /* passwd < <(echo x) */
    while (*end < to && !strchr(inside ? ")" : "|>", s[*end]))
      ++*end;
    if (inside && at - from > NEAR) from = at - NEAR;
    return *start < *end && reads_passwords(s, inside ? from : *end, inside ? at : to);
  }
  return false;
}

/* "chpasswd <<< root:x", and a text up to its end word, "chpasswd <<EOF". The program may also
 * stand behind it: "cat <<EOF | chpasswd". */
static bool here_text(const char *s, size_t from, size_t to, size_t at, size_t *start,
                      size_t *end) {
  if (!begins(s, at, to, "<<")) return false;
  if (at - from > NEAR) from = at - NEAR;
  if (!reads_passwords(s, from, to - at > NEAR ? at + NEAR : to)) return false;
  if (begins(s, at, to, "<<<")) return find_word(s, to, at + 3, start, end);
  *start = at + 2;
  *end = to;
  return *start < *end;
}

bool address_secret(const char *s, size_t to, size_t at, size_t *start, size_t *end) {
  if (!begins(s, at, to, "://")) return false;
  size_t stop = at + 3, colon = 0;
  for (; stop < to && !is_border(s[stop]) && s[stop] != '/' && s[stop] != '@'; stop++)
    if (s[stop] == ':' && !colon) colon = stop;
  if (stop == to || s[stop] != '@' || !colon) return false;
  *start = colon + 1;
  *end = stop;
  /* f5lua's own hints name the place of the password */
  return *start < *end && !(stop - *start == 8 && memcmp(s + *start, "PASSWORD", 8) == 0);
}

/* "Authorization: Bearer x" of an option: the rest of the quoted text. */
static bool authorization(const char *s, size_t to, size_t at, size_t *start, size_t *end) {
  static const char name[] = "authorization:";
  if (!begins(s, at, to, name)) return false;
  for (*start = at + sizeof name - 1; *start < to && is_blank(s[*start]);)
    ++*start;
  for (*end = *start; *end < to && !strchr("'\"\\\n", s[*end]);)
    ++*end;
  return *end > *start;
}

bool private_key(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  static const char mark[] = "PRIVATE KEY-----", last[] = "-----END";
  if (!begins(s, at, length, "-----BEGIN ")) return false;
  size_t from = at + 11, near = length - from < 64 ? length : from + 64;
  while (from < near && !begins(s, from, near, mark))
    from++;
  if (from == near) return false;
  *start = from + sizeof mark - 1;
  for (*end = *start; *end < length && !begins(s, *end, length, last);)
    ++*end;
  return *end > *start;
}

/* Whether a word can begin at `at`, behind blanks, quotes, "=", "static::", or a line break that is
 * encoded in JSON. */
static bool begins_word(const char *s, size_t from, size_t at) {
  if (at == from || is_border(s[at - 1]) || s[at - 1] == '=') return true;
  if (at - from < 2) return false;
  if (s[at - 1] == ':') return s[at - 2] == ':';
  return s[at - 2] == '\\' && strchr("nrt", s[at - 1]);
}

bool command_secret(const char *s, size_t from, size_t to, size_t at, size_t *start, size_t *end) {
  if (authorization(s, to, at, start, end) || here_text(s, from, to, at, start, end)) return true;
  if (!begins_word(s, from, at)) return false;
  if (begins(s, at, to, "pass:")) { /* openssl -passin pass:x */
    return find_value(s, to, at + 5, start, end);
  }
  return htpasswd(s, to, at, start, end) || user_option(s, to, at, start, end) ||
         program_option(s, from, to, at, start, end) || piped_value(s, from, to, at, start, end) ||
         named_value(s, from, to, at, start, end);
}

bool encrypted_value(const char *s, size_t length, size_t at, size_t *end) {
  if (length - at < 6 || s[at] != '$' || !strchr("M1256", s[at + 1]) || s[at + 2] != '$')
    return false;
  size_t stop = at + 3;
  while (stop < length && (isalnum((unsigned char)s[stop]) || strchr("$+/=.\\", s[stop])))
    stop++;
  while (s[stop - 1] == '\\')
    stop--; /* of a quote behind it */
  *end = stop;
  return stop - at > 5;
}
