/**
 * Hot Rod, the binary protocol of Infinispan: a client of the whole cluster.
 *
 * ```js
 * const client = await connect('hotrod://127.0.0.1:11222')
 * await client.cache('dist').put('k', 'v')
 * ```
 *
 * @packageDocumentation
 */

/// <reference types="node" />

import type { CacheOperations, CounterOperations, Counters, MultimapOperations, OperationName, Output } from './generated.js'

export * from './generated.js'

/** The root of all errors of this package. Its message says which operation, which member, and what may have happened. */
export class HotRodError extends Error {
  /** The protocol's name of the operation, if one failed. */
  readonly operation: string | null
  /** The address of the member that it was sent to last. */
  readonly member: string | null
  /** The server's status, if it answered with an error. */
  readonly status: number | null
  /** What that status means. */
  readonly statusText: string | null
  /** Whether the operation may have been executed all the same. False: it certainly was not. */
  readonly mayHaveBeenApplied: boolean
  /** How often it reached a member. */
  readonly attempts: number
  /** Of a PartialError: the keys of each part that failed, and how. */
  readonly parts: { keys: Buffer[]; error: HotRodError }[]
  /** Of a PartialError: what the other parts have read. */
  readonly entries: [Buffer, Buffer][]
}

/** What the statuses of servers mean. */
export const STATUSES: Record<number, string>

/** A lifetime and when it began. */
export interface Lifetime {
  /** Creation (lifespan) or last use (maximum idle time): milliseconds since 1970 by the server's clock. */
  since: number
  /** The lifetime from then on, in seconds. */
  seconds: number
}

/** What a server tells of an entry beside its value. */
export interface Metadata {
  /** Changes with every write; opaque, for conditional operations. */
  version: bigint
  /** Time to live after the write; null for no end. */
  lifespan: Lifetime | null
  /** Time to live after the last use; null for no end. */
  maxIdle: Lifetime | null
}

/** An entry without its key. */
export interface Entry<V> {
  value: V
  /** Changes with every write; null where the protocol version does not tell it. */
  version: bigint | null
  /** Time to live after the write; null for no end, or where it is not told. */
  lifespan: Lifetime | null
  /** Time to live after the last use; null for no end, or where it is not told. */
  maxIdle: Lifetime | null
}

/** The outcome of an operation with a condition. */
export interface Conditional<V> {
  /** Whether the condition held, and the operation was executed. */
  executed: boolean
  /** The entry before, or the present one if it was not executed: only with Flags.FORCE_RETURN_VALUE. */
  previous: Entry<V> | null
}

/** The outcome of an operation on a certain version of an entry. */
export type Versioned = 'done' | 'modified' | 'missing'

/** The values of a multimap key. */
export interface ValuesWithMetadata<V> {
  values: V[]
  metadata: Metadata
}

/** What a server can do. */
export interface ServerInfo {
  /** The form in which the cache stores keys; empty if it does not say. */
  keyType: string
  /** The form in which the cache stores values; empty if it does not say. */
  valueType: string
  /** The newest protocol version of the server: 41 for 4.1 (3.0 and later). */
  serverVersion: number | null
  /** Request opcodes that it knows (3.0 and later). */
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
  /** What the transaction has seen of the entry: its version, that there was none, or nothing. */
  seen?: bigint | 'non_existing' | 'not_read'
}

/** How a counter is made. */
export interface CounterConfiguration {
  kind: 'unbounded_strong' | 'bounded_strong' | 'weak'
  initialValue?: bigint | number
  /** The smallest value of a bounded counter. */
  lower?: bigint | number | null
  /** The largest value of a bounded counter. */
  upper?: bigint | number | null
  /** How many values a weak counter is made of. */
  concurrency?: number | null
  /** Whether it outlives a restart of the cluster. */
  persistent?: boolean
}

/** An entry of an iteration. */
export interface IterationEntry<K, V> {
  key: K
  /** The value, or the projections that the filter-converter made of it. */
  values: V[]
  /** Version and lifetimes, if asked for. */
  metadata: Metadata | null
}

/** How to establish TLS on a link. */
export interface Tls {
  /** The name to ask for (SNI; not if it is an IP address) and to find in the server's certificate. */
  serverName: string
  /** ALPN ids to offer, in order. */
  alpn: string[]
  /** PEM file with the authorities to trust; null for those of the system. */
  trustCa: string | null
  /** PEM files with the client's certificate chain and its private key. */
  clientCertificate: { certificate: string; key: string } | null
}

/** What an operation answers, on the machine's level. */
export type Answer =
  | null | boolean | number | bigint | string | Buffer | Buffer[] | string[] | [Buffer, Buffer][] | [string, string][]
  | Entry<Buffer> | Conditional<Buffer> | ValuesWithMetadata<Buffer> | ServerInfo | Chunk | Xid[] | CounterConfiguration

/** How long an entry lives. */
export interface Lifetimes {
  /** Milliseconds after the write, Infinity for no end; without it as the cache is configured. */
  lifespan?: number | { count: bigint | number; unit: 's' | 'ms' | 'ns' | 'us' | 'min' | 'h' | 'd' } | null
  /** Milliseconds after the last use, as `lifespan`. */
  maxIdle?: number | { count: bigint | number; unit: 's' | 'ms' | 'ns' | 'us' | 'min' | 'h' | 'd' } | null
}

/** How one operation is called. */
export interface CallOptions {
  /** Milliseconds, over all attempts. */
  timeout?: number
  /** Gives the operation up; it may be executed all the same. */
  signal?: AbortSignal
  /** The only member that may execute it, as `members()` numbers them. */
  member?: number
}

/** Turns values into bytes and back. */
export interface Codec<T> {
  /** What the server is told that the bytes are; empty for the form in which the cache stores them. */
  mediaType: string
  encode(value: T): Uint8Array
  decode(data: Buffer): T
}

/** Codecs that come with the package. */
export const codecs: {
  /** Bytes as they are; a string is taken for its UTF-8. */
  bytes: { mediaType: string; encode(value: Uint8Array | string): Uint8Array; decode(data: Buffer): Buffer }
  /** Strings, as text/plain in UTF-8. */
  text: Codec<string>
  /** What JSON can write, as application/json. */
  json: Codec<unknown>
}

/** How a cache is asked. */
export interface CacheOptions {
  /** Flags of every request, added up. */
  flags?: number
  /** Milliseconds for each operation, over all its attempts. */
  timeout?: number
  /** Whether keys are read from any owner, and not from the primary one. */
  readFromAnyOwner?: boolean
  /** Makes operations parts of a trace, as W3C Trace Context has it (4.0 and later). */
  traceparent?: string
}

/** What plain caches take for bytes. */
export type Data = Uint8Array | string

/**
 * Connects to the cluster that a URI names.
 *
 * @throws MisuseError of a wrong URI, UnreachableError if no server can be reached, HandshakeError if none accepts the
 * client.
 */
export function connect(uri: string): Promise<Client>

/**
 * A client of one cluster. It keeps a link to every member, sends each operation to the member that owns its key, and goes
 * on while members join, leave and fail. An operation that fails says whether it may have been applied.
 */
export class Client {
  private constructor()
  /** A cache; without a name the one of the URI, or the server's default cache. */
  cache(name?: string, options?: CacheOptions): Cache<Data, Data, Buffer, Buffer>
  cache<K, V>(name: string, options: CacheOptions & { codecs: { key: Codec<K>; value: Codec<V> } }): Cache<K, V>
  /** A counter, by its name. */
  counter(name: string, options?: { timeout?: number }): Counter
  /** A multimap in the cache of that name. */
  multimap<K = Data, V = Data>(
    name: string,
    options?: { codecs?: { key: Codec<K>; value: Codec<V> }; supportsDuplicates?: boolean; timeout?: number },
  ): Multimap<K, V>
  /** Tells the names of all counters. */
  counterNames(options?: CallOptions): Promise<string[]>
  /** Every member that the client knows, and the seeds. */
  members(): Member[]
  /** The view of the cluster that a cache's operations are routed by; null before its first topology. */
  view(cache: Cache<any, any, any, any>): View | null
  /** What the client has done. */
  counters(): Counters
  /** How many members are reached directly, and why not all. */
  coverage(): Coverage
  /** What happens to members, topologies, sites and near caches from now on; a slow reader misses the oldest. */
  events(): Happenings
  /** Goes over to another site; an empty name leads back to that of the URI. False if there is none of that name. */
  switchSite(name: string): boolean
  /** Lets operations in flight finish and closes every link. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A cache of the cluster. KOut and VOut are what keys and values are when they come back. */
export class Cache<K, V, KOut = K, VOut = V> {
  private constructor()
  readonly name: string
  /** The same cache with other flags. */
  withFlags(flags: number): Cache<K, V, KOut, VOut>
  /** The same cache with another timeout for each operation, in milliseconds. */
  withTimeout(timeout: number): Cache<K, V, KOut, VOut>
  /** The same cache with other codecs. */
  withCodecs<K2, V2>(codecs: { key: Codec<K2>; value: Codec<V2> }): Cache<K2, V2>
  /** The same cache, whose operations are parts of a trace. */
  withTraceparent(traceparent: string): Cache<K, V, KOut, VOut>
  /** Stores many values, each at its owner. Throws PartialError if only some could be stored. */
  putAll(entries: Iterable<[K, V]> | Record<string, V>, options?: CallOptions & Lifetimes): Promise<void>
  /** Reads many values, each from its owner; keys without an entry are left out. */
  getAll(keys: Iterable<K>, options?: CallOptions): Promise<Map<KOut, VOut>>
  /** Reads up to that many entries, 0 for all, in one answer. Better: `iterate`. */
  bulkGet(count?: number, options?: CallOptions): Promise<Map<KOut, VOut>>
  /** Reads all keys in one answer; scope 0 default, 1 global, 2 local. */
  bulkGetKeys(scope?: number, options?: CallOptions): Promise<KOut[]>
  /** A large value in chunks of that many bytes, none if there is no entry (4.1 and later). */
  readStream(key: K, options?: CallOptions & { chunkLength?: number }): AsyncGenerator<Buffer, void>
  /** Stores a large value given in chunks (4.1 and later): version 0n as `put`, 2n ** 64n - 1n as `putIfAbsent`. */
  writeStream(
    key: K,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options?: CallOptions & Lifetimes & { version?: bigint },
  ): Promise<Conditional<VOut>>
  /** All entries, each once, from all members at the same time. */
  iterate(options?: IterationOptions): Iteration<KOut, VOut>
  /** Listens to changes. */
  listen(options?: ListenerOptions): Promise<Listener<EntryEvent<KOut> | MovedEvent>>
  /** Keeps values in the client: reads in this form are answered by them. `events` tells when it is active. */
  enableNearCache(options?: { maxEntries?: number; maxBytes?: number; bloomFilter?: boolean }): void
  /** Keeps no values any more. */
  disableNearCache(): void
  /** Executes any operation of the protocol by its name, with its fields in order. Keys and values are bytes here. */
  execute(operation: OperationName, args?: unknown[], options?: CallOptions): Promise<Answer>
}

// Keys and values that go in may be of other types than those that come back: strings for bytes.
type Out<T> = T extends (...args: infer A) => Promise<infer R> ? (...args: A) => Promise<R> : never
type Operations<K, V, VOut> = {
  [Name in keyof CacheOperations<K, VOut>]: CacheOperations<K, VOut>[Name] extends (...args: infer _) => Promise<infer R>
    ? (...args: Parameters<CacheOperations<K, V>[Name]>) => Promise<R>
    : Out<CacheOperations<K, VOut>[Name]>
}
export interface Cache<K, V, KOut, VOut> extends Operations<K, V, VOut> {}

/** What to iterate over, and how. */
export interface IterationOptions {
  /** Entries in a batch of one member; 1,000 without it. */
  batchSize?: number
  /** Only these segments: one bit each, least significant first. */
  segments?: Uint8Array
  /** A filter-converter of the server's. */
  filterConverter?: Factory
  /** Whether entries come with version and lifetimes. */
  includeMetadata?: boolean
}

/** A filter, converter or filter-converter factory registered in the server. */
export interface Factory {
  name: string
  parameters?: Uint8Array[]
}

/** What a listener wants to hear. */
export interface ListenerOptions {
  /** A created event for every entry that exists already. */
  includeCurrentState?: boolean
  filter?: Factory
  converter?: Factory
  useRawData?: boolean
  /** Kinds of event; without it all. */
  interests?: ('created' | 'modified' | 'removed' | 'expired')[]
}

/** What happened to an entry. */
export interface EntryEvent<K> {
  type: 'created' | 'modified' | 'removed' | 'expired'
  /** Its key; null if the listener has a converter. */
  key: K | null
  /** Its version, if it was created or modified. */
  version: bigint | null
  /** What the listener's converter made of it. */
  data: Buffer | null
  /** Whether the write was retried in the server: the event may have been sent before. */
  retried: boolean
}

/** What happened to a counter. */
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

/** A listener is served by another member now: what happened in between was missed. */
export interface MovedEvent {
  type: 'moved'
  member: number
}

/** Entries of a cache; leaving the loop early ends the iteration in the servers. */
export class Iteration<K, V> implements AsyncIterableIterator<IterationEntry<K, V> & { value: V }> {
  private constructor()
  next(): Promise<IteratorResult<IterationEntry<K, V> & { value: V }, undefined>>
  return(): Promise<IteratorResult<IterationEntry<K, V> & { value: V }, undefined>>
  /** Ends it before its end. */
  close(): Promise<void>
  [Symbol.asyncIterator](): this
  [Symbol.asyncDispose](): Promise<void>
}

/** Events in order; none is dropped: a listener that is too slow has its link paused, and holds up no operation. */
export class Listener<E> implements AsyncIterableIterator<E> {
  protected constructor()
  next(): Promise<IteratorResult<E, undefined>>
  return(): Promise<IteratorResult<E, undefined>>
  /** Removes it from the server. */
  close(): Promise<void>
  [Symbol.asyncIterator](): this
  [Symbol.asyncDispose](): Promise<void>
}

/** What happens to the client. */
export class Happenings extends Listener<Output> {}

/** A counter of the cluster. */
export class Counter extends CounterOperations {
  private constructor()
  readonly name: string
  /** Listens to its changes. */
  listen(): Promise<Listener<CounterEvent | MovedEvent>>
  /** Makes it a strong counter; false if there is one of that name. */
  createStrong(options?: CallOptions & { initialValue?: bigint | number; persistent?: boolean }): Promise<boolean>
  /** Makes it a strong counter between two bounds; false if there is one of that name. */
  createBounded(
    lower: bigint | number,
    upper: bigint | number,
    options?: CallOptions & { initialValue?: bigint | number; persistent?: boolean },
  ): Promise<boolean>
  /** Makes it a weak counter; false if there is one of that name. */
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

/** A member of the cluster as the client sees it. */
export interface Member {
  /** Its number in this client. */
  id: number
  /** The address that it advertises, or that of a seed. */
  address: string
  ready: boolean
  isSeed: boolean
  /** Links to it that are open or being established. */
  links: number
  inFlight: number
  /** Operations that it has answered on its present links. */
  answered: number
  /** What its session speaks, if one is ready. */
  protocolVersion: string | null
  /** Why it could not be reached the last time, if it was not reached since. */
  failure: string | null
}

/** Members that are reached directly; operations on keys of the others are forwarded by the servers. */
export interface Coverage {
  /** Members with a session that is ready. */
  covered: number
  /** Members of the newest topology; 0 before the first. */
  members: number
  /** Why they are not the same; null if they are. */
  reason: string | null
}

/** A cache's view of the cluster. */
export interface View {
  /** Only good for comparing. */
  topologyId: number
  members: string[]
  /** For each segment the indexes of its owners in `members`, the primary one first. */
  owners: number[][]
}

/**
 * A client of a whole cluster without IO. The host owns sockets, TLS, DNS and the clock; `now` counts microseconds since an
 * epoch of the host's choosing. After any number of calls `poll` tells what to do, and `pollTimeout` when to call `timeout`
 * if nothing else happens before.
 */
export class Machine {
  /** All randomness comes from the seed, of 32 bytes; from the system without one. Throws MisuseError of a wrong URI. */
  constructor(uri: string, options?: { seed?: Uint8Array; now?: number })
  /** The cache that the URI names; empty for the server's default cache. */
  readonly defaultCache: string
  /** Whether it was closed and every link is gone. */
  readonly closed: boolean
  /** The site in use; empty for that of the URI. */
  readonly site: string
  /** A number for a cache asked in that way; every call gives a new one. */
  cache(
    now: number,
    name: string,
    options?: { flags?: number; keyType?: string; valueType?: string; readFromAnyOwner?: boolean; parameters?: [string, Uint8Array][] },
  ): number
  /** Begins to look for a member: Started or StartFailed tells how it went. */
  start(now: number, cache: number): void
  /** Submits an operation by its name, with its fields in order; Completed brings the answer. `timeout` in microseconds. */
  submit(
    now: number,
    cache: number,
    operation: OperationName,
    args: unknown[],
    options?: { member?: number | null; timeout?: number | null },
  ): number
  /** Gives an operation up: nothing will be said of it. False if it is done. */
  cancel(operation: number): boolean
  /** Listens to a cache; interests: 1 created, 2 modified, 4 removed, 8 expired, 0 for all. */
  listen(
    now: number,
    cache: number,
    options?: { includeCurrentState?: boolean; filter?: Factory | null; converter?: Factory | null; useRawData?: boolean; interests?: number },
  ): number
  /** Listens to a counter. */
  listenToCounter(now: number, cache: number, counter: string): number
  /** Listens no more. False if there is no such listener (any more). */
  removeListener(now: number, listener: number): boolean
  /** The application has taken so many events: what it has not taken pauses the listener's link in the end. */
  eventsTaken(now: number, listener: number, count: number): void
  /** Begins to iterate over the entries of a cache. `timeout` in microseconds. */
  iterate(now: number, cache: number, options?: IterationOptions & { timeout?: number | null }): number
  /** Asks for the next entries: one Entries comes. False if there is no such iteration, or it was asked already. */
  nextEntries(now: number, iteration: number): boolean
  /** Ends an iteration before its end. */
  endIteration(now: number, iteration: number): void
  /** Keeps values of a cache in the client; NearCacheActive tells when. */
  nearCache(now: number, cache: number, options?: { maxEntries?: number; maxBytes?: number; bloomFilter?: boolean }): void
  /** Keeps no values of a cache any more. */
  removeNearCache(now: number, cache: number): void
  /** What a near cache holds. */
  nearCacheSize(cache: number): { entries: number; bytes: number }
  /** Goes over to another site; an empty name leads back. */
  switchSite(now: number, name: string): boolean
  /** Says where the member of an advertised address was found; null that it is there no more. */
  setDiscovered(address: string, endpoint: { host: string; port?: number; serverName?: string } | null): void
  /** The IP address to which a link was connected; before `connected`. */
  setPeer(link: number, address: string): void
  /** What TLS 1.3 exports for channel binding (RFC 9266: label `EXPORTER-Channel-Binding`, an empty context, 32 bytes); before `connected`. */
  setTlsExporter(link: number, exported: Uint8Array): void
  /** The server's certificate in DER, for channel binding (RFC 5929); before `connected`. */
  setServerCertificate(link: number, certificate: Uint8Array): void
  /** What Connect or StartTls asked for is there; with the ALPN id that the server has selected. */
  connected(now: number, link: number, alpn?: string | null): void
  /** Takes bytes from a link. */
  received(now: number, link: number, data: Uint8Array): void
  /** A link is gone, or could not be established; `why` is for people. */
  linkLost(now: number, link: number, why: string): void
  /** Time has passed; early and late calls do no harm. */
  timeout(now: number): void
  /** Takes what a link has to send, at most so many bytes; null if that is nothing. */
  transmit(link: number, most?: number): Buffer | null
  /** Whether the host should read from the link. */
  wantsRead(link: number): boolean
  /** What there is to do and to know, in order. */
  poll(): Output[]
  /** When to call `timeout`, if nothing else happens before; null for never. */
  pollTimeout(): number | null
  /** Lets the operations in flight finish, and closes every link. Nothing more is accepted. */
  close(now: number): void
  /** What the machine has done. */
  counters(): Counters
  /** How many members are reached directly, and why not all. */
  coverage(): Coverage
  /** Every member that the machine knows. */
  members(): Member[]
  /** A cache's view of the cluster; null before its first topology. */
  view(cache: number): View | null
}
