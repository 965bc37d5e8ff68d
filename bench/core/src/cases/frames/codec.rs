//! Our codec: frames, and the field blocks in them.

use std::hint::black_box;

use bytes::BytesMut;
use hotrod_core::http2::StreamId;
use hotrod_core::http2::frame::{Frame, FrameDecoder};
use hotrod_core::http2::hpack::{DEFAULT_TABLE_SIZE, Decoder, Encoder};
use hotrod_core::wire::SendBuffer;

use super::mix::{Client, EXCHANGES, FRAMES, exchange, request};
use crate::meter::part;

const MAX_LIST: usize = 16 << 10;

pub fn receive() -> Box<dyn FnMut()> {
    let client = Client::new();
    let (mut frames, mut fields) = (FrameDecoder::new(1 << 14), Decoder::new(DEFAULT_TABLE_SIZE, MAX_LIST));
    read(&mut frames, &mut fields, client.first_frames());
    let bytes = client.exchanges(|| 3);
    Box::new(move || {
        let count = part(|| read(&mut frames, &mut fields, black_box(&bytes)));
        assert_eq!(count, FRAMES * EXCHANGES as u64);
    })
}

fn read(frames: &mut FrameDecoder, fields: &mut Decoder, bytes: &[u8]) -> u64 {
    let mut count = 0;
    frames.receive_buffer().extend_from_slice(bytes);
    while let Some(frame) = frames.poll() {
        if let Frame::Headers { fragment, .. } = black_box(frame.expect("a frame")) {
            drop(black_box(fields.decode(&fragment).expect("a field block")));
        }
        count += 1;
    }
    count
}

pub fn send() -> Box<dyn FnMut()> {
    let (mut encoder, mut block) = (Encoder::new(), BytesMut::new());
    let (fields, stream, mut out) = (request(), StreamId::new(3), SendBuffer::new());
    encoder.encode(&fields, &mut block);
    Box::new(move || {
        // The field block is encoded when its frame is written.
        let frames: Vec<_> = (0..EXCHANGES).flat_map(|_| exchange(stream, bytes::Bytes::new())).collect();
        part(|| {
            for mut frame in frames {
                if let Frame::Headers { fragment, .. } = &mut frame {
                    block.clear();
                    encoder.encode(black_box(&fields), &mut block);
                    *fragment = block.split().freeze();
                }
                frame.write(&mut out).expect("not too large");
            }
            out.advance(black_box(&out).len());
        });
    })
}
