/* The TLS connections of a simulated device's server, from the handshake to the end, and how they
 * may end badly. evhttp knows a connection only from its first request on, and frees it when it
 * likes; this keeps track. */
#ifndef SIM_CONNECTION_H
#define SIM_CONNECTION_H

#include <stdint.h>

#include <event2/event.h>
#include <event2/http.h>
#include <openssl/ssl.h>

typedef struct sim_connection sim_connection;

typedef struct sim_connections {
  SSL_CTX *tls;
  /* evhttp is about to free the connection, and with it the requests that still belong to it. */
  void (*ended)(void *owner, struct evhttp_connection *evcon);
  void *owner;
  sim_connection *first; /* of those that live */
  uint64_t last;         /* number */
} sim_connections;

/* For evhttp_set_bevcb, with the sim_connections: evhttp asks for the bufferevent of a connection
 * that it is about to accept. Must outlive the evhttp. */
struct bufferevent *sim_connection_accept(struct event_base *base, void *connections);

/* The number of the connection that a request came on, counted from 1; 0 when it has ended. */
uint64_t sim_connection_number(struct evhttp_request *request);

/* Ends a connection so that the peer sees a reset and not an orderly end. Not inside of evhttp's
 * callbacks. */
void sim_connection_reset(struct evhttp_connection *evcon);

/* … so that the peer sees TCP end, and no end of TLS: a device that died says nothing. A callback
 * of evhttp. */
void sim_connection_break_off(struct evhttp_connection *evcon, void *unused);

/* Resets all, also those in their handshake. */
void sim_connections_cut(sim_connections *connections);

#endif
