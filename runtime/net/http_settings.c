#include "net/http_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/ca.h"

/* The variable of the environment that libcurl reads for an https URL, or NULL. */
static const char *proxy_variable(void) {
  static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = getenv(names[i]);
    if (value && *value) return names[i];
  }
  return NULL;
}

/* Prepares what is the same in every request. If libcurl cannot parse the base, it stays NULL, and
 * the requests report why. */
static bool make_constants(http_peer_settings *settings) {
  const http_peer_options *options = &settings->options;
  if (options->user_agent &&
      asprintf(&settings->user_agent, "User-Agent: %s", options->user_agent) < 0) {
    settings->user_agent = NULL;
    return false;
  }
  const char *directory = NULL, *bundle = NULL;
  if (!options->insecure && !options->ca) http_system_ca(&directory, &bundle);
  if ((options->wanted || options->pin || options->keep_certificate) &&
      !(settings->trust = http_trust_new(options->wanted, options->keep_certificate)))
    return false;
  if (directory && !bundle && !(settings->ca_directory = strdup(directory))) return false;
  if (settings->proxy_source) return true;
  settings->base = curl_url();
  if (!settings->base) return false;
  if (curl_url_set(settings->base, CURLUPART_URL, options->base, 0) == CURLUE_OK) return true;
  curl_url_cleanup(settings->base);
  settings->base = NULL;
  return true;
}

void http_settings_clear(http_peer_settings *settings) {
  http_options_free(&settings->options);
  curl_url_cleanup(settings->base);
  http_trust_release(settings->trust);
  free(settings->user_agent);
  free(settings->ca_directory);
}

bool http_settings_init(http_peer_settings *settings, loop *l, const http_peer_options *options) {
  settings->proxy_source = !options->proxy ? proxy_variable() : *options->proxy ? "proxy" : NULL;
  settings->sockets = calloc(1, sizeof *settings->sockets);
  if (http_options_copy(&settings->options, options) && settings->sockets &&
      make_constants(settings)) {
    settings->sockets->l = l;
    return true;
  }
  http_settings_clear(settings);
  free(settings->sockets);
  return false;
}
