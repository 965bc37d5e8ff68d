//! Field blocks: requests, responses, trailers (RFC 9113, 4.3, 6.2, 6.10 and 8.1).

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::{Connection, Role};
use crate::http2::event::Event;
use crate::http2::fault::Fault;
use crate::http2::flow::{ReceiveWindow, SendWindow};
use crate::http2::hpack::{DecodeError, Field};
use crate::http2::message::{RequestHead, check_request, check_response, check_trailers};
use crate::http2::stream::{Receiving, Sending, Stream};
use crate::http2::streams::{End, Known};
use crate::http2::{ErrorCode, StreamId};

/// Incomplete field block.
pub(super) struct Block {
    stream: StreamId,
    fragments: BytesMut,
    continuations: usize,
    end_stream: bool,
    depends_on_itself: bool,
}

impl Block {
    /// Memory of its fragments.
    pub(super) fn memory(&self) -> usize {
        self.fragments.capacity()
    }
}

/// Fields of a block; `None` if they exceed the limit.
type Fields = Option<Vec<Field>>;

impl Connection {
    pub(super) fn receive_headers(
        &mut self,
        stream: StreamId,
        fragment: Bytes,
        end_stream: bool,
        end_headers: bool,
        depends_on_itself: bool,
    ) -> Result<(), Fault> {
        if fragment.is_empty() {
            self.flood.empty(self.now)?;
        }
        if end_headers {
            return self.receive_block(stream, &fragment, end_stream, depends_on_itself);
        }
        let fragments = BytesMut::from(&fragment[..]);
        self.block = Some(Block { stream, fragments, continuations: 0, end_stream, depends_on_itself });
        Ok(())
    }

    pub(super) fn receive_continuation(
        &mut self,
        stream: StreamId,
        fragment: &[u8],
        end_headers: bool,
    ) -> Result<(), Fault> {
        let Some(block) = &mut self.block else { return Err(Fault::protocol("CONTINUATION of nothing")) };
        if block.stream != stream {
            return Err(Fault::protocol("CONTINUATION on another stream"));
        }
        if fragment.is_empty() {
            self.flood.empty(self.now)?;
        }
        block.continuations += 1;
        let max = self.local.max_header_list_size.map_or(usize::MAX, |size| size as usize);
        // Skipping a block would lose the compression state, and so the connection.
        if block.continuations > self.config.max_continuation_frames || block.fragments.len() + fragment.len() > max {
            return Err(Fault::connection(ErrorCode::ENHANCE_YOUR_CALM, "a field block that does not end"));
        }
        block.fragments.extend_from_slice(fragment);
        match self.block.take_if(|_| end_headers) {
            None => Ok(()),
            Some(block) => self.receive_block(stream, &block.fragments, block.end_stream, block.depends_on_itself),
        }
    }

    fn receive_block(
        &mut self,
        stream: StreamId,
        block: &[u8],
        end_stream: bool,
        depends_on_itself: bool,
    ) -> Result<(), Fault> {
        let fields = match self.hpack_in.decode(block) {
            Ok(fields) => Some(fields),
            Err(DecodeError::ListTooLarge { .. }) => None,
            Err(_) => return Err(Fault::connection(ErrorCode::COMPRESSION_ERROR, "a field block that is not HPACK")),
        };
        match self.streams.known(stream) {
            Known::Open if depends_on_itself => Err(Fault::malformed(stream, "the stream depends on itself")),
            Known::Open => self.receive_on_open(stream, fields, end_stream),
            Known::Idle if self.role == Role::Server && stream.is_client_initiated() => {
                self.receive_request(stream, fields, end_stream, depends_on_itself)
            }
            Known::Idle => Err(Fault::protocol("HEADERS on a stream that the peer can't open")),
            Known::Skipped => Err(Fault::protocol("HEADERS on a stream lower than one before it")),
            Known::Gone(End::Complete) => {
                Err(Fault::connection(ErrorCode::STREAM_CLOSED, "HEADERS on a stream that is closed"))
            }
            Known::Gone(End::ByPeer) => {
                Err(Fault::stream(stream, ErrorCode::STREAM_CLOSED, "HEADERS on a stream that is closed"))
            }
            Known::Gone(End::ByUs) | Known::Forgotten => self.flood.ignored(self.now),
        }
    }

    /// Opens a stream (RFC 9113, 5.1.1).
    fn receive_request(
        &mut self,
        id: StreamId,
        fields: Fields,
        end_stream: bool,
        depends_on_itself: bool,
    ) -> Result<(), Fault> {
        self.streams.use_up(id);
        if self.is_past_goaway() {
            self.streams.remember(id, End::ByUs);
            return self.flood.ignored(self.now);
        }
        let accepted = self.accept(id, fields.as_deref(), end_stream, depends_on_itself);
        let (Ok(head), Some(fields)) = (accepted, fields) else {
            self.streams.remember(id, End::ByUs);
            return accepted.map(|_| ());
        };
        let receiving = if end_stream { Receiving::Done } else { Receiving::Body };
        let mut stream = self.new_stream(receiving, Sending::Head);
        stream.is_head = head.is_head;
        stream.is_connect = head.is_connect;
        stream.content_left = if head.is_connect { None } else { head.content_length };
        self.streams.insert(id, stream);
        self.events.push(Event::Request { stream: id, fields, end_stream });
        Ok(())
    }

    fn accept(
        &self,
        id: StreamId,
        fields: Option<&[Field]>,
        end_stream: bool,
        depends_on_itself: bool,
    ) -> Result<RequestHead, Fault> {
        if depends_on_itself {
            return Err(Fault::malformed(id, "the stream depends on itself"));
        }
        let limit = self.local.max_concurrent_streams.map_or(usize::MAX, |limit| limit as usize);
        if self.streams.len() >= limit || self.streams.unreleased() >= limit {
            return Err(Fault::stream(id, ErrorCode::REFUSED_STREAM, "more streams than allowed"));
        }
        if self.output.buffer.len() >= self.config.max_send_bytes {
            return Err(Fault::stream(id, ErrorCode::REFUSED_STREAM, "it does not read"));
        }
        let fields = fields.ok_or_else(|| too_large(id))?;
        let head = check_request(fields).map_err(|detail| Fault::malformed(id, detail))?;
        if head.is_extended_connect && !self.local.enable_connect_protocol {
            return Err(Fault::malformed(id, "Extended CONNECT, which was not enabled"));
        }
        if end_stream && !head.is_connect && head.content_length.is_some_and(|length| length > 0) {
            return Err(Fault::malformed(id, "less DATA than content-length says"));
        }
        Ok(head)
    }

    fn receive_on_open(&mut self, id: StreamId, fields: Fields, end_stream: bool) -> Result<(), Fault> {
        let Some(stream) = self.streams.get(id) else { return Ok(()) };
        if stream.receiving == Receiving::Done {
            return Err(Fault::stream(id, ErrorCode::STREAM_CLOSED, "HEADERS after the stream's end"));
        }
        let fields = fields.ok_or_else(|| too_large(id))?;
        if stream.receiving == Receiving::Head {
            self.receive_response(id, fields, end_stream)
        } else {
            self.receive_trailers(id, fields, end_stream)
        }
    }

    fn receive_response(&mut self, id: StreamId, fields: Vec<Field>, end_stream: bool) -> Result<(), Fault> {
        let head = check_response(&fields).map_err(|detail| Fault::malformed(id, detail))?;
        if head.is_interim() {
            if end_stream {
                return Err(Fault::malformed(id, "an interim response that ends the stream"));
            }
            self.flood.empty(self.now)?;
            self.events.push(Event::Interim { stream: id, fields });
            return Ok(());
        }
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        let is_tunnel = stream.is_connect && head.is_success();
        stream.is_connect = is_tunnel;
        stream.content_left = match head.content_length {
            _ if is_tunnel => None,
            _ if stream.is_head || head.has_no_content() => Some(0),
            length => length,
        };
        if end_stream && !stream.content_is_complete() {
            return Err(Fault::malformed(id, "less DATA than content-length says"));
        }
        stream.receiving = if end_stream { Receiving::Done } else { Receiving::Body };
        self.events.push(Event::Response { stream: id, fields, end_stream });
        self.close_if_complete(id);
        Ok(())
    }

    /// Ends a message (RFC 9113, 8.1); tunnels have no trailers (8.5).
    fn receive_trailers(&mut self, id: StreamId, fields: Vec<Field>, end_stream: bool) -> Result<(), Fault> {
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        if stream.is_connect {
            return Err(Fault::malformed(id, "HEADERS in a tunnel"));
        }
        if !end_stream {
            return Err(Fault::malformed(id, "trailers that do not end the stream"));
        }
        check_trailers(&fields).map_err(|detail| Fault::malformed(id, detail))?;
        if !stream.content_is_complete() {
            return Err(Fault::malformed(id, "less DATA than content-length says"));
        }
        stream.receiving = Receiving::Done;
        self.events.push(Event::Trailers { stream: id, fields });
        self.close_if_complete(id);
        Ok(())
    }

    pub(super) fn new_stream(&self, receiving: Receiving, sending: Sending) -> Stream {
        let receive_window = ReceiveWindow::new(self.initial_receive_window, self.local.initial_window_size);
        Stream::new(receiving, sending, receive_window, SendWindow::new(self.peer.initial_window_size))
    }
}

/// RFC 9113, 10.5.1.
fn too_large(id: StreamId) -> Fault {
    Fault::stream(id, ErrorCode::ENHANCE_YOUR_CALM, "a header list larger than allowed")
}
