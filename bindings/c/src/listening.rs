//! Listeners, iterations and near caches.

use std::time::Duration;

use hotrod_core::cluster::{IterationOptions, NearCacheOptions};
use hotrod_core::wire::{Interests, ListenerOptions};

use crate::arguments::{factory, hotrod_factory};
use crate::boundary::{OutPointer, enter, hotrod_machine, put_unless_null};
use crate::generated::codes::hotrod_status;
use crate::text::{hotrod_bytes, hotrod_text};

/// Interest of a listener: entries created.
pub const HOTROD_INTEREST_CREATED: u32 = 1;
/// Interest of a listener: entries modified.
pub const HOTROD_INTEREST_MODIFIED: u32 = 2;
/// Interest of a listener: entries removed.
pub const HOTROD_INTEREST_REMOVED: u32 = 4;
/// Interest of a listener: entries expired.
pub const HOTROD_INTEREST_EXPIRED: u32 = 8;

/// Options of a listener; all zero means all future events.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_listener_options {
    /// Sends a created event for every existing entry.
    pub include_current_state: bool,
    /// Factory of a filter, which selects events on the server.
    pub filter: hotrod_factory,
    /// Factory of a converter, which computes an event's data on the server.
    pub converter: hotrod_factory,
    /// Passes stored bytes instead of objects to the factories (2.1 and later).
    pub use_raw_data: bool,
    /// Types of event: `HOTROD_INTEREST_…`, combined by `|` (2.6 and later; before, and for 0, all).
    pub interests: u32,
}

/// Options of an iteration; all zero means all entries, in batches of 1,000.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_iteration_options {
    /// Segments to iterate over: one bit each, least significant first. `data` is NULL for all.
    pub segments: hotrod_bytes,
    /// A filter-converter factory of the server.
    pub filter_converter: hotrod_factory,
    /// Entries per batch of one member; 0 means 1,000.
    pub batch_size: u32,
    /// Whether entries have their version and lifetimes (2.5 and later).
    pub include_metadata: bool,
    /// Timeout of each batch in microseconds; 0 for the machine's default.
    pub timeout_us: u64,
}

/// Options of a near cache; 0 means the default.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_near_cache_options {
    /// Maximum number of entries; the least recently used one is evicted. Default 10,000.
    pub max_entries: usize,
    /// Maximum size of keys and values in bytes. Default 64 MiB.
    pub max_bytes: usize,
    /// Has the server skip events of keys that this client has not read (3.1 and later). Reads then go to the member
    /// that sends the events, not to the key's owner.
    pub bloom_filter: bool,
}

/// Registers a listener on a cache. The first output is `HOTROD_OUTPUT_LISTENER_REGISTERED` or
/// `HOTROD_OUTPUT_LISTENER_FAILED`, then one `HOTROD_OUTPUT_ENTRY` per event; call `hotrod_events_taken` when events
/// are processed. `options` may be NULL. `listener` is set to the listener's identity, never 0.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_listen(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_listener_options,
    listener: *mut u64,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let listener = OutPointer::of(listener, "listener")?;
            let options = match options.as_ref() {
                None => ListenerOptions::default(),
                Some(options) => ListenerOptions {
                    include_current_state: options.include_current_state,
                    filter: factory(&mut machine.copier, options.filter, "filter")?,
                    converter: factory(&mut machine.copier, options.converter, "converter")?,
                    use_raw_data: options.use_raw_data,
                    interests: Interests(options.interests),
                },
            };
            listener.put(machine.machine.listen(now_us, cache, options)?);
            Ok(())
        })
    }
}

/// Registers a listener on a counter, like `hotrod_listen` on a cache; each change is a `HOTROD_OUTPUT_COUNTER`.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_listen_to_counter(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    counter: hotrod_text,
    listener: *mut u64,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let listener = OutPointer::of(listener, "listener")?;
            let counter = counter.as_str("counter")?.into();
            listener.put(machine.machine.listen_to_counter(now_us, cache, counter)?);
            Ok(())
        })
    }
}

/// Removes a listener. `was_there`, if it is not NULL, is set to whether the listener existed.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_remove_listener(
    machine: *mut hotrod_machine,
    now_us: u64,
    listener: u64,
    was_there: *mut bool,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            put_unless_null(was_there, machine.machine.remove_listener(now_us, listener));
            Ok(())
        })
    }
}

/// Reports that `count` events of a listener are processed. Once a listener's queue of unprocessed events is full,
/// its link is paused, with all other listeners on the link.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_events_taken(
    machine: *mut hotrod_machine,
    now_us: u64,
    listener: u64,
    count: usize,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            machine.machine.events_taken(now_us, listener, count);
            Ok(())
        })
    }
}

/// Starts an iteration over the entries of a cache, on all members in parallel. Each `hotrod_next_entries` requests a
/// `HOTROD_OUTPUT_ENTRIES`. `options` may be NULL. `iteration` is set to the iteration's identity, never 0; it is
/// valid until the last batch, a failure, or `hotrod_end_iteration`.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_iterate(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_iteration_options,
    iteration: *mut u64,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let iteration = OutPointer::of(iteration, "iteration")?;
            let options = match options.as_ref() {
                None => IterationOptions::default(),
                Some(options) => {
                    let segments = options.segments;
                    let mut iteration = IterationOptions::default();
                    iteration.segments = (!segments.data.is_null()).then(|| machine.copier.copy(segments.as_slice()));
                    iteration.filter_converter =
                        factory(&mut machine.copier, options.filter_converter, "filter_converter")?;
                    iteration.batch_size = options.batch_size;
                    iteration.include_metadata = options.include_metadata;
                    iteration.timeout = (options.timeout_us != 0).then(|| Duration::from_micros(options.timeout_us));
                    iteration
                }
            };
            iteration.put(machine.machine.iterate(now_us, cache, options)?);
            Ok(())
        })
    }
}

/// Requests the next batch of an iteration. `is_there`, if it is not NULL, is set to whether the iteration exists; if
/// not, no output follows.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_next_entries(
    machine: *mut hotrod_machine,
    now_us: u64,
    iteration: u64,
    is_there: *mut bool,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            put_unless_null(is_there, machine.machine.next_entries(now_us, iteration));
            Ok(())
        })
    }
}

/// Ends an iteration early.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_end_iteration(
    machine: *mut hotrod_machine,
    now_us: u64,
    iteration: u64,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            machine.machine.end_iteration(now_us, iteration);
            Ok(())
        })
    }
}

/// Enables a near cache: values read from a cache are kept until the server reports their change. `options` may be
/// NULL. `HOTROD_OUTPUT_NEAR_CACHE_ACTIVE` reports when it is active.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_near_cache(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_near_cache_options,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let mut wanted = NearCacheOptions::default();
            if let Some(options) = options.as_ref() {
                if options.max_entries != 0 {
                    wanted.max_entries = options.max_entries;
                }
                if options.max_bytes != 0 {
                    wanted.max_bytes = options.max_bytes;
                }
                wanted.bloom_filter = options.bloom_filter;
            }
            machine.machine.near_cache(now_us, cache, wanted)?;
            Ok(())
        })
    }
}

/// Disables a near cache and drops its values.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_remove_near_cache(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe { enter(machine, |machine| Ok(machine.machine.remove_near_cache(now_us, cache)?)) }
}

/// Returns the number of entries in a near cache, and the bytes of their keys and values.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_near_cache_size(
    machine: *mut hotrod_machine,
    cache: u32,
    entries: *mut usize,
    bytes: *mut usize,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let places = (OutPointer::of(entries, "entries")?, OutPointer::of(bytes, "bytes")?);
            let (entries, bytes) = machine.machine.near_cache_size(cache)?;
            places.0.put(entries);
            places.1.put(bytes);
            Ok(())
        })
    }
}
