#include "f5/report/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/list.h"
#include "base/scan.h"
#include "f5/report/command_secret.h"
#include "f5/rest/uri.h"

#define GRAIN 64 /* bytes; the unit of allocation */
#define CHUNK                                                                                      \
  (64 *                                                                                            \
   1024) /* bytes locked at a time; RLIMIT_MEMLOCK is 64 KiB on old systems, 8 MiB on new ones */
#define GRAINS (CHUNK / GRAIN)
#define MIN_MASKED 4        /* masking a shorter secret would make most text unreadable */
#define TOKEN_LENGTH 26     /* of tokens that devices make: capitals and digits */
#define MIN_TOKEN_LENGTH 16 /* at a token's address */
#define TOKEN_SHOWN 4
#define MAX_SPELLINGS 6

typedef struct chunk chunk;
struct chunk {
  chunk *next;
  unsigned char *memory;
  size_t size;
  unsigned char used[GRAINS]; /* in a chunk of CHUNK bytes; a larger chunk holds one secret */
};

struct secret {
  secret *next, **link; /* in the list of masked secrets; link is NULL for the others */
  chunk *home;
  unsigned char *memory;
  size_t size;      /* bytes at memory */
  size_t length;    /* of the secret, which comes first; its encoded spellings follow */
  const char *json; /* one of the spellings */
  unsigned spellings;
  struct {
    const char *bytes;
    size_t length;
  } spelling[MAX_SPELLINGS];
};

static chunk *chunks;
static secret *masked;

void secret_wipe(void *memory, size_t length) {
  explicit_bzero(memory, length);
}

/* A core file would hold the copies of libcurl and OpenSSL too. */
static void forbid_core_files(void) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

static chunk *new_chunk(size_t size) {
  chunk *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (c->memory == MAP_FAILED) {
    free(c);
    return NULL;
  }
  c->size = size;
  madvise(c->memory, size, MADV_DONTDUMP);
  (void)!mlock(c->memory,
               size); /* above the limit it may be swapped, which is better than failing */
  if (!chunks) forbid_core_files();
  c->next = chunks;
  chunks = c;
  return c;
}

static bool take(secret *s, size_t size) {
  size_t grains = (size + GRAIN - 1) / GRAIN;
  s->size = size;
  if (grains <= GRAINS) {
    for (chunk *c = chunks;; c = c->next) {
      if (!c && !(c = new_chunk(CHUNK))) return false;
      if (c->size != CHUNK) continue;
      for (size_t i = 0, run = 0; i < GRAINS; i++) {
        run = c->used[i] ? 0 : run + 1;
        if (run == grains) {
          memset(c->used + i + 1 - grains, 1, grains);
          s->home = c;
          s->memory = c->memory + (i + 1 - grains) * GRAIN;
          return true;
        }
      }
    }
  }
  s->home = new_chunk(size);
  s->memory = s->home ? s->home->memory : NULL;
  return s->home != NULL;
}

static void give_back(secret *s) {
  secret_wipe(s->memory, s->size);
  if (s->home->size == CHUNK) {
    memset(s->home->used + (size_t)(s->memory - s->home->memory) / GRAIN, 0,
           (s->size + GRAIN - 1) / GRAIN);
    return;
  }
  chunk **link = &chunks;
  while (*link != s->home)
    link = &(*link)->next;
  *link = s->home->next;
  munmap(s->home->memory, s->home->size);
  free(s->home);
}

/* Appends the bytes to the memory of the secret; returns their address. */
static const char *keep(secret *s, size_t *used, const char *bytes, size_t length) {
  char *place = (char *)s->memory + *used;
  memcpy(place, bytes, length);
  place[length] = '\0';
  *used += length + 1;
  return place;
}

static const char *keep_spelling(secret *s, size_t *used, const char *bytes, size_t length) {
  for (unsigned i = 0; i < s->spellings; i++)
    if (s->spelling[i].length == length && memcmp(s->spelling[i].bytes, bytes, length) == 0)
      return s->spelling[i].bytes;
  s->spelling[s->spellings].length = length;
  return s->spelling[s->spellings++].bytes = keep(s, used, bytes, length);
}

static void percent_encode(text *out, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
        (c && strchr("-_.~", c)))
      text_char(out, (char)c);
    else
      text_printf(out, "%%%02X", c);
  }
}

void secret_text_free(text *t) {
  if (t->data) secret_wipe(t->data, t->capacity);
  text_free(t);
}

text secret_text(size_t length) {
  text t = {.data = calloc(1, length + 1), .capacity = length + 1};
  t.failed = !t.data;
  return t;
}

secret *secret_new(const char *value, size_t length) {
  secret *s = calloc(1, sizeof *s);
  text json = secret_text(6 * length), twice = secret_text(12 * length),
       percent = secret_text(3 * length), in_path = secret_text(3 * length),
       in_query = secret_text(3 * length);
  text_json(&json, value, length);
  text_json(&twice, json.data, json.length);
  percent_encode(&percent, value, length);
  uri_encode(&in_path, value, length);
  uri_encode_query(&in_query, value, length);
  bool whole =
      s && !json.failed && !twice.failed && !percent.failed && !in_path.failed && !in_query.failed;
  if (whole && take(s, length + json.length + twice.length + percent.length + in_path.length +
                           in_query.length + MAX_SPELLINGS)) {
    size_t used = 0;
    s->length = length;
    keep_spelling(s, &used, value, length);
    s->json = keep_spelling(s, &used, json.data, json.length);
    keep_spelling(s, &used, twice.data, twice.length);
    keep_spelling(s, &used, percent.data, percent.length);
    keep_spelling(s, &used, in_path.data, in_path.length);
    keep_spelling(s, &used, in_query.data, in_query.length);
    if (length >= MIN_MASKED) {
      LIST_ADD(&masked, s);
    }
  } else {
    free(s);
    s = NULL;
  }
  secret_text_free(&json);
  secret_text_free(&twice);
  secret_text_free(&percent);
  secret_text_free(&in_path);
  secret_text_free(&in_query);
  return s;
}

secret *secret_quiet(const char *const *parts, size_t count) {
  secret *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  for (size_t i = 0; i < count; i++)
    s->length += strlen(parts[i]);
  if (!take(s, s->length + 1)) {
    free(s);
    return NULL;
  }
  char *at = (char *)s->memory;
  for (size_t i = 0; i < count; i++)
    at = stpcpy(at, parts[i]);
  *at = '\0';
  return s;
}

void secret_unmask(secret *s) {
  if (!s->link) return;
  LIST_REMOVE(s);
}

const char *secret_string(const secret *s) {
  return (const char *)s->memory;
}

size_t secret_length(const secret *s) {
  return s->length;
}

const char *secret_json(const secret *s) {
  return s->json;
}

void secret_free(secret *s) {
  if (!s) return;
  secret_unmask(s);
  give_back(s);
  free(s);
}

bool secret_name(const char *name, size_t length) {
  static const char *const parts[] = {"password",    "passphrase",   "passwd",  "secret",
                                      "bindpw",      "privatekey",   "authkey", "credential",
                                      "ciphertext",  "apikey",       "api-key", "communityname",
                                      "api_key",     "presharedkey", "md5key",  "private_key",
                                      "private-key", "masterkey",    "hmackey", "accesskey"};
  static const char *const ends[] = {"token", "pwd", "community", "authorization", "psk"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    size_t part = strlen(parts[i]);
    for (size_t at = 0; at + part <= length; at++)
      if (strncasecmp(name + at, parts[i], part) == 0) return true;
  }
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    size_t end = strlen(ends[i]);
    if (length >= end && strncasecmp(name + length - end, ends[i], end) == 0) return true;
  }
  return false;
}

/* In JSON text that is encoded n times, a quote follows 2^n - 1 backslashes. Backslashes that
 * belong to the string come before them, in multiples of 2^(n+1). */
static bool closes(size_t backslashes, size_t opening) {
  return backslashes % (2 * (opening + 1)) == opening;
}

/* For a quote that is preceded by `opening` backslashes: finds the end of the string that it opens
 * (the position of the first backslash before the closing quote) and the position after the closing
 * quote. */
static bool string_end(const char *s, size_t length, size_t at, size_t opening, size_t *end,
                       size_t *behind) {
  size_t backslashes = 0;
  for (; at < length; at++) {
    if (s[at] == '\\') {
      backslashes++;
    } else if (s[at] == '"' && closes(backslashes, opening)) {
      *end = at - opening;
      *behind = at + 1;
      return true;
    } else {
      backslashes = 0;
    }
  }
  return false;
}

/* Whether the name of a secret ends with the word for it: "password" does, but "passwordMinLength",
 * whose number is no secret, does not. */
static bool ends_with_secret(const char *name, size_t length) {
  if (length > 1 && (name[length - 1] | 32) == 's') length--; /* of several */
  return length > 0 && secret_name(name, length) && !secret_name(name, length - 1);
}

/* Finds a number, or the inside of a list that begins with a string. */
static bool plain_value(const char *s, size_t length, const char *name, size_t name_length,
                        size_t *start, size_t *end) {
  size_t stop = *start;
  if (s[stop] == '[') {
    size_t item = ++*start;
    while (item < length && strchr(" \t\r\n\\", s[item]))
      item++;
    if (item == length || s[item] != '"') return false;
    while (stop < length && s[stop] != ']')
      stop++;
  } else if (ends_with_secret(name, name_length)) {
    while (stop < length && s[stop] && strchr("+-.0123456789eE", s[stop]))
      stop++;
  }
  *end = stop;
  return stop > *start;
}

/* For a quote: returns whether it opens the name of a secret member whose value is a string, a
 * number or a list of strings, and where that value starts and ends. Also works inside a string, as
 * in the originalRequestBody that a failed login echoes. */
static bool secret_member(const char *s, size_t length, size_t quote, size_t *start, size_t *end) {
  size_t opening = 0, name_end, at;
  while (opening < quote && s[quote - 1 - opening] == '\\')
    opening++;
  if ((opening & (opening + 1)) != 0) /* not 2^n - 1, so it does not open a string */
    return false;
  if (!string_end(s, length, quote + 1, opening, &name_end, &at) || name_end - quote - 1 > 64 ||
      !secret_name(s + quote + 1, name_end - quote - 1))
    return false;
  while (at < length && strchr(" \t\r\n", s[at]))
    at++;
  if (at >= length || s[at] != ':') return false;
  at++;
  while (at < length && strchr(" \t\r\n", s[at]))
    at++;
  *start = at;
  if (at < length && plain_value(s, length, s + quote + 1, name_end - quote - 1, start, end))
    return true;
  for (size_t i = 0; i < opening; i++)
    if (at >= length || s[at++] != '\\') return false;
  if (at >= length || s[at] != '"') return false;
  *start = at + 1;
  size_t behind;
  if (!string_end(s, length, *start, opening, end, &behind))
    *end = length; /* truncated: the rest is the secret */
  return true;
}

/* For a quote: returns whether it opens the name of a member that holds a command line or what a
 * command printed, and where the value starts and ends. */
static bool command_member(const char *s, size_t length, size_t quote, size_t *start, size_t *end) {
  static const char *const names[] = {"utilCmdArgs\":", "commandResult\":"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t name = strlen(names[i]), at = quote + 1 + name, behind;
    if (length - quote <= name || memcmp(s + quote + 1, names[i], name) != 0) continue;
    while (at < length && strchr(" \t\r\n", s[at]))
      at++;
    if (at >= length || s[at] != '"') return false;
    *start = at + 1;
    if (!string_end(s, length, *start, 0, end, &behind)) *end = length;
    return true;
  }
  return false;
}

/* "X-F5-Auth-Token: …", "Authorization: Basic …" at the start of a line: finds where its value
 * starts and ends. */
static bool secret_header(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  static const char *const names[] = {
      "X-F5-Auth-Token:", "Authorization:", "Proxy-Authorization:", "Cookie:", "Set-Cookie:"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t name = strlen(names[i]);
    if (length - at > name && strncasecmp(s + at, names[i], name) == 0) {
      *start = at + name + (s[at + name] == ' ');
      const char *line = memchr(s + *start, '\n', length - *start);
      *end = line ? (size_t)(line - s) : length;
      if (line && *end > *start && s[*end - 1] == '\r') --*end;
      return true;
    }
  }
  return false;
}

/* A token that no session here owns: in the path of a token, or a JSON string that looks like one
 * (the "name" of a token is the token itself). Its first characters stay visible, to distinguish it
 * from others. */
static bool secret_token(const char *s, size_t length, size_t at, size_t *start, size_t *end) {
  static const char collection[] = "/authz/tokens/";
  const size_t prefix = sizeof collection - 1;
  bool in_path = at >= prefix && memcmp(s + at - prefix, collection, prefix) == 0;
  if (!in_path && (at == 0 || s[at - 1] != '"')) return false;
  size_t stop = at;
  while (stop < length &&
         ((s[stop] >= 'A' && s[stop] <= 'Z') || (s[stop] >= '0' && s[stop] <= '9')))
    stop++;
  bool whole = stop == length || s[stop] == '"' || s[stop] == '\\';
  if (in_path ? stop - at < MIN_TOKEN_LENGTH : stop - at != TOKEN_LENGTH || !whole) return false;
  *start = at + TOKEN_SHOWN;
  *end = stop;
  return true;
}

/* The length of the secret at s as another program may encode it in JSON: é as \\u00e9, & as
 * \\u0026, / as \\/. 0: it is not there. */
static size_t escaped_secret(const char *s, size_t length, const char *bytes, size_t size) {
  size_t at = 0, matched = 0;
  while (matched < size) {
    char utf8[4];
    size_t run;
    if (at == length) return 0;
    at += scan_character(s + at, length - at, utf8, &run);
    if (run == 0 || run > size - matched || memcmp(utf8, bytes + matched, run) != 0) return 0;
    matched += run;
  }
  return at;
}

static size_t longest_secret(const char *s, size_t length) {
  size_t longest = 0;
  for (const secret *one = masked; one; one = one->next) {
    for (unsigned i = 0; i < one->spellings; i++) {
      size_t size = one->spelling[i].length;
      if (size > longest && size <= length && memcmp(s, one->spelling[i].bytes, size) == 0)
        longest = size;
    }
    size_t escaped = escaped_secret(s, length, one->spelling[0].bytes, one->spelling[0].length);
    if (escaped > longest) longest = escaped;
  }
  return longest;
}

/* What is masked at or behind a position of a text. */
typedef struct mask_scan {
  const char *s;
  size_t length;
  size_t command, command_end; /* the last command line that was found */
} mask_scan;

/* Returns whether something that begins or is announced here is a secret, and where it is. */
static bool announced(mask_scan *m, size_t at, size_t *start, size_t *end) {
  const char *s = m->s;
  if (s[at] == '"') {
    if (secret_member(s, m->length, at, start, end)) return true;
    if (at >= m->command_end) command_member(s, m->length, at, &m->command, &m->command_end);
  }
  if ((at == 0 || s[at - 1] == '\n') && secret_header(s, m->length, at, start, end)) return true;
  if (secret_token(s, m->length, at, start, end)) return true;
  if (s[at] == ':' && address_secret(s, m->length, at, start, end)) return true;
  if (s[at] == '-' && private_key(s, m->length, at, start, end)) return true;
  *start = at;
  if (s[at] == '$' && encrypted_value(s, m->length, at, end)) return true;
  return at >= m->command && at < m->command_end &&
         command_secret(s, m->command, m->command_end, at, start, end);
}

static void mask(text *out, mask_scan *m) {
  const char *string = m->s;
  size_t length = m->length;
  bool first[256] = {['\\'] =
                         masked != NULL}; /* bytes that a secret may start with, plain or escaped */
  for (const secret *one = masked; one; one = one->next)
    for (unsigned i = 0; i < one->spellings; i++)
      first[(unsigned char)one->spelling[i].bytes[0]] = true;
  size_t from = 0; /* everything before it is already in `out` */
  /* The value of a password-like name follows the name, which may contain a known secret itself. */
  bool waits = false;
  size_t value = 0, behind = 0;
  for (size_t at = 0; at < length || (waits && at == value);) {
    size_t end = at;
    bool here = waits && at == value;
    if (here) end = behind;
    if (at < length && first[(unsigned char)string[at]]) {
      size_t known = at + longest_secret(string + at, length - at);
      if (known > end) end = known;
    }
    if (waits && end > value) {
      if (end < behind) end = behind; /* the known secret overlaps the value */
      waits = false;
    }
    if (end == at && !here) {
      if (!waits) waits = announced(m, at, &value, &behind);
      if (!waits || value > at) at++;
      continue;
    }
    if (here) waits = false;
    text_add(out, string + from, at - from);
    text_put(out, SECRET_MASK);
    from = at = end;
  }
  text_add(out, string + from, length - from);
}

void secret_mask(text *out, const char *string, size_t length) {
  mask(out, &(mask_scan){.s = string, .length = length});
}

void secret_mask_command(text *out, const char *string, size_t length) {
  mask(out, &(mask_scan){.s = string, .length = length, .command_end = length});
}
