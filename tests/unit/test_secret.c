/* What is masked, in every form in which it may turn up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "f5/report/secret.h"

static void check(const char *given, const char *wanted) {
  text out = {0};
  secret_mask(&out, given, strlen(given));
  assert_string_equal(text_string(&out), wanted);
  text_free(&out);
}

static void known_secrets(void **state) {
  (void)state;
  secret *password = secret_new("pa\"ss/w\\rd", 10);
  assert_string_equal(secret_string(password), "pa\"ss/w\\rd");
  assert_string_equal(secret_json(password), "pa\\\"ss/w\\\\rd");
  check("it is pa\"ss/w\\rd!", "it is ********!");
  check("json pa\\\"ss/w\\\\rd.", "json ********.");
  check("uri pa%22ss%2Fw%5Crd.", "uri ********.");
  check("twice pa\\\\\\\"ss/w\\\\\\\\rd.", "twice ********.");
  check("pa\"ss/w\\rpa\"ss/w\\rd", "pa\"ss/w\\r********");
  secret *longer = secret_new("pa\"ss/w\\rd-and-more", 19);
  check("<pa\"ss/w\\rd-and-more>", "<********>"); /* the longest one, or half of it would show */
  secret_free(longer);
  check("{\"bindpw-pa\\\"ss/w\\\\rd-password\":\"x\"}",
        "{\"bindpw-********-password\":\"********\"}");
  secret_unmask(password);
  check("it is pa\"ss/w\\rd!", "it is pa\"ss/w\\rd!");
  secret_free(password);
  check("it is pa\"ss/w\\rd!", "it is pa\"ss/w\\rd!");
  secret_free(NULL);
}

/* A run on many devices: each has a token, and many have the same password. */
static void thousands_of_secrets(void **state) {
  (void)state;
  enum { COUNT = 3000 };
  static secret *tokens[COUNT], *passwords[COUNT];
  char name[32];
  for (int i = 0; i < COUNT; i++) {
    snprintf(name, sizeof name, "TOKENTOKENTOKENTOKENTO%04d", i);
    tokens[i] = secret_new(name, strlen(name));
    passwords[i] = secret_new("ge\"heim", 7);
  }
  check("a TOKENTOKENTOKENTOKENTO2999, ge\\\"heim", "a ********, ********");
  check("ge\\u0022heim and TOKENTOKENTOKENTOKENTO0000", "******** and ********");
  for (int i = 0; i < COUNT - 1; i++)
    secret_free(passwords[i]);
  secret_unmask(tokens[7]);
  check("ge\"heim, TOKENTOKENTOKENTOKENTO0007", "********, TOKENTOKENTOKENTOKENTO0007");
  check("TOKENTOKENTOKENTOKENTO0008", "********");
  secret_free(passwords[COUNT - 1]);
  for (int i = 0; i < COUNT; i++)
    secret_free(tokens[i]);
  check("ge\"heim, TOKENTOKENTOKENTOKENTO0008", "ge\"heim, TOKENTOKENTOKENTOKENTO0008");
}

/* What other programs make of it when they write JSON: "\\u00e9", "\\u0026", "\\/". */
static void escaped_secrets(void **state) {
  (void)state;
  secret *password = secret_new("p\xc3\xa4ss<&\xf0\x9f\x98\x80/", 12);
  check("{\"m\":\"p\\u00e4ss\\u003c\\u0026\\ud83d\\ude00\\/!\"}", "{\"m\":\"********!\"}");
  check("\\u0070\\u00E4ss<&\xf0\x9f\x98\x80/", "********");
  check("p\\u00e4ss\\u003c", "p\\u00e4ss\\u003c");
  check("\\", "\\");
  secret_free(password);
}

static void check_command(const char *given, const char *wanted) {
  text out = {0};
  secret_mask_command(&out, given, strlen(given));
  assert_string_equal(text_string(&out), wanted);
  text_free(&out);
}

static void commands(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"curl -sk -u admin:hunter2 https://x/", "curl -sk -u admin:******** https://x/"},
      {"curl --user 'admin:hun ter' -X POST", "curl --user 'admin:********' -X POST"},
      {"curl --user=admin:a;ls", "curl --user=admin:********;ls"},
      {"curl -sku admin:a x", "curl -sku admin:******** x"},
      {"curl -skuadmin:a -Lu 'root:b c' x", "curl -skuadmin:******** -Lu 'root:********' x"},
      {"curl -u root:'b c' -kuroot:\"d\" x", "curl -u root:'********' -kuroot:\"********\" x"},
      {"curl -u '' -u 'a:' x", "curl -u '' -u 'a:' x"},
      {"curl -vsk https://h:1/x -xu", "curl -vsk https://h:1/x -xu"},
      {"htpasswd -bc f u abc; ls", "htpasswd ********; ls"},
      {"AWS_SECRET_ACCESS_KEY=abc aws", "AWS_SECRET_ACCESS_KEY=******** aws"},
      {"curl -uadmin:a https://u:p@h/x", "curl -uadmin:******** https://u:********@h/x"},
      {"curl -H 'Authorization: Bearer ABC' x", "curl -H 'Authorization: ********' x"},
      {"curl -H 'X-F5-Auth-Token: ABC' x", "curl -H 'X-F5-Auth-Token: ********' x"},
      {"tmsh modify auth user bob password hunter2", "tmsh modify auth user bob password ********"},
      {"tmsh create auth user x { password \"a b\" shell bash }",
       "tmsh create auth user x { password \"********\" shell bash }"},
      {"modify sys snmp communities modify { c { community-name public } }",
       "modify sys snmp communities modify { c { community-name ******** } }"},
      {"tmsh list auth password-policy all-properties",
       "tmsh list auth password-policy all-properties"},
      {"modify ltm profile client-ssl p passphrase none",
       "modify ltm profile client-ssl p passphrase none"},
      {"openssl rsa -passin pass:abc -in k", "openssl rsa -passin pass:******** -in k"},
      {"sshpass -p abc ssh -p 22 h", "sshpass -p ******** ssh -p ******** h"},
      {"ssh -p 22 h; ls -u a", "ssh -p 22 h; ls -u a"},
      {"snmpwalk -v2c -c public h", "snmpwalk -v2c -c ******** h"},
      {"echo root:abc | chpasswd", "echo ********| chpasswd"},
      {"echo abc | wc", "echo abc | wc"},
      {"echo abc > file", "echo abc > file"},
      {"echo root:abc > f; chpasswd < f", "echo ********> f; chpasswd < f"},
      {"chpasswd <<< root:abc", "chpasswd <<< ********"},
      {"chpasswd <<<'root:a b' && ls", "chpasswd <<<'********' && ls"},
      {"chpasswd <<EOF\nroot:abc\nEOF", "chpasswd <<********"},
      {"cat <<< abc", "cat <<< abc"},
      {"f5mku -r abc==", "f5mku -r ********"},
      {"PASSWORD=abc API_KEY='d e' run", "PASSWORD=******** API_KEY='********' run"},
      {"encrypted-password $6$abc$DEF./x role admin", "encrypted-password ******** role admin"},
      {"secret $M$y8$Zm9v+a/b== x", "secret ******** x"},
      {"grep -c token /var/log/ltm", "grep -c token ********"},
      {"password", "password"},
      {"password ", "password "},
      {"-u", "-u"},
      {"-u :", "-u :"},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_command(cases[i][0], cases[i][1]);
  /* inside of JSON, and only there */
  check(
      "{\"command\":\"run\",\"utilCmdArgs\":\"-c \\\"curl -u a:b h\\\"\",\"x\":\"-u a:b\"}",
      "{\"command\":\"run\",\"utilCmdArgs\":\"-c \\\"curl -u a:******** h\\\"\",\"x\":\"-u a:b\"}");
  check("{\"utilCmdArgs\":\"-c 'tmsh modify auth user b password '\\\\''a b'\\\\'' x'\"}",
        "{\"utilCmdArgs\":\"-c 'tmsh modify auth user b password '\\\\''********'\\\\'' x'\"}");
  check("{\"commandResult\":\"auth user b {\\n  encrypted-password $6$a$b\\n}\"}",
        "{\"commandResult\":\"auth user b {\\n  encrypted-password ********\\n}\"}");
  check("the password of admin is wrong", "the password of admin is wrong");
}

/* What a program reads as a password from its input. */
static void input(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"tmsh modify auth user b prompt-for-password <<< $'a b\\na b'; ls",
       "tmsh modify auth user b prompt-for-password <<< $'********'; ls"},
      {"tmsh modify auth password <<<'a'\"b c\"d && ls",
       "tmsh modify auth password <<<'******** && ls"},
      {"<<< abc tmsh modify auth user b prompt-for-password",
       "<<< ******** tmsh modify auth user b prompt-for-password"},
      {"cat <<EOF | tmsh modify auth user b prompt-for-password\nabc\nEOF", "cat <<********"},
      {"printf 'a\\na\\n' | tmsh modify auth user b prompt-for-password",
       "printf ********| tmsh modify auth user b prompt-for-password"},
      {"chpasswd < <(echo root:abc); ls", "chpasswd < <(echo ********); ls"},
      {"openssl rsa -passin stdin -in k <<< abc", "openssl rsa -passin stdin -in k <<< ********"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_command(cases[i][0], cases[i][1]);
  check("{\"utilCmdArgs\":\"-c 'tmsh modify auth user b prompt-for-password <<< "
        "$'\\\\''a\\\\na'\\\\''; ls'\"}",
        "{\"utilCmdArgs\":\"-c 'tmsh modify auth user b prompt-for-password <<< "
        "$'\\\\''********'\\\\''; ls'\"}");
}

/* No text leads it outside of its bounds, or makes it lose what is no secret. */
static void any_commands(void **state) {
  (void)state;
  static const char *const parts[] = {" ",
                                      "-u",
                                      ":",
                                      "'",
                                      "\"",
                                      "\\",
                                      "$M$",
                                      "pass:",
                                      "echo ",
                                      "|",
                                      "{",
                                      "password",
                                      "://",
                                      "@",
                                      "passwd",
                                      "a",
                                      "snmp",
                                      "-c",
                                      "utilCmdArgs\":\"",
                                      "<<<",
                                      "<(",
                                      "$6$"};
  uint64_t seed = 88172645463325252ULL;
  for (int round = 0; round < 20000; round++) {
    char given[200] = "";
    for (int i = 0; i < 10; i++) {
      seed ^= seed << 13;
      seed ^= seed >> 7;
      seed ^= seed << 17;
      strcat(given, parts[seed % (sizeof parts / sizeof *parts)]);
    }
    size_t length = strlen(given);
    char *exact = malloc(length ? length : 1); /* the sanitizer sees every byte behind it */
    assert_non_null(exact);
    memcpy(exact, given, length);
    text out = {0};
    secret_mask_command(&out, exact, length);
    assert_true(out.length <= length + 10 * 8);
    text_free(&out);
    secret_mask(&out, exact, length);
    text_free(&out);
    free(exact);
  }
}

static void encrypted(void **state) {
  (void)state;
  check("{\"a\":\"$M$kW$Zm9vYmFy+\\/==\"}", "{\"a\":\"********\"}");
  check("it costs $M$ and $5", "it costs $M$ and $5");
  check("$M$ab$Zm9v", "********");
  check("{\"url\":\"https://u:secret@h/x\"}", "{\"url\":\"https://u:********@h/x\"}");
  check("https://h:8443/a@b", "https://h:8443/a@b");
  check("{\"k\":\"-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----\"}",
        "{\"k\":\"-----BEGIN RSA PRIVATE KEY-----********-----END RSA PRIVATE KEY-----\"}");
  check("-----BEGIN PRIVATE KEY-----\nMII", "-----BEGIN PRIVATE KEY-----********");
  check("-----BEGIN CERTIFICATE-----\nMII", "-----BEGIN CERTIFICATE-----\nMII");
  check("{\"presharedKey\":\"a\",\"psk\":\"b\",\"md5Key\":\"c\",\"api_key\":\"d\"}",
        "{\"presharedKey\":\"********\",\"psk\":\"********\",\"md5Key\":\"********\","
        "\"api_key\":\"********\"}");
  check("{\"ciphertext\":\"Zm9v\",\"apiKey\":\"k\",\"communityName\":\"c\",\"communities\":\"d\"}",
        "{\"ciphertext\":\"********\",\"apiKey\":\"********\",\"communityName\":\"********\","
        "\"communities\":\"d\"}");
}

static void short_secrets(void **state) {
  (void)state;
  secret *tiny = secret_new("ab", 2);
  check("a cab", "a cab");
  check("{\"password\":\"ab\"}", "{\"password\":\"********\"}");
  secret_free(tiny);
}

static void keys(void **state) {
  (void)state;
  check("{\"password\":\"x\",\"name\":\"y\"}", "{\"password\":\"********\",\"name\":\"y\"}");
  check("{ \"Passphrase\" : \"x y\" }", "{ \"Passphrase\" : \"********\" }");
  check("{\"token\":{\"token\":\"T\",\"name\":\"n\"}}",
        "{\"token\":{\"token\":\"********\",\"name\":\"n\"}}");
  check("{\"bindPw\":\"a\\\"b\\\\\",\"x\":\"y\"}", "{\"bindPw\":\"********\",\"x\":\"y\"}");
  check("{\"x\":\"password\",\"y\":\"z\"}", "{\"x\":\"password\",\"y\":\"z\"}");
  check("{\"password\":null,\"passwords\":[\"a\"]}",
        "{\"password\":null,\"passwords\":[\"********\"]}");
  check("{\"password\":-12.5e3,\"passwordMinLength\":8,\"secrets\":[1,{\"a\":\"b\"}]}",
        "{\"password\":\"********\",\"passwordMinLength\":8,\"secrets\":[\"********\"]}");
  check("\"{\\\"secrets\\\": [ \\\"a\\\", \\\"b\\\" ]}\"",
        "\"{\\\"secrets\\\": [\\\"********\\\"]}\"");
  check("{\"password\":1", "{\"password\":\"********\"");
  check("{\"passwords\":[\"a\",\"b", "{\"passwords\":[\"********\"");
  check("{\"passwords\":[", "{\"passwords\":[");
  check("{\"password\":\"\",\"x\":\"\"}", "{\"password\":\"********\",\"x\":\"\"}");
  check("{\"password\":\"", "{\"password\":\"********");
  check("{\"password\":\"cut of", "{\"password\":\"********");
  /* the echo of a failed login: a request inside of a string, and once more inside of that */
  check("{\"originalRequestBody\":\"{\\\"username\\\":\\\"u\\\",\\\"password\\\":"
        "\\\"a\\\\\\\"b\\\",\\\"x\\\":1}\"}",
        "{\"originalRequestBody\":\"{\\\"username\\\":\\\"u\\\",\\\"password\\\":\\\"********\\\","
        "\\\"x\\\":1}\"}");
  check("\"\\\"{\\\\\\\"password\\\\\\\":\\\\\\\"s3\\\\\\\"}\\\"\"",
        "\"\\\"{\\\\\\\"password\\\\\\\":\\\\\\\"********\\\\\\\"}\\\"\"");
}

/* What a secret member holds stays JSON, whatever it is. */
static void values(void **state) {
  (void)state;
  check("{\"privateKey\":{\"base64\":\"a}\",\"x\":[\"{\"]},\"y\":1}",
        "{\"privateKey\":\"********\",\"y\":1}");
  check("{\"credentials\": [ {\"pass\":\"b]\"} , {}],\"y\":1}",
        "{\"credentials\": [\"********\"],\"y\":1}");
  check("\"{\\\"secret\\\":{\\\"a\\\":\\\"}\\\"}}\"", "\"{\\\"secret\\\":\\\"********\\\"}\"");
  check("{\"secret\":{},\"secrets\":[],\"tokens\":[{\"user\":\"joe\"}]}",
        "{\"secret\":{},\"secrets\":[],\"tokens\":[{\"user\":\"joe\"}]}");
  check("{\"passwordPolicy\":{\"a\":\"b\"}}", "{\"passwordPolicy\":{\"a\":\"b\"}}");
  check("{\"secret\":{\"a\":\"cut of", "{\"secret\":\"********\"");
  check("{\"pass\":\"a\",\"pw\":1,\"adminPass\":\"b\",\"bypass\":\"c\",\"sslBypass\":\"d\","
        "\"allProtocolsPass\":\"e\"}",
        "{\"pass\":\"********\",\"pw\":\"********\",\"adminPass\":\"********\",\"bypass\":\"c\","
        "\"sslBypass\":\"d\",\"allProtocolsPass\":\"e\"}");
}

/* As other programs than a BIG-IP write them. */
static void other_forms(void **state) {
  (void)state;
  check("username=a&password=b%20c&x=y", "username=a&password=********&x=y");
  check("client_secret=a", "client_secret=********");
  check("a\npassword=b", "a\npassword=b"); /* a text of many lines is no form */
  check("GET /mgmt/x?access_token=a&ver=17.1.0", "GET /mgmt/x?access_token=********&ver=17.1.0");
  check("{\"u\":\"https://h/x?a=b\\u0026token=c\"}",
        "{\"u\":\"https://h/x?a=b\\u0026token=********\"}");
  check("x?$filter=password%20eq%20a&$top=5", "x?$filter=password%20eq%20a&$top=5");
  check("--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\na\r\nb\r\n--b--\r\n",
        "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n********\r\n--b--\r\n");
  check("{\"m\":\"name=\\\"pw\\\"\\r\\n\\r\\na\\r\\n--b\"}",
        "{\"m\":\"name=\\\"pw\\\"\\r\\n\\r\\n********\\r\\n--b\"}");
  check("[{\"name\":\"bind__password\",\"encrypted\":\"yes\",\"value\":\"a\\\"b\"},"
        "{\"name\":\"password\"},{\"value\":\"c\"}]",
        "[{\"name\":\"bind__password\",\"encrypted\":\"yes\",\"value\":\"********\"},"
        "{\"name\":\"password\"},{\"value\":\"c\"}]");
  /* "-----BEGIN CERTIFICATE-----", then "-----BEGIN PRIVATE KEY-----" */
  check("\"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==\"",
        "\"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==\"");
  check("{\"x\":\"LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSQ==\"}", "{\"x\":\"********\"}");
  check("{\"jwt\":\"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl\",\"y\":1}",
        "{\"jwt\":\"********\",\"y\":1}");
  check("{\"jwt\":\"eyJhbGciOiJIUzI1NiJ9\"}", "{\"jwt\":\"eyJhbGciOiJIUzI1NiJ9\"}");
}

static void headers(void **state) {
  (void)state;
  check("X-F5-Auth-Token: ABC", "X-F5-Auth-Token: ********");
  check("GET / HTTP/1.1\r\nauthorization: Basic YTpi\r\nHost: x\r\n",
        "GET / HTTP/1.1\r\nauthorization: ********\r\nHost: x\r\n");
  check("say Authorization: no header", "say Authorization: no header");
}

/* Tokens that no session here owns: all but the first characters. */
/* Scripts and iRules, in the members that hold them. */
static void check_script(const char *script, const char *wanted) {
  static const char *const names[] = {"apiAnonymous", "definition", "iRule"};
  text given = {0}, expected = {0};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    text_clear(&given);
    text_clear(&expected);
    text_printf(&given, "{\"a\":1,\"%s\":\"", names[i]);
    text_join(&expected, &given);
    text_json(&given, script, strlen(script));
    text_json(&expected, wanted, strlen(wanted));
    text_put(&given, "\",\"b\":\"password x\"}");
    text_put(&expected, "\",\"b\":\"password x\"}");
    check(text_string(&given), text_string(&expected));
  }
  text_free(&given);
  text_free(&expected);
}

static void scripts(void **state) {
  (void)state;
  check_script("when X {\n set password \"x y\"\n}", "when X {\n set password \"********\"\n}");
  check_script("set static::api_token abc\nset static::secret {a b}\nset n 1",
               "set static::api_token ********\nset static::secret {********}\nset n 1");
  check_script("password abc\nset x", "password ********\nset x");
  check_script("HTTP::header insert Authorization \"Basic a b\"",
               "HTTP::header insert Authorization \"********\"");
  check_script("HTTP::header insert \"X-Api-Key\" \"abc\"; log x",
               "HTTP::header insert \"X-Api-Key\" \"********\"; log x");
  check_script("CRYPTO::keygen -passphrase \"abc\" -len 256",
               "CRYPTO::keygen -passphrase \"********\" -len 256");
  check_script("exec curl -u joe:abc https://h/", "exec curl -u joe:******** https://h/");
  check_script("if {[HTTP::header exists Authorization]} { pool x }",
               "if {[HTTP::header exists Authorization]} { pool x }");
  /* the echo of a request that failed */
  check("{\"originalRequestBody\":\"{\\\"apiAnonymous\\\":\\\"set token abc\\\",\\\"n\\\":1}\"}",
        "{\"originalRequestBody\":\"{\\\"apiAnonymous\\\":\\\"set token "
        "********\\\",\\\"n\\\":1}\"}");
}

static void texts_of_others(void **state) {
  (void)state;
  check("{\"send\":\"GET / HTTP/1.1\\r\\nAuthorization: Basic x y\\r\\nHost: h\"}",
        "{\"send\":\"GET / HTTP/1.1\\r\\nAuthorization: ********\\r\\nHost: h\"}");
  check("{\"send\":\"GET /\\\\r\\\\nCookie: a=x; b=y\\\\r\\\\n\"}",
        "{\"send\":\"GET /\\\\r\\\\nCookie: ********\\\\r\\\\n\"}");
  check("{\"a\":\"Bearer abcdefgh\",\"b\":\"Basic Settings\",\"d\":\"Basic "
        "YWJjOmRl\",\"c\":\"Basic auth of x\"}",
        "{\"a\":\"Bearer ********\",\"b\":\"Basic Settings\",\"d\":\"Basic "
        "********\",\"c\":\"Basic auth of x\"}");
  check("{\"Cookie\":\"a=x\",\"cookieName\":\"a=x\"}",
        "{\"Cookie\":\"********\",\"cookieName\":\"a=x\"}");
  check("<a><password>x</password><min-password>5</min-password ></a>",
        "<a><password>********</password><min-password>********</min-password ></a>");
  check("<passwordPolicy><user name=\"x\" password='y z'/>",
        "<passwordPolicy><user name=\"x\" password='********'/>");
  check("{\"x\":\"<u password=\\\"y z\\\"/>\"}", "{\"x\":\"<u password=\\\"********\\\"/>\"}");
  check("https://h/cb#access_token=x&b=c", "https://h/cb#access_token=********&b=c");
  check("/x?next=%2Fy%3Ftoken%3Dx%26b%3Dc", "/x?next=%2Fy%3Ftoken%3D********%26b%3Dc");
  check("https://h/x?X-Amz-Signature=abc&sig=def&design=e",
        "https://h/x?X-Amz-Signature=********&sig=********&design=e");
  check("{\"proxyPass\":\"x\"}", "{\"proxyPass\":\"********\"}");
  check("100%3 <b> 5 <", "100%3 <b> 5 <");
}

static void tokens_of_others(void **state) {
  (void)state;
  check("/mgmt/shared/authz/tokens/ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "/mgmt/shared/authz/tokens/ABCD********");
  check("GET /mgmt/shared/authz/tokens/ABCDEFGHIJKLMNO7?ver=1",
        "GET /mgmt/shared/authz/tokens/ABCD********?ver=1");
  check("/mgmt/shared/authz/tokens/ABCDEFGHIJKLMNO", "/mgmt/shared/authz/tokens/ABCDEFGHIJKLMNO");
  check("/mgmt/shared/authz/tokens/abcdefghijklmnopqrstuvwxyz",
        "/mgmt/shared/authz/tokens/abcdefghijklmnopqrstuvwxyz");
  check("{\"name\":\"ABCDEFGHIJKLMNOPQRSTUVWXY9\",\"n\":1}", "{\"name\":\"ABCD********\",\"n\":1}");
  check("\"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "\"ABCD********");
  check("{\"m\":\"{\\\"name\\\":\\\"ABCDEFGHIJKLMNOPQRSTUVWXYZ\\\"}\"}",
        "{\"m\":\"{\\\"name\\\":\\\"ABCD********\\\"}\"}");
  static const char *const others[] = {
      "\"ABCDEFGHIJKLMNOPQRSTUVWXY\"", "\"ABCDEFGHIJKLMNOPQRSTUVWXYZA\"",
      "\"ABCDEFGHIJKLMNOPQRSTUVWXYZ.\"", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    check(others[i], others[i]);
}

static void many(void **state) {
  (void)state;
  enum { COUNT = 3000 };
  static secret *all[COUNT];
  char value[64];
  for (int i = 0; i < COUNT; i++) {
    snprintf(value, sizeof value, "secret-number-%06d", i);
    all[i] = secret_new(value, strlen(value));
    assert_non_null(all[i]);
  }
  check("a secret-number-002999 b secret-number-000000", "a ******** b ********");
  for (int i = 0; i < COUNT; i += 2)
    secret_free(all[i]);
  for (int i = 0; i < COUNT; i += 2) {
    snprintf(value, sizeof value, "another-%d", i);
    all[i] = secret_new(value, strlen(value));
  }
  check("secret-number-000001 another-8", "******** ********");
  check("secret-number-000008", "secret-number-000008");
  for (int i = 0; i < COUNT; i++)
    secret_free(all[i]);
  char *large = malloc(100000);
  memset(large, 'k', 99999);
  large[99999] = '\0';
  secret *key = secret_new(large, 99999);
  check(large, SECRET_MASK);
  secret_free(key);
  free(large);
}

/* Freed memory holds nothing. */
static void wiped(void **state) {
  (void)state;
  secret *first = secret_new("wipe-me-please", 14);
  const char *place = secret_string(first);
  secret *second = secret_new("keeps the chunk", 15);
  secret_free(first);
  for (int i = 0; i < 14; i++)
    assert_int_equal(place[i], 0);
  secret_free(second);
}

static void no_core(void **state) {
  (void)state;
  secret_free(secret_new("any secret", 10));
  struct rlimit limit;
  getrlimit(RLIMIT_CORE, &limit);
  assert_int_equal(limit.rlim_cur, 0);
}

static void quiet(void **state) {
  (void)state;
  secret *line = secret_quiet((const char *const[]){"X-F5-Auth-Token: ", "TOKEN1234"}, 2);
  assert_string_equal(secret_string(line), "X-F5-Auth-Token: TOKEN1234");
  assert_int_equal(secret_length(line), 26);
  check("TOKEN1234", "TOKEN1234");
  secret_free(line);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(known_secrets),
                                     cmocka_unit_test(thousands_of_secrets),
                                     cmocka_unit_test(escaped_secrets),
                                     cmocka_unit_test(short_secrets),
                                     cmocka_unit_test(commands),
                                     cmocka_unit_test(input),
                                     cmocka_unit_test(any_commands),
                                     cmocka_unit_test(encrypted),
                                     cmocka_unit_test(keys),
                                     cmocka_unit_test(values),
                                     cmocka_unit_test(other_forms),
                                     cmocka_unit_test(headers),
                                     cmocka_unit_test(many),
                                     cmocka_unit_test(wiped),
                                     cmocka_unit_test(no_core),
                                     cmocka_unit_test(quiet),
                                     cmocka_unit_test(scripts),
                                     cmocka_unit_test(texts_of_others),
                                     cmocka_unit_test(tokens_of_others)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
