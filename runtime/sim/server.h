/* The HTTPS server of a simulated device. It has its own thread and its own Lua state. A process
 * can have any number of servers.
 *
 *   sim_server *s = sim_server_start(&options, error, sizeof error);
 *   char *text = sim_server_call(s, "advance", "1200", &ok);   // runs on the server's thread
 *   free(text);
 *   sim_server_stop(s);
 *
 * Each request calls the Lua function `handle` that `require "sim.boot"` created (see
 * lualib/sim/boot.lua). Everything about BIG-IP is there; this file knows only HTTP. The functions
 * can be called from any thread except the server's own. */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "sim/source.h"

typedef struct sim_server sim_server;

/* Strings are copied; NULL or 0 means the default. */
typedef struct sim_options {
  const char *bind; /* address to listen on; default 127.0.0.1 */
  uint16_t port;    /* 0: any free port */
  /* Also in the certificate, with localhost and the loopback addresses. */
  const char *hostname;
  /* PEM file: certificate chain of the server. NULL: creates one, with its own CA. */
  const char *cert;
  const char *key;    /* PEM file: its private key */
  const char *device; /* options of the device as JSON, for sim.boot; default {} */
  /* Listens on all of 127.0.0.0/8. The device distinguishes its members by address. */
  bool fleet;
  /* The device learns from somebody else what it has (see sim/source.h). */
  bool source;
  size_t body_limit; /* maximum size of a request body, bytes; default 64 MiB */
  /* Required. Makes Lua's `require` find f5.json and the embedded modules in a new state that has
   * the standard libraries. */
  lua_CFunction open;
} sim_options;

/* Listens, creates the device and starts the thread. NULL and a message on failure. */
sim_server *sim_server_start(const sim_options *options, char *error, size_t size);

uint16_t sim_server_port(const sim_server *server);
/* Path of a PEM file with the certificate that clients should trust: `cert` if it was given, else a
 * file that sim_server_stop removes. */
const char *sim_server_ca(const sim_server *server);

/* Calls `call(name, text)` of sim.boot on the server's thread, between two requests, and waits.
 * Returns its text, which the caller frees; or sets *ok to false and returns the message of its
 * error. NULL if the server is stopped or out of memory. */
char *sim_server_call(sim_server *server, const char *name, const char *text, size_t length,
                      size_t *result_length, bool *ok);

/* The source of the device; NULL without the option. It ends with the server. */
sim_source *sim_server_source(const sim_server *server);
/* Answers what the device asked its source for, see sim_source_answer. */
bool sim_server_answer(sim_server *server, uint64_t number, int status, const char *body,
                       size_t length);

/* Ends the thread, closes everything, frees the server. Requests in progress get no answer. */
void sim_server_stop(sim_server *server);

#endif
