#include "sim/connection.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>

#include "base/list.h"

/* Belongs to the SSL object (its ex_data) and is freed with it. */
struct sim_connection {
  sim_connection *next, **link; /* in connections->first */
  uint64_t number;
  struct bufferevent *bev;
  struct evhttp_connection *evcon; /* NULL before its first request, and after its end */
  sim_connections *connections;
  bool ended; /* evhttp has given it up; libevent frees bev and SSL later */
};

static int slot = -1; /* of SSL's ex_data */
static pthread_once_t slot_once = PTHREAD_ONCE_INIT;

static void connection_free(void *parent, void *data, CRYPTO_EX_DATA *ad, int index, long argl,
                            void *argp) {
  (void)parent, (void)ad, (void)index, (void)argl, (void)argp;
  sim_connection *c = data;
  if (!c) return;
  LIST_REMOVE(c);
  free(c);
}

static void slot_make(void) {
  slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, connection_free);
}

static void ended(struct evhttp_connection *evcon, void *data) {
  sim_connection *c = data;
  c->evcon = NULL;
  c->ended = true;
  c->connections->ended(c->connections->owner, evcon);
}

uint64_t sim_connection_number(struct evhttp_request *request) {
  struct evhttp_connection *evcon = evhttp_request_get_connection(request);
  if (!evcon) return 0;
  SSL *ssl = bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(evcon));
  sim_connection *c = ssl ? SSL_get_ex_data(ssl, slot) : NULL;
  if (!c) return 0;
  if (!c->evcon) {
    c->evcon = evcon;
    evhttp_connection_set_closecb(evcon, ended, c);
  }
  return c->number;
}

/* Adds the connection to the list only when SSL has it: then connection_free removes it. */
static sim_connection *connection_new(sim_connections *all, SSL *ssl) {
  sim_connection *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  if (SSL_set_ex_data(ssl, slot, c) != 1) {
    free(c);
    return NULL;
  }
  c->number = ++all->last;
  c->connections = all;
  LIST_ADD(&all->first, c);
  return c;
}

struct bufferevent *sim_connection_accept(struct event_base *base, void *connections) {
  sim_connections *all = connections;
  pthread_once(&slot_once, slot_make);
  SSL *ssl = SSL_new(all->tls);
  sim_connection *c = ssl ? connection_new(all, ssl) : NULL;
  struct bufferevent *bev = NULL;
  if (c)
    bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                         BEV_OPT_CLOSE_ON_FREE);
  if (!bev) {
    SSL_free(ssl);
    return NULL;
  }
  c->bev = bev;
  /* Clients often close TCP without a close_notify. That is an end, not an error. */
  bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
  return bev;
}

/* -- abnormal ends -- */

static void reset_on_close(struct bufferevent *bev) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(bufferevent_getfd(bev), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void sim_connection_reset(struct evhttp_connection *evcon) {
  reset_on_close(evhttp_connection_get_bufferevent(evcon));
  sim_connection_break_off(evcon, NULL);
}

void sim_connection_break_off(struct evhttp_connection *evcon, void *unused) {
  (void)unused;
  SSL *ssl = bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(evcon));
  if (ssl) SSL_set_quiet_shutdown(ssl, 1); /* no close_notify */
  evhttp_connection_free(evcon);
}

void sim_connections_cut(sim_connections *connections) {
  sim_connection *next;
  for (sim_connection *c = connections->first; c; c = next) {
    next = c->next;
    if (c->evcon) {
      sim_connection_reset(c->evcon);
    } else if (!c->ended) {
      reset_on_close(c->bev);
      shutdown(bufferevent_getfd(c->bev), SHUT_RDWR); /* evhttp notices the end and frees it */
    }
  }
}
