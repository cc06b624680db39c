#include "postgres/settings.h"

#include <stdlib.h>
#include <string.h>

#include "postgres/library.h"

static void free_host(pq_host *h) {
  free(h->host);
  free(h->address);
  free(h->port);
}

void pq_settings_free(pq_settings *s) {
  for (unsigned i = 0; i < s->count; i++)
    free_host(&s->hosts[i]);
  free(s->hosts);
  s->hosts = NULL;
  s->count = 0;
}

bool pq_settings_add(pq_settings *s, const char *host, const char *address, const char *port) {
  pq_host *hosts = realloc(s->hosts, (s->count + 1) * sizeof *hosts);
  if (!hosts) return false;
  s->hosts = hosts;
  pq_host h = {strdup(host), strdup(address), strdup(port)};
  if (!h.host || !h.address || !h.port) {
    free_host(&h);
    return false;
  }
  hosts[s->count++] = h;
  return true;
}

/* -- what the user gave -- */

static const char *value_of(const PQconninfoOption *options, const char *name) {
  for (; options && options->keyword; options++)
    if (strcmp(options->keyword, name) == 0) return options->val ? options->val : "";
  return "";
}

/* Whether a text that libpq does not understand may hold a password: then its message, which quotes
 * parts of it, is not shown. */
static bool may_hold_password(const char *conninfo) {
  const char *user = strstr(conninfo, "://");
  return strcasestr(conninfo, "password") || (user && strchr(user + 3, '@'));
}

static bool check(const char *conninfo, text *problem) {
  char *message = NULL;
  PQconninfoOption *options = pq.PQconninfoParse(conninfo, &message);
  if (!options) {
    text_put(problem, "invalid address of the database: ");
    if (may_hold_password(conninfo))
      text_put(problem, "it is neither a URL such as postgresql://HOST/NAME nor a list such as "
                        "'host=HOST dbname=NAME'");
    else
      pq_put_message(problem, message ? message : "not enough memory");
    pq.PQfreemem(message);
    return false;
  }
  bool has_secret = *value_of(options, "password") || *value_of(options, "sslpassword");
  pq.PQconninfoFree(options);
  if (has_secret)
    text_put(problem, "the address of the database has a password in it, which other users could "
                      "see in the list of processes; put it into ~/.pgpass or the file that "
                      "PGPASSFILE names, or into PGPASSWORD");
  return !has_secret;
}

/* -- what libpq makes of it -- */

/* The next element of a list with commas, without the blanks around it. NULL at its end. */
static char *next_element(const char **rest) {
  if (!*rest) return NULL;
  const char *begin = *rest, *end = begin + strcspn(begin, ",");
  *rest = *end ? end + 1 : NULL;
  return strndup(begin, (size_t)(end - begin));
}

static unsigned elements_of(const char *list) {
  unsigned count = 1;
  for (; *list; list++)
    if (*list == ',') count++;
  return count;
}

static bool split(pq_settings *s, const char *host, const char *address, const char *port) {
  unsigned count = elements_of(*address ? address : host);
  bool fits = (!*host || !*address || elements_of(host) == count) &&
              (elements_of(port) == 1 || elements_of(port) == count);
  if (!fits) return true;
  const char *only_port = elements_of(port) == 1 ? port : NULL;
  for (unsigned i = 0; i < count; i++) {
    char *one_host = next_element(&host), *one_address = next_element(&address);
    char *one_port = only_port ? NULL : next_element(&port);
    bool added = pq_settings_add(s, one_host ? one_host : "", one_address ? one_address : "",
                                 only_port  ? only_port
                                 : one_port ? one_port
                                            : "");
    free(one_host);
    free(one_address);
    free(one_port);
    if (!added) return false;
  }
  return true;
}

/* A connection that libpq prepares and then refuses, before it looks for a password or touches the
 * network, tells what the variables and the service file add. */
static PGconn *probe(const char *conninfo) {
  const char *const names[] = {"dbname", "passfile", "channel_binding", NULL};
  const char *const values[] = {conninfo, "/dev/null/none", "none of libpq's values", NULL};
  return pq.PQconnectStartParams(names, values, 1);
}

bool pq_settings_read(pq_settings *s, const char *conninfo, text *problem) {
  memset(s, 0, sizeof *s);
  if (!check(conninfo, problem)) return false;
  PGconn *c = probe(conninfo);
  PQconninfoOption *options = c ? pq.PQconninfo(c) : NULL;
  bool done = false;
  if (options) {
    s->connect_seconds = (unsigned)strtoul(value_of(options, "connect_timeout"), NULL, 10);
    s->has_idle = *value_of(options, "keepalives_idle");
    s->has_interval = *value_of(options, "keepalives_interval");
    s->has_count = *value_of(options, "keepalives_count");
    s->has_user_timeout = *value_of(options, "tcp_user_timeout");
    done = split(s, value_of(options, "host"), value_of(options, "hostaddr"),
                 value_of(options, "port"));
  }
  pq.PQconninfoFree(options);
  pq.PQfinish(c);
  if (!done) text_put(problem, "not enough memory");
  return done;
}
