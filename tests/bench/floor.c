/* The least that must be done: the same requests with the same libcurl, and nothing else. What
 * f5lua costs more than this is what it is measured by.
 *
 *   floor start                    loads the libraries and ends
 *   floor cold BASE CA PATH        login, one GET, token deleted
 *   floor gets BASE CA PATH N      the same with N GETs
 *   floor patches BASE CA PATH N   … PATCHes
 *   floor pages BASE CA FILE N     … a GET for each path in FILE, N at a time
 *   floor fleet BASE CA PATH N [GETS]
 *                                  N devices at once, each: login, 2 or so many GETs, token
 *                                  deleted; BASE holds %d, or 127.0.%d.%d
 *   floor upload BASE CA NAME FILE [digest]
 *                                  in chunks of 1 MiB; with "digest" takes SHA-256, and forces
 *                                  what it received to the disk
 *   floor download BASE CA NAME FILE SIZE [digest]
 *
 * CA is a file or, with a slash at its end, a hashed directory. Answers are received, checked for
 * their status, and not decoded.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/evp.h>

#define CHUNK (1024L * 1024L)
#define LOGIN "/mgmt/shared/authn/login"
#define CREDENTIALS                                                                                \
  "{\"username\":\"operator\",\"password\":\"secret\",\"loginProviderName\":\"tmos\"}"
#define PATCH "{\"description\":\"changed by the bench\"}"

typedef struct buffer {
  char *data;
  size_t used, size;
} buffer;

typedef struct device {
  CURL *easy;
  char base[256];
  char token[64], token_header[128];
  struct curl_slist *json, *authorized, *authorized_json;
  buffer answer;
  long step;
} device;

static const char *ca, *path;
static EVP_MD_CTX *digest; /* of what is transferred; NULL: none is taken */

static _Noreturn void die(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("floor: ", stderr);
  vfprintf(stderr, format, list);
  fputc('\n', stderr);
  va_end(list);
  exit(1);
}

static size_t receive(char *bytes, size_t one, size_t length, void *data) {
  buffer *b = data;
  (void)one;
  if (b->size - b->used <= length) {
    size_t size = b->size ? b->size : 4096;
    while (size - b->used <= length)
      size *= 2;
    char *grown = realloc(b->data, size);
    if (!grown) return 0;
    b->data = grown;
    b->size = size;
  }
  memcpy(b->data + b->used, bytes, length);
  b->used += length;
  b->data[b->used] = '\0';
  return length;
}

static void open_device(device *d, const char *base, int number) {
  memset(d, 0, sizeof *d);
  if (strstr(base, "%d.%d"))
    snprintf(d->base, sizeof d->base, base, (number + 1) >> 8, (number + 1) & 255);
  else
    snprintf(d->base, sizeof d->base, base, number);
  d->easy = curl_easy_init();
  d->json = curl_slist_append(NULL, "Content-Type: application/json");
  curl_easy_setopt(d->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(d->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(d->easy, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(d->easy, CURLOPT_WRITEDATA, &d->answer);
  curl_easy_setopt(d->easy, CURLOPT_PRIVATE, d);
  if (ca[strlen(ca) - 1] == '/') {
    curl_easy_setopt(d->easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(d->easy, CURLOPT_CAPATH, ca);
  } else {
    curl_easy_setopt(d->easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(d->easy, CURLOPT_CAINFO, ca);
  }
}

static void close_device(device *d) {
  curl_easy_cleanup(d->easy);
  curl_slist_free_all(d->json);
  curl_slist_free_all(d->authorized);
  curl_slist_free_all(d->authorized_json);
  free(d->answer.data);
}

static void aim(device *d, const char *method, const char *to, struct curl_slist *headers,
                const char *body, long length) {
  char url[1024];
  snprintf(url, sizeof url, "%s%s", d->base, to);
  d->answer.used = 0;
  curl_easy_setopt(d->easy, CURLOPT_URL, url);
  curl_easy_setopt(d->easy, CURLOPT_HTTPHEADER, headers);
  if (body) {
    curl_easy_setopt(d->easy, CURLOPT_POSTFIELDSIZE, length);
    curl_easy_setopt(d->easy, CURLOPT_POSTFIELDS, body);
  } else {
    curl_easy_setopt(d->easy, CURLOPT_HTTPGET, 1L);
  }
  curl_easy_setopt(d->easy, CURLOPT_CUSTOMREQUEST, method);
}

static void check(device *d, CURLcode code) {
  long status = 0;
  if (code != CURLE_OK) die("%s: %s", d->base, curl_easy_strerror(code));
  curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
  if (status / 100 != 2) die("%s: status %ld", d->base, status);
}

static void aim_login(device *d) {
  aim(d, "POST", LOGIN, d->json, CREDENTIALS, (long)strlen(CREDENTIALS));
}

static void take_token(device *d) {
  const char *at = strstr(d->answer.data, "\"token\":\"");
  if (!at || sscanf(at + 9, "%63[^\"]", d->token) != 1) die("%s: no token", d->base);
  snprintf(d->token_header, sizeof d->token_header, "X-F5-Auth-Token: %s", d->token);
  d->authorized = curl_slist_append(NULL, d->token_header);
  d->authorized_json =
      curl_slist_append(curl_slist_append(NULL, d->token_header), "Content-Type: application/json");
}

static void aim_logout(device *d) {
  char to[128];
  snprintf(to, sizeof to, "/mgmt/shared/authz/tokens/%s", d->token);
  aim(d, "DELETE", to, d->authorized, NULL, 0);
}

static void perform(device *d) {
  check(d, curl_easy_perform(d->easy));
}

static void many(device *d, const char *method, const char *body, long count) {
  for (long i = 0; i < count; i++) {
    aim(d, method, path, body ? d->authorized_json : d->authorized, body,
        body ? (long)strlen(body) : 0);
    perform(d);
  }
}

static void upload(device *d, const char *file) {
  int fd = open(file, O_RDONLY);
  struct stat info;
  char *bytes = malloc(CHUNK), to[256];
  if (fd < 0 || fstat(fd, &info) != 0 || !bytes) die("%s: cannot be read", file);
  snprintf(to, sizeof to, "/mgmt/shared/file-transfer/uploads/%s", path);
  for (off_t from = 0; from < info.st_size;) {
    char range[128];
    ssize_t length = pread(fd, bytes, CHUNK, from);
    if (length <= 0) die("%s: cannot be read", file);
    if (digest) EVP_DigestUpdate(digest, bytes, (size_t)length);
    snprintf(range, sizeof range, "Content-Range: %lld-%lld/%lld", (long long)from,
             (long long)(from + length - 1), (long long)info.st_size);
    struct curl_slist *headers = curl_slist_append(NULL, d->token_header);
    headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
    headers = curl_slist_append(headers, range);
    headers = curl_slist_append(headers, "Expect:");
    aim(d, "POST", to, headers, bytes, (long)length);
    perform(d);
    curl_slist_free_all(headers);
    from += length;
  }
  free(bytes);
  close(fd);
}

static void download(device *d, const char *file, long long size) {
  int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  char to[256];
  if (fd < 0) die("%s: cannot be written", file);
  snprintf(to, sizeof to, "/mgmt/shared/file-transfer/downloads/%s", path);
  for (long long from = 0; from < size; from += CHUNK) {
    char range[128];
    long long last = from + CHUNK < size ? from + CHUNK - 1 : size - 1;
    snprintf(range, sizeof range, "Content-Range: %lld-%lld/%lld", from, last, size);
    struct curl_slist *headers = curl_slist_append(curl_slist_append(NULL, d->token_header), range);
    aim(d, "GET", to, headers, NULL, 0);
    perform(d);
    curl_slist_free_all(headers);
    if (pwrite(fd, d->answer.data, d->answer.used, from) != last - from + 1)
      die("%s: cannot be written", file);
    if (digest) EVP_DigestUpdate(digest, d->answer.data, d->answer.used);
  }
  if (digest && fsync(fd) != 0) die("%s: cannot be written", file);
  close(fd);
}

static void begin_digest(const char *word) {
  if (!word || strcmp(word, "digest") != 0) return;
  digest = EVP_MD_CTX_new();
  if (!digest || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1) die("no SHA-256");
}

static void end_digest(void) {
  unsigned char value[EVP_MAX_MD_SIZE];
  if (!digest) return;
  EVP_DigestFinal_ex(digest, value, NULL);
  for (int i = 0; i < 32; i++)
    printf("%02x", value[i]);
  printf("\n");
  EVP_MD_CTX_free(digest);
}

/* -- pages -- */

/* Aims at the next path of the list; false after the last. */
static bool next_page(device *d, FILE *list) {
  char to[1000];
  if (!fgets(to, sizeof to, list)) return false;
  to[strcspn(to, "\n")] = '\0';
  aim(d, "GET", to, d->authorized, NULL, 0);
  return true;
}

static void pages(const device *session, int at_once) {
  FILE *list = fopen(path, "r");
  CURLM *multi = curl_multi_init();
  device *workers = calloc((size_t)at_once, sizeof *workers);
  int left = 0, running, queued;
  if (!list || !multi || !workers) die("%s: cannot be read", path);
  for (int i = 0; i < at_once; i++) {
    open_device(&workers[i], session->base, 0);
    workers[i].authorized = curl_slist_append(NULL, session->token_header);
    if (!next_page(&workers[i], list)) continue;
    curl_multi_add_handle(multi, workers[i].easy);
    left++;
  }
  while (left > 0) {
    CURLMsg *message;
    if (curl_multi_perform(multi, &running) != CURLM_OK) die("curl_multi_perform");
    while ((message = curl_multi_info_read(multi, &queued))) {
      device *d;
      CURL *easy = message->easy_handle;
      CURLcode code = message->data.result;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &d);
      check(d, code);
      curl_multi_remove_handle(multi, easy);
      if (next_page(d, list))
        curl_multi_add_handle(multi, easy);
      else
        left--;
    }
    if (left > 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  for (int i = 0; i < at_once; i++)
    close_device(&workers[i]);
  free(workers);
  curl_multi_cleanup(multi);
  fclose(list);
}

/* -- fleet -- */

/* Aims the next request of the device; false after the last. */
static bool next_step(device *d, long gets) {
  long step = d->step++;
  if (step == 1) take_token(d);
  if (step == 0)
    aim_login(d);
  else if (step <= gets)
    aim(d, "GET", path, d->authorized, NULL, 0);
  else if (step == gets + 1)
    aim_logout(d);
  return step <= gets + 1;
}

static void fleet(const char *base, int count, long gets) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  CURLM *multi = curl_multi_init();
  device *devices = calloc((size_t)count, sizeof *devices);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)count);
  for (int i = 0; i < count; i++) {
    open_device(&devices[i], base, i);
    next_step(&devices[i], gets);
    curl_multi_add_handle(multi, devices[i].easy);
  }
  for (int left = count, running; left > 0;) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) die("curl_multi_perform");
    CURLMsg *message;
    int queued;
    while ((message = curl_multi_info_read(multi, &queued))) {
      device *d;
      CURL *easy = message->easy_handle;
      CURLcode code = message->data.result;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &d);
      check(d, code);
      curl_multi_remove_handle(multi, easy);
      if (next_step(d, gets)) {
        curl_multi_add_handle(multi, easy);
      } else {
        close_device(d);
        left--;
      }
    }
    if (left > 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  curl_multi_cleanup(multi);
  free(devices);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "start") == 0) return 0;
  if (argc < 5) die("see the comment at the head of floor.c");
  const char *mode = argv[1], *base = argv[2];
  ca = argv[3];
  path = argv[4];
  curl_global_init(CURL_GLOBAL_DEFAULT);
  if (strcmp(mode, "fleet") == 0) {
    fleet(base, atoi(argv[5]), argc > 6 ? atol(argv[6]) : 2);
    return 0;
  }
  begin_digest(argv[argc - 1]);
  device d;
  open_device(&d, base, 0);
  aim_login(&d);
  perform(&d);
  take_token(&d);
  if (strcmp(mode, "cold") == 0)
    many(&d, "GET", NULL, 1);
  else if (strcmp(mode, "gets") == 0)
    many(&d, "GET", NULL, atol(argv[5]));
  else if (strcmp(mode, "patches") == 0)
    many(&d, "PATCH", PATCH, atol(argv[5]));
  else if (strcmp(mode, "pages") == 0)
    pages(&d, atoi(argv[5]));
  else if (strcmp(mode, "upload") == 0)
    upload(&d, argv[5]);
  else if (strcmp(mode, "download") == 0)
    download(&d, argv[5], atoll(argv[6]));
  else
    die("unknown mode %s", mode);
  end_digest();
  aim_logout(&d);
  perform(&d);
  close_device(&d);
  curl_global_cleanup();
  return 0;
}
