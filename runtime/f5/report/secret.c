#include "f5/report/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/scan.h"
#include "f5/report/secret_index.h"
#include "f5/rest/uri.h"

#define GRAIN 64 /* bytes; the unit of allocation */
#define CHUNK                                                                                      \
  (64 *                                                                                            \
   1024) /* bytes locked at a time; RLIMIT_MEMLOCK is 64 KiB on old systems, 8 MiB on new ones */
#define GRAINS (CHUNK / GRAIN)
#define MIN_MASKED 4 /* masking a shorter secret would make most text unreadable */
#define MAX_SPELLINGS 6
#define BUCKETS 1024

typedef struct chunk chunk;
struct chunk {
  chunk *next;
  unsigned char *memory;
  size_t size;
  unsigned char used[GRAINS]; /* in a chunk of CHUNK bytes; a larger chunk holds one secret */
};

typedef struct spelling spelling;
struct spelling {
  const char *bytes;
  size_t length;
  spelling *next; /* of those whose first bytes have the same bucket */
  bool is_plain;  /* as the secret is, so another program may spell it with escapes of JSON */
};

struct secret {
  bool masked;
  chunk *home;
  unsigned char *memory;
  size_t size;      /* bytes at memory */
  size_t length;    /* of the secret, which comes first; its encoded spellings follow */
  const char *json; /* one of the spellings */
  unsigned spellings;
  spelling spelling[MAX_SPELLINGS];
};

static chunk *chunks;

/* The spellings of all masked secrets, by their first MIN_MASKED bytes: a run on many devices has
 * thousands of tokens. */
static spelling *buckets[BUCKETS];
static unsigned starts[256]; /* how many begin with this byte */
static size_t masked;        /* secrets */
static void (*before_end)(void);
bool secret_first[256];

void secret_set_before_end(void (*before)(void)) {
  before_end = before;
}

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

/* -- the index -- */

static unsigned bucket_of(const char *bytes) {
  uint32_t first;
  memcpy(&first, bytes, sizeof first);
  return (first * 2654435761u) >> 22;
}

static void count_start(char byte, int by) {
  unsigned char first = (unsigned char)byte;
  starts[first] += (unsigned)by;
  secret_first[first] = starts[first] > 0 || (first == '\\' && masked > 0);
}

static void enter(secret *s) {
  for (unsigned i = 0; i < s->spellings; i++) {
    spelling *one = &s->spelling[i], **bucket = &buckets[bucket_of(one->bytes)];
    one->is_plain = i == 0;
    one->next = *bucket;
    *bucket = one;
    count_start(*one->bytes, 1);
  }
  s->masked = true;
  masked++;
  secret_first['\\'] = true;
}

void secret_unmask(secret *s) {
  if (!s->masked) return;
  if (before_end) before_end();
  for (unsigned i = 0; i < s->spellings; i++) {
    spelling **link = &buckets[bucket_of(s->spelling[i].bytes)];
    while (*link != &s->spelling[i])
      link = &(*link)->next;
    *link = s->spelling[i].next;
    count_start(*s->spelling[i].bytes, -1);
  }
  s->masked = false;
  if (--masked == 0) secret_first['\\'] = false;
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

static size_t longest_escaped(const char *s, size_t length, size_t longest) {
  char plain[MIN_MASKED + 4];
  size_t size = 0;
  for (size_t at = 0; size < MIN_MASKED;) {
    size_t run;
    if (at == length) return longest;
    at += scan_character(s + at, length - at, plain + size, &run);
    if (run == 0) return longest;
    size += run;
  }
  for (const spelling *one = buckets[bucket_of(plain)]; one; one = one->next) {
    size_t found = one->is_plain ? escaped_secret(s, length, one->bytes, one->length) : 0;
    if (found > longest) longest = found;
  }
  return longest;
}

size_t secret_longest(const char *s, size_t length, bool has_escapes) {
  size_t longest = 0;
  if (length < MIN_MASKED) return 0;
  for (const spelling *one = buckets[bucket_of(s)]; one; one = one->next)
    if (one->length > longest && one->length <= length && memcmp(s, one->bytes, one->length) == 0)
      longest = one->length;
  return has_escapes ? longest_escaped(s, length, longest) : longest;
}

/* -- new secrets -- */

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
    if (length >= MIN_MASKED) enter(s);
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
