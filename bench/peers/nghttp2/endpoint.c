/* nghttp2 as a server: it gets requests with content, and answers with as much. What it gets is in a file of
 * hotrod-bench-core's; it prints the nanoseconds of what was asked for, for each frame. */

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXCHANGES = 16, DATA = 8, CONTENT = 100, REQUEST_FRAMES = DATA + 4, RESPONSE_FRAMES = DATA + 2 };

struct part {
  uint8_t *bytes;
  size_t length;
};

/* Written by `Client::to_file`. */
struct frames {
  struct part first, later, streams;
};

struct server {
  nghttp2_session *session;
  int32_t requests[EXCHANGES];
  size_t request_count;
  /* DATA frames sent of each answer, by the place of its request. */
  int sent[EXCHANGES];
  /* What a host would look at. */
  uint64_t seen;
};

static void fail(const char *what) {
  fprintf(stderr, "nghttp2 endpoint: %s\n", what);
  exit(1);
}

static uint32_t number(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static struct part read_part(FILE *file) {
  uint8_t length[4];
  if (fread(length, 1, sizeof length, file) != sizeof length) fail("the file of frames is too short");
  struct part part = {NULL, number(length)};
  part.bytes = malloc(part.length);
  if (part.bytes == NULL || fread(part.bytes, 1, part.length, file) != part.length) fail("the file of frames is too short");
  return part;
}

static struct frames read_frames(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail("the file of frames can't be read");
  struct part first = read_part(file), later = read_part(file), streams = read_part(file);
  struct frames frames = {first, later, streams};
  fclose(file);
  return frames;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *user) {
  (void)session, (void)frame, (void)name, (void)value, (void)flags;
  ((struct server *)user)->seen += name_length + value_length;
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t length,
                   void *user) {
  (void)session, (void)flags, (void)stream, (void)data;
  ((struct server *)user)->seen += length;
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)session;
  struct server *server = user;
  if (frame->hd.type == NGHTTP2_DATA && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
    server->requests[server->request_count++] = frame->hd.stream_id;
  return 0;
}

/* A DATA frame of an answer. */
static ssize_t on_read(nghttp2_session *session, int32_t stream, uint8_t *out, size_t room, uint32_t *flags,
                       nghttp2_data_source *source, void *user) {
  (void)session, (void)stream, (void)user;
  if (room < CONTENT) fail("no room for content");
  int *sent = source->ptr;
  memset(out, 7, CONTENT);
  if (++*sent == DATA) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return CONTENT;
}

static void open_session(struct server *server) {
  nghttp2_session_callbacks *callbacks;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) fail("out of memory");
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  if (nghttp2_session_server_new(&server->session, callbacks, server) != 0) fail("out of memory");
  nghttp2_session_callbacks_del(callbacks);
  if (nghttp2_submit_settings(server->session, NGHTTP2_FLAG_NONE, NULL, 0) != 0) fail("SETTINGS");
}

static void receive(struct server *server, const struct part *bytes) {
  if (nghttp2_session_mem_recv(server->session, bytes->bytes, bytes->length) != (ssize_t)bytes->length)
    fail("the frames are not taken");
}

static nghttp2_nv field(const char *name, const char *value) {
  nghttp2_nv pair = {(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
                     NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
  return pair;
}

static void respond(struct server *server) {
  nghttp2_nv fields[] = {field(":status", "200"), field("content-type", "application/octet-stream")};
  for (size_t i = 0; i < server->request_count; i++) {
    server->sent[i] = 0;
    nghttp2_data_provider content = {{.ptr = &server->sent[i]}, on_read};
    if (nghttp2_submit_response(server->session, server->requests[i], fields, 2, &content) != 0) fail("a response");
  }
  server->request_count = 0;
  const uint8_t *bytes;
  ssize_t length;
  while ((length = nghttp2_session_mem_send(server->session, &bytes)) > 0) server->seen += (uint64_t)length;
  if (length < 0) fail("nothing can be sent");
}

/* Functions of their own, for callgrind knows them by their names. */
__attribute__((noinline)) static void counted_receive(struct server *server, const struct part *bytes) {
  receive(server, bytes);
}

__attribute__((noinline)) static void counted_send(struct server *server) {
  respond(server);
}

/* The exchanges of a call, each on a stream that was never used. */
static struct part exchanges(const struct frames *frames) {
  struct part all = {malloc(EXCHANGES * frames->later.length), EXCHANGES * frames->later.length};
  if (all.bytes == NULL) fail("out of memory");
  for (size_t i = 0; i < EXCHANGES; i++)
    memcpy(all.bytes + i * frames->later.length, frames->later.bytes, frames->later.length);
  return all;
}

static void use_streams(const struct frames *frames, struct part *all, uint32_t *last) {
  for (size_t i = 0; i < EXCHANGES; i++) {
    *last += 2;
    const uint8_t id[] = {*last >> 24 & 0xff, *last >> 16 & 0xff, *last >> 8 & 0xff, *last & 0xff};
    for (size_t at = 0; at < frames->streams.length; at += 4)
      memcpy(all->bytes + i * frames->later.length + number(frames->streams.bytes + at), id, sizeof id);
  }
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 4) fail("usage: endpoint FRAMES receive|send TIMES");
  const struct frames frames = read_frames(argv[1]);
  const bool is_send = strcmp(argv[2], "send") == 0;
  const long times = atol(argv[3]);
  struct server server = {0};
  open_session(&server);
  receive(&server, &frames.first);
  respond(&server);
  struct part all = exchanges(&frames);
  uint32_t last = 1;
  uint64_t spent = 0;
  for (long i = 0; i < times; i++) {
    use_streams(&frames, &all, &last);
    uint64_t started = now();
    counted_receive(&server, &all);
    uint64_t received = now();
    if (server.request_count != EXCHANGES) fail("a request is missing");
    counted_send(&server);
    spent += is_send ? now() - received : received - started;
  }
  const int count = EXCHANGES * (is_send ? RESPONSE_FRAMES : REQUEST_FRAMES);
  printf("%f\n", (double)spent / (double)times / count);
  nghttp2_session_del(server.session);
  return 0;
}
