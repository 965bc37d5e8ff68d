//! Shapes of the cluster machine's outputs, from their declaration.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::crossing::{Context, Crossing, Subject};
use super::shape::{Shape, Value};
use crate::cluster::{
    CacheId, ClusterError, Dial, Event, IterationId, LinkId, ListenerId, MemberId, OperationId, Output, StartError, Tls,
};
use crate::session::Disconnect;
use crate::wire::{self, IterationEntry, Operation, Reply};

/// Gives the variants of a declared enum their shapes: number, name, documentation and fields.
macro_rules! shapes {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $variant:ident = $tag:literal $({
                    $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty,)*
                })?,
            )*
        }
        $(further $(#[doc = $inner_doc:literal])+ $inner:ident($inner_type:ty))?
    ) => {
        impl $name {
            /// Shapes of the variants.
            pub const SHAPES: &'static [Shape] = &[$(Shape {
                tag: $tag,
                name: stringify!($variant),
                doc: concat!($($doc, "\n"),+),
                fields: || {
                    #[allow(unused_mut)]
                    let mut fields = Vec::new();
                    $($(<$type as Crossing>::fields(
                        stringify!($field),
                        concat!($($field_doc, "\n"),+),
                        &mut fields,
                    );)*)?
                    fields
                },
            }),*];

            /// [Number](Shape::tag) of the variant's shape.
            pub fn tag(&self) -> u8 {
                match self {
                    $(Self::$variant { .. } => $tag,)*
                    $(Self::$inner(inner) => <$inner_type>::tag(inner),)?
                }
            }

            /// Appends its values, in the order of the shape's fields.
            pub fn cross(self, context: &Context<'_>, values: &mut Vec<Value>) {
                match self {
                    $(Self::$variant $({ $($field),* })? => {
                        $(
                            let mut subject = Subject::default();
                            $(Crossing::describe(&$field, &mut subject);)*
                            let context = context.of(subject);
                            $(Crossing::cross($field, &context, values);)*
                        )?
                    })*
                    $(Self::$inner(inner) => <$inner_type>::cross(inner, context, values),)?
                }
            }
        }
    };
}

#[cfg(test)]
pub(super) use shapes;

crate::cluster::outputs!(shapes);
crate::cluster::events!(shapes);
