/* A server that misbehaves on order, for test_http.c alone: a thread a connection, plain or TLS,
 * told by the path what to do.
 *
 *   /bytes/N      200, N bytes, Content-Length         /chunked/N    200, N bytes in chunks
 *   /echo         200, the method, a space, the body   /headers      200, the request's head
 *   /status/N     status N, body "status N"            /slow/MS      200 after MS milliseconds
 *   /truncate     closes in mid-body                   /reset        resets in mid-body
 *   /silent       closes without an answer             /garbage      no HTTP
 *   /interim      100, then 200                        /once         200, then closes although it
 * promised not to /die          200 as first request of a connection; later: closes it after
 * reading the request
 */
#ifndef TEST_HTTP_SERVER_H
#define TEST_HTTP_SERVER_H

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct server {
  int listener, port;
  SSL_CTX *tls; /* NULL: plain */
  pthread_t thread;
  atomic_int connections, open, requests, dies, active, most_active, bytes_in;
  atomic_bool stopping;
} server;

typedef struct connection {
  server *s;
  int fd;
  SSL *ssl;
  unsigned served;
  char buffer[65536];
  size_t have;
} connection;

static inline ssize_t server_read(connection *c, char *to, size_t size) {
  return c->ssl ? SSL_read(c->ssl, to, (int)size) : read(c->fd, to, size);
}

static inline bool server_send(connection *c, const char *data, size_t length) {
  while (length > 0) {
    ssize_t sent =
        c->ssl ? SSL_write(c->ssl, data, (int)length) : send(c->fd, data, length, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    length -= (size_t)sent;
  }
  return true;
}

static inline bool server_answer(connection *c, int status, const char *body, size_t length) {
  char head[256];
  int size = snprintf(head, sizeof head,
                      "HTTP/1.1 %d Words\r\nX-Test:   some value  \r\nContent-Length: %zu\r\n\r\n",
                      status, length);
  return server_send(c, head, (size_t)size) && server_send(c, body, length);
}

static inline char *server_fill(size_t length) {
  char *body = malloc(length + 1);
  for (size_t i = 0; i < length; i++)
    body[i] = (char)('a' + i % 26);
  return body;
}

static inline bool server_chunks(connection *c, size_t number) {
  char *fill = server_fill(number), size[32];
  const char *start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  bool kept = server_send(c, start, strlen(start));
  for (size_t at = 0; kept && at < number; at += 1000) {
    size_t part = number - at < 1000 ? number - at : 1000;
    int digits = snprintf(size, sizeof size, "%zx\r\n", part);
    kept = server_send(c, size, (size_t)digits) && server_send(c, fill + at, part) &&
           server_send(c, "\r\n", 2);
  }
  free(fill);
  return kept && server_send(c, "0\r\n\r\n", 5);
}

/* An answer that ends early, by a closed connection or by a reset. */
static inline void server_half(connection *c, bool reset) {
  const char *start = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789";
  server_send(c, start, strlen(start));
  if (!reset) return;
  struct linger linger = {1, 0};
  usleep(20000); /* the client shall have read the start */
  setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/* Does what the path says; false ends the connection. */
static inline bool server_act(connection *c, const char *head, const char *method, const char *path,
                              const char *body, size_t body_length) {
  const char *argument = strrchr(path, '/') + 1;
  size_t number = (size_t)strtoull(argument, NULL, 10);
  bool kept = true;
  if (strncmp(path, "/bytes/", 7) == 0) {
    char *fill = server_fill(number);
    kept = server_answer(c, 200, fill, number);
    free(fill);
  } else if (strncmp(path, "/chunked/", 9) == 0) {
    kept = server_chunks(c, number);
  } else if (strcmp(path, "/echo") == 0) {
    char *answer = malloc(strlen(method) + 1 + body_length + 1);
    size_t length = (size_t)sprintf(answer, "%s ", method);
    memcpy(answer + length, body, body_length);
    kept = server_answer(c, 200, answer, strcmp(method, "HEAD") == 0 ? 0 : length + body_length);
    free(answer);
  } else if (strncmp(path, "/headers", 8) == 0) {
    kept = server_answer(c, 200, head, strlen(head));
  } else if (strncmp(path, "/status/", 8) == 0) {
    char text[32];
    kept = server_answer(c, (int)number, text,
                         (size_t)snprintf(text, sizeof text, "status %zu", number));
  } else if (strncmp(path, "/slow/", 6) == 0) {
    int active = ++c->s->active;
    if (active > c->s->most_active) c->s->most_active = active;
    usleep((useconds_t)number * 1000);
    c->s->active--;
    kept = server_answer(c, 200, argument, strlen(argument));
  } else if (strcmp(path, "/truncate") == 0 || strcmp(path, "/reset") == 0) {
    server_half(c, strcmp(path, "/reset") == 0);
    kept = false;
  } else if (strcmp(path, "/garbage") == 0) {
    server_send(c, "SSH-2.0-OpenSSH_9\r\n", 19);
    kept = false;
  } else if (strcmp(path, "/interim") == 0) {
    const char *start = "HTTP/1.1 100 Continue\r\nX-Interim: yes\r\n\r\n";
    kept = server_send(c, start, strlen(start)) && server_answer(c, 200, "interim", 7);
  } else if (strcmp(path, "/once") == 0) {
    server_answer(c, 200, "once", 4);
    kept = false;
  } else if (strcmp(path, "/die") == 0) {
    c->s->dies++;
    kept = c->served == 0 && server_answer(c, 200, "alive", 5);
  } else {
    kept = false; /* /silent */
  }
  return kept;
}

static inline bool server_read_request(connection *c) {
  char *end;
  c->buffer[c->have] = '\0';
  while (!(end = strstr(c->buffer, "\r\n\r\n"))) {
    ssize_t got = server_read(c, c->buffer + c->have, sizeof c->buffer - 1 - c->have);
    if (got <= 0) return false;
    c->have += (size_t)got;
    c->buffer[c->have] = '\0';
    if (c->buffer[0] == 0x16) { /* TLS: as web servers answer it */
      const char *refusal = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
      server_send(c, refusal, strlen(refusal));
      return false;
    }
  }
  size_t head_length = (size_t)(end - c->buffer) + 4, body_length = 0;
  char *head = strndup(c->buffer, head_length), method[16], path[1024];
  sscanf(head, "%15s %1023s", method, path);
  const char *announced = strcasestr(head, "\r\nContent-Length:");
  if (announced) body_length = (size_t)strtoull(announced + 17, NULL, 10);
  char *body = malloc(body_length + 1);
  size_t have = c->have - head_length < body_length ? c->have - head_length : body_length;
  memcpy(body, c->buffer + head_length, have);
  memmove(c->buffer, c->buffer + head_length + have, c->have - head_length - have);
  c->have -= head_length + have;
  for (ssize_t got = 0; have < body_length; have += (size_t)got)
    if ((got = server_read(c, body + have, body_length - have)) <= 0) break;
  server *s = c->s;
  s->requests++;
  s->bytes_in += (int)(head_length + have);
  bool kept = have == body_length && server_act(c, head, method, path, body, body_length);
  c->served++;
  free(head);
  free(body);
  return kept;
}

static inline void *server_connection(void *data) {
  connection *c = data;
  server *s = c->s;
  bool good = true;
  if (s->tls) {
    c->ssl = SSL_new(s->tls);
    SSL_set_fd(c->ssl, c->fd);
    good = SSL_accept(c->ssl) == 1;
  }
  while (good && server_read_request(c))
    continue;
  if (c->ssl) {
    SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
  }
  close(c->fd);
  free(c);
  s->open--;
  return NULL;
}

static inline void *server_main(void *data) {
  server *s = data;
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  for (;;) {
    int fd = accept(s->listener, NULL, NULL);
    if (s->stopping || fd < 0) {
      if (fd >= 0) close(fd);
      break;
    }
    connection *c = calloc(1, sizeof *c);
    c->s = s;
    c->fd = fd;
    s->connections++;
    s->open++;
    pthread_t thread;
    pthread_create(&thread, &detached, server_connection, c);
  }
  pthread_attr_destroy(&detached);
  return NULL;
}

static inline int server_listen(int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 64) != 0) abort();
  getsockname(fd, (struct sockaddr *)&address, &length);
  *port = ntohs(address.sin_port);
  return fd;
}

/* Makes a key and a certificate for the address 127.0.0.1; the certificate goes to the file. */
static inline SSL_CTX *server_tls(const char *file) {
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_set_pubkey(certificate, key);
  X509_NAME *name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"f5lua test", -1, -1,
                             0);
  X509_set_issuer_name(certificate, name);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(certificate, key, EVP_sha256());
  SSL_CTX_use_certificate(tls, certificate);
  SSL_CTX_use_PrivateKey(tls, key);
  FILE *out = fopen(file, "w");
  PEM_write_X509(out, certificate);
  PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
  fclose(out);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return tls;
}

static inline void server_start(server *s, SSL_CTX *tls) {
  signal(SIGPIPE, SIG_IGN);
  memset(s, 0, sizeof *s);
  s->tls = tls;
  s->listener = server_listen(&s->port);
  pthread_create(&s->thread, NULL, server_main, s);
}

/* All clients must have closed their connections, or do so soon. */
static inline void server_stop(server *s) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)s->port)};
  s->stopping = true;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) abort();
  pthread_join(s->thread, NULL);
  close(fd);
  close(s->listener);
  for (int i = 0; i < 500 && s->open > 0; i++)
    usleep(10000);
  SSL_CTX_free(s->tls);
}

#endif
