#include "values.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void set(json_t *object, const char *name, json_t *value)
{
  json_object_set_new(object, name, value);
}

/* Names identities in order of appearance, as the recorder does: $link1, $link2, … */
json_t *id_value(struct names *names, const char *of, uint64_t id)
{
  char number[24], name[64];
  const char *known;
  json_t *value;
  int count = 0;
  if (id == 0)
    return json_null();
  snprintf(number, sizeof number, "%" PRIu64, id);
  json_object_foreach(names->bound, known, value) {
    size_t length = strlen(of);
    if (strncmp(known + 1, of, length) != 0 || known[1 + length] < '0' || known[1 + length] > '9')
      continue;
    if (strcmp(json_string_value(value), number) == 0)
      return json_string(known);
    count++;
  }
  snprintf(name, sizeof name, "$%s%d", of, count + 1);
  set(names->bound, name, json_string(number));
  return json_string(name);
}

json_t *text_value(hotrod_text text)
{
  return text.data == NULL ? json_null() : json_stringn(text.data, text.len);
}

json_t *bytes_value(hotrod_bytes bytes)
{
  if (bytes.data == NULL)
    return json_null();
  char *digits = malloc(2 * bytes.len + 1);
  if (digits == NULL)
    abort();
  for (size_t i = 0; i < bytes.len; i++) {
    digits[2 * i] = "0123456789abcdef"[bytes.data[i] >> 4];
    digits[2 * i + 1] = "0123456789abcdef"[bytes.data[i] & 15];
  }
  json_t *value = json_stringn(digits, 2 * bytes.len);
  free(digits);
  return value;
}

json_t *opaque_value(uint64_t number)
{
  return json_sprintf("%" PRIu64, number);
}

json_t *signed_value(int64_t number)
{
  return json_sprintf("%" PRId64, number);
}

static json_t *texts(hotrod_text_list list)
{
  json_t *value = json_array();
  for (size_t i = 0; i < list.len; i++)
    json_array_append_new(value, text_value(list.data[i]));
  return value;
}

static json_t *pieces(hotrod_bytes_list list)
{
  json_t *value = json_array();
  for (size_t i = 0; i < list.len; i++)
    json_array_append_new(value, bytes_value(list.data[i]));
  return value;
}

static json_t *pairs(hotrod_pair_list list)
{
  json_t *value = json_array();
  for (size_t i = 0; i < list.len; i++)
    json_array_append_new(value, json_pack("[o,o]", bytes_value(list.data[i].key), bytes_value(list.data[i].value)));
  return value;
}

json_t *tls_value(const hotrod_tls *tls)
{
  if (tls == NULL)
    return json_null();
  json_t *certificate = json_null();
  if (tls->client_certificate.data != NULL)
    certificate = json_pack("{s:o,s:o}", "certificate", text_value(tls->client_certificate), "key",
                            text_value(tls->client_key));
  return json_pack("{s:o,s:o,s:o,s:o}", "server_name", text_value(tls->server_name), "alpn", texts(tls->alpn),
                   "trust_ca", text_value(tls->trust_ca), "client_certificate", certificate);
}

static const char *kind_name(hotrod_status kind)
{
  static const char *const names[] = {
    "", "Misuse", "Full", "Closed", "Server", "TimedOut", "Disconnected", "Unreachable", "Handshake", "Refused",
    "MemberGone", "IterationLost", "Partial", "NoSuchCounter", "OutOfBounds", "UnexpectedAnswer",
  };
  return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

json_t *failure_value(const hotrod_failure *failure)
{
  if (failure == NULL)
    return json_null();
  json_t *status = failure->server_status == 0 ? json_null() : json_integer(failure->server_status);
  const char *applied = failure->applied == HOTROD_APPLIED_NO ? "no" : "unknown";
  json_t *value = json_pack("{s:s,s:o,s:o,s:o,s:o,s:s,s:i}", "kind", kind_name(failure->kind), "message",
                            text_value(failure->message), "operation", text_value(failure->operation), "member",
                            text_value(failure->member), "status", status, "applied", applied, "attempts",
                            (int)failure->attempts);
  if (failure->kind == HOTROD_ERR_PARTIAL) {
    json_t *parts = json_array();
    for (size_t i = 0; i < failure->parts.len; i++)
      json_array_append_new(parts, json_pack("{s:o,s:o}", "keys", pieces(failure->parts.data[i].keys), "error",
                                             failure_value(failure->parts.data[i].error)));
    set(value, "parts", parts);
    set(value, "entries", pairs(failure->entries));
  }
  return value;
}

static json_t *left(hotrod_lifetime_left left)
{
  if (!left.is_set)
    return json_null();
  return json_pack("{s:I,s:I}", "since", (json_int_t)left.since_ms, "seconds", (json_int_t)left.seconds);
}

static json_t *metadata(const hotrod_metadata *metadata)
{
  return json_pack("{s:o,s:o,s:o}", "version",
                   metadata->has_version ? opaque_value(metadata->version) : json_null(), "lifespan",
                   left(metadata->lifespan), "max_idle", left(metadata->max_idle));
}

static json_t *entry(const hotrod_entry *entry)
{
  json_t *value = metadata(&entry->metadata);
  set(value, "value", bytes_value(entry->value));
  return value;
}

json_t *entries_value(hotrod_iteration_entry_list entries)
{
  json_t *value = json_array();
  for (size_t i = 0; i < entries.len; i++) {
    const hotrod_iteration_entry *entry = &entries.data[i];
    json_t *told = entry->has_metadata ? metadata(&entry->metadata) : json_null();
    json_array_append_new(value, json_pack("{s:o,s:o,s:o}", "key", bytes_value(entry->key), "values",
                                           pieces(entry->values), "metadata", told));
  }
  return value;
}

static json_t *xid(const hotrod_xid *xid)
{
  return json_pack("{s:i,s:o,s:o}", "format_id", xid->format_id, "global_transaction_id",
                   bytes_value(xid->global_transaction_id), "branch_qualifier", bytes_value(xid->branch_qualifier));
}

static json_t *counter(const hotrod_counter_configuration *counter)
{
  static const char *const kinds[] = {"unbounded_strong", "bounded_strong", "weak"};
  int is_bounded = counter->kind == HOTROD_COUNTER_BOUNDED_STRONG, is_weak = counter->kind == HOTROD_COUNTER_WEAK;
  return json_pack("{s:s,s:o,s:o,s:o,s:b,s:o}", "kind", kinds[counter->kind], "lower",
                   is_bounded ? signed_value(counter->lower) : json_null(), "upper",
                   is_bounded ? signed_value(counter->upper) : json_null(), "concurrency",
                   is_weak ? json_integer(counter->concurrency) : json_null(), "persistent", counter->persistent,
                   "initial_value", signed_value(counter->initial_value));
}

static json_t *chunk(const hotrod_chunk *chunk)
{
  return json_pack("{s:i,s:b,s:o,s:o}", "stream_id", chunk->stream_id, "complete", chunk->complete, "metadata",
                   chunk->has_metadata ? metadata(&chunk->metadata) : json_null(), "chunk",
                   bytes_value(chunk->chunk));
}

static json_t *server(const hotrod_server_info *server)
{
  json_t *operations = json_array();
  for (size_t i = 0; i < server->operations.len; i++)
    json_array_append_new(operations, json_integer(server->operations.data[i]));
  json_t *version = server->server_version == 0 ? json_null() : json_integer(server->server_version);
  return json_pack("{s:o,s:o,s:o,s:o}", "key_type", text_value(server->key_type), "value_type",
                   text_value(server->value_type), "server_version", version, "operations", operations);
}

static json_t *conditional(const hotrod_conditional *outcome)
{
  return json_pack("{s:b,s:o}", "executed", outcome->executed, "previous",
                   outcome->has_previous ? entry(&outcome->previous) : json_null());
}

static json_t *text_map(hotrod_text_pair_list list)
{
  json_t *value = json_array();
  for (size_t i = 0; i < list.len; i++)
    json_array_append_new(value, json_pack("[o,o]", text_value(list.data[i].name), text_value(list.data[i].text)));
  return value;
}

static json_t *xids(hotrod_xid_list list)
{
  json_t *value = json_array();
  for (size_t i = 0; i < list.len; i++)
    json_array_append_new(value, xid(&list.data[i]));
  return value;
}

static const char *versioned(hotrod_versioned outcome)
{
  return outcome.executed ? "done" : outcome.exists ? "modified" : "missing";
}

json_t *answer_value(const hotrod_answer *answer)
{
  if (answer == NULL)
    return json_null();
#define FOUND(made) (answer->found ? (made) : json_null())
  switch (answer->type) {
  case HOTROD_ANSWER_NOTHING: return json_pack("{s:b}", "nothing", 1);
  case HOTROD_ANSWER_FLAG: return json_pack("{s:b}", "flag", answer->as.flag);
  case HOTROD_ANSWER_SIZE: return json_pack("{s:I}", "size", (json_int_t)answer->as.size);
  case HOTROD_ANSWER_NUMBER: return json_pack("{s:o}", "number", signed_value(answer->as.number));
  case HOTROD_ANSWER_VALUE: return json_pack("{s:o}", "value", FOUND(bytes_value(answer->as.value)));
  case HOTROD_ANSWER_ENTRY: return json_pack("{s:o}", "entry", FOUND(entry(&answer->as.entry)));
  case HOTROD_ANSWER_CONDITIONAL: return json_pack("{s:o}", "conditional", conditional(&answer->as.conditional));
  case HOTROD_ANSWER_VERSIONED: return json_pack("{s:s}", "versioned", versioned(answer->as.versioned));
  case HOTROD_ANSWER_ENTRIES: return json_pack("{s:o}", "entries", pairs(answer->as.entries));
  case HOTROD_ANSWER_VALUES: return json_pack("{s:o}", "values", pieces(answer->as.values));
  case HOTROD_ANSWER_VALUES_WITH_METADATA:
    return json_pack("{s:o}", "values_with_metadata",
                     FOUND(json_pack("{s:o,s:o}", "metadata", metadata(&answer->as.values_with_metadata.metadata),
                                     "values", pieces(answer->as.values_with_metadata.values))));
  case HOTROD_ANSWER_NAMES: return json_pack("{s:o}", "names", texts(answer->as.names));
  case HOTROD_ANSWER_TEXT_MAP: return json_pack("{s:o}", "text_map", text_map(answer->as.text_map));
  case HOTROD_ANSWER_SERVER: return json_pack("{s:o}", "server", server(&answer->as.server));
  case HOTROD_ANSWER_CHUNK: return json_pack("{s:o}", "chunk", FOUND(chunk(&answer->as.chunk)));
  case HOTROD_ANSWER_XIDS: return json_pack("{s:o}", "xids", xids(answer->as.xids));
  case HOTROD_ANSWER_COUNTER: return json_pack("{s:o}", "counter", FOUND(counter(&answer->as.counter)));
  }
#undef FOUND
  return json_null();
}
