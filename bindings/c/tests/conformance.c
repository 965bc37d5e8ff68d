/* Replays conformance scenarios (tests/conformance/README.md) through the machine: conformance FILE… */
#include <inttypes.h>

#include "arguments.h"
#include "values.h"

struct player {
  hotrod_machine *machine;
  struct names names;
  struct scratch scratch;
};

static uint64_t identity(struct player *player, json_t *name)
{
  if (!json_is_string(name))
    return 0;
  json_t *number = json_object_get(player->names.bound, json_string_value(name));
  if (number == NULL) {
    fprintf(stderr, "%s has not appeared yet\n", json_string_value(name));
    abort();
  }
  return strtoull(json_string_value(number), NULL, 10);
}

static hotrod_text text_of(json_t *with, const char *name)
{
  return text_argument(json_object_get(with, name), NULL);
}

static uint64_t count_of(json_t *with, const char *name)
{
  return (uint64_t)json_integer_value(json_object_get(with, name));
}

static bool flag_of(json_t *with, const char *name)
{
  return json_is_true(json_object_get(with, name));
}

static hotrod_status new_cache(struct player *player, uint64_t now, json_t *with, json_t **returns)
{
  uint32_t cache;
  hotrod_cache_options options = {0};
  options.name = text_of(with, "name");
  options.flags = (uint32_t)count_of(with, "flags");
  options.key_type = text_of(with, "key_type");
  options.value_type = text_of(with, "value_type");
  options.read_from_any_owner = flag_of(with, "read_from_any_owner");
  options.parameters = parameters_argument(json_object_get(with, "parameters"), &player->scratch);
  hotrod_status status = hotrod_cache(player->machine, now, &options, &cache);
  if (status == HOTROD_OK)
    *returns = json_integer(cache);
  return status;
}

static hotrod_status submit(struct player *player, uint64_t now, json_t *with, json_t **returns)
{
  uint64_t id;
  hotrod_call_options options = {identity(player, json_object_get(with, "member")), count_of(with, "timeout"),
                                 byte_list_argument(json_object_get(with, "storage_keys"), &player->scratch)};
  hotrod_status status =
      submit_by_name(player->machine, now, (uint32_t)count_of(with, "cache"), &options,
                     json_string_value(json_object_get(with, "operation")), json_object_get(with, "arguments"),
                     &player->scratch, &id);
  if (status == HOTROD_OK)
    *returns = id_value(&player->names, "operation", id);
  return status;
}

static hotrod_status listen_to_cache(struct player *player, uint64_t now, json_t *with, json_t **returns)
{
  uint64_t id;
  hotrod_listener_options options = {0};
  options.include_current_state = flag_of(with, "include_current_state");
  options.filter = factory_argument(json_object_get(with, "filter"), &player->scratch);
  options.converter = factory_argument(json_object_get(with, "converter"), &player->scratch);
  options.use_raw_data = flag_of(with, "use_raw_data");
  options.interests = (uint32_t)count_of(with, "interests");
  hotrod_status status = hotrod_listen(player->machine, now, (uint32_t)count_of(with, "cache"), &options, &id);
  if (status == HOTROD_OK)
    *returns = id_value(&player->names, "listener", id);
  return status;
}

static hotrod_status iterate(struct player *player, uint64_t now, json_t *with, json_t **returns)
{
  uint64_t id;
  hotrod_iteration_options options = {0};
  options.segments = bytes_argument(json_object_get(with, "segments"), &player->scratch);
  options.filter_converter = factory_argument(json_object_get(with, "filter_converter"), &player->scratch);
  options.batch_size = (uint32_t)count_of(with, "batch_size");
  options.include_metadata = flag_of(with, "include_metadata");
  options.timeout_us = count_of(with, "timeout");
  hotrod_status status = hotrod_iterate(player->machine, now, (uint32_t)count_of(with, "cache"), &options, &id);
  if (status == HOTROD_OK)
    *returns = id_value(&player->names, "iteration", id);
  return status;
}

static hotrod_status call_of_listener(struct player *player, uint64_t now, const char *call, json_t *with,
                                      json_t **returns)
{
  hotrod_machine *machine = player->machine;
  uint32_t cache = (uint32_t)count_of(with, "cache");
  uint64_t id;
  bool flag;
  hotrod_status status;
  if (strcmp(call, "listen_to_counter") == 0) {
    status = hotrod_listen_to_counter(machine, now, cache, text_of(with, "counter"), &id);
    if (status == HOTROD_OK)
      *returns = id_value(&player->names, "listener", id);
    return status;
  }
  if (strcmp(call, "remove_listener") == 0) {
    status = hotrod_remove_listener(machine, now, identity(player, json_object_get(with, "listener")), &flag);
    *returns = json_boolean(flag);
    return status;
  }
  if (strcmp(call, "events_taken") == 0)
    return hotrod_events_taken(machine, now, identity(player, json_object_get(with, "listener")),
                               count_of(with, "count"));
  if (strcmp(call, "next_entries") == 0) {
    status = hotrod_next_entries(machine, now, identity(player, json_object_get(with, "iteration")), &flag);
    *returns = json_boolean(flag);
    return status;
  }
  if (strcmp(call, "end_iteration") == 0)
    return hotrod_end_iteration(machine, now, identity(player, json_object_get(with, "iteration")));
  if (strcmp(call, "near_cache") == 0) {
    hotrod_near_cache_options options = {count_of(with, "max_entries"), count_of(with, "max_bytes"),
                                         flag_of(with, "bloom_filter")};
    return hotrod_near_cache(machine, now, cache, &options);
  }
  if (strcmp(call, "remove_near_cache") == 0)
    return hotrod_remove_near_cache(machine, now, cache);
  fprintf(stderr, "there is no call %s\n", call);
  abort();
}

static hotrod_status received(struct player *player, uint64_t now, json_t *with)
{
  /* Passes half of the bytes through the machine's receive buffer. */
  static unsigned calls;
  hotrod_bytes bytes = bytes_argument(json_object_get(with, "bytes"), &player->scratch);
  uint64_t link = identity(player, json_object_get(with, "link"));
  uint8_t *room;
  size_t length;
  if (calls++ % 2 == 0)
    return hotrod_received(player->machine, now, link, bytes);
  hotrod_status status = hotrod_receive_buffer(player->machine, link, &room, &length);
  if (status != HOTROD_OK || length < bytes.len)
    return hotrod_received(player->machine, now, link, bytes);
  memcpy(room, bytes.data, bytes.len);
  return hotrod_filled(player->machine, now, link, bytes.len);
}

static hotrod_status make_call(struct player *player, uint64_t now, const char *call, json_t *with, json_t **returns)
{
  hotrod_machine *machine = player->machine;
  bool flag;
  hotrod_status status;
  if (strcmp(call, "cache") == 0)
    return new_cache(player, now, with, returns);
  if (strcmp(call, "start") == 0)
    return hotrod_start(machine, now, (uint32_t)count_of(with, "cache"));
  if (strcmp(call, "submit") == 0)
    return submit(player, now, with, returns);
  if (strcmp(call, "cancel") == 0) {
    status = hotrod_cancel(machine, identity(player, json_object_get(with, "operation")), &flag);
    *returns = json_boolean(flag);
    return status;
  }
  if (strcmp(call, "listen") == 0)
    return listen_to_cache(player, now, with, returns);
  if (strcmp(call, "iterate") == 0)
    return iterate(player, now, with, returns);
  if (strcmp(call, "switch_site") == 0) {
    status = hotrod_switch_site(machine, now, text_of(with, "name"), &flag);
    *returns = json_boolean(flag);
    return status;
  }
  if (strcmp(call, "connected") == 0) {
    json_t *alpn = json_object_get(with, "alpn");
    return hotrod_connected(machine, now, identity(player, json_object_get(with, "link")),
                            hotrod_bytes_of(json_string_value(alpn)));
  }
  if (strcmp(call, "set_peer") == 0)
    return hotrod_set_peer(machine, identity(player, json_object_get(with, "link")), text_of(with, "address"));
  if (strcmp(call, "set_tls_exporter") == 0)
    return hotrod_set_tls_exporter(machine, identity(player, json_object_get(with, "link")),
                                   bytes_argument(json_object_get(with, "exported"), &player->scratch));
  if (strcmp(call, "set_server_certificate") == 0)
    return hotrod_set_server_certificate(machine, identity(player, json_object_get(with, "link")),
                                         bytes_argument(json_object_get(with, "certificate"), &player->scratch));
  if (strcmp(call, "received") == 0)
    return received(player, now, with);
  if (strcmp(call, "link_lost") == 0)
    return hotrod_link_lost(machine, now, identity(player, json_object_get(with, "link")), text_of(with, "why"));
  if (strcmp(call, "timeout") == 0)
    return hotrod_timeout(machine, now);
  if (strcmp(call, "close") == 0)
    return hotrod_close(machine, now);
  return call_of_listener(player, now, call, with, returns);
}

static json_t *poll_all(struct player *player)
{
  json_t *outputs = json_array();
  const hotrod_output *output;
  while (hotrod_poll(player->machine, &output) == HOTROD_OK && output != NULL)
    json_array_append_new(outputs, output_value(&player->names, output));
  return outputs;
}

/* Collects a link's queued bytes, a few pieces and sometimes part of a piece at a time. */
static json_t *transmitted(struct player *player, uint64_t link)
{
  json_t *text = json_string("");
  hotrod_bytes pieces[2];
  size_t count;
  while (hotrod_transmit(player->machine, link, pieces, 2, &count) == HOTROD_OK && count > 0) {
    hotrod_bytes part = pieces[0];
    part.len = (part.len + 1) / 2;
    json_t *digits = bytes_value(part), *longer;
    longer = json_sprintf("%s%s", json_string_value(text), json_string_value(digits));
    json_decref(text);
    json_decref(digits);
    text = longer;
    if (hotrod_transmitted(player->machine, link, part.len) != HOTROD_OK)
      abort();
  }
  return text;
}

/* Executes the call of a step, and returns the step with all outputs. */
static json_t *play(struct player *player, json_t *step)
{
  json_t *done = json_object(), *returns = NULL, *transmit = json_object(), *output;
  size_t index;
  static const char *const kept[] = {"at", "call", "with"};
  for (size_t i = 0; i < 3; i++)
    if (json_object_get(step, kept[i]) != NULL)
      json_object_set(done, kept[i], json_object_get(step, kept[i]));
  hotrod_status status = make_call(player, count_of(step, "at"), json_string_value(json_object_get(step, "call")),
                                   json_object_get(step, "with"), &returns);
  if (status != HOTROD_OK)
    set(done, "error", failure_value(hotrod_last_failure(player->machine)));
  else if (returns != NULL)
    set(done, "returns", returns);
  json_t *outputs = poll_all(player);
  json_array_foreach(outputs, index, output) {
    if (strcmp(json_string_value(json_object_get(output, "type")), "Transmit") != 0)
      continue;
    json_t *link = json_object_get(output, "link");
    set(transmit, json_string_value(link), transmitted(player, identity(player, link)));
  }
  json_t *more = poll_all(player);
  if (json_array_size(outputs) > 0)
    json_object_set(done, "outputs", outputs);
  if (json_object_size(transmit) > 0)
    json_object_set(done, "transmit", transmit);
  if (json_array_size(more) > 0)
    json_object_set(done, "more_outputs", more);
  json_decref(outputs);
  json_decref(transmit);
  json_decref(more);
  uint64_t deadline;
  if (hotrod_deadline(player->machine, &deadline) != HOTROD_OK)
    abort();
  set(done, "timeout", deadline == HOTROD_NO_DEADLINE ? json_null() : json_integer((json_int_t)deadline));
  scratch_free(&player->scratch);
  return done;
}

/* Compares, and prints the difference. */
static int is_same(const char *file, json_t *scenario, size_t step, json_t *is, json_t *should)
{
  if (json_equal(is, should))
    return 1;
  char *is_text = json_dumps(is, JSON_SORT_KEYS), *should_text = json_dumps(should, JSON_SORT_KEYS);
  fprintf(stderr, "%s: %s, step %zu:\n  is     %s\n  should %s\n", file,
          json_string_value(json_object_get(scenario, "name")), step, is_text, should_text);
  free(is_text);
  free(should_text);
  return 0;
}

static int play_scenario(const char *file, json_t *scenario)
{
  struct player player = {NULL, {json_object()}, {NULL}};
  hotrod_error *error = NULL;
  json_t *step;
  size_t index;
  int passed = 1;
  hotrod_bytes seed = bytes_argument(json_object_get(scenario, "seed"), &player.scratch);
  hotrod_status status = hotrod_machine_new(text_of(scenario, "uri"), seed.data, 0, &player.machine, &error);
  if (status != HOTROD_OK) {
    json_t *failure = failure_value(hotrod_error_failure(error));
    passed = is_same(file, scenario, 0, failure, json_object_get(scenario, "error"));
    json_decref(failure);
  }
  json_array_foreach(json_object_get(scenario, "steps"), index, step) {
    if (status != HOTROD_OK || !passed)
      break;
    json_t *done = play(&player, step);
    passed = is_same(file, scenario, index, done, step);
    json_decref(done);
  }
  scratch_free(&player.scratch);
  json_decref(player.names.bound);
  hotrod_error_free(error);
  hotrod_machine_free(player.machine);
  return passed;
}

int main(int count, char **files)
{
  size_t played = 0, failed = 0, index;
  for (int i = 1; i < count; i++) {
    json_error_t wrong;
    json_t *scenarios = json_load_file(files[i], 0, &wrong), *scenario;
    if (scenarios == NULL) {
      fprintf(stderr, "%s:%d: %s\n", files[i], wrong.line, wrong.text);
      return 2;
    }
    json_array_foreach(scenarios, index, scenario) {
      failed += !play_scenario(files[i], scenario);
      played++;
    }
    json_decref(scenarios);
  }
  printf("%zu scenarios played, %zu failed\n", played, failed);
  return failed > 0 || played < 50;
}
