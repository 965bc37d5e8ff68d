//! The end of a relayed session, and its reason.

use std::fmt;
use std::io;

use crate::budget::Exhausted;
use crate::deadlines::Overdue;
use crate::monitor::SessionFault;

/// Result of relaying a session.
#[derive(Debug)]
pub(crate) struct Relayed {
    /// Bytes written to the member.
    pub(crate) to_member: u64,
    /// Bytes written to the client.
    pub(crate) to_client: u64,
    pub(crate) end: End,
}

/// Reason for the end of a session.
#[derive(Debug)]
pub(crate) enum End {
    /// Closed by the client.
    Client,
    /// Closed by the member.
    Member,
    /// Failure of the client's link.
    ClientFailed(io::Error),
    /// Failure of the member's link.
    MemberFailed(io::Error),
    /// A message that the monitor can't follow.
    Fault(SessionFault),
    /// More memory than the link may hold.
    Overdrawn(Exhausted),
    /// Closed to free memory: neither side received anything for [`SHED_AFTER`](crate::budget::SHED_AFTER).
    Shed,
    /// A deadline that the client has missed.
    Overdue(Overdue),
    /// The gateway drains, and no request was in flight.
    Drained,
    /// The gateway has ended its drain timeout.
    Cut,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.write_str("closed by the client"),
            Self::Member => f.write_str("closed by the member"),
            Self::ClientFailed(error) => write!(f, "the client's link failed: {error}"),
            Self::MemberFailed(error) => write!(f, "the member's link failed: {error}"),
            Self::Fault(fault) => write!(f, "{fault}"),
            Self::Overdrawn(why) => write!(f, "{why}"),
            Self::Shed => f.write_str("takes nothing of what is held while memory is used up (max-memory)"),
            Self::Overdue(overdue) => write!(f, "{overdue}"),
            Self::Drained => f.write_str("drained"),
            Self::Cut => f.write_str("cut off at the end of the grace"),
        }
    }
}
