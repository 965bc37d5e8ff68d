//! Reply statuses.

use core::fmt;

/// Status code of a reply; unknown codes survive a round trip.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u8);

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        impl Status {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// All known statuses, with their names.
            pub const ALL: &'static [(&'static str, Self)] = &[$((stringify!($name), Self::$name)),*];

            /// Description of the status; `None` for an unknown code.
            pub fn text(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    /// The operation succeeded.
    SUCCESS = 0x00, "success";
    /// The condition of a conditional operation did not hold; no previous value follows.
    NOT_EXECUTED = 0x01, "not executed";
    /// No such key, counter or listener exists.
    KEY_DOES_NOT_EXIST = 0x02, "key does not exist";
    /// The operation succeeded; the previous value follows.
    SUCCESS_WITH_PREVIOUS = 0x03, "success, with the previous value";
    /// The condition did not hold and the current value follows; for a counter, its bound is reached.
    NOT_EXECUTED_WITH_PREVIOUS = 0x04, "not executed, with the present value";
    /// The iteration does not exist, or no longer.
    INVALID_ITERATION = 0x05, "invalid iteration";
    /// As `SUCCESS`, from a cache that stores objects (2.4 to 2.8).
    SUCCESS_OBJECT_STORAGE = 0x06, "success, object storage";
    /// As `SUCCESS_WITH_PREVIOUS`, from a cache that stores objects (2.4 to 2.8).
    SUCCESS_WITH_PREVIOUS_OBJECT_STORAGE = 0x07, "success, with the previous value, object storage";
    /// As `NOT_EXECUTED_WITH_PREVIOUS`, from a cache that stores objects (2.4 to 2.8).
    NOT_EXECUTED_WITH_PREVIOUS_OBJECT_STORAGE = 0x08, "not executed, with the present value, object storage";
    /// The server could not read the magic byte or the message id.
    INVALID_MAGIC_OR_MESSAGE_ID = 0x81, "invalid magic or message id";
    /// The server does not support the operation.
    UNKNOWN_OPERATION = 0x82, "unknown operation";
    /// The server does not support the protocol version.
    UNKNOWN_VERSION = 0x83, "unknown version";
    /// The server could not parse the request, or the cache does not exist.
    PARSE_ERROR = 0x84, "request parsing error";
    /// The operation failed in the server.
    SERVER_ERROR = 0x85, "server error";
    /// The operation timed out in the server; it may have been applied.
    TIMED_OUT = 0x86, "operation timed out in the server";
    /// A member that the operation needed left the cluster; retry is possible.
    NODE_SUSPECTED = 0x87, "node suspected";
    /// The cache or the server is starting or stopping; retry on another member is possible.
    ILLEGAL_LIFECYCLE_STATE = 0x88, "illegal lifecycle state";
}

impl Status {
    /// Whether the reply carries an error message in place of a result.
    pub fn is_error(self) -> bool {
        self.0 >= 0x80
    }

    /// Whether a previous (or current) value follows.
    pub fn has_previous(self) -> bool {
        matches!(
            self,
            Self::SUCCESS_WITH_PREVIOUS
                | Self::NOT_EXECUTED_WITH_PREVIOUS
                | Self::SUCCESS_WITH_PREVIOUS_OBJECT_STORAGE
                | Self::NOT_EXECUTED_WITH_PREVIOUS_OBJECT_STORAGE
        )
    }

    /// Whether the operation succeeded.
    pub fn is_success(self) -> bool {
        matches!(
            self,
            Self::SUCCESS
                | Self::SUCCESS_WITH_PREVIOUS
                | Self::SUCCESS_OBJECT_STORAGE
                | Self::SUCCESS_WITH_PREVIOUS_OBJECT_STORAGE
        )
    }

    /// Whether an operation that failed with this status may be sent again, to another member or later.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::NODE_SUSPECTED | Self::ILLEGAL_LIFECYCLE_STATE)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => write!(f, "{text} ({:#04x})", self.0),
            None => write!(f, "unknown status {:#04x}", self.0),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Status({self})")
    }
}
