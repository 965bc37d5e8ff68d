//! Errors of servers that can't convert a key or a value: which media types met, and what to do.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use crate::cluster::cache::Cache;
use crate::cluster::output::ClusterError;
use crate::cluster::stored_form::stored_as;
use crate::session::OperationError;
use crate::wire::{MediaType, RequestOptions};

/// Marks of failed conversions in Infinispan's messages: its codes (Log.java of 16.0.7), and texts of its ProtoStream
/// library.
const SIGNS: [&str; 12] = [
    "ISPN000492",
    "ISPN000495",
    "ISPN000497",
    "ISPN000533",
    "ISPN000577",
    "ISPN000655",
    "ISPN000934",
    "Expected field '_type'",
    "Invalid top level object",
    "No marshaller registered",
    "Unexpected tag",
    "Unknown type name",
];

/// Adds to the server's message what the cache stores, and what the client declares; other errors stay as they are.
pub(super) fn explain(error: &mut ClusterError, cache: &Cache, declared: &RequestOptions) {
    let ClusterError::Operation { error: OperationError::Server { message, .. }, .. } = error else { return };
    if SIGNS.iter().any(|sign| message.contains(sign)) {
        message.push_str(&explanation(cache, declared));
    }
}

fn explanation(cache: &Cache, declared: &RequestOptions) -> String {
    let RequestOptions { key_type, value_type, .. } = declared;
    let name = &cache.name;
    let stored = match cache.stored_types() {
        Some([key, value]) => {
            format!("cache {name:?} stores keys {} and values {}", stored_as(key), stored_as(value))
        }
        None => format!("the server does not tell in which media types cache {name:?} stores"),
    };
    let declared = format!("the client declares keys {} and values {}", declared_as(key_type), declared_as(value_type));
    let hint = match cache.stored_types() {
        Some(stored) if needs_type([key_type, value_type], stored) => {
            "; JSON in a ProtoStream cache is an object whose \"_type\" names a registered message type"
        }
        _ => "",
    };
    format!("; {stored}, and {declared}{hint}")
}

fn declared_as(media_type: &MediaType) -> Cow<'static, str> {
    match media_type {
        MediaType::Unspecified => "as they are stored".into(),
        media_type => format!("as {media_type}").into(),
    }
}

fn needs_type(declared: [&MediaType; 2], stored: &[MediaType; 2]) -> bool {
    declared.into_iter().zip(stored).any(|(declared, stored)| {
        declared.name() == Some("application/json") && stored.name() == Some("application/x-protostream")
    })
}
