/* TLS by OpenSSL: openssl hotrods://user:password@host:port/cache?trust_ca=ca.pem */
#include <stdio.h>

#include "hotrod_openssl.h"

int main(int count, char **arguments)
{
  hotrod_tls_hook tls = hotrod_openssl_hook();
  hotrod_driver *driver;
  hotrod_error *error = NULL;
  hotrod_expiration as_configured = {{HOTROD_LIFETIME_DEFAULT, 0}, {HOTROD_LIFETIME_DEFAULT, 0}};
  const hotrod_output_completed *completed;
  uint32_t cache;
  uint64_t id;
  if (count != 2) {
    fprintf(stderr, "usage: openssl hotrods://user:password@host:port/cache?trust_ca=ca.pem\n");
    return 2;
  }
  if (hotrod_driver_new(arguments[1], &tls, &driver, &error) != HOTROD_OK) {
    const hotrod_failure *failure = hotrod_error_failure(error);
    fprintf(stderr, "%.*s\n", failure ? (int)failure->message.len : 0, failure ? failure->message.data : "");
    hotrod_error_free(error);
    return 1;
  }
  hotrod_machine *machine = hotrod_driver_machine(driver);
  if (hotrod_driver_cache(driver, NULL, &cache) == HOTROD_OK && hotrod_driver_start(driver, cache) == HOTROD_OK &&
      hotrod_submit_put(machine, hotrod_driver_now(driver), cache, NULL, hotrod_bytes_of("secret"), as_configured,
                        hotrod_bytes_of("kept"), &id) == HOTROD_OK &&
      hotrod_driver_wait(driver, id, NULL) == HOTROD_OK &&
      hotrod_submit_get(machine, hotrod_driver_now(driver), cache, NULL, hotrod_bytes_of("secret"), &id) == HOTROD_OK &&
      hotrod_driver_wait(driver, id, &completed) == HOTROD_OK && completed->answer->found) {
    hotrod_bytes value = completed->answer->as.value;
    printf("secret: %.*s\n", (int)value.len, (const char *)value.data);
    hotrod_driver_close(driver);
    hotrod_driver_free(driver);
    return 0;
  }
  hotrod_text why = hotrod_driver_failure(driver);
  fprintf(stderr, "%.*s\n", (int)why.len, why.data);
  hotrod_driver_free(driver);
  return 1;
}
