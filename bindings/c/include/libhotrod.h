/* libhotrod: Hot Rod, Infinispan's protocol, as a machine without sockets.
 *
 * Made by `cargo run -p hotrod-c-generate`; not to be edited. bindings/c/README.md is the introduction.
 */

#ifndef LIBHOTROD_H
#define LIBHOTROD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HOTROD_VERSION_MAJOR 0
#define HOTROD_VERSION_MINOR 1
#define HOTROD_VERSION_PATCH 0
/** This header's version as one number, to compare with: 0.1.0 is 0x000100. */
#define HOTROD_VERSION_NUMBER 0x000100
/** This header's version. `hotrod_version` tells that of the library. */
#define HOTROD_VERSION "0.1.0"

/**
 * Flag of a cache's requests: Answer with the value that was there before.
 */
#define HOTROD_FLAG_FORCE_RETURN_VALUE 1

/**
 * Flag of a cache's requests: Use the cache's default lifespan when none is given (2.0 and 2.1; later versions say
 * it in the time unit).
 */
#define HOTROD_FLAG_DEFAULT_LIFESPAN 2

/**
 * Flag of a cache's requests: Use the cache's default maximum idle time when none is given (2.0 and 2.1).
 */
#define HOTROD_FLAG_DEFAULT_MAX_IDLE 4

/**
 * Flag of a cache's requests: Don't load from a cache store.
 */
#define HOTROD_FLAG_SKIP_CACHE_LOAD 8

/**
 * Flag of a cache's requests: Don't index.
 */
#define HOTROD_FLAG_SKIP_INDEXING 16

/**
 * Flag of a cache's requests: Don't notify listeners.
 */
#define HOTROD_FLAG_SKIP_LISTENER_NOTIFICATION 32

/**
 * The server's status: success.
 */
#define HOTROD_SERVER_SUCCESS 0

/**
 * The server's status: not executed.
 */
#define HOTROD_SERVER_NOT_EXECUTED 1

/**
 * The server's status: key does not exist.
 */
#define HOTROD_SERVER_KEY_DOES_NOT_EXIST 2

/**
 * The server's status: success, with the previous value.
 */
#define HOTROD_SERVER_SUCCESS_WITH_PREVIOUS 3

/**
 * The server's status: not executed, with the present value.
 */
#define HOTROD_SERVER_NOT_EXECUTED_WITH_PREVIOUS 4

/**
 * The server's status: invalid iteration.
 */
#define HOTROD_SERVER_INVALID_ITERATION 5

/**
 * The server's status: success, object storage.
 */
#define HOTROD_SERVER_SUCCESS_OBJECT_STORAGE 6

/**
 * The server's status: success, with the previous value, object storage.
 */
#define HOTROD_SERVER_SUCCESS_WITH_PREVIOUS_OBJECT_STORAGE 7

/**
 * The server's status: not executed, with the present value, object storage.
 */
#define HOTROD_SERVER_NOT_EXECUTED_WITH_PREVIOUS_OBJECT_STORAGE 8

/**
 * The server's status: invalid magic or message id.
 */
#define HOTROD_SERVER_INVALID_MAGIC_OR_MESSAGE_ID 129

/**
 * The server's status: unknown operation.
 */
#define HOTROD_SERVER_UNKNOWN_OPERATION 130

/**
 * The server's status: unknown version.
 */
#define HOTROD_SERVER_UNKNOWN_VERSION 131

/**
 * The server's status: request parsing error.
 */
#define HOTROD_SERVER_PARSE_ERROR 132

/**
 * The server's status: server error.
 */
#define HOTROD_SERVER_SERVER_ERROR 133

/**
 * The server's status: operation timed out in the server.
 */
#define HOTROD_SERVER_TIMED_OUT 134

/**
 * The server's status: node suspected.
 */
#define HOTROD_SERVER_NODE_SUSPECTED 135

/**
 * The server's status: illegal lifecycle state.
 */
#define HOTROD_SERVER_ILLEGAL_LIFECYCLE_STATE 136

/**
 * The value of a deadline that there is not.
 */
#define HOTROD_NO_DEADLINE UINT64_MAX

/**
 * Interest of a listener: entries created.
 */
#define HOTROD_INTEREST_CREATED 1

/**
 * Interest of a listener: entries modified.
 */
#define HOTROD_INTEREST_MODIFIED 2

/**
 * Interest of a listener: entries removed.
 */
#define HOTROD_INTEREST_REMOVED 4

/**
 * Interest of a listener: entries expired.
 */
#define HOTROD_INTEREST_EXPIRED 8

/**
 * How a call went, and of which kind a failure is. 0 is success; a number is never given to another meaning.
 */
typedef enum hotrod_status {
  /**
   * It is done.
   */
  HOTROD_OK = 0,
  /**
   * The caller did something wrong: an argument, a URI, the order of calls. Nothing was sent.
   */
  HOTROD_ERR_MISUSE = 1,
  /**
   * Too much is going on: not now. Nothing was sent.
   */
  HOTROD_ERR_FULL = 2,
  /**
   * The client is closed.
   */
  HOTROD_ERR_CLOSED = 3,
  /**
   * The server answered with an error; its status and words are given.
   */
  HOTROD_ERR_SERVER = 4,
  /**
   * No answer came in time.
   */
  HOTROD_ERR_TIMED_OUT = 5,
  /**
   * The connection was lost, or the server broke the protocol, before the answer came.
   */
  HOTROD_ERR_DISCONNECTED = 6,
  /**
   * No member could be reached in time.
   */
  HOTROD_ERR_UNREACHABLE = 7,
  /**
   * A server was reached and did not accept the session: wrong credentials, another protocol.
   */
  HOTROD_ERR_HANDSHAKE = 8,
  /**
   * The operation can't be sent: the server's protocol version does not have it, or a field is too large.
   */
  HOTROD_ERR_REFUSED = 9,
  /**
   * The member that holds the state that the operation speaks of is gone.
   */
  HOTROD_ERR_MEMBER_GONE = 10,
  /**
   * Servers lost an iteration again and again.
   */
  HOTROD_ERR_ITERATION_LOST = 11,
  /**
   * Some parts of a bulk operation failed, and the others did not.
   */
  HOTROD_ERR_PARTIAL = 12,
  /**
   * There is no counter of that name.
   */
  HOTROD_ERR_NO_SUCH_COUNTER = 13,
  /**
   * A counter would leave its bounds; it was not changed.
   */
  HOTROD_ERR_OUT_OF_BOUNDS = 14,
  /**
   * The server answered with something that the operation does not have for an answer.
   */
  HOTROD_ERR_UNEXPECTED_ANSWER = 15,
  /**
   * A pointer that has to point to something is NULL. Nothing was done.
   */
  HOTROD_ERR_NULL = 100,
  /**
   * The library has a bug, and caught it: this machine can only be freed from now on.
   */
  HOTROD_ERR_PANIC = 101,
  /**
   * Another thread is in a call on this machine. Nothing was done.
   */
  HOTROD_ERR_BUSY = 102,
} hotrod_status;

/**
 * Whether an operation that has failed may have been executed all the same.
 */
typedef enum hotrod_applied {
  /**
   * It certainly was not.
   */
  HOTROD_APPLIED_NO = 0,
  /**
   * It may have been.
   */
  HOTROD_APPLIED_UNKNOWN = 1,
} hotrod_applied;

/**
 * What an output is; says which member of `as` is set. A number is never given to another.
 */
typedef enum hotrod_output_type {
  /**
   * Establish a connection, and say `handle_connected` or `handle_link_lost`.
   */
  HOTROD_OUTPUT_CONNECT = 1,
  /**
   * Establish TLS on a connection that is there, and say `handle_connected` again, or `handle_link_lost`. Before
   * it there is nothing left to send or to receive.
   */
  HOTROD_OUTPUT_START_TLS = 2,
  /**
   * The link has bytes to send: write `transmit` until it is empty.
   */
  HOTROD_OUTPUT_TRANSMIT = 3,
  /**
   * Do not read from the link: the application has too many events of a listener to take. What comes all the same
   * is not lost.
   */
  HOTROD_OUTPUT_PAUSE = 4,
  /**
   * Read from the link again.
   */
  HOTROD_OUTPUT_RESUME = 5,
  /**
   * Close the connection, or stop establishing it; nothing more is said of it.
   */
  HOTROD_OUTPUT_CLOSE = 6,
  /**
   * An operation is done. Exactly one comes for every one submitted and not cancelled.
   */
  HOTROD_OUTPUT_COMPLETED = 7,
  /**
   * The next entries of an iteration. None of them mean that it is over, as an error does.
   */
  HOTROD_OUTPUT_ENTRIES = 8,
  /**
   * A first member is ready: the answer to `start`.
   */
  HOTROD_OUTPUT_STARTED = 32,
  /**
   * No server could be reached, or none accepts the session: the other answer.
   */
  HOTROD_OUTPUT_START_FAILED = 33,
  /**
   * A session with a member is ready.
   */
  HOTROD_OUTPUT_MEMBER_READY = 34,
  /**
   * A link failed or was lost.
   */
  HOTROD_OUTPUT_MEMBER_UNAVAILABLE = 35,
  /**
   * A cache has a new view of the cluster.
   */
  HOTROD_OUTPUT_TOPOLOGY = 36,
  /**
   * No member of the topology can be reached: operations go to the seeds, which forward them.
   */
  HOTROD_OUTPUT_DEGRADED = 37,
  /**
   * A member of the topology can be reached again.
   */
  HOTROD_OUTPUT_RESTORED = 38,
  /**
   * Another site's cluster is used from now on.
   */
  HOTROD_OUTPUT_SITE_SWITCHED = 39,
  /**
   * A listener is registered: what happens from now on is told.
   */
  HOTROD_OUTPUT_LISTENER_REGISTERED = 40,
  /**
   * A listener is registered anew, because its member was lost. What happened in between was missed, unless it
   * includes the current state.
   */
  HOTROD_OUTPUT_LISTENER_MOVED = 41,
  /**
   * A listener could not be registered, and is gone.
   */
  HOTROD_OUTPUT_LISTENER_FAILED = 42,
  /**
   * An event for a cache listener.
   */
  HOTROD_OUTPUT_ENTRY = 43,
  /**
   * An event for a counter listener.
   */
  HOTROD_OUTPUT_COUNTER = 44,
  /**
   * Which carriage is used with an endpoint, where the settings leave the choice: told when it is found, and again
   * whenever another takes its place.
   */
  HOTROD_OUTPUT_CARRIAGE_CHOSEN = 47,
  /**
   * Which access path is used, where the settings leave the choice.
   */
  HOTROD_OUTPUT_ACCESS_CHOSEN = 48,
  /**
   * How many members are reached directly has changed, or why they are not all. Not told where members are simply
   * dialled.
   */
  HOTROD_OUTPUT_COVERAGE = 49,
  /**
   * How a balancer chooses the member of a connection, as far as it was seen.
   */
  HOTROD_OUTPUT_BALANCING_RECOGNISED = 50,
  /**
   * A topology names a member outside `member_hosts`: no link is opened to it, and its operations go to other
   * members, which forward them. Reported once for each member.
   */
  HOTROD_OUTPUT_MEMBER_NOT_ALLOWED = 51,
  /**
   * A near cache keeps values from now on.
   */
  HOTROD_OUTPUT_NEAR_CACHE_ACTIVE = 45,
  /**
   * A near cache is empty and keeps nothing, because nobody tells of changes at the moment.
   */
  HOTROD_OUTPUT_NEAR_CACHE_INACTIVE = 46,
} hotrod_output_type;

/**
 * What an answer is; says which member of `as` is set. Each operation says its own.
 */
typedef enum hotrod_answer_type {
  /**
   * Done; no member is set.
   */
  HOTROD_ANSWER_NOTHING = 0,
  /**
   * Yes or no: `flag`.
   */
  HOTROD_ANSWER_FLAG = 1,
  /**
   * A count: `size`.
   */
  HOTROD_ANSWER_SIZE = 2,
  /**
   * A signed number: `number`.
   */
  HOTROD_ANSWER_NUMBER = 3,
  /**
   * A value: `value`; not found if there is no entry.
   */
  HOTROD_ANSWER_VALUE = 4,
  /**
   * An entry, or the one before: `entry`; not found if there is none, or it was not asked for.
   */
  HOTROD_ANSWER_ENTRY = 5,
  /**
   * The outcome of an operation with a condition: `conditional`.
   */
  HOTROD_ANSWER_CONDITIONAL = 6,
  /**
   * The outcome of an operation on a certain version: `versioned`.
   */
  HOTROD_ANSWER_VERSIONED = 7,
  /**
   * Keys and values: `entries`.
   */
  HOTROD_ANSWER_ENTRIES = 8,
  /**
   * Keys, or the values of a multimap key: `values`.
   */
  HOTROD_ANSWER_VALUES = 9,
  /**
   * The values of a multimap key: `values_with_metadata`; not found if there are none.
   */
  HOTROD_ANSWER_VALUES_WITH_METADATA = 10,
  /**
   * Names: `names`.
   */
  HOTROD_ANSWER_NAMES = 11,
  /**
   * Texts by name: `text_map`.
   */
  HOTROD_ANSWER_TEXT_MAP = 12,
  /**
   * What the server can do: `server`.
   */
  HOTROD_ANSWER_SERVER = 13,
  /**
   * A chunk of a streamed value: `chunk`; not found if there is no entry.
   */
  HOTROD_ANSWER_CHUNK = 14,
  /**
   * Transactions: `xids`.
   */
  HOTROD_ANSWER_XIDS = 15,
  /**
   * How a counter was made: `counter`; not found if there is none of that name.
   */
  HOTROD_ANSWER_COUNTER = 16,
} hotrod_answer_type;

/**
 * The outcome of an operation on a certain version of an entry.
 */
typedef enum hotrod_versioned {
  /**
   * It was executed.
   */
  HOTROD_VERSIONED_DONE = 0,
  /**
   * The entry has another version by now.
   */
  HOTROD_VERSIONED_MODIFIED = 1,
  /**
   * There is no entry.
   */
  HOTROD_VERSIONED_MISSING = 2,
} hotrod_versioned;

/**
 * What happened to the entry.
 */
typedef enum hotrod_entry_change {
  /**
   * It is created.
   */
  HOTROD_ENTRY_CREATED = 0,
  /**
   * It is modified.
   */
  HOTROD_ENTRY_MODIFIED = 1,
  /**
   * It is removed.
   */
  HOTROD_ENTRY_REMOVED = 2,
  /**
   * It is expired.
   */
  HOTROD_ENTRY_EXPIRED = 3,
} hotrod_entry_change;

/**
 * Whether that was at a bound.
 */
typedef enum hotrod_counter_state {
  /**
   * It is valid.
   */
  HOTROD_COUNTER_VALID = 0,
  /**
   * It is lower bound reached.
   */
  HOTROD_COUNTER_LOWER_BOUND_REACHED = 1,
  /**
   * It is upper bound reached.
   */
  HOTROD_COUNTER_UPPER_BOUND_REACHED = 2,
} hotrod_counter_state;

/**
 * In what a lifetime is counted; `hotrod_lifetime` has it as a number.
 */
typedef enum hotrod_lifetime_unit {
  /**
   * As the cache is configured; the count is not looked at.
   */
  HOTROD_LIFETIME_DEFAULT = 0,
  /**
   * No end; the count is not looked at.
   */
  HOTROD_LIFETIME_INFINITE = 1,
  /**
   * Seconds.
   */
  HOTROD_LIFETIME_SECONDS = 2,
  /**
   * Milliseconds.
   */
  HOTROD_LIFETIME_MILLISECONDS = 3,
  /**
   * Microseconds.
   */
  HOTROD_LIFETIME_MICROSECONDS = 4,
  /**
   * Nanoseconds.
   */
  HOTROD_LIFETIME_NANOSECONDS = 5,
  /**
   * Minutes.
   */
  HOTROD_LIFETIME_MINUTES = 6,
  /**
   * Hours.
   */
  HOTROD_LIFETIME_HOURS = 7,
  /**
   * Days.
   */
  HOTROD_LIFETIME_DAYS = 8,
} hotrod_lifetime_unit;

/**
 * What a transaction has seen of an entry; `hotrod_modification` has it as a number.
 */
typedef enum hotrod_seen {
  /**
   * It was not read: nothing to compare.
   */
  HOTROD_SEEN_NOT_READ = 0,
  /**
   * There was no entry.
   */
  HOTROD_SEEN_NON_EXISTING = 1,
  /**
   * The entry had the version of the modification.
   */
  HOTROD_SEEN_VERSION = 2,
} hotrod_seen;

/**
 * Kinds of counter; `hotrod_counter_configuration` has it as a number.
 */
typedef enum hotrod_counter_kind {
  /**
   * One value, any 64-bit number.
   */
  HOTROD_COUNTER_UNBOUNDED_STRONG = 0,
  /**
   * One value between two bounds, both included.
   */
  HOTROD_COUNTER_BOUNDED_STRONG = 1,
  /**
   * Several values that are added up: fast to add to, no exact result of an addition.
   */
  HOTROD_COUNTER_WEAK = 2,
} hotrod_counter_kind;

/**
 * Why there is no machine. Owned by whoever got it, until `hotrod_error_free`.
 */
typedef struct hotrod_error hotrod_error;

/**
 * A client of one cluster, without sockets: bytes and time go in, bytes and outputs come out.
 *
 * Made by `hotrod_machine_new` and owned by whoever made it, until `hotrod_machine_free`. One thread at a time may
 * call functions with it, any thread: a second one is answered `HOTROD_ERR_BUSY`, and nothing is done. Different machines
 * are independent of each other.
 *
 * Every function with a machine answers a status: `HOTROD_OK`, or how it failed, with more in
 * `hotrod_last_failure`. What is written through pointers is written only on success. With NULL for the machine, or
 * where something has to be written to, the answer is `HOTROD_ERR_NULL`. If the library itself has failed, the answer
 * is `HOTROD_ERR_PANIC`, then and from then on.
 *
 * No function of the library calls back: a machine is entered again only by a second thread or a signal handler, which are
 * answered `HOTROD_ERR_BUSY`. What a call is given is read before the call returns and copied if it is kept; it may be
 * memory that the machine has given out and that is still valid, except as `hotrod_received` says.
 *
 * `now_us` is the present moment, in microseconds since an epoch of the host's choosing; it never goes back.
 */
typedef struct hotrod_machine hotrod_machine;

/**
 * Text in UTF-8 that somebody else owns, without a zero at its end; NULL and 0 are no text.
 *
 * Given to a function, it is read during the call and never kept. `hotrod_text_of` makes one of a C string.
 */
typedef struct hotrod_text {
  /**
   * The first byte.
   */
  const char *data;
  /**
   * How many bytes.
   */
  size_t len;
} hotrod_text;

/**
 * Bytes that somebody else owns; NULL and 0 are no bytes. It has the layout of POSIX's `struct iovec`.
 *
 * Given to a function, they are read during the call and never kept.
 */
typedef struct hotrod_bytes {
  /**
   * The first of them.
   */
  const uint8_t *data;
  /**
   * How many.
   */
  size_t len;
} hotrod_bytes;

/**
 * Several pieces of bytes: keys, or values. `data` may be NULL if `len` is 0.
 */
typedef struct hotrod_bytes_list {
  /**
   * The first of them.
   */
  const struct hotrod_bytes *data;
  /**
   * How many.
   */
  size_t len;
} hotrod_bytes_list;

/**
 * A part of a bulk operation that failed.
 */
typedef struct hotrod_failed_part {
  /**
   * Its keys.
   */
  struct hotrod_bytes_list keys;
  /**
   * How it failed.
   */
  const struct hotrod_failure *error;
} hotrod_failed_part;

/**
 * Parts of a bulk operation that failed. `data` may be NULL if `len` is 0.
 */
typedef struct hotrod_failed_part_list {
  /**
   * The first of them.
   */
  const struct hotrod_failed_part *data;
  /**
   * How many.
   */
  size_t len;
} hotrod_failed_part_list;

/**
 * A key and a value.
 */
typedef struct hotrod_pair {
  /**
   * The key.
   */
  struct hotrod_bytes key;
  /**
   * The value.
   */
  struct hotrod_bytes value;
} hotrod_pair;

/**
 * Keys and values. `data` may be NULL if `len` is 0.
 */
typedef struct hotrod_pair_list {
  /**
   * The first of them.
   */
  const struct hotrod_pair *data;
  /**
   * How many.
   */
  size_t len;
} hotrod_pair_list;

/**
 * How something failed.
 */
typedef struct hotrod_failure {
  /**
   * The kind.
   */
  enum hotrod_status kind;
  /**
   * Everything, for people: which member, which operation, what may have become of it.
   */
  struct hotrod_text message;
  /**
   * The protocol's name of the operation; `data` is NULL if it is not one operation that failed.
   */
  struct hotrod_text operation;
  /**
   * The address of the member that it was sent to last; `data` is NULL for none.
   */
  struct hotrod_text member;
  /**
   * What the server said, one of `HOTROD_SERVER_…`; `HOTROD_SERVER_SUCCESS` if it said nothing.
   */
  uint8_t server_status;
  /**
   * Whether the operation may have been executed all the same.
   */
  enum hotrod_applied applied;
  /**
   * How often it reached a member.
   */
  uint32_t attempts;
  /**
   * Of `HOTROD_ERR_PARTIAL`: the parts that failed. What is not in them was done.
   */
  struct hotrod_failed_part_list parts;
  /**
   * Of `HOTROD_ERR_PARTIAL`: what the other parts have read.
   */
  struct hotrod_pair_list entries;
} hotrod_failure;

/**
 * A value with a name.
 */
typedef struct hotrod_parameter {
  /**
   * The name.
   */
  struct hotrod_text name;
  /**
   * The value.
   */
  struct hotrod_bytes value;
} hotrod_parameter;

/**
 * Named values. `data` may be NULL if `len` is 0.
 */
typedef struct hotrod_parameter_list {
  /**
   * The first of them.
   */
  const struct hotrod_parameter *data;
  /**
   * How many.
   */
  size_t len;
} hotrod_parameter_list;

/**
 * How a cache is asked; all zero is the server's default cache, asked plainly.
 */
typedef struct hotrod_cache_options {
  /**
   * Its name; empty for the server's default cache.
   */
  struct hotrod_text name;
  /**
   * Flags of every request: `HOTROD_FLAG_…`, added up.
   */
  uint32_t flags;
  /**
   * Media type of keys, such as `text/plain`; empty for the form in which the cache stores them.
   */
  struct hotrod_text key_type;
  /**
   * Media type of values; empty for the form in which the cache stores them.
   */
  struct hotrod_text value_type;
  /**
   * Whether keys are read from any owner, and not from the primary one.
   */
  bool read_from_any_owner;
  /**
   * Further parameters of every request, such as `traceparent` (4.0 and later).
   */
  struct hotrod_parameter_list parameters;
} hotrod_cache_options;

/**
 * Several texts. `data` may be NULL if `len` is 0.
 */
typedef struct hotrod_text_list {
  /**
   * The first of them.
   */
  const struct hotrod_text *data;
  /**
   * How many.
   */
  size_t len;
} hotrod_text_list;

/**
 * How to establish TLS. Certificates are always to be checked.
 */
typedef struct hotrod_tls {
  /**
   * The name to ask for (SNI; not if it is an IP address) and to find in the server's certificate.
   */
  struct hotrod_text server_name;
  /**
   * ALPN ids to offer, in order; none means that the extension is left out.
   */
  struct hotrod_text_list alpn;
  /**
   * PEM file with the authorities to trust; `data` is NULL for those of the system.
   */
  struct hotrod_text trust_ca;
  /**
   * PEM file with the chain of the certificate to show; `data` is NULL for none.
   */
  struct hotrod_text client_certificate;
  /**
   * PEM file with its private key; `data` is NULL for none.
   */
  struct hotrod_text client_key;
} hotrod_tls;

/**
 * Establish a connection, and say `handle_connected` or `handle_link_lost`.
 */
typedef struct hotrod_output_connect {
  /**
   * Its name from now on.
   */
  uint64_t link;
  /**
   * Who is to be at the other end.
   */
  uint64_t member;
  /**
   * Host name or IP address to connect to, without brackets.
   */
  struct hotrod_text host;
  /**
   * TCP port.
   */
  uint64_t port;
  /**
   * TLS to be established before the link is said to be connected. NULL for none.
   */
  const struct hotrod_tls *tls;
  /**
   * When the machine gives it up. In microseconds.
   */
  uint64_t timeout_us;
} hotrod_output_connect;

/**
 * Establish TLS on a connection that is there, and say `handle_connected` again, or `handle_link_lost`. Before it
 * there is nothing left to send or to receive.
 */
typedef struct hotrod_output_start_tls {
  /**
   * Which link.
   */
  uint64_t link;
  /**
   * How.
   */
  const struct hotrod_tls *tls;
} hotrod_output_start_tls;

/**
 * The link has bytes to send: write `transmit` until it is empty.
 */
typedef struct hotrod_output_transmit {
  /**
   * Which link.
   */
  uint64_t link;
} hotrod_output_transmit;

/**
 * Do not read from the link: the application has too many events of a listener to take. What comes all the same is
 * not lost.
 */
typedef struct hotrod_output_pause {
  /**
   * Which link.
   */
  uint64_t link;
} hotrod_output_pause;

/**
 * Read from the link again.
 */
typedef struct hotrod_output_resume {
  /**
   * Which link.
   */
  uint64_t link;
} hotrod_output_resume;

/**
 * Close the connection, or stop establishing it; nothing more is said of it.
 */
typedef struct hotrod_output_close {
  /**
   * Which link.
   */
  uint64_t link;
} hotrod_output_close;

/**
 * A lifetime and when it began.
 */
typedef struct hotrod_lifetime_left {
  /**
   * Whether there is an end that is known; if not, the rest is 0.
   */
  bool is_set;
  /**
   * The lifetime, in seconds.
   */
  uint32_t seconds;
  /**
   * When it began: milliseconds since 1970 by the server's clock.
   */
  uint64_t since_ms;
} hotrod_lifetime_left;

/**
 * Version and lifetimes of an entry.
 */
typedef struct hotrod_metadata {
  /**
   * Whether there is a `version`: older protocol versions do not tell it everywhere.
   */
  bool has_version;
  /**
   * Changes with every write; only good for comparing, and for operations on a certain version.
   */
  uint64_t version;
  /**
   * Time to live after the write.
   */
  struct hotrod_lifetime_left lifespan;
  /**
   * Time to live after the last use.
   */
  struct hotrod_lifetime_left max_idle;
} hotrod_metadata;

/**
 * An entry without its key.
 */
typedef struct hotrod_entry {
  /**
   * The value.
   */
  struct hotrod_bytes value;
  /**
   * Version and lifetimes.
   */
  struct hotrod_metadata metadata;
} hotrod_entry;

/**
 * The outcome of an operation with a condition.
 */
typedef struct hotrod_conditional {
  /**
   * Whether the condition held, and the operation was executed.
   */
  bool executed;
  /**
   * Whether there is a `previous`: only with `HOTROD_FLAG_FORCE_RETURN_VALUE`.
   */
  bool has_previous;
  /**
   * The entry before, or the present one if it was not executed.
   */
  struct hotrod_entry previous;
} hotrod_conditional;

/**
 * The values of a multimap key.
 */
typedef struct hotrod_values_with_metadata {
  /**
   * The values.
   */
  struct hotrod_bytes_list values;
  /**
   * Version and lifetimes.
   */
  struct hotrod_metadata metadata;
} hotrod_values_with_metadata;

/**
 * A text and its name.
 */
typedef struct hotrod_text_pair {
  /**
   * The name.
   */
  struct hotrod_text name;
  /**
   * The text.
   */
  struct hotrod_text text;
} hotrod_text_pair;

/**
 * Texts by name. `data` may be NULL if `len` is 0.
 */
typedef struct hotrod_text_pair_list {
  /**
   * The first of them.
   */
  const struct hotrod_text_pair *data;
  /**
   * How many.
   */
  size_t len;
} hotrod_text_pair_list;

/**
 * Small numbers. `data` may be NULL if `len` is 0.
 */
typedef struct hotrod_number_list {
  /**
   * The first of them.
   */
  const uint16_t *data;
  /**
   * How many.
   */
  size_t len;
} hotrod_number_list;

/**
 * What a server can do.
 */
typedef struct hotrod_server_info {
  /**
   * The form in which the cache stores keys; empty if it does not say.
   */
  struct hotrod_text key_type;
  /**
   * The form in which the cache stores values; empty if it does not say.
   */
  struct hotrod_text value_type;
  /**
   * The newest protocol version of the server, as its byte (3.0 and later); 0 if it does not say.
   */
  uint8_t server_version;
  /**
   * Request opcodes that it knows (3.0 and later).
   */
  struct hotrod_number_list operations;
} hotrod_server_info;

/**
 * A chunk of a streamed value.
 */
typedef struct hotrod_chunk {
  /**
   * For what follows.
   */
  int32_t stream_id;
  /**
   * Whether it is the last.
   */
  bool complete;
  /**
   * Whether there is `metadata`: with the first one.
   */
  bool has_metadata;
  /**
   * Version and lifetimes of the entry.
   */
  struct hotrod_metadata metadata;
  /**
   * The bytes.
   */
  struct hotrod_bytes chunk;
} hotrod_chunk;

/**
 * The identity of a transaction, as in X/Open XA.
 */
typedef struct hotrod_xid {
  /**
   * Format of the two ids.
   */
  int32_t format_id;
  /**
   * At most 64 bytes.
   */
  struct hotrod_bytes global_transaction_id;
  /**
   * At most 64 bytes.
   */
  struct hotrod_bytes branch_qualifier;
} hotrod_xid;

/**
 * Transactions. `data` may be NULL if `len` is 0.
 */
typedef struct hotrod_xid_list {
  /**
   * The first of them.
   */
  const struct hotrod_xid *data;
  /**
   * How many.
   */
  size_t len;
} hotrod_xid_list;

/**
 * How a counter is made.
 */
typedef struct hotrod_counter_configuration {
  /**
   * A `hotrod_counter_kind`.
   */
  uint32_t kind;
  /**
   * The smallest value, of a bounded one.
   */
  int64_t lower;
  /**
   * The largest value, of a bounded one.
   */
  int64_t upper;
  /**
   * How many values, of a weak one.
   */
  uint32_t concurrency;
  /**
   * Whether it outlives a restart of the cluster.
   */
  bool persistent;
  /**
   * Its first value.
   */
  int64_t initial_value;
} hotrod_counter_configuration;

/**
 * The content of an answer, by its type.
 */
typedef union hotrod_answer_content {
  /**
   * Of `HOTROD_ANSWER_FLAG`.
   */
  bool flag;
  /**
   * Of `HOTROD_ANSWER_SIZE`.
   */
  uint64_t size;
  /**
   * Of `HOTROD_ANSWER_NUMBER`.
   */
  int64_t number;
  /**
   * Of `HOTROD_ANSWER_VALUE`.
   */
  struct hotrod_bytes value;
  /**
   * Of `HOTROD_ANSWER_ENTRY`.
   */
  struct hotrod_entry entry;
  /**
   * Of `HOTROD_ANSWER_CONDITIONAL`.
   */
  struct hotrod_conditional conditional;
  /**
   * Of `HOTROD_ANSWER_VERSIONED`.
   */
  enum hotrod_versioned versioned;
  /**
   * Of `HOTROD_ANSWER_ENTRIES`.
   */
  struct hotrod_pair_list entries;
  /**
   * Of `HOTROD_ANSWER_VALUES`.
   */
  struct hotrod_bytes_list values;
  /**
   * Of `HOTROD_ANSWER_VALUES_WITH_METADATA`.
   */
  struct hotrod_values_with_metadata values_with_metadata;
  /**
   * Of `HOTROD_ANSWER_NAMES`.
   */
  struct hotrod_text_list names;
  /**
   * Of `HOTROD_ANSWER_TEXT_MAP`.
   */
  struct hotrod_text_pair_list text_map;
  /**
   * Of `HOTROD_ANSWER_SERVER`.
   */
  struct hotrod_server_info server;
  /**
   * Of `HOTROD_ANSWER_CHUNK`.
   */
  struct hotrod_chunk chunk;
  /**
   * Of `HOTROD_ANSWER_XIDS`.
   */
  struct hotrod_xid_list xids;
  /**
   * Of `HOTROD_ANSWER_COUNTER`.
   */
  struct hotrod_counter_configuration counter;
} hotrod_answer_content;

/**
 * What an operation answers.
 */
typedef struct hotrod_answer {
  /**
   * What it is.
   */
  enum hotrod_answer_type type;
  /**
   * False if there is no such entry, value or counter: then no member of `as` is set.
   */
  bool found;
  /**
   * The content: the member of its type.
   */
  union hotrod_answer_content as;
} hotrod_answer;

/**
 * An operation is done. Exactly one comes for every one submitted and not cancelled.
 */
typedef struct hotrod_output_completed {
  /**
   * Which operation.
   */
  uint64_t id;
  /**
   * The member that answered, or that was the last one tried. 0 for none.
   */
  uint64_t member;
  /**
   * What it answers; none if it failed. NULL for none.
   */
  const struct hotrod_answer *answer;
  /**
   * How it failed; none if it did not. NULL for none.
   */
  const struct hotrod_failure *error;
} hotrod_output_completed;

/**
 * An entry of an iteration.
 */
typedef struct hotrod_iteration_entry {
  /**
   * The key.
   */
  struct hotrod_bytes key;
  /**
   * The value, or the projections that the filter-converter made of it.
   */
  struct hotrod_bytes_list values;
  /**
   * Whether there is `metadata`: it was asked for.
   */
  bool has_metadata;
  /**
   * Version and lifetimes.
   */
  struct hotrod_metadata metadata;
} hotrod_iteration_entry;

/**
 * Entries of an iteration. `data` may be NULL if `len` is 0.
 */
typedef struct hotrod_iteration_entry_list {
  /**
   * The first of them.
   */
  const struct hotrod_iteration_entry *data;
  /**
   * How many.
   */
  size_t len;
} hotrod_iteration_entry_list;

/**
 * The next entries of an iteration. None of them mean that it is over, as an error does.
 */
typedef struct hotrod_output_entries {
  /**
   * Which iteration.
   */
  uint64_t id;
  /**
   * The entries; an empty list at the end.
   */
  struct hotrod_iteration_entry_list entries;
  /**
   * Why there are no more; none if there may be. NULL for none.
   */
  const struct hotrod_failure *error;
} hotrod_output_entries;

/**
 * No server could be reached, or none accepts the session: the other answer.
 */
typedef struct hotrod_output_start_failed {
  /**
   * Why.
   */
  const struct hotrod_failure *error;
} hotrod_output_start_failed;

/**
 * A session with a member is ready.
 */
typedef struct hotrod_output_member_ready {
  /**
   * Which member.
   */
  uint64_t member;
  /**
   * Its address.
   */
  struct hotrod_text address;
  /**
   * The ALPN id that it has selected, if TLS was used and it selected one. `data` is NULL for none.
   */
  struct hotrod_text alpn;
} hotrod_output_member_ready;

/**
 * A link failed or was lost.
 */
typedef struct hotrod_output_member_unavailable {
  /**
   * Which member.
   */
  uint64_t member;
  /**
   * Its address.
   */
  struct hotrod_text address;
  /**
   * Why.
   */
  struct hotrod_text reason;
  /**
   * It is not tried for so long. In microseconds.
   */
  uint64_t retry_after_us;
} hotrod_output_member_unavailable;

/**
 * A cache has a new view of the cluster.
 */
typedef struct hotrod_output_topology {
  /**
   * Which cache.
   */
  struct hotrod_text cache;
  /**
   * The id of the topology.
   */
  uint64_t id;
  /**
   * Its members.
   */
  uint64_t members;
} hotrod_output_topology;

/**
 * Another site's cluster is used from now on.
 */
typedef struct hotrod_output_site_switched {
  /**
   * The name of the site that was left; empty for the one of the settings' seeds.
   */
  struct hotrod_text from;
  /**
   * The name of the new one.
   */
  struct hotrod_text to;
  /**
   * Whether the machine did so by itself, because no member of the old one could be reached.
   */
  bool automatic;
} hotrod_output_site_switched;

/**
 * A listener is registered: what happens from now on is told.
 */
typedef struct hotrod_output_listener_registered {
  /**
   * Which listener.
   */
  uint64_t listener;
  /**
   * The member that serves it.
   */
  uint64_t member;
} hotrod_output_listener_registered;

/**
 * A listener is registered anew, because its member was lost. What happened in between was missed, unless it
 * includes the current state.
 */
typedef struct hotrod_output_listener_moved {
  /**
   * Which listener.
   */
  uint64_t listener;
  /**
   * The member that serves it now.
   */
  uint64_t member;
} hotrod_output_listener_moved;

/**
 * A listener could not be registered, and is gone.
 */
typedef struct hotrod_output_listener_failed {
  /**
   * Which listener.
   */
  uint64_t listener;
  /**
   * The member that was asked last. 0 for none.
   */
  uint64_t member;
  /**
   * Why.
   */
  const struct hotrod_failure *error;
} hotrod_output_listener_failed;

/**
 * An event for a cache listener.
 */
typedef struct hotrod_output_entry {
  /**
   * Which listener.
   */
  uint64_t listener;
  /**
   * The link that it came by: one that is not read holds up no operation.
   */
  uint64_t link;
  /**
   * What happened to the entry.
   */
  enum hotrod_entry_change change;
  /**
   * Its key; none if the listener has a converter. `data` is NULL for none.
   */
  struct hotrod_bytes key;
  /**
   * Whether there is a `version`.
   */
  bool has_version;
  /**
   * Its version, if it was created or modified.
   */
  uint64_t version;
  /**
   * What the listener's converter made of it. `data` is NULL for none.
   */
  struct hotrod_bytes data;
  /**
   * Whether the write was retried in the server: the event may have been sent before.
   */
  bool retried;
} hotrod_output_entry;

/**
 * An event for a counter listener.
 */
typedef struct hotrod_output_counter {
  /**
   * Which listener.
   */
  uint64_t listener;
  /**
   * The link that it came by: one that is not read holds up no operation.
   */
  uint64_t link;
  /**
   * The counter.
   */
  struct hotrod_text counter;
  /**
   * Its value before.
   */
  int64_t old_value;
  /**
   * Whether that was at a bound.
   */
  enum hotrod_counter_state old_state;
  /**
   * Its value now.
   */
  int64_t new_value;
  /**
   * Whether that is at a bound.
   */
  enum hotrod_counter_state new_state;
} hotrod_output_counter;

/**
 * Which carriage is used with an endpoint, where the settings leave the choice: told when it is found, and again
 * whenever another takes its place.
 */
typedef struct hotrod_output_carriage_chosen {
  /**
   * The endpoint, `host:port`.
   */
  struct hotrod_text endpoint;
  /**
   * The name of the carriage, as in connection URIs.
   */
  struct hotrod_text carriage;
  /**
   * What the endpoint does not offer of what is better; empty if there is nothing.
   */
  struct hotrod_text reason;
} hotrod_output_carriage_chosen;

/**
 * Which access path is used, where the settings leave the choice.
 */
typedef struct hotrod_output_access_chosen {
  /**
   * Its name, as in connection URIs.
   */
  struct hotrod_text path;
  /**
   * What it was chosen for.
   */
  struct hotrod_text reason;
} hotrod_output_access_chosen;

/**
 * How many members are reached directly has changed, or why they are not all. Not told where members are simply
 * dialled.
 */
typedef struct hotrod_output_coverage {
  /**
   * Members with a session that is ready.
   */
  uint64_t covered;
  /**
   * Members of the newest topology.
   */
  uint64_t members;
  /**
   * Why they are not the same; empty if they are.
   */
  struct hotrod_text reason;
} hotrod_output_coverage;

/**
 * How a balancer chooses the member of a connection, as far as it was seen.
 */
typedef struct hotrod_output_balancing_recognised {
  /**
   * `round-robin`, `random`, `client-address` or `cookie`.
   */
  struct hotrod_text balancing;
  /**
   * What was seen.
   */
  struct hotrod_text reason;
} hotrod_output_balancing_recognised;

/**
 * A topology names a member outside `member_hosts`: no link is opened to it, and its operations go to other members,
 * which forward them. Reported once for each member.
 */
typedef struct hotrod_output_member_not_allowed {
  /**
   * Which member.
   */
  uint64_t member;
  /**
   * Its address.
   */
  struct hotrod_text address;
  /**
   * The hosts that are allowed, and the property that sets them.
   */
  struct hotrod_text reason;
} hotrod_output_member_not_allowed;

/**
 * A near cache keeps values from now on.
 */
typedef struct hotrod_output_near_cache_active {
  /**
   * Of which cache.
   */
  struct hotrod_text cache;
} hotrod_output_near_cache_active;

/**
 * A near cache is empty and keeps nothing, because nobody tells of changes at the moment.
 */
typedef struct hotrod_output_near_cache_inactive {
  /**
   * Of which cache.
   */
  struct hotrod_text cache;
  /**
   * Why it stays so; `None` if it is being made active again. NULL for none.
   */
  const struct hotrod_failure *error;
} hotrod_output_near_cache_inactive;

/**
 * The fields of an output, by its type.
 */
typedef union hotrod_output_fields {
  /**
   * Of an output without fields.
   */
  uint8_t nothing;
  /**
   * Of `HOTROD_OUTPUT_CONNECT`.
   */
  struct hotrod_output_connect connect;
  /**
   * Of `HOTROD_OUTPUT_START_TLS`.
   */
  struct hotrod_output_start_tls start_tls;
  /**
   * Of `HOTROD_OUTPUT_TRANSMIT`.
   */
  struct hotrod_output_transmit transmit;
  /**
   * Of `HOTROD_OUTPUT_PAUSE`.
   */
  struct hotrod_output_pause pause;
  /**
   * Of `HOTROD_OUTPUT_RESUME`.
   */
  struct hotrod_output_resume resume;
  /**
   * Of `HOTROD_OUTPUT_CLOSE`.
   */
  struct hotrod_output_close close;
  /**
   * Of `HOTROD_OUTPUT_COMPLETED`.
   */
  struct hotrod_output_completed completed;
  /**
   * Of `HOTROD_OUTPUT_ENTRIES`.
   */
  struct hotrod_output_entries entries;
  /**
   * Of `HOTROD_OUTPUT_START_FAILED`.
   */
  struct hotrod_output_start_failed start_failed;
  /**
   * Of `HOTROD_OUTPUT_MEMBER_READY`.
   */
  struct hotrod_output_member_ready member_ready;
  /**
   * Of `HOTROD_OUTPUT_MEMBER_UNAVAILABLE`.
   */
  struct hotrod_output_member_unavailable member_unavailable;
  /**
   * Of `HOTROD_OUTPUT_TOPOLOGY`.
   */
  struct hotrod_output_topology topology;
  /**
   * Of `HOTROD_OUTPUT_SITE_SWITCHED`.
   */
  struct hotrod_output_site_switched site_switched;
  /**
   * Of `HOTROD_OUTPUT_LISTENER_REGISTERED`.
   */
  struct hotrod_output_listener_registered listener_registered;
  /**
   * Of `HOTROD_OUTPUT_LISTENER_MOVED`.
   */
  struct hotrod_output_listener_moved listener_moved;
  /**
   * Of `HOTROD_OUTPUT_LISTENER_FAILED`.
   */
  struct hotrod_output_listener_failed listener_failed;
  /**
   * Of `HOTROD_OUTPUT_ENTRY`.
   */
  struct hotrod_output_entry entry;
  /**
   * Of `HOTROD_OUTPUT_COUNTER`.
   */
  struct hotrod_output_counter counter;
  /**
   * Of `HOTROD_OUTPUT_CARRIAGE_CHOSEN`.
   */
  struct hotrod_output_carriage_chosen carriage_chosen;
  /**
   * Of `HOTROD_OUTPUT_ACCESS_CHOSEN`.
   */
  struct hotrod_output_access_chosen access_chosen;
  /**
   * Of `HOTROD_OUTPUT_COVERAGE`.
   */
  struct hotrod_output_coverage coverage;
  /**
   * Of `HOTROD_OUTPUT_BALANCING_RECOGNISED`.
   */
  struct hotrod_output_balancing_recognised balancing_recognised;
  /**
   * Of `HOTROD_OUTPUT_MEMBER_NOT_ALLOWED`.
   */
  struct hotrod_output_member_not_allowed member_not_allowed;
  /**
   * Of `HOTROD_OUTPUT_NEAR_CACHE_ACTIVE`.
   */
  struct hotrod_output_near_cache_active near_cache_active;
  /**
   * Of `HOTROD_OUTPUT_NEAR_CACHE_INACTIVE`.
   */
  struct hotrod_output_near_cache_inactive near_cache_inactive;
} hotrod_output_fields;

/**
 * Something that the machine says. It and everything that it points to is valid until the next `hotrod_poll` on the
 * same machine, or until that is freed.
 */
typedef struct hotrod_output {
  /**
   * What it is.
   */
  enum hotrod_output_type type;
  /**
   * Its fields: the member of the name of its type.
   */
  union hotrod_output_fields as;
} hotrod_output;

/**
 * How an operation is submitted; all zero is as the machine does it by itself.
 *
 * The functions `hotrod_submit_…` have this in common. `cache` is a number of `hotrod_cache`; `options` may be NULL.
 * What the arguments point to is read during the call, and is the caller's as before. `id` is set to the operation's
 * identity, never 0; exactly one `HOTROD_OUTPUT_COMPLETED` with that identity comes, unless it is cancelled. They
 * answer `HOTROD_ERR_MISUSE` for an argument that can't be, `HOTROD_ERR_FULL` if too much is going on, and
 * `HOTROD_ERR_CLOSED` after `hotrod_close`; nothing is sent then.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
typedef struct hotrod_call_options {
  /**
   * The only member that may execute it; 0 for any.
   */
  uint64_t member;
  /**
   * Over all attempts, in microseconds; 0 for the machine's.
   */
  uint64_t timeout_us;
} hotrod_call_options;

/**
 * How long an entry lives; all zero is as the cache is configured.
 *
 * Protocols 2.0 and 2.1 know seconds only: there the rest is rounded up. A count of 0 is no end. Up to 2.9 the server
 * takes more than 30 days for a point in time since 1970.
 */
typedef struct hotrod_lifetime {
  /**
   * A `hotrod_lifetime_unit`.
   */
  uint32_t unit;
  /**
   * How many of it.
   */
  uint64_t count;
} hotrod_lifetime;

/**
 * When an entry expires; all zero is as the cache is configured.
 */
typedef struct hotrod_expiration {
  /**
   * Time to live after the write.
   */
  struct hotrod_lifetime lifespan;
  /**
   * Time to live after the last use.
   */
  struct hotrod_lifetime max_idle;
} hotrod_expiration;

/**
 * One change that a transaction makes.
 */
typedef struct hotrod_modification {
  /**
   * The entry's key.
   */
  struct hotrod_bytes key;
  /**
   * What the transaction has seen of it, a `hotrod_seen`: the prepare fails if that is no longer true.
   */
  uint32_t seen;
  /**
   * Of `HOTROD_SEEN_VERSION`.
   */
  uint64_t version;
  /**
   * Whether the entry is removed; the rest is not looked at then.
   */
  bool removes;
  /**
   * Its new lifetime.
   */
  struct hotrod_expiration expiration;
  /**
   * Its new value.
   */
  struct hotrod_bytes value;
} hotrod_modification;

/**
 * What a transaction changes. `data` may be NULL if `len` is 0.
 */
typedef struct hotrod_modification_list {
  /**
   * The first of them.
   */
  const struct hotrod_modification *data;
  /**
   * How many.
   */
  size_t len;
} hotrod_modification_list;

/**
 * A filter or a converter that the server makes.
 */
typedef struct hotrod_factory {
  /**
   * Its name; empty for none.
   */
  struct hotrod_text name;
  /**
   * Its parameters, in the cache's key or value form.
   */
  struct hotrod_bytes_list parameters;
} hotrod_factory;

/**
 * What a listener wants to hear; all zero is every event from now on.
 */
typedef struct hotrod_listener_options {
  /**
   * Send a created event for every entry that exists already.
   */
  bool include_current_state;
  /**
   * Decides in the server which events are sent.
   */
  struct hotrod_factory filter;
  /**
   * Makes the event's data in the server.
   */
  struct hotrod_factory converter;
  /**
   * Give the factories the stored bytes, not objects (2.1 and later).
   */
  bool use_raw_data;
  /**
   * The kinds of event: `HOTROD_INTEREST_…`, added up (2.6 and later; before, and if 0, all).
   */
  uint32_t interests;
} hotrod_listener_options;

/**
 * How entries are iterated over; all zero is all of them, in batches of 1,000.
 */
typedef struct hotrod_iteration_options {
  /**
   * Only these segments: one bit each, least significant first. `data` is NULL for all.
   */
  struct hotrod_bytes segments;
  /**
   * A filter-converter of the server's.
   */
  struct hotrod_factory filter_converter;
  /**
   * Entries in a batch of one member; 0 counts as 1,000.
   */
  uint32_t batch_size;
  /**
   * Whether entries come with version and lifetimes (2.5 and later).
   */
  bool include_metadata;
  /**
   * Deadline of each batch, in microseconds; 0 for the machine's.
   */
  uint64_t timeout_us;
} hotrod_iteration_options;

/**
 * What a near cache keeps; a 0 stands for the default.
 */
typedef struct hotrod_near_cache_options {
  /**
   * The most entries; the least recently used one goes first. Default 10,000.
   */
  size_t max_entries;
  /**
   * The most bytes of keys and values. Default 64 MiB.
   */
  size_t max_bytes;
  /**
   * Have the server leave out events of keys that this client has not read (3.1 and later). Reads then go to the
   * member that sends the events, and not to the owner of their key.
   */
  bool bloom_filter;
} hotrod_near_cache_options;

/**
 * What a machine has done since it was made.
 */
typedef struct hotrod_counters {
  /**
   * Operations that were completed, the machine's own not included.
   */
  uint64_t operations;
  /**
   * Of these, those that failed.
   */
  uint64_t failures;
  /**
   * Operations sent to the primary owner of their key, or to any owner where that was asked for.
   */
  uint64_t direct;
  /**
   * Operations with a key sent to another member, which has to forward them.
   */
  uint64_t forwarded;
  /**
   * Times an operation was sent again.
   */
  uint64_t retries;
  /**
   * Links asked for.
   */
  uint64_t connects;
  /**
   * Sessions opened to find out which member answers.
   */
  uint64_t tries;
  /**
   * Links that failed or were lost.
   */
  uint64_t disconnects;
  /**
   * Topologies taken over.
   */
  uint64_t topologies;
  /**
   * Listeners that were registered anew after their member was lost.
   */
  uint64_t listener_failovers;
  /**
   * Reads answered by a near cache.
   */
  uint64_t near_hits;
  /**
   * Reads that a near cache could not answer.
   */
  uint64_t near_misses;
  /**
   * Bytes that the host has sent.
   */
  uint64_t bytes_sent;
  /**
   * Bytes that the host has received.
   */
  uint64_t bytes_received;
  /**
   * How long completed operations took: bucket n counts those below 2 to the power of n microseconds that are
   * not in an earlier one; the last holds everything longer as well.
   */
  uint64_t latency[32];
} hotrod_counters;

/**
 * Members that are reached directly; operations on keys of the others are forwarded by the servers.
 */
typedef struct hotrod_coverage {
  /**
   * Members with a session that is ready.
   */
  size_t covered;
  /**
   * Members of the newest topology; 0 before the first.
   */
  size_t members;
  /**
   * Why they are not the same; empty if they are.
   */
  struct hotrod_text reason;
} hotrod_coverage;

/**
 * A server that the machine knows.
 */
typedef struct hotrod_member {
  /**
   * Its identity.
   */
  uint64_t id;
  /**
   * Its address: the one that it advertises, or that of the URI.
   */
  struct hotrod_text address;
  /**
   * Whether a session with it is ready.
   */
  bool ready;
  /**
   * Whether the URI names it. One that is no member under that address is left when the members are known.
   */
  bool is_seed;
  /**
   * Links to it that are open or being established.
   */
  size_t links;
  /**
   * Operations in flight there.
   */
  size_t in_flight;
  /**
   * Operations that it has answered on its present links.
   */
  uint64_t answered;
  /**
   * Why it could not be reached the last time, if it was not reached since; `data` is NULL if it was.
   */
  struct hotrod_text failure;
} hotrod_member;

/**
 * Indexes of the owners of a segment, the primary one first.
 */
typedef struct hotrod_owners {
  /**
   * The first of them: an index into the members of the view.
   */
  const size_t *data;
  /**
   * How many.
   */
  size_t len;
} hotrod_owners;

/**
 * A cache's view of the cluster.
 */
typedef struct hotrod_view {
  /**
   * The topology's id; only good for comparing.
   */
  uint32_t topology_id;
  /**
   * The addresses of its members.
   */
  struct hotrod_text_list members;
  /**
   * The owners of each segment.
   */
  const struct hotrod_owners *segments;
  /**
   * How many segments; 0 where keys are not spread by hash.
   */
  size_t segment_count;
} hotrod_view;

/**
 * What the negotiation with a member has found.
 */
typedef struct hotrod_session {
  /**
   * The protocol version that the session speaks, such as `4.1`.
   */
  struct hotrod_text version;
  /**
   * The server's newest version, as its byte (3.0 and later); 0 if it does not say.
   */
  uint8_t server_version;
  /**
   * Request opcodes that the server knows (3.0 and later).
   */
  struct hotrod_number_list operations;
  /**
   * The form in which the default cache stores keys; empty if the server does not say.
   */
  struct hotrod_text key_type;
  /**
   * The form in which the default cache stores values; empty if the server does not say.
   */
  struct hotrod_text value_type;
} hotrod_session;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The library's version, such as `0.1.0`: a C string that stays. Any thread may call it.
 */
const char *hotrod_version(void);

/**
 * Makes a client of what a URI names; nothing is sent before `hotrod_start` or an operation.
 *
 * All of its randomness comes from the 32 bytes of `seed`: give it others each time, from the system's source of
 * randomness. `machine` is set to a machine of the caller's. On failure `error` is set to an error of the caller's, if
 * it is not NULL. Any thread may call it.
 */
enum hotrod_status hotrod_machine_new(struct hotrod_text uri,
                                      const uint8_t *seed,
                                      uint64_t now_us,
                                      struct hotrod_machine **machine,
                                      struct hotrod_error **error);

/**
 * Frees a machine, with everything that it has given out; NULL is nothing to free. Its connections are the host's, who
 * closes them. To let operations finish, `hotrod_close` it before. Any thread may call it, none other on that machine.
 */
void hotrod_machine_free(struct hotrod_machine *machine);

/**
 * What an error says; valid until it is freed. NULL for NULL. Any thread may call it.
 */
const struct hotrod_failure *hotrod_error_failure(const struct hotrod_error *error);

/**
 * Frees an error; NULL is nothing to free. Any thread may call it.
 */
void hotrod_error_free(struct hotrod_error *error);

/**
 * How the last call on this machine that failed has failed; NULL if none has, and while another thread is in a call.
 * Valid until the next one that fails, or until the machine is freed. Works after `HOTROD_ERR_PANIC` as well; a call that
 * answered `HOTROD_ERR_BUSY` leaves nothing here.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
const struct hotrod_failure *hotrod_last_failure(const struct hotrod_machine *machine);

/**
 * Gives a cache, asked in a certain way, a number for the calls on it; every call gives a new one. They last as long as
 * the machine. `HOTROD_ERR_MISUSE` for a media type that can't be.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_cache(struct hotrod_machine *machine,
                                uint64_t now_us,
                                const struct hotrod_cache_options *options,
                                uint32_t *cache);

/**
 * The name of the cache that the URI names; empty for the server's default cache. Valid as long as the machine.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_default_cache(struct hotrod_machine *machine,
                                        struct hotrod_text *name);

/**
 * Connects to a first member, asking for that cache. `HOTROD_OUTPUT_STARTED` or `HOTROD_OUTPUT_START_FAILED` is the
 * answer. Operations may be submitted at once.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_start(struct hotrod_machine *machine,
                                uint64_t now_us,
                                uint32_t cache);

/**
 * Gives an operation up: nothing more is said of it. `was_there`, if it is not NULL, is set to whether there was such
 * an operation. It may be executed all the same.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_cancel(struct hotrod_machine *machine,
                                 uint64_t operation,
                                 bool *was_there);

/**
 * The next thing that the machine says; `*next` is NULL when there is no more for now. Ask until then after every call
 * that brings something in. What it points to is valid until the next `hotrod_poll` on this machine.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_poll(struct hotrod_machine *machine,
                               const struct hotrod_output **next);

/**
 * When `hotrod_timeout` is to be called: `HOTROD_NO_DEADLINE` for never. It changes with every other call.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_deadline(struct hotrod_machine *machine, uint64_t *at_us);

/**
 * Time has passed. A call too many does no harm.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_timeout(struct hotrod_machine *machine, uint64_t now_us);

/**
 * Lets operations in flight finish, and closes every link. Nothing more is accepted: calls that would begin something
 * answer `HOTROD_ERR_CLOSED`.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_close(struct hotrod_machine *machine,
                                uint64_t now_us);

/**
 * Whether every link is closed and none will come, after `hotrod_close`.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_is_closed(struct hotrod_machine *machine, bool *is_closed);

/**
 * Goes over to another site, or with an empty name back to the one of the URI's servers. `is_known`, if it is not NULL,
 * is set to whether there is one of that name.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_switch_site(struct hotrod_machine *machine,
                                      uint64_t now_us,
                                      struct hotrod_text name,
                                      bool *is_known);

/**
 * The IP address, as text, to which a link was connected: what the address of a server covers counts as `member_hosts`
 * where the URI sets none. Call it before `hotrod_connected`.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_set_peer(struct hotrod_machine *machine,
                                   uint64_t link,
                                   struct hotrod_text address);

/**
 * What TLS 1.3 exports on a link for channel binding (RFC 9266): label `EXPORTER-Channel-Binding`, an empty context, 32
 * bytes. Call it before `hotrod_connected`.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_set_tls_exporter(struct hotrod_machine *machine,
                                           uint64_t link,
                                           struct hotrod_bytes exported);

/**
 * The certificate of a link's server, in DER, for channel binding (RFC 5929) where TLS exports nothing. Call it before
 * `hotrod_connected`.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_set_server_certificate(struct hotrod_machine *machine,
                                                 uint64_t link,
                                                 struct hotrod_bytes certificate);

/**
 * A link is established, with TLS if that was asked for. `alpn` is the id that the server has selected; NULL for none.
 * Nothing happens for a link that the machine does not know any more; so it is with all functions of links.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_connected(struct hotrod_machine *machine,
                                    uint64_t now_us,
                                    uint64_t link,
                                    struct hotrod_bytes alpn);

/**
 * Takes bytes from a link; they are copied. `hotrod_receive_buffer` saves the copy. `HOTROD_ERR_MISUSE` for bytes in the
 * room that `hotrod_receive_buffer` gave: `hotrod_filled` takes those.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_received(struct hotrod_machine *machine,
                                   uint64_t now_us,
                                   uint64_t link,
                                   struct hotrod_bytes bytes);

/**
 * Room in the machine for bytes of a link: read into it, at most `*len` bytes, and say `hotrod_filled`. It is the
 * machine's, and good to be written to until the next call on this machine. `*data` is NULL and `*len` 0 if the link
 * does not take bytes (any more).
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_receive_buffer(struct hotrod_machine *machine,
                                         uint64_t link,
                                         uint8_t **data,
                                         size_t *len);

/**
 * The host has written the first `count` bytes of the room that `hotrod_receive_buffer` gave for this link.
 * `HOTROD_ERR_MISUSE` if there was no such room, or less.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_filled(struct hotrod_machine *machine,
                                 uint64_t now_us,
                                 uint64_t link,
                                 size_t count);

/**
 * A link could not be established, or is lost: closed by the peer, broken. `why` is for people.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_link_lost(struct hotrod_machine *machine,
                                    uint64_t now_us,
                                    uint64_t link,
                                    struct hotrod_text why);

/**
 * What a link has to send, oldest first: up to `max` pieces are written to `pieces`, and their number to `count`; 0
 * means that nothing waits. A `hotrod_bytes` has the layout of a `struct iovec`. The bytes are the machine's, and valid
 * until the next call on it but this. Then say `hotrod_transmitted`.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_transmit(struct hotrod_machine *machine,
                                   uint64_t link,
                                   struct hotrod_bytes *pieces,
                                   size_t max,
                                   size_t *count);

/**
 * So many bytes of `hotrod_transmit` have been sent. `HOTROD_ERR_MISUSE` if there were less.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_transmitted(struct hotrod_machine *machine, uint64_t link, size_t count);

/**
 * Whether the host should read from the link: not before it is connected, not between `HOTROD_OUTPUT_PAUSE` and
 * `HOTROD_OUTPUT_RESUME`, nor while too many outputs wait for `hotrod_poll`.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_wants_read(struct hotrod_machine *machine,
                                     uint64_t link,
                                     bool *wants);

/**
 * Says where a member was found, by its advertised host and port; an empty `host` says that it is there no more.
 * `server_name` is the name for TLS; empty for the settings', or the host. What the URI says of where members are
 * counts for more. Links that exist stay as they are.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_set_discovered(struct hotrod_machine *machine,
                                         struct hotrod_text member_host,
                                         uint16_t member_port,
                                         struct hotrod_text host,
                                         uint16_t port,
                                         struct hotrod_text server_name);

/**
 * Stores a value, whether or not there is one. PUT since 2.0; answers `HOTROD_ANSWER_ENTRY`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_put(struct hotrod_machine *machine,
                                     uint64_t now_us,
                                     uint32_t cache,
                                     const struct hotrod_call_options *options,
                                     struct hotrod_bytes key,
                                     struct hotrod_expiration expiration,
                                     struct hotrod_bytes value,
                                     uint64_t *id);

/**
 * Reads a value. GET since 2.0; answers `HOTROD_ANSWER_VALUE`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_get(struct hotrod_machine *machine,
                                     uint64_t now_us,
                                     uint32_t cache,
                                     const struct hotrod_call_options *options,
                                     struct hotrod_bytes key,
                                     uint64_t *id);

/**
 * Stores a value if there is none. PUT_IF_ABSENT since 2.0; answers `HOTROD_ANSWER_CONDITIONAL`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_put_if_absent(struct hotrod_machine *machine,
                                               uint64_t now_us,
                                               uint32_t cache,
                                               const struct hotrod_call_options *options,
                                               struct hotrod_bytes key,
                                               struct hotrod_expiration expiration,
                                               struct hotrod_bytes value,
                                               uint64_t *id);

/**
 * Stores a value if there is one. REPLACE since 2.0; answers `HOTROD_ANSWER_CONDITIONAL`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_replace(struct hotrod_machine *machine,
                                         uint64_t now_us,
                                         uint32_t cache,
                                         const struct hotrod_call_options *options,
                                         struct hotrod_bytes key,
                                         struct hotrod_expiration expiration,
                                         struct hotrod_bytes value,
                                         uint64_t *id);

/**
 * Stores a value if the entry still has that version. REPLACE_IF_UNMODIFIED since 2.0; answers
 * `HOTROD_ANSWER_VERSIONED`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_replace_if_unmodified(struct hotrod_machine *machine,
                                                       uint64_t now_us,
                                                       uint32_t cache,
                                                       const struct hotrod_call_options *options,
                                                       struct hotrod_bytes key,
                                                       struct hotrod_expiration expiration,
                                                       uint64_t entry_version,
                                                       struct hotrod_bytes value,
                                                       uint64_t *id);

/**
 * Removes an entry. REMOVE since 2.0; answers `HOTROD_ANSWER_CONDITIONAL`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_remove(struct hotrod_machine *machine,
                                        uint64_t now_us,
                                        uint32_t cache,
                                        const struct hotrod_call_options *options,
                                        struct hotrod_bytes key,
                                        uint64_t *id);

/**
 * Removes an entry if it still has that version. REMOVE_IF_UNMODIFIED since 2.0; answers `HOTROD_ANSWER_VERSIONED`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_remove_if_unmodified(struct hotrod_machine *machine,
                                                      uint64_t now_us,
                                                      uint32_t cache,
                                                      const struct hotrod_call_options *options,
                                                      struct hotrod_bytes key,
                                                      uint64_t entry_version,
                                                      uint64_t *id);

/**
 * Tells whether there is an entry. CONTAINS_KEY since 2.0; answers `HOTROD_ANSWER_FLAG`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_contains_key(struct hotrod_machine *machine,
                                              uint64_t now_us,
                                              uint32_t cache,
                                              const struct hotrod_call_options *options,
                                              struct hotrod_bytes key,
                                              uint64_t *id);

/**
 * Reads a value and its version. GET_WITH_VERSION since 2.0; answers `HOTROD_ANSWER_ENTRY`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_get_with_version(struct hotrod_machine *machine,
                                                  uint64_t now_us,
                                                  uint32_t cache,
                                                  const struct hotrod_call_options *options,
                                                  struct hotrod_bytes key,
                                                  uint64_t *id);

/**
 * Removes all entries. CLEAR since 2.0; answers `HOTROD_ANSWER_NOTHING`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_clear(struct hotrod_machine *machine,
                                       uint64_t now_us,
                                       uint32_t cache,
                                       const struct hotrod_call_options *options,
                                       uint64_t *id);

/**
 * Tells the statistics of the cache and the server. STATS since 2.0; answers `HOTROD_ANSWER_TEXT_MAP`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_stats(struct hotrod_machine *machine,
                                       uint64_t now_us,
                                       uint32_t cache,
                                       const struct hotrod_call_options *options,
                                       uint64_t *id);

/**
 * Asks whether the server and the cache are there; also what the server can do. PING since 2.0; answers
 * `HOTROD_ANSWER_SERVER`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_ping(struct hotrod_machine *machine,
                                      uint64_t now_us,
                                      uint32_t cache,
                                      const struct hotrod_call_options *options,
                                      uint64_t *id);

/**
 * Reads up to that many entries, 0 for all. BULK_GET since 2.0; answers `HOTROD_ANSWER_ENTRIES`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_bulk_get(struct hotrod_machine *machine,
                                          uint64_t now_us,
                                          uint32_t cache,
                                          const struct hotrod_call_options *options,
                                          uint32_t count,
                                          uint64_t *id);

/**
 * Reads a value, its version and its lifetimes. GET_WITH_METADATA since 2.0; answers `HOTROD_ANSWER_ENTRY`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_get_with_metadata(struct hotrod_machine *machine,
                                                   uint64_t now_us,
                                                   uint32_t cache,
                                                   const struct hotrod_call_options *options,
                                                   struct hotrod_bytes key,
                                                   uint64_t *id);

/**
 * Reads all keys; scope 0 default, 1 global, 2 local. BULK_GET_KEYS since 2.0; answers `HOTROD_ANSWER_VALUES`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_bulk_get_keys(struct hotrod_machine *machine,
                                               uint64_t now_us,
                                               uint32_t cache,
                                               const struct hotrod_call_options *options,
                                               uint32_t scope,
                                               uint64_t *id);

/**
 * Runs a query (a serialized `QueryRequest`). QUERY since 2.0; answers `HOTROD_ANSWER_VALUE`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_query(struct hotrod_machine *machine,
                                       uint64_t now_us,
                                       uint32_t cache,
                                       const struct hotrod_call_options *options,
                                       struct hotrod_bytes query,
                                       uint64_t *id);

/**
 * Counts the entries. SIZE since 2.0; answers `HOTROD_ANSWER_SIZE`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_size(struct hotrod_machine *machine,
                                      uint64_t now_us,
                                      uint32_t cache,
                                      const struct hotrod_call_options *options,
                                      uint64_t *id);

/**
 * Runs a task in the server; at most 127 parameters. EXEC since 2.1; answers `HOTROD_ANSWER_VALUE`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_exec(struct hotrod_machine *machine,
                                      uint64_t now_us,
                                      uint32_t cache,
                                      const struct hotrod_call_options *options,
                                      struct hotrod_text task,
                                      struct hotrod_parameter_list parameters,
                                      uint64_t *id);

/**
 * Stores many values. PUT_ALL since 2.1; answers `HOTROD_ANSWER_NOTHING`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_put_all(struct hotrod_machine *machine,
                                         uint64_t now_us,
                                         uint32_t cache,
                                         const struct hotrod_call_options *options,
                                         struct hotrod_expiration expiration,
                                         struct hotrod_pair_list entries,
                                         uint64_t *id);

/**
 * Reads many values. GET_ALL since 2.1; answers `HOTROD_ANSWER_ENTRIES`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_get_all(struct hotrod_machine *machine,
                                         uint64_t now_us,
                                         uint32_t cache,
                                         const struct hotrod_call_options *options,
                                         struct hotrod_bytes_list keys,
                                         uint64_t *id);

/**
 * Reads a value from an offset on, with its version and lifetimes. Servers up to 16 announce the rest of the value
 * and send all of it: only offset 0 leaves the stream in step. GET_STREAM since 2.6; answers `HOTROD_ANSWER_ENTRY`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_get_stream(struct hotrod_machine *machine,
                                            uint64_t now_us,
                                            uint32_t cache,
                                            const struct hotrod_call_options *options,
                                            struct hotrod_bytes key,
                                            uint32_t offset,
                                            uint64_t *id);

/**
 * Stores a value given in chunks: version 0 as PUT, -1 as PUT_IF_ABSENT, another as REPLACE_IF_UNMODIFIED. At 4.1
 * servers refuse it: START_PUT_STREAM has taken its place. PUT_STREAM since 2.6; answers
 * `HOTROD_ANSWER_CONDITIONAL`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_put_stream(struct hotrod_machine *machine,
                                            uint64_t now_us,
                                            uint32_t cache,
                                            const struct hotrod_call_options *options,
                                            struct hotrod_bytes key,
                                            struct hotrod_expiration expiration,
                                            uint64_t entry_version,
                                            struct hotrod_bytes_list chunks,
                                            uint64_t *id);

/**
 * Prepares a transaction, with a timeout of 60 s. PREPARE_TX since 2.7; answers `HOTROD_ANSWER_NUMBER`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_prepare_tx(struct hotrod_machine *machine,
                                            uint64_t now_us,
                                            uint32_t cache,
                                            const struct hotrod_call_options *options,
                                            struct hotrod_xid xid,
                                            bool one_phase_commit,
                                            struct hotrod_modification_list modifications,
                                            uint64_t *id);

/**
 * Commits a prepared transaction. COMMIT_TX since 2.7; answers `HOTROD_ANSWER_NUMBER`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_commit_tx(struct hotrod_machine *machine,
                                           uint64_t now_us,
                                           uint32_t cache,
                                           const struct hotrod_call_options *options,
                                           struct hotrod_xid xid,
                                           uint64_t *id);

/**
 * Rolls a transaction back. ROLLBACK_TX since 2.7; answers `HOTROD_ANSWER_NUMBER`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_rollback_tx(struct hotrod_machine *machine,
                                             uint64_t now_us,
                                             uint32_t cache,
                                             const struct hotrod_call_options *options,
                                             struct hotrod_xid xid,
                                             uint64_t *id);

/**
 * Makes a counter. COUNTER_CREATE since 2.7; answers `HOTROD_ANSWER_FLAG`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_counter_create(struct hotrod_machine *machine,
                                                uint64_t now_us,
                                                uint32_t cache,
                                                const struct hotrod_call_options *options,
                                                struct hotrod_text counter,
                                                struct hotrod_counter_configuration configuration,
                                                uint64_t *id);

/**
 * Tells how a counter was made. COUNTER_GET_CONFIGURATION since 2.7; answers `HOTROD_ANSWER_COUNTER`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_counter_get_configuration(struct hotrod_machine *machine,
                                                           uint64_t now_us,
                                                           uint32_t cache,
                                                           const struct hotrod_call_options *options,
                                                           struct hotrod_text counter,
                                                           uint64_t *id);

/**
 * Tells whether there is such a counter. Its reply is 0x51: 0x50 is taken by errors. COUNTER_IS_DEFINED since 2.7;
 * answers `HOTROD_ANSWER_FLAG`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_counter_is_defined(struct hotrod_machine *machine,
                                                    uint64_t now_us,
                                                    uint32_t cache,
                                                    const struct hotrod_call_options *options,
                                                    struct hotrod_text counter,
                                                    uint64_t *id);

/**
 * Adds to a counter and tells its new value (0 for a weak one). COUNTER_ADD_AND_GET since 2.7; answers
 * `HOTROD_ANSWER_NUMBER`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_counter_add_and_get(struct hotrod_machine *machine,
                                                     uint64_t now_us,
                                                     uint32_t cache,
                                                     const struct hotrod_call_options *options,
                                                     struct hotrod_text counter,
                                                     int64_t delta,
                                                     uint64_t *id);

/**
 * Sets a counter back to its initial value. COUNTER_RESET since 2.7; answers `HOTROD_ANSWER_NOTHING`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_counter_reset(struct hotrod_machine *machine,
                                               uint64_t now_us,
                                               uint32_t cache,
                                               const struct hotrod_call_options *options,
                                               struct hotrod_text counter,
                                               uint64_t *id);

/**
 * Tells the value of a counter. COUNTER_GET since 2.7; answers `HOTROD_ANSWER_NUMBER`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_counter_get(struct hotrod_machine *machine,
                                             uint64_t now_us,
                                             uint32_t cache,
                                             const struct hotrod_call_options *options,
                                             struct hotrod_text counter,
                                             uint64_t *id);

/**
 * Sets a strong counter if it has the expected value, and tells the value it had. COUNTER_CAS since 2.7; answers
 * `HOTROD_ANSWER_NUMBER`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_counter_compare_and_swap(struct hotrod_machine *machine,
                                                          uint64_t now_us,
                                                          uint32_t cache,
                                                          const struct hotrod_call_options *options,
                                                          struct hotrod_text counter,
                                                          int64_t expected,
                                                          int64_t update,
                                                          uint64_t *id);

/**
 * Drops the value of a counter; its configuration stays. COUNTER_REMOVE since 2.7; answers `HOTROD_ANSWER_FLAG`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_counter_remove(struct hotrod_machine *machine,
                                                uint64_t now_us,
                                                uint32_t cache,
                                                const struct hotrod_call_options *options,
                                                struct hotrod_text counter,
                                                uint64_t *id);

/**
 * Tells the names of all counters. COUNTER_GET_NAMES since 2.7; answers `HOTROD_ANSWER_NAMES`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_counter_get_names(struct hotrod_machine *machine,
                                                   uint64_t now_us,
                                                   uint32_t cache,
                                                   const struct hotrod_call_options *options,
                                                   uint64_t *id);

/**
 * Reads the values of a multimap key. GET_MULTIMAP since 2.9; answers `HOTROD_ANSWER_VALUES`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_get_multimap(struct hotrod_machine *machine,
                                              uint64_t now_us,
                                              uint32_t cache,
                                              const struct hotrod_call_options *options,
                                              struct hotrod_bytes key,
                                              bool supports_duplicates,
                                              uint64_t *id);

/**
 * Reads the values of a multimap key, with version and lifetimes. GET_MULTIMAP_WITH_METADATA since 2.9; answers
 * `HOTROD_ANSWER_VALUES_WITH_METADATA`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_get_multimap_with_metadata(struct hotrod_machine *machine,
                                                            uint64_t now_us,
                                                            uint32_t cache,
                                                            const struct hotrod_call_options *options,
                                                            struct hotrod_bytes key,
                                                            bool supports_duplicates,
                                                            uint64_t *id);

/**
 * Adds a value to a multimap key; the expiration is sent and not used by the server. PUT_MULTIMAP since 2.9; answers
 * `HOTROD_ANSWER_NOTHING`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_put_multimap(struct hotrod_machine *machine,
                                              uint64_t now_us,
                                              uint32_t cache,
                                              const struct hotrod_call_options *options,
                                              struct hotrod_bytes key,
                                              struct hotrod_expiration expiration,
                                              struct hotrod_bytes value,
                                              bool supports_duplicates,
                                              uint64_t *id);

/**
 * Removes a multimap key with all its values. REMOVE_KEY_MULTIMAP since 2.9; answers `HOTROD_ANSWER_FLAG`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_remove_key_multimap(struct hotrod_machine *machine,
                                                     uint64_t now_us,
                                                     uint32_t cache,
                                                     const struct hotrod_call_options *options,
                                                     struct hotrod_bytes key,
                                                     bool supports_duplicates,
                                                     uint64_t *id);

/**
 * Removes a value from a multimap key. REMOVE_ENTRY_MULTIMAP since 2.9; answers `HOTROD_ANSWER_FLAG`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_remove_entry_multimap(struct hotrod_machine *machine,
                                                       uint64_t now_us,
                                                       uint32_t cache,
                                                       const struct hotrod_call_options *options,
                                                       struct hotrod_bytes key,
                                                       struct hotrod_expiration expiration,
                                                       struct hotrod_bytes value,
                                                       bool supports_duplicates,
                                                       uint64_t *id);

/**
 * Counts the entries of a multimap. SIZE_MULTIMAP since 2.9; answers `HOTROD_ANSWER_SIZE`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_size_multimap(struct hotrod_machine *machine,
                                               uint64_t now_us,
                                               uint32_t cache,
                                               const struct hotrod_call_options *options,
                                               bool supports_duplicates,
                                               uint64_t *id);

/**
 * Tells whether a multimap key has that value. CONTAINS_ENTRY_MULTIMAP since 2.9; answers `HOTROD_ANSWER_FLAG`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_contains_entry_multimap(struct hotrod_machine *machine,
                                                         uint64_t now_us,
                                                         uint32_t cache,
                                                         const struct hotrod_call_options *options,
                                                         struct hotrod_bytes key,
                                                         struct hotrod_expiration expiration,
                                                         struct hotrod_bytes value,
                                                         bool supports_duplicates,
                                                         uint64_t *id);

/**
 * Tells whether a multimap has that key. CONTAINS_KEY_MULTIMAP since 2.9; answers `HOTROD_ANSWER_FLAG`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_contains_key_multimap(struct hotrod_machine *machine,
                                                       uint64_t now_us,
                                                       uint32_t cache,
                                                       const struct hotrod_call_options *options,
                                                       struct hotrod_bytes key,
                                                       bool supports_duplicates,
                                                       uint64_t *id);

/**
 * Tells whether any key of a multimap has that value. CONTAINS_VALUE_MULTIMAP since 2.9; answers
 * `HOTROD_ANSWER_FLAG`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_contains_value_multimap(struct hotrod_machine *machine,
                                                         uint64_t now_us,
                                                         uint32_t cache,
                                                         const struct hotrod_call_options *options,
                                                         struct hotrod_expiration expiration,
                                                         struct hotrod_bytes value,
                                                         bool supports_duplicates,
                                                         uint64_t *id);

/**
 * Drops what the server remembers of a finished transaction. FORGET_TX since 2.9; answers `HOTROD_ANSWER_NOTHING`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_forget_tx(struct hotrod_machine *machine,
                                           uint64_t now_us,
                                           uint32_t cache,
                                           const struct hotrod_call_options *options,
                                           struct hotrod_xid xid,
                                           uint64_t *id);

/**
 * Asks for the prepared transactions that nobody finished. FETCH_TX_RECOVERY since 2.9; answers
 * `HOTROD_ANSWER_XIDS`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_fetch_tx_recovery(struct hotrod_machine *machine,
                                                   uint64_t now_us,
                                                   uint32_t cache,
                                                   const struct hotrod_call_options *options,
                                                   uint64_t *id);

/**
 * Prepares a transaction; the timeout is in milliseconds. PREPARE_TX_2 since 2.9; answers `HOTROD_ANSWER_NUMBER`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_prepare_tx_2(struct hotrod_machine *machine,
                                              uint64_t now_us,
                                              uint32_t cache,
                                              const struct hotrod_call_options *options,
                                              struct hotrod_xid xid,
                                              bool one_phase_commit,
                                              bool recoverable,
                                              int64_t timeout,
                                              struct hotrod_modification_list modifications,
                                              uint64_t *id);

/**
 * Sets a strong counter and tells the value it had. COUNTER_GET_AND_SET since 2.9; answers `HOTROD_ANSWER_NUMBER`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_counter_get_and_set(struct hotrod_machine *machine,
                                                     uint64_t now_us,
                                                     uint32_t cache,
                                                     const struct hotrod_call_options *options,
                                                     struct hotrod_text counter,
                                                     int64_t value,
                                                     uint64_t *id);

/**
 * Ends the reading of a streamed value early. END_GET_STREAM since 4.1; answers `HOTROD_ANSWER_FLAG`. The server
 * that holds the stream has to execute it: name it as the `member` of `options`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_end_get_stream(struct hotrod_machine *machine,
                                                uint64_t now_us,
                                                uint32_t cache,
                                                const struct hotrod_call_options *options,
                                                int64_t stream_id,
                                                uint64_t *id);

/**
 * Reads the next chunk of a streamed value. NEXT_GET_STREAM since 4.1; answers `HOTROD_ANSWER_CHUNK`. The server
 * that holds the stream has to execute it: name it as the `member` of `options`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_next_get_stream(struct hotrod_machine *machine,
                                                 uint64_t now_us,
                                                 uint32_t cache,
                                                 const struct hotrod_call_options *options,
                                                 int64_t stream_id,
                                                 uint64_t *id);

/**
 * Starts to read a value in chunks of that many bytes. START_GET_STREAM since 4.1; answers `HOTROD_ANSWER_CHUNK`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_start_get_stream(struct hotrod_machine *machine,
                                                  uint64_t now_us,
                                                  uint32_t cache,
                                                  const struct hotrod_call_options *options,
                                                  struct hotrod_bytes key,
                                                  uint32_t chunk_length,
                                                  uint64_t *id);

/**
 * Ends the writing of a streamed value early; nothing is stored. END_PUT_STREAM since 4.1; answers
 * `HOTROD_ANSWER_FLAG`. The server that holds the stream has to execute it: name it as the `member` of `options`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_end_put_stream(struct hotrod_machine *machine,
                                                uint64_t now_us,
                                                uint32_t cache,
                                                const struct hotrod_call_options *options,
                                                int64_t stream_id,
                                                uint64_t *id);

/**
 * Writes the next chunk of a streamed value, of at least one byte; with the last one the value is stored.
 * NEXT_PUT_STREAM since 4.1; answers `HOTROD_ANSWER_CONDITIONAL`. The server that holds the stream has to execute
 * it: name it as the `member` of `options`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_next_put_stream(struct hotrod_machine *machine,
                                                 uint64_t now_us,
                                                 uint32_t cache,
                                                 const struct hotrod_call_options *options,
                                                 int64_t stream_id,
                                                 bool last,
                                                 struct hotrod_bytes chunk,
                                                 uint64_t *id);

/**
 * Starts to write a value in chunks: version 0 as PUT, -1 as PUT_IF_ABSENT, another as REPLACE_IF_UNMODIFIED.
 * START_PUT_STREAM since 4.1; answers `HOTROD_ANSWER_NUMBER`.
 *
 * See `hotrod_call_options` for what all of these functions have in common.
 */
enum hotrod_status hotrod_submit_start_put_stream(struct hotrod_machine *machine,
                                                  uint64_t now_us,
                                                  uint32_t cache,
                                                  const struct hotrod_call_options *options,
                                                  struct hotrod_bytes key,
                                                  struct hotrod_expiration expiration,
                                                  uint64_t entry_version,
                                                  uint64_t *id);

/**
 * Hears of changes in a cache: `HOTROD_OUTPUT_LISTENER_REGISTERED` or `HOTROD_OUTPUT_LISTENER_FAILED` comes first, then
 * a `HOTROD_OUTPUT_ENTRY` for each; say `hotrod_events_taken` when they have been dealt with. `options` may be NULL.
 * `listener` is set to the listener's identity, never 0.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_listen(struct hotrod_machine *machine,
                                 uint64_t now_us,
                                 uint32_t cache,
                                 const struct hotrod_listener_options *options,
                                 uint64_t *listener);

/**
 * Hears of changes of a counter, as `hotrod_listen` of a cache's; each is a `HOTROD_OUTPUT_COUNTER`.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_listen_to_counter(struct hotrod_machine *machine,
                                            uint64_t now_us,
                                            uint32_t cache,
                                            struct hotrod_text counter,
                                            uint64_t *listener);

/**
 * Hears no more. `was_there`, if it is not NULL, is set to whether there was such a listener.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_remove_listener(struct hotrod_machine *machine,
                                          uint64_t now_us,
                                          uint64_t listener,
                                          bool *was_there);

/**
 * So many events of a listener have been dealt with: the machine takes as many more. One who never says so hears no
 * more once the listener's queue is full, and other listeners on the same link neither.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_events_taken(struct hotrod_machine *machine,
                                       uint64_t now_us,
                                       uint64_t listener,
                                       size_t count);

/**
 * Goes over the entries of a cache, on all members at once. Each `hotrod_next_entries` asks for a
 * `HOTROD_OUTPUT_ENTRIES`. `options` may be NULL. `iteration` is set to the iteration's identity, never 0; it lasts
 * until its last entries have come, it has failed, or `hotrod_end_iteration`.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_iterate(struct hotrod_machine *machine,
                                  uint64_t now_us,
                                  uint32_t cache,
                                  const struct hotrod_iteration_options *options,
                                  uint64_t *iteration);

/**
 * Asks for the next entries of an iteration. `is_there`, if it is not NULL, is set to whether there is such an
 * iteration; if not, nothing comes.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_next_entries(struct hotrod_machine *machine,
                                       uint64_t now_us,
                                       uint64_t iteration,
                                       bool *is_there);

/**
 * Ends an iteration early.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_end_iteration(struct hotrod_machine *machine, uint64_t now_us, uint64_t iteration);

/**
 * Keeps values that are read from a cache, until the server says that they have changed. `options` may be NULL.
 * `HOTROD_OUTPUT_NEAR_CACHE_ACTIVE` says when it does.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_near_cache(struct hotrod_machine *machine,
                                     uint64_t now_us,
                                     uint32_t cache,
                                     const struct hotrod_near_cache_options *options);

/**
 * Keeps values of a cache no more.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_remove_near_cache(struct hotrod_machine *machine, uint64_t now_us, uint32_t cache);

/**
 * What a near cache holds: entries, and bytes of keys and values.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_near_cache_size(struct hotrod_machine *machine,
                                          uint32_t cache,
                                          size_t *entries,
                                          size_t *bytes);

/**
 * What the machine has done since it was made.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_get_counters(struct hotrod_machine *machine, struct hotrod_counters *counters);

/**
 * How many members are reached directly, and why not all. What `coverage->reason` points to is valid until the next call
 * of this function on the same machine.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_get_coverage(struct hotrod_machine *machine,
                                       struct hotrod_coverage *coverage);

/**
 * The servers that the machine knows. What `*members` points to is valid until the next call of this function on the
 * same machine.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_get_members(struct hotrod_machine *machine,
                                      const struct hotrod_member **members,
                                      size_t *count);

/**
 * A cache's view of the cluster; `*view` is NULL before its first topology. It is valid until the next call of this
 * function on the same machine.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_get_view(struct hotrod_machine *machine,
                                   uint32_t cache,
                                   const struct hotrod_view **view);

/**
 * What the negotiation with a member has found; `*session` is NULL if no session with it is ready. It is valid until
 * the next call of this function on the same machine.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_get_session(struct hotrod_machine *machine,
                                      uint64_t member,
                                      const struct hotrod_session **session);

/**
 * The name of the site that is used; empty for the one of the URI's servers. Valid until the next call of this function
 * on the same machine.
 *
 * Threads and ownership: as said at `hotrod_machine`.
 */
enum hotrod_status hotrod_get_site(struct hotrod_machine *machine,
                                   struct hotrod_text *name);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/** A C string as text; NULL as none. The text is the caller's, as before. */
static inline hotrod_text hotrod_text_of(const char *string)
{
  hotrod_text text;
  text.data = string;
  text.len = string == NULL ? 0 : strlen(string);
  return text;
}

/** The bytes of a C string without its end; NULL as none. The bytes are the caller's, as before. */
static inline hotrod_bytes hotrod_bytes_of(const char *string)
{
  hotrod_bytes bytes;
  bytes.data = (const uint8_t *)string;
  bytes.len = string == NULL ? 0 : strlen(string);
  return bytes;
}

#endif  /* LIBHOTROD_H */
