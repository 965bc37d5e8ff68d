/* Measures nanoseconds per call of the border, without sockets: GETs submitted, their answers received and polled.
 * border [ROUNDS], each of 64 operations */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libhotrod.h>

enum { BATCH = 64 };

static hotrod_machine *machine;
static uint64_t link_id, moment = 1;

static double now_ns(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void must(hotrod_status status)
{
  if (status == HOTROD_OK)
    return;
  fprintf(stderr, "status %d\n", (int)status);
  exit(1);
}

static size_t poll_all(void)
{
  const hotrod_output *output;
  size_t values = 0;
  while (hotrod_poll(machine, &output) == HOTROD_OK && output != NULL) {
    if (output->type == HOTROD_OUTPUT_CONNECT)
      link_id = output->as.connect.link;
    if (output->type == HOTROD_OUTPUT_COMPLETED && output->as.completed.answer != NULL)
      values += output->as.completed.answer->as.value.len == 64;
  }
  return values;
}

/* Responds to each request in the queued bytes; version 2.5 has a fixed form that is easy to parse. */
static size_t answer_requests(uint8_t *replies, size_t room)
{
  hotrod_bytes piece;
  size_t count, length = 0;
  while (hotrod_transmit(machine, link_id, &piece, 1, &count) == HOTROD_OK && count > 0) {
    const uint8_t *at = piece.data, *end = piece.data + piece.len;
    while (at < end) {
      uint64_t id = 0;
      const uint8_t *message = at++; /* the magic byte */
      for (int shift = 0;; shift += 7) {
        id |= (uint64_t)(*at & 0x7f) << shift;
        if ((*at++ & 0x80) == 0)
          break;
      }
      uint8_t operation = at[1];
      at += 2;                       /* version, operation */
      at += 1 + at[0];               /* cache name */
      at += 1 + 1 + 1;               /* flags, intelligence, topology (0) */
      at += 1 + 1;                   /* no media types: see the version below */
      if (operation == 0x03)
        at += 1 + at[0];             /* key */
      if (length + 80 + (size_t)(at - message) > room)
        abort();
      replies[length++] = 0xa1;
      do {
        replies[length++] = (uint8_t)((id & 0x7f) | (id > 0x7f ? 0x80 : 0));
        id >>= 7;
      } while (id > 0);
      replies[length++] = (uint8_t)(operation + 1);
      replies[length++] = 0;         /* success */
      replies[length++] = 0;         /* no new topology */
      if (operation == 0x17) {       /* PING: no media types */
        replies[length++] = 0;
        replies[length++] = 0;
      } else {
        replies[length++] = 64;
        memset(replies + length, 'v', 64);
        length += 64;
      }
    }
    must(hotrod_transmitted(machine, link_id, piece.len));
  }
  return length;
}

int main(int count, char **arguments)
{
  int rounds = count > 1 ? atoi(arguments[1]) : 20000;
  static uint8_t replies[BATCH * 160];
  uint8_t seed[32] = {1};
  uint32_t cache;
  uint64_t id;
  size_t values = 0;
  double submitting = 0, answering = 0, polling = 0;
  hotrod_bytes key = hotrod_bytes_of("key-00000001"), none = {NULL, 0};
  hotrod_text uri = hotrod_text_of("hotrod://127.0.0.1:11222/c?protocol_version=2.9&client_intelligence=basic");
  must(hotrod_machine_new(uri, seed, moment, &machine, NULL));
  must(hotrod_cache(machine, moment, NULL, &cache));
  must(hotrod_start(machine, moment, cache));
  poll_all();
  must(hotrod_connected(machine, moment, link_id, none));
  poll_all();
  for (int round = 0; round < rounds + 100; round++) {
    hotrod_bytes bytes = {replies, answer_requests(replies, sizeof replies)};
    if (round == 100)
      submitting = answering = polling = 0, values = 0;
    double start = now_ns();
    must(hotrod_received(machine, moment++, link_id, bytes));
    double received = now_ns();
    values += poll_all();
    double polled = now_ns();
    for (int i = 0; i < BATCH; i++)
      must(hotrod_submit_get(machine, moment, cache, NULL, key, &id));
    double submitted = now_ns();
    poll_all();
    answering += received - start;
    polling += polled - received;
    submitting += submitted - polled;
  }
  double operations = (double)BATCH * rounds;
  printf("{\"operations\": %zu, \"submit_ns\": %.1f, \"received_ns\": %.1f, \"poll_ns\": %.1f}\n", values,
         submitting / operations, answering / operations, polling / operations);
  hotrod_machine_free(machine);
  return values == 0;
}
