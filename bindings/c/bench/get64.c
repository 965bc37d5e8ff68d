/* Measures GETs of a value on one client, like `hotrod bench`:
 * get64 --host H --port P --cache C --in-flight N --seconds S --warmup-seconds W --value-size 64 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../driver/hotrod_driver.h"

enum { KEYS = 1000 };

static hotrod_driver *driver;
static hotrod_machine *machine;
static uint32_t cache;
static char keys[KEYS][16];
static uint32_t next_key;

static uint64_t cpu_us(void)
{
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* getrusage may report the parent's peak. */
static long peak_kib(void)
{
  char line[128];
  long peak = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status != NULL && fgets(line, sizeof line, status) != NULL)
    sscanf(line, "VmHWM: %ld", &peak);
  if (status != NULL)
    fclose(status);
  return peak;
}

static void end(const char *what)
{
  hotrod_text why = hotrod_driver_failure(driver);
  fprintf(stderr, "%s: %.*s\n", what, (int)why.len, why.data);
  exit(1);
}

static void load(size_t value_size)
{
  hotrod_expiration as_configured = {{0, 0}, {0, 0}};
  uint8_t *value = calloc(1, value_size + 1);
  hotrod_bytes bytes = {value, value_size};
  if (value == NULL)
    exit(1);
  memset(value, 'v', value_size);
  for (int i = 0; i < KEYS; i++) {
    uint64_t id;
    snprintf(keys[i], sizeof keys[i], "key-%08d", i);
    if (hotrod_submit_put(machine, hotrod_driver_now(driver), cache, NULL, hotrod_bytes_of(keys[i]), as_configured,
                          bytes, &id) != HOTROD_OK ||
        hotrod_driver_wait(driver, id, NULL) != HOTROD_OK)
      end("put");
  }
  free(value);
}

static void submit(void)
{
  uint64_t id;
  const char *key = keys[next_key++ % KEYS];
  if (hotrod_submit_get(machine, hotrod_driver_now(driver), cache, NULL, hotrod_bytes_of(key), &id) != HOTROD_OK)
    end("get");
}

/* Keeps all slots in flight until the deadline. */
static uint64_t run(uint64_t until)
{
  const hotrod_output *output;
  uint64_t completed = 0;
  for (;;) {
    if (hotrod_driver_next(driver, -1, &output) != HOTROD_OK)
      end("run");
    if (output->type != HOTROD_OUTPUT_COMPLETED)
      continue;
    if (output->as.completed.error != NULL || !output->as.completed.answer->found)
      end("get");
    completed++;
    submit();
    if (completed % 16 == 0 && hotrod_driver_now(driver) >= until)
      return completed;
  }
}

int main(int count, char **arguments)
{
  const char *host = "127.0.0.1", *port = "11222", *name = "dist";
  int in_flight = 64, seconds = 5, warmup = 1, value_size = 64;
  char uri[256];
  for (int i = 1; i + 1 < count; i += 2) {
    const char *value = arguments[i + 1];
    if (strcmp(arguments[i], "--host") == 0) host = value;
    else if (strcmp(arguments[i], "--port") == 0) port = value;
    else if (strcmp(arguments[i], "--cache") == 0) name = value;
    else if (strcmp(arguments[i], "--in-flight") == 0) in_flight = atoi(value);
    else if (strcmp(arguments[i], "--seconds") == 0) seconds = atoi(value);
    else if (strcmp(arguments[i], "--warmup-seconds") == 0) warmup = atoi(value);
    else if (strcmp(arguments[i], "--value-size") == 0) value_size = atoi(value);
    else { fprintf(stderr, "get64: %s?\n", arguments[i]); return 2; }
  }
  snprintf(uri, sizeof uri, "hotrod://%s:%s/%s", host, port, name);
  if (hotrod_driver_new(uri, NULL, &driver, NULL) != HOTROD_OK)
    return 1;
  machine = hotrod_driver_machine(driver);
  if (hotrod_driver_cache(driver, NULL, &cache) != HOTROD_OK || hotrod_driver_start(driver, cache) != HOTROD_OK)
    end("start");
  load((size_t)value_size);
  for (int i = 0; i < in_flight; i++)
    submit();
  run(hotrod_driver_now(driver) + (uint64_t)warmup * 1000000);
  uint64_t began = hotrod_driver_now(driver), cpu = cpu_us();
  uint64_t operations = run(began + (uint64_t)seconds * 1000000);
  double took = (double)(hotrod_driver_now(driver) - began) / 1e6, used = (double)(cpu_us() - cpu);
  printf("{\"ops_per_second\": %.1f, \"cpu_us_per_operation\": %.3f, \"peak_rss_kib\": %ld, \"operations\": %" PRIu64
         "}\n", (double)operations / took, used / (double)operations, peak_kib(), operations);
  hotrod_driver_free(driver);
  return 0;
}
