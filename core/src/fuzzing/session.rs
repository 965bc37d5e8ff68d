//! Drives a session with arbitrary hosts and servers.

use super::script::World;

/// Runs a script with a session: its settings, then steps of its host and of the server.
///
/// Asserts that each operation completes exactly once unless it is cancelled, that nothing follows the end, that an
/// operation that "was not applied" has not reached the server, and that the chunking of the server's bytes makes no
/// difference.
pub fn session(data: &[u8]) {
    let as_given = World::new(data, false).run();
    let bytewise = World::new(data, true).run();
    assert_eq!(as_given.log, bytewise.log, "in pieces and byte by byte");
}
