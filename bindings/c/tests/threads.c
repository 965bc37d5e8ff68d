/* Tests one driver under several threads: threads HOST:PORT */
#include <pthread.h>

#include "client.h"

enum { THREADS = 4, ROUNDS = 5000 };

static int is_allowed(hotrod_status status)
{
  return status == HOTROD_OK || status == HOTROD_ERR_BUSY || status == HOTROD_ERR_FULL;
}

/* Submits and runs without regard to other threads. */
static void *work(void *unused)
{
  const hotrod_output *output;
  uint64_t id;
  int timeout = 0;
  for (int i = 0; i < ROUNDS; i++) {
    CHECK(is_allowed(hotrod_submit_get(machine, NOW, cache, NULL, B("k"), &id)));
    CHECK(is_allowed(hotrod_driver_next(driver, 0, &output)));
    hotrod_driver_before_poll(driver, NULL, 0, &timeout);
    hotrod_driver_after_poll(driver, NULL, 0);
    hotrod_driver_failure(driver);
  }
  return unused;
}

static void in_threads(int count, void *(*run)(void *), void *argument)
{
  pthread_t threads[THREADS];
  for (int i = 0; i < count; i++)
    CHECK(pthread_create(&threads[i], NULL, run, argument) == 0);
  for (int i = 0; i < count; i++)
    CHECK(pthread_join(threads[i], NULL) == 0);
}

/* Calls of a second thread while the first is in hotrod_driver_wait. */
static void *refused(void *is_freeing)
{
  const hotrod_output *output;
  uint32_t other;
  int timeout = 0;
  CHECK_STATUS(hotrod_driver_next(driver, 0, &output), HOTROD_ERR_BUSY);
  CHECK_STATUS(hotrod_driver_wait(driver, 1, NULL), HOTROD_ERR_BUSY);
  CHECK_STATUS(hotrod_driver_start(driver, cache), HOTROD_ERR_BUSY);
  CHECK_STATUS(hotrod_driver_close(driver), HOTROD_ERR_BUSY);
  CHECK_STATUS(hotrod_driver_cache(driver, "local", &other), HOTROD_ERR_BUSY);
  CHECK_STATUS(hotrod_driver_on_output(driver, NULL, NULL), HOTROD_ERR_BUSY);
  CHECK(hotrod_driver_before_poll(driver, NULL, 0, &timeout) == 0);
  hotrod_driver_after_poll(driver, NULL, 0);
  CHECK(strstr(hotrod_status_text(HOTROD_ERR_BUSY), "thread") != NULL);
  CHECK(hotrod_driver_failure(driver).len > 0);
  if (is_freeing != NULL)
    hotrod_driver_free(driver);
  return NULL;
}

static int handled;

static void handle(void *is_freeing, const hotrod_output *output)
{
  if (output->type == HOTROD_OUTPUT_COMPLETED && handled++ == 0)
    in_threads(1, refused, is_freeing);
}

static void client(const char *uri)
{
  CHECK_OK(hotrod_driver_new(uri, NULL, &driver, NULL));
  machine = hotrod_driver_machine(driver);
  CHECK_OK(hotrod_driver_cache(driver, NULL, &cache));
}

/* Waits for the second of two operations; the handler gets the first. */
static void while_waiting(const char *uri, void *is_freeing)
{
  uint64_t id;
  hotrod_status status = HOTROD_OK;
  handled = 0;
  client(uri);
  CHECK_OK(hotrod_driver_start(driver, cache));
  CHECK_OK(hotrod_driver_on_output(driver, handle, is_freeing));
  for (int rounds = 0; status == HOTROD_OK && handled == 0; rounds++) {
    CHECK(rounds < 1000);
    CHECK_OK(hotrod_submit_get(machine, NOW, cache, NULL, B("k"), &id));
    CHECK_OK(hotrod_submit_get(machine, NOW, cache, NULL, B("k"), &id));
    status = hotrod_driver_wait(driver, id, NULL);
  }
  CHECK_STATUS(status, is_freeing != NULL ? HOTROD_ERR_CLOSED : HOTROD_OK);
  if (is_freeing == NULL)
    hotrod_driver_free(driver);
}

int main(int argc, char **argv)
{
  const hotrod_output none, *output = &none;
  char uri[128];
  uint64_t id;
  CHECK(argc == 2);
  snprintf(uri, sizeof uri, "hotrod://%s/dist", argv[1]);
  client(uri);
  CHECK_OK(hotrod_driver_start(driver, cache));
  in_threads(THREADS, work, NULL);
  /* Neither a status nor a connection is left broken. */
  for (int rounds = 0; output != NULL; rounds++) {
    CHECK(rounds < THREADS * ROUNDS + 1000);
    CHECK_OK(hotrod_driver_next(driver, 100, &output));
  }
  answer(hotrod_submit_get(machine, NOW, cache, NULL, B("k"), &id), &id);
  CHECK_OK(hotrod_driver_close(driver));
  hotrod_driver_free(driver);
  while_waiting(uri, NULL);
  while_waiting(uri, &id);
  puts("threads: all passed");
  return 0;
}
