//! Hand-written messages, field by field: expectations of the decoders must not come from the encoders.

use hotrod_core::wire::{Operation, Version};

/// Bytes under construction.
#[derive(Clone, Default)]
pub struct Hand(Vec<u8>);

impl Hand {
    pub fn new() -> Self {
        Self::default()
    }

    /// Header of a reply without a topology.
    pub fn reply(message_id: u64, opcode: u8, status: u8) -> Self {
        Self::reply_before_topology(message_id, opcode, status).u8(0)
    }

    /// Header of a reply up to the topology change marker.
    pub fn reply_before_topology(message_id: u64, opcode: u8, status: u8) -> Self {
        Self::new().u8(0xa1).vlong(message_id).u8(opcode).u8(status)
    }

    /// Header of a request to the default cache, with message id 1 and nothing else set.
    pub fn request(version: Version, operation: Operation) -> Self {
        Self::request_before_media_types(version, operation).media_types(newest_with(operation, version))
    }

    /// As [`request`](Self::request), up to the media types, if the version has them.
    pub fn request_before_media_types(version: Version, operation: Operation) -> Self {
        let version = newest_with(operation, version);
        let opcode = operation.row().request_opcode;
        Self::new().u8(0xa0).vlong(1).u8(version.to_byte()).u8(opcode).text("").vint(0).u8(3).vint(0)
    }

    fn media_types(self, version: Version) -> Self {
        let types = if version >= Version::V2_8 { self.u8(0).u8(0) } else { self };
        if version >= Version::V4_0 { types.vint(0) } else { types }
    }

    pub fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub fn short(self, value: u16) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub fn int(self, value: i32) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub fn long(self, value: u64) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub fn vint(self, value: u32) -> Self {
        self.vlong(value.into())
    }

    pub fn vlong(mut self, mut value: u64) -> Self {
        while value > 0x7f {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    /// A length and its bytes.
    pub fn array(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.vint(bytes.len() as u32).raw(bytes)
    }

    pub fn text(self, text: &str) -> Self {
        self.array(text)
    }

    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The same `count` times.
    pub fn times(self, count: usize, add: impl Fn(Self) -> Self) -> Self {
        (0..count).fold(self, |hand, _| add(hand))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn done(self) -> Vec<u8> {
        self.0
    }
}

/// The newest version that has the operation, up to this one: 4.1 has no PUT_STREAM.
fn newest_with(operation: Operation, version: Version) -> Version {
    if operation == Operation::PutStream { version.min(Version::V4_0) } else { version }
}
