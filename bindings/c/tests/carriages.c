/* Tests operations over a carriage through a gateway; only the URI differs: carriages NAME URI */
#include "client.h"
#include "../driver/hotrod_openssl.h"

enum { LARGE = 1 << 20 };

static int registered, heard, removed;

static void count_output(void *context, const hotrod_output *output)
{
  (void)context;
  if (output->type == HOTROD_OUTPUT_LISTENER_REGISTERED)
    registered++;
  if (output->type != HOTROD_OUTPUT_ENTRY)
    return;
  heard++;
  removed += output->as.entry.change == HOTROD_ENTRY_REMOVED;
  CHECK_OK(hotrod_events_taken(machine, NOW, output->as.entry.listener, 1));
}

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

static void values(void)
{
  uint64_t id;
  uint8_t *large = malloc(LARGE);
  CHECK(large != NULL);
  for (size_t i = 0; i < LARGE; i++)
    large[i] = (uint8_t)(i * 31 >> 3);
  const hotrod_bytes all[] = {{NULL, 0}, B("v"), {large, LARGE}};
  for (size_t i = 0; i < 3; i++) {
    ANSWER(put, B("k"), as_configured, all[i]);
    const hotrod_answer *found = ANSWER(get, B("k"));
    CHECK(found->found && found->as.value.len == all[i].len);
    CHECK(all[i].len == 0 || memcmp(found->as.value.data, all[i].data, all[i].len) == 0);
  }
  CHECK(ANSWER(remove, B("k"))->as.conditional.executed);
  CHECK(!ANSWER(get, B("k"))->found);
  free(large);
}

static void counter(const char *named)
{
  uint64_t id;
  hotrod_text name = hotrod_text_of(named);
  hotrod_counter_configuration strong = {HOTROD_COUNTER_UNBOUNDED_STRONG, 0, 0, 0, false, 5};
  CHECK(ANSWER(counter_create, name, strong)->as.flag);
  CHECK(ANSWER(counter_add_and_get, name, 3)->as.number == 8);
  ANSWER(counter_remove, name);
}

int main(int count, char **arguments)
{
  uint64_t id, listener;
  CHECK(count == 3);
  hotrod_tls_hook tls = hotrod_openssl_hook();
  CHECK_OK(hotrod_driver_new(arguments[2], &tls, &driver, NULL));
  machine = hotrod_driver_machine(driver);
  CHECK_OK(hotrod_driver_on_output(driver, count_output, NULL));
  CHECK_OK(hotrod_driver_cache(driver, NULL, &cache));
  CHECK_OK(hotrod_driver_start(driver, cache));
  ANSWER(ping);
  CHECK_OK(hotrod_listen(machine, NOW, cache, NULL, &listener));
  run_until(&registered, 1);
  values();
  run_until(&heard, 4);
  CHECK(removed == 1);
  CHECK_OK(hotrod_remove_listener(machine, NOW, listener, NULL));
  counter(arguments[1]);
  CHECK_OK(hotrod_driver_close(driver));
  hotrod_driver_free(driver);
  printf("%s: passed\n", arguments[1]);
  return 0;
}
