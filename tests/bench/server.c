/* server PORT CERT KEY DELAY OBJECTS PAGE OBJECT: what nginx cannot answer from files. Takes
 * uploads and forgets them, sends downloads of as many MiB as the name says (64.bin) and pages of a
 * collection of OBJECTS, each page with the items in the file PAGE. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <openssl/ssl.h>

#define CHUNK (1024L * 1024L)
#define UPLOADS "/mgmt/shared/file-transfer/uploads/"
#define DOWNLOADS "/mgmt/shared/file-transfer/downloads/"
#define LINK "https://localhost/mgmt/tm/ltm/virtual"
#define TOKEN "BENCHBENCHBENCHBENCHBENCHB"

static SSL_CTX *tls;
static long objects;
static struct timeval delay;
static struct event_base *base;

typedef struct content {
  char *bytes;
  size_t length;
} content;

static content page, object;
static char zeros[CHUNK];

static struct bufferevent *open_tls(struct event_base *of, void *unused) {
  (void)unused;
  return bufferevent_openssl_socket_new(of, -1, SSL_new(tls), BUFFEREVENT_SSL_ACCEPTING,
                                        BEV_OPT_CLOSE_ON_FREE);
}

static long number_after(const char *text, const char *name, long otherwise) {
  const char *at = text ? strstr(text, name) : NULL;
  return at ? atol(at + strlen(name)) : otherwise;
}

static void send_page(struct evbuffer *out, const char *query) {
  long top = number_after(query, "top=", 500), skip = number_after(query, "skip=", 0);
  long end = skip + top < objects ? skip + top : objects;
  evbuffer_add_printf(out,
                      "{\"kind\":\"tm:ltm:virtual:virtualcollectionstate\",\"selfLink\":\"" LINK
                      "?$top=%ld&$skip=%ld&ver=17.1.0\",\"currentItemCount\":%ld,\"itemsPerPage\":%"
                      "ld,\"pageIndex\":%ld,"
                      "\"startIndex\":%ld,\"totalItems\":%ld,\"totalPages\":%ld,",
                      top, skip, end - skip, top, skip / top + 1, skip + 1, objects,
                      (objects + top - 1) / top);
  if (end < objects)
    evbuffer_add_printf(out, "\"nextLink\":\"" LINK "?$top=%ld&$skip=%ld&ver=17.1.0\",", top, end);
  evbuffer_add_printf(out, "\"items\":[");
  evbuffer_add_reference(out, page.bytes, page.length, NULL, NULL);
  evbuffer_add_printf(out, "]}");
}

static int send_file(struct evhttp_request *request, struct evbuffer *out, const char *name) {
  long long from = 0, last = CHUNK - 1, total = atoll(name) * CHUNK;
  const char *range =
      evhttp_find_header(evhttp_request_get_input_headers(request), "Content-Range");
  char sent[128];
  if (range && sscanf(range, "%lld-%lld", &from, &last) != 2) return 400;
  if (from >= total || last < from) return 400;
  last = last >= total ? total - 1 : last;
  last = last - from >= CHUNK ? from + CHUNK - 1 : last;
  snprintf(sent, sizeof sent, "%lld-%lld/%lld", from, last, total);
  evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Range", sent);
  evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                    "application/octet-stream");
  evbuffer_add_reference(out, zeros, (size_t)(last - from + 1), NULL, NULL);
  return 200;
}

static int take_file(struct evhttp_request *request, struct evbuffer *out, const char *name) {
  const char *range =
      evhttp_find_header(evhttp_request_get_input_headers(request), "Content-Range");
  long long from, last, total,
      length = (long long)evbuffer_get_length(evhttp_request_get_input_buffer(request));
  if (!range || sscanf(range, "%lld-%lld/%lld", &from, &last, &total) != 3 ||
      last - from + 1 != length)
    return 400;
  evbuffer_add_printf(out,
                      "{\"remainingByteCount\":%lld,\"usedChunks\":{\"%lld\":%lld},"
                      "\"totalByteCount\":%lld,\"localFilePath\":"
                      "\"/var/config/rest/downloads/%s\",\"temporaryFilePath\":\"/var/config/rest/"
                      "downloads/tmp/%s\","
                      "\"generation\":0,\"lastUpdateMicros\":1716551470123456}",
                      total - last - 1, from, length, total, name, name);
  return 200;
}

static void reply(struct evhttp_request *request, struct evbuffer *out, int status) {
  struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
  if (!evhttp_find_header(headers, "Content-Type"))
    evhttp_add_header(headers, "Content-Type", "application/json; charset=UTF-8");
  evhttp_send_reply(request, status, status == 200 ? "OK" : "No", out);
  evbuffer_free(out);
}

typedef struct waiting {
  struct evhttp_request *request;
  struct evbuffer *out;
} waiting;

static void reply_now(evutil_socket_t socket, short what, void *data) {
  waiting *w = data;
  (void)socket;
  (void)what;
  reply(w->request, w->out, 200);
  free(w);
}

static void reply_later(struct evhttp_request *request, struct evbuffer *out) {
  waiting *w = malloc(sizeof *w);
  *w = (waiting){request, out};
  event_base_once(base, -1, EV_TIMEOUT, reply_now, w, &delay);
}

static void answer(struct evhttp_request *request, void *unused) {
  (void)unused;
  const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
  const char *path = evhttp_uri_get_path(uri);
  enum evhttp_cmd_type command = evhttp_request_get_command(request);
  struct evbuffer *out = evbuffer_new();
  if (strcmp(path, "/mgmt/tm/ltm/virtual") == 0) {
    send_page(out, evhttp_uri_get_query(uri));
    reply(request, out, 200);
    return;
  }
  if (strncmp(path, UPLOADS, strlen(UPLOADS)) == 0) {
    reply(request, out, take_file(request, out, path + strlen(UPLOADS)));
    return;
  }
  if (strncmp(path, DOWNLOADS, strlen(DOWNLOADS)) == 0) {
    reply(request, out, send_file(request, out, path + strlen(DOWNLOADS)));
    return;
  }
  if (strcmp(path, "/mgmt/shared/authn/login") == 0)
    evbuffer_add_printf(out, "{\"username\":\"operator\",\"token\":{\"token\":\"" TOKEN
                             "\",\"name\":\"" TOKEN
                             "\",\"timeout\":1200,\"lastUpdateMicros\":1716551470123456,"
                             "\"expirationMicros\":1716552670123456}}");
  else if (command == EVHTTP_REQ_DELETE)
    evbuffer_add_printf(out, "{\"token\":\"" TOKEN "\"}");
  else
    evbuffer_add_reference(out, object.bytes, object.length, NULL, NULL);
  reply_later(request, out);
}

static content read_file(const char *name) {
  content c = {0};
  FILE *in = fopen(name, "rb");
  if (in && fseek(in, 0, SEEK_END) == 0) {
    c.length = (size_t)ftell(in);
    rewind(in);
    c.bytes = malloc(c.length);
    if (c.bytes && fread(c.bytes, 1, c.length, in) != c.length) c.length = 0;
  }
  if (c.length == 0) {
    fprintf(stderr, "server: %s cannot be read\n", name);
    exit(1);
  }
  fclose(in);
  return c;
}

/* Own sockets: evhttp's wait for 128 connections at a time, and a fleet comes with thousands. */
static bool listen_on(struct evhttp *http, int family, const void *address, socklen_t length) {
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
      bind(fd, address, length) == 0 && listen(fd, 4096) == 0 &&
      evhttp_accept_socket(http, fd) == 0)
    return true;
  if (fd >= 0) close(fd);
  return false;
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: server PORT CERT KEY DELAY OBJECTS PAGE OBJECT\n");
    return 2;
  }
  in_port_t port = htons((in_port_t)atoi(argv[1]));
  tls = SSL_CTX_new(TLS_server_method());
  delay.tv_usec = atol(argv[4]) * 1000;
  objects = atol(argv[5]);
  page = read_file(argv[6]);
  object = read_file(argv[7]);
  if (SSL_CTX_use_certificate_chain_file(tls, argv[2]) != 1 ||
      SSL_CTX_use_PrivateKey_file(tls, argv[3], SSL_FILETYPE_PEM) != 1) {
    fprintf(stderr, "server: certificate or key cannot be read\n");
    return 1;
  }
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  base = event_base_new();
  struct evhttp *http = evhttp_new(base);
  evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_DELETE);
  evhttp_set_max_body_size(http, 2 * CHUNK);
  evhttp_set_bevcb(http, open_tls, NULL);
  evhttp_set_gencb(http, answer, NULL);
  struct sockaddr_in four = {
      .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 six = {
      .sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  if (!listen_on(http, AF_INET, &four, sizeof four)) {
    fprintf(stderr, "server: port %s is not free\n", argv[1]);
    return 1;
  }
  listen_on(http, AF_INET6, &six,
            sizeof six); /* names below localhost are both; where there is no IPv6, one */
  return event_base_dispatch(base);
}
