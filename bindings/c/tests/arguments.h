/* Arguments of operations, from JSON. Their memory is valid until the scratch is freed. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libhotrod.h>

/* Memory of one call. */
struct scratch {
  struct scratch_piece *first;
};

void *scratch_room(struct scratch *scratch, size_t size);
void scratch_free(struct scratch *scratch);

hotrod_bytes bytes_argument(json_t *value, struct scratch *scratch);
hotrod_text text_argument(json_t *value, struct scratch *scratch);
bool flag_argument(json_t *value, struct scratch *scratch);
uint32_t number_argument(json_t *value, struct scratch *scratch);
int64_t signed_argument(json_t *value, struct scratch *scratch);
uint64_t opaque_argument(json_t *value, struct scratch *scratch);
hotrod_expiration expiration_argument(json_t *value, struct scratch *scratch);
hotrod_bytes_list byte_list_argument(json_t *value, struct scratch *scratch);
hotrod_pair_list entries_argument(json_t *value, struct scratch *scratch);
hotrod_parameter_list parameters_argument(json_t *value, struct scratch *scratch);
hotrod_xid xid_argument(json_t *value, struct scratch *scratch);
hotrod_modification_list modifications_argument(json_t *value, struct scratch *scratch);
hotrod_counter_configuration counter_argument(json_t *value, struct scratch *scratch);
hotrod_factory factory_argument(json_t *value, struct scratch *scratch);

hotrod_status submit_by_name(hotrod_machine *machine, uint64_t now_us, uint32_t cache,
                             const hotrod_call_options *options, const char *name, json_t *arguments,
                             struct scratch *scratch, uint64_t *id);

#endif
