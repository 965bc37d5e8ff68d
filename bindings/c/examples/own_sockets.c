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

static void lost(uint64_t link)
{
  hotrod_link_lost(machine, now(), link, hotrod_text_of("the connection is lost, or was never there"));
}

static void dial(const hotrod_output_connect *to) /* blocks while it connects: fine for an example */
{
  char host[256], port[8];
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
  int i = 0;
  while (i < LINKS - 1 && ids[i] != 0) i++;
  snprintf(host, sizeof host, "%.*s", (int)to->host.len, to->host.data);
  snprintf(port, sizeof port, "%u", (unsigned)to->port);
  if (ids[i] != 0 || to->tls != NULL || getaddrinfo(host, port, &hints, &found) != 0) {
    lost(to->link);
    return;
  }
  ids[i] = to->link;
  sockets[i] = socket(found->ai_family, SOCK_STREAM, 0);
  if (connect(sockets[i], found->ai_addr, found->ai_addrlen) == 0)
    hotrod_connected(machine, now(), to->link, hotrod_bytes_of(NULL));
  else
    lost(to->link);
  freeaddrinfo(found);
}

static void write_to(int i)
{
  hotrod_bytes piece;
  size_t count;
  while (hotrod_transmit(machine, ids[i], &piece, 1, &count) == HOTROD_OK && count > 0) {
    ssize_t sent = send(sockets[i], piece.data, piece.len, MSG_NOSIGNAL);
    if (sent < 0)
      lost(ids[i]);
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
    lost(ids[i]);
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
    bool wants;
    hotrod_wants_read(machine, ids[i], &wants);
    fds[i] = (struct pollfd){wants ? sockets[i] : -1, POLLIN, 0};
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
  const hotrod_output *output;
  bool is_closed = false;
  uint8_t seed[32];
  uint32_t cache;
  uint64_t id;
  if (getrandom(seed, sizeof seed, 0) != sizeof seed ||
      hotrod_machine_new(uri, seed, now(), &machine, NULL) != HOTROD_OK ||
      hotrod_cache(machine, now(), &options, &cache) != HOTROD_OK ||
      hotrod_submit_get(machine, now(), cache, NULL, hotrod_bytes_of("greeting"), &id) != HOTROD_OK)
    return 1;
  while (!is_closed) {
    while (hotrod_poll(machine, &output) == HOTROD_OK && output != NULL) {
      perform(output);
      if (output->type == HOTROD_OUTPUT_COMPLETED) {
        const hotrod_answer *answer = output->as.completed.answer;
        if (answer != NULL && answer->found)
          printf("greeting: %.*s\n", (int)answer->as.value.len, (const char *)answer->as.value.data);
        hotrod_close(machine, now());
      }
    }
    if (hotrod_is_closed(machine, &is_closed) == HOTROD_OK && !is_closed)
      wait_and_read();
  }
  hotrod_machine_free(machine);
  return 0;
}
