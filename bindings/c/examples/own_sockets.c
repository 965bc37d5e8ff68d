/* A complete host with sockets of its own, without TLS: own_sockets [URI]. It does what outputs say, and no more. */
#define _POSIX_C_SOURCE 200809L
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <libhotrod.h>

enum { LINKS = 16 };
static struct pollfd fds[LINKS];
static int sockets[LINKS];
static uint64_t ids[LINKS]; /* of the links, 0 for a free place */
static hotrod_machine *machine;

static uint64_t now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void dial(const hotrod_output_connect *to) /* blocks while it connects: fine for an example */
{
  char host[256], port[8];
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
  int i = 0, fd = -1;
  while (i < LINKS - 1 && ids[i] != 0)
    i++;
  snprintf(host, sizeof host, "%.*s", (int)to->host.len, to->host.data);
  snprintf(port, sizeof port, "%u", (unsigned)to->port);
  if (ids[i] == 0 && to->tls == NULL && getaddrinfo(host, port, &hints, &found) == 0)
    fd = socket(found->ai_family, SOCK_STREAM, 0);
  if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0) {
    ids[i] = to->link;
    sockets[i] = fd;
    hotrod_connected(machine, now(), to->link, hotrod_bytes_of(NULL));
  } else {
    hotrod_link_lost(machine, now(), to->link, hotrod_text_of("it can't be connected"));
  }
  if (found != NULL)
    freeaddrinfo(found);
}

static void write_to(int i)
{
  hotrod_bytes piece;
  size_t count;
  while (hotrod_transmit(machine, ids[i], &piece, 1, &count) == HOTROD_OK && count > 0) {
    ssize_t sent = send(sockets[i], piece.data, piece.len, MSG_NOSIGNAL);
    if (sent < 0)
      hotrod_link_lost(machine, now(), ids[i], hotrod_text_of("the server closed it"));
    else
      hotrod_transmitted(machine, ids[i], (size_t)sent);
  }
}

static void read_from(int i)
{
  uint8_t *room;
  size_t len;
  hotrod_receive_buffer(machine, ids[i], &room, &len);
  ssize_t got = recv(sockets[i], room, len, 0);
  if (got > 0)
    hotrod_filled(machine, now(), ids[i], (size_t)got);
  else
    hotrod_link_lost(machine, now(), ids[i], hotrod_text_of("the server closed it"));
}

static void perform(const hotrod_output *output)
{
  for (int i = 0; i < LINKS; i++)
    if (output->type == HOTROD_OUTPUT_TRANSMIT && ids[i] == output->as.transmit.link) {
      write_to(i);
    } else if (output->type == HOTROD_OUTPUT_CLOSE && ids[i] == output->as.close.link) {
      close(sockets[i]);
      ids[i] = 0;
    }
  if (output->type == HOTROD_OUTPUT_CONNECT)
    dial(&output->as.connect);
}

static void wait_and_read(void)
{
  uint64_t deadline;
  hotrod_deadline(machine, &deadline);
  for (int i = 0; i < LINKS; i++) {
    bool wants = false;
    hotrod_wants_read(machine, ids[i], &wants);
    fds[i].fd = wants ? sockets[i] : -1;
    fds[i].events = POLLIN;
  }
  poll(fds, LINKS, deadline == HOTROD_NO_DEADLINE ? -1 : deadline <= now() ? 0 : (int)((deadline - now()) / 1000 + 1));
  for (int i = 0; i < LINKS; i++)
    if (fds[i].fd >= 0 && fds[i].revents != 0)
      read_from(i);
  hotrod_timeout(machine, now());
}

int main(int count, char **arguments)
{
  hotrod_text uri = hotrod_text_of(count > 1 ? arguments[1] : "hotrod://127.0.0.1:11222");
  hotrod_cache_options options = {.name = hotrod_text_of("dist")};
  hotrod_expiration as_configured = {{0, 0}, {0, 0}};
  hotrod_bytes key = hotrod_bytes_of("k");
  const hotrod_output *output;
  uint8_t seed[32];
  uint32_t cache;
  uint64_t put, get;
  if (getrandom(seed, sizeof seed, 0) != sizeof seed ||
      hotrod_machine_new(uri, seed, now(), &machine, NULL) != HOTROD_OK ||
      hotrod_cache(machine, now(), &options, &cache) != HOTROD_OK ||
      hotrod_submit_put(machine, now(), cache, NULL, key, as_configured, hotrod_bytes_of("v"), &put) != HOTROD_OK ||
      hotrod_submit_get(machine, now(), cache, NULL, key, &get) != HOTROD_OK)
    return 1;
  for (bool is_closed = false; !is_closed;) {
    while (hotrod_poll(machine, &output) == HOTROD_OK && output != NULL) {
      perform(output);
      if (output->type == HOTROD_OUTPUT_COMPLETED && output->as.completed.error != NULL)
        return 1;
      if (output->type == HOTROD_OUTPUT_COMPLETED && output->as.completed.id == get) {
        hotrod_bytes value = output->as.completed.answer->as.value;
        printf("k: %.*s\n", (int)value.len, (const char *)value.data);
        hotrod_close(machine, now());
      }
    }
    hotrod_is_closed(machine, &is_closed);
    if (!is_closed)
      wait_and_read();
  }
  hotrod_machine_free(machine);
  return 0;
}
