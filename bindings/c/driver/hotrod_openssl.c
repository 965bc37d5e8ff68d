#define _POSIX_C_SOURCE 200809L
#include "hotrod_openssl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct session {
  SSL *ssl;
  int fd;
};

/* Copies a text to a C string; returns 0 if it does not fit. */
static int string_of(hotrod_text text, char *string, size_t size)
{
  if (text.len >= size)
    return 0;
  memcpy(string, text.data, text.len);
  string[text.len] = '\0';
  return 1;
}

static void write_reason(char *why, const char *what)
{
  char reason[160] = "";
  unsigned long error = ERR_peek_last_error();
  if (error != 0)
    ERR_error_string_n(error, reason, sizeof reason);
  snprintf(why, HOTROD_WHY, "%s%s%s", what, error != 0 ? ": " : "", reason);
  ERR_clear_error();
}

/* Gives OpenSSL the pass phrase of a key; without one the key is refused, and nobody is prompted. */
static int give_password(char *buffer, int size, int writing, void *data)
{
  const hotrod_text *password = data;
  (void)writing;
  if (password->data == NULL || password->len > (size_t)size)
    return -1;
  memcpy(buffer, password->data, password->len);
  return (int)password->len;
}

/* Writes why a file of the settings can't be used. Returns 0. */
static int file_failed(char *why, const char *property, hotrod_text file, const char *reason)
{
  unsigned long error = ERR_peek_last_error();
  if (reason == NULL)
    reason = error != 0 ? ERR_reason_error_string(error) : NULL;
  snprintf(why, HOTROD_WHY, "%s=%.*s: %s", property, (int)file.len, file.data, reason != NULL ? reason : "it can't be used");
  ERR_clear_error();
  return 0;
}

/* Copies the path of a file that can be read; OpenSSL does not say which one is missing. */
static int readable(hotrod_text file, char *path, size_t size, const char *property, char *why)
{
  FILE *opened;
  if (!string_of(file, path, size))
    return file_failed(why, property, file, "the path is too long");
  opened = fopen(path, "rb");
  if (opened == NULL)
    return file_failed(why, property, file, strerror(errno));
  fclose(opened);
  return 1;
}

/* Loads the certificate to show, and its key. */
static int use_identity(SSL_CTX *context, const hotrod_tls *tls, char *why)
{
  char file[4096], key[4096];
  if (!readable(tls->client_certificate, file, sizeof file, "client_certificate", why) ||
      !readable(tls->client_key, key, sizeof key, "client_key", why))
    return 0;
  if (SSL_CTX_use_certificate_chain_file(context, file) != 1)
    return file_failed(why, "client_certificate", tls->client_certificate, NULL);
  SSL_CTX_set_default_passwd_cb(context, give_password);
  SSL_CTX_set_default_passwd_cb_userdata(context, (void *)&tls->client_key_password);
  int is_used = SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
  SSL_CTX_set_default_passwd_cb(context, NULL);
  const char *encrypted = tls->client_key_password.data == NULL ? NULL : "client_key_password does not fit";
  unsigned long error = ERR_peek_last_error();
  if (!is_used && ERR_GET_LIB(error) == ERR_LIB_X509)
    encrypted = "it is not the key of the certificate";
  else if (!is_used && encrypted == NULL)
    encrypted = "it can't be used (an encrypted key needs client_key_password)";
  return is_used || file_failed(why, "client_key", tls->client_key, encrypted);
}

/* Loads trust anchors, certificates and keys. The files are read for every connection. */
static int use_files(SSL_CTX *context, const hotrod_tls *tls, char *why)
{
  char file[4096];
  if (tls->trust_ca.data == NULL) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) {
      write_reason(why, "the system's authorities can't be used");
      return 0;
    }
  } else if (!readable(tls->trust_ca, file, sizeof file, "trust_ca", why)) {
    return 0;
  } else if (SSL_CTX_load_verify_locations(context, file, NULL) != 1) {
    return file_failed(why, "trust_ca", tls->trust_ca, NULL);
  }
  /* Trusts every certificate of trust_ca itself, whether it is that of an authority or not. */
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  return tls->client_certificate.data == NULL || use_identity(context, tls, why);
}

/* Sets the expected server: a name is verified and sent by SNI, an address is verified only. */
static int set_expected_name(SSL *ssl, hotrod_text server_name)
{
  char name[1025];
  unsigned char address[16];
  if (!string_of(server_name, name, sizeof name))
    return 0;
  if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
  /* Verifies by the subjectAltName only (RFC 9525); OpenSSL would fall back to the common name. */
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* Encodes ALPN ids for the wire: each with a length prefix. */
static int set_alpn_ids(SSL *ssl, hotrod_text_list ids)
{
  unsigned char wire[1024];
  size_t length = 0;
  for (size_t i = 0; i < ids.len; i++) {
    hotrod_text id = ids.data[i];
    if (id.len > 255 || length + 1 + id.len > sizeof wire)
      return 0;
    wire[length++] = (unsigned char)id.len;
    memcpy(wire + length, id.data, id.len);
    length += id.len;
  }
  /* Returns 0 for success, unlike other functions of OpenSSL. */
  return length == 0 || SSL_set_alpn_protos(ssl, wire, (unsigned)length) == 0;
}

/* OpenSSL's own BIO for sockets raises SIGPIPE; this one does not. */
static int bio_write(BIO *bio, const char *bytes, int length)
{
  const struct session *session = BIO_get_data(bio);
  ssize_t sent = send(session->fd, bytes, (size_t)length, MSG_NOSIGNAL);
  BIO_clear_retry_flags(bio);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    BIO_set_retry_write(bio);
  return (int)sent;
}

static int bio_read(BIO *bio, char *room, int length)
{
  const struct session *session = BIO_get_data(bio);
  ssize_t got = recv(session->fd, room, (size_t)length, 0);
  BIO_clear_retry_flags(bio);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    BIO_set_retry_read(bio);
  return (int)got;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
  (void)bio;
  (void)number;
  (void)pointer;
  return command == BIO_CTRL_FLUSH;
}

/* One for the process, which has at most 128 types of BIO; never freed. */
static BIO_METHOD *socket_method;
static CRYPTO_ONCE socket_method_once = CRYPTO_ONCE_STATIC_INIT;

static void make_socket_method(void)
{
  socket_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hotrod");
  if (socket_method == NULL)
    return;
  BIO_meth_set_write(socket_method, bio_write);
  BIO_meth_set_read(socket_method, bio_read);
  BIO_meth_set_ctrl(socket_method, bio_control);
}

static int use_socket(struct session *session)
{
  if (CRYPTO_THREAD_run_once(&socket_method_once, make_socket_method) != 1 || socket_method == NULL)
    return 0;
  BIO *bio = BIO_new(socket_method);
  if (bio == NULL)
    return 0;
  BIO_set_data(bio, session);
  BIO_set_init(bio, 1);
  SSL_set_bio(session->ssl, bio, bio);
  return 1;
}

static void end(void *pointer)
{
  struct session *session = pointer;
  if (session->fd >= 0 && SSL_is_init_finished(session->ssl))
    SSL_shutdown(session->ssl);
  ERR_clear_error();
  SSL_free(session->ssl);
  free(session);
}

static int check(void *unused, const hotrod_tls *tls, char *why)
{
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  int are_usable = context != NULL && use_files(context, tls, why);
  (void)unused;
  SSL_CTX_free(context);
  ERR_clear_error();
  return are_usable;
}

static void *start(void *unused, const hotrod_tls *tls, char *why)
{
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  struct session *session = calloc(1, sizeof *session);
  int is_made = 0;
  (void)unused;
  snprintf(why, HOTROD_WHY, "OpenSSL has no memory");
  if (context != NULL && session != NULL) {
    session->fd = -1;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    /* Queued bytes may grow and move before the write is repeated. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    if (use_files(context, tls, why)) {
      session->ssl = SSL_new(context);
      is_made = session->ssl != NULL && use_socket(session) && set_expected_name(session->ssl, tls->server_name) &&
                set_alpn_ids(session->ssl, tls->alpn);
      if (!is_made)
        write_reason(why, "the server's name or the ALPN ids can't be used");
    }
  }
  /* The session holds a reference. */
  SSL_CTX_free(context);
  if (is_made)
    return session;
  if (session != NULL)
    end(session);
  return NULL;
}

static hotrod_io outcome(SSL *ssl, int result, const char *what, char *why)
{
  long verified = SSL_get_verify_result(ssl);
  switch (SSL_get_error(ssl, result)) {
  case SSL_ERROR_WANT_READ: return HOTROD_IO_WANTS_READ;
  case SSL_ERROR_WANT_WRITE: return HOTROD_IO_WANTS_WRITE;
  case SSL_ERROR_ZERO_RETURN: snprintf(why, HOTROD_WHY, "the server closed it"); break;
  default:
    if (verified != X509_V_OK)
      snprintf(why, HOTROD_WHY, "the server's certificate: %s", X509_verify_cert_error_string(verified));
    else
      write_reason(why, what);
  }
  ERR_clear_error();
  return HOTROD_IO_FAILED;
}

/* Recognises a server that does not speak TLS by how the handshake fails; NULL for another failure. */
static const char *hint_of(SSL *ssl, int result)
{
  int kind = SSL_get_error(ssl, result), reason = ERR_GET_REASON(ERR_peek_last_error());
  if (kind == SSL_ERROR_SSL && (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG))
    return "the server does not answer in TLS";
#ifdef SSL_R_RECORD_LAYER_FAILURE
  if (kind == SSL_ERROR_SSL && reason == SSL_R_RECORD_LAYER_FAILURE)
    return "the server does not answer in TLS";
#endif
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
  if (kind == SSL_ERROR_SSL && reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    return "the server closed the connection in the TLS handshake";
#endif
  return kind == SSL_ERROR_SYSCALL ? "the server closed the connection in the TLS handshake" : NULL;
}

static hotrod_io handshake(void *pointer, int fd, char *why)
{
  struct session *session = pointer;
  session->fd = fd;
  ERR_clear_error();
  int result = SSL_connect(session->ssl);
  const char *hint = result == 1 ? NULL : hint_of(session->ssl, result);
  hotrod_io io = result == 1 ? HOTROD_IO_DONE : outcome(session->ssl, result, "TLS", why);
  if (io == HOTROD_IO_FAILED && hint != NULL)
    snprintf(why, HOTROD_WHY, "%s: a port without TLS wants hotrod:// instead of hotrods://", hint);
  return io;
}

static hotrod_io read_some(void *pointer, uint8_t *room, size_t len, size_t *count, char *why)
{
  struct session *session = pointer;
  int result = SSL_read_ex(session->ssl, room, len, count);
  return result == 1 ? HOTROD_IO_DONE : outcome(session->ssl, result, "the connection broke off", why);
}

static hotrod_io write_some(void *pointer, const uint8_t *bytes, size_t len, size_t *count, char *why)
{
  struct session *session = pointer;
  int result = SSL_write_ex(session->ssl, bytes, len, count);
  return result == 1 ? HOTROD_IO_DONE : outcome(session->ssl, result, "the connection broke off", why);
}

static hotrod_bytes alpn(void *pointer)
{
  const unsigned char *id;
  unsigned length;
  struct session *session = pointer;
  SSL_get0_alpn_selected(session->ssl, &id, &length);
  hotrod_bytes bytes = {id, length};
  return bytes;
}

/* Channel binding: RFC 9266 with TLS 1.3, RFC 5929 before. */
static hotrod_status bind_channel(void *pointer, hotrod_machine *machine, uint64_t link)
{
  static const char label[] = "EXPORTER-Channel-Binding";
  struct session *session = pointer;
  unsigned char exported[32], *der = NULL;
  hotrod_status status = HOTROD_OK;
  if (SSL_version(session->ssl) >= TLS1_3_VERSION) {
    if (SSL_export_keying_material(session->ssl, exported, sizeof exported, label, sizeof label - 1, NULL, 0, 1) == 1)
      status = hotrod_set_tls_exporter(machine, link, (hotrod_bytes){exported, sizeof exported});
    OPENSSL_cleanse(exported, sizeof exported);
    return status;
  }
  X509 *certificate = SSL_get1_peer_certificate(session->ssl);
  int length = certificate == NULL ? 0 : i2d_X509(certificate, &der);
  if (length > 0)
    status = hotrod_set_server_certificate(machine, link, (hotrod_bytes){der, (size_t)length});
  OPENSSL_free(der);
  X509_free(certificate);
  return status;
}

hotrod_tls_hook hotrod_openssl_hook(void)
{
  hotrod_tls_hook hook = {NULL, start, handshake, read_some, write_some, alpn, end, bind_channel, check};
  return hook;
}
