/* Tests how links are established: links ADDRESS CERTIFICATE, with the address of an embedded node */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../driver/hotrod_driver.h"
#include "../driver/hotrod_openssl.h"
#include "check.h"

static int contains(hotrod_text text, const char *part)
{
  return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

static struct sockaddr_in address_of(const char *host, uint16_t port)
{
  struct sockaddr_in address = {0};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  CHECK(inet_pton(AF_INET, host, &address.sin_addr) == 1);
  return address;
}

/* Takes the place of libc's: two.test has two addresses, and the first one is 127.0.0.2. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found)
{
  int (*find)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  *(void **)&find = dlsym(RTLD_NEXT, "getaddrinfo");
  if (strcmp(host, "two.test") != 0)
    return find(host, port, hints, found);
  CHECK(find("127.0.0.2", port, hints, found) == 0);
  return find("127.0.0.1", port, hints, &(*found)->ai_next);
}

/* Opens a listener; with `is_silent` its queue of connections is full, and it answers no further one. */
static int listen_at(struct sockaddr_in address, int is_silent)
{
  int listening = socket(AF_INET, SOCK_STREAM, 0), filling;
  CHECK(bind(listening, (struct sockaddr *)&address, sizeof address) == 0);
  CHECK(listen(listening, is_silent ? 0 : 8) == 0);
  if (is_silent) {
    filling = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(filling, (struct sockaddr *)&address, sizeof address) == 0);
  }
  return listening;
}

static void a_silent_first_address(uint16_t port)
{
  char uri[128];
  hotrod_driver *driver;
  hotrod_bytes value;
  uint32_t cache;
  int silent = listen_at(address_of("127.0.0.2", port), 1);
  snprintf(uri, sizeof uri, "hotrod://two.test:%u/dist?connect_timeout=5000&client_intelligence=basic", port);
  CHECK(hotrod_driver_new(uri, NULL, &driver, NULL) == HOTROD_OK);
  CHECK(hotrod_driver_cache(driver, NULL, &cache) == HOTROD_OK);
  CHECK(hotrod_driver_start(driver, cache) == HOTROD_OK);
  CHECK(hotrod_driver_put(driver, cache, hotrod_bytes_of("k"), hotrod_bytes_of("v"), NULL) == HOTROD_OK);
  CHECK(hotrod_driver_get(driver, cache, hotrod_bytes_of("k"), &value) == HOTROD_OK);
  CHECK(value.len == 1 && value.data[0] == 'v');
  CHECK(hotrod_driver_close(driver) == HOTROD_OK);
  hotrod_driver_free(driver);
  close(silent);
}

static void a_missing_file_is_named(const char *certificate)
{
  static const char *const properties[] = {"trust_ca", "client_certificate", "client_key"};
  hotrod_tls_hook hook = hotrod_openssl_hook();
  for (size_t missing = 0; missing < 3; missing++) {
    char uri[1024], wanted[64];
    hotrod_driver *driver;
    hotrod_error *error;
    const char *file[3] = {certificate, certificate, certificate};
    file[missing] = "missing.pem";
    snprintf(uri, sizeof uri, "hotrods://127.0.0.1:1?trust_ca=%s&client_certificate=%s&client_key=%s", file[0], file[1], file[2]);
    snprintf(wanted, sizeof wanted, "%s=missing.pem: No such file or directory", properties[missing]);
    CHECK(hotrod_driver_new(uri, &hook, &driver, &error) == HOTROD_ERR_MISUSE);
    CHECK(contains(hotrod_error_failure(error)->message, wanted));
    hotrod_error_free(error);
  }
}

static void *answer_in_plain_text(void *listening)
{
  char hello[4096];
  for (const char *answers[] = {"HTTP/1.1 400 Bad Request\r\n\r\n", ""}, **answer = answers; answer < answers + 2; answer++) {
    int client = accept(*(int *)listening, NULL, NULL);
    CHECK(recv(client, hello, sizeof hello, 0) > 0);
    CHECK(send(client, *answer, strlen(*answer), 0) >= 0);
    close(client);
  }
  return NULL;
}

static void a_port_without_tls_is_recognised(const char *certificate)
{
  char uri[1024];
  pthread_t server;
  struct sockaddr_in address = address_of("127.0.0.1", 0);
  socklen_t size = sizeof address;
  hotrod_tls_hook hook = hotrod_openssl_hook();
  int listening = listen_at(address, 0);
  CHECK(getsockname(listening, (struct sockaddr *)&address, &size) == 0);
  CHECK(pthread_create(&server, NULL, answer_in_plain_text, &listening) == 0);
  snprintf(uri, sizeof uri, "hotrods://127.0.0.1:%u?trust_ca=%s", ntohs(address.sin_port), certificate);
  for (int i = 0; i < 2; i++) {
    hotrod_driver *driver;
    uint32_t cache;
    CHECK(hotrod_driver_new(uri, &hook, &driver, NULL) == HOTROD_OK);
    CHECK(hotrod_driver_cache(driver, NULL, &cache) == HOTROD_OK);
    CHECK(hotrod_driver_start(driver, cache) == HOTROD_ERR_UNREACHABLE);
    CHECK(contains(hotrod_driver_failure(driver), "hotrod:// instead of hotrods://"));
    hotrod_driver_free(driver);
  }
  CHECK(pthread_join(server, NULL) == 0);
  close(listening);
}

int main(int argc, char **argv)
{
  CHECK(argc == 3);
  const char *colon = strrchr(argv[1], ':');
  CHECK(colon != NULL);
  a_silent_first_address((uint16_t)atoi(colon + 1));
  a_missing_file_is_named(argv[2]);
  a_port_without_tls_is_recognised(argv[2]);
  puts("links: all passed");
  return 0;
}
