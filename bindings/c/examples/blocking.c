/* Blocking get, put and remove: blocking [URI] */
#include <stdio.h>

#include "hotrod_driver.h"

/* Prints why a call of the driver failed, and frees the driver. */
static int complain(hotrod_driver *driver, hotrod_status status)
{
  hotrod_text why = hotrod_driver_failure(driver);
  fprintf(stderr, "%s\n%.*s\n", hotrod_status_text((int)status), (int)why.len, why.data);
  hotrod_driver_free(driver);
  return 1;
}

int main(int count, char **arguments)
{
  const char *uri = count > 1 ? arguments[1] : "hotrod://127.0.0.1:11222/dist";
  hotrod_expiration in_an_hour = {{HOTROD_LIFETIME_HOURS, 1}, {HOTROD_LIFETIME_DEFAULT, 0}};
  hotrod_bytes city = hotrod_bytes_of("city"), value;
  hotrod_driver *driver;
  hotrod_error *error = NULL;
  uint32_t cache;
  bool removed;
  hotrod_status status = hotrod_driver_new(uri, NULL, &driver, &error);
  if (status != HOTROD_OK) {
    /* Without an error there was no memory. */
    const hotrod_failure *failure = hotrod_error_failure(error);
    hotrod_text why = failure != NULL ? failure->message : hotrod_text_of(hotrod_status_text((int)status));
    fprintf(stderr, "%.*s\n", (int)why.len, why.data);
    hotrod_error_free(error);
    return 1;
  }
  if ((status = hotrod_driver_cache(driver, NULL, &cache)) != HOTROD_OK ||
      (status = hotrod_driver_start(driver, cache)) != HOTROD_OK ||
      (status = hotrod_driver_put(driver, cache, city, hotrod_bytes_of("Neuchatel"), &in_an_hour)) != HOTROD_OK ||
      (status = hotrod_driver_get(driver, cache, city, &value)) != HOTROD_OK)
    return complain(driver, status);
  /* The value is valid until the next call. */
  printf("city: %.*s\n", (int)value.len, (const char *)value.data);
  if ((status = hotrod_driver_remove(driver, cache, city, &removed)) != HOTROD_OK ||
      (status = hotrod_driver_get(driver, cache, city, &value)) != HOTROD_OK)
    return complain(driver, status);
  printf("removed: %s, then: %s\n", removed ? "yes" : "no", value.data == NULL ? "none" : "some");
  hotrod_driver_close(driver);
  hotrod_driver_free(driver);
  return 0;
}
