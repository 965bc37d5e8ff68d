/* Schemas of Protocol Buffers in the servers, by which they query, index and convert values of ProtoStream caches. Compile
 * hotrod_schemas.c with the driver; `pkg-config --variable=schemas libhotrod` prints where it is.
 */
#ifndef HOTROD_SCHEMAS_H
#define HOTROD_SCHEMAS_H

#include "hotrod_driver.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Returns a number for the cache of schemas: its keys are their names, its values their texts. Read one with
 * hotrod_driver_get, remove it with hotrod_driver_remove (those that import it have errors then), and list the names with
 * hotrod_submit_bulk_get_keys; other keys than those with `.proto` at the end are the servers' own. */
hotrod_status hotrod_schemas_cache(hotrod_driver *driver, uint32_t *cache);

/** Registers or updates `count` schemas, each a name that ends with `.proto` and a text, in any order, in the cache of
 * hotrod_schemas_cache, and waits until that is done.
 *
 * Servers keep a schema that has errors, and say nothing. This returns HOTROD_ERR_SCHEMA if one of these has errors, or if
 * one that imports them has errors now; `*errors` is then a line for each with its name and the server's text, which the
 * caller frees with free(3). It is NULL otherwise. HOTROD_ERR_MISUSE for another name, HOTROD_ERR_FULL without memory; nothing was sent
 * then. For others hotrod_driver_failure has the reason. */
hotrod_status hotrod_schemas_register(hotrod_driver *driver, uint32_t cache, const hotrod_pair *files, size_t count,
                                      char **errors);

#ifdef __cplusplus
}
#endif

#endif
