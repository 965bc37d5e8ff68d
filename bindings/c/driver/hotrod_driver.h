/* A host of libhotrod over poll(2): sockets, name lookup and a clock; TLS by a hook. It moves bytes and makes no
 * protocol decisions. Compile hotrod_driver.c, hotrod_socket.c and hotrod_waiting.c with your program, and change them
 * where your host differs. `pkg-config --variable=driver libhotrod` prints where they are installed.
 *
 * One thread at a time may use a driver: another one gets HOTROD_ERR_BUSY while a call runs, as from the machine, and
 * reads no output of the first. Threads of a pool have a driver each. Only these calls block: hotrod_driver_next, _wait,
 * _get, _put, _remove, _start, _close, and getaddrinfo for name lookup.
 *
 * Callbacks (the handler of hotrod_driver_on_output, the functions of a hotrod_tls_hook) must not run the driver:
 * within them these calls return HOTROD_ERR_BUSY, and hotrod_driver_before_poll and
 * _after_poll do nothing. hotrod_driver_free, there or in another thread, is deferred: the running call returns HOTROD_ERR_CLOSED
 * (hotrod_driver_close: HOTROD_OK). A handler may submit operations to the machine; a hook must not call the machine,
 * which would invalidate the buffer that the hook reads into.
 */
#ifndef HOTROD_DRIVER_H
#define HOTROD_DRIVER_H

#include <poll.h>

#include <libhotrod.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Result of a read, a write or a handshake. */
typedef enum hotrod_io {
  HOTROD_IO_DONE,        /**< Success. */
  HOTROD_IO_WANTS_READ,  /**< Call again when the socket is readable. */
  HOTROD_IO_WANTS_WRITE, /**< Call again when the socket is writable. */
  HOTROD_IO_FAILED       /**< The connection has failed; `why` has the reason, if it was written. */
} hotrod_io;

/** Size of a buffer for the reason of a failure. */
#define HOTROD_WHY 256

/** TLS by a library of your choice; hotrod_openssl.h implements it. Every `why` is a buffer of HOTROD_WHY bytes. */
typedef struct hotrod_tls_hook {
  /** Passed to `start`. */
  void *context;
  /** Creates a client's TLS session for a future connection; NULL on failure. `tls` is valid during the call. Reads the files
   * each time: they may have been replaced. */
  void *(*start)(void *context, const hotrod_tls *tls, char *why);
  /** Starts or continues the handshake on a connected, non-blocking socket, which the driver owns; done when the
   * handshake is complete and the certificate is verified. */
  hotrod_io (*handshake)(void *session, int fd, char *why);
  /** Reads up to `len` bytes, at least one on success. */
  hotrod_io (*read)(void *session, uint8_t *room, size_t len, size_t *count, char *why);
  /** Writes some of the bytes, at least one on success. Otherwise it is called again with the same bytes first. */
  hotrod_io (*write)(void *session, const uint8_t *bytes, size_t len, size_t *count, char *why);
  /** Returns the ALPN id that the server selected; valid until `end`; `data` is NULL for none. */
  hotrod_bytes (*alpn)(void *session);
  /** Sends close_notify if that does not block, and frees the session. */
  void (*end)(void *session);
  /** Passes the channel binding to the machine (hotrod_set_tls_exporter, hotrod_set_server_certificate); may be NULL. */
  hotrod_status (*bind)(void *session, hotrod_machine *machine, uint64_t link);
  /** Returns whether the files of `tls` can be used; hotrod_driver_new fails with `why` if not. May be NULL. */
  int (*check)(void *context, const hotrod_tls *tls, char *why);
} hotrod_tls_hook;

/** A machine and its connections. */
typedef struct hotrod_driver hotrod_driver;

/** Handler of outputs that no call waits for: see hotrod_driver_on_output. */
typedef void (*hotrod_driver_handler)(void *context, const hotrod_output *output);

/** Creates a driver for a URI. `tls` may be NULL if the URI has no TLS; it is copied. `error` may be NULL; for an
 * invalid URI, and for files of TLS that can't be used, it is set to an error that the caller owns. Returns HOTROD_ERR_FULL without memory or randomness. */
hotrod_status hotrod_driver_new(const char *uri, const hotrod_tls_hook *tls, hotrod_driver **driver,
                                hotrod_error **error);

/** Closes every connection immediately and frees the driver with its machine; ignores NULL. */
void hotrod_driver_free(hotrod_driver *driver);

/** Returns the driver's machine, to submit operations; the driver owns it. */
hotrod_machine *hotrod_driver_machine(hotrod_driver *driver);

/** Returns the machine's current time. */
uint64_t hotrod_driver_now(hotrod_driver *driver);

/** Returns a number for a cache by its name; NULL means the cache of the URI. */
hotrod_status hotrod_driver_cache(hotrod_driver *driver, const char *name, uint32_t *cache);

/** Sets the handler of outputs that arrive while hotrod_driver_wait, _start or _close wait for another one. */
hotrod_status hotrod_driver_on_output(hotrod_driver *driver, hotrod_driver_handler handler, void *context);

/** Connects, and returns when a first member is ready; after a failure hotrod_driver_failure has the reason. */
hotrod_status hotrod_driver_start(hotrod_driver *driver, uint32_t cache);

/** Runs until the machine has an output for the application, or for `timeout_ms` (-1: no timeout), when `*output` is
 * NULL. The output is valid until the next call of the driver. Returns HOTROD_ERR_CLOSED when every link is closed. */
hotrod_status hotrod_driver_next(hotrod_driver *driver, int timeout_ms, const hotrod_output **output);

/** Runs until the operation completes, and returns its status. `completed` may be NULL; the output is valid until the
 * next call of the driver. */
hotrod_status hotrod_driver_wait(hotrod_driver *driver, uint64_t operation, const hotrod_output_completed **completed);

/** Reads a value, and waits for it. Without an entry `value->data` is NULL. The value is valid until the next call of the
 * driver. */
hotrod_status hotrod_driver_get(hotrod_driver *driver, uint32_t cache, hotrod_bytes key, hotrod_bytes *value);

/** Stores a value, and waits until that is done. `expiration` may be NULL for the cache's configuration. */
hotrod_status hotrod_driver_put(hotrod_driver *driver, uint32_t cache, hotrod_bytes key, hotrod_bytes value,
                                const hotrod_expiration *expiration);

/** Removes an entry, and waits until that is done. `removed`, which may be NULL, is set to whether there was one. */
hotrod_status hotrod_driver_remove(hotrod_driver *driver, uint32_t cache, hotrod_bytes key, bool *removed);

/** Returns why hotrod_driver_start, _wait, _get, _put, _remove or a call on the machine failed; valid until the next call.
 * hotrod_status_text has a text for every status, also where there is no driver. */
hotrod_text hotrod_driver_failure(hotrod_driver *driver);

/** Lets operations in flight finish, then closes every connection. */
hotrod_status hotrod_driver_close(hotrod_driver *driver);

/** Prepares a poll(2) of your own: sends queued bytes and fills `fds`, an array of `max` items. Returns the number of
 * items; if it exceeds `max`, `fds` is not written. Lowers `timeout_ms` to the machine's deadline; -1 means none.
 * Before, call hotrod_driver_next with a timeout of 0 until it returns no output. */
size_t hotrod_driver_before_poll(hotrod_driver *driver, struct pollfd *fds, size_t max, int *timeout_ms);

/** Handles the results of that poll(2), with the same `fds`; call it before any other call of this driver. */
void hotrod_driver_after_poll(hotrod_driver *driver, const struct pollfd *fds, size_t count);

#ifdef __cplusplus
}
#endif

#endif
