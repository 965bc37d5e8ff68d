// Made by `cargo run -p hotrod-c-generate` from spec/vocabulary.json; not to be edited.

#include "../arguments.h"

/* Submits an operation by its name; its arguments are JSON, in the order of its fields. */
hotrod_status submit_by_name(hotrod_machine *machine, uint64_t now_us, uint32_t cache,
                             const hotrod_call_options *options, const char *name, json_t *arguments,
                             struct scratch *scratch, uint64_t *id)
{
  (void)arguments;
  (void)scratch;
  if (strcmp(name, "put") == 0)
    return hotrod_submit_put(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        expiration_argument(json_array_get(arguments, 1), scratch),
        bytes_argument(json_array_get(arguments, 2), scratch),
        id);
  if (strcmp(name, "get") == 0)
    return hotrod_submit_get(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "put_if_absent") == 0)
    return hotrod_submit_put_if_absent(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        expiration_argument(json_array_get(arguments, 1), scratch),
        bytes_argument(json_array_get(arguments, 2), scratch),
        id);
  if (strcmp(name, "replace") == 0)
    return hotrod_submit_replace(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        expiration_argument(json_array_get(arguments, 1), scratch),
        bytes_argument(json_array_get(arguments, 2), scratch),
        id);
  if (strcmp(name, "replace_if_unmodified") == 0)
    return hotrod_submit_replace_if_unmodified(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        expiration_argument(json_array_get(arguments, 1), scratch),
        opaque_argument(json_array_get(arguments, 2), scratch),
        bytes_argument(json_array_get(arguments, 3), scratch),
        id);
  if (strcmp(name, "remove") == 0)
    return hotrod_submit_remove(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "remove_if_unmodified") == 0)
    return hotrod_submit_remove_if_unmodified(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        opaque_argument(json_array_get(arguments, 1), scratch),
        id);
  if (strcmp(name, "contains_key") == 0)
    return hotrod_submit_contains_key(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "get_with_version") == 0)
    return hotrod_submit_get_with_version(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "clear") == 0)
    return hotrod_submit_clear(machine, now_us, cache, options,
        id);
  if (strcmp(name, "stats") == 0)
    return hotrod_submit_stats(machine, now_us, cache, options,
        id);
  if (strcmp(name, "ping") == 0)
    return hotrod_submit_ping(machine, now_us, cache, options,
        id);
  if (strcmp(name, "bulk_get") == 0)
    return hotrod_submit_bulk_get(machine, now_us, cache, options,
        number_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "get_with_metadata") == 0)
    return hotrod_submit_get_with_metadata(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "bulk_get_keys") == 0)
    return hotrod_submit_bulk_get_keys(machine, now_us, cache, options,
        number_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "query") == 0)
    return hotrod_submit_query(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "size") == 0)
    return hotrod_submit_size(machine, now_us, cache, options,
        id);
  if (strcmp(name, "exec") == 0)
    return hotrod_submit_exec(machine, now_us, cache, options,
        text_argument(json_array_get(arguments, 0), scratch),
        parameters_argument(json_array_get(arguments, 1), scratch),
        id);
  if (strcmp(name, "put_all") == 0)
    return hotrod_submit_put_all(machine, now_us, cache, options,
        expiration_argument(json_array_get(arguments, 0), scratch),
        entries_argument(json_array_get(arguments, 1), scratch),
        id);
  if (strcmp(name, "get_all") == 0)
    return hotrod_submit_get_all(machine, now_us, cache, options,
        byte_list_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "get_stream") == 0)
    return hotrod_submit_get_stream(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        number_argument(json_array_get(arguments, 1), scratch),
        id);
  if (strcmp(name, "put_stream") == 0)
    return hotrod_submit_put_stream(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        expiration_argument(json_array_get(arguments, 1), scratch),
        opaque_argument(json_array_get(arguments, 2), scratch),
        byte_list_argument(json_array_get(arguments, 3), scratch),
        id);
  if (strcmp(name, "prepare_tx") == 0)
    return hotrod_submit_prepare_tx(machine, now_us, cache, options,
        xid_argument(json_array_get(arguments, 0), scratch),
        flag_argument(json_array_get(arguments, 1), scratch),
        modifications_argument(json_array_get(arguments, 2), scratch),
        id);
  if (strcmp(name, "commit_tx") == 0)
    return hotrod_submit_commit_tx(machine, now_us, cache, options,
        xid_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "rollback_tx") == 0)
    return hotrod_submit_rollback_tx(machine, now_us, cache, options,
        xid_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "counter_create") == 0)
    return hotrod_submit_counter_create(machine, now_us, cache, options,
        text_argument(json_array_get(arguments, 0), scratch),
        counter_argument(json_array_get(arguments, 1), scratch),
        id);
  if (strcmp(name, "counter_get_configuration") == 0)
    return hotrod_submit_counter_get_configuration(machine, now_us, cache, options,
        text_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "counter_is_defined") == 0)
    return hotrod_submit_counter_is_defined(machine, now_us, cache, options,
        text_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "counter_add_and_get") == 0)
    return hotrod_submit_counter_add_and_get(machine, now_us, cache, options,
        text_argument(json_array_get(arguments, 0), scratch),
        signed_argument(json_array_get(arguments, 1), scratch),
        id);
  if (strcmp(name, "counter_reset") == 0)
    return hotrod_submit_counter_reset(machine, now_us, cache, options,
        text_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "counter_get") == 0)
    return hotrod_submit_counter_get(machine, now_us, cache, options,
        text_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "counter_compare_and_swap") == 0)
    return hotrod_submit_counter_compare_and_swap(machine, now_us, cache, options,
        text_argument(json_array_get(arguments, 0), scratch),
        signed_argument(json_array_get(arguments, 1), scratch),
        signed_argument(json_array_get(arguments, 2), scratch),
        id);
  if (strcmp(name, "counter_remove") == 0)
    return hotrod_submit_counter_remove(machine, now_us, cache, options,
        text_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "counter_get_names") == 0)
    return hotrod_submit_counter_get_names(machine, now_us, cache, options,
        id);
  if (strcmp(name, "get_multimap") == 0)
    return hotrod_submit_get_multimap(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        flag_argument(json_array_get(arguments, 1), scratch),
        id);
  if (strcmp(name, "get_multimap_with_metadata") == 0)
    return hotrod_submit_get_multimap_with_metadata(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        flag_argument(json_array_get(arguments, 1), scratch),
        id);
  if (strcmp(name, "put_multimap") == 0)
    return hotrod_submit_put_multimap(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        expiration_argument(json_array_get(arguments, 1), scratch),
        bytes_argument(json_array_get(arguments, 2), scratch),
        flag_argument(json_array_get(arguments, 3), scratch),
        id);
  if (strcmp(name, "remove_key_multimap") == 0)
    return hotrod_submit_remove_key_multimap(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        flag_argument(json_array_get(arguments, 1), scratch),
        id);
  if (strcmp(name, "remove_entry_multimap") == 0)
    return hotrod_submit_remove_entry_multimap(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        expiration_argument(json_array_get(arguments, 1), scratch),
        bytes_argument(json_array_get(arguments, 2), scratch),
        flag_argument(json_array_get(arguments, 3), scratch),
        id);
  if (strcmp(name, "size_multimap") == 0)
    return hotrod_submit_size_multimap(machine, now_us, cache, options,
        flag_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "contains_entry_multimap") == 0)
    return hotrod_submit_contains_entry_multimap(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        expiration_argument(json_array_get(arguments, 1), scratch),
        bytes_argument(json_array_get(arguments, 2), scratch),
        flag_argument(json_array_get(arguments, 3), scratch),
        id);
  if (strcmp(name, "contains_key_multimap") == 0)
    return hotrod_submit_contains_key_multimap(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        flag_argument(json_array_get(arguments, 1), scratch),
        id);
  if (strcmp(name, "contains_value_multimap") == 0)
    return hotrod_submit_contains_value_multimap(machine, now_us, cache, options,
        expiration_argument(json_array_get(arguments, 0), scratch),
        bytes_argument(json_array_get(arguments, 1), scratch),
        flag_argument(json_array_get(arguments, 2), scratch),
        id);
  if (strcmp(name, "forget_tx") == 0)
    return hotrod_submit_forget_tx(machine, now_us, cache, options,
        xid_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "fetch_tx_recovery") == 0)
    return hotrod_submit_fetch_tx_recovery(machine, now_us, cache, options,
        id);
  if (strcmp(name, "prepare_tx_2") == 0)
    return hotrod_submit_prepare_tx_2(machine, now_us, cache, options,
        xid_argument(json_array_get(arguments, 0), scratch),
        flag_argument(json_array_get(arguments, 1), scratch),
        flag_argument(json_array_get(arguments, 2), scratch),
        signed_argument(json_array_get(arguments, 3), scratch),
        modifications_argument(json_array_get(arguments, 4), scratch),
        id);
  if (strcmp(name, "counter_get_and_set") == 0)
    return hotrod_submit_counter_get_and_set(machine, now_us, cache, options,
        text_argument(json_array_get(arguments, 0), scratch),
        signed_argument(json_array_get(arguments, 1), scratch),
        id);
  if (strcmp(name, "end_get_stream") == 0)
    return hotrod_submit_end_get_stream(machine, now_us, cache, options,
        signed_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "next_get_stream") == 0)
    return hotrod_submit_next_get_stream(machine, now_us, cache, options,
        signed_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "start_get_stream") == 0)
    return hotrod_submit_start_get_stream(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        number_argument(json_array_get(arguments, 1), scratch),
        id);
  if (strcmp(name, "end_put_stream") == 0)
    return hotrod_submit_end_put_stream(machine, now_us, cache, options,
        signed_argument(json_array_get(arguments, 0), scratch),
        id);
  if (strcmp(name, "next_put_stream") == 0)
    return hotrod_submit_next_put_stream(machine, now_us, cache, options,
        signed_argument(json_array_get(arguments, 0), scratch),
        flag_argument(json_array_get(arguments, 1), scratch),
        bytes_argument(json_array_get(arguments, 2), scratch),
        id);
  if (strcmp(name, "start_put_stream") == 0)
    return hotrod_submit_start_put_stream(machine, now_us, cache, options,
        bytes_argument(json_array_get(arguments, 0), scratch),
        expiration_argument(json_array_get(arguments, 1), scratch),
        opaque_argument(json_array_get(arguments, 2), scratch),
        id);
  fprintf(stderr, "there is no operation %s\n", name);
  abort();
}
