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

/// A new view of the cluster, as one cache sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Opaque: any 32 bits. Two views are the same if their ids are equal, and nothing follows from their order.
    pub id: u32,
    /// The members of the cluster, at the addresses that they advertise.
    pub members: Vec<Member>,
    /// Which members own what; `None` unless the client is [`Intelligence::HashDistributionAware`].
    pub hash: Option<Hash>,
}

/// A member of the cluster at its advertised address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// Host name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// `host:port`, an IPv6 address in brackets.
impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How keys are spread over the members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hash {
    /// 3 for Infinispan's MurmurHash3; 0 if keys are not spread by hash, then there are no owners.
    pub function: u8,
    /// The number of segments, also where there are no owners.
    pub segments: u32,
    /// The owners of each segment, primary first; empty with function 0.
    pub owners: SegmentOwners,
}

/// The owners of every segment: indices into [`Topology::members`], primary owner first.
///
/// Two flat arrays: a view of 256 segments with two owners takes 3 KiB and two allocations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SegmentOwners {
    /// Where the owners of each segment end in `members`.
    ends: Vec<u32>,
    members: Vec<u16>,
}

impl SegmentOwners {
    /// The number of segments that have been told.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no segment.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The owners of a segment, primary first; empty if it has none or does not exist.
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

/// Writes the topology section: a marker, and the view if there is a new one.
pub(crate) fn write(topology: Option<&Topology>, intelligence: Intelligence, out: &mut SendBuffer) {
    let Some(topology) = topology.filter(|_| intelligence != Intelligence::Basic) else { return out.put_u8(0) };
    out.put_u8(1);
    write_view(topology, intelligence, out);
}

/// What follows the marker.
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

/// Writes a view as it stands behind the marker of a reply header, owners included.
pub(crate) fn encode(topology: &Topology, out: &mut SendBuffer) {
    write_view(topology, Intelligence::HashDistributionAware, out);
}

/// Reads what [`encode`] has written, and nothing more or less.
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
    // Function 0 (no hash) comes with the number of segments, and nothing after it.
    let owners = if function == 0 { SegmentOwners::default() } else { read_owners(segments, members, reader)? };
    Ok(Hash { function, segments: segments as u32, owners })
}

/// Not part of its caller: a loop of its own has more registers.
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
