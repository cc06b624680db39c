#include "net/http_options.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void http_options_free(http_peer_options *options) {
  const char *strings[] = {options->base, options->ca,    options->cert,       options->key,
                           options->pin,  options->proxy, options->user_agent, options->wanted};
  for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
    free((char *)(uintptr_t)strings[i]);
}

static bool copy_string(const char **string) {
  if (!*string) return true;
  return (*string = strdup(*string));
}

bool http_options_copy(http_peer_options *to, const http_peer_options *from) {
  *to = *from;
  bool copied = copy_string(&to->base);
  copied = copy_string(&to->ca) && copied;
  copied = copy_string(&to->cert) && copied;
  copied = copy_string(&to->key) && copied;
  copied = copy_string(&to->pin) && copied;
  copied = copy_string(&to->proxy) && copied;
  copied = copy_string(&to->user_agent) && copied;
  copied = copy_string(&to->wanted) && copied;
  if (to->connect_timeout_ms <= 0) to->connect_timeout_ms = 10000;
  if (to->timeout_ms <= 0) to->timeout_ms = 60000;
  if (to->body_limit == 0) to->body_limit = (size_t)256 << 20;
  if (to->parallel == 0) to->parallel = 4;
  return copied;
}
