// Written by generate.mjs from spec/vocabulary.json: change it there.
'use strict'

/** Flags of requests. */
const Flags = Object.freeze({
  FORCE_RETURN_VALUE: 1,
  DEFAULT_LIFESPAN: 2,
  DEFAULT_MAX_IDLE: 4,
  SKIP_CACHE_LOAD: 8,
  SKIP_INDEXING: 16,
  SKIP_LISTENER_NOTIFICATION: 32,
})

/** The names of the counts, in their order. */
const COUNTERS = [
  'operations',
  'failures',
  'direct',
  'forwarded',
  'retries',
  'connects',
  'tries',
  'disconnects',
  'topologies',
  'listenerFailovers',
  'nearHits',
  'nearMisses',
  'bytesSent',
  'bytesReceived',
]

module.exports = { Flags, COUNTERS }
