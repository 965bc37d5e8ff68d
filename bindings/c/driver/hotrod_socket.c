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

/* Frees what is needed while connecting. */
static void end_connecting(struct hotrod_socket *socket)
{
  if (socket->addresses != NULL)
    freeaddrinfo(socket->addresses);
  hotrod_attempts_free(socket->attempts);
  socket->addresses = NULL;
  socket->attempts = NULL;
}

/* Ends one of the attempts. */
static void end_attempt(struct hotrod_socket *socket, size_t index)
{
  close(socket->fds[index]);
  socket->count--;
  memmove(&socket->fds[index], &socket->fds[index + 1], (socket->count - index) * sizeof socket->fds[0]);
}

/* Continues with the attempt that is connected. */
static hotrod_io connected(struct hotrod_socket *socket, size_t index, char *why)
{
  int one = 1, fd = socket->fds[index];
  for (size_t i = 0; i < socket->count; i++)
    if (i != index)
      close(socket->fds[i]);
  socket->fds[0] = fd;
  socket->count = 1;
  socket->is_connected = 1;
  end_connecting(socket);
  /* The machine batches requests already; Nagle's algorithm would only delay them. */
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return socket->tls == NULL ? HOTROD_IO_DONE : socket->hook->handshake(socket->tls, fd, why);
}

/* Begins a connection to an address of the host. Returns 0, or an error. */
static int begin_attempt(struct hotrod_socket *link, size_t index)
{
  const struct addrinfo *address = link->addresses;
  while (index-- > 0)
    address = address->ai_next;
  int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return errno;
  if (connect(fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
    int error = errno;
    close(fd);
    return error;
  }
  if (link->count == HOTROD_ATTEMPTS)
    end_attempt(link, 0);
  link->fds[link->count++] = fd;
  return 0;
}

/* Begins the attempts that are due. */
static hotrod_io begin_attempts(struct hotrod_socket *socket, uint64_t now_us, char *why)
{
  size_t index;
  while (hotrod_attempts_next(socket->attempts, now_us, &index)) {
    int error = begin_attempt(socket, index);
    if (error != 0 && !hotrod_attempts_failed(socket->attempts))
      return failed(why, strerror(error));
  }
  return HOTROD_IO_WANTS_WRITE;
}

/* Looks which attempts have ended, keeps the first one that is connected, and begins those that are due. */
static hotrod_io continue_connecting(struct hotrod_socket *socket, uint64_t now_us, char *why)
{
  struct pollfd ready[HOTROD_ATTEMPTS];
  for (size_t i = 0; i < socket->count; i++)
    ready[i] = (struct pollfd){socket->fds[i], POLLOUT, 0};
  int any = poll(ready, (nfds_t)socket->count, 0);
  for (size_t i = any > 0 ? socket->count : 0; i-- > 0;) {
    int error = 0;
    socklen_t size = sizeof error;
    if (ready[i].revents == 0)
      continue;
    if (getsockopt(socket->fds[i], SOL_SOCKET, SO_ERROR, &error, &size) != 0)
      error = errno;
    if (error == 0)
      return connected(socket, i, why);
    end_attempt(socket, i);
    if (!hotrod_attempts_failed(socket->attempts))
      return failed(why, strerror(error));
  }
  return begin_attempts(socket, now_us, why);
}

/* Creates the attempts for the addresses of the host. */
static int make_attempts(struct hotrod_socket *socket)
{
  enum { ADDRESSES = 64 };
  bool is_ipv6[ADDRESSES];
  size_t count = 0;
  for (const struct addrinfo *address = socket->addresses; address != NULL && count < ADDRESSES; address = address->ai_next)
    is_ipv6[count++] = address->ai_family == AF_INET6;
  return hotrod_attempts_new(is_ipv6, count, &socket->attempts) == HOTROD_OK;
}

hotrod_io hotrod_socket_dial(struct hotrod_socket *socket, const hotrod_output_connect *connect, uint64_t now_us,
                             char *why)
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
  if (!make_attempts(socket))
    return failed(why, "no memory");
  return begin_attempts(socket, now_us, why);
}

hotrod_io hotrod_socket_continue(struct hotrod_socket *socket, uint64_t now_us, char *why)
{
  if (socket->is_connected)
    return socket->hook->handshake(socket->tls, socket->fds[0], why);
  return continue_connecting(socket, now_us, why);
}

uint64_t hotrod_socket_deadline(const struct hotrod_socket *socket)
{
  return hotrod_attempts_deadline(socket->attempts);
}

hotrod_io hotrod_socket_start_tls(struct hotrod_socket *socket, const hotrod_tls *tls, char *why)
{
  if (socket->tls != NULL || socket->hook->start == NULL)
    return failed(why, "there is no TLS here, or none within TLS");
  socket->tls = socket->hook->start(socket->hook->context, tls, why);
  return socket->tls == NULL ? HOTROD_IO_FAILED : socket->hook->handshake(socket->tls, socket->fds[0], why);
}

int hotrod_socket_peer(const struct hotrod_socket *socket, char *address)
{
  struct sockaddr_storage peer;
  socklen_t size = sizeof peer;
  return getpeername(socket->fds[0], (struct sockaddr *)&peer, &size) == 0 &&
         getnameinfo((struct sockaddr *)&peer, size, address, HOTROD_PEER, NULL, 0, NI_NUMERICHOST) == 0;
}

hotrod_io hotrod_socket_read(struct hotrod_socket *socket, uint8_t *room, size_t len, size_t *count, char *why)
{
  if (socket->tls != NULL)
    return socket->hook->read(socket->tls, room, len, count, why);
  ssize_t got = recv(socket->fds[0], room, len, 0);
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
  ssize_t sent = sendmsg(socket->fds[0], &message, MSG_NOSIGNAL);
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
  while (socket->count > 0)
    close(socket->fds[--socket->count]);
  end_connecting(socket);
  socket->tls = NULL;
}
