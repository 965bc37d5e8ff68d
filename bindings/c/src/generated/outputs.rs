//! Made by `cargo run -p hotrod-c-generate` from spec/vocabulary.json; not to be edited.

use crate::answer::hotrod_answer;
use crate::failure::hotrod_failure;
use crate::lists::hotrod_iteration_entry_list;
use crate::said::{Said, hotrod_tls};
use crate::text::{hotrod_bytes, hotrod_text};

/// What an output is; says which member of `as` is set. A number is never given to another.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hotrod_output_type {
    /// Establish a connection, and say `handle_connected` or `handle_link_lost`.
    HOTROD_OUTPUT_CONNECT = 1,
    /// Establish TLS on a connection that is there, and say `handle_connected` again, or `handle_link_lost`. Before
    /// it there is nothing left to send or to receive.
    HOTROD_OUTPUT_START_TLS = 2,
    /// The link has bytes to send: write `transmit` until it is empty.
    HOTROD_OUTPUT_TRANSMIT = 3,
    /// Do not read from the link: the application has too many events of a listener to take. What comes all the same
    /// is not lost.
    HOTROD_OUTPUT_PAUSE = 4,
    /// Read from the link again.
    HOTROD_OUTPUT_RESUME = 5,
    /// Close the connection, or stop establishing it; nothing more is said of it.
    HOTROD_OUTPUT_CLOSE = 6,
    /// An operation is done. Exactly one comes for every one submitted and not cancelled.
    HOTROD_OUTPUT_COMPLETED = 7,
    /// The next entries of an iteration. None of them mean that it is over, as an error does.
    HOTROD_OUTPUT_ENTRIES = 8,
    /// A first member is ready: the answer to `start`.
    HOTROD_OUTPUT_STARTED = 32,
    /// No server could be reached, or none accepts the session: the other answer.
    HOTROD_OUTPUT_START_FAILED = 33,
    /// A session with a member is ready.
    HOTROD_OUTPUT_MEMBER_READY = 34,
    /// A link failed or was lost.
    HOTROD_OUTPUT_MEMBER_UNAVAILABLE = 35,
    /// A cache has a new view of the cluster.
    HOTROD_OUTPUT_TOPOLOGY = 36,
    /// No member of the topology can be reached: operations go to the seeds, which forward them.
    HOTROD_OUTPUT_DEGRADED = 37,
    /// A member of the topology can be reached again.
    HOTROD_OUTPUT_RESTORED = 38,
    /// Another site's cluster is used from now on.
    HOTROD_OUTPUT_SITE_SWITCHED = 39,
    /// A listener is registered: what happens from now on is told.
    HOTROD_OUTPUT_LISTENER_REGISTERED = 40,
    /// A listener is registered anew, because its member was lost. What happened in between was missed, unless it
    /// includes the current state.
    HOTROD_OUTPUT_LISTENER_MOVED = 41,
    /// A listener could not be registered, and is gone.
    HOTROD_OUTPUT_LISTENER_FAILED = 42,
    /// An event for a cache listener.
    HOTROD_OUTPUT_ENTRY = 43,
    /// An event for a counter listener.
    HOTROD_OUTPUT_COUNTER = 44,
    /// Which carriage is used with an endpoint, where the settings leave the choice: told when it is found, and again
    /// whenever another takes its place.
    HOTROD_OUTPUT_CARRIAGE_CHOSEN = 47,
    /// Which access path is used, where the settings leave the choice.
    HOTROD_OUTPUT_ACCESS_CHOSEN = 48,
    /// How many members are reached directly has changed, or why they are not all. Not told where members are simply
    /// dialled.
    HOTROD_OUTPUT_COVERAGE = 49,
    /// How a balancer chooses the member of a connection, as far as it was seen.
    HOTROD_OUTPUT_BALANCING_RECOGNISED = 50,
    /// A topology names a member outside `member_hosts`: no link is opened to it, and its operations go to other
    /// members, which forward them. Reported once for each member.
    HOTROD_OUTPUT_MEMBER_NOT_ALLOWED = 51,
    /// A near cache keeps values from now on.
    HOTROD_OUTPUT_NEAR_CACHE_ACTIVE = 45,
    /// A near cache is empty and keeps nothing, because nobody tells of changes at the moment.
    HOTROD_OUTPUT_NEAR_CACHE_INACTIVE = 46,
}

/// What happened to the entry.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hotrod_entry_change {
    /// It is created.
    HOTROD_ENTRY_CREATED = 0,
    /// It is modified.
    HOTROD_ENTRY_MODIFIED = 1,
    /// It is removed.
    HOTROD_ENTRY_REMOVED = 2,
    /// It is expired.
    HOTROD_ENTRY_EXPIRED = 3,
}

impl hotrod_entry_change {
    fn of(index: usize) -> Self {
        match index {
            1 => Self::HOTROD_ENTRY_MODIFIED,
            2 => Self::HOTROD_ENTRY_REMOVED,
            3 => Self::HOTROD_ENTRY_EXPIRED,
            _ => Self::HOTROD_ENTRY_CREATED,
        }
    }
}

/// Whether that was at a bound.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hotrod_counter_state {
    /// It is valid.
    HOTROD_COUNTER_VALID = 0,
    /// It is lower bound reached.
    HOTROD_COUNTER_LOWER_BOUND_REACHED = 1,
    /// It is upper bound reached.
    HOTROD_COUNTER_UPPER_BOUND_REACHED = 2,
}

impl hotrod_counter_state {
    fn of(index: usize) -> Self {
        match index {
            1 => Self::HOTROD_COUNTER_LOWER_BOUND_REACHED,
            2 => Self::HOTROD_COUNTER_UPPER_BOUND_REACHED,
            _ => Self::HOTROD_COUNTER_VALID,
        }
    }
}

/// Establish a connection, and say `handle_connected` or `handle_link_lost`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_connect {
    /// Its name from now on.
    pub link: u64,
    /// Who is to be at the other end.
    pub member: u64,
    /// Host name or IP address to connect to, without brackets.
    pub host: hotrod_text,
    /// TCP port.
    pub port: u64,
    /// TLS to be established before the link is said to be connected. NULL for none.
    pub tls: *const hotrod_tls,
    /// When the machine gives it up. In microseconds.
    pub timeout_us: u64,
}

/// Establish TLS on a connection that is there, and say `handle_connected` again, or `handle_link_lost`. Before it
/// there is nothing left to send or to receive.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_start_tls {
    /// Which link.
    pub link: u64,
    /// How.
    pub tls: *const hotrod_tls,
}

/// The link has bytes to send: write `transmit` until it is empty.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_transmit {
    /// Which link.
    pub link: u64,
}

/// Do not read from the link: the application has too many events of a listener to take. What comes all the same is
/// not lost.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_pause {
    /// Which link.
    pub link: u64,
}

/// Read from the link again.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_resume {
    /// Which link.
    pub link: u64,
}

/// Close the connection, or stop establishing it; nothing more is said of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_close {
    /// Which link.
    pub link: u64,
}

/// An operation is done. Exactly one comes for every one submitted and not cancelled.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_completed {
    /// Which operation.
    pub id: u64,
    /// The member that answered, or that was the last one tried. 0 for none.
    pub member: u64,
    /// What it answers; none if it failed. NULL for none.
    pub answer: *const hotrod_answer,
    /// How it failed; none if it did not. NULL for none.
    pub error: *const hotrod_failure,
}

/// The next entries of an iteration. None of them mean that it is over, as an error does.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_entries {
    /// Which iteration.
    pub id: u64,
    /// The entries; an empty list at the end.
    pub entries: hotrod_iteration_entry_list,
    /// Why there are no more; none if there may be. NULL for none.
    pub error: *const hotrod_failure,
}

/// No server could be reached, or none accepts the session: the other answer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_start_failed {
    /// Why.
    pub error: *const hotrod_failure,
}

/// A session with a member is ready.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_member_ready {
    /// Which member.
    pub member: u64,
    /// Its address.
    pub address: hotrod_text,
    /// The ALPN id that it has selected, if TLS was used and it selected one. `data` is NULL for none.
    pub alpn: hotrod_text,
}

/// A link failed or was lost.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_member_unavailable {
    /// Which member.
    pub member: u64,
    /// Its address.
    pub address: hotrod_text,
    /// Why.
    pub reason: hotrod_text,
    /// It is not tried for so long. In microseconds.
    pub retry_after_us: u64,
}

/// A cache has a new view of the cluster.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_topology {
    /// Which cache.
    pub cache: hotrod_text,
    /// The id of the topology.
    pub id: u64,
    /// Its members.
    pub members: u64,
}

/// Another site's cluster is used from now on.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_site_switched {
    /// The name of the site that was left; empty for the one of the settings' seeds.
    pub from: hotrod_text,
    /// The name of the new one.
    pub to: hotrod_text,
    /// Whether the machine did so by itself, because no member of the old one could be reached.
    pub automatic: bool,
}

/// A listener is registered: what happens from now on is told.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_listener_registered {
    /// Which listener.
    pub listener: u64,
    /// The member that serves it.
    pub member: u64,
}

/// A listener is registered anew, because its member was lost. What happened in between was missed, unless it
/// includes the current state.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_listener_moved {
    /// Which listener.
    pub listener: u64,
    /// The member that serves it now.
    pub member: u64,
}

/// A listener could not be registered, and is gone.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_listener_failed {
    /// Which listener.
    pub listener: u64,
    /// The member that was asked last. 0 for none.
    pub member: u64,
    /// Why.
    pub error: *const hotrod_failure,
}

/// An event for a cache listener.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_entry {
    /// Which listener.
    pub listener: u64,
    /// The link that it came by: one that is not read holds up no operation.
    pub link: u64,
    /// What happened to the entry.
    pub change: hotrod_entry_change,
    /// Its key; none if the listener has a converter. `data` is NULL for none.
    pub key: hotrod_bytes,
    /// Whether there is a `version`.
    pub has_version: bool,
    /// Its version, if it was created or modified.
    pub version: u64,
    /// What the listener's converter made of it. `data` is NULL for none.
    pub data: hotrod_bytes,
    /// Whether the write was retried in the server: the event may have been sent before.
    pub retried: bool,
}

/// An event for a counter listener.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_counter {
    /// Which listener.
    pub listener: u64,
    /// The link that it came by: one that is not read holds up no operation.
    pub link: u64,
    /// The counter.
    pub counter: hotrod_text,
    /// Its value before.
    pub old_value: i64,
    /// Whether that was at a bound.
    pub old_state: hotrod_counter_state,
    /// Its value now.
    pub new_value: i64,
    /// Whether that is at a bound.
    pub new_state: hotrod_counter_state,
}

/// Which carriage is used with an endpoint, where the settings leave the choice: told when it is found, and again
/// whenever another takes its place.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_carriage_chosen {
    /// The endpoint, `host:port`.
    pub endpoint: hotrod_text,
    /// The name of the carriage, as in connection URIs.
    pub carriage: hotrod_text,
    /// What the endpoint does not offer of what is better; empty if there is nothing.
    pub reason: hotrod_text,
}

/// Which access path is used, where the settings leave the choice.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_access_chosen {
    /// Its name, as in connection URIs.
    pub path: hotrod_text,
    /// What it was chosen for.
    pub reason: hotrod_text,
}

/// How many members are reached directly has changed, or why they are not all. Not told where members are simply
/// dialled.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_coverage {
    /// Members with a session that is ready.
    pub covered: u64,
    /// Members of the newest topology.
    pub members: u64,
    /// Why they are not the same; empty if they are.
    pub reason: hotrod_text,
}

/// How a balancer chooses the member of a connection, as far as it was seen.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_balancing_recognised {
    /// `round-robin`, `random`, `client-address` or `cookie`.
    pub balancing: hotrod_text,
    /// What was seen.
    pub reason: hotrod_text,
}

/// A topology names a member outside `member_hosts`: no link is opened to it, and its operations go to other members,
/// which forward them. Reported once for each member.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_member_not_allowed {
    /// Which member.
    pub member: u64,
    /// Its address.
    pub address: hotrod_text,
    /// The hosts that are allowed, and the property that sets them.
    pub reason: hotrod_text,
}

/// A near cache keeps values from now on.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_near_cache_active {
    /// Of which cache.
    pub cache: hotrod_text,
}

/// A near cache is empty and keeps nothing, because nobody tells of changes at the moment.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output_near_cache_inactive {
    /// Of which cache.
    pub cache: hotrod_text,
    /// Why it stays so; `None` if it is being made active again. NULL for none.
    pub error: *const hotrod_failure,
}

/// The fields of an output, by its type.
#[repr(C)]
#[derive(Clone, Copy)]
pub union hotrod_output_fields {
    /// Of an output without fields.
    pub nothing: u8,
    /// Of `HOTROD_OUTPUT_CONNECT`.
    pub connect: hotrod_output_connect,
    /// Of `HOTROD_OUTPUT_START_TLS`.
    pub start_tls: hotrod_output_start_tls,
    /// Of `HOTROD_OUTPUT_TRANSMIT`.
    pub transmit: hotrod_output_transmit,
    /// Of `HOTROD_OUTPUT_PAUSE`.
    pub pause: hotrod_output_pause,
    /// Of `HOTROD_OUTPUT_RESUME`.
    pub resume: hotrod_output_resume,
    /// Of `HOTROD_OUTPUT_CLOSE`.
    pub close: hotrod_output_close,
    /// Of `HOTROD_OUTPUT_COMPLETED`.
    pub completed: hotrod_output_completed,
    /// Of `HOTROD_OUTPUT_ENTRIES`.
    pub entries: hotrod_output_entries,
    /// Of `HOTROD_OUTPUT_START_FAILED`.
    pub start_failed: hotrod_output_start_failed,
    /// Of `HOTROD_OUTPUT_MEMBER_READY`.
    pub member_ready: hotrod_output_member_ready,
    /// Of `HOTROD_OUTPUT_MEMBER_UNAVAILABLE`.
    pub member_unavailable: hotrod_output_member_unavailable,
    /// Of `HOTROD_OUTPUT_TOPOLOGY`.
    pub topology: hotrod_output_topology,
    /// Of `HOTROD_OUTPUT_SITE_SWITCHED`.
    pub site_switched: hotrod_output_site_switched,
    /// Of `HOTROD_OUTPUT_LISTENER_REGISTERED`.
    pub listener_registered: hotrod_output_listener_registered,
    /// Of `HOTROD_OUTPUT_LISTENER_MOVED`.
    pub listener_moved: hotrod_output_listener_moved,
    /// Of `HOTROD_OUTPUT_LISTENER_FAILED`.
    pub listener_failed: hotrod_output_listener_failed,
    /// Of `HOTROD_OUTPUT_ENTRY`.
    pub entry: hotrod_output_entry,
    /// Of `HOTROD_OUTPUT_COUNTER`.
    pub counter: hotrod_output_counter,
    /// Of `HOTROD_OUTPUT_CARRIAGE_CHOSEN`.
    pub carriage_chosen: hotrod_output_carriage_chosen,
    /// Of `HOTROD_OUTPUT_ACCESS_CHOSEN`.
    pub access_chosen: hotrod_output_access_chosen,
    /// Of `HOTROD_OUTPUT_COVERAGE`.
    pub coverage: hotrod_output_coverage,
    /// Of `HOTROD_OUTPUT_BALANCING_RECOGNISED`.
    pub balancing_recognised: hotrod_output_balancing_recognised,
    /// Of `HOTROD_OUTPUT_MEMBER_NOT_ALLOWED`.
    pub member_not_allowed: hotrod_output_member_not_allowed,
    /// Of `HOTROD_OUTPUT_NEAR_CACHE_ACTIVE`.
    pub near_cache_active: hotrod_output_near_cache_active,
    /// Of `HOTROD_OUTPUT_NEAR_CACHE_INACTIVE`.
    pub near_cache_inactive: hotrod_output_near_cache_inactive,
}

/// Something that the machine says. It and everything that it points to is valid until the next `hotrod_poll` on the
/// same machine, or until that is freed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output {
    /// What it is.
    pub r#type: hotrod_output_type,
    /// Its fields: the member of the name of its type.
    pub r#as: hotrod_output_fields,
}

/// The output with that number, of the values that the machine has given; `None` for a number that is not known.
pub(crate) fn output(tag: u8, said: &mut Said) -> Option<hotrod_output> {
    use hotrod_output_type::*;
    let (r#type, r#as) = match tag {
        1 => {
            let connect = hotrod_output_connect {
                link: said.number(0),
                member: said.number(1),
                host: said.text(2),
                port: said.number(3),
                tls: said.tls(4),
                timeout_us: said.number(5),
            };
            (HOTROD_OUTPUT_CONNECT, hotrod_output_fields { connect })
        }
        2 => {
            let start_tls = hotrod_output_start_tls {
                link: said.number(0),
                tls: said.tls(1),
            };
            (HOTROD_OUTPUT_START_TLS, hotrod_output_fields { start_tls })
        }
        3 => {
            let transmit = hotrod_output_transmit {
                link: said.number(0),
            };
            (HOTROD_OUTPUT_TRANSMIT, hotrod_output_fields { transmit })
        }
        4 => {
            let pause = hotrod_output_pause {
                link: said.number(0),
            };
            (HOTROD_OUTPUT_PAUSE, hotrod_output_fields { pause })
        }
        5 => {
            let resume = hotrod_output_resume {
                link: said.number(0),
            };
            (HOTROD_OUTPUT_RESUME, hotrod_output_fields { resume })
        }
        6 => {
            let close = hotrod_output_close {
                link: said.number(0),
            };
            (HOTROD_OUTPUT_CLOSE, hotrod_output_fields { close })
        }
        7 => {
            let completed = hotrod_output_completed {
                id: said.number(0),
                member: said.number(1),
                answer: said.answer(2),
                error: said.failure(3),
            };
            (HOTROD_OUTPUT_COMPLETED, hotrod_output_fields { completed })
        }
        8 => {
            let entries = hotrod_output_entries {
                id: said.number(0),
                entries: said.entries(1),
                error: said.failure(2),
            };
            (HOTROD_OUTPUT_ENTRIES, hotrod_output_fields { entries })
        }
        32 => (HOTROD_OUTPUT_STARTED, hotrod_output_fields { nothing: 0 }),
        33 => {
            let start_failed = hotrod_output_start_failed {
                error: said.failure(0),
            };
            (HOTROD_OUTPUT_START_FAILED, hotrod_output_fields { start_failed })
        }
        34 => {
            let member_ready = hotrod_output_member_ready {
                member: said.number(0),
                address: said.text(1),
                alpn: said.text(2),
            };
            (HOTROD_OUTPUT_MEMBER_READY, hotrod_output_fields { member_ready })
        }
        35 => {
            let member_unavailable = hotrod_output_member_unavailable {
                member: said.number(0),
                address: said.text(1),
                reason: said.text(2),
                retry_after_us: said.number(3),
            };
            (HOTROD_OUTPUT_MEMBER_UNAVAILABLE, hotrod_output_fields { member_unavailable })
        }
        36 => {
            let topology = hotrod_output_topology {
                cache: said.text(0),
                id: said.number(1),
                members: said.number(2),
            };
            (HOTROD_OUTPUT_TOPOLOGY, hotrod_output_fields { topology })
        }
        37 => (HOTROD_OUTPUT_DEGRADED, hotrod_output_fields { nothing: 0 }),
        38 => (HOTROD_OUTPUT_RESTORED, hotrod_output_fields { nothing: 0 }),
        39 => {
            let site_switched = hotrod_output_site_switched {
                from: said.text(0),
                to: said.text(1),
                automatic: said.flag(2),
            };
            (HOTROD_OUTPUT_SITE_SWITCHED, hotrod_output_fields { site_switched })
        }
        40 => {
            let listener_registered = hotrod_output_listener_registered {
                listener: said.number(0),
                member: said.number(1),
            };
            (HOTROD_OUTPUT_LISTENER_REGISTERED, hotrod_output_fields { listener_registered })
        }
        41 => {
            let listener_moved = hotrod_output_listener_moved {
                listener: said.number(0),
                member: said.number(1),
            };
            (HOTROD_OUTPUT_LISTENER_MOVED, hotrod_output_fields { listener_moved })
        }
        42 => {
            let listener_failed = hotrod_output_listener_failed {
                listener: said.number(0),
                member: said.number(1),
                error: said.failure(2),
            };
            (HOTROD_OUTPUT_LISTENER_FAILED, hotrod_output_fields { listener_failed })
        }
        43 => {
            let entry = hotrod_output_entry {
                listener: said.number(0),
                link: said.number(1),
                change: hotrod_entry_change::of(said.word(2)),
                key: said.bytes(3),
                has_version: said.is_there(4),
                version: said.number(4),
                data: said.bytes(5),
                retried: said.flag(6),
            };
            (HOTROD_OUTPUT_ENTRY, hotrod_output_fields { entry })
        }
        44 => {
            let counter = hotrod_output_counter {
                listener: said.number(0),
                link: said.number(1),
                counter: said.text(2),
                old_value: said.signed(3),
                old_state: hotrod_counter_state::of(said.word(4)),
                new_value: said.signed(5),
                new_state: hotrod_counter_state::of(said.word(6)),
            };
            (HOTROD_OUTPUT_COUNTER, hotrod_output_fields { counter })
        }
        47 => {
            let carriage_chosen = hotrod_output_carriage_chosen {
                endpoint: said.text(0),
                carriage: said.text(1),
                reason: said.text(2),
            };
            (HOTROD_OUTPUT_CARRIAGE_CHOSEN, hotrod_output_fields { carriage_chosen })
        }
        48 => {
            let access_chosen = hotrod_output_access_chosen {
                path: said.text(0),
                reason: said.text(1),
            };
            (HOTROD_OUTPUT_ACCESS_CHOSEN, hotrod_output_fields { access_chosen })
        }
        49 => {
            let coverage = hotrod_output_coverage {
                covered: said.number(0),
                members: said.number(1),
                reason: said.text(2),
            };
            (HOTROD_OUTPUT_COVERAGE, hotrod_output_fields { coverage })
        }
        50 => {
            let balancing_recognised = hotrod_output_balancing_recognised {
                balancing: said.text(0),
                reason: said.text(1),
            };
            (HOTROD_OUTPUT_BALANCING_RECOGNISED, hotrod_output_fields { balancing_recognised })
        }
        51 => {
            let member_not_allowed = hotrod_output_member_not_allowed {
                member: said.number(0),
                address: said.text(1),
                reason: said.text(2),
            };
            (HOTROD_OUTPUT_MEMBER_NOT_ALLOWED, hotrod_output_fields { member_not_allowed })
        }
        45 => {
            let near_cache_active = hotrod_output_near_cache_active {
                cache: said.text(0),
            };
            (HOTROD_OUTPUT_NEAR_CACHE_ACTIVE, hotrod_output_fields { near_cache_active })
        }
        46 => {
            let near_cache_inactive = hotrod_output_near_cache_inactive {
                cache: said.text(0),
                error: said.failure(1),
            };
            (HOTROD_OUTPUT_NEAR_CACHE_INACTIVE, hotrod_output_fields { near_cache_inactive })
        }
        _ => return None,
    };
    Some(hotrod_output { r#type, r#as })
}
