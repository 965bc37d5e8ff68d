#include "hotrod_driver_parts.h"

static uint64_t now(hotrod_driver *driver)
{
  return hotrod_driver_now(driver);
}

static hotrod_status fail(hotrod_driver *driver, const hotrod_failure *failure)
{
  hotrod_driver_waiting(driver)->failure = failure->message;
  return failure->kind;
}

/* Runs an entered driver until an output matches; passes others to the handler. */
static hotrod_status run_until(hotrod_driver *driver, int (*is_it)(const hotrod_output *, uint64_t), uint64_t id,
                               const hotrod_output **output)
{
  struct hotrod_waiting *waiting = hotrod_driver_waiting(driver);
  for (;;) {
    hotrod_status status = hotrod_driver_run(driver, -1, output);
    if (status != HOTROD_OK || is_it(*output, id))
      return status;
    if (waiting->handler != NULL)
      waiting->handler(waiting->context, *output);
    if (hotrod_driver_is_freed(driver))
      return HOTROD_ERR_CLOSED;
  }
}

static int is_completed(const hotrod_output *output, uint64_t id)
{
  return output->type == HOTROD_OUTPUT_COMPLETED && output->as.completed.id == id;
}

static int is_start(const hotrod_output *output, uint64_t id)
{
  (void)id;
  return output->type == HOTROD_OUTPUT_STARTED || output->type == HOTROD_OUTPUT_START_FAILED;
}

static int is_nothing(const hotrod_output *output, uint64_t id)
{
  (void)output;
  (void)id;
  return 0;
}

/* Waits for an operation in an entered driver. */
static hotrod_status wait_for(hotrod_driver *driver, uint64_t operation, const hotrod_output_completed **completed)
{
  const hotrod_output *output;
  hotrod_status status = run_until(driver, is_completed, operation, &output);
  if (status != HOTROD_OK)
    return status;
  if (completed != NULL)
    *completed = &output->as.completed;
  return output->as.completed.error == NULL ? HOTROD_OK : fail(driver, output->as.completed.error);
}

static hotrod_status leave(hotrod_driver *driver, hotrod_status status)
{
  return hotrod_driver_leave(driver) ? status : HOTROD_ERR_CLOSED;
}

hotrod_status hotrod_driver_wait(hotrod_driver *driver, uint64_t operation, const hotrod_output_completed **completed)
{
  if (!hotrod_driver_enter(driver))
    return HOTROD_ERR_BUSY;
  return leave(driver, wait_for(driver, operation, completed));
}

/* Waits for an operation that was submitted with this status in an entered driver, leaves the driver, and returns the
 * answer's address, or NULL. */
static const hotrod_answer *answer_of(hotrod_driver *driver, hotrod_status *status, uint64_t id)
{
  const hotrod_output_completed *completed = NULL;
  if (*status == HOTROD_OK)
    *status = wait_for(driver, id, &completed);
  *status = leave(driver, *status);
  return *status == HOTROD_OK ? completed->answer : NULL;
}

hotrod_status hotrod_driver_get(hotrod_driver *driver, uint32_t cache, hotrod_bytes key, hotrod_bytes *value)
{
  uint64_t id = 0;
  if (!hotrod_driver_enter(driver))
    return HOTROD_ERR_BUSY;
  hotrod_status status = hotrod_submit_get(hotrod_driver_machine(driver), now(driver), cache, NULL, key, &id);
  const hotrod_answer *answer = answer_of(driver, &status, id);
  if (answer != NULL)
    *value = answer->found ? answer->as.value : (hotrod_bytes){NULL, 0};
  return status;
}

hotrod_status hotrod_driver_put(hotrod_driver *driver, uint32_t cache, hotrod_bytes key, hotrod_bytes value,
                                const hotrod_expiration *expiration)
{
  hotrod_expiration as_configured = {{HOTROD_LIFETIME_DEFAULT, 0}, {HOTROD_LIFETIME_DEFAULT, 0}};
  uint64_t id = 0;
  if (!hotrod_driver_enter(driver))
    return HOTROD_ERR_BUSY;
  hotrod_status status = hotrod_submit_put(hotrod_driver_machine(driver), now(driver), cache, NULL, key,
                                           expiration != NULL ? *expiration : as_configured, value, &id);
  answer_of(driver, &status, id);
  return status;
}

hotrod_status hotrod_driver_remove(hotrod_driver *driver, uint32_t cache, hotrod_bytes key, bool *removed)
{
  uint64_t id = 0;
  if (!hotrod_driver_enter(driver))
    return HOTROD_ERR_BUSY;
  hotrod_status status = hotrod_submit_remove(hotrod_driver_machine(driver), now(driver), cache, NULL, key, &id);
  const hotrod_answer *answer = answer_of(driver, &status, id);
  if (answer != NULL && removed != NULL)
    *removed = answer->as.conditional.executed;
  return status;
}

hotrod_status hotrod_driver_start(hotrod_driver *driver, uint32_t cache)
{
  const hotrod_output *output;
  if (!hotrod_driver_enter(driver))
    return HOTROD_ERR_BUSY;
  hotrod_status status = hotrod_start(hotrod_driver_machine(driver), now(driver), cache);
  if (status == HOTROD_OK)
    status = run_until(driver, is_start, 0, &output);
  if (status == HOTROD_OK && output->type == HOTROD_OUTPUT_START_FAILED)
    status = fail(driver, output->as.start_failed.error);
  return leave(driver, status);
}

hotrod_status hotrod_driver_close(hotrod_driver *driver)
{
  const hotrod_output *output;
  if (!hotrod_driver_enter(driver))
    return HOTROD_ERR_BUSY;
  hotrod_status status = hotrod_close(hotrod_driver_machine(driver), now(driver));
  if (status == HOTROD_OK)
    status = run_until(driver, is_nothing, 0, &output);
  status = leave(driver, status);
  return status == HOTROD_ERR_CLOSED ? HOTROD_OK : status;
}

/* Enters for a call that callbacks may make; `entered` is whether to leave. */
static int enter_or_mine(hotrod_driver *driver, int *entered)
{
  *entered = hotrod_driver_enter(driver);
  return *entered || hotrod_driver_is_mine(driver);
}

hotrod_status hotrod_driver_cache(hotrod_driver *driver, const char *name, uint32_t *cache)
{
  hotrod_cache_options options = {0};
  hotrod_status status = HOTROD_OK;
  int entered;
  if (!enter_or_mine(driver, &entered))
    return HOTROD_ERR_BUSY;
  options.name = hotrod_text_of(name);
  if (name == NULL)
    status = hotrod_default_cache(hotrod_driver_machine(driver), &options.name);
  if (status == HOTROD_OK)
    status = hotrod_cache(hotrod_driver_machine(driver), now(driver), &options, cache);
  return entered ? leave(driver, status) : status;
}

hotrod_status hotrod_driver_on_output(hotrod_driver *driver, hotrod_driver_handler handler, void *context)
{
  int entered;
  if (!enter_or_mine(driver, &entered))
    return HOTROD_ERR_BUSY;
  hotrod_driver_waiting(driver)->handler = handler;
  hotrod_driver_waiting(driver)->context = context;
  return entered ? leave(driver, HOTROD_OK) : HOTROD_OK;
}

hotrod_text hotrod_driver_failure(hotrod_driver *driver)
{
  int entered;
  if (!enter_or_mine(driver, &entered))
    return hotrod_text_of(hotrod_status_text(HOTROD_ERR_BUSY));
  const hotrod_failure *last = hotrod_last_failure(hotrod_driver_machine(driver));
  hotrod_text text = hotrod_driver_waiting(driver)->failure;
  hotrod_driver_waiting(driver)->failure.data = NULL;
  if (text.data == NULL && last != NULL)
    text = last->message;
  if (entered)
    hotrod_driver_leave(driver);
  return text.data == NULL ? hotrod_text_of("") : text;
}
