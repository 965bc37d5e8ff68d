/* Many clients in one poll(2): many_connections [URI [CLIENTS [OPERATIONS]]]
 * Each keeps 16 operations in flight, on its links to all members. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "hotrod_driver.h"

enum { IN_FLIGHT = 16, LINKS = 64 };

struct client {
  hotrod_driver *driver;
  uint32_t cache;
  unsigned submitted, completed, failed;
};

static void complain(hotrod_driver *driver)
{
  hotrod_text why = hotrod_driver_failure(driver);
  fprintf(stderr, "%.*s\n", (int)why.len, why.data);
  exit(1);
}

/* Creates a client, and starts to connect it. */
static void create(struct client *client, const char *uri)
{
  hotrod_error *error = NULL;
  if (hotrod_driver_new(uri, NULL, &client->driver, &error) != HOTROD_OK) {
    const hotrod_failure *failure = hotrod_error_failure(error);
    fprintf(stderr, "%.*s\n", failure ? (int)failure->message.len : 0, failure ? failure->message.data : "");
    exit(1);
  }
  if (hotrod_driver_cache(client->driver, NULL, &client->cache) != HOTROD_OK)
    complain(client->driver);
}

static void submit(struct client *client, unsigned limit)
{
  char key[32];
  uint64_t id;
  hotrod_expiration as_configured = {{HOTROD_LIFETIME_DEFAULT, 0}, {HOTROD_LIFETIME_DEFAULT, 0}};
  while (client->submitted < limit && client->submitted - client->completed < IN_FLIGHT) {
    snprintf(key, sizeof key, "key %u", client->submitted % 100);
    hotrod_machine *machine = hotrod_driver_machine(client->driver);
    uint64_t now = hotrod_driver_now(client->driver);
    hotrod_status status =
        client->submitted < 100
            ? hotrod_submit_put(machine, now, client->cache, NULL, hotrod_bytes_of(key), as_configured,
                                hotrod_bytes_of(key), &id)
            : hotrod_submit_get(machine, now, client->cache, NULL, hotrod_bytes_of(key), &id);
    if (status == HOTROD_ERR_FULL)
      return;
    if (status != HOTROD_OK)
      complain(client->driver);
    client->submitted++;
  }
}

/* Handles the machine's outputs, and submits a new operation for each completed one. */
static void serve(struct client *client, unsigned limit)
{
  const hotrod_output *output;
  for (;;) {
    submit(client, limit);
    if (hotrod_driver_next(client->driver, 0, &output) != HOTROD_OK)
      complain(client->driver);
    if (output == NULL)
      return;
    if (output->type == HOTROD_OUTPUT_COMPLETED) {
      const hotrod_failure *error = output->as.completed.error;
      client->completed++;
      if (error != NULL && client->failed++ == 0)
        fprintf(stderr, "%.*s\n", (int)error->message.len, error->message.data);
    }
  }
}

int main(int count, char **arguments)
{
  const char *uri = count > 1 ? arguments[1] : "hotrod://127.0.0.1:11222/dist";
  size_t clients = count > 2 ? (size_t)atoi(arguments[2]) : 20;
  unsigned limit = count > 3 ? (unsigned)atoi(arguments[3]) : 1000;
  struct client *all = calloc(clients, sizeof *all);
  struct pollfd *fds = calloc(clients * LINKS, sizeof *fds);
  size_t *counts = calloc(clients, sizeof *counts), done = 0, links = 0;
  unsigned failed = 0;
  if (all == NULL || fds == NULL || counts == NULL)
    return 1;
  for (size_t i = 0; i < clients; i++)
    create(&all[i], uri);
  while (done < clients) {
    size_t used = 0;
    int timeout_ms = -1;
    done = 0;
    for (size_t i = 0; i < clients; i++) {
      serve(&all[i], limit);
      done += all[i].completed == limit;
      counts[i] = hotrod_driver_before_poll(all[i].driver, fds + used, LINKS, &timeout_ms);
      if (counts[i] > LINKS)
        return 1;
      used += counts[i];
    }
    links = used > links ? used : links;
    if (done < clients && poll(fds, used, timeout_ms) < 0)
      return 1;
    for (size_t i = 0, at = 0; i < clients; at += counts[i++])
      hotrod_driver_after_poll(all[i].driver, fds + at, counts[i]);
  }
  for (size_t i = 0; i < clients; i++) {
    failed += all[i].failed;
    hotrod_driver_close(all[i].driver);
    hotrod_driver_free(all[i].driver);
  }
  printf("%zu clients, %zu links, %zu operations, %u failed\n", clients, links, clients * limit, failed);
  free(all);
  free(fds);
  free(counts);
  return failed > 0;
}
