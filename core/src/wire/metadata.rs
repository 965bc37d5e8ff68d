//! Version and lifetimes of an entry in a reply.

use super::reader::{Read, Reader};
use crate::send_buffer::SendBuffer;

/// Version and lifetimes of an entry (`MetadataUtils.writeMetadata` of the server).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Metadata {
    /// Version for conditional operations; opaque, changes with every write.
    pub version: u64,
    /// Lifespan; `None` if infinite.
    pub lifespan: Option<LifetimeLeft>,
    /// Maximum idle time; `None` if infinite.
    pub max_idle: Option<LifetimeLeft>,
}

/// A lifetime and its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LifetimeLeft {
    /// Start: the creation (lifespan) or the last access (maximum idle time), in milliseconds since 1970 by the
    /// server's clock.
    pub since: u64,
    /// Length of the lifetime, in seconds.
    pub seconds: u32,
}

const INFINITE_LIFESPAN: u8 = 0x01;
const INFINITE_MAX_IDLE: u8 = 0x02;

impl Metadata {
    /// Metadata that 4.0 and later send for an absent previous entry (`MetadataUtils` of the server for a null entry).
    pub(crate) const OF_NO_ENTRY: Self = Self { version: u64::MAX, lifespan: None, max_idle: None };

    pub(crate) fn write(&self, out: &mut SendBuffer) {
        let mut flags = 0;
        if self.lifespan.is_none() {
            flags |= INFINITE_LIFESPAN;
        }
        if self.max_idle.is_none() {
            flags |= INFINITE_MAX_IDLE;
        }
        out.put_u8(flags);
        for left in [self.lifespan, self.max_idle].into_iter().flatten() {
            out.put_u64(left.since);
            out.put_vint(left.seconds);
        }
        out.put_u64(self.version);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let flags = reader.byte("metadata flags")?;
        let mut left = |infinite: u8, since, seconds| -> Read<Option<LifetimeLeft>> {
            if flags & infinite != 0 {
                return Ok(None);
            }
            Ok(Some(LifetimeLeft { since: reader.long(since)?, seconds: reader.vint(seconds)? }))
        };
        let lifespan = left(INFINITE_LIFESPAN, "created", "lifespan")?;
        let max_idle = left(INFINITE_MAX_IDLE, "last used", "maximum idle time")?;
        Ok(Self { version: reader.long("entry version")?, lifespan, max_idle })
    }
}
