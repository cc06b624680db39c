/* How names become URIs, once and only once encoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "f5/rest/names.h"
#include "f5/rest/uri.h"

static void names_and_segments(void **state) {
  (void)state;
  static const struct {
    const char *name, *path;
  } cases[] = {
      {"ltm", "/ltm"},
      {"ltm/data-group/internal", "/ltm/data-group/internal"},
      {"ltm//pool/", "/ltm/pool"},
      {"/Common/web", "/~Common~web"},
      {"/Common/a b%1", "/~Common~a%20b%251"},
      {"/Common/10.0.0.1%1:80", "/~Common~10.0.0.1%251:80"},
      {"/Common/dir/web", "/~Common~dir~web"},
      {"/Common/", "/~Common"},
      {"10.0.0.1%1", "/10.0.0.1%251"},
      {"~Common~web", "/~Common~web"},
      {"a?b#c&d+e", "/a%3Fb%23c%26d%2Be"},
      {"/Common/f\xc3\xbcr", "/~Common~f%C3%BCr"},
      {"\"<>\\^`{|}", "/%22%3C%3E%5C%5E%60%7B%7C%7D"},
      {"a%20b", "/a%2520b"}, /* a name is no URI: its percent sign is its own */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    text path = {0};
    uri_add(&path, cases[i].name, strlen(cases[i].name));
    assert_string_equal(text_string(&path), cases[i].path);
    text_free(&path);
  }
  text path = {0};
  uri_add(&path, "a\0b", 3);
  assert_string_equal(text_string(&path), "/a%00b");
  text_free(&path);
}

static void absolute(void **state) {
  (void)state;
  static const struct {
    const char *link, *path, *query;
  } cases[] = {
      {"/mgmt/shared/echo", "/mgmt/shared/echo", ""},
      {"/mgmt/tm/ltm/pool/?$select=name", "/mgmt/tm/ltm/pool", "?$select=name"},
      {"https://localhost/mgmt/tm/ltm/pool/~Common~a?ver=16.1.3", "/mgmt/tm/ltm/pool/~Common~a",
       ""},
      {"https://localhost/mgmt/tm/sys?$skip=2&$top=2&ver=16.1.3", "/mgmt/tm/sys",
       "?$skip=2&$top=2"},
      {"https://localhost/mgmt/tm/ltm/pool/~Common~p/members/~Common~10.1.1.1%251:80?ver=17.1.0",
       "/mgmt/tm/ltm/pool/~Common~p/members/~Common~10.1.1.1%251:80", ""},
      {"/mgmt/tm/ltm/node/~Common~a b", "/mgmt/tm/ltm/node/~Common~a%20b", ""},
      {"/mgmt/tm/ltm/node/10.0.0.1%", "/mgmt/tm/ltm/node/10.0.0.1%25", ""},
      {"/mgmt/tm/ltm/node?$filter=partition eq Common&ver=13.0.0", "/mgmt/tm/ltm/node",
       "?$filter=partition%20eq%20Common"},
      {"/mgmt/tm/ltm/node#top", "/mgmt/tm/ltm/node", ""},
      {"/mgmt", "/mgmt", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    text path = {0}, query = {0};
    assert_true(uri_is_absolute(cases[i].link, strlen(cases[i].link)));
    uri_absolute(&path, &query, cases[i].link, strlen(cases[i].link));
    assert_string_equal(text_string(&path), cases[i].path);
    assert_string_equal(text_string(&query), cases[i].query);
    text_free(&path);
    text_free(&query);
  }
  static const char *const others[] = {
      "/mgmtx", "/Common/mgmt", "mgmt/tm", "https://localhost/tmui", "https://localhost", ""};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    assert_false(uri_is_absolute(others[i], strlen(others[i])));
}

static void queries(void **state) {
  (void)state;
  text path = {0};
  text_put(&path, "/mgmt/tm/ltm/pool");
  uri_query(&path, "$select", "name,fullPath", 13);
  uri_query(&path, "$filter", "partition eq a&b", 16);
  uri_query(&path, "ver", "14.1.0", 6);
  assert_string_equal(
      text_string(&path),
      "/mgmt/tm/ltm/pool?$select=name,fullPath&$filter=partition%20eq%20a%26b&ver=14.1.0");
  text_free(&path);
}

static void last_names(void **state) {
  (void)state;
  static const struct {
    const char *path, *name;
    size_t rest;
  } cases[] = {
      {"/mgmt/tm/ltm/pool/~Common~web", "/Common/web", 17},
      {"/mgmt/tm/ltm/pool/~Common~a%20b%251", "/Common/a b%1", 17},
      {"/mgmt/tm/ltm/pool/web", "web", 17},
      {"/mgmt/tm/ltm/pool/a~b", "a~b", 17}, /* no full name: its tilde is its own */
      {"/mgmt/tm/ltm/pool/a%4", "a%4", 17}, /* no escape */
      {"/mgmt/tm/ltm/pool/a%", "a%", 17},
      {"/mgmt/tm/ltm/pool/%41%42", "AB", 17},
      {"/mgmt/tm/ltm/pool/", "", 17},
      {"web", "web", 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    text name = {0};
    assert_int_equal(uri_last_name(cases[i].path, strlen(cases[i].path), &name), cases[i].rest);
    assert_string_equal(text_string(&name), cases[i].name);
    text_free(&name);
  }
}

/* What is behind the end of a path is not read: an escape that goes on there is none. */
static void last_names_of_parts(void **state) {
  (void)state;
  static const char path[] = "/a%41%42";
  static const char *const names[] = {"a", "a%", "a%4", "aA", "aA%", "aA%4", "aAB"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    text name = {0};
    assert_int_equal(uri_last_name(path, i + 2, &name), 0);
    assert_string_equal(text_string(&name), names[i]);
    text_free(&name);
  }
}

/* Whatever name goes in comes out again, in one segment. */
static void round_trip(void **state) {
  (void)state;
  unsigned seed = 1;
  for (int turn = 0; turn < 5000; turn++) {
    char name[24] = "/";
    size_t length = 2 + (size_t)turn % 20;
    for (size_t i = 1; i < length; i++) {
      seed = seed * 1103515245 + 12345;
      char c = (char)(seed >> 16);
      name[i] = c == '~' || c == '\0' || c == '/' ? 'x' : c;
    }
    text path = {0}, back = {0};
    uri_add(&path, name, length);
    for (size_t i = 1; i < path.length; i++) {
      unsigned char c = (unsigned char)path.data[i];
      assert_true(c > ' ' && c < 127 && !strchr("/?#\"<>\\^`{|}", c));
    }
    uri_last_name(path.data, path.length, &back);
    assert_int_equal(back.length, length);
    assert_memory_equal(back.data, name, length);
    text_free(&path);
    text_free(&back);
  }
}

static void names_of_kinds(void **state) {
  (void)state;
  static const struct {
    const char *path, *fitted;
  } cases[] = {
      {"/mgmt/tm/auth/user/~Common~bob", "/mgmt/tm/auth/user/bob"},
      {"/mgmt/tm/auth/user/~bob", "/mgmt/tm/auth/user/bob"},
      {"/mgmt/tm/auth/user/bob", "/mgmt/tm/auth/user/bob"},
      {"/mgmt/tm/auth/user/~", "/mgmt/tm/auth/user/~"},
      {"/mgmt/tm/auth/user", "/mgmt/tm/auth/user"},
      {"/mgmt/tm/auth/user/~Common~", "/mgmt/tm/auth/user/~Common~"},
      {"/mgmt/tm/auth/user/~east~bob", "/mgmt/tm/auth/user/~east~bob"},
      {"/mgmt/tm/sys/folder/~T", "/mgmt/tm/sys/folder/~T"},
      {"/mgmt/tm/ltm/pool/~Common~web/members/~Common~n:80",
       "/mgmt/tm/ltm/pool/~Common~web/members/~Common~n:80"},
      {"/mgmt/tm/ltm/policy/~Common~p/rules/~Common~r/actions/~Common~0",
       "/mgmt/tm/ltm/policy/~Common~p/rules/r/actions/0"},
      {"/mgmt/tm/sys/management-ip/192.0.2.1/24", "/mgmt/tm/sys/management-ip/192.0.2.1~24"},
      {"/mgmt/tm/sys/management-ip/192.0.2.1/24/stats",
       "/mgmt/tm/sys/management-ip/192.0.2.1~24/stats"},
      {"/mgmt/tm/sys/management-ip/stats", "/mgmt/tm/sys/management-ip/stats"},
      {"/mgmt/shared/auth/user/~Common~bob", "/mgmt/shared/auth/user/~Common~bob"},
      {"/mgmt/tm", "/mgmt/tm"},
      {"/mgmt/tm/", "/mgmt/tm/"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *path = strdup(cases[i].path);
    size_t length = names_fit(path, strlen(path));
    path[length] = '\0';
    assert_string_equal(path, cases[i].fitted);
    free(path);
  }
}

static void versions(void **state) {
  (void)state;
  static const struct {
    const char *link, *version;
  } cases[] = {
      {"https://localhost/mgmt/tm/ltm?ver=16.1.0", "16.1.0"},
      {"/mgmt/tm/ltm?$top=1&ver=16.1.0&$skip=2", "16.1.0"},
      {"/mgmt/tm/ltm?ver=9", "9"},
      {"/mgmt/tm/ltm?ver=&ver=8", "8"},
      {"/mgmt/tm/ltm?server=1", ""},
      {"/mgmt/tm/ltm?ver=", ""},
      {"/mgmt/tm/ltm?", ""},
      {"/mgmt/tm/ver=1", ""},
      {"/mgmt/tm/ltm#?ver=1", ""},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *version = "";
    size_t length = uri_version(cases[i].link, strlen(cases[i].link), &version);
    assert_int_equal(length, strlen(cases[i].version));
    assert_memory_equal(version, cases[i].version, length);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(names_and_segments),
                                     cmocka_unit_test(absolute),
                                     cmocka_unit_test(queries),
                                     cmocka_unit_test(last_names),
                                     cmocka_unit_test(last_names_of_parts),
                                     cmocka_unit_test(round_trip),
                                     cmocka_unit_test(names_of_kinds),
                                     cmocka_unit_test(versions)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
