//! Error codes.

use core::fmt;

/// Error code of RST_STREAM and GOAWAY (RFC 9113, 7); unknown codes survive a round trip.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub u32);

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        impl ErrorCode {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// All codes of RFC 9113, with their names.
            pub const ALL: &'static [(&'static str, Self)] = &[$((stringify!($name), Self::$name)),*];

            /// Name of the code in RFC 9113; `None` for any other.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

error_codes! {
    /// Graceful shutdown, without an error.
    NO_ERROR = 0x00;
    /// Protocol violation without a more specific code.
    PROTOCOL_ERROR = 0x01;
    /// Internal error.
    INTERNAL_ERROR = 0x02;
    /// Flow-control violation.
    FLOW_CONTROL_ERROR = 0x03;
    /// SETTINGS were not acknowledged in time.
    SETTINGS_TIMEOUT = 0x04;
    /// Frame on a half-closed stream.
    STREAM_CLOSED = 0x05;
    /// Frame with an invalid length.
    FRAME_SIZE_ERROR = 0x06;
    /// The stream was refused before any processing; the request may be retried.
    REFUSED_STREAM = 0x07;
    /// The stream is no longer needed.
    CANCEL = 0x08;
    /// The compression state is lost.
    COMPRESSION_ERROR = 0x09;
    /// The connection established by CONNECT was reset or closed abnormally.
    CONNECT_ERROR = 0x0a;
    /// The peer's behaviour may cause excessive load.
    ENHANCE_YOUR_CALM = 0x0b;
    /// The transport is not secure enough.
    INADEQUATE_SECURITY = 0x0c;
    /// HTTP/1.1 is required.
    HTTP_1_1_REQUIRED = 0x0d;
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "error code {:#010x}", self.0),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorCode({self})")
    }
}
