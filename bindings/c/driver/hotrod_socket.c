#define _GNU_SOURCE /* SOCK_NONBLOCK, SOCK_CLOEXEC */
#include "hotrod_driver_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(hotrod_bytes) == sizeof(struct iovec) &&
                   offsetof(hotrod_bytes, data) == offsetof(struct iovec, iov_base) &&
                   offsetof(hotrod_bytes, len) == offsetof(struct iovec, iov_len),
               "pieces are handed to sendmsg as they are");

static hotrod_io failed(char *why, const char *reason)
{
  snprintf(why, HOTROD_WHY, "%s", reason);
  return HOTROD_IO_FAILED;
}

/* Continues after TCP is connected. */
static hotrod_io connected(struct hotrod_socket *socket, char *why)
{
  int one = 1;
  freeaddrinfo(socket->addresses);
  socket->addresses = NULL;
  socket->is_connected = 1;
  /* The machine batches requests already; Nagle's algorithm would only delay them. */
  setsockopt(socket->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return socket->tls == NULL ? HOTROD_IO_DONE : socket->hook->handshake(socket->tls, socket->fd, why);
}

/* Tries the host's addresses from the next one on; after the last one reports the last error. */
static hotrod_io try_next(struct hotrod_socket *link, int error, char *why)
{
  while (link->next != NULL) {
    struct addrinfo *address = link->next;
    link->next = address->ai_next;
    if (link->fd >= 0)
      close(link->fd);
    link->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd >= 0 && connect(link->fd, address->ai_addr, address->ai_addrlen) == 0)
      return connected(link, why);
    error = errno;
    if (link->fd >= 0 && error == EINPROGRESS)
      return HOTROD_IO_WANTS_WRITE;
  }
  return failed(why, strerror(error));
}

hotrod_io hotrod_socket_dial(struct hotrod_socket *socket, const hotrod_output_connect *connect, char *why)
{
  char host[1025], port[8];
  struct addrinfo hints = {0};
  if (connect->tls != NULL) {
    failed(why, "there is no TLS here: give hotrod_driver_new a hook");
    if (socket->hook->start != NULL)
      socket->tls = socket->hook->start(socket->hook->context, connect->tls, why);
    if (socket->tls == NULL)
      return HOTROD_IO_FAILED;
  }
  hints.ai_socktype = SOCK_STREAM;
  snprintf(host, sizeof host, "%.*s", (int)connect->host.len, connect->host.data);
  snprintf(port, sizeof port, "%u", (unsigned)connect->port);
  int problem = getaddrinfo(host, port, &hints, &socket->addresses);
  if (problem != 0)
    return failed(why, gai_strerror(problem));
  socket->next = socket->addresses;
  return try_next(socket, 0, why);
}

hotrod_io hotrod_socket_continue(struct hotrod_socket *socket, char *why)
{
  int error = 0;
  socklen_t size = sizeof error;
  if (socket->is_connected)
    return socket->hook->handshake(socket->tls, socket->fd, why);
  if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
    error = errno;
  return error != 0 ? try_next(socket, error, why) : connected(socket, why);
}

hotrod_io hotrod_socket_start_tls(struct hotrod_socket *socket, const hotrod_tls *tls, char *why)
{
  if (socket->tls != NULL || socket->hook->start == NULL)
    return failed(why, "there is no TLS here, or none within TLS");
  socket->tls = socket->hook->start(socket->hook->context, tls, why);
  return socket->tls == NULL ? HOTROD_IO_FAILED : socket->hook->handshake(socket->tls, socket->fd, why);
}

int hotrod_socket_peer(const struct hotrod_socket *socket, char *address)
{
  struct sockaddr_storage peer;
  socklen_t size = sizeof peer;
  return getpeername(socket->fd, (struct sockaddr *)&peer, &size) == 0 &&
         getnameinfo((struct sockaddr *)&peer, size, address, HOTROD_PEER, NULL, 0, NI_NUMERICHOST) == 0;
}

hotrod_io hotrod_socket_read(struct hotrod_socket *socket, uint8_t *room, size_t len, size_t *count, char *why)
{
  if (socket->tls != NULL)
    return socket->hook->read(socket->tls, room, len, count, why);
  ssize_t got = recv(socket->fd, room, len, 0);
  if (got > 0) {
    *count = (size_t)got;
    return HOTROD_IO_DONE;
  }
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    return HOTROD_IO_WANTS_READ;
  return failed(why, got == 0 ? "the server closed it" : strerror(errno));
}

hotrod_io hotrod_socket_write(struct hotrod_socket *socket, hotrod_bytes *pieces, size_t count, size_t *written,
                              char *why)
{
  if (socket->tls != NULL)
    return socket->hook->write(socket->tls, pieces[0].data, pieces[0].len, written, why);
  struct msghdr message = {0};
  message.msg_iov = (struct iovec *)pieces;
  message.msg_iovlen = count;
  ssize_t sent = sendmsg(socket->fd, &message, MSG_NOSIGNAL);
  if (sent >= 0) {
    *written = (size_t)sent;
    return HOTROD_IO_DONE;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
    return HOTROD_IO_WANTS_WRITE;
  return failed(why, strerror(errno));
}

void hotrod_socket_end(struct hotrod_socket *socket)
{
  if (socket->tls != NULL)
    socket->hook->end(socket->tls);
  if (socket->fd >= 0)
    close(socket->fd);
  if (socket->addresses != NULL)
    freeaddrinfo(socket->addresses);
  socket->tls = NULL;
  socket->fd = -1;
  socket->addresses = NULL;
}
