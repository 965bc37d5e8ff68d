/* The driver's parts, as its files know each other; not for applications. */
#ifndef HOTROD_DRIVER_PARTS_H
#define HOTROD_DRIVER_PARTS_H

#include <netdb.h>

#include "hotrod_driver.h"

/* hotrod_socket.c: one connection, by name lookup, TCP, and TLS by the hook. It knows of no machine. */
struct hotrod_socket {
  int fd;                     /* -1 for none */
  struct addrinfo *addresses; /* of the host, while connecting */
  struct addrinfo *next;      /* the one to try if the present one fails */
  const hotrod_tls_hook *hook;
  void *tls;                  /* NULL for none */
  int is_connected;           /* TCP is there */
};

/* Begins to connect, with TLS if `tls` is not NULL. The answers are those of hotrod_socket_go_on. */
hotrod_io hotrod_socket_dial(struct hotrod_socket *socket, const hotrod_output_connect *connect, char *why);

/* Goes on, when the socket is ready for what it wanted: done when it is established. */
hotrod_io hotrod_socket_go_on(struct hotrod_socket *socket, char *why);

/* Begins TLS on a connection that is there. */
hotrod_io hotrod_socket_start_tls(struct hotrod_socket *socket, const hotrod_tls *tls, char *why);

/* Room for an IP address as text. */
#define HOTROD_PEER 64

/* The IP address at the other end; answers 0 if there is none. */
int hotrod_socket_peer(const struct hotrod_socket *socket, char *address);

hotrod_io hotrod_socket_read(struct hotrod_socket *socket, uint8_t *room, size_t len, size_t *count, char *why);

/* Writes some of these pieces, never raising SIGPIPE. */
hotrod_io hotrod_socket_write(struct hotrod_socket *socket, hotrod_bytes *pieces, size_t count, size_t *written,
                              char *why);

/* Ends it, whatever state it is in; a second time does nothing. */
void hotrod_socket_end(struct hotrod_socket *socket);

/* hotrod_waiting.c: calls that run the driver until something has come. */
struct hotrod_waiting {
  hotrod_driver_handler handler;
  void *context;
  hotrod_text failure; /* of what was waited for; `data` is NULL for none */
};

struct hotrod_waiting *hotrod_driver_waiting(hotrod_driver *driver);

/* Begins something during which the application's code may run: a hook of TLS, the handler of outputs. Answers 0 if that is
 * so already: then the driver must not be run. */
int hotrod_driver_enter(hotrod_driver *driver);

/* Ends it. Answers 0 if hotrod_driver_free was called meanwhile: the driver is gone. */
int hotrod_driver_leave(hotrod_driver *driver);

#endif
