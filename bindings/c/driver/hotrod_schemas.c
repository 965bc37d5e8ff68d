#include "hotrod_schemas.h"

#include <stdlib.h>
#include <string.h>

static const char ERRORS[] = ".errors";
static const char SPACE[] = " \n\r\t";

/* A growing string; `data` is NULL while it is empty. */
struct text {
  char *data;
  size_t len;
};

static hotrod_status append(struct text *text, const void *data, size_t len)
{
  char *grown = realloc(text->data, text->len + len + 1);
  if (grown == NULL)
    return HOTROD_ERR_FULL;
  if (len > 0)
    memcpy(grown + text->len, data, len);
  text->data = grown;
  text->len += len;
  grown[text->len] = 0;
  return HOTROD_OK;
}

/* Reads an entry to the end of a text; without one an empty string. */
static hotrod_status read_text(hotrod_driver *driver, uint32_t cache, hotrod_bytes key, struct text *text)
{
  hotrod_bytes value;
  hotrod_status status = hotrod_driver_get(driver, cache, key, &value);
  return status == HOTROD_OK ? append(text, value.data, value.len) : status;
}

static int ends_with_proto(hotrod_bytes name)
{
  return name.len >= 6 && memcmp(name.data + name.len - 6, ".proto", 6) == 0;
}

static int is_among_files(const char *name, size_t len, const hotrod_pair *files, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (files[i].key.len == len && memcmp(files[i].key.data, name, len) == 0)
      return 1;
  return 0;
}

/* Whether a list of names, separated by white space, has that one. */
static int has_name(const char *names, const char *name, size_t len)
{
  for (names += strspn(names, SPACE); *names != 0; names += strspn(names, SPACE)) {
    size_t length = strcspn(names, SPACE);
    if (length == len && memcmp(names, name, len) == 0)
      return 1;
    names += length;
  }
  return 0;
}

/* Appends a line with a schema's name and its errors. */
static hotrod_status append_errors(hotrod_driver *driver, uint32_t cache, const char *name, size_t len,
                                   struct text *errors)
{
  struct text key = {NULL, 0};
  hotrod_status status = errors->len > 0 ? append(errors, "\n", 1) : HOTROD_OK;
  if (status == HOTROD_OK && (status = append(errors, name, len)) == HOTROD_OK &&
      (status = append(errors, ": ", 2)) == HOTROD_OK && (status = append(&key, name, len)) == HOTROD_OK &&
      (status = append(&key, ERRORS, sizeof ERRORS - 1)) == HOTROD_OK)
    status = read_text(driver, cache, (hotrod_bytes){(const uint8_t *)key.data, key.len}, errors);
  free(key.data);
  return status;
}

static hotrod_status put_all(hotrod_driver *driver, uint32_t cache, const hotrod_pair *files, size_t count)
{
  hotrod_expiration as_configured = {{HOTROD_LIFETIME_DEFAULT, 0}, {HOTROD_LIFETIME_DEFAULT, 0}};
  hotrod_pair_list list = {files, count};
  uint64_t id;
  hotrod_status status = hotrod_submit_put_all(hotrod_driver_machine(driver), hotrod_driver_now(driver), cache, NULL,
                                               as_configured, list, &id);
  return status == HOTROD_OK ? hotrod_driver_wait(driver, id, NULL) : status;
}

hotrod_status hotrod_schemas_cache(hotrod_driver *driver, uint32_t *cache)
{
  hotrod_cache_options options = {0};
  options.name = hotrod_text_of("___protobuf_metadata");
  options.key_type = options.value_type = hotrod_text_of("text/plain");
  return hotrod_cache(hotrod_driver_machine(driver), hotrod_driver_now(driver), &options, cache);
}

hotrod_status hotrod_schemas_register(hotrod_driver *driver, uint32_t cache, const hotrod_pair *files, size_t count,
                                      char **errors)
{
  hotrod_bytes names_of_errors = hotrod_bytes_of(ERRORS);
  struct text before = {NULL, 0}, after = {NULL, 0}, found = {NULL, 0};
  *errors = NULL;
  for (size_t i = 0; i < count; i++)
    if (!ends_with_proto(files[i].key))
      return HOTROD_ERR_MISUSE;
  hotrod_status status = read_text(driver, cache, names_of_errors, &before);
  if (status == HOTROD_OK && (status = put_all(driver, cache, files, count)) == HOTROD_OK)
    status = read_text(driver, cache, names_of_errors, &after);
  for (const char *name = after.data; status == HOTROD_OK && *(name += strspn(name, SPACE)) != 0;) {
    size_t len = strcspn(name, SPACE);
    if (is_among_files(name, len, files, count) || !has_name(before.data, name, len))
      status = append_errors(driver, cache, name, len, &found);
    name += len;
  }
  free(before.data);
  free(after.data);
  if (status == HOTROD_OK && found.len > 0) {
    *errors = found.data;
    return HOTROD_ERR_SCHEMA;
  }
  free(found.data);
  return status;
}
