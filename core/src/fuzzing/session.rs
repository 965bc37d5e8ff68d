//! A session through whatever a host and a server may do.

use super::script::World;

/// A script of a session's life: its settings, and then step by step what its host and the server do.
///
/// Whatever happens, each operation that is submitted and not cancelled completes once, nothing follows the end, an
/// operation that "was not applied" has not reached the server, and how the server's bytes are cut makes no difference.
pub fn session(data: &[u8]) {
    let as_given = World::new(data, false).run();
    let bytewise = World::new(data, true).run();
    assert_eq!(as_given.log, bytewise.log, "in pieces and byte by byte");
}
