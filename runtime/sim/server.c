#include "sim/server.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/list.h"
#include "sim/certificate.h"
#include "sim/connection.h"
#include "sim/device.h"
#include "sim/outgoing.h"
#include "sim/socket.h"
#include "sim/source.h"

enum { MAX_HEADERS = 64 * 1024, IDLE_SECONDS = 3600 };

/* The stack of the device's thread. musl's default is 128 KiB, which the deepest JSON text nearly
 * fills. */
enum { STACK_SIZE = 2 * 1024 * 1024 };

/* An answer that is delayed, or the end of a connection that must not happen inside a callback of
 * evhttp. */
typedef struct pending {
  struct pending *next, **link; /* in server->pending */
  sim_server *server;
  struct evhttp_request *request;
  struct event *timer;
  uint64_t ticket;
  sim_answer answer;
} pending;

typedef struct call {
  struct call *next;
  const char *name, *text;
  size_t length, result_length;
  char *result;
  bool ok, done;
} call;

struct sim_server {
  sim_device device;
  sim_outgoing *outgoing;
  sim_source *source; /* NULL: the device knows itself what it has */
  struct event_base *base;
  struct evhttp *http;
  struct evhttp_bound_socket *bound;
  struct event *wake, *poll, *go_on, *retry_accept;
  int wake_fd;
  bool listening;
  bool starved; /* connections could not be accepted; this was reported */
  sim_connections connections;
  pending *pending;
  uint64_t last_ticket;
  uint16_t port;
  char ca[512];
  sim_authority *authority; /* NULL if the server has its own certificate */
  pthread_t thread;
  bool running;

  pthread_mutex_t lock; /* guards the members below */
  pthread_cond_t answered;
  call *calls;
  bool stopping;
};

static void pending_unlink(pending *p) {
  LIST_REMOVE(p);
}

static void pending_free(pending *p) {
  if (p->timer) event_free(p->timer);
  if (p->answer.body) evbuffer_free(p->answer.body);
  free(p);
}

static void connection_ended(void *owner, struct evhttp_connection *evcon) {
  pending *next;
  for (pending *p = ((sim_server *)owner)->pending; p; p = next) {
    next = p->next;
    if (evhttp_request_get_connection(p->request) != evcon) continue;
    pending_unlink(p);
    pending_free(p);
  }
}

/* Sends the answer in p and frees p. */
static void send_answer(pending *p) {
  struct evhttp_request *request = p->request;
  struct evhttp_connection *evcon = evhttp_request_get_connection(request);
  sim_answer *answer = &p->answer;
  pending_unlink(p);
  const char *reason = answer->reason[0] ? answer->reason : NULL;
  if (!evcon) { /* the client has gone; the request is ours now */
    evhttp_request_free(request);
  } else if (answer->reset) {
    sim_connection_reset(evcon);
  } else {
    char length[32];
    snprintf(length, sizeof length, "%zu", evbuffer_get_length(answer->body));
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    if (answer->status != 204 && !evhttp_find_header(headers, "Content-Length"))
      evhttp_add_header(headers, "Content-Length", length);
    if (answer->close) evhttp_add_header(headers, "Connection", "close");
    if (answer->truncated) {
      struct evbuffer *part = evbuffer_new();
      size_t all = evbuffer_get_length(answer->body);
      if (part)
        evbuffer_remove_buffer(answer->body, part,
                               answer->truncate < all ? (size_t)answer->truncate : all);
      evhttp_send_reply_start(request, answer->status, reason);
      if (part && evbuffer_get_length(part)) {
        evhttp_send_reply_chunk_with_cb(request, part, sim_connection_break_off, NULL);
      } else {
        struct evbuffer *nothing = evbuffer_new(); /* flushes the headers */
        evhttp_send_reply_chunk_with_cb(request, nothing ? nothing : part, sim_connection_break_off,
                                        NULL);
        if (nothing) evbuffer_free(nothing);
      }
      if (part) evbuffer_free(part);
    } else {
      evhttp_send_reply(request, answer->status, reason, answer->head ? NULL : answer->body);
    }
  }
  pending_free(p);
}

static void pending_due(evutil_socket_t fd, short events, void *data) {
  (void)fd, (void)events;
  send_answer(data);
}

static void set_listening(sim_server *server, bool listening) {
  if (listening == server->listening) return;
  server->listening = listening;
  struct evconnlistener *listener = evhttp_bound_socket_get_listener(server->bound);
  int fd = evhttp_bound_socket_get_fd(server->bound);
  /* On Linux, shutdown stops listening but keeps the port: clients are refused, and nobody else can
   * take it. */
  if (listening) {
    listen(fd, SIM_SOCKET_BACKLOG);
    evconnlistener_enable(listener);
  } else {
    evconnlistener_disable(listener);
    shutdown(fd, SHUT_RD);
  }
}

static void grant_wish(sim_server *server) {
  sim_wish wish = sim_device_wish(&server->device);
  if (wish.cut) sim_connections_cut(&server->connections);
  set_listening(server, wish.listening);
  if (wish.poll_ms) {
    struct timeval due = {.tv_sec = (time_t)(wish.poll_ms / 1000),
                          .tv_usec = (suseconds_t)(wish.poll_ms % 1000 * 1000)};
    event_add(server->poll, &due);
  }
}

static void poll_device(evutil_socket_t fd, short events, void *data) {
  (void)fd, (void)events;
  grant_wish(data);
}

static const char *method_name(enum evhttp_cmd_type type) {
  switch (type) {
  case EVHTTP_REQ_GET:
    return "GET";
  case EVHTTP_REQ_POST:
    return "POST";
  case EVHTTP_REQ_HEAD:
    return "HEAD";
  case EVHTTP_REQ_PUT:
    return "PUT";
  case EVHTTP_REQ_DELETE:
    return "DELETE";
  case EVHTTP_REQ_OPTIONS:
    return "OPTIONS";
  case EVHTTP_REQ_TRACE:
    return "TRACE";
  case EVHTTP_REQ_CONNECT:
    return "CONNECT";
  case EVHTTP_REQ_PATCH:
    return "PATCH";
  }
  return "UNKNOWN";
}

/* evhttp does not read the body of a GET or DELETE, and would read it as the next request.
 * Returns false if the body is not complete yet. Then only the end of the connection shows where
 * it ends. */
static bool skip_stray_body(struct evhttp_request *request, struct evhttp_connection *evcon) {
  switch (evhttp_request_get_command(request)) {
  case EVHTTP_REQ_POST:
  case EVHTTP_REQ_PUT:
  case EVHTTP_REQ_PATCH:
    return true;
  default:
    break;
  }
  const struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
  const char *length = evhttp_find_header(headers, "Content-Length");
  if (evhttp_find_header(headers, "Transfer-Encoding")) return false;
  if (!length) return true;
  unsigned long long stray = strtoull(length, NULL, 10);
  struct evbuffer *input = bufferevent_get_input(evhttp_connection_get_bufferevent(evcon));
  if (evbuffer_get_length(input) < stray) return false;
  evbuffer_drain(input, (size_t)stray);
  return true;
}

/* The address that the client connected to. Empty if the connection has gone. */
static void local_address(int fd, char *text, size_t size) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  *text = '\0';
  if (fd < 0 || getsockname(fd, (struct sockaddr *)&address, &length) != 0) return;
  getnameinfo((struct sockaddr *)&address, length, text, (socklen_t)size, NULL, 0, NI_NUMERICHOST);
}

/* Sends a complete answer, now or after its delay. */
static void deliver(pending *p) {
  sim_server *server = p->server;
  if (p->answer.wish) {
    struct timeval soon = {.tv_usec = 1000};
    event_add(server->poll, &soon);
  }
  /* evhttp must not lose a connection inside its callback: a reset waits for the next turn of the
   * loop. */
  if (p->answer.delay_ms || p->answer.reset) {
    struct timeval due = {.tv_sec = (time_t)(p->answer.delay_ms / 1000),
                          .tv_usec = (suseconds_t)(p->answer.delay_ms % 1000 * 1000)};
    p->timer = evtimer_new(server->base, pending_due, p);
    if (p->timer && evtimer_add(p->timer, &due) == 0) return;
  }
  send_answer(p);
}

static void go_on_soon(sim_server *server) {
  static const struct timeval next_turn = {0};
  event_add(server->go_on, &next_turn);
}

static void on_request(struct evhttp_request *request, void *data) {
  sim_server *server = data;
  uint64_t connection = sim_connection_number(request);
  struct evhttp_connection *evcon = evhttp_request_get_connection(request);
  pending *p = calloc(1, sizeof *p);
  if (p) p->answer.body = evbuffer_new();
  if (!p || !p->answer.body || !evcon) {
    if (p) pending_free(p);
    evhttp_send_error(request, HTTP_INTERNAL, NULL);
    return;
  }
  p->server = server;
  p->request = request;
  p->ticket = ++server->last_ticket;
  LIST_ADD(&server->pending, p);
  p->answer.headers = evhttp_request_get_output_headers(request);

  bool whole = skip_stray_body(request, evcon);
  char *remote = NULL;
  uint16_t remote_port = 0;
  evhttp_connection_get_peer(evcon, &remote, &remote_port);
  char local[64];
  local_address(bufferevent_getfd(evhttp_connection_get_bufferevent(evcon)), local, sizeof local);
  sim_request in = {
      .method = method_name(evhttp_request_get_command(request)),
      .target = evhttp_request_get_uri(request),
      .remote = remote ? remote : "",
      .local = local,
      .minor = (unsigned char)request->minor,
      .headers = evhttp_request_get_input_headers(request),
      .body = evhttp_request_get_input_buffer(request),
      .connection = connection,
      .ticket = p->ticket,
  };
  sim_device_handle(&server->device, &in, &p->answer);
  if (!whole) p->answer.close = true;
  if (p->answer.go_on) go_on_soon(server);
  if (!p->answer.later) deliver(p);
}

static sim_answer *find_answer(void *owner, uint64_t ticket) {
  for (pending *p = ((sim_server *)owner)->pending; p; p = p->next)
    if (p->ticket == ticket) return &p->answer;
  return NULL;
}

/* Sends the answer of the request with this ticket if it is complete. 0: of none. */
static void deliver_ticket(sim_server *server, uint64_t ticket) {
  for (pending *p = ticket ? server->pending : NULL; p; p = p->next) {
    if (p->ticket != ticket) continue;
    if (!p->answer.later) deliver(p);
    return;
  }
}

/* Another device has answered a call of this one. */
static void on_answered(void *owner, uint64_t number, int status, const char *body, size_t length) {
  sim_server *server = owner;
  deliver_ticket(server, sim_device_answered(&server->device, number, status, body, length,
                                             find_answer, server));
}

/* Hands the device what was found, and sends the answer that this completes. What the device has
 * left to do waits for the next turn of the loop, when the answer has left. */
static void hand_over(sim_server *server, uint64_t number, const sim_found *found) {
  bool more = false;
  uint64_t ticket = sim_device_found(&server->device, number, found, find_answer, server, &more);
  deliver_ticket(server, ticket);
  if (more) go_on_soon(server);
}

static void go_on(evutil_socket_t fd, short events, void *data) {
  (void)fd, (void)events;
  static const sim_found nothing = {.body = ""};
  hand_over(data, 0, &nothing);
}

static void take_from_source(sim_server *server) {
  sim_found found;
  while (server->source && sim_source_next_found(server->source, &found)) {
    hand_over(server, found.number, &found);
    sim_found_clear(&found);
  }
}

static void on_woken(void *owner) {
  sim_device_woken(&((sim_server *)owner)->device);
}

static void on_wake(evutil_socket_t fd, short events, void *data) {
  (void)events;
  sim_server *server = data;
  eventfd_t count;
  eventfd_read(fd, &count);
  bool called = false;
  take_from_source(server);
  pthread_mutex_lock(&server->lock);
  while (server->calls) {
    call *c = server->calls;
    server->calls = c->next;
    pthread_mutex_unlock(&server->lock);
    c->result =
        sim_device_call(&server->device, c->name, c->text, c->length, &c->result_length, &c->ok);
    grant_wish(server);
    called = true;
    pthread_mutex_lock(&server->lock);
    c->done = true;
  }
  if (called) pthread_cond_broadcast(&server->answered);
  if (server->stopping) event_base_loopbreak(server->base);
  pthread_mutex_unlock(&server->lock);
}

/* evhttp uses the argument of the listener, so its error callback finds its server here. */
static _Thread_local sim_server *serving;

/* Usually out of descriptors. The connection stays in the queue, and without a pause libevent would
 * try forever. */
static void cannot_accept(struct evconnlistener *listener, void *data) {
  (void)data;
  struct timeval pause = {.tv_usec = 100000};
  int reason = EVUTIL_SOCKET_ERROR();
  if (!serving->starved)
    fprintf(stderr, "sim: cannot accept connections for now: %s\n",
            evutil_socket_error_to_string(reason));
  serving->starved = true;
  evconnlistener_disable(listener);
  event_add(serving->retry_accept, &pause);
}

static void retry_accept(evutil_socket_t fd, short events, void *data) {
  (void)fd, (void)events;
  sim_server *server = data;
  if (server->listening) evconnlistener_enable(evhttp_bound_socket_get_listener(server->bound));
}

static void *run(void *data) {
  sim_server *server = data;
  serving = server;
  event_base_dispatch(server->base);
  return NULL;
}

/* Each device of a fleet has a certificate for its address (SSL_CTX_set_cert_cb(3)). */
static int certify(SSL *ssl, void *data) {
  const sim_server *server = data;
  char address[64];
  local_address(SSL_get_fd(ssl), address, sizeof address);
  return strcmp(address, "127.0.0.1") == 0 ||
         sim_authority_certify_connection(server->authority, ssl, address);
}

static bool tls_setup(sim_server *server, const sim_options *options, char *error, size_t size) {
  SSL_CTX *tls = server->connections.tls = SSL_CTX_new(TLS_server_method());
  if (!tls) {
    snprintf(error, size, "cannot create a TLS context");
    return false;
  }
  SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
  SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_id_context(tls, (const unsigned char *)"f5lua", 5);
  if (!options->cert) {
    server->authority = sim_authority_new(server->ca, sizeof server->ca, error, size);
    if (!server->authority) return false;
    if (options->fleet) SSL_CTX_set_cert_cb(tls, certify, server);
    if (sim_authority_certify(server->authority, tls, options->hostname, options->bind))
      return true;
    snprintf(error, size, "cannot create a certificate");
    return false;
  }
  snprintf(server->ca, sizeof server->ca, "%s", options->cert);
  if (SSL_CTX_use_certificate_chain_file(tls, options->cert) == 1 &&
      SSL_CTX_use_PrivateKey_file(tls, options->key ? options->key : options->cert,
                                  SSL_FILETYPE_PEM) == 1 &&
      SSL_CTX_check_private_key(tls) == 1) {
    return true;
  }
  char reason[160];
  ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
  snprintf(error, size, "cannot use certificate %s with key %s: %s", options->cert,
           options->key ? options->key : options->cert, reason);
  return false;
}

static bool http_setup(sim_server *server, const sim_options *options, char *error, size_t size) {
  server->base = event_base_new();
  server->http = server->base ? evhttp_new(server->base) : NULL;
  server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (!server->http || server->wake_fd < 0) {
    snprintf(error, size, "cannot create an event loop");
    return false;
  }
  server->wake = event_new(server->base, server->wake_fd, EV_READ | EV_PERSIST, on_wake, server);
  server->poll = evtimer_new(server->base, poll_device, server);
  server->go_on = evtimer_new(server->base, go_on, server);
  server->retry_accept = evtimer_new(server->base, retry_accept, server);
  if (!server->wake || !server->poll || !server->go_on || !server->retry_accept ||
      event_add(server->wake, NULL) != 0) {
    snprintf(error, size, "not enough memory");
    return false;
  }
  server->connections.ended = connection_ended;
  server->connections.owner = server;
  evhttp_set_bevcb(server->http, sim_connection_accept, &server->connections);
  evhttp_set_gencb(server->http, on_request, server);
  evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                                               EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                                               EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
                                               EVHTTP_REQ_PATCH);
  evhttp_set_max_headers_size(server->http, MAX_HEADERS);
  evhttp_set_max_body_size(
      server->http, (ev_ssize_t)(options->body_limit ? options->body_limit : (size_t)64 << 20));
  evhttp_set_timeout(server->http, IDLE_SECONDS);
  const char *address = options->fleet  ? SIM_SOCKET_FLEET
                        : options->bind ? options->bind
                                        : "127.0.0.1";
  int fd = sim_socket_open(address, options->port, &server->port, error, size);
  if (fd < 0) return false;
  struct evconnlistener *listener = evconnlistener_new(
      server->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
  if (!listener) close(fd);
  server->bound = listener ? evhttp_bind_listener(server->http, listener) : NULL;
  if (server->bound) evconnlistener_set_error_cb(listener, cannot_accept);
  server->listening = server->bound != NULL;
  if (!server->bound) snprintf(error, size, "not enough memory");
  return server->bound != NULL;
}

static bool outside_setup(sim_server *server, const sim_options *options, char *error,
                          size_t size) {
  server->outgoing = sim_outgoing_new(server->base, server->port, on_answered, on_woken, server);
  if (options->source) server->source = sim_source_new();
  bool complete = server->outgoing && (server->source || !options->source);
  if (!complete) snprintf(error, size, "not enough memory");
  return complete;
}

static void server_free(sim_server *server) {
  while (server->pending) {
    struct evhttp_request *request = server->pending->request;
    pending *p = server->pending;
    if (!evhttp_request_get_connection(request)) evhttp_request_free(request);
    pending_unlink(p);
    pending_free(p);
  }
  sim_outgoing_free(server->outgoing);
  if (server->http) evhttp_free(server->http);
  if (server->wake) event_free(server->wake);
  if (server->poll) event_free(server->poll);
  if (server->retry_accept) event_free(server->retry_accept);
  if (server->go_on) event_free(server->go_on);
  if (server->base) event_base_free(server->base);
  if (server->wake_fd >= 0) close(server->wake_fd);
  SSL_CTX_free(server->connections.tls);
  sim_device_close(&server->device);
  sim_source_free(server->source);
  if (server->authority) unlink(server->ca);
  sim_authority_free(server->authority);
  pthread_cond_destroy(&server->answered);
  pthread_mutex_destroy(&server->lock);
  free(server);
}

static bool thread_start(sim_server *server) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  /* The main thread handles the signals of the program. A broken pipe affects only one call. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  server->running = pthread_attr_setstacksize(&attributes, STACK_SIZE) == 0 &&
                    pthread_create(&server->thread, &attributes, run, server) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return server->running;
}

sim_server *sim_server_start(const sim_options *options, char *error, size_t size) {
  sim_server *server = calloc(1, sizeof *server);
  if (!server) {
    snprintf(error, size, "not enough memory");
    return NULL;
  }
  server->wake_fd = -1;
  pthread_mutex_init(&server->lock, NULL);
  pthread_cond_init(&server->answered, NULL);
  if (http_setup(server, options, error, size) && tls_setup(server, options, error, size) &&
      outside_setup(server, options, error, size) &&
      sim_device_open(&server->device, options->open, options->device,
                      (sim_outside){server->outgoing, server->source}, error, size)) {
    grant_wish(server);
    if (thread_start(server)) return server;
    snprintf(error, size, "cannot start a thread");
  }
  server_free(server);
  return NULL;
}

uint16_t sim_server_port(const sim_server *server) {
  return server->port;
}

const char *sim_server_ca(const sim_server *server) {
  return server->ca;
}

sim_source *sim_server_source(const sim_server *server) {
  return server->source;
}

bool sim_server_answer(sim_server *server, uint64_t number, int status, const char *body,
                       size_t length) {
  bool kept = sim_source_answer(server->source, number, status, body, length);
  eventfd_write(server->wake_fd, 1);
  return kept;
}

char *sim_server_call(sim_server *server, const char *name, const char *text, size_t length,
                      size_t *result_length, bool *ok) {
  call c = {.name = name, .text = text, .length = length};
  pthread_mutex_lock(&server->lock);
  call **last = &server->calls;
  while (*last)
    last = &(*last)->next;
  *last = &c;
  eventfd_write(server->wake_fd, 1);
  while (!c.done)
    pthread_cond_wait(&server->answered, &server->lock);
  pthread_mutex_unlock(&server->lock);
  if (result_length) *result_length = c.result_length;
  *ok = c.ok;
  return c.result;
}

void sim_server_stop(sim_server *server) {
  if (!server) return;
  pthread_mutex_lock(&server->lock);
  server->stopping = true;
  pthread_mutex_unlock(&server->lock);
  eventfd_write(server->wake_fd, 1);
  if (server->running) pthread_join(server->thread, NULL);
  server_free(server);
}
