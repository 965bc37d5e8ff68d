//! The machine's handle, and `enter`, the only access to its state.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use hotrod_core::vocabulary::{Failure, Machine};

use crate::copier::Copier;
use crate::failure::{OwnedFailure, hotrod_failure};
use crate::generated::codes::hotrod_status;
use crate::generated::outputs::hotrod_output;
use crate::inspect::Inspections;
use crate::links::LentBuffer;
use crate::output::OutputFields;

/// A client of one cluster, without sockets: bytes and time go in, bytes and outputs come out.
///
/// Created by `hotrod_machine_new` and owned by its caller until `hotrod_machine_free`. Any thread may call functions
/// with it, one at a time: a concurrent call returns `HOTROD_ERR_BUSY` and does nothing. Different machines are
/// independent.
///
/// Every function with a machine returns a status: `HOTROD_OK`, or the kind of failure, with details in
/// `hotrod_last_failure`. Out parameters are written only on success. If the machine or an out parameter is NULL, the
/// status is `HOTROD_ERR_NULL`. After a bug in the library the status is `HOTROD_ERR_PANIC`, for this and all later
/// calls.
///
/// The library has no callbacks: only a second thread or a signal handler can enter a machine twice, and gets
/// `HOTROD_ERR_BUSY`. Arguments are read before the call returns, and copied if they are kept; they may point to
/// memory of the machine that is still valid, except as described at `hotrod_received`.
///
/// `now_us` is the current time in microseconds since an epoch of the host's choosing; it is monotonic.
///
/// # Safety The machine is NULL or a machine of `hotrod_machine_new` that was not freed; memory of outputs and
/// failures is read by one thread while no other is in a call. Other pointers are NULL or valid for their types
/// during the call.
pub struct hotrod_machine {
    /// Whether a thread is in a call.
    is_busy: AtomicBool,
    state: UnsafeCell<State>,
}

/// State of a machine, accessed by `enter` only.
pub(crate) struct State {
    pub(crate) machine: Machine,
    pub(crate) copier: Copier,
    pub(crate) lent: Option<LentBuffer>,
    /// What `output` points to.
    pub(crate) fields: Box<OutputFields>,
    pub(crate) output: Box<MaybeUninit<hotrod_output>>,
    pub(crate) inspections: Inspections,
    failure: Option<Box<OwnedFailure>>,
    is_poisoned: bool,
}

/// Error of a call.
pub(crate) enum CallError {
    /// A required pointer is NULL.
    Null(&'static str),
    /// A failure returned by core.
    Failure(Box<Failure>),
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl hotrod_machine {
    pub(crate) fn of(machine: Machine) -> Self {
        let state = State {
            machine,
            copier: Copier::default(),
            lent: None,
            fields: Box::default(),
            output: Box::new(MaybeUninit::uninit()),
            inspections: Inspections::default(),
            failure: None,
            is_poisoned: false,
        };
        Self { is_busy: AtomicBool::new(false), state: UnsafeCell::new(state) }
    }

    pub(crate) fn last_failure(&self) -> Option<*const hotrod_failure> {
        let _guard = BusyGuard::take(&self.is_busy)?;
        // SAFETY: the guard gives this thread exclusive access.
        unsafe { &*self.state.get() }.failure.as_ref().map(|failure| failure.as_ptr())
    }
}

/// Exclusive access to a machine's state, until dropped.
struct BusyGuard<'a>(&'a AtomicBool);

impl<'a> BusyGuard<'a> {
    /// Returns `None` while another thread is in a call.
    #[inline]
    fn take(is_busy: &'a AtomicBool) -> Option<Self> {
        (!is_busy.swap(true, Ordering::Acquire)).then_some(Self(is_busy))
    }
}

impl Drop for BusyGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl State {
    #[cold]
    fn fail(&mut self, failure: OwnedFailure) -> hotrod_status {
        let status = failure.kind();
        self.failure = Some(Box::new(failure));
        status
    }
}

/// Runs a call on a machine. Catches panics; after one, no further call runs on that machine.
///
/// # Safety
/// As documented at [`hotrod_machine`].
#[inline]
pub(crate) unsafe fn enter(
    machine: *mut hotrod_machine,
    call: impl FnOnce(&mut State) -> Result<(), CallError>,
) -> hotrod_status {
    // SAFETY: NULL, or a machine; threads share only the handle.
    let Some(handle) = (unsafe { machine.as_ref() }) else { return hotrod_status::HOTROD_ERR_NULL };
    let Some(_guard) = BusyGuard::take(&handle.is_busy) else { return hotrod_status::HOTROD_ERR_BUSY };
    // SAFETY: the guard gives this thread exclusive access.
    let machine = unsafe { &mut *handle.state.get() };
    if machine.is_poisoned {
        return hotrod_status::HOTROD_ERR_PANIC;
    }
    // `is_poisoned` keeps partial state after a panic from being used.
    match catch_unwind(AssertUnwindSafe(|| call(machine))) {
        Ok(Ok(())) => hotrod_status::HOTROD_OK,
        Ok(Err(CallError::Failure(failure))) => machine.fail(OwnedFailure::of(*failure)),
        Ok(Err(CallError::Null(name))) => machine.fail(OwnedFailure::of_null(name)),
        Err(_) => {
            machine.is_poisoned = true;
            machine.fail(OwnedFailure::of_panic())
        }
    }
}

/// Runs a call without a machine, and catches panics.
pub(crate) fn enter_without(call: impl FnOnce() -> hotrod_status) -> hotrod_status {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(hotrod_status::HOTROD_ERR_PANIC)
}

/// A non-NULL pointer for a result.
pub(crate) struct OutPointer<T>(*mut T);

impl<T> OutPointer<T> {
    /// # Safety
    /// NULL, or valid for writes until [`put`](Self::put).
    pub(crate) unsafe fn of(pointer: *mut T, name: &'static str) -> Result<Self, CallError> {
        if pointer.is_null() { Err(CallError::Null(name)) } else { Ok(Self(pointer)) }
    }

    pub(crate) fn put(self, value: T) {
        // SAFETY: not NULL, and valid for writes: `of` requires it.
        unsafe { self.0.write(value) }
    }
}

/// Writes to `pointer` unless it is NULL.
///
/// # Safety
/// NULL, or valid for writes.
pub(crate) unsafe fn put_unless_null<T>(pointer: *mut T, value: T) {
    if !pointer.is_null() {
        // SAFETY: required of the caller.
        unsafe { pointer.write(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr;

    fn machine() -> hotrod_machine {
        hotrod_machine::of(Machine::new("hotrod://127.0.0.1", [0; 32], 0).unwrap())
    }

    #[test]
    fn after_a_panic_every_call_says_so() {
        let mut machine = machine();
        let pointer = &raw mut machine;
        // SAFETY: a machine that no other thread uses.
        let call = |panics: bool| unsafe {
            enter(pointer, |_| {
                assert!(!panics, "a bug");
                Ok(())
            })
        };
        assert_eq!(call(false), hotrod_status::HOTROD_OK);
        assert_eq!(call(true), hotrod_status::HOTROD_ERR_PANIC);
        assert_eq!(call(false), hotrod_status::HOTROD_ERR_PANIC);
        assert!(machine.last_failure().is_some());
    }

    #[test]
    fn a_second_thread_is_told() {
        let mut machine = machine();
        let address = &raw mut machine as usize;
        // SAFETY: the machine outlives both calls.
        let first = unsafe {
            enter(&raw mut machine, |_| {
                let second = std::thread::spawn(move || enter(address as *mut hotrod_machine, |_| Ok(())));
                assert_eq!(second.join().unwrap(), hotrod_status::HOTROD_ERR_BUSY);
                Ok(())
            })
        };
        assert_eq!(first, hotrod_status::HOTROD_OK);
    }

    #[test]
    fn null_is_an_answer() {
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { enter(ptr::null_mut(), |_| Ok(())) }, hotrod_status::HOTROD_ERR_NULL);
        let mut machine = machine();
        // SAFETY: a machine that no other thread uses, and NULL.
        let status = unsafe { enter(&raw mut machine, |_| OutPointer::<u64>::of(ptr::null_mut(), "id").map(|_| ())) };
        assert_eq!(status, hotrod_status::HOTROD_ERR_NULL);
    }

    #[test]
    fn a_panic_without_a_machine_is_caught() {
        assert_eq!(enter_without(|| panic!("a bug")), hotrod_status::HOTROD_ERR_PANIC);
    }
}
