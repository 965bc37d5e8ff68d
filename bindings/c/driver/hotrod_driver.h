/* A host of libhotrod over poll(2): sockets, name lookup and a clock; TLS by a hook. It moves bytes and decides
 * nothing, and is meant to be read, and changed where yours has to be different: compile hotrod_driver.c with your
 * program. `pkg-config --variable=driver libhotrod` tells where it was installed.
 *
 * One thread at a time may use a driver. Names are looked up by getaddrinfo, which may take its time. No call blocks
 * but that, hotrod_driver_next, hotrod_driver_wait, hotrod_driver_start and hotrod_driver_close.
 *
 * Code of yours that the driver calls (the handler of hotrod_driver_on_output, the functions of a hotrod_tls_hook) must not
 * run the driver: hotrod_driver_next, _wait, _start and _close answer HOTROD_ERR_BUSY there, and hotrod_driver_before_poll
 * and _after_poll do nothing. hotrod_driver_free is put off until the call that is running returns HOTROD_ERR_CLOSED
 * (hotrod_driver_close: HOTROD_OK). A handler may submit operations to the machine; a hook must not call the machine, which
 * would take away the buffer that it reads into.
 */
#ifndef HOTROD_DRIVER_H
#define HOTROD_DRIVER_H

#include <poll.h>

#include <libhotrod.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How reading, writing or a handshake went. */
typedef enum hotrod_io {
  HOTROD_IO_DONE,        /**< It is done. */
  HOTROD_IO_WANTS_READ,  /**< Again, once the socket can be read. */
  HOTROD_IO_WANTS_WRITE, /**< Again, once the socket can be written. */
  HOTROD_IO_FAILED       /**< The connection is of no use any more; `why` says why, if it was written. */
} hotrod_io;

/** Room for the reason of a failure. */
#define HOTROD_WHY 256

/** TLS, by a library of your choice; hotrod_openssl.h is one. Every `why` is room for HOTROD_WHY bytes. */
typedef struct hotrod_tls_hook {
  /** Given to `start`. */
  void *context;
  /** A client's session, for a connection that is to come; NULL if that can't be. What `tls` points to is there during
   * the call. */
  void *(*start)(void *context, const hotrod_tls *tls, char *why);
  /** Begins the handshake on a connected, non-blocking socket, which stays the driver's, or goes on with it; done when
   * it is over and the certificate was found good. */
  hotrod_io (*handshake)(void *session, int fd, char *why);
  /** Reads up to `len` bytes, at least one if it is done. */
  hotrod_io (*read)(void *session, uint8_t *room, size_t len, size_t *count, char *why);
  /** Writes some of the bytes, at least one if it is done. If not, it is called again with these bytes first. */
  hotrod_io (*write)(void *session, const uint8_t *bytes, size_t len, size_t *count, char *why);
  /** The ALPN id that the server has selected; valid until `end`; `data` is NULL for none. */
  hotrod_bytes (*alpn)(void *session);
  /** Says goodbye to the peer if that can be done at once, and frees the session. */
  void (*end)(void *session);
  /** Tells the machine what the session can be bound to (hotrod_set_tls_exporter, hotrod_set_server_certificate); may be
   * NULL. */
  hotrod_status (*bind)(void *session, hotrod_machine *machine, uint64_t link);
} hotrod_tls_hook;

/** A machine and its connections. */
typedef struct hotrod_driver hotrod_driver;

/** Gets what the machine says and nobody waits for: see hotrod_driver_on_output. */
typedef void (*hotrod_driver_handler)(void *context, const hotrod_output *output);

/** Makes a driver for what a URI names. `tls` may be NULL if the URI has no TLS; it is copied. `error` may be NULL; on
 * failure of the URI it is set to an error of the caller's. HOTROD_ERR_FULL if there is no memory, or no randomness. */
hotrod_status hotrod_driver_new(const char *uri, const hotrod_tls_hook *tls, hotrod_driver **driver,
                                hotrod_error **error);

/** Closes every connection at once and frees the driver with its machine; NULL is nothing to free. */
void hotrod_driver_free(hotrod_driver *driver);

/** The driver's machine, to submit operations to; it is the driver's. */
hotrod_machine *hotrod_driver_machine(hotrod_driver *driver);

/** The present moment as the machine counts it. */
uint64_t hotrod_driver_now(hotrod_driver *driver);

/** A number for a cache by its name; NULL for the one that the URI names. */
hotrod_status hotrod_driver_cache(hotrod_driver *driver, const char *name, uint32_t *cache);

/** Who gets what the machine says while hotrod_driver_wait, _start or _close wait for something else. */
void hotrod_driver_on_output(hotrod_driver *driver, hotrod_driver_handler handler, void *context);

/** Connects, and returns when a first member is ready; on failure hotrod_driver_failure says why. */
hotrod_status hotrod_driver_start(hotrod_driver *driver, uint32_t cache);

/** Runs until the machine says something to the application, or for `timeout_ms` (-1 for as long as it takes):
 * `*output` is NULL then. It is valid until the next call of the driver. HOTROD_ERR_CLOSED when all is closed. */
hotrod_status hotrod_driver_next(hotrod_driver *driver, int timeout_ms, const hotrod_output **output);

/** Runs until that operation is done, and answers how it went. `completed` may be NULL; what it is set to is valid until
 * the next call of the driver. */
hotrod_status hotrod_driver_wait(hotrod_driver *driver, uint64_t operation, const hotrod_output_completed **completed);

/** Why hotrod_driver_start, hotrod_driver_wait or a call on the machine failed, as text that is valid until the next
 * call. */
hotrod_text hotrod_driver_failure(hotrod_driver *driver);

/** Lets operations in flight finish, and closes every connection. */
hotrod_status hotrod_driver_close(hotrod_driver *driver);

/** For a poll of your own: writes what there is to write, and tells what to wait for. `fds` has room for `max`; the
 * answer is how many it takes, and if that is more than `max` nothing was written there. `timeout_ms` is lowered to what
 * the machine needs; -1 is for ever. First call hotrod_driver_next with a timeout of 0 until it has no more output. */
size_t hotrod_driver_before_poll(hotrod_driver *driver, struct pollfd *fds, size_t max, int *timeout_ms);

/** And after it, with the same `fds`, before any other call of this driver. */
void hotrod_driver_after_poll(hotrod_driver *driver, const struct pollfd *fds, size_t count);

#ifdef __cplusplus
}
#endif

#endif
