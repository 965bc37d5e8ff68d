/* The one client of a test, and its answers. */
#ifndef CLIENT_H
#define CLIENT_H

#include "../driver/hotrod_driver.h"
#include "check.h"

static hotrod_driver *driver;
static hotrod_machine *machine;
static uint32_t cache;
static const hotrod_expiration as_configured;

#define NOW hotrod_driver_now(driver)
#define B hotrod_bytes_of

/* Waits for an operation's answer; a failure ends the program. */
static const hotrod_answer *answer(hotrod_status submitted, const uint64_t *id)
{
  const hotrod_output_completed *completed;
  hotrod_status status = submitted == HOTROD_OK ? hotrod_driver_wait(driver, *id, &completed) : submitted;
  if (status != HOTROD_OK) {
    hotrod_text why = hotrod_driver_failure(driver);
    fprintf(stderr, "status %d: %.*s\n", (int)status, (int)why.len, why.data);
    exit(1);
  }
  return completed->answer;
}

#endif
