#include "arguments.h"

struct scratch_piece {
  struct scratch_piece *next;
};

void *scratch_room(struct scratch *scratch, size_t size)
{
  struct scratch_piece *piece = calloc(1, sizeof *piece + size);
  if (piece == NULL)
    abort();
  piece->next = scratch->first;
  scratch->first = piece;
  return piece + 1;
}

void scratch_free(struct scratch *scratch)
{
  while (scratch->first != NULL) {
    struct scratch_piece *piece = scratch->first;
    scratch->first = piece->next;
    free(piece);
  }
}

static json_t *field(json_t *value, const char *name)
{
  return json_object_get(value, name);
}

hotrod_bytes bytes_argument(json_t *value, struct scratch *scratch)
{
  hotrod_bytes bytes = {NULL, 0};
  if (!json_is_string(value))
    return bytes;
  const char *digits = json_string_value(value);
  bytes.len = strlen(digits) / 2;
  uint8_t *data = scratch_room(scratch, bytes.len + 1);
  for (size_t i = 0; i < bytes.len; i++) {
    unsigned byte = 0;
    sscanf(digits + 2 * i, "%2x", &byte);
    data[i] = (uint8_t)byte;
  }
  bytes.data = data;
  return bytes;
}

hotrod_text text_argument(json_t *value, struct scratch *scratch)
{
  (void)scratch;
  hotrod_text text = {json_string_value(value), json_string_length(value)};
  return text;
}

bool flag_argument(json_t *value, struct scratch *scratch)
{
  (void)scratch;
  return json_is_true(value);
}

uint32_t number_argument(json_t *value, struct scratch *scratch)
{
  (void)scratch;
  return (uint32_t)json_integer_value(value);
}

int64_t signed_argument(json_t *value, struct scratch *scratch)
{
  (void)scratch;
  return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10) : json_integer_value(value);
}

uint64_t opaque_argument(json_t *value, struct scratch *scratch)
{
  (void)scratch;
  return json_is_string(value) ? strtoull(json_string_value(value), NULL, 10) : 0;
}

static hotrod_lifetime lifetime(json_t *value)
{
  static const struct { const char *name; uint32_t unit; } units[] = {
    {"s", HOTROD_LIFETIME_SECONDS},       {"ms", HOTROD_LIFETIME_MILLISECONDS},
    {"us", HOTROD_LIFETIME_MICROSECONDS}, {"ns", HOTROD_LIFETIME_NANOSECONDS},
    {"min", HOTROD_LIFETIME_MINUTES},     {"h", HOTROD_LIFETIME_HOURS},
    {"d", HOTROD_LIFETIME_DAYS},
  };
  hotrod_lifetime lifetime = {HOTROD_LIFETIME_DEFAULT, 0};
  if (json_is_string(value)) {
    if (strcmp(json_string_value(value), "infinite") == 0)
      lifetime.unit = HOTROD_LIFETIME_INFINITE;
    return lifetime;
  }
  lifetime.count = opaque_argument(field(value, "count"), NULL);
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (strcmp(json_string_value(field(value, "unit")), units[i].name) == 0)
      lifetime.unit = units[i].unit;
  return lifetime;
}

hotrod_expiration expiration_argument(json_t *value, struct scratch *scratch)
{
  (void)scratch;
  hotrod_expiration expiration = {lifetime(field(value, "lifespan")), lifetime(field(value, "max_idle"))};
  return expiration;
}

hotrod_bytes_list byte_list_argument(json_t *value, struct scratch *scratch)
{
  hotrod_bytes *items = scratch_room(scratch, json_array_size(value) * sizeof *items);
  for (size_t i = 0; i < json_array_size(value); i++)
    items[i] = bytes_argument(json_array_get(value, i), scratch);
  hotrod_bytes_list list = {items, json_array_size(value)};
  return list;
}

hotrod_pair_list entries_argument(json_t *value, struct scratch *scratch)
{
  hotrod_pair *items = scratch_room(scratch, json_array_size(value) * sizeof *items);
  for (size_t i = 0; i < json_array_size(value); i++) {
    items[i].key = bytes_argument(json_array_get(json_array_get(value, i), 0), scratch);
    items[i].value = bytes_argument(json_array_get(json_array_get(value, i), 1), scratch);
  }
  hotrod_pair_list list = {items, json_array_size(value)};
  return list;
}

hotrod_parameter_list parameters_argument(json_t *value, struct scratch *scratch)
{
  hotrod_parameter *items = scratch_room(scratch, json_array_size(value) * sizeof *items);
  for (size_t i = 0; i < json_array_size(value); i++) {
    items[i].name = text_argument(json_array_get(json_array_get(value, i), 0), scratch);
    items[i].value = bytes_argument(json_array_get(json_array_get(value, i), 1), scratch);
  }
  hotrod_parameter_list list = {items, json_array_size(value)};
  return list;
}

hotrod_xid xid_argument(json_t *value, struct scratch *scratch)
{
  hotrod_xid xid;
  xid.format_id = (int32_t)signed_argument(field(value, "format_id"), scratch);
  xid.global_transaction_id = bytes_argument(field(value, "global_transaction_id"), scratch);
  xid.branch_qualifier = bytes_argument(field(value, "branch_qualifier"), scratch);
  return xid;
}

static hotrod_modification modification(json_t *value, struct scratch *scratch)
{
  hotrod_modification modification = {0};
  const char *seen = json_string_value(field(value, "seen"));
  json_t *change = field(value, "change");
  modification.key = bytes_argument(field(value, "key"), scratch);
  if (strcmp(seen, "non_existing") == 0) {
    modification.seen = HOTROD_SEEN_NON_EXISTING;
  } else if (strcmp(seen, "not_read") != 0) {
    modification.seen = HOTROD_SEEN_VERSION;
    modification.version = strtoull(seen, NULL, 10);
  }
  modification.removes = json_is_string(change);
  if (!modification.removes) {
    modification.expiration = expiration_argument(field(change, "expiration"), scratch);
    modification.value = bytes_argument(field(change, "value"), scratch);
  }
  return modification;
}

hotrod_modification_list modifications_argument(json_t *value, struct scratch *scratch)
{
  hotrod_modification *items = scratch_room(scratch, json_array_size(value) * sizeof *items);
  for (size_t i = 0; i < json_array_size(value); i++)
    items[i] = modification(json_array_get(value, i), scratch);
  hotrod_modification_list list = {items, json_array_size(value)};
  return list;
}

hotrod_counter_configuration counter_argument(json_t *value, struct scratch *scratch)
{
  hotrod_counter_configuration counter = {0};
  const char *kind = json_string_value(field(value, "kind"));
  if (strcmp(kind, "bounded_strong") == 0) {
    counter.kind = HOTROD_COUNTER_BOUNDED_STRONG;
    counter.lower = signed_argument(field(value, "lower"), scratch);
    counter.upper = signed_argument(field(value, "upper"), scratch);
  } else if (strcmp(kind, "weak") == 0) {
    counter.kind = HOTROD_COUNTER_WEAK;
    counter.concurrency = number_argument(field(value, "concurrency"), scratch);
  }
  counter.persistent = json_is_true(field(value, "persistent"));
  counter.initial_value = signed_argument(field(value, "initial_value"), scratch);
  return counter;
}

hotrod_factory factory_argument(json_t *value, struct scratch *scratch)
{
  hotrod_factory factory = {{NULL, 0}, {NULL, 0}};
  if (json_is_object(value)) {
    factory.name = text_argument(field(value, "name"), scratch);
    factory.parameters = byte_list_argument(field(value, "parameters"), scratch);
  }
  return factory;
}
