//! Error codes.

use core::fmt;

/// Why a stream or a connection ended, in RST_STREAM and GOAWAY (RFC 9113, 7); unknown codes survive a round trip.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub u32);

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        impl ErrorCode {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// Every code of RFC 9113 by its name.
            pub const ALL: &'static [(&'static str, Self)] = &[$((stringify!($name), Self::$name)),*];

            /// The name of the code in RFC 9113; `None` for any other.
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
    /// No error: a graceful end.
    NO_ERROR = 0x00;
    /// The peer broke the protocol in a way that no other code names.
    PROTOCOL_ERROR = 0x01;
    /// Something went wrong inside.
    INTERNAL_ERROR = 0x02;
    /// The peer broke flow control.
    FLOW_CONTROL_ERROR = 0x03;
    /// SETTINGS were not acknowledged in time.
    SETTINGS_TIMEOUT = 0x04;
    /// A frame came on a stream that was half closed.
    STREAM_CLOSED = 0x05;
    /// A frame has a size that it can't have.
    FRAME_SIZE_ERROR = 0x06;
    /// The stream was refused before anything was done with it: the request may be sent again.
    REFUSED_STREAM = 0x07;
    /// The stream is no longer needed.
    CANCEL = 0x08;
    /// The state of header compression can't be followed any more.
    COMPRESSION_ERROR = 0x09;
    /// The connection made by a CONNECT request was reset or closed abnormally.
    CONNECT_ERROR = 0x0a;
    /// The peer does things that may cause excessive load.
    ENHANCE_YOUR_CALM = 0x0b;
    /// The transport is not secure enough.
    INADEQUATE_SECURITY = 0x0c;
    /// HTTP/1.1 is to be used.
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
