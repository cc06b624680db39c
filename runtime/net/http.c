/* Peers, their queues, and the network part of the loop. http_transfer.c handles a single
 * exchange. */
#include "net/http.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <netinet/in.h>

#include "net/http_memory.h"
#include "net/http_sockets.h"
#include "net/http_transfer.h"
#include "net/loop_network.h"

enum { POLL_MS = 50 };

struct http_peer {
  unsigned references;
  loop *l;
  http_peer_settings settings;
  unsigned active;
  http_transfer *idle;
  void (*answer)(void *data, http_request *request); /* instead of the network; or NULL */
  void *answer_data;
  http_request *queue, **queue_end; /* waiting requests, in order */
};

typedef struct network {
  loop_network face; /* the first member: the loop knows only this */
  loop *l;
  CURLM *multi;   /* NULL if libcurl could not create one */
  bool untracked; /* libcurl lost track of what it waits for */
  bool ran;       /* libcurl ran in this turn, and checked its timers */
  http_transfer *running;
  /* Running transfers that libcurl has worked on since `act` began. */
  http_transfer *ran_list;
  http_transfer *cursor;  /* the next one for report_progress */
  bool initialised;       /* libcurl is initialised, or that failed */
  unsigned with_progress; /* number of running transfers with a progress callback */
  /* These have their result, but `done` was not called yet. */
  http_request *finished, **finished_end;
  uint64_t connections;
} network;

/* -- SIGPIPE -- */

static void ignore_sigpipe(int signal) {
  (void)signal;
}

/* OpenSSL writes with write(2). Use a handler: programs that the script starts would inherit
 * SIG_IGN. */
static void catch_sigpipe(void) {
  struct sigaction action;
  if (sigaction(SIGPIPE, NULL, &action) != 0 || action.sa_handler != SIG_DFL) return;
  memset(&action, 0, sizeof action);
  action.sa_handler = ignore_sigpipe;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGPIPE, &action, NULL);
}

/* -- results -- */

/* Microseconds since 1970. */
static uint64_t clock_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void queue_result(network *net, http_request *request) {
  request->finished = loop_now(net->l);
  request->transfer = NULL;
  request->next = NULL;
  *net->finished_end = request;
  net->finished_end = &request->next;
}

static void fail(network *net, http_request *request, const char *words) {
  request->failure = HTTP_INTERNAL;
  snprintf(request->error, sizeof request->error, "%s",
           words[0] != '\0' ? words : "not enough memory");
  queue_result(net, request);
}

static bool unlink_request(http_request **list, http_request ***end, http_request *request) {
  for (http_request **place = list; *place; place = &(*place)->next)
    if (*place == request) {
      *place = request->next;
      if (*end == &request->next) *end = place;
      return true;
    }
  return false;
}

/* -- running -- */

static void link_running(network *net, http_transfer *transfer) {
  transfer->prev = NULL;
  transfer->ran = &net->ran_list;
  transfer->next = net->running;
  if (net->running) net->running->prev = transfer;
  net->running = transfer;
  net->with_progress += transfer->request->progress != NULL;
}

static void unlink_running(network *net, http_transfer *transfer) {
  if (net->cursor == transfer) net->cursor = transfer->next;
  if (transfer->prev)
    transfer->prev->next = transfer->next;
  else
    net->running = transfer->next;
  if (transfer->next) transfer->next->prev = transfer->prev;
  net->with_progress -= transfer->request->progress != NULL;
}

/* A handle whose exchange failed is not reused. libcurl 7.88 leaves the buffers of the request in
 * it if a name could not be resolved, and then refuses the options of the next request. */
static void put_back(http_peer *peer, http_transfer *transfer, bool failed) {
  peer->active--;
  if (failed) {
    http_transfer_delete(transfer);
    return;
  }
  transfer->next = peer->idle;
  peer->idle = transfer;
}

static http_transfer *take_idle(http_peer *peer, char *error) {
  http_transfer *transfer = peer->idle;
  if (!transfer) return http_transfer_new(&peer->settings, error);
  peer->idle = transfer->next;
  return transfer;
}

static void start(network *net, http_peer *peer, http_request *request) {
  char error[CURL_ERROR_SIZE];
  http_transfer *transfer = take_idle(peer, error);
  request->started = loop_now(net->l);
  if (request->timed) request->times.started = clock_time();
  if (!transfer) {
    fail(net, request, error);
    return;
  }
  peer->active++;
  if (!http_transfer_bind(transfer, request, &peer->settings)) {
    fail(net, request, transfer->error);
  } else {
    CURLMcode code = curl_multi_add_handle(net->multi, transfer->easy);
    if (code == CURLM_OK) {
      request->transfer = transfer;
      link_running(net, transfer);
      return;
    }
    fail(net, request, curl_multi_strerror(code));
  }
  http_transfer_unbind(transfer);
  put_back(peer, transfer, true);
}

static void start_queued(network *net, http_peer *peer) {
  while (peer->queue && peer->active < peer->settings.options.parallel) {
    http_request *request = peer->queue;
    peer->queue = request->next;
    if (!peer->queue) peer->queue_end = &peer->queue;
    start(net, peer, request);
  }
  loop_perform_soon(net->l);
}

static http_transfer *transfer_of(CURL *easy) {
  char *private = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
  return (http_transfer *)(void *)private;
}

/* Removes a handle. libcurl runs it once more while it does that. */
static void remove_from_libcurl(network *net, http_transfer *transfer) {
  curl_multi_remove_handle(net->multi, transfer->easy);
  for (; net->ran_list; net->ran_list = net->ran_list->next_ran)
    net->ran_list->listed = false;
  unlink_running(net, transfer);
}

/* Takes the result of an exchange that libcurl has finished. */
static void collect(network *net, CURL *easy, CURLcode code) {
  http_transfer *transfer = transfer_of(easy);
  http_request *request = transfer->request;
  http_peer *peer = request->peer;
  long connects = 0;
  remove_from_libcurl(net, transfer);
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
  net->connections += (uint64_t)connects;
  http_transfer_collect(transfer, code);
  queue_result(net, request);
  put_back(peer, transfer, request->failure != HTTP_OK);
  start_queued(net, peer);
}

static int report_progress(network *net) {
  int called = 0;
  if (net->with_progress == 0) return 0;
  for (http_transfer *transfer = net->running; transfer; transfer = net->cursor) {
    http_request *request = transfer->request;
    net->cursor = transfer->next;
    if (!request->progress) continue;
    uint64_t sent, received;
    http_transfer_progress(transfer, &sent, &received);
    if (sent + received == transfer->reported) continue;
    transfer->reported = sent + received;
    request->progress(request, sent,
                      received); /* may cancel any request; unlink_running moves the cursor */
    called++;
  }
  net->cursor = NULL;
  return called;
}

static int call_done(network *net) {
  int called = 0;
  /* Only those in the list now: a callback that submits requests which fail at once must not block
   * the turn. */
  unsigned budget = 0;
  for (http_request *request = net->finished; request; request = request->next)
    budget++;
  for (; budget > 0 && net->finished; budget--) {
    http_request *request = net->finished;
    http_peer *peer = request->peer;
    net->finished = request->next;
    if (!net->finished) net->finished_end = &net->finished;
    request->peer = NULL;
    request->done(request); /* may free the request, and submit or cancel others */
    http_peer_release(peer);
    called++;
  }
  if (net->finished) loop_perform_soon(net->l);
  return called;
}

static void socket_action(network *net, curl_socket_t fd, int bits) {
  int running = 0;
  if (curl_multi_socket_action(net->multi, fd, bits, &running) != CURLM_OK) net->untracked = true;
}

/* OpenSSL reads ahead. After libcurl has taken one of several records that arrived together, the
 * socket is empty and does not report the others. So ask each exchange that libcurl worked on
 * whether there is more, until there is none. */
static void act(network *net, curl_socket_t fd, int bits) {
  socket_action(net, fd, bits);
  for (http_transfer *transfer; (transfer = net->ran_list);) {
    net->ran_list = transfer->next_ran;
    transfer->listed = false;
    if (transfer->fd != CURL_SOCKET_BAD && http_transfer_read_ahead(transfer))
      socket_action(net, transfer->fd, CURL_CSELECT_IN);
  }
}

/* If memory runs out, libcurl forgets which socket or time an exchange waits for. Until the running
 * exchanges have ended, ask it to check all of them from time to time. */
static void poll_all(network *net) {
  int running = 0;
  curl_multi_perform(net->multi, &running);
  act(net, CURL_SOCKET_TIMEOUT, 0);
  net->face.due = loop_now(net->l) + POLL_MS;
}

static int network_perform(loop_network *face) {
  network *net = (network *)face;
  int left = 0;
  if (net->multi) {
    if (face->due == 0 || (!net->ran && face->due != LOOP_NEVER && face->due <= loop_now(net->l))) {
      face->due = LOOP_NEVER; /* libcurl sets it again */
      act(net, CURL_SOCKET_TIMEOUT, 0);
    }
    net->ran = false;
    if (net->untracked) poll_all(net);
    for (CURLMsg *message; (message = curl_multi_info_read(net->multi, &left));)
      if (message->msg == CURLMSG_DONE) collect(net, message->easy_handle, message->data.result);
    if (net->untracked && !net->running) net->untracked = false;
  }
  return report_progress(net) + call_done(net);
}

static void network_ready(loop_network *face, int fd, unsigned events) {
  network *net = (network *)face;
  net->ran = true;
  act(net, fd,
      (events & LOOP_READ ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

/* -- what libcurl waits for -- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *unused) {
  network *net = user;
  http_transfer *transfer = transfer_of(easy);
  (void)unused;
  if (what != CURL_POLL_REMOVE) {
    unsigned events =
        (what & CURL_POLL_IN ? LOOP_READ : 0u) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0u);
    transfer->fd = fd;
    /* If memory runs out (only for the resolver's socket, which is not ours), the exchange waits
     * for its time limit. If this returned an error, libcurl would end all exchanges and not report
     * it. */
    loop_socket_watch(net->l, fd, events);
    return 0;
  }
  if (transfer && transfer->fd == fd) transfer->fd = CURL_SOCKET_BAD;
  /* A socket over which an answer came is closed through http_sockets_close. For others, libcurl
   * 7.88 may not call it. */
  if (transfer && transfer->answering && http_sockets_find(transfer->sockets, fd))
    loop_socket_pause(net->l, fd);
  else
    loop_socket_unwatch(net->l, fd);
  return 0;
}

static int on_timer(CURLM *multi, long delay_ms, void *user) {
  network *net = user;
  (void)multi;
  net->face.due = delay_ms < 0    ? LOOP_NEVER
                  : delay_ms == 0 ? 0
                                  : loop_now(net->l) + (uint64_t)delay_ms;
  return 0;
}

static bool network_busy(const loop_network *face) {
  const network *net = (const network *)face;
  return net->running || net->finished;
}

static void network_destroy(loop_network *face) {
  network *net = (network *)face;
  if (net->multi) curl_multi_cleanup(net->multi);
  free(net);
}

/* How many connections libcurl keeps open between requests. By default it keeps four for each
 * running request, and a fleet would lose its connections. */
static long connections_to_keep(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1024;
  rlim_t half = limit.rlim_cur / 2;
  return half < 16 ? 16 : half > 4096 ? 4096 : (long)half;
}

static bool network_attach(loop *l) {
  if (loop_attached(l)) return true;
  network *net = calloc(1, sizeof *net);
  if (!net) return false;
  net->l = l;
  net->finished_end = &net->finished;
  net->face.perform = network_perform;
  net->face.busy = network_busy;
  net->face.destroy = network_destroy;
  net->face.ready = network_ready;
  net->face.due = LOOP_NEVER;
  loop_attach(l, &net->face);
  return true;
}

/* The network of a loop that has a peer. The first request initialises libcurl. */
static network *network_of(loop *l) {
  network *net = (network *)loop_attached(l);
  if (net->initialised) return net;
  net->initialised = true;
  catch_sigpipe();
  if (http_memory_init()) net->multi = curl_multi_init();
  if (net->multi) {
    curl_multi_setopt(net->multi, CURLMOPT_MAXCONNECTS, connections_to_keep());
    curl_multi_setopt(net->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(net->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(net->multi, CURLMOPT_SOCKETDATA, net);
    curl_multi_setopt(net->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(net->multi, CURLMOPT_TIMERDATA, net);
  }
  return net;
}

/* -- peers -- */

http_peer *http_peer_new(loop *l, const http_peer_options *options) {
  http_peer *peer = network_attach(l) ? calloc(1, sizeof *peer) : NULL;
  if (!peer) return NULL;
  peer->references = 1;
  peer->l = l;
  peer->queue_end = &peer->queue;
  if (!http_settings_init(&peer->settings, l, options)) {
    free(peer);
    return NULL;
  }
  return peer;
}

const http_peer_options *http_peer_options_of(const http_peer *peer) {
  return &peer->settings.options;
}

const http_trust *http_peer_trust(const http_peer *peer) {
  return peer->settings.trust;
}

http_peer *http_peer_retain(http_peer *peer) {
  peer->references++;
  return peer;
}

static bool port_in_use(const network *net, int port) {
  for (const http_transfer *transfer = net->running; transfer; transfer = transfer->next)
    if (transfer->local_port == port) return true;
  return false;
}

static int local_port(curl_socket_t fd) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } address;
  socklen_t length = sizeof address;
  if (getsockname(fd, &address.any, &length) != 0) return 0;
  return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* libcurl has no function for this, but it notices connections that died, and drops them.
 * Connections that another peer is using stay. */
static void close_idle_connections(http_peer *peer) {
  http_sockets *sockets = peer->settings.sockets;
  const network *net = (const network *)loop_attached(peer->l);
  http_sockets_check(sockets);
  if (sockets->count == 0) {
    free(sockets->list);
    free(sockets);
    return;
  }
  sockets->orphan = true;
  for (unsigned i = 0; i < sockets->count; i++)
    if (!net || !port_in_use(net, local_port(sockets->list[i].fd)))
      shutdown(sockets->list[i].fd, SHUT_RDWR);
}

void http_peer_release(http_peer *peer) {
  if (!peer || --peer->references > 0) return;
  while (peer->idle) {
    http_transfer *transfer = peer->idle;
    peer->idle = transfer->next;
    http_transfer_delete(transfer);
  }
  close_idle_connections(peer);
  http_settings_clear(&peer->settings);
  free(peer);
}

/* -- requests -- */

void http_peer_answer(http_peer *peer, void (*answer)(void *data, http_request *request),
                      void *data) {
  peer->answer = answer;
  peer->answer_data = data;
}

/* Without libcurl: a replay needs no network. */
static void answer_at_once(http_peer *peer, http_request *request) {
  network *net = (network *)loop_attached(peer->l);
  request->started = loop_now(peer->l);
  if (request->timed) request->times.started = clock_time();
  peer->answer(peer->answer_data, request);
  queue_result(net, request);
}

void http_submit(http_peer *peer, http_request *request) {
  request->failure = HTTP_OK;
  request->untrusted = false;
  request->error[0] = '\0';
  request->status = 0;
  request->sent = request->reused = false;
  request->answer = request->answer_headers = NULL;
  request->answer_length = 0;
  request->bytes_sent = request->bytes_received = 0;
  request->started = request->finished = 0;
  request->sink_length = 0;
  request->times = (http_times){.submitted = request->timed ? clock_time() : 0};
  request->transfer = NULL;
  request->next = NULL;
  request->peer = http_peer_retain(peer);
  loop_perform_soon(peer->l);
  if (peer->answer) {
    answer_at_once(peer, request);
    return;
  }
  network *net = network_of(peer->l);
  if (!net->multi) {
    request->started = loop_now(peer->l);
    fail(net, request, "cannot initialise libcurl");
  } else if (peer->active < peer->settings.options.parallel && !peer->queue) {
    start(net, peer, request);
  } else {
    *peer->queue_end = request;
    peer->queue_end = &request->next;
  }
}

void http_cancel(http_request *request) {
  http_peer *peer = request->peer;
  if (!peer) return;
  network *net = network_of(peer->l);
  http_transfer *transfer = request->transfer;
  if (transfer) {
    remove_from_libcurl(net, transfer);
    http_transfer_collect(transfer, CURLE_ABORTED_BY_CALLBACK);
    put_back(peer, transfer, true);
    start_queued(net, peer);
  } else if (!unlink_request(&peer->queue, &peer->queue_end, request)) {
    unlink_request(&net->finished, &net->finished_end, request);
  }
  request->transfer = NULL;
  request->peer = NULL;
  request->failure = HTTP_CANCELLED;
  snprintf(request->error, sizeof request->error, "cancelled");
  request->finished = loop_now(peer->l);
  if (!transfer && request->started == 0)
    request->started = request->finished; /* it was still queued */
  http_peer_release(peer);
}

uint64_t http_connections_opened(const loop *l) {
  const network *net = (const network *)loop_attached(l);
  return net ? net->connections : 0;
}
