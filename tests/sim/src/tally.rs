//! The kinds of faults, and how many there were of each.

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A member dies, and its connections are reset.
    Crash,
    /// A member dies without a word to its connections, as when its machine is gone.
    SilentCrash,
    /// A crashed member comes back with what it had, before the others have noticed.
    RestartWithData,
    /// A crashed member that the others have excluded comes back with nothing.
    RestartEmpty,
    /// A member leaves in good order.
    Leave,
    /// A new member joins.
    Join,
    /// A member answers that it is stopping, for a while.
    Stop,
    /// A member accepts everything and answers nothing, for a while.
    Hang,
    /// Everything takes a member longer, up to seconds.
    Slow,
    /// A client can't reach some members for a while.
    Partition,
    /// A client can't reach some members, and then its connections to them are reset.
    PartitionWithResets,
    /// A connection is reset.
    Cut,
    /// A client learns that a connection is gone, and the server does not.
    HalfOpenAtServer,
    /// The server's end of a connection is gone, and the client is not told.
    HalfOpenAtClient,
    /// The members change between two pieces of a reply.
    ChangeMidReply,
    /// A client sends a request at which every server cuts the connection.
    Poison,
    /// A cache is removed and made anew at once.
    Remake,
    /// A cache is removed, and made anew later.
    Remove,
    /// The first address of a host is silent.
    SilentAddress,
    /// Bytes of a server that speaks first come before the host says that the link is connected.
    EarlyBytes,
    /// The host says twice that a link is connected.
    ConnectedTwice,
    /// The host says that a link is lost which it has closed.
    LostAfterClose,
    /// Bytes arrive on a link after it was closed or lost.
    ReceivedAfterClose,
    /// What a client has sent arrives after it has given the link up.
    LateArrival,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::Crash,
        Self::SilentCrash,
        Self::RestartWithData,
        Self::RestartEmpty,
        Self::Leave,
        Self::Join,
        Self::Stop,
        Self::Hang,
        Self::Slow,
        Self::Partition,
        Self::PartitionWithResets,
        Self::Cut,
        Self::HalfOpenAtServer,
        Self::HalfOpenAtClient,
        Self::ChangeMidReply,
        Self::Poison,
        Self::Remake,
        Self::Remove,
        Self::SilentAddress,
        Self::EarlyBytes,
        Self::ConnectedTwice,
        Self::LostAfterClose,
        Self::ReceivedAfterClose,
        Self::LateArrival,
    ];
}

/// How many faults of each kind there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally([u64; Kind::ALL.len()]);

impl Tally {
    /// There was one more.
    pub fn add(&mut self, kind: Kind) {
        self.0[kind as usize] += 1;
    }

    /// And those.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, others)| *mine += others);
    }

    /// How many of that kind.
    pub fn of(&self, kind: Kind) -> u64 {
        self.0[kind as usize]
    }

    /// How many of any kind.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}
