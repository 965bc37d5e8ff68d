/* Interfaces between the driver's files; not for applications. */
#ifndef HOTROD_DRIVER_PARTS_H
#define HOTROD_DRIVER_PARTS_H

#include <netdb.h>

#include "hotrod_driver.h"

/* Connection attempts of a socket at the same time; a further one ends the oldest. */
#define HOTROD_ATTEMPTS 8

/* hotrod_socket.c: one connection: name lookup, TCP, and TLS by the hook. Independent of the machine. */
struct hotrod_socket {
  int fds[HOTROD_ATTEMPTS];   /* the connection, or attempts to several addresses of the host (RFC 8305) */
  size_t count;               /* of fds */
  struct addrinfo *addresses; /* of the host, while connecting */
  hotrod_attempts *attempts;  /* while connecting */
  const hotrod_tls_hook *hook;
  void *tls;                  /* NULL for none */
  int is_connected;           /* TCP is connected */
};

/* Starts to connect, with TLS if `tls` is not NULL. The results are those of hotrod_socket_continue. */
hotrod_io hotrod_socket_dial(struct hotrod_socket *socket, const hotrod_output_connect *connect, uint64_t now_us,
                             char *why);

/* Continues when one of the fds is ready as requested, or at the deadline; done when the connection is established. */
hotrod_io hotrod_socket_continue(struct hotrod_socket *socket, uint64_t now_us, char *why);

/* Returns the time of the next connection attempt; HOTROD_NO_DEADLINE for none. */
uint64_t hotrod_socket_deadline(const struct hotrod_socket *socket);

/* Starts TLS on an established connection. */
hotrod_io hotrod_socket_start_tls(struct hotrod_socket *socket, const hotrod_tls *tls, char *why);

/* Size of a buffer for an IP address as text. */
#define HOTROD_PEER 64

/* Writes the peer's IP address; returns 0 if there is none. */
int hotrod_socket_peer(const struct hotrod_socket *socket, char *address);

hotrod_io hotrod_socket_read(struct hotrod_socket *socket, uint8_t *room, size_t len, size_t *count, char *why);

/* Writes some of these pieces, never raising SIGPIPE. */
hotrod_io hotrod_socket_write(struct hotrod_socket *socket, hotrod_bytes *pieces, size_t count, size_t *written,
                              char *why);

/* Closes the connection in any state; a second call does nothing. */
void hotrod_socket_end(struct hotrod_socket *socket);

/* hotrod_waiting.c: calls that run the driver until an output arrives. */
struct hotrod_waiting {
  hotrod_driver_handler handler;
  void *context;
  hotrod_text failure; /* of the awaited output; `data` is NULL for none */
};

struct hotrod_waiting *hotrod_driver_waiting(hotrod_driver *driver);

/* Enters a call on the driver. Returns 0 within another call, of this or another thread: the driver must not be run then. */
int hotrod_driver_enter(hotrod_driver *driver);

/* Returns whether this thread is in a call on the driver, such as in a callback. */
int hotrod_driver_is_mine(hotrod_driver *driver);

/* Returns whether hotrod_driver_free was called in an entered driver. */
int hotrod_driver_is_freed(hotrod_driver *driver);

/* Leaves the call. Returns 0 if hotrod_driver_free was called meanwhile: the driver is freed. */
int hotrod_driver_leave(hotrod_driver *driver);

/* hotrod_driver_next in an entered driver. */
hotrod_status hotrod_driver_run(hotrod_driver *driver, int timeout_ms, const hotrod_output **output);

#endif
