/* The HTTPS server under a simulated device: an own thread, an own Lua state, any number of servers
 * in a process.
 *
 *   sim_server *s = sim_server_start(&options, error, sizeof error);
 *   char *text = sim_server_call(s, "advance", "1200", &ok);   // runs on the server's thread;
 * free(text) sim_server_stop(s);
 *
 * Every request becomes one call of the Lua function `handle` that `require "sim.boot"` made (see
 * lualib/sim/boot.lua). Everything about BIG-IPs is there; this file only knows HTTP. The functions
 * here may be called from any thread but the server's own.
 */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

typedef struct sim_server sim_server;

/* Strings are copied; NULL or 0 means the default. */
typedef struct sim_options {
  const char *bind; /* address to listen on; default 127.0.0.1 */
  uint16_t port;    /* 0: a free one */
  const char
      *hostname; /* also named by the certificate, beside localhost and the loopback addresses */
  const char *
      cert; /* PEM file: certificate chain of the server; NULL: one is made, with a CA of its own */
  const char *key;    /* PEM file: its private key */
  const char *device; /* options of the device, JSON, for sim.boot; default {} */
  bool fleet; /* answer on all of 127.0.0.0/8; the device tells its members apart by the address */
  size_t body_limit; /* largest request body, bytes; default 64 MiB */
  /* Required. Makes Lua's `require` find f5.json and the embedded modules in a new state that has
   * the standard libraries. */
  lua_CFunction open;
} sim_options;

/* Listens, makes the device and starts the thread. NULL and a message on failure. */
sim_server *sim_server_start(const sim_options *options, char *error, size_t size);

uint16_t sim_server_port(const sim_server *server);
/* Path of a PEM file with the certificate that clients should trust; it is removed at the stop. The
 * own `cert` if one was given. */
const char *sim_server_ca(const sim_server *server);

/* Calls `call(name, text)` of sim.boot on the server's thread, between two requests, and waits.
 * Returns its text (for free()), or with *ok false the message of the error it raised. NULL if the
 * server is stopped or memory ran out. */
char *sim_server_call(sim_server *server, const char *name, const char *text, size_t length,
                      size_t *result_length, bool *ok);

/* Ends the thread, closes everything, frees the server. Requests in progress get no answer. */
void sim_server_stop(sim_server *server);

#endif
