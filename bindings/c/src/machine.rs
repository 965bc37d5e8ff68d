//! Creation, polling and closing of a machine, and its caches.

use std::ffi::c_char;
use std::ptr;

use hotrod_core::vocabulary::{CacheOptions, Failure, Machine};

use crate::arguments::hotrod_parameter_list;
use crate::boundary::{OutPointer, enter, enter_without, hotrod_machine, put_unless_null};
use crate::failure::{OwnedFailure, hotrod_failure};
use crate::generated::codes::hotrod_status;
use crate::generated::outputs::{hotrod_output, output};
use crate::submit::parameters;
use crate::text::hotrod_text;

/// The value of `hotrod_deadline` for no deadline.
pub const HOTROD_NO_DEADLINE: u64 = u64::MAX;

/// Error of a function without a machine, such as `hotrod_machine_new`. The caller owns it until `hotrod_error_free`.
pub struct hotrod_error {
    failure: OwnedFailure,
}

impl hotrod_error {
    /// Sets `*error` to an error that the caller owns; drops the failure if `error` is NULL.
    ///
    /// # Safety
    /// NULL, or valid for writes.
    pub(crate) unsafe fn put(error: *mut *mut Self, failure: OwnedFailure) {
        if !error.is_null() {
            // SAFETY: not NULL, and valid for writes.
            unsafe { error.write(Box::into_raw(Box::new(Self { failure }))) }
        }
    }
}

/// Request settings of a cache; all zero means the server's default cache with default settings.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_cache_options {
    /// The cache's name; empty for the server's default cache.
    pub name: hotrod_text,
    /// Flags of every request: `HOTROD_FLAG_…`, combined by `|`.
    pub flags: u32,
    /// Media type of keys, such as `text/plain`; empty for the cache's storage format.
    pub key_type: hotrod_text,
    /// Media type of values; empty for the cache's storage format.
    pub value_type: hotrod_text,
    /// Whether reads go to any owner instead of the primary owner.
    pub read_from_any_owner: bool,
    /// Further parameters of every request, such as `traceparent` (4.0 and later).
    pub parameters: hotrod_parameter_list,
}

/// Returns the library's version, such as `0.1.0`, as a static C string. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn hotrod_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Creates a client for a URI; nothing is sent before `hotrod_start` or an operation.
///
/// The 32 bytes of `seed` are its only source of randomness: pass new ones each time, from the system's random
/// source. `machine` is set to a machine that the caller owns. On failure `error`, if it is not NULL, is set to an
/// error that the caller owns. Any thread may call it.
///
/// # Safety
/// The pointers are NULL or valid for their types.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_machine_new(
    uri: hotrod_text,
    seed: *const u8,
    now_us: u64,
    machine: *mut *mut hotrod_machine,
    error: *mut *mut hotrod_error,
) -> hotrod_status {
    enter_without(|| {
        if machine.is_null() || seed.is_null() {
            return hotrod_status::HOTROD_ERR_NULL;
        }
        // SAFETY: not NULL, and 32 bytes are readable.
        let seed = unsafe { *seed.cast::<[u8; 32]>() };
        // SAFETY: the text is valid during the call.
        let made = unsafe { uri.as_str("uri") }.and_then(|uri| Machine::new(uri, seed, now_us));
        match made {
            Ok(made) => {
                let made = Box::into_raw(Box::new(hotrod_machine::of(made)));
                // SAFETY: not NULL, and valid for writes.
                unsafe { machine.write(made) };
                hotrod_status::HOTROD_OK
            }
            Err(failure) => {
                let failure = OwnedFailure::of(failure);
                let status = failure.kind();
                // SAFETY: NULL, or valid for writes.
                unsafe { hotrod_error::put(error, failure) };
                status
            }
        }
    })
}

/// Frees a machine and all of its memory; ignores NULL. The host closes the connections itself. To let operations
/// finish, call `hotrod_close` before. Any thread may call it while no other uses the machine.
///
/// # Safety
/// NULL, or a machine of `hotrod_machine_new` that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_machine_free(machine: *mut hotrod_machine) {
    if machine.is_null() {
        return;
    }
    enter_without(|| {
        // SAFETY: from `Box::into_raw`, and not used afterwards.
        drop(unsafe { Box::from_raw(machine) });
        hotrod_status::HOTROD_OK
    });
}

/// Creates an error of kind `HOTROD_ERR_MISUSE` with a message of the host's, such as about a file that can't be used. The
/// caller owns it. Any thread may call it.
///
/// # Safety
/// The pointers are NULL or valid for their types.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_error_new(message: hotrod_text, error: *mut *mut hotrod_error) -> hotrod_status {
    enter_without(|| {
        // SAFETY: the text is valid during the call.
        let failure = match unsafe { message.as_str("message") } {
            Ok(message) => Failure::misuse(message),
            Err(failure) => failure,
        };
        let failure = OwnedFailure::of(failure);
        // SAFETY: NULL, or valid for writes.
        unsafe { hotrod_error::put(error, failure) };
        hotrod_status::HOTROD_OK
    })
}

/// Returns the failure of an error, valid until the error is freed; NULL for NULL. Any thread may call it.
///
/// # Safety
/// NULL, or an error that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_error_failure(error: *const hotrod_error) -> *const hotrod_failure {
    // SAFETY: NULL, or an error.
    unsafe { error.as_ref() }.map_or(ptr::null(), |error| error.failure.as_ptr())
}

/// Frees an error; ignores NULL. Any thread may call it.
///
/// # Safety
/// NULL, or an error that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_error_free(error: *mut hotrod_error) {
    if !error.is_null() {
        // SAFETY: from `Box::into_raw`, and not used afterwards.
        drop(unsafe { Box::from_raw(error) });
    }
}

/// Returns the failure of the last call on this machine that failed; NULL if none has, and while another thread is in
/// a call. Valid until the next failing call, or until the machine is freed. Works after `HOTROD_ERR_PANIC` as well;
/// a call that returned `HOTROD_ERR_BUSY` stores no failure.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_last_failure(machine: *const hotrod_machine) -> *const hotrod_failure {
    // SAFETY: NULL, or a machine; threads share only the handle.
    unsafe { machine.as_ref() }.and_then(hotrod_machine::last_failure).unwrap_or(ptr::null())
}

/// Returns a new number for a cache with these request settings, valid as long as the machine. Returns
/// `HOTROD_ERR_MISUSE` for an invalid media type.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_cache(
    machine: *mut hotrod_machine,
    now_us: u64,
    options: *const hotrod_cache_options,
    cache: *mut u32,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let cache = OutPointer::of(cache, "cache")?;
            let options = match options.as_ref() {
                None => CacheOptions::default(),
                Some(options) => CacheOptions {
                    name: options.name.as_str("name")?.into(),
                    flags: options.flags,
                    key_type: options.key_type.as_str("key_type")?.into(),
                    value_type: options.value_type.as_str("value_type")?.into(),
                    read_from_any_owner: options.read_from_any_owner,
                    parameters: parameters(&mut machine.copier, options.parameters, "parameters")?,
                },
            };
            cache.put(machine.machine.cache(now_us, options)?);
            Ok(())
        })
    }
}

/// Releases the number of a cache, with its options. Operations, listeners and iterations that were begun with it go on. A
/// program that makes a cache for each request, such as with a traceparent, releases it after its last operation.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_release_cache(machine: *mut hotrod_machine, cache: u32) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            machine.machine.release_cache(cache);
            Ok(())
        })
    }
}

/// Returns the name of the URI's cache; empty for the server's default cache. Valid as long as the machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_default_cache(machine: *mut hotrod_machine, name: *mut hotrod_text) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            OutPointer::of(name, "name")?.put(hotrod_text::of(machine.machine.default_cache()));
            Ok(())
        })
    }
}

/// Connects to a first member, with requests for `cache`. The outcome is `HOTROD_OUTPUT_STARTED` or
/// `HOTROD_OUTPUT_START_FAILED`. Operations may be submitted immediately.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_start(machine: *mut hotrod_machine, now_us: u64, cache: u32) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe { enter(machine, |machine| Ok(machine.machine.start(now_us, cache)?)) }
}

/// Cancels an operation: no output for it follows. `was_there`, if it is not NULL, is set to whether the operation
/// existed. It may still be executed.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_cancel(
    machine: *mut hotrod_machine,
    operation: u64,
    was_there: *mut bool,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            put_unless_null(was_there, machine.machine.cancel(operation));
            Ok(())
        })
    }
}

/// Returns the next output; `*next` is NULL when there is none. Poll until then after every call that changes the
/// machine. The output and its memory are valid until the next `hotrod_poll` on this machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_poll(machine: *mut hotrod_machine, next: *mut *const hotrod_output) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let next = OutPointer::of(next, "next")?;
            machine.fields.clear();
            let Some(tag) = machine.machine.poll(&mut machine.fields.values) else {
                next.put(ptr::null());
                return Ok(());
            };
            let output = output(tag, &mut machine.fields)
                .ok_or_else(|| Failure::misuse(format!("this library does not know output {tag} of its core")))?;
            next.put(machine.output.write(output));
            Ok(())
        })
    }
}

/// Returns when to call `hotrod_timeout`; `HOTROD_NO_DEADLINE` for never. Any other call may change it.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_deadline(machine: *mut hotrod_machine, at_us: *mut u64) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            OutPointer::of(at_us, "at_us")?.put(machine.machine.poll_timeout().unwrap_or(HOTROD_NO_DEADLINE));
            Ok(())
        })
    }
}

/// Advances time. Early and late calls are harmless.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_timeout(machine: *mut hotrod_machine, now_us: u64) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            machine.machine.handle_timeout(now_us);
            Ok(())
        })
    }
}

/// Lets operations in flight finish, then closes every link. Later calls that would start an operation return
/// `HOTROD_ERR_CLOSED`.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_close(machine: *mut hotrod_machine, now_us: u64) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            machine.machine.close(now_us);
            Ok(())
        })
    }
}

/// Returns whether `hotrod_close` was called and every link is closed.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_is_closed(machine: *mut hotrod_machine, is_closed: *mut bool) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            OutPointer::of(is_closed, "is_closed")?.put(machine.machine.is_closed());
            Ok(())
        })
    }
}

/// Switches to another site; an empty name means the site of the URI's servers. `is_known`, if it is not NULL, is set
/// to whether the site exists.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_switch_site(
    machine: *mut hotrod_machine,
    now_us: u64,
    name: hotrod_text,
    is_known: *mut bool,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let name = name.as_str("name")?;
            put_unless_null(is_known, machine.machine.switch_site(now_us, name));
            Ok(())
        })
    }
}
