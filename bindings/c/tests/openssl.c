/* Tests what the OpenSSL hook takes of the process: openssl CERTIFICATE */
#include <openssl/bio.h>
#include <pthread.h>

#include "../driver/hotrod_openssl.h"
#include "check.h"

enum { THREADS = 4, SESSIONS = 150 };

static void *sessions(void *certificate)
{
  char why[HOTROD_WHY] = "";
  hotrod_tls_hook hook = hotrod_openssl_hook();
  hotrod_tls tls = {0};
  tls.server_name = hotrod_text_of("localhost");
  tls.trust_ca = hotrod_text_of(certificate);
  for (int i = 0; i < SESSIONS; i++) {
    void *session = hook.start(hook.context, &tls, why);
    if (session == NULL)
      fprintf(stderr, "session %d: %s\n", i, why);
    CHECK(session != NULL);
    hook.end(session);
  }
  return NULL;
}

int main(int argc, char **argv)
{
  pthread_t threads[THREADS];
  CHECK(argc == 2);
  int before = BIO_get_new_index();
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_create(&threads[i], NULL, sessions, argv[1]) == 0);
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_join(threads[i], NULL) == 0);
  /* The process has few numbers of BIO types: one is the hook's, and one this call's. */
  CHECK(BIO_get_new_index() - before == 2);
  puts("openssl: all passed");
  return 0;
}
