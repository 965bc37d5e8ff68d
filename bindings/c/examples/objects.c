/* Objects as keys and values: JSON, values of ProtoStream, and messages of Protocol Buffers: objects [URI]
 *
 * The caches `items` and `orders` are configured as in docs/keys-and-values.md. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotrod_driver.h"
#include "hotrod_schemas.h"

#define TRY(call)                    \
  do {                               \
    hotrod_status status = (call);   \
    if (status != HOTROD_OK)         \
      return status;                 \
  } while (0)

static const char SCHEMA[] = "syntax = \"proto3\";\n"
                             "package shop;\n"
                             "message Order {\n"
                             "  string item = 1;\n"
                             "  int32 price = 2;\n"
                             "}\n";

/* Gives a cache with declared media types a number. */
static hotrod_status open_cache(hotrod_driver *driver, const char *name, const char *key_type, const char *value_type,
                                uint32_t *cache)
{
  hotrod_cache_options options = {0};
  options.name = hotrod_text_of(name);
  options.key_type = hotrod_text_of(key_type);
  options.value_type = hotrod_text_of(value_type);
  return hotrod_cache(hotrod_driver_machine(driver), hotrod_driver_now(driver), &options, cache);
}

static hotrod_status json_values(hotrod_driver *driver)
{
  uint32_t items;
  hotrod_bytes lamp;
  TRY(open_cache(driver, "items", "text/plain", "application/json", &items));
  TRY(hotrod_driver_put(driver, items, hotrod_bytes_of("42"), hotrod_bytes_of("{\"name\":\"lamp\",\"price\":1999}"), NULL));
  TRY(hotrod_driver_get(driver, items, hotrod_bytes_of("42"), &lamp));
  printf("42: %.*s\n", (int)lamp.len, (const char *)lamp.data);
  return HOTROD_OK;
}

static hotrod_status scalars(hotrod_driver *driver)
{
  uint32_t numbers;
  hotrod_bytes stored;
  TRY(open_cache(driver, "orders", "text/plain", "application/x-protostream", &numbers));

  /* Java: orders.put("last", 7) */
  hotrod_protostream_value last = {HOTROD_PROTOSTREAM_INT32, {.integer = 7}};
  uint8_t bytes[32];
  size_t length;
  TRY(hotrod_protostream_encode(&last, bytes, sizeof bytes, &length, NULL));
  TRY(hotrod_driver_put(driver, numbers, hotrod_bytes_of("last"), (hotrod_bytes){bytes, length}, NULL));

  TRY(hotrod_driver_get(driver, numbers, hotrod_bytes_of("last"), &stored));
  hotrod_protostream_value value, room[16];
  size_t count;
  /* A list: its elements are in `room`, as value.as.container.elements. */
  hotrod_status status = hotrod_protostream_decode(stored, &value, room, 16, &count, NULL);
  if (status == HOTROD_ERR_CAPACITY)
    fprintf(stderr, "room for %zu elements is needed\n", count);
  if (status == HOTROD_OK && value.kind == HOTROD_PROTOSTREAM_INT32)
    printf("last order: %" PRId64 "\n", value.as.integer);
  return status;
}

static hotrod_status register_schema(hotrod_driver *driver)
{
  uint32_t schemas;
  char *errors;
  hotrod_pair file = {hotrod_bytes_of("shop.proto"), hotrod_bytes_of(SCHEMA)};
  TRY(hotrod_schemas_cache(driver, &schemas));
  hotrod_status status = hotrod_schemas_register(driver, schemas, &file, 1, &errors);
  if (errors != NULL)
    fprintf(stderr, "%s\n", errors);
  free(errors);
  return status;
}

static hotrod_status messages(hotrod_driver *driver)
{
  uint32_t orders, as_json;
  hotrod_bytes stored;
  TRY(register_schema(driver));
  TRY(open_cache(driver, "orders", "application/x-protostream", "application/x-protostream", &orders));

  /* Java's Integer 7, as a key. */
  hotrod_protostream_value seven = {HOTROD_PROTOSTREAM_INT32, {.integer = 7}};
  uint8_t key[32];
  size_t key_length;
  TRY(hotrod_protostream_encode(&seven, key, sizeof key, &key_length, NULL));

  /* A Protocol Buffers library writes the message behind the prefix; here it is { item = "lamp", price = 1999 }. */
  static const uint8_t order[] = {0x0a, 4, 'l', 'a', 'm', 'p', 0x10, 0xcf, 0x0f};
  hotrod_protostream_type type = {hotrod_text_of("shop.Order"), 0};
  uint8_t value[64];
  size_t prefix;
  TRY(hotrod_protostream_wrap_message(type, sizeof order, value, sizeof value - sizeof order, &prefix, NULL));
  memcpy(value + prefix, order, sizeof order);
  TRY(hotrod_driver_put(driver, orders, (hotrod_bytes){key, key_length}, (hotrod_bytes){value, prefix + sizeof order}, NULL));

  TRY(hotrod_driver_get(driver, orders, (hotrod_bytes){key, key_length}, &stored));
  hotrod_protostream_value found;
  TRY(hotrod_protostream_decode(stored, &found, NULL, 0, NULL, NULL));
  if (found.kind == HOTROD_PROTOSTREAM_MESSAGE) {
    hotrod_protostream_message message = found.as.message;
    printf("order 7: %.*s of %zu bytes\n", (int)message.type.name.len, message.type.name.data, message.bytes.len);
  }

  /* The server has the schema, so it converts the message. */
  TRY(open_cache(driver, "orders", "application/x-protostream", "application/json", &as_json));
  TRY(hotrod_driver_get(driver, as_json, (hotrod_bytes){key, key_length}, &stored));
  printf("%.*s\n", (int)stored.len, (const char *)stored.data);
  return HOTROD_OK;
}

static hotrod_status run(hotrod_driver *driver)
{
  uint32_t items;
  TRY(hotrod_driver_cache(driver, "items", &items));
  TRY(hotrod_driver_start(driver, items));
  TRY(json_values(driver));
  TRY(scalars(driver));
  TRY(messages(driver));
  return hotrod_driver_close(driver);
}

int main(int count, char **arguments)
{
  const char *uri = count > 1 ? arguments[1] : "hotrod://127.0.0.1:11222";
  hotrod_driver *driver;
  hotrod_error *error = NULL;
  if (hotrod_driver_new(uri, NULL, &driver, &error) != HOTROD_OK) {
    const hotrod_failure *failure = hotrod_error_failure(error);
    fprintf(stderr, "%.*s\n", failure ? (int)failure->message.len : 0, failure ? failure->message.data : "");
    hotrod_error_free(error);
    return 1;
  }
  hotrod_status status = run(driver);
  if (status != HOTROD_OK) {
    hotrod_text why = hotrod_driver_failure(driver);
    fprintf(stderr, "%.*s\n", (int)why.len, why.data);
  }
  hotrod_driver_free(driver);
  return status == HOTROD_OK ? 0 : 1;
}
