/* Values of the border in the scenarios' JSON form. */
#ifndef VALUES_H
#define VALUES_H

#include <jansson.h>

#include <libhotrod.h>

/* Names of identities in a scenario, and their values. */
struct names {
  json_t *bound;   /* the scenario's names: name -> decimal text of the identity */
};

/* Sets a field of an object; takes ownership of the value. */
void set(json_t *object, const char *name, json_t *value);

json_t *id_value(struct names *names, const char *of, uint64_t id);
json_t *text_value(hotrod_text text);
json_t *bytes_value(hotrod_bytes bytes);
json_t *opaque_value(uint64_t number);
json_t *signed_value(int64_t number);
json_t *tls_value(const hotrod_tls *tls);
json_t *answer_value(const hotrod_answer *answer);
json_t *failure_value(const hotrod_failure *failure);
json_t *entries_value(hotrod_iteration_entry_list entries);

json_t *output_value(struct names *names, const hotrod_output *output);

#endif
