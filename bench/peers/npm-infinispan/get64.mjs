#!/usr/bin/env node
// The npm client `infinispan`, measured like ours: one line of JSON.

import infinispan from 'infinispan'
import { measure, parse } from '../../../bindings/node/bench/measure.mjs'

const options = parse()
const server = { host: options.host, port: Number(options.port) }
const client = await infinispan.client(server, { version: '2.9', cacheName: options.cache })
const keys = Array.from({ length: 1000 }, (_, number) => `key-${number}`)
for (const key of keys) await client.put(key, 'x'.repeat(Number(options['value-size'])))
await measure(options, (turn) => client.get(keys[turn % keys.length]))
await client.disconnect()
process.exit(0)
