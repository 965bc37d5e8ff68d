//! Looking into a machine: counters, coverage, members, views, sessions.

use std::ptr;

use hotrod_core::cluster::Coverage;

use crate::arena::Arena;
use crate::boundary::{OutPointer, enter, hotrod_machine};
use crate::generated::codes::{hotrod_counters, hotrod_status};
use crate::text::{hotrod_number_list, hotrod_text, hotrod_text_list};

/// Members that are reached directly; operations on keys of the others are forwarded by the servers.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_coverage {
    /// Members with a session that is ready.
    pub covered: usize,
    /// Members of the newest topology; 0 before the first.
    pub members: usize,
    /// Why they are not the same; empty if they are.
    pub reason: hotrod_text,
}

/// A server that the machine knows.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_member {
    /// Its identity.
    pub id: u64,
    /// Its address: the one that it advertises, or that of the URI.
    pub address: hotrod_text,
    /// Whether a session with it is ready.
    pub ready: bool,
    /// Whether the URI names it. One that is no member under that address is left when the members are known.
    pub is_seed: bool,
    /// Links to it that are open or being established.
    pub links: usize,
    /// Operations in flight there.
    pub in_flight: usize,
    /// Operations that it has answered on its present links.
    pub answered: u64,
    /// Why it could not be reached the last time, if it was not reached since; `data` is NULL if it was.
    pub failure: hotrod_text,
}

/// Indexes of the owners of a segment, the primary one first.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_owners {
    /// The first of them: an index into the members of the view.
    pub data: *const usize,
    /// How many.
    pub len: usize,
}

/// A cache's view of the cluster.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_view {
    /// The topology's id; only good for comparing.
    pub topology_id: u32,
    /// The addresses of its members.
    pub members: hotrod_text_list,
    /// The owners of each segment.
    pub segments: *const hotrod_owners,
    /// How many segments; 0 where keys are not spread by hash.
    pub segment_count: usize,
}

/// What the negotiation with a member has found.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hotrod_session {
    /// The protocol version that the session speaks, such as `4.1`.
    pub version: hotrod_text,
    /// The server's newest version, as its byte (3.0 and later); 0 if it does not say.
    pub server_version: u8,
    /// Request opcodes that the server knows (3.0 and later).
    pub operations: hotrod_number_list,
    /// The form in which the default cache stores keys; empty if the server does not say.
    pub key_type: hotrod_text,
    /// The form in which the default cache stores values; empty if the server does not say.
    pub value_type: hotrod_text,
}

/// Results of the last inspection call of each kind, as C points to them.
#[derive(Default)]
pub(crate) struct Inspections {
    members: Arena,
    view: Arena,
    session: Arena,
    coverage: String,
    site: String,
}

/// What the machine has done since it was made.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_counters(
    machine: *mut hotrod_machine,
    counters: *mut hotrod_counters,
) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            OutPointer::of(counters, "counters")?.put(machine.machine.counters().into());
            Ok(())
        })
    }
}

/// How many members are reached directly, and why not all. What `coverage->reason` points to is valid until the next call
/// of this function on the same machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_coverage(
    machine: *mut hotrod_machine,
    coverage: *mut hotrod_coverage,
) -> hotrod_status {
    // SAFETY: asked of the caller.
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

/// The servers that the machine knows. What `*members` points to is valid until the next call of this function on the
/// same machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_members(
    machine: *mut hotrod_machine,
    members: *mut *const hotrod_member,
    count: *mut usize,
) -> hotrod_status {
    // SAFETY: asked of the caller.
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

/// A cache's view of the cluster; `*view` is NULL before its first topology. It is valid until the next call of this
/// function on the same machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_view(
    machine: *mut hotrod_machine,
    cache: u32,
    view: *mut *const hotrod_view,
) -> hotrod_status {
    // SAFETY: asked of the caller.
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

/// What the negotiation with a member has found; `*session` is NULL if no session with it is ready. It is valid until
/// the next call of this function on the same machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_session(
    machine: *mut hotrod_machine,
    member: u64,
    session: *mut *const hotrod_session,
) -> hotrod_status {
    // SAFETY: asked of the caller.
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

/// The name of the site that is used; empty for the one of the URI's servers. Valid until the next call of this function
/// on the same machine.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_get_site(machine: *mut hotrod_machine, name: *mut hotrod_text) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            let name = OutPointer::of(name, "name")?;
            machine.machine.site().clone_into(&mut machine.inspections.site);
            name.put(hotrod_text::of(&machine.inspections.site));
            Ok(())
        })
    }
}

fn keep_text(arena: &mut Arena, text: String) -> hotrod_text {
    let view = hotrod_text::of(&text);
    // The text itself stays where it is when the string moves.
    arena.keep(text);
    view
}
