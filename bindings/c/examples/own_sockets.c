/* A complete host over own sockets, without TLS: own_sockets [URI]. Connects and writes block. */
#define _POSIX_C_SOURCE 200809L
#include <libhotrod.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINKS = 16 };
static struct pollfd sockets[LINKS];
static uint64_t ids[LINKS]; /* of the links, 0 for a free place */
static hotrod_machine *machine;

static uint64_t now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static int dial(const hotrod_output_connect *to)
{
  char host[256], port[8];
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
  int i = 0, failed = 1;
  while (i < LINKS - 1 && ids[i] != 0) i++;
  snprintf(host, sizeof host, "%.*s", (int)to->host.len, to->host.data);
  snprintf(port, sizeof port, "%u", (unsigned)to->port);
  if (ids[i] != 0 || to->tls != NULL || getaddrinfo(host, port, &hints, &found) != 0) return failed;
  ids[i] = to->link;
  sockets[i].fd = socket(found->ai_family, SOCK_STREAM, 0);
  failed = connect(sockets[i].fd, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return failed;
}

static void perform(const hotrod_output *output)
{
  hotrod_text why = hotrod_text_of("the connection is lost, or was never there");
  hotrod_bytes piece; size_t count;
  if (output->type == HOTROD_OUTPUT_CONNECT) {
    if (dial(&output->as.connect)) hotrod_link_lost(machine, now(), output->as.connect.link, why);
    else hotrod_connected(machine, now(), output->as.connect.link, hotrod_bytes_of(NULL));
  }
  for (int i = 0; i < LINKS; i++)
    if (output->type == HOTROD_OUTPUT_TRANSMIT && ids[i] == output->as.transmit.link) {
      while (hotrod_transmit(machine, ids[i], &piece, 1, &count) == HOTROD_OK && count > 0) {
        ssize_t sent = send(sockets[i].fd, piece.data, piece.len, MSG_NOSIGNAL);
        if (sent < 0) hotrod_link_lost(machine, now(), ids[i], why);
        hotrod_transmitted(machine, ids[i], sent < 0 ? piece.len : (size_t)sent);
      }
    } else if (output->type == HOTROD_OUTPUT_CLOSE && ids[i] == output->as.close.link) {
      close(sockets[i].fd);
      ids[i] = 0;
    }
}

static void wait_and_read(uint64_t deadline)
{
  for (int i = 0; i < LINKS; i++) {
    bool wants = false;
    hotrod_wants_read(machine, ids[i], &wants);
    sockets[i] = (struct pollfd){ids[i] ? sockets[i].fd : -1, wants ? POLLIN : 0, 0};
  }
  poll(sockets, LINKS, deadline == HOTROD_NO_DEADLINE ? -1 : deadline <= now() ? 0 : (int)((deadline - now()) / 1000 + 1));
  for (int i = 0; i < LINKS; i++) {
    uint8_t *room; size_t len;
    if (sockets[i].revents == 0 || hotrod_receive_buffer(machine, ids[i], &room, &len) != HOTROD_OK) continue;
    ssize_t got = recv(sockets[i].fd, room, len, 0);
    if (got > 0) hotrod_filled(machine, now(), ids[i], (size_t)got);
    else hotrod_link_lost(machine, now(), ids[i], hotrod_text_of("the server closed the connection"));
  }
  hotrod_timeout(machine, now());
}

static int complain(const hotrod_failure *why)
{
  return fprintf(stderr, "%.*s\n", why ? (int)why->message.len : 0, why ? why->message.data : "") > 0;
}

int main(int count, char **arguments)
{
  hotrod_text uri = hotrod_text_of(count > 1 ? arguments[1] : "hotrod://127.0.0.1:11222");
  hotrod_cache_options options = {.name = hotrod_text_of("dist")};
  const hotrod_output *output; uint64_t id, deadline;
  uint8_t seed[32]; uint32_t cache; hotrod_error *error = NULL; int failed = 0;
  if (getrandom(seed, sizeof seed, 0) != sizeof seed || hotrod_machine_new(uri, seed, now(), &machine, &error) ||
      hotrod_cache(machine, now(), &options, &cache) ||
      hotrod_submit_get(machine, now(), cache, NULL, hotrod_bytes_of("greeting"), &id)) return complain(error ? hotrod_error_failure(error) : hotrod_last_failure(machine));
  for (bool is_closed = false; !is_closed; hotrod_is_closed(machine, &is_closed)) {
    while (hotrod_poll(machine, &output) == HOTROD_OK && output != NULL) {
      perform(output);
      if (output->type != HOTROD_OUTPUT_COMPLETED) continue;
      const hotrod_answer *answer = output->as.completed.answer;
      if (output->as.completed.error) failed = complain(output->as.completed.error);
      if (answer && answer->found) printf("greeting: %.*s\n", (int)answer->as.value.len, answer->as.value.data);
      hotrod_close(machine, now());
    }
    if (hotrod_deadline(machine, &deadline) == HOTROD_OK && deadline != HOTROD_NO_DEADLINE) wait_and_read(deadline);
  }
  hotrod_machine_free(machine);
  return failed;
}
