//! Values that can be told from each other, some of them long.

use bytes::Bytes;

use crate::history::ValueId;

/// The longest value.
pub const LONGEST: usize = 20 << 10;

/// The value of that number. One of sixteen does not fit into a connection at once.
pub fn value_of(id: ValueId) -> Bytes {
    let mut value = format!("value {id} ");
    if id % 16 == 7 {
        let length = LONGEST / 2 + id as usize * 7 % (LONGEST / 2);
        value.extend(std::iter::repeat_n('.', length - value.len()));
    }
    value.into()
}

/// The number of a value; the error is of one that nobody has written.
pub fn number_of(value: &Bytes) -> Result<ValueId, String> {
    let number = value.get(6..).and_then(|rest| rest.split(|byte| *byte == b' ').next());
    let id = number.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    id.filter(|id| value_of(*id) == *value).ok_or_else(|| format!("nobody has written {value:?}"))
}
