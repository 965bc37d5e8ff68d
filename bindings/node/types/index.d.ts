/**
 * A cluster client for Hot Rod, the binary protocol of Infinispan.
 *
 * ```js
 * const client = await connect('hotrod://127.0.0.1:11222')
 * await client.cache('dist').put('k', 'v')
 * ```
 *
 * @packageDocumentation
 */

/// <reference types="node" />

import type {
  CacheOperations, ClientEvent, CounterOperations, Counters, MultimapOperations, OperationName, Output, ProtoStreamContents,
  ProtoStreamNumber,
} from './generated.js'

export * from './generated.js'

/** Base class of all errors of this package. The message names the operation, the member, and whether it may be applied. */
export class HotRodError extends Error {
  /** Kind of the error, such as 'HOTROD_ERR_TIMED_OUT'; each subclass has its own. */
  readonly code: string
  /** Cause: the error of the connection (with Node's code, such as ECONNREFUSED), or of a codec. */
  readonly cause?: unknown
  /** The protocol's name of the failed operation, if there is one. */
  readonly operation: string | null
  /** The address of the member to which it was sent last. */
  readonly member: string | null
  /** The status of the server's error response, if there is one. */
  readonly status: number | null
  /** Meaning of `status`. */
  readonly statusText: string | null
  /** Whether the operation may have been executed; false if it certainly was not. */
  readonly mayHaveBeenApplied: boolean
  /** Number of attempts that reached a member. */
  readonly attempts: number
  /** For PartialError: the keys of each failed part, and its error. */
  readonly parts: { keys: Buffer[]; error: HotRodError }[]
  /** For PartialError: entries that the successful parts read. */
  readonly entries: [Buffer, Buffer][]
}

/** Meanings of server statuses. */
export const STATUSES: Record<number, string>

/** A lifetime and its start. */
export interface Lifetime {
  /** Creation (lifespan) or last use (maximum idle time): milliseconds since 1970 by the server's clock. */
  since: number
  /** Length of the lifetime in milliseconds. */
  duration: number
}

/** Metadata of an entry. */
export interface Metadata {
  /** Changes with every write; opaque, for conditional operations. */
  version: bigint
  /** Time to live after the write; null if unlimited. */
  lifespan: Lifetime | null
  /** Time to live after the last use; null if unlimited. */
  maxIdle: Lifetime | null
}

/** An entry without its key. */
export interface Entry<V> {
  value: V
  /** Changes with every write; null where the protocol version does not report it. */
  version: bigint | null
  /** Time to live after the write; null if unlimited or not reported. */
  lifespan: Lifetime | null
  /** Time to live after the last use; null if unlimited or not reported. */
  maxIdle: Lifetime | null
}

/** An entry that was read with its version. */
export interface VersionedEntry<V> extends Entry<V> {
  version: bigint
}

/** The outcome of an operation with a condition, from the methods that end in `WithOutcome`; never falsy. */
export interface Conditional<V> {
  /** Whether the condition held and the operation was executed. */
  executed: boolean
  /** The previous entry, or the current one if the operation was not executed; only with Flags.FORCE_RETURN_VALUE. */
  previous: Entry<V> | null
}

/** The outcome of an operation on a given version of an entry, from the methods that end in `WithOutcome`; never falsy. */
export type Versioned = 'done' | 'modified' | 'missing'

/** The values of a multimap key. */
export interface ValuesWithMetadata<V> {
  values: V[]
  metadata: Metadata
}

/** Capabilities of a server. */
export interface ServerInfo {
  /** Storage media type of keys; empty if not reported. */
  keyType: string
  /** Storage media type of values; empty if not reported. */
  valueType: string
  /** The server's newest protocol version: 41 for 4.1 (3.0 and later). */
  serverVersion: number | null
  /** Request opcodes that the server supports (3.0 and later). */
  operations: number[]
}

/** A chunk of a streamed value. */
export interface Chunk {
  streamId: number
  complete: boolean
  metadata: Metadata | null
  chunk: Buffer
}

/** The identity of a transaction branch (X/Open XA). */
export interface Xid {
  formatId: number
  /** At most 64 bytes. */
  globalTransactionId: Uint8Array
  /** At most 64 bytes. */
  branchQualifier: Uint8Array
}

/** One change that a transaction makes. */
export interface Modification extends Lifetimes {
  key: Uint8Array
  /** The new value; null to remove the entry. */
  value: Uint8Array | null
  /** State that the transaction read: the entry's version, that there was none, or nothing. */
  seen?: bigint | 'non_existing' | 'not_read'
}

/** Configuration of a counter. */
export interface CounterConfiguration {
  kind: 'unbounded_strong' | 'bounded_strong' | 'weak'
  initialValue?: bigint | number
  /** Lower bound of a bounded counter, inclusive. */
  lower?: bigint | number | null
  /** Upper bound of a bounded counter, inclusive. */
  upper?: bigint | number | null
  /** Number of partial values of a weak counter. */
  concurrency?: number | null
  /** Whether the counter survives a restart of the cluster. */
  persistent?: boolean
}

/** An entry of an iteration. */
export interface IterationEntry<K, V> {
  key: K
  /** The value, or the projections that the filter-converter returned. */
  values: V[]
  /** Version and lifetimes, if requested. */
  metadata: Metadata | null
}

/** TLS settings of a link. */
export interface Tls {
  /** Server name for SNI (not sent for an IP address) and for verification of the certificate. */
  serverName: string
  /** ALPN protocol ids to offer, in order of preference. */
  alpn: string[]
  /** PEM file with trust anchors; null for Node's. */
  trustCa: string | null
  /** PEM files with the client's certificate chain and private key. */
  clientCertificate: { certificate: string; key: string; keyPassword?: string } | null
}

/** Answer of an operation at the machine's level. */
export type Answer =
  | null | boolean | number | bigint | string | Buffer | Buffer[] | string[] | [Buffer, Buffer][] | [string, string][]
  | Entry<Buffer> | Conditional<Buffer> | ValuesWithMetadata<Buffer> | ServerInfo | Chunk | Xid[] | CounterConfiguration

/** Lifetimes of an entry. Before protocol version 3.0 more than 30 days are refused: servers would read them as a date. */
export interface Lifetimes {
  /** Time to live after the write, in milliseconds; Infinity for unlimited; by default the cache's configuration. */
  lifespan?: number | { count: bigint | number; unit: 's' | 'ms' | 'ns' | 'us' | 'min' | 'h' | 'd' } | null
  /** Time to live after the last use; values as for `lifespan`. */
  maxIdle?: number | { count: bigint | number; unit: 's' | 'ms' | 'ns' | 'us' | 'min' | 'h' | 'd' } | null
}

/** Options of one operation. */
export interface CallOptions {
  /** Timeout in milliseconds over all attempts. */
  timeout?: number
  /** Cancels the operation; it may still be executed. */
  signal?: AbortSignal
  /** Id, from `members()`, of the only member that may execute the operation. */
  member?: number
}

/** Converts values to bytes and back. */
export interface Codec<T> {
  /** Media type sent to the server; empty for the cache's storage format. */
  mediaType: string
  encode(value: T): Uint8Array
  decode(data: Buffer): T
  /**
   * The bytes that servers store for an encoded key, to whose owner operations go: for a codec of keys whose conversion in the server
   * depends on a schema (the event `KeysNotRouted` names them); the client derives the others. Wrong bytes cost a hop, and nothing else.
   */
  storageKey?(encoded: Buffer): Uint8Array
}

/** Codecs of this package. */
export const codecs: {
  /** Bytes, unchanged; strings are encoded as UTF-8. */
  bytes: { mediaType: string; encode(value: Uint8Array | string): Uint8Array; decode(data: Buffer): Buffer }
  /** Strings, as text/plain in UTF-8. */
  text: Codec<string>
  /** JSON values of type T, as application/json. The type is not checked. */
  json<T = unknown>(): Codec<T>
  /**
   * Values of Infinispan's ProtoStream, as application/x-protostream: what Java's, Quarkus' and Spring's clients store by default.
   *
   * | written | kind | read as |
   * |---|---|---|
   * | string, boolean | `string`, `bool` | the same |
   * | number | that of `number`, by default `double` | number, for every kind of at most 32 bits and for `double` |
   * | bigint | `int64` | bigint, for every kind of 64 bits |
   * | Buffer, Uint8Array | `bytes` | Buffer |
   * | Date | `instant` | Date, also for `date_millis`; ProtoStreamValue if it has parts of a millisecond or is out of a Date's range |
   * | Array | `container`, java.util.ArrayList | Array, also for Java's other lists, sets and arrays; null may be an element |
   * | a message of `messages` | `message` | the message |
   * | ProtoStreamValue | its kind | as above; ProtoStreamValue for an enum, for a container of another type, and without `messages` for a message. With them one of another type is a DecodeError |
   *
   * A value is written back as the kind in the second column, whatever kind it was read from: an `int32` read as a number becomes a
   * `double` unless `number` is `'int32'`, and a HashSet becomes an ArrayList. Null and undefined can't be stored.
   *
   * With `messages`, T is the union of their types; `codecs.protostream<T>` names another type, which is not checked.
   */
  protostream<M extends MessageType<any>>(options: ProtoStreamOptions & { messages: readonly M[] }): Codec<MessageOf<M>>
  protostream<T = ProtoStreamData>(options?: ProtoStreamOptions): Codec<T>
}

/** Settings of `codecs.protostream`. */
export interface ProtoStreamOptions {
  /** Kind of a number: `'double'` by default, `'int32'` for Java's Integer. An integer kind refuses fractions and numbers out of its range. */
  number?: ProtoStreamNumber
  /** Types of messages that are read and written as objects. */
  messages?: readonly MessageType<any>[]
}

/**
 * A message type of a schema, read and written by a Protocol Buffers library; `protobufjsMessage` and `bufbuildMessage` make it
 * for two libraries.
 */
export interface MessageType<T> {
  /** Full name of the message with its package, such as `shop.Item`. */
  typeName: string
  /** Number that the schema assigns (`@TypeId`), at most 2,147,483,647. A message that has one must be written with it. */
  typeId?: number | undefined
  encode(message: T): Uint8Array
  decode(data: Buffer): T
  /** Returns whether an object is such a message. */
  is(value: object): boolean
}

/** The type of a MessageType's messages. */
export type MessageOf<M> = M extends MessageType<infer T> ? T : never

/** Values that `codecs.protostream` reads and writes without `messages`. */
export type ProtoStreamData = string | boolean | number | bigint | Uint8Array | Date | ProtoStreamValue | (ProtoStreamData | null)[]

/** A value of an explicit kind: `new ProtoStreamValue('short', 7)`. The content is checked when it is written. */
export class ProtoStreamValue<Kind extends keyof ProtoStreamContents = keyof ProtoStreamContents> {
  /** Throws MisuseError for an unknown kind. */
  constructor(kind: Kind, content: ProtoStreamContents[Kind])
  readonly kind: Kind
  readonly content: ProtoStreamContents[Kind]
}

/** Content of a ProtoStreamValue of the kind `container`. */
export interface ProtoStreamContainer {
  /** Full name of the container's type, such as `org.infinispan.protostream.commons.HashSet`, or its number. */
  type: string | number
  /** At most 32 containers may be within each other. */
  elements: unknown[]
  /** Encoded message of the container's own fields; empty for Java's classes. */
  bytes?: Uint8Array
}

/** Returns the message type of a protobufjs `Type`, or of a class that protobufjs generated with type URLs. */
export function protobufjsMessage<T extends object>(
  type: {
    fullName?: string
    ctor?: unknown
    getTypeUrl?(prefix?: string): string
    encode(message: any): { finish(): Uint8Array }
    decode(data: Uint8Array): T
  },
  options?: { typeId?: number },
): MessageType<T>

/**
 * Returns the message type of a schema of @bufbuild/protobuf 2; `library` is that package, or these functions of it. T is not checked:
 * `bufbuildMessage<Item>(ItemSchema, library)`.
 */
export function bufbuildMessage<T extends { $typeName: string }>(
  schema: { typeName: T['$typeName'] },
  library: {
    fromBinary(schema: any, data: Uint8Array): unknown
    isMessage(value: any, schema?: any): boolean
    toBinary(schema: any, message: any): Uint8Array
  },
  options?: { typeId?: number },
): MessageType<T>

/** Request settings of a cache. */
export interface CacheOptions {
  /** Flags of every request, combined by `|`. */
  flags?: number
  /** Timeout of each operation in milliseconds, over all its attempts. */
  timeout?: number
  /** Whether reads go to any owner instead of the primary owner. */
  readFromAnyOwner?: boolean
  /** W3C Trace Context header of every operation (4.0 and later). */
  traceparent?: string
}

/** Keys and values of caches without codecs; strings are encoded as UTF-8. */
export type Data = Uint8Array | string

/**
 * Connects to the cluster that a URI names. Settings, user and password are parts of the URI. A URI with `key_media_type` or
 * `value_media_type` text/plain (UTF-8), application/json or application/x-protostream has the codec of that media type; with
 * another media type keys and values are bytes.
 *
 * @throws MisuseError for an invalid URI, UnreachableError if no server can be reached, HandshakeError if no server accepts
 * the client.
 */
export function connect(uri: string | URL): Promise<Client>
/** Connects with codecs for all caches and multimaps of the client that have none of their own. */
export function connect<K, V>(uri: string | URL, options: { codecs: { key: Codec<K>; value: Codec<V> } }): Promise<Client<K, V, K, V>>
/** Connects to a URI whose media types have codecs; K and V are the types of keys and values, which are not checked. */
export function connect<K, V>(uri: string | URL): Promise<Client<K, V, K, V>>

/**
 * The schemas of a cluster: files of Protocol Buffers by name, by which servers query, index and convert values of ProtoStream
 * caches. They need the permission CREATE where the servers authorize.
 */
export class Schemas {
  private constructor()
  /**
   * Registers or updates files, given as `{ 'shop.proto': text }`, in any order. Throws SchemaError if any of them has errors, or
   * if one that imports them has errors now. They are stored all the same, until they are registered again or removed.
   */
  register(schemas: Record<string, string>): Promise<void>
  /**
   * Registers files of the disk. Their names in the servers, by which they import each other, are relative to `root`; by default
   * those of the files without a folder.
   */
  registerFiles(paths: string[], options?: { root?: string }): Promise<void>
  /** Returns the text of a schema; null if there is none. */
  get(name: string): Promise<string | null>
  /** Returns the names of all schemas, sorted. */
  names(): Promise<string[]>
  /** Returns the errors of all schemas that have some, by name, as the server's parser says them. */
  errors(): Promise<Record<string, string>>
  /** Removes a schema; resolves to false if there is none. Those that import it have errors then. */
  remove(name: string): Promise<boolean>
}

/**
 * A client of one cluster. Keeps a link to every member, sends each operation to the member that owns its key, and continues
 * while members join, leave and fail. The error of a failed operation says whether the operation may have been applied. The types
 * are those of keys and values in requests and in answers.
 */
export class Client<K = Data, V = Data, KOut = Buffer, VOut = Buffer> {
  private constructor()
  /** Returns a cache by its name, by default the cache of the URI or the server's default cache. */
  cache(name?: string, options?: CacheOptions): Cache<K, V, KOut, VOut>
  cache<K2, V2>(name: string, options: CacheOptions & { codecs: { key: Codec<K2>; value: Codec<V2> } }): Cache<K2, V2>
  /** Returns a counter by its name. */
  counter(name: string, options?: { timeout?: number }): Counter
  /** Returns a multimap stored in the cache `name`. */
  multimap<K2 = K, V2 = V>(
    name: string,
    options?: { codecs?: { key: Codec<K2>; value: Codec<V2> }; supportsDuplicates?: boolean; timeout?: number },
  ): Multimap<K2, V2>
  /** The schemas of Protocol Buffers in the servers: register, update, list and remove them. */
  readonly schemas: Schemas
  /** Returns the names of all counters. */
  counterNames(options?: CallOptions): Promise<string[]>
  /** Returns every known member, and the seeds. */
  members(): Member[]
  /** Returns the view by which operations of `cache` are routed; null before its first topology. */
  view(cache: Cache<any, any, any, any>): View | null
  /** Returns the client's statistics. */
  counters(): Counters
  /** Returns how many members are reached directly, and why not all. */
  coverage(): Coverage
  /** Subscribes to events of members, topologies, sites and near caches; beyond 1,024 queued events the oldest is dropped. */
  events(): ClientEvents
  /** Switches to another site; an empty name means the site of the URI. Returns false if the site is unknown. */
  switchSite(name: string): boolean
  /** Lets operations in flight finish, then closes every link. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A cache of the cluster. KOut and VOut are the types of keys and values in answers. */
export class Cache<K, V, KOut = K, VOut = V> {
  private constructor()
  readonly name: string
  /** Returns the same cache with other flags. */
  withFlags(flags: number): Cache<K, V, KOut, VOut>
  /** Returns the same cache with another timeout for each operation, in milliseconds. */
  withTimeout(timeout: number): Cache<K, V, KOut, VOut>
  /** Returns the same cache with other codecs. */
  withCodecs<K2, V2>(codecs: { key: Codec<K2>; value: Codec<V2> }): Cache<K2, V2>
  /** Returns the same cache with a W3C Trace Context header for its operations. */
  withTraceparent(traceparent: string): Cache<K, V, KOut, VOut>
  /** Stores values, each at its owner. Throws PartialError if only some of them were stored. */
  putAll(entries: Iterable<[K, V]> | Record<string, V>, options?: CallOptions & Lifetimes): Promise<void>
  /** Reads values, each from its owner; keys without an entry are left out. */
  getAll(keys: Iterable<K>, options?: CallOptions): Promise<Map<KOut, VOut>>
  /** Reads up to `count` entries, 0 for all, in one response. Prefer `iterate`. */
  bulkGet(count?: number, options?: CallOptions): Promise<Map<KOut, VOut>>
  /** Reads all keys in one response; `scope` 0 is the default, 1 global, 2 local. */
  bulkGetKeys(scope?: number, options?: CallOptions): Promise<KOut[]>
  /** Yields a large value in chunks of `chunkLength` bytes; none if there is no entry (4.1 and later). */
  readStream(key: K, options?: CallOptions & { chunkLength?: number }): AsyncGenerator<Buffer, void>
  /** Stores a large value from chunks (4.1 and later): like `put` with version 0n, like `putIfAbsent` with 2n ** 64n - 1n. Returns
   * whether it was stored. */
  writeStream(
    key: K,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options?: CallOptions & Lifetimes & { version?: bigint },
  ): Promise<boolean>
  /** Iterates over all entries, each once, on all members in parallel. */
  iterate(options?: IterationOptions): Iteration<KOut, VOut>
  /** Registers a listener. */
  listen(options?: ListenerOptions): Promise<Listener<EntryEvent<KOut> | MovedEvent>>
  /** Enables a near cache for reads through this object. `events` reports when it is active. */
  enableNearCache(options?: { maxEntries?: number; maxBytes?: number; bloomFilter?: boolean }): void
  /** Disables the near cache and drops its values. */
  disableNearCache(): void
  /** Executes any operation of the protocol by its name, with its fields in order. Keys and values are bytes here. */
  execute(operation: OperationName, args?: unknown[], options?: CallOptions): Promise<Answer>
}

// Keys and values in requests may have other types than in answers: strings for bytes.
type Out<T> = T extends (...args: infer A) => Promise<infer R> ? (...args: A) => Promise<R> : never
type Operations<K, V, VOut> = {
  [Name in keyof CacheOperations<K, VOut>]: CacheOperations<K, VOut>[Name] extends (...args: infer _) => Promise<infer R>
    ? (...args: Parameters<CacheOperations<K, V>[Name]>) => Promise<R>
    : Out<CacheOperations<K, VOut>[Name]>
}
export interface Cache<K, V, KOut, VOut> extends Operations<K, V, VOut> {}

/** Options of an iteration. */
export interface IterationOptions {
  /** Entries per batch of one member; default 1,000. */
  batchSize?: number
  /** Restricts the iteration to these segments: one bit each, least significant first. */
  segments?: Uint8Array
  /** A filter-converter factory of the server. */
  filterConverter?: Factory
  /** Whether entries have their version and lifetimes. */
  includeMetadata?: boolean
}

/** A filter, converter or filter-converter factory registered in the server. */
export interface Factory {
  name: string
  parameters?: Uint8Array[]
}

/** Options of a listener. */
export interface ListenerOptions {
  /** Sends a created event for every existing entry. */
  includeCurrentState?: boolean
  filter?: Factory
  converter?: Factory
  useRawData?: boolean
  /** Types of event; default all. */
  interests?: ('created' | 'modified' | 'removed' | 'expired')[]
}

/** Change of an entry. */
export interface EntryEvent<K> {
  type: 'created' | 'modified' | 'removed' | 'expired'
  /** The decoded key; null if the listener has a converter. */
  key: K | null
  /** The entry's version, if it was created or modified. */
  version: bigint | null
  /** Output of the listener's converter. */
  data: Buffer | null
  /** Whether the server retried the write, so the event may be a duplicate. */
  retried: boolean
}

/** Change of a counter. */
export interface CounterEvent {
  type: 'counter'
  counter: string
  oldValue: bigint
  oldState: CounterState
  newValue: bigint
  newState: CounterState
}

/** Whether a bounded counter is at a bound. */
export type CounterState = 'valid' | 'lower_bound_reached' | 'upper_bound_reached'

/** The listener moved to another member: events in between were missed. */
export interface MovedEvent {
  type: 'moved'
  member: number
}

/** Entries of a cache; leaving the loop early ends the iteration in the servers. */
export class Iteration<K, V> implements AsyncIterableIterator<IterationEntry<K, V> & { value: V }> {
  private constructor()
  next(): Promise<IteratorResult<IterationEntry<K, V> & { value: V }, undefined>>
  return(): Promise<IteratorResult<IterationEntry<K, V> & { value: V }, undefined>>
  /** Ends the iteration early. */
  close(): Promise<void>
  [Symbol.asyncIterator](): this
  [Symbol.asyncDispose](): Promise<void>
}

/** Events in order; none is dropped: the link of a slow listener is paused, which delays no operation. */
export class Listener<E> implements AsyncIterableIterator<E> {
  protected constructor()
  next(): Promise<IteratorResult<E, undefined>>
  return(): Promise<IteratorResult<E, undefined>>
  /** Removes the listener from the server. */
  close(): Promise<void>
  [Symbol.asyncIterator](): this
  [Symbol.asyncDispose](): Promise<void>
}

/** Events of members, topologies, sites and near caches. */
export class ClientEvents extends Listener<ClientEvent> {}

/** A counter of the cluster. */
export class Counter extends CounterOperations {
  private constructor()
  readonly name: string
  /** Registers a listener for changes of the counter. */
  listen(): Promise<Listener<CounterEvent | MovedEvent>>
  /** Creates a strong counter; returns false if the name is in use. */
  createStrong(options?: CallOptions & { initialValue?: bigint | number; persistent?: boolean }): Promise<boolean>
  /** Creates a strong counter with bounds; returns false if the name is in use. */
  createBounded(
    lower: bigint | number,
    upper: bigint | number,
    options?: CallOptions & { initialValue?: bigint | number; persistent?: boolean },
  ): Promise<boolean>
  /** Creates a weak counter; returns false if the name is in use. */
  createWeak(
    options?: CallOptions & { initialValue?: bigint | number; concurrency?: number; persistent?: boolean },
  ): Promise<boolean>
}

/** A multimap of the cluster: a cache whose keys have several values. */
export class Multimap<K, V> extends MultimapOperations<K, V> {
  private constructor()
  /** Whether a key may have the same value more than once (4.0 and later). */
  readonly supportsDuplicates: boolean
}

/** State of a member in the client. */
export interface Member {
  /** Identity in this client. */
  id: number
  /** Advertised address, or the address of a seed. */
  address: string
  ready: boolean
  isSeed: boolean
  /** Links to the member that are open or being established. */
  links: number
  inFlight: number
  /** Operations answered on the current links. */
  answered: number
  /** Protocol version of its ready session. */
  protocolVersion: string | null
  /** Last connection failure; null after a success. */
  failure: string | null
}

/** Coverage of the cluster: servers forward operations on keys of members that are not reached directly. */
export interface Coverage {
  /** Members with a ready session. */
  covered: number
  /** Members of the newest topology; 0 before the first topology. */
  members: number
  /** Why `covered` is below `members`; null if it is not. */
  reason: string | null
}

/** A cache's view of the cluster. */
export interface View {
  /** Opaque: compare for equality only. */
  topologyId: number
  members: string[]
  /** For each segment the indexes of its owners in `members`, the primary owner first. */
  owners: number[][]
}

/**
 * Decides when a connection to which address of a host is begun (RFC 8305); the first one that is established is kept. For hosts with
 * own sockets: `connect` does so by itself. `now` is in milliseconds.
 */
export class ConnectionAttempts {
  /** Takes the addresses in the resolver's order: whether each is an IPv6 address. */
  constructor(isIpv6: boolean[])
  /** Returns the index of the address to which a connection is to be begun now; call it again until it returns null. */
  pollAttempt(now: number): number | null
  /** Returns the time of the next attempt; null when every address has been tried. */
  pollTimeout(): number | null
  /** Reports that an attempt has failed: the next one is due now. */
  failed(): void
  /** Whether every attempt has failed, or there is no address. */
  readonly exhausted: boolean
}

/**
 * A client of a whole cluster without IO. The host owns sockets, TLS, DNS and the clock; `now` counts milliseconds since an
 * epoch of the host's choosing, with fractions, as `performance.now()` does. After any number of calls, `poll` returns what to do and `pollTimeout` the deadline of the next
 * `timeout`.
 */
export class Machine {
  /** `seed`, 32 bytes, is the only source of randomness; by default `crypto` gives one. Throws MisuseError for an invalid URI. */
  constructor(uri: string | URL, options?: { seed?: Uint8Array; now?: number })
  /** Name of the URI's cache; empty for the server's default cache. */
  readonly defaultCache: string
  /** Media types of the URI for caches that declare none; empty if there is none. */
  readonly defaultMediaTypes: { key: string; value: string }
  /** Whether `close` was called and every link is closed. */
  readonly closed: boolean
  /** Name of the current site; empty for the site of the URI. */
  readonly site: string
  /**
   * Settings of TLS; null without TLS. `serverName` is empty unless the settings have one for all links. A host reads the files when
   * the client is created, and refuses those that can't be used.
   */
  readonly tls: Tls | null
  /** Returns a new number for a cache with these request settings. */
  cache(
    now: number,
    name: string,
    options?: { flags?: number; keyType?: string; valueType?: string; readFromAnyOwner?: boolean; parameters?: [string, Uint8Array][] },
  ): number
  /** Releases the number of a cache. Operations, listeners and iterations that were begun with it go on. */
  releaseCache(cache: number): void
  /** Connects to a first member; the outcome is Started or StartFailed. */
  start(now: number, cache: number): void
  /** Submits an operation by its name, with its fields in order; Completed carries the answer. `timeout` in milliseconds. */
  submit(
    now: number,
    cache: number,
    operation: OperationName,
    args: unknown[],
    options?: { member?: number | null; timeout?: number | null; storageKeys?: Uint8Array[] },
  ): number
  /** Returns the keys by which an operation is routed, in their order. */
  keys(operation: OperationName, args: unknown[]): Buffer[]
  /** Cancels an operation: no output follows. It may still be executed. Returns false if it was completed. */
  cancel(operation: number): boolean
  /** Registers a listener on a cache; interests: 1 created, 2 modified, 4 removed, 8 expired, 0 for all. */
  listen(
    now: number,
    cache: number,
    options?: { includeCurrentState?: boolean; filter?: Factory | null; converter?: Factory | null; useRawData?: boolean; interests?: number },
  ): number
  /** Registers a listener on a counter. */
  listenToCounter(now: number, cache: number, counter: string): number
  /** Removes a listener. Returns false if it does not exist. */
  removeListener(now: number, listener: number): boolean
  /** Reports that the application consumed `count` events; unconsumed events pause the listener's link. */
  eventsTaken(now: number, listener: number, count: number): void
  /** Starts an iteration over the entries of a cache. `timeout` in milliseconds. */
  iterate(now: number, cache: number, options?: IterationOptions & { timeout?: number | null }): number
  /** Requests a batch; one Entries follows. Returns false for an unknown iteration or while a batch is pending. */
  nextEntries(now: number, iteration: number): boolean
  /** Ends an iteration early. */
  endIteration(now: number, iteration: number): void
  /** Enables a near cache; NearCacheActive reports when it is active. */
  nearCache(now: number, cache: number, options?: { maxEntries?: number; maxBytes?: number; bloomFilter?: boolean }): void
  /** Disables a near cache and drops its values. */
  removeNearCache(now: number, cache: number): void
  /** Returns the entries and bytes in a near cache. */
  nearCacheSize(cache: number): { entries: number; bytes: number }
  /** Switches to another site; an empty name means the site of the URI. Returns false if the site is unknown. */
  switchSite(now: number, name: string): boolean
  /** Sets the endpoint at which the member of an advertised address is reached; null removes it. */
  setDiscovered(address: string, endpoint: { host: string; port?: number; serverName?: string } | null): void
  /** Sets the peer's IP address of a link; call it before `connected`. */
  setPeer(link: number, address: string): void
  /** Sets the TLS 1.3 exporter value (RFC 9266: label `EXPORTER-Channel-Binding`, empty context, 32 bytes); call it before `connected`. */
  setTlsExporter(link: number, exported: Uint8Array): void
  /** Sets the server's certificate in DER for channel binding (RFC 5929); call it before `connected`. */
  setServerCertificate(link: number, certificate: Uint8Array): void
  /** Reports that Connect or StartTls succeeded, with the ALPN id that the server selected. */
  connected(now: number, link: number, alpn?: string | null): void
  /** Feeds bytes received on a link. */
  received(now: number, link: number, data: Uint8Array): void
  /** Reports that a link was lost or not established; `why` is for error messages. */
  linkLost(now: number, link: number, why: string): void
  /** Advances time; early and late calls are harmless. */
  timeout(now: number): void
  /** Returns up to `most` queued bytes of a link; null if there are none. */
  transmit(link: number, most?: number): Buffer | null
  /** Returns whether the host should read from the link. */
  wantsRead(link: number): boolean
  /** Returns the outputs since the last call, in order. */
  poll(): Output[]
  /** Returns the time of the next `timeout` call; null for never. */
  pollTimeout(): number | null
  /** Lets operations in flight finish, then closes every link. New operations are refused. */
  close(now: number): void
  /** Returns statistics. */
  counters(): Counters
  /** Returns how many members are reached directly, and why not all. */
  coverage(): Coverage
  /** Returns every known member. */
  members(): Member[]
  /** Returns a cache's view of the cluster; null before its first topology. */
  view(cache: number): View | null
}
