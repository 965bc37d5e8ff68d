//! `operations!`: makes the rows of the table into [`Operation`], [`Request`] with its encoder and decoder, and the
//! accessors of the columns that name a field. The other columns are fields of [`Row`].
//!
//! [`Operation`]: super::Operation
//! [`Request`]: super::Request
//! [`Row`]: super::Row

macro_rules! operations {
    ($(
        #[doc = $doc:literal]
        $name:literal $variant:ident $request:literal -> $reply:literal, $since:ident
        { $($field:ident: $kind:ident = $type:ty),* } -> $shape:ident {
            routing: $routing:ident $(($key:ident))?,
            effect: $effect:ident,
            near_cache: $near_cache:ident $(($written:ident))?,
            listener: $listener:ident $(($listener_id:ident $(, $removal:ident { $($removal_field:ident),* })?))?,
            transaction: $transaction:ident $(($xid:ident $(, $one_phase:ident)?))?,
            split: $split:ident $(($list:ident $(, $same:ident)*))?,
            answer_size: $answer_size:ident,
            outcome: $outcome:ident,
            before_authentication: $before_authentication:literal,
            versions: $versions:ident $(($version:ident))?,
            offer: $offer:ident
        }
    )*) => {
        /// An operation of the protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Operation {
            $(#[doc = $doc] $variant,)*
        }

        /// The table, in the order of [`Operation`].
        static ROWS: &[Row] = &[$(Row {
            operation: Operation::$variant,
            name: $name,
            variant: stringify!($variant),
            request_opcode: $request,
            reply_opcode: $reply,
            since: Version::$since,
            routing: Routing::$routing,
            effect: Effect::$effect,
            fields: &[$(FieldInfo {
                name: stringify!($field),
                shape: <fields::$kind as Field>::SHAPE,
                argument: <$type as Argument>::KIND,
            }),*],
            reply: ReplyShape::$shape,
            answer_size: AnswerSize::$answer_size,
            outcome: Outcome::$outcome,
            before_authentication: $before_authentication,
            versions: Versions::$versions $((Version::$version))?,
            offer: Offer::$offer,
            doc: $doc.trim_ascii_start(),
        }),*];

        /// An operation and its fields.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs)] // fields are named as in hotrod.gr
        #[non_exhaustive]
        pub enum Request {
            $(#[doc = $doc] $variant { $($field: $type),* },)*
        }

        impl Request {
            /// Returns the operation.
            pub fn operation(&self) -> Operation {
                match self {
                    $(Self::$variant { .. } => Operation::$variant,)*
                }
            }

            /// Returns the key whose primary owner the operation is sent to; `None` if it is not routed by a key.
            pub fn routing_key(&self) -> Option<&Bytes> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(let _ = $field;)*
                        operations!(@key $routing $(($key))?)
                    })*
                }
            }

            /// Returns what the operation does to near caches of its cache.
            pub fn near_cache(&self) -> NearCacheEffect<'_> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(let _ = $field;)*
                        operations!(@near_cache $effect $shape $near_cache $(($written))?)
                    })*
                }
            }

            /// Returns the listener that the operation registers or removes.
            pub fn listener(&self) -> ListenerEffect<'_> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(let _ = $field;)*
                        ListenerEffect::$listener $(($listener_id))?
                    })*
                }
            }

            /// Returns the request that undoes the registration of a listener; `None` for other operations.
            pub fn listener_removal(&self) -> Option<Self> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(let _ = $field;)*
                        operations!(@removal $listener $(($($removal { $($removal_field),* })?))?)
                    })*
                }
            }

            /// Returns the step of a transaction that the operation is.
            pub fn transaction(&self) -> TransactionStep<'_> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(let _ = $field;)*
                        operations!(@transaction $transaction $(($xid $(, $one_phase)?))?)
                    })*
                }
            }

            /// Whether the operation can be [split by the owners of its keys](Self::split_by).
            pub fn is_splittable(&self) -> bool {
                match self {
                    $(Self::$variant { .. } => operations!(@splittable $split),)*
                }
            }

            /// Splits a bulk operation by the owners of its keys; empty for an operation that is sent whole.
            pub fn split_by<O: Ord>(&self, owner_of: impl FnMut(&Bytes) -> O) -> BTreeMap<O, Self> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(let _ = $field;)*
                        operations!(@split $variant owner_of $split $(($list $(, $same)*))?)
                    })*
                }
            }

            /// Returns the keys of a bulk operation; empty for an operation that is sent whole.
            pub fn split_keys(&self) -> Box<[Bytes]> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(let _ = $field;)*
                        operations!(@keys $split $(($list))?)
                    })*
                }
            }

            /// Returns the lifetimes that the operation sets.
            pub fn expiration(&self) -> Option<Expiration> {
                match self {
                    $(Self::$variant { $($field),* } => operations!(@expiration $($field $kind)*),)*
                }
            }

            /// Checks that every field fits into its place on the wire.
            pub fn fits(&self) -> Result<(), Oversize> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $($field.fits(stringify!($field))?;)*
                    })*
                }
                Ok(())
            }

            /// Returns the bytes of the keys and values: about the size of the message, if it is a large one.
            pub fn value_bytes(&self) -> usize {
                match self {
                    $(Self::$variant { $($field),* } => 0 $(+ Fits::bytes($field))*,)*
                }
            }

            pub(crate) fn take<A: Arguments>(operation: Operation, arguments: &mut A) -> Result<Self, A::Error> {
                Ok(match operation {
                    $(Operation::$variant => Self::$variant {
                        $($field: <$type as Argument>::take(arguments, operation, stringify!($field))?),*
                    },)*
                })
            }

            pub(crate) fn write(&self, context: Context, out: &mut SendBuffer) {
                let _ = context;
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(<fields::$kind as Field>::write($field, context, out);)*
                    })*
                }
            }

            pub(crate) fn read(operation: Operation, context: Context, reader: &mut Reader<'_>) -> Read<Self> {
                Ok(match operation {
                    $(Operation::$variant => {
                        let operations!(@nested $($field)*) = operations!(@read context reader $($field $kind)*)?;
                        Self::$variant { $($field),* }
                    })*
                })
            }
        }
    };
    (@key Key($key:ident)) => { Some($key) };
    (@key StoredKey($key:ident)) => { Some($key) };
    (@key Any) => { None };
    (@key Same) => { None };
    (@nested) => { () };
    (@nested $first:ident $($rest:ident)*) => { ($first, operations!(@nested $($rest)*)) };
    (@read $context:ident $reader:ident) => {{ let _ = $reader; Read::Ok(()) }};
    (@read $context:ident $reader:ident $field:ident $kind:ident $($rest:ident $rest_kind:ident)*) => {
        $reader.then(
            |reader| <fields::$kind as Field>::read($context, stringify!($field), reader),
            |reader, _| operations!(@read $context reader $($rest $rest_kind)*),
        )
    };
    (@near_cache $effect:ident $shape:ident Nothing) => { NearCacheEffect::Nothing };
    (@near_cache Reads Value Read($key:ident)) => { NearCacheEffect::Read($key) };
    (@near_cache Reads ValueWithMetadata Read($key:ident)) => { NearCacheEffect::Read($key) };
    (@near_cache Reads Nothing Read($key:ident)) => { NearCacheEffect::Read($key) };
    (@near_cache Overwrites $shape:ident $($written:tt)*) => { operations!(@written $($written)*) };
    (@near_cache Changes $shape:ident $($written:tt)*) => { operations!(@written $($written)*) };
    (@written Key($key:ident)) => { NearCacheEffect::Key($key) };
    (@written Entries($entries:ident)) => { NearCacheEffect::Entries($entries) };
    (@written Everything) => { NearCacheEffect::Everything };
    (@removal None) => { None };
    (@removal Removes()) => { None };
    (@removal Adds($removal:ident { $($field:ident),* })) => { Some(Self::$removal { $($field: $field.clone()),* }) };
    (@transaction None) => { TransactionStep::None };
    (@transaction Prepares($xid:ident, $one_phase:ident)) => {
        if *$one_phase { TransactionStep::Ends($xid) } else { TransactionStep::Prepares($xid) }
    };
    (@transaction Ends($xid:ident)) => { TransactionStep::Ends($xid) };
    (@splittable Whole) => { false };
    (@splittable ByOwner) => { true };
    (@split $variant:ident $owner_of:ident Whole) => { BTreeMap::new() };
    (@split $variant:ident $owner_of:ident ByOwner($list:ident $(, $same:ident)*)) => {
        columns::by_owner($list, $owner_of)
            .into_iter()
            .map(|(owner, $list)| (owner, Self::$variant { $list, $($same: $same.clone()),* }))
            .collect()
    };
    (@keys Whole) => { Box::default() };
    (@keys ByOwner($list:ident)) => { $list.iter().map(|item| item.key().clone()).collect() };
    (@expiration) => { None };
    (@expiration $field:ident Lifetimes $($rest:ident $kind:ident)*) => {{ $(let _ = $rest;)* Some(*$field) }};
    (@expiration $field:ident $other:ident $($rest:ident $kind:ident)*) => {{
        let _ = $field;
        operations!(@expiration $($rest $kind)*)
    }};
}
