//! Bytes between requests that begin none.

use hotrod_core::session::ServerSession;
use hotrod_core::wire::{Body, Limits, Operation, Reply, Status};

/// PING of version 2.5 with this message id, intelligence 1 and no cache name.
fn ping(message_id: u8) -> [u8; 8] {
    [0xa0, message_id, 25, 0x17, 0, 0, 1, 0]
}

/// Receives bytes in pieces, answers requests with an empty PING, and returns everything sent.
fn answered(server: &mut ServerSession, bytes: &[u8], piece: usize) -> Vec<u8> {
    for chunk in bytes.chunks(piece) {
        server.handle_received(chunk);
        while let Some((header, _)) = server.poll_request() {
            let (message_id, body) = (header.message_id, Body::Ping(Box::default()));
            let reply = Reply { message_id, status: Status::SUCCESS, topology: None, body };
            server.reply(&header, Operation::Ping, &reply);
        }
    }
    let sent = server.transmit().to_bytes();
    server.transmitted(sent.len());
    sent.to_vec()
}

fn invalid_magic(byte: i8) -> Vec<u8> {
    let text =
        format!("org.infinispan.server.hotrod.InvalidMagicIdException: Error reading magic byte or message id: {byte}");
    [&[0xa1, 0, 0x50, 0x81, 0, text.len() as u8], text.as_bytes()].concat()
}

/// npm's client appends a byte to some requests, and Infinispan answers it and reads on.
#[test]
fn each_is_answered_and_the_session_goes_on_however_bytes_are_cut() {
    let pong = |message_id| [0xa1, message_id, 0x18, 0, 0];
    let sent = [&ping(1)[..], &[0x0f], &ping(2), &[0x00, 0xff], &ping(3)].concat();
    let wanted = [&pong(1)[..], &invalid_magic(15), &pong(2), &invalid_magic(0), &invalid_magic(-1), &pong(3)].concat();
    for piece in [1, 2, 7, 9, sent.len()] {
        let mut server = ServerSession::new(Limits::default(), 1 << 20);
        assert_eq!(answered(&mut server, &sent, piece), wanted, "in pieces of {piece}");
        assert_eq!((server.fault(), server.buffered()), (None, 0));
    }
}

#[test]
fn answers_to_them_are_bounded_as_others_are() {
    let mut server = ServerSession::new(Limits::default(), 1_000);
    assert!(server.poll_request().is_none());
    server.handle_received(&vec![0; 100_000]);
    assert!(server.poll_request().is_none());
    assert!(server.transmit().len() < 1_200, "{}", server.transmit().len());
    assert!(!server.wants_read());
}

#[test]
fn any_other_fault_ends_the_session() {
    let mut server = ServerSession::new(Limits::default(), 1 << 20);
    let unknown = [&[0xa0, 7, 25, 0x45][..], &ping(1)].concat();
    let sent = answered(&mut server, &unknown, unknown.len());
    assert_eq!(sent[..5], [0xa1, 7, 0x50, 0x82, 0]);
    assert!(server.fault().is_some() && server.poll_request().is_none());
}
