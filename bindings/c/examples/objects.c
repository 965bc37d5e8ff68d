/* Keys and values of a cache that stores application/x-protostream, as Java's clients do: protostream [URI] */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
  const char *uri = count > 1 ? arguments[1] : "hotrod://127.0.0.1:11222/dist";
  hotrod_expiration as_configured = {{HOTROD_LIFETIME_DEFAULT, 0}, {HOTROD_LIFETIME_DEFAULT, 0}};
  hotrod_driver *driver;
  hotrod_error *error = NULL;
  hotrod_bytes found;
  uint32_t cache;

  /* The key is Java's Integer 7. */
  hotrod_protostream_value key = {HOTROD_PROTOSTREAM_INT32, {.integer = 7}};
  uint8_t key_bytes[32];
  size_t key_length;
  if (hotrod_protostream_encode(&key, key_bytes, sizeof key_bytes, &key_length, NULL) != HOTROD_OK)
    return 1;

  /* The value is a message shop.Item. A Protocol Buffers library writes it behind the prefix; here it is { id = 42 }. */
  static const uint8_t item[] = {0x08, 0x2a};
  hotrod_protostream_type type = {hotrod_text_of("shop.Item"), 0};
  uint8_t value_bytes[64];
  size_t prefix;
  if (hotrod_protostream_wrap_message(type, sizeof item, value_bytes, sizeof value_bytes - sizeof item, &prefix, NULL) !=
      HOTROD_OK)
    return 1;
  memcpy(value_bytes + prefix, item, sizeof item);

  if (hotrod_driver_new(uri, NULL, &driver, &error) != HOTROD_OK) {
    const hotrod_failure *failure = hotrod_error_failure(error);
    fprintf(stderr, "%.*s\n", failure ? (int)failure->message.len : 0, failure ? failure->message.data : "");
    hotrod_error_free(error);
    return 1;
  }
  hotrod_machine *machine = hotrod_driver_machine(driver);
  /* The cache of the URI, with a declared media type. */
  hotrod_cache_options options = {0};
  options.key_type = options.value_type = hotrod_text_of("application/x-protostream");
  if (hotrod_default_cache(machine, &options.name) != HOTROD_OK ||
      hotrod_cache(machine, hotrod_driver_now(driver), &options, &cache) != HOTROD_OK ||
      hotrod_driver_start(driver, cache) != HOTROD_OK)
    return complain(driver);

  hotrod_bytes stored_key = {key_bytes, key_length}, stored_value = {value_bytes, prefix + sizeof item};
  if (hotrod_driver_put(driver, cache, stored_key, stored_value, &as_configured) != HOTROD_OK ||
      hotrod_driver_get(driver, cache, stored_key, &found) != HOTROD_OK)
    return complain(driver);

  hotrod_protostream_value value;
  if (hotrod_protostream_decode(found, &value, NULL, 0, NULL, NULL) == HOTROD_OK &&
      value.kind == HOTROD_PROTOSTREAM_MESSAGE) {
    hotrod_protostream_message message = value.as.message;
    printf("%" PRId64 ": %.*s of %zu bytes\n", key.as.integer, (int)message.type.name.len, message.type.name.data,
           message.bytes.len);
  }
  hotrod_driver_close(driver);
  hotrod_driver_free(driver);
  return 0;
}
