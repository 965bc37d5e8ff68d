/* Tests re-entrant calls of the driver, and arguments in the machine's own memory: reentrancy HOST:PORT */
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

/* The operation that the handler waits for, how often it completed, and whether the handler then frees the driver. */
static uint64_t awaited;
static int handled, is_freeing;

static void refused(void)
{
  const hotrod_output *other;
  int timeout = 0;
  CHECK_STATUS(hotrod_driver_next(driver, 0, &other), HOTROD_ERR_BUSY);
  CHECK_STATUS(hotrod_driver_wait(driver, awaited, NULL), HOTROD_ERR_BUSY);
  CHECK_STATUS(hotrod_driver_start(driver, cache), HOTROD_ERR_BUSY);
  CHECK_STATUS(hotrod_driver_close(driver), HOTROD_ERR_BUSY);
  CHECK(hotrod_driver_before_poll(driver, NULL, 0, &timeout) == 0);
  hotrod_driver_after_poll(driver, NULL, 0);
  if (is_freeing) {
    hotrod_driver_free(driver);
    hotrod_driver_free(driver);
  }
}

static void handle(void *context, const hotrod_output *output)
{
  uint64_t id;
  (void)context;
  if (output->type != HOTROD_OUTPUT_COMPLETED || output->as.completed.id != awaited)
    return;
  handled++;
  refused();
  /* The output is still valid, and its bytes are an argument. */
  hotrod_bytes value = output->as.completed.answer->as.value;
  CHECK(bytes_are(value, "value"));
  CHECK_OK(hotrod_submit_put(machine, NOW, cache, NULL, value, as_configured, value, &id));
  CHECK(bytes_are(value, "value"));
}

static void client(const char *uri, const hotrod_tls_hook *tls)
{
  CHECK_OK(hotrod_driver_new(uri, tls, &driver, NULL));
  machine = hotrod_driver_machine(driver);
  CHECK_OK(hotrod_driver_cache(driver, NULL, &cache));
}

/* Waits for another operation than the one whose completion the handler gets. */
static void handlers(const char *uri, int freeing)
{
  uint64_t id;
  hotrod_status status = HOTROD_OK;
  handled = 0;
  is_freeing = freeing;
  client(uri, NULL);
  CHECK_OK(hotrod_driver_on_output(driver, handle, NULL));
  CHECK_OK(hotrod_driver_start(driver, cache));
  answer(hotrod_submit_put(machine, NOW, cache, NULL, B("k"), as_configured, B("value"), &id), &id);
  CHECK_OK(hotrod_submit_get(machine, NOW, cache, NULL, B("k"), &awaited));
  for (int rounds = 0; status == HOTROD_OK && handled == 0; rounds++) {
    CHECK(rounds < 1000);
    CHECK_OK(hotrod_submit_get(machine, NOW, cache, NULL, B("k"), &id));
    status = hotrod_driver_wait(driver, id, NULL);
  }
  CHECK(handled == 1);
  CHECK_STATUS(status, freeing ? HOTROD_ERR_CLOSED : HOTROD_OK);
  if (freeing)
    return;
  CHECK(bytes_are(answer(hotrod_submit_get(machine, NOW, cache, NULL, B("value"), &id), &id)->as.value, "value"));
  CHECK_OK(hotrod_driver_close(driver));
  hotrod_driver_free(driver);
}

/* A TLS hook that copies bytes unchanged, and re-enters the driver from every function. */
static int ended;

static void *start(void *context, const hotrod_tls *tls, char *why)
{
  (void)context;
  (void)tls;
  (void)why;
  refused();
  return calloc(1, sizeof(int));
}

static hotrod_io handshake(void *session, int fd, char *why)
{
  (void)why;
  *(int *)session = fd;
  return HOTROD_IO_DONE;
}

static hotrod_io read_some(void *session, uint8_t *room, size_t len, size_t *count, char *why)
{
  (void)why;
  refused();
  ssize_t got = recv(*(int *)session, room, len, 0);
  *count = got > 0 ? (size_t)got : 0;
  return got > 0 ? HOTROD_IO_DONE : got == 0 ? HOTROD_IO_FAILED : HOTROD_IO_WANTS_READ;
}

static hotrod_io write_some(void *session, const uint8_t *bytes, size_t len, size_t *count, char *why)
{
  (void)why;
  refused();
  ssize_t sent = send(*(int *)session, bytes, len, MSG_NOSIGNAL);
  *count = sent > 0 ? (size_t)sent : 0;
  return sent > 0 ? HOTROD_IO_DONE : HOTROD_IO_WANTS_WRITE;
}

static hotrod_bytes alpn(void *session)
{
  hotrod_bytes none = {NULL, 0};
  (void)session;
  return none;
}

static void end(void *session)
{
  ended++;
  if (is_freeing)
    hotrod_driver_free(driver);
  free(session);
}

static void hooks(const char *uri)
{
  const hotrod_tls_hook hook = {NULL, start, handshake, read_some, write_some, alpn, end, NULL, NULL};
  uint64_t id;
  is_freeing = 0;
  client(uri, &hook);
  CHECK_OK(hotrod_driver_start(driver, cache));
  answer(hotrod_submit_put(machine, NOW, cache, NULL, B("k"), as_configured, B("value"), &id), &id);
  CHECK_OK(hotrod_driver_close(driver));
  hotrod_driver_free(driver);
  CHECK(ended > 0);

  ended = 0;
  client(uri, &hook);
  is_freeing = 1;
  CHECK_STATUS(hotrod_driver_start(driver, cache), HOTROD_ERR_CLOSED);
  CHECK(ended == 1);
}

static uint64_t link_of_a_machine(void)
{
  static const uint8_t seed[32];
  const hotrod_output *output;
  hotrod_bytes none = {NULL, 0};
  /* An error that has no place is not left behind. */
  CHECK_STATUS(hotrod_machine_new(hotrod_text_of("http://127.0.0.1"), seed, 0, &machine, NULL), HOTROD_ERR_MISUSE);
  CHECK_OK(hotrod_machine_new(hotrod_text_of("hotrod://127.0.0.1"), seed, 0, &machine, NULL));
  CHECK_OK(hotrod_cache(machine, 0, NULL, &cache));
  CHECK_OK(hotrod_start(machine, 0, cache));
  for (int rounds = 0; rounds < 10; rounds++) {
    CHECK_OK(hotrod_poll(machine, &output));
    if (output == NULL || output->type != HOTROD_OUTPUT_CONNECT)
      continue;
    uint64_t link = output->as.connect.link;
    CHECK_OK(hotrod_connected(machine, 0, link, none));
    return link;
  }
  CHECK(!"a link to connect");
  return 0;
}

/* Passes memory of the machine as arguments. */
static void memory(void)
{
  uint8_t *room;
  size_t len, count;
  hotrod_bytes pieces[4];
  uint64_t link = link_of_a_machine();

  /* Only hotrod_filled accepts the receive buffer, whole or in part. */
  for (size_t at = 0; at < 2; at++) {
    CHECK_OK(hotrod_receive_buffer(machine, link, &room, &len));
    CHECK(len > 16);
    memset(room, 0, 16);
    hotrod_bytes given = {room + 8 * at, 8};
    CHECK_STATUS(hotrod_received(machine, 0, link, given), HOTROD_ERR_MISUSE);
    CHECK_STATUS(hotrod_filled(machine, 0, link, 8), HOTROD_ERR_MISUSE);
  }
  /* Calls that copy accept it. */
  CHECK_OK(hotrod_receive_buffer(machine, link, &room, &len));
  memset(room, 'r', 16);
  hotrod_bytes value = {room, 16};
  CHECK_OK(hotrod_submit_put(machine, 0, cache, NULL, value, as_configured, value, &awaited));
  /* Feeds queued bytes back as received: an invalid response, so the link ends, and nothing worse. */
  CHECK_OK(hotrod_transmit(machine, link, pieces, 4, &count));
  CHECK(count > 0);
  CHECK_OK(hotrod_received(machine, 0, link, pieces[0]));
  /* A failure's message, as an argument of the next failing call. */
  CHECK_STATUS(hotrod_filled(machine, 0, link, 1), HOTROD_ERR_MISUSE);
  CHECK_OK(hotrod_link_lost(machine, 0, link, hotrod_last_failure(machine)->message));
  hotrod_machine_free(machine);
}

int main(int argc, char **argv)
{
  char uri[128];
  CHECK(argc == 2);
  memory();
  snprintf(uri, sizeof uri, "hotrod://%s/dist", argv[1]);
  handlers(uri, 0);
  handlers(uri, 1);
  snprintf(uri, sizeof uri, "hotrods://%s/dist?max_retries=0", argv[1]);
  hooks(uri);
  puts("re-entrancy: all passed");
  return 0;
}
