//! Submission of operations.

use std::slice;
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::vocabulary::{Arguments, CallOptions, Failure};
use hotrod_core::wire::{CounterConfiguration, Expiration, Modification, Operation, Request, Xid};

use crate::answer::hotrod_pair_list;
use crate::arguments::{
    byte_list, counter, expiration, hotrod_counter_configuration, hotrod_expiration, hotrod_modification_list,
    hotrod_parameter_list, hotrod_xid, modification,
};
use crate::boundary::{OutPointer, enter, hotrod_machine};
use crate::copier::Copier;
use crate::generated::codes::hotrod_status;
use crate::text::{hotrod_bytes, hotrod_bytes_list, hotrod_text, list};

/// Options of an operation; all zero means the machine's defaults.
///
/// All functions `hotrod_submit_…` work as follows. `cache` is a number of `hotrod_cache`; `options` may be NULL.
/// Arguments are read during the call and stay the caller's. `id` is set to the operation's identity, never 0;
/// exactly one `HOTROD_OUTPUT_COMPLETED` with that identity follows, unless the operation is cancelled. They return
/// `HOTROD_ERR_MISUSE` for an invalid argument, `HOTROD_ERR_FULL` if too many operations are queued, and
/// `HOTROD_ERR_CLOSED` after `hotrod_close`; then nothing is sent.
///
/// # Safety
/// As for all functions with a machine.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_call_options {
    /// The only member that may execute the operation; 0 for any.
    pub member: u64,
    /// Timeout over all attempts, in microseconds; 0 for the machine's default.
    pub timeout_us: u64,
    /// The bytes that servers store for the keys of the operation, one for each in their order, by which it is routed; empty if
    /// the machine derives them, as it can where no schema is needed. Wrong bytes cost a hop, and nothing else.
    pub storage_keys: hotrod_bytes_list,
}

/// An argument of a C function.
pub(crate) enum Argument {
    Bytes(hotrod_bytes),
    Text(hotrod_text),
    Flag(bool),
    Number(u32),
    Signed(i64),
    Opaque(u64),
    Expiration(hotrod_expiration),
    ByteList(hotrod_bytes_list),
    Entries(hotrod_pair_list),
    Parameters(hotrod_parameter_list),
    Xid(hotrod_xid),
    Modifications(hotrod_modification_list),
    Counter(hotrod_counter_configuration),
}

/// Implements all `hotrod_submit_…`.
///
/// # Safety
/// As documented at [`hotrod_machine`]; arguments point to valid memory during the call.
#[inline(never)]
pub(crate) unsafe fn submit(
    machine: *mut hotrod_machine,
    now: u64,
    cache: u32,
    options: *const hotrod_call_options,
    operation: Operation,
    arguments: &[Argument],
    id: *mut u64,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let id = OutPointer::of(id, "id")?;
            let options = options.as_ref();
            let member = options.map(|options| options.member).filter(|member| *member != 0);
            let timeout = options.map(|options| options.timeout_us).filter(|timeout| *timeout != 0);
            let storage_keys = options.map(|options| byte_list(&mut machine.copier, options.storage_keys));
            let storage_keys = storage_keys.unwrap_or_default().into();
            let options = CallOptions { member, timeout: timeout.map(Duration::from_micros), storage_keys };
            let mut reader = ArgumentReader { arguments: arguments.iter(), copier: &mut machine.copier };
            let request = Request::from_arguments(operation, &mut reader)?;
            id.put(machine.machine.submit(now, cache, request, options)?);
            Ok(())
        })
    }
}

/// Reads the arguments in order. Constructed only by `submit`, whose caller guarantees that their memory is valid.
struct ArgumentReader<'a> {
    arguments: slice::Iter<'a, Argument>,
    copier: &'a mut Copier,
}

type Converted<T> = Result<T, Failure>;

/// Returns the next argument, which always has this form: the functions are generated.
macro_rules! next {
    ($reader:ident, $name:ident, $variant:ident) => {
        match $reader.arguments.next() {
            Some(Argument::$variant(value)) => value,
            _ => return Err(Failure::misuse(format!("{} has another form", $name))),
        }
    };
}

impl Arguments for ArgumentReader<'_> {
    type Error = Failure;

    fn bytes(&mut self, name: &'static str) -> Converted<Bytes> {
        let value = next!(self, name, Bytes);
        // SAFETY: required of the caller of `submit`.
        Ok(self.copier.copy(unsafe { value.as_slice() }))
    }

    fn text(&mut self, name: &'static str) -> Converted<String> {
        let value = next!(self, name, Text);
        // SAFETY: required of the caller of `submit`.
        Ok(unsafe { value.as_str(name) }?.into())
    }

    fn flag(&mut self, name: &'static str) -> Converted<bool> {
        Ok(*next!(self, name, Flag))
    }

    fn number(&mut self, name: &'static str, max: u64) -> Converted<u64> {
        let value = u64::from(*next!(self, name, Number));
        if value > max { Err(out_of_range(name, 0, max, value)) } else { Ok(value) }
    }

    fn signed(&mut self, name: &'static str, min: i64, max: i64) -> Converted<i64> {
        let value = *next!(self, name, Signed);
        if (min..=max).contains(&value) { Ok(value) } else { Err(out_of_range(name, min, max, value)) }
    }

    fn opaque(&mut self, name: &'static str) -> Converted<u64> {
        Ok(*next!(self, name, Opaque))
    }

    fn expiration(&mut self, name: &'static str) -> Converted<Expiration> {
        expiration(*next!(self, name, Expiration), name)
    }

    fn byte_list(&mut self, name: &'static str) -> Converted<Vec<Bytes>> {
        let value = next!(self, name, ByteList);
        // SAFETY: required of the caller of `submit`.
        Ok(unsafe { byte_list(self.copier, *value) })
    }

    fn entries(&mut self, name: &'static str) -> Converted<Vec<(Bytes, Bytes)>> {
        let value = next!(self, name, Entries);
        // SAFETY: required of the caller of `submit`.
        let pairs = unsafe { list(value.data, value.len) };
        // SAFETY: required of the caller of `submit`.
        let pair = |pair: &crate::answer::hotrod_pair| unsafe { (pair.key.as_slice(), pair.value.as_slice()) };
        Ok(pairs.iter().map(pair).map(|(key, value)| (self.copier.copy(key), self.copier.copy(value))).collect())
    }

    fn parameters(&mut self, name: &'static str) -> Converted<Vec<(String, Bytes)>> {
        // SAFETY: required of the caller of `submit`.
        unsafe { parameters(self.copier, *next!(self, name, Parameters), name) }
    }

    fn xid(&mut self, name: &'static str) -> Converted<Xid> {
        let value = next!(self, name, Xid);
        // SAFETY: required of the caller of `submit`.
        let (global, branch) = unsafe { (value.global_transaction_id.as_slice(), value.branch_qualifier.as_slice()) };
        Ok(Xid {
            format_id: value.format_id,
            global_transaction_id: self.copier.copy(global),
            branch_qualifier: self.copier.copy(branch),
        })
    }

    fn modifications(&mut self, name: &'static str) -> Converted<Vec<Modification>> {
        let value = next!(self, name, Modifications);
        // SAFETY: required of the caller of `submit`.
        let changes = unsafe { list(value.data, value.len) };
        // SAFETY: required of the caller of `submit`.
        changes.iter().map(|change| unsafe { modification(self.copier, change, name) }).collect()
    }

    fn counter(&mut self, name: &'static str) -> Converted<CounterConfiguration> {
        counter(*next!(self, name, Counter), name)
    }

    fn not_offered(&mut self, operation: Operation) -> Failure {
        Failure::misuse(format!("{operation} is not for users"))
    }
}

fn out_of_range<N: std::fmt::Display>(name: &str, min: N, max: N, value: N) -> Failure {
    Failure::misuse(format!("{name}: expected {min} to {max}, got {value}"))
}

/// # Safety
/// `parameters` points to valid parameters.
pub(crate) unsafe fn parameters(
    copier: &mut Copier,
    parameters: hotrod_parameter_list,
    name: &str,
) -> Converted<Vec<(String, Bytes)>> {
    // SAFETY: required of the caller.
    let parameters = unsafe { list(parameters.data, parameters.len) };
    let parameter = |parameter: &crate::arguments::hotrod_parameter| {
        // SAFETY: required of the caller.
        let (name, value) = unsafe { (parameter.name.as_str(name)?, parameter.value.as_slice()) };
        Ok((name.into(), copier.copy(value)))
    };
    parameters.iter().map(parameter).collect()
}
