/* Assertions of the tests in C: the first failure prints its place and ends the program. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libhotrod.h>

#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) {                                                           \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);   \
      exit(1);                                                                    \
    }                                                                             \
  } while (0)

#define CHECK_STATUS(call, expected)                                              \
  do {                                                                            \
    int check_status_ = (int)(call);                                              \
    if (check_status_ != (int)(expected)) {                                       \
      fprintf(stderr, "%s:%d: %s is %d, not %s\n", __FILE__, __LINE__, #call,     \
              check_status_, #expected);                                          \
      exit(1);                                                                    \
    }                                                                             \
  } while (0)

#define CHECK_OK(call) CHECK_STATUS(call, HOTROD_OK)

static inline int bytes_are(hotrod_bytes bytes, const char *string)
{
  return bytes.len == strlen(string) && memcmp(bytes.data, string, bytes.len) == 0;
}

#endif
