/* What the binding to PostgreSQL does without a server: addresses, names of hosts, messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "postgres/connecting.h"

static loop *l;

static int open_loop(void **state) {
  (void)state;
  l = loop_new();
  text problem = {0};
  bool loaded = pq_load(&problem);
  text_free(&problem);
  return !l || !loaded;
}

static int close_loop(void **state) {
  (void)state;
  loop_delete(l);
  return 0;
}

static void expect_hosts(const char *conninfo, unsigned count, const char *expected) {
  pq_settings s;
  text problem = {0}, found = {0};
  assert_true(pq_settings_read(&s, conninfo, &problem));
  assert_int_equal(s.count, count);
  for (unsigned i = 0; i < s.count; i++)
    text_printf(&found, "%s|%s|%s;", s.hosts[i].host, s.hosts[i].address, s.hosts[i].port);
  assert_string_equal(text_string(&found), expected);
  text_free(&found);
  text_free(&problem);
  pq_settings_free(&s);
}

static void hosts_are_read_as_libpq_does(void **state) {
  (void)state;
  unsetenv("PGHOSTADDR");
  setenv("PGHOST", "from-env", 1);
  setenv("PGPORT", "7000", 1);
  expect_hosts("", 1, "from-env||7000;");
  expect_hosts("dbname=x", 1, "from-env||7000;");
  unsetenv("PGHOST");
  unsetenv("PGPORT");
  expect_hosts("postgresql://a,b:2/x", 2, "a||;b||2;");
  expect_hosts("host=a,b,c port=1,,3", 3, "a||1;b||;c||3;");
  expect_hosts("host=a,b port=9", 2, "a||9;b||9;");
  expect_hosts("hostaddr=::1,10.0.0.1", 2, "|::1|5432;|10.0.0.1|5432;");
  expect_hosts("host=a,b hostaddr=1.1.1.1,", 2, "a|1.1.1.1|5432;b||5432;");
  expect_hosts("host=/run/postgresql", 1, "/run/postgresql||5432;");
  expect_hosts("host=a,b port=1,2,3", 0, ""); /* libpq says what is wrong */
  expect_hosts("host=a,b hostaddr=1.1.1.1", 0, "");
}

static void what_is_given_for_dead_connections_stays(void **state) {
  (void)state;
  pq_settings s;
  text problem = {0};
  assert_true(pq_settings_read(&s, "connect_timeout=7 keepalives_idle=3", &problem));
  assert_int_equal(s.connect_seconds, 7);
  assert_true(s.has_idle);
  assert_false(s.has_interval || s.has_count || s.has_user_timeout);
  pq_settings_free(&s);
}

static void passwords_are_refused(void **state) {
  (void)state;
  static const char *const refused[] = {"password=hunter2", "postgresql://u:hunter2@h/x",
                                        "sslpassword=hunter2", "postgresql://u:hunter2@h/%zz",
                                        "host='x password=hunter2"};
  for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++) {
    pq_settings s;
    text problem = {0};
    assert_false(pq_settings_read(&s, refused[i], &problem));
    assert_true(problem.length > 20);
    assert_null(strstr(text_string(&problem), "hunter2"));
    text_free(&problem);
  }
}

static void messages_become_one_line(void **state) {
  (void)state;
  static const char *const messages[][2] = {
      {"one\n", "one"},
      {"refused\n\tIs it running?\n", "refused; Is it running?"},
      {"first.\nsecond\n\n", "first. second"},
      {"", ""},
      {"\n", ""},
  };
  for (unsigned i = 0; i < sizeof messages / sizeof *messages; i++) {
    text t = {0};
    pq_put_message(&t, messages[i][0]);
    assert_string_equal(text_string(&t), messages[i][1]);
    text_free(&t);
  }
}

static unsigned answered;
static void count_answer(void *data) {
  answered += *(unsigned *)data;
}

static void names_are_looked_up(void **state) {
  (void)state;
  static const char *const names[] = {"localhost", "nosuch.invalid", "127.0.0.1"};
  unsigned one = 1;
  answered = 0;
  pq_lookup *lookup = pq_lookup_start(l, names, 3, count_answer, &one);
  assert_non_null(lookup);
  assert_true(loop_pending(l));
  while (!answered)
    loop_turn(l, -1);
  assert_false(loop_pending(l));
  const char *found = pq_lookup_addresses(lookup, 0);
  assert_true(strstr(found, "127.0.0.1") || strstr(found, "::1"));
  assert_string_equal(pq_lookup_addresses(lookup, 1), "");
  assert_true(strlen(pq_lookup_problem(lookup, 1)) > 3);
  assert_string_equal(pq_lookup_addresses(lookup, 2), "127.0.0.1");
  pq_lookup_end(lookup);
  assert_true(pq_is_address("::1") && pq_is_address("10.0.0.1"));
  assert_false(pq_is_address("localhost"));
}

static void a_lookup_may_be_given_up(void **state) {
  (void)state;
  static const char *const names[] = {"nosuch.invalid"};
  unsigned one = 1;
  answered = 0;
  for (int i = 0; i < 20; i++) {
    pq_lookup *lookup = pq_lookup_start(l, names, 1, count_answer, &one);
    assert_non_null(lookup);
    pq_lookup_end(lookup);
  }
  assert_false(loop_pending(l));
  loop_turn(l, 0);
  assert_int_equal(answered, 0);
  pq_lookup_end(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hosts_are_read_as_libpq_does),
      cmocka_unit_test(what_is_given_for_dead_connections_stays),
      cmocka_unit_test(passwords_are_refused),
      cmocka_unit_test(messages_become_one_line),
      cmocka_unit_test(names_are_looked_up),
      cmocka_unit_test(a_lookup_may_be_given_up),
  };
  return cmocka_run_group_tests(tests, open_loop, close_loop);
}
