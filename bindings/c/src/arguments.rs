//! Arguments of operations, beside bytes and text.

use bytes::Bytes;
use hotrod_core::vocabulary::Failure;
use hotrod_core::wire::{
    Change, CounterConfiguration, CounterKind, Expiration, Factory, Lifetime, Modification, Seen, TimeUnit, Xid,
};

use crate::arena::List;
use crate::copier::Copier;
use crate::text::{hotrod_bytes, hotrod_bytes_list, hotrod_text, list};

/// Unit of a lifetime; `hotrod_lifetime` has it as a number.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hotrod_lifetime_unit {
    /// The cache's configuration; the count is ignored.
    HOTROD_LIFETIME_DEFAULT = 0,
    /// Unlimited; the count is ignored.
    HOTROD_LIFETIME_INFINITE = 1,
    /// Seconds.
    HOTROD_LIFETIME_SECONDS = 2,
    /// Milliseconds.
    HOTROD_LIFETIME_MILLISECONDS = 3,
    /// Microseconds.
    HOTROD_LIFETIME_MICROSECONDS = 4,
    /// Nanoseconds.
    HOTROD_LIFETIME_NANOSECONDS = 5,
    /// Minutes.
    HOTROD_LIFETIME_MINUTES = 6,
    /// Hours.
    HOTROD_LIFETIME_HOURS = 7,
    /// Days.
    HOTROD_LIFETIME_DAYS = 8,
}

/// A lifetime of an entry; all zero means the cache's configuration.
///
/// Protocols 2.0 and 2.1 have seconds only, and round up; there a count of 0 means unlimited. From 2.2 on an entry with a
/// count of 0 expires at once. Before 3.0 servers read more than 30 days as a time since 1970: an operation with more is
/// refused with a failure that says so.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_lifetime {
    /// A `hotrod_lifetime_unit`.
    pub unit: u32,
    /// Count of units.
    pub count: u64,
}

/// Expiration of an entry; all zero means the cache's configuration.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_expiration {
    /// Time to live after the write.
    pub lifespan: hotrod_lifetime,
    /// Time to live after the last use.
    pub max_idle: hotrod_lifetime,
}

/// A value with a name.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_parameter {
    /// The name.
    pub name: hotrod_text,
    /// The value.
    pub value: hotrod_bytes,
}

/// A list of named values. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_parameter_list {
    /// Pointer to the first item.
    pub data: *const hotrod_parameter,
    /// Number of items.
    pub len: usize,
}

impl List for hotrod_parameter_list {
    type Item = hotrod_parameter;

    fn of(items: &[hotrod_parameter]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// Identity of a transaction branch (X/Open XA).
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_xid {
    /// Format identifier (formatID of X/Open XA).
    pub format_id: i32,
    /// At most 64 bytes.
    pub global_transaction_id: hotrod_bytes,
    /// At most 64 bytes.
    pub branch_qualifier: hotrod_bytes,
}

/// A list of transactions. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_xid_list {
    /// Pointer to the first item.
    pub data: *const hotrod_xid,
    /// Number of items.
    pub len: usize,
}

impl List for hotrod_xid_list {
    type Item = hotrod_xid;

    fn of(items: &[hotrod_xid]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// State of an entry that a transaction read; `hotrod_modification` has it as a number.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hotrod_seen {
    /// Not read: nothing is compared.
    HOTROD_SEEN_NOT_READ = 0,
    /// There was no entry.
    HOTROD_SEEN_NON_EXISTING = 1,
    /// The entry had the version of the modification.
    HOTROD_SEEN_VERSION = 2,
}

/// A change in a transaction.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_modification {
    /// Key of the entry.
    pub key: hotrod_bytes,
    /// State that the transaction read, a `hotrod_seen`: the prepare fails if it has changed.
    pub seen: u32,
    /// The version for `HOTROD_SEEN_VERSION`.
    pub version: u64,
    /// Whether the entry is removed; if so, the fields below are ignored.
    pub removes: bool,
    /// New lifetimes.
    pub expiration: hotrod_expiration,
    /// New value.
    pub value: hotrod_bytes,
}

/// A list of changes in a transaction. `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_modification_list {
    /// Pointer to the first item.
    pub data: *const hotrod_modification,
    /// Number of items.
    pub len: usize,
}

impl List for hotrod_modification_list {
    type Item = hotrod_modification;

    fn of(items: &[hotrod_modification]) -> Self {
        Self { data: items.as_ptr(), len: items.len() }
    }
}

/// Kinds of counter; `hotrod_counter_configuration` has it as a number.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hotrod_counter_kind {
    /// One value, any 64-bit number.
    HOTROD_COUNTER_UNBOUNDED_STRONG = 0,
    /// One value between two inclusive bounds.
    HOTROD_COUNTER_BOUNDED_STRONG = 1,
    /// The sum of several partial values: fast to add to, without an exact result of an addition.
    HOTROD_COUNTER_WEAK = 2,
}

/// Configuration of a counter.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_counter_configuration {
    /// A `hotrod_counter_kind`.
    pub kind: u32,
    /// Lower bound of a bounded counter.
    pub lower: i64,
    /// Upper bound of a bounded counter.
    pub upper: i64,
    /// Number of partial values of a weak counter.
    pub concurrency: u32,
    /// Whether the counter survives a restart of the cluster.
    pub persistent: bool,
    /// Initial value.
    pub initial_value: i64,
}

/// A factory of filters or converters on the server.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_factory {
    /// Name of the factory; empty for none.
    pub name: hotrod_text,
    /// Parameters, in the cache's key or value format.
    pub parameters: hotrod_bytes_list,
}

type Converted<T> = Result<T, Failure>;

fn lifetime(lifetime: hotrod_lifetime, name: &str) -> Converted<Lifetime> {
    let unit = match lifetime.unit {
        0 => return Ok(Lifetime::Default),
        1 => return Ok(Lifetime::Infinite),
        2 => TimeUnit::Seconds,
        3 => TimeUnit::Milliseconds,
        4 => TimeUnit::Microseconds,
        5 => TimeUnit::Nanoseconds,
        6 => TimeUnit::Minutes,
        7 => TimeUnit::Hours,
        8 => TimeUnit::Days,
        other => return Err(Failure::misuse(format!("{name}: expected a hotrod_lifetime_unit, 0 to 8, got {other}"))),
    };
    Ok(Lifetime::For(lifetime.count, unit))
}

pub(crate) fn expiration(expiration: hotrod_expiration, name: &str) -> Converted<Expiration> {
    let hotrod_expiration { lifespan, max_idle } = expiration;
    Ok(Expiration { lifespan: lifetime(lifespan, name)?, max_idle: lifetime(max_idle, name)? })
}

/// Returns C's view of a borrowed transaction identity.
pub(crate) fn xid(xid: &Xid) -> hotrod_xid {
    hotrod_xid {
        format_id: xid.format_id,
        global_transaction_id: hotrod_bytes::of(&xid.global_transaction_id),
        branch_qualifier: hotrod_bytes::of(&xid.branch_qualifier),
    }
}

pub(crate) fn counter_configuration(configuration: &CounterConfiguration) -> hotrod_counter_configuration {
    let (kind, lower, upper, concurrency) = match configuration.kind {
        CounterKind::UnboundedStrong => (hotrod_counter_kind::HOTROD_COUNTER_UNBOUNDED_STRONG, 0, 0, 0),
        CounterKind::BoundedStrong { lower, upper } => {
            (hotrod_counter_kind::HOTROD_COUNTER_BOUNDED_STRONG, lower, upper, 0)
        }
        CounterKind::Weak { concurrency } => (hotrod_counter_kind::HOTROD_COUNTER_WEAK, 0, 0, concurrency),
    };
    let CounterConfiguration { persistent, initial_value, .. } = *configuration;
    hotrod_counter_configuration { kind: kind as u32, lower, upper, concurrency, persistent, initial_value }
}

pub(crate) fn counter(configuration: hotrod_counter_configuration, name: &str) -> Converted<CounterConfiguration> {
    let hotrod_counter_configuration { kind, lower, upper, concurrency, persistent, initial_value } = configuration;
    let kind = match kind {
        0 => CounterKind::UnboundedStrong,
        1 => CounterKind::BoundedStrong { lower, upper },
        2 => CounterKind::Weak { concurrency },
        other => return Err(Failure::misuse(format!("{name}: expected a hotrod_counter_kind, 0 to 2, got {other}"))),
    };
    Ok(CounterConfiguration { kind, persistent, initial_value })
}

/// # Safety
/// `modification` points to valid memory.
pub(crate) unsafe fn modification(
    copier: &mut Copier,
    modification: &hotrod_modification,
    name: &str,
) -> Converted<Modification> {
    let seen = match modification.seen {
        0 => Seen::NotRead,
        1 => Seen::NonExisting,
        2 => Seen::Version(modification.version),
        other => return Err(Failure::misuse(format!("{name}: expected a hotrod_seen, 0 to 2, got {other}"))),
    };
    // SAFETY: required of the caller.
    let (key, value) = unsafe { (modification.key.as_slice(), modification.value.as_slice()) };
    let change = if modification.removes {
        Change::Remove
    } else {
        Change::Put { expiration: expiration(modification.expiration, name)?, value: copier.copy(value) }
    };
    Ok(Modification { key: copier.copy(key), seen, change })
}

/// # Safety
/// `bytes` points to valid memory.
pub(crate) unsafe fn byte_list(copier: &mut Copier, bytes: hotrod_bytes_list) -> Vec<Bytes> {
    // SAFETY: required of the caller.
    let pieces = unsafe { list(bytes.data, bytes.len) };
    // SAFETY: required of the caller.
    pieces.iter().map(|piece| copier.copy(unsafe { piece.as_slice() })).collect()
}

/// # Safety
/// `factory` points to valid memory.
pub(crate) unsafe fn factory(copier: &mut Copier, factory: hotrod_factory, name: &str) -> Converted<Option<Factory>> {
    // SAFETY: required of the caller.
    let (name, parameters) = unsafe { (factory.name.as_str(name)?, byte_list(copier, factory.parameters)) };
    Ok((!name.is_empty()).then(|| Factory { name: name.into(), parameters }))
}
