#include "postgres/connecting.h"

#include <stdlib.h>
#include <string.h>

#include "base/owner.h"

enum { DEFAULT_SECONDS = 10, MAX_PARAMETERS = 16 };

static void attempt(pq_connecting *c);

static void unwatch(pq_connecting *c) {
  if (c->fd >= 0) loop_unwatch(c->l, c->fd);
  c->fd = -1;
}

static void drop(pq_connecting *c) {
  unwatch(c);
  if (c->attempt) pq.PQfinish(c->attempt);
  c->attempt = NULL;
}

static void finish(pq_connecting *c) {
  loop_timer_stop(c->l, &c->timer);
  drop(c);
  c->done(c);
}

static void put_problem(pq_connecting *c, const char *message) {
  if (c->problem.length) text_put(&c->problem, "; ");
  pq_put_message(&c->problem, message);
}

static unsigned limit_seconds(const pq_connecting *c) {
  return c->settings.connect_seconds ? c->settings.connect_seconds : DEFAULT_SECONDS;
}

/* -- one attempt: libpq tries the rest of the addresses, one after the other -- */

typedef struct parameters {
  const char *names[MAX_PARAMETERS], *values[MAX_PARAMETERS];
  unsigned count;
} parameters;

static void add(parameters *p, const char *name, const char *value) {
  p->names[p->count] = name;
  p->values[p->count++] = value;
}

/* A dead database is noticed within half a minute, unless the user has given other times. */
static void add_times(parameters *p, const pq_settings *s) {
  if (!s->has_idle) add(p, "keepalives_idle", "10");
  if (!s->has_interval) add(p, "keepalives_interval", "5");
  if (!s->has_count) add(p, "keepalives_count", "4");
  if (!s->has_user_timeout) add(p, "tcp_user_timeout", "30000");
}

static bool join(const pq_connecting *c, text *hosts, text *addresses, text *ports) {
  for (unsigned i = c->first; i < c->settings.count; i++) {
    const pq_host *h = &c->settings.hosts[i];
    const char *comma = i > c->first ? "," : "";
    text_printf(hosts, "%s%s", comma, h->host);
    text_printf(addresses, "%s%s", comma, h->address);
    text_printf(ports, "%s%s", comma, h->port);
  }
  return !hosts->failed && !addresses->failed && !ports->failed;
}

static void ignore_notice(void *data, const char *message) {
  (void)data, (void)message;
}

static bool start_attempt(pq_connecting *c) {
  text hosts = {0}, addresses = {0}, ports = {0};
  parameters p = {.count = 0};
  bool joined = join(c, &hosts, &addresses, &ports);
  add(&p, "dbname", c->conninfo);
  if (c->settings.count) {
    add(&p, "host", text_string(&hosts));
    add(&p, "hostaddr",
        strspn(text_string(&addresses), ",") < addresses.length ? text_string(&addresses) : "");
    add(&p, "port", text_string(&ports));
  }
  add_times(&p, &c->settings);
  add(&p, "fallback_application_name", "f5lua");
  add(&p, "client_encoding", "UTF8");
  add(&p, NULL, NULL);
  if (joined) c->attempt = pq.PQconnectStartParams(p.names, p.values, 1);
  text_free(&hosts);
  text_free(&addresses);
  text_free(&ports);
  if (c->attempt) pq.PQsetNoticeProcessor(c->attempt, ignore_notice, NULL);
  return c->attempt != NULL;
}

/* The address at which the attempt is; libpq has only its own list. */
static unsigned current(const pq_connecting *c) {
  const char *host = pq.PQhost(c->attempt), *address = pq.PQhostaddr(c->attempt),
             *port = pq.PQport(c->attempt);
  for (unsigned i = c->first; i < c->settings.count; i++) {
    const pq_host *h = &c->settings.hosts[i];
    bool same_host = !*h->host || (host && strcmp(h->host, host) == 0) ||
                     (address && strcmp(h->address, address) == 0);
    bool same_address = !*h->address || (address && strcmp(h->address, address) == 0);
    if (same_host && same_address && (!*h->port || (port && strcmp(h->port, port) == 0))) return i;
  }
  return c->first;
}

static void restart_timer(pq_connecting *c) {
  loop_timer_start(c->l, &c->timer, (uint64_t)limit_seconds(c) * 1000);
}

/* The time for this address is over: goes on with the next one. */
static void time_is_over(loop_timer *timer) {
  pq_connecting *c = OWNER(timer, pq_connecting, timer);
  if (!c->attempt) {
    put_problem(c, "cannot look up the host of the database: no answer in time");
    finish(c);
    return;
  }
  text message = {0};
  const char *host = pq.PQhost(c->attempt), *port = pq.PQport(c->attempt);
  text_printf(&message, "no answer from the database at %s, port %s, within %u s",
              host && *host ? host : "localhost", port && *port ? port : "5432", limit_seconds(c));
  put_problem(c, text_string(&message));
  text_free(&message);
  unsigned next = c->settings.count ? current(c) + 1 : 1;
  drop(c);
  c->first = next;
  if (c->first < c->settings.count)
    attempt(c);
  else
    finish(c);
}

static void watch(pq_connecting *c, unsigned events);

static void proceed(void *data, int fd) {
  (void)fd;
  pq_connecting *c = data;
  unsigned before = current(c);
  unwatch(c);
  switch (pq.PQconnectPoll(c->attempt)) {
  case PGRES_POLLING_READING:
    watch(c, LOOP_READ);
    break;
  case PGRES_POLLING_WRITING:
    watch(c, LOOP_WRITE);
    break;
  case PGRES_POLLING_OK:
    c->place = current(c);
    c->opened = c->attempt;
    c->attempt = NULL;
    finish(c);
    return;
  case PGRES_POLLING_FAILED:
  default:
    put_problem(c, pq.PQerrorMessage(c->attempt));
    finish(c);
    return;
  }
  if (current(c) != before) restart_timer(c);
}

static void watch(pq_connecting *c, unsigned events) {
  c->fd = pq.PQsocket(c->attempt);
  loop_watch_for(c->l, c->fd, events, proceed, c);
}

static void attempt(pq_connecting *c) {
  restart_timer(c);
  if (c->first && c->first >= c->settings.count) {
    put_problem(c, "the address of the database names no other server");
    finish(c);
  } else if (!start_attempt(c)) {
    put_problem(c, "not enough memory");
    finish(c);
  } else if (pq.PQstatus(c->attempt) == CONNECTION_BAD) {
    put_problem(c, pq.PQerrorMessage(c->attempt));
    finish(c);
  } else {
    watch(c, LOOP_WRITE); /* libpq: as if it had asked for this */
  }
}

/* -- names of hosts -- */

static bool needs_lookup(const pq_host *h) {
  return *h->host && *h->host != '/' && *h->host != '@' && !*h->address && !pq_is_address(h->host);
}

/* Replaces a host by one for each of its addresses. */
static bool add_found(pq_settings *found, const pq_host *h, const char *addresses) {
  bool added = true;
  while (added && addresses && *addresses) {
    const char *end = strchrnul(addresses, ',');
    char *one = strndup(addresses, (size_t)(end - addresses));
    added = one && pq_settings_add(found, h->host, one, h->port);
    free(one);
    addresses = *end ? end + 1 : NULL;
  }
  return added;
}

static void looked_up(void *data) {
  pq_connecting *c = data;
  pq_settings found = c->settings;
  found.hosts = NULL;
  found.count = 0;
  bool whole = true;
  for (unsigned i = 0, name = 0; whole && i < c->settings.count; i++) {
    const pq_host *h = &c->settings.hosts[i];
    if (!needs_lookup(h)) {
      whole = pq_settings_add(&found, h->host, h->address, h->port);
      continue;
    }
    const char *addresses = pq_lookup_addresses(c->lookup, name);
    whole = add_found(&found, h, addresses);
    if (!*addresses) {
      text message = {0};
      text_printf(&message, "cannot find the host '%s' of the database: %s", h->host,
                  pq_lookup_problem(c->lookup, name));
      put_problem(c, text_string(&message));
      text_free(&message);
    }
    name++;
  }
  pq_settings_free(&c->settings);
  c->settings = found;
  pq_lookup_end(c->lookup);
  c->lookup = NULL;
  if (!whole) put_problem(c, "not enough memory");
  if (whole && found.count)
    attempt(c);
  else
    finish(c);
}

/* The names that need a lookup. NULL: none, or out of memory. */
static const char **names_of(const pq_settings *s, unsigned *count) {
  *count = 0;
  const char **names = calloc(s->count + 1, sizeof *names);
  for (unsigned i = 0; names && i < s->count; i++)
    if (needs_lookup(&s->hosts[i])) names[(*count)++] = s->hosts[i].host;
  return names;
}

/* -- start and end -- */

static void begin(loop_timer *timer) {
  pq_connecting *c = OWNER(timer, pq_connecting, timer);
  timer->fire = time_is_over;
  unsigned count;
  const char **names = names_of(&c->settings, &count);
  if (names && !count) {
    attempt(c);
  } else {
    c->lookup = names ? pq_lookup_start(c->l, names, count, looked_up, c) : NULL;
    if (c->lookup) {
      restart_timer(c);
    } else {
      put_problem(c, "cannot look up the host of the database: not enough memory");
      finish(c);
    }
  }
  free(names);
}

bool pq_connecting_start(pq_connecting *c, loop *l, const char *conninfo, unsigned first,
                         void (*done)(pq_connecting *c)) {
  memset(c, 0, sizeof *c);
  c->l = l;
  c->first = first;
  c->fd = -1;
  c->done = done;
  if (!pq_load(&c->problem)) return false;
  c->refused = !pq_settings_read(&c->settings, conninfo, &c->problem);
  if (c->refused) return false;
  c->conninfo = strdup(conninfo);
  if (!c->conninfo) {
    text_put(&c->problem, "not enough memory");
    return false;
  }
  c->timer.fire = begin; /* never before this function has returned */
  loop_timer_start(l, &c->timer, 0);
  return true;
}

void pq_connecting_end(pq_connecting *c) {
  if (!c->l) return;
  loop_timer_stop(c->l, &c->timer);
  drop(c);
  if (c->opened) pq.PQfinish(c->opened);
  c->opened = NULL;
  pq_lookup_end(c->lookup);
  c->lookup = NULL;
  pq_settings_free(&c->settings);
  free(c->conninfo);
  c->conninfo = NULL;
  text_free(&c->problem);
}
