//! Links: bytes received from and sent to the host's connections.

use std::ptr;

use bytes::BufMut;
use hotrod_core::cluster::Endpoint;
use hotrod_core::vocabulary::{Failure, Machine};
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

/// Sets a property of a link.
///
/// # Safety
/// As for all functions with a machine.
unsafe fn set_property<T: ?Sized>(
    machine: *mut hotrod_machine,
    link: u64,
    value: Result<&T, Failure>,
    set: fn(&mut Machine, u64, &T),
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            set(&mut machine.machine, link, value?);
            Ok(())
        })
    }
}

/// Sets the peer's IP address of a link, as text; without `member_hosts` in the URI the allowed hosts follow from it.
/// Call it before `hotrod_connected`.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_set_peer(
    machine: *mut hotrod_machine,
    link: u64,
    address: hotrod_text,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe { set_property(machine, link, address.as_str("address"), Machine::set_peer) }
}

/// Sets the TLS 1.3 exporter value of a link for channel binding (RFC 9266): label `EXPORTER-Channel-Binding`, empty
/// context, 32 bytes. Call it before `hotrod_connected`.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_set_tls_exporter(
    machine: *mut hotrod_machine,
    link: u64,
    exported: hotrod_bytes,
) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe { set_property(machine, link, Ok(exported.as_slice()), Machine::set_tls_exporter) }
}

/// Sets the server's certificate of a link, in DER, for channel binding without an exporter (RFC 5929). Call it before
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
    // SAFETY: required of the caller.
    unsafe { set_property(machine, link, Ok(certificate.as_slice()), Machine::set_server_certificate) }
}

/// Reports that a link is established, with TLS if requested. `alpn` is the id that the server selected; NULL for
/// none. Like all functions with a link, it ignores an unknown link.
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
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let alpn = (!alpn.data.is_null()).then(|| alpn.as_slice());
            machine.machine.handle_connected(now_us, link, alpn);
            Ok(())
        })
    }
}

/// Copies bytes received on a link into the machine; `hotrod_receive_buffer` avoids the copy. Returns
/// `HOTROD_ERR_MISUSE` for bytes in the buffer of `hotrod_receive_buffer`: pass those by `hotrod_filled`.
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
    // SAFETY: required of the caller.
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

/// Returns the free part of a link's receive buffer: read at most `*len` bytes into it, and call `hotrod_filled`. The
/// machine owns it; it is valid for writes until the next call on this machine. `*data` is NULL and `*len` 0 if the
/// link accepts no bytes.
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
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let (data, len) = (OutPointer::of(data, "data")?, OutPointer::of(len, "len")?);
            machine.lent = None;
            let Some(buffer) = machine.machine.receive_buffer(link) else {
                data.put(ptr::null_mut());
                len.put(0);
                return Ok(());
            };
            // Never empty: `chunk_mut` grows a full buffer.
            let room = buffer.chunk_mut();
            let (start, length) = (room.as_mut_ptr(), room.len());
            machine.lent = Some(LentBuffer { link, data: start, len: length });
            data.put(start);
            len.put(length);
            Ok(())
        })
    }
}

/// Reports that the host wrote the first `count` bytes of the buffer of `hotrod_receive_buffer` for this link. Returns
/// `HOTROD_ERR_MISUSE` without such a buffer, or if it is shorter.
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
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let lent = machine.lent.take().filter(|lent| lent.link == link && count <= lent.len);
            let lent = lent.ok_or_else(|| Failure::misuse("there is no such room in this link's receive buffer"))?;
            let Some(buffer) = machine.machine.receive_buffer(link) else { return Ok(()) };
            if buffer.chunk_mut().as_mut_ptr().cast_const() != lent.data || buffer.chunk_mut().len() < count {
                return Err(Failure::misuse("another call came between the receive buffer and this").into());
            }
            // SAFETY: the buffer has this capacity, and the caller has written it.
            buffer.advance_mut(count);
            machine.machine.handle_filled(now_us, link);
            Ok(())
        })
    }
}

/// Reports that a link was not established, or was lost. `why` is for error messages.
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
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            let why = String::from_utf8_lossy(hotrod_bytes { data: why.data.cast(), len: why.len }.as_slice());
            machine.machine.handle_link_lost(now_us, link, &why);
            Ok(())
        })
    }
}

/// Returns a link's queued bytes, oldest first: writes up to `max` pieces to `pieces`, and their number to `count`; 0
/// means that the queue is empty. A `hotrod_bytes` has the layout of a `struct iovec`. The machine owns the bytes;
/// they are valid until the next call of another function on it. Call `hotrod_transmitted` after sending.
///
/// # Safety
/// As for all functions with a machine.
/// `pieces` is valid for writes of `max` items.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_transmit(
    machine: *mut hotrod_machine,
    link: u64,
    pieces: *mut hotrod_bytes,
    max: usize,
    count: *mut usize,
) -> hotrod_status {
    // SAFETY: required of the caller; no more than `max` are written.
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

/// Reports that `count` bytes of `hotrod_transmit` were sent. Returns `HOTROD_ERR_MISUSE` if fewer are queued.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_transmitted(machine: *mut hotrod_machine, link: u64, count: usize) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe { enter(machine, |machine| Ok(machine.machine.transmitted(link, count)?)) }
}

/// Returns whether the host should read from the link: not before it is connected, not between `HOTROD_OUTPUT_PAUSE`
/// and `HOTROD_OUTPUT_RESUME`, and not while too many outputs are queued for `hotrod_poll`.
///
/// # Safety
/// As for all functions with a machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotrod_wants_read(machine: *mut hotrod_machine, link: u64, wants: *mut bool) -> hotrod_status {
    // SAFETY: required of the caller.
    unsafe {
        enter(machine, |machine| {
            OutPointer::of(wants, "wants")?.put(machine.machine.wants_read(link));
            Ok(())
        })
    }
}

/// Sets the endpoint at which the member with this advertised host and port is reached; an empty `host` removes it.
/// `server_name` is the name for TLS; if empty, that of the settings, or the host. Settings of the URI have precedence.
/// Existing links are not affected.
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
    // SAFETY: required of the caller.
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
