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

/// What a listener wants to hear; all zero is every event from now on.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_listener_options {
    /// Send a created event for every entry that exists already.
    pub include_current_state: bool,
    /// Decides in the server which events are sent.
    pub filter: hotrod_factory,
    /// Makes the event's data in the server.
    pub converter: hotrod_factory,
    /// Give the factories the stored bytes, not objects (2.1 and later).
    pub use_raw_data: bool,
    /// The kinds of event: `HOTROD_INTEREST_…`, added up (2.6 and later; before, and if 0, all).
    pub interests: u32,
}

/// How entries are iterated over; all zero is all of them, in batches of 1,000.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_iteration_options {
    /// Only these segments: one bit each, least significant first. `data` is NULL for all.
    pub segments: hotrod_bytes,
    /// A filter-converter of the server's.
    pub filter_converter: hotrod_factory,
    /// Entries in a batch of one member; 0 counts as 1,000.
    pub batch_size: u32,
    /// Whether entries come with version and lifetimes (2.5 and later).
    pub include_metadata: bool,
    /// Deadline of each batch, in microseconds; 0 for the machine's.
    pub timeout_us: u64,
}

/// What a near cache keeps; a 0 stands for the default.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_near_cache_options {
    /// The most entries; the least recently used one goes first. Default 10,000.
    pub max_entries: usize,
    /// The most bytes of keys and values. Default 64 MiB.
    pub max_bytes: usize,
    /// Have the server leave out events of keys that this client has not read (3.1 and later). Reads then go to the
    /// member that sends the events, and not to the owner of their key.
    pub bloom_filter: bool,
}

/// Hears of changes in a cache: `HOTROD_OUTPUT_LISTENER_REGISTERED` or `HOTROD_OUTPUT_LISTENER_FAILED` comes first, then
/// a `HOTROD_OUTPUT_ENTRY` for each; say `hotrod_events_taken` when they have been dealt with. `options` may be NULL.
/// `listener` is set to the listener's identity, never 0.
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
    // SAFETY: asked of the caller.
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

/// Hears of changes of a counter, as `hotrod_listen` of a cache's; each is a `HOTROD_OUTPUT_COUNTER`.
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
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            let listener = OutPointer::of(listener, "listener")?;
            let counter = counter.as_str("counter")?.into();
            listener.put(machine.machine.listen_to_counter(now_us, cache, counter)?);
            Ok(())
        })
    }
}

/// Hears no more. `was_there`, if it is not NULL, is set to whether there was such a listener.
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
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            put_unless_null(was_there, machine.machine.remove_listener(now_us, listener));
            Ok(())
        })
    }
}

/// So many events of a listener have been dealt with: the machine takes as many more. One who never says so hears no
/// more once the listener's queue is full, and other listeners on the same link neither.
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
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            machine.machine.events_taken(now_us, listener, count);
            Ok(())
        })
    }
}

/// Goes over the entries of a cache, on all members at once. Each `hotrod_next_entries` asks for a
/// `HOTROD_OUTPUT_ENTRIES`. `options` may be NULL. `iteration` is set to the iteration's identity, never 0; it lasts
/// until its last entries have come, it has failed, or `hotrod_end_iteration`.
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
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            let iteration = OutPointer::of(iteration, "iteration")?;
            let options = match options.as_ref() {
                None => IterationOptions::default(),
                Some(options) => {
                    let segments = options.segments;
                    IterationOptions {
                        segments: (!segments.data.is_null()).then(|| machine.copier.copy(segments.as_slice())),
                        filter_converter: factory(&mut machine.copier, options.filter_converter, "filter_converter")?,
                        batch_size: options.batch_size,
                        include_metadata: options.include_metadata,
                        timeout: (options.timeout_us != 0).then(|| Duration::from_micros(options.timeout_us)),
                    }
                }
            };
            iteration.put(machine.machine.iterate(now_us, cache, options)?);
            Ok(())
        })
    }
}

/// Asks for the next entries of an iteration. `is_there`, if it is not NULL, is set to whether there is such an
/// iteration; if not, nothing comes.
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
    // SAFETY: asked of the caller.
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
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            machine.machine.end_iteration(now_us, iteration);
            Ok(())
        })
    }
}

/// Keeps values that are read from a cache, until the server says that they have changed. `options` may be NULL.
/// `HOTROD_OUTPUT_NEAR_CACHE_ACTIVE` says when it does.
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
    // SAFETY: asked of the caller.
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

/// Keeps values of a cache no more.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_remove_near_cache(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe { enter(machine, |machine| Ok(machine.machine.remove_near_cache(now_us, cache)?)) }
}

/// What a near cache holds: entries, and bytes of keys and values.
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
    // SAFETY: asked of the caller.
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
