/* Tests ProtoStream values: protostream VECTORS, the file spec/vectors/protostream.json */
#include <inttypes.h>

#include <jansson.h>

#include "check.h"

#define ROOM 4096

static hotrod_protostream_value elements[ROOM];
static uint8_t encoded[1 << 16];

static size_t from_hex(const char *hex, uint8_t *out)
{
  size_t count = strlen(hex) / 2;
  unsigned byte;
  for (size_t at = 0; at < count; at++) {
    CHECK(sscanf(hex + 2 * at, "%2x", &byte) == 1);
    out[at] = (uint8_t)byte;
  }
  return count;
}

static void check_bytes(const char *hex, hotrod_bytes bytes)
{
  uint8_t expected[1 << 12];
  size_t length = from_hex(hex, expected);
  CHECK(bytes.len == length && memcmp(bytes.data, expected, length) == 0);
}

static void check_type(json_t *content, hotrod_protostream_type type)
{
  const char *name = json_string_value(json_object_get(content, "type"));
  if (name == NULL)
    CHECK(type.name.data == NULL && type.id == (uint32_t)json_integer_value(json_object_get(content, "type_id")));
  else
    CHECK(type.name.len == strlen(name) && memcmp(type.name.data, name, type.name.len) == 0);
}

static int64_t whole(json_t *number)
{
  return json_is_string(number) ? strtoll(json_string_value(number), NULL, 10) : json_integer_value(number);
}

static uint64_t bits(json_t *hex)
{
  return strtoull(json_string_value(hex), NULL, 16);
}

/* Compares a value with the one that a vector describes. */
static void check_value(json_t *described, const hotrod_protostream_value *value)
{
  const char *kind = json_object_iter_key(json_object_iter(described));
  json_t *content = json_object_iter_value(json_object_iter(described));
  if (strcmp(kind, "string") == 0) {
    CHECK(value->kind == HOTROD_PROTOSTREAM_STRING && value->as.text.len == json_string_length(content));
    CHECK(memcmp(value->as.text.data, json_string_value(content), value->as.text.len) == 0);
  } else if (strcmp(kind, "double_bits") == 0) {
    uint64_t expected = bits(content);
    CHECK(value->kind == HOTROD_PROTOSTREAM_DOUBLE && memcmp(&value->as.real, &expected, 8) == 0);
  } else if (strcmp(kind, "float_bits") == 0) {
    uint32_t expected = (uint32_t)bits(content);
    float real = (float)value->as.real;
    CHECK(value->kind == HOTROD_PROTOSTREAM_FLOAT && memcmp(&real, &expected, 4) == 0);
  } else if (strcmp(kind, "bool") == 0) {
    CHECK(value->kind == HOTROD_PROTOSTREAM_BOOL && value->as.flag == json_is_true(content));
  } else if (strcmp(kind, "bytes") == 0) {
    CHECK(value->kind == HOTROD_PROTOSTREAM_BYTES);
    check_bytes(json_string_value(content), value->as.bytes);
  } else if (strcmp(kind, "char") == 0) {
    CHECK(value->kind == HOTROD_PROTOSTREAM_CHAR && value->as.unsigned_integer == (uint64_t)whole(content));
  } else if (strcmp(kind, "instant") == 0) {
    CHECK(value->kind == HOTROD_PROTOSTREAM_INSTANT);
    CHECK(value->as.instant.seconds == whole(json_object_get(content, "seconds")));
    CHECK(value->as.instant.nanos == whole(json_object_get(content, "nanos")));
  } else if (strcmp(kind, "enum") == 0) {
    CHECK(value->kind == HOTROD_PROTOSTREAM_ENUM);
    check_type(content, value->as.constant.type);
    CHECK(value->as.constant.number == whole(json_object_get(content, "number")));
  } else if (strcmp(kind, "message") == 0) {
    CHECK(value->kind == HOTROD_PROTOSTREAM_MESSAGE);
    check_type(content, value->as.message.type);
    check_bytes(json_string_value(json_object_get(content, "bytes")), value->as.message.bytes);
  } else if (strcmp(kind, "container") == 0) {
    json_t *list = json_object_get(content, "elements");
    CHECK(value->kind == HOTROD_PROTOSTREAM_CONTAINER && value->as.container.elements.len == json_array_size(list));
    check_type(content, value->as.container.type);
    CHECK(value->as.container.bytes.len == 0);
    for (size_t at = 0; at < json_array_size(list); at++)
      check_value(json_array_get(list, at), &value->as.container.elements.data[at]);
  } else if (strcmp(kind, "null") == 0) {
    CHECK(value->kind == HOTROD_PROTOSTREAM_NULL);
  } else {
    uint32_t expected = strcmp(kind, "int32") == 0   ? HOTROD_PROTOSTREAM_INT32
                        : strcmp(kind, "int64") == 0 ? HOTROD_PROTOSTREAM_INT64
                        : strcmp(kind, "short") == 0 ? HOTROD_PROTOSTREAM_SHORT
                        : strcmp(kind, "byte") == 0  ? HOTROD_PROTOSTREAM_BYTE
                                                     : HOTROD_PROTOSTREAM_DATE_MILLIS;
    CHECK(value->kind == expected && value->as.integer == whole(content));
  }
}

/* Java's bytes, both ways. Every shorter beginning of them is refused, or another value. */
static void vectors(const char *path)
{
  json_t *list = json_load_file(path, JSON_ALLOW_NUL, NULL), *vector;
  size_t index;
  CHECK(json_array_size(list) > 60);
  json_array_foreach(list, index, vector) {
    const char *hex = json_string_value(json_object_get(vector, "bytes"));
    size_t length = strlen(hex) / 2, written = 0, count = 0;
    /* Exactly as large as the bytes, so that the sanitizer and valgrind find a read behind them. */
    uint8_t *bytes = malloc(length);
    hotrod_protostream_value value;
    from_hex(hex, bytes);
    hotrod_bytes data = {bytes, length};
    CHECK_OK(hotrod_protostream_decode(data, &value, elements, ROOM, &count, NULL));
    check_value(json_object_get(vector, "value"), &value);
    if (count > 0) {
      size_t needed = 0;
      CHECK_STATUS(hotrod_protostream_decode(data, &value, elements, count - 1, &needed, NULL), HOTROD_ERR_CAPACITY);
      CHECK(needed == count);
      CHECK_OK(hotrod_protostream_decode(data, &value, elements, count, NULL, NULL));
    } else {
      CHECK_OK(hotrod_protostream_decode(data, &value, NULL, 0, NULL, NULL));
    }
    CHECK_OK(hotrod_protostream_encode(&value, encoded, sizeof encoded, &written, NULL));
    CHECK(written == length && memcmp(encoded, bytes, length) == 0);
    memset(encoded, 0xee, length);
    CHECK_STATUS(hotrod_protostream_encode(&value, encoded, length - 1, &written, NULL), HOTROD_ERR_CAPACITY);
    CHECK(written == length && encoded[0] == 0xee);
    CHECK_STATUS(hotrod_protostream_encode(&value, NULL, 0, &written, NULL), HOTROD_ERR_CAPACITY);
    for (size_t shorter = 0; shorter < length; shorter++) {
      uint8_t *cut = malloc(shorter + 1);
      memcpy(cut, bytes, shorter);
      hotrod_bytes part = {cut, shorter};
      hotrod_status status = hotrod_protostream_decode(part, &value, elements, ROOM, NULL, NULL);
      CHECK(status == HOTROD_ERR_DECODE || (status == HOTROD_OK && shorter < length - 1));
      free(cut);
    }
    free(bytes);
  }
  json_decref(list);
}

static hotrod_protostream_value of_integer(uint32_t kind, int64_t integer)
{
  hotrod_protostream_value value = {kind, {.integer = integer}};
  return value;
}

static void check_refused(const hotrod_protostream_value *value, const char *message)
{
  size_t length;
  hotrod_error *error = NULL;
  CHECK_STATUS(hotrod_protostream_encode(value, encoded, sizeof encoded, &length, &error), HOTROD_ERR_MISUSE);
  const hotrod_failure *failure = hotrod_error_failure(error);
  CHECK(failure->kind == HOTROD_ERR_MISUSE && failure->applied == HOTROD_APPLIED_NO);
  CHECK(failure->message.len < 200);
  char text[200] = {0};
  memcpy(text, failure->message.data, failure->message.len);
  if (strstr(text, message) == NULL) {
    fprintf(stderr, "%s: expected %s\n", text, message);
    exit(1);
  }
  hotrod_error_free(error);
}

static void ranges(void)
{
  static const struct { uint32_t kind; int64_t least, greatest; } signed_kinds[] = {
    {HOTROD_PROTOSTREAM_INT32, INT32_MIN, INT32_MAX},     {HOTROD_PROTOSTREAM_SINT32, INT32_MIN, INT32_MAX},
    {HOTROD_PROTOSTREAM_SFIXED32, INT32_MIN, INT32_MAX},  {HOTROD_PROTOSTREAM_SHORT, INT16_MIN, INT16_MAX},
    {HOTROD_PROTOSTREAM_BYTE, INT8_MIN, INT8_MAX},        {HOTROD_PROTOSTREAM_INT64, INT64_MIN, INT64_MAX},
    {HOTROD_PROTOSTREAM_SINT64, INT64_MIN, INT64_MAX},    {HOTROD_PROTOSTREAM_SFIXED64, INT64_MIN, INT64_MAX},
    {HOTROD_PROTOSTREAM_DATE_MILLIS, INT64_MIN, INT64_MAX},
  };
  static const struct { uint32_t kind; uint64_t greatest; } unsigned_kinds[] = {
    {HOTROD_PROTOSTREAM_UINT32, UINT32_MAX}, {HOTROD_PROTOSTREAM_FIXED32, UINT32_MAX}, {HOTROD_PROTOSTREAM_CHAR, UINT16_MAX},
    {HOTROD_PROTOSTREAM_UINT64, UINT64_MAX}, {HOTROD_PROTOSTREAM_FIXED64, UINT64_MAX},
  };
  size_t length;
  hotrod_protostream_value value, decoded;
  for (size_t at = 0; at < sizeof signed_kinds / sizeof *signed_kinds; at++)
    for (int end = 0; end < 2; end++) {
      int64_t number = end ? signed_kinds[at].greatest : signed_kinds[at].least;
      value = of_integer(signed_kinds[at].kind, number);
      CHECK_OK(hotrod_protostream_encode(&value, encoded, sizeof encoded, &length, NULL));
      hotrod_bytes data = {encoded, length};
      CHECK_OK(hotrod_protostream_decode(data, &decoded, NULL, 0, NULL, NULL));
      CHECK(decoded.kind == value.kind && decoded.as.integer == number);
      if (number == INT64_MIN || number == INT64_MAX)
        continue;
      value = of_integer(value.kind, end ? number + 1 : number - 1);
      check_refused(&value, "out of the range");
    }
  for (size_t at = 0; at < sizeof unsigned_kinds / sizeof *unsigned_kinds; at++) {
    value.kind = unsigned_kinds[at].kind;
    value.as.unsigned_integer = unsigned_kinds[at].greatest;
    CHECK_OK(hotrod_protostream_encode(&value, encoded, sizeof encoded, &length, NULL));
    hotrod_bytes data = {encoded, length};
    CHECK_OK(hotrod_protostream_decode(data, &decoded, NULL, 0, NULL, NULL));
    CHECK(decoded.kind == value.kind && decoded.as.unsigned_integer == value.as.unsigned_integer);
    if (value.as.unsigned_integer++ != UINT64_MAX)
      check_refused(&value, "out of the range");
  }
}

static void refusals(void)
{
  hotrod_protostream_value value = of_integer(99, 0);
  size_t length;
  hotrod_error *error = NULL;
  check_refused(&value, "there is no kind 99");
  value.kind = HOTROD_PROTOSTREAM_NULL;
  check_refused(&value, "null can't be stored");
  value = (hotrod_protostream_value){HOTROD_PROTOSTREAM_STRING, {.text = hotrod_text_of("\xff")}};
  check_refused(&value, "utf-8");
  value = (hotrod_protostream_value){HOTROD_PROTOSTREAM_INSTANT, {.instant = {0, 1000000000}}};
  check_refused(&value, "nanoseconds");
  value = (hotrod_protostream_value){HOTROD_PROTOSTREAM_MESSAGE, {.message = {{hotrod_text_of(""), 0}, {NULL, 0}}}};
  check_refused(&value, "a type needs a name");
  value.as.message.type = (hotrod_protostream_type){{NULL, 0}, 1u << 31};
  check_refused(&value, "a type needs a name");
  /* A container within itself. */
  hotrod_protostream_value endless;
  endless.kind = HOTROD_PROTOSTREAM_CONTAINER;
  endless.as.container = (hotrod_protostream_container){
    {hotrod_text_of(HOTROD_PROTOSTREAM_ARRAY_LIST), 0}, {NULL, 0}, {&endless, 1}};
  check_refused(&endless, "nested too deeply");

  value = of_integer(HOTROD_PROTOSTREAM_INT32, 7);
  CHECK_STATUS(hotrod_protostream_encode(NULL, encoded, sizeof encoded, &length, NULL), HOTROD_ERR_NULL);
  CHECK_STATUS(hotrod_protostream_encode(&value, encoded, sizeof encoded, NULL, NULL), HOTROD_ERR_NULL);
  CHECK_STATUS(hotrod_protostream_encode(&value, NULL, 1, &length, NULL), HOTROD_ERR_NULL);
  hotrod_bytes none = {NULL, 0}, secret = hotrod_bytes_of("correct horse");
  CHECK_STATUS(hotrod_protostream_decode(secret, NULL, NULL, 0, NULL, NULL), HOTROD_ERR_NULL);
  CHECK_STATUS(hotrod_protostream_decode(secret, &value, NULL, 1, NULL, NULL), HOTROD_ERR_NULL);
  CHECK_STATUS(hotrod_protostream_decode(none, &value, NULL, 0, NULL, NULL), HOTROD_ERR_DECODE);
  CHECK_STATUS(hotrod_protostream_decode(secret, &value, NULL, 0, NULL, &error), HOTROD_ERR_DECODE);
  CHECK(hotrod_error_failure(error)->kind == HOTROD_ERR_DECODE);
  hotrod_error_free(error);
  CHECK(value.kind == HOTROD_PROTOSTREAM_INT32 && value.as.integer == 7);
  CHECK(strlen(hotrod_status_text(HOTROD_ERR_DECODE)) > 0 && strlen(hotrod_status_text(HOTROD_ERR_CAPACITY)) > 0);
}

/* The prefix and the payload are the encoded message. */
static void prefixes(void)
{
  static uint8_t payload[70000], message[sizeof payload + 100], prefix[100];
  static const size_t lengths[] = {0, 1, 127, 128, 16383, 16384, sizeof payload};
  hotrod_protostream_type types[] = {{hotrod_text_of("shop.Item"), 0}, {{NULL, 0}, 0}, {{NULL, 0}, INT32_MAX}};
  size_t whole_length, length;
  for (size_t type = 0; type < 3; type++)
    for (size_t at = 0; at < sizeof lengths / sizeof *lengths; at++) {
      hotrod_protostream_value value = {HOTROD_PROTOSTREAM_MESSAGE, {.message = {types[type], {payload, lengths[at]}}}};
      CHECK_OK(hotrod_protostream_encode(&value, message, sizeof message, &whole_length, NULL));
      CHECK_OK(hotrod_protostream_wrap_message(types[type], lengths[at], prefix, sizeof prefix, &length, NULL));
      CHECK(length <= types[type].name.len + 20 && length + lengths[at] == whole_length);
      CHECK(memcmp(prefix, message, length) == 0);
      CHECK_STATUS(hotrod_protostream_wrap_message(types[type], lengths[at], prefix, length - 1, &length, NULL),
                   HOTROD_ERR_CAPACITY);
    }
  CHECK_OK(hotrod_protostream_wrap_message(types[2], SIZE_MAX, prefix, sizeof prefix, &length, NULL));
  CHECK(length <= 20);
  types[0].name = hotrod_text_of("");
  CHECK_STATUS(hotrod_protostream_wrap_message(types[0], 0, prefix, sizeof prefix, &length, NULL), HOTROD_ERR_MISUSE);
  CHECK_STATUS(hotrod_protostream_wrap_message(types[1], 0, prefix, sizeof prefix, NULL, NULL), HOTROD_ERR_NULL);
}

int main(int count, char **arguments)
{
  CHECK(count == 2);
  vectors(arguments[1]);
  ranges();
  refusals();
  prefixes();
  return 0;
}
