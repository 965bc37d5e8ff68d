/* TLS for hotrod_driver.h by OpenSSL 1.1.1 or later: compile hotrod_openssl.c with your program, link ssl and crypto.
 * Certificates are always verified: by the trust anchors of trust_ca or the system, and for the server's name. */
#ifndef HOTROD_OPENSSL_H
#define HOTROD_OPENSSL_H

#include "hotrod_driver.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Returns the hook. It has no state: any number of drivers may use it. */
hotrod_tls_hook hotrod_openssl_hook(void);

#ifdef __cplusplus
}
#endif

#endif
