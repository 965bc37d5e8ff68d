/* Tests the driver against the embedded node: embedded HOST:PORT */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>

#include "client.h"

/* Counts of outputs that no call waits for. */
static struct {
  int topologies, entries, counters, near_active, registered;
  uint64_t listener;
} heard;

static void count_output(void *context, const hotrod_output *output)
{
  (void)context;
  switch (output->type) {
  case HOTROD_OUTPUT_TOPOLOGY: heard.topologies++; break;
  case HOTROD_OUTPUT_NEAR_CACHE_ACTIVE: heard.near_active++; break;
  case HOTROD_OUTPUT_LISTENER_REGISTERED: heard.registered++; break;
  case HOTROD_OUTPUT_ENTRY:
    heard.entries++;
    CHECK_OK(hotrod_events_taken(machine, hotrod_driver_now(driver), output->as.entry.listener, 1));
    break;
  case HOTROD_OUTPUT_COUNTER:
    heard.counters++;
    CHECK_OK(hotrod_events_taken(machine, hotrod_driver_now(driver), output->as.counter.listener, 1));
    break;
  default: break;
  }
}

/* Runs until a count is reached. */
static void run_until(const int *count, int wanted)
{
  const hotrod_output *output;
  for (int rounds = 0; *count < wanted; rounds++) {
    CHECK(rounds < 1000);
    CHECK_OK(hotrod_driver_next(driver, 10000, &output));
    if (output != NULL)
      count_output(NULL, output);
  }
}

#define ANSWER(name, ...) answer(hotrod_submit_##name(machine, NOW, cache, NULL, ##__VA_ARGS__, &id), &id)

static void single_keys(void)
{
  uint64_t id;
  const hotrod_answer *found;
  ANSWER(put, B("k"), as_configured, B("v"));
  found = ANSWER(get, B("k"));
  CHECK(found->type == HOTROD_ANSWER_VALUE && found->found && bytes_are(found->as.value, "v"));
  CHECK(!ANSWER(get, B("no such key"))->found);
  CHECK(ANSWER(contains_key, B("k"))->as.flag);
  found = ANSWER(put_if_absent, B("k"), as_configured, B("w"));
  CHECK(found->type == HOTROD_ANSWER_CONDITIONAL && !found->as.conditional.executed);
  CHECK(ANSWER(replace, B("k"), as_configured, B("w"))->as.conditional.executed);

  hotrod_expiration hour = {{HOTROD_LIFETIME_HOURS, 1}, {HOTROD_LIFETIME_INFINITE, 0}};
  ANSWER(put, B("k"), hour, B("x"));
  found = ANSWER(get_with_metadata, B("k"));
  CHECK(found->found && bytes_are(found->as.entry.value, "x"));
  hotrod_metadata metadata = found->as.entry.metadata;
  CHECK(metadata.has_version && metadata.lifespan.is_set && metadata.lifespan.seconds == 3600);
  CHECK(!metadata.max_idle.is_set);
  found = ANSWER(replace_if_unmodified, B("k"), as_configured, metadata.version + 12345, B("y"));
  CHECK(!found->as.versioned.executed && found->as.versioned.exists);
  found = ANSWER(replace_if_unmodified, B("k"), as_configured, metadata.version, B("y"));
  CHECK(found->as.versioned.executed && found->as.versioned.exists);
  found = ANSWER(remove_if_unmodified, B("none"), 1);
  CHECK(!found->as.versioned.executed && !found->as.versioned.exists);
  CHECK(ANSWER(remove, B("k"))->as.conditional.executed);
  CHECK(!ANSWER(remove, B("k"))->as.conditional.executed);
}

static void blocking_calls(void)
{
  hotrod_expiration hour = {{HOTROD_LIFETIME_HOURS, 1}, {HOTROD_LIFETIME_DEFAULT, 0}};
  hotrod_bytes value = {(const uint8_t *)"", 1}, none = {NULL, 0};
  bool removed = true;
  CHECK_OK(hotrod_driver_get(driver, cache, B("blocking"), &value));
  CHECK(value.data == NULL && value.len == 0);
  CHECK_OK(hotrod_driver_put(driver, cache, B("blocking"), B("v"), NULL));
  CHECK_OK(hotrod_driver_put(driver, cache, B("blocking"), B("w"), &hour));
  CHECK_OK(hotrod_driver_get(driver, cache, B("blocking"), &value));
  CHECK(bytes_are(value, "w"));
  CHECK_OK(hotrod_driver_remove(driver, cache, B("blocking"), &removed));
  CHECK(removed);
  CHECK_OK(hotrod_driver_remove(driver, cache, B("blocking"), &removed));
  CHECK(!removed);
  CHECK_OK(hotrod_driver_put(driver, cache, B("blocking"), none, NULL));
  CHECK_OK(hotrod_driver_get(driver, cache, B("blocking"), &value));
  CHECK(value.data != NULL && value.len == 0);
  CHECK_OK(hotrod_driver_remove(driver, cache, B("blocking"), NULL));
  CHECK_STATUS(hotrod_driver_get(driver, 12345, B("blocking"), &value), HOTROD_ERR_MISUSE);
  CHECK(hotrod_driver_failure(driver).len > 0);
  CHECK(strcmp(hotrod_status_text(HOTROD_OK), "Success.") == 0 && strlen(hotrod_status_text(-1)) > 0);
}

/* Lifetimes that overflow at the server are endless. */
static void endless(void)
{
  static const hotrod_lifetime_unit units[] = {HOTROD_LIFETIME_SECONDS, HOTROD_LIFETIME_MILLISECONDS,
                                                HOTROD_LIFETIME_HOURS, HOTROD_LIFETIME_DAYS};
  hotrod_bytes value;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    hotrod_expiration long_life = {{units[i], UINT64_MAX}, {units[i], UINT64_MAX}};
    CHECK_OK(hotrod_driver_put(driver, cache, B("endless"), B("v"), &long_life));
    CHECK_OK(hotrod_driver_get(driver, cache, B("endless"), &value));
    CHECK(bytes_are(value, "v"));
  }
}

static void previous_values(void)
{
  uint64_t id;
  uint32_t with_previous;
  hotrod_cache_options options = {0};
  options.name = hotrod_text_of("dist");
  options.flags = HOTROD_FLAG_FORCE_RETURN_VALUE;
  CHECK_OK(hotrod_cache(machine, NOW, &options, &with_previous));
  answer(hotrod_submit_put(machine, NOW, with_previous, NULL, B("p"), as_configured, B("one"), &id), &id);
  const hotrod_answer *found =
      answer(hotrod_submit_put(machine, NOW, with_previous, NULL, B("p"), as_configured, B("two"), &id), &id);
  CHECK(found->type == HOTROD_ANSWER_ENTRY && found->found && bytes_are(found->as.entry.value, "one"));
  found = answer(hotrod_submit_remove(machine, NOW, with_previous, NULL, B("p"), &id), &id);
  CHECK(found->as.conditional.executed && found->as.conditional.has_previous);
  CHECK(bytes_are(found->as.conditional.previous.value, "two"));
}

static void large_values(void)
{
  uint64_t id;
  size_t size = 3 << 20;
  uint8_t *large = malloc(size);
  CHECK(large != NULL);
  for (size_t i = 0; i < size; i++)
    large[i] = (uint8_t)(i * 31 >> 3);
  hotrod_bytes value = {large, size};
  ANSWER(put, B("large"), as_configured, value);
  hotrod_bytes found = ANSWER(get, B("large"))->as.value;
  CHECK(found.len == size && memcmp(found.data, large, size) == 0);
  free(large);
  hotrod_bytes none = {NULL, 0};
  ANSWER(put, B("empty"), as_configured, none);
  const hotrod_answer *empty = ANSWER(get, B("empty"));
  CHECK(empty->found && empty->as.value.data != NULL && empty->as.value.len == 0);
}

static void bulk(void)
{
  enum { COUNT = 300 };
  static char names[COUNT][16];
  static hotrod_pair pairs[COUNT];
  static hotrod_bytes keys[COUNT];
  uint64_t id, iteration;
  ANSWER(clear);
  for (int i = 0; i < COUNT; i++) {
    snprintf(names[i], sizeof names[i], "key %d", i);
    pairs[i].key = pairs[i].value = keys[i] = B(names[i]);
  }
  hotrod_pair_list all = {pairs, COUNT};
  hotrod_bytes_list wanted = {keys, COUNT};
  ANSWER(put_all, as_configured, all);
  CHECK(ANSWER(size)->as.size == COUNT);
  const hotrod_answer *found = ANSWER(get_all, wanted);
  CHECK(found->type == HOTROD_ANSWER_ENTRIES && found->as.entries.len == COUNT);
  CHECK(found->as.entries.data[7].key.len == found->as.entries.data[7].value.len);

  hotrod_iteration_options options = {0};
  options.batch_size = 50;
  options.include_metadata = true;
  CHECK_OK(hotrod_iterate(machine, NOW, cache, &options, &iteration));
  size_t seen = 0, batches = 0;
  for (;;) {
    const hotrod_output *output;
    bool is_there;
    CHECK_OK(hotrod_next_entries(machine, NOW, iteration, &is_there));
    CHECK(is_there);
    do
      CHECK_OK(hotrod_driver_next(driver, 10000, &output));
    while (output != NULL && output->type != HOTROD_OUTPUT_ENTRIES);
    CHECK(output != NULL && output->as.entries.error == NULL && output->as.entries.id == iteration);
    hotrod_iteration_entry_list entries = output->as.entries.entries;
    if (entries.len == 0)
      break;
    CHECK(entries.data[0].has_metadata && entries.data[0].values.len == 1);
    seen += entries.len;
    batches++;
  }
  CHECK(seen == COUNT && batches >= COUNT / 50);
  bool is_there = true;
  CHECK_OK(hotrod_next_entries(machine, NOW, iteration, &is_there));
  CHECK(!is_there);
}

static void listeners(void)
{
  uint64_t id, listener, counter_listener;
  bool was_there;
  CHECK_OK(hotrod_listen(machine, NOW, cache, NULL, &listener));
  run_until(&heard.registered, 1);
  ANSWER(put, B("heard"), as_configured, B("1"));
  ANSWER(put, B("heard"), as_configured, B("2"));
  ANSWER(remove, B("heard"));
  run_until(&heard.entries, 3);
  CHECK_OK(hotrod_remove_listener(machine, NOW, listener, &was_there));
  CHECK(was_there);

  hotrod_counter_configuration bounded = {HOTROD_COUNTER_BOUNDED_STRONG, 0, 10, 0, false, 5};
  hotrod_text name = hotrod_text_of("bounded");
  CHECK(ANSWER(counter_create, name, bounded)->as.flag);
  CHECK_OK(hotrod_listen_to_counter(machine, NOW, cache, name, &counter_listener));
  run_until(&heard.registered, 2);
  CHECK(ANSWER(counter_add_and_get, name, 3)->as.number == 8);
  run_until(&heard.counters, 1);
  CHECK(ANSWER(counter_compare_and_swap, name, 8, 9)->as.number == 8);
  CHECK(ANSWER(counter_get, name)->as.number == 9);
  CHECK_OK(hotrod_submit_counter_add_and_get(machine, NOW, cache, NULL, name, 3, &id));
  CHECK_STATUS(hotrod_driver_wait(driver, id, NULL), HOTROD_ERR_OUT_OF_BOUNDS);
  CHECK_OK(hotrod_submit_counter_get(machine, NOW, cache, NULL, hotrod_text_of("none"), &id));
  CHECK_STATUS(hotrod_driver_wait(driver, id, NULL), HOTROD_ERR_NO_SUCH_COUNTER);
  const hotrod_answer *found = ANSWER(counter_get_configuration, name);
  CHECK(found->found && found->as.counter.upper == 10 && found->as.counter.initial_value == 5);
  CHECK(ANSWER(counter_get_names)->as.names.len == 1);
  CHECK_OK(hotrod_remove_listener(machine, NOW, counter_listener, NULL));
}

/* A listener that processes no events is paused, and loses none. */
static void slow_listener(const char *address)
{
  char uri[128], key[4000];
  uint64_t id, listener, entries, told = 0, pending = 0, pauses = 0;
  hotrod_driver *slow;
  hotrod_listener_options options = {0};
  uint32_t dist;
  /* More events than in one read. */
  for (int i = 0; i < 200; i++) {
    hotrod_bytes long_key = {(const uint8_t *)key, sizeof key};
    memset(key, 'a' + i % 26, sizeof key);
    memcpy(key, &i, sizeof i);
    ANSWER(put, long_key, as_configured, B("v"));
  }
  entries = ANSWER(size)->as.size;
  snprintf(uri, sizeof uri, "hotrod://%s/dist?listener_queue=16", address);
  CHECK_OK(hotrod_driver_new(uri, NULL, &slow, NULL));
  CHECK_OK(hotrod_driver_cache(slow, NULL, &dist));
  CHECK_OK(hotrod_driver_start(slow, dist));
  options.include_current_state = true;
  CHECK_OK(hotrod_listen(hotrod_driver_machine(slow), hotrod_driver_now(slow), dist, &options, &listener));
  while (told < entries) {
    const hotrod_output *output;
    CHECK_OK(hotrod_driver_next(slow, 200, &output));
    if (output != NULL) {
      told += output->type == HOTROD_OUTPUT_ENTRY;
      pending += output->type == HOTROD_OUTPUT_ENTRY;
      continue;
    }
    CHECK(pending > 0);
    CHECK_OK(hotrod_events_taken(hotrod_driver_machine(slow), hotrod_driver_now(slow), listener, pending));
    pending = 0;
    pauses++;
  }
  CHECK(told == entries && pauses > 1);
  CHECK_OK(hotrod_driver_close(slow));
  hotrod_driver_free(slow);
}

static void multimaps(void)
{
  uint64_t id;
  ANSWER(put_multimap, B("m"), as_configured, B("a"), false);
  ANSWER(put_multimap, B("m"), as_configured, B("b"), false);
  CHECK(ANSWER(get_multimap, B("m"), false)->as.values.len == 2);
  CHECK(ANSWER(contains_entry_multimap, B("m"), as_configured, B("a"), false)->as.flag);
  const hotrod_answer *found = ANSWER(get_multimap_with_metadata, B("m"), false);
  CHECK(found->found && found->as.values_with_metadata.values.len == 2);
  CHECK(ANSWER(remove_key_multimap, B("m"), false)->as.flag);
}

static void transactions(void)
{
  uint64_t id;
  hotrod_xid xid = {1, B("global"), B("branch")};
  hotrod_modification changes[2] = {0};
  changes[0].key = B("tx");
  changes[0].seen = HOTROD_SEEN_NON_EXISTING;
  changes[0].value = B("in it");
  changes[1].key = B("other");
  changes[1].removes = true;
  hotrod_modification_list list = {changes, 2};
  /* The embedded node rejects transactions; tests/real.c tests them. */
  CHECK_OK(hotrod_submit_prepare_tx_2(machine, NOW, cache, NULL, xid, false, true, 60000, list, &id));
  CHECK_STATUS(hotrod_driver_wait(driver, id, NULL), HOTROD_ERR_SERVER);
}

static void near_cache(void)
{
  uint64_t id;
  size_t entries, bytes;
  hotrod_counters counters;
  CHECK_OK(hotrod_near_cache(machine, NOW, cache, NULL));
  run_until(&heard.near_active, 1);
  ANSWER(put, B("near"), as_configured, B("v"));
  for (int i = 0; i < 10; i++)
    CHECK(bytes_are(ANSWER(get, B("near"))->as.value, "v"));
  CHECK_OK(hotrod_near_cache_size(machine, cache, &entries, &bytes));
  CHECK(entries > 0 && bytes > 0);
  CHECK_OK(hotrod_get_counters(machine, &counters));
  CHECK(counters.near_hits > 0);
  CHECK_OK(hotrod_remove_near_cache(machine, NOW, cache));
}

static void looking_inside(void)
{
  const hotrod_member *members;
  const hotrod_view *view;
  const hotrod_session *session;
  hotrod_counters counters;
  hotrod_coverage coverage;
  hotrod_text site;
  size_t count;
  CHECK(heard.topologies > 0);
  CHECK_OK(hotrod_get_members(machine, &members, &count));
  CHECK(count == 3 && members[0].ready && members[0].failure.data == NULL);
  CHECK_OK(hotrod_get_session(machine, members[0].id, &session));
  CHECK(session != NULL && session->version.len == 3 && session->operations.len > 10);
  CHECK_OK(hotrod_get_view(machine, cache, &view));
  CHECK(view != NULL && view->members.len == 3 && view->segment_count == 256 && view->segments[255].len == 2);
  CHECK_OK(hotrod_get_site(machine, &site));
  CHECK(site.len == 0);
  CHECK_OK(hotrod_get_counters(machine, &counters));
  CHECK(counters.operations > 0 && counters.direct > 0 && counters.bytes_received > 0);
  CHECK_OK(hotrod_get_coverage(machine, &coverage));
  CHECK(coverage.covered == 3 && coverage.members == 3 && coverage.reason.len == 0);
}

/* Members do not identify themselves, so one is reached directly, and coverage has the reason. */
static void uncovered(const char *address)
{
  char uri[160];
  uint64_t id;
  hotrod_coverage coverage = {0};
  snprintf(uri, sizeof uri, "hotrod://%s/dist?access=load-balancer&probe_cache=none", address);
  CHECK_OK(hotrod_driver_new(uri, NULL, &driver, NULL));
  machine = hotrod_driver_machine(driver);
  CHECK_OK(hotrod_get_coverage(machine, &coverage));
  CHECK(coverage.covered == 0 && coverage.members == 0 && coverage.reason.len == 0);
  CHECK_STATUS(hotrod_get_coverage(machine, NULL), HOTROD_ERR_NULL);
  CHECK_OK(hotrod_driver_cache(driver, NULL, &cache));
  CHECK_OK(hotrod_driver_start(driver, cache));
  static const char told[] = "members can't be told apart";
  size_t len = sizeof told - 1;
  for (int rounds = 0; coverage.reason.len < len || memcmp(coverage.reason.data, told, len) != 0; rounds++) {
    CHECK(rounds < 10000);
    ANSWER(get, B("k"));
    CHECK_OK(hotrod_get_coverage(machine, &coverage));
  }
  CHECK(coverage.covered == 1 && coverage.members == 3);
  CHECK_OK(hotrod_driver_close(driver));
  hotrod_driver_free(driver);
}

static void failures(void)
{
  uint64_t id = 77;
  uint32_t missing, other = 99;
  const hotrod_output_completed *completed;
  CHECK_OK(hotrod_driver_cache(driver, "no such cache", &missing));
  CHECK_OK(hotrod_submit_get(machine, NOW, missing, NULL, B("k"), &id));
  CHECK_STATUS(hotrod_driver_wait(driver, id, &completed), HOTROD_ERR_SERVER);
  CHECK(completed->answer == NULL && completed->error->server_status >= HOTROD_SERVER_INVALID_MAGIC_OR_MESSAGE_ID);
  CHECK(completed->error->message.len > 0 && completed->error->member.len > 0);
  CHECK(completed->error->operation.len == 3 && memcmp(completed->error->operation.data, "GET", 3) == 0);

  id = 77;
  CHECK_STATUS(hotrod_submit_get(machine, NOW, 4711, NULL, B("k"), &id), HOTROD_ERR_MISUSE);
  CHECK(id == 77 && hotrod_last_failure(machine)->kind == HOTROD_ERR_MISUSE);
  CHECK_STATUS(hotrod_submit_get(machine, NOW, cache, NULL, B("k"), NULL), HOTROD_ERR_NULL);
  CHECK_STATUS(hotrod_submit_get(NULL, 0, 0, NULL, B("k"), &id), HOTROD_ERR_NULL);
  hotrod_expiration wrong = {{99, 1}, {0, 0}};
  CHECK_STATUS(hotrod_submit_put(machine, NOW, cache, NULL, B("k"), wrong, B("v"), &id), HOTROD_ERR_MISUSE);
  hotrod_text not_text = {"\xff\xfe", 2};
  CHECK_STATUS(hotrod_submit_counter_get(machine, NOW, cache, NULL, not_text, &id), HOTROD_ERR_MISUSE);
  CHECK_STATUS(hotrod_submit_end_get_stream(machine, NOW, cache, NULL, INT64_MAX, &id), HOTROD_ERR_MISUSE);
  hotrod_cache_options options = {0};
  options.key_type = hotrod_text_of("nonsense");
  CHECK_STATUS(hotrod_cache(machine, NOW, &options, &other), HOTROD_ERR_MISUSE);
  CHECK(other == 99);
  CHECK_OK(hotrod_cache(machine, NOW, NULL, &other));
  CHECK_OK(hotrod_release_cache(machine, other));
  CHECK_STATUS(hotrod_submit_get(machine, NOW, other, NULL, B("k"), &id), HOTROD_ERR_MISUSE);
  CHECK_OK(hotrod_release_cache(machine, other)); /* a number that is released */
  CHECK_STATUS(hotrod_filled(machine, NOW, 1, 10), HOTROD_ERR_MISUSE);
  CHECK_OK(hotrod_transmitted(machine, 4711, 10)); /* an unknown link */
  CHECK_STATUS(hotrod_poll(machine, NULL), HOTROD_ERR_NULL);
  bool was_there = true;
  CHECK_OK(hotrod_cancel(machine, 4711, &was_there));
  CHECK(!was_there);

  hotrod_driver *none;
  hotrod_error *error = NULL;
  CHECK_STATUS(hotrod_driver_new("http://x", NULL, &none, &error), HOTROD_ERR_MISUSE);
  CHECK(hotrod_error_failure(error)->message.len > 0);
  hotrod_error_free(error);
  hotrod_error_free(NULL);
  hotrod_machine_free(NULL);
  CHECK(hotrod_last_failure(NULL) == NULL && strcmp(hotrod_version(), HOTROD_VERSION) == 0);
}

/* Calls until 2,000 calls succeed, and counts the statuses. */
static void *call_often(void *answers)
{
  int *counts = answers;
  hotrod_counters counters;
  for (int i = 0; i < 100000000 && counts[0] < 2000 && counts[2] == 0; i++) {
    hotrod_status status = hotrod_get_counters(machine, &counters);
    counts[status == HOTROD_OK ? 0 : status == HOTROD_ERR_BUSY ? 1 : 2]++;
    /* The other thread may have been interrupted in a call. */
    if (status == HOTROD_ERR_BUSY)
      sched_yield();
  }
  return NULL;
}

/* One of two threads in the same machine gets HOTROD_ERR_BUSY, without harm. */
static void two_threads(void)
{
  pthread_t other;
  int here[3] = {0}, there[3] = {0};
  hotrod_counters counters;
  CHECK(pthread_create(&other, NULL, call_often, there) == 0);
  call_often(here);
  CHECK(pthread_join(other, NULL) == 0);
  CHECK(here[2] == 0 && there[2] == 0 && here[0] == 2000 && there[0] == 2000);
  CHECK_OK(hotrod_get_counters(machine, &counters));
}

static void unreachable(void)
{
  /* Nothing listens at port 1. */
  CHECK_OK(hotrod_driver_new("hotrod://127.0.0.1:1?connect_timeout=1000&socket_timeout=500", NULL, &driver, NULL));
  machine = hotrod_driver_machine(driver);
  uint64_t id;
  CHECK_OK(hotrod_driver_cache(driver, "dist", &cache));
  CHECK_STATUS(hotrod_driver_start(driver, cache), HOTROD_ERR_UNREACHABLE);
  CHECK(hotrod_driver_failure(driver).len > 0);
  CHECK_OK(hotrod_submit_get(machine, NOW, cache, NULL, B("k"), &id));
  CHECK_STATUS(hotrod_driver_wait(driver, id, NULL), HOTROD_ERR_UNREACHABLE);
  hotrod_driver_free(driver);
  /* TLS without a hook fails as an output. */
  CHECK_OK(hotrod_driver_new("hotrods://127.0.0.1:1?connect_timeout=500&socket_timeout=500", NULL, &driver, NULL));
  CHECK_OK(hotrod_driver_cache(driver, "dist", &cache));
  CHECK_STATUS(hotrod_driver_start(driver, cache), HOTROD_ERR_UNREACHABLE);
  hotrod_driver_free(driver);
}

int main(int count, char **arguments)
{
  char uri[128];
  uint64_t id;
  CHECK(count == 2);
  snprintf(uri, sizeof uri, "hotrod://%s/dist", arguments[1]);
  CHECK_OK(hotrod_driver_new(uri, NULL, &driver, NULL));
  machine = hotrod_driver_machine(driver);
  CHECK_OK(hotrod_driver_on_output(driver, count_output, NULL));
  CHECK_OK(hotrod_driver_cache(driver, NULL, &cache));
  CHECK_OK(hotrod_driver_start(driver, cache));
  single_keys();
  blocking_calls();
  endless();
  previous_values();
  large_values();
  bulk();
  slow_listener(arguments[1]);
  listeners();
  multimaps();
  transactions();
  near_cache();
  looking_inside();
  failures();
  two_threads();
  CHECK(ANSWER(ping)->type == HOTROD_ANSWER_SERVER);
  CHECK(ANSWER(stats)->as.text_map.len > 0);
  CHECK_OK(hotrod_driver_close(driver));
  CHECK_STATUS(hotrod_submit_get(machine, NOW, cache, NULL, B("k"), &id), HOTROD_ERR_CLOSED);
  const hotrod_output *output;
  CHECK_STATUS(hotrod_driver_next(driver, 0, &output), HOTROD_ERR_CLOSED);
  CHECK_OK(hotrod_driver_close(driver));
  hotrod_driver_free(driver);
  uncovered(arguments[1]);
  unreachable();
  puts("embedded: all passed");
  return 0;
}
