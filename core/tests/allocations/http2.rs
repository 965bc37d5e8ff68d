//! In steady state an HTTP/2 connection allocates nothing for a frame.

use bytes::{BufMut, Bytes};
use hotrod_core::http2::frame::{Frame, FrameDecoder, FrameKind};
use hotrod_core::http2::hpack::Field;
use hotrod_core::http2::{Config, Connection, Event, SendBuffer, StreamId};
use hotrod_core::time::Instant;

use crate::counting::{Count, measure};

const TIMES: usize = 10_000;
const KIND: u8 = 0xf0;
const NOW: Instant = Instant::from_micros(1_000_000);

/// Cost of the work after some rounds.
fn steady(mut work: impl FnMut()) -> Count {
    (0..200).for_each(|_| work());
    measure(|| (0..TIMES).for_each(|_| work())).0
}

/// Moves the output of `from` into the receive buffer of `to`, without an allocation of the test.
fn carry(from: &mut Connection, to: &mut Connection) {
    while !from.transmit().is_empty() {
        let count = from.transmit().first().len();
        to.receive_buffer().put_slice(from.transmit().first());
        from.transmitted(count);
        to.handle_filled(NOW);
    }
}

/// A client and a server with an established tunnel.
fn tunnel() -> (Connection, Connection, StreamId) {
    let mut config = Config::default();
    config.extension_frames = vec![KIND];
    config.settings.enable_connect_protocol = true;
    let mut client = Connection::client(config.clone(), NOW);
    let mut server = Connection::server(config, NOW);
    carry(&mut server, &mut client);
    let request =
        [(":method", "CONNECT"), (":protocol", "hotrod"), (":scheme", "https"), (":authority", "pod"), (":path", "/")];
    let stream = client.request(NOW, &request.map(|(name, value)| Field::new(name, value)), false).unwrap();
    carry(&mut client, &mut server);
    server.respond(stream, &[Field::new(":status", "200")], false).unwrap();
    carry(&mut server, &mut client);
    carry(&mut client, &mut server);
    while client.poll_event().is_some() || server.poll_event().is_some() {}
    (client, server, stream)
}

#[test]
fn an_extension_frame_allocates_nothing_sent_or_received() {
    let (mut client, mut server, stream) = tunnel();
    let payload = [Bytes::from_static(&[7; 64])];
    let count = steady(|| {
        client.send_extension(stream, KIND, 0, &payload).unwrap();
        carry(&mut client, &mut server);
        let Some(Event::Extension { payload, .. }) = server.poll_event() else { panic!("a frame") };
        assert_eq!(payload.len(), 64);
    });
    assert_eq!(count.calls, 0, "{count:?}");
}

/// Including window updates.
#[test]
fn data_allocate_nothing_sent_or_received() {
    let (mut client, mut server, stream) = tunnel();
    let content = Bytes::from_static(&[7; 1000]);
    let count = steady(|| {
        client.send_data(stream, content.clone(), false).unwrap();
        carry(&mut client, &mut server);
        let Some(Event::Data { data, .. }) = server.poll_event() else { panic!("content") };
        server.release(stream, data.len());
        drop(data);
        carry(&mut server, &mut client);
    });
    assert_eq!(count.calls, 0, "{count:?}");
}

/// Many frames per read, which rarely ends at the end of a frame.
#[test]
fn frames_across_reads_cost_a_buffer_a_read_at_most() {
    const READ: usize = 4000;
    let mut out = SendBuffer::new();
    for _ in 0..TIMES {
        let (kind, payload) = (FrameKind(KIND), Bytes::from_static(&[7; 64]));
        Frame::Extension { stream: StreamId::new(1), kind, flags: 0, payload }.write(&mut out).unwrap();
    }
    let stream = out.to_bytes();
    let mut decoder = FrameDecoder::new(1 << 14);
    let (count, frames) = measure(|| {
        let mut frames = 0;
        for read in stream.chunks(READ) {
            decoder.receive_buffer().put_slice(read);
            while let Some(frame) = decoder.poll() {
                assert!(frame.is_ok());
                frames += 1;
            }
        }
        frames
    });
    assert_eq!(frames, TIMES);
    let reads = stream.len().div_ceil(READ) as u64;
    assert!(count.calls <= 2 * reads, "{count:?} for {reads} reads");
    assert!(count.held <= 128 << 10, "nothing is kept: {count:?}");
}

/// An announced length allocates no memory, and work is linear for any chunking.
#[test]
fn a_large_frame_gets_its_room_as_it_comes() {
    const SIZE: usize = 8 << 20;
    let mut decoder = FrameDecoder::new((1 << 24) - 1);
    let mut out = SendBuffer::new();
    let frame = Frame::Data { stream: StreamId::new(1), data: vec![7; SIZE].into(), padding: 0, end_stream: false };
    frame.write(&mut out).unwrap();
    let bytes = out.to_bytes();
    let (count, ()) = measure(|| {
        decoder.receive_buffer().put_slice(&bytes[..9]);
        assert!(decoder.poll().is_none());
        decoder.receive_buffer();
    });
    assert!(count.bytes < 256 << 10, "{count:?}");
    let (count, ()) = measure(|| {
        for piece in bytes[9..].chunks(1460) {
            assert!(decoder.poll().is_none());
            decoder.receive_buffer().put_slice(piece);
        }
        assert!(decoder.poll().is_some());
    });
    assert!(count.bytes < 4 * SIZE as u64, "{count:?}");
}

/// A connection that is kept ready without traffic.
#[test]
fn a_quiet_connection_holds_little() {
    let (count, pair) = measure(tunnel);
    assert!(count.held < 40 << 10, "{count:?} for two ends");
    drop(pair);
}
