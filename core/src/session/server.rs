//! The server's role.

use bytes::BytesMut;

use crate::wire::{
    self, Asked, Body, CounterEvent, Event, Limits, Operation, Reply, Request, RequestDecoder, RequestFault,
    RequestHeader, SendBuffer, Status, write_counter_event, write_event, write_reply,
};

/// A Hot Rod conversation in the server's role: takes requests apart, puts replies and events together.
///
/// Requests are decoded when they are polled, one at a time, so a host that is slow to answer holds the client back.
/// Replies may be given in any order. After a request that can't be read the client is told so and the conversation is
/// over: see [`fault`](Self::fault).
pub struct ServerSession {
    decoder: RequestDecoder,
    out: SendBuffer,
    max_send_bytes: usize,
    fault: Option<RequestFault>,
}

impl ServerSession {
    /// A conversation at its beginning. Above `max_send_bytes` waiting to be sent no further request is read.
    pub fn new(limits: Limits, max_send_bytes: usize) -> Self {
        Self { decoder: RequestDecoder::new(limits), out: SendBuffer::new(), max_send_bytes, fault: None }
    }

    /// Takes bytes from the client.
    pub fn handle_received(&mut self, bytes: &[u8]) {
        if self.fault.is_none() {
            self.decoder.receive(bytes);
        }
    }

    /// The receive buffer, with room for a read; what is appended to it has been received.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.decoder.receive_buffer()
    }

    /// Bytes received that are not part of a request returned.
    pub fn buffered(&self) -> usize {
        self.decoder.buffered()
    }

    /// Whether the host should read from the link.
    pub fn wants_read(&self) -> bool {
        self.fault.is_none() && self.out.len() < self.max_send_bytes
    }

    /// The next request; `None` until more bytes have come, or answers have gone out.
    pub fn poll_request(&mut self) -> Option<(RequestHeader, Request)> {
        if !self.wants_read() {
            return None;
        }
        match self.decoder.poll()? {
            Ok(request) => Some(request),
            Err(fault) => {
                write_fault(&fault, &mut self.out);
                self.fault = Some(fault);
                None
            }
        }
    }

    /// Why nothing more can be read from this client. When what [`transmit`](Self::transmit) holds is sent the link can
    /// be closed.
    pub fn fault(&self) -> Option<&RequestFault> {
        self.fault.as_ref()
    }

    /// Answers a request.
    pub fn reply(&mut self, header: &RequestHeader, operation: Operation, reply: &Reply) {
        let asked = Asked { operation, version: header.version, intelligence: header.intelligence };
        write_reply(reply, asked, &mut self.out);
    }

    /// Sends an event to a cache listener of this client.
    pub fn event(&mut self, event: &Event) {
        write_event(event, &mut self.out);
    }

    /// Sends an event to a counter listener of this client.
    pub fn counter_event(&mut self, event: &CounterEvent) {
        write_counter_event(event, &mut self.out);
    }

    /// What is to be sent.
    pub fn transmit(&self) -> &SendBuffer {
        &self.out
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.out.advance(count);
    }
}

/// What a client is told of a request that can't be read.
pub fn write_fault(fault: &RequestFault, out: &mut SendBuffer) {
    let (message_id, status) = match fault {
        RequestFault::Violation(wire::Violation { field: "magic", .. }) => (0, Status::INVALID_MAGIC_OR_MESSAGE_ID),
        RequestFault::Violation(_) => (0, Status::PARSE_ERROR),
        RequestFault::UnknownVersion { message_id, .. } => (*message_id, Status::UNKNOWN_VERSION),
        RequestFault::UnknownOperation { message_id, .. } => (*message_id, Status::UNKNOWN_OPERATION),
    };
    let body = Body::Error(alloc::format!("{fault}"));
    let asked =
        Asked { operation: Operation::Ping, version: wire::Version::V2_0, intelligence: wire::Intelligence::Basic };
    write_reply(&Reply { message_id, status, topology: None, body }, asked, out);
}
