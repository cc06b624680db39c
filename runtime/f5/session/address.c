#include "f5/session/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "f5/report/error.h"

long address_port(lua_State *L, const char *digits, const char *where) {
  char *end;
  errno = 0;
  long port = strtol(digits, &end, 10);
  if (errno || *end || end == digits || port < 1 || port > 65535)
    error_usage(L, "invalid port '%s' (%s)", digits, where);
  return port;
}

/* "2001:db8::1" or "fe80::1%eth0" */
static bool is_v6(const char *word, size_t length) {
  char address[INET6_ADDRSTRLEN];
  struct in6_addr parsed;
  const char *zone = memchr(word, '%', length);
  size_t digits = zone ? (size_t)(zone - word) : length;
  if (digits >= sizeof address || (zone && digits + 1 == length)) return false;
  snprintf(address, sizeof address, "%.*s", (int)digits, word);
  for (size_t i = digits; i < length; i++)
    if (!isalnum((unsigned char)word[i]) && !strchr("%._-", word[i])) return false;
  return inet_pton(AF_INET6, address, &parsed) == 1;
}

static bool is_name(const char *word, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (!isalnum((unsigned char)word[i]) && !strchr("-._", word[i])) return false;
  return length > 0;
}

void address_split(lua_State *L, const char *given, char address[ADDRESS_MAX], long *number) {
  const char *host = given, *port = NULL;
  if (strncasecmp(host, "http://", 7) == 0)
    error_usage(L, "invalid host '%s': iControl REST uses HTTPS only", given);
  if (strncasecmp(host, "https://", 8) == 0) host += 8;
  size_t length = strcspn(host, "/"), name = length;
  if (host[length] && host[length + 1])
    error_usage(L, "invalid host '%s': expected a name or an address without a path", given);
  bool bracket = *host == '[', v6 = is_v6(host, length);
  if (!v6) { /* a bare IPv6 address has no port after a colon */
    const char *end = bracket ? memchr(host, ']', length) : host;
    const char *colon = end ? memchr(end, ':', length - (size_t)(end - host)) : NULL;
    if (colon && !memchr(colon + 1, ':', length - (size_t)(colon + 1 - host))) {
      name = (size_t)(colon - host);
      port = colon + 1;
    }
  }
  bool right = bracket ? name > 2 && host[name - 1] == ']' && is_v6(host + 1, name - 2)
                       : v6 || is_name(host, name);
  if (!right || name + 3 > ADDRESS_MAX)
    error_usage(L, "invalid host '%s': not a name or an address", given);
  snprintf(address, ADDRESS_MAX, v6 ? "[%.*s]" : "%.*s", (int)name, host);
  if (port) {
    char digits[16];
    snprintf(digits, sizeof digits, "%.*s", (int)(length - (size_t)(port - host)), port);
    *number = address_port(L, digits, given);
  }
}
