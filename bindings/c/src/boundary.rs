//! The handle, and the one way into it.

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use hotrod_core::vocabulary::{Failure, Machine};

use crate::copier::Copier;
use crate::failure::{KeptFailure, hotrod_failure};
use crate::generated::codes::hotrod_status;
use crate::inspect::Inspected;
use crate::links::Lent;
use crate::said::Said;

/// A client of one cluster, without sockets: bytes and time go in, bytes and outputs come out.
///
/// Made by `hotrod_machine_new` and owned by whoever made it, until `hotrod_machine_free`. One thread at a time may
/// call functions with it, any thread: a second one is answered `HOTROD_ERR_BUSY`, and nothing is done. Different machines
/// are independent of each other.
///
/// Every function with a machine answers a status: `HOTROD_OK`, or how it failed, with more in
/// `hotrod_last_failure`. What is written through pointers is written only on success. With NULL for the machine, or
/// where something has to be written to, the answer is `HOTROD_ERR_NULL`. If the library itself has failed, the answer
/// is `HOTROD_ERR_PANIC`, then and from then on.
///
/// No function of the library calls back: a machine is entered again only by a second thread or a signal handler, which are
/// answered `HOTROD_ERR_BUSY`. What a call is given is read before the call returns and copied if it is kept; it may be
/// memory that the machine has given out and that is still valid, except as `hotrod_received` says.
///
/// `now_us` is the present moment, in microseconds since an epoch of the host's choosing; it never goes back.
///
/// # Safety
/// Functions with a machine want NULL or a machine of `hotrod_machine_new` that was not freed; what outputs and failures
/// point to is read by one thread, while no other calls. Other pointers are NULL or good for what their types say,
/// during the call.
pub struct hotrod_machine {
    /// Some thread is in a call.
    is_busy: AtomicBool,
    state: UnsafeCell<State>,
}

/// What a call works on.
pub(crate) struct State {
    pub(crate) machine: Machine,
    pub(crate) copier: Copier,
    pub(crate) lent: Option<Lent>,
    pub(crate) said: Box<Said>,
    pub(crate) inspected: Inspected,
    failure: Option<Box<KeptFailure>>,
    is_poisoned: bool,
}

/// Why a call fails.
pub(crate) enum Trouble {
    /// A pointer that has to point to something is NULL.
    Null(&'static str),
    /// The machine says so.
    Failure(Box<Failure>),
}

impl From<Failure> for Trouble {
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
            said: Box::default(),
            inspected: Inspected::default(),
            failure: None,
            is_poisoned: false,
        };
        Self { is_busy: AtomicBool::new(false), state: UnsafeCell::new(state) }
    }

    pub(crate) fn last_failure(&self) -> Option<*const hotrod_failure> {
        let _turn = Turn::take(&self.is_busy)?;
        // SAFETY: it is this thread's turn.
        unsafe { &*self.state.get() }.failure.as_ref().map(|failure| failure.as_ptr())
    }
}

/// The right to look into a machine, until it is dropped.
struct Turn<'a>(&'a AtomicBool);

impl<'a> Turn<'a> {
    /// `None` while another thread has it.
    #[inline]
    fn take(is_busy: &'a AtomicBool) -> Option<Self> {
        (!is_busy.swap(true, Ordering::Acquire)).then_some(Self(is_busy))
    }
}

impl Drop for Turn<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl State {
    #[cold]
    fn fail(&mut self, failure: KeptFailure) -> hotrod_status {
        let status = failure.kind();
        self.failure = Some(Box::new(failure));
        status
    }
}

/// Runs a call on a machine: no panic comes out of it, and after one nothing runs on that machine any more.
///
/// # Safety
/// As said at [`hotrod_machine`].
#[inline]
pub(crate) unsafe fn enter(
    machine: *mut hotrod_machine,
    call: impl FnOnce(&mut State) -> Result<(), Trouble>,
) -> hotrod_status {
    // SAFETY: NULL, or a machine; threads share no more of it than this.
    let Some(handle) = (unsafe { machine.as_ref() }) else { return hotrod_status::HOTROD_ERR_NULL };
    let Some(_turn) = Turn::take(&handle.is_busy) else { return hotrod_status::HOTROD_ERR_BUSY };
    // SAFETY: it is this thread's turn, and nobody else's.
    let machine = unsafe { &mut *handle.state.get() };
    if machine.is_poisoned {
        return hotrod_status::HOTROD_ERR_PANIC;
    }
    // What a panic leaves half done is never looked at again.
    match catch_unwind(AssertUnwindSafe(|| call(machine))) {
        Ok(Ok(())) => hotrod_status::HOTROD_OK,
        Ok(Err(Trouble::Failure(failure))) => machine.fail(KeptFailure::of(*failure)),
        Ok(Err(Trouble::Null(name))) => machine.fail(KeptFailure::of_null(name)),
        Err(_) => {
            machine.is_poisoned = true;
            machine.fail(KeptFailure::of_panic())
        }
    }
}

/// Runs something that has no machine.
pub(crate) fn enter_without(call: impl FnOnce() -> hotrod_status) -> hotrod_status {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(hotrod_status::HOTROD_ERR_PANIC)
}

/// A place to write to.
pub(crate) struct Place<T>(*mut T);

impl<T> Place<T> {
    /// # Safety
    /// NULL, or good to be written to until [`put`](Self::put).
    pub(crate) unsafe fn of(pointer: *mut T, name: &'static str) -> Result<Self, Trouble> {
        if pointer.is_null() { Err(Trouble::Null(name)) } else { Ok(Self(pointer)) }
    }

    pub(crate) fn put(self, value: T) {
        // SAFETY: not NULL, and good to be written to: `of` asks for it.
        unsafe { self.0.write(value) }
    }
}

/// Writes to a place that may be NULL.
///
/// # Safety
/// NULL, or good to be written to.
pub(crate) unsafe fn put_if_wanted<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: as asked of the caller.
        unsafe { place.write(value) }
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
        // SAFETY: a machine that nobody else uses.
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
        // SAFETY: a machine that is there until both calls are over.
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
        // SAFETY: a machine that nobody else uses, and NULL.
        let status = unsafe { enter(&raw mut machine, |_| Place::<u64>::of(ptr::null_mut(), "id").map(|_| ())) };
        assert_eq!(status, hotrod_status::HOTROD_ERR_NULL);
    }

    #[test]
    fn a_panic_without_a_machine_is_caught() {
        assert_eq!(enter_without(|| panic!("a bug")), hotrod_status::HOTROD_ERR_PANIC);
    }
}
