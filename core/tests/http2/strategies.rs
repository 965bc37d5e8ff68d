//! Strategies for frames.

use bytes::Bytes;
use hotrod_core::http2::frame::{Frame, FrameKind, Priority, SettingsPayload};
use hotrod_core::http2::{ErrorCode, StreamId, setting};
use proptest::collection::vec;
use proptest::prelude::*;

fn stream() -> impl Strategy<Value = StreamId> {
    prop_oneof![1u32..100, 1u32..=0x7fff_ffff].prop_map(StreamId::new)
}

fn any_stream() -> impl Strategy<Value = StreamId> {
    prop_oneof![Just(StreamId::CONNECTION), stream()]
}

/// Mostly short; some as long as every receiver accepts, and above the copying threshold.
pub(crate) fn content(max: usize) -> impl Strategy<Value = Bytes> {
    let large = (4000..=max).prop_map(|size| vec![7; size]);
    prop_oneof![8 => vec(any::<u8>(), 0..64), 1 => large].prop_map(Bytes::from)
}

fn priority() -> impl Strategy<Value = Priority> {
    (any_stream(), any::<bool>(), 1u16..=256).prop_map(|(dependency, exclusive, weight)| Priority {
        dependency,
        exclusive,
        weight,
    })
}

fn setting_value() -> impl Strategy<Value = (u16, u32)> {
    prop_oneof![
        (0u32..=1).prop_map(|value| (setting::ENABLE_PUSH, value)),
        (0u32..=1).prop_map(|value| (setting::ENABLE_CONNECT_PROTOCOL, value)),
        (0u32..=0x7fff_ffff).prop_map(|value| (setting::INITIAL_WINDOW_SIZE, value)),
        (0x4000u32..=0xff_ffff).prop_map(|value| (setting::MAX_FRAME_SIZE, value)),
        any::<u32>().prop_map(|value| (setting::MAX_CONCURRENT_STREAMS, value)),
        (9u16.., any::<u32>()),
    ]
}

/// Any frame that can be written and read, with payloads of up to 2^14 bytes.
pub(crate) fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        (stream(), content(16_384), any::<bool>()).prop_map(|(stream, data, end_stream)| Frame::Data {
            stream,
            data,
            padding: 0,
            end_stream
        }),
        (stream(), proptest::option::of(priority()), content(16_000), any::<bool>(), any::<bool>()).prop_map(
            |(stream, priority, fragment, end_stream, end_headers)| Frame::Headers {
                stream,
                priority,
                fragment,
                end_stream,
                end_headers
            }
        ),
        (stream(), priority())
            .prop_filter("on itself", |(stream, priority)| *stream != priority.dependency)
            .prop_map(|(stream, priority)| Frame::Priority { stream, priority }),
        (stream(), any::<u32>()).prop_map(|(stream, code)| Frame::RstStream { stream, code: ErrorCode(code) }),
        vec(setting_value(), 0..8).prop_map(|settings| Frame::Settings(SettingsPayload::new(settings))),
        Just(Frame::SettingsAck),
        (stream(), 1u32..0x4000_0000, content(16_000), any::<bool>()).prop_map(
            |(stream, promised, fragment, end_headers)| Frame::PushPromise {
                stream,
                promised: StreamId::new((promised * 2).min(0x7fff_fffe)),
                fragment,
                end_headers
            }
        ),
        (any::<bool>(), any::<u64>()).prop_map(|(ack, opaque)| Frame::Ping { ack, opaque }),
        (any_stream(), any::<u32>(), content(16_000)).prop_map(|(last_stream, code, debug)| Frame::GoAway {
            last_stream,
            code: ErrorCode(code),
            debug
        }),
        (any_stream(), 1u32..=0x7fff_ffff).prop_map(|(stream, increment)| Frame::WindowUpdate { stream, increment }),
        (stream(), content(16_384), any::<bool>()).prop_map(|(stream, fragment, end_headers)| Frame::Continuation {
            stream,
            fragment,
            end_headers
        }),
        (any_stream(), 10u8.., any::<u8>(), content(16_384)).prop_map(|(stream, kind, flags, payload)| {
            Frame::Extension { stream, kind: FrameKind(kind), flags, payload }
        }),
    ]
}
