/* A minimal blocking get and put: blocking [URI] */
#include <stdio.h>
#include <stdlib.h>

#include "hotrod_driver.h"

static hotrod_driver *driver;
static hotrod_machine *machine;
static uint32_t cache;

/* Waits for an operation's answer, valid until the next call; a failure ends the program. */
static const hotrod_answer *answer(hotrod_status submitted, const uint64_t *id)
{
  const hotrod_output_completed *completed;
  if (submitted != HOTROD_OK || hotrod_driver_wait(driver, *id, &completed) != HOTROD_OK) {
    hotrod_text why = hotrod_driver_failure(driver);
    fprintf(stderr, "%.*s\n", (int)why.len, why.data);
    exit(1);
  }
  return completed->answer;
}

static void put(const char *key, const char *value)
{
  uint64_t id;
  hotrod_expiration in_an_hour = {{HOTROD_LIFETIME_HOURS, 1}, {HOTROD_LIFETIME_DEFAULT, 0}};
  answer(hotrod_submit_put(machine, hotrod_driver_now(driver), cache, NULL, hotrod_bytes_of(key), in_an_hour,
                           hotrod_bytes_of(value), &id), &id);
}

static hotrod_bytes get(const char *key)
{
  uint64_t id;
  hotrod_bytes none = {NULL, 0};
  const hotrod_answer *found =
      answer(hotrod_submit_get(machine, hotrod_driver_now(driver), cache, NULL, hotrod_bytes_of(key), &id), &id);
  return found->found ? found->as.value : none;
}

int main(int count, char **arguments)
{
  const char *uri = count > 1 ? arguments[1] : "hotrod://127.0.0.1:11222/dist";
  if (hotrod_driver_new(uri, NULL, &driver, NULL) != HOTROD_OK ||
      hotrod_driver_cache(driver, NULL, &cache) != HOTROD_OK || hotrod_driver_start(driver, cache) != HOTROD_OK) {
    fprintf(stderr, "%s: no server there\n", uri);
    return 1;
  }
  machine = hotrod_driver_machine(driver);
  put("city", "Neuchatel");
  hotrod_bytes value = get("city");
  printf("city: %.*s\n", (int)value.len, (const char *)value.data);
  printf("river: %s\n", get("river").data == NULL ? "none" : "some");
  hotrod_driver_close(driver);
  hotrod_driver_free(driver);
  return 0;
}
