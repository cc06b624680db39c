/* The TLS connections of a simulated device's server, from the handshake to the end, including
 * abnormal ends. evhttp knows a connection only after its first request, and frees it whenever it
 * wants; this module keeps track. */
#ifndef SIM_CONNECTION_H
#define SIM_CONNECTION_H

#include <stdint.h>

#include <event2/event.h>
#include <event2/http.h>
#include <openssl/ssl.h>

typedef struct sim_connection sim_connection;

typedef struct sim_connections {
  SSL_CTX *tls;
  /* evhttp is about to free the connection and its remaining requests. */
  void (*ended)(void *owner, struct evhttp_connection *evcon);
  void *owner;
  sim_connection *first; /* the list of open connections */
  uint64_t last;         /* the last number used */
} sim_connections;

/* For evhttp_set_bevcb, with the sim_connections as argument: evhttp asks for the bufferevent of a
 * connection that it is about to accept. Must outlive the evhttp. */
struct bufferevent *sim_connection_accept(struct event_base *base, void *connections);

/* The number of the connection that a request came over, from 1. 0 if it has ended. */
uint64_t sim_connection_number(struct evhttp_request *request);

/* Ends a connection with a reset instead of an orderly close. Do not call it inside callbacks of
 * evhttp. */
void sim_connection_reset(struct evhttp_connection *evcon);

/* Ends a connection with a close of TCP, but not of TLS, like a device that died. A callback for
 * evhttp. */
void sim_connection_break_off(struct evhttp_connection *evcon, void *unused);

/* Resets all connections, even during their handshake. */
void sim_connections_cut(sim_connections *connections);

#endif
