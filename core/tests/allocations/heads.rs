//! Memory of HTTP/1.1 heads, for any chunking.

use hotrod_core::http1::{
    ClientEvent, ClientExchange, Fields, Limits, Response, ServerEvent, ServerExchange, Trailing, Violation,
};

use crate::counting::{Count, measure};

/// A head of the maximum length, with the maximum number of fields.
fn head(first_line: &str, limits: &Limits) -> Vec<u8> {
    let room = (limits.head - first_line.len() - 4) / limits.fields;
    let field = |index| format!("X-{index:03}: {}\r\n", "v".repeat(room - 9));
    let fields: String = (0..limits.fields - 1).map(field).collect();
    format!("{first_line}\r\nHost: x\r\n{fields}\r\n").into_bytes()
}

/// Feeds a server until it returns an event.
fn serve(bytes: &[u8], step: usize, limits: &Limits, in_place: bool) -> (Count, (ServerExchange, ServerEvent)) {
    measure(|| {
        let mut exchange = ServerExchange::new(limits.clone());
        let mut pieces = bytes.chunks(step);
        loop {
            let piece = pieces.next().expect("something comes of it before its end");
            if in_place {
                exchange.receive_buffer().extend_from_slice(piece);
                exchange.handle_filled();
            } else {
                exchange.handle_received(piece);
            }
            if let Some(event) = exchange.poll_event() {
                return (exchange, event);
            }
        }
    })
}

/// A doubling buffer, the fields, and the spare capacity for reads.
const ALLOCATED: u64 = 4 * (16 << 10) + (16 << 10);

#[test]
fn a_head_costs_a_few_times_its_length_however_it_is_cut() {
    let limits = Limits::default();
    for step in [1, 10, 1024, 16 << 10] {
        for in_place in [false, true] {
            let bytes = head("GET / HTTP/1.1", &limits);
            let (count, (_, event)) = serve(&bytes, step, &limits, in_place);
            assert!(matches!(event, ServerEvent::Request(_)), "{event:?}");
            assert!(count.bytes <= ALLOCATED, "a request in pieces of {step}: {count:?}");
            let bytes = head("HTTP/1.1 200 OK", &limits);
            let (count, event) = measure(|| {
                let limits = limits.clone();
                let mut exchange = ClientExchange::connect("x:1", &Fields::new(), Trailing::Refused, limits).unwrap();
                bytes.chunks(step).for_each(|piece| exchange.handle_received(piece));
                exchange.poll_event()
            });
            assert!(matches!(event, Some(ClientEvent::Accepted(_))), "{event:?}");
            assert!(count.bytes <= ALLOCATED, "an answer in pieces of {step}: {count:?}");
        }
    }
}

#[test]
fn a_head_without_an_end_costs_no_more_than_the_limit_allows() {
    let mut limits = Limits::default();
    limits.fields = usize::MAX;
    limits.line = usize::MAX;
    let endless = ["GET / HTTP/1.1\r\n", &"A: b\r\n".repeat(1 << 16)].concat().into_bytes();
    let one_line = ["GET /", &"a".repeat(1 << 16)].concat().into_bytes();
    for bytes in [endless, one_line] {
        for step in [1, 10, 1024] {
            let (count, (exchange, event)) = serve(&bytes, step, &limits, true);
            assert_eq!(event, ServerEvent::Failed(Violation::HeadTooLong { limit: limits.head }));
            assert!(count.peak <= 4 * limits.head as i64, "in pieces of {step}: {count:?}");
            // Only the response is kept, nothing of the head.
            assert!(count.held <= 1024 + exchange.transmit().len() as i64, "in pieces of {step}: {count:?}");
        }
    }
}

/// Two million bytes of content are dropped as they arrive.
#[test]
fn skipped_content_is_not_kept() {
    let mut limits = Limits::default();
    limits.content = 1 << 21;
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2097152\r\n\r\n";
    let (_, (mut exchange, event)) = serve(head, head.len(), &limits, true);
    assert!(matches!(event, ServerEvent::Request(_)), "{event:?}");
    drop(event);
    exchange.respond(&Response::new(200), false).expect("an answer");
    exchange.transmitted(usize::MAX);
    let (count, ()) = measure(|| {
        for _ in 0..512 {
            exchange.receive_buffer().extend_from_slice(&[0; 4096]);
            exchange.handle_filled();
            assert_eq!(exchange.poll_event(), None);
        }
    });
    assert!(count.peak <= 16 << 10, "{count:?}");
    exchange.handle_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(matches!(exchange.poll_event(), Some(ServerEvent::Request(_))));
}
