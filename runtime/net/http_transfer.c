/* One easy handle: its options, its callbacks, and how its end is understood. The callbacks call
 * nothing but the loop. */
#include "net/http_transfer.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "net/ca.h"
#include "net/http_receive.h"

enum {
  MAX_HEAD = 1000 * 1000, /* bytes of a request without its body; libcurl allows 1 MiB */
  OTHER_HEADERS = 512,    /* bytes that libcurl adds at most to the path and the headers */
  FILE_READ_SIZE = 128 * 1024
};

/* -- the request -- */

static size_t on_read(char *buffer, size_t one, size_t length, void *user) {
  http_transfer *transfer = user;
  const http_request *request = transfer->request;
  uint64_t left = request->body_length - transfer->body_sent;
  length *= one;
  if (length > left) length = (size_t)left;
  if (length == 0) return 0;
  ssize_t got;
  do
    got = pread(request->body_fd, buffer, length,
                (off_t)(request->body_offset + transfer->body_sent));
  while (got < 0 && errno == EINTR);
  if (got <= 0) {
    if (got == 0) errno = ENODATA; /* the file is shorter than the owner said */
    transfer_fail(transfer, HTTP_FILE);
    return CURL_READFUNC_ABORT;
  }
  transfer->body_sent += (uint64_t)got;
  return (size_t)got;
}

static int on_seek(void *user, curl_off_t offset, int origin) {
  http_transfer *transfer = user;
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  transfer->body_sent = (uint64_t)offset;
  return CURL_SEEKFUNC_OK;
}

/* NULL before the handshake and after the end. */
static SSL *tls_of(const http_transfer *transfer) {
  struct curl_tlssessioninfo *info = NULL;
  if (curl_easy_getinfo(transfer->easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || !info)
    return NULL;
  return info->backend == CURLSSLBACKEND_OPENSSL ? info->internals : NULL;
}

/* By default OpenSSL would wipe its whole buffer of 16 KiB after each answer: a tenth of the time
 * of a small answer, a twentieth of a download. The script has answers that are not secret
 * anyway. */
static void set_tls(const http_transfer *transfer) {
  SSL *tls = tls_of(transfer);
  if (!tls) return;
  /* How much is read ahead: by default a record, more for files. */
  SSL_set_default_read_buffer_len(tls, transfer->request->sink_to_fd ? FILE_READ_SIZE : 0);
  if (transfer->request->secret)
    SSL_set_options(tls, SSL_OP_CLEANSE_PLAINTEXT);
  else
    SSL_clear_options(tls, SSL_OP_CLEANSE_PLAINTEXT);
}

/* If the last read found less than a record, the socket announces the rest. If not, nobody has read
 * what is left. */
bool http_transfer_read_ahead(const http_transfer *transfer) {
  const SSL *tls = tls_of(transfer);
  return tls && SSL_has_pending(tls) && !SSL_want_read(tls);
}

/* libcurl calls this at the end of each run of the exchange, so it may have read. */
static int on_run(void *user, curl_off_t to_receive, curl_off_t received, curl_off_t to_send,
                  curl_off_t sent) {
  http_transfer *transfer = user;
  (void)to_receive, (void)received, (void)to_send, (void)sent;
  if (transfer->listed) return 0;
  transfer->listed = true;
  transfer->next_ran = *transfer->ran;
  *transfer->ran = transfer;
  return 0;
}

/* Called each time before a request is sent. If a kept connection turns out to be dead, libcurl
 * starts again by itself, whatever the method. A write that was sent must not be repeated: the
 * server may have acted on it. */
static int on_start(void *user, char *remote, char *local, int remote_port, int local_port) {
  http_transfer *transfer = user;
  (void)remote, (void)local, (void)remote_port;
  long size = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &size);
  if (transfer->started && size > transfer->size_before) {
    transfer->request->sent = true;
    if (!transfer->repeatable) {
      transfer_fail(transfer, HTTP_BROKEN);
      return CURL_PREREQFUNC_ABORT;
    }
  }
  set_tls(transfer);
  transfer->started = true;
  transfer->size_before = size;
  transfer->local_port = local_port;
  return transfer->request->only_connect ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* -- options -- */

#define SET(option, value)                                                                         \
  do {                                                                                             \
    CURLcode set_ = curl_easy_setopt(easy, option, value);                                         \
    if (set_ != CURLE_OK) {                                                                        \
      snprintf(error, CURL_ERROR_SIZE, "%s: %s", #option, curl_easy_strerror(set_));               \
      return false;                                                                                \
    }                                                                                              \
  } while (0)

/* Makes OpenSSL wipe the plain text of answers in its buffers; set_tls switches that off for some.
 * OpenSSL also reads all that the socket has with one system call, not two for each record. The
 * loop cannot see what OpenSSL has then, so http.c asks for it (http_transfer_read_ahead). Not
 * through a proxy, which may be a second TLS connection around the first. */
static CURLcode on_tls(CURL *easy, void *context, void *user) {
  const http_peer_settings *settings = user;
  (void)easy;
  SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
  if (!settings->proxy_source) SSL_CTX_set_read_ahead(context, 1);
  X509_STORE *store = settings->ca_directory ? http_ca_store(settings->ca_directory) : NULL;
  if (store) SSL_CTX_set1_cert_store(context, store);
  if (settings->trust && !http_trust_install(settings->trust, context)) return CURLE_OUT_OF_MEMORY;
  return CURLE_OK;
}

static bool set_trust(CURL *easy, const http_peer_settings *settings, char *error) {
  const http_peer_options *options = &settings->options;
  const char *directory = NULL, *bundle = NULL;
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_SSL_CTX_FUNCTION, on_tls);
  SET(CURLOPT_SSL_CTX_DATA, settings);
  if (options->insecure) {
    SET(CURLOPT_SSL_VERIFYPEER, 0L);
    SET(CURLOPT_SSL_VERIFYHOST, 0L);
  } else if (options->wanted) { /* a resumed TLS session would not show its certificate */
    SET(CURLOPT_SSL_VERIFYHOST, 0L);
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
  } else if (options->ca) {
    bundle = options->ca;
  } else {
    http_system_ca(&directory, &bundle);
  }
  /* Always set both: the path compiled into libcurl may not exist here, or prevent caching (see
   * ca.c). */
  SET(CURLOPT_CAINFO, bundle);
  SET(CURLOPT_CAPATH, directory);
  SET(CURLOPT_PROXY_CAINFO, bundle);
  SET(CURLOPT_PROXY_CAPATH, directory);
  if (options->cert) SET(CURLOPT_SSLCERT, options->cert);
  if (options->key) SET(CURLOPT_SSLKEY, options->key);
  if (options->pin) SET(CURLOPT_PINNEDPUBLICKEY, options->pin);
  return true;
}

static bool set_constant_options(http_transfer *transfer, const http_peer_settings *settings,
                                 char *error) {
  CURL *easy = transfer->easy;
  const http_peer_options *options = &settings->options;
  SET(CURLOPT_PRIVATE, transfer);
  SET(CURLOPT_ERRORBUFFER, transfer->error);
  /* Else libcurl would change signal handlers four times a turn. http.c handles SIGPIPE once. */
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_PATH_AS_IS, 1L); /* the owner encoded the path; "/../" may be part of a name */
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
  /* A request that ends during the lookup of its name does not wait for the resolver. */
  SET(CURLOPT_QUICK_EXIT, 1L);
  /* libcurl looks through all addresses that it remembers at the end of each request. A minute, its
   * default, is most of a fleet; this is as long as a session opens its connections. */
  SET(CURLOPT_DNS_CACHE_TIMEOUT, 2L);
  SET(CURLOPT_CONNECTTIMEOUT_MS, options->connect_timeout_ms);
  /* Without a value, libcurl would read each variable of the environment before each request. */
  if (options->proxy || !settings->proxy_source)
    SET(CURLOPT_PROXY, options->proxy ? options->proxy : "");
  if (settings->base) SET(CURLOPT_CURLU, settings->base);
  SET(CURLOPT_WRITEFUNCTION, http_receive_body);
  SET(CURLOPT_WRITEDATA, transfer);
  SET(CURLOPT_HEADERFUNCTION, http_receive_header);
  SET(CURLOPT_HEADERDATA, transfer);
  SET(CURLOPT_READFUNCTION, on_read);
  SET(CURLOPT_READDATA, transfer);
  SET(CURLOPT_SEEKFUNCTION, on_seek);
  SET(CURLOPT_SEEKDATA, transfer);
  if (!settings->proxy_source) {
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_run);
    SET(CURLOPT_XFERINFODATA, transfer);
  }
  SET(CURLOPT_PREREQFUNCTION, on_start);
  SET(CURLOPT_PREREQDATA, transfer);
  SET(CURLOPT_OPENSOCKETFUNCTION, http_sockets_open);
  SET(CURLOPT_OPENSOCKETDATA, settings->sockets);
  SET(CURLOPT_CLOSESOCKETFUNCTION, http_sockets_close);
  SET(CURLOPT_CLOSESOCKETDATA, settings->sockets);
  return set_trust(easy, settings, error);
}

http_transfer *http_transfer_new(const http_peer_settings *settings, char *error) {
  error[0] = '\0';
  http_transfer *transfer = calloc(1, sizeof *transfer);
  if (!transfer) return NULL;
  transfer->easy = curl_easy_init();
  transfer->sockets = settings->sockets;
  transfer->proxy_source = settings->proxy_source;
  transfer->trust = settings->trust;
  transfer->fd = CURL_SOCKET_BAD;
  transfer->base_length = strlen(settings->options.base);
  transfer->url_size = transfer->base_length + 256;
  transfer->url = malloc(transfer->url_size);
  transfer->body_limit = settings->options.body_limit;
  if (!transfer->easy || !transfer->url || !set_constant_options(transfer, settings, error)) {
    http_transfer_delete(transfer);
    return NULL;
  }
  memcpy(transfer->url, settings->options.base, transfer->base_length + 1);
  return transfer;
}

void http_transfer_delete(http_transfer *transfer) {
  curl_easy_cleanup(transfer->easy);
  free(transfer->url);
  free(transfer->nodes);
  free(transfer);
}

/* With the parsed base of the peer and a new path, libcurl need not parse and format URLs: a tenth
 * of its work for a small answer. A proxy may need the whole URL. */
static bool set_url(http_transfer *transfer, const http_peer_settings *settings, const char *path,
                    char *error) {
  CURL *easy = transfer->easy;
  size_t length = strlen(path) + 1;
  for (const char *p = path; *p != '\0'; p++)
    if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f) {
      snprintf(error, CURL_ERROR_SIZE, "the path of the request is not encoded");
      return false;
    }
  if (settings->base) {
    SET(CURLOPT_REQUEST_TARGET, path);
    return true;
  }
  size_t needed = transfer->base_length + length;
  if (needed > transfer->url_size) {
    char *url = realloc(transfer->url, needed);
    if (!url) return false;
    transfer->url = url;
    transfer->url_size = needed;
  }
  memcpy(transfer->url + transfer->base_length, path, length);
  SET(CURLOPT_URL, transfer->url);
  return true;
}

static bool set_headers(http_transfer *transfer, const http_peer_settings *settings, bool with_body,
                        char *error) {
  CURL *easy = transfer->easy;
  const char *const *headers = transfer->request->headers;
  size_t count = 0;
  bool typed = false;
  for (; headers && headers[count]; count++)
    typed = typed || strncasecmp(headers[count], "Content-Type:", 13) == 0;
  if (count + 3 > transfer->node_size) {
    struct curl_slist *nodes = realloc(transfer->nodes, (count + 3) * sizeof *nodes);
    if (!nodes) return false;
    transfer->nodes = nodes;
    transfer->node_size = count + 3;
  }
  /* struct curl_slist is public, and libcurl only reads the list. */
  for (size_t i = 0; i < count; i++)
    transfer->nodes[i].data = (char *)(uintptr_t)headers[i];
  if (settings->user_agent) transfer->nodes[count++].data = settings->user_agent;
  if (with_body) {
    static char expect[] = "Expect:", type[] = "Content-Type:";
    transfer->nodes[count++].data = expect;           /* do not wait for "100 Continue" */
    if (!typed) transfer->nodes[count++].data = type; /* libcurl's default is that of a form */
  }
  size_t length = transfer->base_length + strlen(transfer->request->path) + OTHER_HEADERS;
  for (size_t i = 0; i < count; i++) {
    transfer->nodes[i].next = i + 1 < count ? &transfer->nodes[i + 1] : NULL;
    length += strlen(transfer->nodes[i].data) + 2;
  }
  transfer->head_length = length;
  if (length > MAX_HEAD) {
    snprintf(error, CURL_ERROR_SIZE, "its path and headers have %zu bytes, and %d are allowed",
             length, MAX_HEAD);
    return false;
  }
  SET(CURLOPT_HTTPHEADER, count > 0 ? transfer->nodes : NULL);
  return true;
}

static bool set_body(http_transfer *transfer, transfer_shape shape, char *error) {
  CURL *easy = transfer->easy;
  const http_request *request = transfer->request;
  /* libcurl uses two buffers for each request, even without a body. They are wiped as a whole,
   * which touches all their pages: 16 and 64 KiB by default. Most requests need less than the
   * minimum, and these buffers are most of the memory of a fleet. */
  SET(CURLOPT_BUFFERSIZE, request->sink_to_fd ? 16384L : 4096L);
  SET(CURLOPT_UPLOAD_BUFFERSIZE, http_request_buffer(request, transfer->head_length));
  switch (shape) {
  case SHAPE_GET:
    if (transfer->shape != SHAPE_GET) SET(CURLOPT_HTTPGET, 1L);
    break;
  case SHAPE_HEAD:
    if (transfer->shape != SHAPE_HEAD) SET(CURLOPT_NOBODY, 1L);
    break;
  default:
    if (transfer->shape == SHAPE_HEAD) SET(CURLOPT_NOBODY, 0L);
    if (transfer->shape != shape) SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, shape == SHAPE_FILE ? NULL : request->body ? request->body : "");
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
  }
  transfer->shape = shape;
  return true;
}

bool http_transfer_bind(http_transfer *transfer, http_request *request,
                        const http_peer_settings *settings) {
  CURL *easy = transfer->easy;
  const char *method = request->method;
  char *error = transfer->error;
  transfer->request = request;
  transfer->answer_size = transfer->headers_length = transfer->headers_size = 0;
  transfer->started = transfer->to_sink = transfer->answer_begun = false;
  transfer->aborted = HTTP_OK;
  transfer->aborted_errno = 0;
  transfer->size_before = 0;
  transfer->body_sent = transfer->sink_written = transfer->reported = 0;
  transfer->sink_buffered = request->sink_kept = 0;
  transfer->local_port = 0;
  transfer->answering = transfer->headers_ended = false;
  transfer->length_known = transfer->two_lengths = false;
  error[0] = '\0';

  bool get = strcmp(method, "GET") == 0, head = strcmp(method, "HEAD") == 0;
  bool write =
      strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
  bool with_body = request->body || request->body_from_fd || write;
  transfer_shape shape = request->body_from_fd ? SHAPE_FILE
                         : with_body           ? SHAPE_MEMORY
                         : head                ? SHAPE_HEAD
                                               : SHAPE_GET;
  transfer->repeatable = get || head || strcmp(method, "OPTIONS") == 0;

  if (!set_url(transfer, settings, request->path, error) ||
      !set_headers(transfer, settings, with_body, error) || !set_body(transfer, shape, error))
    return false;
  bool custom = shape == SHAPE_GET    ? !get
                : shape == SHAPE_HEAD ? false
                                      : strcmp(method, "POST") != 0;
  if (custom || transfer->custom_method) SET(CURLOPT_CUSTOMREQUEST, custom ? method : NULL);
  transfer->custom_method = custom;
  long timeout = request->timeout_ms > 0 ? request->timeout_ms : settings->options.timeout_ms;
  if (timeout != transfer->timeout_ms) SET(CURLOPT_TIMEOUT_MS, timeout);
  transfer->timeout_ms = timeout;
  return true;
}

void http_transfer_unbind(http_transfer *transfer) {
  transfer->request = NULL;
}

/* -- the end -- */

/* libcurl accepts an answer that ends inside its header, or that is only a 100. */
static bool is_cut(const http_transfer *transfer) {
  return transfer->answering && (!transfer->headers_ended || transfer->request->status < 200);
}

/* Returns whether the proxy was not reached, or did not answer. libcurl has no code for that: its
 * message names the host that it tried. */
static bool is_lost_on_proxy(const http_transfer *transfer, CURLcode code) {
  if (!transfer->proxy_source || transfer->started) return false;
  if (code == CURLE_PROXY || strstr(transfer->error, "roxy")) return true;
  char host[256], tried[320], base[320];
  unsigned port;
  if (sscanf(transfer->error, "Failed to connect to %255s port %u", host, &port) != 2) return false;
  snprintf(base, sizeof base, "%.*s", (int)transfer->base_length, transfer->url);
  snprintf(tried, sizeof tried, strchr(host, ':') && *host != '[' ? "//[%s]:%u" : "//%s:%u", host,
           port);
  return !strstr(base, tried);
}

/* The failure, including details that the code of libcurl does not contain. */
static http_failure failure_of(const http_transfer *transfer, CURLcode code, long proxy_status) {
  if (transfer->aborted != HTTP_OK) return transfer->aborted;
  if (code != CURLE_OK && !transfer->started && proxy_status >= 300) return HTTP_PROXY;
  if (code != CURLE_OK && is_lost_on_proxy(transfer, code)) return HTTP_PROXY;
  if (code == CURLE_OK && is_cut(transfer)) return HTTP_BROKEN;
  /* libcurl reports a header line of more than 100 KiB like this. */
  if (code == CURLE_OUT_OF_MEMORY && transfer->request->sent) return HTTP_UNREADABLE;
  /* With TLS 1.3, the server refuses the client's certificate after the client's handshake has
   * ended. */
  bool reading = code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
  if (reading && strstr(transfer->error, " alert ")) return HTTP_TLS;
  return http_failure_of((int)code, transfer->started);
}

/* The last message of libcurl may be that the alert could not be sent, not why there was an
 * alert. */
static bool describe_certificate(const http_transfer *transfer, CURLcode code) {
  long result = X509_V_OK;
  char *error = transfer->request->error;
  const http_trust *trust = transfer->trust;
  if (code == CURLE_PEER_FAILED_VERIFICATION && trust && trust->changed) {
    snprintf(error, sizeof transfer->request->error,
             "the certificate has changed: SHA-256 %s, but trusted is %s", trust->fingerprint,
             trust->wanted);
    return true;
  }
  if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH && trust && trust->pin[0]) {
    snprintf(error, sizeof transfer->request->error,
             "SSL: public key does not match pinned public key; the device has %s", trust->pin);
    return true;
  }
  if (code != CURLE_PEER_FAILED_VERIFICATION || strstr(transfer->error, "certificate"))
    return false;
  curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &result);
  if (result == X509_V_OK) return false;
  snprintf(transfer->request->error, sizeof transfer->request->error, "SSL certificate problem: %s",
           X509_verify_cert_error_string(result));
  return true;
}

static void describe(const http_transfer *transfer, CURLcode code) {
  http_request *request = transfer->request;
  size_t size = sizeof request->error;
  if (transfer->aborted == HTTP_TOO_LARGE)
    snprintf(request->error, size, "the answer is larger than the limit of %llu bytes",
             (unsigned long long)http_receive_limit(transfer));
  else if (transfer->aborted == HTTP_FILE)
    snprintf(request->error, size, "%s: %s",
             transfer->to_sink ? "cannot write the file" : "cannot read the file",
             strerror(transfer->aborted_errno));
  else if (transfer->aborted == HTTP_BROKEN)
    snprintf(request->error, size, "the connection was closed after the request was sent");
  else if (transfer->aborted == HTTP_INTERNAL)
    snprintf(request->error, size, "not enough memory");
  else if (transfer->two_lengths)
    snprintf(request->error, size, "its header has two lines Content-Length that differ");
  else if (request->failure == HTTP_UNREADABLE)
    snprintf(request->error, size, "its header is too long, or memory is short");
  else if (code == CURLE_OK)
    snprintf(request->error, size, "the answer ended inside its header");
  else if (!describe_certificate(transfer, code))
    snprintf(request->error, size, "%s",
             transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(code));
}

static uint64_t time_of(CURL *easy, CURLINFO info) {
  curl_off_t time = 0;
  curl_easy_getinfo(easy, info, &time);
  return time > 0 ? (uint64_t)time : 0;
}

static void collect_times(CURL *easy, http_times *times) {
  times->lookup = time_of(easy, CURLINFO_NAMELOOKUP_TIME_T);
  times->connect = time_of(easy, CURLINFO_CONNECT_TIME_T);
  times->tls = time_of(easy, CURLINFO_APPCONNECT_TIME_T);
  times->first = time_of(easy, CURLINFO_STARTTRANSFER_TIME_T);
  times->total = time_of(easy, CURLINFO_TOTAL_TIME_T);
}

void http_transfer_collect(http_transfer *transfer, CURLcode code) {
  http_request *request = transfer->request;
  CURL *easy = transfer->easy;
  long size = 0, connects = 0, proxy_status = 0;
  curl_off_t body = 0;
  if (request->only_connect && transfer->started) code = CURLE_OK;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &request->status);
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &size);
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
  curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &body);
  request->bytes_received += (uint64_t)body;
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &body);
  /* libcurl counts a short body in memory as part of the request: both are sent in one piece. */
  bool together = transfer->shape == SHAPE_MEMORY && request->body_length < 64 * 1024;
  request->bytes_sent = (uint64_t)size + (together ? 0 : (uint64_t)body);
  request->reused = connects == 0 && transfer->started;
  request->sent = request->sent || (transfer->started && size > transfer->size_before);
  if (request->timed) collect_times(easy, &request->times);
  if (code == CURLE_OK) http_receive_flush(transfer);
  request->sink_length = transfer->sink_written;
  request->failure = failure_of(transfer, code, proxy_status);
  if (request->failure == HTTP_PROXY) request->status = proxy_status;
  request->proxy_source = transfer->started ? NULL : transfer->proxy_source;
  if (request->failure == HTTP_BROKEN)
    request->status = 0; /* an incomplete answer does not count */
  request->untrusted = request->failure == HTTP_TLS && code != CURLE_SSL_CONNECT_ERROR;
  if (request->sink_to_fd && request->status >= 200 && request->status < 300)
    transfer->to_sink = true; /* the body was empty */
  if (request->failure == HTTP_OK && !transfer->to_sink && !http_receive_terminate(transfer))
    request->failure = HTTP_INTERNAL;
  if (request->failure != HTTP_OK) {
    describe(transfer, code);
    free(request->answer);
    request->answer = NULL;
    request->answer_length = 0;
  }
  http_transfer_unbind(transfer);
}

void http_transfer_progress(const http_transfer *transfer, uint64_t *sent, uint64_t *received) {
  curl_off_t up = 0, down = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &up);
  curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
  *sent = (uint64_t)up;
  *received = (uint64_t)down;
}
