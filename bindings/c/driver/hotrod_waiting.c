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

/* Runs until an output matches; passes others to the handler. */
static hotrod_status run_until(hotrod_driver *driver, int (*is_it)(const hotrod_output *, uint64_t), uint64_t id,
                               const hotrod_output **output)
{
  struct hotrod_waiting *waiting = hotrod_driver_waiting(driver);
  for (;;) {
    hotrod_status status = hotrod_driver_next(driver, -1, output);
    if (status != HOTROD_OK || is_it(*output, id))
      return status;
    if (waiting->handler == NULL)
      continue;
    if (!hotrod_driver_enter(driver))
      return HOTROD_ERR_BUSY;
    waiting->handler(waiting->context, *output);
    if (!hotrod_driver_leave(driver))
      return HOTROD_ERR_CLOSED;
  }
}

/* Returns whether the driver may be run: not within a handler or a hook. */
static int may_run(hotrod_driver *driver)
{
  return hotrod_driver_enter(driver) && hotrod_driver_leave(driver);
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

hotrod_status hotrod_driver_wait(hotrod_driver *driver, uint64_t operation, const hotrod_output_completed **completed)
{
  const hotrod_output *output;
  hotrod_status status = run_until(driver, is_completed, operation, &output);
  if (status != HOTROD_OK)
    return status;
  if (completed != NULL)
    *completed = &output->as.completed;
  return output->as.completed.error == NULL ? HOTROD_OK : fail(driver, output->as.completed.error);
}

hotrod_status hotrod_driver_start(hotrod_driver *driver, uint32_t cache)
{
  const hotrod_output *output;
  if (!may_run(driver))
    return HOTROD_ERR_BUSY;
  hotrod_status status = hotrod_start(hotrod_driver_machine(driver), now(driver), cache);
  if (status == HOTROD_OK)
    status = run_until(driver, is_start, 0, &output);
  if (status != HOTROD_OK || output->type == HOTROD_OUTPUT_STARTED)
    return status;
  return fail(driver, output->as.start_failed.error);
}

hotrod_status hotrod_driver_close(hotrod_driver *driver)
{
  const hotrod_output *output;
  if (!may_run(driver))
    return HOTROD_ERR_BUSY;
  hotrod_status status = hotrod_close(hotrod_driver_machine(driver), now(driver));
  if (status == HOTROD_OK)
    status = run_until(driver, is_nothing, 0, &output);
  return status == HOTROD_ERR_CLOSED ? HOTROD_OK : status;
}

hotrod_status hotrod_driver_cache(hotrod_driver *driver, const char *name, uint32_t *cache)
{
  hotrod_cache_options options = {0};
  options.name = hotrod_text_of(name);
  if (name == NULL && hotrod_default_cache(hotrod_driver_machine(driver), &options.name) != HOTROD_OK)
    return HOTROD_ERR_PANIC;
  return hotrod_cache(hotrod_driver_machine(driver), now(driver), &options, cache);
}

void hotrod_driver_on_output(hotrod_driver *driver, hotrod_driver_handler handler, void *context)
{
  hotrod_driver_waiting(driver)->handler = handler;
  hotrod_driver_waiting(driver)->context = context;
}

hotrod_text hotrod_driver_failure(hotrod_driver *driver)
{
  const hotrod_failure *last = hotrod_last_failure(hotrod_driver_machine(driver));
  hotrod_text text = hotrod_driver_waiting(driver)->failure;
  hotrod_driver_waiting(driver)->failure.data = NULL;
  if (text.data == NULL && last != NULL)
    text = last->message;
  return text.data == NULL ? hotrod_text_of("") : text;
}
