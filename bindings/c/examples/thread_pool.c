/* Threads with a driver each: thread_pool [URI [THREADS [OPERATIONS]]]
 * A driver belongs to one thread at a time. One for each thread of a pool needs no lock, and no thread waits for another. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "hotrod_driver.h"

struct worker {
  pthread_t thread;
  const char *uri;
  unsigned number, operations, done;
};

static void complain(hotrod_driver *driver, hotrod_error *error, hotrod_status status)
{
  const hotrod_failure *failure = hotrod_error_failure(error);
  hotrod_text why = hotrod_text_of("");
  if (driver != NULL)
    why = hotrod_driver_failure(driver);
  else if (failure != NULL)
    why = failure->message;
  fprintf(stderr, "%s %.*s\n", hotrod_status_text((int)status), (int)why.len, why.data);
}

static void *work(void *argument)
{
  struct worker *worker = argument;
  hotrod_driver *driver = NULL;
  hotrod_error *error = NULL;
  hotrod_bytes value;
  uint32_t cache;
  char key[32];
  hotrod_status status = hotrod_driver_new(worker->uri, NULL, &driver, &error);
  if (status == HOTROD_OK)
    status = hotrod_driver_cache(driver, NULL, &cache);
  if (status == HOTROD_OK)
    status = hotrod_driver_start(driver, cache);
  while (status == HOTROD_OK && worker->done < worker->operations) {
    snprintf(key, sizeof key, "%u: %u", worker->number, worker->done % 100);
    status = hotrod_driver_put(driver, cache, hotrod_bytes_of(key), hotrod_bytes_of(key), NULL);
    if (status == HOTROD_OK)
      status = hotrod_driver_get(driver, cache, hotrod_bytes_of(key), &value);
    worker->done += status == HOTROD_OK;
  }
  if (status != HOTROD_OK)
    complain(driver, error, status);
  if (driver != NULL)
    hotrod_driver_close(driver);
  hotrod_driver_free(driver);
  hotrod_error_free(error);
  return NULL;
}

int main(int count, char **arguments)
{
  const char *uri = count > 1 ? arguments[1] : "hotrod://127.0.0.1:11222/dist";
  unsigned threads = count > 2 ? (unsigned)atoi(arguments[2]) : 4, started = 0, done = 0;
  unsigned operations = count > 3 ? (unsigned)atoi(arguments[3]) : 500;
  struct worker *workers = calloc(threads, sizeof *workers);
  if (workers == NULL)
    return 1;
  for (; started < threads; started++) {
    struct worker *worker = &workers[started];
    worker->uri = uri;
    worker->number = started;
    worker->operations = operations;
    if (pthread_create(&worker->thread, NULL, work, worker) != 0)
      break;
  }
  for (unsigned i = 0; i < started; i++) {
    pthread_join(workers[i].thread, NULL);
    done += workers[i].done;
  }
  printf("%u threads, %u of %u pairs of put and get\n", started, done, threads * operations);
  free(workers);
  return done != threads * operations;
}
