#!/usr/bin/env node
// The npm client `infinispan`, measured like ours: one line of JSON.

import infinispan from 'infinispan'
import { parseArgs } from 'node:util'

import { measure } from '../../../bindings/node/bench/measure.mjs'

const { values: options } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '11222' },
    cache: { type: 'string', default: 'bench' },
    'in-flight': { type: 'string', default: '64' },
    seconds: { type: 'string', default: '3' },
    'warmup-seconds': { type: 'string', default: '1' },
    'value-size': { type: 'string', default: '64' },
  },
})
const server = { host: options.host, port: Number(options.port) }
const client = await infinispan.client(server, { version: '2.9', cacheName: options.cache })
const keys = Array.from({ length: 1000 }, (_, number) => `key-${number}`)
for (const key of keys) await client.put(key, 'x'.repeat(Number(options['value-size'])))
await measure(options, (turn) => client.get(keys[turn % keys.length]))
await client.disconnect()
process.exit(0)
