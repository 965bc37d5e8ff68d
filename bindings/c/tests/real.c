/* Tests against real Infinispan: real transactions URI, real schemas URI, or real load URI SECONDS, while members are killed. */
#include <inttypes.h>

#include "client.h"
#include "hotrod_schemas.h"

enum { IN_FLIGHT = 64, MAX = 1 << 20 };

static void transactions(void)
{
  uint64_t id;
  hotrod_xid xid = {1, B("global"), B("branch")};
  hotrod_modification change = {0};
  change.key = B("tx");
  change.seen = HOTROD_SEEN_NON_EXISTING;
  change.value = B("in it");
  hotrod_modification_list list = {&change, 1};
  const hotrod_answer *found = answer(
      hotrod_submit_prepare_tx_2(machine, NOW, cache, NULL, xid, false, true, 60000, list, &id), &id);
  CHECK(found->type == HOTROD_ANSWER_NUMBER && found->as.number == 0);
  CHECK(answer(hotrod_submit_commit_tx(machine, NOW, cache, NULL, xid, &id), &id)->as.number == 0);
  found = answer(hotrod_submit_get(machine, NOW, cache, NULL, B("tx"), &id), &id);
  CHECK(found->found && bytes_are(found->as.value, "in it"));
  puts("real: transactions passed");
}

#define LINE "syntax = \"proto3\"; package shop; message Line { string item = 1; }"
#define ROW "syntax = \"proto3\"; package shop; message Row { string item = 1; }"
#define ORDER "syntax = \"proto3\"; import \"line.proto\"; package shop; message Order { repeated Line lines = 1; }"

/* Registers one schema, and checks the status and the beginning of the errors; NULL for none. */
static void registers(uint32_t schemas, const char *name, const char *text, hotrod_status expected, const char *errors)
{
  hotrod_pair file = {B(name), B(text)};
  char *said;
  CHECK_STATUS(hotrod_schemas_register(driver, schemas, &file, 1, &said), expected);
  CHECK((said == NULL) == (errors == NULL));
  CHECK(said == NULL || strncmp(said, errors, strlen(errors)) == 0);
  free(said);
}

static void schemas(void)
{
  uint32_t schemas;
  char *said;
  bool removed;
  hotrod_bytes text;
  hotrod_pair files[] = {{B("order.proto"), B(ORDER)}, {B("line.proto"), B(LINE)}};
  CHECK_OK(hotrod_schemas_cache(driver, &schemas));
  CHECK_OK(hotrod_schemas_register(driver, schemas, files, 2, &said));
  CHECK(said == NULL);
  CHECK_OK(hotrod_driver_get(driver, schemas, B("line.proto"), &text));
  CHECK(bytes_are(text, LINE));
  registers(schemas, "line.proto", ROW, HOTROD_ERR_SCHEMA, "order.proto: ");
  registers(schemas, "line.proto", LINE, HOTROD_OK, NULL);
  registers(schemas, "broken.proto", "syntax = \"proto3\"; message Broken { strin item = 1; }", HOTROD_ERR_SCHEMA,
            "broken.proto: ");
  registers(schemas, "other.proto", ROW, HOTROD_OK, NULL);
  registers(schemas, "broken", LINE, HOTROD_ERR_MISUSE, NULL);
  for (const char **name = (const char *[]){"broken.proto", "other.proto", "order.proto", "line.proto", NULL}; *name; name++) {
    CHECK_OK(hotrod_driver_remove(driver, schemas, B(*name), &removed));
    CHECK(removed);
  }
  puts("real: schemas passed");
}

/* The write of each operation in flight, and the outcome of each write. */
static struct { uint64_t id; uint32_t write; } flight[IN_FLIGHT];
static uint8_t acknowledged[MAX];

static void start_write(int slot, uint32_t write)
{
  char text[24];
  snprintf(text, sizeof text, "w%" PRIu32, write);
  CHECK_OK(hotrod_submit_put(machine, NOW, cache, NULL, B(text), as_configured, B(text), &flight[slot].id));
  flight[slot].write = write;
}

/* Only these errors are possible: a lost path, or a timeout. */
static void check_honest(const hotrod_failure *error)
{
  fprintf(stderr, "a write failed: %.*s\n", (int)error->message.len, error->message.data);
  CHECK(error->kind == HOTROD_ERR_DISCONNECTED || error->kind == HOTROD_ERR_TIMED_OUT ||
        error->kind == HOTROD_ERR_UNREACHABLE || error->kind == HOTROD_ERR_SERVER);
}

static void check_writes(uint32_t writes)
{
  uint32_t kept = 0;
  for (uint32_t write = 0; write < writes; write++) {
    char text[24];
    uint64_t id;
    if (!acknowledged[write])
      continue;
    snprintf(text, sizeof text, "w%" PRIu32, write);
    const hotrod_answer *found = answer(hotrod_submit_get(machine, NOW, cache, NULL, B(text), &id), &id);
    if (!found->found || !bytes_are(found->as.value, text)) {
      fprintf(stderr, "write %s was acknowledged, and is lost\n", text);
      exit(1);
    }
    kept++;
  }
  printf("real: %" PRIu32 " of %" PRIu32 " writes acknowledged, none of them lost\n", kept, writes);
}

static void load(int seconds)
{
  uint64_t end = NOW + (uint64_t)seconds * 1000000;
  uint32_t writes = 0, done = 0, failed = 0;
  for (int slot = 0; slot < IN_FLIGHT; slot++)
    start_write(slot, writes++);
  puts("loading");
  fflush(stdout);
  while (done < writes) {
    const hotrod_output *output;
    CHECK_OK(hotrod_driver_next(driver, 30000, &output));
    CHECK(output != NULL);
    if (output->type == HOTROD_OUTPUT_MEMBER_UNAVAILABLE)
      puts("a member is unavailable");
    if (output->type != HOTROD_OUTPUT_COMPLETED)
      continue;
    int slot = 0;
    while (flight[slot].id != output->as.completed.id)
      CHECK(++slot < IN_FLIGHT);
    done++;
    acknowledged[flight[slot].write] = output->as.completed.error == NULL;
    if (output->as.completed.error != NULL) {
      failed++;
      check_honest(output->as.completed.error);
    }
    flight[slot].id = 0;
    if (NOW < end && writes < MAX)
      start_write(slot, writes++);
  }
  printf("%" PRIu32 " writes, %" PRIu32 " failed\n", writes, failed);
  check_writes(writes);
}

int main(int count, char **arguments)
{
  CHECK(count >= 3);
  CHECK_OK(hotrod_driver_new(arguments[2], NULL, &driver, NULL));
  machine = hotrod_driver_machine(driver);
  CHECK_OK(hotrod_driver_cache(driver, NULL, &cache));
  CHECK_OK(hotrod_driver_start(driver, cache));
  if (strcmp(arguments[1], "transactions") == 0)
    transactions();
  else if (strcmp(arguments[1], "schemas") == 0)
    schemas();
  else
    load(count > 3 ? atoi(arguments[3]) : 10);
  CHECK_OK(hotrod_driver_close(driver));
  hotrod_driver_free(driver);
  return 0;
}
