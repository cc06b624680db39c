#include "net/http_failure.h"

#include <curl/curl.h>
#include <stddef.h>

http_failure http_failure_of(int code, bool started) {
  switch (code) {
  case CURLE_OK:
    return HTTP_OK;
  case CURLE_COULDNT_RESOLVE_HOST:
    return HTTP_RESOLVE;
  case CURLE_COULDNT_RESOLVE_PROXY:
  case CURLE_COULDNT_CONNECT:
  case CURLE_PROXY:
  case CURLE_INTERFACE_FAILED:
    return HTTP_CONNECT;
  case CURLE_OPERATION_TIMEDOUT:
    return HTTP_TIMEOUT;
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_SSL_CLIENTCERT:
  case CURLE_USE_SSL_FAILED:
    return HTTP_TLS;
  case CURLE_FILESIZE_EXCEEDED:
    return HTTP_TOO_LARGE;
  case CURLE_OUT_OF_MEMORY:
  case CURLE_FAILED_INIT:
  case CURLE_URL_MALFORMAT:
  case CURLE_NOT_BUILT_IN:
  case CURLE_BAD_FUNCTION_ARGUMENT:
  case CURLE_UNKNOWN_OPTION:
    return HTTP_INTERNAL;
  case CURLE_UNSUPPORTED_PROTOCOL: /* of the base URL; or the answer is not HTTP */
    return started ? HTTP_BROKEN : HTTP_INTERNAL;
  default:
    return HTTP_BROKEN;
  }
}

const char *http_failure_name(http_failure failure) {
  static const char *const names[] = {[HTTP_OK] = "ok",
                                      [HTTP_RESOLVE] = "resolve",
                                      [HTTP_CONNECT] = "connect",
                                      [HTTP_PROXY] = "proxy",
                                      [HTTP_TLS] = "tls",
                                      [HTTP_TIMEOUT] = "timeout",
                                      [HTTP_BROKEN] = "broken",
                                      [HTTP_UNREADABLE] = "unreadable",
                                      [HTTP_TOO_LARGE] = "too large",
                                      [HTTP_FILE] = "file",
                                      [HTTP_CANCELLED] = "cancelled",
                                      [HTTP_UNRECORDED] = "unrecorded",
                                      [HTTP_INTERNAL] = "internal"};
  return (size_t)failure < sizeof names / sizeof *names ? names[failure] : "unknown";
}
