// Written by generate.mjs from spec/vocabulary.json: change it there.
'use strict'

const { errorOf } = require('./errors.js')

/** The shapes of outputs by their number at the border: how many values each takes, and how it is made of them. */
module.exports = {
  1: { length: 7, make: (values, at) => ({ type: 'Connect', link: values[at + 1], member: values[at + 2], host: values[at + 3], port: values[at + 4], tls: values[at + 5], timeout: values[at + 6] }) },
  2: { length: 3, make: (values, at) => ({ type: 'StartTls', link: values[at + 1], tls: values[at + 2] }) },
  3: { length: 2, make: (values, at) => ({ type: 'Transmit', link: values[at + 1] }) },
  4: { length: 2, make: (values, at) => ({ type: 'Pause', link: values[at + 1] }) },
  5: { length: 2, make: (values, at) => ({ type: 'Resume', link: values[at + 1] }) },
  6: { length: 2, make: (values, at) => ({ type: 'Close', link: values[at + 1] }) },
  7: { length: 5, make: (values, at) => ({ type: 'Completed', id: values[at + 1], member: values[at + 2], answer: values[at + 3], error: errorOf(values[at + 4]) }) },
  8: { length: 4, make: (values, at) => ({ type: 'Entries', id: values[at + 1], entries: values[at + 2], error: errorOf(values[at + 3]) }) },
  32: { length: 1, make: (values, at) => ({ type: 'Started' }) },
  33: { length: 2, make: (values, at) => ({ type: 'StartFailed', error: errorOf(values[at + 1]) }) },
  34: { length: 4, make: (values, at) => ({ type: 'MemberReady', member: values[at + 1], address: values[at + 2], alpn: values[at + 3] }) },
  35: { length: 5, make: (values, at) => ({ type: 'MemberUnavailable', member: values[at + 1], address: values[at + 2], reason: values[at + 3], retryAfter: values[at + 4] }) },
  36: { length: 4, make: (values, at) => ({ type: 'Topology', cache: values[at + 1], id: values[at + 2], members: values[at + 3] }) },
  37: { length: 1, make: (values, at) => ({ type: 'Degraded' }) },
  38: { length: 1, make: (values, at) => ({ type: 'Restored' }) },
  39: { length: 4, make: (values, at) => ({ type: 'SiteSwitched', from: values[at + 1], to: values[at + 2], automatic: values[at + 3] }) },
  40: { length: 3, make: (values, at) => ({ type: 'ListenerRegistered', listener: values[at + 1], member: values[at + 2] }) },
  41: { length: 3, make: (values, at) => ({ type: 'ListenerMoved', listener: values[at + 1], member: values[at + 2] }) },
  42: { length: 4, make: (values, at) => ({ type: 'ListenerFailed', listener: values[at + 1], member: values[at + 2], error: errorOf(values[at + 3]) }) },
  43: { length: 8, make: (values, at) => ({ type: 'Entry', listener: values[at + 1], link: values[at + 2], change: values[at + 3], key: values[at + 4], version: values[at + 5], data: values[at + 6], retried: values[at + 7] }) },
  44: { length: 8, make: (values, at) => ({ type: 'Counter', listener: values[at + 1], link: values[at + 2], counter: values[at + 3], oldValue: values[at + 4], oldState: values[at + 5], newValue: values[at + 6], newState: values[at + 7] }) },
  47: { length: 4, make: (values, at) => ({ type: 'CarriageChosen', endpoint: values[at + 1], carriage: values[at + 2], reason: values[at + 3] }) },
  48: { length: 3, make: (values, at) => ({ type: 'AccessChosen', path: values[at + 1], reason: values[at + 2] }) },
  49: { length: 4, make: (values, at) => ({ type: 'Coverage', covered: values[at + 1], members: values[at + 2], reason: values[at + 3] }) },
  50: { length: 3, make: (values, at) => ({ type: 'BalancingRecognised', balancing: values[at + 1], reason: values[at + 2] }) },
  51: { length: 4, make: (values, at) => ({ type: 'MemberNotAllowed', member: values[at + 1], address: values[at + 2], reason: values[at + 3] }) },
  45: { length: 2, make: (values, at) => ({ type: 'NearCacheActive', cache: values[at + 1] }) },
  46: { length: 3, make: (values, at) => ({ type: 'NearCacheInactive', cache: values[at + 1], error: errorOf(values[at + 2]) }) },
}
