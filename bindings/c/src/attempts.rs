//! Connection attempts to a host with several addresses.

use std::slice;

use hotrod_core::happy_eyeballs::ConnectionAttempts;
use hotrod_core::time::Instant;

use crate::boundary::enter_without;
use crate::generated::codes::hotrod_status;
use crate::machine::HOTROD_NO_DEADLINE;

/// Decides when a connection to which address of a host is begun (RFC 8305). The host resolves the name, begins the
/// connections, keeps the first one that is established, and closes the others.
///
/// One thread at a time may use it.
pub struct hotrod_attempts {
    attempts: ConnectionAttempts,
}

/// Creates the attempts for addresses in the resolver's order: for each, whether it is an IPv6 address. The caller owns
/// `*attempts` until `hotrod_attempts_free`.
///
/// # Safety
/// The pointers are NULL or valid for their types, `is_ipv6` for `count` items.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_attempts_new(
    is_ipv6: *const bool,
    count: usize,
    attempts: *mut *mut hotrod_attempts,
) -> hotrod_status {
    enter_without(|| {
        if attempts.is_null() || (is_ipv6.is_null() && count > 0) {
            return hotrod_status::HOTROD_ERR_NULL;
        }
        // SAFETY: not NULL, and valid for so many items.
        let is_ipv6 = if count == 0 { &[] } else { unsafe { slice::from_raw_parts(is_ipv6, count) } };
        let made = hotrod_attempts { attempts: ConnectionAttempts::new(is_ipv6) };
        // SAFETY: not NULL, and valid for writes.
        unsafe { attempts.write(Box::into_raw(Box::new(made))) };
        hotrod_status::HOTROD_OK
    })
}

/// Sets `*index` to the index of the address to which a connection is to be begun now, and returns true; call it again
/// until it returns false. NULL has no addresses.
///
/// # Safety
/// `attempts` is NULL, or was not freed; `index` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_attempts_next(attempts: *mut hotrod_attempts, now_us: u64, index: *mut usize) -> bool {
    // SAFETY: NULL, or attempts of this library.
    let Some(attempts) = (unsafe { attempts.as_mut() }).filter(|_| !index.is_null()) else { return false };
    let Some(next) = attempts.attempts.poll_attempt(Instant::from_micros(now_us)) else { return false };
    // SAFETY: not NULL, and valid for writes.
    unsafe { index.write(next) };
    true
}

/// Returns the time of the next attempt; `HOTROD_NO_DEADLINE` when every address has been tried.
///
/// # Safety
/// NULL, or attempts that were not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_attempts_deadline(attempts: *const hotrod_attempts) -> u64 {
    // SAFETY: NULL, or attempts of this library.
    let due = unsafe { attempts.as_ref() }.and_then(|attempts| attempts.attempts.poll_timeout());
    due.map_or(HOTROD_NO_DEADLINE, Instant::as_micros)
}

/// Reports that an attempt has failed: the next one is due now. Returns false if none is left, and none is running.
///
/// # Safety
/// NULL, or attempts that were not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_attempts_failed(attempts: *mut hotrod_attempts) -> bool {
    // SAFETY: NULL, or attempts of this library.
    let Some(attempts) = (unsafe { attempts.as_mut() }) else { return false };
    attempts.attempts.handle_failed();
    !attempts.attempts.is_exhausted()
}

/// Frees the attempts; ignores NULL.
///
/// # Safety
/// NULL, or attempts that were not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_attempts_free(attempts: *mut hotrod_attempts) {
    if !attempts.is_null() {
        // SAFETY: from `Box::into_raw`, and not used afterwards.
        drop(unsafe { Box::from_raw(attempts) });
    }
}
