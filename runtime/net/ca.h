/* The CA certificates of the system. */
#ifndef NET_CA_H
#define NET_CA_H

/* Finds the CA certificates of the system: a hashed directory (preferred) or a bundle. Probes the
 * paths of Debian, RHEL, SUSE and Alpine once. SSL_CERT_DIR and SSL_CERT_FILE override them. Either
 * result may be NULL. */
void http_system_ca(const char **directory, const char **bundle);
/* An X509_STORE for connections that look up their CAs in the hashed directory. libcurl adds the
 * directory to it. It caches the certificates that it found for five minutes: reading and parsing
 * the CA certificate is a sixth of the work for a new connection, and usually all devices have the
 * same CA. NULL if out of memory. */
void *http_ca_store(const char *directory);

#endif
