/* A client for the rows of other languages: client URI MEMBERS KEYS.
 *
 * Says in a line of JSON what it covers, waits for a line, works, says how that went, and waits for the end of its input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotrod_openssl.h"

static const uint64_t patience_us = 15000000;

/* Ends with the reason that the driver has. */
static void fail(hotrod_driver *driver, const char *what)
{
  hotrod_text why = hotrod_driver_failure(driver);
  fprintf(stderr, "%s: %.*s\n", what, (int)why.len, why.data);
  exit(1);
}

static hotrod_coverage wait_for_coverage(hotrod_driver *driver, size_t members)
{
  hotrod_machine *machine = hotrod_driver_machine(driver);
  uint64_t began = hotrod_driver_now(driver);
  hotrod_coverage coverage;
  const hotrod_output *output;
  for (;;) {
    hotrod_get_coverage(machine, &coverage);
    int is_full = coverage.covered == members && coverage.members == members;
    if (members == 0 || is_full || hotrod_driver_now(driver) - began > patience_us)
      return coverage;
    if (hotrod_driver_next(driver, 1, &output) != HOTROD_OK)
      fail(driver, "waiting");
  }
}

static int shorter(const void *one, const void *other)
{
  uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
  return (a > b) - (a < b);
}

/* One operation, and what it took. */
static uint64_t operate(hotrod_driver *driver, uint32_t cache, int is_put, const char *key, const char *value)
{
  hotrod_machine *machine = hotrod_driver_machine(driver);
  hotrod_expiration as_configured = {{HOTROD_LIFETIME_DEFAULT, 0}, {HOTROD_LIFETIME_DEFAULT, 0}};
  const hotrod_output_completed *completed;
  uint64_t id, began = hotrod_driver_now(driver);
  hotrod_status status =
      is_put ? hotrod_submit_put(machine, began, cache, NULL, hotrod_bytes_of(key), as_configured, hotrod_bytes_of(value), &id)
             : hotrod_submit_get(machine, began, cache, NULL, hotrod_bytes_of(key), &id);
  if (status != HOTROD_OK || hotrod_driver_wait(driver, id, &completed) != HOTROD_OK)
    fail(driver, key);
  if (!is_put) {
    hotrod_bytes found = completed->answer->as.value;
    if (!completed->answer->found || found.len != strlen(value) || memcmp(found.data, value, found.len) != 0)
      fail(driver, "another value");
  }
  return hotrod_driver_now(driver) - began;
}

static void work(hotrod_driver *driver, uint32_t cache, const char *run, size_t keys)
{
  uint64_t *took = calloc(4 * keys, sizeof *took);
  char key[128], value[128];
  if (took == NULL)
    exit(1);
  for (size_t n = 0; n < 4 * keys; n++) {
    snprintf(key, sizeof key, "%s %zu", run, n % keys);
    snprintf(value, sizeof value, "value of %s %zu", run, n % keys);
    took[n] = operate(driver, cache, n < keys, key, value);
  }
  qsort(took, 4 * keys, sizeof *took, shorter);
  printf("{\"p50_us\": %llu, \"p99_us\": %llu}\n", (unsigned long long)took[2 * keys],
         (unsigned long long)took[4 * keys * 99 / 100]);
  fflush(stdout);
  free(took);
}

int main(int count, char **arguments)
{
  hotrod_tls_hook tls = hotrod_openssl_hook();
  hotrod_driver *driver;
  hotrod_error *error = NULL;
  hotrod_counters counters;
  char run[64];
  uint32_t cache;
  if (count != 4)
    return 2;
  if (hotrod_driver_new(arguments[1], &tls, &driver, &error) != HOTROD_OK) {
    const hotrod_failure *failure = hotrod_error_failure(error);
    fprintf(stderr, "%.*s\n", failure ? (int)failure->message.len : 0, failure ? failure->message.data : "");
    hotrod_error_free(error);
    return 1;
  }
  if (hotrod_driver_cache(driver, NULL, &cache) != HOTROD_OK || hotrod_driver_start(driver, cache) != HOTROD_OK)
    fail(driver, "start");
  hotrod_coverage coverage = wait_for_coverage(driver, strtoul(arguments[2], NULL, 10));
  hotrod_get_counters(hotrod_driver_machine(driver), &counters);
  printf("{\"covered\": %zu, \"members\": %zu, \"reason\": null, \"connects\": %llu}\n", coverage.covered,
         coverage.members, (unsigned long long)counters.connects);
  fflush(stdout);
  if (fgets(run, sizeof run, stdin) == NULL)
    return 1;
  run[strcspn(run, "\n")] = 0;
  work(driver, cache, run, strtoul(arguments[3], NULL, 10));
  while (fgets(run, sizeof run, stdin) != NULL) {
  }
  hotrod_driver_close(driver);
  hotrod_driver_free(driver);
  return 0;
}
