/* The CA certificates of the system. */
#ifndef NET_CA_H
#define NET_CA_H

/* Where the system keeps its CA certificates: a hashed directory (preferred) or a bundle, probed
 * once for Debian, RHEL, SUSE and Alpine; SSL_CERT_DIR and SSL_CERT_FILE win. Either may be NULL.
 */
void http_system_ca(const char **directory, const char **bundle);
/* An X509_STORE for the connections that look for their CAs in the hashed directory; libcurl
 * tells it the directory. It remembers the certificates that it found, for five minutes: reading
 * and parsing the CA's is a sixth of the work for a new connection, and all devices have the same.
 * NULL without memory. */
void *http_ca_store(const char *directory);

#endif
