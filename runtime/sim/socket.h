/* The socket that a simulated device listens on. */
#ifndef SIM_SOCKET_H
#define SIM_SOCKET_H

#include <stddef.h>
#include <stdint.h>

/* How many connections can wait to be accepted. */
enum { SIM_SOCKET_BACKLOG = 512 };

/* Stands for all of 127.0.0.0/8, on the loopback interface only. It is recognised by its
 * address. */
extern const char SIM_SOCKET_FLEET[];

/* Listens on an address (a name, a number, or SIM_SOCKET_FLEET) and port (0: any free port), and
 * stores the port in *bound_port. Returns the socket, or -1 and a message in error. The socket does
 * not block, and its connections use TCP_NODELAY.
 *
 *   int fd = sim_socket_open("127.0.0.1", 0, &port, error, sizeof error);
 */
int sim_socket_open(const char *bind_address, uint16_t port, uint16_t *bound_port, char *error,
                    size_t size);

#endif
