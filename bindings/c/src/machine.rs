//! The life of a machine, its caches, and what it says.

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

/// The value of a deadline that there is not.
pub const HOTROD_NO_DEADLINE: u64 = u64::MAX;

/// Why there is no machine. Owned by whoever got it, until `hotrod_error_free`.
pub struct hotrod_error {
    failure: OwnedFailure,
}

/// How a cache is asked; all zero is the server's default cache, asked plainly.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_cache_options {
    /// Its name; empty for the server's default cache.
    pub name: hotrod_text,
    /// Flags of every request: `HOTROD_FLAG_…`, added up.
    pub flags: u32,
    /// Media type of keys, such as `text/plain`; empty for the form in which the cache stores them.
    pub key_type: hotrod_text,
    /// Media type of values; empty for the form in which the cache stores them.
    pub value_type: hotrod_text,
    /// Whether keys are read from any owner, and not from the primary one.
    pub read_from_any_owner: bool,
    /// Further parameters of every request, such as `traceparent` (4.0 and later).
    pub parameters: hotrod_parameter_list,
}

/// The library's version, such as `0.1.0`: a C string that stays. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn hotrod_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Makes a client of what a URI names; nothing is sent before `hotrod_start` or an operation.
///
/// All of its randomness comes from the 32 bytes of `seed`: give it others each time, from the system's source of
/// randomness. `machine` is set to a machine of the caller's. On failure `error` is set to an error of the caller's, if
/// it is not NULL. Any thread may call it.
///
/// # Safety
/// The pointers are NULL or good for what their types say.
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
        // SAFETY: it is not NULL, and 32 bytes are there.
        let seed = unsafe { *seed.cast::<[u8; 32]>() };
        // SAFETY: the text is there during the call.
        let made = unsafe { uri.as_str("uri") }.and_then(|uri| Machine::new(uri, seed, now_us));
        match made {
            Ok(made) => {
                let made = Box::into_raw(Box::new(hotrod_machine::of(made)));
                // SAFETY: it is not NULL, and good to be written to.
                unsafe { machine.write(made) };
                hotrod_status::HOTROD_OK
            }
            Err(failure) => {
                let failure = OwnedFailure::of(failure);
                let status = failure.kind();
                // SAFETY: NULL, or good to be written to.
                unsafe { put_unless_null(error, Box::into_raw(Box::new(hotrod_error { failure }))) };
                status
            }
        }
    })
}

/// Frees a machine, with everything that it has given out; NULL is nothing to free. Its connections are the host's, who
/// closes them. To let operations finish, `hotrod_close` it before. Any thread may call it, none other on that machine.
///
/// # Safety
/// NULL, or a machine of `hotrod_machine_new` that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_machine_free(machine: *mut hotrod_machine) {
    if machine.is_null() {
        return;
    }
    enter_without(|| {
        // SAFETY: it came of a box, and is not used any more.
        drop(unsafe { Box::from_raw(machine) });
        hotrod_status::HOTROD_OK
    });
}

/// What an error says; valid until it is freed. NULL for NULL. Any thread may call it.
///
/// # Safety
/// NULL, or an error that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_error_failure(error: *const hotrod_error) -> *const hotrod_failure {
    // SAFETY: NULL, or an error.
    unsafe { error.as_ref() }.map_or(ptr::null(), |error| error.failure.as_ptr())
}

/// Frees an error; NULL is nothing to free. Any thread may call it.
///
/// # Safety
/// NULL, or an error that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_error_free(error: *mut hotrod_error) {
    if !error.is_null() {
        // SAFETY: it came of a box, and is not used any more.
        drop(unsafe { Box::from_raw(error) });
    }
}

/// How the last call on this machine that failed has failed; NULL if none has, and while another thread is in a call.
/// Valid until the next one that fails, or until the machine is freed. Works after `HOTROD_ERR_PANIC` as well; a call that
/// answered `HOTROD_ERR_BUSY` leaves nothing here.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_last_failure(machine: *const hotrod_machine) -> *const hotrod_failure {
    // SAFETY: NULL, or a machine; threads share no more of it than the handle.
    unsafe { machine.as_ref() }.and_then(hotrod_machine::last_failure).unwrap_or(ptr::null())
}

/// Gives a cache, asked in a certain way, a number for the calls on it; every call gives a new one. They last as long as
/// the machine. `HOTROD_ERR_MISUSE` for a media type that can't be.
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
    // SAFETY: asked of the caller.
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

/// The name of the cache that the URI names; empty for the server's default cache. Valid as long as the machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_default_cache(machine: *mut hotrod_machine, name: *mut hotrod_text) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            OutPointer::of(name, "name")?.put(hotrod_text::of(machine.machine.default_cache()));
            Ok(())
        })
    }
}

/// Connects to a first member, asking for that cache. `HOTROD_OUTPUT_STARTED` or `HOTROD_OUTPUT_START_FAILED` is the
/// answer. Operations may be submitted at once.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_start(machine: *mut hotrod_machine, now_us: u64, cache: u32) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe { enter(machine, |machine| Ok(machine.machine.start(now_us, cache)?)) }
}

/// Gives an operation up: nothing more is said of it. `was_there`, if it is not NULL, is set to whether there was such
/// an operation. It may be executed all the same.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_cancel(
    machine: *mut hotrod_machine,
    operation: u64,
    was_there: *mut bool,
) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            put_unless_null(was_there, machine.machine.cancel(operation));
            Ok(())
        })
    }
}

/// The next thing that the machine says; `*next` is NULL when there is no more for now. Ask until then after every call
/// that brings something in. What it points to is valid until the next `hotrod_poll` on this machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_poll(machine: *mut hotrod_machine, next: *mut *const hotrod_output) -> hotrod_status {
    // SAFETY: asked of the caller.
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

/// When `hotrod_timeout` is to be called: `HOTROD_NO_DEADLINE` for never. It changes with every other call.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_deadline(machine: *mut hotrod_machine, at_us: *mut u64) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            OutPointer::of(at_us, "at_us")?.put(machine.machine.poll_timeout().unwrap_or(HOTROD_NO_DEADLINE));
            Ok(())
        })
    }
}

/// Time has passed. A call too many does no harm.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_timeout(machine: *mut hotrod_machine, now_us: u64) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            machine.machine.handle_timeout(now_us);
            Ok(())
        })
    }
}

/// Lets operations in flight finish, and closes every link. Nothing more is accepted: calls that would begin something
/// answer `HOTROD_ERR_CLOSED`.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_close(machine: *mut hotrod_machine, now_us: u64) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            machine.machine.close(now_us);
            Ok(())
        })
    }
}

/// Whether every link is closed and none will come, after `hotrod_close`.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_is_closed(machine: *mut hotrod_machine, is_closed: *mut bool) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            OutPointer::of(is_closed, "is_closed")?.put(machine.machine.is_closed());
            Ok(())
        })
    }
}

/// Goes over to another site, or with an empty name back to the one of the URI's servers. `is_known`, if it is not NULL,
/// is set to whether there is one of that name.
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
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            let name = name.as_str("name")?;
            put_unless_null(is_known, machine.machine.switch_site(now_us, name));
            Ok(())
        })
    }
}
