/* The table of errors: every row of what devices are known to answer, and what may be retried.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/scan.h"
#include "f5/report/error.h"

#define ICRD(code, message, api_error)                                                             \
  "{\"code\":" code ",\"message\":\"" message "\",\"errorStack\":[],\"apiError\":" api_error "}"
#define REST(code, message)                                                                        \
  "{\"code\":" code ",\"message\":\"" message                                                      \
  "\",\"referer\":\"x\",\"restOperationId\":1,\"kind\":\":resterrorresponse\"}"

static const struct answer {
  long status;
  const char *body;
  f5_kind kind;
  f5_retry retry;
  bool unknown;
} answer_cases[] = {
    {404, ICRD("404", "01020036:3: The requested Pool (/Common/x) was not found.", "3"),
     KIND_NOT_FOUND, RETRY_NEVER, false},
    {404, ICRD("404", "Object not found - /t/x", "1"), KIND_NOT_FOUND, RETRY_NEVER, false},
    {404, REST("404", "Public URI path not registered: /tm/ltm/pool/?Common?my-pool"),
     KIND_NOT_READY, RETRY_ALWAYS, false},
    {404,
     REST("404", "URI path /mgmt/tm/x not registered.  Please verify URI is supported and wait "
                 "for /available suffix "
                 "to be responsive."),
     KIND_NOT_READY, RETRY_ALWAYS, false},
    {404, "{\"code\":404,\"message\":\"\",\"referer\":\"x\",\"errorStack\":[]}", KIND_NOT_READY,
     RETRY_ALWAYS, false},
    {404, "<html><body>Not Found</body></html>", KIND_UNSUPPORTED, RETRY_NEVER, false},
    {404, ICRD("404", "there is no command to commit in the transaction.", "1"), KIND_TRANSACTION,
     RETRY_NEVER, false},
    {404, REST("404", "Task not found - ID: 1 user: admin"), KIND_NOT_FOUND, RETRY_NEVER, false},
    {409,
     ICRD("409", "01020066:3: The requested Pool (/Common/x) already exists in partition Common.",
          "3"),
     KIND_CONFLICT, RETRY_NEVER, false},
    {400, ICRD("400", "01070712:3: Values", "3"), KIND_INVALID, RETRY_NEVER, false},
    {400, ICRD("400", "The requested folder (/PART) was not found.", "26214401"), KIND_INVALID,
     RETRY_NEVER, false},
    {400, ICRD("400", "one or more properties must be specified", "1"), KIND_INVALID, RETRY_NEVER,
     false},
    {400, ICRD("400", "transaction failed:01070320:3: Pool is referenced", "2"), KIND_TRANSACTION,
     RETRY_NEVER, false},
    {400, ICRD("400", "Found invalid command id 3/members/", "1"), KIND_TRANSACTION, RETRY_NEVER,
     false},
    {400,
     "{\"code\":400,\"message\":\"remoteSender:10.0.0.1, method:POST "
     "\",\"errorStack\":[\"java.util.concurrent.TimeoutException\"]}",
     KIND_TIMEOUT, RETRY_NEVER, true},
    {400, REST("400", "user 7f has reached maximum active login tokens"), KIND_AUTH, RETRY_NEVER,
     false},
    {400, REST("400", "loginProviderName is invalid."), KIND_AUTH, RETRY_NEVER, false},
    {401, REST("401", "X-F5-Auth-Token has expired."), KIND_AUTH, RETRY_LOGIN, false},
    {401, REST("401", "X-F5-Auth-Token does not exist."), KIND_AUTH, RETRY_LOGIN, false},
    {401,
     REST("401", "Authorization failed: user=https://localhost/mgmt/shared/authz/users/g "
                 "resource=/mgmt/tm verb=POST"),
     KIND_FORBIDDEN, RETRY_NEVER, false},
    {403, REST("403", "Operation is not supported"), KIND_FORBIDDEN, RETRY_NEVER, false},
    {405, "", KIND_UNSUPPORTED, RETRY_NEVER, false},
    {406, REST("406", "Auth-token absolute timeout (36000 seconds) exceeded"), KIND_INVALID,
     RETRY_NEVER, false},
    {415, REST("415", "Found unsupported content type"), KIND_INVALID, RETRY_NEVER, false},
    {429, "", KIND_BUSY, RETRY_ALWAYS, false},
    {500, ICRD("500", "The connection to mcpd has been lost, try again.", "32768001"),
     KIND_NOT_READY, RETRY_READ, true},
    {500, ICRD("500", "There was an internal server error", "1337"), KIND_PROTOCOL, RETRY_READ,
     false},
    {501, "", KIND_UNSUPPORTED, RETRY_NEVER, false},
    {502, "<html>Bad Gateway</html>", KIND_TRANSPORT, RETRY_READ, true},
    {503, ICRD("503", "There is an active asynchronous task executing.", "32964609"), KIND_BUSY,
     RETRY_ALWAYS, false},
    {503, "<html><title>Configuration Utility restarting...</title></html>", KIND_NOT_READY,
     RETRY_ALWAYS, false},
    {504, "", KIND_TRANSPORT, RETRY_READ, true},
    {302, "", KIND_PROTOCOL, RETRY_NEVER, false},
};

static void answers(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof answer_cases / sizeof *answer_cases; i++) {
    const struct answer *expected = &answer_cases[i];
    f5_failure failure;
    failure_from_answer(&failure, expected->status, expected->body, strlen(expected->body));
    if (failure.verdict.kind != expected->kind)
      print_message("%ld %s: %s\n", expected->status, expected->body,
                    error_kind_name(failure.verdict.kind));
    assert_int_equal(failure.verdict.kind, expected->kind);
    assert_int_equal(failure.verdict.retry, expected->retry);
    assert_int_equal(failure.verdict.unknown, expected->unknown);
    assert_int_equal(failure.status, expected->status);
    assert_true(failure.message && *failure.message);
    failure_clear(&failure);
  }
}

static void words(void **state) {
  (void)state;
  f5_failure failure;
  static const char page[] = "<html>\n<head><title>Configuration "
                             "Utility</title></head>\n<body>restarting...</body></html>";
  failure_from_answer(&failure, 503, page, strlen(page));
  assert_string_equal(failure.message, "Configuration Utility restarting...");
  failure_clear(&failure);
  static const char body[] = ICRD("400", "01070734:3: says \\\"no\\\" \\u00fc", "3");
  failure_from_answer(&failure, 400, body, strlen(body));
  assert_string_equal(failure.message, "01070734:3: says \"no\" \xc3\xbc");
  assert_int_equal(failure.code, 400);
  assert_int_equal(failure.api_error, 3);
  assert_null(failure.error_stack);
  f5_failure copy;
  failure_copy(&copy, &failure);
  failure_clear(&failure);
  assert_string_equal(copy.message, "01070734:3: says \"no\" \xc3\xbc");
  failure_clear(&copy);
  failure_from_answer(&failure, 500, "", 0);
  assert_string_equal(failure.message, "the device answered 500 without a message");
  failure_clear(&failure);
}

static void transport(void **state) {
  (void)state;
  static const struct {
    http_failure failure;
    bool sent, write, reached;
    f5_kind kind;
    f5_retry retry;
    bool unknown;
  } cases[] = {
      {HTTP_RESOLVE, false, true, false, KIND_TRANSPORT, RETRY_NEVER, false},
      {HTTP_RESOLVE, false, true, true, KIND_TRANSPORT, RETRY_ALWAYS, false},
      {HTTP_CONNECT, false, true, false, KIND_TRANSPORT, RETRY_NEVER, false},
      {HTTP_CONNECT, false, true, true, KIND_TRANSPORT, RETRY_ALWAYS, false},
      {HTTP_TLS, false, true, false, KIND_TLS, RETRY_NEVER, false},
      {HTTP_TLS, true, false, false, KIND_TLS, RETRY_NEVER, false},
      {HTTP_TLS, true, false, true, KIND_TLS, RETRY_READ, false},
      {HTTP_PROXY, false, true, true, KIND_TRANSPORT, RETRY_ALWAYS, false},
      {HTTP_PROXY, false, true, false, KIND_TRANSPORT, RETRY_NEVER, false},
      {HTTP_TIMEOUT, true, true, true, KIND_TIMEOUT, RETRY_READ, true},
      {HTTP_TIMEOUT, true, false, true, KIND_TIMEOUT, RETRY_READ, false},
      {HTTP_BROKEN, true, true, true, KIND_TRANSPORT, RETRY_READ, true},
      {HTTP_BROKEN, true, false, true, KIND_TRANSPORT, RETRY_READ, false},
      {HTTP_BROKEN, false, true, true, KIND_TRANSPORT, RETRY_ALWAYS, false},
      {HTTP_TOO_LARGE, true, false, true, KIND_PROTOCOL, RETRY_NEVER, false},
      {HTTP_TOO_LARGE, true, true, true, KIND_PROTOCOL, RETRY_NEVER, true},
      {HTTP_UNREADABLE, true, true, true, KIND_PROTOCOL, RETRY_READ, true},
      {HTTP_UNREADABLE, true, false, true, KIND_PROTOCOL, RETRY_READ, false},
      {HTTP_FILE, false, false, true, KIND_TRANSFER, RETRY_NEVER, false},
      {HTTP_FILE, true, true, true, KIND_TRANSFER, RETRY_NEVER, true},
      {HTTP_TLS, true, true, true, KIND_TLS, RETRY_READ, true},
      {HTTP_INTERNAL, true, true, true, KIND_TRANSPORT, RETRY_NEVER, true},
      {HTTP_INTERNAL, true, false, true, KIND_TRANSPORT, RETRY_NEVER, false},
      {HTTP_INTERNAL, false, true, true, KIND_TRANSPORT, RETRY_NEVER, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    http_request request = {.failure = cases[i].failure, .sent = cases[i].sent};
    if (request.failure == HTTP_PROXY) request.proxy_source = "https_proxy";
    f5_failure failure;
    failure_from_transport(&failure, &request, "bigip1:443", cases[i].write, cases[i].reached);
    assert_int_equal(failure.verdict.kind, cases[i].kind);
    assert_int_equal(failure.verdict.retry, cases[i].retry);
    assert_int_equal(failure.verdict.unknown, cases[i].unknown);
    failure_clear(&failure);
  }
}

static void scanning(void **state) {
  (void)state;
  static const char json[] =
      "{ \"a\" : [1, {\"b\":\"}\"}], \"token\": {\"x\\\"\":1, \"token\":\"T\\u0041\\n\", "
      "\"micros\":1765703135900413, \"f\":1.5e3},"
      "\"neg\":-7}";
  scan_value value;
  int64_t number;
  text out = {0};
  assert_true(scan_find(json, strlen(json), "token.token", &value));
  assert_true(scan_string(&value, &out));
  assert_string_equal(text_string(&out), "TA\n");
  assert_true(scan_find(json, strlen(json), "token.micros", &value) &&
              scan_integer(&value, &number));
  assert_true(number == 1765703135900413);
  assert_true(scan_find(json, strlen(json), "token.f", &value) && scan_integer(&value, &number));
  assert_true(number == 1500);
  assert_true(scan_find(json, strlen(json), "neg", &value) && scan_integer(&value, &number));
  assert_true(number == -7);
  assert_false(scan_find(json, strlen(json), "b", &value));
  assert_false(scan_find(json, strlen(json), "token.nothing", &value));
  assert_false(scan_find(json, strlen(json), "neg.deep", &value));
  assert_true(scan_find(json, strlen(json), "a", &value));
  assert_false(scan_string(&value, &out));
  assert_false(scan_integer(&value, &number));
  static const char zeros[] = "{\"m\":\0\0,\"a\":1}"; /* a NUL is no end and no space */
  assert_true(scan_find(zeros, sizeof zeros - 1, "a", &value) && scan_integer(&value, &number) &&
              number == 1);
  assert_true(scan_find(zeros, sizeof zeros - 1, "m", &value));
  assert_false(scan_integer(&value, &number));
  /* every prefix is harmless */
  for (size_t length = 0; length < strlen(json); length++)
    scan_find(json, length, "neg", &value);
  text_free(&out);
}

/* A backslash escapes a quote unless another one escapes the backslash. */
static void whole(void **state) {
  (void)state;
  static const struct {
    const char *json;
    bool is_whole;
  } cases[] = {{"{}", true},
               {"[\"\"]", true},
               {"{\"a\":\"x\\\"}\"}", true},
               {"{\"a\":\"x\\\\\"}", true},
               {"{\"a\":\"x\\\\\\\"}\"}", true},
               {"{\"a\":[true,-1.5e3,null]}", true},
               {"{\"a\":\"x\\\"}", false},
               {"{\"a\":\"x\\\\\\\"}", false},
               {"{\"a\":\"}", false},
               {"{\"a\":\"x\\", false},
               {"{\"a\":[1}", false},
               {"{\"a\":1}{}", false},
               {"{\"a\":tru", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(scan_is_whole(cases[i].json, strlen(cases[i].json)), cases[i].is_whole);
}

/* Every truncated object is out of balance, whatever its length. */
static void balance(void **state) {
  (void)state;
  text json = {0};
  text_add(&json, "{\"a\":[", 6);
  for (int i = 0; i < 3000; i++)
    text_add(&json, "{\"b\":[1,\"x\"]},", 14);
  text_add(&json, "1]}", 3);
  const char *all = text_string(&json);
  size_t length = strlen(all);
  assert_true(scan_balances(all, length));
  for (size_t cut = 1; cut < length; cut++)
    if (scan_balances(all, cut)) fail_msg("%zu bytes of %zu are balanced", cut, length);
  assert_true(scan_balances(all, 0));
  assert_false(scan_balances("{\"a\":\"{\"}", 9));
  text_free(&json);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(answers),   cmocka_unit_test(words),
                                     cmocka_unit_test(transport), cmocka_unit_test(scanning),
                                     cmocka_unit_test(whole),     cmocka_unit_test(balance)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
