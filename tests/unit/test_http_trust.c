/* Trust: certificates of servers and clients, and where CA certificates are. */
#include <openssl/pem.h>

#include "http_world.h"
#include "net/ca.h"

static void certificates(void **state) {
  (void)state;
  http_peer_options options = {.base = tls_base};
  http_peer *peer = http_peer_new(l, &options); /* the system does not know it */
  http_request request = call(peer, (http_request){.method = "POST", .path = "/echo"});
  assert_false(request.sent);
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);

  options.insecure = true;
  peer = http_peer_new(l, &options);
  request = call(peer, (http_request){.path = "/echo"});
  expect_body(&request, 200, "GET ");
  http_peer_release(peer);

  options.pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  peer = http_peer_new(l, &options);
  request = call(peer, (http_request){.path = "/echo"});
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);

  char base[64];
  snprintf(base, sizeof base, "https://localhost:%d", tls.port); /* not in the certificate */
  peer = peer_to(base);
  request = call(peer, (http_request){.path = "/echo"});
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);

  peer = http_peer_new(l, &(http_peer_options){.base = tls_base, .ca = "/no/such/file"});
  request = call(peer, (http_request){.path = "/echo"});
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);

  peer = http_peer_new(
      l, &(http_peer_options){.base = tls_base, .ca = ca_file, .cert = "/no/such/file"});
  request = call(peer, (http_request){.path = "/echo"});
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);

  snprintf(base, sizeof base, "https://127.0.0.1:%d", plain.port); /* TLS to a plain server */
  peer = peer_to(base);
  request = call(peer, (http_request){.path = "/echo"});
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);

  SSL_CTX_set_max_proto_version(tls.tls, TLS1_1_VERSION);
  SSL_CTX_set_min_proto_version(tls.tls, TLS1_VERSION);
  SSL_CTX_set_cipher_list(tls.tls, "DEFAULT@SECLEVEL=0");
  peer = peer_to(tls_base);
  request = call(peer, (http_request){.path = "/echo"});
  expect(&request, HTTP_TLS, 0);
  http_peer_release(peer);
  SSL_CTX_set_min_proto_version(tls.tls, 0);
  SSL_CTX_set_max_proto_version(tls.tls, 0);
}

static void client_certificates(void **state) {
  (void)state;
  X509_STORE *store = SSL_CTX_get_cert_store(tls.tls);
  X509_STORE_add_cert(store, SSL_CTX_get0_certificate(tls.tls));
  SSL_CTX_set_verify(tls.tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_CTX_set_session_id_context(tls.tls, (const unsigned char *)"test", 4);
  http_peer *peer = http_peer_new(
      l, &(http_peer_options){.base = tls_base, .ca = ca_file, .cert = ca_file, .key = ca_file});
  http_request request = call(peer, (http_request){.path = "/echo"});
  expect_body(&request, 200, "GET ");
  http_peer_release(peer);
  peer = peer_to(tls_base);
  request =
      call(peer, (http_request){.path = "/echo"}); /* TLS 1.3 servers refuse after the handshake */
  assert_true(request.failure == HTTP_TLS || request.failure == HTTP_BROKEN);
  http_request_clear(&request);
  http_peer_release(peer);
  SSL_CTX_set_verify(tls.tls, SSL_VERIFY_NONE, NULL);
}

static http_failure ask_system_trusted(void) {
  http_peer *peer = http_peer_new(l, &(http_peer_options){.base = tls_base});
  http_request request = call(peer, (http_request){.method = "POST", .path = "/echo"});
  http_failure failure = request.failure;
  assert_false(request.reused);
  http_request_clear(&request);
  http_peer_release(peer);
  return failure;
}

/* What is found in a hashed directory is remembered; what is not there is looked for again. */
static void hashed_directory(void **state) {
  (void)state;
  char directory[] = "/tmp/f5lua-test-certs-XXXXXX", other[] = "/tmp/f5lua-test-certs-XXXXXX",
       link[64];
  assert_non_null(mkdtemp(directory));
  assert_non_null(mkdtemp(other));
  FILE *file = fopen(ca_file, "r");
  X509 *ca = PEM_read_X509(file, NULL, NULL, NULL);
  fclose(file);
  int ok = 0;
  unsigned long hash = X509_NAME_hash_ex(X509_get_subject_name(ca), NULL, NULL, &ok);
  X509_free(ca);
  snprintf(link, sizeof link, "%s/%08lx.0", directory, hash);
  unsetenv("SSL_CERT_FILE");
  setenv("SSL_CERT_DIR", directory, 1);
  assert_int_equal(ask_system_trusted(), HTTP_TLS);
  assert_int_equal(symlink(ca_file, link), 0);
  assert_int_equal(ask_system_trusted(), HTTP_OK);
  unlink(link);
  assert_int_equal(ask_system_trusted(), HTTP_OK);
  setenv("SSL_CERT_DIR", other, 1);
  assert_int_equal(ask_system_trusted(), HTTP_TLS);
  unsetenv("SSL_CERT_DIR");
  rmdir(directory);
  rmdir(other);
}

static void system_certificates(void **state) {
  (void)state;
  const char *directory, *bundle;
  unsetenv("SSL_CERT_DIR");
  unsetenv("SSL_CERT_FILE");
  http_system_ca(&directory, &bundle);
  assert_true(!directory || !bundle); /* never both */
  setenv("SSL_CERT_DIR", "/some/certs", 1);
  http_system_ca(&directory, &bundle);
  assert_string_equal(directory, "/some/certs");
  assert_null(bundle);
  setenv("SSL_CERT_FILE", ca_file, 1);
  http_system_ca(&directory, &bundle);
  assert_null(directory);
  assert_string_equal(bundle, ca_file);
  setenv("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt", 1);
  http_system_ca(&directory, &bundle);
  assert_null(directory); /* /some/certs has nothing */
  setenv("SSL_CERT_FILE", ca_file, 1);
  http_peer *peer = http_peer_new(l, &(http_peer_options){.base = tls_base});
  http_request request = call(peer, (http_request){.path = "/echo"});
  expect_body(&request, 200, "GET ");
  http_peer_release(peer);
  unsetenv("SSL_CERT_DIR");
  unsetenv("SSL_CERT_FILE");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      HTTP_TEST(certificates),
      HTTP_TEST(client_certificates),
      HTTP_TEST(hashed_directory),
      HTTP_TEST(system_certificates),
  };
  return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
