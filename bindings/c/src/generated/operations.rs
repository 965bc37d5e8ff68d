//! Made by `cargo run -p hotrod-c-generate` from spec/vocabulary.json; not to be edited.

use hotrod_core::wire::Operation;

use crate::arguments::{hotrod_counter_configuration, hotrod_expiration, hotrod_xid};
use crate::boundary::hotrod_machine;
use crate::generated::codes::hotrod_status;
use crate::lists::{hotrod_bytes_list, hotrod_modification_list, hotrod_pair_list, hotrod_parameter_list};
use crate::submit::{Given, hotrod_call_options, submit};
use crate::text::{hotrod_bytes, hotrod_text};

/// Stores a value, whether or not there is one. PUT since 2.0; answers `HOTROD_ANSWER_ENTRY`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_put(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    expiration: hotrod_expiration,
    value: hotrod_bytes,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Expiration(expiration), Given::Bytes(value)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::Put, &given, id) }
}

/// Reads a value. GET since 2.0; answers `HOTROD_ANSWER_VALUE`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_get(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::Get, &given, id) }
}

/// Stores a value if there is none. PUT_IF_ABSENT since 2.0; answers `HOTROD_ANSWER_CONDITIONAL`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_put_if_absent(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    expiration: hotrod_expiration,
    value: hotrod_bytes,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Expiration(expiration), Given::Bytes(value)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::PutIfAbsent, &given, id) }
}

/// Stores a value if there is one. REPLACE since 2.0; answers `HOTROD_ANSWER_CONDITIONAL`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_replace(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    expiration: hotrod_expiration,
    value: hotrod_bytes,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Expiration(expiration), Given::Bytes(value)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::Replace, &given, id) }
}

/// Stores a value if the entry still has that version. REPLACE_IF_UNMODIFIED since 2.0; answers
/// `HOTROD_ANSWER_VERSIONED`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_replace_if_unmodified(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    expiration: hotrod_expiration,
    entry_version: u64,
    value: hotrod_bytes,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Expiration(expiration), Given::Opaque(entry_version), Given::Bytes(value)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::ReplaceIfUnmodified, &given, id) }
}

/// Removes an entry. REMOVE since 2.0; answers `HOTROD_ANSWER_CONDITIONAL`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_remove(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::Remove, &given, id) }
}

/// Removes an entry if it still has that version. REMOVE_IF_UNMODIFIED since 2.0; answers `HOTROD_ANSWER_VERSIONED`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_remove_if_unmodified(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    entry_version: u64,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Opaque(entry_version)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::RemoveIfUnmodified, &given, id) }
}

/// Tells whether there is an entry. CONTAINS_KEY since 2.0; answers `HOTROD_ANSWER_FLAG`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_contains_key(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::ContainsKey, &given, id) }
}

/// Reads a value and its version. GET_WITH_VERSION since 2.0; answers `HOTROD_ANSWER_ENTRY`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_get_with_version(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::GetWithVersion, &given, id) }
}

/// Removes all entries. CLEAR since 2.0; answers `HOTROD_ANSWER_NOTHING`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_clear(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    id: *mut u64,
) -> hotrod_status {
    let given = [];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::Clear, &given, id) }
}

/// Tells the statistics of the cache and the server. STATS since 2.0; answers `HOTROD_ANSWER_TEXT_MAP`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_stats(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    id: *mut u64,
) -> hotrod_status {
    let given = [];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::Stats, &given, id) }
}

/// Asks whether the server and the cache are there; also what the server can do. PING since 2.0; answers
/// `HOTROD_ANSWER_SERVER`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_ping(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    id: *mut u64,
) -> hotrod_status {
    let given = [];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::Ping, &given, id) }
}

/// Reads up to that many entries, 0 for all. BULK_GET since 2.0; answers `HOTROD_ANSWER_ENTRIES`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_bulk_get(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    count: u32,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Number(count)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::BulkGet, &given, id) }
}

/// Reads a value, its version and its lifetimes. GET_WITH_METADATA since 2.0; answers `HOTROD_ANSWER_ENTRY`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_get_with_metadata(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::GetWithMetadata, &given, id) }
}

/// Reads all keys; scope 0 default, 1 global, 2 local. BULK_GET_KEYS since 2.0; answers `HOTROD_ANSWER_VALUES`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_bulk_get_keys(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    scope: u32,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Number(scope)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::BulkGetKeys, &given, id) }
}

/// Runs a query (a serialized `QueryRequest`). QUERY since 2.0; answers `HOTROD_ANSWER_VALUE`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_query(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    query: hotrod_bytes,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(query)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::Query, &given, id) }
}

/// Counts the entries. SIZE since 2.0; answers `HOTROD_ANSWER_SIZE`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_size(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    id: *mut u64,
) -> hotrod_status {
    let given = [];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::Size, &given, id) }
}

/// Runs a task in the server; at most 127 parameters. EXEC since 2.1; answers `HOTROD_ANSWER_VALUE`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_exec(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    task: hotrod_text,
    parameters: hotrod_parameter_list,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Text(task), Given::Parameters(parameters)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::Exec, &given, id) }
}

/// Stores many values. PUT_ALL since 2.1; answers `HOTROD_ANSWER_NOTHING`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_put_all(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    expiration: hotrod_expiration,
    entries: hotrod_pair_list,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Expiration(expiration), Given::Entries(entries)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::PutAll, &given, id) }
}

/// Reads many values. GET_ALL since 2.1; answers `HOTROD_ANSWER_ENTRIES`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_get_all(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    keys: hotrod_bytes_list,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::ByteList(keys)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::GetAll, &given, id) }
}

/// Reads a value from an offset on, with its version and lifetimes. Servers up to 16 announce the rest of the value
/// and send all of it: only offset 0 leaves the stream in step. GET_STREAM since 2.6; answers `HOTROD_ANSWER_ENTRY`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_get_stream(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    offset: u32,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Number(offset)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::GetStream, &given, id) }
}

/// Stores a value given in chunks: version 0 as PUT, -1 as PUT_IF_ABSENT, another as REPLACE_IF_UNMODIFIED. At 4.1
/// servers refuse it: START_PUT_STREAM has taken its place. PUT_STREAM since 2.6; answers
/// `HOTROD_ANSWER_CONDITIONAL`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_put_stream(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    expiration: hotrod_expiration,
    entry_version: u64,
    chunks: hotrod_bytes_list,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Expiration(expiration), Given::Opaque(entry_version), Given::ByteList(chunks)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::PutStream, &given, id) }
}

/// Prepares a transaction, with a timeout of 60 s. PREPARE_TX since 2.7; answers `HOTROD_ANSWER_NUMBER`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_prepare_tx(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    xid: hotrod_xid,
    one_phase_commit: bool,
    modifications: hotrod_modification_list,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Xid(xid), Given::Flag(one_phase_commit), Given::Modifications(modifications)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::PrepareTx, &given, id) }
}

/// Commits a prepared transaction. COMMIT_TX since 2.7; answers `HOTROD_ANSWER_NUMBER`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_commit_tx(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    xid: hotrod_xid,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Xid(xid)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::CommitTx, &given, id) }
}

/// Rolls a transaction back. ROLLBACK_TX since 2.7; answers `HOTROD_ANSWER_NUMBER`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_rollback_tx(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    xid: hotrod_xid,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Xid(xid)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::RollbackTx, &given, id) }
}

/// Makes a counter. COUNTER_CREATE since 2.7; answers `HOTROD_ANSWER_FLAG`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_counter_create(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    counter: hotrod_text,
    configuration: hotrod_counter_configuration,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Text(counter), Given::Counter(configuration)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::CounterCreate, &given, id) }
}

/// Tells how a counter was made. COUNTER_GET_CONFIGURATION since 2.7; answers `HOTROD_ANSWER_COUNTER`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_counter_get_configuration(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    counter: hotrod_text,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Text(counter)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::CounterGetConfiguration, &given, id) }
}

/// Tells whether there is such a counter. Its reply is 0x51: 0x50 is taken by errors. COUNTER_IS_DEFINED since 2.7;
/// answers `HOTROD_ANSWER_FLAG`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_counter_is_defined(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    counter: hotrod_text,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Text(counter)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::CounterIsDefined, &given, id) }
}

/// Adds to a counter and tells its new value (0 for a weak one). COUNTER_ADD_AND_GET since 2.7; answers
/// `HOTROD_ANSWER_NUMBER`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_counter_add_and_get(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    counter: hotrod_text,
    delta: i64,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Text(counter), Given::Signed(delta)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::CounterAddAndGet, &given, id) }
}

/// Sets a counter back to its initial value. COUNTER_RESET since 2.7; answers `HOTROD_ANSWER_NOTHING`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_counter_reset(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    counter: hotrod_text,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Text(counter)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::CounterReset, &given, id) }
}

/// Tells the value of a counter. COUNTER_GET since 2.7; answers `HOTROD_ANSWER_NUMBER`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_counter_get(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    counter: hotrod_text,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Text(counter)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::CounterGet, &given, id) }
}

/// Sets a strong counter if it has the expected value, and tells the value it had. COUNTER_CAS since 2.7; answers
/// `HOTROD_ANSWER_NUMBER`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_counter_compare_and_swap(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    counter: hotrod_text,
    expected: i64,
    update: i64,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Text(counter), Given::Signed(expected), Given::Signed(update)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::CounterCompareAndSwap, &given, id) }
}

/// Drops the value of a counter; its configuration stays. COUNTER_REMOVE since 2.7; answers `HOTROD_ANSWER_FLAG`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_counter_remove(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    counter: hotrod_text,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Text(counter)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::CounterRemove, &given, id) }
}

/// Tells the names of all counters. COUNTER_GET_NAMES since 2.7; answers `HOTROD_ANSWER_NAMES`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_counter_get_names(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    id: *mut u64,
) -> hotrod_status {
    let given = [];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::CounterGetNames, &given, id) }
}

/// Reads the values of a multimap key. GET_MULTIMAP since 2.9; answers `HOTROD_ANSWER_VALUES`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_get_multimap(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    supports_duplicates: bool,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Flag(supports_duplicates)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::GetMultimap, &given, id) }
}

/// Reads the values of a multimap key, with version and lifetimes. GET_MULTIMAP_WITH_METADATA since 2.9; answers
/// `HOTROD_ANSWER_VALUES_WITH_METADATA`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_get_multimap_with_metadata(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    supports_duplicates: bool,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Flag(supports_duplicates)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::GetMultimapWithMetadata, &given, id) }
}

/// Adds a value to a multimap key; the expiration is sent and not used by the server. PUT_MULTIMAP since 2.9; answers
/// `HOTROD_ANSWER_NOTHING`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_put_multimap(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    expiration: hotrod_expiration,
    value: hotrod_bytes,
    supports_duplicates: bool,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Expiration(expiration), Given::Bytes(value), Given::Flag(supports_duplicates)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::PutMultimap, &given, id) }
}

/// Removes a multimap key with all its values. REMOVE_KEY_MULTIMAP since 2.9; answers `HOTROD_ANSWER_FLAG`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_remove_key_multimap(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    supports_duplicates: bool,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Flag(supports_duplicates)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::RemoveKeyMultimap, &given, id) }
}

/// Removes a value from a multimap key. REMOVE_ENTRY_MULTIMAP since 2.9; answers `HOTROD_ANSWER_FLAG`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_remove_entry_multimap(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    expiration: hotrod_expiration,
    value: hotrod_bytes,
    supports_duplicates: bool,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Expiration(expiration), Given::Bytes(value), Given::Flag(supports_duplicates)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::RemoveEntryMultimap, &given, id) }
}

/// Counts the entries of a multimap. SIZE_MULTIMAP since 2.9; answers `HOTROD_ANSWER_SIZE`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_size_multimap(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    supports_duplicates: bool,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Flag(supports_duplicates)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::SizeMultimap, &given, id) }
}

/// Tells whether a multimap key has that value. CONTAINS_ENTRY_MULTIMAP since 2.9; answers `HOTROD_ANSWER_FLAG`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_contains_entry_multimap(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    expiration: hotrod_expiration,
    value: hotrod_bytes,
    supports_duplicates: bool,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Expiration(expiration), Given::Bytes(value), Given::Flag(supports_duplicates)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::ContainsEntryMultimap, &given, id) }
}

/// Tells whether a multimap has that key. CONTAINS_KEY_MULTIMAP since 2.9; answers `HOTROD_ANSWER_FLAG`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_contains_key_multimap(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    supports_duplicates: bool,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Flag(supports_duplicates)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::ContainsKeyMultimap, &given, id) }
}

/// Tells whether any key of a multimap has that value. CONTAINS_VALUE_MULTIMAP since 2.9; answers
/// `HOTROD_ANSWER_FLAG`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_contains_value_multimap(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    expiration: hotrod_expiration,
    value: hotrod_bytes,
    supports_duplicates: bool,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Expiration(expiration), Given::Bytes(value), Given::Flag(supports_duplicates)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::ContainsValueMultimap, &given, id) }
}

/// Drops what the server remembers of a finished transaction. FORGET_TX since 2.9; answers `HOTROD_ANSWER_NOTHING`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_forget_tx(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    xid: hotrod_xid,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Xid(xid)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::ForgetTx, &given, id) }
}

/// Asks for the prepared transactions that nobody finished. FETCH_TX_RECOVERY since 2.9; answers
/// `HOTROD_ANSWER_XIDS`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_fetch_tx_recovery(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    id: *mut u64,
) -> hotrod_status {
    let given = [];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::FetchTxRecovery, &given, id) }
}

/// Prepares a transaction; the timeout is in milliseconds. PREPARE_TX_2 since 2.9; answers `HOTROD_ANSWER_NUMBER`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_prepare_tx_2(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    xid: hotrod_xid,
    one_phase_commit: bool,
    recoverable: bool,
    timeout: i64,
    modifications: hotrod_modification_list,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Xid(xid), Given::Flag(one_phase_commit), Given::Flag(recoverable), Given::Signed(timeout), Given::Modifications(modifications)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::PrepareTx2, &given, id) }
}

/// Sets a strong counter and tells the value it had. COUNTER_GET_AND_SET since 2.9; answers `HOTROD_ANSWER_NUMBER`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_counter_get_and_set(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    counter: hotrod_text,
    value: i64,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Text(counter), Given::Signed(value)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::CounterGetAndSet, &given, id) }
}

/// Ends the reading of a streamed value early. END_GET_STREAM since 4.1; answers `HOTROD_ANSWER_FLAG`. The server
/// that holds the stream has to execute it: name it as the `member` of `options`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_end_get_stream(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    stream_id: i64,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Signed(stream_id)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::EndGetStream, &given, id) }
}

/// Reads the next chunk of a streamed value. NEXT_GET_STREAM since 4.1; answers `HOTROD_ANSWER_CHUNK`. The server
/// that holds the stream has to execute it: name it as the `member` of `options`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_next_get_stream(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    stream_id: i64,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Signed(stream_id)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::NextGetStream, &given, id) }
}

/// Starts to read a value in chunks of that many bytes. START_GET_STREAM since 4.1; answers `HOTROD_ANSWER_CHUNK`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_start_get_stream(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    chunk_length: u32,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Number(chunk_length)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::StartGetStream, &given, id) }
}

/// Ends the writing of a streamed value early; nothing is stored. END_PUT_STREAM since 4.1; answers
/// `HOTROD_ANSWER_FLAG`. The server that holds the stream has to execute it: name it as the `member` of `options`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_end_put_stream(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    stream_id: i64,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Signed(stream_id)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::EndPutStream, &given, id) }
}

/// Writes the next chunk of a streamed value, of at least one byte; with the last one the value is stored.
/// NEXT_PUT_STREAM since 4.1; answers `HOTROD_ANSWER_CONDITIONAL`. The server that holds the stream has to execute
/// it: name it as the `member` of `options`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_next_put_stream(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    stream_id: i64,
    last: bool,
    chunk: hotrod_bytes,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Signed(stream_id), Given::Flag(last), Given::Bytes(chunk)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::NextPutStream, &given, id) }
}

/// Starts to write a value in chunks: version 0 as PUT, -1 as PUT_IF_ABSENT, another as REPLACE_IF_UNMODIFIED.
/// START_PUT_STREAM since 4.1; answers `HOTROD_ANSWER_NUMBER`.
///
/// See `hotrod_call_options` for what all of these functions have in common.
///
/// # Safety
/// As said at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_submit_start_put_stream(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
    key: hotrod_bytes,
    expiration: hotrod_expiration,
    entry_version: u64,
    id: *mut u64,
) -> hotrod_status {
    let given = [Given::Bytes(key), Given::Expiration(expiration), Given::Opaque(entry_version)];
    // SAFETY: the caller keeps to what `submit` asks for.
    unsafe { submit(machine, now_us, cache, options, Operation::StartPutStream, &given, id) }
}
