/* Where the database is, by the rules of libpq: the address that the user gave, PGHOST and the
 * other variables, the service file. */
#ifndef POSTGRES_SETTINGS_H
#define POSTGRES_SETTINGS_H

#include <stdbool.h>

#include "base/text.h"

typedef struct pq_host {
  char *host;    /* a name, an address, or the directory of a Unix socket; "": libpq's default */
  char *address; /* "": not known yet, or none needed */
  char *port;
} pq_host;

typedef struct pq_settings {
  /* In the order in which they are tried. None: the lists do not fit together, and libpq says so.
   */
  pq_host *hosts;
  unsigned count;
  unsigned connect_seconds; /* 0: not given */
  /* What is given for a dead connection; the others get our values. */
  bool has_idle, has_interval, has_count, has_user_timeout;
} pq_settings;

/* Reads what is given. False, and the reason: an address that libpq does not understand, or one
 * with a password in it. */
bool pq_settings_read(pq_settings *s, const char *conninfo, text *problem);
void pq_settings_free(pq_settings *s);

/* Adds a copy of a host. False if out of memory. */
bool pq_settings_add(pq_settings *s, const char *host, const char *address, const char *port);

#endif
