//! Size checks of a caller's arguments against their fields on the wire.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::expiration::Expiration;
use super::fields::MAX_PARAMETERS;
use super::types::{AuthResponse, Change, CounterConfiguration, Factory, ListenerOptions, Modification, Xid};

/// Largest length or count: the server reads these vInts as signed.
const LONGEST: usize = i32::MAX as usize;

/// Error for an argument that exceeds the limit of its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oversize {
    /// Name of the field.
    pub field: &'static str,
    /// Size of the argument, in bytes or items.
    pub size: usize,
    /// Largest allowed size.
    pub limit: usize,
}

fn within(field: &'static str, size: usize, limit: usize) -> Result<(), Oversize> {
    if size > limit { Err(Oversize { field, size, limit }) } else { Ok(()) }
}

pub(crate) trait Fits {
    fn fits(&self, field: &'static str) -> Result<(), Oversize>;

    /// Approximate number of key and value bytes.
    fn bytes(&self) -> usize {
        0
    }
}

macro_rules! always_fit {
    ($($type:ty),*) => {
        $(impl Fits for $type {
            fn fits(&self, _field: &'static str) -> Result<(), Oversize> {
                Ok(())
            }
        })*
    };
}

always_fit!(u64, i64, i32, u32, bool, Expiration, CounterConfiguration);

impl Fits for Bytes {
    fn fits(&self, field: &'static str) -> Result<(), Oversize> {
        within(field, self.len(), LONGEST)
    }

    fn bytes(&self) -> usize {
        self.len()
    }
}

impl Fits for AuthResponse {
    fn fits(&self, field: &'static str) -> Result<(), Oversize> {
        self.0.fits(field)
    }
}

impl Fits for String {
    fn fits(&self, field: &'static str) -> Result<(), Oversize> {
        within(field, self.len(), LONGEST)
    }
}

impl<T: Fits> Fits for Option<T> {
    fn fits(&self, field: &'static str) -> Result<(), Oversize> {
        self.as_ref().map_or(Ok(()), |value| value.fits(field))
    }

    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, Fits::bytes)
    }
}

impl Fits for Vec<Bytes> {
    fn fits(&self, field: &'static str) -> Result<(), Oversize> {
        within(field, self.len(), LONGEST)?;
        self.iter().try_for_each(|value| value.fits(field))
    }

    fn bytes(&self) -> usize {
        self.iter().map(Bytes::len).sum()
    }
}

impl Fits for Vec<(Bytes, Bytes)> {
    fn fits(&self, field: &'static str) -> Result<(), Oversize> {
        within(field, self.len(), LONGEST)?;
        self.iter().try_for_each(|(key, value)| key.fits(field).and_then(|()| value.fits(field)))
    }

    fn bytes(&self) -> usize {
        self.iter().map(|(key, value)| key.len() + value.len()).sum()
    }
}

/// Task parameters.
impl Fits for Vec<(String, Bytes)> {
    fn fits(&self, field: &'static str) -> Result<(), Oversize> {
        within(field, self.len(), MAX_PARAMETERS)?;
        self.iter().try_for_each(|(name, value)| name.fits(field).and_then(|()| value.fits(field)))
    }

    fn bytes(&self) -> usize {
        self.iter().map(|(_, value)| value.len()).sum()
    }
}

impl Fits for Factory {
    fn fits(&self, field: &'static str) -> Result<(), Oversize> {
        within(field, self.parameters.len(), MAX_PARAMETERS)?;
        self.parameters.fits(field)
    }
}

impl Fits for ListenerOptions {
    fn fits(&self, _field: &'static str) -> Result<(), Oversize> {
        self.filter.fits("filter parameters")?;
        self.converter.fits("converter parameters")
    }
}

impl Fits for Xid {
    fn fits(&self, _field: &'static str) -> Result<(), Oversize> {
        // X/Open XA: MAXGTRIDSIZE, MAXBQUALSIZE
        within("global transaction id", self.global_transaction_id.len(), 64)?;
        within("branch qualifier", self.branch_qualifier.len(), 64)
    }
}

impl Fits for Vec<Modification> {
    fn fits(&self, field: &'static str) -> Result<(), Oversize> {
        within(field, self.len(), LONGEST)?;
        self.iter().try_for_each(|modification| {
            modification.key.fits("key")?;
            match &modification.change {
                Change::Remove => Ok(()),
                Change::Put { value, .. } => value.fits("value"),
            }
        })
    }

    fn bytes(&self) -> usize {
        let of = |modification: &Modification| match &modification.change {
            Change::Remove => modification.key.len(),
            Change::Put { value, .. } => modification.key.len() + value.len(),
        };
        self.iter().map(of).sum()
    }
}
