//! ProtoStream values are read and written as Infinispan's Java client does (spec/vectors/protostream.json).

use hotrod_core::protostream::{Container, DecodeProblem, EncodeError, Limits, TypeName, Value, decode, encode};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Name of an error, without its fields.
fn problem(bytes: &[u8]) -> DecodeProblem {
    decode(bytes, &Limits::default()).expect_err("a fault").problem
}

fn vectors() -> Vec<Json> {
    serde_json::from_str(include_str!("../../spec/vectors/protostream.json")).expect("JSON")
}

fn bytes_of(vector: &Json) -> Vec<u8> {
    unhex(vector["bytes"].as_str().expect("hexadecimal"))
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).expect("ASCII"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value in the words of the vectors.
fn described(value: &Value<'_>) -> Json {
    let typed = |of: &TypeName<'_>| match of {
        TypeName::Name(name) => ("type", json!(name)),
        TypeName::Id(id) => ("type_id", json!(id)),
    };
    match value {
        Value::Null => json!({"null": true}),
        Value::String(text) => json!({"string": text}),
        Value::Int32(number) => json!({"int32": number}),
        Value::Int64(number) => json!({"int64": number.to_string()}),
        Value::Double(number) => json!({"double_bits": format!("{:x}", number.to_bits())}),
        Value::Float(number) => json!({"float_bits": format!("{:x}", number.to_bits())}),
        Value::Bool(truth) => json!({"bool": truth}),
        Value::Bytes(bytes) => json!({"bytes": hex(bytes)}),
        Value::Char(unit) => json!({"char": unit}),
        Value::Short(number) => json!({"short": number}),
        Value::Byte(number) => json!({"byte": number}),
        Value::DateMillis(millis) => json!({"date_millis": millis.to_string()}),
        Value::Instant { seconds, nanos } => json!({"instant": {"seconds": seconds.to_string(), "nanos": nanos}}),
        Value::Enum { of, number } => {
            let (key, of) = typed(of);
            json!({"enum": {key: of, "number": number}})
        }
        Value::Message { of, bytes } => {
            let (key, of) = typed(of);
            json!({"message": {key: of, "bytes": hex(bytes)}})
        }
        Value::Container(container) => {
            assert!(container.bytes.is_empty(), "Java's containers have no fields of their own");
            let (key, of) = typed(&container.of);
            let elements: Vec<Json> = container.elements.iter().map(described).collect();
            json!({"container": {key: of, "elements": elements}})
        }
        other => panic!("Java's client does not write {other:?}"),
    }
}

#[test]
fn what_java_writes_is_read() {
    for vector in vectors() {
        let bytes = bytes_of(&vector);
        let value = decode(&bytes, &Limits::default()).unwrap_or_else(|error| panic!("{error}: {vector}"));
        assert_eq!(described(&value), vector["value"], "{vector}");
    }
}

#[test]
fn values_are_written_as_java_writes_them() {
    for vector in vectors() {
        let bytes = bytes_of(&vector);
        let value = decode(&bytes, &Limits::default()).expect("valid");
        assert_eq!(hex(&encode(&value).expect("valid")), hex(&bytes), "{vector}");
    }
}

#[test]
fn a_value_that_is_cut_at_any_byte_is_an_error() {
    for vector in vectors() {
        let bytes = bytes_of(&vector);
        for end in 0..bytes.len() {
            assert!(decode(&bytes[..end], &Limits::default()).is_err(), "{end} bytes of {vector}");
        }
    }
}

/// `ArrayList` of an enum and an instant, with elements as Infinispan 14 and older write them: the fields follow
/// without wrappers.
#[test]
fn elements_without_wrappers_are_read() {
    let name = |field: u8, text: &str| [&[field, field >> 7][..], &[text.len() as u8], text.as_bytes()].concat();
    let type_of_container = [&[0xe2, 0x01, 1][..], b"L"].concat();
    let size_and_message = [0xd8, 0x01, 3, 0xf2, 0x01, 0];
    let enumeration = [&name(0x82, "E")[..], &[0x90, 0x01, 4]].concat();
    let instant = [0xc0, 0x01, 7, 0xc8, 0x01, 8];
    let number = [0x28, 9];
    let bytes = [&type_of_container[..], &size_and_message, &enumeration, &instant, &number].concat();
    let elements = vec![
        Value::Enum { of: TypeName::Name("E"), number: 4 },
        Value::Instant { seconds: 7, nanos: 8 },
        Value::Int32(9),
    ];
    let expected = Container::new(TypeName::Name("L"), elements).into();
    assert_eq!(decode(&bytes, &Limits::default()), Ok(expected));
}

#[test]
fn fields_may_have_any_order() {
    let message = Value::Message { of: TypeName::Id(7), bytes: b"x" };
    assert_eq!(decode(b"\x98\x01\x07\x8a\x01\x01x", &Limits::default()), Ok(message.clone()));
    assert_eq!(decode(b"\x8a\x01\x01x\x98\x01\x07", &Limits::default()), Ok(message));
    let instant = Value::Instant { seconds: 1, nanos: 2 };
    assert_eq!(decode(b"\xc8\x01\x02\xc0\x01\x01", &Limits::default()), Ok(instant));
}

#[test]
fn more_or_less_than_one_value_is_an_error() {
    assert_eq!(problem(b""), DecodeProblem::Null);
    assert_eq!(problem(b"\xd0\x01\x01"), DecodeProblem::Null);
    assert_eq!(problem(b"\x28\x01\x28\x02"), DecodeProblem::Repeated { number: 5 });
    assert_eq!(problem(b"\x28\x01\x18\x02"), DecodeProblem::Repeated { number: 3 });
    assert_eq!(problem(b"\x28\x01\x98\x01\x07"), DecodeProblem::Incomplete, "a number with a type");
    assert_eq!(problem(b"\x98\x01\x07"), DecodeProblem::Incomplete, "a type alone");
    assert_eq!(problem(b"\x82\x01\x00\x8a\x01\x00"), DecodeProblem::Incomplete, "a type without a name");
    assert_eq!(problem(b"\x8a\x01\x01x"), DecodeProblem::Incomplete, "a message alone");
    assert_eq!(problem(b"\xc0\x01\x01"), DecodeProblem::Incomplete, "seconds alone");
    assert_eq!(problem(b"\x98\x01\x07\x82\x01\x01T\x8a\x01\x01x"), DecodeProblem::Repeated { number: 16 });
    assert_eq!(problem(b"\xd8\x01\x00\xf2\x01\x00"), DecodeProblem::Incomplete, "a container without a type");
}

#[test]
fn faults_in_fields_are_errors() {
    assert_eq!(problem(b"\x20"), DecodeProblem::Truncated);
    assert_eq!(problem(b"\x4a\x02a"), DecodeProblem::Truncated);
    assert_eq!(problem(b"\x4a\x01\xff"), DecodeProblem::NotUtf8);
    assert_eq!(problem(b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), DecodeProblem::NumberTooLong);
    assert_eq!(problem(b"\xf8\x01\x01"), DecodeProblem::UnknownField { number: 31, wire_type: 0 });
    assert_eq!(problem(b"\x2a\x01x"), DecodeProblem::UnknownField { number: 5, wire_type: 2 }, "another wire type");
    assert_eq!(problem(b"\x2b"), DecodeProblem::UnknownField { number: 5, wire_type: 3 }, "a group");
    assert_eq!(problem(b"\xa0\x01\x80\x80\x04"), DecodeProblem::OutOfRange { number: 20 }, "a char beyond 65535");
    assert_eq!(problem(b"\xb0\x01\x80\x01"), DecodeProblem::OutOfRange { number: 22 }, "a byte beyond 127");
    let late = b"\xc0\x01\x01\xc8\x01\x80\x94\xeb\xdc\x03";
    assert_eq!(problem(late), DecodeProblem::OutOfRange { number: 25 }, "a second of nanoseconds");
}

#[test]
fn an_error_tells_its_place_in_nested_containers() {
    let bytes = b"\xe2\x01\x01L\xd8\x01\x01\xf2\x01\x00\x8a\x01\x03\x4a\x01\xff";
    let error = decode(bytes, &Limits::default()).expect_err("not UTF-8");
    assert_eq!((error.offset, error.problem), (bytes.len(), DecodeProblem::NotUtf8));
}

#[test]
fn a_hostile_size_allocates_nothing() {
    let announced = b"\xe2\x01\x01L\xd8\x01\xff\xff\xff\xff\x07\xf2\x01\x00";
    assert_eq!(problem(announced), DecodeProblem::Truncated);
    let mut many = Limits::default();
    many.elements = 2;
    let list = |elements| encode(&Container::new(TypeName::Name("L"), elements).into()).expect("valid");
    let three = list(vec![Value::Int32(1); 3]);
    assert_eq!(decode(&three, &many).expect_err("three").problem, DecodeProblem::TooManyElements);
}

/// Containers within each other, so many.
fn nested(levels: usize) -> Value<'static> {
    (0..levels).fold(Value::Int32(1), |inner, _| Container::new(TypeName::Name("L"), vec![inner]).into())
}

#[test]
fn deep_nesting_is_an_error_both_ways() {
    let deepest = encode(&nested(32)).expect("the limit");
    assert_eq!(decode(&deepest, &Limits::default()), Ok(nested(32)));
    assert_eq!(encode(&nested(33)), Err(EncodeError::TooDeep));
    let deeper = [&b"\xe2\x01\x01L\xd8\x01\x01\xf2\x01\x00\x8a\x01"[..], &varint(deepest.len()), &deepest].concat();
    assert_eq!(problem(&deeper), DecodeProblem::TooDeep);
    // Without wrappers a level takes ten bytes: recursion must end before the stack does.
    let endless = b"\xe2\x01\x01L\xd8\x01\x01\xf2\x01\x00".repeat(100_000);
    assert_eq!(problem(&endless), DecodeProblem::TooDeep);
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

#[test]
fn a_value_that_cant_be_stored_is_an_error() {
    assert_eq!(encode(&Value::Null), Err(EncodeError::Null));
    let instant = Value::Instant { seconds: 0, nanos: 1_000_000_000 };
    assert_eq!(encode(&instant), Err(EncodeError::Nanos { nanos: 1_000_000_000 }));
    for of in [TypeName::Name(""), TypeName::Id(1 << 31)] {
        assert_eq!(encode(&Value::Enum { of, number: 0 }), Err(EncodeError::Type));
    }
}

/// An owned value, of which a borrowed one is made.
#[derive(Debug, Clone)]
enum Owned {
    Plain(Value<'static>),
    Text(String),
    Bytes(Vec<u8>),
    Message(Result<String, u32>, Vec<u8>),
    Enum(Result<String, u32>, i32),
    Container(Result<String, u32>, Vec<u8>, Vec<Owned>),
}

impl Owned {
    fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Text(text) => Value::String(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Message(name, bytes) => Value::Message { of: type_name(name), bytes },
            Self::Enum(name, number) => Value::Enum { of: type_name(name), number: *number },
            Self::Container(name, bytes, elements) => {
                let elements = elements.iter().map(Self::borrowed).collect();
                Container { of: type_name(name), bytes, elements }.into()
            }
        }
    }
}

fn type_name(name: &Result<String, u32>) -> TypeName<'_> {
    name.as_ref().map_or_else(|id| TypeName::Id(*id), |name| TypeName::Name(name))
}

fn plain() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        any::<i64>().prop_map(|bits| Value::Double(bits as f64)),
        any::<i32>().prop_map(|bits| Value::Float(bits as f32)),
        any::<i64>().prop_map(Value::Int64),
        any::<u64>().prop_map(Value::UInt64),
        any::<i32>().prop_map(Value::Int32),
        any::<u64>().prop_map(Value::Fixed64),
        any::<u32>().prop_map(Value::Fixed32),
        any::<bool>().prop_map(Value::Bool),
        any::<u32>().prop_map(Value::UInt32),
        any::<i32>().prop_map(Value::SFixed32),
        any::<i64>().prop_map(Value::SFixed64),
        any::<i32>().prop_map(Value::SInt32),
        any::<i64>().prop_map(Value::SInt64),
        any::<u16>().prop_map(Value::Char),
        any::<i16>().prop_map(Value::Short),
        any::<i8>().prop_map(Value::Byte),
        any::<i64>().prop_map(Value::DateMillis),
        (any::<i64>(), 0..1_000_000_000u32).prop_map(|(seconds, nanos)| Value::Instant { seconds, nanos }),
    ]
}

fn owned() -> impl Strategy<Value = Owned> {
    let name = || prop_oneof!["[a-z.]{1,20}".prop_map(Ok), (0..1u32 << 31).prop_map(Err)];
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    let leaf = prop_oneof![
        plain().prop_map(Owned::Plain),
        ".{0,20}".prop_map(Owned::Text),
        bytes().prop_map(Owned::Bytes),
        (name(), bytes()).prop_map(|(name, bytes)| Owned::Message(name, bytes)),
        (name(), any::<i32>()).prop_map(|(name, number)| Owned::Enum(name, number)),
    ];
    leaf.prop_recursive(4, 60, 8, move |inner| {
        let element = prop_oneof![4 => inner, 1 => Just(Owned::Plain(Value::Null))];
        (name(), bytes(), proptest::collection::vec(element, 0..8))
            .prop_map(|(name, bytes, elements)| Owned::Container(name, bytes, elements))
    })
}

proptest! {
    #[test]
    fn every_value_is_unchanged_by_a_round_trip(owned in owned()) {
        let value = owned.borrowed();
        let bytes = encode(&value).expect("valid");
        prop_assert_eq!(decode(&bytes, &Limits::default()), Ok(value));
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = decode(&bytes, &Limits::default()) {
            prop_assert!(encode(&value).is_ok());
        }
    }
}
