//! Links: bytes from and to connections that the host holds.

use std::ptr;

use bytes::BufMut;
use hotrod_core::cluster::Endpoint;
use hotrod_core::vocabulary::Failure;
use hotrod_core::wire::{Member, SendBuffer};

use crate::boundary::{OutPointer, enter, hotrod_machine};
use crate::generated::codes::hotrod_status;
use crate::text::{hotrod_bytes, hotrod_text};

/// Part of a link's receive buffer that the host may write to until the next call.
pub(crate) struct LentBuffer {
    link: u64,
    data: *const u8,
    len: usize,
}

impl LentBuffer {
    /// Returns whether `bytes` overlap the lent buffer.
    fn overlaps(&self, bytes: &hotrod_bytes) -> bool {
        let (buffer, input) = (self.data.addr(), bytes.data.addr());
        bytes.len > 0 && input < buffer.saturating_add(self.len) && buffer < input.saturating_add(bytes.len)
    }
}

/// The IP address, as text, to which a link was connected: what the address of a server covers counts as `member_hosts`
/// where the URI sets none. Call it before `hotrod_connected`.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_set_peer(
    machine: *mut hotrod_machine,
    link: u64,
    address: hotrod_text,
) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            machine.machine.set_peer(link, address.as_str("address")?);
            Ok(())
        })
    }
}

/// What TLS 1.3 exports on a link for channel binding (RFC 9266): label `EXPORTER-Channel-Binding`, an empty context, 32
/// bytes. Call it before `hotrod_connected`.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_set_tls_exporter(
    machine: *mut hotrod_machine,
    link: u64,
    exported: hotrod_bytes,
) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            machine.machine.set_tls_exporter(link, exported.as_slice());
            Ok(())
        })
    }
}

/// The certificate of a link's server, in DER, for channel binding (RFC 5929) where TLS exports nothing. Call it before
/// `hotrod_connected`.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_set_server_certificate(
    machine: *mut hotrod_machine,
    link: u64,
    certificate: hotrod_bytes,
) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            machine.machine.set_server_certificate(link, certificate.as_slice());
            Ok(())
        })
    }
}

/// A link is established, with TLS if that was asked for. `alpn` is the id that the server has selected; NULL for none.
/// Nothing happens for a link that the machine does not know any more; so it is with all functions of links.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_connected(
    machine: *mut hotrod_machine,
    now_us: u64,
    link: u64,
    alpn: hotrod_bytes,
) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            let alpn = (!alpn.data.is_null()).then(|| alpn.as_slice());
            machine.machine.handle_connected(now_us, link, alpn);
            Ok(())
        })
    }
}

/// Takes bytes from a link; they are copied. `hotrod_receive_buffer` saves the copy. `HOTROD_ERR_MISUSE` for bytes in the
/// room that `hotrod_receive_buffer` gave: `hotrod_filled` takes those.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_received(
    machine: *mut hotrod_machine,
    now_us: u64,
    link: u64,
    bytes: hotrod_bytes,
) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            if machine.lent.take().is_some_and(|lent| lent.overlaps(&bytes)) {
                return Err(Failure::misuse("these bytes are in the receive buffer: hotrod_filled takes them").into());
            }
            machine.machine.handle_received(now_us, link, bytes.as_slice());
            Ok(())
        })
    }
}

/// Room in the machine for bytes of a link: read into it, at most `*len` bytes, and say `hotrod_filled`. It is the
/// machine's, and good to be written to until the next call on this machine. `*data` is NULL and `*len` 0 if the link
/// does not take bytes (any more).
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_receive_buffer(
    machine: *mut hotrod_machine,
    link: u64,
    data: *mut *mut u8,
    len: *mut usize,
) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            let (data, len) = (OutPointer::of(data, "data")?, OutPointer::of(len, "len")?);
            machine.lent = None;
            let Some(buffer) = machine.machine.receive_buffer(link) else {
                data.put(ptr::null_mut());
                len.put(0);
                return Ok(());
            };
            // Never empty: it makes room if there is none.
            let room = buffer.chunk_mut();
            let (start, length) = (room.as_mut_ptr(), room.len());
            machine.lent = Some(LentBuffer { link, data: start, len: length });
            data.put(start);
            len.put(length);
            Ok(())
        })
    }
}

/// The host has written the first `count` bytes of the room that `hotrod_receive_buffer` gave for this link.
/// `HOTROD_ERR_MISUSE` if there was no such room, or less.
///
/// # Safety
/// As for all functions with a machine.
/// The bytes have been written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_filled(
    machine: *mut hotrod_machine,
    now_us: u64,
    link: u64,
    count: usize,
) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            let lent = machine.lent.take().filter(|lent| lent.link == link && count <= lent.len);
            let lent = lent.ok_or_else(|| Failure::misuse("there is no such room in this link's receive buffer"))?;
            let Some(buffer) = machine.machine.receive_buffer(link) else { return Ok(()) };
            if buffer.chunk_mut().as_mut_ptr().cast_const() != lent.data || buffer.chunk_mut().len() < count {
                return Err(Failure::misuse("another call came between the receive buffer and this").into());
            }
            // SAFETY: so much room is there, and the caller has written it.
            buffer.advance_mut(count);
            machine.machine.handle_filled(now_us, link);
            Ok(())
        })
    }
}

/// A link could not be established, or is lost: closed by the peer, broken. `why` is for people.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_link_lost(
    machine: *mut hotrod_machine,
    now_us: u64,
    link: u64,
    why: hotrod_text,
) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            let why = String::from_utf8_lossy(hotrod_bytes { data: why.data.cast(), len: why.len }.as_slice());
            machine.machine.handle_link_lost(now_us, link, &why);
            Ok(())
        })
    }
}

/// What a link has to send, oldest first: up to `max` pieces are written to `pieces`, and their number to `count`; 0
/// means that nothing waits. A `hotrod_bytes` has the layout of a `struct iovec`. The bytes are the machine's, and valid
/// until the next call on it but this. Then say `hotrod_transmitted`.
///
/// # Safety
/// As for all functions with a machine.
/// `pieces` is good for `max` of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_transmit(
    machine: *mut hotrod_machine,
    link: u64,
    pieces: *mut hotrod_bytes,
    max: usize,
    count: *mut usize,
) -> hotrod_status {
    // SAFETY: asked of the caller; no more than `max` are written.
    unsafe {
        enter(machine, |machine| {
            let count = OutPointer::of(count, "count")?;
            OutPointer::of(pieces, "pieces")?;
            let segments = machine.machine.transmit(link).into_iter().flat_map(SendBuffer::segments);
            let mut written = 0;
            for segment in segments.take(max) {
                pieces.add(written).write(hotrod_bytes::of(segment));
                written += 1;
            }
            count.put(written);
            Ok(())
        })
    }
}

/// So many bytes of `hotrod_transmit` have been sent. `HOTROD_ERR_MISUSE` if there were less.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_transmitted(machine: *mut hotrod_machine, link: u64, count: usize) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe { enter(machine, |machine| Ok(machine.machine.transmitted(link, count)?)) }
}

/// Whether the host should read from the link: not before it is connected, not between `HOTROD_OUTPUT_PAUSE` and
/// `HOTROD_OUTPUT_RESUME`, nor while too many outputs wait for `hotrod_poll`.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_wants_read(machine: *mut hotrod_machine, link: u64, wants: *mut bool) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            OutPointer::of(wants, "wants")?.put(machine.machine.wants_read(link));
            Ok(())
        })
    }
}

/// Says where a member was found, by its advertised host and port; an empty `host` says that it is there no more.
/// `server_name` is the name for TLS; empty for the settings', or the host. What the URI says of where members are
/// counts for more. Links that exist stay as they are.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_set_discovered(
    machine: *mut hotrod_machine,
    member_host: hotrod_text,
    member_port: u16,
    host: hotrod_text,
    port: u16,
    server_name: hotrod_text,
) -> hotrod_status {
    // SAFETY: asked of the caller.
    unsafe {
        enter(machine, |machine| {
            let member = Member { host: member_host.as_str("member_host")?.into(), port: member_port };
            let host = host.as_str("host")?;
            let server_name = server_name.as_str("server_name")?;
            let server_name = (!server_name.is_empty()).then(|| server_name.into());
            let endpoint = (!host.is_empty()).then(|| Endpoint { host: host.into(), port, server_name });
            machine.machine.set_discovered(&member, endpoint);
            Ok(())
        })
    }
}
