//! The machine's handle, and `enter`, the only access to its state.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

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
    /// Thread that uses the machine; see [`CallGuard`].
    user: AtomicUsize,
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
        Self { user: AtomicUsize::new(0), state: UnsafeCell::new(state) }
    }

    pub(crate) fn last_failure(&self) -> Option<*const hotrod_failure> {
        let _guard = CallGuard::take(&self.user)?;
        // SAFETY: the guard gives this thread exclusive access.
        unsafe { &*self.state.get() }.failure.as_ref().map(|failure| failure.as_ptr())
    }
}

/// Identity of the current thread; even and not 0, since it is the address of a number.
fn this_thread() -> usize {
    thread_local!(static HERE: u64 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// Bit of a user that is in a call; without it the thread has claimed the machine, and is in none.
const IN_CALL: usize = 1;

/// Exclusive access to a machine's state, until dropped.
struct CallGuard<'a> {
    user: &'a AtomicUsize,
    /// Value to restore: 0, or the thread that has claimed the machine.
    before: usize,
}

impl<'a> CallGuard<'a> {
    /// Returns `None` while a call runs, and while another thread has claimed the machine.
    #[inline]
    fn take(user: &'a AtomicUsize) -> Option<Self> {
        let thread = this_thread();
        let before = user.load(Ordering::Relaxed);
        if before != 0 && before != thread {
            return None;
        }
        let exchanged = user.compare_exchange(before, thread | IN_CALL, Ordering::Acquire, Ordering::Relaxed);
        exchanged.ok().map(|before| Self { user, before })
    }
}

impl Drop for CallGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.user.store(self.before, Ordering::Release);
    }
}

/// Claims the machine for the calling thread: until `hotrod_release`, every call of another thread returns
/// `HOTROD_ERR_BUSY`. For hosts that use memory of the machine between calls, such as the pieces of `hotrod_transmit`.
/// Returns `HOTROD_ERR_BUSY` while the machine is in use or claimed.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_claim(machine: *mut hotrod_machine) -> hotrod_status {
    exchange(machine, 0, this_thread())
}

/// Ends the claim of the calling thread. Returns `HOTROD_ERR_BUSY` if it has none.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_release(machine: *mut hotrod_machine) -> hotrod_status {
    exchange(machine, this_thread(), 0)
}

fn exchange(machine: *mut hotrod_machine, before: usize, after: usize) -> hotrod_status {
    // SAFETY: NULL, or a machine; threads share only the handle.
    let Some(handle) = (unsafe { machine.as_ref() }) else { return hotrod_status::HOTROD_ERR_NULL };
    match handle.user.compare_exchange(before, after, Ordering::AcqRel, Ordering::Relaxed) {
        Ok(_) => hotrod_status::HOTROD_OK,
        Err(_) => hotrod_status::HOTROD_ERR_BUSY,
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
    let Some(_guard) = CallGuard::take(&handle.user) else { return hotrod_status::HOTROD_ERR_BUSY };
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
                // A refused call does not end the first one.
                for _ in 0..2 {
                    let second = std::thread::spawn(move || enter(address as *mut hotrod_machine, |_| Ok(())));
                    assert_eq!(second.join().unwrap(), hotrod_status::HOTROD_ERR_BUSY);
                }
                assert!((*(address as *const hotrod_machine)).last_failure().is_none());
                let third = std::thread::spawn(move || enter(address as *mut hotrod_machine, |_| Ok(())));
                assert_eq!(third.join().unwrap(), hotrod_status::HOTROD_ERR_BUSY);
                Ok(())
            })
        };
        assert_eq!(first, hotrod_status::HOTROD_OK);
    }

    #[test]
    fn a_claim_excludes_other_threads_only() {
        let mut machine = machine();
        let address = &raw mut machine as usize;
        // SAFETY: the machine outlives all calls.
        let call = move || unsafe { enter(address as *mut hotrod_machine, |_| Ok(())) };
        // SAFETY: as above.
        let claim = move || unsafe { hotrod_claim(address as *mut hotrod_machine) };
        // SAFETY: as above.
        let release = move || unsafe { hotrod_release(address as *mut hotrod_machine) };
        let other = |call: fn(usize) -> hotrod_status| std::thread::spawn(move || call(address)).join().unwrap();
        // SAFETY: as above.
        let called: fn(usize) -> hotrod_status = |address| unsafe { enter(address as *mut hotrod_machine, |_| Ok(())) };
        assert_eq!(claim(), hotrod_status::HOTROD_OK);
        assert_eq!(claim(), hotrod_status::HOTROD_ERR_BUSY);
        assert_eq!((call(), other(called)), (hotrod_status::HOTROD_OK, hotrod_status::HOTROD_ERR_BUSY));
        // SAFETY: as above.
        let released: fn(usize) -> hotrod_status = |address| unsafe { hotrod_release(address as *mut hotrod_machine) };
        assert_eq!((call(), other(released)), (hotrod_status::HOTROD_OK, hotrod_status::HOTROD_ERR_BUSY));
        assert_eq!((release(), release()), (hotrod_status::HOTROD_OK, hotrod_status::HOTROD_ERR_BUSY));
        assert_eq!((call(), other(called)), (hotrod_status::HOTROD_OK, hotrod_status::HOTROD_OK));
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
