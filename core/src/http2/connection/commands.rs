//! Commands of the application.

use bytes::BytesMut;

use super::{Connection, Role};
use crate::http2::frame::{put_header_block, put_rst_stream};
use crate::http2::hpack::Field;
use crate::http2::message::{check_request, check_response, check_trailers};
use crate::http2::misuse::{Misuse, RequestError};
use crate::http2::stream::{Receiving, Sending, Stream};
use crate::http2::streams::End;
use crate::http2::{ErrorCode, StreamId};
use crate::time::Instant;

/// Assumed limit of concurrent streams before a server's first SETTINGS (RFC 9113, 6.5.2, recommends no less).
const STREAMS_BEFORE_SETTINGS: u32 = 100;

impl Connection {
    /// Sends a request: pseudo-header fields followed by regular fields, with names in lower case. With `end_stream`
    /// the request is complete; otherwise DATA and trailers may follow.
    pub fn request(&mut self, now: Instant, fields: &[Field], end_stream: bool) -> Result<StreamId, RequestError> {
        self.now = now;
        if self.role != Role::Client {
            return Err(RequestError::NotAClient);
        }
        if self.is_closed {
            return Err(RequestError::Closed);
        }
        if self.is_going_away() {
            return Err(RequestError::GoingAway);
        }
        let head = check_request(fields).map_err(RequestError::Malformed)?;
        if head.is_extended_connect && !self.peer.enable_connect_protocol {
            return Err(RequestError::ExtendedConnectNotEnabled);
        }
        self.fits(fields).map_err(|(size, limit)| RequestError::HeaderListTooLarge { size, limit })?;
        if !self.has_room_for_stream() {
            return Err(RequestError::TooManyStreams { limit: self.stream_limit() });
        }
        if self.output.buffer.len() >= self.config.max_send_bytes {
            return Err(RequestError::Full);
        }
        let id = self.next_stream().ok_or(RequestError::NoMoreStreamIds)?;
        let sending = if end_stream { Sending::Done } else { Sending::Body };
        let mut stream = self.new_stream(Receiving::Head, sending);
        stream.is_head = head.is_head;
        stream.is_connect = head.is_connect;
        self.streams.insert(id, stream);
        self.put_fields(id, fields, end_stream);
        Ok(id)
    }

    /// Sends a response: `:status` followed by regular fields. Interim responses (1xx), which can't end the stream,
    /// may precede the final one.
    pub fn respond(&mut self, stream: StreamId, fields: &[Field], end_stream: bool) -> Result<(), Misuse> {
        if self.role != Role::Server {
            return Err(Misuse::NotAServer);
        }
        let head = check_response(fields).map_err(Misuse::Malformed)?;
        if head.is_interim() && end_stream {
            return Err(Misuse::Malformed("an interim response that ends the stream"));
        }
        let open = self.open(stream)?;
        if open.sending != Sending::Head {
            return Err(Misuse::AlreadyResponded);
        }
        self.fits(fields).map_err(|(size, limit)| Misuse::HeaderListTooLarge { size, limit })?;
        if !head.is_interim() {
            let open = self.open(stream)?;
            open.sending = if end_stream { Sending::Done } else { Sending::Body };
            open.is_connect &= head.is_success();
        }
        self.put_fields(stream, fields, end_stream);
        self.close_if_complete(stream);
        Ok(())
    }

    /// Sends trailers behind the content, which end the stream. Tunnels have no trailers (RFC 9113, 8.5).
    pub fn send_trailers(&mut self, stream: StreamId, fields: &[Field]) -> Result<(), Misuse> {
        check_trailers(fields).map_err(Misuse::Malformed)?;
        if self.sendable(stream)?.is_connect {
            return Err(Misuse::Malformed("trailers in a tunnel"));
        }
        self.fits(fields).map_err(|(size, limit)| Misuse::HeaderListTooLarge { size, limit })?;
        let open = self.sendable(stream)?;
        open.trailers = Some(fields.to_vec());
        open.sending = Sending::Last;
        open.wants_capacity = None;
        self.queue(stream);
        self.schedule();
        Ok(())
    }

    /// Resets a stream: no event of it follows, and unsent content is dropped.
    ///
    /// Sends nothing for a stream that has already ended.
    pub fn reset(&mut self, stream: StreamId, code: ErrorCode) -> Result<(), Misuse> {
        self.open(stream)?;
        put_rst_stream(&mut self.output.buffer, stream, code);
        self.drop_stream(stream, End::ByUs);
        self.events.mute(stream);
        self.report_if_drained();
        self.schedule();
        Ok(())
    }

    /// Whether one more stream is within the limit of the peer.
    pub(crate) fn has_room_for_stream(&self) -> bool {
        self.streams.len() < self.stream_limit() as usize
    }

    /// Limit of concurrent streams at the peer.
    fn stream_limit(&self) -> u32 {
        match self.peer.max_concurrent_streams {
            Some(limit) => limit,
            None if self.has_peer_settings => u32::MAX,
            None => STREAMS_BEFORE_SETTINGS,
        }
    }

    fn next_stream(&self) -> Option<StreamId> {
        let next = match self.streams.highest().value() {
            0 => 1,
            highest => highest + 2,
        };
        (next <= StreamId::MAX.value()).then(|| StreamId::new(next))
    }

    fn open(&mut self, stream: StreamId) -> Result<&mut Stream, Misuse> {
        if self.is_closed {
            return Err(Misuse::Closed);
        }
        self.streams.get_mut(stream).ok_or(Misuse::NoSuchStream)
    }

    /// Stream that accepts content.
    pub(super) fn sendable(&mut self, stream: StreamId) -> Result<&mut Stream, Misuse> {
        let open = self.open(stream)?;
        match open.sending {
            Sending::Body => Ok(open),
            Sending::Head => Err(Misuse::NotYetResponded),
            Sending::Last | Sending::Done => Err(Misuse::Ended),
        }
    }

    /// Checks the size of the fields against the peer's SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113, 6.5.2).
    fn fits(&self, fields: &[Field]) -> Result<(), (usize, u32)> {
        let size = fields.iter().map(Field::size).sum();
        match self.peer.max_header_list_size {
            Some(limit) if size > limit as usize => Err((size, limit)),
            _ => Ok(()),
        }
    }

    pub(super) fn put_fields(&mut self, stream: StreamId, fields: &[Field], end_stream: bool) {
        self.scratch.clear();
        self.hpack_out.encode(fields, &mut self.scratch);
        put_header_block(&mut self.output.buffer, stream, &self.scratch, end_stream, self.peer.max_frame_size);
        if self.scratch.capacity() > LARGE_BLOCK {
            self.scratch = BytesMut::new();
        }
    }
}

/// Scratch capacity above this is released after the field block.
const LARGE_BLOCK: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http2::Config;

    /// RFC 9113, 5.1.1.
    #[test]
    fn a_client_whose_identifiers_are_used_up_opens_no_stream() {
        let now = Instant::EPOCH;
        let mut client = Connection::client(Config::default(), now);
        let request = [(":method", "GET"), (":scheme", "http"), (":authority", "pod"), (":path", "/")]
            .map(|(name, value)| Field::new(name, value));
        client.streams.use_up(StreamId::new(StreamId::MAX.value() - 2));
        assert_eq!(client.request(now, &request, true), Ok(StreamId::MAX));
        assert_eq!(client.request(now, &request, true), Err(RequestError::NoMoreStreamIds));
    }
}
