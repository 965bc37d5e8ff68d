// Made by `cargo run -p hotrod-c-generate` from spec/vocabulary.json; not to be edited.

#include "../values.h"

static json_t *hotrod_entry_change_value(hotrod_entry_change word)
{
  switch (word) {
  case HOTROD_ENTRY_CREATED: return json_string("created");
  case HOTROD_ENTRY_MODIFIED: return json_string("modified");
  case HOTROD_ENTRY_REMOVED: return json_string("removed");
  case HOTROD_ENTRY_EXPIRED: return json_string("expired");
  }
  return NULL;
}

static json_t *hotrod_counter_state_value(hotrod_counter_state word)
{
  switch (word) {
  case HOTROD_COUNTER_VALID: return json_string("valid");
  case HOTROD_COUNTER_LOWER_BOUND_REACHED: return json_string("lower_bound_reached");
  case HOTROD_COUNTER_UPPER_BOUND_REACHED: return json_string("upper_bound_reached");
  }
  return NULL;
}

/* An output as the scenarios write it. */
json_t *output_value(struct names *names, const hotrod_output *output)
{
  json_t *value = json_object();
  switch (output->type) {
  case HOTROD_OUTPUT_CONNECT:
    set(value, "type", json_string("Connect"));
    set(value, "link", id_value(names, "link", output->as.connect.link));
    set(value, "member", id_value(names, "member", output->as.connect.member));
    set(value, "host", text_value(output->as.connect.host));
    set(value, "port", json_integer((json_int_t)output->as.connect.port));
    set(value, "tls", tls_value(output->as.connect.tls));
    set(value, "timeout", json_integer((json_int_t)output->as.connect.timeout_us));
    break;
  case HOTROD_OUTPUT_START_TLS:
    set(value, "type", json_string("StartTls"));
    set(value, "link", id_value(names, "link", output->as.start_tls.link));
    set(value, "tls", tls_value(output->as.start_tls.tls));
    break;
  case HOTROD_OUTPUT_TRANSMIT:
    set(value, "type", json_string("Transmit"));
    set(value, "link", id_value(names, "link", output->as.transmit.link));
    break;
  case HOTROD_OUTPUT_PAUSE:
    set(value, "type", json_string("Pause"));
    set(value, "link", id_value(names, "link", output->as.pause.link));
    break;
  case HOTROD_OUTPUT_RESUME:
    set(value, "type", json_string("Resume"));
    set(value, "link", id_value(names, "link", output->as.resume.link));
    break;
  case HOTROD_OUTPUT_CLOSE:
    set(value, "type", json_string("Close"));
    set(value, "link", id_value(names, "link", output->as.close.link));
    break;
  case HOTROD_OUTPUT_COMPLETED:
    set(value, "type", json_string("Completed"));
    set(value, "id", id_value(names, "operation", output->as.completed.id));
    set(value, "member", id_value(names, "member", output->as.completed.member));
    set(value, "answer", answer_value(output->as.completed.answer));
    set(value, "error", failure_value(output->as.completed.error));
    break;
  case HOTROD_OUTPUT_ENTRIES:
    set(value, "type", json_string("Entries"));
    set(value, "id", id_value(names, "iteration", output->as.entries.id));
    set(value, "entries", output->as.entries.error != NULL ? json_null() : entries_value(output->as.entries.entries));
    set(value, "error", failure_value(output->as.entries.error));
    break;
  case HOTROD_OUTPUT_STARTED:
    set(value, "type", json_string("Started"));
    break;
  case HOTROD_OUTPUT_START_FAILED:
    set(value, "type", json_string("StartFailed"));
    set(value, "error", failure_value(output->as.start_failed.error));
    break;
  case HOTROD_OUTPUT_MEMBER_READY:
    set(value, "type", json_string("MemberReady"));
    set(value, "member", id_value(names, "member", output->as.member_ready.member));
    set(value, "address", text_value(output->as.member_ready.address));
    set(value, "alpn", text_value(output->as.member_ready.alpn));
    break;
  case HOTROD_OUTPUT_MEMBER_UNAVAILABLE:
    set(value, "type", json_string("MemberUnavailable"));
    set(value, "member", id_value(names, "member", output->as.member_unavailable.member));
    set(value, "address", text_value(output->as.member_unavailable.address));
    set(value, "reason", text_value(output->as.member_unavailable.reason));
    set(value, "retry_after", json_integer((json_int_t)output->as.member_unavailable.retry_after_us));
    break;
  case HOTROD_OUTPUT_TOPOLOGY:
    set(value, "type", json_string("Topology"));
    set(value, "cache", text_value(output->as.topology.cache));
    set(value, "id", json_integer((json_int_t)output->as.topology.id));
    set(value, "members", json_integer((json_int_t)output->as.topology.members));
    break;
  case HOTROD_OUTPUT_DEGRADED:
    set(value, "type", json_string("Degraded"));
    break;
  case HOTROD_OUTPUT_RESTORED:
    set(value, "type", json_string("Restored"));
    break;
  case HOTROD_OUTPUT_SITE_SWITCHED:
    set(value, "type", json_string("SiteSwitched"));
    set(value, "from", text_value(output->as.site_switched.from));
    set(value, "to", text_value(output->as.site_switched.to));
    set(value, "automatic", json_boolean(output->as.site_switched.automatic));
    break;
  case HOTROD_OUTPUT_LISTENER_REGISTERED:
    set(value, "type", json_string("ListenerRegistered"));
    set(value, "listener", id_value(names, "listener", output->as.listener_registered.listener));
    set(value, "member", id_value(names, "member", output->as.listener_registered.member));
    break;
  case HOTROD_OUTPUT_LISTENER_MOVED:
    set(value, "type", json_string("ListenerMoved"));
    set(value, "listener", id_value(names, "listener", output->as.listener_moved.listener));
    set(value, "member", id_value(names, "member", output->as.listener_moved.member));
    break;
  case HOTROD_OUTPUT_LISTENER_FAILED:
    set(value, "type", json_string("ListenerFailed"));
    set(value, "listener", id_value(names, "listener", output->as.listener_failed.listener));
    set(value, "member", id_value(names, "member", output->as.listener_failed.member));
    set(value, "error", failure_value(output->as.listener_failed.error));
    break;
  case HOTROD_OUTPUT_ENTRY:
    set(value, "type", json_string("Entry"));
    set(value, "listener", id_value(names, "listener", output->as.entry.listener));
    set(value, "link", id_value(names, "link", output->as.entry.link));
    set(value, "change", hotrod_entry_change_value(output->as.entry.change));
    set(value, "key", bytes_value(output->as.entry.key));
    set(value, "version", output->as.entry.has_version ? opaque_value(output->as.entry.version) : json_null());
    set(value, "data", bytes_value(output->as.entry.data));
    set(value, "retried", json_boolean(output->as.entry.retried));
    break;
  case HOTROD_OUTPUT_COUNTER:
    set(value, "type", json_string("Counter"));
    set(value, "listener", id_value(names, "listener", output->as.counter.listener));
    set(value, "link", id_value(names, "link", output->as.counter.link));
    set(value, "counter", text_value(output->as.counter.counter));
    set(value, "old_value", signed_value(output->as.counter.old_value));
    set(value, "old_state", hotrod_counter_state_value(output->as.counter.old_state));
    set(value, "new_value", signed_value(output->as.counter.new_value));
    set(value, "new_state", hotrod_counter_state_value(output->as.counter.new_state));
    break;
  case HOTROD_OUTPUT_CARRIAGE_CHOSEN:
    set(value, "type", json_string("CarriageChosen"));
    set(value, "endpoint", text_value(output->as.carriage_chosen.endpoint));
    set(value, "carriage", text_value(output->as.carriage_chosen.carriage));
    set(value, "reason", text_value(output->as.carriage_chosen.reason));
    break;
  case HOTROD_OUTPUT_ACCESS_CHOSEN:
    set(value, "type", json_string("AccessChosen"));
    set(value, "path", text_value(output->as.access_chosen.path));
    set(value, "reason", text_value(output->as.access_chosen.reason));
    break;
  case HOTROD_OUTPUT_COVERAGE:
    set(value, "type", json_string("Coverage"));
    set(value, "covered", json_integer((json_int_t)output->as.coverage.covered));
    set(value, "members", json_integer((json_int_t)output->as.coverage.members));
    set(value, "reason", text_value(output->as.coverage.reason));
    break;
  case HOTROD_OUTPUT_BALANCING_RECOGNISED:
    set(value, "type", json_string("BalancingRecognised"));
    set(value, "balancing", text_value(output->as.balancing_recognised.balancing));
    set(value, "reason", text_value(output->as.balancing_recognised.reason));
    break;
  case HOTROD_OUTPUT_MEMBER_NOT_ALLOWED:
    set(value, "type", json_string("MemberNotAllowed"));
    set(value, "member", id_value(names, "member", output->as.member_not_allowed.member));
    set(value, "address", text_value(output->as.member_not_allowed.address));
    set(value, "reason", text_value(output->as.member_not_allowed.reason));
    break;
  case HOTROD_OUTPUT_NEAR_CACHE_ACTIVE:
    set(value, "type", json_string("NearCacheActive"));
    set(value, "cache", text_value(output->as.near_cache_active.cache));
    break;
  case HOTROD_OUTPUT_NEAR_CACHE_INACTIVE:
    set(value, "type", json_string("NearCacheInactive"));
    set(value, "cache", text_value(output->as.near_cache_inactive.cache));
    set(value, "error", failure_value(output->as.near_cache_inactive.error));
    break;
  }
  return value;
}
