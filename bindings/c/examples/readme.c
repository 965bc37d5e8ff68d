/* The README's program: readme [URI] */
#include <inttypes.h>
#include <stdio.h>

#include "hotrod_driver.h"

static int complain(hotrod_driver *driver)
{
  hotrod_text why = hotrod_driver_failure(driver);
  fprintf(stderr, "%.*s\n", (int)why.len, why.data);
  hotrod_driver_free(driver);
  return 1;
}

int main(int count, char **arguments)
{
  const char *uri = count > 1 ? arguments[1] : "hotrod://127.0.0.1:11222";
  hotrod_driver *driver;
  hotrod_error *error = NULL;
  uint32_t dist;
  uint64_t id;
  if (hotrod_driver_new(uri, NULL, &driver, &error) != HOTROD_OK) {
    const hotrod_failure *failure = hotrod_error_failure(error);
    fprintf(stderr, "%.*s\n", failure ? (int)failure->message.len : 0, failure ? failure->message.data : "");
    hotrod_error_free(error);
    return 1;
  }
  hotrod_machine *machine = hotrod_driver_machine(driver);
  if (hotrod_driver_cache(driver, "dist", &dist) != HOTROD_OK || hotrod_driver_start(driver, dist) != HOTROD_OK)
    return complain(driver);

  hotrod_bytes key = hotrod_bytes_of("greeting");
  hotrod_expiration as_configured = {{HOTROD_LIFETIME_DEFAULT, 0}, {HOTROD_LIFETIME_DEFAULT, 0}};
  const hotrod_output_completed *completed;
  if (hotrod_submit_put(machine, hotrod_driver_now(driver), dist, NULL, key, as_configured, hotrod_bytes_of("hello"),
                        &id) != HOTROD_OK ||
      hotrod_driver_wait(driver, id, NULL) != HOTROD_OK)
    return complain(driver);

  if (hotrod_submit_get_with_metadata(machine, hotrod_driver_now(driver), dist, NULL, key, &id) != HOTROD_OK ||
      hotrod_driver_wait(driver, id, &completed) != HOTROD_OK)
    return complain(driver);
  /* What an answer points to is gone with the next call: keep what is needed. */
  uint64_t version = completed->answer->found ? completed->answer->as.entry.metadata.version : 0;

  if (hotrod_submit_replace_if_unmodified(machine, hotrod_driver_now(driver), dist, NULL, key, as_configured, version,
                                          hotrod_bytes_of("hello, world"), &id) != HOTROD_OK ||
      hotrod_driver_wait(driver, id, &completed) != HOTROD_OK)
    return complain(driver);
  printf("replace_if_unmodified: %s\n", completed->answer->as.versioned.executed ? "done" : "another version");

  if (hotrod_driver_close(driver) != HOTROD_OK)
    return complain(driver);
  hotrod_driver_free(driver);
  return 0;
}
