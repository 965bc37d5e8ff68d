// Written by generate.mjs from spec/vocabulary.json: change it there.

import type {
  Answer, CallOptions, Conditional, CounterConfiguration, Entry, HotRodError, IterationEntry, Lifetimes, Modification,
  ServerInfo, Tls, ValuesWithMetadata, Versioned, Xid,
} from './index.js'

/** Establish a connection, and say `handle_connected` or `handle_link_lost`. */
export interface ConnectOutput {
  type: 'Connect'
  /** Its name from now on. */
  link: number
  /** Who is to be at the other end. */
  member: number
  /** Host name or IP address to connect to, without brackets. */
  host: string
  /** TCP port. */
  port: number
  /** TLS to be established before the link is said to be connected. */
  tls: Tls | null
  /** When the machine gives it up. In microseconds. */
  timeout: number
}

/** Establish TLS on a connection that is there, and say `handle_connected` again, or `handle_link_lost`. Before it there is nothing left to send or to receive. */
export interface StartTlsOutput {
  type: 'StartTls'
  /** Which link. */
  link: number
  /** How. */
  tls: Tls
}

/** The link has bytes to send: write `transmit` until it is empty. */
export interface TransmitOutput {
  type: 'Transmit'
  /** Which link. */
  link: number
}

/** Do not read from the link: the application has too many events of a listener to take. What comes all the same is not lost. */
export interface PauseOutput {
  type: 'Pause'
  /** Which link. */
  link: number
}

/** Read from the link again. */
export interface ResumeOutput {
  type: 'Resume'
  /** Which link. */
  link: number
}

/** Close the connection, or stop establishing it; nothing more is said of it. */
export interface CloseOutput {
  type: 'Close'
  /** Which link. */
  link: number
}

/** An operation is done. Exactly one comes for every one submitted and not cancelled. */
export interface CompletedOutput {
  type: 'Completed'
  /** Which operation. */
  id: number
  /** The member that answered, or that was the last one tried. */
  member: number | null
  /** What it answers; none if it failed. */
  answer: Answer | null
  /** How it failed; none if it did not. */
  error: HotRodError | null
}

/** The next entries of an iteration. None of them mean that it is over, as an error does. */
export interface EntriesOutput {
  type: 'Entries'
  /** Which iteration. */
  id: number
  /** The entries; an empty list at the end. */
  entries: IterationEntry<Buffer, Buffer>[] | null
  /** Why there are no more; none if there may be. */
  error: HotRodError | null
}

/** A first member is ready: the answer to `start`. */
export interface StartedOutput {
  type: 'Started'
}

/** No server could be reached, or none accepts the session: the other answer. */
export interface StartFailedOutput {
  type: 'StartFailed'
  /** Why. */
  error: HotRodError
}

/** A session with a member is ready. */
export interface MemberReadyOutput {
  type: 'MemberReady'
  /** Which member. */
  member: number
  /** Its address. */
  address: string
  /** The ALPN id that it has selected, if TLS was used and it selected one. */
  alpn: string | null
}

/** A link failed or was lost. */
export interface MemberUnavailableOutput {
  type: 'MemberUnavailable'
  /** Which member. */
  member: number
  /** Its address. */
  address: string
  /** Why. */
  reason: string
  /** It is not tried for so long. In microseconds. */
  retryAfter: number
}

/** A cache has a new view of the cluster. */
export interface TopologyOutput {
  type: 'Topology'
  /** Which cache. */
  cache: string
  /** The id of the topology. */
  id: number
  /** Its members. */
  members: number
}

/** No member of the topology can be reached: operations go to the seeds, which forward them. */
export interface DegradedOutput {
  type: 'Degraded'
}

/** A member of the topology can be reached again. */
export interface RestoredOutput {
  type: 'Restored'
}

/** Another site's cluster is used from now on. */
export interface SiteSwitchedOutput {
  type: 'SiteSwitched'
  /** The name of the site that was left; empty for the one of the settings' seeds. */
  from: string
  /** The name of the new one. */
  to: string
  /** Whether the machine did so by itself, because no member of the old one could be reached. */
  automatic: boolean
}

/** A listener is registered: what happens from now on is told. */
export interface ListenerRegisteredOutput {
  type: 'ListenerRegistered'
  /** Which listener. */
  listener: number
  /** The member that serves it. */
  member: number
}

/** A listener is registered anew, because its member was lost. What happened in between was missed, unless it includes the current state. */
export interface ListenerMovedOutput {
  type: 'ListenerMoved'
  /** Which listener. */
  listener: number
  /** The member that serves it now. */
  member: number
}

/** A listener could not be registered, and is gone. */
export interface ListenerFailedOutput {
  type: 'ListenerFailed'
  /** Which listener. */
  listener: number
  /** The member that was asked last. */
  member: number | null
  /** Why. */
  error: HotRodError
}

/** An event for a cache listener. */
export interface EntryOutput {
  type: 'Entry'
  /** Which listener. */
  listener: number
  /** The link that it came by: one that is not read holds up no operation. */
  link: number
  /** What happened to the entry. */
  change: 'created' | 'modified' | 'removed' | 'expired'
  /** Its key; none if the listener has a converter. */
  key: Buffer | null
  /** Its version, if it was created or modified. */
  version: bigint | null
  /** What the listener's converter made of it. */
  data: Buffer | null
  /** Whether the write was retried in the server: the event may have been sent before. */
  retried: boolean
}

/** An event for a counter listener. */
export interface CounterOutput {
  type: 'Counter'
  /** Which listener. */
  listener: number
  /** The link that it came by: one that is not read holds up no operation. */
  link: number
  /** The counter. */
  counter: string
  /** Its value before. */
  oldValue: bigint
  /** Whether that was at a bound. */
  oldState: 'valid' | 'lower_bound_reached' | 'upper_bound_reached'
  /** Its value now. */
  newValue: bigint
  /** Whether that is at a bound. */
  newState: 'valid' | 'lower_bound_reached' | 'upper_bound_reached'
}

/** Which carriage is used with an endpoint, where the settings leave the choice: told when it is found, and again whenever another takes its place. */
export interface CarriageChosenOutput {
  type: 'CarriageChosen'
  /** The endpoint, `host:port`. */
  endpoint: string
  /** The name of the carriage, as in connection URIs. */
  carriage: string
  /** What the endpoint does not offer of what is better; empty if there is nothing. */
  reason: string
}

/** Which access path is used, where the settings leave the choice. */
export interface AccessChosenOutput {
  type: 'AccessChosen'
  /** Its name, as in connection URIs. */
  path: string
  /** What it was chosen for. */
  reason: string
}

/** How many members are reached directly has changed, or why they are not all. Not told where members are simply dialled. */
export interface CoverageOutput {
  type: 'Coverage'
  /** Members with a session that is ready. */
  covered: number
  /** Members of the newest topology. */
  members: number
  /** Why they are not the same; empty if they are. */
  reason: string
}

/** How a balancer chooses the member of a connection, as far as it was seen. */
export interface BalancingRecognisedOutput {
  type: 'BalancingRecognised'
  /** `round-robin`, `random`, `client-address` or `cookie`. */
  balancing: string
  /** What was seen. */
  reason: string
}

/** A topology names a member outside `member_hosts`: no link is opened to it, and its operations go to other members, which forward them. Reported once for each member. */
export interface MemberNotAllowedOutput {
  type: 'MemberNotAllowed'
  /** Which member. */
  member: number
  /** Its address. */
  address: string
  /** The hosts that are allowed, and the property that sets them. */
  reason: string
}

/** A near cache keeps values from now on. */
export interface NearCacheActiveOutput {
  type: 'NearCacheActive'
  /** Of which cache. */
  cache: string
}

/** A near cache is empty and keeps nothing, because nobody tells of changes at the moment. */
export interface NearCacheInactiveOutput {
  type: 'NearCacheInactive'
  /** Of which cache. */
  cache: string
  /** Why it stays so; `None` if it is being made active again. */
  error: HotRodError | null
}

/** What a machine tells its host. */
export type Output =
  | ConnectOutput
  | StartTlsOutput
  | TransmitOutput
  | PauseOutput
  | ResumeOutput
  | CloseOutput
  | CompletedOutput
  | EntriesOutput
  | StartedOutput
  | StartFailedOutput
  | MemberReadyOutput
  | MemberUnavailableOutput
  | TopologyOutput
  | DegradedOutput
  | RestoredOutput
  | SiteSwitchedOutput
  | ListenerRegisteredOutput
  | ListenerMovedOutput
  | ListenerFailedOutput
  | EntryOutput
  | CounterOutput
  | CarriageChosenOutput
  | AccessChosenOutput
  | CoverageOutput
  | BalancingRecognisedOutput
  | MemberNotAllowedOutput
  | NearCacheActiveOutput
  | NearCacheInactiveOutput

/** The caller did something wrong: an argument, a URI, the order of calls. Nothing was sent. */
export class MisuseError extends HotRodError {}

/** Too much is going on: not now. Nothing was sent. */
export class FullError extends HotRodError {}

/** The client is closed. */
export class ClosedError extends HotRodError {}

/** The server answered with an error; its status and words are given. */
export class ServerError extends HotRodError {}

/** No answer came in time. */
export class TimedOutError extends HotRodError {}

/** The connection was lost, or the server broke the protocol, before the answer came. */
export class DisconnectedError extends HotRodError {}

/** No member could be reached in time. */
export class UnreachableError extends HotRodError {}

/** A server was reached and did not accept the session: wrong credentials, another protocol. */
export class HandshakeError extends HotRodError {}

/** The operation can't be sent: the server's protocol version does not have it, or a field is too large. */
export class RefusedError extends HotRodError {}

/** The member that holds the state that the operation speaks of is gone. */
export class MemberGoneError extends HotRodError {}

/** Servers lost an iteration again and again. */
export class IterationLostError extends HotRodError {}

/** Some parts of a bulk operation failed, and the others did not. */
export class PartialError extends HotRodError {}

/** There is no counter of that name. */
export class NoSuchCounterError extends HotRodError {}

/** A counter would leave its bounds; it was not changed. */
export class OutOfBoundsError extends HotRodError {}

/** The server answered with something that the operation does not have for an answer. */
export class UnexpectedAnswerError extends HotRodError {}

/** The name of an operation. */
export type OperationName =
  | 'put'
  | 'get'
  | 'put_if_absent'
  | 'replace'
  | 'replace_if_unmodified'
  | 'remove'
  | 'remove_if_unmodified'
  | 'contains_key'
  | 'get_with_version'
  | 'clear'
  | 'stats'
  | 'ping'
  | 'bulk_get'
  | 'get_with_metadata'
  | 'bulk_get_keys'
  | 'query'
  | 'size'
  | 'exec'
  | 'put_all'
  | 'get_all'
  | 'get_stream'
  | 'put_stream'
  | 'prepare_tx'
  | 'commit_tx'
  | 'rollback_tx'
  | 'counter_create'
  | 'counter_get_configuration'
  | 'counter_is_defined'
  | 'counter_add_and_get'
  | 'counter_reset'
  | 'counter_get'
  | 'counter_compare_and_swap'
  | 'counter_remove'
  | 'counter_get_names'
  | 'get_multimap'
  | 'get_multimap_with_metadata'
  | 'put_multimap'
  | 'remove_key_multimap'
  | 'remove_entry_multimap'
  | 'size_multimap'
  | 'contains_entry_multimap'
  | 'contains_key_multimap'
  | 'contains_value_multimap'
  | 'forget_tx'
  | 'fetch_tx_recovery'
  | 'prepare_tx_2'
  | 'counter_get_and_set'
  | 'end_get_stream'
  | 'next_get_stream'
  | 'start_get_stream'
  | 'end_put_stream'
  | 'next_put_stream'
  | 'start_put_stream'

/** Flags of requests, to be added up. */
export const Flags: {
  /** Answer with the value that was there before. */
  FORCE_RETURN_VALUE: 1
  /** Use the cache's default lifespan when none is given (2.0 and 2.1; later versions say it in the time unit). */
  DEFAULT_LIFESPAN: 2
  /** Use the cache's default maximum idle time when none is given (2.0 and 2.1). */
  DEFAULT_MAX_IDLE: 4
  /** Don't load from a cache store. */
  SKIP_CACHE_LOAD: 8
  /** Don't index. */
  SKIP_INDEXING: 16
  /** Don't notify listeners. */
  SKIP_LISTENER_NOTIFICATION: 32
}

/** What a client has done. */
export interface Counters {
  /** Operations that were completed, the machine's own not included. */
  operations: number
  /** Of these, those that failed. */
  failures: number
  /** Operations sent to the primary owner of their key, or to any owner where that was asked for. */
  direct: number
  /** Operations with a key sent to another member, which has to forward them. */
  forwarded: number
  /** Times an operation was sent again. */
  retries: number
  /** Links asked for. */
  connects: number
  /** Sessions opened to find out which member answers. */
  tries: number
  /** Links that failed or were lost. */
  disconnects: number
  /** Topologies taken over. */
  topologies: number
  /** Listeners that were registered anew after their member was lost. */
  listenerFailovers: number
  /** Reads answered by a near cache. */
  nearHits: number
  /** Reads that a near cache could not answer. */
  nearMisses: number
  /** Bytes that the host has sent. */
  bytesSent: number
  /** Bytes that the host has received. */
  bytesReceived: number
  /** A bound below which half of the operations stayed, in milliseconds; null before the first. */
  latencyP50: number | null
  /** A bound below which 99 of 100 stayed. */
  latencyP99: number | null
  /** A bound below which all stayed. */
  latencyMax: number | null
}

/** The operations of a cache, as the protocol has them. */
export class CacheOperations<K, V> {
  /** Stores a value, whether or not there is one. */
  put(key: K, value: V, options?: CallOptions & Lifetimes): Promise<Entry<V> | null>
  /** Reads a value. */
  get(key: K, options?: CallOptions): Promise<V | null>
  /** Stores a value if there is none. */
  putIfAbsent(key: K, value: V, options?: CallOptions & Lifetimes): Promise<Conditional<V>>
  /** Stores a value if there is one. */
  replace(key: K, value: V, options?: CallOptions & Lifetimes): Promise<Conditional<V>>
  /** Stores a value if the entry still has that version. */
  replaceIfUnmodified(key: K, entryVersion: bigint, value: V, options?: CallOptions & Lifetimes): Promise<Versioned>
  /** Removes an entry. */
  remove(key: K, options?: CallOptions): Promise<Conditional<V>>
  /** Removes an entry if it still has that version. */
  removeIfUnmodified(key: K, entryVersion: bigint, options?: CallOptions): Promise<Versioned>
  /** Tells whether there is an entry. */
  containsKey(key: K, options?: CallOptions): Promise<boolean>
  /** Reads a value and its version. */
  getWithVersion(key: K, options?: CallOptions): Promise<Entry<V> | null>
  /** Removes all entries. */
  clear(options?: CallOptions): Promise<void>
  /** Tells the statistics of the cache and the server. */
  stats(options?: CallOptions): Promise<Record<string, string>>
  /** Asks whether the server and the cache are there; also what the server can do. */
  ping(options?: CallOptions): Promise<ServerInfo>
  /** Reads a value, its version and its lifetimes. */
  getWithMetadata(key: K, options?: CallOptions): Promise<Entry<V> | null>
  /** Runs a query (a serialized `QueryRequest`). */
  query(query: Uint8Array, options?: CallOptions): Promise<Buffer | null>
  /** Counts the entries. */
  size(options?: CallOptions): Promise<number>
  /** Runs a task in the server; at most 127 parameters. */
  exec(task: string, parameters?: Record<string, Uint8Array>, options?: CallOptions): Promise<Buffer | null>
  /** Prepares a transaction, with a timeout of 60 s. */
  prepareTx(xid: Xid, onePhaseCommit: boolean, modifications: Modification[], options?: CallOptions): Promise<bigint>
  /** Commits a prepared transaction. */
  commitTx(xid: Xid, options?: CallOptions): Promise<bigint>
  /** Rolls a transaction back. */
  rollbackTx(xid: Xid, options?: CallOptions): Promise<bigint>
  /** Drops what the server remembers of a finished transaction. */
  forgetTx(xid: Xid, options?: CallOptions): Promise<void>
  /** Asks for the prepared transactions that nobody finished. */
  fetchTxRecovery(options?: CallOptions): Promise<Xid[]>
  /** Prepares a transaction; the timeout is in milliseconds. */
  prepareTx2(xid: Xid, onePhaseCommit: boolean, recoverable: boolean, timeout: bigint | number, modifications: Modification[], options?: CallOptions): Promise<bigint>
}

/** The operations of a counter, as the protocol has them. */
export class CounterOperations {
  /** Makes a counter. */
  create(configuration: CounterConfiguration, options?: CallOptions): Promise<boolean>
  /** Tells how a counter was made. */
  getConfiguration(options?: CallOptions): Promise<CounterConfiguration | null>
  /** Tells whether there is such a counter. Its reply is 0x51: 0x50 is taken by errors. */
  isDefined(options?: CallOptions): Promise<boolean>
  /** Adds to a counter and tells its new value (0 for a weak one). */
  addAndGet(delta: bigint | number, options?: CallOptions): Promise<bigint>
  /** Sets a counter back to its initial value. */
  reset(options?: CallOptions): Promise<void>
  /** Tells the value of a counter. */
  get(options?: CallOptions): Promise<bigint>
  /** Sets a strong counter if it has the expected value, and tells the value it had. */
  compareAndSwap(expected: bigint | number, update: bigint | number, options?: CallOptions): Promise<bigint>
  /** Drops the value of a counter; its configuration stays. */
  remove(options?: CallOptions): Promise<boolean>
  /** Sets a strong counter and tells the value it had. */
  getAndSet(value: bigint | number, options?: CallOptions): Promise<bigint>
}

/** The operations of a multimap, as the protocol has them. */
export class MultimapOperations<K, V> {
  /** Reads the values of a multimap key. */
  get(key: K, options?: CallOptions): Promise<V[]>
  /** Reads the values of a multimap key, with version and lifetimes. */
  getWithMetadata(key: K, options?: CallOptions): Promise<ValuesWithMetadata<V> | null>
  /** Adds a value to a multimap key; the expiration is sent and not used by the server. */
  put(key: K, value: V, options?: CallOptions): Promise<void>
  /** Removes a multimap key with all its values. */
  removeKey(key: K, options?: CallOptions): Promise<boolean>
  /** Removes a value from a multimap key. */
  removeEntry(key: K, value: V, options?: CallOptions): Promise<boolean>
  /** Counts the entries of a multimap. */
  size(options?: CallOptions): Promise<number>
  /** Tells whether a multimap key has that value. */
  containsEntry(key: K, value: V, options?: CallOptions): Promise<boolean>
  /** Tells whether a multimap has that key. */
  containsKey(key: K, options?: CallOptions): Promise<boolean>
  /** Tells whether any key of a multimap has that value. */
  containsValue(value: V, options?: CallOptions): Promise<boolean>
}
