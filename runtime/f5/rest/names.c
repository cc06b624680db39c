#include "f5/rest/names.h"

#include <stdbool.h>
#include <string.h>

#include "f5/rest/uri.h"

#define ROOT_LENGTH (sizeof URI_ROOT - 1)
#define START                                                                                      \
  4 /* bytes that every kind has at least: a slash and the first letters of the module */
#define COMMON "~Common~"
#define COMMON_LENGTH (sizeof COMMON - 1)

/* Below /mgmt/tm; `*` is the name of an object. From answers of real devices, or, where
 * nobody has recorded one, from the public description of the API. */
#define KIND(collection, style)                                                                    \
  { collection, sizeof collection - 1, style }
static const struct {
  const char *collection;
  size_t length;
  name_style style;
} styles[] = {
    KIND("/apm/profile/access/*/domain-groups", NAME_PLAIN),
    KIND("/apm/resource/network-access/*/optimized-app", NAME_PLAIN),
    KIND("/auth/partition", NAME_PLAIN),
    KIND("/auth/remote-role/role-info", NAME_PLAIN),
    KIND("/auth/user", NAME_PLAIN),
    KIND("/cli/alias/private", NAME_PLAIN),
    KIND("/gtm/pool/cname/*/members", NAME_PLAIN),
    KIND("/gtm/pool/mx/*/members", NAME_PLAIN),
    KIND("/gtm/pool/naptr/*/members", NAME_PLAIN),
    KIND("/gtm/pool/srv/*/members", NAME_PLAIN),
    KIND("/gtm/server/*/devices", NAME_PLAIN),
    KIND("/gtm/server/*/virtual-servers", NAME_FULL),
    KIND("/gtm/topology", NAME_SLASHES),
    KIND("/ltm/policy-strategy/*/operands", NAME_PLAIN),
    KIND("/ltm/policy/*/rules", NAME_PLAIN),
    KIND("/ltm/policy/*/rules/*/actions", NAME_PLAIN),
    KIND("/ltm/policy/*/rules/*/conditions", NAME_PLAIN),
    KIND("/ltm/profile/rewrite/*/uri-rules", NAME_PLAIN),
    KIND("/net/fdb/tunnel/*/records", NAME_PLAIN),
    KIND("/net/fdb/vlan/*/records", NAME_PLAIN),
    KIND("/net/interface", NAME_PLAIN),
    KIND("/net/packet-filter", NAME_PLAIN),
    KIND("/net/port-mirror", NAME_PLAIN),
    KIND("/net/trunk", NAME_PLAIN),
    KIND("/net/vlan/*/interfaces", NAME_PLAIN),
    KIND("/net/wccp", NAME_PLAIN),
    KIND("/security/dos/profile/*/application", NAME_PLAIN),
    KIND("/security/dos/profile/*/dos-network", NAME_PLAIN),
    KIND("/security/dos/profile/*/protocol-dns", NAME_PLAIN),
    KIND("/security/dos/profile/*/protocol-sip", NAME_PLAIN),
    KIND("/security/firewall/management-ip-rules/rules", NAME_PLAIN),
    KIND("/security/firewall/policy/*/rules", NAME_PLAIN),
    KIND("/security/firewall/rule-list/*/rules", NAME_PLAIN),
    KIND("/security/flowspec-route-injector/profile/*/neighbor", NAME_PLAIN),
    KIND("/security/nat/policy/*/rules", NAME_PLAIN),
    KIND("/security/scrubber/profile/*/scrubber-categories", NAME_PLAIN),
    KIND("/security/scrubber/profile/*/scrubber-netflow-protected-server", NAME_PLAIN),
    KIND("/security/scrubber/profile/*/scrubber-rt-domain", NAME_PLAIN),
    KIND("/security/scrubber/profile/*/scrubber-rt-domain/*/scrubber-rd-network-prefix",
         NAME_PLAIN),
    KIND("/security/scrubber/profile/*/scrubber-virtual-server", NAME_PLAIN),
    KIND("/security/ssh/profile/*/auth-info", NAME_PLAIN),
    KIND("/sys/application/custom-stat", NAME_PLAIN),
    KIND("/sys/application/template/*/actions", NAME_PLAIN),
    KIND("/sys/cluster", NAME_PLAIN),
    KIND("/sys/crypto/cert", NAME_FULL),
    KIND("/sys/crypto/csr", NAME_FULL),
    KIND("/sys/crypto/key", NAME_FULL),
    KIND("/sys/db", NAME_PLAIN),
    KIND("/sys/disk/application-volume", NAME_PLAIN),
    KIND("/sys/disk/logical-disk", NAME_PLAIN),
    KIND("/sys/file/ssl-key/*/cert-order-manager", NAME_PLAIN),
    KIND("/sys/ha-group", NAME_PLAIN),
    KIND("/sys/management-ip", NAME_SLASHES),
    KIND("/sys/ntp/restrict", NAME_PLAIN),
    KIND("/sys/provision", NAME_PLAIN),
    KIND("/sys/service", NAME_PLAIN),
    KIND("/sys/snmp/communities", NAME_FULL),
    KIND("/sys/snmp/traps", NAME_FULL),
    KIND("/sys/snmp/users", NAME_FULL),
    KIND("/sys/software/hotfix", NAME_PLAIN),
    KIND("/sys/software/image", NAME_PLAIN),
    KIND("/sys/software/volume", NAME_PLAIN),
    KIND("/sys/ucs", NAME_PLAIN),
    KIND("/vcmp/guest", NAME_PLAIN),
    KIND("/vcmp/virtual-disk", NAME_SLASHES),
};

/* Returns the end of the segment that begins with the slash at `at`. */
static const char *segment_end(const char *at, const char *end) {
  const char *slash = memchr(at + 1, '/', (size_t)(end - at - 1));
  return slash ? slash : end;
}

static bool matches(const char *pattern, size_t pattern_length, const char *at, const char *end) {
  const char *pattern_end = pattern + pattern_length;
  while (pattern < pattern_end && at < end) {
    const char *wanted = segment_end(pattern, pattern_end), *is = segment_end(at, end);
    size_t length = (size_t)(is - at);
    if (pattern[1] != '*' &&
        ((size_t)(wanted - pattern) != length || memcmp(pattern, at, length) != 0))
      return false;
    pattern = wanted;
    at = is;
  }
  return pattern == pattern_end && at == end;
}

/* This runs for each new reference, and most kinds are not in the table, so compare the first four
 * bytes before anything else. */
name_style names_style(const char *collection, size_t length) {
  if (length <= ROOT_LENGTH + START || memcmp(collection, URI_ROOT, ROOT_LENGTH) != 0)
    return NAME_PARTITION;
  const char *at = collection + ROOT_LENGTH, *end = collection + length;
  for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
    if (memcmp(styles[i].collection, at, START) == 0 &&
        matches(styles[i].collection, styles[i].length, at, end))
      return styles[i].style;
  return NAME_PARTITION;
}

/* Returns the length of the prefix of a segment that is a partition, for kinds without partitions:
 * "~Common~" in "~Common~bob", "~" in "~bob". */
static size_t partition_length(const char *segment, size_t length) {
  if (length > COMMON_LENGTH && memcmp(segment, COMMON, COMMON_LENGTH) == 0) return COMMON_LENGTH;
  if (length > 1 && *segment == '~' && !memchr(segment + 1, '~', length - 1)) return 1;
  return 0;
}

/* Returns whether this is a suffix that may follow the name of an object. */
static bool is_suffix(const char *at, const char *end) {
  static const char *const suffixes[] = {"/stats", "/example"};
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
    if ((size_t)(end - at) == strlen(suffixes[i]) &&
        memcmp(at, suffixes[i], (size_t)(end - at)) == 0)
      return true;
  return false;
}

/* Makes one name of several segments: their slashes are part of the name. */
static void join_segments(char *at, const char *end) {
  for (at++; at < end; at++)
    if (*at == '/' && !is_suffix(at, end)) *at = '~';
}

size_t names_fit(char *path, size_t length) {
  if (length <= ROOT_LENGTH || memcmp(path, URI_ROOT, ROOT_LENGTH) != 0) return length;
  size_t at = ROOT_LENGTH; /* the slash of a segment */
  while (at < length) {
    size_t end = (size_t)(segment_end(path + at, path + length) - path);
    bool candidate = path[at + 1] == '~' || end < length;
    name_style style = candidate ? names_style(path, at) : NAME_PARTITION;
    size_t partition = style == NAME_PLAIN || style == NAME_SLASHES
                           ? partition_length(path + at + 1, end - at - 1)
                           : 0;
    if (partition) {
      memmove(path + at + 1, path + at + 1 + partition, length - at - 1 - partition);
      length -= partition;
      end -= partition;
    }
    if (style == NAME_SLASHES) {
      join_segments(path + at, path + length);
      return length;
    }
    at = end;
  }
  return length;
}
