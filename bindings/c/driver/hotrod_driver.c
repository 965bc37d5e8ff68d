#define _POSIX_C_SOURCE 200809L
#include "hotrod_driver.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "hotrod_driver_parts.h"

/* Reads per link and round, and segments per write. */
enum { READS = 16, PIECES = 64 };

enum stage { ESTABLISHING, OPEN, LOST };

struct link {
  uint64_t id;
  struct hotrod_socket socket;
  enum stage stage;
  short events; /* poll events for establishing; while open, for writing */
  short reads;  /* poll events for reading */
  int is_dirty; /* bytes may be queued */
  int has_more; /* reading stopped before the socket would block */
  size_t polled; /* number of pollfds of the last hotrod_driver_before_poll */
};

struct hotrod_driver {
  hotrod_machine *machine;
  hotrod_tls_hook hook;
  struct link *links;
  struct pollfd *fds;
  size_t count, room;
  hotrod_status status; /* of the first unexpected failure of a machine call */
  atomic_uintptr_t user; /* 0, or the thread in a call; its lowest bit is set by hotrod_driver_free meanwhile */
  struct hotrod_waiting waiting;
};

static uint64_t now_us(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* Identity of the current thread; even, since it is the address of an int. */
static uintptr_t this_thread(void)
{
  static _Thread_local int here;
  return (uintptr_t)&here;
}

/* Records an unexpected failure, which hotrod_driver_next returns. */
static void expect_ok(hotrod_driver *driver, hotrod_status status)
{
  if (status != HOTROD_OK && driver->status == HOTROD_OK)
    driver->status = status;
}

static struct link *find(hotrod_driver *driver, uint64_t id)
{
  for (size_t i = 0; i < driver->count; i++)
    if (driver->links[i].id == id)
      return &driver->links[i];
  return NULL;
}

/* Reports a lost link; the machine closes it. */
static void report_lost(hotrod_driver *driver, struct link *link, const char *why)
{
  hotrod_socket_end(&link->socket);
  link->stage = LOST;
  expect_ok(driver, hotrod_link_lost(driver->machine, now_us(), link->id, hotrod_text_of(why)));
}

/* Handles the result of a step of establishing a link. */
static void established(hotrod_driver *driver, struct link *link, hotrod_io io, const char *why)
{
  hotrod_bytes alpn = {NULL, 0};
  link->stage = ESTABLISHING;
  link->events = io == HOTROD_IO_WANTS_READ ? POLLIN : POLLOUT;
  if (io == HOTROD_IO_FAILED)
    report_lost(driver, link, why);
  if (io != HOTROD_IO_DONE)
    return;
  link->stage = OPEN;
  link->events = 0;
  link->reads = POLLIN;
  if (link->socket.tls != NULL) {
    /* The last handshake flight may contain application data. */
    link->has_more = 1;
    alpn = driver->hook.alpn(link->socket.tls);
    if (driver->hook.bind != NULL)
      expect_ok(driver, driver->hook.bind(link->socket.tls, driver->machine, link->id));
  }
  char peer[HOTROD_PEER];
  if (hotrod_socket_peer(&link->socket, peer))
    expect_ok(driver, hotrod_set_peer(driver->machine, link->id, hotrod_text_of(peer)));
  expect_ok(driver, hotrod_connected(driver->machine, now_us(), link->id, alpn));
}

/* Grows the arrays for one more link and its pollfd. */
static int make_room(hotrod_driver *driver)
{
  size_t room = 2 * driver->room + 4;
  if (driver->count < driver->room)
    return 1;
  struct link *links = realloc(driver->links, room * sizeof *links);
  if (links != NULL)
    driver->links = links;
  struct pollfd *fds = realloc(driver->fds, room * HOTROD_ATTEMPTS * sizeof *fds);
  if (fds != NULL)
    driver->fds = fds;
  if (links == NULL || fds == NULL)
    return 0;
  driver->room = room;
  return 1;
}

static void new_link(hotrod_driver *driver, const hotrod_output_connect *connect)
{
  char why[HOTROD_WHY] = "it can't be established";
  if (!make_room(driver)) {
    expect_ok(driver, hotrod_link_lost(driver->machine, now_us(), connect->link, hotrod_text_of("no memory")));
    return;
  }
  struct link *link = &driver->links[driver->count++];
  memset(link, 0, sizeof *link);
  link->id = connect->link;
  link->socket.hook = &driver->hook;
  established(driver, link, hotrod_socket_dial(&link->socket, connect, now_us(), why), why);
}

static void remove_link(hotrod_driver *driver, struct link *link)
{
  hotrod_socket_end(&link->socket);
  *link = driver->links[--driver->count];
}

/* Executes an output of the host's; returns 0 for an output of the application's. */
static int execute(hotrod_driver *driver, const hotrod_output *output)
{
  char why[HOTROD_WHY] = "TLS can't be established";
  struct link *link;
  switch (output->type) {
  case HOTROD_OUTPUT_CONNECT:
    new_link(driver, &output->as.connect);
    return 1;
  case HOTROD_OUTPUT_START_TLS:
    link = find(driver, output->as.start_tls.link);
    if (link != NULL && link->stage == OPEN)
      established(driver, link, hotrod_socket_start_tls(&link->socket, output->as.start_tls.tls, why), why);
    return 1;
  case HOTROD_OUTPUT_TRANSMIT:
    link = find(driver, output->as.transmit.link);
    if (link != NULL)
      link->is_dirty = 1;
    return 1;
  case HOTROD_OUTPUT_CLOSE:
    link = find(driver, output->as.close.link);
    if (link != NULL)
      remove_link(driver, link);
    return 1;
  case HOTROD_OUTPUT_PAUSE:
  case HOTROD_OUTPUT_RESUME:
    return 1; /* hotrod_wants_read is called before every read */
  default:
    return 0;
  }
}

/* Writes until the queue is empty or the socket would block. */
static void write_link(hotrod_driver *driver, struct link *link)
{
  char why[HOTROD_WHY] = "writing failed";
  hotrod_bytes pieces[PIECES];
  size_t count, written;
  link->events = 0;
  link->is_dirty = 0;
  for (;;) {
    expect_ok(driver, hotrod_transmit(driver->machine, link->id, pieces, PIECES, &count));
    if (driver->status != HOTROD_OK || count == 0)
      return;
    switch (hotrod_socket_write(&link->socket, pieces, count, &written, why)) {
    case HOTROD_IO_DONE:
      expect_ok(driver, hotrod_transmitted(driver->machine, link->id, written));
      break;
    case HOTROD_IO_WANTS_WRITE:
      link->events = POLLOUT;
      return;
    case HOTROD_IO_WANTS_READ:
      link->events = POLLIN;
      return;
    case HOTROD_IO_FAILED:
      report_lost(driver, link, why);
      return;
    }
  }
}

/* Writes queued bytes of all links; returns whether there were any. */
static int flush(hotrod_driver *driver)
{
  int any = 0;
  for (size_t i = 0; i < driver->count; i++) {
    struct link *link = &driver->links[i];
    if (link->stage == OPEN && link->is_dirty && link->events == 0) {
      any = 1;
      write_link(driver, link);
    }
  }
  return any;
}

/* Reads until the socket would block, at most READS times, and while the machine accepts bytes. */
static void read_link(hotrod_driver *driver, struct link *link)
{
  char why[HOTROD_WHY] = "reading failed";
  uint8_t *room;
  size_t len, count;
  bool wants;
  link->has_more = 1;
  for (int i = 0; i < READS; i++) {
    expect_ok(driver, hotrod_wants_read(driver->machine, link->id, &wants));
    if (driver->status != HOTROD_OK || !wants)
      return;
    expect_ok(driver, hotrod_receive_buffer(driver->machine, link->id, &room, &len));
    if (driver->status != HOTROD_OK || len == 0)
      return;
    hotrod_io io = hotrod_socket_read(&link->socket, room, len, &count, why);
    link->reads = io == HOTROD_IO_WANTS_WRITE ? POLLOUT : POLLIN;
    link->has_more = io == HOTROD_IO_DONE;
    if (io == HOTROD_IO_FAILED)
      report_lost(driver, link, why);
    if (io != HOTROD_IO_DONE)
      return;
    expect_ok(driver, hotrod_filled(driver->machine, now_us(), link->id, count));
    /* After a short read a plain socket is empty; TLS may hold a decrypted record. */
    if (link->socket.tls == NULL && count < len) {
      link->has_more = 0;
      return;
    }
  }
}

static size_t before_poll(hotrod_driver *driver, struct pollfd *fds, size_t max, int *timeout_ms)
{
  uint64_t deadline = HOTROD_NO_DEADLINE, now = now_us();
  size_t at = 0;
  /* Writing may have produced outputs: then poll must not wait. */
  int is_busy = flush(driver);
  expect_ok(driver, hotrod_deadline(driver->machine, &deadline));
  for (size_t i = 0; i < driver->count; i++) {
    struct link *link = &driver->links[i];
    bool wants = false;
    short events = link->events;
    if (link->stage == OPEN)
      expect_ok(driver, hotrod_wants_read(driver->machine, link->id, &wants));
    if (wants) {
      events |= link->reads;
      is_busy |= link->has_more;
    }
    link->polled = link->stage == LOST ? 0 : link->socket.count;
    for (size_t k = 0; k < link->polled; k++, at++)
      if (at < max)
        /* Leaves a paused link out: poll would report its end of file repeatedly. */
        fds[at] = (struct pollfd){events == 0 ? -1 : link->socket.fds[k], events, 0};
    uint64_t next = link->stage == ESTABLISHING ? hotrod_socket_deadline(&link->socket) : HOTROD_NO_DEADLINE;
    deadline = next < deadline ? next : deadline;
  }
  if (deadline != HOTROD_NO_DEADLINE) {
    uint64_t wait_ms = deadline <= now ? 0 : (deadline - now + 999) / 1000;
    wait_ms = wait_ms < 3600000 ? wait_ms : 3600000;
    if (*timeout_ms < 0 || wait_ms < (uint64_t)*timeout_ms)
      *timeout_ms = (int)wait_ms;
  }
  if (is_busy)
    *timeout_ms = 0;
  return at;
}

static void handle_ready(hotrod_driver *driver, struct link *link, short events)
{
  char why[HOTROD_WHY] = "it can't be established";
  short broken = POLLERR | POLLHUP | POLLNVAL;
  if (link->stage == ESTABLISHING && (events != 0 || hotrod_socket_deadline(&link->socket) <= now_us())) {
    established(driver, link, hotrod_socket_continue(&link->socket, now_us(), why), why);
    return;
  }
  if (link->stage == OPEN && link->events != 0 && (events & (link->events | broken)) != 0)
    write_link(driver, link);
  if (link->stage == OPEN && (link->has_more || (events & (link->reads | broken)) != 0))
    read_link(driver, link);
}

static void after_poll(hotrod_driver *driver, const struct pollfd *fds, size_t count)
{
  uint64_t deadline = HOTROD_NO_DEADLINE, now;
  size_t at = 0;
  /* Links change only in hotrod_driver_next, so they match fds. */
  for (size_t i = 0; i < driver->count; i++) {
    short events = 0;
    for (size_t k = 0; k < driver->links[i].polled; k++, at++)
      events |= at < count ? fds[at].revents : 0;
    handle_ready(driver, &driver->links[i], events);
  }
  now = now_us();
  expect_ok(driver, hotrod_deadline(driver->machine, &deadline));
  if (deadline <= now)
    expect_ok(driver, hotrod_timeout(driver->machine, now));
}

hotrod_status hotrod_driver_run(hotrod_driver *driver, int timeout_ms, const hotrod_output **output)
{
  uint64_t end = timeout_ms < 0 ? HOTROD_NO_DEADLINE : now_us() + (uint64_t)timeout_ms * 1000;
  for (int is_over = 0;;) {
    const hotrod_output *next;
    bool is_closed = false;
    do {
      expect_ok(driver, hotrod_poll(driver->machine, &next));
      if (driver->status != HOTROD_OK)
        return driver->status;
      if (next != NULL && !execute(driver, next)) {
        *output = next;
        return HOTROD_OK;
      }
    } while (next != NULL || flush(driver));
    expect_ok(driver, hotrod_is_closed(driver->machine, &is_closed));
    if (is_closed)
      return HOTROD_ERR_CLOSED;
    if (is_over) {
      *output = NULL;
      return HOTROD_OK;
    }
    uint64_t now = timeout_ms < 0 ? 0 : now_us();
    int wait_ms = timeout_ms < 0 ? -1 : now >= end ? 0 : (int)((end - now + 999) / 1000);
    size_t count = before_poll(driver, driver->fds, driver->room * HOTROD_ATTEMPTS, &wait_ms);
    if (poll(driver->fds, (nfds_t)count, wait_ms) >= 0)
      after_poll(driver, driver->fds, count);
    is_over = timeout_ms >= 0 && now_us() >= end;
  }
}

static void free_now(hotrod_driver *driver)
{
  while (driver->count > 0)
    remove_link(driver, &driver->links[0]);
  hotrod_machine_free(driver->machine);
  free(driver->links);
  free(driver->fds);
  free(driver);
}

/* Ends the use by this thread. Returns 0 if hotrod_driver_free was called meanwhile: the driver is freed. */
static int leave(hotrod_driver *driver)
{
  uintptr_t user = this_thread();
  if (atomic_compare_exchange_strong(&driver->user, &user, 0))
    return 1;
  /* Still in use, so that hooks called for closing links can't free the driver a second time. */
  free_now(driver);
  return 0;
}

int hotrod_driver_enter(hotrod_driver *driver)
{
  uintptr_t nobody = 0;
  if (!atomic_compare_exchange_strong(&driver->user, &nobody, this_thread()))
    return 0;
  /* Until hotrod_driver_leave: the driver reads and writes memory of the machine between its calls. */
  if (hotrod_claim(driver->machine) == HOTROD_OK)
    return 1;
  leave(driver);
  return 0;
}

int hotrod_driver_is_mine(hotrod_driver *driver)
{
  return (atomic_load(&driver->user) & ~(uintptr_t)1) == this_thread();
}

int hotrod_driver_is_freed(hotrod_driver *driver)
{
  return (atomic_load(&driver->user) & 1) != 0;
}

int hotrod_driver_leave(hotrod_driver *driver)
{
  hotrod_release(driver->machine);
  return leave(driver);
}

hotrod_status hotrod_driver_next(hotrod_driver *driver, int timeout_ms, const hotrod_output **output)
{
  if (!hotrod_driver_enter(driver))
    return HOTROD_ERR_BUSY;
  hotrod_status status = hotrod_driver_run(driver, timeout_ms, output);
  return hotrod_driver_leave(driver) ? status : HOTROD_ERR_CLOSED;
}

size_t hotrod_driver_before_poll(hotrod_driver *driver, struct pollfd *fds, size_t max, int *timeout_ms)
{
  if (!hotrod_driver_enter(driver))
    return 0;
  size_t count = before_poll(driver, fds, max, timeout_ms);
  return hotrod_driver_leave(driver) ? count : 0;
}

void hotrod_driver_after_poll(hotrod_driver *driver, const struct pollfd *fds, size_t count)
{
  if (!hotrod_driver_enter(driver))
    return;
  after_poll(driver, fds, count);
  hotrod_driver_leave(driver);
}

/* Has the hook read the files of TLS; returns 0, and an error, if one can't be used. */
static int check_files(hotrod_driver *driver, hotrod_error **error)
{
  char why[HOTROD_WHY] = "a file of TLS can't be used";
  const hotrod_tls *tls;
  if (driver->hook.check == NULL || hotrod_get_tls(driver->machine, &tls) != HOTROD_OK || tls == NULL ||
      driver->hook.check(driver->hook.context, tls, why))
    return 1;
  hotrod_error_new(hotrod_text_of(why), error);
  return 0;
}

hotrod_status hotrod_driver_new(const char *uri, const hotrod_tls_hook *tls, hotrod_driver **driver,
                                hotrod_error **error)
{
  uint8_t seed[32];
  hotrod_driver *created = calloc(1, sizeof *created);
  if (created == NULL || getrandom(seed, sizeof seed, 0) != sizeof seed) {
    free(created);
    return HOTROD_ERR_FULL;
  }
  hotrod_status status = hotrod_machine_new(hotrod_text_of(uri), seed, now_us(), &created->machine, error);
  if (status != HOTROD_OK) {
    free(created);
    return status;
  }
  if (tls != NULL)
    created->hook = *tls;
  if (!check_files(created, error)) {
    free_now(created);
    return HOTROD_ERR_MISUSE;
  }
  *driver = created;
  return HOTROD_OK;
}

void hotrod_driver_free(hotrod_driver *driver)
{
  if (driver == NULL)
    return;
  /* If another call is running, its hotrod_driver_leave frees the driver. */
  if (atomic_fetch_or(&driver->user, 1) == 0)
    free_now(driver);
}

hotrod_machine *hotrod_driver_machine(hotrod_driver *driver)
{
  return driver->machine;
}

uint64_t hotrod_driver_now(hotrod_driver *driver)
{
  (void)driver;
  return now_us();
}

struct hotrod_waiting *hotrod_driver_waiting(hotrod_driver *driver)
{
  return &driver->waiting;
}
