//! The server's role of a session.

use bytes::BytesMut;

use crate::wire::{
    self, Body, CounterEvent, Event, Limits, Operation, Reply, ReplyContext, Request, RequestDecoder, RequestFault,
    RequestHeader, SendBuffer, Status, write_counter_event, write_event, write_reply,
};

/// A Hot Rod session in the server's role: decodes requests, and encodes replies and events.
///
/// Requests are decoded one at a time, when they are polled, so a slow host applies backpressure to the client.
/// Replies may be sent in any order. A byte that begins no request is answered with an error and skipped, as an Infinispan
/// server does. After any other invalid request the client is sent an error, and the session is over; see
/// [`fault`](Self::fault).
pub struct ServerSession {
    decoder: RequestDecoder,
    out: SendBuffer,
    max_send_bytes: usize,
    fault: Option<RequestFault>,
}

impl ServerSession {
    /// Creates a session. Stops reading requests while more than `max_send_bytes` wait to be sent.
    pub fn new(limits: Limits, max_send_bytes: usize) -> Self {
        Self { decoder: RequestDecoder::new(limits), out: SendBuffer::new(), max_send_bytes, fault: None }
    }

    /// Copies received bytes.
    pub fn handle_received(&mut self, bytes: &[u8]) {
        if self.fault.is_none() {
            self.decoder.receive(bytes);
        }
    }

    /// Receive buffer with spare capacity; bytes appended to it count as received.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.decoder.receive_buffer()
    }

    /// Number of received bytes that belong to no returned request.
    pub fn buffered(&self) -> usize {
        self.decoder.buffered()
    }

    /// Whether the host should read from the link.
    pub fn wants_read(&self) -> bool {
        self.fault.is_none() && self.out.len() < self.max_send_bytes
    }

    /// Returns the next request; `None` until more bytes are received or sent.
    pub fn poll_request(&mut self) -> Option<(RequestHeader, Request)> {
        while self.wants_read() {
            match self.decoder.poll()? {
                Ok(request) => return Some(request),
                Err(fault) => {
                    write_fault(&fault, &mut self.out);
                    if !self.decoder.skip_stray_byte() {
                        self.fault = Some(fault);
                    }
                }
            }
        }
        None
    }

    /// Reason for which no further request can be read. Close the link once the bytes of [`transmit`](Self::transmit)
    /// are sent.
    pub fn fault(&self) -> Option<&RequestFault> {
        self.fault.as_ref()
    }

    /// Sends the reply to a request.
    pub fn reply(&mut self, header: &RequestHeader, operation: Operation, reply: &Reply) {
        let context = ReplyContext { operation, version: header.version, intelligence: header.intelligence };
        write_reply(reply, context, &mut self.out);
    }

    /// Sends an event to a cache listener of this client.
    pub fn event(&mut self, event: &Event) {
        write_event(event, &mut self.out);
    }

    /// Sends an event to a counter listener of this client.
    pub fn counter_event(&mut self, event: &CounterEvent) {
        write_counter_event(event, &mut self.out);
    }

    /// Bytes to send.
    pub fn transmit(&self) -> &SendBuffer {
        &self.out
    }

    /// Reports that the host sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.out.advance(count);
    }
}

/// Writes the error reply to an invalid request.
pub fn write_fault(fault: &RequestFault, out: &mut SendBuffer) {
    let stray_byte = fault.stray_byte();
    let (message_id, status) = match fault {
        RequestFault::Violation(_) if stray_byte.is_some() => (0, Status::INVALID_MAGIC_OR_MESSAGE_ID),
        RequestFault::Violation(_) => (0, Status::PARSE_ERROR),
        RequestFault::UnknownVersion { message_id, .. } => (*message_id, Status::UNKNOWN_VERSION),
        RequestFault::UnknownOperation { message_id, .. } => (*message_id, Status::UNKNOWN_OPERATION),
    };
    // The server's words: clients search them for the name of the exception.
    let body = Body::Error(stray_byte.map_or_else(
        || alloc::format!("{fault}"),
        |byte| {
            alloc::format!(
                "org.infinispan.server.hotrod.InvalidMagicIdException: Error reading magic byte or message id: {}",
                byte as i8
            )
        },
    ));
    let context = ReplyContext {
        operation: Operation::Ping,
        version: wire::Version::V2_0,
        intelligence: wire::Intelligence::Basic,
    };
    write_reply(&Reply { message_id, status, topology: None, body }, context, out);
}
