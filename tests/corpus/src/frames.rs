//! The frames of http2jp/http2-frame-test-case through our codec: whole, and cut at every byte.

use std::fs;
use std::path::Path;

use hotrod_core::http2::frame::{Frame, FrameDecoder, FrameError, Priority};
use serde_json::{Value, json};

use crate::stories::{json_files, unhex};

/// RFC 9113, 4.2: what every receiver takes.
const MAX_FRAME_SIZE: u32 = 1 << 14;

/// Runs all cases in a folder and those below it, and answers how many there were.
pub fn run(folder: &Path) -> Result<usize, String> {
    let mut count = 0;
    for path in json_files(folder, false)? {
        let failed = |what: &str| format!("{}: {what}", path.display());
        let text = fs::read(&path).map_err(|error| failed(&error.to_string()))?;
        let Ok(case) = serde_json::from_slice::<Value>(&text) else { continue };
        let Some(wire) = case["wire"].as_str().and_then(unhex) else { continue };
        check(&case, &wire).map_err(|what| failed(&what))?;
        count += 1;
    }
    println!("{count} frames of http2-frame-test-case");
    Ok(count)
}

fn check(case: &Value, wire: &[u8]) -> Result<(), String> {
    for cut in 1..=wire.len() {
        let frame = read(wire, cut).ok_or("no frame comes of it")?;
        let is_right = match (&frame, case["error"].as_array()) {
            (Err(error), Some(codes)) => codes.contains(&json!(error.code.0)),
            (Ok(frame), None) => {
                case["frame"]["stream_identifier"] == frame.stream().value()
                    && says(frame, &case["frame"]["frame_payload"])
            }
            _ => false,
        };
        if !is_right {
            return Err(format!("cut at {cut}: {frame:?}"));
        }
    }
    Ok(())
}

fn read(wire: &[u8], cut: usize) -> Option<Result<Frame, FrameError>> {
    let mut decoder = FrameDecoder::new(MAX_FRAME_SIZE);
    let (before, after) = wire.split_at(cut);
    decoder.receive(before);
    let frame = decoder.poll();
    decoder.receive(after);
    frame.or_else(|| decoder.poll())
}

/// Whether the case says the same of the payload. Padding is gone from a frame, and only DATA still tell how much it was.
fn says(frame: &Frame, payload: &Value) -> bool {
    let text = |octets: &[u8], key: &str| payload[key].as_str().is_some_and(|text| text.as_bytes() == octets);
    match frame {
        Frame::Data { data, padding, .. } => {
            text(data, "data") && payload["padding_length"].as_u64() == padding.checked_sub(1).map(u64::from)
        }
        Frame::Headers { fragment, priority, .. } => {
            text(fragment, "header_block_fragment") && prioritizes(*priority, payload)
        }
        Frame::Priority { priority, .. } => prioritizes(Some(*priority), payload),
        Frame::RstStream { code, .. } => payload["error_code"] == code.0,
        Frame::Settings(settings) => {
            let settings: Vec<_> = settings.iter().map(|(id, value)| json!([id, value])).collect();
            payload["settings"] == json!(settings)
        }
        Frame::PushPromise { promised, fragment, .. } => {
            text(fragment, "header_block_fragment") && payload["promised_stream_id"] == promised.value()
        }
        Frame::Ping { opaque, .. } => text(&opaque.to_be_bytes(), "opaque_data"),
        Frame::GoAway { last_stream, code, debug } => {
            payload["last_stream_id"] == last_stream.value()
                && payload["error_code"] == code.0
                && text(debug, "additional_debug_data")
        }
        Frame::WindowUpdate { increment, .. } => payload["window_size_increment"] == *increment,
        Frame::Continuation { fragment, .. } => text(fragment, "header_block_fragment"),
        Frame::SettingsAck | Frame::Extension { .. } => false,
    }
}

fn prioritizes(priority: Option<Priority>, payload: &Value) -> bool {
    let expected = priority.map_or(json!([null, null, null]), |priority| {
        json!([priority.dependency.value(), priority.weight, priority.exclusive])
    });
    json!([payload["stream_dependency"], payload["weight"], payload["exclusive"]]) == expected
}
