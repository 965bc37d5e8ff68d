//! The topology section of a reply header.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::flags::Intelligence;
use super::reader::{Read, Reader, Stop};
use super::resume::Resume;
use super::{Limits, Problem};
use crate::send_buffer::SendBuffer;

/// Topology of one cache: the members, and the owners of its segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Opaque id: any 32 bits. Topologies are the same if their ids are equal; the order of ids has no meaning.
    pub id: u32,
    /// Members at their advertised addresses.
    pub members: Vec<Member>,
    /// Segment owners; `None` unless the client is [`Intelligence::HashDistributionAware`].
    pub hash: Option<Hash>,
}

/// A cluster member at its advertised address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// Host name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Member {
    /// Default port of Infinispan's single endpoint.
    pub const DEFAULT_PORT: u16 = 11222;

    /// Parses `host`, `host:port`, `[address]` or `[address]:port`; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = port.map_or(Some(Self::DEFAULT_PORT), |port| port.parse().ok().filter(|port| *port != 0))?;
        let plausible = |byte: u8| byte.is_ascii_graphic() && !b"/?#@[]\\".contains(&byte);
        (!host.is_empty() && host.bytes().all(plausible)).then(|| Self { host: host.into(), port })
    }
}

/// Writes `host:port`, with an IPv6 address in brackets.
impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Distribution of keys over the members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hash {
    /// Hash function: 3 for Infinispan's MurmurHash3; 0 if keys are not distributed by hash, and then there are no
    /// owners.
    pub function: u8,
    /// Number of segments; set even if there are no owners.
    pub segments: u32,
    /// Owners of each segment, primary first; empty with function 0.
    pub owners: SegmentOwners,
}

/// Owners of every segment: indices into [`Topology::members`], primary owner first.
///
/// Stored as two flat arrays: 256 segments with two owners take 3 KiB and two allocations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SegmentOwners {
    /// End of each segment's owners in `members`.
    ends: Vec<u32>,
    members: Vec<u16>,
}

impl SegmentOwners {
    /// Number of segments with known owners.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no segments.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Owners of a segment, primary first; empty if it has none or does not exist.
    pub fn of(&self, segment: usize) -> &[u16] {
        let Some(&end) = self.ends.get(segment) else { return &[] };
        let start = if segment == 0 { 0 } else { self.ends[segment - 1] };
        &self.members[start as usize..end as usize]
    }

    /// Adds the owners of the next segment.
    pub fn push(&mut self, owners: &[u16]) {
        self.members.extend_from_slice(owners);
        self.ends.push(self.members.len() as u32);
    }
}

impl<'a> FromIterator<&'a [u16]> for SegmentOwners {
    fn from_iter<I: IntoIterator<Item = &'a [u16]>>(segments: I) -> Self {
        let mut owners = Self::default();
        segments.into_iter().for_each(|segment| owners.push(segment));
        owners
    }
}

/// Writes the topology section: a marker, and the topology if there is a new one.
pub(crate) fn write(topology: Option<&Topology>, intelligence: Intelligence, out: &mut SendBuffer) {
    let Some(topology) = topology.filter(|_| intelligence != Intelligence::Basic) else { return out.put_u8(0) };
    out.put_u8(1);
    write_view(topology, intelligence, out);
}

/// Writes the part behind the marker.
fn write_view(topology: &Topology, intelligence: Intelligence, out: &mut SendBuffer) {
    out.put_vint(topology.id);
    out.put_vint(topology.members.len() as u32);
    for member in &topology.members {
        out.put_text(&member.host);
        out.put_u16(member.port);
    }
    if intelligence != Intelligence::HashDistributionAware {
        return;
    }
    let Some(hash) = &topology.hash else {
        out.put_u8(0);
        return out.put_vint(0);
    };
    out.put_u8(hash.function);
    out.put_vint(hash.segments);
    if hash.function != 0 {
        for segment in 0..hash.segments as usize {
            let owners = hash.owners.of(segment);
            out.put_u8(owners.len() as u8);
            owners.iter().for_each(|member| out.put_vint(u32::from(*member)));
        }
    }
}

/// Reads the topology section of a reply to a request of that intelligence. Boxed: few replies have one.
#[inline]
pub(crate) fn read(intelligence: Intelligence, reader: &mut Reader<'_>) -> Read<Option<Box<Topology>>> {
    let marker = reader.byte("topology change marker")?;
    match marker {
        0 => Ok(None),
        1 => read_view(intelligence, reader).map(Some),
        _ => Err(reader.unexpected("topology change marker", marker.into(), "0 or 1")),
    }
}

fn read_view(intelligence: Intelligence, reader: &mut Reader<'_>) -> Read<Box<Topology>> {
    let id = reader.vint("topology id")?;
    let (members, hash) = reader.then(read_members, |reader, members| {
        if intelligence != Intelligence::HashDistributionAware {
            return Ok(None);
        }
        read_hash(members.len(), reader).map(Some)
    })?;
    Ok(Box::new(Topology { id, members, hash }))
}

/// Writes a topology in the form behind the marker of a reply header, owners included.
pub(crate) fn encode(topology: &Topology, out: &mut SendBuffer) {
    write_view(topology, Intelligence::HashDistributionAware, out);
}

/// Reads the output of [`encode`]; `None` for any other bytes.
pub(crate) fn decode(bytes: &Bytes, limits: &Limits) -> Option<Box<Topology>> {
    let mut resume = Resume::default();
    let mut reader = Reader::new(bytes, &[], 0, limits, &mut resume);
    let topology = read_view(Intelligence::HashDistributionAware, &mut reader).ok()?;
    (reader.position() == bytes.len()).then_some(topology)
}

fn read_members(reader: &mut Reader<'_>) -> Read<Vec<Member>> {
    let count = reader.count("members", reader.limits().members)?;
    reader.list(count, 3, |reader| Ok(Member { host: reader.name("member host")?, port: reader.short("member port")? }))
}

fn read_hash(members: usize, reader: &mut Reader<'_>) -> Read<Hash> {
    let function = reader.byte("hash function")?;
    let segments = reader.count("segments", reader.limits().segments)?;
    // Function 0 (no hash) has a number of segments and nothing behind it.
    let owners = if function == 0 { SegmentOwners::default() } else { read_owners(segments, members, reader)? };
    Ok(Hash { function, segments: segments as u32, owners })
}

/// A function of its own: as part of its caller the loop would have fewer registers.
#[inline(never)]
fn read_owners(segments: usize, members: usize, reader: &mut Reader<'_>) -> Read<SegmentOwners> {
    reader.accumulate(SegmentOwners::default, |reader, owners| {
        if owners.len() == segments {
            return Ok(false);
        }
        let complete = owners.members.len();
        let segment = read_segment(members, &mut owners.members, reader);
        if let Err(stop) = segment {
            owners.members.truncate(complete);
            return Err(stop);
        }
        owners.ends.push(owners.members.len() as u32);
        Ok(true)
    })
}

fn read_segment(members: usize, owners: &mut Vec<u16>, reader: &mut Reader<'_>) -> Result<(), Stop> {
    for _ in 0..reader.byte("owners of a segment")? {
        let at = reader.position();
        let member = reader.vint("owner")?;
        match u16::try_from(member) {
            Ok(index) if usize::from(index) < members => owners.push(index),
            _ => {
                let problem = Problem::Unexpected { value: member.into(), expected: "the index of a member" };
                return Err(reader.violation_at(at, "owner", problem));
            }
        }
    }
    Ok(())
}
