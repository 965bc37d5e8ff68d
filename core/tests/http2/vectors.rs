//! `spec/vectors/http2-frames.json`: each frame is cut at every byte, decoded, and written again.

use std::fs;

use hotrod_core::http2::ErrorCode;
use hotrod_core::http2::frame::{Frame, FrameError, Priority};
use serde_json::{Value, json};

use crate::frames::{read, written};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/vectors/http2-frames.json");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn priority(priority: Priority) -> Value {
    json!({"dependency": priority.dependency.value(), "exclusive": priority.exclusive, "weight": priority.weight})
}

fn meaning(frame: &Frame) -> Value {
    let stream = frame.stream().value();
    match frame {
        Frame::Data { data, padding, end_stream, .. } => {
            json!({"type": "DATA", "stream": stream, "data": hex(data), "padding": padding, "end_stream": end_stream})
        }
        Frame::Headers { priority: signal, fragment, end_stream, end_headers, .. } => json!({
            "type": "HEADERS", "stream": stream, "priority": signal.map(priority),
            "fragment": hex(fragment), "end_stream": end_stream, "end_headers": end_headers,
        }),
        Frame::Priority { priority: signal, .. } => {
            json!({"type": "PRIORITY", "stream": stream, "priority": priority(*signal)})
        }
        Frame::RstStream { code, .. } => json!({"type": "RST_STREAM", "stream": stream, "code": code.0}),
        Frame::Settings(settings) => {
            json!({"type": "SETTINGS", "settings": settings.iter().map(|(id, value)| json!([id, value])).collect::<Vec<_>>()})
        }
        Frame::SettingsAck => json!({"type": "SETTINGS_ACK"}),
        Frame::PushPromise { promised, fragment, end_headers, .. } => json!({
            "type": "PUSH_PROMISE", "stream": stream, "promised": promised.value(),
            "fragment": hex(fragment), "end_headers": end_headers,
        }),
        Frame::Ping { ack, opaque } => json!({"type": "PING", "ack": ack, "opaque": format!("{opaque:016x}")}),
        Frame::GoAway { last_stream, code, debug } => {
            json!({"type": "GOAWAY", "last_stream": last_stream.value(), "code": code.0, "debug": hex(debug)})
        }
        Frame::WindowUpdate { increment, .. } => {
            json!({"type": "WINDOW_UPDATE", "stream": stream, "increment": increment})
        }
        Frame::Continuation { fragment, end_headers, .. } => {
            json!({"type": "CONTINUATION", "stream": stream, "fragment": hex(fragment), "end_headers": end_headers})
        }
        Frame::Extension { kind, flags, payload, .. } => {
            json!({"type": "EXTENSION", "kind": kind.0, "flags": flags, "stream": stream, "payload": hex(payload)})
        }
    }
}

fn fault(error: &FrameError) -> Value {
    let code = error.code.name().expect("a code of RFC 9113");
    match error.stream {
        None => json!({"scope": "connection", "code": code}),
        Some(stream) => json!({"scope": "stream", "code": code, "stream": stream.value()}),
    }
}

#[test]
fn every_vector_is_read_cut_at_every_byte_and_written_again() {
    let vectors: Vec<Value> = serde_json::from_str(&fs::read_to_string(FILE).unwrap()).unwrap();
    assert!(vectors.len() >= 80, "{} vectors", vectors.len());
    for vector in &vectors {
        let name = vector["name"].as_str().unwrap();
        let content = bytes(vector["hex"].as_str().unwrap());
        for cut in 1..=content.len() {
            let (frames, left) = read(&content, &[cut, content.len()], cut % 2 == 0);
            let [frame] = &frames[..] else { panic!("{name}, cut at {cut}: {frames:?}") };
            match frame {
                Ok(frame) => {
                    assert_eq!(meaning(frame), vector["frame"], "{name}, cut at {cut}");
                    assert_eq!(left, 0, "{name}, cut at {cut}");
                    let again = hex(&written([frame]));
                    let same = vector["hex"] == *again;
                    assert_eq!(same, vector["reencode"] != json!(false), "{name}: written again as {again}");
                }
                Err(error) => assert_eq!(fault(error), vector["error"], "{name}, cut at {cut}"),
            }
        }
    }
}

/// Each code of RFC 9113 has a name that maps back to it.
#[test]
fn codes_have_names() {
    for (name, code) in ErrorCode::ALL {
        assert_eq!(code.name(), Some(*name));
    }
    assert_eq!(ErrorCode(0xf000_0001).to_string(), "error code 0xf0000001");
}
