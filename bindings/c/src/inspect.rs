//! Inspection of a machine: counters, coverage, members, views, sessions.

use std::ptr;

use hotrod_core::cluster::Coverage;

use crate::arena::Arena;
use crate::boundary::{OutPointer, enter, hotrod_machine};
use crate::generated::codes::{hotrod_counters, hotrod_status};
use crate::output::{self, hotrod_tls};
use crate::text::{hotrod_number_list, hotrod_text, hotrod_text_list};

/// Coverage of the cluster: servers forward operations on keys of members that are not reached directly.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_coverage {
    /// Members with a ready session.
    pub covered: usize,
    /// Members of the newest topology; 0 before the first topology.
    pub members: usize,
    /// Why `covered` is below `members`; empty if it is not.
    pub reason: hotrod_text,
}

/// A known server.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_member {
    /// Identity in this machine.
    pub id: u64,
    /// Advertised address, or the address in the URI.
    pub address: hotrod_text,
    /// Whether a session with the member is ready.
    pub ready: bool,
    /// Whether the URI names it. A seed whose address no member advertises is dropped once the members are known.
    pub is_seed: bool,
    /// Links to the member that are open or being established.
    pub links: usize,
    /// Operations in flight on the member.
    pub in_flight: usize,
    /// Operations answered on the current links.
    pub answered: u64,
    /// Last connection failure; `data` is NULL after a success.
    pub failure: hotrod_text,
}

/// Indexes of the owners of a segment, the primary owner first.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_owners {
    /// Pointer to the first item: an index into the members of the view.
    pub data: *const usize,
    /// Number of items.
    pub len: usize,
}

/// A cache's view of the cluster.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_view {
    /// Topology id: opaque, compare for equality only.
    pub topology_id: u32,
    /// Addresses of the members.
    pub members: hotrod_text_list,
    /// The owners of each segment.
    pub segments: *const hotrod_owners,
    /// Number of segments; 0 if keys are not distributed by hash.
    pub segment_count: usize,
}

/// Negotiated properties of a session.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_session {
    /// The protocol version that the session speaks, such as `4.1`.
    pub version: hotrod_text,
    /// The server's newest version, as its byte (3.0 and later); 0 if not reported.
    pub server_version: u8,
    /// Request opcodes that the server supports (3.0 and later).
    pub operations: hotrod_number_list,
    /// Storage media type of keys in the default cache; empty if not reported.
    pub key_type: hotrod_text,
    /// Storage media type of values in the default cache; empty if not reported.
    pub value_type: hotrod_text,
}

/// Results of the last inspection call of each kind, as C points to them.
#[derive(Default)]
pub(crate) struct Inspections {
    members: Arena,
    view: Arena,
    session: Arena,
    tls: Arena,
    coverage: String,
    site: String,
}

/// Returns the machine's statistics since its creation.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_counters(
    machine: *mut hotrod_machine,
    counters: *mut hotrod_counters,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            OutPointer::of(counters, "counters")?.put(machine.machine.counters().into());
            Ok(())
        })
    }
}

/// Returns how many members are reached directly, and why not all. `coverage->reason` is valid until the next call of
/// this function on the same machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_coverage(
    machine: *mut hotrod_machine,
    coverage: *mut hotrod_coverage,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let out = OutPointer::of(coverage, "coverage")?;
            let Coverage { covered, members, reason } = machine.machine.coverage();
            let kept = &mut machine.inspections.coverage;
            *kept = reason.map(|reason| reason.to_string()).unwrap_or_default();
            out.put(hotrod_coverage { covered, members, reason: hotrod_text::of(kept) });
            Ok(())
        })
    }
}

/// Returns every known server. `*members` is valid until the next call of this function on the same machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_members(
    machine: *mut hotrod_machine,
    members: *mut *const hotrod_member,
    count: *mut usize,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let (members, count) = (OutPointer::of(members, "members")?, OutPointer::of(count, "count")?);
            let kept = &mut machine.inspections.members;
            kept.clear();
            let mut infos = Vec::new();
            for (id, info) in machine.machine.members() {
                let failure = info.failure.as_ref().map(ToString::to_string);
                infos.push(hotrod_member {
                    id,
                    address: keep_text(kept, info.address.to_string()),
                    ready: info.ready,
                    is_seed: info.is_seed,
                    links: info.links,
                    in_flight: info.in_flight,
                    answered: info.answered,
                    failure: failure.map_or(hotrod_text::NONE, |failure| keep_text(kept, failure)),
                });
            }
            count.put(infos.len());
            members.put((*kept.keep(infos)).as_ptr());
            Ok(())
        })
    }
}

/// Returns a cache's view of the cluster; `*view` is NULL before its first topology. It is valid until the next call
/// of this function on the same machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_view(
    machine: *mut hotrod_machine,
    cache: u32,
    view: *mut *const hotrod_view,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let out = OutPointer::of(view, "view")?;
            let found = machine.machine.view(cache)?;
            let kept = &mut machine.inspections.view;
            kept.clear();
            let Some(found) = found else {
                out.put(ptr::null());
                return Ok(());
            };
            let found = &*kept.keep(found);
            let owners = |owners: &Vec<usize>| hotrod_owners { data: owners.as_ptr(), len: owners.len() };
            let segments: Vec<_> = found.owners.iter().map(owners).collect();
            let view = hotrod_view {
                topology_id: found.topology_id,
                members: kept.list(found.members.iter().map(|address| hotrod_text::of(address)).collect()),
                segments: (*kept.keep(segments)).as_ptr(),
                segment_count: found.owners.len(),
            };
            out.put(kept.keep(view));
            Ok(())
        })
    }
}

/// Returns the negotiated properties of a member's session; `*session` is NULL if no session is ready. It is valid
/// until the next call of this function on the same machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_session(
    machine: *mut hotrod_machine,
    member: u64,
    session: *mut *const hotrod_session,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let out = OutPointer::of(session, "session")?;
            let kept = &mut machine.inspections.session;
            kept.clear();
            let Some(ready) = machine.machine.session_of(member) else {
                out.put(ptr::null());
                return Ok(());
            };
            let view = hotrod_session {
                version: keep_text(kept, ready.version.to_string()),
                server_version: ready.server_version.unwrap_or_default(),
                operations: kept.list(ready.operations.clone()),
                key_type: keep_text(kept, ready.key_type.to_string()),
                value_type: keep_text(kept, ready.value_type.to_string()),
            };
            out.put(kept.keep(view));
            Ok(())
        })
    }
}

/// Returns the name of the current site; empty for the site of the URI's servers. Valid until the next call of this
/// function on the same machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_site(machine: *mut hotrod_machine, name: *mut hotrod_text) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let name = OutPointer::of(name, "name")?;
            machine.machine.site().clone_into(&mut machine.inspections.site);
            name.put(hotrod_text::of(&machine.inspections.site));
            Ok(())
        })
    }
}

/// Returns the settings of TLS; `*tls` is NULL without TLS. `server_name` is empty unless the settings have one for all
/// links. A host reads the files when the client is created, and refuses those that can't be used. Valid until the next
/// call of this function on the same machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_tls(machine: *mut hotrod_machine, tls: *mut *const hotrod_tls) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let out = OutPointer::of(tls, "tls")?;
            let kept = &mut machine.inspections.tls;
            kept.clear();
            let Some(settings) = machine.machine.tls() else {
                out.put(ptr::null());
                return Ok(());
            };
            let settings = &*kept.keep(settings);
            let view = output::tls(settings, kept);
            out.put(kept.keep(view));
            Ok(())
        })
    }
}

fn keep_text(arena: &mut Arena, text: String) -> hotrod_text {
    let view = hotrod_text::of(&text);
    // Moving a String does not move its bytes.
    arena.keep(text);
    view
}
