/* The socket that a simulated device listens on. */
#ifndef SIM_SOCKET_H
#define SIM_SOCKET_H

#include <stddef.h>
#include <stdint.h>

/* So many connections may wait to be accepted. */
enum { SIM_SOCKET_BACKLOG = 512 };

/* The address that stands for all of 127.0.0.0/8, on the loopback interface alone; known by its
 * pointer. */
extern const char SIM_SOCKET_FLEET[];

/* Listens on an address (a name or number, or SIM_SOCKET_FLEET) and port (0: a free one) and stores
 * the port in *bound_port. Returns the socket, which does not block and whose connections do not
 * wait to send (TCP_NODELAY), or -1 with what is wrong written to error.
 *
 *   int fd = sim_socket_open("127.0.0.1", 0, &port, error, sizeof error);
 */
int sim_socket_open(const char *bind_address, uint16_t port, uint16_t *bound_port, char *error,
                    size_t size);

#endif
