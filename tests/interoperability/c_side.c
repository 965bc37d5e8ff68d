/* The C client: reads what another client wrote, then writes what that reads:
 * c_side URI vectors.json PEER [NUMBER of the type of orders]
 * Lines of standard input, in hexadecimal: the peer's order and that of C, as messages; then the stored form of each value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotrod_driver.h"

#define ROOM 4096
#define LENGTH 4096

static hotrod_driver *driver;
static uint32_t cache;
/* Number of the type of orders; 0 if they are stored by its name. */
static uint32_t order_number;

static void fail(const char *what, size_t n)
{
  hotrod_text why = driver == NULL ? hotrod_text_of("") : hotrod_driver_failure(driver);
  fprintf(stderr, "vector %zu: %s: %.*s\n", n, what, (int)why.len, why.data == NULL ? "" : why.data);
  exit(1);
}

/* Reads a line; false at the end. */
static bool read_line(uint8_t *bytes, size_t *length)
{
  static char line[2 * LENGTH + 2];
  unsigned byte;
  if (fgets(line, sizeof line, stdin) == NULL)
    return false;
  *length = strcspn(line, "\n") / 2;
  for (size_t at = 0; at < *length; at++) {
    if (sscanf(line + 2 * at, "%2x", &byte) != 1)
      fail("a line is not hexadecimal", at);
    bytes[at] = (uint8_t)byte;
  }
  return true;
}

static hotrod_bytes encoded(const hotrod_protostream_value *value, uint8_t *room)
{
  size_t length;
  if (hotrod_protostream_encode(value, room, LENGTH, &length, NULL) != HOTROD_OK)
    fail("it can't be encoded", 0);
  return (hotrod_bytes){room, length};
}

static hotrod_bytes text(const char *language, const char *what, size_t n, uint8_t *room)
{
  char words[64];
  snprintf(words, sizeof words, what, language, n);
  hotrod_protostream_value value = {HOTROD_PROTOSTREAM_STRING, {.text = hotrod_text_of(words)}};
  return encoded(&value, room);
}

static void expect(hotrod_bytes key, hotrod_bytes expected, const char *what, size_t n)
{
  hotrod_bytes found;
  if (hotrod_driver_get(driver, cache, key, &found) != HOTROD_OK)
    fail(what, n);
  if (found.data == NULL || found.len != expected.len || memcmp(found.data, expected.data, found.len) != 0)
    fail(what, n);
}

static void expect_none(hotrod_bytes key, const char *what, size_t n)
{
  hotrod_bytes found;
  if (hotrod_driver_get(driver, cache, key, &found) != HOTROD_OK || found.data != NULL)
    fail(what, n);
}

static void put(hotrod_bytes key, hotrod_bytes value, size_t n)
{
  if (hotrod_driver_put(driver, cache, key, value, NULL) != HOTROD_OK)
    fail("put", n);
}

/* A value's bytes, by way of the values that C sees. */
static hotrod_bytes again(hotrod_bytes stored, uint8_t *room, size_t n)
{
  static hotrod_protostream_value elements[ROOM];
  hotrod_protostream_value value;
  if (hotrod_protostream_decode(stored, &value, elements, ROOM, NULL, NULL) != HOTROD_OK)
    fail("it can't be decoded", n);
  return encoded(&value, room);
}

/* The npm client writes the number of a type behind the message, Java's before it. */
static void expect_message(hotrod_bytes key, hotrod_bytes expected, const char *what)
{
  static uint8_t room[LENGTH];
  hotrod_bytes found;
  if (hotrod_driver_get(driver, cache, key, &found) != HOTROD_OK || found.data == NULL)
    fail(what, 0);
  found = again(found, room, 0);
  if (found.len != expected.len || memcmp(found.data, expected.data, found.len) != 0)
    fail(what, 0);
}

static void connect_to(const char *uri)
{
  hotrod_error *error = NULL;
  if (hotrod_driver_new(uri, NULL, &driver, &error) != HOTROD_OK)
    fail("no driver", 0);
  hotrod_cache_options options = {0};
  options.key_type = options.value_type = hotrod_text_of("application/x-protostream");
  if (hotrod_default_cache(hotrod_driver_machine(driver), &options.name) != HOTROD_OK ||
      hotrod_cache(hotrod_driver_machine(driver), hotrod_driver_now(driver), &options, &cache) != HOTROD_OK ||
      hotrod_driver_start(driver, cache) != HOTROD_OK)
    fail("no connection", 0);
}

static hotrod_bytes order_of(const uint8_t *message, size_t length, uint8_t *room)
{
  hotrod_protostream_type type = {{NULL, 0}, order_number};
  if (order_number == 0)
    type.name = hotrod_text_of("shop.Order");
  hotrod_protostream_value order = {HOTROD_PROTOSTREAM_MESSAGE, {.message = {type, {message, length}}}};
  return encoded(&order, room);
}

int main(int count, char **arguments)
{
  static uint8_t line[LENGTH], key_room[LENGTH], text_room[LENGTH], peer_room[LENGTH], c_room[LENGTH];
  size_t length;
  if (count < 4)
    return 2;
  const char *peer = arguments[3];
  order_number = count > 4 ? (uint32_t)strtoul(arguments[4], NULL, 10) : 0;
  connect_to(arguments[1]);
  if (!read_line(line, &length))
    fail("no order of the peer", 0);
  hotrod_bytes theirs = order_of(line, length, peer_room);
  if (!read_line(line, &length))
    fail("no order of C", 0);
  hotrod_bytes order = order_of(line, length, c_room);
  expect_message(text(peer, "%s order", 0, text_room), theirs, "the peer's order");
  /* As a key that is another one. */
  if (order_number == 0)
    expect(theirs, text(peer, "%s order", 0, text_room), "the entry with the peer's order as its key", 0);
  else
    expect_none(theirs, "the entry with the peer's order as its key", 0);
  put(order, text("c", "%s order", 0, text_room), 0);
  put(text("c", "%s order", 0, text_room), order, 0);
  for (size_t n = 0; read_line(line, &length); n++) {
    hotrod_bytes value = again((hotrod_bytes){line, length}, key_room, n);
    expect(value, text(peer, "%s %zu", n, text_room), "the entry with the key", n);
    expect(text(peer, "%s value %zu", n, text_room), value, "the value", n);
    put(value, text("c", "%s %zu", n, text_room), n);
    put(text("c", "%s value %zu", n, text_room), value, n);
  }
  hotrod_driver_close(driver);
  hotrod_driver_free(driver);
  return 0;
}
